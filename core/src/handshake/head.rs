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
use super::grammar::{field_run, is_field_byte, is_token_byte, same, token_run, trim};
use super::{HeadError, HeadLimits, Progress};
use crate::bytes;

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
        while !rest.is_empty() && self.state != State::Complete {
            let taken = match self.whole_line(rest, storage.len()) {
                Some(line) => self
                    .take_line(storage, line, rules)
                    .map(|()| line.len().saturating_add(2)),
                None => self.take_part(storage, rest, rules),
            };
            match taken {
                Ok(taken) => rest = rest.get(taken..).unwrap_or_default(),
                Err(error) => return self.fail(error),
            }
        }
        let consumed = allowed.len().saturating_sub(rest.len());
        let counted = u32::try_from(consumed).unwrap_or(u32::MAX);
        self.bytes_left = self.bytes_left.saturating_sub(counted);
        let complete = self.is_complete();
        if !complete && consumed < input.len() {
            return self.fail(HeadError::TooLong);
        }
        Ok(Progress { consumed, complete })
    }

    fn fail(&mut self, error: HeadError) -> Result<Progress, HeadError> {
        self.failure = Some(error);
        Err(error)
    }

    /// The next line, if all of it is there, and there is room for it whatever it is.
    fn whole_line<'i>(&mut self, input: &'i [u8], storage: usize) -> Option<&'i [u8]> {
        if self.line_feed || self.len > self.line {
            return None;
        }
        match self.state {
            State::Blank if !input.starts_with(b"\r") => self.state = State::Start,
            State::Start | State::Line => {}
            _ => return None,
        }
        let line = field_run(input);
        let room = storage.checked_sub(self.line)?;
        let is_whole = input.get(line.len()..)?.starts_with(b"\r\n");
        (is_whole && line.len() < room).then_some(line)
    }

    /// Takes a line that is all there.
    fn take_line(
        &mut self,
        storage: &mut [u8],
        line: &[u8],
        rules: &mut dyn Rules,
    ) -> Result<(), HeadError> {
        match line.first() {
            Some(&first) if self.state == State::Line => self.count_line(first)?,
            None if self.state == State::Line => {
                self.state = State::Complete;
                return Ok(());
            }
            _ => {}
        }
        match self.judge(line, rules)? {
            Some((front, value)) => {
                for part in [front, value] {
                    let room = storage.get_mut(self.len..).unwrap_or_default();
                    self.len = self.len.wrapping_add(bytes::copy(part, room));
                }
                self.keep(storage)
            }
            None => {
                self.state = State::Line;
                Ok(())
            }
        }
    }

    /// Takes bytes of a line that is torn: one, or as many of a value that is skipped as are there.
    fn take_part(
        &mut self,
        storage: &mut [u8],
        input: &[u8],
        rules: &mut dyn Rules,
    ) -> Result<usize, HeadError> {
        if self.state == State::SkipValue && !self.line_feed {
            let run = field_run(input).len();
            if run > 0 {
                return Ok(run);
            }
        }
        let Some(&byte) = input.first() else {
            return Ok(0);
        };
        if self.line_feed {
            if byte != b'\n' {
                return Err(HeadError::LineEnd);
            }
            self.line_feed = false;
            self.line_ended(storage, rules)?;
        } else {
            self.take_byte(storage, byte, rules)?;
        }
        Ok(1)
    }

    fn take_byte(
        &mut self,
        storage: &mut [u8],
        byte: u8,
        rules: &dyn Rules,
    ) -> Result<(), HeadError> {
        if self.state == State::Line && byte != b'\r' {
            self.count_line(byte)?;
        }
        match self.state {
            State::Name if is_token_byte(byte) => {
                if !self.push(storage, byte) {
                    // What was stored is the beginning of the name: that may be enough to know.
                    if may_be_wanted(self.collected(storage), rules) {
                        return Err(HeadError::DoesNotFit);
                    }
                    self.drop_line(State::SkipName);
                }
            }
            State::SkipName if is_token_byte(byte) => {}
            State::Name | State::SkipName => {
                let name = self.collected(storage);
                if byte != b':' || (self.state == State::Name && name.is_empty()) {
                    return Err(name_error(byte));
                }
                if self.state == State::SkipName || wanted(name, rules).is_none() {
                    self.drop_line(State::SkipValue);
                } else if self.push(storage, b':') {
                    self.state = State::Gap;
                } else {
                    return Err(HeadError::DoesNotFit);
                }
            }
            State::Gap if matches!(byte, b' ' | b'\t') => {}
            State::Start | State::Gap | State::Value if is_field_byte(byte) => {
                if !self.push(storage, byte) {
                    return Err(self.does_not_fit());
                }
                if self.state == State::Gap {
                    self.state = State::Value;
                }
            }
            _ => match byte {
                b'\r' => self.line_feed = true,
                b'\n' => return Err(HeadError::LineEnd),
                _ if self.state == State::Start => return Err(HeadError::StartLine),
                _ => return Err(HeadError::FieldValue),
            },
        }
        Ok(())
    }

    /// What the end of a torn line settles.
    fn line_ended(&mut self, storage: &mut [u8], rules: &mut dyn Rules) -> Result<(), HeadError> {
        match self.state {
            // RFC 9112 2.2: an empty line before the request line is ignored.
            State::Blank => self.state = State::Start,
            State::Line => self.state = State::Complete,
            State::SkipValue => self.drop_line(State::Line),
            _ => {
                let kept = self.judge(self.collected(storage), rules)?;
                match kept.map(|(front, value)| front.len().saturating_add(value.len())) {
                    Some(size) => {
                        self.len = self.line.saturating_add(size);
                        self.keep(storage)?;
                    }
                    None => self.drop_line(State::Line),
                }
            }
        }
        Ok(())
    }

    /// A header line begins with this byte.
    #[inline(never)]
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

    /// Shows a whole line to the rules; gives the two parts of it that are to be kept.
    fn judge<'l>(
        &self,
        line: &'l [u8],
        rules: &mut dyn Rules,
    ) -> Result<Option<Kept<'l>>, HeadError> {
        if self.state == State::Start {
            let size = rules.start_line(line)?;
            return Ok(line.split_at_checked(size).map(|(kept, _)| (kept, &[][..])));
        }
        let name = token_run(line);
        let end = line.get(name.len()).copied().unwrap_or(b'\r');
        if end != b':' || name.is_empty() {
            return Err(name_error(end));
        }
        let Some((front, value)) = line.split_at_checked(name.len().saturating_add(1)) else {
            return Ok(None);
        };
        let Some((field, asked)) = wanted(name, rules) else {
            return Ok(None);
        };
        let value = trim(value);
        let kept = rules.field(field, value)? || asked;
        Ok(kept.then_some((front, value)))
    }

    /// What was collected of the line that is being read.
    #[inline(never)]
    fn collected<'s>(&self, storage: &'s [u8]) -> &'s [u8] {
        storage.get(self.line..self.len).unwrap_or_default()
    }

    fn keep(&mut self, storage: &mut [u8]) -> Result<(), HeadError> {
        if !self.push(storage, b'\n') {
            return Err(self.does_not_fit());
        }
        self.line = self.len;
        self.state = State::Line;
        Ok(())
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

    /// Appends one byte; says whether there was room.
    #[inline(never)]
    fn push(&mut self, storage: &mut [u8], byte: u8) -> bool {
        let Some(place) = storage.get_mut(self.len) else {
            return false;
        };
        *place = byte;
        self.len = self.len.wrapping_add(1);
        true
    }
}

/// The parts of a line that are kept: all but the white space around the value.
type Kept<'l> = (&'l [u8], &'l [u8]);

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
