//! The embassy adapter: over embassy-net's rings, on a wire that loses frames, and over transports
//! that behave as badly as a transport may.

mod board;
mod bridge;
mod buffered;
#[allow(dead_code)] // not the storage that the core needs
#[path = "../handshake/client_cases.rs"]
mod client_cases;
mod clock;
mod deadlines;
mod deflate;
mod desktop;
mod dropped;
mod endings;
#[path = "../heap/mod.rs"]
mod heap;
mod io;
mod memory;
mod net;
mod opening;
#[path = "../tokio/peer.rs"]
mod peer;
mod pump;
mod receiving;
mod said;
mod sending;
mod serving;
mod sizes;
mod stalls;
#[path = "../tokio/steps.rs"]
mod steps;
mod talk;
mod tls;
mod uart;
mod urls;
