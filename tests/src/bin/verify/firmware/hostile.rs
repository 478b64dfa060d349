//! Peers that vanish, flood, do not read, or come in crowds. After each of them the board serves on
//! and has let go of all that they held.

use std::net::SocketAddrV4;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use anyhow::{Context, Result, anyhow, bail, ensure};
use wirelet::Role;
use wirelet_tests::frames::{Frame, Length, wire};

use super::board::Board;
use super::peer::{Peer, TEXT, request, status, until};
use crate::job::{Job, Tally};

/// In this order; each finds the board that the one before left. If that one is no longer whole, the
/// others would say nothing of themselves.
pub(super) fn run(job: &Job, board: &mut Board) -> Result<Tally> {
    let address = board.address();
    let mut tally = Tally::default();
    for (name, check) in checks() {
        job.note(&name)?;
        tally.check(check(address).with_context(|| name.clone()));
        let_go(address).with_context(|| format!("{name}: afterwards"))?;
    }
    let free = status(address)?["stack_free"].as_u64();
    job.note(&format!("bytes of stack that were never used: {free:?}"))?;
    tally.check(match free {
        Some(free) if free >= STACK_FREE => Ok(()),
        other => Err(anyhow!("stack that was never used: {other:?} bytes")),
    });
    Ok(tally)
}

type Check = Box<dyn Fn(SocketAddrV4) -> Result<()>>;

fn checks() -> Vec<(String, Check)> {
    let mut checks: Vec<(String, Check)> = Vec::new();
    let mut check = |name: &str, check: Check| checks.push((name.to_owned(), check));
    check("more connections than slots", Box::new(more_than_slots));
    for (phase, path, bytes) in phases() {
        for (end, how) in [
            (Peer::hang_up as fn(Peer) -> Result<()>, "an end"),
            (Peer::reset, "a reset"),
        ] {
            let bytes = bytes.clone();
            // Somebody is served between any two: the emulator has a queue of two connections, and
            // who finds it full tries again after a second.
            let vanish = move |address| {
                (0..VANISHING).try_for_each(|_| {
                    end(begin(address, path, &bytes)?)?;
                    status(address).map(drop)
                })
            };
            check(&format!("{how} {phase}"), Box::new(vanish));
        }
    }
    check("vanishing with a large message unread", Box::new(unread));
    check("many connections in turn", Box::new(many));
    check("pings without reading", Box::new(pings));
    check(
        "messages without reading, then reading them",
        Box::new(messages),
    );
    for (name, path, frames) in floods() {
        let bytes = wire(Role::Server, &frames);
        check(name, Box::new(move |address| beside(address, path, &bytes)));
    }
    check(
        "as many fragments as there may be, and one more",
        Box::new(fragments),
    );
    check("peers that say nothing", Box::new(silent));
    checks
}

fn floods() -> [(&'static str, &'static str, Vec<Frame>); 3] {
    [
        (
            "small messages without end",
            "/echo",
            vec![Frame::new(TEXT, "a"); 1000],
        ),
        (
            "large messages without end",
            "/echo",
            vec![Frame::new(0x82, [7; 100_000])],
        ),
        (
            "one who never stops to talk",
            "/chat",
            vec![Frame::new(TEXT, "la la"); 100],
        ),
    ]
}

/// Nothing of those before is left, and all slots can be used.
fn let_go(address: SocketAddrV4) -> Result<()> {
    until(address, &[("people", 0), ("connections", 1)])?;
    let mut peers = crowd(address, SLOTS - 1)?;
    until(address, &[("connections", SLOTS as u64)])?;
    peers
        .iter_mut()
        .try_for_each(|peer| peer.echo("still here"))?;
    peers.into_iter().try_for_each(Peer::close)?;
    until(address, &[("people", 0), ("connections", 1)])?;
    Ok(())
}

/// So many echoes at once.
fn crowd(address: SocketAddrV4, count: usize) -> Result<Vec<Peer>> {
    (0..count).map(|_| Peer::open(address, "/echo")).collect()
}

/// One more is refused, and served as soon as one goes.
fn more_than_slots(address: SocketAddrV4) -> Result<()> {
    let mut peers = crowd(address, SLOTS)?;
    for _ in 0..VANISHING {
        let more = Peer::try_open(address, "/echo")?;
        ensure!(more.is_none(), "there are more slots than {SLOTS}");
    }
    for number in 0..VANISHING {
        let one = peers.remove(0);
        // By turns in good order and not.
        if number % 2 == 0 {
            one.close()
        } else {
            one.reset()
        }?;
        let mut more = Peer::open(address, "/echo")?;
        more.echo("served after all")?;
        peers.push(more);
    }
    peers
        .iter_mut()
        .try_for_each(|peer| peer.echo("not disturbed"))?;
    peers.into_iter().try_for_each(Peer::close)
}

