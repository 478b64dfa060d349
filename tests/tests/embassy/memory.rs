//! What a connection takes: sizes of the types and of the futures, and nothing of the heap.
//!
//! `cargo test -p wirelet-tests --test embassy memory -- --nocapture` prints the figures.

use core::convert::Infallible;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use embassy_net::Stack;
use embassy_net::tcp::TcpSocket;
use embedded_io_async::{ErrorKind, ErrorType, Read, Write};
use wirelet::Role;
use wirelet_embassy::{
    AcceptError, Acceptor, Buffered, CloseCode, Connector, DeflatePool, Error, Kind, Message,
    MessageWriter, Pump, RecvHalf, SendHalf, Slot, Upgrade, WebSocket, accept, connect, serve,
};
use wirelet_tests::frames::{Frame, wire};

use crate::heap::{self, peak, restart};
use crate::io::on_rings;
use crate::talk::echo;

#[global_allocator]
static HEAP: heap::Counted = heap::Counted;

type Rings<'a> = &'a mut TcpSocket<'a>;

#[test]
fn types() {
    let receiver = size_of::<wirelet::Receiver>();
    let sizes = [
        (
            "WebSocket",
            size_of::<WebSocket<'_, Rings<'_>>>(),
            336 + receiver + 128,
        ),
        ("a decoder", size_of::<DeflatePool<1>>(), 1728),
        ("RecvHalf", size_of::<RecvHalf<'_, '_, Rings<'_>>>(), 16),
        ("SendHalf", size_of::<SendHalf<'_, '_, Rings<'_>>>(), 8),
        (
            "MessageWriter",
            size_of::<MessageWriter<'_, '_, Rings<'_>>>(),
            16,
        ),
        ("Acceptor", size_of::<Acceptor<'_>>(), 176),
        ("Connector", size_of::<Connector<'_>>(), 176),
        ("Upgrade", size_of::<Upgrade<'_, '_, Rings<'_>>>(), 304),
        ("Buffered", size_of::<Buffered<'_, ()>>(), 80),
        ("Pump", size_of::<Pump<'_, ErrorKind>>(), 160),
        (
            "Slot",
            size_of::<Slot<1024, 1024, 512>>(),
            1024 + 1024 + 512,
        ),
        ("Message", size_of::<Message<'_>>(), 24),
        ("Error", size_of::<Error<embassy_net::tcp::Error>>(), 4),
        (
            "AcceptError",
            size_of::<AcceptError<embassy_net::tcp::Error>>(),
            16,
        ),
    ];
    println!("Receiver: {receiver} bytes");
    for (name, size, most) in sizes {
        println!("{name}: {size} bytes");
        assert!(size <= most, "{name}: {size} bytes, not {most}");
    }
}

#[test]
fn futures() {
    on_rings((256, 256), 0, async |socket, _| {
        let mut buffer = [0; 64];
        let config = wirelet::Config::default();
        let mut ws = WebSocket::server(&mut *socket, &config, &mut buffer);
        let mut sizes = vec![
            ("recv", bytes(ws.recv()), 512),
            ("recv_piece", bytes(ws.recv_piece(|_| ())), 480),
            ("feed", bytes(ws.feed("")), 560),
            ("send", bytes(ws.send("")), 560),
            ("ping", bytes(ws.ping(b"")), 448),
            ("flush", bytes(ws.flush()), 384),
            ("close", bytes(ws.close(CloseCode::NORMAL, "")), 672),
        ];
        let (mut rx, mut tx) = ws.halves();
        sizes.push(("forward", size_of_val(&rx.forward(&mut tx)), 640));
        let mut buffer = [0; 64];
        sizes.push((
            "accept",
            size_of_val(&accept(&mut *socket, &mut buffer)),
            3072,
        ));
        let mut random = || [0; 4];
        let connect = connect(&mut *socket, "", &mut buffer, &mut random);
        sizes.push(("connect", size_of_val(&connect), 1584));
        drop(connect);
        sizes.push(("serve, a slot", size_of_serve(), 3840));
        for (name, size, most) in sizes {
            println!("{name}: {size} bytes");
            assert!(size <= most, "{name}: {size} bytes, not {most}");
        }
    });
}

/// Bytes of a future.
fn bytes<F: Future>(future: F) -> usize {
    size_of_val(&future)
}

/// Bytes that one more slot adds to the future of an echo.
fn size_of_serve() -> usize {
    fn size<F>(_: impl FnOnce(Stack<'static>, Slots) -> F) -> usize {
        size_of::<F>()
    }
    fn size_two<F>(_: impl FnOnce(Stack<'static>, [Slot<256, 256, 64>; 2]) -> F) -> usize {
        size_of::<F>()
    }
    type Slots = [Slot<256, 256, 64>; 1];
    let slot = size_of::<Slots>();
    let one = size(async |stack, mut slots: Slots| serve(stack, 80, &mut slots, echo).await);
    let two = size_two(async |stack, mut slots: [_; 2]| serve(stack, 80, &mut slots, echo).await);
    two - one - slot
}

/// A peer that has said all it says, and takes everything.
struct Said<'a>(&'a [u8]);

impl ErrorType for Said<'_> {
    type Error = Infallible;
}

impl Read for Said<'_> {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, Infallible> {
        let n = self.0.len().min(buf.len());
        let (front, rest) = self.0.split_at(n);
        buf[..n].copy_from_slice(front);
        self.0 = rest;
        Ok(n)
    }
}

impl Write for Said<'_> {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, Infallible> {
        Ok(buf.len())
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

#[test]
fn nothing_of_the_heap() {
    let mut said = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        .to_vec();
    let frames = [
        Frame::new(0x81, "hello"),
        Frame::new(0x01, "in "),
        Frame::new(0x89, "?"),
        Frame::new(0x80, "pieces"),
        Frame::new(0x82, [7; 3000]),
        Frame::new(0x88, ""),
    ];
    said.extend(wire(Role::Server, &frames));
    // The clock of the tests keeps a list of alarms on the heap: the second time they are there.
    for measured in [false, true] {
        restart();
        let mut talk = pin!(talk(&said));
        let done = talk.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(done, Poll::Ready(()));
        if measured {
            assert_eq!(peak(), 0, "bytes of the heap");
        }
    }
}

async fn talk(said: &[u8]) {
    let (mut rx, mut tx, mut buffer) = ([0; 64], [0; 256], [0; 512]);
    let io = Buffered::new(Said(said), &mut rx, &mut tx);
    let mut ws = accept(io, &mut buffer).await.unwrap();
    assert_eq!(ws.recv().await, Ok(Some(Message::Text("hello"))));
    ws.send("reply").await.unwrap();
    ws.ping(b"?").await.unwrap();
    ws.send(&[7; 1000]).await.unwrap();
    let mut writer = ws.send_pieces(Kind::Text, None).await.unwrap();
    writer.write(b"pi").await.unwrap();
    writer.end(b"eces").await.unwrap();
    assert_eq!(ws.recv().await, Ok(Some(Message::Text("in pieces"))));
    let (mut rx, mut tx) = ws.halves();
    assert_eq!(rx.forward(&mut tx).await, Ok(Some(())));
    ws.close(CloseCode::NORMAL, "done").await.unwrap();
    assert_eq!(ws.recv().await, Ok(None));
}
