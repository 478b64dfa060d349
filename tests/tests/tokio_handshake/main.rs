//! The opening handshake of `wirelet-tokio`: a server, a client, and the extractor for axum, each
//! against bytes written by hand and against each other.

mod axum;
mod client;
#[path = "../support/http.rs"]
mod http;
mod refusals;
mod server;

use std::time::Duration;

use tokio::io::DuplexStream;
use wirelet::Role;
use wirelet_tests::frames::Frame;

/// A text message as `receiver` must get it.
pub(crate) fn text(receiver: Role, text: &str) -> Vec<u8> {
    Frame::new(0x81, text).to(receiver).bytes()
}

/// A transport with room for all that these tests write before anyone reads.
pub(crate) fn pipe() -> (DuplexStream, DuplexStream) {
    tokio::io::duplex(256 << 10)
}

/// How long a handshake may take on a clock that stands still until everybody waits.
pub(crate) const SECOND: Duration = Duration::from_secs(1);
