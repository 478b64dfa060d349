//! The decoder of RFC 1951, resumable at every byte.

use super::bits::Bits;
use super::huffman::{Code, Decoded};
use super::{InflateError, WindowBits};
use crate::bytes;

mod codes;
#[cfg(target_pointer_width = "64")]
mod fast;

/// Inflates DEFLATE blocks (RFC 1951): bytes in, bytes out, in memory that the caller lends.
///
/// What was inflated before is the window: there is no other copy of it. The caller may move it
/// within the buffer, as long as the newest [`WindowBits::bytes`] of it stay in front of what comes
/// next. [`Inflater`](super::Inflater) does that for messages.
///
/// ```
/// use wirelet::deflate::{Inflate, Step, WindowBits};
/// let mut inflate = Inflate::new(WindowBits::MAX);
/// let mut input = &b"\xf2\x48\xcd\xc9\xc9\x07\0\0\0\xff\xff"[..]; // RFC 7692 section 7.2.3.1
/// let (mut out, mut at) = ([0; 8], 0);
/// assert_eq!(inflate.next(&mut input, &mut out, &mut at)?, Step::Input);
/// assert_eq!(&out[..at], b"Hello");
/// assert!(inflate.is_between_blocks());
/// # Ok::<(), wirelet::deflate::InflateError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Inflate {
    bits: Bits,
    state: State,
    /// BFINAL is set in the block being read.
    last: bool,
    /// The codes are those of section 3.2.6.
    fixed: bool,
    /// How many bits less than [`WindowBits::MAX`] the window has: so a decoder that was not used
    /// yet is all zeros, and a static one takes no flash.
    narrower: u8,
    /// How many lengths of codes a dynamic block has: for literals and lengths, for distances,
    /// for the lengths themselves.
    sizes: (u16, u16, u16),
    /// The lengths of codes that were read so far.
    lengths: [u8; 320],
    literals: Code<288, 256>,
    /// Also, while a dynamic block begins, the code of the lengths.
    distances: Code<32, 64>,
}

/// Why [`Inflate::next`] stopped. One of the two is always used up, so that each call gets on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Step {
    /// All input was consumed.
    Input,
    /// A byte is to be written, and the buffer is full.
    Room,
}

/// What comes next in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Header,
    StoredLength,
    StoredCheck(u16),
    Stored(u16),
    Sizes,
    /// The lengths of the codes of the lengths, from this one on.
    LengthCodes(u16),
    /// The lengths of the codes of literals and distances.
    Lengths(u16),
    /// A symbol that repeats a length, and its bits.
    Repeat(u16, u16),
    Symbol,
    /// A length, by its symbol less 257.
    Length(u16),
    Distance(u16),
    /// For this length, the distance with this symbol.
    DistanceBits(u16, u16),
    Copy {
        len: u16,
        distance: u16,
    },
}

impl Inflate {
    /// At the start of a stream, of a peer that agreed to a window of this size.
    #[must_use]
    pub const fn new(window: WindowBits) -> Self {
        Self {
            bits: Bits::NONE,
            state: State::Header,
            last: false,
            fixed: false,
            narrower: WindowBits::MAX.get().saturating_sub(window.get()),
            sizes: (0, 0, 0),
            lengths: [0; 320],
            literals: Code::new(),
            distances: Code::new(),
        }
    }

    /// Inflates from the front of `input`, which shrinks, to `out` from `at` on, which grows, until
    /// one of them is used up. `out[..at]` is what was inflated before.
    ///
    /// A block with BFINAL ends at the next whole byte and another follows it (RFC 7692 section
    /// 7.2.1); the bits between, which the sender must set to 0, are not looked at.
    ///
    /// # Errors
    /// What is wrong with the stream. Do not call it again then.
    pub fn next(
        &mut self,
        input: &mut &[u8],
        out: &mut [u8],
        at: &mut usize,
    ) -> Result<Step, InflateError> {
        loop {
            self.bits.refill(input);
            let stop = match self.state {
                State::Symbol => self.symbols(input, out, at)?,
                State::Length(symbol) => self.length(symbol),
                State::Distance(len) => self.distance(len)?,
                State::DistanceBits(len, symbol) => self.distance_bits(len, symbol, *at)?,
                State::Copy { len, distance } => self.copy(len, distance, out, at)?,
                State::Header => self.header()?,
                State::StoredLength => self.stored_length(),
                State::StoredCheck(len) => self.stored_check(len)?,
                State::Stored(left) => self.stored(left, input, out, at),
                State::Sizes => self.sizes()?,
                State::LengthCodes(read) => self.length_codes(read)?,
                State::Lengths(read) => self.lengths(read)?,
                State::Repeat(read, symbol) => self.repeat(read, symbol)?,
            };
            if let Some(step) = stop {
                return Ok(step);
            }
        }
    }

