//! Data that does not inflate: the same verdict as zlib's, each rule with its own error.

use wirelet::deflate::{Context, Inflate, InflateError, Step, WindowBits};
use wirelet::{Error, Kind};
use wirelet_tests::deflate::{Deflater, Listener, TAIL, Way, judge};
use wirelet_tests::rng::Rng;

use crate::*;

/// Inflates a message with this window, byte by byte and whole, in rooms of several sizes: the same.
fn inflate(payload: &[u8], window: WindowBits) -> Result<Vec<u8>, InflateError> {
    let input = [payload, &TAIL].concat();
    let run = |input_step: usize, room_step: usize| {
        let mut inflate = Inflate::new(window);
        let mut out = vec![0; room_step];
        let mut at = 0;
        for mut piece in input.chunks(input_step) {
            loop {
                let before = (piece.len(), at);
                match inflate.next(&mut piece, &mut out, &mut at)? {
                    Step::Input => break assert!(piece.is_empty()),
                    Step::Room => {
                        assert_eq!(at, out.len());
                        assert!(
                            before.1 < at || before.0 > 0 || input_step == 1,
                            "it gets on"
                        );
                        assert!(out.len() < 1 << 24, "no input of this test is a bomb");
                        out.resize(out.len() + room_step, 0);
                    }
                }
            }
        }
        out.truncate(at);
        if inflate.is_between_blocks() {
            Ok(out)
        } else {
            Err(InflateError::Unfinished)
        }
    };
    let whole = run(input.len(), 1 << 16);
    assert_eq!(run(1, 1 << 16), whole, "byte by byte");
    assert_eq!(run(7, 13), whole, "with little room");
    whole
}

#[track_caller]
fn same_as_zlib(payload: &[u8], about: &str) -> bool {
    let ours = inflate(payload, WindowBits::MAX);
    let zlibs = judge(payload);
    assert_eq!(
        ours.clone().ok(),
        zlibs,
        "{about}: {ours:?} of {payload:02x?}"
    );
    ours.is_ok()
}

#[test]
fn every_message_of_up_to_two_bytes() {
    let mut fine = 0;
    for a in 0..=255 {
        fine += u32::from(same_as_zlib(&[a], "one byte"));
        for b in 0..=255 {
            fine += u32::from(same_as_zlib(&[a, b], "two bytes"));
        }
    }
    assert!(!same_as_zlib(&[], "no byte"));
    assert!(fine > 50, "{fine}");
}

#[test]
fn random_bytes() {
    let mut rng = Rng::new(1);
    for _ in 0..20_000 {
        let len = 1 + rng.below(60);
        let mut payload = rng.bytes(len);
        if rng.chance(60) {
            // A dynamic block, so that its header is tried.
            payload[0] = payload[0] & !7 | 4;
        }
        same_as_zlib(&payload, "random");
    }
}

#[test]
fn damaged_messages() {
    let mut rng = Rng::new(2);
    let (mut fine, mut all) = (0, 0);
    for _ in 0..3_000 {
        let len = 1 + rng.below(300);
        let message: Vec<u8> = (0..len)
            .map(|_| *rng.pick(b" etaoinshrdlu{}\":,0123"))
            .collect();
        let flush = rng.below(len);
        let mut deflater = Deflater::new(rng.below(10) as u32, Context::NO_TAKEOVER);
        let mut payload = deflater.message(&message, &[flush]);
        for _ in 0..1 + rng.below(3) {
            let at = rng.below(payload.len());
            match rng.below(4) {
                0 => payload[at] ^= 1 << rng.below(8),
                1 => payload[at] = rng.any() as u8,
                2 => payload.truncate(at.max(1)),
                _ => payload.insert(at, rng.any() as u8),
            }
        }
        all += 1;
        fine += u32::from(same_as_zlib(&payload, "damaged"));
    }
    assert!(fine > 100 && fine < all, "{fine} of {all}");
}

/// Bits in the order of the stream: values with the lowest bit first, codes with the highest first.
struct Bits(Vec<bool>);

impl Bits {
    fn value(mut self, value: u32, len: u32) -> Self {
        self.0.extend((0..len).map(|i| value >> i & 1 == 1));
        self
    }

