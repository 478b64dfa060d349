//! What comes in: whole messages or pieces of them, and the end of the connection.

mod ending;
mod reading;

use std::task::{Context, Poll, ready};

#[cfg(feature = "deflate")]
use wirelet::deflate::Context as Compression;
use wirelet::{Control, Event, Found, Kind, Limits, Role, What, Whole};

use self::ending::{Ending, Phase};
#[cfg(feature = "deflate")]
pub(crate) use self::reading::{GROWTH, SPARSE};
use crate::Error;
use crate::clock::Timer;
#[cfg(feature = "deflate")]
use crate::deflate::Inflating;
use crate::link::Link;
use crate::unmask::Widest;
use crate::wakers::Side;

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

    /// The same, by a way that is not looked for again. Inlined with all that is frequent: each function
    /// around a system call is a return that the processor guesses wrong.
    #[inline(always)]
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
