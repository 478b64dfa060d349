//! WebSocket in axum: HTTP and WebSocket on one port and one router.
//!
//! ```
//! use axum::{Router, response::Response, routing::any};
//! use wirelet_tokio::axum::{WebSocket, WebSocketUpgrade};
//!
//! async fn echo(ws: WebSocketUpgrade) -> Response {
//!     ws.max_message(64 << 10).protocols(["echo"]).on_upgrade(|mut socket: WebSocket| async move {
//!         let (mut rx, mut tx) = socket.halves();
//!         while let Ok(Some(message)) = rx.recv().await {
//!             if tx.feed(message).await.is_err() {
//!                 break;
//!             }
//!         }
//!     })
//! }
//!
//! let app: Router = Router::new().route("/echo", any(echo));
//! ```
//!
//! HTTP/1.1 only: a browser opens a WebSocket that way unless a server announces otherwise
//! (RFC 8441), which axum's does not by default.

use std::fmt;
use std::future::Future;

use axum_core::body::Body;
use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::header::{self, HeaderName, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, StatusCode, Version};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use wirelet::Role;
use wirelet::handshake::AcceptKey;
use wirelet::handshake::server::{Checks, Refusal};

#[cfg(feature = "deflate")]
use crate::Deflate;
use crate::{Config, Origins};

/// A connection that came through axum.
pub type WebSocket = crate::WebSocket<TokioIo<Upgraded>>;

/// Extracts the opening handshake of a WebSocket.
///
/// A request that is none, or breaks a rule of RFC 6455 section 4.2.1, is answered with the status
/// that fits; so is, with 403, a page of another host, unless [`origins`](Self::origins) allows it.
#[must_use = "the connection opens with `on_upgrade`"]
pub struct WebSocketUpgrade<F = fn(hyper::Error)> {
    config: Config,
    origins: Origins,
    upgrade: OnUpgrade,
    key: AcceptKey,
    host: String,
    origin: Option<String>,
    offered: Vec<String>,
    selected: Option<String>,
    #[cfg(feature = "deflate")]
    extensions: Vec<String>,
    #[cfg(feature = "deflate")]
    deflate: Option<Deflate>,
    on_failed: F,
}

impl<F> WebSocketUpgrade<F> {
    /// Limits and timeouts.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// At most this many bytes a message. Default: 16 MiB.
    pub fn max_message(mut self, bytes: u64) -> Self {
        self.config = self.config.max_message(bytes);
        self
    }

    /// Which web pages may connect. Default: those of the same host.
    pub fn origins(mut self, origins: Origins) -> Self {
        self.origins = origins;
        self
    }

    /// The subprotocols that the server speaks, best first: the first that the client offers, too,
    /// is selected.
    pub fn protocols<P: Into<String>>(mut self, protocols: impl IntoIterator<Item = P>) -> Self {
        let mut ours = protocols.into_iter().map(Into::into);
        self.selected = ours.find(|ours| self.offered.contains(ours));
        self
    }

    /// The subprotocols that the client offers, best first.
    pub fn offered_protocols(&self) -> impl Iterator<Item = &str> {
        self.offered.iter().map(String::as_str)
    }

    /// The subprotocol that was selected.
    pub fn selected_protocol(&self) -> Option<&str> {
        self.selected.as_deref()
    }

    /// Compresses, if the client offers to. Default: nothing is compressed.
    #[cfg(feature = "deflate")]
    pub fn deflate(mut self, deflate: Deflate) -> Self {
        self.deflate = Some(deflate);
        self
    }

    /// What to do when the connection is lost between the answer and the first frame. Default:
    /// nothing.
    pub fn on_failed_upgrade<G>(self, on_failed: G) -> WebSocketUpgrade<G>
    where
        G: FnOnce(hyper::Error) + Send + 'static,
    {
        WebSocketUpgrade {
            config: self.config,
            origins: self.origins,
            upgrade: self.upgrade,
            key: self.key,
            host: self.host,
            origin: self.origin,
            offered: self.offered,
            selected: self.selected,
            #[cfg(feature = "deflate")]
            extensions: self.extensions,
            #[cfg(feature = "deflate")]
            deflate: self.deflate,
            on_failed,
        }
    }

