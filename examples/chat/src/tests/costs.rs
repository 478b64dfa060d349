//! The costs that the page shows are what really went over the wire: counted here from outside.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Server;

/// Reads up to and with the empty line behind a head.
async fn read_head(socket: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

fn field<'a>(head: &'a str, name: &str) -> &'a str {
    let line = head
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("{name} in {head}"))
}

#[tokio::test]
async fn an_answer_tells_the_size_of_its_requests_head() {
    let server = Server::start().await;
    let body = json!({ "name": "ann", "feed": "poll" }).to_string();
    let requests = [
        (
            format!(
                "POST /join HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                 Cookie: a=b; c=d\r\nContent-Length: {}\r\n\r\n",
                body.len()
            ),
            body.as_str(),
            StatusCode::OK,
        ),
        // A refusal costs as much.
        (
            "GET /poll?after=12 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer 0\r\n\r\n".to_owned(),
            "",
            StatusCode::UNAUTHORIZED,
        ),
    ];
    for (head, body, status) in requests {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        socket
            .write_all(format!("{head}{body}").as_bytes())
            .await
            .unwrap();
        let answer = read_head(&mut socket).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {}", status.as_u16())),
            "{answer}"
        );
        assert_eq!(field(&answer, "chat-request-head"), head.len().to_string());
        assert_eq!(field(&answer, "cache-control"), "no-store");
        assert_eq!(field(&answer, "x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn a_websocket_is_told_what_its_handshake_cost() {
    let server = Server::start().await;
    let head = format!(
        "GET /ws HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\nUpgrade: websocket\r\n\
         Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        server.address
    );
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    let answer = read_head(&mut socket).await;
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");

    // One whole text frame with a short, unmasked payload.
    assert_eq!(socket.read_u8().await.unwrap(), 0x81);
    let mut payload = vec![0; socket.read_u8().await.unwrap().into()];
    socket.read_exact(&mut payload).await.unwrap();
    let told: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(
        told,
        json!({ "handshake": { "sent": head.len(), "received": answer.len() } })
    );
}

#[tokio::test]
async fn a_page_of_another_origin_and_a_plain_request_get_no_websocket() {
    let server = Server::start().await;
    let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for (fields, status) in [
        (
            format!("Origin: http://elsewhere.example\r\n{upgrade}"),
            "403",
        ),
        (String::new(), "4"),
    ] {
        let head = format!(
            "GET /ws HTTP/1.1\r\nHost: {}\r\n{fields}\r\n",
            server.address
        );
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        socket.write_all(head.as_bytes()).await.unwrap();
        let answer = read_head(&mut socket).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
        server.room.until(|room| room.connections == 0).await;
    }
}

#[tokio::test]
async fn one_encoding_serves_all() {
    let server = Server::start().await;
    let ann = super::client::Member::join(server.address, "ann", "poll").await;
    server.say(&ann.token, "\"quoted\" \u{1F600}");
    let entries = server.room.lock().history.since(0);
    for entry in entries {
        let json = serde_json::to_string(&entry).unwrap();
        assert_eq!(entry.frame.as_text(), Some(json.as_str()));
    }
}
