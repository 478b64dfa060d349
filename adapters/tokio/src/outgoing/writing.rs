//! What is staged, and what goes out beside it, on its way to the transport.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf as _, Bytes};
use tokio::io::AsyncWrite;
use tokio::time::Sleep;
use wirelet::{SendError, Timeout};

use super::Outgoing;
use crate::wakers::{Side, store};
use crate::{Error, pool};

impl Outgoing {
    /// Writes all that is staged, and `rest` as the payload of the open frame.
    ///
    /// `rest` shrinks by what was written or staged.
    pub(crate) fn poll_write<W: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        side: Side,
        writer: &mut W,
        rest: &mut &[u8],
    ) -> Poll<Result<(), Error>> {
        if self.over && !(self.is_flushed() && rest.is_empty()) {
            return Poll::Ready(Err(SendError::Closed.into()));
        }
        let stalled = self.stalled.is_some();
        let mut done = self.poll_write_once(cx, writer, rest);
        if done.is_pending() && side != Side::Alone {
            let wakers = self.wakers.get_or_insert_default();
            store(wakers.slot(side), cx.waker());
            let both = Waker::from(wakers.clone());
            done = self.poll_write_once(&mut Context::from_waker(&both), writer, rest);
        }
        // Bytes that went out end the sender's patience, whoever wrote them: it begins anew.
        if done.is_ready() || (stalled && self.stalled.is_none()) {
            self.wake_other(side);
        }
        match done {
            Poll::Ready(Ok(())) => {
                // Nothing to write on this half says nothing about a frame of the other.
                if self.missing() == 0 {
                    clear(&mut self.stalled);
                }
                self.rest();
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error.into())),
            // The receiving half has deadlines of its own.
            Poll::Pending if side == Side::Receive => Poll::Pending,
            Poll::Pending => self.poll_stalled(cx),
        }
    }

    /// Writes all that is staged.
    #[inline]
    pub(crate) fn poll_flush<W: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        side: Side,
        writer: &mut W,
    ) -> Poll<Result<(), Error>> {
        if self.is_idle() {
            return Poll::Ready(Ok(()));
        }
        self.poll_flush_staged(cx, side, writer)
    }

    fn poll_flush_staged<W: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        side: Side,
        writer: &mut W,
    ) -> Poll<Result<(), Error>> {
        let done = self.write_at_once(cx, writer);
        if let Ok(false) = done {
            return self.poll_write(cx, side, writer, &mut &[][..]);
        }
        self.wake_other(side);
        Poll::Ready(done.map(drop).map_err(Error::from))
    }

    /// Writes whole frames, if nothing else is to be done and the transport takes all of them. False: the
    /// rest is to be written in the general way.
    #[inline]
    fn write_at_once<W: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        writer: &mut W,
    ) -> io::Result<bool> {
        let special = self.over
            || self.tail.is_some()
            || self.stalled.is_some()
            || self.connection.owed().is_some();
        let Some(outbox) = self.outbox.as_mut().filter(|_| !special) else {
            return Ok(false);
        };
        let pending = outbox.pending();
        if pending.is_empty() || !outbox.is_between_messages() {
            return Ok(false);
        }
        let Poll::Ready(n) = Pin::new(&mut *writer).poll_write(cx, pending)? else {
            return Ok(false);
        };
        self.unflushed |= n > 0;
        let whole = n == pending.len();
        outbox.sent(n);
        if !whole || Pin::new(writer).poll_flush(cx)?.is_pending() {
            return Ok(false);
        }
        self.unflushed = false;
        self.give_back();
        Ok(true)
    }

    fn poll_write_once<W: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        writer: &mut W,
        rest: &mut &[u8],
    ) -> Poll<io::Result<()>> {
        loop {
            self.pay();
            let Some(outbox) = &mut self.outbox else {
                return self.poll_flush_writer(cx, writer);
            };
            // What was left behind by a dropped future comes before what is new.
            let mut payload = self.tail.as_ref().map_or(*rest, |tail| &tail[..]);
            if outbox.is_masked() {
                if !payload.is_empty() && outbox.buffer().is_empty() {
                    // In the middle of a frame, too, a flush that wrote all gives the buffer back.
                    let _ = outbox.replace(pool::take(pool::SIZE));
                }
                let staged = outbox.write(payload);
                consumed(staged, &mut self.tail, rest);
                payload = &[];
            }
            let pending = outbox.pending();
            let first = pending.len();
            if first == 0 && payload.is_empty() {
                return self.poll_flush_writer(cx, writer);
            }
            let writer = Pin::new(&mut *writer);
            let n = ready!(if first == 0 {
                writer.poll_write(cx, payload)
            } else if payload.is_empty() || !writer.is_write_vectored() {
                writer.poll_write(cx, pending)
            } else {
                let both = [IoSlice::new(pending), IoSlice::new(payload)];
                writer.poll_write_vectored(cx, &both)
            })?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            clear(&mut self.stalled);
            self.unflushed = true;
            outbox.sent(n.min(first));
            let beside = n.saturating_sub(first);
            outbox.skip(beside);
            consumed(beside, &mut self.tail, rest);
        }
    }

    /// A transport such as TLS may hold back what it took.
    fn poll_flush_writer<W: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        writer: &mut W,
    ) -> Poll<io::Result<()>> {
        if self.unflushed {
            ready!(Pin::new(writer).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Pending, until the peer has read nothing for as long as it may be silent.
    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let Some(patience) = self.connection.patience() else {
            return Poll::Pending;
        };
        let sleep = self
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        ready!(sleep.as_mut().poll(cx));
        Poll::Ready(Err(Error::Timeout(Timeout::Idle)))
    }
}

/// The writer makes progress. Nearly always it did before: then there is nothing to drop.
#[inline]
fn clear(stalled: &mut Option<Pin<Box<Sleep>>>) {
    if stalled.is_some() {
        *stalled = None;
    }
}

/// The first `n` bytes are done with: of the connection's own payload, or of the caller's.
fn consumed(n: usize, own: &mut Option<Box<Bytes>>, rest: &mut &[u8]) {
    match own {
        Some(tail) if n < tail.len() => tail.advance(n),
        Some(_) => *own = None,
        None => *rest = &rest[n..],
    }
}
