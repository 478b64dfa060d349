//! Numbers that are hard to guess, as far as this board has any.
//!
//! The LM3S6965 has no generator of random numbers. What differs from start to start is the time
//! that things outside take, in cycles of the core: the crystal, the network's answers. That keeps
//! two boards, and two starts, apart. It does not stop somebody who can measure them: a board with a
//! hardware generator uses that, and a product on this chip brings its own source.

use embassy_time::Instant;

/// A generator that time stirs. SplitMix64.
pub(crate) struct Seed(u64);

impl Seed {
    /// Starts from what tells this board from others.
    pub(crate) fn new(address: [u8; 6]) -> Seed {
        let [a, b, c, d, e, f] = address;
        let mut seed = Seed(u64::from_le_bytes([a, b, c, d, e, f, 0, 0]));
        seed.next();
        seed
    }

    /// A number; it depends on every moment at which this was called so far.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0 ^ Instant::now().as_ticks();
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        self.0 ^= mixed.rotate_left(17);
        mixed
    }
}
