//! The two halves of a connection, for one task.

use wirelet::{CloseCode, Control, Kind, SendError};

use crate::engine::Incoming;
use crate::link::{Link, Needs};
use crate::message::{CloseFrame, Message, Piece};
use crate::step::{self, Need};
use crate::transport::Transport;
use crate::{Error, clock};

/// The half of a connection that receives. While it is polled, Pings are answered and deadlines
/// kept.
#[derive(Debug)]
pub struct RecvHalf<'a, 'b, T> {
    incoming: &'a mut Incoming<'b>,
    link: &'a Link<'b, T>,
}

impl<'a, 'b, T: Transport> RecvHalf<'a, 'b, T> {
    pub(crate) const fn new(incoming: &'a mut Incoming<'b>, link: &'a Link<'b, T>) -> Self {
        Self { incoming, link }
    }

    /// Waits for the next message, as [`WebSocket::recv`](crate::WebSocket::recv) does.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn recv(&mut self) -> Result<Option<Message<'_>>, Error<T::Error>> {
        self.incoming.message(self.link).await
    }

    /// Waits for the next piece of a message, as
    /// [`WebSocket::recv_piece`](crate::WebSocket::recv_piece) does.
    ///
    /// # Errors
    /// As [`recv`](Self::recv), but for the message that is too large for a buffer.
    ///
    /// # Cancel safety
    /// Cancel safe: `f` is called when there is a piece, and then this is done.
    pub async fn recv_piece<R>(
        &mut self,
        f: impl FnOnce(Piece<'_>) -> R,
    ) -> Result<Option<R>, Error<T::Error>> {
        self.incoming.piece(self.link, f).await
    }

    /// Sends the next message on to `to`, the other half of this connection or of another one, frame
    /// by frame, whatever its size. `None` when the connection has ended.
    ///
    /// A frame that fits the buffer that was lent is sent when all of it is here. A larger one is
    /// sent on while it comes, with no memory for it: a piece is taken when there is room for it. If
    /// it turns out to be no UTF-8 after some of it has left, the connection ends without a Close.
    ///
    /// If both ends of this connection agreed on compression, a message is inflated in the buffer and
    /// leaves as it was before it was compressed: in one frame if it fits, else in frames of what the
    /// buffer holds. `Deflate` says how large a compressed one may be; of one that cannot pass, nothing
    /// leaves.
    ///
    /// # Errors
    /// As [`recv_piece`](Self::recv_piece) and [`SendHalf::feed`]. If `to` is closed, this
    /// connection is as it was, but the message is lost.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is lost, and the next call goes on with the message. Until then nothing
    /// else can be sent if a frame is half-way ([`SendError::FrameOpen`]).
    pub async fn forward(
        &mut self,
        to: &mut SendHalf<'_, '_, T>,
    ) -> Result<Option<()>, Error<T::Error>> {
        self.incoming.forward(self.link, to.link).await
    }

    /// What the peer's Close frame said; `None` before it came.
    pub fn closed(&self) -> Option<CloseFrame> {
        CloseFrame::of(&self.link.out.borrow().connection)
    }
}

/// The half of a connection that sends.
#[derive(Debug)]
pub struct SendHalf<'a, 'b, T> {
    link: &'a Link<'b, T>,
}

impl<'a, 'b, T: Transport> SendHalf<'a, 'b, T> {
    pub(crate) const fn new(link: &'a Link<'b, T>) -> Self {
        Self { link }
    }

