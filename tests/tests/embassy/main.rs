//! The embassy adapter: over embassy-net's rings, on a wire that loses frames, and over transports
//! that behave as badly as a transport may.

mod clock;
mod net;
mod talk;
mod urls;
