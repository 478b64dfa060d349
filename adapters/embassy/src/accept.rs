//! The server's side of the opening handshake.

use core::cell::RefCell;
use core::fmt;

use wirelet::Instant;
#[cfg(feature = "deflate")]
use wirelet::deflate::Answer;
use wirelet::handshake::server::{Handshake, Refusal, Rejection, Request, Response, ResponseError};
use wirelet::handshake::{AcceptKey, HeadLimits};

#[cfg(feature = "deflate")]
use crate::deflate::{Agreed, Deflate};
use crate::link::Keys;
use crate::origins::Origins;
use crate::transport::Transport;
use crate::{Config, Error, WebSocket, head};

/// Accepts a connection with the defaults: any path, no subprotocol, pages of the same host only.
///
/// `buffer` is where the lines of the request are kept and the answer is made; afterwards it is
/// where [`WebSocket::recv`] assembles messages. 512 bytes serve a browser; a refusal takes up to
/// 320.
///
/// # Errors
/// As [`Acceptor::accept`].
///
/// # Cancel safety
/// As [`Acceptor::accept`].
pub async fn accept<T: Transport>(
    io: T,
    buffer: &mut [u8],
) -> Result<WebSocket<'_, T>, AcceptError<T::Error>> {
    Acceptor::new().accept(io, buffer).await
}

/// How a server accepts connections.
///
/// ```no_run
/// # async fn serve<T: wirelet_embassy::Transport>(io: T) -> Result<(), wirelet_embassy::AcceptError<T::Error>> {
/// use wirelet_embassy::Acceptor;
/// let mut buffer = [0; 512];
/// let acceptor = Acceptor::new();
/// let upgrade = acceptor.request(io, &mut buffer).await?;
/// match upgrade.request().path() {
///     "/chat" => { let ws = upgrade.accept(&[]).await?; }
///     "/" => upgrade.respond(200, "text/html", &[], b"<p>Hello").await?,
///     _ => upgrade.reject(404, "there is only /chat\n").await?,
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Acceptor<'a> {
    config: Config,
    head: HeadLimits,
    origins: Origins<'a>,
    protocols: &'a [&'a str],
    keep: &'a [&'a str],
    #[cfg(feature = "deflate")]
    deflate: Option<Deflate<'a>>,
}

impl<'a> Acceptor<'a> {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits and timeouts of the connections.
    #[must_use]
    pub const fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// How large the head of a request may be. Default: 16 KiB in 100 lines.
    #[must_use]
    pub const fn head_limits(mut self, limits: HeadLimits) -> Self {
        self.head = limits;
        self
    }

    /// Which web pages may connect. Default: those of the same host.
    #[must_use]
    pub const fn origins(mut self, origins: Origins<'a>) -> Self {
        self.origins = origins;
        self
    }

    /// The subprotocols that the server speaks, best first. The first that the client offers, too,
    /// is selected; if there is none, none is, and the client decides whether to go on.
    #[must_use]
    pub const fn protocols(mut self, protocols: &'a [&'a str]) -> Self {
        self.protocols = protocols;
        self
    }

    /// Header lines that the application wants to read, besides Host, Origin and the WebSocket's own.
    #[must_use]
    pub const fn keep(mut self, names: &'a [&'a str]) -> Self {
        self.keep = names;
        self
    }

    /// Agrees to permessage-deflate (RFC 7692), if the client offers it and its offer can be taken.
    /// Otherwise it is declined, and messages do not come compressed: section 5 lets a server do
    /// so. The answer has up to 156 bytes more. Default: no extension.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub const fn deflate(mut self, deflate: Deflate<'a>) -> Self {
        self.deflate = Some(deflate);
        self
    }

    /// Reads the request, checks it and accepts it.
    ///
    /// # Errors
    /// [`AcceptError::Refused`] and [`AcceptError::Origin`] after the client was answered with the
    /// status that fits; [`Error::Timeout`] when the whole took longer than
    /// [`Timeouts::handshake`](wirelet::Timeouts::handshake).
    ///
    /// # Cancel safety
    /// Dropping the future drops the transport, and what was read of the request is lost. A
    /// transport that is borrowed is left in the middle of the handshake: end its stream, which
    /// `listen` does with its socket when the handler returns. The buffer can be
    /// lent again.
    pub async fn accept<'b, T: Transport>(
        &self,
        io: T,
        buffer: &'b mut [u8],
    ) -> Result<WebSocket<'b, T>, AcceptError<T::Error>>
    where
        'a: 'b,
    {
        self.request(io, buffer).await?.accept(&[]).await
    }

    /// Reads the request, so that the application can decide on it.
    ///
    /// # Errors
    /// [`AcceptError::Refused`] for what is not HTTP or over a limit; whether it is a sound
    /// handshake is decided by [`Upgrade::accept`].
    ///
    /// # Cancel safety
    /// As [`accept`](Self::accept).
    pub async fn request<'b, T: Transport>(
        &self,
        io: T,
        buffer: &'b mut [u8],
    ) -> Result<Upgrade<'a, 'b, T>, AcceptError<T::Error>> {
        head::check_room(&io)?;
        let mut upgrade = Upgrade {
            acceptor: *self,
            #[cfg(feature = "deflate")]
            room: buffer.len(),
            deadline: head::deadline(&self.config),
            io: RefCell::new(io),
            handshake: Handshake::new(buffer, self.keep).limits(self.head),
        };
        let handshake = &mut upgrade.handshake;
        let mut fault = None;
        let mut feed = |input: &[u8]| head::told(handshake.feed(input), input, &mut fault);
        head::read(&upgrade.io, upgrade.deadline, &mut feed).await?;
        let Some(refusal) = fault else {
            return Ok(upgrade);
        };
        match upgrade.answer(Rejection::from(refusal), &[]).await {
            Err(AcceptError::Response(error)) => Err(AcceptError::Response(error)),
            // The refusal is what the caller wants to know, not what became of the answer.
            _ => Err(AcceptError::Refused(refusal)),
        }
    }
}

