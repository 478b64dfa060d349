//! Just enough of RFC 6455 for the load to accept this as a server.

use std::ops::Range;

use base64::Engine as _;

use crate::Result;

/// Payloads up to this many bytes are moved to the end of the answer before them, so that one plain
/// write takes all; for larger ones another slice is cheaper.
const MOVED: usize = 2 << 10;

/// Makes answers of all whole messages in `bytes`, in place: `answers` says where they lie. Gives the
/// number of bytes that these messages took.
///
/// # Errors
/// A frame that the load does not send.
pub(crate) fn answer(bytes: &mut [u8], answers: &mut Vec<Range<usize>>) -> Result<usize> {
    let mut begin = 0;
    while let Some((head, payload)) = header(&bytes[begin..])? {
        let end = begin + head + payload;
        if bytes.len() < end {
            break;
        }
        match answers.last_mut() {
            Some(before) if payload <= MOVED => {
                let to = before.end;
                bytes.copy_within(begin..begin + head - KEY, to);
                bytes[to + 1] &= 0x7f;
                bytes.copy_within(begin + head..end, to + head - KEY);
                before.end = to + head - KEY + payload;
            }
            _ => {
                // The header moves to where the key was.
                bytes.copy_within(begin..begin + head - KEY, begin + KEY);
                bytes[begin + KEY + 1] &= 0x7f;
                answers.push(begin + KEY..end);
            }
        }
        begin = end;
    }
    Ok(begin)
}

/// The first `n` bytes of the answers are written.
pub(crate) fn advance(answers: &mut Vec<Range<usize>>, mut n: usize) {
    answers.retain_mut(|answer| {
        let sent = n.min(answer.end - answer.start);
        n -= sent;
        answer.start += sent;
        answer.start < answer.end
    });
}

/// How many bytes are missing of the message whose beginning this is, or at least one.
///
/// # Errors
/// As [`answer`].
pub(crate) fn missing(bytes: &[u8]) -> Result<usize> {
    Ok(match header(bytes)? {
        Some((head, payload)) => (head + payload).saturating_sub(bytes.len()).max(1),
        None => 14,
    })
}

/// Bytes of a masking key.
const KEY: usize = 4;

/// Bytes of header and of payload; `None` if the header is not whole.
fn header(bytes: &[u8]) -> Result<Option<(usize, usize)>> {
    let &[first, second, ref rest @ ..] = bytes else {
        return Ok(None);
    };
    if !matches!(first, 0x81 | 0x82) || second & 0x80 == 0 {
        return Err("not a masked data message".into());
    }
    let (head, len, least) = match second & 0x7f {
        126 => match rest.first_chunk() {
            Some(len) => (8, u64::from(u16::from_be_bytes(*len)), 126),
            None => return Ok(None),
        },
        127 => match rest.first_chunk() {
            Some(len) => (14, u64::from_be_bytes(*len), 0x1_0000),
            None => return Ok(None),
        },
        len => (6, u64::from(len), 0),
    };
    if len < least || len > MOST {
        return Err("a length that is not allowed".into());
    }
    Ok((bytes.len() >= head).then_some((head, len as usize)))
}

/// Bytes of the longest message.
const MOST: u64 = 16 << 20;

/// The reply to an upgrade request.
pub(crate) fn answer_to(head: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(head).ok()?;
    let key = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("sec-websocket-key")
            .then_some(value.trim())
    })?;
    let mut sha1 = sha1_smol::Sha1::from(key);
    sha1.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let accept = base64::engine::general_purpose::STANDARD.encode(sha1.digest().bytes());
    Some(format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    ))
}
