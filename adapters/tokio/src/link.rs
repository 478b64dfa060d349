//! How a connection, or a half of it, reaches the transport and what goes out.
//!
//! These types stand in public signatures, but nobody outside can name them.
#![allow(unreachable_pub)]

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::Error;
use crate::incoming::{Incoming, Next, Policy};
use crate::outgoing::Outgoing;
use crate::wakers::Side;

/// The transport and what is staged for it.
pub struct Shared<W> {
    pub(crate) io: W,
    pub(crate) out: Outgoing,
}

/// The way to them. The engine is written once over this.
pub trait Link {
    type Writer: AsyncWrite + Unpin;

    /// Reads from the transport.
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>>;

    /// Uses the sending side. Nothing is held when this returns, and `f` never waits.
    fn with<T>(&mut self, f: impl FnOnce(&mut Outgoing, &mut Self::Writer) -> T) -> T;

    /// Which half this is.
    fn side(&self) -> Side;

    /// Receives by this way, as [`Incoming::poll_next`] says: what needs a lock for each use can take it
    /// once.
    fn poll_next(
        &mut self,
        incoming: &mut Incoming,
        cx: &mut Context<'_>,
        policy: Policy,
    ) -> Poll<Result<Option<Next>, Error>>
    where
        Self: Sized,
    {
        incoming.poll_next_by(cx, self, policy)
    }
}

impl<L: Link> Link for &mut L {
    type Writer = L::Writer;

    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        (**self).poll_read(cx, buf)
    }

    #[inline]
    fn with<T>(&mut self, f: impl FnOnce(&mut Outgoing, &mut L::Writer) -> T) -> T {
        (**self).with(f)
    }

    fn side(&self) -> Side {
        (**self).side()
    }

    fn poll_next(
        &mut self,
        incoming: &mut Incoming,
        cx: &mut Context<'_>,
        policy: Policy,
    ) -> Poll<Result<Option<Next>, Error>> {
        (**self).poll_next(incoming, cx, policy)
    }
}

/// The whole connection in one hand: nothing to lock.
impl<S: AsyncRead + AsyncWrite + Unpin> Link for Shared<S> {
    type Writer = S;

    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }

    #[inline]
    fn with<T>(&mut self, f: impl FnOnce(&mut Outgoing, &mut S) -> T) -> T {
        f(&mut self.out, &mut self.io)
    }

    fn side(&self) -> Side {
        Side::Alone
    }
}

/// A borrowed half that [receives](RECEIVES) or [sends](SENDS). The halves are used in turn, nearly
/// always, so the lock is free.
pub struct Borrowed<'a, S, const HALF: bool> {
    pub(crate) shared: &'a Mutex<Shared<S>>,
}

pub const RECEIVES: bool = true;
pub const SENDS: bool = false;

impl<S: AsyncRead + AsyncWrite + Unpin, const HALF: bool> Link for Borrowed<'_, S, HALF> {
    type Writer = S;

    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut lock(self.shared).io).poll_read(cx, buf)
    }

    #[inline]
    fn with<T>(&mut self, f: impl FnOnce(&mut Outgoing, &mut S) -> T) -> T {
        let shared = &mut *lock(self.shared);
        f(&mut shared.out, &mut shared.io)
    }

    fn side(&self) -> Side {
        match HALF {
            RECEIVES => Side::Receive,
            SENDS => Side::Send,
        }
    }

    fn poll_next(
        &mut self,
        incoming: &mut Incoming,
        cx: &mut Context<'_>,
        policy: Policy,
    ) -> Poll<Result<Option<Next>, Error>> {
        let mut locked = Locked {
            shared: lock(self.shared),
            side: self.side(),
        };
        incoming.poll_next_by(cx, &mut locked, policy)
    }
}

/// A borrowed half for one poll.
pub struct Locked<'a, S> {
    shared: MutexGuard<'a, Shared<S>>,
    side: Side,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Link for Locked<'_, S> {
    type Writer = S;

    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.shared.poll_read(cx, buf)
    }

    #[inline]
    fn with<T>(&mut self, f: impl FnOnce(&mut Outgoing, &mut S) -> T) -> T {
        self.shared.with(f)
    }

    fn side(&self) -> Side {
        self.side
    }
}

/// The owned receiving half: it reads without a lock, and takes it to write what is owed.
pub struct OwnedReceive<R, W> {
    pub(crate) reader: R,
    pub(crate) shared: Arc<Mutex<Shared<W>>>,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Link for OwnedReceive<R, W> {
    type Writer = W;

    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.reader).poll_read(cx, buf)
    }

    fn with<T>(&mut self, f: impl FnOnce(&mut Outgoing, &mut W) -> T) -> T {
        let shared = &mut *lock(&self.shared);
        f(&mut shared.out, &mut shared.io)
    }

    fn side(&self) -> Side {
        Side::Receive
    }
}

/// The owned sending half. It never reads.
pub struct OwnedSend<W> {
    pub(crate) shared: Arc<Mutex<Shared<W>>>,
}

impl<W: AsyncWrite + Unpin> Link for OwnedSend<W> {
    type Writer = W;

    fn poll_read(&mut self, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }

    #[inline]
    fn with<T>(&mut self, f: impl FnOnce(&mut Outgoing, &mut W) -> T) -> T {
        let shared = &mut *lock(&self.shared);
        f(&mut shared.out, &mut shared.io)
    }

    fn side(&self) -> Side {
        Side::Send
    }
}

/// A panic in the transport of one half does not take the other half's lock with it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What no other has a reference to needs no lock.
pub(crate) fn only<T>(mutex: &mut Mutex<T>) -> &mut T {
    mutex.get_mut().unwrap_or_else(PoisonError::into_inner)
}
