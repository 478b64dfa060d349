//! permessage-deflate as zlib does it, and ways to drive wirelet's.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use wirelet::deflate::{Context, Inflater, WindowBits};
use wirelet::{Error, Event, Found, Kind, Limits, Receiver, Role, What};

use crate::drive::pieces;

/// What section 7.2.1 takes off the end of a message.
pub const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Compresses messages as a peer does.
#[derive(Debug)]
pub struct Deflater {
    compress: Compress,
    takeover: bool,
}

impl Deflater {
    /// Level 0 (stored) to 9; zlib cannot use a window of 8 bits, and for 9 bits its distances are
    /// at most 250 bytes, so it is 9 then.
    #[must_use]
    pub fn new(level: u32, context: Context) -> Self {
        let bits = context.window.get().max(9);
        Self {
            compress: Compress::new_with_window_bits(Compression::new(level), false, bits),
            takeover: context.takeover,
        }
    }

    /// One message; `flushes` are positions at which a block ends.
    ///
    /// # Panics
    /// If zlib fails.
    pub fn message(&mut self, message: &[u8], flushes: &[usize]) -> Vec<u8> {
        if !self.takeover {
            self.compress.reset();
        }
        let mut out = Vec::with_capacity(2 * message.len() + 64 * (flushes.len() + 2));
        for (_, piece) in pieces(message, flushes) {
            // zlib does not flush twice without input, and then says nothing.
            if piece.is_empty() {
                continue;
            }
            let before = self.compress.total_in();
            let status = self
                .compress
                .compress_vec(piece, &mut out, FlushCompress::Sync)
                .expect("zlib compresses");
            assert_eq!(status, Status::Ok);
            assert_eq!(self.compress.total_in() - before, piece.len() as u64);
        }
        if out.is_empty() {
            // Section 7.2.3.6.
            return vec![0];
        }
        assert!(out.ends_with(&TAIL));
        out.truncate(out.len() - TAIL.len());
        out
    }
}

/// What zlib makes of a message, without takeover and with a window of 32 KiB: `None` if it does
/// not inflate, or does not end between two blocks.
#[must_use]
pub fn judge(payload: &[u8]) -> Option<Vec<u8>> {
    // Behind a whole message a last block can stand, and nothing else comes out.
    let end = zlib(&[payload, &TAIL, &[3, 0]].concat())?;
    let stored = zlib(&[payload, &TAIL, &[1, 1, 0, 0xfe, 0xff, b'X']].concat())?;
    (stored.strip_suffix(b"X")? == end).then_some(end)
}

/// The whole input, whose last block must end where it does. After another block with BFINAL zlib
/// begins anew with the same window.
fn zlib(mut input: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    loop {
        let mut zlib = Decompress::new(false);
        if !out.is_empty() {
            let from = out.len().saturating_sub(32 << 10);
            zlib.set_dictionary(&out[from..]).ok()?;
        }
        loop {
            let (used, made) = (zlib.total_in(), out.len());
            out.reserve(1 << 10);
            let status = zlib
                .decompress_vec(input, &mut out, FlushDecompress::None)
                .ok()?;
            input = &input[(zlib.total_in() - used) as usize..];
            match status {
                Status::StreamEnd if input.is_empty() => return Some(out),
                Status::StreamEnd => break,
                _ if zlib.total_in() == used && out.len() == made => return None,
                _ => {}
            }
        }
    }
}

/// How an [`Inflater`] is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// `ready`: whole messages.
    Whole,
    /// `ready_piece`.
    Pieces,
    /// `ready_full`, and a few bytes of it at a time.
    Full,
}

/// Who listens: a client, so that the wire is readable, or a server.
#[derive(Clone, Copy, Debug)]
pub struct Listener {
    /// The end that it is.
    pub role: Role,
    /// Of the peer.
    pub context: Context,
    /// Of the buffer, in bytes.
    pub room: usize,
    /// Of the receiver and of the inflater.
    pub limits: Limits,
}

impl Listener {
    /// A client with a buffer of so many bytes, and no other limit than that.
    #[must_use]
    pub const fn new(context: Context, room: usize) -> Self {
        Self {
            role: Role::Client,
            context,
            room,
            limits: Limits::NONE,
        }
    }

