//! Why a head cannot be read, on either side.

use core::fmt;

/// Why a head cannot be read: malformed HTTP, or a limit.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum HeadError {
    /// The first line is not a request line or a status line (RFC 9112 sections 3 and 4).
    StartLine,
    /// A CR without LF, or an LF without CR (RFC 9112 section 2.2).
    LineEnd,
    /// A header line without a name and a colon, or a name that is not a token (RFC 9110
    /// section 5.1).
    FieldName,
    /// White space between a header's name and the colon (RFC 9112 section 5.1).
    SpaceBeforeColon,
    /// A byte that a header's value must not hold (RFC 9110 section 5.5).
    FieldValue,
    /// A line that starts with white space: obsolete line folding (RFC 9112 section 5.2).
    Folded,
    /// The first line does not fit into the storage.
    StartLineDoesNotFit,
    /// A header line that is needed does not fit into the storage.
    DoesNotFit,
    /// The head has more bytes than [`HeadLimits::bytes`](super::HeadLimits::bytes).
    TooLong,
    /// The head has more header lines than [`HeadLimits::lines`](super::HeadLimits::lines).
    TooManyLines,
}

impl HeadError {
    /// What was wrong and what to do, in one line without a full stop.
    pub const fn message(self) -> &'static str {
        match self {
            HeadError::StartLine => "the first line is not HTTP; speak HTTP/1.1",
            HeadError::LineEnd => "a line does not end in CR LF; send both bytes",
            HeadError::FieldName => "a header name is not a token followed by a colon",
            HeadError::SpaceBeforeColon => "white space before a header's colon; remove it",
            HeadError::FieldValue => "a header value has a forbidden byte; remove or encode it",
            HeadError::Folded => "a header line starts with white space; send it on one line",
            HeadError::StartLineDoesNotFit => "the first line is too long; send a shorter one",
            HeadError::DoesNotFit => "a header line is too long; send shorter ones",
            HeadError::TooLong => "the head is too long; send fewer bytes, cookies for example",
            HeadError::TooManyLines => "too many header lines; send fewer",
        }
    }
}

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl core::error::Error for HeadError {}
