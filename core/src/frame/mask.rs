use crate::bytes;

/// A masking key and how far it was used (RFC 6455 section 5.3).
///
/// Masking is its own inverse. A payload may come in pieces of any size: each call goes on where
/// the last one ended.
///
/// ```
/// use wirelet::frame::Mask;
/// let mut payload = *b"Hello";
/// Mask::new([0x37, 0xfa, 0x21, 0x3d]).apply(&mut payload); // the example of section 5.7
/// assert_eq!(payload, [0x7f, 0x9f, 0x4d, 0x51, 0x58]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mask {
    /// The key in wire order, rotated so that its first byte is for the next byte of payload.
    key: u32,
}

impl Mask {
    /// A key that was not used yet.
    #[must_use]
    #[inline]
    pub const fn new(key: [u8; 4]) -> Self {
        Self {
            key: u32::from_le_bytes(key),
        }
    }

    /// Masks or unmasks `payload` in place.
    #[inline]
    pub fn apply(&mut self, payload: &mut [u8]) {
        self.xor::<false>(payload);
    }

    /// Like [`apply`](Self::apply), and tells whether all bytes were ASCII afterwards.
    ///
    /// One pass instead of two for text, most of which needs no further check. Apart from
    /// `apply` because the check costs a quarter of the speed on large binary payloads.
    #[inline]
    pub fn apply_text(&mut self, payload: &mut [u8]) -> bool {
        self.xor::<true>(payload) & 0x8080_8080_8080_8080 == 0
    }

    /// Masks `payload` into `out`, as far as both reach.
    #[inline]
    pub fn copy(&mut self, payload: &[u8], out: &mut [u8]) -> usize {
        let len = bytes::copy(payload, out);
        if let Some(out) = out.get_mut(..len) {
            self.apply(out);
        }
        len
    }

    /// The result is the OR of all words, if asked for.
    ///
    /// Up to 32 bytes are two words of one size that may overlap in the middle: no loop, no
    /// tail. Longer ones are whole words, which the compiler turns into vectors, and one word
    /// at the very end that overlaps the last of them.
    #[inline]
    fn xor<const OR: bool>(&mut self, payload: &mut [u8]) -> u64 {
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
    #[inline]
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

    /// The key for the byte `len` further on.
    #[inline]
    const fn key_at(&self, len: usize) -> u32 {
        // Section 5.3: byte i of the payload is masked with byte i modulo 4 of the key.
        match len % 4 {
            0 => self.key,
            1 => self.key.rotate_right(8),
            2 => self.key.rotate_right(16),
            _ => self.key.rotate_right(24),
        }
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

#[cfg(test)]
mod tests {
    use super::Mask;

    /// Section 5.3, word for word.
    fn naive(key: [u8; 4], payload: &mut [u8]) {
        for (i, byte) in payload.iter_mut().enumerate() {
            *byte ^= key[i % 4];
        }
    }

    #[test]
    fn equals_the_naive_form_for_every_length_alignment_and_split() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        for len in 0..150usize {
            for offset in 0..8 {
                let mut fast: [u8; 160] = core::array::from_fn(|i| (i * 7) as u8);
                let mut slow = fast;
                let (fast, slow) = (
                    &mut fast[offset..offset + len],
                    &mut slow[offset..offset + len],
                );
                naive(key, slow);
                for split in [0, 1, 2, 3, 5, len / 2, len] {
                    let split = split.min(len);
                    let mut mask = Mask::new(key);
                    mask.apply(&mut fast[..split]);
                    let ascii = mask.apply_text(&mut fast[split..]);
                    assert_eq!(fast, slow, "len {len} offset {offset} split {split}");
                    assert_eq!(ascii, slow[split..].is_ascii(), "len {len} split {split}");
                    naive(key, fast);
                }
            }
        }
    }
}
