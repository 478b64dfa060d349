//! embassy-net: the TCP rings as the memory of a connection.

use core::cell::RefCell;
use core::future::poll_fn;
use core::pin::pin;
use core::task::{Context, Poll};

use embassy_futures::poll_once;
use embassy_net::tcp::{self, TcpSocket};

use crate::Error;
use crate::step::look;
use crate::transport::{Ready, Transport, Want};

/// Reads and unmasks in the ring of what was received, and writes into the ring of what is to be
/// sent: no buffer of its own, no copy but that from the payload into the ring.
///
/// What is written leaves when the task waits, so that a batch of messages leaves together, and
/// nothing has to be flushed.
impl Transport for &mut TcpSocket<'_> {
    type Error = tcp::Error;

    fn input<R>(&mut self, f: impl FnOnce(&mut [u8]) -> (usize, R)) -> Option<R> {
        if !self.can_recv() {
            return None;
        }
        match poll_once(self.read_with(f)) {
            Poll::Ready(Ok(result)) => Some(result),
            _ => None,
        }
    }

    fn output(&mut self, f: impl FnOnce(&mut [u8]) -> usize) -> usize {
        if !self.can_send() {
            return 0;
        }
        let write = self.write_with(|room| {
            let n = f(room);
            (n, n)
        });
        match poll_once(write) {
            Poll::Ready(Ok(n)) => n,
            _ => 0,
        }
    }

    fn room(&self) -> usize {
        if self.may_send() {
            self.send_capacity() - self.send_queue()
        } else {
            0
        }
    }

    fn capacity(&self) -> usize {
        self.send_capacity()
    }

    fn wait(
        this: &RefCell<Self>,
        want: Want,
    ) -> impl Future<Output = Result<Ready, Error<tcp::Error>>> {
        poll_fn(move |cx| {
            let socket = &mut *this.borrow_mut();
            if want.input
                && let Poll::Ready(ready) = poll_input(socket, cx)
            {
                return Poll::Ready(ready);
            }
            if want.room > 0 {
                return poll_room(socket, want.room, cx);
            }
            Poll::Pending
        })
    }

    fn flush(_: &RefCell<Self>) -> impl Future<Output = Result<(), Error<tcp::Error>>> {
        poll_fn(|_| Poll::Ready(Ok(())))
    }

    fn close(this: &RefCell<Self>) -> impl Future<Output = ()> {
        poll_fn(|cx| {
            let socket = &mut *this.borrow_mut();
            // The second time it changes nothing.
            socket.close();
            drain(socket, cx);
            // An error is a reset: the peer is gone.
            poll_sent(socket, cx).map(drop)
        })
    }
}

/// Throws away what has come, and wakes for what may still come: a peer that finds the ring full
/// cannot end its stream.
pub(crate) fn drain(mut socket: &mut TcpSocket<'_>, cx: &mut Context<'_>) {
    while look(&mut socket, &mut |bytes| bytes.len()) {}
    let _ = pin!(socket.wait_read_ready()).poll(cx);
}

fn poll_input(
    socket: &mut TcpSocket<'_>,
    cx: &mut Context<'_>,
) -> Poll<Result<Ready, Error<tcp::Error>>> {
    if !socket.can_recv() && !socket.may_recv() {
        // An empty read tells the end of the stream from a reset.
        return match poll_once(socket.read(&mut [])) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(Error::Io(error))),
            _ => Poll::Ready(Ok(Ready::End)),
        };
    }
    pin!(socket.wait_read_ready())
        .poll(cx)
        .map(|()| Ok(Ready::Input))
}

fn poll_room(
    socket: &mut TcpSocket<'_>,
    room: usize,
    cx: &mut Context<'_>,
) -> Poll<Result<Ready, Error<tcp::Error>>> {
    if !socket.may_send() {
        return Poll::Ready(Err(Error::Io(tcp::Error::ConnectionReset)));
    }
    if socket.send_capacity() - socket.send_queue() >= room {
        return Poll::Ready(Ok(Ready::Room));
    }
    // It wakes whenever the peer acknowledges something: then there is more room.
    poll_sent(socket, cx).map(|sent| match sent {
        Ok(()) => Ok(Ready::Room),
        Err(error) => Err(Error::Io(error)),
    })
}

/// Ready when the peer has acknowledged all that was sent.
pub(crate) fn poll_sent(
    socket: &mut TcpSocket<'_>,
    cx: &mut Context<'_>,
) -> Poll<Result<(), tcp::Error>> {
    pin!(socket.flush()).poll(cx)
}
