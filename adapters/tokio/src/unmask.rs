//! Unmasking with AVX2 where the processor has it: the function of the core, compiled once more.
//!
//! The core may not ask for instructions that not every x86-64 has, for that takes `unsafe`.

use wirelet::frame::{Mask, Unmask};

/// The widest vectors there are; up to a few hundred bytes those that there always are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Widest;

/// Bytes from which on it pays to look for the better form.
#[cfg(target_arch = "x86_64")]
const LONG: usize = 512;

impl Unmask for Widest {
    #[inline]
    fn apply(self, mask: &mut Mask, payload: &mut [u8]) {
        #[cfg(target_arch = "x86_64")]
        if payload.len() >= LONG && std::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2.
            #[allow(unsafe_code)]
            return unsafe { avx2::apply(mask, payload) };
        }
        mask.apply(payload);
    }

    #[inline]
    fn apply_text(self, mask: &mut Mask, payload: &mut [u8]) -> bool {
        #[cfg(target_arch = "x86_64")]
        if payload.len() >= LONG && std::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2.
            #[allow(unsafe_code)]
            return unsafe { avx2::apply_text(mask, payload) };
        }
        mask.apply_text(payload)
    }
}

/// What is in here can be called only where AVX2 was found.
#[cfg(target_arch = "x86_64")]
mod avx2 {
    use wirelet::frame::Mask;

    #[target_feature(enable = "avx2")]
    pub(super) fn apply(mask: &mut Mask, payload: &mut [u8]) {
        let (front, aligned) = split(payload);
        unaligned(mask, front);
        mask.apply(aligned);
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn apply_text(mask: &mut Mask, payload: &mut [u8]) -> bool {
        let (front, aligned) = split(payload);
        unaligned(mask, front) & mask.apply_text(aligned)
    }

    /// A few bytes, and the rest from where a vector begins: on payload that lies across two
    /// vectors, which is nearly all, these would gain nothing.
    fn split(payload: &mut [u8]) -> (&mut [u8], &mut [u8]) {
        let front = payload.as_ptr().align_offset(32).min(payload.len());
        payload.split_at_mut(front)
    }

    #[inline(never)]
    fn unaligned(mask: &mut Mask, payload: &mut [u8]) -> bool {
        mask.apply_text(payload)
    }
}

#[cfg(test)]
mod tests {
    use wirelet::frame::{Mask, Unmask};

    use super::Widest;

    #[test]
    fn equals_the_safe_form_for_every_alignment_and_size_around_the_limits() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        let sizes = (0..70).chain(500..600).chain([4096, 65_537]);
        for size in sizes {
            for offset in 0..33 {
                // ASCII after unmasking, but for one byte in a while.
                let mut wide: Vec<u8> = (0..offset + size).map(|i| i as u8 % 128).collect();
                if size % 3 == 1 {
                    wide[offset + size * 7 / 8] |= 0x80;
                }
                Mask::new(key).apply(&mut wide[offset..]);
                let mut safe = wide.clone();

                // The rest of the payload goes on where the first piece ended.
                let (mut a, mut b) = (Mask::new(key), Mask::new(key));
                let ascii = Widest.apply_text(&mut a, &mut wide[offset..]);
                let judge = b.apply_text(&mut safe[offset..]);
                assert_eq!((ascii, a), (judge, b), "{size} bytes at {offset}");
                assert_eq!(ascii, size % 3 != 1, "{size} bytes at {offset}");
                assert_eq!(wide, safe, "{size} bytes at {offset}");

                Widest.apply(&mut a, &mut wide[offset..]);
                b.apply(&mut safe[offset..]);
                assert_eq!((wide, a), (safe, b), "{size} bytes at {offset}");
            }
        }
    }
}
