//! The decoder of RFC 1951, resumable at every byte.

use core::fmt;

use super::WindowBits;
use super::bits::Bits;
use super::huffman::{Code, Decoded};
use crate::bytes;

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
    window: WindowBits,
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

/// Why data does not inflate. One variant for each rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum InflateError {
    /// A block of type 3 (RFC 1951 section 3.2.3).
    BlockType,
    /// The length of a stored block and its complement do not agree (RFC 1951 section 3.2.4).
    StoredLength,
    /// The lengths of the codes of a dynamic block make no code (RFC 1951 section 3.2.7).
    Codes,
    /// A code that stands for no symbol, or a symbol that is not used (RFC 1951 section 3.2.5).
    Symbol,
    /// A distance that reaches behind the start of the window, or is longer than it (RFC 7692
    /// sections 7.1.2 and 7.2.2).
    Distance,
    /// The message ends inside a block (RFC 7692 section 7.2.1).
    Unfinished,
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
            window,
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

    /// Nothing of a block was read: a message may end here.
    #[must_use]
    pub fn is_between_blocks(&self) -> bool {
        self.state == State::Header && self.bits.count() == 0
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

    /// Section 3.2.6.
    fn fixed_codes(&mut self) -> Result<State, InflateError> {
        if !self.fixed {
            // 288 literals and lengths, then 32 distances.
            for (symbol, len) in (0..320_u16).zip(&mut self.lengths) {
                *len = match symbol {
                    144..=255 => 9,
                    256..=279 => 7,
                    288.. => 5,
                    _ => 8,
                };
            }
            if !self.build(288, 32) {
                return Err(InflateError::Codes);
            }
            self.fixed = true;
        }
        Ok(State::Symbol)
    }

    /// Section 3.2.7: HLIT, HDIST, HCLEN.
    fn sizes(&mut self) -> Result<Option<Step>, InflateError> {
        let Some(bits) = self.bits.take(14) else {
            return Ok(Some(Step::Input));
        };
        let literals = (bits & 31) + 257;
        let distances = (bits >> 5 & 31) + 1;
        // Section 3.2.5: 286 and 287, and distances 30 and 31, never occur.
        if literals > 286 || distances > 30 {
            return Err(InflateError::Codes);
        }
        self.sizes = (literals, distances, (bits >> 10) + 4);
        self.lengths = [0; 320];
        self.fixed = false;
        self.state = State::LengthCodes(0);
        Ok(None)
    }

    fn length_codes(&mut self, read: u16) -> Result<Option<Step>, InflateError> {
        let (.., size) = self.sizes;
        if read < size {
            let Some(len) = self.bits.take(3) else {
                return Ok(Some(Step::Input));
            };
            let [len, _] = len.to_le_bytes();
            let symbol = LENGTH_ORDER.get(usize::from(read)).copied().unwrap_or(0);
            self.put(symbol.into(), len);
            self.state = State::LengthCodes(read.saturating_add(1));
            return Ok(None);
        }
        let (lengths, _) = self.lengths.split_at(LENGTH_ORDER.len());
        if !self.distances.build(lengths, true) {
            return Err(InflateError::Codes);
        }
        self.lengths = [0; 320];
        self.state = State::Lengths(0);
        Ok(None)
    }

    fn lengths(&mut self, read: u16) -> Result<Option<Step>, InflateError> {
        let (literals, distances, _) = self.sizes;
        if read >= literals.saturating_add(distances) {
            return self.dynamic_codes();
        }
        let (bits, have) = (self.bits.peek(), self.bits.count());
        match self.distances.decode(bits, have) {
            Decoded::More => return Ok(Some(Step::Input)),
            Decoded::Invalid => return Err(InflateError::Codes),
            Decoded::Symbol(symbol, len) => {
                self.bits.skip(len);
                self.state = if symbol < 16 {
                    let [len, _] = symbol.to_le_bytes();
                    self.put(read, len);
                    State::Lengths(read.saturating_add(1))
                } else {
                    State::Repeat(read, symbol)
                };
            }
        }
        Ok(None)
    }

    fn repeat(&mut self, read: u16, symbol: u16) -> Result<Option<Step>, InflateError> {
        let (bits, least) = match symbol {
            16 => (2, 3),
            17 => (3, 3),
            _ => (7, 11),
        };
        let Some(more) = self.bits.take(bits) else {
            return Ok(Some(Step::Input));
        };
        let len = match (symbol, read.checked_sub(1)) {
            (16, None) => return Err(InflateError::Codes),
            (16, Some(previous)) => self.lengths.get(usize::from(previous)).copied(),
            _ => Some(0),
        };
        let end = read.saturating_add(least).saturating_add(more);
        let (literals, distances, _) = self.sizes;
        if end > literals.saturating_add(distances) {
            return Err(InflateError::Codes);
        }
        for at in read..end {
            self.put(at, len.unwrap_or(0));
        }
        self.state = State::Lengths(end);
        Ok(None)
    }

    fn dynamic_codes(&mut self) -> Result<Option<Step>, InflateError> {
        let (literals, distances, _) = self.sizes;
        // The block must be able to end: a code for symbol 256.
        let end = self.lengths.get(256).copied().unwrap_or(0);
        if end == 0 || !self.build(literals.into(), distances.into()) {
            return Err(InflateError::Codes);
        }
        self.state = State::Symbol;
        Ok(None)
    }

    /// The codes of both kinds out of their lengths.
    fn build(&mut self, literals: usize, distances: usize) -> bool {
        let Some((literals, rest)) = self.lengths.split_at_checked(literals) else {
            return false;
        };
        let distances = rest.get(..distances).unwrap_or_default();
        self.literals.build(literals, false) && self.distances.build(distances, false)
    }

    fn put(&mut self, at: u16, len: u8) {
        if let Some(slot) = self.lengths.get_mut(usize::from(at)) {
            *slot = len;
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

    /// Section 3.2.5, the first table: lengths 3 to 258.
    #[inline]
    fn length(&mut self, symbol: u16) -> Option<Step> {
        let (base, extra) = match symbol {
            0..8 => (3 + symbol, 0),
            28.. => (258, 0),
            _ => {
                let extra = (symbol / 4).wrapping_sub(1);
                let base = (4 + symbol % 4).wrapping_shl(extra.into());
                (base.wrapping_add(3), extra)
            }
        };
        let Some(more) = self.bits.take(extra.to_le_bytes()[0]) else {
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

    /// Section 3.2.5, the second table: distances 1 to 32,768.
    #[inline]
    fn distance_bits(
        &mut self,
        len: u16,
        symbol: u16,
        behind: usize,
    ) -> Result<Option<Step>, InflateError> {
        let (base, extra) = match symbol {
            0..4 => (1 + symbol, 0),
            _ => {
                let extra = (symbol / 2).wrapping_sub(1);
                let base = (2 + symbol % 2).wrapping_shl(extra.into());
                (base.wrapping_add(1), extra)
            }
        };
        let Some(more) = self.bits.take(extra.to_le_bytes()[0]) else {
            return Ok(Some(Step::Input));
        };
        let distance = base.wrapping_add(more);
        // RFC 7692 section 7.2.2, and the window of section 7.1.2.
        if usize::from(distance) > behind.min(self.window.bytes()) {
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

/// At most `n` bytes at the front.
#[inline]
fn up_to(bytes: &mut [u8], n: usize) -> &mut [u8] {
    let n = n.min(bytes.len());
    bytes.get_mut(..n).unwrap_or_default()
}

impl InflateError {
    /// What was wrong, in at most 123 bytes, so that it fits a Close frame as its reason.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::BlockType => "DEFLATE block of type 3 (RFC 1951 section 3.2.3)",
            Self::StoredLength => "DEFLATE stored length is damaged (RFC 1951 section 3.2.4)",
            Self::Codes => "DEFLATE code lengths make no code (RFC 1951 section 3.2.7)",
            Self::Symbol => "DEFLATE code without a meaning (RFC 1951 section 3.2.5)",
            Self::Distance => "DEFLATE distance beyond the window (RFC 7692 section 7.2.2)",
            Self::Unfinished => "the message ends inside a DEFLATE block (RFC 7692 section 7.2.1)",
        }
    }
}

impl fmt::Display for InflateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl core::error::Error for InflateError {}

/// Section 3.2.7: the order in which the lengths of the codes of the lengths come.
const LENGTH_ORDER: [u8; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

// What inflating costs beside the caller's buffer is known when it is compiled.
const _: () = assert!(size_of::<Inflate>() <= 1792);
