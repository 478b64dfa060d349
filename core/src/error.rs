use core::fmt;

use crate::CloseCode;

/// The peer broke a rule: the connection is over.
///
/// One variant for each rule. A [`Receiver`](crate::Receiver) that returned one returns it for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Error {
    /// RSV1, RSV2 or RSV3 is set and no extension gave it a meaning (section 5.2).
    ReservedBit,
    /// Opcode 3 to 7 or 11 to 15 (section 5.2).
    ReservedOpcode,
    /// A client's frame is not masked (section 5.1).
    MaskMissing,
    /// A server's frame is masked (section 5.1).
    MaskUnexpected,
    /// The payload length is not in its shortest form (section 5.2).
    LengthNotMinimal,
    /// The most significant bit of a 64-bit length is set (section 5.2).
    LengthTopBit,
    /// A control frame without FIN (section 5.5).
    ControlFragmented,
    /// A control frame of more than 125 bytes (section 5.5).
    ControlTooLong,
    /// A continuation frame with no message to continue (section 5.4).
    ContinuationUnexpected,
    /// A new message inside an unfinished one (section 5.4).
    ContinuationExpected,
    /// A Close frame with one byte of payload (section 5.5.1).
    CloseLength,
    /// A Close frame with a code that must not be on the wire (section 7.4).
    CloseCode,
    /// The reason of a Close frame is not UTF-8 (section 5.5.1).
    CloseReason,
    /// A text message is not UTF-8 (section 8.1).
    Utf8,
    /// A frame is larger than [`Limits::frame`](crate::Limits::frame) (section 10.4).
    FrameTooLarge,
    /// A message is larger than [`Limits::message`](crate::Limits::message) or than the buffer
    /// lent for it (section 10.4).
    MessageTooLarge,
    /// A message has more frames than [`Limits::fragments`](crate::Limits::fragments) (section 10.4).
    TooManyFragments,
    /// A compressed message does not inflate. No RFC names a close code for it; 1007, as npm
    /// `ws` sends, is for data that does not fit its type (section 7.4.1).
    #[cfg(feature = "deflate")]
    Inflate(crate::deflate::InflateError),
}

impl Error {
    /// The code of the Close frame that tells the peer (section 7.4.1).
    #[must_use]
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::Utf8 | Self::CloseReason => CloseCode::INVALID_DATA,
            Self::FrameTooLarge | Self::MessageTooLarge => CloseCode::TOO_BIG,
            Self::TooManyFragments => CloseCode::POLICY,
            #[cfg(feature = "deflate")]
            Self::Inflate(_) => CloseCode::INVALID_DATA,
            _ => CloseCode::PROTOCOL,
        }
    }

    /// What was wrong, in at most 123 bytes, so that it fits a Close frame as its reason.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::ReservedBit => "a reserved bit is set (RFC 6455 section 5.2)",
            Self::ReservedOpcode => "reserved opcode (RFC 6455 section 5.2)",
            Self::MaskMissing => "a client's frame must be masked (RFC 6455 section 5.1)",
            Self::MaskUnexpected => "a server's frame must not be masked (RFC 6455 section 5.1)",
            Self::LengthNotMinimal => "length not in its shortest form (RFC 6455 section 5.2)",
            Self::LengthTopBit => "top bit of a 64-bit length is set (RFC 6455 section 5.2)",
            Self::ControlFragmented => "fragmented control frame (RFC 6455 section 5.5)",
            Self::ControlTooLong => "control frame of more than 125 bytes (RFC 6455 section 5.5)",
            Self::ContinuationUnexpected => "continuation of no message (RFC 6455 section 5.4)",
            Self::ContinuationExpected => {
                "a message inside an unfinished one (RFC 6455 section 5.4)"
            }
            Self::CloseLength => "Close with a payload of one byte (RFC 6455 section 5.5.1)",
            Self::CloseCode => "Close with a code that may not be sent (RFC 6455 section 7.4)",
            Self::CloseReason => "Close with a reason that is not UTF-8 (RFC 6455 section 5.5.1)",
            Self::Utf8 => "text that is not UTF-8 (RFC 6455 section 8.1)",
            Self::FrameTooLarge => "frame over this endpoint's limit",
            Self::MessageTooLarge => "message over this endpoint's limit",
            Self::TooManyFragments => "message in more frames than this endpoint takes",
            #[cfg(feature = "deflate")]
            Self::Inflate(error) => error.reason(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl core::error::Error for Error {}

/// The caller would break a rule, or there is no room: nothing was changed, nothing was staged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SendError {
    /// A Close frame was sent or is owed: nothing may follow it (section 5.5.1).
    Closed,
    /// A fragmented message of the other kind is unfinished (section 5.4).
    MessageOpen,
    /// The payload of the frame begun last is not all there yet.
    FrameOpen,
    /// More than 125 bytes in a control frame; a Close reason has at most 123 (section 5.5).
    ControlTooLong,
    /// A close code that must not be on the wire (section 7.4).
    CloseCode,
    /// The frame does not fit the room that is left in the buffer: send what is pending, then
    /// try again; or send it in pieces if it is larger than the whole buffer.
    Full,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the connection is closing: nothing may be sent after a Close frame",
            Self::MessageOpen => "a message of the other kind is unfinished: finish it first",
            Self::FrameOpen => "the frame begun last is unfinished: write the rest of its payload",
            Self::ControlTooLong => {
                "a control frame takes at most 125 bytes, a Close reason at most 123"
            }
            Self::CloseCode => {
                "this close code must not be sent: use 1000 to 1003, 1007 to 1014, or 3000 to 4999"
            }
            Self::Full => "no room in the buffer: send what is pending first",
        })
    }
}

impl core::error::Error for SendError {}