    /// At the start of another stream, in the same memory.
    pub fn restart(&mut self, window: WindowBits) {
        self.bits = Bits::NONE;
        self.state = State::Header;
        self.last = false;
        self.narrower = WindowBits::MAX.get().saturating_sub(window.get());
    }

    /// Nothing of a block was read: a message may end here.
    #[must_use]
    pub fn is_between_blocks(&self) -> bool {
        self.state == State::Header && self.bits.count() == 0
    }

    /// Bytes of the window.
    fn window(&self) -> usize {
        WindowBits::MAX.bytes().wrapping_shr(self.narrower.into())
    }

    /// Section 3.2.3.
    fn header(&mut self) -> Result<Option<Step>, InflateError> {
        let Some(bits) = self.bits.take(3) else {
            return Ok(Some(Step::Input));
        };
        self.last = bits & 1 == 1;
        self.state = match bits >> 1 {
            0 => {
                self.bits.align();
                State::StoredLength
            }
            1 => self.fixed_codes()?,
            2 => State::Sizes,
            _ => return Err(InflateError::BlockType),
        };
        Ok(None)
    }

    fn end_of_block(&mut self) {
        // RFC 7692 section 7.2.1: padded to a whole byte, and then the next block.
        if self.last {
            self.bits.align();
        }
        self.state = State::Header;
    }

    /// Section 3.2.4.
    fn stored_length(&mut self) -> Option<Step> {
        let Some(len) = self.bits.take(16) else {
            return Some(Step::Input);
        };
        self.state = State::StoredCheck(len);
        None
    }

    fn stored_check(&mut self, len: u16) -> Result<Option<Step>, InflateError> {
        match self.bits.take(16) {
            None => Ok(Some(Step::Input)),
            Some(check) if check != !len => Err(InflateError::StoredLength),
            Some(_) => {
                self.state = State::Stored(len);
                Ok(None)
            }
        }
    }

    fn stored(
        &mut self,
        mut left: u16,
        input: &mut &[u8],
        out: &mut [u8],
        at: &mut usize,
    ) -> Option<Step> {
        let mut to = out.get_mut(*at..).unwrap_or_default();
        let room = to.len();
        // A few bytes were read ahead.
        while left > 0
            && self.bits.count() > 0
            && let Some((slot, rest)) = core::mem::take(&mut to).split_first_mut()
        {
            let [byte, _] = self.bits.take(8).unwrap_or(0).to_le_bytes();
            *slot = byte;
            to = rest;
            left = left.saturating_sub(1);
        }
        if self.bits.count() == 0 {
            let from = input.get(..usize::from(left)).unwrap_or(input);
            let n = bytes::copy(from, to);
            *input = input.get(n..).unwrap_or_default();
            to = to.get_mut(n..).unwrap_or_default();
            left = left.saturating_sub(u16::try_from(n).unwrap_or(left));
        }
        *at = at.saturating_add(room.saturating_sub(to.len()));
        self.state = State::Stored(left);
        if left == 0 {
            self.end_of_block();
            None
        } else if self.bits.count() == 0 && input.is_empty() {
            Some(Step::Input)
        } else {
            Some(Step::Room)
        }
    }

    /// Literals, up to the next length or the end of the block.
    #[inline]
    fn symbols(
        &mut self,
        input: &mut &[u8],
        out: &mut [u8],
        at: &mut usize,
    ) -> Result<Option<Step>, InflateError> {
        #[cfg(target_pointer_width = "64")]
        self.fast(input, out, at);
        let mut bits = self.bits;
        let stop = loop {
            bits.refill(input);
            match self.literals.decode(bits.peek(), bits.count()) {
                Decoded::Symbol(symbol, len) => {
                    if let Ok(byte) = u8::try_from(symbol) {
                        let Some(slot) = out.get_mut(*at) else {
                            break Some(Step::Room);
                        };
                        *slot = byte;
                        *at = at.saturating_add(1);
                        bits.skip(len);
                        continue;
                    }
                    bits.skip(len);
                    self.state = match symbol {
                        257..=285 => State::Length(symbol.wrapping_sub(257)),
                        256 => State::Header,
                        _ => return Err(InflateError::Symbol),
                    };
                    break None;
                }
                Decoded::More => break Some(Step::Input),
                Decoded::Invalid => return Err(InflateError::Symbol),
            }
        };
        self.bits = bits;
        if self.state == State::Header {
            self.end_of_block();
        }
        Ok(stop)
    }

