//! Which bytes are a frame's header, and how a payload is masked (RFC 6455 sections 5.2, 5.3).
//!
//! Neither holds state about the connection: what is allowed when is the business of
//! [`Receiver`](crate::Receiver) and [`Sender`](crate::Sender).

mod header;
mod mask;
mod partial;
mod unmask;

pub(crate) use header::HeaderRules;
pub use header::{EncodedHeader, Header, Opcode};
pub use mask::Mask;
pub(crate) use partial::PartialHeader;
pub use unmask::{Portable, Unmask};
