//! Every future dropped at every await: a compressor that has seen a message must send it, and an
//! inflater that has seen a piece must not see it twice.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use tokio::io::AsyncWriteExt as _;
use wirelet_tests::hostile::{Habits, pair};
use wirelet_tests::rng::Rng;
use wirelet_tokio::{CloseCode, Deflate, Error, Kind, Message, Prepared};

use crate::{both, message, open};

/// Drops the future when it has waited `polls` times.
async fn give_up<T>(future: impl Future<Output = T>, mut polls: usize) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if polls == 0 => Poll::Ready(None),
        Poll::Pending => {
            polls -= 1;
            Poll::Pending
        }
    })
    .await
}

fn habits(rng: &mut Rng) -> Habits {
    Habits {
        read: 1 + rng.below(600),
        write: 1 + rng.below(600),
        pending: 50,
        capacity: *rng.pick(&[20, 1_000, 100_000]),
        vectored: rng.chance(50),
    }
}

/// Who gives a message up and feeds it again may have sent it twice, but never half of it, and
/// nothing in another order.
#[tokio::test]
async fn feeding_and_receiving() {
    for seed in 0..80 {
        let mut rng = Rng::new(seed);
        let deflate = Deflate::new().threshold(0).level(rng.below(10) as u8);
        let agreement = both(rng.chance(70), 8 + rng.below(8) as u8);
        let io = pair(seed, habits(&mut rng));
        let [mut client, mut server] = open(io, deflate, agreement);
        let mut messages: Vec<Prepared> = (0..8).map(|_| message(&mut rng)).collect();
        messages.retain(|message| message.message().as_bytes().len() < 4_000);
        messages.dedup();
        let mut here = rng.clone();
        let send = async {
            for message in &messages {
                loop {
                    let polls = 1 + here.below(3);
                    let fed = if here.chance(30) {
                        give_up(client.feed_prepared(message), polls).await
                    } else {
                        give_up(client.feed(message.message()), polls).await
                    };
                    if let Some(fed) = fed {
                        break fed?;
                    }
                }
                let _ = give_up(client.flush(), 1 + here.below(3)).await;
            }
            client.close(CloseCode::NORMAL, "").await
        };
        let receive = async {
            let mut at = None;
            loop {
                match give_up(server.recv(), 1 + rng.below(3)).await {
                    None => {}
                    Some(Ok(Some(got))) => {
                        let next = at.map_or(0, |at| at + 1);
                        if at.is_none_or(|at: usize| messages[at].message() != got) {
                            assert_eq!(got, messages[next].message(), "seed {seed}");
                            at = Some(next);
                        }
                    }
                    Some(Ok(None)) => break,
                    Some(Err(error)) => panic!("seed {seed}: {error}"),
                }
            }
            assert_eq!(at.map_or(0, |at| at + 1), messages.len(), "seed {seed}");
        };
        let (sent, ()) = tokio::join!(send, receive);
        sent.unwrap();
    }
}

#[tokio::test]
async fn pieces() {
    for seed in 0..50 {
        let mut rng = Rng::new(seed);
        let io = pair(seed, habits(&mut rng));
        let agreement = both(rng.chance(50), 8 + rng.below(8) as u8);
        let [mut client, mut server] = open(io, Deflate::new().threshold(0), agreement);
        let bytes = rng.bytes(50);
        let whole = bytes.repeat(rng.below(400));
        let mut here = rng.clone();
        let send = async {
            let mut writer = client.send_pieces(Kind::Binary, None).await?;
            let mut rest = &whole[..];
            while !rest.is_empty() {
                if let Some(n) = give_up(writer.write(rest), 1 + here.below(3)).await {
                    rest = &rest[n?..];
                }
                if here.chance(10) {
                    let _ = give_up(writer.flush(), 1 + here.below(3)).await;
                }
            }
            while give_up(writer.shutdown(), 1 + here.below(3))
                .await
                .is_none()
            {}
            drop(writer);
            client.send("afterwards").await?;
            client.close(CloseCode::NORMAL, "").await
        };
        let receive = async {
            let mut reader = server.recv_pieces().await?.expect("still open");
            let mut got = Vec::new();
            loop {
                match give_up(reader.chunk(), 1 + rng.below(3)).await {
                    None => {}
                    Some(Ok(Some(chunk))) => got.extend_from_slice(chunk),
                    Some(Ok(None)) => break,
                    Some(Err(error)) => return Err(error),
                }
            }
            assert_eq!(got, whole, "seed {seed}");
            drop(reader);
            let next = server.recv().await?;
            assert_eq!(next, Some(Message::Text("afterwards")), "seed {seed}");
            assert_eq!(server.recv().await?, None);
            Ok::<(), Error>(())
        };
        let (sent, received) = tokio::join!(send, receive);
        sent.and(received).unwrap();
    }
}
