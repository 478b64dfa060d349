//! A transport in memory that behaves as badly as a transport may, and no worse: it trickles,
//! stalls, writes short, and says "not now" before it says anything else, all by a seed.
//!
//! A task that waits is always woken, so whoever hangs on it has a bug. Nothing waits for time.
//!
//! ```
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! # runtime.block_on(async {
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! use wirelet_tests::hostile::{Habits, pair};
//!
//! let (mut client, mut server) = pair(42, Habits::default());
//! let written = client.write_all(b"hello");
//! let mut bytes = [0; 5];
//! let (written, read) = tokio::join!(written, server.read_exact(&mut bytes));
//! written?;
//! read?;
//! assert_eq!(&bytes, b"hello");
//! # Ok::<(), std::io::Error>(())
//! # })?;
//! # Ok::<(), std::io::Error>(())
//! ```

use std::collections::VecDeque;
use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::rng::Rng;

/// How badly both ends of a [`pair`] behave.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    /// Most bytes that one read gives; at least 1. `usize::MAX`: always all there are.
    pub read: usize,
    /// Most bytes that one write takes; at least 1. `usize::MAX`: always all there is room for.
    pub write: usize,
    /// Of 100 polls, how many say "not now" first. The task is woken at once. At most 95.
    pub pending: u8,
    /// Bytes that may be on the way in each direction: a peer that does not read stalls the one
    /// that writes. At least 1.
    pub capacity: usize,
    /// Whether vectored writes are offered, and taken from more than one slice.
    pub vectored: bool,
}

impl Default for Habits {
    /// Short, slow, vectored.
    fn default() -> Self {
        Self {
            read: 7,
            write: 5,
            pending: 40,
            capacity: 64,
            vectored: true,
        }
    }
}

impl Habits {
    /// Everything at once: what a test compares with.
    #[must_use]
    pub fn kind() -> Self {
        let all = usize::MAX;
        Self {
            read: all,
            write: all,
            pending: 0,
            capacity: all,
            vectored: true,
        }
    }

    /// One byte at a time.
    #[must_use]
    pub fn trickle() -> Self {
        Self {
            read: 1,
            write: 1,
            ..Self::default()
        }
    }

    /// Habits chosen by a seed.
    #[must_use]
    pub fn random(rng: &mut Rng) -> Self {
        Self {
            read: *rng.pick(&[1, 2, 13, 100, 5_000]),
            write: *rng.pick(&[1, 3, 16, 200, 5_000]),
            pending: *rng.pick(&[0, 10, 50, 90]),
            capacity: *rng.pick(&[1, 10, 130, 4_096, 1 << 20]),
            vectored: rng.chance(50),
        }
    }
}

/// The two ends of a connection.
#[must_use]
pub fn pair(seed: u64, habits: Habits) -> (Hostile, Hostile) {
    let (one, other) = (Shared::default(), Shared::default());
    let end = |incoming: &Shared, outgoing: &Shared, seed| Hostile {
        incoming: incoming.clone(),
        outgoing: outgoing.clone(),
        habits,
        rng: Rng::new(seed),
        counts: Counts::default(),
    };
    (end(&one, &other, seed), end(&other, &one, !seed))
}

/// One end. Dropped, the other reads what is on the way and then the end of the stream, and its
/// writes fail.
#[derive(Debug)]
pub struct Hostile {
    incoming: Shared,
    outgoing: Shared,
    habits: Habits,
    rng: Rng,
    counts: Counts,
}

/// What was done with one end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Reads that gave bytes or the end.
    pub reads: usize,
    /// Writes that took bytes.
    pub writes: usize,
    /// Flushes that were done.
    pub flushes: usize,
    /// Bytes read.
    pub bytes_read: usize,
    /// Bytes written.
    pub bytes_written: usize,
}

type Shared = Arc<Mutex<Pipe>>;

