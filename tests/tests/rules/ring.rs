//! A transport that lends its memory as a TCP socket does: rings, whose bytes and whose room lie in
//! one piece or in two.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::poll_fn;
use std::task::ready;

use wirelet_embassy::{Error, Ready, Transport, Want};

use crate::line::{Log, Pieces, not_now};

/// Gives the input as it was cut, as far as it fits the ring, then the end of the stream.
pub(crate) struct Rings<'a> {
    pieces: Pieces<'a>,
    ready: bool,
    log: &'a RefCell<Log>,
    received: Ring,
    to_send: Ring,
}

struct Ring {
    memory: Vec<u8>,
    start: usize,
    len: usize,
}

impl Ring {
    /// Begins anywhere, so that it wraps anywhere.
    fn new(size: usize, start: usize) -> Self {
        Self {
            memory: vec![0; size],
            start: start % size,
            len: 0,
        }
    }

    /// As many bytes as lie in one piece.
    fn held(&mut self) -> &mut [u8] {
        let end = self.memory.len().min(self.start + self.len);
        &mut self.memory[self.start..end]
    }

    fn consume(&mut self, n: usize) {
        self.start = (self.start + n) % self.memory.len();
        self.len -= n;
    }

    /// As much room as lies in one piece.
    fn spare(&mut self) -> &mut [u8] {
        let size = self.memory.len();
        let from = self.start + self.len;
        let room = if from < size {
            from..size
        } else {
            from - size..self.start
        };
        &mut self.memory[room]
    }

    fn room(&self) -> usize {
        self.memory.len() - self.len
    }

    /// Takes all of it, in one piece or two.
    fn put(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let spare = self.spare();
            let n = spare.len().min(bytes.len());
            spare[..n].copy_from_slice(&bytes[..n]);
            self.len += n;
            bytes = &bytes[n..];
        }
    }
}

impl<'a> Rings<'a> {
    /// With rings of so many bytes for receiving and for sending.
    pub(crate) fn new(pieces: Pieces<'a>, sizes: (usize, usize), log: &'a RefCell<Log>) -> Self {
        Self {
            ready: false,
            log,
            received: Ring::new(sizes.0, 5),
            to_send: Ring::new(sizes.1, sizes.1 - 1),
            pieces,
        }
    }

    fn send(&mut self) {
        while self.to_send.len > 0 {
            let some = self.to_send.held();
            self.log.borrow_mut().wire.extend_from_slice(some);
            let n = some.len();
            self.to_send.consume(n);
        }
    }
}

impl Transport for Rings<'_> {
    type Error = Infallible;

    fn input<R>(&mut self, f: impl FnOnce(&mut [u8]) -> (usize, R)) -> Option<R> {
        let held = self.received.held();
        if held.is_empty() {
            return None;
        }
        let (n, result) = f(held);
        self.received.consume(n);
        Some(result)
    }

    fn output(&mut self, f: impl FnOnce(&mut [u8]) -> usize) -> usize {
        let n = f(self.to_send.spare());
        self.to_send.len += n;
        self.log.borrow_mut().given = self.pieces.given;
        n
    }

    fn room(&self) -> usize {
        self.to_send.room()
    }

    fn capacity(&self) -> usize {
        self.to_send.memory.len()
    }

    async fn wait(this: &RefCell<Self>, want: Want) -> Result<Ready, Error<Infallible>> {
        poll_fn(|cx| {
            let this = &mut *this.borrow_mut();
            ready!(not_now(&mut this.ready, cx));
            this.send();
            if want.room > 0 {
                return Ok(Ready::Room).into();
            }
            if this.received.len == 0 {
                let some = this.pieces.next(this.received.room());
                this.received.put(some);
            }
            let ended = this.received.len == 0;
            Ok(if ended { Ready::End } else { Ready::Input }).into()
        })
        .await
    }

    async fn flush(this: &RefCell<Self>) -> Result<(), Error<Infallible>> {
        this.borrow_mut().send();
        Ok(())
    }

    async fn close(this: &RefCell<Self>) {
        this.borrow_mut().send();
    }
}
