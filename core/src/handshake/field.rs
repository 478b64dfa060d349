//! The header names the handshake knows.

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
    /// Names are compared without case (RFC 9110 section 5.1).
    pub(super) fn of(name: &[u8]) -> Self {
        let is = |(_, one): &&(Field, &str)| one.as_bytes().eq_ignore_ascii_case(name);
        NAMES
            .iter()
            .find(is)
            .map_or(Field::Other, |(field, _)| *field)
    }

    /// All of them but `Other`.
    pub(super) fn all() -> impl Iterator<Item = (Field, &'static str)> {
        NAMES.iter().copied()
    }
}

const NAMES: &[(Field, &str)] = &[
    (Field::Host, "host"),
    (Field::Origin, "origin"),
    (Field::Upgrade, "upgrade"),
    (Field::Connection, "connection"),
    (Field::ContentLength, "content-length"),
    (Field::TransferEncoding, "transfer-encoding"),
    (Field::Key, "sec-websocket-key"),
    (Field::Version, "sec-websocket-version"),
    (Field::Protocol, PROTOCOL),
    (Field::Extensions, EXTENSIONS),
    (Field::Accept, "sec-websocket-accept"),
    (Field::Location, "location"),
    (Field::RetryAfter, "retry-after"),
    (Field::WwwAuthenticate, "www-authenticate"),
];
pub(super) const PROTOCOL: &str = "sec-websocket-protocol";
pub(super) const EXTENSIONS: &str = "sec-websocket-extensions";
