//! The rules of RFC 6455 section 4.2.1, apart from the bytes.

use super::super::AcceptKey;
use super::super::field::Field;
use super::super::grammar::{
    elements, extension, is_host, is_list, list_has, protocol_name, repeats, split_once, token,
    trim,
};
use super::Refusal;
use super::request::authority;

/// The rules a request must keep, for a server that has parsed the head already.
///
/// Show it the request line and each header line, in any order, then call
/// [`finish`](Checks::finish). [`Handshake`](super::Handshake) does this itself.
///
/// ```
/// use wirelet::handshake::server::Checks;
///
/// let mut checks = Checks::new();
/// checks.request_line("GET", true);
/// checks.header(b"Host", b"example.com");
/// checks.header(b"Upgrade", b"websocket");
/// checks.header(b"Connection", b"keep-alive, Upgrade");
/// checks.header(b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ==");
/// checks.header(b"Sec-WebSocket-Version", b"13");
/// assert_eq!(checks.finish()?.as_str(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// # Ok::<(), wirelet::handshake::server::Refusal>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Checks {
    /// The gravest fault so far: the least by the order of [`Refusal`].
    fault: Option<Refusal>,
    /// What was there, as bits.
    seen: u8,
    key: Option<[u8; 24]>,
    protocol_lines: u8,
    protocols: u8,
}

const REQUEST_LINE: u8 = 1;
const HOST: u8 = 2;
const UPGRADE: u8 = 4;
const CONNECTION: u8 = 8;
const VERSION: u8 = 16;
const KEY: u8 = 32;
const ORIGIN: u8 = 64;

/// RFC 6455 section 4.2.1: what must be there, in the order of gravity.
const NEEDED: [(u8, Refusal); 6] = [
    (REQUEST_LINE, Refusal::Incomplete),
    (HOST, Refusal::HostMissing),
    (UPGRADE, Refusal::NoUpgrade),
    (CONNECTION, Refusal::Connection),
    (VERSION, Refusal::VersionMissing),
    (KEY, Refusal::KeyMissing),
];

/// The most subprotocols a request may offer. They are compared each with each.
pub const MAX_PROTOCOLS: u8 = 32;

