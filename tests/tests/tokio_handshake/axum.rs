//! The extractor for axum, over real HTTP on a real socket.

use ::axum::Router;
use ::axum::extract::FromRequestParts;
use ::axum::http::{Request, StatusCode};
use ::axum::response::Response;
use ::axum::routing::any;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use wirelet::Role;
use wirelet_tokio::axum::{WebSocket, WebSocketUpgrade};
use wirelet_tokio::{CloseCode, ConnectError, Connector, Message, Origins, connect};

use crate::http::{head, header, request, status};
use crate::text;

async fn echo(mut socket: WebSocket) {
    let (mut rx, mut tx) = socket.halves();
    while let Ok(Some(message)) = rx.recv().await {
        if tx.feed(message).await.is_err() {
            return;
        }
    }
}

async fn own_pages(ws: WebSocketUpgrade) -> Response {
    ws.protocols(["echo", "chat"]).on_upgrade(echo)
}

async fn any_page(ws: WebSocketUpgrade) -> Response {
    ws.origins(Origins::any()).on_upgrade(echo)
}

async fn small(ws: WebSocketUpgrade) -> Response {
    ws.max_message(16).on_upgrade(echo)
}

/// What was offered, and what was selected, as the subprotocol and the first message tell.
async fn offered(ws: WebSocketUpgrade) -> Response {
    let ws = ws.protocols(["b", "c"]);
    let offered: Vec<_> = ws.offered_protocols().map(str::to_owned).collect();
    let told = format!("{offered:?} {:?}", ws.selected_protocol());
    ws.on_upgrade(|mut socket| async move {
        let _ = socket.send(&told).await;
        let _ = socket.close(CloseCode::NORMAL, "").await;
    })
}

/// Where the application listens.
async fn serve() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app: Router = Router::new()
        .route("/echo", any(own_pages))
        .route("/any", any(any_page))
        .route("/small", any(small))
        .route("/offered", any(offered));
    tokio::spawn(async move { ::axum::serve(listener, app).await });
    address
}

/// The head and the body that come for these bytes.
async fn answer(bytes: &str) -> (String, String) {
    let mut tcp = TcpStream::connect(serve().await).await.unwrap();
    tcp.write_all(bytes.as_bytes()).await.unwrap();
    let head = head(&mut tcp).await;
    let len = header(&head, "Content-Length").map_or(0, |len| len.parse().unwrap());
    let mut body = vec![0; len];
    tcp.read_exact(&mut body).await.unwrap();
    (head, String::from_utf8(body).unwrap())
}

#[tokio::test]
async fn it_echoes() {
    let url = format!("ws://{}/echo", serve().await);
    let connector = Connector::new().protocols(["chat", "echo"]);
    let mut ws = connector.connect(&url).await.unwrap();
    assert_eq!(ws.protocol(), Some("echo"), "the server's best");
    let large = "x".repeat(200_000);
    for text in ["", "hello", &large] {
        ws.send(text).await.unwrap();
        assert_eq!(ws.recv().await.unwrap(), Some(Message::Text(text)));
    }
    ws.close(CloseCode::NORMAL, "bye").await.unwrap();
    assert_eq!(ws.closed().unwrap().code, CloseCode::NORMAL);
}