    fn code(mut self, code: &str) -> Self {
        self.0.extend(code.bytes().map(|bit| bit == b'1'));
        self
    }

    /// A dynamic block whose lengths are written with this code of lengths, 19 of them.
    fn dynamic(self, literals: u32, distances: u32, lengths: [u32; 19]) -> Self {
        let order = [
            16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
        ];
        let bits = self
            .value(4, 3)
            .value(literals - 257, 5)
            .value(distances - 1, 5)
            .value(15, 4);
        order
            .iter()
            .fold(bits, |bits, &at| bits.value(lengths[at], 3))
    }

    fn bytes(self) -> Vec<u8> {
        let byte = |bits: &[bool]| {
            bits.iter()
                .rev()
                .fold(0, |byte, &bit| byte << 1 | u8::from(bit))
        };
        self.0.chunks(8).map(byte).collect()
    }
}

fn bits_of() -> Bits {
    Bits(Vec::new())
}

/// Two bits each for the lengths 0, 1, 2 and for the symbol 18 (11 to 138 times 0).
const PLAIN: [u32; 19] = [2, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];

/// 256 zeros and a length for the end of the block, with `PLAIN`, whose codes are 00, 01, 10, 11.
fn only_the_end(bits: Bits, code: &str) -> Bits {
    let zeros = bits
        .code("11")
        .value(138 - 11, 7)
        .code("11")
        .value(118 - 11, 7);
    zeros.code(code)
}

#[test]
fn each_rule_has_its_error() {
    let fixed = || bits_of().value(2, 3);
    let plain = |distances| only_the_end(bits_of().dynamic(257, distances, PLAIN), "01");
    let mut over = PLAIN;
    over[3] = 2;
    let mut less = PLAIN;
    less[18] = 3;
    for (what, bits, want) in [
        ("type 3", bits_of().value(6, 3), InflateError::BlockType),
        (
            "stored",
            bits_of().value(0, 8).value(0x0101, 16).value(0xfeff, 16),
            InflateError::StoredLength,
        ),
        (
            "287 literals",
            bits_of().dynamic(287, 1, PLAIN),
            InflateError::Codes,
        ),
        (
            "31 distances",
            bits_of().dynamic(257, 31, PLAIN),
            InflateError::Codes,
        ),
        (
            "no code of lengths",
            bits_of().dynamic(257, 1, [0; 19]),
            InflateError::Codes,
        ),
        (
            "lengths over",
            bits_of().dynamic(257, 1, over),
            InflateError::Codes,
        ),
        (
            "lengths under",
            bits_of().dynamic(257, 1, less),
            InflateError::Codes,
        ),
        (
            "repeat nothing",
            bits_of()
                .dynamic(257, 1, {
                    let mut lengths = [0; 19];
                    (lengths[16], lengths[1]) = (1, 1);
                    lengths
                })
                .code("1"),
            InflateError::Codes,
        ),
        // 138 zeros twice are 276, more than 258.
        (
            "repeat too much",
            bits_of()
                .dynamic(257, 1, PLAIN)
                .code("11")
                .value(127, 7)
                .code("11")
                .value(127, 7),
            InflateError::Codes,
        ),
        (
            "no end of block",
            only_the_end(bits_of().dynamic(257, 1, PLAIN), "00").code("00"),
            InflateError::Codes,
        ),
        (
            "literals over",
            bits_of()
                .dynamic(257, 1, PLAIN)
                .code("010101")
                .code("11")
                .value(127, 7)
                .code("11")
                .value(104, 7)
                .code("0100"),
            InflateError::Codes,
        ),
        (
            "literals under",
            only_the_end(bits_of().dynamic(257, 1, PLAIN), "10").code("00"),
            InflateError::Codes,
        ),
        (
            "distances under",
            plain(2).code("1000"),
            InflateError::Codes,
        ),
        (
            "the other bit",
            plain(1).code("01").code("1"),
            InflateError::Symbol,
        ),
        (
            "literal 286",
            fixed().code("11000110"),
            InflateError::Symbol,
        ),
        (
            "literal 287",
            fixed().code("11000111"),
            InflateError::Symbol,
        ),
        (
            "distance 30",
            fixed().code("00110000").code("0000001").code("11110"),
            InflateError::Symbol,
        ),
        (
            "distance 31",
            fixed().code("00110000").code("0000001").code("11111"),
            InflateError::Symbol,
        ),
        (
            "before the start",
            fixed().code("00110000").code("0000001").code("00001"),
            InflateError::Distance,
        ),
        (
            "nothing yet",
            fixed().code("0000001").code("00000"),
            InflateError::Distance,
        ),
    ] {
        // Enough behind it that the end of the message is not what is wrong.
        let payload = [bits.bytes(), vec![0xaa; 16]].concat();
        assert_eq!(inflate(&payload, WindowBits::MAX), Err(want), "{what}");
        same_as_zlib(&payload, what);
        let close = Error::Inflate(want).close_code().get();
        assert_eq!(close, 1007);
        assert!(want.reason().len() <= 123);
        // And as a message.
        let wire = wire(&[(BINARY, &payload)]);
        let got = Listener::new(Context::NO_TAKEOVER, 4_096).hear(Way::Whole, &wire, &[]);
        assert_eq!(got, (vec![], Some(Error::Inflate(want))), "{what}");
    }
}

