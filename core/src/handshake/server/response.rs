//! The answers: 101, or anything else.

use super::super::grammar::{is_field_byte, is_token};
use super::super::writer::{Writer, check_headers};
use super::super::{AcceptKey, HeaderError};
use super::Refusal;
use core::fmt;

/// The answer that opens the connection (RFC 6455 section 4.2.2).
#[derive(Copy, Clone, Debug)]
pub struct Response<'a> {
    key: AcceptKey,
    protocol: Option<&'a str>,
    headers: &'a [(&'a str, &'a str)],
    #[cfg(feature = "deflate")]
    deflate: Option<crate::deflate::Answer>,
}

impl<'a> Response<'a> {
    /// Accepts, with the key of [`Handshake::check`](super::Handshake::check).
    pub fn new(key: AcceptKey) -> Self {
        Response {
            key,
            protocol: None,
            headers: &[],
            #[cfg(feature = "deflate")]
            deflate: None,
        }
    }

    /// Selects a subprotocol; it must be one the client offered. Without one, some clients that
    /// did offer give up, browsers among them.
    #[must_use]
    pub fn protocol(self, protocol: &'a str) -> Self {
        let protocol = Some(protocol);
        Response { protocol, ..self }
    }

    /// Adds header lines, for example a cookie.
    #[must_use]
    pub fn headers(self, headers: &'a [(&'a str, &'a str)]) -> Self {
        Response { headers, ..self }
    }

    /// Takes an offer of permessage-deflate, with the answer of
    /// [`Server::answer`](crate::deflate::Server::answer).
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn deflate(self, answer: crate::deflate::Answer) -> Self {
        let deflate = Some(answer);
        Response { deflate, ..self }
    }

    /// Writes the answer to the front of `out`; returns its bytes, 129 and what was added.
    ///
    /// # Errors
    /// What the application set is invalid, or `out` is too small; `out` is then not to be sent.
    #[inline]
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, ResponseError> {
        if self.protocol.is_some_and(|one| !is_token(one.as_bytes())) {
            return Err(ResponseError::Protocol);
        }
        check_headers(self.headers, &[]).map_err(ResponseError::Header)?;
        let mut writer = Writer::new(out);
        writer.put(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
              Connection: Upgrade\r\nSec-WebSocket-Accept: ",
        );
        writer.put(self.key.as_bytes());
        if let Some(protocol) = self.protocol {
            writer.line("Sec-WebSocket-Protocol", protocol.as_bytes());
        }
        #[cfg(feature = "deflate")]
        if let Some(answer) = self.deflate {
            writer.line("Sec-WebSocket-Extensions", answer.encode().as_bytes());
        }
        writer.lines(self.headers);
        writer.end();
        writer.finish().map_err(too_small)
    }
}

/// An answer that does not open a connection: a refusal, a redirect, or a plain page.
///
/// It says `Connection: close`: close the connection when it is written.
#[derive(Copy, Clone, Debug)]
pub struct Rejection<'a> {
    status: u16,
    headers: &'a [(&'a str, &'a str)],
    content_type: &'a str,
    body: &'a [u8],
    /// Bytes of the body that are sent apart from this.
    apart: usize,
    /// Ends the body, for messages that are kept without one.
    end: &'static [u8],
}

impl<'a> Rejection<'a> {
    /// An answer with this status, from 200 to 599, and no body.
    pub fn new(status: u16) -> Self {
        Rejection {
            status,
            headers: &[],
            content_type: "",
            body: &[],
            apart: 0,
            end: &[],
        }
    }

    /// Adds header lines, for example `WWW-Authenticate` or `Location`.
    #[must_use]
    pub fn headers(self, headers: &'a [(&'a str, &'a str)]) -> Self {
        Rejection { headers, ..self }
    }

    /// Sets the body and its media type, for example `text/plain`.
    #[must_use]
    pub fn body(self, content_type: &'a str, body: &'a [u8]) -> Self {
        Rejection {
            content_type,
            body,
            apart: 0,
            end: &[],
            ..self
        }
    }

    /// Declares a body of `len` bytes, which the caller sends behind what is
    /// [encoded](Self::encode): a page that is too large for a buffer, or out of flash.
    #[must_use]
    pub fn body_apart(self, content_type: &'a str, len: usize) -> Self {
        Rejection {
            apart: len,
            ..self.body(content_type, &[])
        }
    }

