//! The server of `server`, whose peer may compress every message for itself (RFC 7692).
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use wirelet::deflate::{Context, Inflate, Inflater, Server, WindowBits};
use wirelet::handshake::server::{Handshake, Response};
use wirelet::{
    CloseCode, Control, Event, Limits, Receiver, Role, SendError, Sender, Unmasked, What,
};
use wirelet_size::{exit, read, write};

type Lent<'b> = Inflater<&'b mut [u8], &'b mut Inflate>;

#[entry]
fn main() -> ! {
    static mut BUFFER: [u8; 1024] = [0; 1024];
    static mut STORAGE: [u8; 512] = [0; 512];
    static mut MESSAGE: [u8; 1024] = [0; 1024];
    static mut DECODER: Inflate = Inflate::new(WindowBits::MAX);
    exit(match handshake(BUFFER, STORAGE) {
        Some((start, end, context)) => {
            match Inflater::lent(&mut MESSAGE[..], DECODER, context, Limits::default()) {
                Ok(inflater) => echo(BUFFER, start, end, inflater),
                Err(_) => false,
            }
        }
        None => false,
    })
}

/// Where in the buffer the first frames stand, and what was agreed to.
#[inline(never)]
fn handshake(buffer: &mut [u8], storage: &mut [u8]) -> Option<(usize, usize, Context)> {
    let mut handshake = Handshake::new(storage, &[]);
    let (consumed, n) = loop {
        let n = read(buffer);
        match handshake.feed(buffer.get(..n)?) {
            Ok(progress) if progress.complete => break (progress.consumed, n),
            Ok(_) if n > 0 => {}
            _ => return None,
        }
    };
    let key = handshake.check().ok()?;
    let (answer, agreement) = Server::SMALL.answer(handshake.request()?.extensions())?;
    let reply = handshake.into_storage();
    let written = Response::new(key).deflate(answer).encode(reply).ok()?;
    write(reply.get(..written)?);
    Some((consumed, n, agreement.received_by(Role::Server)))
}

/// Echoes what stands in the buffer, then what comes. False: the peer broke a rule or is gone.
#[inline(never)]
fn echo(buffer: &mut [u8], mut start: usize, mut end: usize, mut inflater: Lent<'_>) -> bool {
    let mut receiver = Receiver::new(Role::Server, Limits::default());
    receiver.allow_rsv1();
    let mut sender = Sender::new(Unmasked);
    loop {
        let mut input = buffer.get_mut(start..end).unwrap_or_default();
        loop {
            let error = match receiver.next(&mut input) {
                Ok(None) => break,
                Ok(Some(mut event)) => match answer(&mut sender, &mut inflater, &mut event) {
                    Ok(Ok(())) => continue,
                    Ok(Err(_)) => return sender.is_closed(),
                    Err(error) => error,
                },
                Err(error) => error,
            };
            let _ = close(&mut sender, error.close_code());
            return false;
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

fn answer(
    sender: &mut Sender<Unmasked>,
    inflater: &mut Lent<'_>,
    event: &mut Event<'_>,
) -> Result<Result<(), SendError>, wirelet::Error> {
    Ok(match event.what {
        What::Data { .. } => {
            while inflater.ready(event)?.is_some() {
                let Some(message) = inflater.take() else {
                    break;
                };
                let len = u64::try_from(message.payload.len()).unwrap_or(u64::MAX);
                match sender.data(message.kind, len, true) {
                    Ok(head) => write(&head.header),
                    Err(error) => return Ok(Err(error)),
                }
                write(message.payload);
            }
            Ok(())
        }
        What::Control(Control::Ping) => pong(sender, event.payload),
        What::Control(Control::Close) if event.end => close(sender, CloseCode::NORMAL),
        What::Control(_) => Ok(()),
    })
}

fn pong(sender: &mut Sender<Unmasked>, payload: &[u8]) -> Result<(), SendError> {
    write(&sender.control(Control::Pong, payload.len())?.header);
    write(payload);
    Ok(())
}

fn close(sender: &mut Sender<Unmasked>, code: CloseCode) -> Result<(), SendError> {
    write(&sender.control(Control::Close, 2)?.header);
    write(&code.get().to_be_bytes());
    Ok(())
}
