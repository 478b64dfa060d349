//! What is received: frames as a client masks them, and the payload that must come out.

use std::rc::Rc;

use wirelet::frame::{Header, Mask, Opcode};

/// Bytes of payload.
pub const SIZES: [usize; 5] = [20, 125, 1 << 10, 16 << 10, 64 << 10];

/// What the payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Binary,
    Ascii,
    /// Characters of one to four bytes.
    MultiByte,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Binary, Self::Ascii, Self::MultiByte];

    pub const fn title(self) -> &'static str {
        match self {
            Self::Binary => "Binary",
            Self::Ascii => "Text, ASCII",
            Self::MultiByte => "Text, characters of one to four bytes",
        }
    }

    const fn opcode(self) -> Opcode {
        match self {
            Self::Binary => Opcode::Binary,
            Self::Ascii | Self::MultiByte => Opcode::Text,
        }
    }
}

/// Frames of one kind and size. Clones share the bytes.
#[derive(Clone)]
pub struct Case {
    pub kind: Kind,
    pub payload: Rc<[u8]>,
    /// As a client sends them, each with its own key. A stream repeats them for ever.
    pub masked: Rc<[u8]>,
    /// The same frames with the payload in the clear.
    pub clear: Rc<[u8]>,
    /// Bytes of one frame.
    pub frame: usize,
}

impl Case {
    pub fn new(kind: Kind, size: usize) -> Self {
        let payload = payload(kind, size);
        let (mut masked, mut clear) = (Vec::new(), Vec::new());
        let mut random = Random(1);
        // As much as fits the first level cache together with the buffer it is read into.
        let frames = ((8 << 10) / size).max(1);
        for _ in 0..frames {
            let key = random.next().to_le_bytes();
            let header = Header {
                fin: true,
                rsv1: false,
                opcode: kind.opcode(),
                mask: Some(key),
                len: size as u64,
            }
            .encode();
            let mut body = payload.clone();
            Mask::new(key).apply(&mut body);
            masked.extend([&header[..], &body].concat());
            clear.extend([&header[..], &payload].concat());
        }
        Self {
            kind,
            payload: payload.into(),
            frame: masked.len() / frames,
            masked: masked.into(),
            clear: clear.into(),
        }
    }

    /// Frames that are timed at once.
    pub fn frames_at_once(&self) -> usize {
        ((128 << 10) / self.frame.max(32)).max(2)
    }
}

fn payload(kind: Kind, size: usize) -> Vec<u8> {
    let mut random = Random(7);
    match kind {
        Kind::Binary => (0..size).map(|_| (random.next() >> 24) as u8).collect(),
        Kind::Ascii => (0..size)
            .map(|_| b' ' + (random.next() >> 16) as u8 % 95)
            .collect(),
        Kind::MultiByte => multi_byte(size),
    }
}

/// Cut to exactly `size`.
fn multi_byte(size: usize) -> Vec<u8> {
    let mut text: String = "κόσμε, 世界 🌍 größer "
        .chars()
        .cycle()
        .take(size)
        .collect();
    while text.len() > size {
        text.pop();
    }
    while text.len() < size {
        text.push('.');
    }
    text.into_bytes()
}

/// The same numbers in each run.
struct Random(u32);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0
    }
}
