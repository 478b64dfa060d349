//! What comes in: the oracle says what it is, however it is cut, whoever is dropped on the way.

use core::cell::RefCell;

use wirelet::{Limits, Role};
use wirelet_embassy::{
    Buffered, Config, Error, Kind, Message, Piece, Timeouts, Transport, WebSocket,
};
use wirelet_tests::case::ROLES;
use wirelet_tests::oracle;
use wirelet_tests::outcome::Rules;
use wirelet_tests::rng::Rng;
use wirelet_tests::traffic::{mutated, valid};

use crate::clock::run;
use crate::io::{Careless, Io, exchange, insist, on_rings, open, pumped};
use crate::peer::{BINARY, TEXT};
use crate::said::{Said, check};
use crate::steps::{self, Steps};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Messages,
    Pieces,
    /// To the sending half of the same connection.
    Forward,
    /// One after the other.
    InTurn,
}

pub(crate) const HOW: [How; 4] = [How::Messages, How::Pieces, How::Forward, How::InTurn];

#[test]
fn buffered_one_byte_at_a_time() {
    for seed in 0..25 {
        for role in ROLES {
            for how in HOW {
                buffered(seed, role, how, 1, usize::MAX);
            }
        }
    }
}

#[test]
fn buffered_cut_anywhere_and_dropped_after_any_number_of_polls() {
    for seed in 0..150 {
        let mut rng = Rng::new(seed);
        let (step, polls) = (1 + rng.below(300), 1 + rng.below(5));
        buffered(seed, *rng.pick(&ROLES), *rng.pick(&HOW), step, polls);
    }
}

/// The transport's own futures must not be dropped, and are not.
#[test]
fn pumped_and_dropped_after_any_number_of_polls() {
    for seed in 0..100 {
        let mut rng = Rng::new(seed);
        let (step, polls) = (1 + rng.below(300), 1 + rng.below(5));
        over_a_pump(seed, *rng.pick(&ROLES), *rng.pick(&HOW), step, polls);
    }
}

#[test]
fn rings_that_wrap_anywhere() {
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let rings = (1 + rng.below(200), 139 + rng.below(60));
        rings_of(rings, seed, *rng.pick(&ROLES), *rng.pick(&HOW), usize::MAX);
    }
}

#[test]
fn rings_and_futures_that_are_dropped_after_any_number_of_polls() {
    for seed in 100..160 {
        let mut rng = Rng::new(seed);
        let (rings, polls) = ((1 + rng.below(500), 139 + rng.below(500)), 1 + rng.below(4));
        rings_of(rings, seed, *rng.pick(&ROLES), *rng.pick(&HOW), polls);
    }
}

fn buffered(seed: u64, role: Role, how: How, step: usize, polls: usize) {
    let input = traffic(seed, role);
    let (mut io, log) = Steps::new(input.clone(), step);
    io.reader.end = steps::End::Eof;
    let (mut rx, mut tx) = (
        vec![0; 1 + seed as usize % 50],
        vec![0; 139 + seed as usize % 400],
    );
    let said = run(async {
        let io = Buffered::new(Io(io), &mut rx, &mut tx);
        let (mut buffer, mut random) = (vec![0; 4096], || [1, 2, 3, 4]);
        let mut ws = open(io, role, &config(), &mut buffer, &mut random);
        receive(&mut ws, how, polls, seed).await
    });
    let about = format!("seed {seed} {role:?} {how:?} step {step} polls {polls}");
    judge(&input, role, how, &said, &log.bytes(), &about);
}

fn over_a_pump(seed: u64, role: Role, how: How, step: usize, polls: usize) {
    let input = traffic(seed, role);
    let (mut io, log) = Steps::new(input.clone(), step);
    io.reader.end = steps::End::Eof;
    let (reader, writer) = io.split();
    let room = (1 + seed as usize % 50, 139 + seed as usize % 400);
    let halves = (Careless(Io(reader)), Careless(Io(writer)));
    let said = run(pumped(halves, room, async |pump| {
        let (mut buffer, mut random) = (vec![0; 4096], || [1, 2, 3, 4]);
        let mut ws = open(pump, role, &config(), &mut buffer, &mut random);
        let said = receive(&mut ws, how, polls, seed).await;
        // The end of the stream may overtake what is on its way out.
        let _ = Transport::flush(&RefCell::new(pump)).await;
        said
    }));
    let about = format!("seed {seed} {role:?} {how:?} step {step} polls {polls}");
    judge(&input, role, how, &said, &log.bytes(), &about);
}