/// One direction.
#[derive(Debug, Default)]
struct Pipe {
    bytes: VecDeque<u8>,
    /// The writer will write no more.
    ended: bool,
    /// The reader is gone.
    deaf: bool,
    /// The connection was reset.
    reset: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Pipe {
    fn wake(&mut self) {
        for waker in [self.reader.take(), self.writer.take()]
            .into_iter()
            .flatten()
        {
            waker.wake();
        }
    }
}

impl Hostile {
    /// Ends the connection as a reset does: what is on the way is lost, reads and writes of both
    /// ends fail.
    pub fn reset(self) {
        for pipe in [&self.incoming, &self.outgoing] {
            let mut pipe = lock(pipe);
            pipe.reset = true;
            pipe.bytes.clear();
            pipe.wake();
        }
    }

    /// From now on this end behaves so.
    pub fn set_habits(&mut self, habits: Habits) {
        self.habits = habits;
    }

    /// What was done with this end so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Bytes that the other end has written and this one has not read.
    #[must_use]
    pub fn unread(&self) -> usize {
        lock(&self.incoming).bytes.len()
    }

    /// "Not now", as often as the habits say.
    fn mood(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.rng.chance(self.habits.pending.min(95)) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// How much of what is possible happens.
    fn some(&mut self, most: usize, possible: usize) -> usize {
        if most == usize::MAX {
            return possible;
        }
        1 + self.rng.below(most.min(possible).max(1))
    }

    fn take(&mut self, slices: &[IoSlice<'_>], cx: &Context<'_>) -> Poll<Result<usize>> {
        ready!(self.mood(cx));
        let offered: usize = slices.iter().map(|slice| slice.len()).sum();
        let shared = self.outgoing.clone();
        let mut pipe = lock(&shared);
        if pipe.reset {
            return Poll::Ready(Err(ErrorKind::ConnectionReset.into()));
        }
        if pipe.deaf || pipe.ended {
            return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
        }
        if offered == 0 {
            return Poll::Ready(Ok(0));
        }
        let room = self.habits.capacity.max(1).saturating_sub(pipe.bytes.len());
        if room == 0 {
            pipe.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let most = self.habits.write;
        let n = self.some(most, room.min(offered));
        let bytes = slices.iter().flat_map(|slice| slice.iter());
        pipe.bytes.extend(bytes.take(n));
        pipe.wake();
        self.counts.writes += 1;
        self.counts.bytes_written += n;
        Poll::Ready(Ok(n))
    }
}

impl AsyncRead for Hostile {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        ready!(self.mood(cx));
        let shared = self.incoming.clone();
        let mut pipe = lock(&shared);
        if pipe.reset {
            return Poll::Ready(Err(ErrorKind::ConnectionReset.into()));
        }
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        if pipe.bytes.is_empty() && !pipe.ended {
            pipe.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        self.counts.reads += 1;
        if !pipe.bytes.is_empty() {
            let possible = pipe.bytes.len().min(buf.remaining());
            let most = self.habits.read;
            let n = self.some(most, possible);
            let bytes: Vec<u8> = pipe.bytes.drain(..n).collect();
            buf.put_slice(&bytes);
            self.counts.bytes_read += n;
        }
        pipe.wake();
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Hostile {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<Result<usize>> {
        self.take(&[IoSlice::new(buf)], cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let full = bufs.iter().position(|buf| !buf.is_empty()).unwrap_or(0);
        let one = bufs.get(full..=full).unwrap_or_default();
        let bufs = if self.habits.vectored { bufs } else { one };
        self.take(bufs, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.habits.vectored
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        ready!(self.mood(cx));
        self.counts.flushes += 1;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        ready!(self.mood(cx));
        let mut pipe = lock(&self.outgoing);
        if pipe.reset {
            return Poll::Ready(Err(Error::from(ErrorKind::ConnectionReset)));
        }
        pipe.ended = true;
        pipe.wake();
        Poll::Ready(Ok(()))
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        let mut pipe = lock(&self.incoming);
        pipe.deaf = true;
        pipe.wake();
        drop(pipe);
        let mut pipe = lock(&self.outgoing);
        pipe.ended = true;
        pipe.wake();
    }
}

/// A test that panicked elsewhere does not matter here.
fn lock(pipe: &Shared) -> MutexGuard<'_, Pipe> {
    pipe.lock().unwrap_or_else(PoisonError::into_inner)
}
