//! Messages that come compressed, however they are cut, whoever is dropped on the way.

use embassy_futures::join::join;
use wirelet::Role;
use wirelet::deflate::Context;
use wirelet_embassy::{Buffered, CloseCode, DeflatePool, Error, SendError};
use wirelet_tests::case::ROLES;
use wirelet_tests::deflate::Deflater;
use wirelet_tests::drive::pieces;
use wirelet_tests::frames::{Frame, wire};
use wirelet_tests::rng::Rng;

use crate::clock::run;
use crate::io::{Io, cut, exchange, on_rings, open};
use crate::peer::{self, BINARY, CLOSE, PING, PONG, TEXT, messages, other};
use crate::receiving::{HOW, How, config, receive};
use crate::said::Said;
use crate::steps::{self, Steps};

use super::{SMALL, agreement, context, inflating};

/// What a peer sends, and what is in it.
struct Traffic {
    wire: Vec<u8>,
    data: Vec<(u8, Vec<u8>)>,
    pings: Vec<Vec<u8>>,
}

/// Messages up to so many bytes, some compressed and some not, in frames, with Pings between.
fn traffic(rng: &mut Rng, role: Role, context: Context, most: usize) -> Traffic {
    let mut deflater = Deflater::new([0, 1, 6, 9][rng.below(4)], context);
    let (mut frames, mut data, mut pings) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..1 + rng.below(5) {
        let (opcode, message) = message(rng, most);
        let compressed = rng.chance(70);
        let payload = match compressed {
            true => {
                let flushes = rng.cuts(message.len());
                deflater.message(&message, &flushes[..flushes.len().min(2)])
            }
            false => message.clone(),
        };
        data.push((opcode, message));
        let cuts = match rng.chance(50) {
            true => rng.cuts(payload.len()),
            false => vec![],
        };
        let last = cuts.len();
        for (i, (_, piece)) in pieces(&payload, &cuts).enumerate() {
            let mut first = if i == last { 0x80 } else { 0 };
            if i == 0 {
                first |= opcode | if compressed { 0x40 } else { 0 };
            }
            frames.push(Frame::new(first, piece));
            if rng.chance(20) {
                let payload = rng.bytes(3);
                frames.push(Frame::new(0x80 | PING, &payload));
                pings.push(payload);
            }
        }
    }
    frames.push(Frame::new(0x88, peer::close(1000, "bye")));
    Traffic {
        wire: wire(role, &frames),
        data,
        pings,
    }
}

