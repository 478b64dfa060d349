//! Why a request is not accepted.

use super::super::HeadError;
use core::fmt;

/// Why a request is refused; turn it into a [`Rejection`](super::Rejection).
///
/// The order is that of gravity: when several rules are broken, the first in this list is told.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Refusal {
    /// The head cannot be read.
    Head(HeadError),
    /// The head is not complete; 408 if the server waits no longer (RFC 9110 section 15.5.9).
    Incomplete,
    /// The version is HTTP, but not 1.1 (RFC 6455 section 4.2.1 item 1).
    HttpVersion,
    /// The method is not GET (RFC 6455 section 4.2.1 item 1).
    Method,
    /// The target is neither a path nor an http or https URI (RFC 6455 section 4.2.1 item 1).
    Target,
    /// The target has a fragment (RFC 6455 section 3).
    Fragment,
    /// No Host (RFC 9112 section 3.2).
    HostMissing,
    /// More than one Host (RFC 9112 section 3.2).
    HostRepeated,
    /// Host is not a host with perhaps a port (RFC 9112 section 3.2).
    Host,
    /// The request declares a body, which would be read as frames (RFC 9112 section 6.3).
    Content,
    /// Upgrade is not a list of protocols (RFC 9110 section 7.8).
    Upgrade,
    /// No Upgrade to "websocket" (RFC 6455 section 4.2.1 item 3).
    ///
    /// The status is 426: the resource is there, and is served over another protocol (RFC 9110
    /// section 15.5.22). A server with plain pages asks
    /// [`Request::is_upgrade`](super::Request::is_upgrade) first.
    NoUpgrade,
    /// Connection is not a token list with "upgrade" in it (RFC 6455 section 4.2.1 item 4).
    Connection,
    /// No Sec-WebSocket-Version (RFC 6455 section 4.2.1 item 6).
    VersionMissing,
    /// More than one Sec-WebSocket-Version (RFC 6455 section 11.3.5).
    VersionRepeated,
    /// Sec-WebSocket-Version is not 13 (RFC 6455 section 4.4).
    Version,
    /// No Sec-WebSocket-Key (RFC 6455 section 4.2.1 item 5).
    KeyMissing,
    /// More than one Sec-WebSocket-Key (RFC 6455 section 11.3.1).
    KeyRepeated,
    /// Sec-WebSocket-Key is not Base64 of 16 bytes (RFC 6455 section 4.2.1 item 5).
    Key,
    /// More than one Origin (RFC 6454 section 7.3).
    OriginRepeated,
    /// Sec-WebSocket-Protocol is not a list of tokens (RFC 6455 section 4.1 item 10).
    Protocol,
    /// More than [`MAX_PROTOCOLS`](super::MAX_PROTOCOLS) subprotocols.
    TooManyProtocols,
    /// A subprotocol is offered twice (RFC 6455 section 4.1 item 10).
    ProtocolRepeated,
    /// Sec-WebSocket-Extensions does not follow the grammar (RFC 6455 section 9.1).
    Extensions,
}

impl Refusal {
    /// The HTTP status that says this.
    pub const fn status(self) -> u16 {
        match self {
            // RFC 9110 15.5.15: the target is longer than the server is willing to interpret.
            Refusal::Head(HeadError::StartLineDoesNotFit) => 414,
            // RFC 6585 5: a single header, or all of them, are too large.
            Refusal::Head(HeadError::DoesNotFit | HeadError::TooLong | HeadError::TooManyLines) => {
                431
            }
            Refusal::Incomplete => 408,
            Refusal::HttpVersion => 505,
            Refusal::Method => 405,
            // RFC 6455 4.4: a version that is not understood is answered with 426.
            Refusal::NoUpgrade | Refusal::VersionMissing | Refusal::Version => 426,
            _ => 400,
        }
    }

    /// What was wrong and what to do, in one line without a full stop.
    pub const fn message(self) -> &'static str {
        match self {
            Refusal::Head(error) => error.message(),
            Refusal::Incomplete => "the request did not arrive in time; send it whole",
            Refusal::HttpVersion => "the HTTP version is not 1.1; send HTTP/1.1",
            Refusal::Method => "the method is not GET; a WebSocket is opened with GET",
            Refusal::Target => "the target is no path; send one that starts with a slash",
            Refusal::Fragment => "the target has a fragment; leave it out or send # as %23",
            Refusal::HostMissing => "no Host header; send one",
            Refusal::HostRepeated => "more than one Host header; send one",
            Refusal::Host => "Host is malformed; send a host and perhaps a port",
            Refusal::Content => "the request declares a body; send none",
            Refusal::Upgrade => "Upgrade is malformed; send Upgrade: websocket",
            Refusal::NoUpgrade => "this is a WebSocket; send Upgrade: websocket",
            Refusal::Connection => {
                "Connection does not list upgrade; send Connection: Upgrade (a proxy may drop it)"
            }
            Refusal::VersionMissing => "no Sec-WebSocket-Version header; send 13",
            Refusal::VersionRepeated => "more than one Sec-WebSocket-Version header; send one",
            Refusal::Version => "the WebSocket version is not supported; send 13",
            Refusal::KeyMissing => "no Sec-WebSocket-Key header; send Base64 of 16 random bytes",
            Refusal::KeyRepeated => "more than one Sec-WebSocket-Key header; send one",
            Refusal::Key => "Sec-WebSocket-Key is not Base64 of 16 bytes",
            Refusal::OriginRepeated => "more than one Origin header; send one",
            Refusal::Protocol => "Sec-WebSocket-Protocol is not a list of tokens",
            Refusal::TooManyProtocols => "too many subprotocols; offer at most 32",
            Refusal::ProtocolRepeated => "a subprotocol is offered twice; offer it once",
            Refusal::Extensions => "Sec-WebSocket-Extensions is malformed",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl core::error::Error for Refusal {}
