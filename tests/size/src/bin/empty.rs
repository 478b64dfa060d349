//! Everything that the other programs have, but for the core.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use wirelet_size::{exit, read, write};

#[entry]
fn main() -> ! {
    static mut BUFFER: [u8; 1024] = [0; 1024];
    loop {
        let n = read(BUFFER);
        if n == 0 {
            exit(true);
        }
        write(BUFFER.get(..n).unwrap_or_default());
    }
}