fn message(rng: &mut Rng, most: usize) -> (u8, Vec<u8>) {
    let len = rng.below(most + 1);
    match rng.below(5) {
        0 => (BINARY, rng.bytes(len)),
        1 => (BINARY, vec![7; len]),
        2 => (TEXT, vec![]),
        _ => {
            let mut text = String::new();
            while text.len() < len {
                text += &format!(r#"{{"id":{},"wer":"Zoë","ok":true}},"#, rng.below(90));
            }
            let end = (0..=len).rev().find(|&at| text.is_char_boundary(at));
            text.truncate(end.unwrap());
            (TEXT, text.into_bytes())
        }
    }
}

/// What was said is what was sent, and so is what was answered.
fn check(sent: &Traffic, role: Role, how: How, said: Said, answer: &[u8], about: &str) {
    let answer = peer::read(other(role), answer);
    assert!(answer.whole_frames, "a torn frame: {about}");
    let here = (said.rule, said.disconnected, said.closed);
    assert_eq!(here, (None, false, true), "{about}");
    let echo: Vec<_> = answer.items.iter().filter(|item| item.0 < 8).collect();
    if how == How::Forward {
        assert!(echo.into_iter().eq(&sent.data), "{about}");
    } else {
        assert!(said.messages == sent.data, "{about}");
        assert!(echo.is_empty() && answer.open.is_none(), "{about}");
    }
    let code = 1000_u16.to_be_bytes().to_vec();
    assert_eq!(answer.items.last(), Some(&(CLOSE, code)), "{about}");
    let mut pings = sent.pings.iter();
    for pong in answer.items.iter().filter(|item| item.0 == PONG) {
        assert!(pings.any(|ping| *ping == pong.1), "{about}");
    }
}

/// The mode, and how large the buffer must be for a message of some size.
fn modes(rng: &mut Rng, how: How) -> (Context, usize, usize) {
    let most = rng.below(900);
    let spare = rng.below(100);
    let whole = matches!(how, How::Messages | How::InTurn);
    match rng.below(3) {
        0 => (SMALL, most, most + spare),
        // In pieces any size passes.
        1 if whole => (context(false, 9), most, most.max(1) + spare),
        1 => (context(false, 9), most, 513 + spare),
        _ if whole => (context(true, 9), most, 513 + most + spare),
        _ => (context(true, 9), most, 513 + spare),
    }
}

fn buffered(seed: u64, role: Role, how: How, step: usize, polls: usize) {
    let mut rng = Rng::new(seed);
    let (context, most, room) = modes(&mut rng, how);
    let sent = traffic(&mut rng, role, context, most);
    let (mut io, log) = Steps::new(sent.wire.clone(), step);
    io.reader.end = steps::End::Eof;
    let pool = DeflatePool::new();
    let (mut rx, mut tx) = (vec![0; 1 + rng.below(50)], vec![0; 139 + rng.below(400)]);
    let said = run(async {
        let io = Buffered::new(Io(io), &mut rx, &mut tx);
        let (mut buffer, mut random) = (vec![0; room], || [1, 2, 3, 4]);
        let mut ws = inflating(io, role, context, &mut buffer, &mut random, &pool);
        assert_eq!((pool.free(), ws.agreement()), (0, Some(agreement(context))));
        receive(&mut ws, how, polls, seed).await
    });
    assert_eq!(pool.free(), 1, "it was given back");
    let about = format!("seed {seed} {role:?} {how:?} {context:?} step {step} polls {polls}");
    check(&sent, role, how, said, &log.bytes(), &about);
}

#[test]
fn buffered_one_byte_at_a_time() {
    for seed in 0..40 {
        for role in ROLES {
            for how in HOW {
                buffered(seed, role, how, 1, usize::MAX);
            }
        }
    }
}

#[test]
fn buffered_cut_anywhere_and_dropped_after_any_number_of_polls() {
    for seed in 100..500 {
        let mut rng = Rng::new(!seed);
        let (step, polls) = (1 + rng.below(300), 1 + rng.below(5));
        buffered(seed, *rng.pick(&ROLES), *rng.pick(&HOW), step, polls);
    }
}

#[test]
fn rings_that_wrap_anywhere_and_futures_that_are_dropped() {
    for seed in 500..620 {
        let mut rng = Rng::new(seed);
        let (role, how) = (*rng.pick(&ROLES), *rng.pick(&HOW));
        let polls = if rng.chance(50) {
            1 + rng.below(4)
        } else {
            usize::MAX
        };
        let rings = (1 + rng.below(300), 139 + rng.below(300));
        let (context, most, room) = modes(&mut rng, how);
        let sent = traffic(&mut rng, role, context, most);
        let pool = DeflatePool::new();
        let (said, answer) = on_rings(rings, 0, async |socket, peer| {
            let (mut buffer, mut random) = (vec![0; room], || [1, 2, 3, 4]);
            let ours = async {
                let io = &mut *socket;
                let mut ws = inflating(io, role, context, &mut buffer, &mut random, &pool);
                let said = receive(&mut ws, how, polls, seed).await;
                drop(ws);
                socket.close();
                said
            };
            join(ours, exchange(peer, &sent.wire, 1 + seed as usize % 700)).await
        });
        let about = format!("seed {seed} {role:?} {how:?} {context:?} rings {rings:?}");
        check(&sent, role, how, said, &answer, &about);
    }
}

/// Each of the three goes on where another was dropped, wherever that was.
#[test]
fn one_after_the_other_in_the_middle_of_a_message() {
    let text = r#"{"id":1,"on":true},"#.repeat(40);
    for (context, room) in [
        (SMALL, 800),
        (context(false, 9), 800),
        (context(true, 9), 1400),
    ] {
        let mut deflater = Deflater::new(6, context);
        let payload = deflater.message(text.as_bytes(), &[100, 300]);
        let next = deflater.message(b"the next one", &[]);
        for order in 0..6 {
            for polls in 1..40 {
                for role in ROLES {
                    let frames = [
                        Frame::new(0x41, &payload[..20]),
                        Frame::new(0x00, &payload[20..]),
                        Frame::new(0x80, ""),
                        Frame::new(0xc2, &next),
                        Frame::new(0x88, ""),
                    ];
                    let (mut io, log) = Steps::new(wire(role, &frames), 7);
                    io.reader.end = steps::End::Eof;
                    let pool = DeflatePool::new();
                    let (mut rx, mut tx) = ([0; 16], [0; 150]);
                    let (mut got, mut last) = (Vec::new(), Vec::new());
                    run(async {
                        let io = Buffered::new(Io(io), &mut rx, &mut tx);
                        let (mut buffer, mut random) = (vec![0; room], || [1, 2, 3, 4]);
                        let mut ws = inflating(io, role, context, &mut buffer, &mut random, &pool);
                        let mut done = false;
                        // The first is dropped, then the second, then the third goes on.
                        let ways = [
                            [0, 1, 2],
                            [0, 2, 1],
                            [1, 0, 2],
                            [1, 2, 0],
                            [2, 0, 1],
                            [2, 1, 0],
                        ];
                        for (i, way) in ways[order].into_iter().enumerate() {
                            let polls = if i < 2 { polls } else { 100_000 };
                            while !done {
                                done = match way {
                                    0 => match cut(polls, ws.recv()).await {
                                        None => break,
                                        Some(message) => {
                                            let message = message.unwrap().unwrap();
                                            got.extend_from_slice(message.as_bytes());
                                            true
                                        }
                                    },
                                    1 => {
                                        let take = |piece: wirelet_embassy::Piece<'_>| {
                                            got.extend_from_slice(piece.payload);
                                            piece.end
                                        };
                                        match cut(polls, ws.recv_piece(take)).await {
                                            None => break,
                                            Some(end) => end.unwrap().unwrap(),
                                        }
                                    }
                                    _ => {
                                        let (mut rx, mut tx) = ws.halves();
                                        match cut(polls, rx.forward(&mut tx)).await {
                                            None => break,
                                            Some(sent) => sent.unwrap().is_some(),
                                        }
                                    }
                                };
                            }
                        }
                        last.extend_from_slice(ws.recv().await.unwrap().unwrap().as_bytes());
                        // If some of it was sent on and the rest was not, the message is open.
                        assert!(ws.recv().await.unwrap().is_none());
                    });
                    let about = format!("{role:?} {context:?} order {order} polls {polls}");
                    let answer = peer::read(other(role), &log.bytes());
                    let open = answer.open.iter().chain(&answer.items);
                    let sent: Vec<u8> = open
                        .filter(|item| item.0 < 8)
                        .flat_map(|item| item.1.clone())
                        .collect();
                    assert_eq!(sent.len() + got.len(), text.len(), "{about}");
                    let mut both = [&sent[..], &got].concat();
                    let mut want = text.clone().into_bytes();
                    both.sort_unstable();
                    want.sort_unstable();
                    assert!(both == want, "{about}");
                    assert_eq!(last, b"the next one", "{about}");
                }
            }
        }
    }
}

