//! Bytes on their way in: reads, the buffer that they go to, and deadlines while nothing comes.

use std::io;
use std::task::{Context, Poll, ready};

use tokio::io::ReadBuf;
use wirelet::Receiver;

use super::{Inbox, Incoming};
use crate::link::Link;
use crate::{Error, pool};

/// A buffer with fewer held bytes than one in this many is exchanged for a smaller one before the
/// connection waits: a peer that sends the start of a frame and no more pins little.
pub(crate) const SPARSE: usize = 16;

/// How a buffer grows when a message fills it. Each step moves what came so far, and only as many
/// bytes as came already decide on it: a declared length reserves nothing.
pub(crate) const GROWTH: usize = 4;

/// Bytes of room behind a message that is as long as it may be: for the control frames that may
/// come before its last, empty, fragment.
const BETWEEN: usize = 4 << 10;

impl Incoming {
    /// Writes what is staged, then reads.
    pub(super) fn poll_fill<L: Link>(
        &mut self,
        cx: &mut Context<'_>,
        link: &mut L,
    ) -> Poll<Result<(), Error>> {
        let side = link.side();
        loop {
            // Pending here is no reason not to read: two peers that both wait for the other to
            // read would wait for ever.
            let flushed = link.with(|out, writer| out.poll_flush(cx, side, writer));
            if let Poll::Ready(Err(error)) = flushed {
                return Poll::Ready(self.fill_despite(cx, link, error));
            }
            if let Poll::Ready(filled) = self.poll_read(cx, link) {
                return Poll::Ready(filled);
            }
            self.rest();
            ready!(self.poll_deadline(cx, link))?;
        }
    }

    /// An error of the writer is no reason not to read: what the peer said before it went, its Close
    /// perhaps, is still there.
    #[cold]
    fn fill_despite<L: Link>(
        &mut self,
        cx: &mut Context<'_>,
        link: &mut L,
        error: Error,
    ) -> Result<(), Error> {
        let error = match error {
            // A peer that reads nothing has had its time, however much it sends.
            Error::Timeout(_) => return Err(error),
            Error::Io(error) => disconnected(error),
            error => error,
        };
        match self.poll_read(cx, link) {
            Poll::Ready(Ok(())) => Ok(()),
            // Of two errors the first.
            _ => Err(error),
        }
    }

    #[inline(always)]
    fn poll_read<L: Link>(
        &mut self,
        cx: &mut Context<'_>,
        link: &mut L,
    ) -> Poll<Result<(), Error>> {
        let inbox = self.make_room();
        let mut buf = ReadBuf::new(inbox.spare());
        if let Err(error) = ready!(link.poll_read(cx, &mut buf)) {
            return Poll::Ready(Err(disconnected(error)));
        }
        let n = buf.filled().len();
        if n == 0 {
            return Poll::Ready(Err(Error::Disconnected));
        }
        inbox.filled(n);
        let held = inbox.len();
        self.peak = self.peak.max(held);
        Poll::Ready(link.with(|out, _| {
            let now = out.clock.now();
            out.connection.heard(now);
            // A peer that never stops sending would keep the timer from its turn.
            let late = !out.connection.is_open();
            let late = late.then(|| out.connection.on_timeout(now)).flatten();
            late.map_or(Ok(()), |timeout| Err(Error::Timeout(timeout)))
        }))
    }

    /// Ready when a deadline made something to do: a Ping is owed, or time is over.
    fn poll_deadline<L: Link>(
        &mut self,
        cx: &mut Context<'_>,
        link: &mut L,
    ) -> Poll<Result<(), Error>> {
        let (clock, deadline, same) = link.with(|out, _| {
            let same = out.watch_close(cx);
            (out.clock, out.connection.poll_timeout(), same)
        });
        if same && self.timer.is_set(&clock, deadline) {
            return Poll::Pending;
        }
        self.poll_timer(cx, link)
    }

    #[inline(never)]
    fn poll_timer<L: Link>(
        &mut self,
        cx: &mut Context<'_>,
        link: &mut L,
    ) -> Poll<Result<(), Error>> {
        loop {
            let (clock, deadline) = link.with(|out, _| (out.clock, out.connection.poll_timeout()));
            ready!(self.timer.poll(cx, &clock, deadline));
            let owed = link.with(|out, _| match out.connection.on_timeout(out.clock.now()) {
                Some(timeout) => Err(timeout),
                None => Ok(out.connection.owed().is_some()),
            });
            match owed {
                Err(timeout) => return Poll::Ready(Err(Error::Timeout(timeout))),
                Ok(true) => return Poll::Ready(Ok(())),
                Ok(false) => {}
            }
        }
    }

    /// Room for the next read.
    #[inline]
    fn make_room(&mut self) -> &mut Inbox {
        let inbox = match self.inbox.take() {
            Some(inbox) if !inbox.buffer().is_empty() && !inbox.is_full() => inbox,
            other => self.with_room(other),
        };
        self.inbox.insert(inbox)
    }

    #[inline(never)]
    fn with_room(&mut self, inbox: Option<Box<Inbox>>) -> Box<Inbox> {
        match inbox {
            Some(mut inbox) if inbox.is_full() => {
                let limit = usize::try_from(self.limits.message).unwrap_or(usize::MAX);
                let size = inbox.buffer().len();
                let most = limit.max(size).saturating_add(BETWEEN);
                let size = size.saturating_mul(GROWTH).min(most);
                match inbox.replace(pool::take(size)) {
                    Ok(buffer) | Err(buffer) => pool::give(buffer),
                }
                inbox
            }
            without => {
                // As large as the last messages needed: who sends large ones sends more of them, and
                // growing anew would move each in steps.
                let size = self.peak.saturating_add(BETWEEN).max(pool::SIZE);
                self.peak = 0;
                self.with_buffer(without, size)
            }
        }
    }

    /// An inbox that has no buffer, or a new one, with a buffer of at least `size` bytes.
    pub(super) fn with_buffer(&self, inbox: Option<Box<Inbox>>, size: usize) -> Box<Inbox> {
        if let Some(mut inbox) = inbox {
            let _ = inbox.replace(pool::take(size));
            return inbox;
        }
        #[allow(unused_mut)]
        let mut receiver = Receiver::new(self.role, self.limits);
        #[cfg(feature = "deflate")]
        if self.inflating.is_some() {
            receiver.allow_rsv1();
        }
        pool::take_inbox(size, receiver)
    }

    /// Nothing more comes for now: holds no more than it needs.
    pub(super) fn rest(&mut self) {
        #[cfg(feature = "deflate")]
        if let Some(inflating) = &mut self.inflating {
            inflating.rest();
        }
        let Some(inbox) = &mut self.inbox else {
            return;
        };
        let (held, size) = (inbox.len(), inbox.buffer().len());
        let smaller = match held {
            0 if inbox.is_empty() && inbox.receiver().is_between_messages() => {
                return self.give_back();
            }
            0 if size == 0 => return,
            0 if inbox.is_empty() => Vec::new(),
            held if held < size / SPARSE => vec![0; (held * 2).max(256)],
            _ => return,
        };
        match inbox.replace(smaller) {
            Ok(buffer) | Err(buffer) => pool::give(buffer),
        }
    }

    pub(super) fn give_back(&mut self) {
        if let Some(inbox) = self.inbox.take() {
            pool::give_inbox(inbox);
        }
    }
}

/// A reset is an end without a Close frame, like any other.
fn disconnected(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => Error::Disconnected,
        _ => Error::Io(error),
    }
}
