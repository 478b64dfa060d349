//! permessage-deflate (RFC 7692) through the adapter.

mod agreeing;
mod broken;
mod gain;
mod messages;

use wirelet::Role;
use wirelet::deflate::{Agreement, Context, WindowBits};
use wirelet_embassy::{Deflate, DeflatePool, Random, Transport, WebSocket};

use crate::io::open;
use crate::receiving::config;

/// "Hello" (RFC 7692 section 7.2.3.1).
const HELLO: &[u8] = b"\xf2\x48\xcd\xc9\xc9\x07\x00";

/// What the peer agreed to.
const SMALL: Context = Context::NO_TAKEOVER;

fn context(takeover: bool, bits: u8) -> Context {
    let window = WindowBits::new(bits).unwrap();
    Context { takeover, window }
}

fn agreement(context: Context) -> Agreement {
    Agreement {
        server: context,
        client: context,
    }
}

/// A connection that is open, and whose peer may compress.
fn inflating<'b, T: Transport>(
    io: T,
    role: Role,
    context: Context,
    buffer: &'b mut [u8],
    random: Random<'b>,
    pool: &'b DeflatePool<1>,
) -> WebSocket<'b, T> {
    let ws = open(io, role, &config(), buffer, random);
    let ws = ws.deflate(agreement(context), &Deflate::new(pool));
    ws.expect("a decoder is free, and the buffer is larger than the window")
}
