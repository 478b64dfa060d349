//! Random traffic: what a peer may send, and what becomes of it when bytes change.

use wirelet::Role;

use crate::frames::Frame;
use crate::rng::Rng;

/// Messages in one or more frames with control frames between them, sometimes a Close at the end,
/// as `receiver` gets them.
#[must_use]
pub fn valid(rng: &mut Rng, receiver: Role) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..1 + rng.below(4) {
        message(rng, receiver, &mut out);
        controls(rng, receiver, &mut out);
    }
    if rng.chance(30) {
        let frame = close(rng);
        send(rng, receiver, frame, &mut out);
        out.extend(rng.bytes(4));
    }
    out
}

/// `wire` with a few bytes changed, dropped, doubled or inserted, or cut short.
#[must_use]
pub fn mutated(rng: &mut Rng, mut wire: Vec<u8>) -> Vec<u8> {
    for _ in 0..1 + rng.below(3) {
        let at = rng.below(wire.len().max(1)).min(wire.len());
        let end = (at + 1 + rng.below(8)).min(wire.len());
        match rng.below(6) {
            0 if at < wire.len() => wire[at] ^= 1 << rng.below(8),
            1 if at < wire.len() => wire[at] = rng.any() as u8,
            2 => drop(wire.drain(at..end)),
            3 => {
                let copy = wire[at..end].to_vec();
                wire.splice(at..at, copy);
            }
            4 => {
                let new = rng.below(6);
                wire.splice(at..at, rng.bytes(new));
            }
            _ => wire.truncate(at),
        }
    }
    wire
}

/// Text of about `size` bytes with characters of every width.
#[must_use]
pub fn text(rng: &mut Rng, size: usize) -> String {
    // The first and last character of each width, and those around the surrogates.
    const CHARACTERS: [char; 12] = [
        '\0',
        'a',
        '\u{7f}',
        '\u{80}',
        '\u{7ff}',
        '\u{800}',
        '\u{d7ff}',
        '\u{e000}',
        '\u{ffff}',
        '\u{10000}',
        '\u{40000}',
        '\u{10ffff}',
    ];
    let ascii = rng.chance(30);
    let mut text = String::new();
    while text.len() < size {
        text.push(if ascii { 'x' } else { *rng.pick(&CHARACTERS) });
    }
    text
}

fn message(rng: &mut Rng, receiver: Role, out: &mut Vec<u8>) {
    let size = *rng.pick(&[0, 1, 7, 30, 124, 125, 126, 130, 300]);
    let (opcode, payload) = if rng.chance(60) {
        (1, text(rng, size).into_bytes())
    } else {
        (2, rng.bytes(size))
    };
    let fragments = if rng.chance(40) { 1 } else { 1 + rng.below(5) };
    let mut rest = &payload[..];
    for i in 0..fragments {
        let last = i + 1 == fragments;
        // Characters are cut anywhere, and fragments may be empty.
        let (piece, behind) = rest.split_at(if last {
            rest.len()
        } else {
            rng.below(rest.len() + 1)
        });
        rest = behind;
        let fin = if last { 0x80 } else { 0 };
        let first = fin | if i == 0 { opcode } else { 0 };
        send(rng, receiver, Frame::new(first, piece), out);
        if !last {
            controls(rng, receiver, out);
        }
    }
}

fn controls(rng: &mut Rng, receiver: Role, out: &mut Vec<u8>) {
    while rng.chance(30) {
        let first = *rng.pick(&[0x89, 0x8a]);
        let size = *rng.pick(&[0, 1, 4, 60, 125]);
        let payload = rng.bytes(size);
        send(rng, receiver, Frame::new(first, payload), out);
    }
}

fn close(rng: &mut Rng) -> Frame {
    let mut payload = Vec::new();
    if rng.chance(80) {
        payload.extend(
            rng.pick(&[1000u16, 1001, 1011, 1014, 3000, 4999])
                .to_be_bytes(),
        );
        let size = rng.below(30);
        payload.extend(text(rng, size).bytes());
    }
    Frame::new(0x88, payload)
}

fn send(rng: &mut Rng, receiver: Role, frame: Frame, out: &mut Vec<u8>) {
    let key = rng.any().to_le_bytes();
    let key = [key[0], key[1], key[2], key[3]];
    out.extend(
        frame
            .masked((receiver == Role::Server).then_some(key))
            .bytes(),
    );
}
