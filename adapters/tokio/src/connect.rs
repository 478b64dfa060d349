//! The client's side of the opening handshake.

mod target;

use std::{fmt, io};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use wirelet::Role;
use wirelet::handshake::HeadLimits;
use wirelet::handshake::client::{self, Handshake, Request, RequestError};

use self::target::Target;
#[cfg(feature = "deflate")]
use crate::deflate::Deflate;
use crate::head;
use crate::{Config, WebSocket};

/// Bytes for the lines of a response that the handshake, or the application, wants to read.
const STORAGE: usize = 8 << 10;

/// Connects to a `ws://` URL with the defaults.
///
/// # Errors
/// As [`Connector::connect`].
///
/// # Cancel safety
/// Dropping the future drops the transport.
pub async fn connect(url: &str) -> Result<WebSocket<TcpStream>, ConnectError> {
    Connector::new().connect(url).await
}

/// How a client connects.
#[derive(Clone, Debug, Default)]
pub struct Connector {
    config: Config,
    head: HeadLimits,
    origin: Option<String>,
    protocols: Vec<String>,
    headers: Vec<(String, String)>,
    #[cfg(feature = "deflate")]
    deflate: Option<Deflate>,
}

impl Connector {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits and timeouts of the connection.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// How large the head of the response may be. Default: 16 KiB in 100 lines.
    #[must_use]
    pub fn head_limits(mut self, limits: HeadLimits) -> Self {
        self.head = limits;
        self
    }

    /// The Origin header, which native clients need not send.
    #[must_use]
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = Some(origin.into());
        self
    }

    /// The subprotocols that the client speaks, best first. [`WebSocket::protocol`] tells which one
    /// the server selected, if any.
    #[must_use]
    pub fn protocols<P: Into<String>>(mut self, protocols: impl IntoIterator<Item = P>) -> Self {
        self.protocols = protocols.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a header line to the request, such as Authorization.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Offers to compress; [`WebSocket::agreement`] tells what came of it. Default: nothing is
    /// compressed.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn deflate(mut self, deflate: Deflate) -> Self {
        self.deflate = Some(deflate);
        self
    }

    /// Looks the host up, connects by TCP (with `TCP_NODELAY`) and does the opening handshake.
    ///
    /// # Errors
    /// [`ConnectError::Url`] for what is not a `ws://` URL; [`ConnectError::Rejected`] if the server
    /// answers with another status than 101; [`ConnectError::Timeout`] when the whole takes longer
    /// than [`Timeouts::handshake`](wirelet::Timeouts::handshake).
    ///
    /// # Cancel safety
    /// Dropping the future drops the transport.
    pub async fn connect(&self, url: &str) -> Result<WebSocket<TcpStream>, ConnectError> {
        let target = Target::of(url)?;
        if target.tls {
            return Err(ConnectError::Url(
                "wss:// needs TLS: open the TLS stream, then use Connector::handshake on it",
            ));
        }
        let connect = async {
            let tcp = TcpStream::connect((target.host(), target.port)).await?;
            // A message is not held back to wait for another.
            tcp.set_nodelay(true)?;
            self.open(tcp, &target).await
        };
        timeout(self.config.timeouts.handshake, connect)
            .await
            .map_err(|_| ConnectError::Timeout)?
    }

    /// Does the opening handshake over a transport that is connected, TLS for example.
    ///
    /// `url` (`ws://` or `wss://`) tells the Host and the target of the request.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    ///
    /// # Cancel safety
    /// Dropping the future drops the transport.
    pub async fn handshake<S>(&self, io: S, url: &str) -> Result<WebSocket<S>, ConnectError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let target = Target::of(url)?;
        timeout(self.config.timeouts.handshake, self.open(io, &target))
            .await
            .map_err(|_| ConnectError::Timeout)?
    }

    async fn open<S>(&self, mut io: S, target: &Target) -> Result<WebSocket<S>, ConnectError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let nonce = rand::random();
        let protocols: Vec<&str> = self.protocols.iter().map(String::as_str).collect();
        #[cfg(feature = "deflate")]
        let offers = self.offers();
        let request = Request::new(&target.authority, &target.path).protocols(&protocols);
        #[cfg(feature = "deflate")]
        let request = request.deflate(&offers);
        head::write(&mut io, &self.encode(request, nonce)?).await?;
        let mut handshake =
            Handshake::new(vec![0; STORAGE], nonce, &protocols, &[]).limits(self.head);
        #[cfg(feature = "deflate")]
        {
            handshake = handshake.deflate(&offers);
        }
        let mut behind = Vec::new();
        head::read(&mut io, &mut behind, |input| {
            handshake.feed(input).map_err(ConnectError::Handshake)
        })
        .await?;
        let response = handshake.response();
        match (handshake.check(), response) {
            (Ok(()), response) => {
                let protocol = response.and_then(|response| response.protocol());
                let mut ws = WebSocket::from_upgraded(io, Role::Client, &self.config, &behind);
                #[cfg(feature = "deflate")]
                if let Some((agreement, deflate)) = handshake.agreement().zip(self.deflate) {
                    ws = ws.deflate(agreement, &deflate);
                }
                ws.set_protocol(protocol.map(str::to_owned));
                Ok(ws)
            }
            (Err(client::Error::Status(status)), Some(response)) => Err(ConnectError::Rejected(
                Box::new(Rejected::of(status, &response)),
            )),
            (Err(error), _) => Err(ConnectError::Handshake(error)),
        }
    }

    #[cfg(feature = "deflate")]
    fn offers(&self) -> Vec<wirelet::deflate::Offer> {
        let deflate = self.deflate.as_ref();
        deflate.map_or_else(Vec::new, Deflate::offers)
    }

    fn encode(&self, request: Request<'_>, nonce: client::Nonce) -> Result<Vec<u8>, ConnectError> {
        let headers: Vec<(&str, &str)> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let request = request.headers(&headers);
        let request = match &self.origin {
            Some(origin) => request.origin(origin),
            None => request,
        };
        let mut out = vec![0; 512];
        let len = match request.encode(nonce, &mut out) {
            Err(RequestError::BufferTooSmall { needed }) => {
                out.resize(needed, 0);
                request.encode(nonce, &mut out)
            }
            done => done,
        };
        out.truncate(len.map_err(ConnectError::Request)?);
        Ok(out)
    }
}

