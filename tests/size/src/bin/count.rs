//! Runs pieces of work between two marks; the emulator counts the instructions between them.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use wirelet::frame::Header;
use wirelet::handshake::server::{Handshake, Response};
use wirelet::{Limits, Receiver, Role, Sender, Unmasked, What};
use wirelet_size::{records, write};

#[entry]
fn main() -> ! {
    static mut BUFFER: Aligned = Aligned([0; 4608]);
    static mut STORAGE: [u8; 512] = [0; 512];
    static mut REPLY: [u8; 160] = [0; 160];
    records(&mut BUFFER.0, |what, buffer| match what {
        b'n' => nothing(),
        b'h' => handshake(buffer, STORAGE, REPLY),
        b'e' => echo(buffer),
        _ => false,
    })
}

/// What the marks cost themselves.
fn nothing() -> bool {
    measure_mark();
    measure_mark();
    true
}

/// Reads the request, checks it, writes the reply.
fn handshake(request: &[u8], storage: &mut [u8], reply: &mut [u8]) -> bool {
    measure_mark();
    let written = open(black_box(request), storage, reply);
    measure_mark();
    write(reply.get(..written).unwrap_or_default());
    written > 0
}

#[inline(never)]
fn open(request: &[u8], storage: &mut [u8], reply: &mut [u8]) -> usize {
    let mut handshake = Handshake::new(storage, &[]);
    let fed = handshake.feed(request);
    match fed.and_then(|_| handshake.check()) {
        Ok(key) => Response::new(key).encode(reply).unwrap_or(0),
        Err(_) => 0,
    }
}

/// Receives a frame in place and puts the header of the answer into another buffer.
fn echo(frame: &mut [u8]) -> bool {
    let mut receiver = black_box(Receiver::new(Role::Server, Limits::default()));
    let mut sender = black_box(Sender::new(Unmasked));
    let mut header = [0; Header::MAX_LEN];
    measure_mark();
    let answer = receive(&mut receiver, &mut sender, black_box(frame), &mut header);
    measure_mark();
    let Some((size, payload)) = answer else {
        return false;
    };
    write(header.get(..size).unwrap_or_default());
    write(payload);
    true
}

/// The size of the header, and the payload.
#[inline(never)]
fn receive<'b>(
    receiver: &mut Receiver,
    sender: &mut Sender<Unmasked>,
    mut input: &'b mut [u8],
    header: &mut [u8],
) -> Option<(usize, &'b [u8])> {
    let event = receiver.next(&mut input).ok()??;
    let What::Data { kind, .. } = event.what else {
        return None;
    };
    let len = u64::try_from(event.payload.len()).ok()?;
    // Where it is: moving it would be counted, too.
    let Ok(head) = &sender.data(kind, len, event.end) else {
        return None;
    };
    for (to, from) in header.iter_mut().zip(&head.header) {
        *to = *from;
    }
    Some((head.header.len(), event.payload))
}

/// A buffer whose first byte is the first of a word, so that records choose the alignment.
#[repr(align(8))]
struct Aligned([u8; 4608]);

/// The emulator counts from one execution of this to the next, then from the one after it.
#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn measure_mark() {
    black_box(());
}
