//! The server's side: reads a request, checks it, writes the answer.

mod checks;
mod origin;
mod refusal;
mod request;
mod response;

pub use checks::{Checks, MAX_PROTOCOLS};
pub use origin::is_same_host;
pub use refusal::Refusal;
pub use request::Request;
pub use response::{Rejection, Response, ResponseError};

use super::field::{Field, Known};
use super::grammar::{equal, is_target, is_token, listed, split_once};
use super::head::{Rules, Scanner};
use super::{AcceptKey, HeadError, HeadLimits, Progress};
use crate::bytes::is_ascii;

/// Reads the head of a request into storage lent by the caller.
///
/// The storage must hold the method and the target, the header lines Host, Origin,
/// Sec-WebSocket-Protocol and Sec-WebSocket-Extensions, those named in [`Handshake::new`], and for
/// a moment each other line the handshake judges, or as much of a name as tells it from these;
/// 512 bytes serve a browser. All other lines pass by, however long, within the [`HeadLimits`].
///
/// Call [`feed`](Handshake::feed) until it is complete, then [`request`](Handshake::request) to
/// see what is asked for and [`check`](Handshake::check) for the key to answer with.
#[derive(Clone, Debug)]
pub struct Handshake<'n, B> {
    storage: B,
    scanner: Scanner,
    rules: ServerRules<'n>,
}

impl<'n, B: AsRef<[u8]> + AsMut<[u8]>> Handshake<'n, B> {
    /// Starts to read a request. `keep` names the header lines the application wants to read
    /// besides those the handshake keeps anyway, in any case.
    pub fn new(storage: B, keep: &'n [&'n str]) -> Self {
        Handshake {
            storage,
            scanner: Scanner::request(),
            rules: ServerRules {
                checks: Checks::new(),
                keep,
            },
        }
    }

    /// Sets the limits. Call it before the first byte is fed.
    #[must_use]
    pub fn limits(mut self, limits: HeadLimits) -> Self {
        self.scanner.set_limits(limits);
        self
    }

    /// Reads on; `input` is what follows the bytes consumed so far. May be called again after
    /// completion: it then consumes nothing.
    ///
    /// # Errors
    /// [`Refusal::Head`] for malformed HTTP or a limit, for good. A request that is sound HTTP
    /// but no handshake is not an error here, so that it can be answered as plain HTTP.
    pub fn feed(&mut self, input: &[u8]) -> Result<Progress, Refusal> {
        self.scanner
            .feed(self.storage.as_mut(), input, &mut self.rules)
            .map_err(Refusal::Head)
    }

    /// What is asked for, sound or not, once the head is complete.
    pub fn request(&self) -> Option<Request<'_>> {
        self.scanner.is_complete().then(|| {
            let kept = self.scanner.kept(self.storage.as_ref());
            Request::new(kept, self.rules.checks.is_upgrade())
        })
    }

    /// Applies every rule of RFC 6455 section 4.2.1; the key goes into a [`Response`].
    ///
    /// # Errors
    /// The gravest broken rule, for a [`Rejection`]. [`Refusal::Incomplete`] before the head is
    /// complete.
    pub fn check(&self) -> Result<AcceptKey, Refusal> {
        if let Some(error) = self.scanner.failure() {
            return Err(Refusal::Head(error));
        }
        if !self.scanner.is_complete() {
            return Err(Refusal::Incomplete);
        }
        let kept = self.scanner.kept(self.storage.as_ref());
        self.rules
            .checks
            .decide(|| listed(kept, Field::Protocol.name()))
    }

    /// Ends the handshake and gives the storage back.
    pub fn into_storage(self) -> B {
        self.storage
    }
}

/// What a server holds for each client that has not finished its head, apart from the storage.
const _: () = assert!(size_of::<Handshake<'static, ()>>() <= 96);

#[derive(Clone, Debug)]
struct ServerRules<'n> {
    checks: Checks,
    keep: &'n [&'n str],
}

impl Rules for ServerRules<'_> {
    fn wanted(&self) -> (&'static Known, &[&str]) {
        (&checks::JUDGED, self.keep)
    }

    /// RFC 9112 section 3: `method SP request-target SP HTTP-version`.
    fn start_line(&mut self, line: &[u8]) -> Result<usize, HeadError> {
        let (method, rest) = split_once(line, b' ').ok_or(HeadError::StartLine)?;
        let (target, version) = split_once(rest, b' ').ok_or(HeadError::StartLine)?;
        // RFC 9112 2.3: one digit, a dot, one digit.
        let [name @ .., major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9'] = version else {
            return Err(HeadError::StartLine);
        };
        let is_1_1 = (major, minor) == (&b'1', &b'1');
        if !equal(name, b"HTTP/") || !is_token(method) || !is_target(target) {
            return Err(HeadError::StartLine);
        }
        self.checks.request_line(method, is_1_1);
        self.checks.target(target);
        // Both are parts of the line.
        Ok(method.len().wrapping_add(1).wrapping_add(target.len()))
    }

    fn field(&mut self, field: Field, value: &[u8]) -> Result<bool, HeadError> {
        let is_kept = matches!(
            field,
            Field::Host | Field::Origin | Field::Protocol | Field::Extensions
        );
        // These are ASCII by their own grammar, and are handed out as text.
        if is_kept && !is_ascii(value) {
            return Err(HeadError::FieldValue);
        }
        self.checks.field(field, value);
        Ok(is_kept)
    }
}
