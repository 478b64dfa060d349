//! A transport whose own futures are never dropped.

use core::cell::RefCell;
use core::convert::Infallible;
use core::fmt;
use core::future::{pending, poll_fn};
use core::task::{Context, Poll, Waker};

use embassy_futures::join::join;
use embedded_io_async::{Read, Write};

use crate::Error;
use crate::buffer::Buffer;
use crate::link::copy;
use crate::transport::{Ready, Transport, Want};

/// Two buffers that the caller lends, and a future that moves bytes between them and the two halves
/// of a transport: TLS, a UART, a pipe.
///
/// What [`Buffered`](crate::Buffered) cannot, for that has one object for both directions:
/// - It reads and writes at the same time, as a TCP socket does. The halves of a connection can be
///   polled at once, and two ends that both write do not block each other.
/// - A future of the connection that is dropped drops no `read` and no `write` of the transport.
///   So all futures are cancel safe, and deadlines harmless, whatever the transport is.
///
/// embedded-tls comes in two halves, `TlsConnection::split`, over a socket that is `Clone`: over a TCP
/// socket of embassy-net a reference to a `RefCell` of it, whose `read`, `write` and `flush` borrow it
/// for a poll at a time.
///
/// ```no_run
/// # async fn call<R, W, E>(reader: R, writer: W, random: wirelet_embassy::Random<'_>)
/// # where R: embedded_io_async::Read<Error = E>, W: embedded_io_async::Write<Error = E>, E: embedded_io_async::Error {
/// use embassy_futures::select::select;
/// use wirelet_embassy::{Pump, connect};
///
/// let (mut rx, mut tx, mut buffer) = ([0; 256], [0; 256], [0; 512]);
/// let pump = Pump::new(&mut rx, &mut tx);
/// let talk = async {
///     let Ok(mut ws) = connect(&pump, "wss://example.com/", &mut buffer, random).await else { return };
///     while let Ok(Some(message)) = ws.recv().await {
/// #       let _ = message;
///         // ...
///     }
/// };
/// select(talk, pump.run(reader, writer)).await;
/// # }
/// ```
pub struct Pump<'b, E> {
    rx: RefCell<Buffer<'b>>,
    tx: RefCell<Buffer<'b>>,
    state: RefCell<State<E>>,
}

struct State<E> {
    /// The transport gives no more.
    ended: bool,
    /// Nor does it take any.
    over: bool,
    /// Why, until somebody was told.
    failure: Option<E>,
    /// Something was written since the last flush.
    unflushed: bool,
    wakers: [Option<Waker>; 4],
}

/// What somebody waits for.
#[derive(Clone, Copy)]
enum Event {
    /// The connection, for input.
    Received,
    /// The connection, for room or for the end of a flush.
    Sent,
    /// The transport's reader, for room.
    Taken,
    /// The transport's writer, for what there is to send.
    Staged,
}

impl<'b, E: embedded_io_async::Error> Pump<'b, E> {
    /// `rx` is how far the transport reads ahead: any size from 1 byte up. `tx` is the longest frame
    /// that is sent, header included: at least [`MIN_ROOM`](crate::MIN_ROOM) bytes.
    pub const fn new(rx: &'b mut [u8], tx: &'b mut [u8]) -> Self {
        Self {
            rx: RefCell::new(Buffer::new(rx)),
            tx: RefCell::new(Buffer::new(tx)),
            state: RefCell::new(State {
                ended: false,
                over: false,
                failure: None,
                unflushed: false,
                wakers: [const { None }; 4],
            }),
        }
    }

    /// Moves bytes for as long as it is polled: one connection, once. To be polled beside whatever
    /// uses the connection, and longer than that: what was staged last leaves through it.
    ///
    /// It never ends. The connection is told when the transport has failed or ended.
    ///
    /// # Cancel safety
    /// Dropped, it ends the connection with [`Error::Disconnected`].
    pub async fn run(
        &self,
        reader: impl Read<Error = E>,
        writer: impl Write<Error = E>,
    ) -> Infallible {
        let _over = Over(self);
        let received = async {
            let failure = self.receive(reader).await.err();
            self.end(false, failure);
        };
        let sent = async {
            let failure = match self.send(writer).await {
                Ok(never) => match never {},
                Err(Error::Io(failure)) => Some(failure),
                Err(_) => None,
            };
            self.end(true, failure);
        };
        join(received, sent).await;
        pending().await
    }

    /// To the end of the stream.
    async fn receive(&self, mut reader: impl Read<Error = E>) -> Result<(), E> {
        let mut some = [0; CHUNK];
        loop {
            let room = poll_fn(|cx| match self.rx.borrow().room() {
                0 => self.wait_for(Event::Taken, cx),
                room => Poll::Ready(room.min(CHUNK)),
            });
            let room = room.await;
            let n = reader.read(&mut some[..room]).await?.min(room);
            if n == 0 {
                return Ok(());
            }
            let rx = &mut *self.rx.borrow_mut();
            copy(&some[..n], rx.spare());
            rx.filled(n);
            self.tell(Event::Received);
        }
    }

