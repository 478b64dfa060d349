use core::cell::RefCell;

use embedded_io_async::{Read, Write};

use crate::Error;
use crate::buffer::Buffer;

/// A stream of bytes in both directions that lends its memory: what has come is read, and
/// unmasked, where it lies; what is to be sent is written where it will be sent from.
///
/// With the feature `embassy-net` it is implemented by `&mut TcpSocket`, whose TCP rings are that
/// memory: a WebSocket then needs no buffers of its own. For everything else there is
/// [`Buffered`], or [`Pump`](crate::Pump) for what comes in two halves.
pub trait Transport {
    /// Why it fails.
    type Error: embedded_io_async::Error;

    /// Lends bytes that came, as many as lie in one piece; `f` tells how many it has consumed. The
    /// others are lent again, with what was written to them.
    /// `None`, and `f` is not called, when there are none.
    fn input<R>(&mut self, f: impl FnOnce(&mut [u8]) -> (usize, R)) -> Option<R>;

    /// Lends room for bytes to send, as much as lies in one piece; `f` tells how many it has
    /// written. Returns that.
    fn output(&mut self, f: impl FnOnce(&mut [u8]) -> usize) -> usize;

    /// Bytes of room now, in one piece or two.
    fn room(&self) -> usize;

    /// Bytes of room when nothing waits to be sent.
    fn capacity(&self) -> usize;

    /// Waits until one of the things wanted is there. What is to be sent goes on being sent.
    ///
    /// The cell is that of the connection. One that stays borrowed while this waits makes the
    /// other half of the connection fail with [`Error::Busy`] meanwhile.
    ///
    /// # Cancel safety
    /// Must lose nothing when it is dropped.
    fn wait(
        this: &RefCell<Self>,
        want: Want,
    ) -> impl Future<Output = Result<Ready, Error<Self::Error>>>;

    /// Sends all that was written, as far as it depends on this end.
    ///
    /// # Cancel safety
    /// Must lose nothing when it is dropped.
    fn flush(this: &RefCell<Self>) -> impl Future<Output = Result<(), Error<Self::Error>>>;

    /// Ends the stream in this direction and waits until the peer has all of it, or is gone. What
    /// still comes is thrown away.
    fn close(this: &RefCell<Self>) -> impl Future<Output = ()>;
}

/// What to wait for: the first of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    /// Bytes, or the end of the stream.
    pub input: bool,
    /// At least so many bytes of room; 0 waits for none. At most the transport's capacity.
    pub room: usize,
}

/// What [`Transport::wait`] waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// There are bytes.
    Input,
    /// There is room.
    Room,
    /// The peer has ended its stream, and all of it was consumed.
    End,
}

/// Any [`embedded_io_async`] transport, with buffers that the caller lends: TLS, a UART, a pipe.
///
/// It is one object for both directions, so it does one thing at a time:
/// - It writes, then it reads. Two ends that do so, and both have more to send than the line
///   between them holds, wait for each other until [`Timeouts::idle`](wirelet::Timeouts::idle).
/// - While it waits for input, the other half of a connection cannot use it ([`Error::Busy`]). Put
///   `recv` into a `select` with whatever else there is to wait for, and send afterwards.
///
/// A transport that comes in two halves has neither limit with a [`Pump`](crate::Pump).
///
/// A write that makes no progress is given up after [`Timeouts::idle`](wirelet::Timeouts::idle), or
/// after up to twice that if it made some at first. The end of the stream is the transport's: a
/// client that has closed waits for it up to the close deadline, and without the feature
/// `embassy-time` for as long as it takes.
///
/// # Cancel safety
/// As far as the transport's own `read`, `write` and `flush`. A `read` is dropped whenever the
/// future that receives is dropped, or when a deadline comes first. With a transport that loses
/// bytes then, as embedded-tls 0.19 does in the middle of a record, use a [`Pump`](crate::Pump); or
/// do not drop a future of the connection, and set
/// [`Timeouts::patient`](wirelet::Timeouts::patient) so that no keepalive interrupts a `read`.
#[derive(Debug)]
pub struct Buffered<'b, S> {
    io: S,
    /// What came and was not consumed.
    rx: Buffer<'b>,
    /// What was written and not yet sent.
    tx: Buffer<'b>,
    /// Something was sent since the last flush.
    unflushed: bool,
}

impl<'b, S: Read + Write> Buffered<'b, S> {
    /// `rx` is what one read fills: any size from 1 byte up. `tx` is the longest frame that is
    /// sent, header included: at least [`MIN_ROOM`](crate::MIN_ROOM) bytes.
    pub const fn new(io: S, rx: &'b mut [u8], tx: &'b mut [u8]) -> Self {
        Self {
            io,
            rx: Buffer::new(rx),
            tx: Buffer::new(tx),
            unflushed: false,
        }
    }

    /// The transport.
    pub fn into_inner(self) -> S {
        self.io
    }

    async fn send(&mut self) -> Result<(), Error<S::Error>> {
        while !self.tx.is_empty() {
            self.send_some().await?;
        }
        if self.unflushed {
            self.io.flush().await.map_err(Error::Io)?;
            self.unflushed = false;
        }
        Ok(())
    }

    async fn send_some(&mut self) -> Result<(), Error<S::Error>> {
        // Never `write_all`: it cannot be dropped half-way, and panics on 0.
        match self.io.write(self.tx.held()).await.map_err(Error::Io)? {
            0 => Err(Error::Disconnected),
            n => {
                self.tx.consume(n);
                self.unflushed = true;
                Ok(())
            }
        }
    }
}

// The borrow is held while it waits because there is one object for both directions. `try_borrow`
// tells the other half so.
#[allow(clippy::await_holding_refcell_ref)]
impl<S: Read + Write> Transport for Buffered<'_, S> {
    type Error = S::Error;

    fn input<R>(&mut self, f: impl FnOnce(&mut [u8]) -> (usize, R)) -> Option<R> {
        if self.rx.is_empty() {
            return None;
        }
        let (n, result) = f(self.rx.held());
        self.rx.consume(n);
        Some(result)
    }

    fn output(&mut self, f: impl FnOnce(&mut [u8]) -> usize) -> usize {
        let room = self.tx.spare();
        let n = f(room).min(room.len());
        self.tx.filled(n);
        n
    }

    fn room(&self) -> usize {
        self.tx.room()
    }

    fn capacity(&self) -> usize {
        self.tx.capacity()
    }

    async fn wait(this: &RefCell<Self>, want: Want) -> Result<Ready, Error<S::Error>> {
        let this = &mut *this.try_borrow_mut().map_err(|_| Error::Busy)?;
        loop {
            if want.room > 0 && this.room() >= want.room {
                return Ok(Ready::Room);
            }
            if want.room > 0 {
                this.send_some().await?;
                continue;
            }
            // Nothing is left behind while it waits for the peer.
            this.send().await?;
            if !this.rx.is_empty() {
                return Ok(Ready::Input);
            }
            let n = this.io.read(this.rx.spare()).await.map_err(Error::Io)?;
            this.rx.filled(n);
            return Ok(if n == 0 { Ready::End } else { Ready::Input });
        }
    }

    async fn flush(this: &RefCell<Self>) -> Result<(), Error<S::Error>> {
        let mut this = this.try_borrow_mut().map_err(|_| Error::Busy)?;
        this.send().await
    }

    async fn close(this: &RefCell<Self>) {
        // There is no more to an end here: who owns the transport ends it.
        let _ = Self::flush(this).await;
    }
}
