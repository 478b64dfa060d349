//! Whatever zlib compresses comes back, in every split, window, mode and buffer that is enough.

use wirelet::deflate::Context;
use wirelet::{Kind, Limits, Role};
use wirelet_tests::deflate::{Deflater, Listener, Way, all_windows};
use wirelet_tests::frames::{self, Frame};
use wirelet_tests::rng::Rng;

use crate::*;

/// A message that compresses in one of several ways.
fn message(rng: &mut Rng, most: usize) -> Vec<u8> {
    let len = rng.below(most) + 1;
    match rng.below(6) {
        0 => rng.bytes(len),
        1 => vec![b'a'; len],
        // Few symbols: codes of one or two bits.
        2 => (0..len).map(|_| *rng.pick(b"ab")).collect(),
        // Words: matches at many distances.
        3 => {
            let words: Vec<Vec<u8>> = (0..20).map(|_| text(rng, 12)).collect();
            let words = std::iter::repeat_with(|| rng.pick(&words).clone());
            words.flatten().take(len).collect()
        }
        // Copies from as far back as the message goes.
        4 => {
            let mut out = rng.bytes(300);
            while out.len() < len {
                let from = rng.below(out.len());
                let to = (from + 3 + rng.below(300)).min(out.len());
                out.extend_from_within(from..to);
            }
            out
        }
        _ => text(rng, len),
    }
}

fn text(rng: &mut Rng, len: usize) -> Vec<u8> {
    (0..len)
        .map(|_| *rng.pick(b" etaoinshrdlu{}\":,0123"))
        .collect()
}

/// As frames, cut anywhere, now and then with a Ping or a message that is not compressed between.
fn frames(rng: &mut Rng, payload: &[u8], frames: &mut Vec<Frame>) {
    let cuts = if rng.chance(50) {
        vec![]
    } else {
        rng.cuts(payload.len())
    };
    let last = cuts.len();
    for (i, (_, piece)) in wirelet_tests::drive::pieces(payload, &cuts).enumerate() {
        let first = match (i, i == last) {
            (0, true) => BINARY,
            (0, false) => BINARY_OPEN,
            (_, true) => LAST,
            (_, false) => MORE,
        };
        frames.push(Frame::new(first, piece));
        if rng.chance(5) {
            frames.push(Frame::new(0x89, b"ping"));
        }
    }
}

#[test]
fn any_message_in_any_split() {
    for seed in 0..150 {
        let mut rng = Rng::new(seed);
        let windows: Vec<_> = all_windows().collect();
        let context = Context {
            takeover: rng.chance(60),
            window: *rng.pick(&windows),
        };
        let mut deflater = Deflater::new(rng.below(10) as u32, context);
        let most = 1 + rng.below(4_000);
        let (mut want, mut wire) = (Vec::new(), Vec::new());
        for _ in 0..1 + rng.below(8) {
            let mut message = message(&mut rng, most);
            message.truncate(most);
            if rng.chance(15) {
                wire.push(Frame::new(0x82, &message));
            } else {
                let flushes = if rng.chance(70) {
                    vec![]
                } else {
                    rng.cuts(message.len())
                };
                let flushes = if flushes.len() > 50 { vec![] } else { flushes };
                let payload = deflater.message(&message, &flushes);
                frames(&mut rng, &payload, &mut wire);
            }
            want.push((Kind::Binary, message));
        }
        let role = *rng.pick(&[Role::Client, Role::Server]);
        let wire = frames::wire(role, &wire);
        let cuts = rng.cuts(wire.len());
        let longest = want
            .iter()
            .map(|(_, message)| message.len())
            .max()
            .unwrap_or(0);
        let window = context.window.bytes();
        // The least that is enough, and a little more than that.
        let whole = if context.takeover {
            window + longest
        } else {
            longest
        };
        for (way, room) in [
            (Way::Whole, whole),
            (Way::Whole, whole + rng.below(500)),
            (Way::Pieces, window + 1 + rng.below(2 * longest)),
            (Way::Full, window + 1 + rng.below(2 * longest)),
        ] {
            let listener = Listener {
                role,
                limits: Limits::NONE.with_message(u64::MAX),
                ..Listener::new(context, room)
            };
            let about = format!("seed {seed} {context:?} {way:?} {room} bytes");
            let (got, error) = listener.hear(way, &wire, &cuts);
            assert_eq!(error, None, "{about}");
            assert!(got == want, "{about}");
        }
    }
}

#[test]
fn every_split_of_every_kind_of_block() {
    let mut rng = Rng::new(7);
    let stored = rng.bytes(40);
    let fixed = b"Hello, Hello, Hello".to_vec();
    let dynamic = text(&mut rng, 400);
    for level in [0, 1, 6, 9] {
        let context = takeover(9);
        let mut deflater = Deflater::new(level, context);
        let messages = [&stored, &fixed, &dynamic, &fixed];
        let mut frames = Vec::new();
        for message in messages {
            frames.push((BINARY, deflater.message(message, &[message.len() / 2])));
        }
        let frames: Vec<_> = frames
            .iter()
            .map(|(first, payload)| (*first, &payload[..]))
            .collect();
        let wire = wire(&frames);
        let want: Vec<_> = messages.map(|one| (Kind::Binary, one.clone())).to_vec();
        let each = |cuts: &[usize]| {
            for (way, room) in [
                (Way::Whole, 912),
                (Way::Whole, 5_000),
                (Way::Pieces, 513),
                (Way::Full, 513),
            ] {
                let got = Listener::new(context, room).hear(way, &wire, cuts);
                assert!(
                    got == (want.clone(), None),
                    "level {level} {way:?} {room} {cuts:?}"
                );
            }
        };
        for at in 0..=wire.len() {
            each(&[at]);
        }
        each(&(1..wire.len()).collect::<Vec<_>>());
    }
}

#[test]
fn the_largest_distance_and_length_of_each_window() {
    // Random bytes, then the same again: each is `window` bytes behind.
    for window in all_windows().skip(1) {
        let context = no_takeover(window.get());
        let mut rng = Rng::new(window.get().into());
        let period = window.bytes() - 262;
        let half = rng.bytes(period);
        let message = [&half[..], &half, &half[..300.min(period)]].concat();
        let payload = Deflater::new(9, context).message(&message, &[]);
        assert!(
            payload.len() < half.len() + half.len() / 4,
            "it did find them"
        );
        let wire = wire(&[(BINARY, &payload)]);
        let got = Listener::new(context, message.len()).hear(Way::Whole, &wire, &[]);
        assert!(got == (vec![(Kind::Binary, message)], None), "{window}");
    }
}
