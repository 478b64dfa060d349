//! What goes out: staged frames, the frame that is half written, and what is owed to the peer.
#![allow(unreachable_pub)]

#[cfg(feature = "deflate")]
mod packed;
mod writing;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use tokio::time::Sleep;
use wirelet::frame::Header;
use wirelet::{CloseCode, Kind, Masking, SendError};

use crate::clock::Clock;
#[cfg(feature = "deflate")]
use crate::deflate::Deflating;
use crate::slot::Rules;
use crate::wakers::{Side, Wakers, store, wake};
use crate::{Error, Prepared, pool};

/// Payloads up to this many bytes are copied behind their header, so that a batch of them leaves in
/// one write; larger ones leave beside it in a vectored write, without a copy.
///
/// A copy of 16 KiB costs a fraction of a system call.
const COPIED: usize = 16 << 10;

/// Bytes of the largest control frame (RFC 6455 section 5.5).
const CONTROL: usize = Header::MAX_LEN + 125;

pub struct Outgoing {
    /// Only while something is staged, or a frame or message is open: then it cannot be made anew.
    outbox: Option<Box<Outbox>>,
    keys: Keys,
    pub(crate) connection: Rules,
    pub(crate) clock: Clock,
    /// The end was reported to who receives: nothing more is written.
    over: bool,
    /// Payload of the open frame that goes out behind the outbox.
    /// Boxed, for it is rarely there: never empty.
    tail: Option<Box<Bytes>>,
    /// The open frame will never be whole: who announced its length has gone.
    abandoned: bool,
    /// The transport took bytes since it was flushed.
    unflushed: bool,
    /// Since when a write has made no progress: until the patience of the connection ends.
    stalled: Option<Pin<Box<Sleep>>>,
    /// Who waits to receive: the sending half tells it when it closes.
    watching: Option<Waker>,
    /// Both halves may wait for the same writer, but a writer keeps one waker.
    wakers: Option<Arc<Wakers>>,
    #[cfg(feature = "deflate")]
    deflating: Option<Box<Deflating>>,
}

pub(crate) type Outbox = wirelet::Outbox<Vec<u8>, Keys>;

/// A client's random numbers, or none.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Keys {
    Server,
    Client,
}

impl Masking for Keys {
    #[inline]
    fn next_key(&mut self) -> Option<[u8; 4]> {
        match self {
            Self::Server => None,
            Self::Client => Some(random_key()),
        }
    }
}

/// RFC 6455 section 10.3: a generator that cannot be predicted.
#[inline(never)]
fn random_key() -> [u8; 4] {
    rand::random()
}

/// Whether a payload goes through the outbox or beside it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fed {
    Staged,
    /// The header is staged, the payload is the caller's to write.
    Begun,
}

impl Outgoing {
    pub(crate) fn new(keys: Keys, connection: Rules, clock: Clock) -> Self {
        Self {
            outbox: None,
            keys,
            connection,
            clock,
            over: false,
            tail: None,
            abandoned: false,
            unflushed: false,
            stalled: None,
            watching: None,
            wakers: None,
            #[cfg(feature = "deflate")]
            deflating: None,
        }
    }

    /// Stages a message that is to be copied, if nothing stands in its way. False: nothing happened.
    #[inline]
    pub(crate) fn feed_at_once(&mut self, kind: Kind, payload: &[u8]) -> bool {
        if payload.len() > COPIED || !self.is_open() || self.connection.owed().is_some() {
            return false;
        }
        #[cfg(feature = "deflate")]
        if self.wants(payload.len()) {
            return false;
        }
        let keys = self.keys;
        let outbox = self.outbox.get_or_insert_with(|| pool::take_outbox(keys));
        // One without a buffer has no room, and gets it elsewhere.
        outbox.data(kind, payload).is_ok()
    }

