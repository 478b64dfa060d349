//! The server accepts: what the application sees, and what it may decide.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use wirelet::Role;
use wirelet_tests::hostile::{Habits, pair};
use wirelet_tokio::handshake::HeaderError;
use wirelet_tokio::handshake::server::ResponseError;
use wirelet_tokio::{AcceptError, Acceptor, Connector, Message, Origins};

use crate::http::{HOST, head, header, request, status, to_end};
use crate::{pipe, text};

#[tokio::test]
async fn the_application_sees_what_was_asked_for() {
    let (mut client, server) = pipe();
    let lines = "Origin: http://example.com\r\nCookie: a=1\r\nCookie: b=2\r\nX-Other: 1\r\n\
                 Sec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Protocol: echo\r\n";
    let target = "/rooms/7%20?user=a&user=b?c";
    client
        .write_all(request(target, lines).as_bytes())
        .await
        .unwrap();
    let acceptor = Acceptor::new().protocols(["echo"]).keep(["cookie"]);
    let upgrade = acceptor.request(server).await.unwrap();
    let seen = upgrade.request();
    assert!(seen.is_upgrade());
    assert_eq!(seen.method(), "GET");
    assert_eq!(seen.target(), target);
    assert_eq!(seen.path(), "/rooms/7%20");
    assert_eq!(seen.query(), Some("user=a&user=b?c"));
    assert_eq!(seen.host(), HOST);
    assert_eq!(seen.origin(), Some("http://example.com"));
    let offered: Vec<_> = seen.protocols().collect();
    assert_eq!(offered, ["chat", "superchat", "echo"]);
    let cookies: Vec<_> = seen.headers("Cookie").collect();
    assert_eq!(cookies, [b"a=1", b"b=2"]);
    assert_eq!(seen.header("x-other"), None, "nobody asked for it");

    let upgrade = upgrade.header("Set-Cookie", "c=3").header("X-Room", "7");
    let ws = upgrade.accept().await.unwrap();
    assert_eq!(ws.protocol(), Some("echo"));
    // The whole answer, byte by byte: the accept key is that of RFC 6455 section 1.3.
    assert_eq!(
        head(&mut client).await,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
         Sec-WebSocket-Protocol: echo\r\nSet-Cookie: c=3\r\nX-Room: 7\r\n\r\n"
    );
}

#[tokio::test]
async fn the_server_s_best_subprotocol_is_selected() {
    for (ours, offer, selected) in [
        (&["a", "b"][..], "b, a", Some("a")),
        (&["c", "b"], "a, b", Some("b")),
        (&["c"], "a, b", None),
        (&[], "a", None),
        (&["a"], "A", None),
        (&["chat"], "superchat", None),
    ] {
        let (mut client, server) = pipe();
        let lines = format!("Sec-WebSocket-Protocol: {offer}\r\n");
        client
            .write_all(request("/", &lines).as_bytes())
            .await
            .unwrap();
        let acceptor = Acceptor::new().protocols(ours.iter().copied());
        let ws = acceptor.accept(server).await.unwrap();
        let answer = head(&mut client).await;
        assert_eq!(ws.protocol(), selected, "{ours:?} {offer}");
        assert_eq!(header(&answer, "Sec-WebSocket-Protocol"), selected);
    }
}

#[tokio::test]
async fn bytes_behind_the_request_are_the_first_input() {
    // One message whole, and one whose rest comes later.
    let (one, two) = (text(Role::Server, "one"), text(Role::Server, "two"));
    for cut in 0..=two.len() {
        let (mut client, server) = pipe();
        let mut packet = request("/", "").into_bytes();
        packet.extend_from_slice(&one);
        packet.extend_from_slice(&two[..cut]);
        client.write_all(&packet).await.unwrap();
        let mut ws = wirelet_tokio::accept(server).await.unwrap();
        assert_eq!(ws.recv().await.unwrap(), Some(Message::Text("one")));
        client.write_all(&two[cut..]).await.unwrap();
        assert_eq!(ws.recv().await.unwrap(), Some(Message::Text("two")));
    }
}

