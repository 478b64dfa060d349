//! The receiving futures: each message comes once and whole, each Ping is answered once.

use futures_util::StreamExt;
use tokio::io::AsyncReadExt;
use wirelet_tests::case::ROLES;
use wirelet_tests::frames::{Frame, wire};
use wirelet_tokio::{CloseCode, Config, Kind, Role, WebSocket};

use crate::forms::{FORMS, Form, in_form};
use crate::peer::{self, CLOSE, PONG, other};
use crate::steps::{End, Steps, dropped_after, to_the_end};

type Messages = Vec<(Kind, Vec<u8>)>;

/// Waits for a future that is made anew each time it was dropped after so many polls.
macro_rules! again_and_again {
    ($polls:expr, $future:expr) => {{
        let mut tries = 0;
        loop {
            if let Some(output) = dropped_after($polls, $future).await {
                break output;
            }
            tries += 1;
            assert!(tries < 100_000, "waits for ever");
        }
    }};
}

/// Messages in one frame, in many, and larger than a first buffer; control frames between and
/// inside them, and the end.
fn input(role: Role, large: usize) -> (Vec<u8>, Messages) {
    let big: Vec<u8> = (0..large).map(|i| (i % 253) as u8).collect();
    let text = "z\u{e9}\u{20ac}\u{1f30d}";
    let frames = [
        Frame::new(0x81, "Hello"),
        Frame::new(0x89, "one"),
        Frame::new(0x02, "ab"),
        Frame::new(0x89, "two"),
        Frame::new(0x00, ""),
        Frame::new(0x8a, "unasked"),
        Frame::new(0x80, "cd"),
        Frame::new(0x82, ""),
        Frame::new(0x02, &big[..large / 3]),
        Frame::new(0x89, ""),
        Frame::new(0x80, &big[large / 3..]),
        // Cut inside each character.
        Frame::new(0x01, &text.as_bytes()[..2]),
        Frame::new(0x00, &text.as_bytes()[2..4]),
        Frame::new(0x00, &text.as_bytes()[4..8]),
        Frame::new(0x80, &text.as_bytes()[8..]),
        Frame::new(0x88, peer::close(1001, "bye")),
    ];
    let messages = vec![
        (Kind::Text, b"Hello".to_vec()),
        (Kind::Binary, b"abcd".to_vec()),
        (Kind::Binary, Vec::new()),
        (Kind::Binary, big),
        (Kind::Text, text.as_bytes().to_vec()),
    ];
    (wire(role, &frames), messages)
}

#[derive(Clone, Copy, Debug)]
enum How {
    Recv,
    Stream,
    Chunks,
    /// Into so many bytes.
    Read(usize),
    /// One way after the other.
    Turns,
}

