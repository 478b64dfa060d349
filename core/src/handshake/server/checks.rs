//! The rules of RFC 6455 section 4.2.1, apart from the bytes.

use super::super::AcceptKey;
use super::super::field::{Field, Known, names};
use super::super::grammar::{
    Element, Listed, elements, equal, extension, is_base64, is_host, list_has, protocol_name,
    split_once, token, trim,
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
#[derive(Clone, Debug)]
pub struct Checks {
    /// Each [`Fault`] so far as a bit, and each thing that is missing as long as it is.
    faults: u32,
    key: Key,
    has_origin: bool,
    offers: bool,
    /// Subprotocols that were offered, as far as [`header`](Self::header) saw them.
    protocols: u8,
}

/// The value of Sec-WebSocket-Key. Aligned, as a copy that is not takes a Cortex-M 100 instructions.
#[derive(Clone, Debug)]
#[repr(align(4))]
struct Key([u8; 24]);

/// The headers that matter.
pub(super) static JUDGED: Known = {
    const FIELDS: [Field; 10] = [
        Field::Host,
        Field::Origin,
        Field::Upgrade,
        Field::Connection,
        Field::ContentLength,
        Field::TransferEncoding,
        Field::Key,
        Field::Version,
        Field::Protocol,
        Field::Extensions,
    ];
    Known::new(&FIELDS, &names(&FIELDS))
};

/// What may be wrong, in the order of gravity: that of [`Refusal`].
#[derive(Copy, Clone)]
enum Fault {
    Incomplete,
    HttpVersion,
    Method,
    Target,
    Fragment,
    HostMissing,
    HostRepeated,
    Host,
    Content,
    Upgrade,
    NoUpgrade,
    Connection,
    NoConnection,
    VersionMissing,
    VersionRepeated,
    Version,
    KeyMissing,
    KeyRepeated,
    Key,
    OriginRepeated,
    Protocol,
    TooManyProtocols,
    ProtocolRepeated,
    Extensions,
}

/// What each [`Fault`] is called outside.
const REFUSALS: [Refusal; 24] = [
    Refusal::Incomplete,
    Refusal::HttpVersion,
    Refusal::Method,
    Refusal::Target,
    Refusal::Fragment,
    Refusal::HostMissing,
    Refusal::HostRepeated,
    Refusal::Host,
    Refusal::Content,
    Refusal::Upgrade,
    Refusal::NoUpgrade,
    Refusal::Connection,
    Refusal::Connection,
    Refusal::VersionMissing,
    Refusal::VersionRepeated,
    Refusal::Version,
    Refusal::KeyMissing,
    Refusal::KeyRepeated,
    Refusal::Key,
    Refusal::OriginRepeated,
    Refusal::Protocol,
    Refusal::TooManyProtocols,
    Refusal::ProtocolRepeated,
    Refusal::Extensions,
];

impl Fault {
    #[expect(clippy::as_conversions, reason = "a bit for each variant")]
    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// The most subprotocols a request may offer. They are compared each with each.
pub const MAX_PROTOCOLS: u8 = 32;

impl Checks {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Checks {
            // RFC 6455 section 4.2.1: what must be there.
            faults: Fault::Incomplete.bit()
                | Fault::HostMissing.bit()
                | Fault::NoUpgrade.bit()
                | Fault::NoConnection.bit()
                | Fault::VersionMissing.bit()
                | Fault::KeyMissing.bit(),
            key: Key(*b"......................=="),
            has_origin: false,
            offers: false,
            protocols: 0,
        }
    }

    /// Shows the request line, apart from the target.
    pub fn request_line(&mut self, method: impl AsRef<[u8]>, version_is_1_1: bool) {
        self.found(Fault::Incomplete);
        // RFC 6455 4.2.1 item 1: an HTTP/1.1 or higher GET request; the mechanism is that of 1.1.
        if !version_is_1_1 {
            self.note(Fault::HttpVersion);
        }
        if method.as_ref() != b"GET" {
            self.note(Fault::Method);
        }
    }

    /// Shows the request target as it was sent. A server that has parsed it may leave this out.
    pub fn target(&mut self, target: impl AsRef<[u8]>) {
        let target = target.as_ref();
        // RFC 6455 3: a fragment must not be used; '#' in a path or query is sent as %23.
        if split_once(target, b'#').is_some() {
            self.note(Fault::Fragment);
        }
        // RFC 6455 4.2.1 item 1: a path, or an absolute http or https URI.
        let sound = target.starts_with(b"/") || authority(target).is_some_and(is_host);
        if !sound {
            self.note(Fault::Target);
        }
    }

    /// Shows a header line. Those that do not matter to the handshake are passed over.
    ///
    /// Each line is judged by itself, so a subprotocol that is offered again in another line is
    /// not found here, except by [`Handshake`](super::Handshake).
    pub fn header(&mut self, name: &[u8], value: &[u8]) {
        let (field, value) = (JUDGED.find(name).unwrap_or(Field::Other), trim(value));
        self.field(field, value);
        if field == Field::Protocol {
            self.faults |= judge_offers(elements(value), &mut self.protocols);
        }
    }

    /// Decides.
    ///
    /// # Errors
    /// The gravest broken rule; [`Refusal`] lists them in that order.
    pub fn finish(self) -> Result<AcceptKey, Refusal> {
        self.told(self.faults)
    }

    /// Decides for a head whose lines with subprotocols were kept. They are not compared before: one look at all
    /// of them serves, and is less flash than one at each.
    pub(super) fn decide<'a>(
        &self,
        protocols: impl FnOnce() -> Listed<'a>,
    ) -> Result<AcceptKey, Refusal> {
        let offers = if self.offers {
            judge_offers(protocols(), &mut 0)
        } else {
            0
        };
        self.told(self.faults | offers)
    }

    #[inline]
    fn told(&self, faults: u32) -> Result<AcceptKey, Refusal> {
        let gravest = usize::try_from(faults.trailing_zeros()).unwrap_or_default();
        match REFUSALS.get(gravest) {
            Some(refusal) => Err(*refusal),
            None => Ok(AcceptKey::of(&self.key.0)),
        }
    }

    /// Whether the request asks for "websocket" at all.
    pub fn is_upgrade(&self) -> bool {
        self.faults & Fault::NoUpgrade.bit() == 0
    }

    /// Judges a line whose value has no white space around it, but for repeated subprotocols.
    pub(super) fn field(&mut self, field: Field, value: &[u8]) {
        let (wanted, element, missing, fault): (&[u8], Element, u32, Fault) = match field {
            // RFC 6455 4.2.1 item 3: the value "websocket", in any case. RFC 9110 7.8: a list.
            Field::Upgrade => (
                b"websocket",
                protocol_name,
                Fault::NoUpgrade.bit(),
                Fault::Upgrade,
            ),
            // RFC 6455 4.2.1 item 4: a list with the token "upgrade", in any case.
            Field::Connection => (
                b"upgrade",
                token,
                Fault::NoConnection.bit(),
                Fault::Connection,
            ),
            // RFC 6455 4.1 item 10: tokens, at least one.
            Field::Protocol => {
                self.offers = true;
                (b"", token, 0, Fault::Protocol)
            }
            // RFC 6455 9.1: a header that does not follow the grammar fails the handshake.
            Field::Extensions => (b"", extension, 0, Fault::Extensions),
            _ => return self.no_list(field, value),
        };
        match list_has(value, wanted, element) {
            Some(true) => self.faults &= !missing,
            Some(false) => {}
            None => self.note(fault),
        }
    }

    #[inline]
    fn no_list(&mut self, field: Field, value: &[u8]) {
        match field {
            Field::Host => self.host(value),
            Field::Key => self.key(value),
            Field::Version => self.version(value),
            // RFC 6454 7.3: a user agent sends at most one Origin.
            Field::Origin if self.has_origin => self.note(Fault::OriginRepeated),
            Field::Origin => self.has_origin = true,
            // A body would be read as the first frames.
            Field::TransferEncoding => self.note(Fault::Content),
            // RFC 9110 8.6: digits; zero is no body.
            Field::ContentLength if value.is_empty() || value.iter().any(|&byte| byte != b'0') => {
                self.note(Fault::Content);
            }
            _ => {}
        }
    }

    fn host(&mut self, value: &[u8]) {
        // RFC 9112 3.2: 400 for a request without Host, with two, or with an invalid one.
        self.once(Fault::HostMissing, Fault::HostRepeated);
        if !is_host(value) {
            self.note(Fault::Host);
        }
    }

    fn key(&mut self, value: &[u8]) {
        // RFC 6455 11.3.1: not more than once.
        self.once(Fault::KeyMissing, Fault::KeyRepeated);
        // RFC 6455 4.2.1 item 5: Base64 that decodes to 16 bytes. That is 22 characters, of which the last carries
        // two bits, and the padding (RFC 4648 section 4; section 3.5: the four bits left over are zero).
        let is_key = match <&[u8; 24]>::try_from(value) {
            Ok([digits @ .., last @ (b'A' | b'Q' | b'g' | b'w'), b'=', b'=']) => {
                let [copy @ .., copy_of_last, _, _] = &mut self.key.0;
                *copy_of_last = *last;
                // Copied while they are looked at, which is cheaper than a call.
                copy.iter_mut().zip(digits).all(|(copy, byte)| {
                    *copy = *byte;
                    is_base64(*byte)
                })
            }
            _ => false,
        };
        if !is_key {
            self.note(Fault::Key);
        }
    }

    fn version(&mut self, value: &[u8]) {
        // RFC 6455 11.3.5: not more than once.
        self.once(Fault::VersionMissing, Fault::VersionRepeated);
        // RFC 6455 4.2.1 item 6: 13.
        if value != b"13" {
            self.note(Fault::Version);
        }
    }

    fn once(&mut self, missing: Fault, repeated: Fault) {
        if self.faults & missing.bit() == 0 {
            self.note(repeated);
        }
        self.found(missing);
    }

    const fn found(&mut self, missing: Fault) {
        self.faults &= !missing.bit();
    }

    const fn note(&mut self, fault: Fault) {
        self.faults |= fault.bit();
    }
}

impl Default for Checks {
    fn default() -> Self {
        Checks::new()
    }
}

/// What is wrong with subprotocols, as bits; `before` of them were offered in other lines, and are counted on.
#[inline(never)]
fn judge_offers(protocols: Listed<'_>, before: &mut u8) -> u32 {
    let mut faults = 0;
    let mut rest = protocols;
    while let Some(one) = rest.next() {
        if *before == MAX_PROTOCOLS {
            return Fault::TooManyProtocols.bit();
        }
        *before = before.wrapping_add(1);
        // RFC 6455 4.1 item 10: none twice.
        if rest.clone().any(|other| equal(other, one)) {
            faults = Fault::ProtocolRepeated.bit();
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_faults_have_the_order_of_the_refusals() {
        assert!(super::REFUSALS.is_sorted());
        let (Some(last), len) = (super::REFUSALS.last(), super::REFUSALS.len()) else {
            return;
        };
        assert_eq!(*last, super::Refusal::Extensions);
        assert_eq!(super::Fault::Extensions.bit(), 1 << (len - 1));
    }
}
