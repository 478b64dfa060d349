//! The client's side of the opening handshake.

use core::cell::RefCell;
use core::fmt;

use wirelet::Instant;
use wirelet::handshake::HeadLimits;
use wirelet::handshake::client::{self, Handshake, Request, RequestError};

#[cfg(feature = "deflate")]
use crate::deflate::Deflate;
use crate::link::{Keys, Random};
use crate::transport::Transport;
use crate::url::{Url, UrlError};
use crate::{Config, Error, WebSocket, head};

/// Does the opening handshake over a transport that is connected, with the defaults.
///
/// `url` (`ws://` or `wss://`) tells the Host and the target of the request. `buffer` is where the
/// request is made and the lines of the response are kept, 256 bytes for most servers; afterwards it
/// is where [`WebSocket::recv`] assembles messages. `random` makes the masking keys and the nonce.
///
/// # Errors
/// As [`Connector::handshake`].
///
/// # Cancel safety
/// As [`Connector::handshake`].
pub async fn connect<'b, T: Transport>(
    io: T,
    url: &str,
    buffer: &'b mut [u8],
    random: Random<'b>,
) -> Result<WebSocket<'b, T>, ConnectError<T::Error>> {
    Connector::new().handshake(io, url, buffer, random).await
}

/// How a client connects.
#[derive(Clone, Copy, Debug, Default)]
pub struct Connector<'a> {
    pub(crate) config: Config,
    head: HeadLimits,
    origin: Option<&'a str>,
    protocols: &'a [&'a str],
    headers: &'a [(&'a str, &'a str)],
    #[cfg(feature = "deflate")]
    deflate: Option<Deflate<'a>>,
}

impl<'a> Connector<'a> {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits and timeouts of the connection.
    #[must_use]
    pub const fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// How large the head of the response may be. Default: 16 KiB in 100 lines.
    #[must_use]
    pub const fn head_limits(mut self, limits: HeadLimits) -> Self {
        self.head = limits;
        self
    }

    /// The Origin header, which native clients need not send.
    #[must_use]
    pub const fn origin(mut self, origin: &'a str) -> Self {
        self.origin = Some(origin);
        self
    }

