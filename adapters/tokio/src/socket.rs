use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_sink::Sink;
use tokio::io::{AsyncRead, AsyncWrite};
#[cfg(feature = "deflate")]
use wirelet::deflate::Agreement;
use wirelet::{CloseCode, Connection, Kind, Role};

use crate::clock::Clock;
#[cfg(feature = "deflate")]
use crate::deflate::{Deflate, Deflating};
use crate::engine::{self, Feed, Recv};
use crate::halves::{OwnedRecvHalf, OwnedSendHalf, RecvHalf, SendHalf, Split};
use crate::incoming::Incoming;
use crate::link::{Borrowed, Shared, lock, only};
use crate::outgoing::{Keys, Outgoing};
use crate::pieces::{MessageReader, MessageWriter};
use crate::slot::{Rules, Slot};
use crate::{Config, Error, Message, Prepared};

/// A WebSocket over any transport, server or client.
///
/// While it waits for the peer it holds no buffers. Pings are answered, and deadlines kept, while
/// a future that receives is polled.
///
/// The futures of [`recv`](Self::recv) and of the sending methods are cancel safe: dropped at any
/// await, they lose no byte that came, and a frame that was begun is sent to its end by whatever is
/// called next.
///
/// It is as small as a pointer: so is what a future holds that it is moved to.
pub struct WebSocket<S>(Box<Whole<S>>);

struct Whole<S> {
    /// Apart, for small pieces find room where large ones do not: between the tasks and the
    /// registrations of tokio, which lie at multiples of 128 bytes.
    incoming: Box<Incoming>,
    shared: Mutex<Shared<S>>,
    agreed: Option<Box<Agreed>>,
}

/// What few connections agree to.
#[derive(Default)]
struct Agreed {
    protocol: Option<String>,
    #[cfg(feature = "deflate")]
    deflate: Option<Agreement>,
}

