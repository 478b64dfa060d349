//! permessage-deflate (RFC 7692) in the core.

mod answers;
mod lent;
mod malformed;
mod messages;
mod offers;
mod same_as_zlib;
mod sending;

use wirelet::deflate::{Context, WindowBits};
use wirelet_tests::frames::Frame;

/// The first bytes of the frames: FIN, RSV1 and opcode.
pub(crate) const TEXT: u8 = 0xc1;
pub(crate) const BINARY: u8 = 0xc2;
pub(crate) const BINARY_OPEN: u8 = 0x42;
pub(crate) const MORE: u8 = 0x00;
pub(crate) const LAST: u8 = 0x80;

/// Unmasked frames.
pub(crate) fn wire(frames: &[(u8, &[u8])]) -> Vec<u8> {
    let frames = frames.iter();
    frames
        .flat_map(|&(first, payload)| Frame::new(first, payload).bytes())
        .collect()
}

pub(crate) fn bits(bits: u8) -> WindowBits {
    WindowBits::new(bits).expect("8 to 15")
}

pub(crate) fn takeover(window: u8) -> Context {
    Context {
        takeover: true,
        window: bits(window),
    }
}

pub(crate) fn no_takeover(window: u8) -> Context {
    Context {
        takeover: false,
        window: bits(window),
    }
}
