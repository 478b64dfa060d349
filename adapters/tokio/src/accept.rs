//! The server's side of the opening handshake.

use std::time::Duration;
use std::{fmt, io};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use wirelet::Role;
use wirelet::handshake::HeadLimits;
use wirelet::handshake::server::{Handshake, Refusal, Rejection, Request, Response, ResponseError};

#[cfg(feature = "deflate")]
use crate::deflate::Deflate;
use crate::head;
use crate::origin::Origins;
use crate::{Config, WebSocket};

/// Bytes for the lines of a request that the handshake, or the application, wants to read. All
/// other lines pass by, so that cookies of any size that nobody asked for need no room.
const STORAGE: usize = 8 << 10;

/// Bytes of a refused request's remainder that are read away, so that the answer is not lost.
const DRAINED: u64 = 64 << 10;

/// Accepts a connection with the defaults: any path, no subprotocol, pages of the same host only.
///
/// A request that is refused is answered with the HTTP status that fits.
///
/// # Errors
/// As [`Acceptor::accept`].
///
/// # Cancel safety
/// Dropping the future drops the transport.
pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(io: S) -> Result<WebSocket<S>, AcceptError> {
    Acceptor::new().accept(io).await
}

/// How a server accepts connections.
///
/// ```no_run
/// # async fn serve(tcp: tokio::net::TcpStream) -> Result<(), wirelet_tokio::AcceptError> {
/// use wirelet_tokio::Acceptor;
/// let acceptor = Acceptor::new().protocols(["chat"]).keep(["cookie"]);
/// let upgrade = acceptor.request(tcp).await?;
/// let ws = match upgrade.request().path() {
///     "/chat" => upgrade.accept().await?,
///     _ => return upgrade.reject(404, "there is only /chat\n").await,
/// };
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Acceptor {
    config: Config,
    head: HeadLimits,
    origins: Origins,
    protocols: Vec<String>,
    keep: Vec<&'static str>,
    #[cfg(feature = "deflate")]
    deflate: Option<Deflate>,
}

impl Acceptor {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits and timeouts of the connections.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// How large the head of a request may be. Default: 16 KiB in 100 lines.
    #[must_use]
    pub fn head_limits(mut self, limits: HeadLimits) -> Self {
        self.head = limits;
        self
    }

    /// Which web pages may connect. Default: those of the same host.
    #[must_use]
    pub fn origins(mut self, origins: Origins) -> Self {
        self.origins = origins;
        self
    }

    /// The subprotocols that the server speaks, best first. The first that the client offers, too,
    /// is selected; if there is none, none is, and the client decides whether to go on.
    #[must_use]
    pub fn protocols<P: Into<String>>(mut self, protocols: impl IntoIterator<Item = P>) -> Self {
        self.protocols = protocols.into_iter().map(Into::into).collect();
        self
    }

    /// Header lines that the application wants to read, besides Host, Origin and the WebSocket's own.
    #[must_use]
    pub fn keep(mut self, names: impl IntoIterator<Item = &'static str>) -> Self {
        self.keep = names.into_iter().collect();
        self
    }

    /// Compresses, with clients that offer to. Default: nothing is compressed.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn deflate(mut self, deflate: Deflate) -> Self {
        self.deflate = Some(deflate);
        self
    }

    /// Reads the request, checks it and accepts it.
    ///
    /// # Errors
    /// [`AcceptError::Refused`] and [`AcceptError::Origin`] after the client was answered with the
    /// status that fits; [`AcceptError::Timeout`] when the whole took longer than
    /// [`Timeouts::handshake`](wirelet::Timeouts::handshake).
    ///
    /// # Cancel safety
    /// Dropping the future drops the transport.
    pub async fn accept<S>(&self, io: S) -> Result<WebSocket<S>, AcceptError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        // What the handshake needs is many times what the connection needs: the caller's future
        // should not keep room for it to the end.
        Box::pin(async { self.request(io).await?.accept().await }).await
    }

    /// Reads the request, so that the application can decide on it.
    ///
    /// # Errors
    /// [`AcceptError::Refused`] for what is not HTTP or over a limit; whether it is a sound
    /// handshake is decided by [`Upgrade::accept`].
    ///
    /// # Cancel safety
    /// Dropping the future drops the transport.
    pub async fn request<S>(&self, mut io: S) -> Result<Upgrade<'_, S>, AcceptError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let deadline = after(self.config.timeouts.handshake);
        let mut handshake = Handshake::new(vec![0; STORAGE], &self.keep).limits(self.head);
        let mut behind = Vec::new();
        let read = head::read(&mut io, &mut behind, |input| {
            handshake.feed(input).map_err(AcceptError::Refused)
        });
        match timeout_at(deadline, read).await {
            Ok(Ok(())) => {
                let headers = Vec::new();
                Ok(Upgrade {
                    acceptor: self,
                    io,
                    deadline,
                    behind,
                    handshake,
                    headers,
                })
            }
            Ok(Err(AcceptError::Refused(refusal))) => {
                let answer = encode(|out| Rejection::from(refusal).encode(out))?;
                let _ = hang_up(&mut io, &answer, deadline).await;
                Err(AcceptError::Refused(refusal))
            }
            Ok(Err(error)) => Err(error),
            Err(_) => {
                // One try: the peer had its time.
                let answer = encode(|out| Rejection::from(Refusal::Incomplete).encode(out))?;
                let _ = timeout(Duration::ZERO, io.write_all(&answer)).await;
                Err(AcceptError::Timeout)
            }
        }
    }
}