/// Where a peer may vanish: the path of a WebSocket, if it is one already, and what it says there.
fn phases() -> Vec<(&'static str, Option<&'static str>, Vec<u8>)> {
    let frames = |frames: &[Frame]| wire(Role::Server, frames);
    let half = |frame: Frame, len: usize| {
        let mut bytes = wire(Role::Server, &[frame]);
        bytes.truncate(len);
        bytes
    };
    let whole = request("/echo").into_bytes();
    let named = frames(&[Frame::new(TEXT, "Ada")]);
    let large = Frame::new(TEXT, [b'a'; 10]).declares(Length::Longest(1 << 20));
    vec![
        ("before a byte", None, Vec::new()),
        ("in the request line", None, b"GET /ec".to_vec()),
        ("in the request", None, whole[..whole.len() - 2].to_vec()),
        ("before the answer", None, whole),
        (
            "before the page",
            None,
            b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
        ),
        ("behind the handshake", Some("/echo"), Vec::new()),
        (
            "in a header",
            Some("/echo"),
            half(Frame::new(TEXT, [b'a'; 300]), 3),
        ),
        (
            "in a small frame",
            Some("/echo"),
            half(Frame::new(TEXT, [b'a'; 300]), 100),
        ),
        ("in a large frame", Some("/echo"), frames(&[large])),
        (
            "between fragments",
            Some("/echo"),
            frames(&[Frame::new(0x01, "a")]),
        ),
        (
            "in a Close",
            Some("/echo"),
            half(Frame::new(0x88, [3, 232]), 7),
        ),
        ("without a name", Some("/chat"), Vec::new()),
        ("in the room", Some("/chat"), named.clone()),
        (
            "in a word",
            Some("/chat"),
            [named, half(Frame::new(TEXT, "hello"), 9)].concat(),
        ),
    ]
}

/// A peer that is in such a phase. The board has seen what was said on a WebSocket, as far as it
/// answers a Ping in front of it that came in the same segment.
fn begin(address: SocketAddrV4, path: Option<&str>, bytes: &[u8]) -> Result<Peer> {
    let Some(path) = path else {
        let mut peer = Peer::connect(address)?;
        peer.send(bytes)?;
        return Ok(peer);
    };
    let mut peer = Peer::open(address, path)?;
    let mut said = wire(Role::Server, &[Frame::new(0x89, "seen")]);
    said.extend(bytes);
    peer.send(&said)?;
    let (first, _) = peer.frame()?;
    ensure!(first == 0x8a, "{first:#04x} instead of a Pong");
    Ok(peer)
}

/// Large messages under way in both directions, as far as there is room for them.
fn unread(address: SocketAddrV4) -> Result<()> {
    for end in [Peer::hang_up, Peer::reset] {
        let mut peer = Peer::open(address, "/echo")?;
        let message = wire(Role::Server, &[Frame::new(0x82, vec![7; 1 << 20])]);
        while peer.send_what_fits(&message)? {}
        end(peer)?;
    }
    Ok(())
}

/// Each has a turn of its own in some slot, and each exchanges something.
fn many(address: SocketAddrV4) -> Result<()> {
    for number in 0..IN_TURN {
        let turn = || match number % 3 {
            0 => status(address).map(drop),
            1 => {
                let mut peer = Peer::open(address, "/echo")?;
                peer.echo(&format!("number {number}"))?;
                peer.close()
            }
            _ => {
                let mut peer = Peer::open(address, "/echo")?;
                peer.echo(&format!("number {number}"))?;
                peer.reset()
            }
        };
        turn().with_context(|| format!("connection {number}"))?;
    }
    Ok(())
}

/// RFC 6455 section 5.5.3: the newest must be answered, so that what is owed does not grow.
fn pings(address: SocketAddrV4) -> Result<()> {
    let mut peer = Peer::open(address, "/echo")?;
    for number in 0..PINGS {
        let payload = [&[b'p'; 117][..], &u64::to_be_bytes(number)].concat();
        peer.send(&wire(Role::Server, &[Frame::new(0x89, payload)]))?;
        if number % 1000 == 0 {
            status(address).context("meanwhile")?;
        }
    }
    loop {
        let (first, payload) = peer.frame().context("the last ping was not answered")?;
        ensure!(first == 0x8a, "{first:#04x} instead of a Pong");
        if payload.ends_with(&u64::to_be_bytes(PINGS - 1)) {
            break;
        }
    }
    peer.echo("and on it goes")?;
    peer.close()
}

