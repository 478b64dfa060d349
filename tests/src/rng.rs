//! Random numbers from a fixed seed: a failing test fails again.

/// SplitMix64: small, and good enough to choose test cases.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The same seed gives the same numbers.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn any(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, which must not be 0.
    pub fn below(&mut self, n: usize) -> usize {
        (self.any() % n as u64) as usize
    }

    /// `true` in `percent` of 100 calls.
    pub fn chance(&mut self, percent: u8) -> bool {
        self.below(100) < usize::from(percent)
    }

    /// One of `items`, which must not be empty.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// `len` random bytes.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.any() as u8).collect()
    }

    /// Where to cut `len` bytes: ascending positions, sometimes one after each byte.
    pub fn cuts(&mut self, len: usize) -> Vec<usize> {
        if self.chance(15) {
            return (1..len).collect();
        }
        let largest = 1 + self.below(len.max(1));
        let mut cuts = Vec::new();
        let mut at = 0;
        loop {
            at += 1 + self.below(largest);
            if at >= len {
                return cuts;
            }
            cuts.push(at);
        }
    }
}
