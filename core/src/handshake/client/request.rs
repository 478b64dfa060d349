//! The request that asks for a WebSocket.

use super::super::HeaderError;
use super::super::accept_key::key_of;
use super::super::grammar::{is_host, is_target, is_token, repeats};
use super::super::writer::{Writer, check_headers};
use super::Nonce;
use core::fmt;

/// The client's opening handshake (RFC 6455 section 4.1).
///
/// ```
/// use wirelet::handshake::client::Request;
///
/// let nonce = *b"the sample nonce"; // take 16 random bytes
/// let mut out = [0; 256];
/// let written = Request::new("example.com", "/chat").encode(nonce, &mut out)?;
/// assert!(out[..written].starts_with(b"GET /chat HTTP/1.1\r\nHost: example.com\r\n"));
/// # Ok::<(), wirelet::handshake::client::RequestError>(())
/// ```
#[derive(Copy, Clone, Debug)]
pub struct Request<'a> {
    host: &'a str,
    target: &'a str,
    origin: Option<&'a str>,
    protocols: &'a [&'a str],
    headers: &'a [(&'a str, &'a str)],
    #[cfg(feature = "deflate")]
    deflate: &'a [crate::deflate::Offer],
}

impl<'a> Request<'a> {
    /// Asks `host`, a name or address with the port unless it is the default one, for `target`,
    /// a path with perhaps a query.
    pub fn new(host: &'a str, target: &'a str) -> Self {
        Request {
            host,
            target,
            origin: None,
            protocols: &[],
            headers: &[],
            #[cfg(feature = "deflate")]
            deflate: &[],
        }
    }

    /// Names the origin; browsers must, others need not.
    #[must_use]
    pub fn origin(self, origin: &'a str) -> Self {
        let origin = Some(origin);
        Request { origin, ..self }
    }

    /// Offers subprotocols, the favourite first.
    #[must_use]
    pub fn protocols(self, protocols: &'a [&'a str]) -> Self {
        Request { protocols, ..self }
    }

    /// Adds header lines, for example `Authorization`.
    #[must_use]
    pub fn headers(self, headers: &'a [(&'a str, &'a str)]) -> Self {
        Request { headers, ..self }
    }

    /// Offers permessage-deflate, the favourite first; the same offers go to
    /// [`Handshake::deflate`](super::Handshake::deflate).
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn deflate(self, offers: &'a [crate::deflate::Offer]) -> Self {
        let deflate = offers;
        Request { deflate, ..self }
    }

    /// Writes the request to the front of `out`; returns its bytes, at least 140.
    ///
    /// # Errors
    /// What the application set is invalid, or `out` is too small; `out` is then not to be sent.
    #[inline]
    pub fn encode(&self, nonce: Nonce, out: &mut [u8]) -> Result<usize, RequestError> {
        self.validate()?;
        let mut writer = Writer::new(out);
        writer.put(b"GET ");
        writer.put(self.target.as_bytes());
        writer.put(b" HTTP/1.1");
        writer.line("Host", self.host.as_bytes());
        writer.put(b"\r\nUpgrade: websocket\r\nConnection: Upgrade");
        writer.line("Sec-WebSocket-Key", &key_of(&nonce));
        writer.put(b"\r\nSec-WebSocket-Version: 13");
        if let Some(origin) = self.origin {
            writer.line("Origin", origin.as_bytes());
        }
        if !self.protocols.is_empty() {
            writer.list("Sec-WebSocket-Protocol", self.protocols);
        }
        #[cfg(feature = "deflate")]
        for offer in self.deflate {
            // RFC 6455 9.1: several lines are one list.
            writer.line("Sec-WebSocket-Extensions", offer.encode().as_bytes());
        }
        writer.lines(self.headers);
        writer.end();
        writer
            .finish()
            .map_err(|needed| RequestError::BufferTooSmall { needed })
    }

    fn validate(&self) -> Result<(), RequestError> {
        if !is_host(self.host.as_bytes()) {
            return Err(RequestError::Host);
        }
        // RFC 6455 3: no fragment.
        let target = self.target.as_bytes();
        if !is_target(target) || !target.starts_with(b"/") || target.contains(&b'#') {
            return Err(RequestError::Target);
        }
        let is_origin = |one: &str| !one.is_empty() && one.bytes().all(|b| b.is_ascii_graphic());
        if !self.origin.is_none_or(is_origin) {
            return Err(RequestError::Origin);
        }
        // RFC 6455 4.1 item 10: tokens, none twice.
        let protocols = self.protocols.iter();
        if !protocols.clone().all(|one| is_token(one.as_bytes()))
            || repeats(protocols.map(|one| one.as_bytes()))
        {
            return Err(RequestError::Protocols);
        }
        check_headers(self.headers, &["host", "origin"]).map_err(RequestError::Header)
    }
}

/// Why a request cannot be written.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum RequestError {
    /// The host is not a host with perhaps a port (RFC 9110 section 7.2).
    Host,
    /// The target does not start with a slash, or has a fragment, a blank or a byte that is not
    /// ASCII (RFC 6455 section 3).
    Target,
    /// The origin is empty, or has a blank or a byte that is not ASCII (RFC 6454 section 7.1).
    Origin,
    /// A subprotocol is not a token, or is offered twice (RFC 6455 section 4.1 item 10).
    Protocols,
    /// A header line is invalid.
    Header(HeaderError),
    /// The request takes `needed` bytes.
    BufferTooSmall {
        /// The size of the whole request, in bytes.
        needed: usize,
    },
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RequestError::Host => f.write_str("the host is malformed"),
            RequestError::Target => f.write_str("the target is not a path; encode it first"),
            RequestError::Origin => f.write_str("the origin is malformed"),
            RequestError::Protocols => f.write_str("the subprotocols are not tokens, each once"),
            RequestError::Header(error) => error.fmt(f),
            RequestError::BufferTooSmall { needed } => {
                write!(
                    f,
                    "the buffer is too small; the request takes {needed} bytes"
                )
            }
        }
    }
}

impl core::error::Error for RequestError {}
