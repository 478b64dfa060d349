//! wirelet, as a whole and in parts.

use std::hint::black_box;
use std::rc::Rc;

use wirelet::frame::{Header, Mask};
use wirelet::{Config, Inbox, Limits, Receiver, Role};
use wirelet_tokio::WebSocket;

use crate::cases::{Case, Kind};
use crate::subject::{Row, Stream, Subject, now};

/// The first is what the others are compared with.
pub const WHOLE: [Row; 4] = [
    Row::new::<InPlace>("wirelet", "`Receiver::next`, in place"),
    Row::new::<Assembled>("wirelet", "`Inbox` of 16 KiB, or of one frame"),
    Row::new::<Socket>("wirelet-tokio", "`WebSocket::recv`"),
    Row::new::<Echo>("wirelet-tokio, and an answer", "halves: `recv`, `feed`"),
];

/// Without the copy of a read: masking is its own inverse, so the same bytes do for ever.
pub const PARTS: [Row; 4] = [
    Row::new::<Headers>("header", "`Header::decode`"),
    Row::new::<Masking<false>>("masking", "`Mask::apply`"),
    Row::new::<Masking<true>>("masking, and whether it is ASCII", "`Mask::apply_text`"),
    Row::new::<Checking>("UTF-8", "`simdutf8`, on payload in the clear"),
];

/// The codec alone, and one copy for what a read would do.
struct InPlace {
    receiver: Receiver,
    buffer: Vec<u8>,
    wire: Rc<[u8]>,
}

impl Subject for InPlace {
    fn new(case: &Case) -> Self {
        Self {
            receiver: Receiver::new(Role::Server, Limits::default()),
            buffer: case.masked.to_vec(),
            wire: case.masked.clone(),
        }
    }

    fn receive(&mut self, frames: usize, mut each: impl FnMut(&[u8])) -> usize {
        let mut seen = 0;
        while seen < frames {
            self.buffer.copy_from_slice(&self.wire);
            let mut input = &mut self.buffer[..];
            while let Some(event) = self.receiver.next(&mut input).unwrap() {
                each(event.payload);
                seen += 1;
            }
        }
        seen
    }
}

struct Assembled {
    inbox: Inbox<Vec<u8>>,
    stream: Stream,
}

impl Subject for Assembled {
    fn new(case: &Case) -> Self {
        let receiver = Receiver::new(Role::Server, Limits::default());
        Self {
            inbox: Inbox::new(vec![0; case.frame.max(16 << 10)], receiver),
            stream: Stream::of(case),
        }
    }

    fn receive(&mut self, frames: usize, mut each: impl FnMut(&[u8])) -> usize {
        let mut seen = 0;
        while seen < frames {
            while self.inbox.ready().unwrap().is_none() {
                let n = self.stream.fill(self.inbox.spare());
                self.inbox.filled(n);
            }
            each(self.inbox.take().unwrap().payload);
            seen += 1;
        }
        seen
    }
}

struct Socket(WebSocket<Stream>);

impl Subject for Socket {
    fn new(case: &Case) -> Self {
        let config = Config::default();
        Self(WebSocket::from_upgraded(
            Stream::of(case),
            Role::Server,
            &config,
            &[],
        ))
    }

    fn receive(&mut self, frames: usize, mut each: impl FnMut(&[u8])) -> usize {
        for _ in 0..frames {
            each(now(self.0.recv()).unwrap().unwrap().as_bytes());
        }
        frames
    }
}

/// What an echo server does with a message, without the system calls.
struct Echo(Socket);

impl Subject for Echo {
    fn new(case: &Case) -> Self {
        Self(Socket::new(case))
    }

    fn receive(&mut self, frames: usize, mut each: impl FnMut(&[u8])) -> usize {
        let (mut rx, mut tx) = self.0.0.halves();
        for _ in 0..frames {
            let message = now(rx.recv()).unwrap().unwrap();
            each(message.as_bytes());
            now(tx.feed(message)).unwrap();
        }
        frames
    }
}

struct Headers(Case);

impl Subject for Headers {
    fn new(case: &Case) -> Self {
        Self(case.clone())
    }

    fn receive(&mut self, frames: usize, mut each: impl FnMut(&[u8])) -> usize {
        let mut seen = 0;
        while seen < frames {
            let mut wire = &self.0.clear[..];
            while let Some((header, size)) = Header::decode(wire).unwrap() {
                let (payload, rest) = wire[size..].split_at(header.len as usize);
                each(payload);
                wire = rest;
                seen += 1;
            }
        }
        seen
    }
}

/// The same bytes, with the same key: masked and in the clear, in turn.
struct Masking<const TEXT: bool> {
    bytes: Vec<u8>,
    key: [u8; 4],
    clear: bool,
}

impl<const TEXT: bool> Subject for Masking<TEXT> {
    const SHOWN: usize = 2;

    fn new(case: &Case) -> Self {
        Self {
            bytes: case.payload.to_vec(),
            key: [0x37, 0xfa, 0x21, 0x3d],
            clear: true,
        }
    }

    fn receive(&mut self, frames: usize, mut each: impl FnMut(&[u8])) -> usize {
        let frames = frames.next_multiple_of(2);
        for _ in 0..frames {
            let mut mask = Mask::new(black_box(self.key));
            if TEXT {
                black_box(mask.apply_text(&mut self.bytes));
            } else {
                mask.apply(&mut self.bytes);
            }
            self.clear = !self.clear;
            if self.clear {
                each(&self.bytes);
            }
        }
        frames
    }
}

struct Checking(Case);

impl Subject for Checking {
    fn new(case: &Case) -> Self {
        Self(case.clone())
    }

    fn receive(&mut self, frames: usize, mut each: impl FnMut(&[u8])) -> usize {
        for _ in 0..frames {
            let payload = black_box(&self.0.payload[..]);
            let fine = self.0.kind == Kind::Binary || simdutf8::basic::from_utf8(payload).is_ok();
            assert!(fine);
            each(payload);
        }
        frames
    }
}
