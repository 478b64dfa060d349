//! permessage-deflate (RFC 7692): what is negotiated, and inflating what comes.
//!
//! ```text
//! handshake:  client offers -> Server::answer -> Answer -> client checks -> Agreement
//!
//! socket -> Receiver -> Event -----> Inflater ------------> Inflated -> you
//!           RSV1 on     compressed   Inflate   UTF-8,       borrows
//!           the first   pieces, as   in the    limits of    the buffer
//!           frame       they lie     buffer    inflated bytes
//! ```
//!
//! | part | the question it answers | its state |
//! |---|---|---|
//! | [`Offer`], [`Answer`], [`Server`] | what do the two ends agree to | none |
//! | [`Inflate`] | which bytes do these stand for (RFC 1951) | codes, less than 1.8 KiB |
//! | [`Inflater`] | is this a message, is it too large | [`Inflate`] and positions in one lent buffer |
//!
//! # When to turn it on
//! It pays where the line is slow and the messages are text of hundreds of bytes or more. It costs
//! 2 KiB for each connection that receives, and the buffer of the message. In code it is about 7 KiB for
//! inflating and 3 KiB for a server's answer on a Cortex-M0, at opt-level `s`. A peer that agreed to
//! `no_context_takeover` costs no more: a message cannot refer to anything before itself, so the
//! buffer of the message is the window. With takeover the window, 256 bytes to 32 KiB, is held
//! as long as the connection.
//!
//! Nothing here compresses. Who has compressed bytes, out of flash or from another library, sends
//! them with [`Outbox::compressed`](crate::Outbox::compressed): raw DEFLATE, flushed to a whole
//! byte, without the four bytes `00 00 ff ff` at the end (section 7.2.1), and within the
//! [`Context`] that was agreed to for this end.
//!
//! # A server
//! ```
//! use wirelet::deflate::{Inflater, Server};
//! use wirelet::handshake::server::{Handshake, Response};
//! use wirelet::{Limits, Receiver, Role};
//!
//! let input = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
//!     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
//!     Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";
//! let (mut out, mut buffer) = ([0; 512], [0; 4096]);
//!
//! let mut handshake = Handshake::new([0; 512], &[]);
//! handshake.feed(input)?;
//! let key = handshake.check()?;
//! let taken = Server::SMALL.answer(handshake.request().unwrap().extensions());
//! let mut response = Response::new(key);
//! let mut receiver = Receiver::new(Role::Server, Limits::default());
//! let mut inflater = None;
//! if let Some((answer, agreement)) = taken {
//!     response = response.deflate(answer);
//!     receiver.allow_rsv1();
//!     let context = agreement.received_by(Role::Server);
//!     inflater = Inflater::new(&mut buffer[..], context, Limits::default()).ok();
//! }
//! let written = response.encode(&mut out)?;
//! let answer = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; \
//!     client_no_context_takeover\r\n";
//! assert!(out[..written].windows(answer.len()).any(|line| line == answer.as_bytes()));
//! assert!(inflater.is_some()); // every event with data of the receiver goes there
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bits;
mod element;
mod error;
mod huffman;
mod inflate;
mod inflater;
mod negotiate;
mod params;

pub use element::{Answer, Encoded, Offer, ParameterError};
pub use error::InflateError;
pub use inflate::{Inflate, Step};
pub use inflater::{Inflated, Inflater};
pub use negotiate::{Server, agreement};
pub use params::{Agreement, Context, WindowBits};
