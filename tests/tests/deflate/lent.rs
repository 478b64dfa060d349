//! A decoder that is lent to one connection after another, and pieces as large as they can be.

use wirelet::deflate::{Context, Inflate, Inflater};
use wirelet::{Error, Event, Limits, Receiver, Role};
use wirelet_tests::deflate::Deflater;
use wirelet_tests::drive::pieces;
use wirelet_tests::rng::Rng;

use crate::*;

/// What came, and the sizes of what was found.
#[derive(Debug, Default, PartialEq, Eq)]
struct Heard {
    messages: Vec<Vec<u8>>,
    open: Option<Vec<u8>>,
    found: Vec<usize>,
    error: Option<Error>,
}

/// Reads `wire`, cut after these positions, with a lent decoder; takes at most `most` bytes at once.
fn hear(
    decoder: &mut Inflate,
    context: Context,
    room: usize,
    wire: &[u8],
    cuts: &[usize],
    most: usize,
) -> Heard {
    let mut receiver = Receiver::new(Role::Client, Limits::NONE);
    receiver.allow_rsv1();
    let inflater = Inflater::lent(vec![0xa5; room], decoder, context, Limits::NONE);
    let mut inflater = inflater.expect("a buffer larger than the window");
    let mut heard = Heard::default();
    for (_, piece) in pieces(wire, cuts) {
        let mut piece = piece.to_vec();
        let mut input = &mut piece[..];
        while let Some(mut event) = receiver.next(&mut input).unwrap() {
            heard.error = heard.event(&mut inflater, &mut event, most).err();
            if heard.error.is_some() {
                return heard;
            }
        }
    }
    heard
}

impl Heard {
    fn event(
        &mut self,
        inflater: &mut Inflater<Vec<u8>, &mut Inflate>,
        event: &mut Event<'_>,
        most: usize,
    ) -> Result<(), Error> {
        while let Some(found) = inflater.ready_full(event)? {
            let len = inflater.left();
            self.found.push(len);
            let mut taken = 0;
            loop {
                let piece = inflater.take_up_to(most).expect("found");
                assert_eq!(piece.start, self.open.is_none(), "the first piece");
                taken += piece.payload.len();
                let open = self.open.get_or_insert_default();
                open.extend_from_slice(piece.payload);
                if piece.end {
                    self.messages.extend(self.open.take());
                }
                assert_eq!(piece.end, found.end && taken == len, "the last piece");
                if taken == len {
                    break;
                }
                assert_eq!(piece.payload.len(), most);
                assert_eq!(inflater.left(), len - taken);
            }
            assert_eq!(inflater.left(), 0);
            assert!(inflater.take_up_to(most).is_none());
        }
        assert!(event.payload.is_empty() && !event.end, "all was consumed");
        Ok(())
    }
}

fn json(rng: &mut Rng, len: usize) -> Vec<u8> {
    let mut text = Vec::new();
    while text.len() < len {
        text.extend(format!(r#"{{"id":{},"on":true}},"#, rng.below(500)).bytes());
    }
    text.truncate(len);
    text
}

#[test]
fn what_comes_is_the_same_whatever_the_decoder_did_before() {
    let mut decoder = Inflate::new(bits(8));
    for seed in 0..120 {
        let mut rng = Rng::new(seed);
        let context = Context {
            takeover: rng.chance(50),
            window: bits(9),
        };
        let room = 513 + rng.below(900);
        let mut deflater = Deflater::new(6, context);
        let mut frames = Vec::new();
        let mut want = Vec::new();
        for _ in 0..1 + rng.below(6) {
            let len = rng.below(2_000);
            let message = json(&mut rng, len);
            let plain = rng.chance(30);
            let payload = match plain {
                true => message.clone(),
                false => deflater.message(&message, &[]),
            };
            let first = if plain { 0x02 } else { BINARY_OPEN };
            let cut = rng.below(payload.len() + 1);
            frames.push((first, payload[..cut].to_vec()));
            frames.push((LAST, payload[cut..].to_vec()));
            want.push(message);
        }
        let frames: Vec<_> = frames.iter().map(|(f, p)| (*f, &p[..])).collect();
        let wire = wire(&frames);
        let (cuts, most) = (rng.cuts(wire.len()), 1 + rng.below(700));
        let heard = hear(&mut decoder, context, room, &wire, &cuts, most);
        assert_eq!(heard.error, None, "seed {seed}");
        assert!(heard.messages == want, "seed {seed}");
        // As few pieces as there can be: none that could have been a part of the next.
        let window = if context.takeover { 512 } else { 0 };
        let least: usize = want.iter().map(|one| one.len().div_ceil(room).max(1)).sum();
        let most: usize = want
            .iter()
            .map(|one| one.len() / (room - window) + one.len() / (room - 512) + 1)
            .sum();
        assert!((least..=most).contains(&heard.found.len()), "seed {seed}");
        // The next one finds the decoder in the middle of a block.
        hear(&mut decoder, context, room, &wire[..wire.len() / 2], &[], 9);
    }
}

/// What fits is found whole. Of what does not fit nothing is, unless it can pass.
#[test]
fn a_message_around_the_size_of_the_buffer() {
    let mut decoder = Inflate::new(bits(15));
    let mut rng = Rng::new(1);
    for len in 0..1_200 {
        let message = json(&mut rng, len);
        for (window, passes) in [(9, true), (10, false)] {
            let context = no_takeover(window);
            let payload = Deflater::new(6, context).message(&message, &[]);
            let wire = wire(&[(BINARY, &payload)]);
            let heard = hear(&mut decoder, context, 1_000, &wire, &[], 5_000);
            if len <= 1_000 {
                assert_eq!(heard.found, [len]);
            }
            if len <= 1_000 || passes {
                assert_eq!((heard.messages, heard.error), (vec![message.clone()], None));
            } else {
                assert_eq!(heard.error, Some(Error::MessageTooLarge));
                assert_eq!(heard.found, []);
            }
        }
    }
}

/// What was taken in parts is no part of the window if it was not compressed.
#[test]
fn not_compressed_messages_between_leave_the_window() {
    let context = takeover(9);
    let mut deflater = Deflater::new(9, context);
    let mut rng = Rng::new(5);
    let message = rng.bytes(200);
    let first = deflater.message(&message, &[]);
    let second = deflater.message(&message, &[]);
    assert!(second.len() < 20, "it refers to the first");
    let plain = rng.bytes(300);
    let wire = wire(&[(BINARY, &first), (0x82, &plain), (BINARY, &second)]);
    let mut decoder = Inflate::new(bits(9));
    for most in [1, 7, 199, 300] {
        let heard = hear(&mut decoder, context, 1_200, &wire, &[], most);
        let want = [message.clone(), plain.clone(), message.clone()];
        assert_eq!((heard.messages, heard.error), (want.to_vec(), None));
    }
}