/// What a server said instead of opening the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Its HTTP status.
    pub status: u16,
    /// Where to go instead, for a redirect.
    pub location: Option<String>,
    /// How to authenticate, with status 401.
    pub www_authenticate: Option<String>,
    /// When to try again: seconds or a date.
    pub retry_after: Option<String>,
}

impl Rejected {
    fn of(status: u16, response: &client::Response<'_>) -> Self {
        let header = |name| {
            response
                .header(name)
                .map(|value| String::from_utf8_lossy(value).into_owned())
        };
        Self {
            status,
            location: header("location"),
            www_authenticate: header("www-authenticate"),
            retry_after: header("retry-after"),
        }
    }
}

/// Why no connection was opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL cannot be used, and why.
    Url(&'static str),
    /// The transport failed, or ended in the middle of the response.
    Io(io::Error),
    /// It took longer than [`Timeouts::handshake`](wirelet::Timeouts::handshake).
    Timeout,
    /// A header line or a subprotocol of the request is invalid. Nothing was sent.
    Request(RequestError),
    /// The server answered with another status than 101.
    Rejected(Box<Rejected>),
    /// The response breaks a rule of the handshake.
    Handshake(client::Error),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(why) => f.write_str(why),
            Self::Io(error) => write!(f, "cannot connect: {error}"),
            Self::Timeout => f.write_str("the server did not answer in time"),
            Self::Request(error) => write!(f, "the request is invalid: {error}"),
            Self::Rejected(rejected) => {
                write!(f, "the server answered with status {}", rejected.status)?;
                match &rejected.location {
                    Some(location) => write!(f, " and points to {location}"),
                    None => Ok(()),
                }
            }
            Self::Handshake(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ConnectError {}

impl From<io::Error> for ConnectError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