    /// The messages in `wire`, cut after each of the ascending positions in `cuts`, and the error
    /// that ended it.
    ///
    /// # Panics
    /// If what comes out contradicts itself.
    #[must_use]
    pub fn hear(
        &self,
        way: Way,
        wire: &[u8],
        cuts: &[usize],
    ) -> (Vec<(Kind, Vec<u8>)>, Option<Error>) {
        let mut receiver = Receiver::new(self.role, self.limits);
        receiver.allow_rsv1();
        let inflater = Inflater::new(vec![0xa5; self.room], self.context, self.limits);
        let mut heard = Heard {
            inflater: inflater.expect("a buffer larger than the window"),
            way,
            messages: Vec::new(),
            open: None,
        };
        for (_, piece) in pieces(wire, cuts) {
            let mut piece = piece.to_vec();
            let mut input = &mut piece[..];
            loop {
                let event = match receiver.next(&mut input) {
                    Ok(Some(event)) => event,
                    Ok(None) => break,
                    Err(error) => return (heard.messages, Some(error)),
                };
                if let Err(error) = heard.event(event) {
                    receiver.fail(error);
                    assert_eq!(receiver.next(&mut input), Err(error), "terminal");
                    return (heard.messages, Some(error));
                }
            }
        }
        (heard.messages, None)
    }
}

struct Heard {
    inflater: Inflater<Vec<u8>>,
    way: Way,
    messages: Vec<(Kind, Vec<u8>)>,
    open: Option<(Kind, Vec<u8>)>,
}

impl Heard {
    fn event(&mut self, mut event: Event<'_>) -> Result<(), Error> {
        let data = matches!(event.what, What::Data { .. });
        loop {
            let found = match self.ready(&mut event) {
                Ok(Some(found)) => found,
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(self.ready(&mut event), Err(error), "terminal");
                    assert_eq!(self.inflater.error(), Some(error));
                    assert!(self.inflater.take().is_none(), "nothing after an error");
                    return Err(error);
                }
            };
            assert!(data, "control frames are left as they are");
            assert_eq!(self.ready(&mut event), Ok(Some(found)), "found until taken");
            self.take(found);
        }
        assert!(!data || event.payload.is_empty(), "all was consumed");
        assert!(self.inflater.take().is_none(), "nothing was found");
        Ok(())
    }

    fn ready(&mut self, event: &mut Event<'_>) -> Result<Option<Found>, Error> {
        match self.way {
            Way::Whole => self.inflater.ready(event),
            Way::Pieces => self.inflater.ready_piece(event),
            Way::Full => self.inflater.ready_full(event),
        }
    }

    fn take(&mut self, found: Found) {
        if self.way == Way::Full {
            return self.take_some(found);
        }
        let piece = self.inflater.take().expect("found");
        assert_eq!((piece.start, piece.end), (found.start, found.end));
        assert_eq!(piece.start, self.open.is_none());
        if self.way == Way::Whole {
            assert!(piece.start && piece.end, "whole messages");
        } else {
            assert!(piece.end || !piece.payload.is_empty(), "a piece has bytes");
        }
        let (_, payload) = self.open.get_or_insert((piece.kind, Vec::new()));
        payload.extend_from_slice(piece.payload);
        if piece.end {
            self.messages.extend(self.open.take());
        }
    }
}

impl Heard {
    fn take_some(&mut self, found: Found) {
        let mut left = self.inflater.left();
        loop {
            let piece = self.inflater.take_up_to(100).expect("found");
            assert_eq!(piece.start, self.open.is_none());
            left -= piece.payload.len();
            let (_, payload) = self.open.get_or_insert((piece.kind, Vec::new()));
            payload.extend_from_slice(piece.payload);
            if piece.end {
                self.messages.extend(self.open.take());
            }
            assert_eq!(piece.end, found.end && left == 0);
            assert_eq!(self.inflater.left(), left);
            if left == 0 {
                return;
            }
        }
    }
}

/// All window sizes.
pub fn all_windows() -> impl Iterator<Item = WindowBits> {
    (8..=15).filter_map(WindowBits::new)
}
