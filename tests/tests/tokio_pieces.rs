//! Messages in pieces: larger than the memory for them, cut anywhere, left half-way.
//!
//! Each test runs on one thread, and memory is counted by thread.

mod heap;

use std::io::ErrorKind;

use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, copy, duplex, sink,
};
use wirelet::{SendError, Timeout};
use wirelet_tests::frames::{Frame, wire};
use wirelet_tests::hostile::{Habits, pair};
use wirelet_tests::judge::parse;
use wirelet_tests::rng::Rng;
use wirelet_tokio::{CloseCode, Config, Error, Kind, Message, Prepared, Role, Timeouts, WebSocket};

#[global_allocator]
static HEAP: heap::Counted = heap::Counted;

const ROLES: [Role; 2] = [Role::Server, Role::Client];

/// Bytes of text with characters of one to four bytes, so that every cut hits some.
const TEXT: &str = "a\u{e9}\u{20ac}\u{1f680}";

#[tokio::test]
async fn ten_mebibytes_pass_through_little_memory() {
    const LEN: usize = 10 << 20;
    // Two buffers of 64 KiB for each end, the fragment of 16 KiB twice, and the pipe.
    const MOST: usize = 350 << 10;
    for role in ROLES {
        for len in [None, Some(LEN as u64)] {
            let (mut one, mut other) = ends(role, 16 << 10);
            heap::restart();
            let sending = async {
                let mut writer = one.send_pieces(Kind::Binary, len).await.unwrap();
                let mut rng = Rng::new(1);
                for _ in 0..LEN / 4096 {
                    writer.write_all(&rng.bytes(4096)).await.unwrap();
                }
                writer.finish().await.unwrap();
            };
            let receiving = async {
                let mut reader = other.recv_pieces().await.unwrap().unwrap();
                assert_eq!(reader.kind(), Kind::Binary);
                let mut rng = Rng::new(1);
                let mut bytes = vec![0; 4096];
                for at in 0..LEN / 4096 {
                    reader.read_exact(&mut bytes).await.unwrap();
                    assert!(bytes == rng.bytes(4096), "{role:?} {len:?}: page {at}");
                }
                assert_eq!(reader.read(&mut bytes).await.unwrap(), 0);
            };
            tokio::join!(sending, receiving);
            let peak = heap::peak();
            assert!(peak < MOST, "{role:?} {len:?}: {peak} bytes");
            assert!(peak > 16 << 10, "the count counts");
        }
    }
}

#[tokio::test]
async fn text_arrives_whole_however_its_characters_are_cut() {
    let text = TEXT.repeat(40);
    for role in ROLES {
        for seed in 0..10 {
            let (one, other) = pair(seed, Habits::trickle());
            let mut one = open(one, other_role(role));
            let mut other = open(other, role);
            let sending = async { one.send(&text).await };
            let receiving = async {
                let mut reader = other.recv_pieces().await.unwrap().unwrap();
                assert_eq!(reader.kind(), Kind::Text);
                let (mut bytes, mut cut) = (Vec::<u8>::new(), false);
                while let Some(piece) = reader.chunk().await.unwrap() {
                    cut |= std::str::from_utf8(piece).is_err();
                    bytes.extend(piece);
                }
                assert!(reader.chunk().await.unwrap().is_none());
                (bytes, cut)
            };
            let (sent, (bytes, cut)) = tokio::join!(sending, receiving);
            sent.unwrap();
            assert!(bytes == text.as_bytes(), "{role:?} seed {seed}");
            assert!(
                cut,
                "{role:?} seed {seed}: no piece ended inside a character"
            );
        }
    }
}

#[tokio::test]
async fn no_fragment_ends_inside_a_character() {
    // Three fragments, with the cut at 16 KiB inside a character of three bytes.
    let text = "\u{20ac}".repeat(12_000);
    for role in ROLES {
        for step in [1, 5_000, 16 << 10, text.len()] {
            let bytes = on_the_wire(role, async |ws| {
                let mut writer = ws.send_pieces(Kind::Text, None).await.unwrap();
                for piece in text.as_bytes().chunks(step) {
                    writer.write_all(piece).await.unwrap();
                }
                writer.finish().await.unwrap();
            });
            let frames = parse(&bytes.await, role);
            let firsts: Vec<u8> = frames.iter().map(|frame| frame.0).collect();
            assert_eq!(firsts, [0x01, 0x00, 0x80], "{role:?} {step}");
            let mut whole = String::new();
            for (_, payload) in frames {
                assert!(payload.len() <= 16 << 10);
                whole += std::str::from_utf8(&payload).expect("whole characters");
            }
            assert!(whole == text, "{role:?} {step}");
        }
    }
}

