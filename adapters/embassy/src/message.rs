use wirelet::{CloseCode, Connection, Kind};

/// A whole message. Received, it borrows the buffer that was lent to the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Message<'a> {
    /// Text, checked to be UTF-8.
    Text(&'a str),
    /// Bytes.
    Binary(&'a [u8]),
}

impl<'a> Message<'a> {
    pub(crate) fn of(kind: Kind, payload: &'a [u8]) -> Self {
        match (kind, core::str::from_utf8(payload)) {
            (Kind::Text, Ok(text)) => Self::Text(text),
            // The receiver has checked text already.
            _ => Self::Binary(payload),
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

/// A piece of a message, in the memory of the transport, or a copy of what was inflated, for as long
/// as it is looked at.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece<'p> {
    /// Text or bytes. Text is checked up to the last byte of the piece, which may cut a character.
    pub kind: Kind,
    /// The bytes. They may be changed.
    pub payload: &'p mut [u8],
    /// The first piece of its message.
    pub start: bool,
    /// The last one.
    pub end: bool,
}

/// What the peer's Close frame said.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct CloseFrame {
    /// Its code; [`CloseCode::NONE`] if it had none.
    pub code: CloseCode,
    /// Its reason, at most 123 bytes.
    pub reason: heapless::String<123>,
}

impl CloseFrame {
    pub(crate) fn of(connection: &Connection) -> Option<Self> {
        let closed = connection.closed()?;
        Some(Self {
            code: closed.code,
            // Never longer than a control frame lets it be.
            reason: heapless::String::try_from(closed.reason).unwrap_or_default(),
        })
    }
}
