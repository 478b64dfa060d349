//! For registers of 64 bits and more.
//!
//! Up to 32 bytes are two words of one size that may overlap in the middle: no loop, no tail. Longer
//! ones are whole words, which the compiler turns into vectors, and one word at the very end that
//! overlaps the last of them.

use super::Mask;

impl Mask {
    /// Masks `payload`, and with `TEXT` tells whether all of it is ASCII now.
    // Always inlined, so that whoever compiles it for other instructions gets them.
    #[inline(always)]
    pub(super) fn xor<const TEXT: bool>(&mut self, payload: &mut [u8]) -> bool {
        self.xor_words::<TEXT>(payload) & 0x8080_8080_8080_8080 == 0
    }

    /// The result is the OR of all words, if asked for.
    #[inline(always)]
    fn xor_words<const OR: bool>(&mut self, payload: &mut [u8]) -> u64 {
        let len = payload.len();
        let seen = match len {
            16.. => self.xor_long::<OR>(payload),
            8.. => {
                let (Some(&head), Some(&tail)) =
                    (payload.first_chunk::<8>(), payload.last_chunk::<8>())
                else {
                    return 0;
                };
                let head = u64::from_le_bytes(head) ^ self.key64(0);
                let tail = u64::from_le_bytes(tail) ^ self.key64(len);
                put(payload.first_chunk_mut(), head.to_le_bytes());
                put(payload.last_chunk_mut(), tail.to_le_bytes());
                head | tail
            }
            4.. => {
                let (Some(&head), Some(&tail)) =
                    (payload.first_chunk::<4>(), payload.last_chunk::<4>())
                else {
                    return 0;
                };
                let head = u32::from_le_bytes(head) ^ self.key;
                let tail = u32::from_le_bytes(tail) ^ self.key_at(len);
                put(payload.first_chunk_mut(), head.to_le_bytes());
                put(payload.last_chunk_mut(), tail.to_le_bytes());
                u64::from(head | tail)
            }
            _ => {
                let mut seen = 0;
                for (byte, key) in payload.iter_mut().zip(self.key.to_le_bytes()) {
                    *byte ^= key;
                    seen |= u64::from(*byte);
                }
                seen
            }
        };
        self.key = self.key_at(len);
        seen
    }

    /// 16 bytes or more.
    #[inline(always)]
    fn xor_long<const OR: bool>(&self, payload: &mut [u8]) -> u64 {
        let (Some(&head), Some(&tail)) = (payload.first_chunk::<16>(), payload.last_chunk::<16>())
        else {
            return 0;
        };
        let key = u128::from(self.key64(0)) << 64 | u128::from(self.key64(0));
        let tail_key = u128::from(self.key64(payload.len()));
        let head = u128::from_le_bytes(head) ^ key;
        let tail = u128::from_le_bytes(tail) ^ (tail_key << 64 | tail_key);
        let mut seen = head | tail;
        if payload.len() > 32 {
            let key = self.key64(0);
            let (words, _) = payload.as_chunks_mut::<8>();
            let mut or = 0;
            for word in words {
                let clear = u64::from_le_bytes(*word) ^ key;
                if OR {
                    or |= clear;
                }
                *word = clear.to_le_bytes();
            }
            seen |= u128::from(or);
        } else {
            put(payload.first_chunk_mut(), head.to_le_bytes());
        }
        put(payload.last_chunk_mut(), tail.to_le_bytes());
        let [a, b] = halves(seen);
        a | b
    }

    #[inline]
    fn key64(&self, len: usize) -> u64 {
        let key = u64::from(self.key_at(len));
        key << 32 | key
    }
}

#[inline]
fn put<const N: usize>(to: Option<&mut [u8; N]>, bytes: [u8; N]) {
    if let Some(to) = to {
        *to = bytes;
    }
}

#[inline]
fn halves(word: u128) -> [u64; 2] {
    let bytes = word.to_le_bytes();
    let (halves, _) = bytes.as_chunks::<8>();
    match halves {
        [a, b] => [u64::from_le_bytes(*a), u64::from_le_bytes(*b)],
        _ => [0, 0],
    }
}
