//! The client: what it asks for, whom it believes, and what it says when it is refused.

use std::io::ErrorKind;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket};
use wirelet::Role;
use wirelet_tokio::handshake::client::{Error, RequestError};
use wirelet_tokio::handshake::{HeadError, HeadLimits, HeaderError};
use wirelet_tokio::{Acceptor, ConnectError, Connector, Message, Rejected, WebSocket, connect};

use crate::http::{head, header, status, switching};
use crate::{pipe, text};

#[tokio::test]
async fn the_request_is_what_was_set() {
    let (client, mut server) = pipe();
    let connector = Connector::new()
        .origin("http://example.com")
        .protocols(["a", "b"])
        .header("Authorization", "Bearer 1");
    let (done, request) = tokio::join!(
        connector.handshake(client, "wss://example.com:444/a%20b?c=d"),
        async {
            let request = head(&mut server).await;
            drop(server);
            request
        }
    );
    assert!(
        matches!(done, Err(ConnectError::Io(error)) if error.kind() == ErrorKind::UnexpectedEof)
    );
    assert!(request.starts_with("GET /a%20b?c=d HTTP/1.1\r\nHost: example.com:444\r\n"));
    for (name, value) in [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Origin", "http://example.com"),
        ("Sec-WebSocket-Protocol", "a, b"),
        ("Authorization", "Bearer 1"),
    ] {
        assert_eq!(header(&request, name), Some(value), "{request}");
    }
    assert_eq!(header(&request, "Sec-WebSocket-Key").unwrap().len(), 24);
}

/// What the client makes of an answer to its request.
async fn answered(
    connector: &Connector,
    answer: impl Fn(&str) -> Vec<u8>,
) -> Result<WebSocket<tokio::io::DuplexStream>, ConnectError> {
    let (client, mut server) = pipe();
    let serve = async {
        let request = head(&mut server).await;
        server.write_all(&answer(&request)).await.unwrap();
    };
    let (done, ()) = tokio::join!(connector.handshake(client, "ws://example.com/"), serve);
    done
}

#[tokio::test]
async fn bytes_behind_the_answer_are_the_first_input() {
    let packet = |request: &str| {
        let mut packet = switching(request, "").into_bytes();
        packet.extend(text(Role::Client, "one"));
        packet.extend(text(Role::Client, "two"));
        packet
    };
    let mut ws = answered(&Connector::new(), packet).await.unwrap();
    assert_eq!(ws.recv().await.unwrap(), Some(Message::Text("one")));
    assert_eq!(ws.recv().await.unwrap(), Some(Message::Text("two")));
}

#[tokio::test]
async fn an_answer_that_does_not_fit_the_request_is_refused() {
    let connector = Connector::new().protocols(["a"]);
    let of = |change: fn(String) -> String, lines: &'static str| {
        move |request: &str| change(switching(request, lines)).into_bytes()
    };
    let same = |answer| answer;
    let other_key = |answer: String| {
        let right = header(&answer, "Sec-WebSocket-Accept").unwrap().to_owned();
        answer.replace(&right, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    };
    let no_key = |answer: String| answer.replace("Sec-WebSocket-Accept", "X-Accept");
    let no_upgrade = |answer: String| answer.replace("Upgrade: websocket\r\n", "");
    let no_connection = |answer: String| answer.replace("Connection: Upgrade\r\n", "");
    let not_http = |_| "SSH-2.0-OpenSSH_9.6\r\n".to_owned();
    for (answer, error) in [
        (of(other_key, ""), Error::Accept),
        (of(no_key, ""), Error::AcceptMissing),
        (of(no_upgrade, ""), Error::Upgrade),
        (of(no_connection, ""), Error::Connection),
        (of(not_http, ""), Error::Head(HeadError::StartLine)),
        (of(same, "Sec-WebSocket-Protocol: b\r\n"), Error::Protocol),
        (
            of(same, "Sec-WebSocket-Extensions: permessage-deflate\r\n"),
            Error::Extensions,
        ),
    ] {
        match answered(&connector, answer).await {
            Err(ConnectError::Handshake(told)) => assert_eq!(told, error),
            other => panic!("{error:?}: {other:?}"),
        }
    }
    // The same answer is good when nothing is wrong with it.
    let ws = answered(&connector, of(same, "Sec-WebSocket-Protocol: a\r\n")).await;
    assert_eq!(ws.unwrap().protocol(), Some("a"));
    let ws = answered(&connector, of(same, "")).await;
    assert_eq!(ws.unwrap().protocol(), None);
}

#[tokio::test]
async fn an_answer_over_a_limit_is_refused() {
    let limits = HeadLimits {
        bytes: 1000,
        lines: 100,
    };
    let connector = Connector::new().head_limits(limits);
    let long = |request: &str| {
        let line = format!("X: {}\r\n", "x".repeat(1000));
        switching(request, &line).into_bytes()
    };
    match answered(&connector, long).await {
        Err(ConnectError::Handshake(error)) => {
            assert_eq!(error, Error::Head(HeadError::TooLong));
        }
        other => panic!("{other:?}"),
    }
}

