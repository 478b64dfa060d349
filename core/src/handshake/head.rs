//! The line scanner: finds the lines of a head and keeps the needed ones in the lent storage.
//!
//! The storage holds the kept lines, and behind them the line that is being read:
//!
//! ```text
//!   | GET /chat \n Host:example.com \n | Connection:keep-al     |
//!   0                                  line                    len             storage.len()
//! ```
//!
//! A line that is all there, would fit into the storage, and has nothing wrong, is judged where it is. Of others a
//! name is collected first, as it comes. At its colon the line is either dropped, and its value only checked as it
//! passes, or collected to its end. A whole line is shown to the [`Rules`], which say if it is kept.

use super::field::{Field, Known};
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
    /// The headers whose lines are to be judged, and the names of those the application asked for, in any case:
    /// these are kept.
    fn wanted(&self) -> (&'static Known, &[&str]);
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

    /// The head was read to its end. Nothing fails then.
    pub(super) fn is_complete(&self) -> bool {
        self.state == State::Complete
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
            return self.fail(error);
        }
        // Neither overflows: the rest is a part of what was allowed, and that is no more than was left.
        let consumed = allowed.len().wrapping_sub(rest.len());
        let counted = u32::try_from(consumed).unwrap_or(u32::MAX);
        self.bytes_left = self.bytes_left.wrapping_sub(counted);
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

    /// Reads to the end of the input, or of the head.
    #[inline]
    fn read(
        &mut self,
        storage: &mut [u8],
        input: &mut &[u8],
        rules: &mut dyn Rules,
    ) -> Result<(), HeadError> {
        while !input.is_empty() && self.state != State::Complete {
            if self.state == State::Line && !self.line_feed {
                while self.whole_line(storage, input, rules)? {}
            }
            self.part(storage, input, rules)?;
        }
        Ok(())
    }

    /// Takes a header line that is all there, would fit into the storage, and has nothing wrong: most are so.
    /// False: nothing was taken.
    #[inline]
    fn whole_line(
        &mut self,
        storage: &mut [u8],
        input: &mut &[u8],
        rules: &mut dyn Rules,
    ) -> Result<bool, HeadError> {
        let line = *input;
        let behind_name = skip_token(line);
        let [b':', value_and_more @ ..] = behind_name else {
            return Ok(false);
        };
        let behind = skip_field(value_and_more);
        let [b'\r', b'\n', next @ ..] = behind else {
            return Ok(false);
        };
        let name = front(line, behind_name);
        // Neither overflows: they are sizes of what lies in memory.
        let size = line.len().wrapping_sub(behind.len());
        let fits = self.line.wrapping_add(size) < storage.len();
        if name.is_empty() || !fits {
            return Ok(false);
        }
        let Some(lines_left) = self.lines_left.checked_sub(1) else {
            return Ok(false);
        };
        self.lines_left = lines_left;
        *input = next;
        if let Some(value) = judge(name, front(value_and_more, behind), rules)? {
            self.push(storage, front(line, value_and_more));
            self.push(storage, value);
            self.keep(storage)?;
        }
        Ok(true)
    }

    /// Takes the bytes at the front that go on with what there is, and the byte behind them.
    #[inline(never)]
    fn part(
        &mut self,
        storage: &mut [u8],
        input: &mut &[u8],
        rules: &mut dyn Rules,
    ) -> Result<(), HeadError> {
        let behind = match self.state {
            _ if self.line_feed => *input,
            State::Name | State::SkipName => skip_token(input),
            State::Start | State::Value | State::SkipValue => skip_field(input),
            State::Gap => trim_start(input),
            State::Blank | State::Line | State::Complete => *input,
        };
        if matches!(self.state, State::Start | State::Name | State::Value)
            && !self.push(storage, front(input, behind))
        {
            // What was stored is the beginning of the name: that may be enough to know.
            if self.state == State::Name && !may_be_wanted(self.collected(storage), rules) {
                self.drop_line(State::SkipName);
            } else {
                return Err(self.does_not_fit());
            }
        }
        *input = behind;
        let Some((&byte, behind)) = behind.split_first() else {
            return Ok(());
        };
        match (self.state, byte) {
            _ if self.line_feed => {
                if byte != b'\n' {
                    return Err(HeadError::LineEnd);
                }
                self.line_feed = false;
                self.line_ended(storage, rules)?;
            }
            (State::Name | State::SkipName, _) => self.name_ended(storage, byte, rules)?,
            (_, b'\r') => self.line_feed = true,
            // What comes next begins with this byte.
            (State::Blank, _) => {
                self.state = State::Start;
                return Ok(());
            }
            (State::Line, _) => return self.count_line(byte),
            (State::Gap, _) => {
                self.state = State::Value;
                return Ok(());
            }
            (_, b'\n') => return Err(HeadError::LineEnd),
            (State::Start, _) => return Err(HeadError::StartLine),
            _ => return Err(HeadError::FieldValue),
        }
        *input = behind;
        Ok(())
    }

    /// Behind a name stands `byte`.
    #[inline]
    fn name_ended(
        &mut self,
        storage: &mut [u8],
        byte: u8,
        rules: &dyn Rules,
    ) -> Result<(), HeadError> {
        let is_collected = self.state == State::Name;
        let name = self.collected(storage);
        if byte != b':' || (is_collected && name.is_empty()) {
            return Err(name_error(byte));
        }
        if !is_collected || wanted(name, rules).is_none() {
            self.drop_line(State::SkipValue);
        } else if self.push(storage, b":") {
            self.state = State::Gap;
        } else {
            return Err(HeadError::DoesNotFit);
        }
        Ok(())
    }

    /// What the end of a line settles.
    #[inline]
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
                self.len = self.line.wrapping_add(size);
                true
            }
            State::Gap | State::Value => {
                let line = self.collected(storage);
                let behind = skip_token(line);
                let (name, value) = (front(line, behind), behind.get(1..).unwrap_or_default());
                let kept = judge(name, value, rules)?.map(<[u8]>::len);
                let size = value.len().wrapping_sub(kept.unwrap_or_default());
                self.len = self.len.wrapping_sub(size);
                kept.is_some()
            }
            _ => false,
        };
        if keep {
            self.keep(storage)?;
        }
        self.drop_line(State::Line);
        Ok(())
    }

    /// Keeps what was collected.
    #[inline(never)]
    fn keep(&mut self, storage: &mut [u8]) -> Result<(), HeadError> {
        let Some(place) = storage.get_mut(self.len) else {
            return Err(self.does_not_fit());
        };
        *place = b'\n';
        self.len = self.len.wrapping_add(1);
        self.line = self.len;
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

/// What stands in front of `behind`, which is the end of `all`.
fn front<'i>(all: &'i [u8], behind: &[u8]) -> &'i [u8] {
    all.get(..all.len().wrapping_sub(behind.len()))
        .unwrap_or_default()
}

/// Shows a whole line to the rules; gives the value without white space around it if the line is to be kept.
#[inline]
fn judge<'v>(
    name: &[u8],
    value: &'v [u8],
    rules: &mut dyn Rules,
) -> Result<Option<&'v [u8]>, HeadError> {
    let Some((field, asked)) = wanted(name, rules) else {
        return Ok(None);
    };
    let value = trim(value);
    let kept = rules.field(field, value)? || asked;
    Ok(kept.then_some(value))
}

/// Which header a line with this name is, and whether the application asked for it; `None` if nobody wants it.
#[inline(never)]
fn wanted(name: &[u8], rules: &dyn Rules) -> Option<(Field, bool)> {
    let (known, names) = rules.wanted();
    let field = known.find(name);
    let asked = names.iter().any(|one| same(one.as_bytes(), name));
    (asked || field.is_some()).then_some((field.unwrap_or(Field::Other), asked))
}

fn may_be_wanted(start: &[u8], rules: &dyn Rules) -> bool {
    let (known, names) = rules.wanted();
    [known.names(), names]
        .into_iter()
        .flatten()
        .any(|name| longer(name.as_bytes(), start))
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
