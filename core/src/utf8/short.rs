//! Text that is too short for SIMD: a state machine that takes one load and one shift a byte.
//!
//! `simdutf8` leaves what is below 64 bytes to the standard library, which branches at each character
//! and takes 2.5 times as long on text that is not ASCII.

use super::Utf8;

/// Bytes from which on `simdutf8` is faster.
pub(super) const LIMIT: usize = 64;

/// The table has one row for each byte; a row has, for each state, six bits: what to shift the next
/// row by, so that its lowest six bits are those of the state that follows. Only the shift depends
/// on the byte before.
#[inline(never)]
pub(super) fn is_utf8(bytes: &[u8]) -> bool {
    let mut state = 0;
    for &byte in bytes {
        let Some(row) = ROWS.get(usize::from(byte)) else {
            return false;
        };
        state = row >> (state & 63);
    }
    // The first state: no character is open.
    state & 63 == 0
}

static ROWS: [u64; 256] = table::rows();

/// Made when it is compiled: what would panic does not compile.
#[allow(clippy::indexing_slicing, clippy::as_conversions)]
mod table {
    use super::Utf8;

    pub(super) const fn rows() -> [u64; 256] {
        let mut rows = [0; 256];
        let mut byte = 0;
        while byte < rows.len() {
            rows[byte] = row(byte as u8);
            byte += 1;
        }
        rows
    }

    /// All that [`Utf8`] can be in, at multiples of [`BITS`]; behind them comes [`WRONG`].
    const STATES: [Utf8; 8] = [
        Utf8::NEW,
        state(1, 0x80, 0xbf),
        state(2, 0x80, 0xbf),
        state(3, 0x80, 0xbf),
        state(2, 0xa0, 0xbf),
        state(2, 0x80, 0x9f),
        state(3, 0x90, 0xbf),
        state(3, 0x80, 0x8f),
    ];

    const BITS: usize = 6;

    const WRONG: usize = STATES.len();

    const fn state(missing: u8, low: u8, high: u8) -> Utf8 {
        Utf8 { missing, low, high }
    }

    /// Where each state goes at this byte: by the rules that [`Utf8`] has.
    const fn row(byte: u8) -> u64 {
        let mut row = ((WRONG * BITS) as u64) << (WRONG * BITS);
        let mut from = 0;
        while from < STATES.len() {
            let mut utf8 = STATES[from];
            let to = if utf8.byte(byte) { place(utf8) } else { WRONG };
            row |= ((to * BITS) as u64) << (from * BITS);
            from += 1;
        }
        row
    }

    /// A state that is not among them does not compile.
    const fn place(utf8: Utf8) -> usize {
        let mut at = 0;
        while !matches!(STATES[at], Utf8 { missing, low, high }
            if missing == utf8.missing && low == utf8.low && high == utf8.high)
        {
            at += 1;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::is_utf8;

    #[test]
    fn agrees_with_the_standard_library_on_any_two_bytes_and_what_may_follow() {
        for code in 0..=u16::MAX {
            let [a, b] = code.to_le_bytes();
            for c in [0x7f, 0x80, 0xbf, 0xe2] {
                for bytes in [&[b, c][..], &[a, b, c], &[a, b, c, 0x80]] {
                    let judge = core::str::from_utf8(bytes).is_ok();
                    assert_eq!(is_utf8(bytes), judge, "{bytes:02x?}");
                }
            }
        }
    }
}
