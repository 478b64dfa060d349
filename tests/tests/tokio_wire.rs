//! What is on the wire, when, and in how many reads and writes; over transports that behave badly.

#[path = "tokio_wire/buffered.rs"]
mod buffered;
#[path = "tokio/forms.rs"]
mod forms;
#[path = "tokio/peer.rs"]
mod peer;
#[path = "tokio_wire/pieces.rs"]
mod pieces;
#[path = "tokio/steps.rs"]
mod steps;