/// What the peer's Close frame said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseFrame {
    /// Its code; [`CloseCode::NONE`] if it had none.
    pub code: CloseCode,
    /// Its reason, at most 123 bytes.
    pub reason: String,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// A connection whose opening handshake is done already, elsewhere.
    ///
    /// `behind` are the bytes that came behind the head of the handshake. They belong to the
    /// connection; most often there are none.
    pub fn from_upgraded(io: S, role: Role, config: &Config, behind: &[u8]) -> Self {
        let clock = Clock::start();
        let mut connection =
            Connection::with_slot(Slot::default(), role, config.timeouts, clock.now());
        connection.opened(clock.now());
        let keys = match role {
            Role::Server => Keys::Server,
            Role::Client => Keys::Client,
        };
        let mut incoming = Incoming::new(role, config.limits);
        incoming.preload(behind);
        let out = Outgoing::new(keys, connection, clock);
        let shared = Mutex::new(Shared { io, out });
        Self(Box::new(Whole {
            incoming: Box::new(incoming),
            shared,
            agreed: None,
        }))
    }

    /// Compresses from here on, for the handshake agreed to: by
    /// [`Server::answer`](wirelet::deflate::Server::answer) on a server, by
    /// [`agreement`](wirelet::deflate::agreement) on a client. For connections that were made by
    /// [`from_upgraded`](Self::from_upgraded), before the first message.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn deflate(mut self, agreement: Agreement, deflate: &Deflate) -> Self {
        let role = self.0.incoming.role();
        let deflating = Deflating::new(deflate, agreement.sent_by(role));
        self.link().out.deflate(deflating);
        self.0.incoming.inflate(agreement.received_by(role));
        self.0.agreed.get_or_insert_default().deflate = Some(agreement);
        self
    }

    /// Waits for the next message.
    ///
    /// `Ok(None)`: the peer closed the connection cleanly, [`closed`](Self::closed) tells how, and
    /// the answer was sent. After an error, too, this returns `Ok(None)`.
    ///
    /// Before it waits it writes what was [fed](Self::feed). A Pong or Close that is owed is
    /// written, as far as the transport takes it, before this returns.
    ///
    /// # Errors
    /// [`Error::Protocol`] when the peer broke a rule or a limit; it was told by a Close frame.
    /// [`Error::Disconnected`], [`Error::Timeout`], [`Error::Io`]. All of them are final.
    ///
    /// # Cancel safety
    /// Cancel safe: a message is complete in the buffer before it is handed out.
    #[inline]
    pub fn recv(&mut self) -> impl Future<Output = Result<Option<Message<'_>>, Error>> {
        let (incoming, link) = self.parts();
        Recv::new(incoming, link)
    }

    /// Waits for the next message, to be read in pieces: it may be larger than the memory for it.
    ///
    /// What is not read of it when the reader is dropped is skipped.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    ///
    /// # Cancel safety
    /// Cancel safe, like the reader.
    pub async fn recv_pieces(
        &mut self,
    ) -> Result<Option<MessageReader<'_, &mut Shared<S>>>, Error> {
        let (incoming, link) = self.parts();
        MessageReader::begin(incoming, link).await
    }

    /// Stages a message. It leaves with the next [`flush`](Self::flush), or when a
    /// [`recv`](Self::recv) is about to wait, or when the buffer of 68 KiB is full.
    ///
    /// # Errors
    /// [`Error::Send`] if the connection closes or a message is unfinished;
    /// [`Error::Timeout`] if the peer reads nothing; [`Error::Io`].
    ///
    /// # Cancel safety
    /// Cancel safe: the message is staged whole or not at all; one of more than 16 KiB may have
    /// begun to leave, and then the rest of it follows.
    #[inline]
    pub fn feed<'m>(
        &mut self,
        message: impl Into<Message<'m>>,
    ) -> impl Future<Output = Result<(), Error>> {
        Feed::new(self.link(), message.into())
    }

    /// Stages a message that is shared with other connections.
    ///
    /// # Errors
    /// As [`feed`](Self::feed).
    ///
    /// # Cancel safety
    /// Cancel safe: the message is staged whole or not at all.
    pub async fn feed_prepared(&mut self, message: &Prepared) -> Result<(), Error> {
        engine::feed_prepared(self.link(), message).await
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
        Feed::new(self.link(), message.into()).and_flush()
    }

    /// Stages a message that is shared with other connections and writes all that is staged.
    ///
    /// # Errors
    /// As [`feed`](Self::feed).
    ///
    /// # Cancel safety
    /// Cancel safe, as [`send`](Self::send).
    pub async fn send_prepared(&mut self, message: &Prepared) -> Result<(), Error> {
        engine::feed_prepared(self.link(), message).await?;
        engine::flush(self.link()).await
    }

    /// Starts a message whose payload comes in pieces. Without `len` it leaves as fragments; with
    /// it, as one frame of exactly that many bytes.
    ///
    /// # Errors
    /// As [`feed`](Self::feed).
    ///
    /// # Cancel safety
    /// Cancel safe. A writer that is dropped before its end leaves the message unfinished: then
    /// only [`close`](Self::close) can follow.
    pub async fn send_pieces(
        &mut self,
        kind: Kind,
        len: Option<u64>,
    ) -> Result<MessageWriter<&mut Shared<S>>, Error> {
        MessageWriter::begin(self.link(), kind, len).await
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
        engine::ping(self.link(), payload).await
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
        engine::flush(self.link()).await
    }

    /// Closes the connection: sends a Close frame, reads on until the peer's has come, and waits for
    /// the end of the transport where the RFC says so (section 7.1.1). Messages that still come
    /// are dropped.
    ///
    /// It is no error if the connection is closing or closed already.
    ///
    /// # Errors
    /// [`Error::Send`] for a code or a reason that must not be sent, and nothing happens; otherwise
    /// how the connection ended if it did not end cleanly: [`Error::Timeout`] if the peer did not
    /// answer within [`Timeouts::close`](wirelet::Timeouts::close).
    ///
    /// # Cancel safety
    /// Cancel safe: call it again, or [`recv`](Self::recv), to go on.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        engine::begin_close(self.link(), code, reason)?;
        let (incoming, link) = self.parts();
        std::future::poll_fn(|cx| engine::poll_closed(incoming, link, cx)).await
    }

    /// Two halves for one task: a message can be sent while one that was received is still held.
    ///
    /// ```
    /// # async fn echo(mut ws: wirelet_tokio::WebSocket<tokio::io::DuplexStream>) -> Result<(), wirelet_tokio::Error> {
    /// let (mut rx, mut tx) = ws.halves();
    /// while let Some(message) = rx.recv().await? {
    ///     tx.feed(message).await?; // leaves when `recv` has nothing more to hand out
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn halves(&mut self) -> (RecvHalf<'_, S>, SendHalf<'_, S>) {
        let whole = &mut *self.0;
        let shared = &whole.shared;
        (
            RecvHalf::new(&mut whole.incoming, Borrowed { shared }),
            SendHalf::new(Borrowed { shared }),
        )
    }

    /// Two halves for two tasks. The receiving half still answers Pings and keeps the deadlines.
    ///
    /// Reading takes no lock. Sending takes one that is held for a single poll, never across an
    /// await, and is free but for the moments in which the receiving half writes what is owed.
    #[allow(clippy::type_complexity)] // each half is named by the transport's own halves
    pub fn split(
        self,
    ) -> (
        OwnedRecvHalf<S::Reader, S::Writer>,
        OwnedSendHalf<S::Writer>,
    )
    where
        S: Split,
    {
        self.split_with(S::split)
    }

    /// Like [`split`](Self::split) for a transport that is taken apart by a function, such as
    /// [`tokio::io::split`].
    pub fn split_with<R, W>(
        self,
        split: impl FnOnce(S) -> (R, W),
    ) -> (OwnedRecvHalf<R, W>, OwnedSendHalf<W>)
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let Whole {
            incoming, shared, ..
        } = *self.0;
        let Shared { io, out } = shared.into_inner().unwrap_or_else(|e| e.into_inner());
        let (reader, writer) = split(io);
        crate::halves::owned(*incoming, reader, Shared { io: writer, out })
    }

    /// The subprotocol that was selected in the handshake.
    pub fn protocol(&self) -> Option<&str> {
        self.0.agreed.as_ref()?.protocol.as_deref()
    }

    /// What was agreed to on compression; `None`: messages go as they are.
    #[cfg(feature = "deflate")]
    pub fn agreement(&self) -> Option<Agreement> {
        self.0.agreed.as_ref()?.deflate
    }

    pub(crate) fn set_protocol(&mut self, protocol: Option<String>) {
        if protocol.is_some() {
            self.0.agreed.get_or_insert_default().protocol = protocol;
        }
    }

    /// What the peer's Close frame said; `None` before it came.
    pub fn closed(&self) -> Option<CloseFrame> {
        CloseFrame::of(&lock(&self.0.shared).out.connection)
    }

    /// The transport.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.link().io
    }

    fn link(&mut self) -> &mut Shared<S> {
        only(&mut self.0.shared)
    }

    fn parts(&mut self) -> (&mut Incoming, &mut Shared<S>) {
        let whole = &mut *self.0;
        (&mut whole.incoming, only(&mut whole.shared))
    }
}

impl CloseFrame {
    pub(crate) fn of(connection: &Rules) -> Option<Self> {
        let closed = connection.closed()?;
        Some(Self {
            code: closed.code,
            reason: closed.reason.to_owned(),
        })
    }
}

/// The comfortable API: messages of one's own. Each is copied once; [`WebSocket::recv`] copies none.
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for WebSocket<S> {
    type Item = Result<Prepared, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let (incoming, link) = self.get_mut().parts();
        engine::poll_recv_owned(incoming, link, cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Sink<Prepared> for WebSocket<S> {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        engine::poll_ready(self.get_mut().link(), cx)
    }

    fn start_send(self: Pin<&mut Self>, item: Prepared) -> Result<(), Error> {
        Ok(self.get_mut().link().out.start(&item)?)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        engine::poll_flush(self.get_mut().link(), cx)
    }

    /// Closes with code 1000, as [`WebSocket::close`] does.
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let (incoming, link) = self.get_mut().parts();
        engine::begin_close(link, CloseCode::NORMAL, "")?;
        engine::poll_closed(incoming, link, cx)
    }
}

impl<S> std::fmt::Debug for WebSocket<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebSocket").finish_non_exhaustive()
    }
}
