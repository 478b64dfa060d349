//! What `Pump` can and `Buffered` cannot; and what becomes of a connection whose transport fails.

use embassy_futures::join::join;
use embassy_futures::poll_once;
use embedded_io_async::{ErrorKind, ErrorType, Read, Write};
use wirelet::Role;
use wirelet_embassy::{
    Buffered, CloseCode, Error, Message, Pump, SendError, Timeout, Transport, WebSocket,
};
use wirelet_tests::case::ROLES;
use wirelet_tests::frames::{Frame, wire};
use wirelet_tests::hostile::{Habits, Hostile, pair};

use crate::clock::{millis, run};
use crate::deadlines::config;
use crate::io::{Io, Peer, open, pumped};
use crate::peer::{self, BINARY, TEXT, whole};

/// A line that holds 16 bytes in each direction.
fn narrow() -> (Hostile, Hostile) {
    let habits = Habits {
        capacity: 16,
        ..Habits::default()
    };
    pair(1, habits)
}

/// Stages more than the line holds, then receives as much.
async fn feed_then_receive<T: Transport>(io: T, role: Role) -> Result<(), Error<T::Error>> {
    let (mut buffer, mut random) = ([0; 200], || [1, 2, 3, 4]);
    let mut ws = open(io, role, &config(), &mut buffer, &mut random);
    ws.feed(&[7; 150]).await?;
    assert_eq!(ws.recv().await?, Some(Message::Binary(&[7; 150])));
    // What is left of ours, the other end still wants.
    ws.flush().await
}

#[test]
fn two_ends_that_both_write() {
    run(async {
        let (one, two) = narrow();
        let (one, two) = (tokio::io::split(one), tokio::io::split(two));
        let client = pumped((Io(one.0), Io(one.1)), (16, 300), async |pump| {
            feed_then_receive(pump, Role::Client).await
        });
        let server = pumped((Io(two.0), Io(two.1)), (16, 300), async |pump| {
            feed_then_receive(pump, Role::Server).await
        });
        assert_eq!(join(client, server).await, (Ok(()), Ok(())));
        assert_eq!(millis(), 0, "nobody waits for time to pass");
    });
}

/// As `Buffered` says of itself.
#[test]
fn two_ends_that_write_before_they_read_wait_for_each_other() {
    run(async {
        let (one, two) = narrow();
        let (mut rx, mut tx) = ([[0; 16]; 2], [[0; 300]; 2]);
        let ([rx_one, rx_two], [tx_one, tx_two]) = (&mut rx, &mut tx);
        let client = Buffered::new(Io(one), rx_one, tx_one);
        let server = Buffered::new(Io(two), rx_two, tx_two);
        let both = join(
            feed_then_receive(client, Role::Client),
            feed_then_receive(server, Role::Server),
        );
        let (client, server) = both.await;
        assert_eq!(client, Err(Error::Timeout(Timeout::Idle)));
        assert!(server.is_err(), "or it is told that the other has gone");
        assert!((30_000..=60_000).contains(&millis()), "{} ms", millis());
    });
}

/// A message larger than all buffers there and back, by an echo that does both at once.
#[test]
fn halves_at_once() {
    for role in ROLES {
        run(async {
            let (io, echo) = narrow();
            let (io, echo) = (tokio::io::split(io), tokio::io::split(echo));
            let sent: Vec<u8> = (0..=255).cycle().take(5_000).collect();
            let ours = pumped((Io(io.0), Io(io.1)), (50, 200), async |pump| {
                let (mut buffer, mut random) = ([0; 64], || [1, 2, 3, 4]);
                let mut ws = open(pump, role, &config(), &mut buffer, &mut random);
                {
                    let (mut rx, mut tx) = ws.halves();
                    let mut got = Vec::new();
                    let receive = async {
                        let take = |got: &mut Vec<u8>, piece: wirelet_embassy::Piece<'_>| {
                            got.extend_from_slice(piece.payload);
                            piece.end
                        };
                        while !rx
                            .recv_piece(|piece| take(&mut got, piece))
                            .await
                            .unwrap()
                            .unwrap()
                        {}
                    };
                    let (all_sent, ()) = join(tx.send(&sent[..]), receive).await;
                    all_sent.unwrap();
                    assert!(got == sent);
                }
                ws.close(CloseCode::NORMAL, "").await
            });
            let theirs = pumped((Io(echo.0), Io(echo.1)), (50, 200), async |pump| {
                let (mut buffer, mut random) = ([0; 64], || [5, 6, 7, 8]);
                let mut ws = open(pump, peer::other(role), &config(), &mut buffer, &mut random);
                let (mut rx, mut tx) = ws.halves();
                while rx.forward(&mut tx).await.unwrap().is_some() {}
            });
            assert_eq!(join(ours, theirs).await, (Ok(()), ()));
        });
    }
}

/// A half of a transport that does one thing, and that for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    Works,
    Waits,
    Fails,
    /// Takes nothing; gives the end.
    Zero,
    FlushFails,
}

impl ErrorType for Half {
    type Error = ErrorKind;
}

impl Read for Half {
    async fn read(&mut self, _: &mut [u8]) -> Result<usize, ErrorKind> {
        match self {
            Self::Fails => Err(ErrorKind::TimedOut),
            Self::Zero => Ok(0),
            _ => core::future::pending().await,
        }
    }
}

