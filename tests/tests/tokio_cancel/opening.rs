//! The opening handshake owns the transport: dropped, it drops the transport, and the peer sees
//! the end of the stream. There is nothing to go on with.

use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use wirelet_tokio::{Acceptor, Connector};

use crate::steps::{End, Log, Steps, dropped_after, to_the_end};

const REQUEST: &[u8] = b"GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

fn transport(input: &[u8], step: usize) -> (Steps, Log) {
    let (mut io, log) = Steps::new(input.to_vec(), step);
    io.reader.end = End::Eof;
    (io, log)
}

/// Drops the future that `make` makes of a transport at every await; then the transport is gone,
/// and what was written is the beginning of what is written in the end.
async fn owns_the_transport<T, F: Future<Output = T>>(
    input: &[u8],
    step: usize,
    starts: &str,
    make: impl Fn(Steps) -> F,
) {
    let (io, log) = transport(input, step);
    let done = to_the_end(make(io)).await;
    let all = log.bytes();
    assert!(all.starts_with(starts.as_bytes()), "{}", all.escape_ascii());
    drop(done);
    assert!(log.is_dropped());
    for polls in 0..10_000 {
        let (io, log) = transport(input, step);
        let done = dropped_after(polls, make(io)).await.is_some();
        assert!(log.is_dropped(), "after {polls} polls");
        if starts.starts_with("HTTP") {
            assert!(all.starts_with(&log.bytes()), "after {polls} polls");
        }
        if done {
            assert!(polls > 2, "dropped at each await");
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn accepting() {
    for step in [1, 50, 1_000] {
        let ok = "HTTP/1.1 101 ";
        owns_the_transport(REQUEST, step, ok, |io| async {
            let ws = wirelet_tokio::accept(io).await;
            assert!(ws.is_ok(), "{ws:?}");
        })
        .await;
        let acceptor = Acceptor::new();
        owns_the_transport(REQUEST, step, ok, |io| async {
            let upgrade = acceptor.request(io).await.expect("a sound request");
            assert_eq!(upgrade.request().path(), "/chat");
            upgrade.accept().await.expect("accepted")
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn refusing() {
    let acceptor = Acceptor::new();
    for step in [1, 50, 1_000] {
        owns_the_transport(REQUEST, step, "HTTP/1.1 404 ", |io| async {
            let upgrade = acceptor.request(io).await.expect("a sound request");
            upgrade.reject(404, "only here\n").await.expect("answered");
        })
        .await;
        let broken = b"GET /chat HTTP/1.1\r\nHost : a\r\n\r\n and more";
        owns_the_transport(broken, step, "HTTP/1.1 400 ", |io| async {
            acceptor.accept(io).await.expect_err("refused");
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn connecting() {
    let answer = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n\r\n";
    for step in [1, 50, 1_000] {
        owns_the_transport(answer, step, "GET /chat HTTP/1.1\r\n", |io| async {
            let connector = Connector::new();
            let error = connector.handshake(io, "ws://example.com/chat").await;
            error.expect_err("refused");
        })
        .await;
    }
}

/// Over TCP: whoever waits for the answer and is dropped hangs up.
#[tokio::test]
async fn connecting_by_tcp() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("ws://{}/", listener.local_addr().expect("bound"));
    let server = async {
        let (mut tcp, _) = listener.accept().await.expect("a client");
        let mut request = vec![0; 4];
        tcp.read_exact(&mut request).await.expect("a request");
        (tcp, request)
    };
    let (mut tcp, request) = tokio::select! {
        biased;
        ws = wirelet_tokio::connect(&url) => panic!("nobody answered: {ws:?}"),
        seen = server => seen,
    };
    assert_eq!(request, b"GET ");
    let mut rest = Vec::new();
    tcp.read_to_end(&mut rest).await.expect("hung up");
    assert!(rest.ends_with(b"\r\n\r\n"));
}
