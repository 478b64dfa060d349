//! A program that can panic, to show that the search for panics finds them.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use wirelet_size::{exit, input};

#[entry]
fn main() -> ! {
    exit(input()[7] == 7)
}
