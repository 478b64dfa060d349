//! One test for each rule of RFC 6455 on frames: sections 5, 7.4, 8.1 and 10.4.
//!
//! Each input goes through [`wirelet::Receiver`] and [`wirelet::Inbox`] for both roles, in every
//! cut in two and byte by byte, through buffers of several sizes. The error must come at the byte
//! that is named: the first that makes it certain. Then it goes through the adapters, cut in the
//! same ways: what they hand out and what they answer must be right, the close code included.

mod adapters;
#[path = "../embassy/bridge.rs"]
mod bridge;
#[path = "../embassy/clock.rs"]
mod clock;
mod control;
mod fragments;
mod header;
mod line;
mod masking;
#[path = "../tokio/peer.rs"]
mod peer;
mod ring;
#[path = "../embassy/said.rs"]
mod said;
mod text;

use wirelet::Role;
use wirelet_tests::case::{self, Case};
use wirelet_tests::frames::Frame;
use wirelet_tests::outcome::Rules;

use crate::adapters::ADAPTERS;

/// The first bytes of the frames: FIN and opcode.
pub(crate) const TEXT: u8 = 0x81;
pub(crate) const TEXT_OPEN: u8 = 0x01;
pub(crate) const BINARY: u8 = 0x82;
pub(crate) const BINARY_OPEN: u8 = 0x02;
pub(crate) const LAST: u8 = 0x80;
pub(crate) const MORE: u8 = 0x00;
pub(crate) const CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;
pub(crate) const PONG: u8 = 0x8a;
pub(crate) const RSV1: u8 = 0x40;

/// A frame that its receiver is yet to be chosen for.
pub(crate) fn frame(first: u8, payload: impl AsRef<[u8]>) -> Frame {
    Frame::new(first, payload)
}

/// These frames, masked as each role must get them.
pub(crate) fn given(frames: &[Frame]) -> Case {
    Case::new(frames).through(&ADAPTERS)
}

/// These frames as they are, to this role only.
pub(crate) fn given_raw(role: Role, frames: &[Frame]) -> Case {
    Case::raw(role, frames).through(&ADAPTERS)
}

/// Bytes, whatever they are.
#[track_caller]
pub(crate) fn every_cut(rules: &Rules, wire: &[u8]) {
    case::every_cut(rules, wire);
    case::each_cut_through(&ADAPTERS, rules, wire);
}
