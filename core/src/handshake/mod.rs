//! The opening handshake: bytes in, a decision, bytes out (RFC 6455 section 4).
//!
//! ```text
//!   socket --read--> feed(&[u8]) --> complete --> request() --> check() --> Response --write--> socket
//!                      |                            |             |            or Rejection
//!                      lines the handshake          what the      every rule
//!                      does not need pass by        peer wants    of the RFC
//! ```
//!
//! [`server::Handshake`] reads a request, [`client::Handshake`] reads a response. Both are push
//! parsers: the bytes may come one at a time or all at once, no byte is looked at twice, and the
//! bytes behind the head are left to the connection. The storage is lent by the caller and may be
//! much smaller than the head, for only the lines that are needed are kept in it.
//!
//! ```
//! use wirelet::handshake::server::{Handshake, Rejection, Response};
//!
//! let input = b"GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\n\
//!     Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
//!     Sec-WebSocket-Version: 13\r\n\r\n";
//! let mut out = [0; 256];
//!
//! let mut handshake = Handshake::new([0; 512], &["cookie"]);
//! let written = match handshake.feed(input).and_then(|_| handshake.check()) {
//!     Ok(key) => Response::new(key).encode(&mut out),
//!     Err(refusal) => Rejection::from(refusal).encode(&mut out),
//! };
//! assert!(out[..written?].starts_with(b"HTTP/1.1 101 Switching Protocols\r\n"));
//! # Ok::<(), wirelet::handshake::server::ResponseError>(())
//! ```

mod accept_key;
pub mod client;
#[cfg(feature = "deflate")]
pub(crate) mod extension;
mod field;
mod grammar;
mod head;
mod head_error;
pub mod server;
mod writer;

pub use accept_key::AcceptKey;
pub use head_error::HeadError;
pub use writer::HeaderError;

/// How much of a head is read before it is refused.
///
/// These limits bound the work a peer can cause; the memory is bounded by the storage.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct HeadLimits {
    /// The whole head in bytes, line ends included. 16 KiB unless told otherwise.
    pub bytes: u32,
    /// Header lines, the first line of the head not counted. 100 unless told otherwise.
    pub lines: u16,
}

impl Default for HeadLimits {
    fn default() -> Self {
        HeadLimits {
            bytes: 16 * 1024,
            lines: 100,
        }
    }
}

/// What a call of `feed` did.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Progress {
    /// Bytes of the input that belong to the head. While the head is incomplete, all of them;
    /// those behind the head are the first input of the connection.
    pub consumed: usize,
    /// The empty line that ends the head has been read.
    pub complete: bool,
}
