//! Time a frame through `Receiver::next`: `cargo bench --manifest-path tests/benches/Cargo.toml`.
//!
//! Each iteration decodes a batch of masked frames as a server does. Unmasking twice restores the
//! bytes, so the batch is masked again by the same pass that a copy would cost; the `limit` rows
//! show what that copy and the bare check cost alone.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use wirelet::frame::{Header, Mask, Opcode};
use wirelet::{Kind, Limits, Receiver, Role};

fn main() {
    divan::main();
}

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const SIZES: [usize; 5] = [20, 125, 1024, 16 << 10, 64 << 10];

fn batch(kind: Kind, payload: &[u8], count: usize) -> Vec<u8> {
    let opcode = if kind == Kind::Text {
        Opcode::Text
    } else {
        Opcode::Binary
    };
    let len = payload.len() as u64;
    let header = Header {
        fin: true,
        rsv1: false,
        opcode,
        mask: Some(KEY),
        len,
    }
    .encode();
    let mut masked = payload.to_vec();
    Mask::new(KEY).apply(&mut masked);
    [&header[..], &masked].concat().repeat(count)
}

fn frames_in_batch(size: usize) -> usize {
    (32 << 10) / size.clamp(64, 32 << 10)
}

fn receive(bencher: Bencher, kind: Kind, payload: &[u8]) {
    let count = frames_in_batch(payload.len());
    let wire = batch(kind, payload, count);
    let mut buffer = wire.clone();
    bencher.counter(ItemsCount::new(count)).bench_local(|| {
        buffer.copy_from_slice(&wire);
        let mut receiver = Receiver::new(Role::Server, Limits::default());
        let mut input = &mut buffer[..];
        let mut bytes = 0;
        while let Some(event) = receiver.next(&mut input).unwrap() {
            bytes += black_box(event.payload).len();
        }
        bytes
    });
}

#[divan::bench(args = SIZES)]
fn binary(bencher: Bencher, size: usize) {
    receive(bencher, Kind::Binary, &vec![0xa5; size]);
}

#[divan::bench(args = SIZES)]
fn text_ascii(bencher: Bencher, size: usize) {
    receive(bencher, Kind::Text, &vec![b'a'; size]);
}

#[divan::bench(args = SIZES)]
fn text_multi_byte(bencher: Bencher, size: usize) {
    receive(bencher, Kind::Text, multi_byte(size).as_bytes());
}

/// The copy that every row above contains.
#[divan::bench(args = SIZES)]
fn limit_copy_of_the_batch(bencher: Bencher, size: usize) {
    let count = frames_in_batch(size);
    let wire = batch(Kind::Binary, &vec![0xa5; size], count);
    let mut buffer = wire.clone();
    bencher.counter(ItemsCount::new(count)).bench_local(|| {
        buffer.copy_from_slice(&wire);
        black_box(&mut buffer);
    });
}

/// The copy, and the bare check of the same bytes where they lie in the batch.
#[divan::bench(args = SIZES)]
fn limit_simdutf8_multi_byte(bencher: Bencher, size: usize) {
    let text = multi_byte(size);
    let count = frames_in_batch(size);
    let mut wire = batch(Kind::Text, text.as_bytes(), count);
    let frame = wire.len() / count;
    for frame in wire.chunks_mut(frame) {
        let header = frame.len() - size;
        frame[header..].copy_from_slice(text.as_bytes());
    }
    let mut buffer = wire.clone();
    bencher.counter(ItemsCount::new(count)).bench_local(|| {
        buffer.copy_from_slice(&wire);
        for frame in buffer.chunks(frame) {
            let payload = &frame[frame.len() - size..];
            black_box(simdutf8::basic::from_utf8(black_box(payload))).unwrap();
        }
    });
}

/// What a second check of text would cost, to make a `&str` of it.
#[divan::bench(args = SIZES)]
fn limit_str_from_utf8_ascii(bencher: Bencher, size: usize) {
    let text = vec![b'a'; size];
    let count = frames_in_batch(size);
    bencher.counter(ItemsCount::new(count)).bench_local(|| {
        for _ in 0..count {
            black_box(std::str::from_utf8(black_box(&text))).unwrap();
        }
    });
}

/// Two, three and four bytes a character, cut to exactly `size`.
fn multi_byte(size: usize) -> String {
    let mut text: String = "κόσμε, 世界 🌍 größer "
        .chars()
        .cycle()
        .take(size)
        .collect();
    while text.len() > size {
        text.pop();
    }
    while text.len() < size {
        text.push('.');
    }
    text
}
