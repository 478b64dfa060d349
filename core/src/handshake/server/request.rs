//! What a complete request says.

use super::super::field::Field;
use super::super::grammar::{listed, same, split_once, text, values};
use core::fmt;

/// A request whose head is complete. It borrows the storage of the handshake.
///
/// It need not be a sound handshake: [`Handshake::check`](super::Handshake::check) decides that.
#[derive(Copy, Clone)]
pub struct Request<'a> {
    kept: &'a [u8],
    method: &'a [u8],
    target: &'a [u8],
    is_upgrade: bool,
}

impl<'a> Request<'a> {
    pub(super) fn new(kept: &'a [u8], is_upgrade: bool) -> Self {
        let line = kept.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let (method, target) = split_once(line, b' ').unwrap_or_default();
        Request {
            kept,
            method,
            target,
            is_upgrade,
        }
    }

    /// The method, for example `GET`.
    pub fn method(&self) -> &'a str {
        text(self.method)
    }

    /// The target as it was sent: `/chat?room=1`, or `http://example.com/chat`.
    pub fn target(&self) -> &'a str {
        text(self.target)
    }

    /// The path, not decoded. `/` when an absolute target has none.
    pub fn path(&self) -> &'a str {
        let target = self.path_and_query();
        match split_once(target, b'?').map_or(target, |(path, _)| path) {
            [] => "/",
            path => text(path),
        }
    }

    /// What follows the first `?` of the target, not decoded.
    pub fn query(&self) -> Option<&'a str> {
        split_once(self.path_and_query(), b'?').map(|(_, query)| text(query))
    }

    /// The host and perhaps a port. Empty when the request names none.
    pub fn host(&self) -> &'a str {
        // RFC 9112 3.2.2: the host of an absolute target counts, not that of the header.
        let host = authority(self.target).or_else(|| self.header("host"));
        text(host.unwrap_or_default())
    }

    /// The origin of the page that asks (RFC 6455 section 4.1 item 8). Browsers send it; compare
    /// it before you trust a cookie (section 10.2).
    pub fn origin(&self) -> Option<&'a str> {
        self.header("origin").map(text)
    }

    /// The subprotocols offered, the client's favourite first, all lines joined.
    pub fn protocols(&self) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        listed(self.kept, Field::Protocol.name()).map(text)
    }

    /// The extensions offered with their parameters, all lines joined, for example
    /// `permessage-deflate; client_max_window_bits`.
    pub fn extensions(&self) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        listed(self.kept, Field::Extensions.name()).map(text)
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

    /// Whether it asks for "websocket" at all. If not, it may be answered as plain HTTP.
    pub fn is_upgrade(&self) -> bool {
        self.is_upgrade
    }

    fn path_and_query(&self) -> &'a [u8] {
        match authority(self.target) {
            // RFC 3986 3: the scheme, "://", the authority, the path.
            Some(authority) => split_once(self.target, b'/')
                .and_then(|(_, rest)| rest.get(1..)?.get(authority.len()..))
                .unwrap_or_default(),
            None => self.target,
        }
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No header values: cookies do not belong in a log.
        f.debug_struct("Request")
            .field("method", &self.method())
            .field("target", &self.target())
            .field("is_upgrade", &self.is_upgrade)
            .finish_non_exhaustive()
    }
}

/// The authority of an absolute http or https URI.
pub(super) fn authority(target: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = split_once(target, b':')?;
    let name = b"https".get(..scheme.len()).unwrap_or_default();
    match rest {
        [b'/', b'/', rest @ ..] if name.len() >= 4 && same(scheme, name) => {
            rest.split(|byte| matches!(byte, b'/' | b'?' | b'#')).next()
        }
        _ => None,
    }
}
