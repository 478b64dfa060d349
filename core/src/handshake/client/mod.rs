//! The client's side: writes a request, reads the response, checks it.

#[cfg(feature = "deflate")]
mod deflate;
mod error;
mod request;
mod response;

#[cfg(feature = "deflate")]
pub use deflate::DeflateError;
pub use error::Error;
pub use request::{Request, RequestError};
pub use response::Response;

use super::accept_key::key_of;
use super::field::{Field, Known, names};
use super::grammar::{list_has, same, token};
use super::head::{Rules, Scanner};
use super::{AcceptKey, HeadError, HeadLimits, Progress};

/// 16 bytes chosen at random for each connection (RFC 6455 section 4.1 item 7).
pub type Nonce = [u8; 16];

/// Reads the head of the response into storage lent by the caller.
///
/// The storage must hold the status line, the header lines Location, Retry-After,
/// WWW-Authenticate and Sec-WebSocket-Protocol, those named in [`Handshake::new`], and for a
/// moment each other line the handshake judges, or as much of a name as tells it from these. All
/// other lines pass by, however long, within the [`HeadLimits`].
///
/// Call [`feed`](Handshake::feed) until it is complete, then [`check`](Handshake::check). If that
/// fails, [`response`](Handshake::response) tells what the server said instead.
#[derive(Clone, Debug)]
pub struct Handshake<'n, B> {
    storage: B,
    scanner: Scanner,
    rules: ClientRules<'n>,
}

impl<'n, B: AsRef<[u8]> + AsMut<[u8]>> Handshake<'n, B> {
    /// Starts to read the response to a [`Request`] with this nonce and these subprotocols.
    /// `keep` names the header lines the application wants to read besides those the handshake
    /// keeps anyway, in any case.
    pub fn new(storage: B, nonce: Nonce, offered: &'n [&'n str], keep: &'n [&'n str]) -> Self {
        Handshake {
            storage,
            scanner: Scanner::response(),
            rules: ClientRules {
                nonce,
                offered,
                keep,
                #[cfg(feature = "deflate")]
                offers: &[],
                seen: Seen::default(),
            },
        }
    }

    /// Accepts an answer to these offers of permessage-deflate. Call it before the first byte is
    /// fed; without it, any extension is refused.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn deflate(mut self, offers: &'n [crate::deflate::Offer]) -> Self {
        self.rules.offers = offers;
        self
    }

    /// What was agreed to on permessage-deflate, once [`check`](Handshake::check) has passed.
    /// `None`: the server did not take it, and messages are not compressed.
    #[cfg(feature = "deflate")]
    pub fn agreement(&self) -> Option<crate::deflate::Agreement> {
        self.rules.seen.deflate
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
    /// [`Error::Head`] for malformed HTTP or a limit, for good. A response that is sound HTTP but
    /// does not accept is not an error here, so that it can be read.
    pub fn feed(&mut self, input: &[u8]) -> Result<Progress, Error> {
        let mut consumed: usize = 0;
        loop {
            let rest = input.get(consumed..).unwrap_or_default();
            let progress = self
                .scanner
                .feed(self.storage.as_mut(), rest, &mut self.rules)
                .map_err(Error::Head)?;
            consumed = consumed.saturating_add(progress.consumed);
            let complete = progress.complete;
            // RFC 9110 15.2: a client reads past 1xx responses; 101 is the answer asked for. The
            // limits hold for all the heads together.
            if !complete || matches!(self.rules.seen.status, 101 | 200..) {
                return Ok(Progress { consumed, complete });
            }
            self.scanner.restart();
            self.rules.seen = Seen::default();
        }
    }

    /// What the server said, accepting or not, once the head is complete.
    pub fn response(&self) -> Option<Response<'_>> {
        self.scanner.is_complete().then(|| {
            let kept = self.scanner.kept(self.storage.as_ref());
            Response::new(kept, self.rules.seen.status)
        })
    }

    /// Applies every rule of RFC 6455 section 4.1 for the server's response.
    ///
    /// # Errors
    /// The gravest broken rule; the connection is then to be closed. [`Error::Incomplete`] before
    /// the head is complete.
    pub fn check(&self) -> Result<(), Error> {
        if let Some(error) = self.scanner.failure() {
            return Err(Error::Head(error));
        }
        if !self.scanner.is_complete() {
            return Err(Error::Incomplete);
        }
        self.rules.seen.finish()
    }

    /// Ends the handshake and gives the storage back.
    pub fn into_storage(self) -> B {
        self.storage
    }
}

/// What a client holds until the head is complete, apart from the storage.
const _: () = assert!(
    size_of::<Handshake<'static, ()>>() <= if cfg!(feature = "deflate") { 136 } else { 112 }
);

#[derive(Clone, Debug)]
struct ClientRules<'n> {
    nonce: Nonce,
    offered: &'n [&'n str],
    keep: &'n [&'n str],
    #[cfg(feature = "deflate")]
    offers: &'n [crate::deflate::Offer],
    seen: Seen,
}

