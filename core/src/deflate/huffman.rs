//! Huffman codes (RFC 1951 section 3.2.2) in bounded memory.

/// A code for up to `SYMBOLS` symbols. `FAST` is a power of two: codes of so many bits are found in
/// one look, longer ones bit by bit.
///
/// A canonical code is known by how many codes there are of each length, and by its symbols in the
/// order of their codes: two bytes a symbol, whatever the lengths are.
#[derive(Clone, Debug)]
pub(super) struct Code<const SYMBOLS: usize, const FAST: usize> {
    /// How many codes have this length, in bits.
    counts: [u16; LENGTHS],
    /// The symbols in the order of their codes.
    symbols: [u16; SYMBOLS],
    /// For the next bits of the stream: the symbol times 16 and the length of its code. 0: longer,
    /// or none.
    fast: [u16; FAST],
}

/// A symbol and the bits of its code.
pub(super) enum Decoded {
    Symbol(u16, u8),
    /// The code needs more bits than are there.
    More,
    /// No code begins like this.
    Invalid,
}

impl<const SYMBOLS: usize, const FAST: usize> Code<SYMBOLS, FAST> {
    /// A code without symbols.
    pub(super) const fn new() -> Self {
        Self {
            counts: [0; LENGTHS],
            symbols: [0; SYMBOLS],
            fast: [0; FAST],
        }
    }

    /// Takes the length of each symbol's code, 0 to 15, 0 for none. `false`: there is no such
    /// code, or it leaves bits without a meaning.
    ///
    /// RFC 1951 section 3.2.7: a single distance may have a code of one bit, of which one is not
    /// used, and there may be none. zlib takes that for literals, too; unless `whole`, so do we.
    pub(super) fn build(&mut self, lengths: &[u8], whole: bool) -> bool {
        if !count(lengths, whole, &mut self.counts) {
            return false;
        }
        sort(lengths, &self.counts, &mut self.symbols);
        spread(&self.counts, &self.symbols, &mut self.fast);
        true
    }

    /// The symbol whose code the next bits begin with, and its length: all 15 are there.
    #[cfg(target_pointer_width = "64")]
    #[inline]
    pub(super) fn find(&self, bits: u16) -> Option<(u16, u8)> {
        match self.decode(bits, 15) {
            Decoded::Symbol(symbol, len) => Some((symbol, len)),
            Decoded::More | Decoded::Invalid => None,
        }
    }

    /// The symbol whose code the next `have` bits begin with.
    #[inline]
    pub(super) fn decode(&self, bits: u16, have: u8) -> Decoded {
        let index = usize::from(bits) & FAST.saturating_sub(1);
        let entry = self.fast.get(index).copied().unwrap_or(0);
        let [low, _] = entry.to_le_bytes();
        match low & 15 {
            0 => decode_slow(&self.counts, &self.symbols, bits, have),
            len if len <= have => Decoded::Symbol(entry >> 4, len),
            _ => Decoded::More,
        }
    }
}

// What follows works on slices, so that it is there once and not for each size of code.

/// How many codes there are of each length; `false` if they make no code.
fn count(lengths: &[u8], whole: bool, counts: &mut [u16; LENGTHS]) -> bool {
    *counts = [0; LENGTHS];
    for &len in lengths.iter().filter(|&&len| len > 0) {
        if let Some(count) = counts.get_mut(usize::from(len)) {
            *count = count.saturating_add(1);
        }
    }
    // Codes of the current length that are not in use yet.
    let mut left: u32 = 1;
    let mut longest = 0;
    for (len, &count) in (1..16_u8).zip(counts.iter().skip(1)) {
        let Some(rest) = left.saturating_mul(2).checked_sub(count.into()) else {
            return false;
        };
        left = rest;
        longest = if count > 0 { len } else { longest };
    }
    left == 0 || !(whole || longest > 1)
}

/// The symbols by the length of their codes, and those of one length in their own order.
fn sort(lengths: &[u8], counts: &[u16; LENGTHS], symbols: &mut [u16]) {
    let mut places = [0_u16; LENGTHS];
    let mut next = 0_u16;
    for (place, &count) in places.iter_mut().zip(counts) {
        *place = next;
        next = next.saturating_add(count);
    }
    for (symbol, &len) in (0..u16::MAX).zip(lengths) {
        if len > 0
            && let Some(place) = places.get_mut(usize::from(len))
        {
            if let Some(slot) = symbols.get_mut(usize::from(*place)) {
                *slot = symbol;
            }
            *place = place.saturating_add(1);
        }
    }
}

/// Fills the table of short codes. In the stream the first bit of a code is the lowest.
fn spread(counts: &[u16; LENGTHS], symbols: &[u16], fast: &mut [u16]) {
    fast.fill(0);
    let mut symbols = symbols.iter();
    let mut code = 0_u16;
    for (len, &count) in (0..16_u16).zip(counts) {
        let step = 1_usize.checked_shl(len.into()).unwrap_or(usize::MAX);
        if step > fast.len() {
            return;
        }
        for &symbol in symbols.by_ref().take(count.into()) {
            let reversed = code.reverse_bits().checked_shr(u32::from(16 - len.min(16)));
            let mut at = usize::from(reversed.unwrap_or(0));
            while let Some(slot) = fast.get_mut(at) {
                *slot = symbol << 4 | len;
                at = at.saturating_add(step);
            }
            code = code.wrapping_add(1);
        }
        code = code.wrapping_shl(1);
    }
}

/// Bit by bit.
#[cold]
fn decode_slow(counts: &[u16; LENGTHS], symbols: &[u16], mut bits: u16, have: u8) -> Decoded {
    // The code so far; the first code of this length; its symbol's place.
    let (mut code, mut first, mut index) = (0_u16, 0_u16, 0_u16);
    for (len, &count) in (1..16_u8).zip(counts.iter().skip(1)) {
        if len > have {
            return Decoded::More;
        }
        code |= bits & 1;
        bits >>= 1;
        let place = code.wrapping_sub(first);
        if place < count {
            let at = usize::from(index.wrapping_add(place));
            return match symbols.get(at) {
                Some(&symbol) => Decoded::Symbol(symbol, len),
                None => Decoded::Invalid,
            };
        }
        index = index.wrapping_add(count);
        first = first.wrapping_add(count).wrapping_shl(1);
        code = code.wrapping_shl(1);
    }
    Decoded::Invalid
}

/// Lengths of codes are 0 to 15 bits.
const LENGTHS: usize = 16;
