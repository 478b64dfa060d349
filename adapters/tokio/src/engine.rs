//! Receiving and sending, written once for the whole connection and for each kind of half.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use wirelet::{CloseCode, Control, Kind, SendError};

use crate::incoming::{Incoming, Policy};
use crate::link::Link;
use crate::outgoing::Fed;
use crate::{Error, Message, Prepared};

#[inline]
pub(crate) async fn recv<'m, L: Link>(
    incoming: &'m mut Incoming,
    mut link: L,
) -> Result<Option<Message<'m>>, Error> {
    if !incoming.has_message() {
        let found = poll_fn(|cx| incoming.poll_next(cx, &mut link, Policy::Whole)).await?;
        if found.is_none() {
            return Ok(None);
        }
    }
    Ok(incoming.take().map(Message::from_piece))
}

pub(crate) fn poll_recv_owned<L: Link>(
    incoming: &mut Incoming,
    mut link: L,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Prepared, Error>>> {
    let found = ready!(incoming.poll_next(cx, &mut link, Policy::Whole));
    Poll::Ready(match found {
        Ok(found) => {
            let piece = found.and_then(|_| incoming.take());
            piece.map(|piece| Ok(Message::from_piece(piece).into()))
        }
        Err(error) => Some(Err(error)),
    })
}

#[inline]
pub(crate) async fn feed<L: Link>(mut link: L, message: Message<'_>) -> Result<(), Error> {
    if link.with(|out, _| out.feed_at_once(message.kind(), message.as_bytes())) {
        return Ok(());
    }
    let mut feeding = Feeding {
        link: &mut link,
        rest: message.as_bytes(),
        begun: false,
    };
    poll_fn(|cx| feeding.poll(cx, message.kind())).await
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

/// A borrowed message on its way. Dropped half-way through a frame, it leaves the rest to the
/// connection, so that the frame is whole all the same.
struct Feeding<'a, 'p, L: Link> {
    link: &'a mut L,
    rest: &'p [u8],
    begun: bool,
}

impl<L: Link> Feeding<'_, '_, L> {
    fn poll(&mut self, cx: &mut Context<'_>, kind: Kind) -> Poll<Result<(), Error>> {
        let Self { link, rest, begun } = self;
        let side = link.side();
        link.with(|out, writer| {
            if !*begun {
                match ready!(out.poll_feed(cx, side, writer, kind, rest))? {
                    Fed::Staged => return Poll::Ready(Ok(())),
                    Fed::Begun => *begun = true,
                }
            }
            out.poll_write(cx, side, writer, rest)
        })
    }
}

impl<L: Link> Drop for Feeding<'_, '_, L> {
    fn drop(&mut self) {
        if self.begun && !self.rest.is_empty() {
            self.link
                .with(|out, _| out.inherit(Bytes::copy_from_slice(self.rest)));
        }
    }
}
