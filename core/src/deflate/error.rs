//! Why data does not inflate.

use core::fmt;

/// Why data does not inflate. One variant for each rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum InflateError {
    /// A block of type 3 (RFC 1951 section 3.2.3).
    BlockType,
    /// The length of a stored block and its complement do not agree (RFC 1951 section 3.2.4).
    StoredLength,
    /// The lengths of the codes of a dynamic block make no code (RFC 1951 section 3.2.7).
    Codes,
    /// A code that stands for no symbol, or a symbol that is not used (RFC 1951 section 3.2.5).
    Symbol,
    /// A distance that reaches behind the start of the window, or is longer than it (RFC 7692
    /// sections 7.1.2 and 7.2.2).
    Distance,
    /// The message ends inside a block (RFC 7692 section 7.2.1).
    Unfinished,
}

impl InflateError {
    /// What was wrong, in at most 123 bytes, so that it fits a Close frame as its reason.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::BlockType => "DEFLATE block of type 3 (RFC 1951 section 3.2.3)",
            Self::StoredLength => "DEFLATE stored length is damaged (RFC 1951 section 3.2.4)",
            Self::Codes => "DEFLATE code lengths make no code (RFC 1951 section 3.2.7)",
            Self::Symbol => "DEFLATE code without a meaning (RFC 1951 section 3.2.5)",
            Self::Distance => "DEFLATE distance beyond the window (RFC 7692 section 7.2.2)",
            Self::Unfinished => "the message ends inside a DEFLATE block (RFC 7692 section 7.2.1)",
        }
    }
}

impl fmt::Display for InflateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl core::error::Error for InflateError {}
