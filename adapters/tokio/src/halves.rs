//! The two halves of a connection: borrowed for one task, owned for two.

use std::borrow::BorrowMut;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_sink::Sink;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadHalf, WriteHalf};
use tokio::net::{TcpStream, tcp};
use wirelet::{CloseCode, Kind};

use crate::engine::{Feed, Recv};
use crate::incoming::Incoming;
use crate::link::{Borrowed, Link, OwnedReceive, OwnedSend, RECEIVES, SENDS, Shared};
use crate::pieces::{MessageReader, MessageWriter};
use crate::{CloseFrame, Error, Message, Prepared, engine};

/// The receiving half that [`WebSocket::halves`](crate::WebSocket::halves) lends.
pub type RecvHalf<'a, S> = Receiving<&'a mut Incoming, Borrowed<'a, S, RECEIVES>>;

/// The sending half that [`WebSocket::halves`](crate::WebSocket::halves) lends.
pub type SendHalf<'a, S> = Sending<Borrowed<'a, S, SENDS>>;

/// The receiving half that [`WebSocket::split`](crate::WebSocket::split) makes.
pub type OwnedRecvHalf<R, W> = Receiving<Incoming, OwnedReceive<R, W>>;

/// The sending half that [`WebSocket::split`](crate::WebSocket::split) makes.
pub type OwnedSendHalf<W> = Sending<OwnedSend<W>>;

/// The half of a connection that receives. While it is polled, Pings are answered and deadlines
/// kept, whatever the other half does.
pub struct Receiving<I, L> {
    incoming: I,
    link: L,
}

impl<I: BorrowMut<Incoming>, L: Link> Receiving<I, L> {
    pub(crate) const fn new(incoming: I, link: L) -> Self {
        Self { incoming, link }
    }

    /// Waits for the next message, as [`WebSocket::recv`](crate::WebSocket::recv) does.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// Cancel safe: a message is complete in the buffer before it is handed out.
    #[inline]
    pub fn recv(&mut self) -> impl Future<Output = Result<Option<Message<'_>>, Error>> {
        Recv::new(self.incoming.borrow_mut(), &mut self.link)
    }

    /// Waits for the next message, to be read in pieces, as
    /// [`WebSocket::recv_pieces`](crate::WebSocket::recv_pieces) does.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    ///
    /// # Cancel safety
    /// Cancel safe, like the reader.
    pub async fn recv_pieces(&mut self) -> Result<Option<MessageReader<'_, &mut L>>, Error> {
        MessageReader::begin(self.incoming.borrow_mut(), &mut self.link).await
    }

    /// What the peer's Close frame said; `None` before it came.
    pub fn closed(&mut self) -> Option<CloseFrame> {
        self.link.with(|out, _| CloseFrame::of(&out.connection))
    }
}

/// The half of a connection that sends.
pub struct Sending<L> {
    link: L,
}

impl<L: Link> Sending<L> {
    pub(crate) const fn new(link: L) -> Self {
        Self { link }
    }