fn rings_of(rings: (usize, usize), seed: u64, role: Role, how: How, polls: usize) {
    let input = traffic(seed, role);
    let (said, wire) = on_rings(rings, 0, async |socket, peer| {
        let (mut buffer, mut random) = (vec![0; 4096], || [1, 2, 3, 4]);
        let ours = async {
            let mut ws = open(&mut *socket, role, &config(), &mut buffer, &mut random);
            let said = receive(&mut ws, how, polls, seed).await;
            drop(ws);
            socket.close();
            said
        };
        let theirs = exchange(peer, &input, 1 + seed as usize % 700);
        embassy_futures::join::join(ours, theirs).await
    });
    let about = format!("seed {seed} {role:?} {how:?} rings {rings:?} polls {polls}");
    judge(&input, role, how, &said, &wire, &about);
}

/// What was said of the input, and answered on the wire, is what the oracle says.
fn judge(input: &[u8], role: Role, how: How, said: &Said, wire: &[u8], about: &str) {
    let want = oracle::read(&rules(role), input);
    check(input, role, &want, how == How::Forward, said, wire, &about);
}

/// Receives until the end.
pub(crate) async fn receive<T: Transport>(
    ws: &mut WebSocket<'_, T>,
    how: How,
    polls: usize,
    seed: u64,
) -> Said {
    let mut said = Said::default();
    let mut turns = Rng::new(seed);
    let mut open: Option<(u8, Vec<u8>)> = None;
    let end = loop {
        let now = match how {
            // Only between messages: what is a piece of one is no message.
            How::InTurn if open.is_none() => *turns.pick(&HOW[..2]),
            How::InTurn => How::Pieces,
            how => how,
        };
        match now {
            How::Messages => match insist!(polls, ws.recv()) {
                Ok(Some(message)) => said.messages.push(item(message)),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            },
            How::Pieces => {
                let take = |piece: Piece<'_>| {
                    let opcode = if piece.kind == Kind::Text {
                        TEXT
                    } else {
                        BINARY
                    };
                    assert_eq!(piece.start, open.is_none(), "the first piece");
                    let open = open.get_or_insert((opcode, Vec::new()));
                    open.1.extend_from_slice(piece.payload);
                    piece.end
                };
                let mut take = Some(take);
                let next = insist!(polls, ws.recv_piece(|piece| take.take().unwrap()(piece)));
                match next {
                    Ok(Some(true)) => said.messages.extend(open.take()),
                    Ok(Some(false)) => {}
                    Ok(None) => break Ok(()),
                    Err(error) => break Err(error),
                }
            }
            _ => {
                let (mut rx, mut tx) = ws.halves();
                match insist!(polls, rx.forward(&mut tx)) {
                    Ok(Some(())) => {}
                    Ok(None) => break Ok(()),
                    Err(error) => break Err(error),
                }
            }
        }
    };
    match end {
        Ok(()) => {}
        Err(Error::Protocol(rule)) => said.rule = Some(rule),
        Err(Error::Disconnected) => said.disconnected = true,
        Err(error) => panic!("{error:?}"),
    }
    said.closed = ws.closed().is_some();
    assert!(matches!(ws.recv().await, Ok(None)), "the end is told once");
    assert!(
        matches!(ws.recv_piece(|_| ()).await, Ok(None)),
        "the end is told once"
    );
    assert!(ws.halves().0.recv().await.is_ok_and(|m| m.is_none()));
    said
}

fn item(message: Message<'_>) -> (u8, Vec<u8>) {
    let opcode = if message.kind() == Kind::Text {
        TEXT
    } else {
        BINARY
    };
    (opcode, message.as_bytes().to_vec())
}

fn rules(role: Role) -> Rules {
    Rules {
        role,
        limits: Limits::default(),
        rsv1: false,
        room: None,
    }
}

/// What a peer may send, and what it may not.
fn traffic(seed: u64, role: Role) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    let wire = valid(&mut rng, role);
    if rng.chance(50) {
        mutated(&mut rng, wire)
    } else {
        wire
    }
}

/// No deadlines but those of the handshake and the close.
pub(crate) fn config() -> Config {
    Config::default().timeouts(Timeouts::default().patient())
}
