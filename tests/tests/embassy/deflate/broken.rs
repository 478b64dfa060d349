//! What a peer must not do with compression, and what it may.

use wirelet::deflate::{Context, InflateError};
use wirelet::{Config, Role};
use wirelet_embassy::{Buffered, Deflate, DeflatePool, Message};
use wirelet_tests::case::ROLES;
use wirelet_tests::deflate::Deflater;
use wirelet_tests::frames::{Frame, wire};

use crate::clock::run;
use crate::io::{Io, open};
use crate::peer::{self, CLOSE, messages, other};
use crate::receiving::{HOW, How, receive};
use crate::steps::{End, Steps};

use super::{HELLO, SMALL, agreement, context};

/// A peer that breaks a rule, or a limit.
struct Bad {
    name: &'static str,
    context: Context,
    room: usize,
    frames: Vec<Frame>,
    rule: wirelet::Error,
    /// Messages before.
    good: usize,
}

/// Largest message, inflated.
const LIMIT: u64 = 2_000;

fn bad() -> Vec<Bad> {
    let zip = |message: &[u8]| Deflater::new(9, SMALL).message(message, &[]);
    let mut takes_over = Deflater::new(9, context(true, 15));
    let first = takes_over.message(b"the first of two that are alike", &[]);
    let second = takes_over.message(b"the first of two that are alike", &[]);
    let nine = context(false, 9);
    let small_window = |message: &[u8]| Deflater::new(9, nine).message(message, &[]);
    let inflate = wirelet::Error::Inflate;
    let case = |name, context, room, frames, rule, good| Bad {
        name,
        context,
        room,
        frames,
        rule,
        good,
    };
    vec![
        case(
            "text that is invalid only after inflating",
            SMALL,
            64,
            vec![Frame::new(0xc1, zip(b"good until \xff here"))],
            wirelet::Error::Utf8,
            0,
        ),
        case(
            "text that ends inside a character",
            SMALL,
            64,
            vec![
                Frame::new(
                    0x41,
                    zip("ends in Zo\u{eb}".as_bytes().split_last().unwrap().1),
                ),
                Frame::new(0x80, ""),
            ],
            wirelet::Error::Utf8,
            0,
        ),
        case(
            "a bomb",
            SMALL,
            64,
            vec![Frame::new(0xc2, zip(&[0; 100_000]))],
            wirelet::Error::MessageTooLarge,
            0,
        ),
        case(
            "a bomb that could pass in pieces",
            nine,
            1_000,
            vec![Frame::new(0xc2, small_window(&[0; 100_000]))],
            wirelet::Error::MessageTooLarge,
            0,
        ),
        case(
            "takeover without having agreed to it",
            SMALL,
            64,
            vec![Frame::new(0xc2, first), Frame::new(0xc2, second)],
            inflate(InflateError::Distance),
            1,
        ),
        case(
            "a message that ends inside a block",
            SMALL,
            64,
            // Section 7.2.3.1, without its last byte.
            vec![Frame::new(0xc1, &HELLO[..5])],
            inflate(InflateError::Unfinished),
            0,
        ),
        case(
            "no block",
            SMALL,
            64,
            vec![Frame::new(0x82, "x"), Frame::new(0xc2, [0xff; 9])],
            inflate(InflateError::BlockType),
            1,
        ),
        case(
            "RSV1 on a continuation",
            SMALL,
            64,
            vec![Frame::new(0x41, &HELLO[..3]), Frame::new(0xc0, &HELLO[3..])],
            wirelet::Error::ReservedBit,
            0,
        ),
        case(
            "RSV1 on a Ping inside a message",
            SMALL,
            64,
            vec![Frame::new(0x41, &HELLO[..3]), Frame::new(0xc9, "")],
            wirelet::Error::ReservedBit,
            0,
        ),
        case(
            "RSV2",
            SMALL,
            64,
            vec![Frame::new(0xa1, HELLO)],
            wirelet::Error::ReservedBit,
            0,
        ),
        case(
            "one byte larger than the buffer",
            SMALL,
            100,
            vec![
                Frame::new(0xc2, zip(&[b'x'; 100])),
                Frame::new(0xc2, zip(&[b'x'; 101])),
            ],
            wirelet::Error::MessageTooLarge,
            1,
        ),
    ]
}