    async fn send(&self, mut writer: impl Write<Error = E>) -> Result<Infallible, Error<E>> {
        let mut some = [0; CHUNK];
        loop {
            let staged = poll_fn(|cx| match copy(self.tx.borrow_mut().held(), &mut some) {
                0 => self.wait_for(Event::Staged, cx),
                n => Poll::Ready(n),
            });
            let staged = staged.await;
            let n = writer.write(&some[..staged]).await.map_err(Error::Io)?;
            if n == 0 {
                return Err(Error::Disconnected);
            }
            self.state.borrow_mut().unflushed = true;
            self.tx.borrow_mut().consume(n);
            if self.tx.borrow().is_empty() {
                writer.flush().await.map_err(Error::Io)?;
                self.state.borrow_mut().unflushed = !self.tx.borrow().is_empty();
            }
            self.tell(Event::Sent);
        }
    }

    /// The transport gives no more; if `over`, it takes no more either.
    fn end(&self, over: bool, failure: Option<E>) {
        let state = &mut *self.state.borrow_mut();
        state.ended = true;
        state.over |= over;
        state.failure = state.failure.take().or(failure);
        for waker in state.wakers.iter_mut().filter_map(Option::take) {
            waker.wake();
        }
    }

    fn poll_ready(&self, want: Want, cx: &Context<'_>) -> Poll<Result<Ready, Error<E>>> {
        if want.input && !self.rx.borrow().is_empty() {
            return Poll::Ready(Ok(Ready::Input));
        }
        if want.room > 0 && self.tx.borrow().room() >= want.room {
            return Poll::Ready(Ok(Ready::Room));
        }
        let state = &mut *self.state.borrow_mut();
        if want.input && state.ended {
            return Poll::Ready(
                state
                    .failure
                    .take()
                    .map_or(Ok(Ready::End), |e| Err(Error::Io(e))),
            );
        }
        if want.room > 0 && state.over {
            return Poll::Ready(Err(state.lost()));
        }
        if want.input {
            state.register(Event::Received, cx);
        }
        if want.room > 0 {
            state.register(Event::Sent, cx);
        }
        Poll::Pending
    }

    fn poll_flush(&self, cx: &Context<'_>) -> Poll<Result<(), Error<E>>> {
        let state = &mut *self.state.borrow_mut();
        if self.tx.borrow().is_empty() && !state.unflushed {
            return Poll::Ready(Ok(()));
        }
        if state.over {
            return Poll::Ready(Err(state.lost()));
        }
        state.register(Event::Sent, cx);
        Poll::Pending
    }

    fn wait_for<R>(&self, event: Event, cx: &Context<'_>) -> Poll<R> {
        self.state.borrow_mut().register(event, cx);
        Poll::Pending
    }

    fn tell(&self, event: Event) {
        let waker = self.state.borrow_mut().wakers[event as usize].take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<E: embedded_io_async::Error> Transport for &Pump<'_, E> {
    type Error = E;

    fn input<R>(&mut self, f: impl FnOnce(&mut [u8]) -> (usize, R)) -> Option<R> {
        let rx = &mut *self.rx.borrow_mut();
        if rx.is_empty() {
            return None;
        }
        let (n, result) = f(rx.held());
        rx.consume(n);
        self.tell(Event::Taken);
        Some(result)
    }

    fn output(&mut self, f: impl FnOnce(&mut [u8]) -> usize) -> usize {
        let tx = &mut *self.tx.borrow_mut();
        let room = tx.spare();
        let n = f(room).min(room.len());
        tx.filled(n);
        self.tell(Event::Staged);
        n
    }

    fn room(&self) -> usize {
        self.tx.borrow().room()
    }

    fn capacity(&self) -> usize {
        self.tx.borrow().capacity()
    }

    async fn wait(this: &RefCell<Self>, want: Want) -> Result<Ready, Error<E>> {
        let pump = *this.borrow();
        poll_fn(|cx| pump.poll_ready(want, cx)).await
    }

    async fn flush(this: &RefCell<Self>) -> Result<(), Error<E>> {
        let pump = *this.borrow();
        poll_fn(|cx| pump.poll_flush(cx)).await
    }

    async fn close(this: &RefCell<Self>) {
        // There is no more to an end here: who owns the transport ends it.
        let _ = Self::flush(this).await;
    }
}

impl<E> State<E> {
    /// One waits for an event. If there is another, it is woken, and asks again.
    fn register(&mut self, event: Event, cx: &Context<'_>) {
        let slot = &mut self.wakers[event as usize];
        match slot {
            Some(waker) if waker.will_wake(cx.waker()) => {}
            _ => {
                if let Some(other) = slot.replace(cx.waker().clone()) {
                    other.wake();
                }
            }
        }
    }

    fn lost(&mut self) -> Error<E> {
        self.failure.take().map_or(Error::Disconnected, Error::Io)
    }
}

impl<E> fmt::Debug for Pump<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pump").finish_non_exhaustive()
    }
}

/// Nobody moves bytes any more.
struct Over<'a, 'b, E: embedded_io_async::Error>(&'a Pump<'b, E>);

impl<E: embedded_io_async::Error> Drop for Over<'_, '_, E> {
    fn drop(&mut self) {
        self.0.end(true, None);
    }
}

/// Bytes that are moved at a time. They are in the future that moves them.
const CHUNK: usize = 64;
