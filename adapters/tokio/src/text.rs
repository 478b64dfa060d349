//! Text is checked once, while it is unmasked, not once more to make a `&str` of it, which takes
//! `unsafe`. The only other place that has any is `unmask.rs`.

/// Payload of a text message as a `&str`.
///
/// Only for bytes that the core's `Receiver`, or its `Inflater`, handed out as a whole text message,
/// or that were a `str` before: all are UTF-8. A second check would more than double the time of
/// receiving 1 KiB of ASCII, 45 ns on top of 39; for 20 bytes it is 4.7 on top of 7.1
/// (`cargo bench --manifest-path tests/benches/Cargo.toml --bench codec`).
#[inline]
pub(crate) fn checked(payload: &[u8]) -> &str {
    debug_assert!(std::str::from_utf8(payload).is_ok());
    // SAFETY: the callers, all in `message.rs`, pass payload of whole text messages: receiver and
    // inflater refuse a message that is not UTF-8 (RFC 6455 section 8.1) before its last piece is handed
    // out, and nobody has written to the buffer since; or payload made of a `String`.
    #[allow(unsafe_code)]
    unsafe {
        std::str::from_utf8_unchecked(payload)
    }
}

#[cfg(test)]
mod tests {
    use super::checked;

    #[test]
    fn equals_the_safe_form() {
        for text in ["", "a", "κόσμε", "世界", "🌍", "\0\u{7f}\u{80}\u{10ffff}"] {
            assert_eq!(
                checked(text.as_bytes()),
                std::str::from_utf8(text.as_bytes()).unwrap()
            );
        }
    }
}
