//! What a peer may do with compression, and what it may not: raw frames against each form.

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use wirelet::deflate::InflateError;
use wirelet::{Error as Broken, Role};
use wirelet_tests::deflate::Deflater;
use wirelet_tests::frames::{Frame, wire};
use wirelet_tests::judge::next_frame;
use wirelet_tokio::{Config, Deflate, Error, Kind, Message, WebSocket};

use crate::both;

const LIMIT: u64 = 100_000;

fn pack(message: &[u8]) -> Vec<u8> {
    let context = wirelet::deflate::Context::NO_TAKEOVER;
    Deflater::new(6, context).message(message, &[])
}

fn server(takeover: bool) -> (WebSocket<DuplexStream>, DuplexStream) {
    let (peer, io) = duplex(1 << 20);
    let config = Config::default().max_message(LIMIT);
    let ws = WebSocket::from_upgraded(io, Role::Server, &config, &[]);
    (ws.deflate(both(takeover, 15), &Deflate::new()), peer)
}

/// In each way of receiving: the messages, then the error, then the close code on the wire.
async fn ends_with(frames: &[Frame], messages: &[&str], error: Broken, code: u16) {
    let bytes = wire(Role::Server, frames);
    for takeover in [false, true] {
        for (whole, cut) in [(true, 0), (true, 1), (false, 0), (false, 1)] {
            let (mut ws, mut peer) = server(takeover);
            let talk = async {
                if cut == 1 {
                    for byte in &bytes {
                        peer.write_all(&[*byte]).await.unwrap();
                        tokio::task::yield_now().await;
                    }
                } else {
                    peer.write_all(&bytes).await.unwrap();
                }
                let (opcode, payload) = next_frame(&mut peer, Role::Server).await;
                assert_eq!(opcode, 0x88);
                assert_eq!(u16::from_be_bytes([payload[0], payload[1]]), code);
                // Then it hangs up.
                drop(peer);
            };
            let serve = async {
                let mut got = Vec::new();
                loop {
                    let next = if whole {
                        let next = ws.recv().await;
                        next.map(|it| it.map(|it| it.as_bytes().to_vec()))
                    } else {
                        pieces(&mut ws).await
                    };
                    match next {
                        Ok(Some(message)) => got.push(message),
                        Ok(None) => panic!("no error"),
                        Err(Error::Protocol(found)) => {
                            assert_eq!(found, error);
                            break;
                        }
                        Err(other) => panic!("{other}"),
                    }
                }
                let got: Vec<_> = got.iter().map(|it| String::from_utf8_lossy(it)).collect();
                assert_eq!(got, messages);
            };
            let ((), ()) = tokio::join!(talk, serve);
        }
    }
}

async fn pieces(ws: &mut WebSocket<DuplexStream>) -> Result<Option<Vec<u8>>, Error> {
    let Some(mut reader) = ws.recv_pieces().await? else {
        return Ok(None);
    };
    let mut got = Vec::new();
    while let Some(chunk) = reader.chunk().await? {
        got.extend_from_slice(chunk);
    }
    Ok(Some(got))
}

#[tokio::test]
async fn rules_have_their_close_codes() {
    let hello = Frame::new(0xc1, pack(b"Hello"));
    let inflate = |error| Broken::Inflate(error);
    // A bomb: 100 KB and a byte in 120 bytes.
    let bomb = Frame::new(0xc2, pack(&vec![0; LIMIT as usize + 1]));
    ends_with(
        &[hello.clone(), bomb],
        &["Hello"],
        Broken::MessageTooLarge,
        1009,
    )
    .await;
    // Text that is none, after inflating.
    let text = Frame::new(0xc1, pack(b"\xc3\x28"));
    ends_with(&[hello.clone(), text], &["Hello"], Broken::Utf8, 1007).await;
    let cut = Frame::new(0xc1, pack(b"\xc3"));
    ends_with(&[cut], &[], Broken::Utf8, 1007).await;
    // Damaged.
    let damaged = Frame::new(0xc2, [7]);
    ends_with(&[damaged], &[], inflate(InflateError::BlockType), 1007).await;
    let mut unfinished = pack(&b"Hello".repeat(50));
    unfinished.truncate(unfinished.len() / 2);
    let unfinished = Frame::new(0xc2, unfinished);
    ends_with(&[unfinished], &[], inflate(InflateError::Unfinished), 1007).await;
    // RSV1 where it does not belong.
    for frames in [
        &[Frame::new(0xc9, "")][..],
        &[Frame::new(0xca, "")],
        &[Frame::new(0x41, pack(b"Hello")), Frame::new(0xc0, "")],
    ] {
        let bytes = wire(Role::Server, frames);
        let (mut ws, mut peer) = server(false);
        let talk = async {
            peer.write_all(&bytes).await.unwrap();
            let (opcode, payload) = next_frame(&mut peer, Role::Server).await;
            assert_eq!((opcode, &payload[..2]), (0x88, &1002u16.to_be_bytes()[..]));
            drop(peer);
        };
        let (error, ()) = tokio::join!(ws.recv(), talk);
        assert!(matches!(error, Err(Error::Protocol(_))));
    }
}

