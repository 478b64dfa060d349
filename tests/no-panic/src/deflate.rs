//! permessage-deflate: negotiation of both sides, inflating, and sending what is compressed.

use core::hint::black_box;
use wirelet::deflate::{
    Agreement, Answer, Context, Inflate, Inflater, Offer, Server, WindowBits, agreement,
};
use wirelet::handshake::{client, server};
use wirelet::{Event, Kind, Limits, Masked, Outbox, Role, Unmasked};

use crate::{Buffer, Bytes};

#[unsafe(no_mangle)]
pub extern "C" fn window_bits(bits: u8) -> usize {
    WindowBits::new(bits).map_or(0, |bits| bits.bytes() ^ usize::from(bits.get()))
}

#[unsafe(no_mangle)]
pub extern "C" fn answer(policy: &Server, one: Bytes, two: Bytes, out: &mut Agreement) -> usize {
    match policy.answer([one.text(), two.text()]) {
        Some((answer, agreed)) => {
            *out = agreed;
            answer.encode().as_str().len()
        }
        None => 0,
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn respond(answer: Bytes, offer: Bytes, head: Bytes, out: Buffer) -> usize {
    let Ok(offer) = Offer::parse(offer.text()) else {
        return 0;
    };
    let answer = match Answer::parse(answer.text()) {
        Ok(answer) => answer,
        Err(error) => return error.message().len(),
    };
    black_box(agreement(&offer, &answer));
    let mut handshake = server::Handshake::new([0; 256], &[]);
    black_box(handshake.feed(head.get())).ok();
    let Ok(key) = handshake.check() else { return 0 };
    let response = server::Response::new(key).deflate(answer);
    response.encode(out.get()).unwrap_or(0)
}

#[unsafe(no_mangle)]
pub extern "C" fn offer(offers: &[Offer; 3], head: Bytes, out: Buffer) -> usize {
    let nonce = black_box([7; 16]);
    let request = client::Request::new("a", "/").deflate(offers);
    let written = request.encode(nonce, out.get()).unwrap_or(0);
    let mut handshake = client::Handshake::new([0; 256], nonce, &[], &[]).deflate(offers);
    black_box(handshake.feed(head.get())).ok();
    black_box((handshake.check(), handshake.agreement())).0.ok();
    written
}

#[unsafe(no_mangle)]
pub extern "C" fn inflate(inflate: &mut Inflate, input: Bytes, out: Buffer, at: &mut usize) -> u32 {
    let mut input = input.get();
    match inflate.next(&mut input, out.get(), at) {
        Ok(step) => black_box(step) as u32 ^ u32::from(inflate.is_between_blocks()),
        Err(error) => black_box(error) as u32,
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn new_inflater(
    out: &mut Inflater<&'static mut [u8]>,
    buffer: Buffer,
    agreed: &Agreement,
    client: bool,
) -> bool {
    let role = if client { Role::Client } else { Role::Server };
    match Inflater::new(buffer.get(), agreed.received_by(role), Limits::default()) {
        Ok(new) => *out = new,
        Err(_) => return false,
    }
    agreed.sent_by(role) == Context::DEFAULT
}

#[unsafe(no_mangle)]
pub extern "C" fn inflater(
    inflater: &mut Inflater<&'static mut [u8]>,
    event: &mut Event<'_>,
    whole: bool,
) -> usize {
    let found = if whole {
        inflater.ready(event)
    } else {
        inflater.ready_piece(event)
    };
    match found {
        Ok(Some(_)) => inflater.take().map_or(0, |message| message.payload.len()),
        Ok(None) => inflater.buffer().len(),
        Err(error) => error.reason().len() ^ usize::from(inflater.error().is_some()),
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn lent(
    out: &mut Inflater<&'static mut [u8], &'static mut Inflate>,
    inflate: &'static mut Inflate,
    buffer: Buffer,
    context: &Context,
) -> bool {
    match Inflater::lent(buffer.get(), inflate, *context, Limits::default()) {
        Ok(new) => *out = new,
        Err(_) => return false,
    }
    true
}

#[unsafe(no_mangle)]
pub extern "C" fn full(
    inflater: &mut Inflater<&'static mut [u8], &'static mut Inflate>,
    event: &mut Event<'_>,
    most: usize,
) -> usize {
    match inflater.ready_full(event) {
        Ok(Some(_)) => {
            let taken = inflater.take_up_to(most);
            taken.map_or(0, |piece| piece.payload.len()) ^ inflater.left()
        }
        Ok(None) => 0,
        Err(error) => error.reason().len(),
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn compressed(
    server: &mut Outbox<&'static mut [u8], Unmasked>,
    client: &mut Outbox<&'static mut [u8], Masked<fn() -> [u8; 4]>>,
    payload: Bytes,
    len: u64,
) -> usize {
    let sent = server.compressed(Kind::Text, payload.get()).is_ok()
        | client.compressed(Kind::Text, payload.get()).is_ok()
        | client.begin_compressed(Kind::Binary, len, false).is_ok();
    client.write(payload.get()) ^ usize::from(sent)
}
