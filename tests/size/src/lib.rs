//! What the measured programs share: their peer, and their end.
//!
//! The emulator loads what the peer sends behind the program, as a length and as many bytes; what the
//! program writes goes to the standard output of the emulator. So nothing of it is in the program,
//! and `empty` has the same code.
#![no_std]

pub mod server;

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicUsize, Ordering};

use cortex_m_semihosting::{debug, hio};

/// What the peer sends, all of it.
#[inline(never)]
pub fn input() -> &'static [u8] {
    // SAFETY: both boards have flash here, behind what `memory.x` gives to the program; the
    // emulator wrote a length and as many bytes to it before the program began.
    unsafe {
        let len = INPUT.read_volatile();
        core::slice::from_raw_parts(INPUT.add(1).cast(), len)
    }
}

/// The next bytes of it: as many as there is room for, 0 at the end.
#[inline(never)]
pub fn read(buffer: &mut [u8]) -> usize {
    static AT: AtomicUsize = AtomicUsize::new(0);
    let at = AT.load(Ordering::Relaxed);
    let rest = input().get(at..).unwrap_or_default();
    let n = rest.len().min(buffer.len());
    if let (Some(to), Some(from)) = (buffer.get_mut(..n), rest.get(..n))
        && to.len() == from.len()
    {
        to.copy_from_slice(from);
    }
    AT.store(at.wrapping_add(n), Ordering::Relaxed);
    n
}

/// Sends bytes to the peer.
#[inline(never)]
pub fn write(bytes: &[u8]) {
    if let Ok(mut out) = hio::hstdout() {
        let _ = out.write_all(bytes);
    }
}

/// Does one piece of work after the other, and ends the emulator: well, if all of them went well.
///
/// Each record of the input is 4 bytes, what to do, the offset in the buffer, and the length of the
/// data behind them in little endian; the data is filled up to a multiple of 4 bytes.
pub fn records(buffer: &mut [u8], mut work: impl FnMut(u8, &mut [u8]) -> bool) -> ! {
    let mut records = input();
    while let Some((&[what, offset, low, high], rest)) = records.split_first_chunk() {
        let len = usize::from(u16::from_le_bytes([low, high]));
        let Some((data, rest)) = rest.split_at_checked(len.next_multiple_of(4)) else {
            exit(false);
        };
        records = rest;
        let data = data.get(..len).unwrap_or_default();
        let room = buffer.get_mut(usize::from(offset)..);
        let Some(room) = room.and_then(|room| room.get_mut(..len)) else {
            exit(false);
        };
        room.copy_from_slice(data);
        if !work(what, room) {
            exit(false);
        }
    }
    exit(true)
}

/// Ends the emulator; its exit status is 0 if all went well.
pub fn exit(well: bool) -> ! {
    loop {
        debug::exit(if well {
            debug::EXIT_SUCCESS
        } else {
            debug::EXIT_FAILURE
        });
    }
}

const INPUT: *const usize = 0x2_0000 as *const usize;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        debug::exit(debug::EXIT_FAILURE);
    }
}
