//! HTTP by hand: requests and answers as they stand on the wire.

use tokio::io::{AsyncRead, AsyncReadExt as _};
use wirelet_tokio::handshake::AcceptKey;

/// The host that [`request`] names.
pub(crate) const HOST: &str = "example.com";

/// A sound handshake with the key of RFC 6455 section 1.3; each of `lines` ends in CR LF.
pub(crate) fn request(target: &str, lines: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: {HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
         {lines}\r\n"
    )
}

/// The answer that opens the connection that `request` asks for, as a server must write it; each
/// of `lines` ends in CR LF.
pub(crate) fn switching(request: &str, lines: &str) -> String {
    let key = header(request, "Sec-WebSocket-Key").expect("a key");
    let key = AcceptKey::of(key.as_bytes().try_into().expect("24 characters"));
    let key = key.as_str();
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {key}\r\n{lines}\r\n"
    )
}

/// Reads a head to its empty line, and not a byte of what is behind it.
pub(crate) async fn head<R: AsyncRead + Unpin>(io: &mut R) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(io.read_u8().await.expect("the head goes on"));
    }
    String::from_utf8(bytes).expect("a head is ASCII")
}

/// Reads all that comes until the end of the stream.
pub(crate) async fn to_end<R: AsyncRead + Unpin>(io: &mut R) -> String {
    let mut text = String::new();
    io.read_to_string(&mut text).await.expect("a clean end");
    text
}

/// The number in the status line.
pub(crate) fn status(head: &str) -> u16 {
    head.strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3)?.parse().ok())
        .expect("a status line")
}

/// The value of a header line, the name compared in any case.
pub(crate) fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let lines = head.split("\r\n").take_while(|line| !line.is_empty());
    lines
        .filter_map(|line| line.split_once(':'))
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}
