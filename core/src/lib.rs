//! WebSocket without I/O.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::as_conversions,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::unreachable,
        clippy::std_instead_of_core
    )
)]

pub mod frame;

mod close;
mod error;
mod limits;
mod receive;
mod role;
mod utf8;

pub use close::CloseCode;
pub use error::{Error, SendError};
pub use limits::Limits;
pub use receive::{Control, Event, Kind, Receiver, What};
pub use role::Role;
mod connection;
mod inbox;
mod outbox;
mod send;
pub use connection::{Closed, Connection, Instant, Obligation, Timeout, Timeouts};
pub use inbox::{Found, Inbox};
pub use outbox::Outbox;
pub use send::{Head, Masked, Masking, Sender, Unmasked};