    /// Stages a message, as [`WebSocket::feed`](crate::WebSocket::feed) does.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn feed<'m>(
        &mut self,
        message: impl Into<Message<'m>>,
    ) -> Result<(), Error<T::Error>> {
        self.link.message(message.into(), false).await
    }

    /// Stages a message and sends all that is staged.
    ///
    /// # Errors
    /// As [`feed`](Self::feed).
    ///
    /// # Cancel safety
    /// As [`feed`](Self::feed); what was staged leaves with whatever is called next.
    pub async fn send<'m>(
        &mut self,
        message: impl Into<Message<'m>>,
    ) -> Result<(), Error<T::Error>> {
        self.link.message(message.into(), true).await
    }

    /// Starts a message whose payload comes in pieces, as
    /// [`WebSocket::send_pieces`](crate::WebSocket::send_pieces) does.
    ///
    /// # Errors
    /// As [`feed`](Self::feed).
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn send_pieces(
        &mut self,
        kind: Kind,
        len: Option<u64>,
    ) -> Result<MessageWriter<'a, 'b, T>, Error<T::Error>> {
        self.link.may_begin()?;
        if let Some(len) = len {
            let link = self.link;
            let mut step = || {
                if let Err(need) = link.room(link.header(usize::MAX))? {
                    return Ok(Some(need));
                }
                link.begin(kind, &[], len, true)?;
                Ok(None)
            };
            link.send(false, &mut step).await?;
        }
        Ok(MessageWriter {
            link: self.link,
            kind,
            sized: len.is_some(),
        })
    }

    /// Sends a Ping with at most 125 bytes, and all that is staged. The Pong is not handed out; it
    /// counts as a sign of life, like every byte.
    ///
    /// # Errors
    /// As [`feed`](Self::feed); [`Error::Send`] for a payload that is too long.
    ///
    /// # Cancel safety
    /// Cancel safe: the Ping is staged whole or not at all.
    pub async fn ping(&mut self, payload: &[u8]) -> Result<(), Error<T::Error>> {
        if payload.len() > 125 {
            return Err(Error::Send(SendError::ControlTooLong));
        }
        let link = self.link;
        let mut step = || {
            let needed = link.header(payload.len()) + payload.len();
            if let Err(need) = link.room(needed)? {
                return Ok(Some(need));
            }
            link.control(Control::Ping, payload)?;
            Ok(None)
        };
        link.send(true, &mut step).await
    }

    /// Sends all that is staged.
    ///
    /// # Errors
    /// [`Error::Timeout`] if the peer reads nothing; [`Error::Io`], [`Error::Disconnected`].
    ///
    /// # Cancel safety
    /// Cancel safe: what was not sent stays staged.
    pub async fn flush(&mut self) -> Result<(), Error<T::Error>> {
        self.link.send(true, &mut || Ok(None)).await
    }

    /// Sends a Close frame, and nothing after it. The receiving half goes on until the peer's
    /// Close has come, or the close deadline: receive until `None`.
    ///
    /// It is no error if the connection is closing or closed already.
    ///
    /// # Errors
    /// [`Error::Send`] for a code or a reason that must not be sent, and nothing happens;
    /// [`Error::Timeout`] if the peer reads nothing; [`Error::Io`], [`Error::Disconnected`].
    ///
    /// # Cancel safety
    /// Cancel safe: the Close frame leaves with whatever is called next on either half.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error<T::Error>> {
        begin_close(self.link, code, reason)?;
        self.link.pay_all().await
    }

    /// What the peer's Close frame said; `None` before it came.
    pub fn closed(&self) -> Option<CloseFrame> {
        CloseFrame::of(&self.link.out.borrow().connection)
    }
}

/// A Close is owed from now on. It is no error that one is already.
pub(crate) fn begin_close<T: Transport>(
    link: &Link<'_, T>,
    code: CloseCode,
    reason: &str,
) -> Result<(), Error<T::Error>> {
    let out = &mut *link.out.borrow_mut();
    match out.connection.close(code, reason, clock::now()) {
        Ok(()) | Err(SendError::Closed) => Ok(()),
        Err(error) => Err(Error::Send(error)),
    }
}

/// A message that is being sent, in pieces.
///
/// Of unknown length, each piece leaves as a fragment, or as several if there is not room for it. Of
/// a known one, all of them are a single frame.
///
/// Dropped before [`end`](Self::end), the message stays unfinished. If nothing of it was written
/// yet, that is all; otherwise no other message can be sent, only a Close; and in the middle of a
/// frame of known length not even that: the connection ends with
/// [`Timeouts::close`](wirelet::Timeouts::close).
#[derive(Debug)]
pub struct MessageWriter<'a, 'b, T> {
    link: &'a Link<'b, T>,
    kind: Kind,
    sized: bool,
}

