//! A bounded writer for heads. Numbers are written by hand: `core::fmt` costs kilobytes of flash.

use super::grammar::{is_field_byte, is_token, same};
use crate::bytes;
use core::fmt;

/// Writes into a slice and counts on past its end, so that the size needed is known.
pub(super) struct Writer<'o> {
    out: &'o mut [u8],
    len: usize,
}

impl<'o> Writer<'o> {
    pub(super) fn new(out: &'o mut [u8]) -> Self {
        Writer { out, len: 0 }
    }

    #[inline(never)]
    pub(super) fn put(&mut self, bytes: &[u8]) {
        bytes::copy(bytes, self.out.get_mut(self.len..).unwrap_or_default());
        self.len = self.len.saturating_add(bytes.len());
    }

    /// Ends a line, and writes a header line but for its end. So the last line and the empty one behind it are
    /// ended by one copy.
    pub(super) fn line(&mut self, name: &str, value: &[u8]) {
        self.put(b"\r\n");
        self.put(name.as_bytes());
        self.put(b": ");
        self.put(value);
    }

    /// Ends a head.
    pub(super) fn end(&mut self) {
        self.put(b"\r\n\r\n");
    }

    pub(super) fn lines(&mut self, headers: &[(&str, &str)]) {
        for (name, value) in headers {
            self.line(name, value.as_bytes());
        }
    }

    /// Like [`line`](Self::line), with a list as value.
    pub(super) fn list(&mut self, name: &str, elements: &[&str]) {
        self.put(b"\r\n");
        self.put(name.as_bytes());
        let mut between: &[u8] = b": ";
        for element in elements {
            self.put(between);
            self.put(element.as_bytes());
            between = b", ";
        }
    }

    pub(super) fn number(&mut self, mut number: usize) {
        let mut digits = [0; 20];
        let mut used: usize = 0;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' | u8::try_from(number % 10).unwrap_or_default();
            used = used.saturating_add(1);
            number /= 10;
            if number == 0 {
                break;
            }
        }
        let start = digits.len().saturating_sub(used);
        self.put(digits.get(start..).unwrap_or_default());
    }

    /// The bytes written, or as an error the bytes that would have been.
    pub(super) fn finish(self) -> Result<usize, usize> {
        if self.len <= self.out.len() {
            Ok(self.len)
        } else {
            Err(self.len)
        }
    }
}

/// Why a header the application wants to send is refused.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum HeaderError {
    /// The name is not a token (RFC 9110 section 5.1).
    Name,
    /// The value has a byte other than HTAB, 0x20 to 0x7e, 0x80 to 0xff (RFC 9110 section 5.5):
    /// with CR or LF it would be read as more headers.
    Value,
    /// The handshake writes this header itself.
    Owned,
}

/// Checks the application's headers; `owned` names those the message writes itself.
pub(super) fn check_headers(headers: &[(&str, &str)], owned: &[&str]) -> Result<(), HeaderError> {
    for (name, value) in headers {
        if !is_token(name.as_bytes()) {
            return Err(HeaderError::Name);
        }
        if !value.bytes().all(is_field_byte) {
            return Err(HeaderError::Value);
        }
        if is_owned(name.as_bytes(), owned) {
            return Err(HeaderError::Owned);
        }
    }
    Ok(())
}

fn is_owned(name: &[u8], owned: &[&str]) -> bool {
    let family = name.get(..PREFIX.len());
    family.is_some_and(|front| same(front, PREFIX))
        || [owned, ALWAYS_OWNED]
            .into_iter()
            .flatten()
            .any(|one| same(one.as_bytes(), name))
}

const PREFIX: &[u8] = b"sec-websocket-";
const ALWAYS_OWNED: &[&str] = &[
    "connection",
    "upgrade",
    "content-length",
    "transfer-encoding",
];

impl HeaderError {
    /// What was wrong and what to do, in one line without a full stop.
    pub const fn message(self) -> &'static str {
        match self {
            HeaderError::Name => "a header name is not a token",
            HeaderError::Value => "a header value has a line end or another control byte",
            HeaderError::Owned => "the handshake writes this header itself; leave it out",
        }
    }
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl core::error::Error for HeaderError {}
