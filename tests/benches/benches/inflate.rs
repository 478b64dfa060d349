//! Time to inflate a message, what zlib-rs and miniz_oxide take for the same, and to compress one:
//! `cargo bench --manifest-path tests/benches/Cargo.toml --bench inflate`.
//!
//! JSON of a few sensors, compressed by zlib at level 6 without takeover. Ours and
//! miniz_oxide write to one buffer that is also the window, zlib-rs has one of its own. All keep their
//! state from message to message.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};
use wirelet::deflate::{Inflate, Step, WindowBits};

fn main() {
    divan::main();
}

const SIZES: [usize; 5] = [64, 512, 1 << 10, 16 << 10, 64 << 10];

fn json(size: usize) -> Vec<u8> {
    let mut text = String::new();
    let mut random: u32 = 1;
    while text.len() < size {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (id, value) = (random >> 28, random >> 16 & 0xfff);
        text += &format!("{{\"sensor\":{id},\"value\":{value},\"unit\":\"mV\",\"ok\":true}},");
    }
    text.truncate(size);
    text.into_bytes()
}

/// As it stands on the wire, and the tail of RFC 7692 section 7.2.2.
fn compressed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 64);
    let mut zlib = Compress::new(Compression::new(6), false);
    zlib.compress_vec(message, &mut out, FlushCompress::Sync)
        .unwrap();
    out
}

/// What zlib-rs takes to compress a message for itself.
#[divan::bench(args = SIZES, consts = [1, 6])]
fn compress_at_level<const LEVEL: u32>(bencher: Bencher, size: usize) {
    let message = json(size);
    let mut out = vec![0; size + 64];
    let mut zlib = Compress::new(Compression::new(LEVEL), false);
    bencher.counter(BytesCount::new(size)).bench_local(|| {
        zlib.reset();
        zlib.compress(black_box(&message), &mut out, FlushCompress::Sync)
            .unwrap();
        assert_eq!(zlib.total_in(), size as u64);
    });
}

#[divan::bench(args = SIZES)]
fn wirelet(bencher: Bencher, size: usize) {
    let message = json(size);
    let wire = compressed(&message);
    let mut out = vec![0; size];
    let mut inflate = Inflate::new(WindowBits::MAX);
    bencher.counter(BytesCount::new(size)).bench_local(|| {
        let (mut input, mut at) = (black_box(&wire[..]), 0);
        assert_eq!(inflate.next(&mut input, &mut out, &mut at), Ok(Step::Input));
        assert!(at == size && inflate.is_between_blocks());
    });
    assert_eq!(out, message);
}

#[divan::bench(args = SIZES)]
fn miniz_oxide(bencher: Bencher, size: usize) {
    let message = json(size);
    let wire = compressed(&message);
    let mut out = vec![0; size];
    let mut state = DecompressorOxide::default();
    let flags = inflate_flags::TINFL_FLAG_HAS_MORE_INPUT
        | inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    bencher.counter(BytesCount::new(size)).bench_local(|| {
        state.init();
        let (_, used, made) = decompress(&mut state, black_box(&wire), &mut out, 0, flags);
        assert!(used == wire.len() && made == size);
    });
    assert_eq!(out, message);
}

#[divan::bench(args = SIZES)]
fn zlib_rs(bencher: Bencher, size: usize) {
    let message = json(size);
    let wire = compressed(&message);
    let mut out = vec![0; size];
    let mut state = Decompress::new(false);
    bencher.counter(BytesCount::new(size)).bench_local(|| {
        state.reset(false);
        state
            .decompress(black_box(&wire), &mut out, FlushDecompress::Sync)
            .unwrap();
        assert_eq!(state.total_out(), size as u64);
    });
    assert_eq!(out, message);
}
