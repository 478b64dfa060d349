//! Copies that cannot panic: the standard ones check their bounds, and where the compiler cannot see
//! that they hold, a call of the panic handler stays. And a check for ASCII.

/// Copies as many bytes as both have; tells how many.
#[inline]
pub(crate) fn copy(from: &[u8], to: &mut [u8]) -> usize {
    let n = from.len().min(to.len());
    if let (Some(from), Some(to)) = (from.get(..n), to.get_mut(..n))
        && from.len() == to.len()
    {
        to.copy_from_slice(from);
    }
    n
}

/// Moves `len` bytes at `at` to `to`. They are within the buffer; if not, nothing moves.
#[inline]
pub(crate) fn move_within(buffer: &mut [u8], at: usize, len: usize, to: usize) {
    if let Some(room) = buffer.len().checked_sub(len)
        && at <= room
        && to <= room
        && let Some(end) = at.checked_add(len)
        && at <= end
        && end <= buffer.len()
    {
        buffer.copy_within(at..end, to);
    }
}

/// Whether every byte is ASCII. One copy on a microcontroller, where that of the standard library is larger.
#[cfg_attr(target_pointer_width = "64", inline)]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
pub(crate) fn is_ascii(bytes: &[u8]) -> bool {
    const TOP_BITS: usize = usize::MAX / 255 * 0x80;
    let (words, rest) = bytes.as_chunks();
    let seen = words
        .iter()
        .fold(0, |seen, word| seen | usize::from_ne_bytes(*word));
    seen & TOP_BITS == 0 && rest.iter().all(u8::is_ascii)
}
