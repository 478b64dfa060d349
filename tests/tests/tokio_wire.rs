//! What is on the wire, when, and in how many reads and writes; over transports that behave badly.

#[path = "tokio_wire/buffered.rs"]
mod buffered;
