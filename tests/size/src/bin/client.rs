//! A client: it asks, checks the answer, sends a message, receives one, and closes.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use wirelet::handshake::client::{Handshake, Request};
use wirelet::{CloseCode, Control, Head, Kind, Limits, Masked, Receiver, Role, Sender, What};
use wirelet_size::{exit, read, write};

#[entry]
fn main() -> ! {
    static mut BUFFER: [u8; 1024] = [0; 1024];
    static mut STORAGE: [u8; 512] = [0; 512];
    exit(match handshake(BUFFER, STORAGE) {
        Some((start, end)) => talk(BUFFER, start, end),
        None => false,
    })
}

/// Where in the buffer the first frames stand, when the connection is open.
#[inline(never)]
fn handshake(buffer: &mut [u8], storage: &mut [u8]) -> Option<(usize, usize)> {
    // A board would take these from its random numbers; here the answer has to be known.
    let nonce = black_box(*b"the sample nonce");
    let n = Request::new("192.168.1.20", "/chat")
        .encode(nonce, buffer)
        .ok()?;
    write(buffer.get(..n)?);
    let mut handshake = Handshake::new(storage, nonce, &[], &[]);
    loop {
        let n = read(buffer);
        let progress = handshake.feed(buffer.get(..n)?).ok()?;
        if progress.complete {
            handshake.check().ok()?;
            return Some((progress.consumed, n));
        }
        if n == 0 {
            return None;
        }
    }
}

/// Sends a message, and closes after one came. False: the peer broke a rule or is gone.
#[inline(never)]
fn talk(buffer: &mut [u8], mut start: usize, mut end: usize) -> bool {
    let mut receiver = Receiver::new(Role::Client, Limits::default());
    let mut sender = Sender::new(Masked(key));
    let mut text = *b"Hello";
    let Ok(head) = sender.data(Kind::Text, 5, true) else {
        return false;
    };
    send(head, &mut text);
    loop {
        let mut input = buffer.get_mut(start..end).unwrap_or_default();
        loop {
            match receiver.next(&mut input) {
                Ok(Some(event)) if event.what == What::Control(Control::Close) => {
                    return event.end && sender.is_closed();
                }
                Ok(Some(event)) if event.end && !sender.is_closed() => {
                    let mut code = CloseCode::NORMAL.get().to_be_bytes();
                    match sender.control(Control::Close, 2) {
                        Ok(head) => send(head, &mut code),
                        Err(_) => return false,
                    }
                }
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => return false,
            }
        }
        (start, end) = (0, read(buffer));
        if end == 0 {
            return false;
        }
    }
}

fn send(head: Head, payload: &mut [u8]) {
    if let Some(mut mask) = head.mask {
        mask.apply(payload);
    }
    write(&head.header);
    write(payload);
}

fn key() -> [u8; 4] {
    black_box([0x37, 0xfa, 0x21, 0x3d])
}