impl<T: Transport> MessageWriter<'_, '_, T> {
    /// Stages some of `payload`, as much as there is room for; tells how much. Waits if there is no
    /// room. That text is UTF-8 as a whole is up to the caller; a piece may cut a character.
    ///
    /// # Errors
    /// As [`WebSocket::feed`](crate::WebSocket::feed); [`SendError::Full`] behind the end of a known
    /// length.
    ///
    /// # Cancel safety
    /// Cancel safe: what it tells of is staged, or nothing.
    pub async fn write(&mut self, payload: &[u8]) -> Result<usize, Error<T::Error>> {
        let Self { link, kind, sized } = *self;
        let mut n = 0;
        let mut step = || {
            if payload.is_empty() {
                return Ok(None);
            }
            if sized && link.missing() == 0 {
                return Err(Error::Send(SendError::Full));
            }
            let room = if sized {
                link.room(1)?
            } else {
                link.fits(payload.len())?
            };
            n = match room {
                Err(need) => return Ok(Some(need)),
                Ok(_) if sized => link.go_on(payload)?,
                Ok(n) => {
                    link.data(kind, &payload[..n], false)?;
                    n
                }
            };
            Ok(None)
        };
        link.send(false, &mut step).await?;
        Ok(n)
    }

    /// Stages the rest of the message, `payload`, which may be empty.
    ///
    /// # Errors
    /// As [`write`](Self::write); [`SendError::FrameOpen`] if bytes of a known length are missing.
    ///
    /// # Cancel safety
    /// Cancel safe as far as `payload` fits the transport's room: then the rest is staged whole or
    /// not at all. Of a longer one, some may have been staged.
    pub async fn end(&mut self, payload: &[u8]) -> Result<(), Error<T::Error>> {
        let Self { link, kind, sized } = *self;
        let mut rest = payload;
        if !sized {
            return link.send(false, &mut || link.end(kind, &mut rest)).await;
        }
        while !rest.is_empty() {
            rest = &rest[self.write(rest).await?..];
        }
        match self.link.missing() {
            0 => Ok(()),
            _ => Err(Error::Send(SendError::FrameOpen)),
        }
    }
}

impl<T: Transport> Link<'_, T> {
    /// Stages a message, and sends it if that is to be.
    pub(crate) async fn message(
        &self,
        message: Message<'_>,
        flush: bool,
    ) -> Result<(), Error<T::Error>> {
        let mut begun = false;
        let mut rest = message.as_bytes();
        let mut step = || {
            if !begun {
                self.may_begin()?;
                begun = true;
            }
            self.end(message.kind(), &mut rest)
        };
        self.send(flush, &mut step).await
    }

    /// Nothing that was begun would be continued by a new message.
    fn may_begin(&self) -> Result<(), Error<T::Error>> {
        self.may_send()?;
        match self.open_message() {
            Some(_) => Err(Error::Send(SendError::MessageOpen)),
            None => Ok(()),
        }
    }

    /// Stages the rest of a message of unknown length, as far as there is room.
    fn end(&self, kind: Kind, rest: &mut &[u8]) -> Needs<T> {
        loop {
            let n = match self.fits(rest.len())? {
                Ok(n) => n,
                Err(need) => return Ok(Some(need)),
            };
            let (frame, behind) = rest.split_at(n);
            self.data(kind, frame, behind.is_empty())?;
            *rest = behind;
            if behind.is_empty() {
                return Ok(None);
            }
        }
    }

    /// How many bytes of payload the next frame may have, when there is room for it. One that can go
    /// whole does.
    fn fits(&self, len: usize) -> Result<Result<usize, Need>, Error<T::Error>> {
        let capacity = self.capacity()?;
        let whole = self.header(len) + len;
        if whole <= capacity {
            return Ok(self.room(whole)?.map(|_| len));
        }
        let room = self.room(capacity / 2)?;
        Ok(room.map(|room| room - self.header(room)))
    }

    /// Sends all that is owed.
    async fn pay_all(&self) -> Result<(), Error<T::Error>> {
        if self.out.borrow().ended {
            return Ok(());
        }
        let mut step = || Ok(self.pay()?.map(step::room));
        self.send(true, &mut step).await
    }
}

impl<T: Transport> embedded_io_async::ErrorType for MessageWriter<'_, '_, T> {
    type Error = Error<T::Error>;
}

impl<T: Transport> embedded_io_async::Write for MessageWriter<'_, '_, T> {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, Self::Error> {
        MessageWriter::write(self, buf).await
    }

    async fn flush(&mut self) -> Result<(), Self::Error> {
        self.link.send(true, &mut || Ok(None)).await
    }
}
