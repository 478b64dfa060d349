//! WebSocket (RFC 6455) for tokio, on the [`wirelet`] core: the same codec that runs on
//! microcontrollers.
//!
//! ```no_run
//! use tokio::net::TcpListener;
//!
//! #[tokio::main]
//! async fn main() -> std::io::Result<()> {
//!     let listener = TcpListener::bind("127.0.0.1:9001").await?;
//!     loop {
//!         let (tcp, _) = listener.accept().await?;
//!         tokio::spawn(async move {
//!             let mut ws = wirelet_tokio::accept(tcp).await?;
//!             let (mut rx, mut tx) = ws.halves();
//!             while let Some(message) = rx.recv().await? {
//!                 tx.feed(message).await?; // a batch of replies leaves in one write
//!             }
//!             Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
//!         });
//!     }
//! }
//! ```
//!
//! # What costs what
//! One read fills a buffer, and all messages in it are handed out with no further system call.
//! [`feed`](WebSocket::feed) stages, [`send`](WebSocket::send) stages and writes, and a
//! [`recv`](WebSocket::recv) that is about to wait writes what is staged: an echo answers a whole
//! batch with one write. A connection that waits holds no buffers; they come from a pool of the
//! thread when bytes come.
//!
//! # Which way to use it
//! | | |
//! |---|---|
//! | [`recv`](WebSocket::recv) and [`send`](WebSocket::send) on the [`WebSocket`] | one thing after the other |
//! | [`halves`](WebSocket::halves) | one task; a message is still held while another is sent |
//! | [`split`](WebSocket::split) | two tasks |
//! | [`recv_pieces`](WebSocket::recv_pieces), [`send_pieces`](WebSocket::send_pieces) | messages larger than the memory for them |
//! | `Stream` and `Sink` of [`Prepared`] | combinators; one copy a message |
//!
//! # What it needs
//! A runtime with time enabled. Set `TCP_NODELAY` on sockets that you accept yourself: batching is
//! done here, and Nagle's algorithm only adds delay.

// One function may not be: `text.rs` says why.
#![deny(unsafe_code)]

mod accept;
mod clock;
mod connect;
#[cfg(feature = "deflate")]
mod deflate;
mod engine;
mod error;
mod halves;
mod head;
mod incoming;
mod link;
mod message;
mod origin;
mod outgoing;
mod pieces;
mod pool;
mod slot;
mod socket;
mod text;
mod unmask;
mod wakers;

#[cfg(feature = "axum")]
pub mod axum;

pub use accept::{AcceptError, Acceptor, Upgrade, accept};
pub use connect::{ConnectError, Connector, Rejected, connect};
#[cfg(feature = "deflate")]
pub use deflate::Deflate;
pub use error::Error;
pub use halves::{OwnedRecvHalf, OwnedSendHalf, Receiving, RecvHalf, SendHalf, Sending, Split};
pub use message::{Message, Prepared};
pub use origin::Origins;
pub use pieces::{MessageReader, MessageWriter};
pub use socket::{CloseFrame, WebSocket};
#[cfg(feature = "deflate")]
pub use wirelet::deflate::{Agreement, Context, WindowBits};
pub use wirelet::{CloseCode, Config, Kind, Limits, Role, Timeouts, handshake};

/// The examples of the README compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
