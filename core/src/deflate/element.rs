//! Offers and answers as they stand in Sec-WebSocket-Extensions.

use core::fmt;

use heapless::Vec;

use super::WindowBits;
use crate::handshake::extension;

/// An offer or an answer as it stands on the wire, at most 128 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded(Vec<u8, 128, u8>);

/// What a client offers (RFC 7692 section 7.1): one element of Sec-WebSocket-Extensions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Offer {
    /// `server_no_context_takeover`: the server must compress every message for itself (section
    /// 7.1.1.1).
    pub server_no_context_takeover: bool,
    /// `client_no_context_takeover`: the client will do so, too (section 7.1.1.2).
    pub client_no_context_takeover: bool,
    /// `server_max_window_bits`: the largest window that the server may use (section 7.1.2.1).
    pub server_max_window_bits: Option<WindowBits>,
    /// `client_max_window_bits`: the server may limit the client's window; perhaps the largest that
    /// the client will use anyway (section 7.1.2.2).
    pub client_max_window_bits: Option<Option<WindowBits>>,
}

/// What a server answers (RFC 7692 section 7.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Answer {
    /// `server_no_context_takeover`: the server compresses every message for itself (section
    /// 7.1.1.1).
    pub server_no_context_takeover: bool,
    /// `client_no_context_takeover`: the client must do so, too (section 7.1.1.2).
    pub client_no_context_takeover: bool,
    /// `server_max_window_bits`: the largest window that the server will use (section 7.1.2.1).
    pub server_max_window_bits: Option<WindowBits>,
    /// `client_max_window_bits`: the largest that the client may use (section 7.1.2.2).
    pub client_max_window_bits: Option<WindowBits>,
}

/// Why an element is no offer, or no answer, of permessage-deflate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ParameterError {
    /// It does not follow the grammar (RFC 6455 section 9.1).
    Malformed,
    /// It is another extension.
    OtherExtension,
    /// A parameter that is not one of the four (RFC 7692 section 7.1).
    Unknown,
    /// A parameter is there twice (section 7.1).
    Repeated,
    /// A parameter without the value that it must have.
    ValueMissing,
    /// A parameter with a value that it must not have.
    ValueUnexpected,
    /// Window bits that are not a number from 8 to 15 without leading zeros (section 7.1.2).
    WindowBits,
}

impl Offer {
    /// Reads one element of the client's Sec-WebSocket-Extensions.
    ///
    /// # Errors
    /// Why the element must be declined (section 7.1).
    pub fn parse(element: &str) -> Result<Self, ParameterError> {
        let found = Parameters::parse(element.as_bytes())?;
        Ok(Self {
            server_no_context_takeover: found.server_no_context_takeover,
            client_no_context_takeover: found.client_no_context_takeover,
            server_max_window_bits: valued(found.server_max_window_bits)?,
            client_max_window_bits: found.client_max_window_bits,
        })
    }

    /// The element of Sec-WebSocket-Extensions that makes this offer.
    #[must_use]
    pub fn encode(&self) -> Encoded {
        Parameters {
            server_no_context_takeover: self.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover,
            server_max_window_bits: self.server_max_window_bits.map(Some),
            client_max_window_bits: self.client_max_window_bits,
        }
        .encode()
    }
}

impl Answer {
    /// Reads the element of the server's Sec-WebSocket-Extensions. Whether it answers what was
    /// offered, [`agreement`](super::agreement) tells.
    ///
    /// # Errors
    /// Why the connection must be failed (section 7.1).
    pub fn parse(element: &str) -> Result<Self, ParameterError> {
        Self::parse_bytes(element.as_bytes())
    }

    pub(crate) fn parse_bytes(element: &[u8]) -> Result<Self, ParameterError> {
        let found = Parameters::parse(element)?;
        Ok(Self {
            server_no_context_takeover: found.server_no_context_takeover,
            client_no_context_takeover: found.client_no_context_takeover,
            server_max_window_bits: valued(found.server_max_window_bits)?,
            client_max_window_bits: valued(found.client_max_window_bits)?,
        })
    }

    /// The element of Sec-WebSocket-Extensions that gives this answer.
    #[must_use]
    pub fn encode(&self) -> Encoded {
        Parameters {
            server_no_context_takeover: self.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover,
            server_max_window_bits: self.server_max_window_bits.map(Some),
            client_max_window_bits: self.client_max_window_bits.map(Some),
        }
        .encode()
    }
}

