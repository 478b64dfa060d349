//! Every way in which a connection of `wirelet-tokio` ends, in all three forms: whole, as borrowed
//! halves, and as owned halves.

#[allow(dead_code)] // each test uses a part of it
#[path = "support/sockets.rs"]
mod sockets;

use sockets::{half_open, tcp};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use wirelet_tests::frames::Frame;
use wirelet_tokio::{CloseCode, CloseFrame, Config, Error, Kind, Message, Role, Split, WebSocket};

/// How a connection is used.
#[derive(Clone, Copy, Debug)]
enum Form {
    Whole,
    Borrowed,
    Owned,
}

const FORMS: [Form; 3] = [Form::Whole, Form::Borrowed, Form::Owned];
const ROLES: [Role; 2] = [Role::Server, Role::Client];

/// How a connection ended.
#[derive(Debug)]
struct End {
    texts: Vec<String>,
    error: Option<Error>,
    closed: Option<CloseFrame>,
}

/// Closes first if `close` says so, receives to the end, and then demands what holds for every
/// end: `recv` stays at its end, and nothing can be sent.
macro_rules! end_of {
    ($rx:expr, $tx:expr, $close:expr) => {{
        if let Some((code, reason)) = $close {
            $tx.close(CloseCode::new(code), reason).await.unwrap();
        }
        let mut texts = Vec::new();
        let error = loop {
            match $rx.recv().await {
                Ok(Some(message)) => texts.push(message.as_text().unwrap().to_owned()),
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        for _ in 0..3 {
            assert!(
                matches!($rx.recv().await, Ok(None)),
                "the end is reported once"
            );
        }
        let sent = [
            $tx.send("late").await,
            $tx.feed("late").await,
            $tx.send(&vec![0; 100_000]).await,
            $tx.send_prepared(&"late".into()).await,
            $tx.ping(b"late").await,
            $tx.send_pieces(Kind::Text, None).await.map(drop),
            $tx.send_pieces(Kind::Text, Some(4)).await.map(drop),
        ];
        for result in sent {
            let closed = matches!(result, Err(Error::Send(wirelet::SendError::Closed)));
            assert!(closed, "after {error:?}: {result:?}");
        }
        $tx.close(CloseCode::NORMAL, "")
            .await
            .expect("it is closed already");
        let closed = $tx.closed();
        assert_eq!($rx.closed(), closed);
        End {
            texts,
            error,
            closed,
        }
    }};
}

async fn end<S>(ws: &mut Option<WebSocket<S>>, form: Form, close: Option<(u16, &str)>) -> End
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Split,
{
    match form {
        Form::Whole => {
            let ws = ws.as_mut().unwrap();
            // The whole has one name for both halves, and its close waits for the peer's.
            end_of!(ws, ws, close)
        }
        Form::Borrowed => {
            let (mut rx, mut tx) = ws.as_mut().unwrap().halves();
            end_of!(rx, tx, close)
        }
        Form::Owned => {
            let (mut rx, mut tx) = ws.take().unwrap().split();
            end_of!(rx, tx, close)
        }
    }
}

/// The peer, a client or a server, sends this and hangs up. What it then read, and the end.
async fn peer_sends(role: Role, form: Form, frames: &[Frame]) -> (Vec<u8>, End) {
    let (ws, mut peer) = half_open(role, Config::default());
    let mut ws = Some(ws);
    peer.write_all(&wirelet_tests::frames::wire(role, frames))
        .await
        .unwrap();
    peer.shutdown().await.unwrap();
    let end = end(&mut ws, form, None).await;
    drop(ws);
    let mut read = Vec::new();
    peer.read_to_end(&mut read).await.unwrap();
    (unmasked(role, &read), end)
}

/// The frames that an endpoint in `role` sent, without masks.
fn unmasked(role: Role, mut bytes: &[u8]) -> Vec<u8> {
    if role == Role::Server {
        return bytes.to_vec();
    }
    let mut out = Vec::new();
    while let [first, second, rest @ ..] = bytes {
        let len = usize::from(second & 0x7f);
        assert!(second & 0x80 != 0 && len < 126, "short and masked");
        let (key, rest) = rest.split_at(4);
        let (payload, rest) = rest.split_at(len);
        out.extend([*first, second & 0x7f]);
        out.extend(payload.iter().zip(key.iter().cycle()).map(|(b, k)| b ^ k));
        bytes = rest;
    }
    out
}

fn frame(code: u16, reason: &str) -> Option<CloseFrame> {
    let code = CloseCode::new(code);
    let reason = reason.to_owned();
    Some(CloseFrame { code, reason })
}

/// A Close frame.
fn close(code: u16, reason: &str) -> Frame {
    let code = code.to_be_bytes();
    Frame::new(0x88, [&code[..], reason.as_bytes()].concat())
}

#[tokio::test]
async fn the_peer_closes() {
    for (role, form) in ROLES
        .iter()
        .flat_map(|role| FORMS.map(|form| (*role, form)))
    {
        let text = Frame::new(0x81, "last words");
        let (read, end) = peer_sends(role, form, &[text, close(4000, "why")]).await;
        assert!(end.error.is_none(), "{end:?}");
        assert_eq!(end.texts, ["last words"]);
        assert_eq!(end.closed, frame(4000, "why"));
        // Close, two bytes: 4000. RFC 6455 section 5.5.1 echoes the code.
        assert_eq!(read, [0x88, 2, 0x0f, 0xa0], "{role:?} {form:?}");

        let (read, end) = peer_sends(role, form, &[Frame::new(0x88, "")]).await;
        assert!(end.error.is_none(), "{end:?}");
        assert_eq!(end.closed, frame(1005, ""));
        assert_eq!(read, [0x88, 0], "{role:?} {form:?}");
    }
}

#[tokio::test]
async fn the_stream_ends_without_a_close() {
    let whole = Frame::new(0x81, "whole");
    let mut cut = Frame::new(0x81, "cut");
    cut.payload.pop();
    let cut = cut.declares(wirelet_tests::frames::Length::Short(3));
    for (role, form) in ROLES
        .iter()
        .flat_map(|role| FORMS.map(|form| (*role, form)))
    {
        let both = [whole.clone(), cut.clone()];
        for frames in [&both[..0], &both[..1], &both] {
            let (read, end) = peer_sends(role, form, frames).await;
            assert!(matches!(end.error, Some(Error::Disconnected)), "{end:?}");
            assert_eq!(end.texts.len(), frames.len().min(1));
            assert_eq!((end.closed, read), (None, Vec::new()));
        }
    }
}

#[tokio::test]
async fn the_peer_breaks_a_rule() {
    let reserved = Frame::new(0xf1, "");
    for (role, form) in ROLES
        .iter()
        .flat_map(|role| FORMS.map(|form| (*role, form)))
    {
        let (read, end) = peer_sends(role, form, &[reserved.clone(), close(1000, "")]).await;
        let expected = Some(wirelet::Error::ReservedBit);
        let told = match end.error {
            Some(Error::Protocol(error)) => Some(error),
            _ => None,
        };
        assert_eq!(told, expected, "{role:?} {form:?}");
        // What comes behind the error is not understood, not even a Close.
        assert_eq!(end.closed, None);
        assert_eq!(read[..1], [0x88]);
        assert_eq!(read[2..4], 1002_u16.to_be_bytes());
    }
}

/// Both ends are ours: one closes, or both do at once.
#[tokio::test]
async fn we_close() {
    for (first, second) in FORMS
        .iter()
        .flat_map(|one| FORMS.map(|other| (*one, other)))
    {
        for both in [false, true] {
            let (ours, theirs) = tokio::io::duplex(1 << 10);
            let config = Config::default();
            let mut server = Some(WebSocket::from_upgraded(ours, Role::Server, &config, &[]));
            let mut client = Some(WebSocket::from_upgraded(theirs, Role::Client, &config, &[]));
            let answer = both.then_some((4001, "client"));
            let server_ends = async {
                let end = end(&mut server, first, Some((4000, "server"))).await;
                // Section 7.1.1: the server is the one that ends the transport.
                drop(server);
                end
            };
            let (server_end, client_end) =
                tokio::join!(server_ends, end(&mut client, second, answer));
            let case = format!("{first:?} {second:?} {both}");
            assert!(server_end.error.is_none(), "{case}: {server_end:?}");
            assert!(client_end.error.is_none(), "{case}: {client_end:?}");
            assert_eq!(client_end.closed, frame(4000, "server"), "{case}");
            let expected = if both {
                frame(4001, "client")
            } else {
                frame(4000, "")
            };
            assert_eq!(server_end.closed, expected, "{case}");
        }
    }
}

#[tokio::test]
async fn a_close_that_must_not_be_sent_changes_nothing() {
    let (mut ws, mut peer) = half_open(Role::Server, Config::default());
    for (code, reason) in [
        (1005, ""),
        (1006, ""),
        (999, ""),
        (5000, ""),
        (1000, &*"x".repeat(124)),
    ] {
        let done = ws.close(CloseCode::new(code), reason).await;
        assert!(matches!(done, Err(Error::Send(_))), "{code}: {done:?}");
    }
    ws.send("still open").await.unwrap();
    let mut read = [0; 12];
    peer.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"\x81\x0astill open");
}

#[tokio::test]
async fn a_reset_is_an_end_without_a_close() {
    for (role, form) in ROLES
        .iter()
        .flat_map(|role| FORMS.map(|form| (*role, form)))
    {
        for staged in [false, true] {
            let (ours, mut peer) = tcp().await;
            let mut ws = WebSocket::from_upgraded(ours, role, &Config::default(), &[]);
            let text = Frame::new(0x81, "hello").to(role).bytes();
            peer.write_all(&text).await.unwrap();
            assert_eq!(ws.recv().await.unwrap(), Some(Message::Text("hello")));
            peer.set_zero_linger().unwrap();
            drop(peer);
            ws.get_mut().readable().await.unwrap();
            if staged {
                // The write meets the reset first.
                ws.feed("never read").await.unwrap();
            }
            let end = end(&mut Some(ws), form, None).await;
            let expected = matches!(end.error, Some(Error::Disconnected));
            assert!(expected, "{role:?} {form:?} {staged}: {end:?}");
            assert_eq!(end.closed, None);
        }
    }
}

/// A socket that is closed with unread bytes in it takes back what was sent last. So a server that
/// closes after an error reads what the peer still sends.
#[tokio::test]
async fn the_close_after_an_error_reaches_a_peer_that_still_sends() {
    for form in FORMS {
        let (ours, mut peer) = tcp().await;
        let mut ws = Some(WebSocket::from_upgraded(
            ours,
            Role::Server,
            &Config::default(),
            &[],
        ));
        let server = tokio::spawn(async move { end(&mut ws, form, None).await });
        // A frame that is not masked, and 1 MiB that nobody understands.
        let mut bytes = Frame::new(0x81, "hello").bytes();
        bytes.resize(1 << 20, 0);
        peer.write_all(&bytes).await.unwrap();
        let mut read = Vec::new();
        TcpStream::read_to_end(&mut peer, &mut read).await.unwrap();
        assert_eq!((read[0], &read[2..4]), (0x88, &1002_u16.to_be_bytes()[..]));
        assert_eq!(
            read.len(),
            2 + usize::from(read[1]),
            "one whole frame and the end"
        );
        drop(peer);
        let end = server.await.unwrap();
        let error = wirelet::Error::MaskMissing;
        assert!(matches!(end.error, Some(Error::Protocol(told)) if told == error));
    }
}

/// The answer to the peer's Close waits for the end of the frame that is on its way.
#[tokio::test]
async fn a_close_that_comes_in_the_middle_of_our_frame_is_answered_behind_it() {
    let (ws, mut peer) = half_open(Role::Server, Config::default());
    let (mut rx, mut tx) = ws.split();
    let large = vec![7; 300_000];
    let sending = async {
        tx.send(&large).await.unwrap();
        tx
    };
    let receiving = async {
        let end = rx.recv().await;
        assert!(matches!(end, Ok(None)), "{end:?}");
        rx
    };
    let peer = async {
        // The frame has begun: its header is here.
        let mut header = [0; 10];
        peer.read_exact(&mut header).await.unwrap();
        assert_eq!(header[..2], [0x82, 127]);
        let close = close(4000, "").to(Role::Server).bytes();
        peer.write_all(&close).await.unwrap();
        // The receiving half has seen the Close before the frame goes on.
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        let mut read = Vec::new();
        peer.read_to_end(&mut read).await.unwrap();
        assert_eq!(read.len(), large.len() + 4, "the whole frame, and a Close");
        assert_eq!(read[large.len()..], [0x88, 2, 0x0f, 0xa0]);
    };
    tokio::join!(sending, receiving, peer);
}
