//! A line that gives the input as it was cut.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use wirelet_tests::outcome::{End, Outcome};

/// Gives each piece of the input after it has said "not now", then the end of the stream. What is
/// written stays in the log.
pub(crate) struct Line<'a> {
    pub(crate) pieces: Pieces<'a>,
    ready: bool,
    log: &'a RefCell<Log>,
}

/// What was written.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) wire: Vec<u8>,
    /// Bytes of the input that were given when the last of it was written.
    pub(crate) given: usize,
}

/// The input, cut after each of the ascending positions.
pub(crate) struct Pieces<'a> {
    input: &'a [u8],
    cuts: &'a [usize],
    pub(crate) given: usize,
}

impl<'a> Pieces<'a> {
    pub(crate) fn new(input: &'a [u8], cuts: &'a [usize]) -> Self {
        Self {
            input,
            cuts,
            given: 0,
        }
    }

    /// What is left of a piece, `most` bytes of it; nothing at the end.
    pub(crate) fn next(&mut self, most: usize) -> &'a [u8] {
        while let [first, rest @ ..] = self.cuts
            && *first <= self.given
        {
            self.cuts = rest;
        }
        let to = self.cuts.first().copied().unwrap_or(self.input.len());
        let some = &self.input[self.given..to.min(self.given + most)];
        self.given += some.len();
        some
    }
}

impl Log {
    /// A rule that was broken was told before another piece was asked for.
    pub(crate) fn assert_in_time(&self, input: &[u8], cuts: &[usize], want: &Outcome) {
        if let End::Failed(rule) = want.end {
            let piece_ends = cuts.iter().copied().find(|cut| *cut >= want.at);
            let latest = piece_ends.unwrap_or(input.len());
            assert!(self.given <= latest, "{rule:?} told at {}", self.given);
        }
    }
}

impl<'a> Line<'a> {
    pub(crate) fn new(input: &'a [u8], cuts: &'a [usize], log: &'a RefCell<Log>) -> Self {
        Self {
            pieces: Pieces::new(input, cuts),
            ready: false,
            log,
        }
    }
}

impl AsyncRead for Line<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(not_now(&mut self.ready, cx));
        buf.put_slice(self.pieces.next(buf.remaining()));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line<'_> {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let log = &mut *self.log.borrow_mut();
        log.wire.extend(bytes);
        log.given = self.pieces.given;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Every other time.
pub(crate) fn not_now(ready: &mut bool, cx: &Context<'_>) -> Poll<()> {
    *ready = !*ready;
    if *ready {
        cx.waker().wake_by_ref();
        return Poll::Pending;
    }
    Poll::Ready(())
}
