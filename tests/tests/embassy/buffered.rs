//! What only `Buffered` can meet: transports that are odd, halves that are used at once, too little
//! room; and what becomes of a message that was begun and left.

use embassy_futures::join::join;
use embassy_futures::poll_once;
use embedded_io_async::{ErrorKind, ErrorType, Read, Write};
use wirelet::Role;
use wirelet_embassy::{
    Buffered, CloseCode, Config, Error, Kind, MIN_ROOM, Message, SendError, Timeout, WebSocket,
};
use wirelet_tests::case::ROLES;
use wirelet_tests::frames::{Frame, wire};
use wirelet_tests::hostile::{Habits, pair};

use crate::clock::{millis, run};
use crate::io::{Io, Peer, cut, open};
use crate::peer::{self, CLOSE, PONG, TEXT, whole};
use crate::steps::Steps;

/// A transport that does what a trait of embedded Rust lets it do, and nothing useful.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Odd {
    TakesNothing,
    WriteFails,
    ReadFails,
    FlushFails,
    NeverFlushes,
}

impl ErrorType for Odd {
    type Error = ErrorKind;
}

impl Read for Odd {
    async fn read(&mut self, _: &mut [u8]) -> Result<usize, ErrorKind> {
        match self {
            Self::ReadFails => Err(ErrorKind::TimedOut),
            _ => core::future::pending().await,
        }
    }
}

impl Write for Odd {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        match self {
            Self::TakesNothing => Ok(0),
            Self::WriteFails => Err(ErrorKind::BrokenPipe),
            _ => Ok(bytes.len()),
        }
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        match self {
            Self::FlushFails => Err(ErrorKind::Other),
            Self::NeverFlushes => core::future::pending().await,
            _ => Ok(()),
        }
    }
}

#[test]
fn odd_transports() {
    for role in ROLES {
        for (odd, sent, received) in [
            (Odd::TakesNothing, Error::Disconnected, None),
            (Odd::WriteFails, Error::Io(ErrorKind::BrokenPipe), None),
            (Odd::FlushFails, Error::Io(ErrorKind::Other), None),
            (Odd::NeverFlushes, Error::Timeout(Timeout::Idle), None),
            (
                Odd::ReadFails,
                Error::Disconnected,
                Some(Error::Io(ErrorKind::TimedOut)),
            ),
        ] {
            run(async {
                let (mut rx, mut tx) = ([0; 8], [0; 200]);
                let (mut buffer, mut random) = ([0; 8], || [1, 2, 3, 4]);
                let io = Buffered::new(odd, &mut rx, &mut tx);
                let mut ws = open(io, role, &Config::default(), &mut buffer, &mut random);
                let began = millis();
                match received {
                    None => assert_eq!(ws.send("hello").await, Err(sent), "{odd:?}"),
                    Some(error) => {
                        ws.send("hello").await.unwrap();
                        assert_eq!(ws.recv().await, Err(error), "{odd:?}");
                    }
                }
                let waited = if odd == Odd::NeverFlushes { 60_000 } else { 0 };
                assert!(millis() - began >= waited, "{odd:?}");
                assert_eq!(ws.recv().await, Ok(None), "{odd:?}");
                assert_eq!(ws.send("late").await, Err(Error::Send(SendError::Closed)));
                assert_eq!(ws.close(CloseCode::NORMAL, "").await, Ok(()), "{odd:?}");
            });
        }
    }
}

/// While one half has the transport, the other is told so, and nothing else happens to it.
#[test]
fn halves_at_once_are_busy() {
    run(async {
        let (io, peer) = pair(1, Habits::kind());
        let (mut rx, mut tx) = ([0; 64], [0; 200]);
        let io = Buffered::new(Io(io), &mut rx, &mut tx);
        let mut buffer = [0; 64];
        let mut ws = WebSocket::server(io, &Config::default(), &mut buffer);
        {
            let (mut rx, mut tx) = ws.halves();
            let mut recv = Box::pin(rx.recv());
            assert!(poll_once(&mut recv).is_pending());
            assert_eq!(tx.feed("a").await, Err(Error::Busy));
            assert_eq!(tx.send("a").await, Err(Error::Busy));
            assert_eq!(tx.ping(b"a").await, Err(Error::Busy));
            assert_eq!(tx.flush().await, Err(Error::Busy));
            let mut writer = tx.send_pieces(Kind::Text, None).await.unwrap();
            assert_eq!(writer.write(b"a").await, Err(Error::Busy));
            assert_eq!(writer.end(b"a").await, Err(Error::Busy));
        }
        let mut peer = Io(peer);
        ws.send("still open").await.unwrap();
        assert_eq!(
            whole(Role::Client, &peer.some().await),
            [(TEXT, b"still open".to_vec())]
        );
        peer.put(&wire(Role::Server, &[Frame::new(0x81, "so")]))
            .await;
        assert_eq!(ws.recv().await, Ok(Some(Message::Text("so"))));
        // A Close that finds the transport busy is owed, and leaves with what comes next.
        {
            let (mut rx, mut tx) = ws.halves();
            let mut recv = Box::pin(rx.recv());
            assert!(poll_once(&mut recv).is_pending());
            assert_eq!(tx.close(CloseCode::NORMAL, "").await, Err(Error::Busy));
        }
        let theirs = async {
            let wire_read = peer.until_close(Role::Server).await;
            peer.put(&wire(Role::Server, &[Frame::new(0x88, "")])).await;
            wire_read
        };
        let (end, read) = join(ws.recv(), theirs).await;
        assert_eq!(end, Ok(None));
        assert_eq!(whole(Role::Client, &read), [(CLOSE, peer::close(1000, ""))]);
    });
}

