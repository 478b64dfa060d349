//! Every public future, dropped at every await: nothing is lost, doubled or cut.
//!
//! The transport does one step for every second poll, so "dropped after k polls" for all k is
//! "dropped at every await". The other end is the raw bytes.

#[path = "tokio/forms.rs"]
mod forms;
#[path = "tokio_cancel/opening.rs"]
mod opening;
#[path = "tokio/peer.rs"]
mod peer;
#[path = "tokio_cancel/receiving.rs"]
mod receiving;
#[path = "tokio_cancel/sending.rs"]
mod sending;
#[path = "tokio/steps.rs"]
mod steps;
#[path = "tokio_cancel/writer.rs"]
mod writer;
