//! What the two ends say to each other, and what comes of it.

use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use wirelet_tokio::{Acceptor, Connector, Context, Deflate, Message, WindowBits};

use crate::bits;

const CHROMIUM: &str = "permessage-deflate; client_max_window_bits";
const FIREFOX: &str = "permessage-deflate";

fn small() -> Deflate {
    Deflate::new().takeover(true).window(bits(9))
}

/// What the server answers to a client's offers, as it stands on the wire.
#[tokio::test]
async fn answers() {
    let none = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    for (deflate, offers, answer) in [
        (Some(Deflate::new()), CHROMIUM, Some(none)),
        (Some(Deflate::new()), FIREFOX, Some(none)),
        (
            Some(Deflate::new().takeover(true)),
            CHROMIUM,
            Some("permessage-deflate"),
        ),
        (
            Some(small()),
            CHROMIUM,
            Some("permessage-deflate; server_max_window_bits=9; client_max_window_bits=9"),
        ),
        // Firefox's window cannot be limited: it does without takeover.
        (
            Some(small()),
            FIREFOX,
            Some("permessage-deflate; client_no_context_takeover; server_max_window_bits=9"),
        ),
        (
            Some(Deflate::new().takeover(true)),
            "permessage-deflate; server_max_window_bits=8",
            Some("permessage-deflate; server_max_window_bits=8"),
        ),
        (
            Some(Deflate::new().takeover(true)),
            "x-unknown, permessage-deflate; server_max_window_bits=16, permessage-deflate",
            Some("permessage-deflate"),
        ),
        (Some(Deflate::new()), "x-unknown", None),
        (None, CHROMIUM, None),
    ] {
        let (mut peer, io) = duplex(4096);
        let request = format!(
            "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Extensions: {offers}\r\n\r\n"
        );
        peer.write_all(request.as_bytes()).await.unwrap();
        let acceptor = match deflate {
            Some(deflate) => Acceptor::new().deflate(deflate),
            None => Acceptor::new(),
        };
        let ws = acceptor.accept(io).await.unwrap();
        assert_eq!(ws.agreement().is_some(), answer.is_some(), "{offers}");
        drop(ws);
        let mut head = String::new();
        peer.read_to_string(&mut head).await.unwrap();
        let lines = head.lines();
        let said = lines.filter_map(|line| line.strip_prefix("Sec-WebSocket-Extensions: "));
        assert_eq!(said.collect::<Vec<_>>(), Vec::from_iter(answer), "{offers}");
    }
}

/// What our client offers.
#[tokio::test]
async fn offers() {
    for (deflate, offer) in [
        (
            Deflate::new(),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
             client_max_window_bits",
        ),
        (Deflate::new().takeover(true), CHROMIUM),
        (
            small(),
            "permessage-deflate; server_max_window_bits=9; client_max_window_bits=9, \
             permessage-deflate; server_no_context_takeover; client_max_window_bits=9",
        ),
    ] {
        let (mut peer, io) = duplex(4096);
        let connector = Connector::new().deflate(deflate);
        let connecting = connector.handshake(io, "ws://a/");
        let read = async {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(peer.read_u8().await.unwrap());
            }
            drop(peer);
            String::from_utf8(head).unwrap()
        };
        let (failed, head) = tokio::join!(connecting, read);
        assert!(failed.is_err());
        let lines = head.lines();
        let said = lines.filter_map(|line| line.strip_prefix("Sec-WebSocket-Extensions: "));
        assert_eq!(said.collect::<Vec<_>>().join(", "), offer);
    }
}

/// Both ends come to the same agreement, whatever each of them wants, and understand each other.
#[tokio::test]
async fn both_ends_agree() {
    let wishes = [
        None,
        Some(Deflate::new()),
        Some(Deflate::new().takeover(true)),
        Some(small()),
        Some(small().threshold(0).level(9)),
        Some(Deflate::new().receive(Context::DEFAULT).threshold(0)),
        Some(Deflate::new().send(Context::DEFAULT).threshold(0)),
        Some(Deflate::new().window(WindowBits::MIN).threshold(0)),
    ];
    for ours in wishes {
        for theirs in wishes {
            let (a, b) = duplex(64 << 10);
            let acceptor = ours.map_or(Acceptor::new(), |it| Acceptor::new().deflate(it));
            let connector = theirs.map_or(Connector::new(), |it| Connector::new().deflate(it));
            let opened = tokio::join!(acceptor.accept(a), connector.handshake(b, "ws://a/"));
            let (mut server, mut client) = (opened.0.unwrap(), opened.1.unwrap());
            assert_eq!(server.agreement(), client.agreement());
            assert_eq!(server.agreement().is_some(), (ours.and(theirs)).is_some());
            let text = "what goes there comes back, and what goes there comes back. ".repeat(40);
            for _ in 0..3 {
                client.send(&text).await.unwrap();
                let (mut rx, mut tx) = server.halves();
                let message = rx.recv().await.unwrap().unwrap();
                tx.send(message).await.unwrap();
                assert_eq!(client.recv().await.unwrap(), Some(Message::Text(&text)));
            }
        }
    }
}
