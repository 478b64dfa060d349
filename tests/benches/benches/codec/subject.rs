//! What is measured, and the stream it reads from.

use std::hint::black_box;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::cases::Case;

/// A server's receiving side, or a part of it.
pub trait Subject: 'static {
    fn new(case: &Case) -> Self;

    /// Of so many frames one is shown.
    const SHOWN: usize = 1;

    /// Receives so many frames, or a few more, and shows their payload. Tells how many.
    fn receive(&mut self, frames: usize, each: impl FnMut(&[u8])) -> usize;
}

/// A line of a table.
#[derive(Clone, Copy)]
pub struct Row {
    pub name: &'static str,
    /// Which path is measured.
    pub path: &'static str,
    make: fn(&Case) -> Box<dyn Bench>,
}

impl Row {
    pub const fn new<S: Subject>(name: &'static str, path: &'static str) -> Self {
        Self {
            name,
            path,
            make: |case| {
                let subject = S::new(case);
                Box::new(Ready {
                    subject,
                    case: case.clone(),
                })
            },
        }
    }

    /// Ready to be measured: what it makes of the frames was compared with what was sent.
    pub fn checked(&self, case: &Case) -> Box<dyn Bench> {
        let mut bench = (self.make)(case);
        bench.check(self.name);
        bench
    }
}

/// A [`Subject`] whose type does not matter any more.
pub trait Bench {
    /// Receives so many frames, or a few more. Tells how many.
    fn run(&mut self, frames: usize) -> usize;

    /// Compares each payload with the one that was sent.
    fn check(&mut self, name: &str);
}

struct Ready<S> {
    subject: S,
    case: Case,
}

impl<S: Subject> Bench for Ready<S> {
    fn run(&mut self, frames: usize) -> usize {
        self.subject.receive(frames, |payload| {
            black_box(payload);
        })
    }

    fn check(&mut self, name: &str) {
        // Enough that each buffer was filled more than once.
        let frames = (256 << 10) / self.case.frame + 10;
        let mut seen = 0;
        let told = self.subject.receive(frames, |payload| {
            seen += 1;
            assert!(
                *payload == *self.case.payload,
                "{name}: frame {seen} of {:?}, {} bytes, is not what was sent",
                self.case.kind,
                self.case.payload.len()
            );
        });
        assert!(
            told >= frames && told == seen * S::SHOWN,
            "{name}: {seen} frames, told {told}"
        );
    }
}

/// A peer that has always sent enough: each read fills what it is given.
pub struct Stream {
    bytes: Rc<[u8]>,
    at: usize,
}

impl Stream {
    pub fn of(case: &Case) -> Self {
        Self {
            bytes: case.masked.clone(),
            at: 0,
        }
    }

    pub fn fill(&mut self, to: &mut [u8]) -> usize {
        let (len, mut at) = (to.len(), 0);
        self.give(len, |from| {
            to[at..at + from.len()].copy_from_slice(from);
            at += from.len();
        });
        len
    }

    /// The next bytes, so many, as they lie.
    pub fn give(&mut self, mut len: usize, mut to: impl FnMut(&[u8])) {
        while len > 0 {
            let from = &self.bytes[self.at..];
            let n = from.len().min(len);
            to(&from[..n]);
            len -= n;
            self.at += n;
            if self.at == self.bytes.len() {
                self.at = 0;
            }
        }
    }
}

impl io::Read for Stream {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        Ok(self.fill(to))
    }
}

/// Nothing is sent.
impl io::Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.get_mut()
            .give(to.remaining(), |from| to.put_slice(from));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The output of a future that never waits, as none does on a [`Stream`].
pub fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a stream that always has bytes was waited for"),
    }
}
