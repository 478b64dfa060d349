//! A serial line: a byte at a time, queues of 16 bytes, and flow control, for without that bytes are
//! lost and no protocol on top helps.

use core::convert::Infallible;

use embassy_futures::join::join;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_sync::pipe::Pipe;
use embassy_time::Timer;
use embedded_io_async::{ErrorType, Read, Write};
use wirelet_embassy::{Buffered, CloseCode, Message, Piece, Transport, WebSocket, accept, connect};

use crate::clock::{millis, run};
use crate::io::pumped;

type Queue = Pipe<NoopRawMutex, 16>;

/// One direction of one end.
#[derive(Clone, Copy)]
struct Half<'q>(&'q Queue);

/// One end: what it receives, and what it sends.
struct Uart<'q>(Half<'q>, Half<'q>);

impl ErrorType for Half<'_> {
    type Error = Infallible;
}

impl Read for Half<'_> {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, Infallible> {
        Ok(self.0.read(&mut buf[..1]).await)
    }
}

impl Write for Half<'_> {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, Infallible> {
        // 115,200 baud: ten bits for a byte.
        Timer::after_micros(87).await;
        Ok(self.0.write(&buf[..1]).await)
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl ErrorType for Uart<'_> {
    type Error = Infallible;
}

impl Read for Uart<'_> {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, Infallible> {
        self.0.read(buf).await
    }
}

impl Write for Uart<'_> {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, Infallible> {
        self.1.write(buf).await
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        self.1.flush().await
    }
}

/// Who says something and hears it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Echo {
    Client,
    Server,
}

/// One end: it echoes, or it says something of each size and closes.
async fn client<T: Transport>(io: T, echo: Echo, sizes: &[usize]) {
    let (mut buffer, mut random) = ([0; 400], || [1, 2, 3, 4]);
    let ws = connect(io, "ws://serial/", &mut buffer, &mut random).await;
    play(ws.unwrap(), echo == Echo::Client, sizes).await;
}

/// The other end.
async fn server<T: Transport>(io: T, echo: Echo, sizes: &[usize]) {
    let mut buffer = [0; 400];
    let ws = accept(io, &mut buffer).await;
    play(ws.unwrap(), echo == Echo::Server, sizes).await;
}

async fn play<T: Transport>(mut ws: WebSocket<'_, T>, echo: bool, sizes: &[usize]) {
    if echo {
        let (mut rx, mut tx) = ws.halves();
        while rx.forward(&mut tx).await.unwrap().is_some() {}
    } else {
        for size in sizes {
            say(&mut ws, *size).await;
        }
        // The line has no end: a client that closes waits for it up to the close deadline.
        let began = millis();
        ws.close(CloseCode::NORMAL, "").await.unwrap();
        assert!(millis() - began < 6_000);
    }
    assert_eq!(ws.closed().unwrap().code, CloseCode::NORMAL);
}

/// Sends a message and hears it again: one after the other if it fits every buffer on the way, or
/// else at the same time.
async fn say<T: Transport>(ws: &mut WebSocket<'_, T>, size: usize) {
    let sent: Vec<u8> = (0..=255).cycle().take(size).collect();
    if size <= FITS {
        ws.send(&sent[..]).await.unwrap();
        assert_eq!(ws.recv().await.unwrap(), Some(Message::Binary(&sent)));
        return;
    }
    let (mut rx, mut tx) = ws.halves();
    let mut got = Vec::new();
    let receive = async {
        let take = |got: &mut Vec<u8>, piece: Piece<'_>| {
            got.extend_from_slice(piece.payload);
            piece.end
        };
        while rx.recv_piece(|piece| take(&mut got, piece)).await.unwrap() == Some(false) {}
    };
    join(receive, async { tx.send(&sent[..]).await.unwrap() }).await;
    assert!(got == sent, "{size} bytes");
}

#[test]
fn an_echo_in_both_roles() {
    for echo in [Echo::Client, Echo::Server] {
        run(async {
            let (up, down) = (Queue::new(), Queue::new());
            let (mut rx, mut tx) = ([[0; 1]; 2], [[0; 400]; 2]);
            let ([rx_one, rx_two], [tx_one, tx_two]) = (&mut rx, &mut tx);
            let one = Buffered::new(Uart(Half(&down), Half(&up)), rx_one, tx_one);
            let two = Buffered::new(Uart(Half(&up), Half(&down)), rx_two, tx_two);
            let sizes = [0, 1, 2, 15, 16, 17, 125, 126, FITS];
            join(client(one, echo, &sizes), server(two, echo, &sizes)).await;
        });
    }
}

#[test]
fn an_echo_of_any_size_in_both_roles() {
    for echo in [Echo::Client, Echo::Server] {
        run(async {
            let (up, down) = (Queue::new(), Queue::new());
            let (one, two) = ((Half(&down), Half(&up)), (Half(&up), Half(&down)));
            let (room, sizes) = ((32, 200), [0, 1, 16, FITS, FITS + 1, 300, 5_000]);
            let ours = pumped(one, room, async |io| client(io, echo, &sizes).await);
            let theirs = pumped(two, room, async |io| server(io, echo, &sizes).await);
            join(ours, theirs).await;
        });
    }
}

/// Bytes of a message that fits every buffer.
const FITS: usize = 150;
