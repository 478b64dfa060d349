//! The header names the handshake knows.

use super::grammar::same;

/// A header the handshake knows, found once for each line.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Host,
    Origin,
    Upgrade,
    Connection,
    ContentLength,
    TransferEncoding,
    Key,
    Version,
    Protocol,
    Extensions,
    Accept,
    Location,
    RetryAfter,
    WwwAuthenticate,
    Other,
}

impl Field {
    /// Names are compared without case (RFC 9110 section 5.1). All but two have a length of
    /// their own, so one comparison is enough.
    pub(super) fn of(name: &[u8]) -> Self {
        let field = match (name, BY_LENGTH.get(name.len())) {
            ([b't' | b'T', ..], Some(Field::Key)) => Field::TransferEncoding,
            (_, Some(field)) => *field,
            _ => Field::Other,
        };
        if field != Field::Other && !same(field.name().as_bytes(), name) {
            return Field::Other;
        }
        field
    }

    #[expect(
        clippy::as_conversions,
        clippy::indexing_slicing,
        reason = "a name for each variant"
    )]
    pub(super) const fn name(self) -> &'static str {
        NAMES[self as usize]
    }

    #[expect(clippy::as_conversions, reason = "a bit for each variant")]
    const fn bit(self) -> u16 {
        1 << self as u16
    }

    pub(super) const ALL: [Field; 14] = [
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
        Field::Accept,
        Field::Location,
        Field::RetryAfter,
        Field::WwwAuthenticate,
    ];
}

/// A set of them: a bit for each.
#[derive(Copy, Clone)]
pub(super) struct Fields(u16);

impl Fields {
    pub(super) const fn of(fields: &[Field]) -> Self {
        let mut set = 0;
        let mut rest = fields;
        while let [field, more @ ..] = rest {
            set |= field.bit();
            rest = more;
        }
        Fields(set)
    }

    pub(super) const fn has(self, field: Field) -> bool {
        self.0 & field.bit() != 0
    }
}

/// In the order of [`Field`], and in the case that most write: what is equal as it is, is found sooner.
const NAMES: [&str; 15] = [
    "Host",
    "Origin",
    "Upgrade",
    "Connection",
    "Content-Length",
    "Transfer-Encoding",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Version",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Extensions",
    "Sec-WebSocket-Accept",
    "Location",
    "Retry-After",
    "WWW-Authenticate",
    "",
];

/// The one header whose name has so many bytes. Transfer-Encoding is the only other one, with 17.
#[expect(clippy::indexing_slicing, reason = "checked when it is compiled")]
const BY_LENGTH: [Field; 25] = {
    let mut fields = [Field::Other; 25];
    let mut i = 0;
    while i < Field::ALL.len() {
        let field = Field::ALL[i];
        if !matches!(field, Field::TransferEncoding) {
            fields[field.name().len()] = field;
        }
        i += 1;
    }
    fields
};
