/// A piece of a message or of a control frame. It borrows the input, never the [`Receiver`](crate::Receiver).
#[derive(Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Event<'b> {
    /// What the payload is part of.
    pub what: What,
    /// The bytes of this piece, unmasked. Text is checked up to its last byte; a character may be
    /// cut at the end of a piece that is not the last.
    pub payload: &'b mut [u8],
    /// The first piece of its message, or of its control frame.
    pub start: bool,
    /// The last one.
    pub end: bool,
}

/// What an [`Event`] is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum What {
    /// A data message; `compressed` if RSV1 marked it (RFC 7692 section 6).
    Data {
        /// Text or bytes.
        kind: Kind,
        /// RSV1 was set on the first frame. Always `false` unless it was
        /// [allowed](crate::Receiver::allow_rsv1). The text of such a message is not checked.
        compressed: bool,
    },
    /// A control frame.
    Control(Control),
}

/// What a data message holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Kind {
    /// UTF-8.
    Text,
    /// Bytes.
    Binary,
}

/// What a control frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Control {
    /// The peer ends the connection. The payload is empty, or a valid code and a UTF-8 reason.
    Close,
    /// The peer wants a Pong with this payload.
    Ping,
    /// The peer answers a Ping, or says that it is there.
    Pong,
}
