//! WebSocket for tokio.
mod clock;
mod config;
mod engine;
mod error;
mod halves;
mod incoming;
mod link;
mod message;
mod outgoing;
mod pieces;
mod pool;
mod socket;
mod text;

pub use config::Config;
pub use error::Error;
pub use halves::{OwnedRecvHalf, OwnedSendHalf, Receiving, RecvHalf, SendHalf, Sending, Split};
pub use message::{Message, Prepared};
pub use pieces::{MessageReader, MessageWriter};
pub use socket::{CloseFrame, WebSocket};
pub use wirelet::{CloseCode, Kind, Limits, Role, Timeouts};