#[test]
fn what_zlib_takes_beside_the_rules() {
    // A single code of one bit, for the end of the block, and no distance or one.
    let plain =
        |distances, code| only_the_end(bits_of().dynamic(257, distances, PLAIN), "01").code(code);
    for (what, bits) in [
        ("no distance", plain(1, "00")),
        ("one distance", plain(1, "01")),
    ] {
        // The end of that block, then a stored one up to the tail.
        let payload = bits.code("0").value(0, 3).bytes();
        assert_eq!(inflate(&payload, WindowBits::MAX), Ok(vec![]), "{what}");
        assert!(same_as_zlib(&payload, what));
    }
}

#[test]
fn a_distance_may_not_exceed_the_window() {
    // 600 literals in a stored block, then 3 bytes from `distance` behind: extra bits as agreed.
    for (symbol, base, extra) in [
        (15_u32, 193_u32, 6_u32),
        (16, 257, 7),
        (17, 385, 7),
        (18, 513, 8),
    ] {
        for more in [0, 1, 63, (1 << extra) - 1] {
            let distance = (base + more) as usize;
            if distance > 600 {
                continue;
            }
            let mut payload = [&[0, 0x58, 2, 0xa7, 0xfd][..], &Rng::new(3).bytes(600)].concat();
            let want = [&payload[5..], &payload[605 - distance..][..3]].concat();
            let code = format!("{symbol:05b}");
            let end = bits_of()
                .value(2, 3)
                .code("0000001")
                .code(&code)
                .value(more, extra)
                .code("0000000");
            payload.extend(end.value(0, 3).bytes());
            assert!(same_as_zlib(&payload, "distance"));
            for window in wirelet_tests::deflate::all_windows() {
                let got = inflate(&payload, window);
                if distance <= window.bytes() {
                    assert_eq!(got, Ok(want.clone()), "{distance} in {window}");
                } else {
                    assert_eq!(got, Err(InflateError::Distance), "{distance} in {window}");
                }
            }
        }
    }
}

#[test]
fn a_distance_may_reach_another_message_only_with_takeover() {
    let context = takeover(15);
    let mut deflater = Deflater::new(9, context);
    let first = deflater.message(b"Hello, Hello, Hello, world", &[]);
    let second = deflater.message(b"Hello, Hello, Hello, world", &[]);
    assert!(second.len() < first.len(), "it refers to the first");
    let hello = (Kind::Binary, b"Hello, Hello, Hello, world".to_vec());
    let both = wire(&[(BINARY, &first), (BINARY, &second)]);
    let got = Listener::new(context, 40_000).hear(Way::Whole, &both, &[]);
    assert_eq!(got, (vec![hello.clone(), hello.clone()], None));
    let want = Some(Error::Inflate(InflateError::Distance));
    for way in [Way::Whole, Way::Pieces] {
        let got = Listener::new(Context::NO_TAKEOVER, 40_000).hear(way, &both, &[]);
        assert_eq!(got, (vec![hello.clone()], want), "{way:?}");
    }
}
