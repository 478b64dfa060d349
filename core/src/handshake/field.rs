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

/// The headers that one side judges.
pub(super) struct Known {
    /// The shortest name first.
    fields: &'static [Field],
    names: &'static [&'static str],
    /// Where the first name stands that has so many bytes or more.
    by_length: [u8; 26],
}

impl Known {
    /// `fields` with the [`names`] of them, the shortest first.
    #[expect(
        clippy::as_conversions,
        clippy::indexing_slicing,
        reason = "checked when it is compiled"
    )]
    pub(super) const fn new(fields: &'static [Field], names: &'static [&'static str]) -> Self {
        let mut by_length = [0; 26];
        let (mut len, mut place) = (0, 0);
        while len < by_length.len() {
            while place < names.len() && names[place].len() < len {
                place += 1;
            }
            by_length[len] = place as u8;
            len += 1;
        }
        Known {
            fields,
            names,
            by_length,
        }
    }

    /// Names are compared without case (RFC 9110 section 5.1). Few have the same length, so one comparison is
    /// enough for most.
    pub(super) fn find(&self, name: &[u8]) -> Option<Field> {
        let mut place = usize::from(*self.by_length.get(name.len())?);
        loop {
            let known = self.names.get(place)?;
            if known.len() != name.len() {
                return None;
            }
            if same(known.as_bytes(), name) {
                return self.fields.get(place).copied();
            }
            place = place.wrapping_add(1);
        }
    }

    /// The names.
    pub(super) fn names(&self) -> &'static [&'static str] {
        self.names
    }
}

/// The name of each field.
#[expect(clippy::indexing_slicing, reason = "checked when it is compiled")]
pub(super) const fn names<const N: usize>(fields: &[Field; N]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut i = 0;
    while i < N {
        names[i] = fields[i].name();
        i += 1;
    }
    names
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
