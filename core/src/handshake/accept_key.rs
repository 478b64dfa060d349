//! The value of Sec-WebSocket-Accept, and the Base64 of the client's nonce.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1_smol::Sha1;

/// The value of Sec-WebSocket-Accept that answers a Sec-WebSocket-Key: 28 bytes of ASCII.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
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
        let mut joined = [0; 60];
        for (to, from) in joined.iter_mut().zip(key.iter().chain(GUID)) {
            *to = *from;
        }
        let mut sha = Sha1::new();
        sha.update(&joined);
        let mut text = [0; 28];
        let _ = STANDARD.encode_slice(sha.digest().bytes(), &mut text);
        AcceptKey(text)
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
    let _ = STANDARD.encode_slice(nonce, &mut text);
    text
}

/// RFC 6455 section 1.3.
const GUID: &[u8; 36] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