    /// Writes the answer to the front of `out`; returns its bytes. One made from a [`Refusal`]
    /// takes less than 320.
    ///
    /// # Errors
    /// What the application set is invalid, or `out` is too small; `out` is then not to be sent.
    #[inline]
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, ResponseError> {
        self.validate()?;
        let mut writer = Writer::new(out);
        writer.put(b"HTTP/1.1 ");
        writer.number(self.status.into());
        writer.put(b" ");
        writer.put(reason(self.status).as_bytes());
        match self.status {
            // RFC 6455 4.4 and RFC 9110 15.5.22: the versions, and the protocol, that would do.
            // RFC 9110 7.8: Upgrade is named in Connection, too.
            426 => writer.put(
                b"\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\n\
                  Sec-WebSocket-Version: 13",
            ),
            // RFC 9110 15.5.6: a 405 lists the methods that would do.
            405 => writer.put(b"\r\nConnection: close\r\nAllow: GET"),
            _ => writer.put(b"\r\nConnection: close"),
        }
        if !self.content_type.is_empty() {
            writer.line("Content-Type", self.content_type.as_bytes());
        }
        // RFC 9110 8.6: no Content-Length with 204; with 304 it would be that of another answer.
        if !matches!(self.status, 204 | 304) {
            writer.put(b"\r\nContent-Length: ");
            let len = self.body.len().saturating_add(self.apart);
            writer.number(len.saturating_add(self.end.len()));
        }
        writer.lines(self.headers);
        writer.end();
        writer.put(self.body);
        writer.put(self.end);
        writer.finish().map_err(too_small)
    }

    fn validate(&self) -> Result<(), ResponseError> {
        // RFC 9110 15: three digits; 1xx would not be final, and only 101 opens a connection.
        if !(200..=599).contains(&self.status) {
            return Err(ResponseError::Status);
        }
        // RFC 9110 15.3.5, 15.3.6, 15.4.5: these have no content.
        let has_body = self.apart > 0 || !self.body.is_empty();
        if matches!(self.status, 204 | 205 | 304) && has_body {
            return Err(ResponseError::Body);
        }
        let owned: &[&str] = match self.status {
            405 => &["content-type", "allow"],
            _ => &["content-type"],
        };
        check_headers(self.headers, owned).map_err(ResponseError::Header)?;
        if !self.content_type.bytes().all(is_field_byte) {
            return Err(ResponseError::Header(HeaderError::Value));
        }
        Ok(())
    }
}

impl From<Refusal> for Rejection<'_> {
    /// The status of the refusal, and as body a line of text that says what was wrong.
    fn from(refusal: Refusal) -> Self {
        Rejection {
            end: b"\n",
            ..Rejection::new(refusal.status()).body("text/plain", refusal.message().as_bytes())
        }
    }
}

fn too_small(needed: usize) -> ResponseError {
    ResponseError::BufferTooSmall { needed }
}

/// The usual words for a status (RFC 9110 section 15, RFC 6585); none for others.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        410 => "Gone",
        413 => "Content Too Large",
        414 => "URI Too Long",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

/// Why an answer cannot be written.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ResponseError {
    /// The status is not one from 200 to 599.
    Status,
    /// The status forbids a body (RFC 9110 sections 15.3.5, 15.3.6, 15.4.5).
    Body,
    /// The subprotocol is not a token (RFC 6455 section 4.2.2 step 5.5).
    Protocol,
    /// A header line is invalid.
    Header(HeaderError),
    /// The answer takes `needed` bytes.
    BufferTooSmall {
        /// The size of the whole answer, in bytes.
        needed: usize,
    },
}

impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResponseError::Status => f.write_str("the status is not one from 200 to 599"),
            ResponseError::Body => f.write_str("this status must not have a body"),
            ResponseError::Protocol => f.write_str("the subprotocol is not a token"),
            ResponseError::Header(error) => error.fmt(f),
            ResponseError::BufferTooSmall { needed } => {
                write!(
                    f,
                    "the buffer is too small; the answer takes {needed} bytes"
                )
            }
        }
    }
}

impl core::error::Error for ResponseError {}
