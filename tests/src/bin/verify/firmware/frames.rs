//! Frames that break the rules, and some that only look as if they did, on real sockets.

use std::net::SocketAddrV4;

use anyhow::{Context, Result, ensure};
use wirelet::Role;
use wirelet_tests::frames::{Frame, Length, wire};
use wirelet_tests::outcome::End;

use super::board::Board;
use super::peer::{self, Peer, TEXT};
use crate::job::{Job, Tally};

/// Each case is sent whole and byte by byte.
pub(super) fn run(_: &Job, board: &mut Board) -> Result<Tally> {
    let address = board.address();
    let mut tally = Tally::default();
    for case in cases() {
        for (at_once, how) in [(usize::MAX, "whole"), (1, "byte by byte")] {
            let result = send(address, &case, at_once);
            tally.check(result.with_context(|| format!("{}, {how}", case.name)));
        }
    }
    Ok(tally)
}

struct Case {
    name: String,
    bytes: Vec<u8>,
    /// The messages that come back.
    echoed: Vec<(u8, Vec<u8>)>,
    /// The code of the Close that comes back; 1005 if it has none, `None` if none comes.
    code: Option<u16>,
}

/// All that comes back until the board ends the connection: echoes, and one Close.
fn send(address: SocketAddrV4, case: &Case, at_once: usize) -> Result<()> {
    let mut peer = Peer::open(address, "/echo")?;
    // It may have ended the connection before the last byte.
    let _ = peer.send_in(&case.bytes, at_once);
    let came = peer::read(&peer.read_to_end()?);
    let mut items = came.items;
    let code = match came.end {
        End::Closed => items.pop().map(|close| match close.payload[..] {
            [high, low, ..] => u16::from_be_bytes([high, low]),
            _ => 1005,
        }),
        End::More { .. } => None,
        End::Failed(error) => anyhow::bail!("the board breaks a rule: {error}"),
    };
    let messages = items.into_iter().filter(|item| item.opcode < 8);
    let messages: Vec<_> = messages.map(|item| (item.opcode, item.payload)).collect();
    ensure!(
        messages == case.echoed,
        "{} echoes, or other ones",
        messages.len()
    );
    ensure!(
        code == case.code,
        "Close with {code:?} instead of {:?}",
        case.code
    );
    Ok(())
}

fn cases() -> Vec<Case> {
    let mut cases = headers();
    cases.extend(order());
    cases.extend(texts());
    cases.extend(closes());
    cases
}

/// RFC 6455 section 5.2 and 5.5: what a header may say.
fn headers() -> Vec<Case> {
    let mut cases = Vec::new();
    for bit in [0x40, 0x20, 0x10] {
        cases.push(bad(
            format!("reserved bit {bit:#x}"),
            &[frame(TEXT | bit, "a")],
            1002,
        ));
    }
    for opcode in (3..=7).chain(11..=15) {
        cases.push(bad(
            format!("opcode {opcode}"),
            &[frame(0x80 | opcode, "a")],
            1002,
        ));
    }
    for (first, name) in [(0x08, "Close"), (0x09, "Ping"), (0x0a, "Pong")] {
        cases.push(bad(
            format!("a {name} in fragments"),
            &[frame(first, "")],
            1002,
        ));
        let long = frame(0x80 | first, [0; 126]);
        cases.push(bad(format!("a {name} of 126 bytes"), &[long], 1002));
    }
    let declares = |length| frame(BINARY, [0; 5]).declares(length);
    for (name, length, code) in [
        ("5 bytes, declared in two", Length::Long(5), 1002),
        ("125 bytes, declared in two", Length::Long(125), 1002),
        ("5 bytes, declared in eight", Length::Longest(5), 1002),
        (
            "65,535 bytes, declared in eight",
            Length::Longest(65_535),
            1002,
        ),
        (
            "a length with its top bit set",
            Length::Longest(1 << 63),
            1002,
        ),
        (
            "a byte more than 16 MiB",
            Length::Longest((16 << 20) + 1),
            1009,
        ),
        // It would be five bytes, if it were cut to 32 bits.
        ("4 GiB and 5 bytes", Length::Longest((1 << 32) + 5), 1009),
    ] {
        cases.push(bad(name.into(), &[declares(length)], code));
    }
    let naked = Frame::new(TEXT, "Hello").bytes();
    cases.push(raw("a frame that is not masked", naked, &[], Some(1002)));
    cases
}

