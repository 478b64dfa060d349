//! What a connection is tested on, and what is at the other end: embassy-net's rings and a plain
//! socket, or `Buffered` and a transport in memory that does all it may.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::ErrorKind;
use std::pin::{Pin, pin};
use std::task::Poll;

use embassy_futures::select::{Either, select};
use embassy_futures::yield_now;
use embassy_net::tcp::TcpSocket;
use embedded_io_async::{ErrorType, Read, Write};
use tokio::io::AsyncWrite;
use wirelet::{Control, Limits, Receiver, Role, What};
use wirelet_embassy::{Config, Pump, Random, Transport, WebSocket};
use wirelet_tests::hostile::{Habits, Hostile, pair};

pub(crate) use crate::bridge::Io;
use crate::clock::run;
use crate::net::linked;
use crate::peer::other;

/// A transport whose futures must not be dropped, as DMA and TLS make them: each moves a byte, waits,
/// and tells only then. Dropped in between, a read has lost it, and a write will write it again.
pub(crate) struct Careless<S>(pub(crate) S);

impl<S: ErrorType> ErrorType for Careless<S> {
    type Error = S::Error;
}

impl<S: Read> Read for Careless<S> {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, Self::Error> {
        let mut byte = [0];
        let n = self.0.read(&mut byte).await?;
        yield_now().await;
        buf[..n].copy_from_slice(&byte[..n]);
        Ok(n)
    }
}

impl<S: Write> Write for Careless<S> {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, Self::Error> {
        let n = self.0.write(&buf[..1]).await?;
        yield_now().await;
        Ok(n)
    }

    async fn flush(&mut self) -> Result<(), Self::Error> {
        self.0.flush().await
    }
}

/// Runs `work` over a [`Pump`] with buffers of so many bytes, and the pump beside it.
pub(crate) async fn pumped<E: embedded_io_async::Error, R>(
    (reader, writer): (impl Read<Error = E>, impl Write<Error = E>),
    (rx, tx): (usize, usize),
    work: impl AsyncFnOnce(&Pump<'_, E>) -> R,
) -> R {
    let (mut rx, mut tx) = (vec![0; rx], vec![0; tx]);
    let pump = Pump::new(&mut rx, &mut tx);
    match select(work(&pump), pump.run(reader, writer)).await {
        Either::First(result) => result,
        Either::Second(never) => match never {},
    }
}

/// The other end of a connection.
pub(crate) trait Peer: Read + Write {
    /// Ends its stream; goes on reading.
    async fn hang_up(&mut self);

    /// Resets the connection.
    async fn reset(&mut self);

    /// Writes all of it, if the connection lasts so long.
    async fn put(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match self.write(bytes).await {
                Ok(n) if n > 0 => bytes = &bytes[n..],
                _ => return,
            }
        }
    }

    /// Some of what comes; nothing at the end of the stream.
    async fn some(&mut self) -> Vec<u8> {
        let mut bytes = [0; 97];
        let n = self.read(&mut bytes).await.unwrap_or(0);
        bytes[..n].to_vec()
    }

    /// All that comes until the end of the stream.
    async fn all(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        loop {
            match self.some().await {
                some if some.is_empty() => return bytes,
                some => bytes.extend(some),
            }
        }
    }

    /// All that `sender` sends up to its Close.
    async fn until_close(&mut self, sender: Role) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut receiver = Receiver::new(other(sender), Limits::NONE);
        loop {
            let mut some = self.some().await;
            bytes.extend_from_slice(&some);
            let mut closed = some.is_empty();
            let mut input = &mut some[..];
            while let Some(event) = receiver.next(&mut input).expect("a rule is broken") {
                closed |= event.end && event.what == What::Control(Control::Close);
            }
            if closed {
                return bytes;
            }
        }
    }
}

impl Peer for TcpSocket<'_> {
    async fn hang_up(&mut self) {
        self.close();
    }

    async fn reset(&mut self) {
        self.abort();
        let _ = self.flush().await;
    }
}

/// The other end of a [`pair`](wirelet_tests::hostile::pair).
impl Peer for Io<Hostile> {
    async fn hang_up(&mut self) {
        let shut = poll_fn(|cx| Pin::new(&mut self.0).poll_shutdown(cx)).await;
        shut.expect("not broken");
    }

    async fn reset(&mut self) {
        let nobody = pair(0, Habits::kind()).0;
        std::mem::replace(&mut self.0, nobody).reset();
    }
}

/// Runs `work` with the two ends of a TCP connection; those of `ours` have rings of so many bytes
/// for receiving and for sending.
pub(crate) fn on_rings<R>(
    ours: (usize, usize),
    lost: usize,
    work: impl AsyncFnOnce(&mut TcpSocket<'_>, &mut TcpSocket<'_>) -> R,
) -> R {
    run(linked(lost, 1, async |one, two| {
        let (mut rx, mut tx) = (vec![0; ours.0], vec![0; ours.1]);
        let mut socket = TcpSocket::new(one, &mut rx, &mut tx);
        socket.set_nagle_enabled(false);
        let (mut rx, mut tx) = ([0; 4096], [0; 4096]);
        let mut peer = TcpSocket::new(two, &mut rx, &mut tx);
        peer.set_nagle_enabled(false);
        let connect = socket.connect((
            crate::net::SERVER.parse::<core::net::Ipv4Addr>().unwrap(),
            80,
        ));
        let both = embassy_futures::join::join(peer.accept(80), connect);
        let (accepted, connected) = both.await;
        accepted.unwrap();
        connected.unwrap();
        work(&mut socket, &mut peer).await
    }))
}

/// Writes `bytes`, so many at a time, and ends the stream; reads meanwhile, to the end.
pub(crate) async fn exchange(peer: &mut TcpSocket<'_>, bytes: &[u8], at_once: usize) -> Vec<u8> {
    let all = RefCell::new(Vec::new());
    let (mut reads, mut writes) = peer.split();
    let read = async {
        let mut some = [0; 61];
        while let Ok(n @ 1..) = reads.read(&mut some).await {
            all.borrow_mut().extend_from_slice(&some[..n]);
        }
    };
    let write = async {
        for mut piece in bytes.chunks(at_once) {
            while let Ok(n) = writes.write(piece).await
                && n < piece.len()
            {
                piece = &piece[n..];
            }
        }
    };
    select(read, write).await;
    peer.close();
    all.into_inner()
        .into_iter()
        .chain(peer.all().await)
        .collect()
}

/// A connection that is open.
pub(crate) fn open<'b, T: Transport>(
    io: T,
    role: Role,
    config: &Config,
    buffer: &'b mut [u8],
    random: Random<'b>,
) -> WebSocket<'b, T> {
    match role {
        Role::Server => WebSocket::server(io, config, buffer),
        Role::Client => WebSocket::client(io, config, buffer, random),
    }
}

/// Polls `future` this often, waits to be woken once more, and drops it. `None`: it was not done by
/// then. What is polled 0 times is dropped at once.
pub(crate) async fn cut<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(cx).map(Some)
    })
    .await
}

/// Waits for a future that is made anew each time it was dropped after so many polls.
macro_rules! insist {
    ($polls:expr, $future:expr) => {{
        let mut tries = 0;
        loop {
            if let Some(output) = $crate::io::cut($polls, $future).await {
                break output;
            }
            tries += 1;
            assert!(tries < 100_000, "waits for ever");
        }
    }};
}
pub(crate) use insist;

/// The kind of a transport's error that both transports mean by a reset.
pub(crate) fn is_reset(error: &impl embedded_io_async::Error) -> bool {
    error.kind() == ErrorKind::ConnectionReset.into()
}
