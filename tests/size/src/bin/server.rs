//! A server that hangs up on a peer it refuses.
#![no_std]
#![no_main]

use cortex_m_rt::entry;

#[entry]
fn main() -> ! {
    static mut BUFFER: [u8; 1024] = [0; 1024];
    static mut STORAGE: [u8; 512] = [0; 512];
    wirelet_size::server::run(BUFFER, STORAGE, |_, _| 0)
}
