//! A message that is sent in pieces: each of its futures dropped and made anew, and all of it
//! dropped at every await.

use tokio::io::{AsyncWrite, AsyncWriteExt};
use wirelet_tests::case::ROLES;
use wirelet_tests::frames::Frame;
use wirelet_tokio::{CloseCode, Config, Error, Kind, Role, WebSocket};

use crate::forms::{FORMS, Form, in_form};
use crate::peer::{self, BINARY, CLOSE, TEXT, other};
use crate::steps::{End, Steps, dropped_after, to_the_end};

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

fn text(len: usize) -> String {
    "a\u{e9}\u{20ac}\u{1f30d}"
        .chars()
        .cycle()
        .take(len)
        .collect()
}

async fn write_all(
    writer: &mut (impl AsyncWrite + Unpin),
    polls: usize,
    bytes: &[u8],
    flush: bool,
) {
    let mut rest = bytes;
    while !rest.is_empty() {
        // Cuts characters.
        let piece = &rest[..rest.len().min(4_999)];
        let n = again_and_again!(polls, writer.write(piece)).expect("open");
        rest = &rest[n..];
        if flush {
            again_and_again!(polls, writer.flush()).expect("open");
        }
    }
    again_and_again!(polls, writer.shutdown()).expect("open");
}

#[tokio::test(start_paused = true)]
async fn each_future_of_a_writer_is_dropped_and_made_anew() {
    for role in ROLES {
        for form in FORMS {
            for (len, step) in [(0, 3), (10, 3), (9_000, 1_000), (40_000, 9_000)] {
                for sized in [false, true] {
                    for flush in [false, true] {
                        for polls in [1, 2, 3, 7] {
                            made_anew(role, form, len, step, sized, flush, polls).await;
                        }
                    }
                }
            }
        }
    }
}

async fn made_anew(
    role: Role,
    form: Form,
    len: usize,
    step: usize,
    sized: bool,
    flush: bool,
    polls: usize,
) {
    let (io, log) = Steps::new(Vec::new(), step);
    let ws = WebSocket::from_upgraded(io, role, &Config::default(), &[]);
    let text = text(len);
    let sized = sized.then_some(text.len() as u64);
    macro_rules! body {
        ($rx:ident, $tx:ident) => {{
            $tx.feed(b"before").await.expect("open");
            // One that is dropped before anything was written has no effect, if it has no length.
            drop(
                to_the_end($tx.send_pieces(Kind::Text, None))
                    .await
                    .expect("open"),
            );
            let mut writer = to_the_end($tx.send_pieces(Kind::Text, sized))
                .await
                .expect("open");
            write_all(&mut writer, polls, text.as_bytes(), flush).await;
            drop(writer);
            to_the_end($tx.send(b"after")).await.expect("open");
        }};
    }
    in_form!(form, ws, Steps::split, body);
    let items = peer::whole(other(role), &log.bytes());
    let expected = [
        (BINARY, b"before".to_vec()),
        (TEXT, text.into_bytes()),
        (BINARY, b"after".to_vec()),
    ];
    assert!(
        items == expected,
        "{role:?} {form:?} {len} {sized:?} {flush} {polls}"
    );
}

/// The wait for a writer of unknown length: until something was written there is nothing to cut.
/// One of a known length has begun its frame when the wait is over.
#[tokio::test(start_paused = true)]
async fn the_wait_for_a_writer() {
    for role in ROLES {
        for sized in [None, Some(5)] {
            let mut polls = 0;
            loop {
                let (io, log) = Steps::new(Vec::new(), 1_500);
                let mut ws = WebSocket::from_upgraded(io, role, &Config::default(), &[]);
                let large = vec![7; 100 << 10];
                // Leaves the rest of a large message to the connection: there is no room.
                assert!(dropped_after(9, ws.feed(&large)).await.is_none());
                let begun = dropped_after(polls, ws.send_pieces(Kind::Binary, sized)).await;
                let done = begun.is_some();
                drop(begun);
                let after = to_the_end(ws.send(b"after")).await;
                to_the_end(ws.flush()).await.expect("open");
                let wire = peer::read(other(role), &log.bytes());
                if sized.is_some() && done {
                    assert!(matches!(after, Err(Error::Send(_))), "{after:?}");
                    assert_eq!(peer::messages(&wire.items), [&large[..]]);
                    assert!(!wire.whole_frames);
                    break;
                }
                after.expect("nothing was begun");
                assert!(wire.whole_frames && wire.open.is_none());
                assert_eq!(peer::messages(&wire.items), [&large[..], b"after"]);
                if done {
                    break;
                }
                polls += 1;
                assert!(polls < 2_000, "never done");
            }
            assert!(polls > 20, "the wait is dropped at each await");
        }
    }
}

/// Making, writing and finishing in one future, and that is dropped: either the message is whole,
/// or it never began, or only a Close can follow. What the peer sees are whole frames; but for a
/// frame whose length was announced and whose payload will never come, and nothing follows that.
#[tokio::test(start_paused = true)]
async fn a_writer_is_dropped_with_its_task() {
    for role in ROLES {
        for form in FORMS {
            for sized in [false, true] {
                for (len, step) in [(12, 2), (40_000, 9_000)] {
                    let mut polls = 0;
                    while !dropped_with_its_task(role, form, sized, len, step, polls).await {
                        polls += 1;
                        assert!(polls < 1_000, "never done");
                    }
                    assert!(polls > 5, "the task is dropped at each await");
                }
            }
        }
    }
}

async fn dropped_with_its_task(
    role: Role,
    form: Form,
    sized: bool,
    len: usize,
    step: usize,
    polls: usize,
) -> bool {
    let answer = Frame::new(0x88, peer::close(1000, "")).to(role);
    let (mut io, log) = Steps::new(answer.bytes(), step);
    io.reader.end = End::Eof;
    let ws = WebSocket::from_upgraded(io, role, &Config::default(), &[]);
    let text = text(len);
    macro_rules! body {
        ($rx:ident, $tx:ident) => {{
            let task = async {
                let len = sized.then_some(text.len() as u64);
                let mut writer = $tx.send_pieces(Kind::Text, len).await?;
                writer.write_str(&text).await?;
                writer.finish().await
            };
            let done: Option<Result<(), Error>> = dropped_after(polls, task).await;
            let after = to_the_end($tx.send(b"after")).await;
            let _ = to_the_end($tx.close(CloseCode::NORMAL, "")).await;
            let _ = to_the_end($rx.recv()).await;
            (done.map(|done| done.expect("open")).is_some(), after)
        }};
    }
    let (done, after) = in_form!(form, ws, Steps::split, body);
    let wire = peer::read(other(role), &log.bytes());
    let about = format!("{role:?} {form:?} sized {sized} len {len} after {polls} polls: {after:?}");
    let message = (TEXT, text.clone().into_bytes());
    let after_message = (BINARY, b"after".to_vec());
    let close = (CLOSE, peer::close(1000, ""));
    if !wire.whole_frames {
        assert!(
            sized && !done && after.is_err() && wire.items.is_empty(),
            "{about}"
        );
    } else if let Some(open) = &wire.open {
        assert!(!sized && !done && after.is_err(), "{about} {wire:?}");
        assert!(
            text.as_bytes().starts_with(&open.1) && open.0 == TEXT,
            "{about}"
        );
        assert_eq!(wire.items, [close], "{about}");
    } else if done || after.is_ok() && wire.items.len() == 3 {
        assert!(wire.items == [message, after_message, close], "{about}");
    } else {
        assert!(
            after.is_ok() && wire.items == [after_message, close],
            "{about} {wire:?}"
        );
    }
    done
}
