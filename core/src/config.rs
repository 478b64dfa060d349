use crate::{Limits, Timeouts};

/// What a connection allows and how long it waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Config {
    /// How much the peer may send.
    pub limits: Limits,
    /// How long to wait for the peer.
    pub timeouts: Timeouts,
}

impl Config {
    /// At most this many bytes a message (and so a frame). Default: 16 MiB.
    #[must_use]
    pub const fn max_message(mut self, bytes: u64) -> Self {
        self.limits = self.limits.with_message(bytes);
        self
    }

    /// These limits.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// These timeouts.
    #[must_use]
    pub const fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }
}
