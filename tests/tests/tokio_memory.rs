//! What connections hold.
//!
//! `cargo test -p wirelet-tests --test tokio_memory -- --nocapture` prints the figures.

mod heap;

use std::task::{Context, Poll, Waker};

use heap::{held, peak, restart};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use wirelet::Role;
use wirelet_tests::frames::{Frame, Length};
use wirelet_tokio::{Acceptor, Config, WebSocket};

#[global_allocator]
static HEAP: heap::Counted = heap::Counted;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

/// A connection after the handshake, and its client's end of the wire.
async fn open(acceptor: &Acceptor) -> (WebSocket<DuplexStream>, DuplexStream) {
    let (mut peer, io) = duplex(128 << 10);
    peer.write_all(REQUEST).await.unwrap();
    let ws = acceptor.accept(io).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(peer.read_u8().await.unwrap());
    }
    (ws, peer)
}

/// Receives until there is nothing more to do but wait.
fn wait(ws: &mut WebSocket<DuplexStream>) {
    let mut cx = Context::from_waker(Waker::noop());
    while let Poll::Ready(message) = std::pin::pin!(ws.recv()).poll(&mut cx) {
        assert!(message.unwrap().is_some(), "still open");
    }
}

#[tokio::test]
async fn what_a_connection_holds() {
    let acceptor = Acceptor::new().config(Config::default().max_message(1 << 40));
    // The pool's buffers, and whatever else a thread makes once.
    let (mut first, mut peer) = open(&acceptor).await;
    peer.write_all(&Frame::new(0x82, [1; 70_000]).to(Role::Server).bytes())
        .await
        .unwrap();
    wait(&mut first);
    drop((first, peer));

    futures(&acceptor).await;
    unfinished(&acceptor);
    idle(&acceptor).await;
    partial(&acceptor).await;
    declared(&acceptor).await;
    given_back(&acceptor).await;
}

/// All that a connection holds while it waits, every deadline running: the struct itself, and what
/// it has on the heap. The transport is the caller's.
async fn idle(acceptor: &Acceptor) {
    let (mut ws, mut peer) = open(acceptor).await;
    // It has been used: a message came and was answered.
    let frame = Frame::new(0x81, "hello").to(Role::Server).bytes();
    peer.write_all(&frame).await.unwrap();
    ws.send("hello").await.unwrap();
    wait(&mut ws);
    let (mut other, _) = duplex(1);
    std::mem::swap(ws.get_mut(), &mut other);
    drop((other, peer));
    restart();
    drop(ws);
    // With it went a transport that is as large as this one.
    let (transport, _) = duplex(1);
    let heap = -held() - size_of::<DuplexStream>().cast_signed();
    drop(transport);
    let place = size_of::<WebSocket<DuplexStream>>();
    assert_eq!(place, size_of::<usize>());
    println!("an idle connection: {place} bytes in place, {heap} on the heap");
    assert!(place.cast_signed() + heap <= 352);
}

/// What the futures that are held most hold themselves (64-bit targets; others need less).
async fn futures(acceptor: &Acceptor) {
    let (mut ws, _peer) = open(acceptor).await;
    assert!(size_of_val(&ws.recv()) <= 16);
    assert!(size_of_val(&ws.feed("hello")) <= 32);
    assert!(size_of_val(&ws.send("hello")) <= 32);
    let (mut rx, mut tx) = ws.halves();
    assert!(size_of_val(&rx) <= 16 && size_of_val(&rx.recv()) <= 16);
    assert!(size_of_val(&tx) <= 8 && size_of_val(&tx.send("hello")) <= 32);
}

/// A client that does not go on with its request, until the deadline.
fn unfinished(acceptor: &Acceptor) {
    let mut cx = Context::from_waker(Waker::noop());
    let (peer, io) = duplex(1024);
    restart();
    let mut request = Box::pin(acceptor.request(io));
    assert!(request.as_mut().poll(&mut cx).is_pending());
    println!("an unfinished handshake: {} bytes", held());
    assert!(held() < 16 << 10);
    drop((request, peer));
}

/// A frame that has begun and does not go on pins little.
async fn partial(acceptor: &Acceptor) {
    let (mut ws, mut peer) = open(acceptor).await;
    wait(&mut ws);
    let frame = Frame::new(0x82, [1; 60_000]).to(Role::Server).bytes();
    restart();
    peer.write_all(&frame[..9]).await.unwrap();
    wait(&mut ws);
    let pinned = held();
    println!("one byte of a frame: {pinned} bytes pinned");
    assert!(pinned < 1_024);
    peer.write_all(&frame[9..]).await.unwrap();
    let message = ws.recv().await.unwrap().unwrap();
    assert_eq!(message.as_bytes(), [1; 60_000]);
}

/// A header that declares a large frame reserves nothing for it.
async fn declared(acceptor: &Acceptor) {
    for length in [60 << 20, 1 << 39] {
        let (mut ws, mut peer) = open(acceptor).await;
        wait(&mut ws);
        let frame = Frame::new(0x82, "..").to(Role::Server);
        let frame = frame.declares(Length::Longest(length)).bytes();
        restart();
        peer.write_all(&frame).await.unwrap();
        wait(&mut ws);
        let (now, most) = (held(), peak());
        println!("16 bytes that declare {length}: {now} bytes held, {most} at most");
        assert!(now < 1_024 && most < 1_024);
    }
}

/// A large message takes what it is large, and then gives it back: the pool keeps a bounded part.
async fn given_back(acceptor: &Acceptor) {
    let payload = vec![1; 40 << 20];
    let frame = Frame::new(0x82, &payload).to(Role::Server).bytes();
    let (mut ws, mut peer) = open(acceptor).await;
    wait(&mut ws);
    restart();
    let talk = async {
        peer.write_all(&frame).await.unwrap();
        peer
    };
    let serve = async {
        let message = ws.recv().await.unwrap().unwrap();
        assert_eq!(message.as_bytes().len(), payload.len());
    };
    let (_peer, ()) = tokio::join!(talk, serve);
    let most = peak();
    wait(&mut ws);
    let after = held();
    println!(
        "a message of 40 MiB: {} MiB at most, {} KiB after",
        most >> 20,
        after >> 10
    );
    // While a buffer is exchanged for one of four times its size, both are there.
    assert!(most <= (4 + 1) * payload.len());
    assert!(after <= (4 << 20) + (64 << 10), "the pool keeps {after}");
}