/// The board stops reading, with nothing lost, until it can send.
fn messages(address: SocketAddrV4) -> Result<()> {
    let mut peer = Peer::open(address, "/echo")?;
    let mut writer = peer.twin()?;
    let payload: Vec<u8> = (0..60_000_u32).map(|n| (n * 7 + n / 256) as u8).collect();
    let message = wire(Role::Server, &[Frame::new(0x82, &payload)]);
    thread::scope(|scope| {
        let writing = scope.spawn(move || (0..MESSAGES).try_for_each(|_| writer.send(&message)));
        for _ in 0..ASKED {
            status(address).context("meanwhile")?;
        }
        for number in 0..MESSAGES {
            let came = peer.frame()?;
            ensure!(
                came == (0x82, payload.clone()),
                "message {number} is another one"
            );
        }
        writing
            .join()
            .map_err(|_| anyhow!("the writer panicked"))??;
        peer.close()
    })
}

/// A peer that sends `bytes` again and again, as fast as they are taken, while others are served:
/// one who asks for pages, and one who talks.
fn beside(address: SocketAddrV4, path: &str, bytes: &[u8]) -> Result<()> {
    let mut flood = Peer::open(address, path)?;
    let mut reader = flood.twin()?;
    let (over, rounds) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        scope.spawn(move || reader.read_all());
        let flooding = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                flood.send(bytes)?;
                rounds.fetch_add(1, Ordering::Relaxed);
            }
            // Ends the reader, too, which a reset would not: it has the connection open.
            flood.hang_up()
        });
        let others = || {
            let mut talker = Peer::open(address, "/echo")?;
            let before = rounds.load(Ordering::Relaxed);
            let mut asked = 0;
            // Until both have had their turns.
            while asked < ASKED || rounds.load(Ordering::Relaxed) < before + ROUNDS {
                ensure!(!flooding.is_finished(), "the flood was stopped");
                status(address)?;
                talker.echo("still here")?;
                asked += 1;
            }
            talker.close()
        };
        let result = others().context("meanwhile");
        over.store(true, Ordering::Relaxed);
        let flooded = flooding.join().map_err(|_| anyhow!("the flood panicked"))?;
        result.and(flooded)
    })
}

/// Empty ones, each of which is sent on; the limit is the codec's own.
fn fragments(address: SocketAddrV4) -> Result<()> {
    let limit = wirelet::Limits::default().fragments as usize;
    let mut frames = vec![Frame::new(0x00, ""); limit + 1];
    frames[0] = Frame::new(0x01, "");
    let bytes = wire(Role::Server, &frames);
    let mut peer = Peer::open(address, "/echo")?;
    let mut writer = peer.twin()?;
    let came = thread::scope(|scope| {
        // The board ends the connection; whether before the last byte is written does not matter.
        scope.spawn(move || writer.send(&bytes));
        peer.read_to_end()
    })?;
    let (echoed, close) = came.split_at(2 * limit);
    ensure!(
        echoed[..2] == [0x01, 0] && echoed[2..].chunks(2).all(|two| two == [0, 0]),
        "other echoes"
    );
    match close {
        [0x88, _, high, low, ..] if u16::from_be_bytes([*high, *low]) == 1008 => Ok(()),
        _ => bail!("no Close with 1008 behind {limit} fragments, but {close:?}"),
    }
}

/// They lose their slots when the time for a handshake is over. Somebody who is served meanwhile is
/// not disturbed.
fn silent(address: SocketAddrV4) -> Result<()> {
    let mut served = Peer::open(address, "/echo")?;
    until(address, &[("connections", 2)])?;
    let mut silent = Vec::new();
    // One slot is for asking.
    while silent.len() < SLOTS - 2 {
        silent.push(Peer::connect(address)?);
        until(address, &[("connections", 2 + silent.len() as u64)])?;
    }
    for peer in &mut silent {
        let came = peer.read_to_end()?;
        ensure!(came.is_empty(), "{} bytes for nothing", came.len());
    }
    served.echo("not disturbed")?;
    served.close()
}

/// Connections that the board serves at once (`firmware_app::SLOTS`).
const SLOTS: usize = 6;

/// How many peers vanish in each phase, in each way: each slot meets some.
const VANISHING: usize = 8;

/// Connections one after another.
const IN_TURN: usize = 1000;

/// Pings of 125 bytes: half a thousand times what the board has room for.
const PINGS: u64 = 8000;

/// Messages of 60,000 bytes: more than there is room for between this end and the board.
const MESSAGES: usize = 200;

/// How often others are served during a flood, at least.
const ASKED: usize = 50;

/// How often a flood sends its bytes meanwhile, at least.
const ROUNDS: u64 = 20;

/// Bytes of stack that must never have been used.
const STACK_FREE: u64 = 2048;