/// Section 5.4: messages in fragments.
fn order() -> Vec<Case> {
    let good = || frame(TEXT, "good");
    let echo = (1, "good".into());
    let ping = || frame(0x89, "between");
    let mut behind = wire(Role::Server, &[frame(0x83, "")]);
    behind.extend(wire(Role::Server, &[good()]));
    vec![
        bad(
            "a continuation of nothing".into(),
            &[frame(LAST, "a")],
            1002,
        ),
        bad(
            "a message inside of a message".into(),
            &[frame(TEXT_OPEN, "a"), good()],
            1002,
        ),
        Case {
            echoed: vec![echo.clone()],
            ..bad(
                "a good message before a bad one".into(),
                &[good(), frame(LAST, "a")],
                1002,
            )
        },
        raw("a good message behind a bad one", behind, &[], Some(1002)),
        Case {
            echoed: vec![echo, (1, "abc".into()), (2, Vec::new())],
            ..bad(
                "fragments, and pings between them".into(),
                &[
                    good(),
                    frame(TEXT_OPEN, "a"),
                    ping(),
                    frame(0x00, ""),
                    ping(),
                    frame(0x00, "b"),
                    frame(LAST, "c"),
                    frame(BINARY_OPEN, ""),
                    frame(LAST, ""),
                    frame(0x88, 1000u16.to_be_bytes()),
                ],
                1000,
            )
        },
    ]
}

/// Section 8.1: text is UTF-8.
fn texts() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, text) in [
        ("a byte that is no text", &b"a\xff"[..]),
        ("a character cut off at the end", b"a\xe2\x82"),
        ("a surrogate", b"\xed\xa0\x80"),
        ("an overlong slash", b"\xc0\xaf"),
        ("beyond the last character", b"\xf4\x90\x80\x80"),
    ] {
        cases.push(bad(name.into(), &[frame(TEXT, text)], 1007));
        let [first, second] = [frame(TEXT_OPEN, "good "), frame(LAST, text)];
        cases.push(bad(
            format!("{name}, in a fragment"),
            &[first, second],
            1007,
        ));
    }
    let (front, back) = "é€\u{1f642}".as_bytes().split_at(4);
    let fragments = [frame(TEXT_OPEN, front), frame(LAST, back), frame(0x88, "")];
    cases.push(Case {
        echoed: vec![(1, "é€\u{1f642}".into())],
        ..bad(
            "fragments cut inside of a character".into(),
            &fragments,
            1005,
        )
    });
    // It is sent on while it comes: when the end turns out to be bad, no Close fits into the frame.
    let mut long = vec![b'a'; 3000];
    long.push(0xff);
    let bytes = wire(Role::Server, &[frame(TEXT, long)]);
    cases.push(raw("a long text with a bad end", bytes, &[], None));
    cases
}

/// Sections 5.5.1 and 7.4: the Close.
fn closes() -> Vec<Case> {
    let close = |code: u16, reason: &[u8]| frame(0x88, [&code.to_be_bytes(), reason].concat());
    let mut cases = Vec::new();
    for code in [1000, 1001, 1003, 1007, 1011, 3000, 4999] {
        let frames = [close(code, "why, in é".as_bytes()), frame(TEXT, "ignored")];
        cases.push(bad(format!("Close {code}"), &frames, code));
    }
    for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000] {
        cases.push(bad(format!("Close {code}"), &[close(code, b"")], 1002));
    }
    cases.push(bad("an empty Close".into(), &[frame(0x88, "")], 1005));
    cases.push(bad("half a code".into(), &[frame(0x88, [3])], 1002));
    cases.push(bad(
        "a reason that is no text".into(),
        &[close(1000, b"\xff")],
        1007,
    ));
    cases
}

/// No echo, and a Close with this code.
fn bad(name: String, frames: &[Frame], code: u16) -> Case {
    raw(&name, wire(Role::Server, frames), &[], Some(code))
}

fn raw(name: &str, bytes: Vec<u8>, echoed: &[(u8, Vec<u8>)], code: Option<u16>) -> Case {
    let (name, echoed) = (name.to_owned(), echoed.to_vec());
    Case {
        name,
        bytes,
        echoed,
        code,
    }
}

fn frame(first: u8, payload: impl AsRef<[u8]>) -> Frame {
    Frame::new(first, payload)
}

// First bytes: FIN and opcode.
const BINARY: u8 = 0x82;
const TEXT_OPEN: u8 = 0x01;
const BINARY_OPEN: u8 = 0x02;
const LAST: u8 = 0x80;
