//! The value of Sec-WebSocket-Accept, and the Base64 of the client's nonce.

use sha1_smol::Sha1;

/// The value of Sec-WebSocket-Accept that answers a Sec-WebSocket-Key: 28 bytes of ASCII.
// Aligned, as a copy that is not takes a Cortex-M 100 instructions.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[repr(align(4))]
pub struct AcceptKey([u8; 28]);

impl AcceptKey {
    /// Computes the answer to a key (RFC 6455 section 4.2.2 step 5.4).
    ///
    /// `key` is the header's value, without white space around it. It is not decoded.
    ///
    /// ```
    /// use wirelet::handshake::AcceptKey;
    ///
    /// let key = AcceptKey::of(b"dGhlIHNhbXBsZSBub25jZQ==");
    /// assert_eq!(key.as_str(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    /// ```
    pub fn of(key: &[u8; 24]) -> Self {
        let mut sha = Sha1::new();
        {
            // Gone before the last block is made, which then takes its place on the stack.
            let mut joined = *KEY_AND_GUID;
            if let Some(front) = joined.first_chunk_mut() {
                *front = *key;
            }
            sha.update(&joined);
        }
        let mut key = AcceptKey([0; 28]);
        base64(&sha.digest().bytes(), &mut key.0);
        key
    }

    /// The header's value.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The header's value.
    pub fn as_bytes(&self) -> &[u8; 28] {
        &self.0
    }
}

/// The value of Sec-WebSocket-Key for a nonce (RFC 6455 section 4.1 item 7).
pub(super) fn key_of(nonce: &[u8; 16]) -> [u8; 24] {
    let mut text = [0; 24];
    base64(nonce, &mut text);
    text
}

/// RFC 4648 section 4. Written here because no form of the `base64` crate is free of panics.
fn base64(bytes: &[u8], text: &mut [u8]) {
    for (group, digits) in bytes.chunks(3).zip(text.as_chunks_mut().0) {
        let byte = |at| group.get(at).copied().unwrap_or(0);
        let bits = u32::from_be_bytes([0, byte(0), byte(1), byte(2)]);
        let digit = |shift: u32| {
            let digit = usize::try_from(bits >> shift & 63).unwrap_or_default();
            DIGITS.get(digit).copied().unwrap_or_default()
        };
        // One digit more than there are bytes; the others are padding.
        let third = if group.len() > 1 { digit(6) } else { b'=' };
        let fourth = if group.len() > 2 { digit(0) } else { b'=' };
        *digits = [digit(18), digit(12), third, fourth];
    }
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Room for the key, then the GUID of RFC 6455 section 1.3.
const KEY_AND_GUID: &[u8; 60] = b"\
    ........................258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn base64_equals_that_of_the_crate() {
        let bytes: [u8; 48] = core::array::from_fn(|i| (i * 37 + 11) as u8);
        for len in 0..=bytes.len() {
            let (mut ours, mut theirs) = ([0; 64], [0; 64]);
            let size = STANDARD.encode_slice(&bytes[..len], &mut theirs).unwrap();
            super::base64(&bytes[..len], &mut ours[..size]);
            assert_eq!(ours, theirs, "{len} bytes");
        }
    }
}