#[tokio::test]
async fn odd_but_legal() {
    let hello = pack(b"Hello");
    let (front, back) = hello.split_at(3);
    let last = {
        // A block with BFINAL, the header of the empty one behind it (section 7.2.3.4).
        let mut zlib = flate2::Compress::new(flate2::Compression::new(6), false);
        let mut out = Vec::with_capacity(64);
        zlib.compress_vec(b"Hello", &mut out, flate2::FlushCompress::Finish)
            .unwrap();
        out.push(0);
        out
    };
    // Behind it, in the same message, another block.
    let behind = [&last[..last.len() - 1], &hello].concat();
    for (frames, message) in [
        (vec![Frame::new(0xc1, [0])], Message::Text("")),
        (vec![Frame::new(0x81, "plain")], Message::Text("plain")),
        (
            vec![
                Frame::new(0x41, front),
                Frame::new(0x89, "ping"),
                Frame::new(0, ""),
                Frame::new(0x80, back),
            ],
            Message::Text("Hello"),
        ),
        (vec![Frame::new(0xc1, last)], Message::Text("Hello")),
        (vec![Frame::new(0xc1, behind)], Message::Text("HelloHello")),
    ] {
        for takeover in [false, true] {
            let (mut ws, mut peer) = server(takeover);
            let again = Frame::new(0xc1, &hello);
            let frames = [&frames[..], &[again]].concat();
            peer.write_all(&wire(Role::Server, &frames)).await.unwrap();
            assert_eq!(ws.recv().await.unwrap(), Some(message), "{frames:?}");
            assert_eq!(ws.recv().await.unwrap(), Some(Message::Text("Hello")));
        }
    }
}

/// Without an agreement RSV1 breaks a rule, and nothing goes out compressed.
#[tokio::test]
async fn without_an_agreement() {
    let (mut peer, io) = duplex(4_096);
    let mut ws = WebSocket::from_upgraded(io, Role::Server, &Config::default(), &[]);
    assert_eq!(ws.agreement(), None);
    let text = "a".repeat(1_000);
    ws.send(&text).await.unwrap();
    let mut frame = vec![0; 4 + text.len()];
    peer.read_exact(&mut frame).await.unwrap();
    assert_eq!(&frame[4..], text.as_bytes());
    let hello = Frame::new(0xc1, pack(b"Hello"));
    peer.write_all(&wire(Role::Server, &[hello])).await.unwrap();
    drop(peer);
    assert!(matches!(ws.recv().await, Err(Error::Protocol(_))));
}

/// A message cannot refer to one before it if that was agreed to.
#[tokio::test]
async fn takeover_against_the_agreement() {
    let context = wirelet::deflate::Context::DEFAULT;
    let mut deflater = Deflater::new(6, context);
    let text = "What was said before is said again.".repeat(3);
    let frames: Vec<_> = (0..2)
        .map(|_| Frame::new(0xc1, deflater.message(text.as_bytes(), &[])))
        .collect();
    let bytes = wire(Role::Server, &frames);
    let (mut ws, mut peer) = server(false);
    peer.write_all(&bytes).await.unwrap();
    drop(peer);
    assert_eq!(ws.recv().await.unwrap(), Some(Message::Text(&text)));
    let distance = Broken::Inflate(InflateError::Distance);
    assert!(matches!(ws.recv().await, Err(Error::Protocol(found)) if found == distance));
    let (mut ws, mut peer) = server(true);
    peer.write_all(&bytes).await.unwrap();
    for _ in 0..2 {
        assert_eq!(ws.recv().await.unwrap(), Some(Message::Text(&text)));
    }
}

/// Compressed messages are written by zlib's rules, and read by zlib.
#[tokio::test]
async fn zlib_reads_what_is_sent() {
    for level in [0, 1, 2, 4, 6, 9] {
        for window in [8, 9, 11, 15] {
            let deflate = Deflate::new().threshold(0).level(level);
            let (mut peer, io) = duplex(1 << 20);
            let ws = WebSocket::from_upgraded(io, Role::Server, &Config::default(), &[]);
            let mut ws = ws.deflate(both(true, window), &deflate);
            let mut zlib = flate2::Decompress::new_with_window_bits(false, window.max(9));
            for n in 0..5 {
                let message: String = (0..2_000 * n).map(|i| format!("{},", i % 97)).collect();
                if n == 3 {
                    let mut writer = ws.send_pieces(Kind::Text, None).await.unwrap();
                    writer.write_str(&message).await.unwrap();
                    writer.finish().await.unwrap();
                } else {
                    ws.send(&message).await.unwrap();
                }
                let (first, payload) = whole(&mut peer).await;
                let packed = if first & 0x40 == 0 {
                    assert!(message.is_empty(), "compressed");
                    continue;
                } else {
                    [&payload[..], &[0, 0, 0xff, 0xff]].concat()
                };
                let mut out = Vec::with_capacity(message.len() + 64);
                zlib.decompress_vec(&packed, &mut out, flate2::FlushDecompress::Sync)
                    .unwrap();
                assert!(out == message.as_bytes(), "level {level}, {window} bits");
            }
        }
    }
}

/// A message of a server, all fragments of it, and the first byte of the first.
async fn whole(peer: &mut DuplexStream) -> (u8, Vec<u8>) {
    let (mut start, mut message) = (None, Vec::new());
    loop {
        let first = peer.read_u8().await.unwrap();
        let len = match peer.read_u8().await.unwrap() {
            126 => peer.read_u16().await.unwrap().into(),
            127 => peer.read_u64().await.unwrap(),
            len => len.into(),
        };
        let (read, start) = (message.len(), *start.get_or_insert(first));
        message.resize(read + usize::try_from(len).unwrap(), 0);
        peer.read_exact(&mut message[read..]).await.unwrap();
        if first & 0x80 != 0 {
            return (start, message);
        }
    }
}