    /// Stages a message, or the header of one that is too large to be copied.
    pub(crate) fn poll_feed<W: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        side: Side,
        writer: &mut W,
        kind: Kind,
        payload: &[u8],
    ) -> Poll<Result<Fed, Error>> {
        self.may_begin()?;
        #[cfg(feature = "deflate")]
        if self.wants(payload.len())
            && ready!(self.poll_feed_packed(cx, side, writer, kind, payload))?
        {
            return Poll::Ready(Ok(Fed::Staged));
        }
        self.poll_stage(cx, side, writer, |outbox| {
            if payload.len() <= COPIED {
                outbox.data(kind, payload).map(|()| Fed::Staged)
            } else {
                outbox
                    .begin(kind, length(payload), true)
                    .map(|()| Fed::Begun)
            }
        })
    }

    /// Stages a frame by `stage`, when there is room and no other frame is open.
    #[inline]
    pub(crate) fn poll_stage<W: AsyncWrite + Unpin, T>(
        &mut self,
        cx: &mut Context<'_>,
        side: Side,
        writer: &mut W,
        stage: impl Fn(&mut Outbox) -> Result<T, SendError>,
    ) -> Poll<Result<T, Error>> {
        loop {
            if !self.is_open() {
                return Poll::Ready(Err(SendError::Closed.into()));
            }
            self.pay();
            match stage(self.lend()) {
                Err(SendError::Full | SendError::FrameOpen) if !self.is_flushed() => {
                    ready!(self.poll_flush(cx, side, writer))?;
                }
                done => return Poll::Ready(done.map_err(Error::from)),
            }
        }
    }

    /// As [`poll_flush`](Self::poll_flush), and ready only when the Close that is owed is written,
    /// too: it waits for the end of a frame that the other half is in the middle of.
    pub(crate) fn poll_settle<W: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        side: Side,
        writer: &mut W,
    ) -> Poll<Result<(), Error>> {
        ready!(self.poll_flush(cx, side, writer))?;
        if side != Side::Alone && self.connection.owed().is_some() && !self.abandoned {
            store(self.wakers.get_or_insert_default().slot(side), cx.waker());
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    /// The connection is over: the other half, if it waits for the writer, waits in vain.
    pub(crate) fn end(&mut self, side: Side) {
        self.over = true;
        self.wake_other(side);
    }

    /// Stages what is owed, as far as there is room: a Pong or a Close that does not fit stays owed.
    #[inline]
    pub(crate) fn pay(&mut self) {
        if self.connection.owed().is_some() {
            self.pay_all();
        }
    }

    #[cold]
    fn pay_all(&mut self) {
        while let Some(owed) = self.connection.owed() {
            let outbox = lend(&mut self.outbox, self.keys);
            // A header must fit behind it: so much was promised if a sink is ready.
            let room = outbox.room();
            if room < CONTROL + Header::MAX_LEN && !outbox.pending().is_empty() {
                return;
            }
            match outbox.control(owed.control, owed.payload) {
                Ok(()) | Err(SendError::Closed) => self.connection.paid(self.clock.now()),
                Err(_) => return,
            }
        }
    }

    /// Ends the connection from this side: the Close frame is staged before this returns, or as
    /// soon as there is room.
    pub(crate) fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), SendError> {
        if self.over {
            return Err(SendError::Closed);
        }
        // A Ping that came before is answered before.
        self.pay();
        self.connection.close(code, reason, self.clock.now())?;
        self.pay();
        if let Some(receiving) = self.watching.take() {
            receiving.wake();
        }
        Ok(())
    }

    /// Ready when [`start`](Self::start) takes a message of any size.
    pub(crate) fn poll_ready<W: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        side: Side,
        writer: &mut W,
    ) -> Poll<Result<(), Error>> {
        let outbox = self.lend();
        if outbox.missing() > 0 || outbox.room() < COPIED + Header::MAX_LEN {
            ready!(self.poll_flush(cx, side, writer))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Stages a message whose payload is shared, without waiting.
    pub(crate) fn start(&mut self, message: &Prepared) -> Result<(), SendError> {
        self.may_begin()?;
        self.pay();
        let (kind, payload) = (message.kind(), message.payload());
        #[cfg(feature = "deflate")]
        if let Some(packed) = self.pack(message) {
            let len = length(&packed);
            self.lend().begin_compressed(kind, len, true)?;
            if !self.copy(&packed) {
                self.adopt(packed);
            }
            return Ok(());
        }
        self.lend().begin(kind, length(payload), true)?;
        if !self.copy(payload) {
            self.adopt(payload.clone());
        }
        Ok(())
    }

    /// Stages the whole payload of the frame that was begun. `false`: it must go out beside.
    fn copy(&mut self, payload: &[u8]) -> bool {
        // What was owed may have taken the room since it was promised: then only the header fits.
        let outbox = self.lend();
        let fits = payload.len() <= outbox.room().min(COPIED);
        if fits {
            outbox.write(payload);
        }
        fits
    }

    /// Whether a message may start now.
    pub(crate) fn may_begin(&self) -> Result<(), SendError> {
        let outbox = self.outbox.as_ref();
        match outbox.and_then(|outbox| outbox.sender().open_message()) {
            _ if !self.is_open() => Err(SendError::Closed),
            Some(_) => Err(SendError::MessageOpen),
            None => Ok(()),
        }
    }

    /// The rest of a frame, to be written by whatever is called next.
    pub(crate) fn adopt(&mut self, tail: Bytes) {
        self.tail = (!tail.is_empty()).then(|| Box::new(tail));
    }

    /// The rest of a frame whose sender has gone away. The receiving half, if it waits, sees to it
    /// that the frame becomes whole: a Pong or a Close may be owed behind it.
    pub(crate) fn inherit(&mut self, tail: Bytes) {
        self.adopt(tail);
        if let Some(wakers) = &self.wakers {
            wake(&wakers.receive);
        }
        if let Some(receiving) = self.watching.take() {
            receiving.wake();
        }
    }

    /// The open frame will never be whole, so nothing can follow it, not even a Close.
    pub(crate) fn abandon(&mut self) {
        self.abandoned = true;
        if let Some(wakers) = &self.wakers {
            wake(&wakers.receive);
        }
    }

    fn is_open(&self) -> bool {
        self.connection.is_open() && !self.over
    }

    /// All that was staged is written.
    fn is_flushed(&self) -> bool {
        self.pending().is_empty() && self.tail.is_none()
    }

    fn pending(&self) -> &[u8] {
        self.outbox.as_ref().map_or(&[], |outbox| outbox.pending())
    }

    /// Bytes of payload that the open frame still wants.
    fn missing(&self) -> u64 {
        self.outbox.as_ref().map_or(0, |outbox| outbox.missing())
    }

    /// There is nothing to write, to flush, or to give back.
    #[inline]
    fn is_idle(&self) -> bool {
        let buffer = self.outbox.as_ref().map(|outbox| outbox.buffer());
        buffer.is_none_or(Vec::is_empty)
            && self.tail.is_none()
            && !self.unflushed
            && self.connection.owed().is_none()
    }

    /// The other half may go on, if it waits for the writer.
    pub(crate) fn wake_other(&self, side: Side) {
        match (&self.wakers, side) {
            (Some(wakers), Side::Receive) => wake(&wakers.send),
            (Some(wakers), Side::Send) => wake(&wakers.receive),
            _ => {}
        }
    }

    /// Who receives waits, and wants to know when the sending half closes: its deadline changes then.
    /// Tells whether it was the same who waited last.
    pub(crate) fn watch_close(&mut self, cx: &Context<'_>) -> bool {
        let watches = |waker: &Waker| waker.will_wake(cx.waker());
        let same = self.watching.as_ref().is_some_and(watches);
        if !same {
            self.watching = Some(cx.waker().clone());
        }
        same
    }

    /// The outbox, with a buffer.
    #[inline]
    fn lend(&mut self) -> &mut Outbox {
        lend(&mut self.outbox, self.keys)
    }

    /// Nothing is staged: the buffer goes back, and the outbox if it is as new.
    fn rest(&mut self) {
        let Some(outbox) = &mut self.outbox else {
            return;
        };
        if !outbox.is_between_messages() {
            if let Ok(buffer) = outbox.replace(Vec::new()) {
                pool::give(buffer);
            }
        } else if outbox.pending().is_empty() {
            self.give_back();
        }
    }

    fn give_back(&mut self) {
        if let Some(outbox) = self.outbox.take() {
            pool::give_outbox(outbox);
        }
    }
}

fn lend(outbox: &mut Option<Box<Outbox>>, keys: Keys) -> &mut Outbox {
    let outbox = outbox.get_or_insert_with(|| pool::take_outbox(keys));
    if outbox.buffer().is_empty() {
        let _ = outbox.replace(pool::take(pool::SIZE));
    }
    outbox
}

fn length(payload: &[u8]) -> u64 {
    payload.len().try_into().unwrap_or(u64::MAX)
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        if let Some(outbox) = &mut self.outbox {
            outbox.sent(usize::MAX);
        }
        self.give_back();
    }
}