#[tokio::test]
async fn several_lines_of_subprotocols_are_one_list() {
    let lines = "Sec-WebSocket-Protocol: a , c\r\nSec-WebSocket-Protocol: b\r\n";
    let mut tcp = TcpStream::connect(serve().await).await.unwrap();
    tcp.write_all(request("/offered", lines).as_bytes())
        .await
        .unwrap();
    let answer = head(&mut tcp).await;
    assert_eq!(header(&answer, "Sec-WebSocket-Protocol"), Some("b"));
    let told = text(Role::Client, r#"["a", "c", "b"] Some("b")"#);
    let mut bytes = vec![0; told.len()];
    tcp.read_exact(&mut bytes).await.unwrap();
    assert_eq!(bytes, told);
}

#[tokio::test]
async fn the_first_frame_may_share_a_packet_with_the_request() {
    let mut tcp = TcpStream::connect(serve().await).await.unwrap();
    let mut packet = request("/echo", "").into_bytes();
    packet.extend(text(Role::Server, "hello"));
    tcp.write_all(&packet).await.unwrap();
    let answer = head(&mut tcp).await;
    assert_eq!(status(&answer), 101);
    assert_eq!(
        header(&answer, "Sec-WebSocket-Accept"),
        Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    );
    let echoed = text(Role::Client, "hello");
    let mut bytes = vec![0; echoed.len()];
    tcp.read_exact(&mut bytes).await.unwrap();
    assert_eq!(bytes, echoed);
}

#[tokio::test]
async fn only_pages_of_the_same_host_may_connect_unless_others_may() {
    for (path, origin, allowed) in [
        ("/echo", "http://example.com", true),
        ("/echo", "http://evil.net", false),
        ("/echo", "null", false),
        ("/any", "http://evil.net", true),
    ] {
        let (head, body) = answer(&request(path, &format!("Origin: {origin}\r\n"))).await;
        let expected = if allowed { 101 } else { 403 };
        assert_eq!(status(&head), expected, "{path} {origin}");
        assert_eq!(body.contains(origin), !allowed, "{body}");
    }
}

#[tokio::test]
async fn what_is_no_handshake_is_answered() {
    let sound = request("/echo", "");
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for (bytes, expected) in [
        ("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), 426),
        (sound.replace(": 13", ": 8"), 426),
        (sound.replace("GET", "POST"), 405),
        (sound.replace(key, ""), 400),
        (request("/echo", key), 400),
        (sound.replace("jZQ==", "jZQ"), 400),
        (
            request("/echo", "Content-Length: 0\r\nOrigin: http://a b\r\n"),
            403,
        ),
        (request("/nowhere", ""), 404),
    ] {
        let (head, body) = answer(&bytes).await;
        assert_eq!(status(&head), expected, "{bytes}{head}{body}");
        let lists =
            |name, token: &str| header(&head, name).is_some_and(|list| list.contains(token));
        // RFC 6455 section 4.4, RFC 9110 sections 7.8 and 15.5.22: what would do.
        assert_eq!(
            lists("Sec-WebSocket-Version", "13"),
            expected == 426,
            "{head}"
        );
        assert_eq!(lists("Upgrade", "websocket"), expected == 426, "{head}");
        assert_eq!(lists("Connection", "Upgrade"), expected == 426, "{head}");
        assert_eq!(lists("Allow", "GET"), expected == 405, "{head}");
    }
}

#[tokio::test]
async fn the_client_is_told_the_status() {
    match connect(&format!("ws://{}/nowhere", serve().await)).await {
        Err(ConnectError::Rejected(rejected)) => assert_eq!(rejected.status, 404),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn limits_hold() {
    let url = format!("ws://{}/small", serve().await);
    let mut ws = connect(&url).await.unwrap();
    ws.send("sixteen bytes ok").await.unwrap();
    let echoed = ws.recv().await.unwrap();
    assert_eq!(echoed, Some(Message::Text("sixteen bytes ok")));
    ws.send("seventeen bytes -").await.unwrap();
    assert_eq!(ws.recv().await.unwrap(), None);
    assert_eq!(ws.closed().unwrap().code, CloseCode::TOO_BIG);
}

/// A request that did not come through a server that can hand over its connection.
#[tokio::test]
async fn without_a_connection_there_is_no_upgrade() {
    let request = Request::get("/")
        .header("Host", "example.com")
        .header("Upgrade", "websocket")
        .header("Connection", "Upgrade")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("Sec-WebSocket-Version", "13");
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    let done = WebSocketUpgrade::from_request_parts(&mut parts, &()).await;
    let status = done.err().map(|rejection| rejection.status());
    assert_eq!(status, Some(StatusCode::INTERNAL_SERVER_ERROR));
}