/// Each refusal by this server as this client sees it.
#[tokio::test]
async fn a_refusal_tells_why() {
    let none = Rejected {
        status: 404,
        location: None,
        www_authenticate: None,
        retry_after: None,
    };
    for (line, rejected) in [
        (("X-A", "b"), none.clone()),
        (
            ("Location", "wss://example.com/new"),
            Rejected {
                status: 301,
                location: Some("wss://example.com/new".to_owned()),
                ..none.clone()
            },
        ),
        (
            ("WWW-Authenticate", "Basic realm=\"a\""),
            Rejected {
                status: 401,
                www_authenticate: Some("Basic realm=\"a\"".to_owned()),
                ..none.clone()
            },
        ),
        (
            ("Retry-After", "120"),
            Rejected {
                status: 503,
                retry_after: Some("120".to_owned()),
                ..none.clone()
            },
        ),
    ] {
        let (client, server) = pipe();
        let (acceptor, connector) = (Acceptor::new(), Connector::new());
        let refuse = async {
            let upgrade = acceptor.request(server).await.unwrap();
            let upgrade = upgrade.header(line.0, line.1);
            upgrade.reject(rejected.status, "no\n").await
        };
        let (refused, done) =
            tokio::join!(refuse, connector.handshake(client, "ws://example.com/"));
        refused.unwrap();
        match done {
            Err(ConnectError::Rejected(told)) => assert_eq!(*told, rejected),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn nothing_is_injected_into_the_request() {
    let plain = Connector::new;
    for (connector, error) in [
        (
            plain().header("X-A", "a\r\nX-B: b"),
            RequestError::Header(HeaderError::Value),
        ),
        (
            plain().header("X-A: a\r\nX-B", "b"),
            RequestError::Header(HeaderError::Name),
        ),
        (
            plain().header("Host", "evil.net"),
            RequestError::Header(HeaderError::Owned),
        ),
        (plain().origin("http://a\r\nX-B: b"), RequestError::Origin),
        (plain().protocols(["a\r\nX-B: b"]), RequestError::Protocols),
        (plain().protocols(["a", "a"]), RequestError::Protocols),
    ] {
        let (client, mut server) = pipe();
        match connector.handshake(client, "ws://example.com/").await {
            Err(ConnectError::Request(told)) => assert_eq!(told, error),
            other => panic!("{error:?}: {other:?}"),
        }
        assert_eq!(
            server.read(&mut [0; 1]).await.unwrap(),
            0,
            "nothing was sent"
        );
    }
}

#[tokio::test]
async fn urls_that_cannot_be_used_say_so() {
    for url in [
        "",
        "example.com",
        "/chat",
        "http://example.com/",
        "ws://",
        "ws:///chat",
        "ws://user:password@example.com/",
        "ws://example.com/#top",
        "ws://example.com/a b",
        // More than a port can be, or none at all: not the default port in its place.
        "ws://127.0.0.1:65536/",
        "ws://127.0.0.1:99999999999/",
        "ws://127.0.0.1:http/",
        "ws://127.0.0.1:+80/",
    ] {
        let done = connect(url).await;
        assert!(matches!(done, Err(ConnectError::Url(_))), "{url}: {done:?}");
    }
    // TLS is the caller's, and the error names the way.
    let error = connect("wss://example.com/").await.unwrap_err().to_string();
    assert!(error.contains("TLS") && error.contains("Connector::handshake"));
}

#[tokio::test]
async fn a_name_is_looked_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = async {
        let (tcp, _) = listener.accept().await.unwrap();
        let acceptor = Acceptor::new();
        let upgrade = acceptor.request(tcp).await.unwrap();
        assert_eq!(upgrade.request().host(), format!("localhost:{port}"));
        upgrade.accept().await.unwrap()
    };
    let url = format!("ws://localhost:{port}");
    let (mut server, client) = tokio::join!(serve, connect(&url));
    let mut client = client.unwrap();
    assert!(client.get_mut().nodelay().unwrap(), "batching is done here");
    client.send("hello").await.unwrap();
    assert_eq!(server.recv().await.unwrap(), Some(Message::Text("hello")));
}

#[tokio::test]
async fn nobody_listens() {
    // Bound, so that nobody else gets the port, and not listening.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    match connect(&format!("ws://127.0.0.1:{port}/")).await {
        Err(ConnectError::Io(error)) => assert_eq!(error.kind(), ErrorKind::ConnectionRefused),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_informational_answer_is_passed_over() {
    let early = |request: &str| {
        let mut answer = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".to_owned();
        answer.push_str(&switching(request, ""));
        assert_eq!(status(&answer), 103);
        answer.into_bytes()
    };
    answered(&Connector::new(), early).await.unwrap();
}
