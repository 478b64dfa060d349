//! The sending futures: a message leaves whole or not at all, and the next one is whole, too.

use futures_util::{FutureExt, SinkExt};
use wirelet_tests::case::ROLES;
use wirelet_tokio::{CloseCode, Config, Error, Prepared, Role, WebSocket};

use crate::forms::{FORMS, Form, in_form};
use crate::peer::{self, CLOSE, messages, other};
use crate::steps::{End, Steps, dropped_after, to_the_end};

/// What is dropped. Each sends the same message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Feed,
    Send,
    FeedPrepared,
    SendPrepared,
    SinkFeed,
    SinkSend,
    FeedThenFlush,
}

const OPS: [Op; 7] = [
    Op::Feed,
    Op::Send,
    Op::FeedPrepared,
    Op::SendPrepared,
    Op::SinkFeed,
    Op::SinkSend,
    Op::FeedThenFlush,
];

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Send,
    /// Waiting for the peer writes what is left.
    Receive,
    Close,
}

const THEN: [Then; 3] = [Then::Send, Then::Receive, Then::Close];

#[derive(Clone, Copy, Debug)]
struct Case {
    role: Role,
    form: Form,
    op: Op,
    then: Then,
    /// Bytes of the message.
    size: usize,
    /// Bytes that one write takes.
    step: usize,
    vectored: bool,
}

#[tokio::test(start_paused = true)]
async fn small_messages() {
    each_case(&[0, 13, 140], 3, &THEN).await;
}

/// Larger than what is copied, and than the buffer.
#[tokio::test(start_paused = true)]
async fn large_messages() {
    each_case(&[16_385, 100 << 10], 9_000, &[]).await;
}

/// Without `thens`, one of them in turn.
async fn each_case(sizes: &[usize], step: usize, thens: &[Then]) {
    let mut turn = 0;
    for role in ROLES {
        for form in FORMS {
            for op in OPS {
                for &size in sizes {
                    turn += 1;
                    let one = [THEN[turn % 3]];
                    for &then in if thens.is_empty() { &one } else { thens } {
                        let case = Case {
                            role,
                            form,
                            op,
                            then,
                            size,
                            step,
                            vectored: turn % 2 == 0,
                        };
                        dropped_everywhere(case).await;
                    }
                }
            }
        }
    }
}

async fn dropped_everywhere(case: Case) {
    let mut polls = 0;
    while !run(case, polls).await {
        polls += 1;
        assert!(polls < 1_000, "{case:?} is never done");
    }
    // Small messages that are only staged have nothing to wait for.
    let waits =
        case.size > 16 << 10 || !matches!(case.op, Op::Feed | Op::FeedPrepared | Op::SinkFeed);
    assert!(polls > usize::from(waits), "{case:?} was not dropped once");
}

/// Drops the future after this many polls. `true`: it was done by then.
async fn run(case: Case, polls: usize) -> bool {
    let (mut io, log) = Steps::new(peer_closes(case), case.step);
    io.writer.vectored = case.vectored;
    io.reader.end = End::Eof;
    let ws = WebSocket::from_upgraded(io, case.role, &Config::default(), &[]);
    let payload: Vec<u8> = (0..case.size).map(|i| (i % 251) as u8).collect();
    let before = Prepared::binary(vec![b'b'; case.size]);
    macro_rules! body {
        ($rx:ident, $tx:ident) => {{
            // Staged without a wait; a large one leaves no room for another.
            let staged = $tx.feed_prepared(&before).now_or_never();
            staged.expect("no wait").expect("open");
            let op = async {
                let prepared = Prepared::binary(payload.clone());
                match case.op {
                    Op::Feed => $tx.feed(&payload).await,
                    Op::Send => $tx.send(&payload).await,
                    Op::FeedPrepared => $tx.feed_prepared(&prepared).await,
                    Op::SendPrepared => $tx.send_prepared(&prepared).await,
                    Op::SinkFeed => SinkExt::feed(&mut $tx, prepared).await,
                    Op::SinkSend => SinkExt::send(&mut $tx, prepared).await,
                    Op::FeedThenFlush => {
                        $tx.feed(&payload).await?;
                        $tx.flush().await
                    }
                }
            };
            let done = dropped_after(polls, op).await;
            match case.then {
                Then::Send => to_the_end($tx.send(b"after")).await.expect("open"),
                Then::Receive => assert!(matches!(to_the_end($rx.recv()).await, Ok(None))),
                Then::Close => to_the_end($tx.close(CloseCode::NORMAL, ""))
                    .await
                    .expect("open"),
            }
            done
        }};
    }
    let done: Option<Result<(), Error>> = in_form!(case.form, ws, Steps::split, body);
    let done = done.map(|done| done.expect("open")).is_some();

    let about = format!("{case:?} after {polls} polls");
    let wire = std::panic::catch_unwind(|| peer::whole(other(case.role), &log.bytes()));
    let items = wire.unwrap_or_else(|_| panic!("{about}"));
    let after: &[&[u8]] = if case.then == Then::Send {
        &[b"after"]
    } else {
        &[]
    };
    let before = &before.into_payload()[..];
    let with = [&[before, &payload], after].concat();
    let without = [&[before], after].concat();
    let got = messages(&items);
    assert!(
        got == with || (!done && got == without),
        "{about}: {} messages",
        got.len()
    );
    let closes = usize::from(case.then != Then::Send);
    assert_eq!(peer::controls(&items, CLOSE).len(), closes, "{about}");
    done
}

/// So that receiving and closing have an end.
fn peer_closes(case: Case) -> Vec<u8> {
    match case.then {
        Then::Send => Vec::new(),
        _ => wirelet_tests::frames::Frame::new(0x88, peer::close(1000, ""))
            .to(case.role)
            .bytes(),
    }
}