    #[inline]
    fn length(&mut self, symbol: u16) -> Option<Step> {
        let (base, extra) = length_base(symbol);
        let Some(more) = self.bits.take(extra) else {
            return Some(Step::Input);
        };
        self.state = State::Distance(base.wrapping_add(more));
        None
    }

    #[inline]
    fn distance(&mut self, len: u16) -> Result<Option<Step>, InflateError> {
        match self.distances.decode(self.bits.peek(), self.bits.count()) {
            Decoded::More => Ok(Some(Step::Input)),
            Decoded::Symbol(symbol @ 0..=29, bits) => {
                self.bits.skip(bits);
                self.state = State::DistanceBits(len, symbol);
                Ok(None)
            }
            _ => Err(InflateError::Symbol),
        }
    }

    #[inline]
    fn distance_bits(
        &mut self,
        len: u16,
        symbol: u16,
        behind: usize,
    ) -> Result<Option<Step>, InflateError> {
        let (base, extra) = distance_base(symbol);
        let Some(more) = self.bits.take(extra) else {
            return Ok(Some(Step::Input));
        };
        let distance = base.wrapping_add(more);
        // RFC 7692 section 7.2.2, and the window of section 7.1.2.
        if usize::from(distance) > behind.min(self.window()) {
            return Err(InflateError::Distance);
        }
        self.state = State::Copy { len, distance };
        Ok(None)
    }

    #[inline]
    fn copy(
        &mut self,
        len: u16,
        distance: u16,
        out: &mut [u8],
        at: &mut usize,
    ) -> Result<Option<Step>, InflateError> {
        let room = out.len().saturating_sub(*at);
        let Some(from) = at.checked_sub(distance.into()) else {
            return Err(InflateError::Distance);
        };
        let wanted = usize::from(len).min(room);
        let mut left = wanted;
        while left > 0 {
            // What was copied may be copied again: twice as much each time.
            let n = left.min(at.saturating_sub(from));
            let Some((window, to)) = out.split_at_mut_checked(*at) else {
                return Err(InflateError::Distance);
            };
            let n = bytes::copy(window.get(from..).unwrap_or_default(), up_to(to, n));
            *at = at.saturating_add(n);
            left = left.saturating_sub(n.max(1));
        }
        let rest = len.saturating_sub(u16::try_from(wanted).unwrap_or(len));
        if rest > 0 {
            self.state = State::Copy {
                len: rest,
                distance,
            };
            return Ok(Some(Step::Room));
        }
        self.state = State::Symbol;
        Ok(None)
    }
}

impl AsMut<Self> for Inflate {
    fn as_mut(&mut self) -> &mut Self {
        self
    }
}

/// The least length or distance that a symbol stands for, and its extra bits (section 3.2.5).
type Base = (u16, u8);

/// Lengths 3 to 258, by their symbols less 257.
#[inline]
const fn length_base(symbol: u16) -> Base {
    match symbol {
        0..8 => (symbol.wrapping_add(3), 0),
        28.. => (258, 0),
        _ => {
            let [extra, _] = (symbol / 4).wrapping_sub(1).to_le_bytes();
            let base = scaled(4 + symbol % 4, extra);
            (base.wrapping_add(3), extra)
        }
    }
}

/// Distances 1 to 32,768, by their symbols.
#[inline]
const fn distance_base(symbol: u16) -> Base {
    match symbol {
        0..4 => (symbol.wrapping_add(1), 0),
        _ => {
            let [extra, _] = (symbol / 2).wrapping_sub(1).to_le_bytes();
            let base = scaled(2 + symbol % 2, extra);
            (base.wrapping_add(1), extra)
        }
    }
}

#[allow(clippy::as_conversions)] // `into` is none of a `const fn`
const fn scaled(value: u16, by: u8) -> u16 {
    value.wrapping_shl(by as u32)
}

/// At most `n` bytes at the front.
#[inline]
fn up_to(bytes: &mut [u8], n: usize) -> &mut [u8] {
    let n = n.min(bytes.len());
    bytes.get_mut(..n).unwrap_or_default()
}

// What inflating costs beside the caller's buffer is known when it is compiled.
const _: () = assert!(size_of::<Inflate>() <= 1792);
