//! SHA-1 (RFC 3174) of the one message the handshake hashes, for a microcontroller.
//!
//! It has 60 bytes, so it is two blocks with padding that is known, and nothing is buffered. Loops, where
//! libraries unroll: the design says what that gains. The RFC uses SHA-1 to tell a WebSocket server from
//! others, not for security (RFC 6455 section 10.8).

/// The digest of 60 bytes.
pub(super) fn digest(front: &[u8; 24], back: &[u8; 36]) -> [u8; 20] {
    // RFC 3174 section 4: a one behind the message, zeros, and in the last two words its length in bits.
    // Not cleared before: that would bring a function for it, of 170 bytes of flash.
    let mut words: Words = core::array::from_fn(|_| 1 << 31);
    let message = front.as_chunks().0.iter().chain(back.as_chunks().0);
    for (word, bytes) in words.split_at_mut(16).1.iter_mut().zip(message) {
        *word = u32::from_be_bytes(*bytes);
    }
    let mut state = START;
    block(&mut state, &mut words);
    for (t, word) in words.split_at_mut(16).1.iter_mut().take(16).enumerate() {
        *word = if t == 15 { 480 } else { 0 };
    }
    block(&mut state, &mut words);
    let byte = |i: usize| {
        let word = state.get(i / 4).copied().unwrap_or_default();
        word.to_be_bytes().get(i % 4).copied().unwrap_or_default()
    };
    core::array::from_fn(byte)
}

/// W(t) of RFC 3174 section 6.1 for 20 rounds, behind the 16 before them. All 80 would be 176 bytes of stack more.
type Words = [u32; 36];

/// RFC 3174 section 6.1. The block is the 16 words behind the first 16.
#[inline(never)]
fn block(state: &mut [u32; 5], words: &mut Words) {
    let mut v = *state;
    expand::<32>(words);
    v = rounds(v, words, 0x5a82_7999, |b, c, d| d ^ (b & (c ^ d)));
    next(words);
    v = rounds(v, words, 0x6ed9_eba1, |b, c, d| b ^ c ^ d);
    next(words);
    v = rounds(v, words, 0x8f1b_bcdc, |b, c, d| (b & c) | (d & (b | c)));
    next(words);
    v = rounds(v, words, 0xca62_c1d6, |b, c, d| b ^ c ^ d);
    for (state, v) in state.iter_mut().zip(v) {
        *state = state.wrapping_add(v);
    }
}

/// The 20 words after these.
#[inline(never)]
fn next(words: &mut Words) {
    let (front, back) = words.split_at_mut(20);
    for (to, from) in front.iter_mut().zip(back) {
        *to = *from;
    }
    expand::<16>(words);
}

/// RFC 3174 section 6.1 step b, for the words from this one on.
#[inline(always)]
#[expect(
    clippy::indexing_slicing,
    reason = "constant bounds, so no check is left: `cargo verify size` counts them"
)]
fn expand<const FROM: usize>(words: &mut Words) {
    for t in FROM..36 {
        let word = words[t - 3] ^ words[t - 8] ^ words[t - 14] ^ words[t - 16];
        words[t] = word.rotate_left(1);
    }
}

#[inline(always)]
fn rounds(v: [u32; 5], words: &Words, k: u32, f: impl Fn(u32, u32, u32) -> u32) -> [u32; 5] {
    let [mut a, mut b, mut c, mut d, mut e] = v;
    for word in words.split_at(16).1 {
        let next = a
            .rotate_left(5)
            .wrapping_add(f(b, c, d))
            .wrapping_add(e)
            .wrapping_add(k)
            .wrapping_add(*word);
        (a, b, c, d, e) = (next, a, b.rotate_left(30), c, d);
    }
    [a, b, c, d, e]
}

const START: [u32; 5] = [
    0x6745_2301,
    0xefcd_ab89,
    0x98ba_dcfe,
    0x1032_5476,
    0xc3d2_e1f0,
];

#[cfg(test)]
mod tests {
    #[test]
    fn equals_the_library() {
        for seed in 0..1000_usize {
            let byte = |i: usize| (i * i + i * seed + seed * seed / 7) as u8;
            let front: [u8; 24] = core::array::from_fn(byte);
            let back: [u8; 36] = core::array::from_fn(|i| byte(i + 24));
            let mut library = sha1_smol::Sha1::new();
            library.update(&front);
            library.update(&back);
            assert_eq!(
                super::digest(&front, &back),
                library.digest().bytes(),
                "{seed}"
            );
        }
    }
}
