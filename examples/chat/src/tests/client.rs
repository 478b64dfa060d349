//! What the page does, in Rust: a client for each way.

use std::net::SocketAddr;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use futures_util::{SinkExt, StreamExt};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Requests to one server.
#[derive(Clone)]
pub(crate) struct Http {
    address: SocketAddr,
    client: Client<HttpConnector, Body>,
}

impl Http {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            client: Client::builder(TokioExecutor::new()).build_http(),
        }
    }

    /// The status and the body of the answer.
    pub(crate) async fn send(&self, request: Request<Body>) -> (StatusCode, String) {
        let answer = self.client.request(request).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> (StatusCode, String) {
        self.send(self.request(Method::GET, path, token, String::new()))
            .await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: &str) -> (StatusCode, String) {
        self.send(self.request(Method::POST, path, token, body.into()))
            .await
    }

    pub(crate) async fn join(&self, wish: Value) -> (StatusCode, String) {
        self.post("/join", "", &wish.to_string()).await
    }

    fn request(&self, method: Method, path: &str, token: &str, body: String) -> Request<Body> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
            .header("content-type", "application/json");
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request.body(Body::from(body)).unwrap()
    }
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A member, fed in one of the three ways.
pub(crate) struct Member {
    http: Http,
    /// Open if the member is fed by WebSocket.
    socket: Option<Socket>,
    way: &'static str,
    pub(crate) name: String,
    pub(crate) token: String,
    /// Everything the feed brought, the history of the welcome first.
    pub(crate) entries: Vec<Value>,
    pub(crate) missed: u64,
    pub(crate) people: Vec<String>,
}

impl Member {
    pub(crate) async fn join(address: SocketAddr, name: &str, way: &'static str) -> Self {
        let mut member = Self {
            http: Http::new(address),
            socket: None,
            way,
            name: name.to_owned(),
            token: String::new(),
            entries: Vec::new(),
            missed: 0,
            people: Vec::new(),
        };
        member.be_fed_by(way).await;
        member
    }

    /// Joins, or goes on in another way, as the page does: the old way ends when the new one began.
    pub(crate) async fn be_fed_by(&mut self, way: &'static str) {
        let mut wish = json!({ "name": self.name, "token": self.token, "after": self.after() });
        let old = self.socket.take();
        self.way = way;
        let welcome = if way == "websocket" {
            let mut socket = connect(self.http.address).await;
            write(&mut socket, &json!({ "join": wish })).await;
            let handshake = read(&mut socket).await.unwrap();
            assert!(handshake["handshake"]["sent"].as_u64().unwrap() > 100);
            assert!(handshake["handshake"]["received"].as_u64().unwrap() > 100);
            let mut welcome = read(&mut socket).await.unwrap();
            self.socket = Some(socket);
            welcome["welcome"].take()
        } else {
            wish["feed"] = way.into();
            let (status, body) = self.http.join(wish).await;
            assert_eq!(status, StatusCode::OK, "{body}");
            serde_json::from_str(&body).unwrap()
        };
        self.token = super::text(&welcome["token"]).to_owned();
        self.take(&welcome);
        if let Some(mut old) = old {
            // What the old connection still brings was in the welcome too.
            let close = read_to_end(&mut old).await.1.unwrap();
            assert_eq!(u16::from(close.code), 1000);
        }
    }

    pub(crate) async fn say(&mut self, text: &str) {
        if let Some(socket) = &mut self.socket {
            write(socket, &json!({ "say": text })).await;
        } else {
            let body = json!({ "text": text }).to_string();
            let (status, body) = self.http.post("/say", &self.token, &body).await;
            assert_eq!(status, StatusCode::OK, "{body}");
        }
    }

    /// Takes what the feed brings next: nothing, one entry, or many.
    pub(crate) async fn next(&mut self) {
        let news = match &mut self.socket {
            Some(socket) => json!({ "entries": [read(socket).await.unwrap()] }),
            None => {
                let path = format!("/{}?after={}", self.way, self.after());
                let (status, body) = self.http.get(&path, &self.token).await;
                assert_eq!(status, StatusCode::OK, "{body}");
                serde_json::from_str(&body).unwrap()
            }
        };
        self.take(&news);
    }

    /// Takes what the feed brings until there are this many messages.
    pub(crate) async fn until(&mut self, messages: usize) {
        let count = |entries: &[Value]| entries.iter().filter(|it| it["kind"] == "message").count();
        let mut have = count(&self.entries);
        while have < messages {
            let before = self.entries.len();
            self.next().await;
            have += count(&self.entries[before..]);
        }
    }

    /// Reads the socket to its end: the closing code and reason.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        let (news, close) = read_to_end(self.socket.as_mut().unwrap()).await;
        self.take(&json!({ "entries": news }));
        let close = close.expect("a Close frame");
        (close.code.into(), close.reason.to_string())
    }

    /// Loses the connection without a word.
    pub(crate) fn vanish(&mut self) {
        self.socket = None;
    }

    pub(crate) fn after(&self) -> u64 {
        self.entries
            .last()
            .map_or(0, |entry| entry["id"].as_u64().unwrap())
    }

    fn take(&mut self, news: &Value) {
        let entries = news["entries"].as_array().unwrap();
        // Confirmations and errors of a WebSocket come between the entries.
        self.entries.extend(
            entries
                .iter()
                .filter(|entry| !entry["id"].is_null())
                .cloned(),
        );
        self.missed += news["missed"].as_u64().unwrap_or(0);
        if let Some(people) = news["people"].as_array() {
            self.people = people
                .iter()
                .map(|name| super::text(name).to_owned())
                .collect();
        }
    }
}

pub(crate) async fn connect(address: SocketAddr) -> Socket {
    connect_async(format!("ws://{address}/ws")).await.unwrap().0
}

pub(crate) async fn write(socket: &mut Socket, message: &Value) {
    socket
        .send(Message::text(message.to_string()))
        .await
        .unwrap();
}

/// The next message, or nothing if the connection is closed.
pub(crate) async fn read(socket: &mut Socket) -> Option<Value> {
    loop {
        match socket.next().await?.unwrap() {
            Message::Text(text) => return Some(serde_json::from_str(&text).unwrap()),
            Message::Close(_) => return None,
            _ => {}
        }
    }
}

/// All messages that are left, and the Close frame.
pub(crate) async fn read_to_end(socket: &mut Socket) -> (Vec<Value>, Option<CloseFrame>) {
    let (mut news, mut close) = (Vec::new(), None);
    while let Some(Ok(message)) = socket.next().await {
        match message {
            Message::Text(text) => news.push(serde_json::from_str(&text).unwrap()),
            Message::Close(frame) => close = frame,
            _ => {}
        }
    }
    (news, close)
}