#[test]
fn every_broken_rule_in_every_split() {
    for bad in bad() {
        for role in ROLES {
            let mut frames = bad.frames.clone();
            // Nothing of it is understood.
            frames.push(Frame::new(0x81, "behind"));
            let input = wire(role, &frames);
            let steps = (1..input.len().min(60)).chain([input.len()]);
            for (how, step) in steps.flat_map(|step| HOW.map(|how| (how, step))) {
                let polls = [usize::MAX, 1, 2][step % 3];
                broken(&bad, role, how, &input, step, polls);
            }
        }
    }
}

fn broken(bad: &Bad, role: Role, how: How, input: &[u8], step: usize, polls: usize) {
    let (mut io, log) = Steps::new(input.to_vec(), step);
    io.reader.end = End::Eof;
    let pool = DeflatePool::<1>::new();
    let config = crate::receiving::config().max_message(LIMIT);
    // The wire's own limit is not what is tested.
    let config = config.limits(wirelet::Limits {
        frame: u64::MAX,
        ..config.limits
    });
    let (mut rx, mut tx) = ([0; 70], [0; 300]);
    let said = run(async {
        let io = Buffered::new(Io(io), &mut rx, &mut tx);
        let (mut buffer, mut random) = (vec![0; bad.room], || [1, 2, 3, 4]);
        let ws = open(io, role, &config, &mut buffer, &mut random);
        let mut ws = ws
            .deflate(agreement(bad.context), &Deflate::new(&pool))
            .unwrap();
        receive(&mut ws, how, polls, 3).await
    });
    let about = format!("{}: {role:?} {how:?} step {step} polls {polls}", bad.name);
    assert_eq!(
        (said.rule, said.disconnected, said.closed),
        (Some(bad.rule), false, false),
        "{about}"
    );
    let answer = peer::read(other(role), &log.bytes());
    assert!(answer.whole_frames, "{about}");
    let close = peer::close(bad.rule.close_code().get(), bad.rule.reason());
    assert_eq!(answer.items.last(), Some(&(CLOSE, close)), "{about}");
    let good = match how {
        How::Forward => messages(&answer.items).len(),
        _ => said.messages.len(),
    };
    assert_eq!(good, bad.good, "{about}");
    // Nothing of a message leaves that is not sound, if the buffer can hold it.
    if how == How::Forward && bad.context == SMALL {
        assert_eq!(answer.open, None, "{about}");
    }
}

#[test]
fn empty_messages_and_those_with_a_final_block() {
    for role in ROLES {
        for (payload, want) in [
            (&[0][..], ""),
            // Section 7.2.3.4: a block with BFINAL.
            (b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", "Hello"),
            // Section 7.2.3.3: stored.
            (b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", "Hello"),
            // Section 7.2.3.5: two blocks.
            (
                b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00",
                "Hello",
            ),
        ] {
            for step in 1..20 {
                let frames = [Frame::new(0xc1, payload), Frame::new(0xc1, payload)];
                let (io, _) = Steps::new(wire(role, &frames), step);
                let pool = DeflatePool::<1>::new();
                let (mut rx, mut tx) = ([0; 70], [0; 300]);
                run(async {
                    let io = Buffered::new(Io(io), &mut rx, &mut tx);
                    let (mut buffer, mut random) = ([0; 5], || [1, 2, 3, 4]);
                    let ws = open(io, role, &Config::default(), &mut buffer, &mut random);
                    let mut ws = ws.deflate(agreement(SMALL), &Deflate::new(&pool)).unwrap();
                    for _ in 0..2 {
                        assert_eq!(ws.recv().await, Ok(Some(Message::Text(want))));
                    }
                });
            }
        }
    }
}
