//! Messages larger than the memory for them: read and written piece by piece.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use wirelet::{Found, Kind, SendError, What};

use crate::incoming::{Incoming, Next, Policy};
use crate::link::Link;
use crate::outgoing::Outbox;
use crate::{Error, engine};

/// Bytes gathered before they leave as a fragment of their own.
const FRAGMENT: usize = 16 << 10;

/// A message that is being received, in pieces: by [`chunk`](Self::chunk), or as an [`AsyncRead`].
///
/// It needs no more memory than one read, whatever the message's size. Control frames between the
/// pieces are handled on the way. Dropped before its end, the rest of the message is skipped.
pub struct MessageReader<'a, L: Link> {
    incoming: &'a mut Incoming,
    link: L,
    kind: Kind,
    done: bool,
}

impl<'a, L: Link> MessageReader<'a, L> {
    pub(crate) async fn begin(
        incoming: &'a mut Incoming,
        mut link: L,
    ) -> Result<Option<Self>, Error> {
        let next = poll_fn(|cx| incoming.poll_next(cx, &mut link, Policy::Pieces)).await?;
        let Some(Next::Found(Found {
            what: What::Data { kind, .. },
            ..
        })) = next
        else {
            return Ok(None);
        };
        Ok(Some(Self {
            incoming,
            link,
            kind,
            done: false,
        }))
    }

    /// Text or bytes.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Waits for the next piece. `None` after the last.
    ///
    /// Text is checked up to the last byte of the piece, which may cut a character.
    ///
    /// # Errors
    /// As [`WebSocket::recv`](crate::WebSocket::recv). A message that ends with the connection, even
    /// by a Close frame, is an error too: [`Error::Disconnected`].
    ///
    /// # Cancel safety
    /// Cancel safe: a piece is handed out whole, or stays.
    pub async fn chunk(&mut self) -> Result<Option<&[u8]>, Error> {
        if self.done {
            return Ok(None);
        }
        poll_fn(|cx| self.poll_found(cx)).await?;
        let piece = self.incoming.take();
        Ok(piece.map(|piece| {
            self.done = piece.end;
            piece.payload
        }))
    }

    fn poll_found(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let found = ready!(self.incoming.poll_next(cx, &mut self.link, Policy::Pieces));
        Poll::Ready(match found {
            Ok(Some(_)) => Ok(()),
            Ok(None) => {
                self.done = true;
                Err(Error::Disconnected)
            }
            Err(error) => {
                self.done = true;
                Err(error)
            }
        })
    }
}

impl<L: Link + Unpin> AsyncRead for MessageReader<'_, L> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while !this.done && buf.remaining() > 0 {
            ready!(this.poll_found(cx))?;
            let Some(piece) = this.incoming.take_up_to(buf.remaining()) else {
                break;
            };
            this.done = piece.end;
            buf.put_slice(piece.payload);
            if !piece.payload.is_empty() {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<L: Link> Drop for MessageReader<'_, L> {
    fn drop(&mut self) {
        if !self.done {
            self.incoming.skip_rest();
        }
    }
}

/// A message that is being sent, in pieces: an [`AsyncWrite`] that ends with
/// [`finish`](Self::finish), or with a shutdown.
///
/// Of unknown length, it leaves as fragments of at most 16 KiB, each as soon as it is full or
/// flushed, and compressed if that was agreed to; of a known one, as a single frame and as it is, and
/// [`AsyncWrite`] fails with `WriteZero` beyond it.
///
/// Dropped before its end the message stays unfinished, and no other can be sent, unless nothing of
/// it had left yet. Behind an unfinished frame of known length not even a Close can be sent: the
/// connection ends with [`Timeouts::close`](wirelet::Timeouts::close).
pub struct MessageWriter<L: Link> {
    link: L,
    kind: Kind,
    /// What was written and is not yet staged. Text waits here for the end of its last character.
    gathered: Vec<u8>,
    /// Bytes that are still to come, if that is known.
    missing: Option<u64>,
    finished: bool,
    #[cfg(feature = "deflate")]
    compressed: bool,
}

impl<L: Link> MessageWriter<L> {
    pub(crate) async fn begin(mut link: L, kind: Kind, len: Option<u64>) -> Result<Self, Error> {
        let side = link.side();
        // A message that its writer left would be continued by this one.
        link.with(|out, _| out.may_begin())?;
        if let Some(len) = len {
            let stage = |outbox: &mut _| Outbox::begin(outbox, kind, len, true);
            poll_fn(|cx| link.with(|out, w| out.poll_stage(cx, side, w, stage))).await?;
        } else {
            poll_fn(|cx| engine::poll_ready(&mut link, cx)).await?;
        }
        Ok(Self {
            #[cfg(feature = "deflate")]
            compressed: len.is_none() && link.with(|out, _| out.deflates()),
            link,
            kind,
            gathered: Vec::new(),
            missing: len,
            finished: false,
        })
    }