/// A request that waits for the application's decision.
///
/// Dropped, it drops the transport: the client gets no answer.
#[derive(Debug)]
pub struct Upgrade<'a, S> {
    acceptor: &'a Acceptor,
    io: S,
    deadline: Instant,
    behind: Vec<u8>,
    handshake: Handshake<'a, Vec<u8>>,
    headers: Vec<(String, String)>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Upgrade<'_, S> {
    /// What the client asks for: path, query, Host, Origin, subprotocols, and the header lines that
    /// were to be [kept](Acceptor::keep).
    ///
    /// Not checked beyond HTTP's grammar: [`Request::is_upgrade`] tells a WebSocket from a plain
    /// request, which can be answered by [`respond`](Self::respond).
    pub fn request(&self) -> Request<'_> {
        // An upgrade exists only for a complete head.
        self.handshake.request().expect("the head is complete")
    }

    /// Adds a header line to the answer that accepts, such as Set-Cookie.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Accepts, if the request is a sound handshake from a page that may connect; refuses otherwise.
    ///
    /// # Errors
    /// As [`Acceptor::accept`]; [`AcceptError::Response`] if a header line that was
    /// [added](Self::header) is invalid: then nothing was sent.
    ///
    /// # Cancel safety
    /// Dropping the future drops the transport.
    pub async fn accept(self) -> Result<WebSocket<S>, AcceptError> {
        let request = self.request();
        let offers = |ours: &&String| request.protocols().any(|theirs| theirs == **ours);
        let protocol = self.acceptor.protocols.iter().find(offers).cloned();
        let key = match self.handshake.check() {
            Ok(key) => key,
            Err(refusal) => {
                let answer = encode(|out| Rejection::from(refusal).encode(out))?;
                return self.refuse(&answer, AcceptError::Refused(refusal)).await;
            }
        };
        if !self
            .acceptor
            .origins
            .allow(request.origin(), request.host())
        {
            let origin = request.origin().unwrap_or_default().to_owned();
            let error = AcceptError::Origin(origin);
            let answer = plain(403, &format!("{error}\n"))?;
            return self.refuse(&answer, error).await;
        }
        let headers = pairs(&self.headers);
        let response = Response::new(key).headers(&headers);
        let response = match &protocol {
            Some(protocol) => response.protocol(protocol),
            None => response,
        };
        #[cfg(feature = "deflate")]
        let deflate = self.acceptor.deflate.and_then(|deflate| {
            let (answer, agreement) = deflate.answer(request.extensions())?;
            Some((answer, agreement, deflate))
        });
        #[cfg(feature = "deflate")]
        let response = match deflate {
            Some((answer, ..)) => response.deflate(answer),
            None => response,
        };
        let answer = encode(|out| response.encode(out))?;
        let Self {
            acceptor,
            mut io,
            deadline,
            behind,
            ..
        } = self;
        timeout_at(deadline, head::write(&mut io, &answer))
            .await
            .map_err(|_| AcceptError::Timeout)??;
        let mut ws = WebSocket::from_upgraded(io, Role::Server, &acceptor.config, &behind);
        #[cfg(feature = "deflate")]
        if let Some((_, agreement, deflate)) = deflate {
            ws = ws.deflate(agreement, &deflate);
        }
        ws.set_protocol(protocol);
        Ok(ws)
    }

    /// Refuses with a status and a line of text that says why.
    ///
    /// # Errors
    /// [`AcceptError::Response`] if the status is not one from 200 to 599; the transport's.
    ///
    /// # Cancel safety
    /// Dropping the future drops the transport.
    pub async fn reject(self, status: u16, why: &str) -> Result<(), AcceptError> {
        self.respond(status, "text/plain; charset=utf-8", why.as_bytes())
            .await
    }

    /// Answers as plain HTTP, with the header lines that were [added](Self::header), and closes.
    ///
    /// # Errors
    /// As [`reject`](Self::reject).
    ///
    /// # Cancel safety
    /// Dropping the future drops the transport.
    pub async fn respond(
        mut self,
        status: u16,
        content_type: &str,
        body: &[u8],
    ) -> Result<(), AcceptError> {
        let headers = pairs(&self.headers);
        let rejection = Rejection::new(status)
            .headers(&headers)
            .body(content_type, body);
        let answer = encode(|out| rejection.encode(out))?;
        hang_up(&mut self.io, &answer, self.deadline).await
    }

    async fn refuse<T>(mut self, answer: &[u8], error: AcceptError) -> Result<T, AcceptError> {
        // The refusal is what the caller wants to know, not what became of the answer.
        let _ = hang_up(&mut self.io, answer, self.deadline).await;
        Err(error)
    }
}

