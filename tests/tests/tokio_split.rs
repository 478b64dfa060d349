//! Owned and borrowed halves: what one half does, the other must not lose.
//!
mod strict;

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use wirelet_tests::frames::{Frame, wire};
use wirelet_tests::hostile::{Habits, pair};
use wirelet_tests::judge::{frame_len, next_frame, parse};
use wirelet_tests::rng::Rng;
use wirelet_tokio::{
    CloseCode, Config, Error, Message, OwnedRecvHalf, OwnedSendHalf, Role, Timeouts, WebSocket,
};

use strict::Strict;

const ROLES: [Role; 2] = [Role::Server, Role::Client];

/// Larger than a pipe and than what is copied: it leaves beside the buffer, or through it masked.
const LARGE: usize = 100 << 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ping_is_answered_while_the_sender_does_nothing() {
    for role in ROLES {
        let (mut peer, io) = duplex(64);
        let (mut rx, tx) = open(io, role).split();
        let receiver = tokio::spawn(async move { rx.recv().await.map(|m| m.is_some()) });
        for n in 0..20 {
            let ping = wire(role, &[Frame::new(0x89, [n])]);
            peer.write_all(&ping).await.unwrap();
            let pong = next_frame(&mut peer, role).await;
            assert_eq!(pong, (0x8a, vec![n]), "{role:?}");
        }
        let close = wire(role, &[Frame::new(0x88, 1000u16.to_be_bytes())]);
        peer.write_all(&close).await.unwrap();
        assert_eq!(next_frame(&mut peer, role).await.0, 0x88);
        drop(peer);
        assert!(!receiver.await.unwrap().unwrap(), "{role:?}");
        drop(tx);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pong_waits_for_the_end_of_a_large_frame() {
    for role in ROLES {
        let (mut peer, io) = duplex(64);
        let (rx, mut tx) = open(io, role).split();
        let large = Rng::new(1).bytes(LARGE);
        let sent = large.clone();
        let sender = tokio::spawn(async move { tx.send(&sent).await.map(|()| tx) });
        // The first byte of the frame is there, the rest does not fit the pipe.
        let mut bytes = vec![peer.read_u8().await.unwrap()];
        let receiver = ping_is_seen(&mut peer, rx, role).await;

        let mut end = vec![0; frame_len(role, LARGE) - 1];
        peer.read_exact(&mut end).await.unwrap();
        bytes.extend(end);
        assert_eq!(parse(&bytes, role), [(0x82, large)], "{role:?}");
        assert_eq!(next_frame(&mut peer, role).await, (0x8a, b"?".to_vec()));
        let tx = sender.await.unwrap().unwrap();
        drop((peer, tx));
        assert!(matches!(receiver.await.unwrap(), Err(Error::Disconnected)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pong_goes_out_between_small_frames_that_are_stuck() {
    for role in ROLES {
        let (mut peer, io) = duplex(64);
        let (rx, mut tx) = open(io, role).split();
        let sender = tokio::spawn(async move {
            for n in 0..40_u8 {
                tx.feed(&[n; 50]).await?;
            }
            tx.flush().await.map(|()| tx)
        });
        let mut seen = vec![next_frame(&mut peer, role).await];
        let receiver = ping_is_seen(&mut peer, rx, role).await;
        while seen.len() < 41 {
            seen.push(next_frame(&mut peer, role).await);
        }
        let pongs = seen.iter().filter(|frame| frame.0 == 0x8a).count();
        assert_eq!(pongs, 1, "{role:?}");
        seen.retain(|frame| frame.0 == 0x82);
        let expected: Vec<_> = (0..40).map(|n| (0x82, vec![n; 50])).collect();
        assert!(seen == expected, "{role:?}");
        drop((peer, sender.await.unwrap().unwrap()));
        assert!(matches!(receiver.await.unwrap(), Err(Error::Disconnected)));
    }
}

#[tokio::test]
async fn a_frame_whose_sender_was_dropped_is_finished_by_the_receiving_half() {
    for role in ROLES {
        let (mut peer, io) = duplex(64);
        let (rx, mut tx) = open(io, role).split();
        let large = Rng::new(2).bytes(LARGE);
        // The receiver waits already, so only a wake can make it write.
        let receiver = ping_is_seen(&mut peer, rx, role).await;
        assert_eq!(next_frame(&mut peer, role).await.0, 0x8a);
        {
            let mut send = Box::pin(tx.send(&large));
            assert!(poll_once(&mut send).is_pending());
            peer.write_all(&wire(role, &[Frame::new(0x89, b"!")]))
                .await
                .unwrap();
            tokio::task::yield_now().await;
        }
        assert_eq!(next_frame(&mut peer, role).await, (0x82, large), "{role:?}");
        assert_eq!(next_frame(&mut peer, role).await, (0x8a, b"!".to_vec()));
        drop((peer, tx));
        assert!(matches!(receiver.await.unwrap(), Err(Error::Disconnected)));
    }
}

#[tokio::test]
async fn a_close_that_comes_in_the_middle_of_our_frame_is_answered_behind_it() {
    for role in ROLES {
        let (mut peer, io) = duplex(64);
        let (mut rx, mut tx) = open(io, role).split();
        let large = Rng::new(3).bytes(LARGE);
        let sent = large.clone();
        let sender = tokio::spawn(async move { (tx.send(&sent).await, tx.send("late").await) });
        let receiver = tokio::spawn(async move { (rx.recv().await.map(|m| m.is_some()), rx) });
        let mut bytes = vec![peer.read_u8().await.unwrap()];
        let close = wire(role, &[Frame::new(0x88, b"\x03\xe8bye")]);
        peer.write_all(&close).await.unwrap();
        // Both halves run until nothing but reading helps them.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        let all = frame_len(role, LARGE) + frame_len(role, 2);
        let mut end = vec![0; all - 1];
        peer.read_exact(&mut end).await.unwrap();
        bytes.extend(end);
        let code = 1000_u16.to_be_bytes().to_vec();
        assert!(
            parse(&bytes, role) == [(0x82, large), (0x88, code)],
            "{role:?}"
        );
        drop(peer);
        let (large, late) = sender.await.unwrap();
        assert!(large.is_ok(), "{role:?}: {large:?}");
        assert!(
            matches!(late, Err(Error::Send(wirelet::SendError::Closed))),
            "{role:?}: {late:?}"
        );
        let (received, mut rx) = receiver.await.unwrap();
        assert!(!received.unwrap());
        assert_eq!(rx.closed().unwrap().reason, "bye");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_talks_but_never_reads_is_given_up() {
    for role in ROLES {
        let (mut peer, io) = duplex(64);
        let (mut rx, mut tx) = WebSocket::from_upgraded(io, role, &Config::default(), &[]).split();
        let large = vec![0; LARGE];
        let receiver = tokio::spawn(async move { rx.recv().await.map(|m| m.is_some()) });
        let talker = tokio::spawn(async move {
            let pong = wire(role, &[Frame::new(0x8a, [])]);
            loop {
                peer.write_all(&pong).await.unwrap();
                tokio::time::sleep(Duration::from_secs(7)).await;
            }
        });
        let sent = tokio::time::timeout(Duration::from_secs(600), tx.send(&large)).await;
        let error = sent.expect("the sender gives up long before").unwrap_err();
        assert!(matches!(error, Error::Timeout(_)), "{role:?}: {error:?}");
        talker.abort();
        receiver.abort();
    }
}

#[test]
fn no_half_is_forgotten_whoever_waits_for_the_writer() {
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let (one, other) = pair(seed, Habits::random(&mut rng));
        let mut strict = Strict::new(seed);
        for (io, role) in [(one, Role::Server), (other, Role::Client)] {
            let (rx, tx) = open(io, role).split_with(tokio::io::split);
            let (all, all_came) = oneshot::channel();
            strict.spawn(receive(rx, 7, 30, all));
            strict.spawn(send(tx, 7, 30, role, all_came));
        }
        strict.run(&format!("seed {seed}"));
    }
}

#[test]
fn no_borrowed_half_is_forgotten_either() {
    for seed in 0..60 {
        let mut rng = Rng::new(!seed);
        let (one, other) = pair(seed, Habits::random(&mut rng));
        let mut one = open(one, Role::Server);
        let mut other = open(other, Role::Client);
        let mut strict = Strict::new(seed);
        for ws in [&mut one, &mut other] {
            let (mut rx, mut tx) = ws.halves();
            let (all, all_came) = oneshot::channel();
            strict.spawn(async move {
                for message in messages(9, 30) {
                    let got = rx.recv().await.unwrap().expect("more messages");
                    assert!(got == as_message(&message));
                }
                all.send(()).unwrap();
                assert!(rx.recv().await.unwrap().is_none());
            });
            strict.spawn(async move {
                for message in messages(9, 30) {
                    tx.send(as_message(&message)).await.unwrap();
                }
                all_came.await.unwrap();
                // Both sides may do it: the second changes nothing.
                tx.close(CloseCode::NORMAL, "").await.unwrap();
            });
        }
        strict.run(&format!("seed {seed}"));
    }
}

#[tokio::test]
async fn borrowed_halves_work_in_one_task_under_join() {
    let (one, other) = duplex(64);
    let (mut one, mut other) = (open(one, Role::Server), open(other, Role::Client));
    let (mut one_rx, mut one_tx) = one.halves();
    let (mut other_rx, mut other_tx) = other.halves();
    // Each writes far more than the pipe holds before it could read anything.
    let (up, down) = (Rng::new(4).bytes(1 << 20), Rng::new(5).bytes(1 << 20));
    let (sent, answered, at_one, at_other) = tokio::join!(
        one_tx.send(&down),
        other_tx.send(&up),
        one_rx.recv(),
        other_rx.recv(),
    );
    assert!(sent.is_ok() && answered.is_ok());
    assert!(at_one.unwrap() == Some(Message::Binary(&up)));
    assert!(at_other.unwrap() == Some(Message::Binary(&down)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_both_ways_at_once_through_a_narrow_pipe() {
    let (one, other) = duplex(64);
    stress(one, other).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_both_ways_at_once_over_tcp() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (one, other) = tokio::join!(TcpStream::connect(address), listener.accept());
    stress(other.unwrap().0, one.unwrap()).await;
}

/// 20,000 random messages each way, four tasks, each message compared with what was sent.
async fn stress<S>(server: S, client: S)
where
    S: AsyncRead + AsyncWrite + Unpin + wirelet_tokio::Split,
    S::Reader: Send + 'static,
    S::Writer: Send + 'static,
{
    const COUNT: usize = 20_000;
    let mut tasks = tokio::task::JoinSet::new();
    for (io, role, up, down) in [(server, Role::Server, 1, 2), (client, Role::Client, 2, 1)] {
        let (rx, tx) = open(io, role).split();
        let (all, all_came) = oneshot::channel();
        tasks.spawn(receive(rx, up, COUNT, all));
        tasks.spawn(send(tx, down, COUNT, role, all_came));
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

/// Sends random messages, some with a flush, some with a Ping between them. The client closes when
/// all that is sent to it has come: a server that still sends could not.
async fn send<W: AsyncWrite + Unpin>(
    mut tx: OwnedSendHalf<W>,
    seed: u64,
    count: usize,
    role: Role,
    all_came: oneshot::Receiver<()>,
) {
    let mut rng = Rng::new(!seed);
    for message in messages(seed, count) {
        match rng.below(8) {
            0 => tx.send(as_message(&message)).await.unwrap(),
            1 => {
                tx.ping(&message[..message.len().min(9)]).await.unwrap();
                tx.feed(as_message(&message)).await.unwrap();
            }
            _ => tx.feed(as_message(&message)).await.unwrap(),
        }
    }
    tx.flush().await.unwrap();
    all_came.await.unwrap();
    if role == Role::Client {
        tx.close(CloseCode::NORMAL, "").await.unwrap();
    }
}

/// Receives what [`send`] sends, until the end of the connection.
async fn receive<R, W>(
    mut rx: OwnedRecvHalf<R, W>,
    seed: u64,
    count: usize,
    all: oneshot::Sender<()>,
) where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    for message in messages(seed, count) {
        let got = rx.recv().await.unwrap().expect("more messages");
        assert!(got == as_message(&message));
    }
    all.send(()).unwrap();
    assert!(rx.recv().await.unwrap().is_none());
}

/// Mostly small ones, a few larger than a buffer.
fn messages(seed: u64, count: usize) -> impl Iterator<Item = Vec<u8>> {
    let mut rng = Rng::new(seed);
    (0..count).map(move |_| {
        let most = match rng.below(1_000) {
            0..5 => 70_000,
            5..50 => 2_000,
            _ => 130,
        };
        let len = rng.below(most);
        rng.bytes(len)
    })
}

/// Text where the bytes happen to be some.
fn as_message(bytes: &[u8]) -> Message<'_> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Message::Text(text),
        Err(_) => Message::Binary(bytes),
    }
}

/// A connection that is open and has no deadlines but that of the close.
fn open<S: AsyncRead + AsyncWrite + Unpin>(io: S, role: Role) -> WebSocket<S> {
    let config = Config::default().timeouts(Timeouts::default().patient());
    WebSocket::from_upgraded(io, role, &config, &[])
}

/// Lets a spawned receiver see a Ping: it is over it when the message behind it came.
async fn ping_is_seen<R, W>(
    peer: &mut DuplexStream,
    mut rx: OwnedRecvHalf<R, W>,
    role: Role,
) -> tokio::task::JoinHandle<Result<bool, Error>>
where
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin + Send + 'static,
{
    let (seen, was_seen) = oneshot::channel();
    let task = tokio::spawn(async move {
        assert_eq!(rx.recv().await?, Some(Message::Text("behind")));
        seen.send(()).unwrap();
        Ok(rx.recv().await?.is_some())
    });
    let frames = [Frame::new(0x89, b"?"), Frame::new(0x81, b"behind")];
    peer.write_all(&wire(role, &frames)).await.unwrap();
    was_seen.await.unwrap();
    task
}

fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::pin::Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}
