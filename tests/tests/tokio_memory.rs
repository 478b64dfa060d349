//! What connections hold. One test, so that nothing else allocates beside it.
//!
//! `cargo test -p wirelet-tests --test tokio_memory -- --nocapture` prints the figures.
#![allow(unsafe_code)] // a global allocator cannot be written without

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use wirelet::Role;
use wirelet_tests::frames::{Frame, Length};
use wirelet_tokio::{Acceptor, Config, WebSocket};

/// Counts the bytes that are allocated.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn add(bytes: usize) {
    PEAK.fetch_max(HELD.fetch_add(bytes, Relaxed) + bytes, Relaxed);
}

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn held() -> usize {
    HELD.load(Relaxed)
}

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
    let before = held();
    drop(ws);
    // With it went a transport that is as large as this one.
    let all = before - held();
    let before = held();
    let (transport, _) = duplex(1);
    let heap = all - (held() - before);
    drop(transport);
    let place = size_of::<WebSocket<DuplexStream>>() - size_of::<DuplexStream>();
    println!("an idle connection: {place} bytes in place, {heap} on the heap");
    assert!(place + heap <= 1_200);
}

/// A frame that has begun and does not go on pins little.
async fn partial(acceptor: &Acceptor) {
    let (mut ws, mut peer) = open(acceptor).await;
    wait(&mut ws);
    let frame = Frame::new(0x82, [1; 60_000]).to(Role::Server).bytes();
    let before = held();
    peer.write_all(&frame[..9]).await.unwrap();
    wait(&mut ws);
    let pinned = held() - before;
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
        let before = held();
        PEAK.store(before, Relaxed);
        peer.write_all(&frame).await.unwrap();
        wait(&mut ws);
        let (now, peak) = (held() - before, PEAK.load(Relaxed) - before);
        println!("16 bytes that declare {length}: {now} bytes held, {peak} at most");
        assert!(now < 1_024 && peak < 1_024);
    }
}

/// A large message takes what it is large, and then gives it back: the pool keeps a bounded part.
async fn given_back(acceptor: &Acceptor) {
    let payload = vec![1; 40 << 20];
    let frame = Frame::new(0x82, &payload).to(Role::Server).bytes();
    let (mut ws, mut peer) = open(acceptor).await;
    wait(&mut ws);
    let before = held();
    PEAK.store(before, Relaxed);
    let talk = async {
        peer.write_all(&frame).await.unwrap();
        peer
    };
    let serve = async {
        let message = ws.recv().await.unwrap().unwrap();
        assert_eq!(message.as_bytes().len(), payload.len());
    };
    let (_peer, ()) = tokio::join!(talk, serve);
    let peak = PEAK.load(Relaxed) - before;
    wait(&mut ws);
    let after = held().saturating_sub(before);
    println!(
        "a message of 40 MiB: {} MiB at most, {} KiB after",
        peak >> 20,
        after >> 10
    );
    // While a buffer is exchanged for one of four times its size, both are there.
    assert!(peak <= (4 + 1) * payload.len());
    assert!(after <= (4 << 20) + (64 << 10), "the pool keeps {after}");
}
