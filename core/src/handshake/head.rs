//! The line scanner: finds the lines of a head and keeps the needed ones in the lent storage.
//!
//! The storage holds the kept lines, and behind them the line that is being read:
//!
//! ```text
//!   | GET /chat \n Host:example.com \n | Connection:keep-al     |
//!   0                                  line                    len             storage.len()
//! ```
//!
//! A line that is all there, and would fit into the storage, is judged where it is. Of others a name is
//! collected first, byte by byte. At its colon the line is either dropped, and its value only checked as it
//! passes, or collected to its end. A whole line is shown to the [`Rules`], which say if it is kept.

use super::field::Field;
use super::grammar::{same, skip_field, skip_token, trim, trim_start};
use super::{HeadError, HeadLimits, Progress};

/// The state of one head; see the module's picture for the positions.
#[derive(Clone, Debug)]
pub(super) struct Scanner {
    state: State,
    /// A CR was read behind what `state` says, so that only an LF may follow.
    line_feed: bool,
    failure: Option<HeadError>,
    lines_left: u16,
    bytes_left: u32,
    /// Where the line that is being read starts: the end of what is kept.
    line: usize,
    /// Where its next byte goes.
    len: usize,
    /// Where its value starts.
    value: usize,
    /// Which header it is, and whether the application asked for it.
    field: Field,
    asked: bool,
}

/// What comes next. `Skip` variants belong to lines that are not collected.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum State {
    /// The first line, or an empty one before it.
    Blank,
    Start,
    /// A header line, or the empty one at the end.
    Line,
    Name,
    SkipName,
    /// White space in front of a value.
    Gap,
    Value,
    SkipValue,
    Complete,
}

/// What one side of the handshake does with the lines.
pub(super) trait Rules {
    /// Whether lines of this header are to be collected.
    fn wants(&self, field: Field) -> bool;
    /// The names of the lines the application asked for, in any case. They are kept.
    fn asked(&self) -> &[&str];
    /// Judges the first line; returns how many bytes of it to keep.
    fn start_line(&mut self, line: &[u8]) -> Result<usize, HeadError>;
    /// Judges a collected header line; returns whether to keep it.
    fn field(&mut self, field: Field, value: &[u8]) -> Result<bool, HeadError>;
}

impl Scanner {
    /// For the head of a request.
    pub(super) fn request() -> Self {
        let HeadLimits { bytes, lines } = HeadLimits::default();
        Scanner {
            state: State::Blank,
            line_feed: false,
            failure: None,
            lines_left: lines,
            bytes_left: bytes,
            line: 0,
            len: 0,
            value: 0,
            field: Field::Other,
            asked: false,
        }
    }

    /// For the head of a response.
    pub(super) fn response() -> Self {
        Scanner {
            state: State::Start,
            ..Scanner::request()
        }
    }

    pub(super) fn set_limits(&mut self, limits: HeadLimits) {
        self.bytes_left = limits.bytes;
        self.lines_left = limits.lines;
    }

    pub(super) fn is_complete(&self) -> bool {
        self.state == State::Complete && self.failure.is_none()
    }

    pub(super) fn failure(&self) -> Option<HeadError> {
        self.failure
    }

    /// Forgets this head and starts the next one, which has to do with what the limits left.
    pub(super) fn restart(&mut self) {
        self.state = State::Start;
        self.line = 0;
        self.len = 0;
    }

