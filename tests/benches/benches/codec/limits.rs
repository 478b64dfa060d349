//! What part of the work takes at least: each reads like the others, then does one thing.

use std::rc::Rc;

use crate::cases::{Case, Kind};
use crate::subject::{Row, Subject};

pub const ALL: [Row; 4] = [
    Row::new::<Limit<Nothing>>("limit: `memcpy`", "the read alone"),
    Row::new::<Limit<Xor>>("limit: xor", "vectors by the compiler, and the read"),
    Row::new::<Limit<Simd>>("limit: `simdutf8`", "payload in the clear, and the read"),
    Row::new::<Limit<Core>>("limit: `core::str::from_utf8`", "the same"),
];

/// Where the payloads stand is known.
struct Limit<T> {
    wire: Rc<[u8]>,
    buffer: Vec<u8>,
    frame: usize,
    size: usize,
    task: T,
}

trait Task: 'static {
    /// It is given frames as a client sends them.
    const MASKED: bool = false;

    fn new(kind: Kind) -> Self;

    fn payload(&self, key: [u8; 4], payload: &mut [u8]);
}

impl<T: Task> Subject for Limit<T> {
    fn new(case: &Case) -> Self {
        let wire = if T::MASKED { &case.masked } else { &case.clear };
        Self {
            wire: wire.clone(),
            buffer: wire.to_vec(),
            frame: case.frame,
            size: case.payload.len(),
            task: T::new(case.kind),
        }
    }

    fn receive(&mut self, frames: usize, mut each: impl FnMut(&[u8])) -> usize {
        let mut seen = 0;
        while seen < frames {
            self.buffer.copy_from_slice(&self.wire);
            for frame in self.buffer.chunks_exact_mut(self.frame) {
                let (header, payload) = frame.split_at_mut(self.frame - self.size);
                let key = header.last_chunk().copied().unwrap_or_default();
                self.task.payload(key, payload);
                each(payload);
                seen += 1;
            }
        }
        seen
    }
}

struct Nothing;

impl Task for Nothing {
    fn new(_: Kind) -> Self {
        Self
    }

    fn payload(&self, _: [u8; 4], _: &mut [u8]) {}
}

struct Xor;

impl Task for Xor {
    const MASKED: bool = true;

    fn new(_: Kind) -> Self {
        Self
    }

    fn payload(&self, key: [u8; 4], payload: &mut [u8]) {
        let (words, rest) = payload.as_chunks_mut::<4>();
        for word in words {
            *word = (u32::from_ne_bytes(*word) ^ u32::from_ne_bytes(key)).to_ne_bytes();
        }
        for (byte, key) in rest.iter_mut().zip(key) {
            *byte ^= key;
        }
    }
}

struct Simd(Kind);

impl Task for Simd {
    fn new(kind: Kind) -> Self {
        Self(kind)
    }

    fn payload(&self, _: [u8; 4], payload: &mut [u8]) {
        let fine = self.0 == Kind::Binary || simdutf8::basic::from_utf8(payload).is_ok();
        assert!(fine);
    }
}

struct Core(Kind);

impl Task for Core {
    fn new(kind: Kind) -> Self {
        Self(kind)
    }

    fn payload(&self, _: [u8; 4], payload: &mut [u8]) {
        let fine = self.0 == Kind::Binary || std::str::from_utf8(payload).is_ok();
        assert!(fine);
    }
}
