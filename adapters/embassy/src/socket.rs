use core::cell::RefCell;

use wirelet::{CloseCode, Kind};

#[cfg(feature = "deflate")]
use crate::deflate::{Agreed, Agreement, Deflate};
use crate::engine::Incoming;
use crate::halves::{MessageWriter, RecvHalf, SendHalf, begin_close};
use crate::link::{Keys, Link, Random};
use crate::message::{CloseFrame, Message, Piece};
use crate::transport::Transport;
use crate::{Config, Error};

/// A WebSocket over any [`Transport`], server or client.
///
/// It holds no memory but a few words and the slot of 125 bytes for the one Pong or Close that is
/// owed; the bytes lie in the transport. The `buffer` that was lent to the handshake is where
/// [`recv`](Self::recv) assembles whole messages; one that only reads [pieces](Self::recv_piece)
/// needs none.
///
/// Pings are answered, and deadlines kept, while a future that receives is polled.
///
/// The futures are cancel safe: dropped at any await, they lose no byte that came and leave no
/// frame half sent, as far as the transport's own futures do.
#[derive(Debug)]
pub struct WebSocket<'b, T> {
    incoming: Incoming<'b>,
    link: Link<'b, T>,
    protocol: Option<&'b str>,
}

impl<'b, T: Transport> WebSocket<'b, T> {
    /// A server's connection whose opening handshake is done already, elsewhere. What came behind
    /// the head of the handshake is the transport's next input. A transport with less than
    /// [`MIN_ROOM`](crate::MIN_ROOM) bytes of room makes [`recv`](Self::recv) fail with
    /// [`Error::Send`] when an answer is owed that does not fit.
    pub fn server(io: T, config: &Config, buffer: &'b mut [u8]) -> Self {
        Self::new(RefCell::new(io), Keys::Server, config, buffer, None)
    }

    /// A client's connection whose opening handshake is done already, elsewhere.
    pub fn client(io: T, config: &Config, buffer: &'b mut [u8], random: Random<'b>) -> Self {
        Self::new(RefCell::new(io), Keys::Client(random), config, buffer, None)
    }

    pub(crate) fn new(
        io: RefCell<T>,
        keys: Keys<'b>,
        config: &Config,
        buffer: &'b mut [u8],
        protocol: Option<&'b str>,
    ) -> Self {
        Self {
            incoming: Incoming::new(keys.role(), config, buffer),
            link: Link::new(io, keys, config),
            protocol,
        }
    }