    /// The kept lines, each ended by a line feed, the first line of the head foremost.
    pub(super) fn kept<'a>(&self, storage: &'a [u8]) -> &'a [u8] {
        storage.get(..self.line).unwrap_or_default()
    }

    /// Reads on. After an error every further call returns that error.
    // Apart, so that its variables are off the stack when SHA-1 needs most of it.
    #[inline(never)]
    pub(super) fn feed(
        &mut self,
        storage: &mut [u8],
        input: &[u8],
        rules: &mut dyn Rules,
    ) -> Result<Progress, HeadError> {
        if let Some(error) = self.failure() {
            return Err(error);
        }
        let budget = usize::try_from(self.bytes_left).unwrap_or(usize::MAX);
        let allowed = input.get(..budget).unwrap_or(input);
        let mut rest = allowed;
        if let Err(error) = self.read(storage, &mut rest, rules) {
            self.failure = Some(error);
            return Err(error);
        }
        let consumed = allowed.len().saturating_sub(rest.len());
        let counted = u32::try_from(consumed).unwrap_or(u32::MAX);
        self.bytes_left = self.bytes_left.saturating_sub(counted);
        let complete = self.is_complete();
        if !complete && consumed < input.len() {
            self.failure = Some(HeadError::TooLong);
            return Err(HeadError::TooLong);
        }
        Ok(Progress { consumed, complete })
    }

    /// Reads lines, from wherever the last call stopped to the end of the input, or of the head.
    #[inline]
    fn read(
        &mut self,
        storage: &mut [u8],
        input: &mut &[u8],
        rules: &mut dyn Rules,
    ) -> Result<(), HeadError> {
        while let Some((&first, behind)) = input.split_first() {
            if self.line_feed {
                if first != b'\n' {
                    return Err(HeadError::LineEnd);
                }
                *input = behind;
                self.line_feed = false;
                self.line_ended(storage, rules)?;
                if self.state == State::Complete {
                    break;
                }
                continue;
            }
            match self.state {
                State::Complete => break,
                State::Blank | State::Line if first == b'\r' => {}
                State::Blank => self.state = State::Start,
                State::Line => self.count_line(first)?,
                _ => {}
            }
            if matches!(self.state, State::Name | State::SkipName) {
                self.name(storage, input, rules)?;
            }
            if self.state == State::Gap {
                *input = trim_start(input);
                if !input.is_empty() {
                    self.state = State::Value;
                }
            }
            if matches!(self.state, State::Start | State::Value | State::SkipValue) {
                let run = take(input, skip_field(input));
                if self.state != State::SkipValue && !self.push(storage, run) {
                    return Err(self.does_not_fit());
                }
            }
            match input.split_first() {
                None => break,
                Some((b'\r', behind)) => {
                    self.line_feed = true;
                    *input = behind;
                }
                Some((b'\n', _)) => return Err(HeadError::LineEnd),
                Some(_) if self.state == State::Start => return Err(HeadError::StartLine),
                Some(_) => return Err(HeadError::FieldValue),
            }
        }
        Ok(())
    }

    /// Reads a name and its colon.
    #[inline]
    fn name(
        &mut self,
        storage: &mut [u8],
        input: &mut &[u8],
        rules: &dyn Rules,
    ) -> Result<(), HeadError> {
        let from = *input;
        let run = take(input, skip_token(from));
        let room = storage.len().saturating_sub(self.len);
        // A name that is all there is looked at where it is, and stored only if it is needed.
        let is_whole = self.len == self.line && !input.is_empty() && run.len() < room;
        if self.state == State::Name && !is_whole && !self.push(storage, run) {
            // What was stored is the beginning of the name: that may be enough to know.
            if may_be_wanted(self.collected(storage), rules) {
                return Err(HeadError::DoesNotFit);
            }
            self.drop_line(State::SkipName);
        }
        let Some((&byte, behind)) = input.split_first() else {
            return Ok(());
        };
        *input = behind;
        let name = if is_whole {
            run
        } else {
            self.collected(storage)
        };
        if byte != b':' || (self.state == State::Name && name.is_empty()) {
            return Err(name_error(byte));
        }
        match wanted(name, rules) {
            Some((field, asked)) if self.state == State::Name => {
                (self.field, self.asked) = (field, asked);
                let rest = if is_whole {
                    from.get(..=run.len())
                } else {
                    None
                };
                if !self.push(storage, rest.unwrap_or(b":")) {
                    return Err(HeadError::DoesNotFit);
                }
                self.value = self.len;
                self.state = State::Gap;
            }
            _ => self.drop_line(State::SkipValue),
        }
        Ok(())
    }

    /// What the end of a line settles.
    fn line_ended(&mut self, storage: &mut [u8], rules: &mut dyn Rules) -> Result<(), HeadError> {
        let keep = match self.state {
            // RFC 9112 2.2: an empty line before the request line is ignored.
            State::Blank => {
                self.state = State::Start;
                return Ok(());
            }
            State::Line => {
                self.state = State::Complete;
                return Ok(());
            }
            State::Start => {
                let size = rules.start_line(self.collected(storage))?;
                self.len = self.line.saturating_add(size);
                true
            }
            State::Gap | State::Value => {
                let value = trim(storage.get(self.value..self.len).unwrap_or_default());
                self.len = self.value.saturating_add(value.len());
                rules.field(self.field, value)? || self.asked
            }
            _ => false,
        };
        if keep {
            if !self.push(storage, b"\n") {
                return Err(self.does_not_fit());
            }
            self.line = self.len;
        }
        self.drop_line(State::Line);
        Ok(())
    }

    /// A header line begins with this byte.
    fn count_line(&mut self, first: u8) -> Result<(), HeadError> {
        // RFC 9112 5.2: a server rejects obs-fold. Section 2.2: white space in front of the
        // first header line is rejected too.
        if matches!(first, b' ' | b'\t') {
            return Err(HeadError::Folded);
        }
        let left = self.lines_left.checked_sub(1);
        self.lines_left = left.ok_or(HeadError::TooManyLines)?;
        self.state = State::Name;
        Ok(())
    }

    /// What was collected of the line that is being read.
    #[inline(never)]
    fn collected<'s>(&self, storage: &'s [u8]) -> &'s [u8] {
        storage.get(self.line..self.len).unwrap_or_default()
    }

    fn does_not_fit(&self) -> HeadError {
        match self.state {
            State::Start => HeadError::StartLineDoesNotFit,
            _ => HeadError::DoesNotFit,
        }
    }

    fn drop_line(&mut self, next: State) {
        self.len = self.line;
        self.state = next;
    }

    /// Appends as many of the bytes as there is room for; says whether all of them.
    #[inline(never)]
    fn push(&mut self, storage: &mut [u8], bytes: &[u8]) -> bool {
        let room = storage.get_mut(self.len..).unwrap_or_default();
        let mut copied: usize = 0;
        for (to, from) in room.iter_mut().zip(bytes) {
            *to = *from;
            copied = copied.wrapping_add(1);
        }
        self.len = self.len.wrapping_add(copied);
        copied == bytes.len()
    }
}

