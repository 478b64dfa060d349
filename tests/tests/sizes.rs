//! What one connection costs in bytes, known when it is compiled (64-bit targets; others need less).

use wirelet::deflate::{Inflate, Inflater};
use wirelet::{Connection, Inbox, Outbox, Receiver, Sender, Unmasked};

const RECEIVER: usize = size_of::<Receiver>();
const SENDER: usize = size_of::<Sender<Unmasked>>();
const CONNECTION: usize = size_of::<Connection>();

const _: () = assert!(RECEIVER + SENDER <= 64);
const _: () = assert!(CONNECTION <= 192);
const _: () = assert!(RECEIVER + SENDER + CONNECTION <= 256);

/// With a slot of no size.
const _: () = assert!(size_of::<Connection<()>>() <= 40);

/// The inbox and the outbox add positions, not buffers.
const _: () = assert!(size_of::<Inbox<&mut [u8]>>() <= RECEIVER + 96);
const _: () = assert!(size_of::<Outbox<&mut [u8], Unmasked>>() <= SENDER + 64);

/// The goal of the inflater: 2 KiB for the codes and all that a connection holds beside its buffer.
const _: () = assert!(size_of::<Inflate>() <= 1792);
const _: () = assert!(size_of::<Inflater<&mut [u8]>>() <= 2048);

/// 14 bytes of a torn header, 125 of an obligation: these are the types that hold them.
const _: () = assert!(RECEIVER >= 14 && CONNECTION >= 125);
