//! The embassy adapter: over embassy-net's rings, on a wire that loses frames, and over transports
//! that behave as badly as a transport may.

mod buffered;
mod clock;
mod deadlines;
mod endings;
mod io;
mod net;
#[path = "../tokio/peer.rs"]
mod peer;
mod receiving;
mod sending;
mod serving;
#[path = "../tokio/steps.rs"]
mod steps;
mod talk;
mod urls;
