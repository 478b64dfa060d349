/// How much a peer may send before the connection is failed. All are finite by default.
///
/// Lengths are compared as `u64`, so a 32-bit target refuses a frame of 2^32 + 5 bytes instead of
/// reading one of 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Limits {
    /// Payload bytes of one data frame. Over it: close code 1009. Default: 16 MiB.
    pub frame: u64,
    /// Payload bytes of one message, all its frames together. Over it: 1009. Default: 16 MiB.
    pub message: u64,
    /// Frames of one message, empty ones counted. Over it: 1008. Default: 131,072.
    pub fragments: u32,
}

impl Limits {
    /// No limit at all: for a reader that streams and counts for itself.
    pub const NONE: Self = Self {
        frame: u64::MAX,
        message: u64::MAX,
        fragments: u32::MAX,
    };

    /// These limits with at most `bytes` for a message, and so for a frame.
    #[must_use]
    pub const fn with_message(self, bytes: u64) -> Self {
        Self {
            message: bytes,
            frame: bytes,
            ..self
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame: 16 << 20,
            message: 16 << 20,
            fragments: 1 << 17,
        }
    }
}