impl Write for Half {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        match self {
            Self::Fails => Err(ErrorKind::BrokenPipe),
            Self::Zero => Ok(0),
            Self::Waits => core::future::pending().await,
            _ => Ok(bytes.len()),
        }
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        match self {
            Self::FlushFails => Err(ErrorKind::Other),
            _ => Ok(()),
        }
    }
}

#[test]
fn transports_that_fail() {
    let (waits, works) = (Half::Waits, Half::Works);
    let idle = Error::Timeout(Timeout::Idle);
    for role in ROLES {
        for (reader, writer, sent, received) in [
            (waits, Half::Zero, Err(Error::Disconnected), Ok(())),
            (
                waits,
                Half::Fails,
                Err(Error::Io(ErrorKind::BrokenPipe)),
                Ok(()),
            ),
            (
                waits,
                Half::FlushFails,
                Err(Error::Io(ErrorKind::Other)),
                Ok(()),
            ),
            (waits, waits, Err(idle), Ok(())),
            (
                Half::Fails,
                works,
                Ok(()),
                Err(Error::Io(ErrorKind::TimedOut)),
            ),
            (Half::Zero, works, Ok(()), Err(Error::Disconnected)),
        ] {
            let about = format!("{role:?} {reader:?} {writer:?}");
            run(pumped((reader, writer), (8, 200), async |pump| {
                let (mut buffer, mut random) = ([0; 8], || [1, 2, 3, 4]);
                let mut ws = open(pump, role, &config(), &mut buffer, &mut random);
                assert_eq!(ws.send("hello").await, sent, "{about}");
                // It is told once.
                let end = ws.recv().await.map(|message| assert_eq!(message, None));
                assert_eq!(end, received, "{about}");
                assert_eq!(ws.recv().await, Ok(None), "{about}");
                assert_eq!(ws.send("late").await, Err(Error::Send(SendError::Closed)));
                assert_eq!(ws.close(CloseCode::NORMAL, "").await, Ok(()), "{about}");
            }));
        }
    }
}

/// What came before the transport failed is there first.
#[test]
fn nothing_that_came_is_lost() {
    run(async {
        let (io, peer) = pair(1, Habits::kind());
        let (reader, writer) = tokio::io::split(io);
        let mut peer = Io(peer);
        let frames = [Frame::new(0x81, "one"), Frame::new(0x81, "two")];
        peer.put(&wire(Role::Server, &frames)).await;
        peer.hang_up().await;
        pumped((Io(reader), Io(writer)), (64, 200), async |pump| {
            let mut buffer = [0; 64];
            let mut ws = WebSocket::server(pump, &config(), &mut buffer);
            embassy_futures::yield_now().await;
            assert_eq!(ws.recv().await, Ok(Some(Message::Text("one"))));
            // Its stream has ended, ours has not.
            ws.send("still").await.unwrap();
            assert_eq!(ws.recv().await, Ok(Some(Message::Text("two"))));
            assert_eq!(ws.recv().await, Err(Error::Disconnected));
        })
        .await;
        let items = whole(Role::Client, &peer.all().await);
        assert_eq!(items, [(TEXT, b"still".to_vec())]);
    });
}

/// A pump that stops ends its connection, whoever waits for what.
#[test]
fn a_pump_that_is_dropped() {
    run(async {
        let (io, _peer) = narrow();
        let (reader, writer) = tokio::io::split(io);
        let (mut rx, mut tx, mut buffer) = ([0; 16], [0; 200], [0; 64]);
        let pump = Pump::new(&mut rx, &mut tx);
        let mut ws = WebSocket::server(&pump, &config(), &mut buffer);
        let mut moving = Box::pin(pump.run(Io(reader), Io(writer)));
        let (mut receive, mut send) = ws.halves();
        let mut received = Box::pin(receive.recv());
        let large = [7; 1000];
        let mut sent = Box::pin(send.send(&large));
        for _ in 0..100 {
            assert!(poll_once(&mut received).is_pending());
            assert!(poll_once(&mut sent).is_pending());
            assert!(poll_once(&mut moving).is_pending());
        }
        drop(moving);
        let (received, sent) = join(received, sent).await;
        let lost = Error::Disconnected;
        assert_eq!((received, sent), (Err(lost), Err(lost)));
        assert_eq!(millis(), 0);
    });
}

/// Frames as large as the buffer, up to the last byte.
#[test]
fn room_is_used_to_the_last_byte() {
    run(async {
        let (io, peer) = pair(1, Habits::kind());
        let (reader, writer) = tokio::io::split(io);
        let mut peer = Io(peer);
        pumped((Io(reader), Io(writer)), (16, 139), async |pump| {
            let mut buffer = [0; 64];
            let mut ws = WebSocket::server(pump, &config(), &mut buffer);
            for len in [135, 136, 1000] {
                ws.send(&vec![7; len][..]).await.unwrap();
            }
        })
        .await;
        let mut all = peer.some().await;
        while peer.0.unread() > 0 {
            all.extend(peer.some().await);
        }
        let items = whole(Role::Client, &all);
        let sent = [135, 136, 1000].map(|len| (BINARY, vec![7; len]));
        assert_eq!(items, sent);
    });
}
