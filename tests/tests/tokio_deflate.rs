//! permessage-deflate through the tokio adapter: any message, in any form, over any transport, with
//! any parameters, comes back equal; and what a peer does wrong has its close code.

#[path = "tokio_deflate/agreeing.rs"]
mod agreeing;
#[path = "tokio_deflate/cancelled.rs"]
mod cancelled;
#[path = "tokio_deflate/damaged.rs"]
mod damaged;
#[path = "tokio_deflate/peers.rs"]
mod peers;
#[path = "tokio_deflate/prepared.rs"]
mod prepared;

use std::task::{Context, Waker};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wirelet::deflate::{Agreement, Context as Compression, WindowBits};
use wirelet::{CloseCode, Role, Timeouts};
use wirelet_tests::hostile::{Habits, Hostile, pair};
use wirelet_tests::rng::Rng;
use wirelet_tokio::{Config, Deflate, Error, Kind, Message, Prepared, WebSocket};

/// Two ends that agreed.
fn open(io: (Hostile, Hostile), deflate: Deflate, agreement: Agreement) -> [WebSocket<Hostile>; 2] {
    // The transport has no clock, so that no test needs one.
    let config = Config::default().timeouts(Timeouts::default().patient());
    let end = |io, role| WebSocket::from_upgraded(io, role, &config, &[]);
    [end(io.0, Role::Client), end(io.1, Role::Server)].map(|ws| ws.deflate(agreement, &deflate))
}

fn bits(bits: u8) -> WindowBits {
    WindowBits::new(bits).expect("8 to 15")
}

fn both(takeover: bool, window: u8) -> Agreement {
    let window = bits(window);
    let context = Compression { takeover, window };
    Agreement {
        server: context,
        client: context,
    }
}

/// What applications send: JSON, text of many languages, noise, one byte many times, nothing.
fn message(rng: &mut Rng) -> Prepared {
    let most = *rng.pick(&[1, 40, 300, 3_000, 20_000, 150_000]);
    let len = rng.below(most);
    match rng.below(5) {
        0 => Prepared::binary(rng.bytes(len)),
        1 => Prepared::binary(vec![rng.any() as u8; len]),
        2 => Prepared::text(
            "aé€𝄞"
                .chars()
                .cycle()
                .skip(rng.below(4))
                .take(len / 3)
                .collect::<String>(),
        ),
        _ => {
            let mut text = String::from("[");
            while text.len() < len {
                let (sensor, value) = (rng.below(9), rng.below(4_096));
                text += &format!("{{\"sensor\":{sensor},\"value\":{value},\"unit\":\"mV\"}},");
            }
            Prepared::text(text)
        }
    }
}

/// Sends it in one of the ways there are.
async fn send(ws: &mut WebSocket<Hostile>, message: &Prepared, rng: &mut Rng) -> Result<(), Error> {
    match rng.below(5) {
        0 => ws.send(message.message()).await,
        1 => ws.feed(message.message()).await,
        2 => ws.feed_prepared(message).await,
        way => {
            let kind = message.message().kind();
            let bytes = message.message().as_bytes();
            let len = (way == 4).then_some(bytes.len() as u64);
            let mut writer = ws.send_pieces(kind, len).await?;
            let mut rest = bytes;
            while !rest.is_empty() {
                let (piece, behind) = rest.split_at(rest.len().min(1 + rng.below(40_000)));
                writer.write_all(piece).await?;
                if rng.chance(20) && kind == Kind::Binary {
                    writer.flush().await?;
                }
                rest = behind;
            }
            writer.finish().await
        }
    }
}

/// Receives it in one of the ways there are.
async fn expect(
    ws: &mut WebSocket<Hostile>,
    message: &Prepared,
    rng: &mut Rng,
    skips: bool,
) -> Result<(), Error> {
    let sent = message.message();
    match rng.below(if skips { 4 } else { 3 }) {
        0 => {
            let mut reader = ws.recv_pieces().await?.expect("still open");
            assert_eq!(reader.kind(), sent.kind());
            let mut got = Vec::new();
            while let Some(chunk) = reader.chunk().await? {
                got.extend_from_slice(chunk);
            }
            assert_eq!(got, sent.as_bytes());
        }
        1 => {
            let mut reader = ws.recv_pieces().await?.expect("still open");
            let mut got = vec![0; sent.as_bytes().len()];
            let mut rest = &mut got[..];
            while !rest.is_empty() {
                let (piece, behind) = rest.split_at_mut(rest.len().min(1 + rng.below(5_000)));
                reader.read_exact(piece).await?;
                rest = behind;
            }
            assert_eq!(reader.read(&mut [0]).await?, 0);
            assert_eq!(got, sent.as_bytes());
        }
        3 => {
            // Part of it is read, the rest is skipped: the window has it all the same.
            let mut reader = ws.recv_pieces().await?.expect("still open");
            let mut some = vec![0; rng.below(sent.as_bytes().len() + 1)];
            reader.read_exact(&mut some).await?;
            assert_eq!(some, sent.as_bytes()[..some.len()]);
        }
        _ => assert_eq!(ws.recv().await?, Some(sent)),
    }
    Ok(())
}

