//! A server: it answers the handshake, or refuses it, and echoes until the peer closes.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use wirelet::handshake::server::{Handshake, Rejection, Response};
use wirelet::{CloseCode, Control, Event, Limits, Receiver, Role, SendError, Sender, Unmasked, What};
use wirelet_size::{exit, read, write};

#[entry]
fn main() -> ! {
    static mut BUFFER: [u8; 512] = [0; 512];
    static mut STORAGE: [u8; 512] = [0; 512];
    let served = match handshake(BUFFER, STORAGE) {
        Some((start, end)) => echo(BUFFER, start, end),
        None => false,
    };
    exit(served)
}

/// Where in the buffer the first frames stand, when the connection is open.
#[inline(never)]
fn handshake(buffer: &mut [u8], storage: &mut [u8]) -> Option<(usize, usize)> {
    let mut handshake = Handshake::new(storage, &[]);
    let (consumed, n, result) = loop {
        let n = read(buffer);
        match handshake.feed(buffer.get(..n).unwrap_or_default()) {
            Ok(progress) if progress.complete => break (progress.consumed, n, handshake.check()),
            Ok(_) if n > 0 => {}
            Ok(_) => return None,
            Err(refusal) => break (0, n, Err(refusal)),
        }
    };
    let mut reply = [0; 320];
    let written = match &result {
        Ok(key) => Response::new(*key).encode(&mut reply),
        Err(refusal) => Rejection::from(*refusal).encode(&mut reply),
    };
    write(reply.get(..written.unwrap_or(0)).unwrap_or_default());
    result.ok().map(|_| (consumed, n))
}

/// Echoes what stands in the buffer, then what comes. False: the peer broke a rule or is gone.
#[inline(never)]
fn echo(buffer: &mut [u8], mut start: usize, mut end: usize) -> bool {
    let mut receiver = Receiver::new(Role::Server, Limits::default());
    let mut sender = Sender::new(Unmasked);
    loop {
        let mut input = buffer.get_mut(start..end).unwrap_or_default();
        loop {
            match receiver.next(&mut input) {
                Ok(Some(event)) => match answer(&mut sender, &event) {
                    Ok(()) => {}
                    Err(_) => return sender.is_closed(),
                },
                Ok(None) => break,
                Err(error) => {
                    let _ = close(&mut sender, error.close_code());
                    return false;
                }
            }
        }
        if sender.is_closed() {
            return true;
        }
        (start, end) = (0, read(buffer));
        if end == 0 {
            return false;
        }
    }
}

fn answer(sender: &mut Sender<Unmasked>, event: &Event<'_>) -> Result<(), SendError> {
    let head = match event.what {
        What::Data { kind, .. } => {
            let len = u64::try_from(event.payload.len()).unwrap_or(u64::MAX);
            sender.data(kind, len, event.end)?
        }
        What::Control(Control::Ping) => sender.control(Control::Pong, event.payload.len())?,
        What::Control(Control::Pong) => return Ok(()),
        What::Control(Control::Close) if event.end => return close(sender, CloseCode::NORMAL),
        What::Control(Control::Close) => return Ok(()),
    };
    write(&head.header);
    write(event.payload);
    Ok(())
}

fn close(sender: &mut Sender<Unmasked>, code: CloseCode) -> Result<(), SendError> {
    write(&sender.control(Control::Close, 2)?.header);
    write(&code.get().to_be_bytes());
    Ok(())
}
