//! The opening handshake, both sides.

use crate::{Buffer, Bytes};
use core::hint::black_box;
use wirelet::handshake::{HeadLimits, client, server};

/// Strings the optimiser knows nothing about.
#[repr(C)]
#[derive(Copy, Clone)]
pub struct Names {
    one: Bytes,
    two: Bytes,
}

impl Names {
    fn get<'a>(self) -> [&'a str; 2] {
        [self.one.text(), self.two.text()]
    }
}

fn limits(bytes: u32, lines: u16) -> HeadLimits {
    HeadLimits { bytes, lines }
}

/// Reads a request, looks at all of it, answers it.
#[unsafe(no_mangle)]
pub extern "C" fn serve(
    storage: Buffer,
    keep: Names,
    input: Bytes,
    more: Bytes,
    bytes: u32,
    lines: u16,
    out: Buffer,
) -> usize {
    let keep = keep.get();
    let mut handshake = server::Handshake::new(storage.get(), &keep).limits(limits(bytes, lines));
    black_box(handshake.feed(input.get())).ok();
    black_box(handshake.feed(more.get())).ok();
    if let Some(request) = handshake.request() {
        black_box((request.method(), request.target(), request.path()));
        black_box((request.query(), request.host(), request.origin()));
        black_box((request.header(keep[0]), request.is_upgrade()));
        request.headers(keep[1]).for_each(|value| {
            black_box(value);
        });
        request.protocols().for_each(|one| {
            black_box(one);
        });
        request.extensions().for_each(|one| {
            black_box(one);
        });
    }
    let headers = [(keep[0], keep[1])];
    let written = match handshake.check() {
        Ok(key) => server::Response::new(key)
            .protocol(keep[0])
            .headers(&headers)
            .encode(out.get()),
        Err(refusal) => server::Rejection::from(refusal)
            .headers(&headers)
            .encode(out.get()),
    };
    written.unwrap_or(0)
}

/// Writes an answer of the application's own.
#[unsafe(no_mangle)]
pub extern "C" fn reject(status: u16, text: Names, body: Bytes, out: Buffer) -> usize {
    let [one, two] = text.get();
    server::Rejection::new(status)
        .headers(&[(one, two), (two, one)])
        .body(one, body.get())
        .encode(out.get())
        .unwrap_or(0)
}

/// Judges a head that something else has parsed.
#[unsafe(no_mangle)]
pub extern "C" fn judge(method: Bytes, target: Bytes, name: Bytes, value: Bytes) -> bool {
    let mut checks = server::Checks::new();
    checks.request_line(method.get(), black_box(true));
    checks.target(target.get());
    checks.header(name.get(), value.get());
    checks.header(value.get(), name.get());
    black_box(checks.finish()).is_ok()
}

/// Writes a request.
#[unsafe(no_mangle)]
pub extern "C" fn ask(host: Names, origin: Names, front: u64, back: u64, out: Buffer) -> usize {
    let [host, target] = host.get();
    let [origin, other] = origin.get();
    let (front, back) = (front.to_le_bytes(), back.to_le_bytes());
    let mut nonce = [0; 16];
    nonce
        .iter_mut()
        .zip(front.iter().chain(&back))
        .for_each(|(to, from)| *to = *from);
    client::Request::new(host, target)
        .origin(origin)
        .protocols(&[origin, other])
        .headers(&[(host, other)])
        .encode(nonce, out.get())
        .unwrap_or(0)
}

/// Reads a response and looks at all of it.
#[unsafe(no_mangle)]
pub extern "C" fn hear(
    storage: Buffer,
    names: Names,
    input: Bytes,
    more: Bytes,
    bytes: u32,
    lines: u16,
) -> bool {
    let names = names.get();
    let nonce = black_box([7; 16]);
    let mut handshake =
        client::Handshake::new(storage.get(), nonce, &names, &names).limits(limits(bytes, lines));
    black_box(handshake.feed(input.get())).ok();
    black_box(handshake.feed(more.get())).ok();
    if let Some(response) = handshake.response() {
        black_box((response.status(), response.reason(), response.protocol()));
        black_box(response.header(names[0]));
        response.headers(names[1]).for_each(|value| {
            black_box(value);
        });
    }
    black_box(handshake.check()).is_ok()
}
