//! The bits of the stream, least significant first (RFC 1951 section 3.1.1).

/// Bits that were read and not used yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bits {
    /// The next bit is the lowest. Above `count` all are 0.
    buffer: u32,
    count: u8,
}

impl Bits {
    pub(super) const NONE: Self = Self {
        buffer: 0,
        count: 0,
    };

    /// Reads on, to 25 bits or more: each step needs 16 at most, so that whoever is short of bits
    /// afterwards has seen all the input.
    #[inline]
    pub(super) fn refill(&mut self, input: &mut &[u8]) {
        if self.count > 24 {
            return;
        }
        if let Some(word) = input.first_chunk::<4>() {
            let whole = 32_u8.wrapping_sub(self.count) / 8;
            let count = self.count.wrapping_add(whole.wrapping_mul(8));
            let all = u32::from_le_bytes(*word);
            let buffer = self.buffer | all.wrapping_shl(self.count.into());
            // The part of a byte that hangs over stays in the input.
            self.buffer = buffer & u32::MAX.wrapping_shr(32_u32.wrapping_sub(count.into()));
            self.count = count;
            *input = input.get(usize::from(whole)..).unwrap_or_default();
            return;
        }
        while self.count <= 24
            && let Some((&byte, rest)) = input.split_first()
        {
            self.buffer |= u32::from(byte).wrapping_shl(self.count.into());
            self.count = self.count.wrapping_add(8);
            *input = rest;
        }
    }

    /// The next bits; those that are not there count as 0.
    #[inline]
    pub(super) const fn peek(self) -> u16 {
        let [low, high, ..] = self.buffer.to_le_bytes();
        u16::from_le_bytes([low, high])
    }

    /// All bits that were read and not used yet.
    #[cfg(target_pointer_width = "64")]
    pub(super) const fn peek_all(self) -> u32 {
        self.buffer
    }

    /// Takes the lowest `count` of these, at most 32.
    #[cfg(target_pointer_width = "64")]
    pub(super) fn set(&mut self, bits: u64, count: u8) {
        let bits = bits & 1_u64.wrapping_shl(count.into()).wrapping_sub(1);
        self.buffer = u32::try_from(bits).unwrap_or(0);
        self.count = count;
    }

    #[inline]
    pub(super) const fn count(self) -> u8 {
        self.count
    }

    /// Uses up `n` bits, at most 16, that are there.
    #[inline]
    pub(super) fn skip(&mut self, n: u8) {
        self.buffer = self.buffer.wrapping_shr(n.into());
        self.count = self.count.saturating_sub(n);
    }

    /// The next `n` bits, at most 16, if that many are there.
    #[inline]
    pub(super) fn take(&mut self, n: u8) -> Option<u16> {
        if self.count < n {
            return None;
        }
        let bits = self.peek()
            & u16::MAX
                .checked_shr(16_u32.wrapping_sub(n.into()))
                .unwrap_or(0);
        self.skip(n);
        Some(bits)
    }

    /// Drops what is left of a byte.
    #[inline]
    pub(super) fn align(&mut self) {
        self.skip(self.count & 7);
    }
}
