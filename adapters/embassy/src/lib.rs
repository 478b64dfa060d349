//! WebSocket (RFC 6455) for microcontrollers, on the [`wirelet`] core: the same codec that serves
//! desktops. `no_std`, no allocation, no `unsafe`.
//!
//! ```text
//!                 TCP ring                          TCP ring
//!   network --> [ received ] --> WebSocket --> you --> [ to send ] --> network
//!                 unmasked and     rules,              written and
//!                 looked at        deadlines,          masked
//!                 in place         Pongs               in place
//! ```
//!
//! With the feature `embassy-net` a connection works inside the rings of its TCP socket and needs
//! no buffers of its own:
//!
//! ```no_run
//! # #[cfg(feature = "embassy-net")]
//! # async fn run(stack: embassy_net::Stack<'static>) {
//! use wirelet_embassy::{Slot, accept, serve};
//!
//! // Four clients and a spare: rings of 1 KiB, and 512 bytes for the handshake and for messages.
//! let mut slots = [const { Slot::<1024, 1024, 512>::new() }; 5];
//! serve(stack, 80, &mut slots, async |socket, buffer| {
//!     let Ok(mut ws) = accept(socket, buffer).await else { return };
//!     let (mut rx, mut tx) = ws.halves();
//!     while let Ok(Some(message)) = rx.recv().await {
//!         let _ = tx.feed(message).await;
//!     }
//! })
//! .await;
//! # }
//! ```
//!
//! Any other transport that implements [`embedded_io_async`], such as embedded-tls, a UART or a pipe,
//! does with buffers that you lend: in a [`Pump`] if it comes in two halves, else in [`Buffered`].
//!
//! # Which way to use it
//! | | |
//! |---|---|
//! | [`recv`](WebSocket::recv) and [`send`](WebSocket::send) on the [`WebSocket`] | one thing after the other |
//! | [`halves`](WebSocket::halves) | a message is still held while another is sent |
//! | [`recv_piece`](WebSocket::recv_piece), [`send_pieces`](WebSocket::send_pieces) | messages larger than the memory for them |
//! | [`forward`](RecvHalf::forward) | an echo or a relay, with no memory at all |
//!
//! The names are those of `wirelet-tokio` and mean the same. What differs: memory is lent by the
//! caller, so [`accept`] and [`connect`] take a buffer; a piece is looked at by a closure, in place;
//! a message larger than the room to send leaves as fragments.
//!
//! # Compression
//! With the feature `deflate` a connection can agree to permessage-deflate (RFC 7692): see `Deflate`.
//! The methods are the same, and hand out what was inflated; nothing is sent compressed.
//!
//! # Time
//! With the feature `embassy-time` (`embassy-net` brings it) the deadlines of [`Timeouts`] are kept.
//! Without it there is no clock: a peer that falls silent is waited for until the transport fails.
//!
//! # Cancel safety
//! Every future here may be dropped at any await. The bytes lie in the transport, the state in the
//! [`WebSocket`], and a frame is written when there is room for all of it, or not at all. What the
//! transport's own futures lose is lost: see [`Buffered`], and [`Pump`], which drops none of them.
#![no_std]
#![forbid(unsafe_code)]

mod accept;
mod buffer;
mod clock;
mod connect;
#[cfg(feature = "deflate")]
mod deflate;
mod engine;
mod error;
mod halves;
mod head;
mod link;
mod message;
#[cfg(feature = "embassy-net")]
mod net;
mod origins;
mod pump;
#[cfg(feature = "embassy-net")]
mod ring;
mod socket;
mod step;
mod transport;
mod url;

pub use accept::{AcceptError, Acceptor, Upgrade, accept};
pub use connect::{ConnectError, Connector, connect};
#[cfg(feature = "deflate")]
pub use deflate::{Agreement, Context, Deflate, DeflatePool, WindowBits};
pub use error::Error;
pub use halves::{MessageWriter, RecvHalf, SendHalf};
pub use link::{MIN_ROOM, Random};
pub use message::{CloseFrame, Message, Piece};
#[cfg(feature = "embassy-net")]
pub use net::{Slot, listen, serve};
pub use origins::Origins;
pub use pump::Pump;
pub use socket::WebSocket;
pub use transport::{Buffered, Ready, Transport, Want};
pub use url::{Url, UrlError};
pub use wirelet::{CloseCode, Config, Kind, Limits, Role, SendError, Timeout, Timeouts, handshake};

/// The examples of the README compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