/// A request that waits for the application's decision.
#[derive(Debug)]
pub struct Upgrade<'a, 'b, T> {
    acceptor: Acceptor<'a>,
    /// Bytes of the buffer.
    #[cfg(feature = "deflate")]
    room: usize,
    deadline: Instant,
    io: RefCell<T>,
    handshake: Handshake<'a, &'b mut [u8]>,
}

impl<'a: 'b, 'b, T: Transport> Upgrade<'a, 'b, T> {
    /// What is asked for.
    pub fn request(&self) -> Request<'_> {
        self.handshake
            .request()
            .expect("made of a complete head only")
    }

    /// As [`Acceptor::deflate`], for this request only.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub const fn deflate(mut self, deflate: Deflate<'a>) -> Self {
        self.acceptor.deflate = Some(deflate);
        self
    }

    /// Accepts, if the request is a sound handshake from a page that may connect; refuses
    /// otherwise. `headers` are added to the answer.
    ///
    /// # Errors
    /// As [`Acceptor::accept`]; [`AcceptError::Response`] if a header line is invalid or the answer
    /// does not fit the buffer: then nothing was sent.
    ///
    /// # Cancel safety
    /// As [`Acceptor::accept`].
    pub fn accept(
        self,
        headers: &[(&str, &str)],
    ) -> impl Future<Output = Result<WebSocket<'b, T>, AcceptError<T::Error>>> + use<'a, 'b, T>
    {
        // All that needs no waiting is done first, so that the future keeps but the rest.
        let decided = self.decide();
        #[cfg(feature = "deflate")]
        let agreed = decided.is_ok().then(|| self.agree()).flatten();
        let Self {
            acceptor,
            deadline,
            io,
            handshake,
            ..
        } = self;
        let buffer = handshake.into_storage();
        let encoded = match &decided {
            Ok((key, protocol)) => {
                let mut response = Response::new(*key).headers(headers);
                if let Some(protocol) = protocol {
                    response = response.protocol(protocol);
                }
                #[cfg(feature = "deflate")]
                if let Some((answer, _)) = &agreed {
                    response = response.deflate(*answer);
                }
                response.encode(buffer)
            }
            Err(AcceptError::Refused(refusal)) => Rejection::from(*refusal).encode(buffer),
            Err(_) => Rejection::new(403)
                .body("text/plain", FOREIGN)
                .encode(buffer),
        };
        let decided = decided.map(|(_, protocol)| protocol);
        async move {
            let len = encoded?;
            let refused = decided.is_err();
            let written = head::write(&io, deadline, &buffer[..len], &[], refused).await;
            // The refusal is what the caller wants to know, not what became of the answer.
            let protocol = decided?;
            written?;
            let ws = WebSocket::new(io, Keys::Server, &acceptor.config, buffer, protocol);
            #[cfg(feature = "deflate")]
            let ws = ws.with_agreed(agreed.map(|(_, agreed)| agreed));
            Ok(ws)
        }
    }

    /// The key to answer with, and the subprotocol; or why not.
    // Alone it has registers for itself: 130 bytes less.
    #[inline(never)]
    fn decide(&self) -> Result<(AcceptKey, Option<&'a str>), AcceptError<T::Error>> {
        let request = self.request();
        let key = self.handshake.check().map_err(AcceptError::Refused)?;
        let origins = self.acceptor.origins;
        if !origins.allow(request.origin(), request.host()) {
            return Err(AcceptError::Origin);
        }
        let mut ours = self.acceptor.protocols.iter().copied();
        let protocol = ours.find(|ours| request.protocols().any(|theirs| theirs == *ours));
        Ok((key, protocol))
    }

    /// What is agreed to on compression: nothing if no decoder is free.
    #[cfg(feature = "deflate")]
    fn agree(&self) -> Option<(Answer, Agreed<'a>)> {
        let deflate = self.acceptor.deflate?;
        let offers = self.request();
        let (answer, agreement) = deflate.server(self.room).answer(offers.extensions())?;
        let lease = deflate.lease()?;
        Some((answer, Agreed { agreement, lease }))
    }

    /// Refuses with a status and a line of text that says why.
    ///
    /// # Errors
    /// [`AcceptError::Response`] if the status is not one from 200 to 599; the transport's.
    ///
    /// # Cancel safety
    /// As [`Acceptor::accept`].
    pub fn reject(
        self,
        status: u16,
        why: &str,
    ) -> impl Future<Output = Result<(), AcceptError<T::Error>>> {
        let text = "text/plain; charset=utf-8";
        self.respond(status, text, &[], why.as_bytes())
    }

    /// Answers as plain HTTP and closes: a page out of flash, a redirect, a refusal. The body may
    /// be of any size; the rest of the answer has to fit the buffer. All of it, up to the client's
    /// acknowledgement, has to be done within
    /// [`Timeouts::handshake`](wirelet::Timeouts::handshake) of the beginning of the request.
    ///
    /// # Errors
    /// As [`reject`](Self::reject); [`AcceptError::Response`] if a header line is invalid or the
    /// head of the answer does not fit the buffer: then nothing was sent.
    ///
    /// # Cancel safety
    /// As [`Acceptor::accept`].
    pub fn respond<'p>(
        self,
        status: u16,
        content_type: &str,
        headers: &[(&str, &str)],
        body: &'p [u8],
    ) -> impl Future<Output = Result<(), AcceptError<T::Error>>> + use<'a, 'b, 'p, T> {
        // RFC 9110 section 9.3.2: HEAD is answered like GET, without the content.
        let sent = match self.request().method() {
            "HEAD" => &[],
            _ => body,
        };
        let answer = Rejection::new(status)
            .headers(headers)
            .body_apart(content_type, body.len());
        self.answer(answer, sent)
    }

    fn answer<'p>(
        self,
        answer: Rejection<'_>,
        body: &'p [u8],
    ) -> impl Future<Output = Result<(), AcceptError<T::Error>>> + use<'a, 'b, 'p, T> {
        let (io, deadline) = (self.io, self.deadline);
        let buffer = self.handshake.into_storage();
        let encoded = answer.encode(buffer);
        async move {
            let len = encoded?;
            Ok(head::write(&io, deadline, &buffer[..len], body, true).await?)
        }
    }
}