fn pairs(headers: &[(String, String)]) -> Vec<(&str, &str)> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

fn plain(status: u16, why: &str) -> Result<Vec<u8>, ResponseError> {
    let rejection = Rejection::new(status).body("text/plain; charset=utf-8", why.as_bytes());
    encode(|out| rejection.encode(out))
}

/// Encodes into as many bytes as it takes.
fn encode(
    encode: impl Fn(&mut [u8]) -> Result<usize, ResponseError>,
) -> Result<Vec<u8>, ResponseError> {
    let mut out = vec![0; 512];
    let len = match encode(&mut out) {
        Err(ResponseError::BufferTooSmall { needed }) => {
            out.resize(needed, 0);
            encode(&mut out)?
        }
        done => done?,
    };
    out.truncate(len);
    Ok(out)
}

/// The end of a time that begins now. A time that no clock can count to ends in decades.
fn after(time: Duration) -> Instant {
    sleep(time).deadline()
}

/// Writes an answer and closes, in the order in which the peer gets to see it: a socket that is
/// dropped with unread bytes in it may take back what was sent last.
async fn hang_up<S>(io: &mut S, answer: &[u8], deadline: Instant) -> Result<(), AcceptError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let answered = async {
        head::write(io, answer).await?;
        io.shutdown().await
    };
    timeout_at(deadline, answered)
        .await
        .map_err(|_| AcceptError::Timeout)??;
    let mut rest = io.take(DRAINED);
    // The answer is sent: how and when the client hangs up changes nothing.
    let _ = timeout_at(deadline, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
    Ok(())
}

/// Why no connection was opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum AcceptError {
    /// The transport failed, or ended in the middle of the head.
    Io(io::Error),
    /// The handshake took longer than [`Timeouts::handshake`](wirelet::Timeouts::handshake).
    Timeout,
    /// The request breaks a rule. The client was told with [`Refusal::status`].
    Refused(Refusal),
    /// The page with this Origin (empty: none was sent) may not connect. The client was told with
    /// status 403.
    Origin(String),
    /// The answer that the application wanted is invalid. Nothing was sent.
    Response(ResponseError),
}

impl fmt::Display for AcceptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "connection lost during the handshake: {error}"),
            Self::Timeout => f.write_str("the opening handshake took too long"),
            Self::Refused(refusal) => write!(f, "handshake refused: {refusal}"),
            Self::Origin(origin) if origin.is_empty() => {
                f.write_str("an Origin header is required")
            }
            Self::Origin(origin) => write!(f, "pages of {origin} may not connect"),
            Self::Response(error) => write!(f, "the answer is invalid: {error}"),
        }
    }
}

impl std::error::Error for AcceptError {}

impl From<io::Error> for AcceptError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<ResponseError> for AcceptError {
    fn from(error: ResponseError) -> Self {
        Self::Response(error)
    }
}
