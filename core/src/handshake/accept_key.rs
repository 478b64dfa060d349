//! The value of Sec-WebSocket-Accept, and the Base64 of the client's nonce.

/// The value of Sec-WebSocket-Accept that answers a Sec-WebSocket-Key: 28 bytes of ASCII.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
// A copy of aligned bytes is a few words; of others it takes 100 instructions on a Cortex-M.
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
        let digest = digest(key);
        AcceptKey(core::array::from_fn(|i| base64_digit(&digest, i)))
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

/// RFC 6455 section 4.2.2 step 5.4: the SHA-1 of the key and the GUID.
#[cfg(target_pointer_width = "64")]
fn digest(key: &[u8; 24]) -> [u8; 20] {
    // Of one length that is known when it is compiled, so that nothing in the library can panic.
    let mut joined = [0; 60];
    let (front, back) = joined.split_at_mut(key.len());
    front.copy_from_slice(key);
    back.copy_from_slice(GUID);
    let mut sha = sha1_smol::Sha1::new();
    sha.update(&joined);
    sha.digest().bytes()
}

/// RFC 6455 section 4.2.2 step 5.4: the SHA-1 of the key and the GUID.
#[cfg(not(target_pointer_width = "64"))]
fn digest(key: &[u8; 24]) -> [u8; 20] {
    super::sha1::digest(key, GUID)
}

/// The value of Sec-WebSocket-Key for a nonce (RFC 6455 section 4.1 item 7).
pub(super) fn key_of(nonce: &[u8; 16]) -> [u8; 24] {
    core::array::from_fn(|i| base64_digit(nonce, i))
}

/// A digit of the Base64 of some bytes, or of its padding (RFC 4648 section 4). Written here because no form of
/// the `base64` crate is free of panics.
fn base64_digit(bytes: &[u8], i: usize) -> u8 {
    // Digit i is the bits from 6 i on, which are in two bytes at most.
    let at = i / 4 * 3 + i % 4 * 3 / 4;
    let Some(&first) = bytes.get(at) else {
        return b'=';
    };
    let second = bytes.get(at + 1).copied().unwrap_or_default();
    let bits = u16::from_be_bytes([first, second]) >> (10 - i % 4 * 6 % 8);
    let digit = DIGITS.get(usize::from(bits % 64));
    digit.copied().unwrap_or_default()
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// RFC 6455 section 1.3.
const GUID: &[u8; 36] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn base64_equals_that_of_the_crate() {
        let bytes: [u8; 48] = core::array::from_fn(|i| (i * 37 + 11) as u8);
        for len in 0..=bytes.len() {
            let mut theirs = [0; 64];
            let size = STANDARD.encode_slice(&bytes[..len], &mut theirs).unwrap();
            let ours: [u8; 64] = core::array::from_fn(|i| super::base64_digit(&bytes[..len], i));
            assert_eq!(ours[..size], theirs[..size], "{len} bytes");
        }
    }
}
