//! A server that tells a peer why it is refused.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use wirelet::handshake::server::Rejection;

#[entry]
fn main() -> ! {
    static mut BUFFER: [u8; 1024] = [0; 1024];
    static mut STORAGE: [u8; 512] = [0; 512];
    wirelet_size::server::run(BUFFER, STORAGE, |refusal, reply| {
        Rejection::from(refusal).encode(reply).unwrap_or(0)
    })
}
