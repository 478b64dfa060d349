//! What stands on the wire, frame by frame, as the core's receiver judges it.

use tokio::io::{AsyncRead, AsyncReadExt};
use wirelet::{Limits, Receiver, Role};

/// Bytes of a frame that `sender` makes.
#[must_use]
pub fn frame_len(sender: Role, payload: usize) -> usize {
    let head = match payload {
        ..=125 => 2,
        126..=0xffff => 4,
        _ => 10,
    };
    let key = if sender == Role::Client { 4 } else { 0 };
    head + key + payload
}

/// First byte and payload, unmasked, of each frame that `sender` made.
///
/// # Panics
/// If a rule is broken or the last frame is not whole.
#[must_use]
pub fn parse(bytes: &[u8], sender: Role) -> Vec<(u8, Vec<u8>)> {
    let receiver = match sender {
        Role::Server => Role::Client,
        Role::Client => Role::Server,
    };
    let mut bytes = bytes.to_vec();
    let mut input = &mut bytes[..];
    let mut receiver = Receiver::new(receiver, Limits::default());
    let mut frames = Vec::new();
    while !input.is_empty() {
        let first = input[0];
        let event = receiver.next(&mut input).unwrap().expect("a whole frame");
        frames.push((first, event.payload.to_vec()));
    }
    frames
}

/// Reads one frame that `sender` made, and not a byte more.
///
/// # Panics
/// If a rule for one frame is broken or the stream ends inside it.
pub async fn next_frame<S: AsyncRead + Unpin>(peer: &mut S, sender: Role) -> (u8, Vec<u8>) {
    let mut bytes = vec![0; 2];
    peer.read_exact(&mut bytes).await.unwrap();
    let more = match bytes[1] & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let mut length = vec![0; more];
    peer.read_exact(&mut length).await.unwrap();
    let payload = match more {
        0 => usize::from(bytes[1] & 0x7f),
        _ => length.iter().fold(0, |n, b| n << 8 | usize::from(*b)),
    };
    let mut rest = vec![0; frame_len(sender, payload) - 2 - more];
    peer.read_exact(&mut rest).await.unwrap();
    bytes.extend(length);
    bytes.extend(rest);
    parse(&bytes, sender).remove(0)
}