    /// For a connection whose opening handshake was done elsewhere and agreed on
    /// permessage-deflate: the peer's messages may come compressed, as `agreement` says. Call it
    /// before anything is received.
    ///
    /// `None` if no decoder is free, or if the peer takes its context over and the buffer is not
    /// larger than its window. The connection is dropped then, for it cannot go on.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn deflate(mut self, agreement: Agreement, deflate: &Deflate<'b>) -> Option<Self> {
        let lease = deflate.lease()?;
        let inflates = self.incoming.inflate(Agreed { agreement, lease });
        inflates.then_some(self)
    }

    #[cfg(feature = "deflate")]
    pub(crate) fn with_agreed(mut self, agreed: Option<Agreed<'b>>) -> Self {
        if let Some(agreed) = agreed {
            // No window was agreed to that the buffer cannot hold.
            let inflates = self.incoming.inflate(agreed);
            debug_assert!(inflates, "the offer depends on the buffer");
        }
        self
    }

    /// Waits for the next message, assembled in the buffer that was lent, and inflated if it came
    /// compressed.
    ///
    /// `Ok(None)`: the peer closed the connection cleanly, [`closed`](Self::closed) tells how, and
    /// the answer was sent. After an error, too, this returns `Ok(None)`.
    ///
    /// Before it waits it sends what was [fed](Self::feed).
    ///
    /// # Errors
    /// [`Error::Protocol`] when the peer broke a rule or a limit, or sent a message larger than the
    /// buffer (close code 1009); it was told by a Close frame. [`Error::Disconnected`],
    /// [`Error::Timeout`], [`Error::Io`]. All of them are final.
    ///
    /// # Cancel safety
    /// Cancel safe: what came of a message stays in the buffer, and the next call goes on.
    pub async fn recv(&mut self) -> Result<Option<Message<'_>>, Error<T::Error>> {
        self.incoming.message(&self.link).await
    }

    /// Waits for the next piece of a message, which `f` looks at where it lies: a message may be
    /// of any size. Pieces are as large as what has come.
    ///
    /// If both ends agreed on compression, pieces are copies of at most 256 bytes of what was
    /// inflated in the buffer, and `Deflate` says how large a compressed message may be. A peer can
    /// pack a thousand bytes into one: what limits the whole is
    /// [`Limits::message`](wirelet::Limits::message), 16 MiB by default.
    ///
    /// ```no_run
    /// # async fn count<T: wirelet_embassy::Transport>(mut ws: wirelet_embassy::WebSocket<'_, T>) -> Result<usize, wirelet_embassy::Error<T::Error>> {
    /// let mut bytes = 0;
    /// while let Some(n) = ws.recv_piece(|piece| piece.payload.len()).await? {
    ///     bytes += n;
    /// }
    /// # Ok(bytes)
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`recv`](Self::recv), but there is no message that is too large for a buffer.
    ///
    /// # Cancel safety
    /// Cancel safe: `f` is called when there is a piece, and then this is done.
    pub async fn recv_piece<R>(
        &mut self,
        f: impl FnOnce(Piece<'_>) -> R,
    ) -> Result<Option<R>, Error<T::Error>> {
        self.incoming.piece(&self.link, f).await
    }

    /// Stages a message. It leaves with the next [`flush`](Self::flush), or when a
    /// [`recv`](Self::recv) is about to wait; with embassy-net, when the task next waits for
    /// anything. One that is larger than the transport's room leaves as fragments.
    ///
    /// # Errors
    /// [`Error::Send`] if the connection closes or a message is unfinished; [`Error::Timeout`] if
    /// the peer reads nothing; [`Error::Io`], [`Error::Disconnected`].
    ///
    /// # Cancel safety
    /// Cancel safe for a message that fits the transport's room: it is staged whole or not at all.
    /// Of a longer one some fragments may have left; then only a Close can follow.
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

    /// Starts a message whose payload comes in pieces. Without `len` it leaves as fragments; with
    /// it, as one frame of exactly that many bytes.
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
    ) -> Result<MessageWriter<'_, 'b, T>, Error<T::Error>> {
        self.sender().send_pieces(kind, len).await
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
    pub async fn ping(&mut self, payload: &[u8]) -> Result<(), Error<T::Error>> {
        self.sender().ping(payload).await
    }

    /// Sends all that is staged.
    ///
    /// # Errors
    /// [`Error::Timeout`] if the peer reads nothing; [`Error::Io`], [`Error::Disconnected`].
    ///
    /// # Cancel safety
    /// Cancel safe: what was not sent stays staged.
    pub async fn flush(&mut self) -> Result<(), Error<T::Error>> {
        self.sender().flush().await
    }

    /// Closes the connection: sends a Close frame, reads on until the peer's has come, and ends the
    /// transport where the RFC says so (section 7.1.1). Messages that still come are dropped.
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
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error<T::Error>> {
        begin_close(&self.link, code, reason)?;
        self.incoming.drain(&self.link).await
    }

    /// Two halves for one task: a message can be sent while one that was received is still held.
    ///
    /// ```no_run
    /// # async fn echo<T: wirelet_embassy::Transport>(mut ws: wirelet_embassy::WebSocket<'_, T>) -> Result<(), wirelet_embassy::Error<T::Error>> {
    /// let (mut rx, mut tx) = ws.halves();
    /// while let Some(message) = rx.recv().await? {
    ///     tx.feed(message).await?; // leaves when `recv` has nothing more to hand out
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn halves(&mut self) -> (RecvHalf<'_, 'b, T>, SendHalf<'_, 'b, T>) {
        (
            RecvHalf::new(&mut self.incoming, &self.link),
            SendHalf::new(&self.link),
        )
    }

    /// The subprotocol that was selected in the handshake.
    pub fn protocol(&self) -> Option<&str> {
        self.protocol
    }

    /// What was agreed to on permessage-deflate. `None`: messages do not come compressed.
    #[cfg(feature = "deflate")]
    pub fn agreement(&self) -> Option<Agreement> {
        self.incoming.agreement()
    }

    /// What the peer's Close frame said; `None` before it came.
    pub fn closed(&self) -> Option<CloseFrame> {
        CloseFrame::of(&self.link.out.borrow().connection)
    }

    /// The transport.
    pub fn into_inner(self) -> T {
        self.link.io.into_inner()
    }

    fn sender(&self) -> SendHalf<'_, 'b, T> {
        SendHalf::new(&self.link)
    }
}

/// What a connection costs beside its buffer is known when it is compiled, and without the feature
/// `deflate` it is nothing more than it always was.
const _: () = {
    let (plain, inflating) = if cfg!(target_pointer_width = "64") {
        (384, 128)
    } else {
        (336, 80)
    };
    let most = plain
        + if cfg!(feature = "deflate") {
            inflating
        } else {
            0
        };
    assert!(size_of::<WebSocket<'static, ()>>() <= most);
};
