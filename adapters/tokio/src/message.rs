use std::fmt;
use std::hash::{Hash, Hasher};
#[cfg(feature = "deflate")]
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use wirelet::Kind;

#[cfg(feature = "deflate")]
use crate::deflate::{Compressor, Settings};
use crate::incoming::Piece;
use crate::text;

/// A whole message. Received, it borrows the connection's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Message<'a> {
    /// Text, checked to be UTF-8.
    Text(&'a str),
    /// Bytes.
    Binary(&'a [u8]),
}

impl<'a> Message<'a> {
    pub(crate) fn from_piece(piece: Piece<'a>) -> Self {
        match piece.kind {
            Kind::Text if piece.whole => Self::Text(text::checked(piece.payload)),
            _ => Self::Binary(piece.payload),
        }
    }

    /// Text or bytes.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::Binary(_) => Kind::Binary,
        }
    }

    /// The payload.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// The text; `None` if the message is binary.
    #[must_use]
    pub const fn as_text(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        }
    }
}

impl<'a> From<&'a str> for Message<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Message<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a [u8]> for Message<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Binary(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Message<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Binary(bytes)
    }
}

impl<'a> From<&'a Vec<u8>> for Message<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Self::Binary(bytes)
    }
}

impl<'a> From<&'a Bytes> for Message<'a> {
    fn from(bytes: &'a Bytes) -> Self {
        Self::Binary(bytes)
    }
}

/// A message made ready once, to be sent on any number of connections.
///
/// A clone shares the payload. A large one is never copied again on a server: it leaves behind its
/// header in one vectored write. This is also the item of the [`Stream`](futures_core::Stream) and
/// [`Sink`](futures_sink::Sink) of a connection.
///
/// To connections that compress it goes compressed, and that is done once for all of them that agreed to
/// the same window and have the same settings, whoever is first. It is compressed for itself, also
/// where messages may refer to those before them.
#[derive(Clone)]
pub struct Prepared {
    kind: Kind,
    payload: Bytes,
    #[cfg(feature = "deflate")]
    packed: Arc<Mutex<Vec<Packed>>>,
}

/// How the payload was compressed, whether or not that makes it smaller, and what came out; `None`
/// if it had to be smaller and was not.
#[cfg(feature = "deflate")]
type Packed = (Settings, Option<Bytes>);

impl Prepared {
    /// A text message.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Kind::Text, text.into().into())
    }

    /// A binary message.
    #[must_use]
    pub fn binary(payload: impl Into<Bytes>) -> Self {
        Self::new(Kind::Binary, payload.into())
    }

    fn new(kind: Kind, payload: Bytes) -> Self {
        Self {
            kind,
            payload,
            #[cfg(feature = "deflate")]
            packed: Arc::default(),
        }
    }

    /// The message.
    #[must_use]
    pub fn message(&self) -> Message<'_> {
        match self.kind {
            Kind::Text => Message::Text(text::checked(&self.payload)),
            Kind::Binary => Message::Binary(&self.payload),
        }
    }

    /// The text; `None` if the message is binary.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        self.message().as_text()
    }

    /// The payload, shared.
    #[must_use]
    pub fn into_payload(self) -> Bytes {
        self.payload
    }

    pub(crate) const fn payload(&self) -> &Bytes {
        &self.payload
    }

    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    /// Compressed by itself; `None` if it is better sent as it is.
    #[cfg(feature = "deflate")]
    pub(crate) fn packed(&self, settings: Settings) -> Option<Bytes> {
        let mut packed = self.packed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, found)) = packed.iter().find(|(like, _)| *like == settings) {
            return found.clone();
        }
        let new = Compressor::alone(settings, &self.payload).map(|out| {
            // Shared by all, for as long as the message: no larger than it must be.
            let bytes = Bytes::copy_from_slice(out.as_bytes());
            out.give();
            bytes
        });
        packed.push((settings, new.clone()));
        new
    }
}

impl PartialEq for Prepared {
    fn eq(&self, other: &Self) -> bool {
        self.message() == other.message()
    }
}

impl Eq for Prepared {}

impl Hash for Prepared {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.message().hash(state);
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Prepared").field(&self.message()).finish()
    }
}

impl From<Message<'_>> for Prepared {
    fn from(message: Message<'_>) -> Self {
        let payload = Bytes::copy_from_slice(message.as_bytes());
        Self::new(message.kind(), payload)
    }
}

impl From<String> for Prepared {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<&str> for Prepared {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<Bytes> for Prepared {
    fn from(payload: Bytes) -> Self {
        Self::binary(payload)
    }
}

impl From<Vec<u8>> for Prepared {
    fn from(payload: Vec<u8>) -> Self {
        Self::binary(payload)
    }
}