impl Rules for ClientRules<'_> {
    fn wanted(&self) -> (&'static Known, &[&str]) {
        static JUDGED: Known = {
            const FIELDS: [Field; 8] = [
                Field::Upgrade,
                Field::Location,
                Field::Connection,
                Field::RetryAfter,
                Field::WwwAuthenticate,
                Field::Accept,
                Field::Protocol,
                Field::Extensions,
            ];
            Known::new(&FIELDS, &names(&FIELDS))
        };
        (&JUDGED, self.keep)
    }

    /// RFC 9112 section 4: `HTTP-version SP status-code SP [reason-phrase]`.
    fn start_line(&mut self, line: &[u8]) -> Result<usize, HeadError> {
        let [
            b'H',
            b'T',
            b'T',
            b'P',
            b'/',
            major @ b'0'..=b'9',
            b'.',
            minor @ b'0'..=b'9',
            b' ',
            code @ ..,
        ] = line
        else {
            return Err(HeadError::StartLine);
        };
        let [
            hundreds @ b'1'..=b'9',
            tens @ b'0'..=b'9',
            ones @ b'0'..=b'9',
            b' ',
            ..,
        ] = code
        else {
            return Err(HeadError::StartLine);
        };
        self.seen.status = [hundreds, tens, ones]
            .iter()
            .fold(0, |status: u16, &&digit| {
                let digit = u16::from(digit.wrapping_sub(b'0'));
                status.wrapping_mul(10).wrapping_add(digit)
            });
        if self.seen.status != 101 {
            self.seen.note(Error::Status(self.seen.status));
        }
        if [major, minor] != [&b'1', &b'1'] {
            self.seen.note(Error::HttpVersion);
        }
        Ok(line.len())
    }

    fn field(&mut self, field: Field, value: &[u8]) -> Result<bool, HeadError> {
        match field {
            // ASCII by its own grammar, and handed out as text.
            Field::Protocol if !value.is_ascii() => return Err(HeadError::FieldValue),
            Field::Protocol => self.seen.protocol(value, self.offered),
            Field::Upgrade => self.seen.upgrade(value),
            Field::Connection => self.seen.connection(value),
            Field::Accept => self.seen.accept(value, &self.nonce),
            #[cfg(feature = "deflate")]
            Field::Extensions => {
                let judged = deflate::judge(value, self.offers, &mut self.seen.deflate);
                judged.unwrap_or_else(|error| self.seen.note(error));
            }
            // RFC 6455 4.1: an extension that was not asked for; none is.
            #[cfg(not(feature = "deflate"))]
            Field::Extensions => self.seen.note(Error::Extensions),
            _ => {}
        }
        Ok(is_kept(field))
    }
}

/// The lines every response keeps: the subprotocol, and what helps after a refusal.
fn is_kept(field: Field) -> bool {
    matches!(
        field,
        Field::Protocol | Field::Location | Field::RetryAfter | Field::WwwAuthenticate
    )
}

/// What the lines of one response said.
#[derive(Copy, Clone, Debug, Default)]
struct Seen {
    status: u16,
    /// The gravest fault so far: the least by the order of [`Error`].
    fault: Option<Error>,
    upgrade: bool,
    connection: bool,
    accept: bool,
    protocol: bool,
    #[cfg(feature = "deflate")]
    deflate: Option<crate::deflate::Agreement>,
}

impl Seen {
    fn upgrade(&mut self, value: &[u8]) {
        // RFC 6455 4.1: the value "websocket" and nothing else, in any case.
        self.once(|seen| &mut seen.upgrade, Error::Upgrade);
        if !same(value, b"websocket") {
            self.note(Error::Upgrade);
        }
    }

    fn connection(&mut self, value: &[u8]) {
        // RFC 6455 4.1: a list with the token "upgrade", in any case.
        match list_has(value, b"upgrade", token) {
            Some(found) => self.connection |= found,
            None => self.note(Error::Connection),
        }
    }

    fn accept(&mut self, value: &[u8], nonce: &Nonce) {
        // RFC 6455 11.3.3: not more than once.
        self.once(|seen| &mut seen.accept, Error::AcceptRepeated);
        // RFC 6455 4.1: the answer to this key.
        if value != AcceptKey::of(&key_of(nonce)).as_bytes() {
            self.note(Error::Accept);
        }
    }

    fn protocol(&mut self, value: &[u8], offered: &[&str]) {
        // RFC 6455 11.3.4: not more than once in a response.
        self.once(|seen| &mut seen.protocol, Error::ProtocolRepeated);
        // RFC 6455 4.1: one of those that were offered, to the letter.
        if !offered.iter().any(|one| one.as_bytes() == value) {
            self.note(Error::Protocol);
        }
    }

    fn finish(mut self) -> Result<(), Error> {
        for (seen, missing) in [
            (self.upgrade, Error::Upgrade),
            (self.connection, Error::Connection),
            (self.accept, Error::AcceptMissing),
        ] {
            if !seen {
                self.note(missing);
            }
        }
        self.fault.map_or(Ok(()), Err)
    }

    fn once(&mut self, seen: impl Fn(&mut Self) -> &mut bool, twice: Error) {
        if core::mem::replace(seen(self), true) {
            self.note(twice);
        }
    }

    fn note(&mut self, error: Error) {
        self.fault = Some(self.fault.map_or(error, |fault| fault.min(error)));
    }
}