/// Moves on to `behind`; gives what is in front of it.
fn take<'i>(input: &mut &'i [u8], behind: &'i [u8]) -> &'i [u8] {
    let size = input.len().saturating_sub(behind.len());
    let front = input.get(..size).unwrap_or_default();
    *input = behind;
    front
}

/// Which header a line with this name is, and whether the application asked for it; `None` if nobody wants it.
#[inline(never)]
fn wanted(name: &[u8], rules: &dyn Rules) -> Option<(Field, bool)> {
    let field = Field::of(name);
    let is = |one: &&str| same(one.as_bytes(), name);
    let asked = rules.asked().iter().any(is);
    (asked || rules.wants(field)).then_some((field, asked))
}

fn may_be_wanted(start: &[u8], rules: &dyn Rules) -> bool {
    let asked = rules
        .asked()
        .iter()
        .any(|name| longer(name.as_bytes(), start));
    let known = |field: &Field| rules.wants(*field) && longer(field.name().as_bytes(), start);
    asked || Field::ALL.iter().any(known)
}

/// Whether `name` starts with `start` and goes on.
fn longer(name: &[u8], start: &[u8]) -> bool {
    name.len() > start.len()
        && name
            .get(..start.len())
            .is_some_and(|front| same(front, start))
}

fn name_error(byte: u8) -> HeadError {
    match byte {
        // RFC 9112 5.1: no white space between name and colon.
        b' ' | b'\t' => HeadError::SpaceBeforeColon,
        b'\n' => HeadError::LineEnd,
        _ => HeadError::FieldName,
    }
}
