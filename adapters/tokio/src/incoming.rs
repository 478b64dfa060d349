//! What comes in: reads, whole messages or pieces of them, and the end of the connection.

mod ending;

use std::io;
use std::task::{Context, Poll, ready};

use tokio::io::ReadBuf;
#[cfg(feature = "deflate")]
use wirelet::deflate::Context as Compression;
use wirelet::{Control, Event, Found, Kind, Limits, Receiver, Role, What, Whole};

use self::ending::{Ending, Phase};
use crate::clock::Timer;
#[cfg(feature = "deflate")]
use crate::deflate::Inflating;
use crate::link::Link;
use crate::unmask::Widest;
use crate::wakers::Side;
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

pub(crate) type Inbox = wirelet::Inbox<Vec<u8>>;

#[allow(unreachable_pub)]
pub struct Incoming {
    /// Only while there is something in it, or a message is open: then it cannot be made anew.
    inbox: Option<Box<Inbox>>,
    limits: Limits,
    role: Role,
    timer: Timer,
    phase: Phase,
    /// Most bytes held since there is a buffer, or since there was one.
    peak: usize,
    /// The rest of the open message is not wanted: whoever read it in pieces has gone.
    skip: bool,
    #[cfg(feature = "deflate")]
    inflating: Option<Box<Inflating>>,
}

/// A message, or a piece of one.
pub(crate) struct Piece<'a> {
    pub(crate) kind: Kind,
    pub(crate) payload: &'a [u8],
    /// It is the first and the last. Then text is UTF-8.
    pub(crate) whole: bool,
    pub(crate) end: bool,
}

/// What can be taken.
#[allow(unreachable_pub)]
pub enum Next {
    /// To be lent at once.
    Whole(Whole),
    /// To be taken; it stays until then.
    Found(Found),
}

/// How messages are handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(unreachable_pub)]
pub enum Policy {
    Whole,
    Pieces,
    /// Messages are read and dropped, until the peer closes.
    Discard,
}

impl Incoming {
    pub(crate) fn new(role: Role, limits: Limits) -> Self {
        Self {
            inbox: None,
            limits,
            role,
            timer: Timer::default(),
            phase: Phase::Open,
            peak: 0,
            skip: false,
            #[cfg(feature = "deflate")]
            inflating: None,
        }
    }

    #[cfg(feature = "deflate")]
    pub(crate) const fn role(&self) -> Role {
        self.role
    }

    /// The peer may compress.
    #[cfg(feature = "deflate")]
    pub(crate) fn inflate(&mut self, context: Compression) {
        if let Some(inbox) = &mut self.inbox {
            inbox.allow_rsv1();
        }
        let limit = self.limits.message;
        let inflating = Inflating::new(context, Limits::NONE.with_message(limit));
        self.inflating = Some(Box::new(inflating));
    }

    /// Bytes that came behind the head of the handshake.
    pub(crate) fn preload(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let inbox = self.with_buffer(None, bytes.len());
        let inbox = self.inbox.insert(inbox);
        inbox.spare()[..bytes.len()].copy_from_slice(bytes);
        inbox.filled(bytes.len());
    }

