//! Receiving and sending, written once for the whole connection and for each kind of half.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use wirelet::{CloseCode, Control, Kind, SendError};

use crate::incoming::{Incoming, Policy};
use crate::link::Link;
use crate::outgoing::Fed;
use crate::{Error, Message, Prepared};

/// Waits for a message.
pub(crate) struct Recv<'m, L> {
    /// Gone when the message is handed out: it borrows this.
    incoming: Option<&'m mut Incoming>,
    link: &'m mut L,
}

impl<'m, L: Link> Recv<'m, L> {
    #[inline]
    pub(crate) const fn new(incoming: &'m mut Incoming, link: &'m mut L) -> Self {
        let incoming = Some(incoming);
        Self { incoming, link }
    }
}

impl<'m, L: Link> Future for Recv<'m, L> {
    type Output = Result<Option<Message<'m>>, Error>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { incoming, link } = self.get_mut();
        let Some(from) = incoming.take() else {
            panic!("polled after it was ready");
        };
        let next = match from.whole() {
            Some(next) => next,
            None => match from.poll_next(cx, *link, Policy::Whole) {
                Poll::Pending => {
                    *incoming = Some(from);
                    return Poll::Pending;
                }
                Poll::Ready(Ok(Some(next))) => next,
                Poll::Ready(Ok(None)) => return Poll::Ready(Ok(None)),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            },
        };
        Poll::Ready(Ok(from.lend(next).map(Message::from_piece)))
    }
}

pub(crate) fn poll_recv_owned<L: Link>(
    incoming: &mut Incoming,
    mut link: L,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Prepared, Error>>> {
    let next = ready!(incoming.poll_next(cx, &mut link, Policy::Whole));
    Poll::Ready(match next {
        Ok(next) => {
            let piece = next.and_then(|next| incoming.lend(next));
            piece.map(|piece| Ok(Message::from_piece(piece).into()))
        }
        Err(error) => Some(Err(error)),
    })
}

pub(crate) async fn feed_prepared<L: Link>(mut link: L, message: &Prepared) -> Result<(), Error> {
    poll_fn(|cx| poll_ready(&mut link, cx)).await?;
    Ok(link.with(|out, _| out.start(message))?)
}

pub(crate) async fn ping<L: Link>(mut link: L, payload: &[u8]) -> Result<(), Error> {
    let side = link.side();
    poll_fn(|cx| {
        link.with(|out, writer| {
            out.poll_stage(cx, side, writer, |outbox| {
                outbox.control(Control::Ping, payload)
            })
        })
    })
    .await?;
    flush(link).await
}

pub(crate) fn poll_ready<L: Link>(link: &mut L, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
    let side = link.side();
    link.with(|out, writer| out.poll_ready(cx, side, writer))
}

pub(crate) async fn flush<L: Link>(mut link: L) -> Result<(), Error> {
    poll_fn(|cx| poll_flush(&mut link, cx)).await
}

pub(crate) fn poll_flush<L: Link>(link: &mut L, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
    let side = link.side();
    link.with(|out, writer| out.poll_flush(cx, side, writer))
}

/// Sends a Close frame, and nothing after it. It is no error that the connection closes already.
pub(crate) fn begin_close<L: Link>(
    link: &mut L,
    code: CloseCode,
    reason: &str,
) -> Result<(), Error> {
    match link.with(|out, _| out.close(code, reason)) {
        Ok(()) | Err(SendError::Closed) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Writes the Close frame. If the connection ends before, who receives is told how.
pub(crate) fn poll_close_sent<L: Link>(
    link: &mut L,
    cx: &mut Context<'_>,
) -> Poll<Result<(), Error>> {
    match ready!(poll_flush(link, cx)) {
        Err(Error::Send(SendError::Closed)) => Poll::Ready(Ok(())),
        done => Poll::Ready(done),
    }
}

/// Reads until the peer's Close has come and the transport may be dropped.
pub(crate) fn poll_closed<L: Link>(
    incoming: &mut Incoming,
    link: &mut L,
    cx: &mut Context<'_>,
) -> Poll<Result<(), Error>> {
    incoming.poll_next(cx, link, Policy::Discard).map_ok(|_| ())
}

/// Stages a borrowed message. Dropped half-way through a frame, it leaves the rest to the
/// connection, so that the frame is whole all the same.
pub(crate) struct Feed<'a, 'p, L: Link> {
    link: &'a mut L,
    rest: &'p [u8],
    kind: Kind,
    step: Step,
    /// What is staged is to be written, too.
    flush: bool,
}

/// How far it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    New,
    /// The header is staged.
    Begun,
    Staged,
}

impl<'a, 'p, L: Link> Feed<'a, 'p, L> {
    #[inline]
    pub(crate) fn new(link: &'a mut L, message: Message<'p>) -> Self {
        Self {
            link,
            rest: message.as_bytes(),
            kind: message.kind(),
            step: Step::New,
            flush: false,
        }
    }

    /// Then writes all that is staged.
    pub(crate) fn and_flush(mut self) -> Self {
        self.flush = true;
        self
    }

    fn poll_slowly(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let side = self.link.side();
        let (kind, rest, step) = (self.kind, &mut self.rest, &mut self.step);
        self.link.with(|out, writer| {
            if *step == Step::New {
                *step = match ready!(out.poll_feed(cx, side, writer, kind, rest))? {
                    Fed::Staged => Step::Staged,
                    Fed::Begun => Step::Begun,
                };
            }
            if *step == Step::Begun {
                ready!(out.poll_write(cx, side, writer, rest))?;
                *step = Step::Staged;
            }
            if self.flush {
                ready!(out.poll_flush(cx, side, writer))?;
            }
            Poll::Ready(Ok(()))
        })
    }

    #[cold]
    fn leave_rest(&mut self) {
        if !self.rest.is_empty() {
            let rest = Bytes::copy_from_slice(self.rest);
            self.link.with(|out, _| out.inherit(rest));
        }
    }
}

impl<L: Link> Future for Feed<'_, '_, L> {
    type Output = Result<(), Error>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let (kind, rest) = (this.kind, this.rest);
        if this.step == Step::New && this.link.with(|out, _| out.feed_at_once(kind, rest)) {
            this.step = Step::Staged;
            if !this.flush {
                return Poll::Ready(Ok(()));
            }
        }
        this.poll_slowly(cx)
    }
}

impl<L: Link> Drop for Feed<'_, '_, L> {
    #[inline]
    fn drop(&mut self) {
        if self.step == Step::Begun {
            self.leave_rest();
        }
    }
}
