//! A transport in memory that does one step for every second time it is polled: first it says "not
//! now", then it moves a few bytes. So a future that is dropped after k polls was dropped at its
//! k-th await, for every k.
#![allow(dead_code)] // each test program uses a part of it

use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Both directions. What is read was there from the beginning; what is written stays in the [`Log`].
pub(crate) struct Steps {
    pub(crate) reader: StepReader,
    pub(crate) writer: StepWriter,
}

/// Gives `input`, then the end.
pub(crate) struct StepReader {
    pub(crate) input: Vec<u8>,
    pub(crate) end: End,
    /// Most bytes that one read gives.
    pub(crate) step: usize,
    pub(crate) ready: bool,
}

/// What comes behind the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The peer is silent.
    Never,
    Eof,
    Error(io::ErrorKind),
}

pub(crate) struct StepWriter {
    pub(crate) log: Log,
    /// Most bytes that one write takes.
    pub(crate) step: usize,
    pub(crate) vectored: bool,
    pub(crate) ready: bool,
}

/// What was done to the writer, for the test to see.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Written>>);

#[derive(Default)]
struct Written {
    bytes: Vec<u8>,
    shut: bool,
    dropped: bool,
}

impl Log {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().bytes.clone()
    }

    /// The transport was dropped.
    pub(crate) fn is_dropped(&self) -> bool {
        self.0.lock().unwrap().dropped
    }
}

impl Steps {
    /// Reads `input`, at most `step` bytes at a time, and writes as many.
    pub(crate) fn new(input: Vec<u8>, step: usize) -> (Self, Log) {
        let log = Log::default();
        let reader = StepReader {
            input,
            end: End::Never,
            step,
            ready: false,
        };
        let writer = StepWriter {
            log: log.clone(),
            step,
            vectored: true,
            ready: false,
        };
        (Self { reader, writer }, log)
    }

    pub(crate) fn split(self) -> (StepReader, StepWriter) {
        (self.reader, self.writer)
    }
}

/// "Not now", every other time.
fn step(ready: &mut bool, cx: &Context<'_>) -> Poll<()> {
    *ready = !*ready;
    if *ready {
        cx.waker().wake_by_ref();
        return Poll::Pending;
    }
    Poll::Ready(())
}

impl AsyncRead for StepReader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.input.is_empty() && self.end == End::Never {
            return Poll::Pending;
        }
        std::task::ready!(step(&mut self.ready, cx));
        if let (true, End::Error(kind)) = (self.input.is_empty(), self.end) {
            return Poll::Ready(Err(kind.into()));
        }
        let n = self.step.min(self.input.len()).min(buf.remaining());
        buf.put_slice(&self.input[..n]);
        self.input.drain(..n);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for StepWriter {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        std::task::ready!(step(&mut self.ready, cx));
        let mut written = self.log.0.lock().unwrap();
        if written.shut {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let before = written.bytes.len();
        let all = bufs.iter().flat_map(|buf| buf.iter());
        written.bytes.extend(all.take(self.step));
        Poll::Ready(Ok(written.bytes.len() - before))
    }

    fn is_write_vectored(&self) -> bool {
        self.vectored
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        step(&mut self.ready, cx).map(Ok)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(step(&mut self.ready, cx));
        self.log.0.lock().unwrap().shut = true;
        Poll::Ready(Ok(()))
    }
}

impl Drop for StepWriter {
    fn drop(&mut self) {
        self.log.0.lock().unwrap().dropped = true;
    }
}

impl AsyncRead for Steps {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.reader).poll_read(cx, buf)
    }
}

impl AsyncWrite for Steps {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.writer).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.writer).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.writer.vectored
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_shutdown(cx)
    }
}

/// Polls `future` this often, then drops it. `None`: it was not done by then.
pub(crate) async fn dropped_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    // All polls are in one turn of the runtime: its budget of a turn is not what is tested.
    let mut future = pin!(tokio::task::unconstrained(future));
    std::future::poll_fn(|cx| {
        for _ in 0..polls {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Some(output));
            }
        }
        Poll::Ready(None)
    })
    .await
}

/// Polls `future` to its end, which must come: the transport always goes on.
#[track_caller]
pub(crate) fn to_the_end<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let caller = std::panic::Location::caller();
    async move {
        let output = dropped_after(100_000, future).await;
        output.unwrap_or_else(|| panic!("waits for ever: {caller}"))
    }
}