/// A Ping between two fragments is answered before the message is there.
#[test]
fn a_ping_inside_a_compressed_message() {
    for role in ROLES {
        on_rings((256, 256), 0, async |socket, peer| {
            let pool = DeflatePool::new();
            let (mut buffer, mut random) = ([0; 64], || [1, 2, 3, 4]);
            let mut ws = inflating(&mut *socket, role, SMALL, &mut buffer, &mut random, &pool);
            let ours = async {
                let message = ws.recv().await.unwrap().unwrap();
                assert_eq!(message.as_text(), Some("Hello"));
                assert!(ws.recv().await.unwrap().is_none());
            };
            let theirs = async {
                let put = |first, payload: &[u8]| wire(role, &[Frame::new(first, payload)]);
                crate::io::Peer::put(peer, &put(0x41, b"\xf2\x48\xcd")).await;
                crate::io::Peer::put(peer, &put(0x89, b"there?")).await;
                let mut answer = Vec::new();
                while peer::whole(other(role), &answer) != [(PONG, b"there?".to_vec())] {
                    answer.extend(crate::io::Peer::some(peer).await);
                }
                crate::io::Peer::put(peer, &put(0x80, b"\xc9\xc9\x07\x00")).await;
                crate::io::Peer::put(peer, &put(0x88, b"")).await;
                if role == Role::Client {
                    crate::io::Peer::hang_up(peer).await;
                }
                crate::io::Peer::all(peer).await;
            };
            join(ours, theirs).await;
        });
    }
}

/// What comes after we closed is dropped, whatever it is: also if the `close` is dropped and others
/// go on.
#[test]
fn messages_that_come_while_we_close() {
    let zeros = Deflater::new(9, SMALL).message(&[0; 100_000], &[]);
    let frames = [
        Frame::new(0x42, &zeros[..4]),
        Frame::new(0x89, "?"),
        Frame::new(0x80, &zeros[4..]),
        // It does not inflate.
        Frame::new(0xc2, [0xff; 9]),
        Frame::new(0x88, peer::close(1000, "")),
    ];
    for role in ROLES {
        for polls in (1..60).chain([100_000]) {
            let (mut io, log) = Steps::new(wire(role, &frames), 11);
            io.reader.end = steps::End::Eof;
            let pool = DeflatePool::new();
            let (mut rx, mut tx) = ([0; 16], [0; 150]);
            run(async {
                let io = Buffered::new(Io(io), &mut rx, &mut tx);
                let (mut buffer, mut random) = ([0; 64], || [1, 2, 3, 4]);
                let mut ws = inflating(io, role, SMALL, &mut buffer, &mut random, &pool);
                // Some of a message is here already.
                assert!(cut(3, ws.recv()).await.is_none());
                match cut(polls, ws.close(CloseCode::NORMAL, "")).await {
                    Some(end) => assert_eq!(end, Ok(())),
                    None => assert_eq!(ws.recv().await, Ok(None)),
                }
                assert_eq!(ws.closed().unwrap().code, CloseCode::NORMAL);
            });
            let answer = peer::whole(other(role), &log.bytes());
            assert!(messages(&answer).is_empty());
            assert_eq!(answer.last().unwrap().0, CLOSE);
        }
    }
}

