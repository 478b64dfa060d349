//! The line scanner: finds the lines of a head and keeps the needed ones in the lent storage.
//!
//! The storage holds the kept lines, and behind them the line that is being read:
//!
//! ```text
//!   | GET /chat \n Host:example.com \n | Connection:keep-al               |
//!   0                                  line       value   len             storage.len()
//! ```
//!
//! A name is collected first. At its colon the line is either dropped, and its value only checked
//! as it passes, or collected to its end and shown to the [`Rules`], which say if it is kept.

use super::field::Field;
use super::grammar::{field_run, is_field_byte, is_token_byte, same, trim};
use super::{HeadError, HeadLimits, Progress};

/// The state of one head; see the module's picture for the positions.
#[derive(Clone, Debug)]
pub(super) struct Scanner {
    state: State,
    failure: Option<HeadError>,
    bytes_left: u32,
    lines_left: u16,
    /// The header of the line that is being collected.
    field: Field,
    /// The application asked for that line.
    asked: bool,
    /// Where the line that is being read starts: the end of what is kept.
    line: usize,
    /// Where its value starts, behind the colon.
    value: usize,
    /// Where its next byte goes.
    len: usize,
}

/// What comes next. `Skip` variants belong to lines that are not collected.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum State {
    Blank,
    BlankLf,
    Start,
    StartLf,
    Line,
    Name,
    SkipName,
    Gap,
    Value,
    ValueLf,
    SkipValue,
    SkipLf,
    EndLf,
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
            failure: None,
            bytes_left: bytes,
            lines_left: lines,
            field: Field::Other,
            asked: false,
            line: 0,
            value: 0,
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
        rules: &mut impl Rules,
    ) -> Result<Progress, HeadError> {
        if let Some(error) = self.failure() {
            return Err(error);
        }
        let budget = usize::try_from(self.bytes_left).unwrap_or(usize::MAX);
        let allowed = input.get(..budget).unwrap_or(input);
        let mut rest = allowed;
        while !rest.is_empty() && self.state != State::Complete {
            rest = match self.step(storage, rest, rules) {
                Ok(rest) => rest,
                Err(error) => return self.fail(error),
            };
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

    /// Takes one run of bytes of one kind, and the byte that ended it.
    fn step<'i>(
        &mut self,
        storage: &mut [u8],
        input: &'i [u8],
        rules: &mut impl Rules,
    ) -> Result<&'i [u8], HeadError> {
        match self.state {
            State::Blank => Ok(self.blank(input)),
            State::BlankLf => self.line_feed(input, State::Start),
            State::Start => self.start(storage, input),
            State::StartLf => {
                let rest = self.line_feed(input, State::Line)?;
                let line = storage.get(..self.len).unwrap_or_default();
                self.len = rules.start_line(line)?;
                self.keep(storage, HeadError::StartLineDoesNotFit)?;
                Ok(rest)
            }
            State::Line => self.line_start(input),
            State::Name => self.name(storage, input, rules),
            State::SkipName => self.skip_name(input),
            State::Gap => {
                let (_, rest) = run(input, |byte| matches!(byte, b' ' | b'\t'));
                if !rest.is_empty() {
                    self.state = State::Value;
                }
                Ok(rest)
            }
            State::Value => {
                let (fits, rest) = self.store_run(storage, input, is_field_byte);
                if !fits {
                    return Err(HeadError::DoesNotFit);
                }
                self.carriage_return(rest, State::ValueLf, HeadError::FieldValue)
            }
            State::ValueLf => {
                let rest = self.line_feed(input, State::Line)?;
                self.field(storage, rules)?;
                Ok(rest)
            }
            State::SkipValue => {
                let (_, rest) = field_run(input);
                self.carriage_return(rest, State::SkipLf, HeadError::FieldValue)
            }
            State::SkipLf => self.line_feed(input, State::Line),
            State::EndLf => self.line_feed(input, State::Complete),
            State::Complete => Ok(input),
        }
    }

    /// RFC 9112 2.2: an empty line before the request line is ignored.
    fn blank<'i>(&mut self, input: &'i [u8]) -> &'i [u8] {
        let rest = input.strip_prefix(b"\r");
        self.state = match rest {
            Some(_) => State::BlankLf,
            None => State::Start,
        };
        rest.unwrap_or(input)
    }

    fn start<'i>(&mut self, storage: &mut [u8], input: &'i [u8]) -> Result<&'i [u8], HeadError> {
        let (fits, rest) = self.store_run(storage, input, is_field_byte);
        if !fits {
            return Err(HeadError::StartLineDoesNotFit);
        }
        self.carriage_return(rest, State::StartLf, HeadError::StartLine)
    }

    fn line_start<'i>(&mut self, input: &'i [u8]) -> Result<&'i [u8], HeadError> {
        match input {
            [b'\r', rest @ ..] => {
                self.state = State::EndLf;
                return Ok(rest);
            }
            // RFC 9112 5.2: a server rejects obs-fold. Section 2.2: white space in front of the
            // first header line is rejected too.
            [b' ' | b'\t', ..] => return Err(HeadError::Folded),
            _ => {}
        }
        self.lines_left = match self.lines_left.checked_sub(1) {
            Some(left) => left,
            None => return Err(HeadError::TooManyLines),
        };
        self.state = State::Name;
        Ok(input)
    }

    fn name<'i>(
        &mut self,
        storage: &mut [u8],
        input: &'i [u8],
        rules: &impl Rules,
    ) -> Result<&'i [u8], HeadError> {
        let (fits, rest) = self.store_run(storage, input, is_token_byte);
        let name = storage.get(self.line..self.len).unwrap_or_default();
        if !fits {
            // What was stored is the beginning of the name: that may be enough to know.
            if may_be_wanted(name, rules) {
                return Err(HeadError::DoesNotFit);
            }
            self.drop_line(State::SkipName);
            return Ok(rest);
        }
        let Some((&byte, rest)) = rest.split_first() else {
            return Ok(rest);
        };
        if byte != b':' || name.is_empty() {
            return Err(name_error(byte));
        }
        self.field = Field::of(name);
        let is = |one: &&str| same(one.as_bytes(), name);
        self.asked = rules.asked().iter().any(is);
        if !self.asked && !rules.wants(self.field) {
            self.drop_line(State::SkipValue);
            return Ok(rest);
        }
        if !self.store(storage, b':') {
            return Err(HeadError::DoesNotFit);
        }
        self.value = self.len;
        self.state = State::Gap;
        Ok(rest)
    }

    fn skip_name<'i>(&mut self, input: &'i [u8]) -> Result<&'i [u8], HeadError> {
        let (_, rest) = run(input, is_token_byte);
        match rest.split_first() {
            None => Ok(rest),
            Some((b':', rest)) => {
                self.state = State::SkipValue;
                Ok(rest)
            }
            Some((&byte, _)) => Err(name_error(byte)),
        }
    }

    /// Shows a collected line to the rules, and keeps or drops it.
    fn field(&mut self, storage: &mut [u8], rules: &mut impl Rules) -> Result<(), HeadError> {
        let value = trim(storage.get(self.value..self.len).unwrap_or_default());
        self.len = self.value.saturating_add(value.len());
        if rules.field(self.field, value)? || self.asked {
            return self.keep(storage, HeadError::DoesNotFit);
        }
        self.drop_line(State::Line);
        Ok(())
    }

    #[inline(never)]
    fn keep(&mut self, storage: &mut [u8], error: HeadError) -> Result<(), HeadError> {
        if !self.store(storage, b'\n') {
            return Err(error);
        }
        self.line = self.len;
        Ok(())
    }

    fn drop_line(&mut self, next: State) {
        self.len = self.line;
        self.state = next;
    }

    /// Appends the bytes at the front that are all of one kind, and gives the rest. `false`: there was no
    /// room for the first byte of the rest.
    fn store_run<'i>(
        &mut self,
        storage: &mut [u8],
        input: &'i [u8],
        kind: impl Fn(u8) -> bool,
    ) -> (bool, &'i [u8]) {
        let mut room = storage.get_mut(self.len..).unwrap_or_default().iter_mut();
        let mut rest = input;
        let mut fits = true;
        while let Some((&byte, behind)) = rest.split_first()
            && kind(byte)
        {
            let Some(place) = room.next() else {
                fits = false;
                break;
            };
            *place = byte;
            rest = behind;
        }
        let stored = input.len().saturating_sub(rest.len());
        self.len = self.len.saturating_add(stored);
        (fits, rest)
    }

    /// Appends one byte; says whether there was room.
    fn store(&mut self, storage: &mut [u8], byte: u8) -> bool {
        let Some(place) = storage.get_mut(self.len) else {
            return false;
        };
        *place = byte;
        self.len = self.len.saturating_add(1);
        true
    }

    /// Takes the CR that ends a run, if it is there yet.
    #[inline(never)]
    fn carriage_return<'i>(
        &mut self,
        input: &'i [u8],
        next: State,
        otherwise: HeadError,
    ) -> Result<&'i [u8], HeadError> {
        match input {
            [] => Ok(input),
            [b'\r', rest @ ..] => {
                self.state = next;
                Ok(rest)
            }
            [b'\n', ..] => Err(HeadError::LineEnd),
            _ => Err(otherwise),
        }
    }

    /// Takes the LF that must follow a CR.
    #[inline(never)]
    fn line_feed<'i>(&mut self, input: &'i [u8], next: State) -> Result<&'i [u8], HeadError> {
        let rest = input.strip_prefix(b"\n").ok_or(HeadError::LineEnd)?;
        self.state = next;
        Ok(rest)
    }
}

/// Splits off the bytes at the front that are all of one kind.
fn run(input: &[u8], kind: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let end = input.iter().position(|&byte| !kind(byte));
    end.and_then(|end| input.split_at_checked(end))
        .unwrap_or((input, &[]))
}

fn may_be_wanted(start: &[u8], rules: &impl Rules) -> bool {
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