#[tokio::test]
async fn a_flush_sends_the_characters_that_are_whole() {
    for role in ROLES {
        let bytes = on_the_wire(role, async |ws| {
            let mut writer = ws.send_pieces(Kind::Text, None).await.unwrap();
            writer.write_str("a").await.unwrap();
            writer.write_all(b"\xe2\x82").await.unwrap();
            writer.flush().await.unwrap();
            writer.flush().await.unwrap();
            writer.write_all(b"\xac").await.unwrap();
            writer.finish().await.unwrap();
        });
        let expected = [(0x01, b"a".to_vec()), (0x80, b"\xe2\x82\xac".to_vec())];
        assert_eq!(parse(&bytes.await, role), expected, "{role:?}");
    }
}

#[tokio::test]
async fn a_known_length_is_one_frame_and_an_unknown_one_ends_with_fin() {
    for role in ROLES {
        for len in [0, 1, 125, 126, 16 << 10, 70_000] {
            let payload = Rng::new(len as u64).bytes(len);
            for known in [false, true] {
                let bytes = on_the_wire(role, async |ws| {
                    let announced = known.then_some(len as u64);
                    let mut writer = ws.send_pieces(Kind::Binary, announced).await.unwrap();
                    writer.write_all(&payload).await.unwrap();
                    // The other way to end a message.
                    writer.shutdown().await.unwrap();
                    drop(writer);
                    ws.send("next").await.unwrap();
                });
                let mut frames = parse(&bytes.await, role);
                assert_eq!(frames.pop(), Some((0x81, b"next".to_vec())));
                assert!(!known || frames.len() == 1, "{role:?} {len}");
                assert_eq!(frames[0].0 & 0x0f, 2);
                let whole: Vec<u8> = frames.iter().flat_map(|frame| frame.1.clone()).collect();
                assert_eq!(frames.last().unwrap().0 & 0x80, 0x80);
                assert!(whole == payload, "{role:?} {len} {known}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_read_of_a_message_is_skipped() {
    // A Ping between the fragments is answered, read or not.
    let frames = [
        Frame::new(0x01, "one ".repeat(500)),
        Frame::new(0x89, "?"),
        Frame::new(0x80, "two ".repeat(500)),
        Frame::new(0x82, [1, 2, 3]),
        Frame::new(0x81, "last"),
    ];
    for role in ROLES {
        for reads in 0..30 {
            for pieces in [false, true] {
                let (mut peer, io) = duplex(200);
                let mut ws = open(io, role);
                let (mut from_ws, mut to_ws) = tokio::io::split(&mut peer);
                let bytes = wire(role, &frames);
                let receiving = async {
                    let mut reader = ws.recv_pieces().await.unwrap().unwrap();
                    for n in 0..reads {
                        let mut one = [0];
                        // Single bytes leave the rest of a piece in the buffer.
                        if n % 3 == 0 {
                            reader.chunk().await.unwrap();
                        } else {
                            let _ = reader.read(&mut one).await.unwrap();
                        }
                    }
                    drop(reader);
                    if pieces {
                        let mut next = ws.recv_pieces().await.unwrap().unwrap();
                        assert_eq!(next.kind(), Kind::Binary);
                        let mut bytes = Vec::new();
                        next.read_to_end(&mut bytes).await.unwrap();
                        assert_eq!(bytes, [1, 2, 3], "{role:?} {reads}");
                    } else {
                        let next = ws.recv().await.unwrap();
                        assert_eq!(next, Some(Message::Binary(&[1, 2, 3])), "{role:?} {reads}");
                    }
                    let last = ws.recv().await.unwrap();
                    assert_eq!(last, Some(Message::Text("last")));
                };
                let (sent, ()) = tokio::join!(to_ws.write_all(&bytes), receiving);
                sent.unwrap();
                drop(ws);
                let mut answers = Vec::new();
                from_ws.read_to_end(&mut answers).await.unwrap();
                assert_eq!(parse(&answers, role), [(0x8a, b"?".to_vec())]);
            }
        }
    }
}

#[tokio::test]
async fn a_fragmented_message_left_half_way_blocks_others_and_can_be_closed() {
    for role in ROLES {
        let bytes = on_the_wire(role, async |ws| {
            let mut writer = ws.send_pieces(Kind::Text, None).await.unwrap();
            writer.write_str("begun").await.unwrap();
            writer.flush().await.unwrap();
            writer.write_str("never sent").await.unwrap();
            drop(writer);
            let open = |error| matches!(error, Error::Send(SendError::MessageOpen));
            assert!(open(ws.send("other").await.unwrap_err()));
            let prepared = Prepared::text("other");
            assert!(open(ws.send_prepared(&prepared).await.unwrap_err()));
            let again = ws.send_pieces(Kind::Text, None).await.map(drop);
            assert!(open(again.unwrap_err()));
            let again = ws.send_pieces(Kind::Text, Some(1)).await.map(drop);
            assert!(
                open(again.unwrap_err()),
                "{role:?}: continues another's message"
            );
            ws.ping(b"?").await.unwrap();
            let closed = ws.close(CloseCode::GOING_AWAY, "").await;
            assert!(matches!(closed, Err(Error::Disconnected)), "{closed:?}");
        });
        let expected = [
            (0x01, b"begun".to_vec()),
            (0x89, b"?".to_vec()),
            (0x88, 1001_u16.to_be_bytes().to_vec()),
        ];
        assert_eq!(parse(&bytes.await, role), expected, "{role:?}");
    }
}

#[tokio::test]
async fn a_frame_left_half_way_blocks_everything() {
    for role in ROLES {
        let (io, mut peer) = duplex(1 << 20);
        let mut ws = open(io, role);
        let mut writer = ws.send_pieces(Kind::Binary, Some(1_000)).await.unwrap();
        writer.write_all(&[7; 300]).await.unwrap();
        writer.flush().await.unwrap();
        drop(writer);
        let open = |error| matches!(error, Error::Send(SendError::FrameOpen));
        assert!(open(ws.send("other").await.unwrap_err()));
        let prepared = Prepared::binary(vec![0; 20_000]);
        assert!(open(ws.send_prepared(&prepared).await.unwrap_err()));
        assert!(open(ws.ping(b"?").await.unwrap_err()));
        let again = ws.send_pieces(Kind::Binary, Some(5)).await.map(drop);
        assert!(open(again.unwrap_err()));
        // What comes is still received.
        let hello = wire(role, &[Frame::new(0x89, "?"), Frame::new(0x81, "hello")]);
        peer.write_all(&hello).await.unwrap();
        assert_eq!(ws.recv().await.unwrap(), Some(Message::Text("hello")));
        // The peer's Close ends it at once, though it cannot be answered.
        let close = wire(role, &[Frame::new(0x88, [])]);
        peer.write_all(&close).await.unwrap();
        assert_eq!(ws.recv().await.unwrap(), None);
        drop(ws);
        let mut bytes = Vec::new();
        peer.read_to_end(&mut bytes).await.unwrap();
        let key = if role == Role::Client { 4 } else { 0 };
        assert_eq!(bytes.len(), 4 + key + 300, "{role:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn behind_a_frame_left_half_way_no_close_fits_and_time_ends_it() {
    for role in ROLES {
        let (io, peer) = duplex(1 << 10);
        let mut ws = open(io, role);
        let mut writer = ws.send_pieces(Kind::Binary, Some(9)).await.unwrap();
        writer.write_all(&[7; 4]).await.unwrap();
        drop(writer);
        let closed = ws.close(CloseCode::NORMAL, "").await;
        assert!(
            matches!(closed, Err(Error::Timeout(Timeout::Close))),
            "{closed:?}"
        );
        assert!(ws.recv().await.unwrap().is_none());

        let (io, other) = duplex(1 << 10);
        let (mut rx, mut tx) = open(io, role).split();
        let writer = tx.send_pieces(Kind::Binary, Some(9)).await.unwrap();
        drop(writer);
        let (closed, received) = tokio::join!(tx.close(CloseCode::NORMAL, ""), rx.recv());
        closed.unwrap();
        assert!(
            matches!(received, Err(Error::Timeout(Timeout::Close))),
            "{received:?}"
        );
        drop((peer, other));
    }
}

#[tokio::test]
async fn text_that_is_not_utf8_is_never_sent() {
    for role in ROLES {
        for len in [None, Some(4)] {
            for bad in [&b"a\xff"[..], b"\xed\xa0\x80", b"\xc0\xaf", b"ab\xe2\x82"] {
                let bytes = on_the_wire(role, async |ws| {
                    let mut writer = ws.send_pieces(Kind::Text, len).await.unwrap();
                    writer.write_all(bad).await.unwrap();
                    let error = writer.shutdown().await.unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::InvalidData, "{bad:?}");
                    let error = writer.finish().await.unwrap_err();
                    assert!(matches!(error, Error::Io(e) if e.kind() == ErrorKind::InvalidData));
                });
                let bytes = bytes.await;
                let key = if role == Role::Client { 4 } else { 0 };
                let header = if len.is_some() { 2 + key } else { 0 };
                assert!(bytes.len() <= header, "{role:?} {len:?} {bad:?}: {bytes:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_length_that_was_announced_is_kept() {
    for role in ROLES {
        let bytes = on_the_wire(role, async |ws| {
            let mut writer = ws.send_pieces(Kind::Binary, Some(5)).await.unwrap();
            assert_eq!(writer.write(b"1234567").await.unwrap(), 5);
            let error = writer.write(b"67").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::WriteZero);
            writer.finish().await.unwrap();

            let mut writer = ws.send_pieces(Kind::Binary, Some(5)).await.unwrap();
            writer.write_all(b"123").await.unwrap();
            let error = writer.shutdown().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            writer.write_all(b"45").await.unwrap();
            writer.finish().await.unwrap();
        });
        let whole = (0x82, b"12345".to_vec());
        assert_eq!(
            parse(&bytes.await, role),
            [whole.clone(), whole],
            "{role:?}"
        );
    }
}

#[tokio::test]
async fn nothing_can_be_written_behind_the_end() {
    for role in ROLES {
        let bytes = on_the_wire(role, async |ws| {
            for len in [None, Some(3)] {
                let mut writer = ws.send_pieces(Kind::Binary, len).await.unwrap();
                writer.write_all(b"end").await.unwrap();
                writer.shutdown().await.unwrap();
                assert!(writer.write(b"more").await.is_err(), "{role:?} {len:?}");
                writer.flush().await.unwrap();
                writer.finish().await.unwrap();
            }
        });
        let end = (0x82, b"end".to_vec());
        assert_eq!(parse(&bytes.await, role), [end.clone(), end], "{role:?}");
    }
}

#[tokio::test]
async fn an_echo_in_pieces_is_a_copy_from_the_reader_to_the_writer() {
    for role in ROLES {
        let (mut one, mut other) = ends(role, 1_000);
        let payload = Rng::new(3).bytes(300_000);
        let echoing = async {
            let (mut rx, mut tx) = one.halves();
            while let Some(mut reader) = rx.recv_pieces().await.unwrap() {
                let mut writer = tx.send_pieces(reader.kind(), None).await.unwrap();
                copy(&mut reader, &mut writer).await.unwrap();
                writer.finish().await.unwrap();
            }
        };
        let asking = async {
            let (mut rx, mut tx) = other.halves();
            let (sent, echo) = tokio::join!(tx.send(&payload), rx.recv());
            sent.unwrap();
            assert!(echo.unwrap() == Some(Message::Binary(&payload)), "{role:?}");
            tx.send("").await.unwrap();
            assert_eq!(rx.recv().await.unwrap(), Some(Message::Text("")));
            tx.close(CloseCode::NORMAL, "").await.unwrap();
            assert!(rx.recv().await.unwrap().is_none());
        };
        tokio::join!(echoing, asking);
    }
}

#[tokio::test]
async fn a_message_that_ends_with_the_connection_is_an_error() {
    for role in ROLES {
        let begun = Frame::new(0x01, "begun");
        let ends = [
            (vec![], ErrorKind::UnexpectedEof),
            (vec![Frame::new(0x88, [])], ErrorKind::UnexpectedEof),
            (vec![Frame::new(0x80, [0xff])], ErrorKind::InvalidData),
            (vec![Frame::new(0x81, "new")], ErrorKind::InvalidData),
        ];
        for (end, kind) in ends {
            let (mut peer, io) = duplex(1 << 10);
            let mut ws = open(io, role);
            let frames: Vec<_> = [begun.clone()].into_iter().chain(end).collect();
            peer.write_all(&wire(role, &frames)).await.unwrap();
            peer.shutdown().await.unwrap();
            let mut reader = ws.recv_pieces().await.unwrap().unwrap();
            let error = copy(&mut reader, &mut sink()).await.unwrap_err();
            assert_eq!(error.kind(), kind, "{role:?} {frames:?}");
            drop(reader);
            assert!(ws.recv().await.unwrap().is_none());
        }
    }
}

/// All that a connection puts on the wire while `work` has it and its peer says nothing.
async fn on_the_wire(role: Role, work: impl AsyncFnOnce(&mut WebSocket<DuplexStream>)) -> Vec<u8> {
    let (io, mut peer) = duplex(1 << 20);
    let mut ws = open(io, role);
    // The peer's writing side ends, which only who reads can notice.
    peer.shutdown().await.unwrap();
    work(&mut ws).await;
    drop(ws);
    let mut bytes = Vec::new();
    peer.read_to_end(&mut bytes).await.unwrap();
    bytes
}

/// Two connected ends; the first has this role.
fn ends(role: Role, pipe: usize) -> (WebSocket<DuplexStream>, WebSocket<DuplexStream>) {
    let (one, other) = duplex(pipe);
    (open(one, role), open(other, other_role(role)))
}

fn other_role(role: Role) -> Role {
    match role {
        Role::Server => Role::Client,
        Role::Client => Role::Server,
    }
}

/// A connection that is open and has no deadlines but that of the close.
fn open<S: AsyncRead + AsyncWrite + Unpin>(io: S, role: Role) -> WebSocket<S> {
    let config = Config::default().timeouts(Timeouts::default().patient());
    WebSocket::from_upgraded(io, role, &config, &[])
}
