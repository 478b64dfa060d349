//! The other end of the connection, byte by byte: what is on the wire, and what to put there.
#![allow(dead_code)] // each test program uses a part of it

use wirelet::{Control, Kind, Limits, Receiver, Role, What};

pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// A whole message or a control frame: the opcode of its first frame, and all of its payload.
pub(crate) type Item = (u8, Vec<u8>);

/// What there is on the wire to `receiver`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Wire {
    pub(crate) items: Vec<Item>,
    /// The opcode of the message that is unfinished, and what there is of it.
    pub(crate) open: Option<Item>,
    /// Bytes end between two frames, not inside one.
    pub(crate) whole_frames: bool,
}

/// Reads all of it.
///
/// # Panics
/// If a rule is broken, or something follows a Close frame.
#[track_caller]
pub(crate) fn read(receiver: Role, bytes: &[u8]) -> Wire {
    let mut bytes = bytes.to_vec();
    let mut input = &mut bytes[..];
    let mut wire = Wire::default();
    let mut control = Vec::new();
    let mut core = Receiver::new(receiver, Limits::NONE);
    while let Some(event) = core.next(&mut input).expect("a rule is broken") {
        let opcode = opcode(event.what);
        if opcode < 8 {
            let open = wire.open.get_or_insert((opcode, Vec::new()));
            open.1.extend_from_slice(event.payload);
            if event.end {
                wire.items.extend(wire.open.take());
            }
        } else {
            control.extend_from_slice(event.payload);
            if event.end {
                wire.items.push((opcode, std::mem::take(&mut control)));
            }
        }
        if opcode == CLOSE && event.end {
            assert!(input.is_empty(), "bytes behind the Close frame");
        }
    }
    // Section 5.4: an empty frame that is not the last ends a frame, too.
    let mut probe = [0x8a, 0x80, 0, 0, 0, 0];
    let probe = match receiver {
        Role::Server => &mut probe[..],
        Role::Client => {
            probe[1] = 0;
            &mut probe[..2]
        }
    };
    let closed = wire.items.last().is_some_and(|item| item.0 == CLOSE);
    let next = core.next(&mut &mut probe[..]);
    wire.whole_frames = closed || next.is_ok_and(|e| e.is_some_and(|e| opcode(e.what) == PONG));
    wire
}

/// What there is on the wire to `receiver`: whole frames of whole messages.
#[track_caller]
pub(crate) fn whole(receiver: Role, bytes: &[u8]) -> Vec<Item> {
    let wire = read(receiver, bytes);
    assert!(wire.whole_frames, "ends inside a frame");
    assert_eq!(wire.open, None, "ends inside a message");
    wire.items
}

/// Data messages only.
pub(crate) fn messages(items: &[Item]) -> Vec<&[u8]> {
    items
        .iter()
        .filter(|item| item.0 < 8)
        .map(|item| &item.1[..])
        .collect()
}

/// Payloads of the control frames with this opcode.
pub(crate) fn controls(items: &[Item], opcode: u8) -> Vec<&[u8]> {
    items
        .iter()
        .filter(|item| item.0 == opcode)
        .map(|item| &item.1[..])
        .collect()
}

/// The payload of a Close frame.
pub(crate) fn close(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes()[..], reason.as_bytes()].concat()
}

pub(crate) fn other(role: Role) -> Role {
    match role {
        Role::Client => Role::Server,
        Role::Server => Role::Client,
    }
}

fn opcode(what: What) -> u8 {
    match what {
        What::Data {
            kind: Kind::Text, ..
        } => TEXT,
        What::Data { .. } => BINARY,
        What::Control(Control::Close) => CLOSE,
        What::Control(Control::Ping) => PING,
        What::Control(Control::Pong) => PONG,
    }
}