impl Checks {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Checks::default()
    }

    /// Shows the request line, apart from the target.
    pub fn request_line(&mut self, method: impl AsRef<[u8]>, version_is_1_1: bool) {
        self.seen |= REQUEST_LINE;
        // RFC 6455 4.2.1 item 1: an HTTP/1.1 or higher GET request; the mechanism is that of 1.1.
        if !version_is_1_1 {
            self.note(Refusal::HttpVersion);
        }
        if method.as_ref() != b"GET" {
            self.note(Refusal::Method);
        }
    }

    /// Shows the request target as it was sent. A server that has parsed it may leave this out.
    pub fn target(&mut self, target: impl AsRef<[u8]>) {
        let target = target.as_ref();
        // RFC 6455 3: a fragment must not be used; '#' in a path or query is sent as %23.
        if split_once(target, b'#').is_some() {
            self.note(Refusal::Fragment);
        }
        // RFC 6455 4.2.1 item 1: a path, or an absolute http or https URI.
        let sound = target.starts_with(b"/") || authority(target).is_some_and(is_host);
        if !sound {
            self.note(Refusal::Target);
        }
    }

    /// Shows a header line. Those that do not matter to the handshake are passed over.
    ///
    /// Each line is judged by itself, so a subprotocol that is offered again in another line is
    /// not found here, except by [`Handshake`](super::Handshake).
    pub fn header(&mut self, name: &[u8], value: &[u8]) {
        self.field(Field::of(name), trim(value));
    }

    /// Decides.
    ///
    /// # Errors
    /// The gravest broken rule; [`Refusal`] lists them in that order.
    pub fn finish(self) -> Result<AcceptKey, Refusal> {
        self.decide(|| false)
    }

    /// Decides; asks if a subprotocol repeats across lines only if there are several.
    pub(super) fn decide(&self, repeat: impl FnOnce() -> bool) -> Result<AcceptKey, Refusal> {
        let missing = NEEDED.iter().find(|(bit, _)| self.seen & bit == 0);
        let missing = match missing {
            Some((_, refusal)) => Some(*refusal),
            None if self.protocol_lines > 1 && self.protocols <= MAX_PROTOCOLS && repeat() => {
                Some(Refusal::ProtocolRepeated)
            }
            None => None,
        };
        match (graver(self.fault, missing), &self.key) {
            (None, Some(key)) => Ok(AcceptKey::of(key)),
            (fault, _) => Err(fault.unwrap_or(Refusal::Key)),
        }
    }

    /// Whether the request asks for "websocket" at all.
    pub fn is_upgrade(&self) -> bool {
        self.seen & UPGRADE != 0
    }

    /// Judges a line whose value has no white space around it.
    pub(super) fn field(&mut self, field: Field, value: &[u8]) {
        match field {
            Field::Host => self.host(value),
            Field::Upgrade => self.upgrade(value),
            Field::Connection => self.connection(value),
            Field::Key => self.key(value),
            Field::Version => self.version(value),
            Field::Protocol => self.protocol(value),
            // RFC 6455 9.1: a header that does not follow the grammar fails the handshake.
            Field::Extensions if !is_list(value, extension) => self.note(Refusal::Extensions),
            // RFC 6454 7.3: a user agent sends at most one Origin.
            Field::Origin => self.once(ORIGIN, Refusal::OriginRepeated),
            // A body would be read as the first frames.
            Field::TransferEncoding => self.note(Refusal::Content),
            // RFC 9110 8.6: digits; zero is no body.
            Field::ContentLength if value.is_empty() || value.iter().any(|&byte| byte != b'0') => {
                self.note(Refusal::Content);
            }
            _ => {}
        }
    }

    fn host(&mut self, value: &[u8]) {
        // RFC 9112 3.2: 400 for a request without Host, with two, or with an invalid one.
        self.once(HOST, Refusal::HostRepeated);
        if !is_host(value) {
            self.note(Refusal::Host);
        }
    }

    fn upgrade(&mut self, value: &[u8]) {
        // RFC 6455 4.2.1 item 3: the value "websocket", in any case. RFC 9110 7.8: a list.
        match list_has(value, b"websocket", protocol_name) {
            Some(true) => self.seen |= UPGRADE,
            Some(false) => {}
            None => self.note(Refusal::Upgrade),
        }
    }

    fn connection(&mut self, value: &[u8]) {
        // RFC 6455 4.2.1 item 4: a list with the token "upgrade", in any case.
        match list_has(value, b"upgrade", token) {
            Some(true) => self.seen |= CONNECTION,
            Some(false) => {}
            None => self.note(Refusal::Connection),
        }
    }

    fn key(&mut self, value: &[u8]) {
        // RFC 6455 11.3.1: not more than once.
        self.once(KEY, Refusal::KeyRepeated);
        // RFC 6455 4.2.1 item 5: Base64 that decodes to 16 bytes.
        match <&[u8; 24]>::try_from(value) {
            Ok(key) if is_key(key) => self.key = Some(*key),
            _ => self.note(Refusal::Key),
        }
    }

    fn version(&mut self, value: &[u8]) {
        // RFC 6455 11.3.5: not more than once.
        self.once(VERSION, Refusal::VersionRepeated);
        // RFC 6455 4.2.1 item 6: 13.
        if value != b"13" {
            self.note(Refusal::Version);
        }
    }

    fn protocol(&mut self, value: &[u8]) {
        self.protocol_lines = self.protocol_lines.saturating_add(1);
        for _ in elements(value) {
            self.protocols = self.protocols.saturating_add(1);
        }
        // RFC 6455 4.1 item 10: tokens, at least one, none twice.
        if !is_list(value, token) {
            self.note(Refusal::Protocol);
        }
        if self.protocols > MAX_PROTOCOLS {
            self.note(Refusal::TooManyProtocols);
        } else if repeats(elements(value)) {
            self.note(Refusal::ProtocolRepeated);
        }
    }

    #[inline(never)]
    fn once(&mut self, bit: u8, twice: Refusal) {
        if self.seen & bit != 0 {
            self.note(twice);
        }
        self.seen |= bit;
    }

    #[inline(never)]
    fn note(&mut self, refusal: Refusal) {
        self.fault = graver(self.fault, Some(refusal));
    }
}

/// The lesser of two is the graver one.
fn graver(one: Option<Refusal>, other: Option<Refusal>) -> Option<Refusal> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Base64 of 16 bytes: 22 characters, of which the last carries two bits, and the padding
/// (RFC 4648 section 4; section 3.5: the four bits left over are zero).
fn is_key(key: &[u8; 24]) -> bool {
    let [digits @ .., b'A' | b'Q' | b'g' | b'w', b'=', b'='] = key else {
        return false;
    };
    digits
        .iter()
        .all(|&byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}