    /// Stages a message, as [`WebSocket::feed`](crate::WebSocket::feed) does.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// Cancel safe: the message is staged whole or not at all; one of more than 16 KiB may have
    /// begun to leave, and then the rest of it follows.
    #[inline]
    pub fn feed<'m>(
        &mut self,
        message: impl Into<Message<'m>>,
    ) -> impl Future<Output = Result<(), Error>> {
        Feed::new(&mut self.link, message.into())
    }

    /// Stages a message that is shared with other connections.
    ///
    /// # Errors
    /// As [`feed`](Self::feed).
    ///
    /// # Cancel safety
    /// Cancel safe: the message is staged whole or not at all.
    pub async fn feed_prepared(&mut self, message: &Prepared) -> Result<(), Error> {
        engine::feed_prepared(&mut self.link, message).await
    }

    /// Stages a message and writes all that is staged.
    ///
    /// # Errors
    /// As [`feed`](Self::feed).
    ///
    /// # Cancel safety
    /// Cancel safe, as [`feed`](Self::feed); what was staged leaves with whatever is called next.
    pub fn send<'m>(
        &mut self,
        message: impl Into<Message<'m>>,
    ) -> impl Future<Output = Result<(), Error>> {
        Feed::new(&mut self.link, message.into()).and_flush()
    }

    /// Stages a message that is shared with other connections and writes all that is staged.
    ///
    /// # Errors
    /// As [`feed`](Self::feed).
    ///
    /// # Cancel safety
    /// Cancel safe, as [`send`](Self::send).
    pub async fn send_prepared(&mut self, message: &Prepared) -> Result<(), Error> {
        engine::feed_prepared(&mut self.link, message).await?;
        engine::flush(&mut self.link).await
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
    ) -> Result<MessageWriter<&mut L>, Error> {
        MessageWriter::begin(&mut self.link, kind, len).await
    }

    /// Sends a Ping with at most 125 bytes, and all that is staged. The Pong is not handed out; it
    /// counts as a sign of life, like every byte.
    ///
    /// Silence is met with a Ping anyway, by [`Timeouts::keepalive`](wirelet::Timeouts::keepalive).
    ///
    /// # Errors
    /// As [`feed`](Self::feed); [`Error::Send`] for a payload that is too long.
    ///
    /// # Cancel safety
    /// Cancel safe: the Ping is staged whole or not at all.
    pub async fn ping(&mut self, payload: &[u8]) -> Result<(), Error> {
        engine::ping(&mut self.link, payload).await
    }

    /// Writes all that is staged.
    ///
    /// # Errors
    /// [`Error::Timeout`] if the peer reads nothing; [`Error::Io`]; [`Error::Send`] if the connection
    /// has ended and something was still staged.
    ///
    /// # Cancel safety
    /// Cancel safe: what was not written stays staged.
    pub async fn flush(&mut self) -> Result<(), Error> {
        engine::flush(&mut self.link).await
    }

    /// Sends a Close frame, and nothing after it. The receiving half goes on until the peer's
    /// Close has come, or the close deadline: receive until `None`.
    ///
    /// It is no error if the connection is closing or closed already.
    ///
    /// # Errors
    /// [`Error::Send`] for a code or a reason that must not be sent, and nothing happens;
    /// [`Error::Timeout`] if the peer reads nothing; [`Error::Io`].
    ///
    /// # Cancel safety
    /// Cancel safe: the Close frame leaves with whatever is called next on either half.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        engine::begin_close(&mut self.link, code, reason)?;
        std::future::poll_fn(|cx| engine::poll_close_sent(&mut self.link, cx)).await
    }

    /// What the peer's Close frame said; `None` before it came.
    pub fn closed(&mut self) -> Option<CloseFrame> {
        self.link.with(|out, _| CloseFrame::of(&out.connection))
    }
}

impl<I: BorrowMut<Incoming> + Unpin, L: Link + Unpin> Stream for Receiving<I, L> {
    type Item = Result<Prepared, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { incoming, link } = self.get_mut();
        engine::poll_recv_owned(incoming.borrow_mut(), link, cx)
    }
}

impl<L: Link + Unpin> Sink<Prepared> for Sending<L> {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        engine::poll_ready(&mut self.get_mut().link, cx)
    }

    fn start_send(self: Pin<&mut Self>, item: Prepared) -> Result<(), Error> {
        let link = &mut self.get_mut().link;
        Ok(link.with(|out, _| out.start(&item))?)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        engine::poll_flush(&mut self.get_mut().link, cx)
    }

    /// Sends a Close frame with code 1000.
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let link = &mut self.get_mut().link;
        engine::begin_close(link, CloseCode::NORMAL, "")?;
        engine::poll_close_sent(link, cx)
    }
}

/// A transport that can be taken apart into a reader and a writer for two tasks.
///
/// For others there is [`WebSocket::split_with`](crate::WebSocket::split_with).
pub trait Split: Sized {
    /// Reads.
    type Reader: AsyncRead + Unpin;
    /// Writes.
    type Writer: AsyncWrite + Unpin;

    /// Takes it apart.
    fn split(self) -> (Self::Reader, Self::Writer);
}

impl Split for TcpStream {
    type Reader = tcp::OwnedReadHalf;
    type Writer = tcp::OwnedWriteHalf;

    fn split(self) -> (Self::Reader, Self::Writer) {
        self.into_split()
    }
}

#[cfg(unix)]
impl Split for tokio::net::UnixStream {
    type Reader = tokio::net::unix::OwnedReadHalf;
    type Writer = tokio::net::unix::OwnedWriteHalf;

    fn split(self) -> (Self::Reader, Self::Writer) {
        self.into_split()
    }
}

impl Split for DuplexStream {
    type Reader = ReadHalf<Self>;
    type Writer = WriteHalf<Self>;

    fn split(self) -> (Self::Reader, Self::Writer) {
        tokio::io::split(self)
    }
}

pub(crate) fn owned<R, W>(
    incoming: Incoming,
    reader: R,
    shared: Shared<W>,
) -> (OwnedRecvHalf<R, W>, OwnedSendHalf<W>)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let shared = Arc::new(Mutex::new(shared));
    let receive = OwnedReceive {
        reader,
        shared: shared.clone(),
    };
    (
        Receiving::new(incoming, receive),
        Sending::new(OwnedSend { shared }),
    )
}

impl<I, L> std::fmt::Debug for Receiving<I, L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiving").finish_non_exhaustive()
    }
}

impl<L> std::fmt::Debug for Sending<L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sending").finish_non_exhaustive()
    }
}
