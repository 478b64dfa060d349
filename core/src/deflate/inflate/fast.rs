//! Literals and matches in one loop, where a register has 64 bits: a word of input is enough for a
//! whole match, so nothing between two symbols is written down.

use super::{Base, Inflate, distance_base, length_base};

impl Inflate {
    /// Inflates while there is plenty of input and of room. Each symbol is used up as a whole or not
    /// at all: the end of a block, and what is wrong, is left to the steps of one code each.
    pub(super) fn fast(&mut self, input: &mut &[u8], out: &mut [u8], at: &mut usize) {
        let window = self.window();
        let mut word = Word::of(self.bits.peek_all(), self.bits.count());
        let mut read = 0;
        while out.len().wrapping_sub(*at) >= ROOM && *at < out.len() {
            if word.count < MATCH && !word.refill(input, &mut read) {
                break;
            }
            let Some((symbol, len)) = self.literals.find(word.low()) else {
                break;
            };
            if symbol < 256 {
                let [byte, _] = symbol.to_le_bytes();
                if let Some(slot) = out.get_mut(*at) {
                    *slot = byte;
                }
                *at = at.wrapping_add(1);
                word.skip(len);
                continue;
            }
            let mut behind = word;
            behind.skip(len);
            let Some(&(base, extra)) = LENGTHS.get(usize::from(symbol.wrapping_sub(257))) else {
                break;
            };
            let len = base.wrapping_add(behind.take(extra));
            let Some((symbol, bits)) = self.distances.find(behind.low()) else {
                break;
            };
            behind.skip(bits);
            let Some(&(base, extra)) = DISTANCES.get(usize::from(symbol)) else {
                break;
            };
            let distance = usize::from(base.wrapping_add(behind.take(extra)));
            if distance > window || !copy(out, *at, distance, usize::from(len)) {
                break;
            }
            *at = at.wrapping_add(len.into());
            word = behind;
        }
        // Whole bytes that were read and not used go back; those that came with the bits stay there.
        let back = read.min(usize::from(word.count / 8));
        let left = word
            .count
            .wrapping_sub(u8::try_from(back).unwrap_or(0).wrapping_mul(8));
        self.bits.set(word.bits, left);
        *input = input.get(read.wrapping_sub(back)..).unwrap_or_default();
    }
}

/// Bits that were read and not used yet, the next one lowest.
#[derive(Clone, Copy)]
struct Word {
    /// Above `count` there may be bits of the next byte, which are read again with it.
    bits: u64,
    count: u8,
}

impl Word {
    fn of(bits: u32, count: u8) -> Self {
        let bits = bits.into();
        Self { bits, count }
    }

    /// Reads on, to 56 bits or more. `false`: that much is not there.
    #[inline]
    fn refill(&mut self, input: &[u8], read: &mut usize) -> bool {
        let Some(next) = input.get(*read..).and_then(<[u8]>::first_chunk) else {
            return false;
        };
        self.bits |= u64::from_le_bytes(*next).wrapping_shl(self.count.into());
        let whole = 63_u8.wrapping_sub(self.count) / 8;
        *read = read.wrapping_add(whole.into());
        self.count = self.count.wrapping_add(whole.wrapping_mul(8));
        true
    }

    #[inline]
    const fn low(self) -> u16 {
        let [low, high, ..] = self.bits.to_le_bytes();
        u16::from_le_bytes([low, high])
    }

    #[inline]
    fn skip(&mut self, n: u8) {
        self.bits = self.bits.wrapping_shr(n.into());
        self.count = self.count.wrapping_sub(n);
    }

    /// The next `n` bits, at most 13.
    #[inline]
    fn take(&mut self, n: u8) -> u16 {
        let value = self.low() & 1_u16.wrapping_shl(n.into()).wrapping_sub(1);
        self.skip(n);
        value
    }
}

/// Copies a match, in steps that may write beyond its end. `false`: it refers to what is not there.
#[inline]
fn copy(out: &mut [u8], at: usize, distance: usize, len: usize) -> bool {
    let Some(from) = at.checked_sub(distance) else {
        return false;
    };
    if distance >= STEP {
        let mut done = 0;
        while done < len {
            let (from, to) = (from.wrapping_add(done), at.wrapping_add(done));
            let Some(&step) = out.get(from..).and_then(<[u8]>::first_chunk::<STEP>) else {
                return false;
            };
            let Some(to) = out.get_mut(to..).and_then(<[u8]>::first_chunk_mut::<STEP>) else {
                return false;
            };
            *to = step;
            done = done.wrapping_add(STEP);
        }
        return true;
    }
    for to in at..at.wrapping_add(len) {
        // What was copied may be copied again.
        let byte = out.get(to.wrapping_sub(distance)).copied().unwrap_or(0);
        if let Some(slot) = out.get_mut(to) {
            *slot = byte;
        }
    }
    true
}

/// Bytes that are copied at once.
const STEP: usize = 16;

/// Bytes that one symbol may write.
const ROOM: usize = 258 + STEP;

/// Bits that one match may take: 15 and 5 for its length, 15 and 13 for its distance.
const MATCH: u8 = 48;

/// Symbols 257 to 285, as [`super::length_base`] has them.
#[allow(
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::arithmetic_side_effects
)] // while it is compiled
const LENGTHS: [Base; 29] = {
    let mut bases = [(0, 0); 29];
    let mut symbol = 0_u16;
    while symbol < 29 {
        bases[symbol as usize] = length_base(symbol);
        symbol += 1;
    }
    bases
};

/// Symbols 0 to 29, as [`super::distance_base`] has them.
#[allow(
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::arithmetic_side_effects
)] // while it is compiled
const DISTANCES: [Base; 30] = {
    let mut bases = [(0, 0); 30];
    let mut symbol = 0_u16;
    while symbol < 30 {
        bases[symbol as usize] = distance_base(symbol);
        symbol += 1;
    }
    bases
};
