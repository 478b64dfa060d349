//! The frame layer: every public call, on state the optimiser knows nothing about.

use wirelet::frame::{Header, Mask};
use wirelet::{
    CloseCode, Connection, Control, Error, Event, Inbox, Instant, Kind, Limits, Masked, Outbox,
    Receiver, Role, Sender, Timeouts, Unmasked,
};

use crate::{Buffer, Bytes};

fn kind(text: bool) -> Kind {
    if text { Kind::Text } else { Kind::Binary }
}

fn control(number: u8) -> Control {
    match number {
        0 => Control::Close,
        1 => Control::Ping,
        _ => Control::Pong,
    }
}

/// Something of an event is used, so that it is made.
fn used(event: &Event<'_>) -> u32 {
    event.payload.first().map_or(0, |&byte| u32::from(byte))
}

#[unsafe(no_mangle)]
pub extern "C" fn header(bytes: Bytes) -> u64 {
    match Header::decode(bytes.get()) {
        Ok(Some((header, _))) => header
            .encode()
            .first()
            .map_or(header.len, |&b| u64::from(b)),
        Ok(None) => 0,
        Err(error) => u64::from(error.close_code().get()),
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn mask(key: u32, from: Bytes, to: Buffer) -> bool {
    let mut mask = Mask::new(key.to_le_bytes());
    mask.apply(to.get());
    mask.copy(from.get(), to.get());
    mask.apply_text(to.get())
}

#[unsafe(no_mangle)]
pub extern "C" fn receiver(receiver: &mut Receiver, input: Buffer, new: bool) -> u32 {
    if new {
        *receiver = Receiver::new(Role::Client, Limits::default());
        receiver.allow_rsv1();
    }
    let mut input = input.get();
    match receiver.next(&mut input) {
        Ok(Some(event)) => used(&event),
        Ok(None) => u32::from(receiver.is_between_messages()),
        Err(error) => u32::from(error.close_code().get()),
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn inbox(
    inbox: &mut Inbox<&'static mut [u8]>,
    n: usize,
    how: u8,
    buffer: Buffer,
) -> u32 {
    if let Some(byte) = inbox.spare().first_mut() {
        *byte = how;
    }
    inbox.filled(n);
    let found = match how {
        0 => inbox.ready(),
        1 => inbox.ready_piece(),
        _ => inbox.ready_growing(),
    };
    let _ = inbox.replace(buffer.get());
    match found {
        Ok(Some(_)) if how == 3 => inbox.take_up_to(n).map_or(0, |event| used(&event)),
        Ok(Some(_)) => inbox.take().map_or(0, |event| used(&event)),
        Ok(None) => u32::from(inbox.is_full()) + u32::from(inbox.is_empty()),
        Err(error) => {
            inbox.fail(error);
            u32::from(error.close_code().get())
        }
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn server_outbox(
    outbox: &mut Outbox<&'static mut [u8], Unmasked>,
    payload: Bytes,
    n: usize,
    how: u8,
) -> usize {
    let sent = match how {
        0 => outbox.data(kind(n == 1), payload.get()),
        1 => outbox.control(control(how), payload.get()),
        _ => outbox.begin(kind(n == 1), 7, how == 3),
    };
    let written = outbox.write(payload.get());
    outbox.skip(n);
    outbox.sent(n);
    let _ = outbox.replace(&mut []);
    outbox.pending().len() ^ outbox.room() ^ written ^ usize::from(sent.is_ok())
}

#[unsafe(no_mangle)]
pub extern "C" fn client_outbox(
    outbox: &mut Outbox<&'static mut [u8], Masked<fn() -> [u8; 4]>>,
    payload: Bytes,
    len: u64,
) -> usize {
    let sent = outbox.data(Kind::Text, payload.get()).is_ok()
        | outbox.begin(Kind::Text, len, false).is_ok();
    outbox.write(payload.get()) ^ usize::from(sent)
}

#[unsafe(no_mangle)]
pub extern "C" fn sender(sender: &mut Sender<Unmasked>, len: usize, number: u8) -> bool {
    sender.control(control(number), len).is_ok() | sender.data(Kind::Text, 1, true).is_ok()
}

#[unsafe(no_mangle)]
pub extern "C" fn connection(
    connection: &mut Connection,
    receiver: &mut Receiver,
    input: Buffer,
    reason: Bytes,
    code: u16,
    millis: u64,
) -> usize {
    let now = Instant::from_millis(millis);
    connection.opened(now);
    connection.heard(now);
    let mut input = input.get();
    match receiver.next(&mut input) {
        Ok(Some(event)) => connection.on_event(&event),
        Ok(None) => drop(connection.close(CloseCode::new(code), reason.text(), now)),
        Err(error) => connection.fail(error, now),
    }
    connection.fail(Error::Utf8, now);
    let owed = connection.owed().map_or(0, |owed| owed.payload.len());
    connection.paid(now);
    let closed = connection.closed().map_or(0, |closed| closed.reason.len());
    let deadline = connection
        .poll_timeout()
        .map_or(0, |at| usize::from(at > now));
    let timeout = usize::from(connection.on_timeout(now).is_some());
    owed ^ closed ^ deadline ^ timeout ^ usize::from(connection.expects_eof())
}

#[unsafe(no_mangle)]
pub extern "C" fn new_connection(out: &mut Connection, millis: u64) {
    let timeouts = Timeouts {
        handshake: core::time::Duration::from_millis(millis),
        ..Timeouts::default()
    };
    *out = Connection::new(Role::Server, timeouts, Instant::from_millis(millis));
}
