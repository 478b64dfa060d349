use crate::bytes;

#[cfg(any(not(target_pointer_width = "64"), test))]
mod narrow;
#[cfg(target_pointer_width = "64")]
mod wide;

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
    #[inline(always)]
    pub fn apply(&mut self, payload: &mut [u8]) {
        self.xor::<false>(payload);
    }

    /// Like [`apply`](Self::apply), and tells whether all bytes were ASCII afterwards.
    ///
    /// One pass instead of two for text, most of which needs no further check. Apart from
    /// `apply` because the check costs a quarter of the speed on large binary payloads.
    #[inline(always)]
    pub fn apply_text(&mut self, payload: &mut [u8]) -> bool {
        self.xor::<true>(payload)
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

    #[cfg(not(target_pointer_width = "64"))]
    fn xor<const TEXT: bool>(&mut self, payload: &mut [u8]) -> bool {
        narrow::xor(&mut self.key, payload)
    }

    /// The key for the byte `len` further on.
    #[cfg(target_pointer_width = "64")]
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

    #[test]
    fn the_narrow_form_equals_the_naive_one_for_every_length_alignment_and_split() {
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
                for split in 0..=len {
                    let (front, back) = fast.split_at_mut(split);
                    let mut next = u32::from_le_bytes(key);
                    super::narrow::xor(&mut next, front);
                    let ascii = super::narrow::xor(&mut next, back);
                    assert_eq!(fast, slow, "len {len} offset {offset} split {split}");
                    assert_eq!(ascii, slow[split..].is_ascii(), "len {len} split {split}");
                    naive(key, fast);
                }
            }
        }
    }
}
