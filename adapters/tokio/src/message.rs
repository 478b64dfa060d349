use bytes::Bytes;
use wirelet::{Event, Kind, What};

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
    pub(crate) fn from_event(event: Event<'a>) -> Self {
        let whole = event.start && event.end;
        match event.what {
            What::Data {
                kind: Kind::Text,
                compressed: false,
            } if whole => Self::Text(text::checked(event.payload)),
            _ => Self::Binary(event.payload),
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Prepared {
    kind: KindOf,
    payload: Bytes,
}

/// [`Kind`] with a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum KindOf {
    Text,
    Binary,
}

impl Prepared {
    /// A text message.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            kind: KindOf::Text,
            payload: text.into().into(),
        }
    }

    /// A binary message.
    #[must_use]
    pub fn binary(payload: impl Into<Bytes>) -> Self {
        Self {
            kind: KindOf::Binary,
            payload: payload.into(),
        }
    }

    /// The message.
    #[must_use]
    pub fn message(&self) -> Message<'_> {
        match self.kind {
            KindOf::Text => Message::Text(text::checked(&self.payload)),
            KindOf::Binary => Message::Binary(&self.payload),
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
        match self.kind {
            KindOf::Text => Kind::Text,
            KindOf::Binary => Kind::Binary,
        }
    }
}

impl From<Message<'_>> for Prepared {
    fn from(message: Message<'_>) -> Self {
        let kind = match message {
            Message::Text(_) => KindOf::Text,
            Message::Binary(_) => KindOf::Binary,
        };
        Self {
            kind,
            payload: Bytes::copy_from_slice(message.as_bytes()),
        }
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
