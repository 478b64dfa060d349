//! What the two ends agree to (RFC 7692 section 7.1).

use core::fmt;

use crate::Role;

/// The size of an LZ77 window as its base-2 logarithm: 8 to 15 (RFC 7692 section 7.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct WindowBits(u8);

impl WindowBits {
    /// 256 bytes.
    pub const MIN: Self = Self(8);
    /// 32 KiB: what is meant where nothing is said.
    pub const MAX: Self = Self(15);

    /// `None` unless 8 to 15.
    #[must_use]
    pub const fn new(bits: u8) -> Option<Self> {
        match bits {
            8..=15 => Some(Self(bits)),
            _ => None,
        }
    }

    /// 8 to 15.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The size of the window in bytes: 256 to 32,768.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self.0 {
            8 => 1 << 8,
            9 => 1 << 9,
            10 => 1 << 10,
            11 => 1 << 11,
            12 => 1 << 12,
            13 => 1 << 13,
            14 => 1 << 14,
            _ => 1 << 15,
        }
    }

    /// Section 7.1.2: a decimal number without leading zeros, between 8 and 15.
    pub(super) const fn parse(value: &[u8]) -> Option<Self> {
        match value {
            [digit @ b'8'..=b'9'] => Some(Self(*digit - b'0')),
            [b'1', digit @ b'0'..=b'5'] => Some(Self(10 + (*digit - b'0'))),
            _ => None,
        }
    }

    pub(super) const fn text(self) -> &'static str {
        match self.0 {
            8 => "8",
            9 => "9",
            10 => "10",
            11 => "11",
            12 => "12",
            13 => "13",
            14 => "14",
            _ => "15",
        }
    }
}

impl fmt::Display for WindowBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// How the messages of one direction are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Context {
    /// A message may refer to those before it.
    pub takeover: bool,
    /// How far back a message may refer.
    pub window: WindowBits,
}

impl Context {
    /// What is meant where nothing is said: takeover, and 32 KiB.
    pub const DEFAULT: Self = Self {
        takeover: true,
        window: WindowBits::MAX,
    };

    /// Every message for itself, up to 32 KiB back.
    pub const NO_TAKEOVER: Self = Self {
        takeover: false,
        window: WindowBits::MAX,
    };
}

/// What was negotiated: permessage-deflate is in use, in both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Agreement {
    /// The messages that the server sends.
    pub server: Context,
    /// The messages that the client sends.
    pub client: Context,
}

impl Agreement {
    /// The messages that this end sends.
    #[must_use]
    pub const fn sent_by(self, role: Role) -> Context {
        match role {
            Role::Client => self.client,
            Role::Server => self.server,
        }
    }

    /// The messages that this end receives: what [`Inflater`](super::Inflater) has to know.
    #[must_use]
    pub const fn received_by(self, role: Role) -> Context {
        match role {
            Role::Client => self.server,
            Role::Server => self.client,
        }
    }
}
