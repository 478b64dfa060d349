//! WebSocket (RFC 6455) for a microcontroller's TCP ring and a desktop server's socket: the opening
//! handshake and the frames, without I/O, clock, allocation, `unsafe` or panics.
//!
//! ```text
//! socket -> [ lent buffer ] -> Receiver -> Event -> you -> Sender -> [ staged ] -> socket
//!               ^  unmasked     rules,     borrows         header      ^  (a server's large
//!               |  in place     UTF-8,     the buffer      and mask    |   payload leaves
//!               +-- Inbox       limits                       Outbox ---+   beside it, uncopied)
//!
//!               Connection: who closes, what is owed, when to give up
//! ```
//!
//! | layer | the question it answers | its state |
//! |---|---|---|
//! | [`frame`] | which bytes are a header; how is a payload masked | none |
//! | [`Receiver`] / [`Sender`] | is this allowed now | a few words each; they share nothing |
//! | [`Inbox`] / [`Outbox`] | where do the bytes lie | positions in one lent buffer |
//! | [`Connection`] | who closes, what is owed, when to give up | a slot of 125 bytes (or [elsewhere](Slot)), and deadlines as data |
//! | [`handshake`] | does this head open a connection | positions in one lent buffer |
//!
//! Each is usable alone and ignorant of the next. `wirelet-embassy` puts them on a microcontroller's TCP
//! ring, `wirelet-tokio` on a desktop's socket.
//!
//! # A server without a socket
//! ```
//! use wirelet::{Inbox, Limits, Outbox, Receiver, Role, Sender, Unmasked, What};
//!
//! let mut inbox = Inbox::new([0; 256], Receiver::new(Role::Server, Limits::default()));
//! let mut outbox = Outbox::new([0; 256], Sender::new(Unmasked));
//!
//! // What a client sends: "Hello", masked (the example of RFC 6455 section 5.7).
//! let wire = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
//! for byte in wire {
//!     inbox.spare()[0] = byte; // one at a time, or all at once
//!     inbox.filled(1);
//!     while inbox.ready()?.is_some() {
//!         let message = inbox.take().unwrap();
//!         if let What::Data { kind, .. } = message.what {
//!             outbox.data(kind, message.payload)?;
//!         }
//!     }
//! }
//! assert_eq!(outbox.pending(), b"\x81\x05Hello");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
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

#[cfg(feature = "deflate")]
pub mod deflate;
pub mod frame;
pub mod handshake;

mod bytes;
mod close;
mod config;
mod connection;
mod error;
mod event;
mod inbox;
mod limits;
mod outbox;
mod receive;
mod role;
mod send;
mod slot;
mod utf8;

pub use close::CloseCode;
pub use config::Config;
pub use connection::{Closed, Connection, Instant, Obligation, Timeout, Timeouts};
pub use error::{Error, SendError};
pub use event::{Control, Event, Kind, What};
pub use inbox::{Found, Inbox, Whole};
pub use limits::Limits;
pub use outbox::Outbox;
pub use receive::Receiver;
pub use role::Role;
pub use send::{Head, Masked, Masking, Sender, Unmasked};
pub use slot::{Inline, Slot};

/// The examples of the README compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