/// Why no connection was opened. `E` is the transport's error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum AcceptError<E> {
    /// The transport failed, or ended in the middle of the head, or the handshake took longer than
    /// [`Timeouts::handshake`](wirelet::Timeouts::handshake), or the transport has less than
    /// [`MIN_ROOM`](crate::MIN_ROOM) bytes of room ([`SendError::Full`](wirelet::SendError::Full)).
    Connection(Error<E>),
    /// The request breaks a rule. The client was told with [`Refusal::status`].
    Refused(Refusal),
    /// The page may not connect. The client was told with status 403.
    Origin,
    /// The answer is invalid or does not fit the buffer. Nothing was sent.
    Response(ResponseError),
}

impl<E: fmt::Debug> fmt::Display for AcceptError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(error) => error.fmt(f),
            Self::Refused(refusal) => write!(f, "handshake refused: {refusal}"),
            Self::Origin => f.write_str("a page of another host may not connect"),
            Self::Response(error) => write!(f, "the answer is invalid: {error}"),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for AcceptError<E> {}

impl<E> From<Error<E>> for AcceptError<E> {
    fn from(error: Error<E>) -> Self {
        Self::Connection(error)
    }
}

impl<E> From<ResponseError> for AcceptError<E> {
    fn from(error: ResponseError) -> Self {
        Self::Response(error)
    }
}

const FOREIGN: &[u8] = b"a page of another host may not connect\n";
