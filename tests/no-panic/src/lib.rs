//! Links only if the core cannot panic; Cargo.toml has the commands.
//!
//! Each exported function calls a path of the core with input the optimiser knows nothing about.
//! The panic handler calls a function that does not exist: if one call of it is left after
//! optimisation, linking fails. To find the call, define the symbol and disassemble.
//!
//! To cover more, add a module with more exported functions.
#![no_std]

mod deflate;
mod frames;
mod handshake;

use core::panic::PanicInfo;

unsafe extern "C" {
    fn wirelet_core_can_panic() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    // SAFETY: the function does not exist; a program with this call in it cannot be linked.
    unsafe { wirelet_core_can_panic() }
}

/// Bytes the optimiser knows nothing about.
#[repr(C)]
#[derive(Copy, Clone)]
pub struct Bytes {
    data: *const u8,
    len: usize,
}

impl Bytes {
    fn get<'a>(self) -> &'a [u8] {
        // SAFETY: nothing runs this; a caller would have to pass a valid slice.
        unsafe { core::slice::from_raw_parts(self.data, self.len) }
    }

    fn text<'a>(self) -> &'a str {
        // SAFETY: nothing runs this; a caller would have to pass UTF-8.
        unsafe { core::str::from_utf8_unchecked(self.get()) }
    }
}

/// A buffer the optimiser knows nothing about.
#[repr(C)]
#[derive(Copy, Clone)]
pub struct Buffer {
    data: *mut u8,
    len: usize,
}

impl Buffer {
    fn get<'a>(self) -> &'a mut [u8] {
        // SAFETY: nothing runs this; a caller would have to pass a valid, unshared buffer.
        unsafe { core::slice::from_raw_parts_mut(self.data, self.len) }
    }
}

/// Indexes past an end the optimiser does not know: the proof must fail with it.
#[cfg(feature = "self-test")]
#[unsafe(no_mangle)]
pub extern "C" fn can_panic(bytes: Bytes, at: usize) -> u8 {
    bytes.get()[at]
}