    /// Lends what [`poll_next`](Self::poll_next) has come to.
    #[inline(always)]
    pub(crate) fn lend(&mut self, next: Next) -> Option<Piece<'_>> {
        match next {
            Next::Whole(whole) => Some(Piece {
                kind: whole.kind,
                payload: self.inbox.as_mut()?.lend(whole),
                whole: true,
                end: true,
            }),
            Next::Found(_) => self.take(),
        }
    }

    /// Lends what [`poll_next`](Self::poll_next) has found.
    pub(crate) fn take(&mut self) -> Option<Piece<'_>> {
        #[cfg(feature = "deflate")]
        if self.has_inflated() {
            return self.take_up_to(usize::MAX);
        }
        self.inbox.as_mut()?.take().and_then(piece)
    }

    /// Lends at most `max` bytes of it: the rest stays, as the next piece.
    pub(crate) fn take_up_to(&mut self, max: usize) -> Option<Piece<'_>> {
        #[cfg(feature = "deflate")]
        if self.has_inflated() {
            let inflated = self.inflating.as_mut()?.take_up_to(max)?;
            return Some(Piece {
                kind: inflated.kind,
                payload: inflated.payload,
                whole: inflated.start && inflated.end,
                end: inflated.end,
            });
        }
        self.inbox.as_mut()?.take_up_to(max).and_then(piece)
    }

    #[cfg(feature = "deflate")]
    fn has_inflated(&self) -> bool {
        let inflating = self.inflating.as_ref();
        inflating.is_some_and(|inflating| inflating.found().is_some())
    }

    fn find(&mut self, pieces: bool) -> Result<Option<Found>, wirelet::Error> {
        let Some(inbox) = &mut self.inbox else {
            #[cfg(feature = "deflate")]
            return Ok(self.inflating.as_ref().and_then(|it| it.found()));
            #[cfg(not(feature = "deflate"))]
            return Ok(None);
        };
        #[cfg(feature = "deflate")]
        if let Some(inflating) = &mut self.inflating {
            return inflating.find(inbox, pieces);
        }
        if pieces {
            inbox.ready_piece_by(Widest)
        } else {
            inbox.ready_growing_by(Widest)
        }
    }

    /// What was begun in pieces and not read to its end is skipped from here on.
    pub(crate) fn skip_rest(&mut self) {
        self.skip = true;
    }

    /// A message that is all there in one frame, if nothing has to be done before. It is to be
    /// [lent](Self::lend) at once.
    #[inline(always)]
    pub(crate) fn whole(&mut self) -> Option<Next> {
        #[cfg(feature = "deflate")]
        if self.has_inflated() {
            return None;
        }
        if !matches!(self.phase, Phase::Open) || self.skip {
            return None;
        }
        self.inbox.as_mut()?.whole_by(Widest).map(Next::Whole)
    }

    /// There is nothing to look at.
    fn is_empty(&self) -> bool {
        #[cfg(feature = "deflate")]
        if self.has_inflated() {
            return false;
        }
        self.inbox.as_ref().is_none_or(|inbox| inbox.is_empty())
    }

    /// Waits until a message, or a piece of one, can be taken from the inbox. `None`: the peer
    /// closed the connection cleanly, or its end was reported before.
    ///
    /// What is staged is written before this waits, and what is owed before it returns.
    pub(crate) fn poll_next<L: Link>(
        &mut self,
        cx: &mut Context<'_>,
        link: &mut L,
        policy: Policy,
    ) -> Poll<Result<Option<Next>, Error>> {
        link.poll_next(self, cx, policy)
    }

    /// The same, by a way that is not looked for again.
    #[inline(never)]
    pub(crate) fn poll_next_by<L: Link>(
        &mut self,
        cx: &mut Context<'_>,
        link: &mut L,
        policy: Policy,
    ) -> Poll<Result<Option<Next>, Error>> {
        let mut controls = false;
        loop {
            // Most often nothing was left when this waited.
            if (!matches!(self.phase, Phase::Open) || !self.is_empty())
                && let Some(next) = self.poll_found(cx, link, policy, &mut controls)
            {
                return next;
            }
            match ready!(self.poll_fill(cx, link)) {
                Ok(()) if policy == Policy::Whole => {
                    if let Some(next) = self.whole() {
                        settle(cx, link, controls);
                        return Poll::Ready(Ok(Some(next)));
                    }
                }
                Ok(()) => {}
                Err(error) => self.end(link, error),
            }
        }
    }

    /// Looks at what is there, and sees to the end of the connection. `None`: more bytes are needed.
    #[inline(never)]
    fn poll_found<L: Link>(
        &mut self,
        cx: &mut Context<'_>,
        link: &mut L,
        policy: Policy,
        controls: &mut bool,
    ) -> Option<Poll<Result<Option<Next>, Error>>> {
        loop {
            if !matches!(self.phase, Phase::Open) {
                return Some(self.poll_end(cx, link).map_ok(|()| None));
            }
            match self.find(self.skip || policy != Policy::Whole) {
                Ok(Some(Found {
                    what: What::Control(control),
                    end,
                    ..
                })) => {
                    self.on_control(link, control, end);
                    *controls = true;
                }
                Ok(Some(found)) if self.skip || policy == Policy::Discard => {
                    let _ = self.take();
                    // Whatever is called next, no rest of a message is taken for one.
                    self.skip = !found.end;
                }
                // The rest of a message whose start was taken in pieces is not a message.
                Ok(Some(found)) if policy == Policy::Whole && !(found.start && found.end) => {
                    let _ = self.take();
                    self.skip = !found.end;
                }
                Ok(Some(found)) => {
                    settle(cx, link, *controls);
                    return Some(Poll::Ready(Ok(Some(Next::Found(found)))));
                }
                Ok(None) => return None,
                Err(error) => self.end(link, Error::Protocol(error)),
            }
        }
    }

    fn on_control<L: Link>(&mut self, link: &mut L, control: Control, end: bool) {
        let Some(event) = self.inbox.as_mut().and_then(|inbox| inbox.take()) else {
            return;
        };
        link.with(|out, _| {
            out.connection.on_event(&event);
            out.pay();
        });
        if control == Control::Close && end {
            self.phase = Phase::Ending(Ending::Flush, None);
            link.with(|out, _| out.wake_other(Side::Receive));
        }
    }

    /// Writes what is staged, then reads.
    fn poll_fill<L: Link>(
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
    fn with_buffer(&self, inbox: Option<Box<Inbox>>, size: usize) -> Box<Inbox> {
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
    fn rest(&mut self) {
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

    fn give_back(&mut self) {
        if let Some(inbox) = self.inbox.take() {
            pool::give_inbox(inbox);
        }
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if let Some(inbox) = &mut self.inbox {
            let _ = inbox.take();
        }
        self.give_back();
    }
}

/// A Pong is on the wire before the application sees what came after the Ping, whatever it does
/// next. An error of the writer is met again.
#[inline]
fn settle<L: Link>(cx: &mut Context<'_>, link: &mut L, controls: bool) {
    if controls {
        let side = link.side();
        let _ = link.with(|out, writer| out.poll_flush(cx, side, writer));
    }
}

fn piece(event: Event<'_>) -> Option<Piece<'_>> {
    match event.what {
        What::Data { kind, compressed } => Some(Piece {
            kind,
            payload: event.payload,
            // Text is checked where it is inflated.
            whole: event.start && event.end && !compressed,
            end: event.end,
        }),
        What::Control(_) => None,
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
