//! What a peer sends to the measured programs, and what must come back: written down here and not by
//! the codec that is measured.

use std::fs;

use anyhow::{Context, Result};

use crate::job::Job;

/// A request of `tests/size/requests`, with the line ends of HTTP.
///
/// # Errors
/// The file is missing.
pub(crate) fn request(job: &Job, browser: &str) -> Result<Vec<u8>> {
    let name = format!("tests/size/requests/{browser}.txt");
    let text = fs::read_to_string(job.places.root.join(&name))
        .with_context(|| format!("cannot read {name}"))?;
    Ok(text.replace('\n', "\r\n").into_bytes())
}

/// The answer to either of them: the key in both is the one of RFC 6455 section 1.3.
pub(crate) const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// The same with lines more at its end.
pub(crate) fn response_with(lines: &str) -> Vec<u8> {
    let (head, end) = RESPONSE.split_at(RESPONSE.len() - 2);
    [head, lines.as_bytes(), end].concat()
}

/// Readings of a sensor as JSON, cut at this size.
pub(crate) fn json(len: usize) -> Vec<u8> {
    let mut text = String::new();
    for i in 0.. {
        text += &format!(
            r#"{{"id":{},"sensor":"room-{}","celsius":{}.{},"ok":true}},"#,
            1000 + i,
            i * 7 % 12,
            18 + i * 5 % 9,
            i * 3 % 10
        );
        if text.len() >= len {
            break;
        }
    }
    text.truncate(len);
    text.into_bytes()
}

/// What the client of `tests/size` sends first.
pub(crate) const REQUEST: &[u8] = b"GET /chat HTTP/1.1\r\nHost: 192.168.1.20\r\n\
    Upgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// First bytes of frames (RFC 6455 section 5.2).
pub(crate) const RSV1: u8 = 0x40;
pub(crate) const TEXT: u8 = 0x81;
pub(crate) const BINARY: u8 = 0x82;
pub(crate) const CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;
pub(crate) const PONG: u8 = 0x8a;

/// A whole frame of a server.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    [&header(first, 0, payload.len()), payload].concat()
}

/// A whole frame of a client.
pub(crate) fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = header(first, 0x80, payload.len());
    out.extend(KEY);
    out.extend(
        payload
            .iter()
            .zip(KEY.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    out
}

fn header(first: u8, mask_bit: u8, len: usize) -> Vec<u8> {
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(len @ ..=125), _) => vec![first, mask_bit | len],
        (_, Ok(len)) => [&[first, mask_bit | 126][..], &len.to_be_bytes()].concat(),
        _ => [&[first, mask_bit | 127][..], &(len as u64).to_be_bytes()].concat(),
    }
}

/// The masking key of the examples in RFC 6455 section 5.7.
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