#[tokio::test]
async fn any_message_comes_back_with_any_parameters() {
    for seed in 0..80 {
        let mut rng = Rng::new(seed);
        let habits = match seed % 4 {
            0 => Habits::kind(),
            _ => Habits::random(&mut rng),
        };
        let agreement = Agreement {
            server: both(rng.chance(50), 8 + rng.below(8) as u8).server,
            client: both(rng.chance(50), 8 + rng.below(8) as u8).client,
        };
        let deflate = Deflate::new()
            .level(rng.below(10) as u8)
            .memory(1 + rng.below(9) as u8)
            .threshold(*rng.pick(&[0, 0, 100]));
        let [mut client, mut server] = open(pair(seed, habits), deflate, agreement);
        // Who skips a message and sends at once needs a transport that takes all of both.
        let skips = seed % 4 == 0;
        let trickle = habits.read < 100 || habits.write < 100 || habits.capacity < 100;
        let messages: Vec<Prepared> = (0..12).map(|_| message(&mut rng)).collect();
        let messages: Vec<Prepared> = messages
            .into_iter()
            .filter(|message| !trickle || message.message().as_bytes().len() < 1_500)
            .collect();
        let (mut here, mut there, mut back) = (rng.clone(), Rng::new(!seed), Rng::new(seed + 1));
        let talk = async {
            for message in &messages {
                send(&mut client, message, &mut here).await?;
                client.flush().await?;
                expect(&mut client, message, &mut here, skips).await?;
            }
            client.close(CloseCode::NORMAL, "").await
        };
        let answer = async {
            for message in &messages {
                expect(&mut server, message, &mut there, skips).await?;
                send(&mut server, message, &mut back).await?;
            }
            while server.recv().await?.is_some() {}
            Ok::<(), Error>(())
        };
        let (talked, answered) = tokio::join!(talk, answer);
        if let Err(error) = talked.and(answered) {
            panic!("seed {seed}, {habits:?}, {agreement:?}, {deflate:?}: {error}");
        }
    }
}

/// What was compressed is smaller on the wire, and what would not be is sent as it is.
#[tokio::test]
async fn what_is_on_the_wire() {
    let text = "{\"sensor\":1,\"value\":2},".repeat(100);
    let noise = Rng::new(1).bytes(2_000);
    for (takeover, message, most) in [
        (false, Message::Text(&text), 120),
        (true, Message::Text(&text), 120),
        (false, Message::Binary(&noise), noise.len() + 8),
        // Level 1 does not look whether a block would be smaller as it is.
        (true, Message::Binary(&noise), noise.len() * 107 / 100),
        // Below the threshold.
        (false, Message::Text(&text[..255]), 255 + 8),
    ] {
        let io = pair(1, Habits::kind());
        let [mut client, mut server] = open(io, Deflate::new(), both(takeover, 15));
        client.send(message).await.unwrap();
        let sent = server.get_mut().unread();
        assert!(sent <= most, "{takeover} {sent} > {most}");
        assert_eq!(server.recv().await.unwrap(), Some(message));
    }
}

/// A message that refers to the one before is next to nothing.
#[tokio::test]
async fn with_takeover_a_message_again_is_short() {
    let io = pair(1, Habits::kind());
    let [mut client, mut server] = open(io, Deflate::new(), both(true, 15));
    let noise = Rng::new(1).bytes(2_000);
    client.send(&noise).await.unwrap();
    let first = server.get_mut().unread();
    client.send(&noise).await.unwrap();
    let again = server.get_mut().unread() - first;
    assert!(first > 2_000 && again < 100, "{first}, then {again}");
    for _ in 0..2 {
        let message = server.recv().await.unwrap();
        assert_eq!(message, Some(Message::Binary(&noise)));
    }
}

/// Messages that come while this end closes are dropped, and the next `recv` is not confused.
#[tokio::test]
async fn closing_keeps_the_window() {
    let io = pair(1, Habits::kind());
    let [mut client, mut server] = open(io, Deflate::new().threshold(0), both(true, 15));
    let text = "twenty characters of text, and again twenty characters of text";
    client.send(text).await.unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    let mut closing = Box::pin(server.close(CloseCode::NORMAL, ""));
    assert!(closing.as_mut().poll(&mut cx).is_pending());
    drop(closing);
    client.send(text).await.unwrap();
    assert_eq!(server.recv().await.unwrap(), Some(Message::Text(text)));
    let (here, there) = tokio::join!(client.recv(), server.recv());
    assert!(matches!((here, there), (Ok(None), Ok(None))));
}