#[tokio::test(start_paused = true)]
async fn a_few_bytes_at_a_time() {
    for step in [1, 7] {
        each(step, 40).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_large_message() {
    each(5_000, 100 << 10).await;
}

async fn each(step: usize, large: usize) {
    for role in ROLES {
        for form in FORMS {
            for how in [
                How::Recv,
                How::Stream,
                How::Chunks,
                How::Read(3),
                How::Read(9_999),
                How::Turns,
            ] {
                if large > 1 << 10 && matches!(how, How::Read(3)) {
                    continue;
                }
                for polls in [1, 2, 5] {
                    run(role, form, how, step, large, polls).await;
                }
            }
        }
    }
}

async fn run(role: Role, form: Form, how: How, step: usize, large: usize, polls: usize) {
    let about = format!("{role:?} {form:?} {how:?} step {step} polls {polls}");
    let (bytes, expected) = input(role, large);
    let (mut io, log) = Steps::new(bytes, step);
    io.reader.end = End::Eof;
    let ws = WebSocket::from_upgraded(io, role, &Config::default(), &[]);
    let mut got: Messages = Vec::new();
    macro_rules! body {
        ($rx:ident, $tx:ident) => {{
            loop {
                let how = match how {
                    How::Turns => {
                        [How::Recv, How::Chunks, How::Stream, How::Read(5)][got.len() % 4]
                    }
                    how => how,
                };
                let next = match how {
                    How::Recv | How::Turns => again_and_again!(polls, async {
                        let message = $rx.recv().await.expect("no error");
                        message.map(|m| (m.kind(), m.as_bytes().to_vec()))
                    }),
                    How::Stream => again_and_again!(polls, async {
                        let message = $rx.next().await.map(|m| m.expect("no error"));
                        message.map(|m| (m.message().kind(), m.into_payload().to_vec()))
                    }),
                    How::Chunks | How::Read(_) => {
                        // A reader borrows the connection, so it is made by one future that is
                        // not dropped: that of its making is dropped elsewhere.
                        let reader = to_the_end($rx.recv_pieces()).await.expect("no error");
                        match reader {
                            None => None,
                            Some(mut reader) => {
                                let mut bytes = Vec::new();
                                let kind = reader.kind();
                                loop {
                                    let n = match how {
                                        How::Read(room) => again_and_again!(polls, async {
                                            let mut piece = vec![0; room];
                                            let n =
                                                reader.read(&mut piece).await.expect("no error");
                                            bytes.extend_from_slice(&piece[..n]);
                                            (n > 0).then_some(n)
                                        }),
                                        _ => again_and_again!(polls, async {
                                            let piece = reader.chunk().await.expect("no error");
                                            bytes.extend_from_slice(piece.unwrap_or_default());
                                            piece.map(<[u8]>::len)
                                        }),
                                    };
                                    if n.is_none() {
                                        break Some((kind, bytes));
                                    }
                                }
                            }
                        }
                    }
                };
                match next {
                    Some(message) => got.push(message),
                    None => break $rx.closed().expect("the peer closed"),
                }
            }
        }};
    }
    let closed = in_form!(form, ws, Steps::split, body);
    assert!(got == expected, "{about}");
    assert_eq!(
        (closed.code, &closed.reason[..]),
        (CloseCode::new(1001), "bye"),
        "{about}"
    );
    let items = peer::whole(other(role), &log.bytes());
    assert_eq!(
        peer::controls(&items, PONG),
        [&b"one"[..], b"two", b""],
        "{about}"
    );
    assert_eq!(
        peer::controls(&items, CLOSE),
        [&1001u16.to_be_bytes()],
        "{about}"
    );
    assert_eq!(items.len(), 4, "{about}");
}

/// `recv_pieces` itself, dropped before there is a reader.
#[tokio::test(start_paused = true)]
async fn the_wait_for_a_reader() {
    for role in ROLES {
        for polls in 1..6 {
            let (bytes, _) = input(role, 40);
            let (mut io, log) = Steps::new(bytes, 1);
            io.reader.end = End::Eof;
            let mut ws = WebSocket::from_upgraded(io, role, &Config::default(), &[]);
            let mut kinds = Vec::new();
            while let Some(kind) = again_and_again!(polls, async {
                let reader = ws.recv_pieces().await.expect("no error");
                reader.map(|reader| reader.kind())
            }) {
                kinds.push(kind);
            }
            // Each reader is dropped at once, and what it left is skipped.
            let (text, binary) = (Kind::Text, Kind::Binary);
            assert_eq!(kinds, [text, binary, binary, binary, text]);
            assert_eq!(peer::whole(other(role), &log.bytes()).len(), 4);
        }
    }
}

/// `close`, while messages still come. They are dropped, Pings are not answered any more.
#[tokio::test(start_paused = true)]
async fn closing() {
    for role in ROLES {
        for polls in 1..6 {
            let (bytes, _) = input(role, 40);
            let (mut io, log) = Steps::new(bytes, 1);
            io.reader.end = End::Eof;
            let mut ws = WebSocket::from_upgraded(io, role, &Config::default(), &[]);
            let closed = again_and_again!(polls, ws.close(CloseCode::GOING_AWAY, "done"));
            closed.expect("no error");
            assert_eq!(ws.closed().map(|c| c.code), Some(CloseCode::GOING_AWAY));
            let close = (CLOSE, peer::close(1001, "done"));
            assert_eq!(peer::whole(other(role), &log.bytes()), [close]);
        }
    }
}

/// `close` is dropped in the middle of a message: what is left of that is nobody's.
#[tokio::test(start_paused = true)]
async fn after_a_dropped_close_no_rest_of_a_message_is_taken_for_a_message() {
    for role in ROLES {
        for pieces in [false, true] {
            for polls in 1..60 {
                let frames = [
                    Frame::new(0x02, "dropped"),
                    Frame::new(0x80, "dropped"),
                    Frame::new(0x82, "whole"),
                    Frame::new(0x88, ""),
                ];
                let (mut io, log) = Steps::new(wire(role, &frames), 1);
                io.reader.end = End::Eof;
                let mut ws = WebSocket::from_upgraded(io, role, &Config::default(), &[]);
                let _ = dropped_after(polls, ws.close(CloseCode::NORMAL, "")).await;
                let mut got = Vec::new();
                loop {
                    if !pieces {
                        match to_the_end(ws.recv()).await.expect("no error") {
                            Some(message) => got.push(message.as_bytes().to_vec()),
                            None => break,
                        }
                        continue;
                    }
                    let reader = to_the_end(ws.recv_pieces()).await.expect("no error");
                    let Some(mut reader) = reader else { break };
                    let mut bytes = Vec::new();
                    to_the_end(reader.read_to_end(&mut bytes))
                        .await
                        .expect("no error");
                    got.push(bytes);
                }
                let all: [&[u8]; 2] = [b"droppeddropped", b"whole"];
                assert!(
                    all.ends_with(&got.iter().map(Vec::as_slice).collect::<Vec<_>>()),
                    "{got:?}"
                );
                assert_eq!(peer::whole(other(role), &log.bytes()).len(), 1);
            }
        }
    }
}
