//! Why a response does not open the connection.

use super::super::HeadError;
#[cfg(feature = "deflate")]
use super::DeflateError;
use core::fmt;

/// Why the server's response does not open the connection.
///
/// The order is that of gravity: when several rules are broken, the first in this list is told.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Error {
    /// The head cannot be read.
    Head(HeadError),
    /// The head is not complete.
    Incomplete,
    /// The server answered with this status instead of 101 (RFC 6455 section 4.1, rule 1 for
    /// the response). [`Response`](super::Response) has its reasons.
    Status(u16),
    /// The version is HTTP, but not 1.1 (RFC 6455 section 4.2.2 step 5.1).
    HttpVersion,
    /// Upgrade is not exactly one "websocket" (RFC 6455 section 4.1, rule 2).
    Upgrade,
    /// Connection is not a token list with "upgrade" in it (RFC 6455 section 4.1, rule 3).
    Connection,
    /// No Sec-WebSocket-Accept (RFC 6455 section 4.1, rule 4).
    AcceptMissing,
    /// More than one Sec-WebSocket-Accept (RFC 6455 section 11.3.3).
    AcceptRepeated,
    /// Sec-WebSocket-Accept does not answer this key (RFC 6455 section 4.1, rule 4).
    Accept,
    /// An extension that was not offered (RFC 6455 section 4.1, rule 5).
    Extensions,
    /// An answer to permessage-deflate that must be refused (RFC 7692 section 7.1).
    #[cfg(feature = "deflate")]
    Deflate(DeflateError),
    /// More than one Sec-WebSocket-Protocol (RFC 6455 section 11.3.4).
    ProtocolRepeated,
    /// A subprotocol that was not offered (RFC 6455 section 4.1, rule 6).
    Protocol,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error::Head(error) => return error.fmt(f),
            Error::Status(status) => {
                return write!(f, "the server answered with status {status}, not with 101");
            }
            Error::Incomplete => "the response is not complete; read on, or give up",
            Error::HttpVersion => "the server's HTTP version is not 1.1",
            Error::Upgrade => "the server did not switch to websocket; is this its address?",
            Error::Connection => "Connection does not list upgrade; a proxy may have dropped it",
            Error::AcceptMissing => "the server sent no Sec-WebSocket-Accept header",
            Error::AcceptRepeated => "the server sent more than one Sec-WebSocket-Accept header",
            Error::Accept => "Sec-WebSocket-Accept does not answer this request's key",
            Error::Extensions => "the server selected an extension that was not offered",
            #[cfg(feature = "deflate")]
            Error::Deflate(error) => return error.fmt(f),
            Error::ProtocolRepeated => "the server selected a subprotocol more than once",
            Error::Protocol => "the server selected a subprotocol that was not offered",
        })
    }
}

impl core::error::Error for Error {}