    /// The subprotocols that the client speaks, best first. [`WebSocket::protocol`] tells which one
    /// the server selected, if any.
    #[must_use]
    pub const fn protocols(mut self, protocols: &'a [&'a str]) -> Self {
        self.protocols = protocols;
        self
    }

    /// Adds header lines to the request, such as Authorization.
    #[must_use]
    pub const fn headers(mut self, headers: &'a [(&'a str, &'a str)]) -> Self {
        self.headers = headers;
        self
    }

    /// Offers permessage-deflate (RFC 7692). A server that does not take it goes on without; one
    /// that answers with what was not offered is refused, as section 7.1 says. The request has up
    /// to 231 bytes more. Default: no extension.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub const fn deflate(mut self, deflate: Deflate<'a>) -> Self {
        self.deflate = Some(deflate);
        self
    }

    /// Does the opening handshake over a transport that is connected, TLS for example. The
    /// arguments are those of [`connect`].
    ///
    /// # Errors
    /// [`ConnectError::Url`] for what is not a URL of a WebSocket; [`ConnectError::Handshake`] if
    /// the server answers with another status than 101, or breaks a rule; [`Error::Timeout`] when
    /// it takes longer than [`Timeouts::handshake`](wirelet::Timeouts::handshake).
    ///
    /// # Cancel safety
    /// Dropping the future drops the transport, and what was read of the response is lost. A
    /// transport that is borrowed is left in the middle of the handshake: end its stream. The buffer
    /// can be lent again.
    pub async fn handshake<'b, T: Transport>(
        &self,
        io: T,
        url: &str,
        buffer: &'b mut [u8],
        random: Random<'b>,
    ) -> Result<WebSocket<'b, T>, ConnectError<T::Error>>
    where
        'a: 'b,
    {
        let url = Url::parse(url)?;
        let deadline = head::deadline(&self.config);
        self.open(io, deadline, &url, buffer, random).await
    }

    pub(crate) async fn open<'b, T: Transport>(
        &self,
        io: T,
        deadline: Instant,
        url: &Url<'_>,
        buffer: &'b mut [u8],
        random: Random<'b>,
    ) -> Result<WebSocket<'b, T>, ConnectError<T::Error>>
    where
        'a: 'b,
    {
        head::check_room(&io)?;
        let mut nonce = [0; 16];
        for part in nonce.as_chunks_mut::<4>().0 {
            *part = random();
        }
        let mut request = Request::new(url.authority, url.target)
            .protocols(self.protocols)
            .headers(self.headers);
        if let Some(origin) = self.origin {
            request = request.origin(origin);
        }
        #[cfg(feature = "deflate")]
        let offered = self.deflate.and_then(|deflate| deflate.offer(buffer.len()));
        #[cfg(feature = "deflate")]
        let offers = offered.as_ref().map_or(&[][..], |offered| &offered.offers);
        #[cfg(feature = "deflate")]
        {
            request = request.deflate(offers);
        }
        let len = request.encode(nonce, buffer)?;
        let io = RefCell::new(io);
        head::write(&io, deadline, &buffer[..len], &[], false).await?;
        let mut handshake = Handshake::new(buffer, nonce, self.protocols, &[]).limits(self.head);
        #[cfg(feature = "deflate")]
        {
            handshake = handshake.deflate(offers);
        }
        let mut fault = None;
        let mut feed = |input: &[u8]| head::told(handshake.feed(input), input, &mut fault);
        head::read(&io, deadline, &mut feed).await?;
        if let Some(fault) = fault {
            return Err(ConnectError::Handshake(fault));
        }
        handshake.check().map_err(ConnectError::Handshake)?;
        let selected = handshake
            .response()
            .and_then(|response| response.protocol());
        // It is one of those offered: `check` has seen to that.
        let ours = self.protocols.iter().copied();
        let protocol = ours.clone().find(|one| selected == Some(one));
        #[cfg(feature = "deflate")]
        let agreement = handshake.agreement();
        let buffer = handshake.into_storage();
        let ws = WebSocket::new(io, Keys::Client(random), &self.config, buffer, protocol);
        #[cfg(feature = "deflate")]
        let ws = ws.with_agreed(
            agreement
                .zip(offered)
                .map(|(agreement, offered)| offered.agreed(agreement)),
        );
        Ok(ws)
    }
}

/// Why no connection was opened. `E` is the transport's error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ConnectError<E> {
    /// The URL cannot be used.
    Url(UrlError),
    /// The name of the host was not found.
    Dns,
    /// The host refuses the connection, or this end has no address. A host that does not answer is
    /// [`Error::Timeout`].
    Unreachable,
    /// The transport failed, or ended in the middle of the response, or it took longer than
    /// [`Timeouts::handshake`](wirelet::Timeouts::handshake), or the transport has less than
    /// [`MIN_ROOM`](crate::MIN_ROOM) bytes of room ([`SendError::Full`](wirelet::SendError::Full)).
    Connection(Error<E>),
    /// A header line or a subprotocol of the request is invalid, or the request does not fit the
    /// buffer. Nothing was sent.
    Request(RequestError),
    /// The server answered with another status than 101, or breaks a rule of the handshake.
    Handshake(client::Error),
}

impl<E: fmt::Debug> fmt::Display for ConnectError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(error) => error.fmt(f),
            Self::Dns => f.write_str("the name of the host was not found"),
            Self::Unreachable => {
                f.write_str("the host refuses the connection, or this end has no address")
            }
            Self::Connection(error) => error.fmt(f),
            Self::Request(error) => write!(f, "the request is invalid: {error}"),
            Self::Handshake(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for ConnectError<E> {}

impl<E> From<Error<E>> for ConnectError<E> {
    fn from(error: Error<E>) -> Self {
        Self::Connection(error)
    }
}

impl<E> From<RequestError> for ConnectError<E> {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl<E> From<UrlError> for ConnectError<E> {
    fn from(error: UrlError) -> Self {
        Self::Url(error)
    }
}