/// A transport with less than [`MIN_ROOM`]: what cannot fit is refused, nothing waits for ever.
#[test]
fn too_little_room() {
    for role in ROLES {
        run(async {
            let input = wire(role, &[Frame::new(0x81, "a"), Frame::new(0x89, [7; 125])]);
            let (io, log) = Steps::new(input, 1000);
            let (mut rx, mut tx) = ([0; 500], [0; 60]);
            const { assert!(60 < MIN_ROOM) };
            let io = Buffered::new(Io(io), &mut rx, &mut tx);
            let (mut buffer, mut random) = ([0; 64], || [1, 2, 3, 4]);
            let mut ws = open(io, role, &Config::default(), &mut buffer, &mut random);
            assert_eq!(ws.ping(&[7; 125]).await, Err(Error::Send(SendError::Full)));
            assert_eq!(ws.recv().await, Ok(Some(Message::Text("a"))));
            assert_eq!(ws.recv().await, Err(Error::Send(SendError::Full)));
            assert_eq!(log.bytes(), b"");
        });
    }
}

/// A close that was dropped has thrown the start of a message away: its rest is none.
#[test]
fn after_a_dropped_close_no_rest_of_a_message_is_taken_for_a_message() {
    for role in ROLES {
        for polls in 1..60 {
            let frames = [
                Frame::new(0x81, "whole"),
                Frame::new(0x01, "start, "),
                Frame::new(0x89, "?"),
                Frame::new(0x00, "middle, "),
                Frame::new(0x80, "end"),
                Frame::new(0x81, "next"),
                Frame::new(0x88, ""),
            ];
            let (mut io, _) = Steps::new(wire(role, &frames), 3);
            io.reader.end = crate::steps::End::Eof;
            run(async {
                let (mut rx, mut tx) = ([0; 8], [0; 200]);
                let io = Buffered::new(Io(io), &mut rx, &mut tx);
                let (mut buffer, mut random) = ([0; 64], || [1, 2, 3, 4]);
                let mut ws = open(io, role, &Config::default(), &mut buffer, &mut random);
                // Some of a message may be in the buffer already.
                assert_eq!(ws.recv().await, Ok(Some(Message::Text("whole"))));
                let _ = cut(polls / 2, ws.recv()).await;
                let _ = cut(polls, ws.close(CloseCode::NORMAL, "")).await;
                while let Some(message) = ws.recv().await.unwrap() {
                    let text = message.as_text().unwrap();
                    assert!(
                        ["start, middle, end", "next"].contains(&text),
                        "{polls}: {text}"
                    );
                }
            });
        }
    }
}

/// To where a message is sent on has closed: the one from which it comes is as it was.
#[test]
fn forward_to_a_connection_that_is_closed() {
    for role in ROLES {
        run(async {
            let (io, mut peer) = pair(1, Habits::kind());
            let (mut rx, mut tx) = ([0; 64], [0; 200]);
            let io = Buffered::new(Io(io), &mut rx, &mut tx);
            let (mut buffer, mut random) = ([0; 64], || [1, 2, 3, 4]);
            let mut from = open(io, role, &Config::default(), &mut buffer, &mut random);

            let (io, target) = pair(2, Habits::kind());
            let (mut rx, mut tx) = ([0; 64], [0; 200]);
            let io = Buffered::new(Io(io), &mut rx, &mut tx);
            let mut to = WebSocket::server(io, &Config::default(), &mut []);
            to.halves().1.close(CloseCode::NORMAL, "").await.unwrap();

            let mut peer = Io(&mut peer);
            let frames = [
                Frame::new(0x01, "lost, "),
                Frame::new(0x89, "?"),
                Frame::new(0x80, "and its end"),
                Frame::new(0x81, "next"),
            ];
            let bytes = wire(role, &frames);
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                rest = &rest[peer.write(rest).await.unwrap()..];
            }
            let closed = from.halves().0.forward(&mut to.halves().1).await;
            assert_eq!(closed, Err(Error::Send(SendError::Closed)));
            assert_eq!(
                from.recv().await,
                Ok(Some(Message::Text("next"))),
                "{role:?}"
            );
            from.send("reply").await.unwrap();
            let mut read = [0; 100];
            let n = peer.read(&mut read).await.unwrap();
            let items = whole(peer::other(role), &read[..n]);
            assert_eq!(items, [(PONG, b"?".to_vec()), (TEXT, b"reply".to_vec())]);
            drop(target);
        });
    }
}
