//! A server on nothing but the handshake, the receiver and the sender.

use wirelet::handshake::server::{Handshake, Refusal, Response};
use wirelet::{
    CloseCode, Control, Event, Limits, Receiver, Role, SendError, Sender, Unmasked, What,
};

use crate::{exit, read, write};

/// Answers the handshake, and echoes until the peer closes.
///
/// `refuse` puts what is said to a peer that is refused to the front of a buffer, and returns its size.
#[inline(always)]
pub fn run(
    buffer: &mut [u8],
    storage: &mut [u8],
    refuse: impl FnOnce(Refusal, &mut [u8]) -> usize,
) -> ! {
    exit(match handshake(buffer, storage, refuse) {
        Some((start, end)) => echo(buffer, start, end),
        None => false,
    })
}

/// Where in the buffer the first frames stand, when the connection is open.
#[inline(never)]
fn handshake(
    buffer: &mut [u8],
    storage: &mut [u8],
    refuse: impl FnOnce(Refusal, &mut [u8]) -> usize,
) -> Option<(usize, usize)> {
    let mut handshake = Handshake::new(storage, &[]);
    let (consumed, mut n);
    loop {
        n = read(buffer);
        match handshake.feed(buffer.get(..n).unwrap_or_default()) {
            Ok(progress) if n > 0 && !progress.complete => {}
            // The head is complete, or the peer is gone.
            Ok(progress) => {
                consumed = progress.consumed;
                break;
            }
            // The check says it again.
            Err(_) => {
                consumed = 0;
                break;
            }
        }
    }
    let result = handshake.check();
    // What the handshake kept is not needed any more.
    let reply = handshake.into_storage();
    let written = match &result {
        Ok(key) => Response::new(*key).encode(reply).unwrap_or(0),
        Err(refusal) => refuse(*refusal, reply),
    };
    write(reply.get(..written).unwrap_or_default());
    result.is_ok().then_some((consumed, n))
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
