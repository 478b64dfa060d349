//! As `count`, for frames that are compressed: the record `i` is a masked frame that is received and
//! inflated.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use wirelet::deflate::{Context, Inflate, Inflater, WindowBits};
use wirelet::{Limits, Receiver, Role};
use wirelet_size::{records, write};

type Lent<'b> = Inflater<&'b mut [u8], &'b mut Inflate>;

#[entry]
fn main() -> ! {
    static mut BUFFER: [u8; 1536] = [0; 1536];
    static mut MESSAGE: [u8; 1536] = [0; 1536];
    static mut DECODER: Inflate = Inflate::new(WindowBits::MAX);
    records(BUFFER, |what, frame| match what {
        b'n' => nothing(),
        b'i' => inflate(frame, MESSAGE, DECODER),
        _ => false,
    })
}

/// What the marks cost themselves.
fn nothing() -> bool {
    measure_mark();
    measure_mark();
    true
}

fn inflate(frame: &mut [u8], message: &mut [u8], decoder: &mut Inflate) -> bool {
    let mut receiver = black_box(Receiver::new(Role::Server, Limits::default()));
    receiver.allow_rsv1();
    let limits = Limits::default();
    let Ok(mut inflater) = Inflater::lent(message, decoder, Context::NO_TAKEOVER, limits) else {
        return false;
    };
    measure_mark();
    let inflated = receive(&mut receiver, &mut inflater, black_box(frame));
    measure_mark();
    if let Some(payload) = inflated {
        write(payload);
    }
    inflated.is_some()
}

#[inline(never)]
fn receive<'i>(
    receiver: &mut Receiver,
    inflater: &'i mut Lent<'_>,
    mut input: &mut [u8],
) -> Option<&'i [u8]> {
    let mut event = receiver.next(&mut input).ok()??;
    inflater.ready(&mut event).ok()??;
    Some(inflater.take()?.payload)
}

/// The emulator counts from one execution of this to the next, then from the one after it.
#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn measure_mark() {
    black_box(());
}
