//! What a complete response says.

use super::super::field::Field;
use super::super::grammar::{text, values};
use core::fmt;

/// A response whose head is complete. It borrows the storage of the handshake.
///
/// It need not accept: [`Handshake::check`](super::Handshake::check) decides that.
#[derive(Copy, Clone)]
pub struct Response<'a> {
    kept: &'a [u8],
    status: u16,
}

impl<'a> Response<'a> {
    pub(super) fn new(kept: &'a [u8], status: u16) -> Self {
        Response { kept, status }
    }

    /// The status: 101 if the server accepts.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The words behind the status, perhaps none; for people only (RFC 9112 section 4). Empty
    /// also when they are not UTF-8.
    pub fn reason(&self) -> &'a str {
        let line = self.kept.split(|&byte| byte == b'\n').next();
        text(line.and_then(|line| line.get(13..)).unwrap_or_default())
    }

    /// The subprotocol the server selected. If it selected none although some were offered, the
    /// connection is open without one.
    pub fn protocol(&self) -> Option<&'a str> {
        self.header(Field::Protocol.name()).map(text)
    }

    /// The value of the first header line with this name, in any case.
    ///
    /// Only lines that were kept are found. Bytes, as a value may hold more than ASCII.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        self.headers(name).next()
    }

    /// The values of all header lines with this name.
    pub fn headers<'h>(
        &self,
        name: &'h str,
    ) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a, 'h> {
        values(self.kept, name)
    }
}

impl fmt::Debug for Response<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No header values: cookies do not belong in a log.
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("reason", &self.reason())
            .finish_non_exhaustive()
    }
}