/// The value that must be there if the parameter is.
fn valued(bits: Option<Option<WindowBits>>) -> Result<Option<WindowBits>, ParameterError> {
    match bits {
        Some(None) => Err(ParameterError::ValueMissing),
        Some(bits) => Ok(bits),
        None => Ok(None),
    }
}

/// The four, in an offer or an answer.
#[derive(Default)]
struct Parameters {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<Option<WindowBits>>,
    client_max_window_bits: Option<Option<WindowBits>>,
}

impl Parameters {
    fn parse(element: &[u8]) -> Result<Self, ParameterError> {
        let (name, parameters) = extension::parse(element).ok_or(ParameterError::Malformed)?;
        if name != NAME.as_bytes() {
            return Err(ParameterError::OtherExtension);
        }
        let mut found = Self::default();
        for (name, value) in parameters {
            match name {
                SERVER_TAKEOVER => flag(&mut found.server_no_context_takeover, value)?,
                CLIENT_TAKEOVER => flag(&mut found.client_no_context_takeover, value)?,
                SERVER_BITS => bits(&mut found.server_max_window_bits, value)?,
                CLIENT_BITS => bits(&mut found.client_max_window_bits, value)?,
                _ => return Err(ParameterError::Unknown),
            }
        }
        Ok(found)
    }

    fn encode(&self) -> Encoded {
        let mut out = Vec::new();
        // The capacity is the longest element, so that none of these can be short of room. One by
        // one, as the slot of a connection is filled: no other form links without panics.
        let mut put = |text: &str| {
            for byte in text.bytes() {
                let _ = out.push(byte);
            }
        };
        put(NAME);
        if self.server_no_context_takeover {
            put("; server_no_context_takeover");
        }
        if self.client_no_context_takeover {
            put("; client_no_context_takeover");
        }
        for (name, bits) in [
            ("; server_max_window_bits", self.server_max_window_bits),
            ("; client_max_window_bits", self.client_max_window_bits),
        ] {
            if let Some(bits) = bits {
                put(name);
                if let Some(bits) = bits {
                    put("=");
                    put(bits.text());
                }
            }
        }
        Encoded(out)
    }
}

impl Encoded {
    /// The bytes, all of them ASCII.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The same as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Encoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn flag(seen: &mut bool, value: Option<&[u8]>) -> Result<(), ParameterError> {
    // Section 7.1.1: these have no value.
    if value.is_some() {
        return Err(ParameterError::ValueUnexpected);
    }
    if core::mem::replace(seen, true) {
        return Err(ParameterError::Repeated);
    }
    Ok(())
}

fn bits(seen: &mut Option<Option<WindowBits>>, value: Option<&[u8]>) -> Result<(), ParameterError> {
    let bits = match value {
        Some(value) => Some(window_bits(value).ok_or(ParameterError::WindowBits)?),
        None => None,
    };
    if seen.replace(bits).is_some() {
        return Err(ParameterError::Repeated);
    }
    Ok(())
}

/// RFC 6455 section 9.1: in quotes, what counts is the token without them and their backslashes.
fn window_bits(value: &[u8]) -> Option<WindowBits> {
    let [b'"', inner @ .., b'"'] = value else {
        return WindowBits::parse(value);
    };
    let mut plain = Vec::<u8, 3, u8>::new();
    let mut escaped = false;
    for &byte in inner {
        escaped = byte == b'\\' && !escaped;
        if !escaped && plain.push(byte).is_err() {
            return None;
        }
    }
    WindowBits::parse(&plain)
}

impl ParameterError {
    /// What was wrong, in one line without a full stop.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Malformed => "Sec-WebSocket-Extensions is malformed",
            Self::OtherExtension => "an extension other than permessage-deflate",
            Self::Unknown => "a parameter that permessage-deflate does not have",
            Self::Repeated => "a parameter of permessage-deflate is there twice",
            Self::ValueMissing => "window bits of permessage-deflate without a value",
            Self::ValueUnexpected => "a value for a parameter of permessage-deflate that has none",
            Self::WindowBits => "window bits of permessage-deflate that are not 8 to 15",
        }
    }
}

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl core::error::Error for ParameterError {}

const NAME: &str = "permessage-deflate";
const SERVER_TAKEOVER: &[u8] = b"server_no_context_takeover";
const CLIENT_TAKEOVER: &[u8] = b"client_no_context_takeover";
const SERVER_BITS: &[u8] = b"server_max_window_bits";
const CLIENT_BITS: &[u8] = b"client_max_window_bits";