    /// Writes text. A character is never cut by the end of a fragment.
    ///
    /// # Errors
    /// As [`WebSocket::feed`](crate::WebSocket::feed).
    ///
    /// # Cancel safety
    /// Not cancel safe: some of the text may have been taken. [`AsyncWrite`] tells how much.
    pub async fn write_str(&mut self, text: &str) -> Result<(), Error> {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let n = poll_fn(|cx| self.poll_gather(cx, rest)).await?;
            rest = &rest[n..];
        }
        Ok(())
    }

    /// Ends the message and writes all that is staged.
    ///
    /// # Errors
    /// [`Error::Send`] with [`SendError::FrameOpen`] if bytes of a known length are missing;
    /// [`Error::Io`] with `InvalidData` if text ends inside a character; as
    /// [`WebSocket::feed`](crate::WebSocket::feed) otherwise.
    ///
    /// # Cancel safety
    /// Cancel safe as [`AsyncWrite`]'s shutdown; this takes the writer along.
    pub async fn finish(mut self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_finish(cx)).await
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if !self.finished {
            ready!(self.poll_emit(cx, true))?;
            if self.missing.is_some_and(|missing| missing > 0) {
                return Poll::Ready(Err(SendError::FrameOpen.into()));
            }
            self.finished = true;
        }
        engine::poll_flush(&mut self.link, cx)
    }

    fn poll_gather(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, Error>> {
        if self.gathered.len() >= FRAGMENT {
            ready!(self.poll_emit(cx, false))?;
        }
        let open = match self.missing {
            // What is written behind the end would be read as the next message.
            _ if self.finished => 0,
            // More than was announced would be read as the next frame.
            Some(missing) => missing - self.gathered.len() as u64,
            None => u64::MAX,
        };
        let room = usize::try_from(open)
            .unwrap_or(usize::MAX)
            .min(FRAGMENT - self.gathered.len());
        let n = room.min(bytes.len());
        self.gathered.extend_from_slice(&bytes[..n]);
        if n == 0 && !bytes.is_empty() {
            return Poll::Ready(Err(Error::Io(io::ErrorKind::WriteZero.into())));
        }
        Poll::Ready(Ok(n))
    }

    /// Hands what was gathered to the connection, which writes it even if this is dropped.
    fn poll_emit(&mut self, cx: &mut Context<'_>, end: bool) -> Poll<Result<(), Error>> {
        let ready = match self.kind {
            Kind::Binary => self.gathered.len(),
            Kind::Text => whole_characters(&self.gathered, end)?,
        };
        if ready == 0 && !(end && self.missing.is_none()) {
            return Poll::Ready(Ok(()));
        }
        let (side, kind, sized) = (self.link.side(), self.kind, self.missing.is_some());
        #[cfg(feature = "deflate")]
        if self.compressed {
            let piece = &self.gathered[..ready];
            ready!(
                self.link
                    .with(|out, writer| out.poll_piece(cx, side, writer, kind, piece, end))
            )?;
            self.gathered.drain(..ready);
            return Poll::Ready(Ok(()));
        }
        ready!(self.link.with(|out, writer| {
            if sized {
                out.poll_flush(cx, side, writer)
            } else {
                let stage = |outbox: &mut _| Outbox::begin(outbox, kind, ready as u64, end);
                out.poll_stage(cx, side, writer, stage)
            }
        }))?;
        let rest = self.gathered.split_off(ready);
        let piece = Bytes::from(std::mem::replace(&mut self.gathered, rest));
        if let Some(missing) = &mut self.missing {
            *missing -= piece.len() as u64;
        }
        self.link.with(|out, _| out.adopt(piece));
        Poll::Ready(Ok(()))
    }
}

impl<L: Link> Drop for MessageWriter<L> {
    fn drop(&mut self) {
        if self.missing.is_some() && !self.finished {
            self.link.with(|out, _| out.abandon());
        }
    }
}

/// How many bytes of `text` end with a whole character.
fn whole_characters(text: &[u8], end: bool) -> Result<usize, Error> {
    match std::str::from_utf8(text) {
        Ok(_) => Ok(text.len()),
        Err(error) if error.error_len().is_none() && !end => Ok(error.valid_up_to()),
        Err(_) => {
            let why = "a text message that is not UTF-8 was to be sent";
            Err(Error::Io(io::Error::new(io::ErrorKind::InvalidData, why)))
        }
    }
}

impl<L: Link + Unpin> AsyncWrite for MessageWriter<L> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_gather(cx, buf).map_err(io::Error::from)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_emit(cx, false))?;
        engine::poll_flush(&mut this.link, cx).map_err(io::Error::from)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_finish(cx).map_err(io::Error::from)
    }
}
