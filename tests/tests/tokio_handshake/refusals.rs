//! The server refuses: by a rule, by a limit, or because the application wants so.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use wirelet_tokio::handshake::server::{Refusal, ResponseError};
use wirelet_tokio::handshake::{HeadError, HeadLimits};
use wirelet_tokio::{AcceptError, Acceptor, Config, Origins, Timeouts};

use crate::http::{head, header, request, status, to_end};
use crate::{SECOND, pipe};

/// What the server makes of these bytes, and what the client reads of it.
async fn refused(acceptor: &Acceptor, bytes: &[u8]) -> (Refusal, String) {
    let (mut client, server) = pipe();
    client.write_all(bytes).await.unwrap();
    let judge = async {
        match acceptor.accept(server).await {
            Err(AcceptError::Refused(refusal)) => refusal,
            other => panic!("not refused: {other:?}"),
        }
    };
    // The client goes when it has the answer.
    let read = async {
        let answer = to_end(&mut client).await;
        drop(client);
        answer
    };
    tokio::join!(judge, read)
}

#[tokio::test]
async fn each_refusal_is_an_answer() {
    let sound = request("/", "");
    let without = |line: &str| sound.replace(line, "");
    for (bytes, refusal) in [
        (sound.replace("GET", "POST"), Refusal::Method),
        (sound.replace("HTTP/1.1", "HTTP/1.0"), Refusal::HttpVersion),
        (
            without("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
            Refusal::KeyMissing,
        ),
        (sound.replace("jZQ==", "jZQ="), Refusal::Key),
        (
            without("Sec-WebSocket-Version: 13\r\n"),
            Refusal::VersionMissing,
        ),
        (sound.replace(": 13", ": 8"), Refusal::Version),
        (without("Upgrade: websocket\r\n"), Refusal::NoUpgrade),
        (
            sound.replace("Connection: Upgrade", "Connection: keep-alive"),
            Refusal::Connection,
        ),
        (without("Host: example.com\r\n"), Refusal::HostMissing),
        (request("/", "Host: example.com\r\n"), Refusal::HostRepeated),
        (request("/", "Content-Length: 5\r\n"), Refusal::Content),
        (
            "\x16\x03\x01 TLS".to_owned(),
            Refusal::Head(HeadError::StartLine),
        ),
        (
            "GET / HTTP/1.1\r\n folded: 1\r\n\r\n".to_owned(),
            Refusal::Head(HeadError::Folded),
        ),
    ] {
        let (told, answer) = refused(&Acceptor::new(), bytes.as_bytes()).await;
        assert_eq!(told, refusal, "{bytes}");
        assert_eq!(status(&answer), refusal.status(), "{bytes}");
        assert!(
            answer.ends_with(&format!("\r\n\r\n{refusal}\n")),
            "{answer}"
        );
        let connection = header(&answer, "Connection").unwrap();
        assert!(connection.starts_with("close"), "{answer}");
        // RFC 6455 section 4.4 and RFC 9110 section 15.5.6: what would do.
        let version = header(&answer, "Sec-WebSocket-Version");
        assert_eq!(version, (status(&answer) == 426).then_some("13"));
        let allow = header(&answer, "Allow");
        assert_eq!(allow, (status(&answer) == 405).then_some("GET"));
    }
}

#[tokio::test]
async fn a_head_over_a_limit_is_refused() {
    let few = |bytes, lines| Acceptor::new().head_limits(HeadLimits { bytes, lines });
    let cookie = |len| format!("Cookie: {}\r\n", "c".repeat(len));
    for (acceptor, bytes, error) in [
        // The sound request has five lines.
        (few(4096, 4), request("/", ""), HeadError::TooManyLines),
        (few(100, 100), request("/", ""), HeadError::TooLong),
        (
            Acceptor::new(),
            request("/", &cookie(16 << 10)),
            HeadError::TooLong,
        ),
        // Of the line that the application asked for only so much can be kept.
        (
            Acceptor::new().keep(["cookie"]),
            request("/", &cookie(9 << 10)),
            HeadError::DoesNotFit,
        ),
        (
            Acceptor::new(),
            request(&format!("/{}", "a".repeat(9 << 10)), ""),
            HeadError::StartLineDoesNotFit,
        ),
    ] {
        let (told, answer) = refused(&acceptor, bytes.as_bytes()).await;
        assert_eq!(told, Refusal::Head(error));
        assert_eq!(status(&answer), told.status());
        assert!(matches!(status(&answer), 431 | 414), "{answer}");
    }
    // A long line that nobody wants passes by.
    let (mut client, server) = pipe();
    let bytes = request("/", &cookie(15 << 10));
    client.write_all(bytes.as_bytes()).await.unwrap();
    wirelet_tokio::accept(server).await.unwrap();
    assert_eq!(status(&head(&mut client).await), 101);
}

#[tokio::test]
async fn the_application_refuses_as_it_likes() {
    let (mut client, server) = pipe();
    client
        .write_all(request("/nowhere", "").as_bytes())
        .await
        .unwrap();
    let acceptor = Acceptor::new();
    let upgrade = acceptor.request(server).await.unwrap();
    assert_eq!(upgrade.request().path(), "/nowhere");
    let upgrade = upgrade.header("X-Why", "path");
    let (done, answer) = tokio::join!(upgrade.reject(404, "there is only /chat\n"), async {
        let answer = to_end(&mut client).await;
        drop(client);
        answer
    });
    done.unwrap();
    assert_eq!(
        answer,
        "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Length: 20\r\nX-Why: path\r\n\r\n\
         there is only /chat\n"
    );
}

#[tokio::test]
async fn a_plain_page_is_served_to_who_asks_for_no_websocket() {
    let (mut client, server) = pipe();
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    client.shutdown().await.unwrap();
    let acceptor = Acceptor::new().origins(Origins::any());
    let upgrade = acceptor.request(server).await.unwrap();
    assert!(!upgrade.request().is_upgrade());
    upgrade
        .respond(200, "text/html", b"<p>hello</p>")
        .await
        .unwrap();
    let answer = to_end(&mut client).await;
    assert_eq!(status(&answer), 200);
    assert_eq!(header(&answer, "Content-Type"), Some("text/html"));
    assert!(answer.ends_with("\r\n\r\n<p>hello</p>"), "{answer}");
}

#[tokio::test]
async fn only_a_final_status_refuses() {
    for status in [0, 99, 100, 101, 199, 600, 65_535] {
        let (mut client, server) = asked().await;
        let acceptor = Acceptor::new();
        let upgrade = acceptor.request(server).await.unwrap();
        let done = upgrade.reject(status, "").await;
        let expected = matches!(done, Err(AcceptError::Response(ResponseError::Status)));
        assert!(expected, "{status}: {done:?}");
        assert_eq!(
            client.read(&mut [0; 1]).await.unwrap(),
            0,
            "nothing was sent"
        );
    }
}

/// The answer is what counts, not whether the client hangs up or stays for ever.
#[tokio::test(start_paused = true)]
async fn a_refusal_is_done_when_the_client_has_the_answer() {
    let (mut client, server) = asked().await;
    let timeouts = Timeouts {
        handshake: SECOND,
        ..Timeouts::default()
    };
    let acceptor = Acceptor::new().config(Config::default().timeouts(timeouts));
    let upgrade = acceptor.request(server).await.unwrap();
    upgrade.reject(403, "no\n").await.unwrap();
    assert_eq!(status(&to_end(&mut client).await), 403);
}

/// A socket that is closed with unread bytes in it resets the connection, and the peer may never
/// see the answer. So the bytes are read away.
#[tokio::test]
async fn a_refusal_reaches_a_client_that_still_sends() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let (server, _) = listener.accept().await.unwrap();
    let mut bytes = request("/", "").replace("GET", "PUT").into_bytes();
    bytes.resize(bytes.len() + (60 << 10), b'x');
    client.write_all(&bytes).await.unwrap();
    let server = tokio::spawn(async move { wirelet_tokio::accept(server).await.map(drop) });
    let answer = to_end(&mut client).await;
    assert_eq!(status(&answer), 405);
    drop(client);
    let done = server.await.unwrap();
    assert!(matches!(done, Err(AcceptError::Refused(Refusal::Method))));
}

#[tokio::test]
async fn a_head_that_ends_early_is_an_error_of_the_transport() {
    let (mut client, server) = pipe();
    client.write_all(b"GET / HTTP/1.1\r\nHost").await.unwrap();
    drop(client);
    match wirelet_tokio::accept(server).await {
        Err(AcceptError::Io(error)) => {
            assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
        }
        other => panic!("{other:?}"),
    }
}

/// A client that has sent a sound request, and the server's end.
async fn asked() -> (DuplexStream, DuplexStream) {
    let (mut client, server) = pipe();
    client.write_all(request("/", "").as_bytes()).await.unwrap();
    (client, server)
}