/// From a connection whose peer compresses to one that agreed to nothing; and to one that is closed:
/// then the message is lost, and the next one is not, also if it refers to it.
#[test]
fn messages_that_are_sent_on_to_another_connection() {
    let text = r#"{"id":1,"on":true},"#.repeat(100);
    for (context, room, passes) in [
        (SMALL, 1900, true),
        (SMALL, 1899, false),
        (context(false, 9), 520, true),
        (context(true, 9), 520, true),
    ] {
        let mut deflater = Deflater::new(9, context);
        let first = deflater.message(text.as_bytes(), &[]);
        let second = deflater.message(&text.as_bytes()[..8], &[]);
        let frames = [
            Frame::new(0x41, &first[..9]),
            Frame::new(0x80, &first[9..]),
            Frame::new(0xc2, &second),
        ];
        for (step, closed) in (1..40).flat_map(|step| [(step, false), (step, true)]) {
            let about = format!("{context:?} {room} step {step} closed {closed}");
            let (one, _) = Steps::new(wire(Role::Server, &frames), step);
            let (two, log) = Steps::new(vec![], 100);
            let pool = DeflatePool::new();
            run(async {
                let (mut rx, mut tx) = ([0; 16], [0; 150]);
                let (mut buffer, mut random) = (vec![0; room], || [1, 2, 3, 4]);
                let one = Buffered::new(Io(one), &mut rx, &mut tx);
                let server = Role::Server;
                let mut one = inflating(one, server, context, &mut buffer, &mut random, &pool);
                let (mut rx, mut tx) = ([0; 16], [0; 150]);
                let (mut buffer, mut random) = ([0; 8], || [1, 2, 3, 4]);
                let two = Buffered::new(Io(two), &mut rx, &mut tx);
                let mut two = open(two, Role::Client, &config(), &mut buffer, &mut random);
                let (mut rx, (_, mut to)) = (one.halves().0, two.halves());
                if closed {
                    to.close(CloseCode::NORMAL, "").await.unwrap();
                }
                let sent = rx.forward(&mut to).await;
                let want = match (passes, closed) {
                    (false, _) => Err(Error::Protocol(wirelet::Error::MessageTooLarge)),
                    (true, true) => Err(Error::Send(SendError::Closed)),
                    (true, false) => Ok(Some(())),
                };
                assert_eq!(sent, want, "{about}");
                to.flush().await.ok();
                if passes {
                    let message = rx.recv().await.unwrap().unwrap();
                    assert_eq!(message.as_bytes(), &text.as_bytes()[..8], "{about}");
                }
            });
            let heard = peer::whole(Role::Server, &log.bytes());
            if passes && !closed {
                assert!(heard == [(TEXT, text.clone().into_bytes())], "{about}");
            } else {
                assert!(messages(&heard).is_empty(), "{about}");
            }
        }
    }
}

/// What a fragment brings comes out with it, however little room there is: nothing waits in the
/// decoder for the next one.
#[test]
fn a_fragment_that_is_not_the_last() {
    for (len, room) in (900..1_100).flat_map(|len| [(len, 257), (len, 300), (len, 513)]) {
        let context = context(false, 8);
        let fragment = Deflater::new(9, context).message(&vec![7; len], &[]);
        let bytes = wire(Role::Server, &[Frame::new(0x42, fragment)]);
        let (io, _) = Steps::new(bytes, 1_000);
        let pool = DeflatePool::new();
        run(async {
            let (mut rx, mut tx) = ([0; 100], [0; 150]);
            let io = Buffered::new(Io(io), &mut rx, &mut tx);
            let (mut buffer, mut random) = (vec![0; room], || [1, 2, 3, 4]);
            let mut ws = inflating(io, Role::Server, context, &mut buffer, &mut random, &pool);
            let mut got = 0;
            while got < len {
                let piece = ws
                    .recv_piece(|piece| (piece.payload.len(), piece.end))
                    .await;
                let (more, end) = piece.unwrap().unwrap();
                assert!(!end);
                got += more;
            }
            assert_eq!(got, len, "{room}");
        });
    }
}
