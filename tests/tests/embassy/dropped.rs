//! The opening handshake, dropped at every await: what becomes of the transport, and that whoever
//! comes next is served in the same memory.
//!
//! A transport that the handshake owns is dropped with it. One that it borrows, such as the socket
//! of a [`listen`] or of a [`Connector::connect`], stays, in the middle of a head: the one is ended
//! by `listen`, the other begun anew.

use core::cell::Cell;

use embassy_futures::select::{Either, select};
use embassy_net::tcp::TcpSocket;
use embassy_time::Timer;
use wirelet_embassy::{
    AcceptError, Acceptor, Buffered, CloseCode, ConnectError, Connector, MIN_ROOM, Message, Slot,
    accept, connect, listen,
};

use crate::clock::{millis, run};
use crate::io::{Io, cut};
use crate::net::linked;
use crate::serving::{served_by_name, visit};
use crate::steps::{End, Log, Steps};
use crate::talk::echo;

const REQUEST: &[u8] = b"GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

/// To the nonce "the sample nonce" of RFC 6455 section 1.3.
const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

fn nonce() -> impl FnMut() -> [u8; 4] {
    let mut parts = b"the sample nonce".as_chunks::<4>().0.iter().cycle();
    move || *parts.next().unwrap()
}

fn transport(input: &[u8], step: usize) -> (Io<Steps>, Log) {
    let (mut io, log) = Steps::new(input.to_vec(), step);
    io.reader.end = End::Eof;
    (Io(io), log)
}

/// Drops `open` at every await: then the transport is gone, and what was written is the beginning
/// of what is written in the end. The next one has the memory that the dropped one left.
fn owns_the_transport(
    input: &[u8],
    starts: &str,
    open: impl AsyncFn(Io<Steps>, &mut [u8], &mut [u8], &mut [u8]),
) {
    for step in [1, 50, 1_000] {
        let (mut rx, mut tx, mut buffer) = ([0xa5; 64], [0xa5; 139], [0xa5; 512]);
        let mut whole = |polls| {
            let (io, log) = transport(input, step);
            let done = run(cut(polls, open(io, &mut rx, &mut tx, &mut buffer))).is_some();
            assert!(log.is_dropped(), "after {polls} polls");
            (done, log.bytes())
        };
        let (done, all) = whole(usize::MAX);
        assert!(done && all.starts_with(starts.as_bytes()), "{starts}");
        let mut polls = 0;
        loop {
            let (done, some) = whole(polls);
            assert!(all.starts_with(&some), "{starts} after {polls} polls");
            assert_eq!(whole(usize::MAX), (true, all.clone()), "{starts} {polls}");
            if done {
                break;
            }
            polls += 1;
            assert!(polls < 10_000, "never done");
        }
        assert!(polls > 2, "dropped at each await");
    }
}

#[test]
fn accepting() {
    owns_the_transport(REQUEST, "HTTP/1.1 101 ", async |io, rx, tx, buffer| {
        accept(Buffered::new(io, rx, tx), buffer).await.unwrap();
    });
    owns_the_transport(REQUEST, "HTTP/1.1 101 ", async |io, rx, tx, buffer| {
        let acceptor = Acceptor::new();
        let upgrade = acceptor.request(Buffered::new(io, rx, tx), buffer).await;
        let upgrade = upgrade.unwrap();
        assert_eq!(upgrade.request().path(), "/chat");
        upgrade.accept(&[("X-Y", "z")]).await.unwrap();
    });
}

#[test]
fn refusing() {
    owns_the_transport(REQUEST, "HTTP/1.1 404 ", async |io, rx, tx, buffer| {
        let acceptor = Acceptor::new();
        let upgrade = acceptor.request(Buffered::new(io, rx, tx), buffer).await;
        upgrade.unwrap().reject(404, "only here\n").await.unwrap();
    });
    owns_the_transport(REQUEST, "HTTP/1.1 200 ", async |io, rx, tx, buffer| {
        let acceptor = Acceptor::new();
        let upgrade = acceptor.request(Buffered::new(io, rx, tx), buffer).await;
        let page = upgrade.unwrap();
        page.respond(200, "text/html", &[], &[b'x'; 400])
            .await
            .unwrap();
    });
    let broken = b"GET /chat HTTP/1.1\r\nHost : a\r\n\r\n and more";
    owns_the_transport(broken, "HTTP/1.1 400 ", async |io, rx, tx, buffer| {
        let refused = accept(Buffered::new(io, rx, tx), buffer).await;
        assert!(matches!(refused, Err(AcceptError::Refused(_))));
    });
    let foreign = [
        &REQUEST[..REQUEST.len() - 2],
        b"Origin: http://evil.example\r\n\r\n",
    ];
    owns_the_transport(
        &foreign.concat(),
        "HTTP/1.1 403 ",
        async |io, rx, tx, buffer| {
            let refused = accept(Buffered::new(io, rx, tx), buffer).await;
            assert_eq!(refused.err(), Some(AcceptError::Origin));
        },
    );
}