    /// Accepts, and runs `serve` with the connection in a task of its own.
    ///
    /// The response must be what the handler returns.
    pub fn on_upgrade<C, Fut>(self, serve: C) -> Response
    where
        C: FnOnce(WebSocket) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
        F: FnOnce(hyper::Error) + Send + 'static,
    {
        if !self.origins.allow(self.origin.as_deref(), &self.host) {
            return UpgradeRejection(Why::Origin(self.origin)).into_response();
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        insert(headers, header::SEC_WEBSOCKET_ACCEPT, self.key.as_str());
        if let Some(protocol) = &self.selected {
            insert(headers, header::SEC_WEBSOCKET_PROTOCOL, protocol);
        }
        #[cfg(feature = "deflate")]
        let agreed = self.deflate.and_then(|deflate| {
            let offers = self.extensions.iter().map(String::as_str);
            let (answer, agreement) = deflate.answer(offers)?;
            let answer = answer.encode();
            insert(headers, header::SEC_WEBSOCKET_EXTENSIONS, answer.as_str());
            Some((agreement, deflate))
        });
        let Self {
            config,
            upgrade,
            selected,
            on_failed,
            ..
        } = self;
        tokio::spawn(async move {
            match upgrade.await {
                Ok(upgraded) => {
                    // Bytes behind the head come out of hyper's stream first.
                    let io = TokioIo::new(upgraded);
                    let mut ws = WebSocket::from_upgraded(io, Role::Server, &config, &[]);
                    #[cfg(feature = "deflate")]
                    if let Some((agreement, deflate)) = agreed {
                        ws = ws.deflate(agreement, &deflate);
                    }
                    ws.set_protocol(selected);
                    serve(ws).await;
                }
                Err(error) => on_failed(error),
            }
        });
        response
    }
}

/// Both values were checked before: a token, or Base64.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Several lines are one list (RFC 9110 section 5.2), and judged as one.
fn list(headers: &HeaderMap, name: &HeaderName) -> Vec<u8> {
    let lines = headers.get_all(name).iter().map(HeaderValue::as_bytes);
    lines.collect::<Vec<_>>().join(&b","[..])
}

/// The elements of a list that has passed the check: no comma is inside of one.
fn elements(list: &[u8]) -> Vec<String> {
    let list = String::from_utf8_lossy(list);
    let elements = list.split(',').map(str::trim);
    let elements = elements.filter(|element| !element.is_empty());
    elements.map(str::to_owned).collect()
}

impl<S: Send + Sync> FromRequestParts<S> for WebSocketUpgrade {
    type Rejection = UpgradeRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, UpgradeRejection> {
        let mut checks = Checks::new();
        checks.request_line(parts.method.as_str(), parts.version == Version::HTTP_11);
        let protocols = list(&parts.headers, &header::SEC_WEBSOCKET_PROTOCOL);
        for (name, value) in &parts.headers {
            if name != header::SEC_WEBSOCKET_PROTOCOL {
                checks.header(name.as_str().as_bytes(), value.as_bytes());
            }
        }
        if parts.headers.contains_key(header::SEC_WEBSOCKET_PROTOCOL) {
            checks.header(b"sec-websocket-protocol", &protocols);
        }
        let key = checks
            .finish()
            .map_err(|refusal| UpgradeRejection(Why::Refused(refusal)))?;
        let upgrade = parts.extensions.remove::<OnUpgrade>();
        let upgrade = upgrade.ok_or(UpgradeRejection(Why::NotUpgradable))?;
        // A value that is not text is still a value: no such Origin is allowed.
        let text = |name| {
            let value = parts.headers.get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        Ok(Self {
            config: Config::default(),
            origins: Origins::default(),
            upgrade,
            key,
            host: text(header::HOST).unwrap_or_default(),
            origin: text(header::ORIGIN),
            offered: elements(&protocols),
            selected: None,
            #[cfg(feature = "deflate")]
            extensions: elements(&list(&parts.headers, &header::SEC_WEBSOCKET_EXTENSIONS)),
            #[cfg(feature = "deflate")]
            deflate: None,
            on_failed: drop,
        })
    }
}

impl<F> fmt::Debug for WebSocketUpgrade<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketUpgrade")
            .field("offered", &self.offered)
            .finish_non_exhaustive()
    }
}

/// Why a request does not open a connection. As a response it has the status that fits, and a line
/// of text that says what was wrong.
#[derive(Debug)]
pub struct UpgradeRejection(Why);

#[derive(Debug)]
enum Why {
    Refused(Refusal),
    Origin(Option<String>),
    NotUpgradable,
}

impl UpgradeRejection {
    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        match &self.0 {
            Why::Refused(refusal) => {
                StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST)
            }
            Why::Origin(_) => StatusCode::FORBIDDEN,
            Why::NotUpgradable => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl fmt::Display for UpgradeRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Why::Refused(refusal) => refusal.fmt(f),
            Why::Origin(None) => f.write_str("an Origin header is required"),
            Why::Origin(Some(origin)) => write!(f, "pages of {origin} may not connect"),
            Why::NotUpgradable => f.write_str("this server cannot hand over its connections"),
        }
    }
}

impl std::error::Error for UpgradeRejection {}

impl IntoResponse for UpgradeRejection {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = (status, format!("{self}\n")).into_response();
        let headers = response.headers_mut();
        match status {
            // RFC 6455 section 4.4, RFC 9110 section 15.5.22: what would do.
            StatusCode::UPGRADE_REQUIRED => {
                headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
                headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
                headers.insert(
                    header::SEC_WEBSOCKET_VERSION,
                    HeaderValue::from_static("13"),
                );
            }
            // RFC 9110 section 15.5.6.
            StatusCode::METHOD_NOT_ALLOWED => {
                headers.insert(header::ALLOW, HeaderValue::from_static("GET"));
            }
            _ => {}
        }
        response
    }
}
