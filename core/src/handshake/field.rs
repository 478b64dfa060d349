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
    /// In the case that most write: what is equal as it is, is found sooner.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Field::Host => "Host",
            Field::Origin => "Origin",
            Field::Upgrade => "Upgrade",
            Field::Connection => "Connection",
            Field::ContentLength => "Content-Length",
            Field::TransferEncoding => "Transfer-Encoding",
            Field::Key => "Sec-WebSocket-Key",
            Field::Version => "Sec-WebSocket-Version",
            Field::Protocol => "Sec-WebSocket-Protocol",
            Field::Extensions => "Sec-WebSocket-Extensions",
            Field::Accept => "Sec-WebSocket-Accept",
            Field::Location => "Location",
            Field::RetryAfter => "Retry-After",
            Field::WwwAuthenticate => "WWW-Authenticate",
            Field::Other => "",
        }
    }
}

/// The headers that one side judges.
pub(super) struct Known {
    /// The shortest name first.
    fields: &'static [Field],
    names: &'static [&'static str],
    /// Where the first name stands that has so many bytes or more.
    by_length: [u8; 25],
}

impl Known {
    /// `fields` with the [`names`] of them, the shortest first.
    #[expect(
        clippy::as_conversions,
        clippy::indexing_slicing,
        reason = "checked when it is compiled"
    )]
    pub(super) const fn new(fields: &'static [Field], names: &'static [&'static str]) -> Self {
        let mut by_length = [0; 25];
        let (mut len, mut place) = (0, 0);
        while len < by_length.len() {
            while place < names.len() && names[place].len() < len {
                place += 1;
                assert!(place == names.len() || names[place - 1].len() <= names[place].len());
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