#[test]
fn connecting() {
    owns_the_transport(
        RESPONSE,
        "GET /chat HTTP/1.1",
        async |io, rx, tx, buffer| {
            let (mut nonce, url) = (nonce(), "ws://example.com/chat");
            let ws = connect(Buffered::new(io, rx, tx), url, buffer, &mut nonce).await;
            ws.unwrap();
        },
    );
    let refusal = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n\r\n";
    owns_the_transport(refusal, "GET /chat HTTP/1.1", async |io, rx, tx, buffer| {
        let (mut nonce, url) = (nonce(), "ws://example.com/chat");
        let ws = connect(Buffered::new(io, rx, tx), url, buffer, &mut nonce).await;
        assert!(matches!(ws, Err(ConnectError::Handshake(_))));
    });
}

/// One slot, whose handler drops the first handshake: `listen` ends that connection, and the next
/// client is served by the same socket, in the same memory.
#[test]
fn a_slot_serves_the_next_client_when_a_handshake_was_dropped() {
    let mut polls = 0;
    while !slot_after_dropped_accept(polls) {
        polls += 1;
        assert!(polls < 1_000, "never done");
    }
    assert!(polls > 3, "dropped at each await: {polls}");
}

/// Whether the first handshake was done after so many polls.
fn slot_after_dropped_accept(polls: usize) -> bool {
    run(linked(0, 3, async |ours, theirs| {
        let first = Cell::new(None);
        // The head of the request comes in pieces.
        let mut slot = Slot::<64, MIN_ROOM, 512>::new();
        let server = listen(theirs, 80, &mut slot, async |socket, buffer| {
            if first.get().is_none() {
                let done = cut(polls, accept(socket, buffer)).await.is_some();
                first.set(Some(done));
            } else {
                echo(socket, buffer).await;
            }
        });
        let client = async {
            let (mut rx, mut tx) = ([0; 256], [0; 256]);
            let mut socket = TcpSocket::new(ours, &mut rx, &mut tx);
            let (mut buffer, mut random) = ([0; 512], || [1, 2, 3, 4]);
            let connector = Connector::new();
            let url = "ws://10.0.0.2/";
            let ws = connector.connect(ours, &mut socket, url, &mut buffer, &mut random);
            match ws.await {
                Ok(mut ws) => assert!(ws.recv().await.is_err(), "ended without a Close"),
                Err(error) => assert!(matches!(error, ConnectError::Connection(_)), "{error:?}"),
            }
            let ended = millis();
            while visit(ours, &mut socket, "next").await.is_err() {
                Timer::after_millis(50).await;
            }
            let waited = millis() - ended;
            assert!(waited < 3_000, "{polls} polls: the slot took {waited} ms");
        };
        match select(client, server).await {
            Either::First(()) => first.get().unwrap(),
            Either::Second(never) => match never {},
        }
    }))
}

/// The name is looked up, the socket connected, the handshake done: dropped at each await of that,
/// it is begun anew with the same socket and the same buffer.
#[test]
fn a_socket_connects_again_when_its_handshake_was_dropped() {
    let mut polls = 0;
    let done = Cell::new(false);
    while !done.get() {
        served_by_name(async |stack, socket| {
            let (mut buffer, mut random) = ([0xa5; 512], || [1, 2, 3, 4]);
            let connector = Connector::new();
            let url = "ws://board.test/";
            let ws = connector.connect(stack, socket, url, &mut buffer, &mut random);
            done.set(cut(polls, ws).await.is_some());
            let began = millis();
            let ws = connector.connect(stack, socket, url, &mut buffer, &mut random);
            let mut ws = ws.await.unwrap();
            ws.send("again").await.unwrap();
            assert_eq!(ws.recv().await, Ok(Some(Message::Text("again"))));
            ws.close(CloseCode::NORMAL, "").await.unwrap();
            let took = millis() - began;
            assert!(took < 3_000, "{polls} polls: {took} ms");
        });
        polls += 1;
        assert!(polls < 1_000, "never done");
    }
    assert!(polls > 8, "dropped at each await: {polls}");
}
