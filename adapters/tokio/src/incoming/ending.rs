//! The end of a connection: who is told, and what has to be done before the transport may be dropped.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncWrite as _, ReadBuf};

use super::Incoming;
use crate::Error;
use crate::clock::Timer;
use crate::link::Link;
use crate::wakers::Side;

#[derive(Debug)]
pub(super) enum Phase {
    Open,
    /// Close frames were, or are being, exchanged; then this is the outcome.
    Ending(Ending, Option<Box<Error>>),
    /// The outcome was reported.
    Over,
}

/// What is left to do before the transport may be dropped without losing our Close frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Flush,
    Shutdown,
    Drain,
}

impl Incoming {
    /// Something went wrong: the peer is told if it can be.
    pub(super) fn end<L: Link>(&mut self, link: &mut L, error: Error) {
        let told = matches!(error, Error::Protocol(_));
        if let Error::Protocol(error) = error {
            if let Some(inbox) = &mut self.inbox {
                inbox.fail(error);
            }
            link.with(|out, _| {
                out.connection.fail(error, out.clock.now());
                out.pay();
                out.wake_other(Side::Receive);
            });
        }
        let ending = if told { Ending::Flush } else { Ending::Drain };
        self.phase = Phase::Ending(ending, Some(Box::new(error)));
        if !told {
            // Nothing can be written any more, and nothing else will come.
            self.timer = Timer::default();
        }
    }

    /// Sees our Close off: section 7.1.1 wants the server to close first, and a socket dropped
    /// with unread bytes in it may take back what was sent last.
    pub(super) fn poll_end<L: Link>(
        &mut self,
        cx: &mut Context<'_>,
        link: &mut L,
    ) -> Poll<Result<(), Error>> {
        let side = link.side();
        loop {
            let Phase::Ending(ending, outcome) = &mut self.phase else {
                return Poll::Ready(Ok(()));
            };
            let quiet = matches!(outcome.as_deref(), None | Some(Error::Protocol(_)));
            // A peer that never stops sending would keep the timer from its turn.
            let late = link.with(|out, _| out.connection.on_timeout(out.clock.now()));
            let step = match ending {
                _ if !quiet || late.is_some() => Poll::Ready(None),
                Ending::Flush => {
                    let flushed = link.with(|out, writer| out.poll_settle(cx, side, writer));
                    let client = link.with(|out, _| out.connection.expects_eof());
                    let next = if client {
                        Ending::Drain
                    } else {
                        Ending::Shutdown
                    };
                    flushed.map(|done| done.is_ok().then_some(next))
                }
                Ending::Shutdown => {
                    let failed = outcome.is_some();
                    let shut = link.with(|_, writer| Pin::new(writer).poll_shutdown(cx));
                    shut.map(|done| (done.is_ok() && failed).then_some(Ending::Drain))
                }
                Ending::Drain => poll_drain(cx, link).map(|()| None),
            };
            let step = match step {
                Poll::Pending => {
                    let (clock, deadline) =
                        link.with(|out, _| (out.clock, out.connection.poll_timeout()));
                    ready!(self.timer.poll(cx, &clock, deadline));
                    None
                }
                Poll::Ready(step) => step,
            };
            match step {
                Some(next) => *ending = next,
                None => {
                    let outcome = outcome.take();
                    self.phase = Phase::Over;
                    link.with(|out, _| out.end(side));
                    self.rest();
                    return Poll::Ready(outcome.map_or(Ok(()), |error| Err(*error)));
                }
            }
        }
    }
}

/// Reads to the end of the stream, without keeping any of it, and not for ever in one poll.
fn poll_drain<L: Link>(cx: &mut Context<'_>, link: &mut L) -> Poll<()> {
    let mut bytes = [0; 4096];
    for _ in 0..DRAIN_READS {
        let mut buf = ReadBuf::new(&mut bytes);
        match ready!(link.poll_read(cx, &mut buf)) {
            Ok(()) if !buf.filled().is_empty() => {}
            _ => return Poll::Ready(()),
        }
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}

/// Reads of 4 KiB in one poll while the end of the stream is waited for.
const DRAIN_READS: usize = 32;
