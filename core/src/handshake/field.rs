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
        let field = match name {
            [b't' | b'T', ..] if name.len() == 17 => Field::TransferEncoding,
            _ => match name.len() {
                4 => Field::Host,
                6 => Field::Origin,
                7 => Field::Upgrade,
                8 => Field::Location,
                10 => Field::Connection,
                11 => Field::RetryAfter,
                14 => Field::ContentLength,
                16 => Field::WwwAuthenticate,
                17 => Field::Key,
                20 => Field::Accept,
                21 => Field::Version,
                22 => Field::Protocol,
                24 => Field::Extensions,
                _ => return Field::Other,
            },
        };
        if same(field.name().as_bytes(), name) {
            field
        } else {
            Field::Other
        }
    }

    // One copy: each has tables of its own.
    #[inline(never)]
    pub(super) const fn name(self) -> &'static str {
        match self {
            Field::Host => "host",
            Field::Origin => "origin",
            Field::Upgrade => "upgrade",
            Field::Connection => "connection",
            Field::ContentLength => "content-length",
            Field::TransferEncoding => "transfer-encoding",
            Field::Key => "sec-websocket-key",
            Field::Version => "sec-websocket-version",
            Field::Protocol => "sec-websocket-protocol",
            Field::Extensions => "sec-websocket-extensions",
            Field::Accept => "sec-websocket-accept",
            Field::Location => "location",
            Field::RetryAfter => "retry-after",
            Field::WwwAuthenticate => "www-authenticate",
            Field::Other => "",
        }
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