#[tokio::test]
async fn both_ends_shake_hands_over_a_hostile_transport() {
    for seed in 0..50 {
        let (client, server) = pair(seed, Habits::trickle());
        let acceptor = Acceptor::new().protocols(["echo"]);
        let connector = Connector::new()
            .protocols(["echo"])
            .origin("http://example.com");
        let client = async {
            let ws = connector.handshake(client, "ws://example.com/a?b");
            let mut ws = ws.await.unwrap();
            ws.send("hello").await.unwrap();
            assert_eq!(ws.recv().await.unwrap(), Some(Message::Text("HELLO")));
            assert_eq!(ws.protocol(), Some("echo"));
        };
        let server = async {
            let upgrade = acceptor.request(server).await.unwrap();
            assert_eq!(upgrade.request().target(), "/a?b");
            let mut ws = upgrade.accept().await.unwrap();
            assert_eq!(ws.recv().await.unwrap(), Some(Message::Text("hello")));
            ws.send("HELLO").await.unwrap();
            assert_eq!(ws.protocol(), Some("echo"));
        };
        tokio::join!(client, server);
    }
}

#[tokio::test]
async fn every_rule_for_origins() {
    let only = || Origins::only(["https://example.com", "http://localhost:3000"]);
    for (rule, origin, allowed) in [
        (Origins::same_host(), None, true),
        (Origins::same_host(), Some("http://example.com"), true),
        (Origins::same_host(), Some("https://EXAMPLE.com"), true),
        (Origins::same_host(), Some("http://example.com:81"), false),
        (Origins::same_host(), Some("http://a.example.com"), false),
        (Origins::same_host(), Some("http://example.com.net"), false),
        (Origins::same_host(), Some("null"), false),
        (Origins::same_host().required(), None, false),
        (
            Origins::same_host().required(),
            Some("http://example.com"),
            true,
        ),
        (only(), None, true),
        (only(), Some("https://example.com"), true),
        (only(), Some("http://localhost:3000"), true),
        // The scheme counts in a list, and so does the port.
        (only(), Some("http://example.com"), false),
        (only(), Some("http://localhost"), false),
        (only(), Some("null"), false),
        (only().required(), None, false),
        (Origins::any(), Some("http://evil.net"), true),
        (Origins::any(), Some("null"), true),
        (Origins::any(), None, true),
        (Origins::any().required(), None, false),
    ] {
        let (mut client, server) = pipe();
        let lines = origin.map_or(String::new(), |origin| format!("Origin: {origin}\r\n"));
        client
            .write_all(request("/", &lines).as_bytes())
            .await
            .unwrap();
        client.shutdown().await.unwrap();
        let done = Acceptor::new().origins(rule.clone()).accept(server).await;
        // What was accepted ends here, so that the answer has an end.
        let done = done.map(drop);
        let answer = to_end(&mut client).await;
        let case = format!("{rule:?} {origin:?}");
        if allowed {
            assert!(done.is_ok(), "{case}");
            assert_eq!(status(&answer), 101, "{case}");
        } else {
            let Err(AcceptError::Origin(told)) = done else {
                panic!("{case}: {done:?}");
            };
            assert_eq!(told, origin.unwrap_or_default(), "{case}");
            assert_eq!(status(&answer), 403, "{case}");
            assert!(answer.contains(&told), "{answer}");
        }
    }
}

#[tokio::test]
async fn no_header_is_injected_into_the_answer() {
    for (name, value, error) in [
        ("X-A", "a\r\nX-B: b", HeaderError::Value),
        ("X-A", "a\nX-B: b", HeaderError::Value),
        ("X-A", "a\0", HeaderError::Value),
        ("X-A: b\r\nX-B", "b", HeaderError::Name),
        ("X A", "b", HeaderError::Name),
        ("", "b", HeaderError::Name),
        ("Sec-WebSocket-Accept", "b", HeaderError::Owned),
        ("upgrade", "h2c", HeaderError::Owned),
        ("Content-Length", "1", HeaderError::Owned),
    ] {
        for accept in [true, false] {
            let (mut client, server) = pipe();
            client.write_all(request("/", "").as_bytes()).await.unwrap();
            let acceptor = Acceptor::new();
            let upgrade = acceptor.request(server).await.unwrap().header(name, value);
            let error_of = if accept {
                upgrade.accept().await.map(drop)
            } else {
                upgrade.reject(404, "no\n").await
            };
            let Err(AcceptError::Response(ResponseError::Header(told))) = error_of else {
                panic!("{name:?} {value:?}: {error_of:?}");
            };
            assert_eq!(told, error, "{name:?} {value:?}");
            let mut rest = Vec::new();
            client.read_to_end(&mut rest).await.unwrap();
            assert!(rest.is_empty(), "nothing was sent");
        }
    }
}
