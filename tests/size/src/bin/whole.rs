//! A server with everything: assembled messages, staged frames, owed Pongs and Closes, deadlines.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use wirelet::handshake::server::{Handshake, Rejection, Response};
use wirelet::{
    CloseCode, Connection, Inbox, Instant, Limits, Outbox, Receiver, Role, Sender, Timeouts,
    Unmasked, What,
};
use wirelet_size::{exit, read, write};

#[entry]
fn main() -> ! {
    static mut INBOX: [u8; 1024] = [0; 1024];
    static mut OUTBOX: [u8; 640] = [0; 640];
    static mut STORAGE: [u8; 512] = [0; 512];
    exit(handshake(INBOX, STORAGE).is_some_and(|first| serve(INBOX, OUTBOX, first)))
}

/// How many bytes of the first frames came with the head; they are at the front of the buffer.
#[inline(never)]
fn handshake(buffer: &mut [u8], storage: &mut [u8]) -> Option<usize> {
    let mut handshake = Handshake::new(storage, &[]);
    let (consumed, n, result) = loop {
        let n = read(buffer);
        match handshake.feed(buffer.get(..n)?) {
            Ok(progress) if progress.complete => break (progress.consumed, n, handshake.check()),
            Ok(_) if n > 0 => {}
            Ok(_) => return None,
            Err(refusal) => break (0, n, Err(refusal)),
        }
    };
    // What the handshake kept is not needed any more.
    let reply = handshake.into_storage();
    let written = match &result {
        Ok(key) => Response::new(*key).encode(reply),
        Err(refusal) => Rejection::from(*refusal).encode(reply),
    };
    write(reply.get(..written.unwrap_or(0))?);
    result.ok()?;
    let rest = n.checked_sub(consumed)?;
    for i in 0..rest {
        let byte = *buffer.get(consumed.checked_add(i)?)?;
        *buffer.get_mut(i)? = byte;
    }
    Some(rest)
}

/// Echoes until both sides have closed. False: the peer broke a rule or is gone.
#[inline(never)]
fn serve(inbox: &mut [u8], outbox: &mut [u8], first: usize) -> bool {
    let mut inbox = Inbox::new(inbox, Receiver::new(Role::Server, Limits::default()));
    let mut outbox = Outbox::new(outbox, Sender::new(Unmasked));
    let mut connection = Connection::new(Role::Server, Timeouts::default(), now());
    connection.opened(now());
    inbox.filled(first);
    loop {
        match inbox.ready() {
            Ok(Some(_)) => {
                let Some(event) = inbox.take() else {
                    return false;
                };
                connection.on_event(&event);
                if let What::Data { kind, .. } = event.what
                    && outbox.data(kind, event.payload).is_err()
                    && connection.close(CloseCode::INTERNAL, "", now()).is_err()
                {
                    return false;
                }
            }
            Ok(None) => {
                let n = read(inbox.spare());
                if n == 0 || connection.on_timeout(now()).is_some() {
                    return false;
                }
                inbox.filled(n);
                connection.heard(now());
            }
            Err(error) => connection.fail(error, now()),
        }
        if let Some(owed) = connection.owed()
            && outbox.control(owed.control, owed.payload).is_ok()
        {
            connection.paid(now());
        }
        let pending = outbox.pending();
        let n = pending.len();
        write(pending);
        outbox.sent(n);
        if connection.is_finished() {
            return connection.closed().is_some();
        }
    }
}

/// A board would ask its timer.
fn now() -> Instant {
    Instant::from_millis(core::hint::black_box(1))
}
