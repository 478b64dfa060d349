//! The opening handshake through the adapter: what the core's tables say, one byte at a time, and
//! what stands on the wire.

use embassy_futures::join::join;
use wirelet::handshake::HeadError;
use wirelet::handshake::server::Refusal;
use wirelet_embassy::{
    AcceptError, Acceptor, Buffered, ConnectError, Connector, Error, Message, Origins, SendError,
    accept,
};
use wirelet_tests::frames::{Frame, wire};
use wirelet_tests::requests;

use crate::client_cases;
use crate::clock::run;
use crate::io::{Io, Peer, on_rings};
use crate::steps::{End, Steps};

/// Each character is a byte.
fn bytes(text: &str) -> Vec<u8> {
    text.chars()
        .map(|one| u8::try_from(u32::from(one)).unwrap())
        .collect()
}

fn status(answer: &[u8]) -> u16 {
    let head = std::str::from_utf8(answer).unwrap();
    let rest = head
        .strip_prefix("HTTP/1.1 ")
        .unwrap_or_else(|| panic!("no status: {head:?}"));
    rest[..3].parse().unwrap()
}

/// What `acceptor` makes of a request, and what it answers; `step` bytes at a time.
fn ask(
    acceptor: &Acceptor<'_>,
    request: &[u8],
    room: usize,
    step: usize,
) -> (
    Result<Option<String>, AcceptError<embedded_io_async::ErrorKind>>,
    Vec<u8>,
) {
    let (mut io, log) = Steps::new(request.to_vec(), step);
    io.reader.end = End::Eof;
    let result = run(async {
        let (mut rx, mut tx) = ([0; 64], [0; 139]);
        let mut buffer = vec![0; room];
        let ws = acceptor
            .accept(Buffered::new(Io(io), &mut rx, &mut tx), &mut buffer)
            .await;
        match ws {
            // What came behind the head is there.
            Ok(mut ws) => Ok(ws
                .recv()
                .await
                .ok()
                .flatten()
                .map(|message| message.as_text().unwrap().to_string())),
            Err(error) => Err(error),
        }
    });
    (result, log.bytes())
}

#[test]
fn every_request_of_the_table() {
    use requests::Want;
    let tables = [
        requests::accepted(),
        requests::refused(),
        requests::malformed(),
        requests::bounded(),
        requests::browsers(),
    ];
    let behind = wire(wirelet::Role::Server, &[Frame::new(0x81, "behind")]);
    for case in tables.into_iter().flatten() {
        if let Want::Head(HeadError::DoesNotFit | HeadError::StartLineDoesNotFit, _) = case.want {
            continue;
        }
        let acceptor = Acceptor::new()
            .origins(Origins::Any)
            .head_limits(case.limits);
        let mut request = bytes(&case.head);
        if !matches!(case.want, Want::More) {
            request.extend(&behind);
        }
        for step in [1, usize::MAX] {
            let (result, answer) = ask(&acceptor, &request, 8192, step);
            let about = format!("{}: {result:?}", case.name);
            match case.want {
                Want::Key(key, _) => {
                    assert_eq!(result, Ok(Some("behind".to_string())), "{about}");
                    assert_eq!(status(&answer), 101, "{about}");
                    let answer = String::from_utf8(answer).unwrap();
                    assert!(
                        answer.contains(key) && answer.ends_with("\r\n\r\n"),
                        "{about}"
                    );
                }
                Want::Refusal(refusal, code) => {
                    assert_eq!(result, Err(AcceptError::Refused(refusal)), "{about}");
                    assert_eq!(status(&answer), code, "{about}");
                }
                Want::Head(error, code) => {
                    assert_eq!(
                        result,
                        Err(AcceptError::Refused(Refusal::Head(error))),
                        "{about}"
                    );
                    assert_eq!(status(&answer), code, "{about}");
                }
                Want::More => {
                    let disconnected = Err(AcceptError::Connection(Error::Disconnected));
                    assert_eq!((result, answer), (disconnected, vec![]), "{about}");
                }
            }
        }
    }
}

#[test]
fn every_response_of_the_table() {
    use client_cases::Want;
    let tables = [
        client_cases::accepted(),
        client_cases::refused(),
        client_cases::malformed(),
        client_cases::bounded(),
    ];
    let behind = wire(wirelet::Role::Client, &[Frame::new(0x81, "behind")]);
    for case in tables.into_iter().flatten() {
        if let Want::Head(HeadError::DoesNotFit | HeadError::StartLineDoesNotFit) = case.want {
            continue;
        }
        let mut response = bytes(&case.head);
        if !matches!(case.want, Want::More) {
            response.extend(&behind);
        }
        for step in [1, usize::MAX] {
            let (mut io, _) = Steps::new(response.clone(), step);
            io.reader.end = End::Eof;
            run(async {
                let (mut rx, mut tx) = ([0; 64], [0; 139]);
                // The nonce of RFC 6455 section 1.3.
                let mut nonce = b"the sample nonce".as_chunks::<4>().0.iter().cycle();
                let mut random = || *nonce.next().unwrap();
                let mut buffer = vec![0; 8192];
                let connector = Connector::new()
                    .protocols(&["chat", "superchat"])
                    .head_limits(case.limits);
                let io = Buffered::new(Io(io), &mut rx, &mut tx);
                let ws = connector.handshake(io, "ws://example.com/", &mut buffer, &mut random);
                let name = case.name;
                match (ws.await, case.want.verdict()) {
                    (Ok(mut ws), Some(Ok(()))) => {
                        assert_eq!(ws.recv().await, Ok(Some(Message::Text("behind"))), "{name}");
                    }
                    (Err(error), Some(Err(wanted))) => {
                        assert_eq!(error, ConnectError::Handshake(wanted), "{name}");
                    }
                    (Err(error), None) => {
                        let disconnected = ConnectError::Connection(Error::Disconnected);
                        assert_eq!(error, disconnected, "{name}");
                    }
                    (Ok(_), _) => panic!("{name}: accepted"),
                    (Err(error), _) => panic!("{name}: {error:?}"),
                }
            });
        }
    }
}

trait Verdict {
    fn verdict(&self) -> Option<Result<(), wirelet::handshake::client::Error>>;
}

impl Verdict for client_cases::Want {
    fn verdict(&self) -> Option<Result<(), wirelet::handshake::client::Error>> {
        match self {
            Self::Read(verdict, _) => Some(*verdict),
            Self::Head(error) => Some(Err(wirelet::handshake::client::Error::Head(*error))),
            Self::More => None,
        }
    }
}

fn request(lines: &str) -> Vec<u8> {
    let head = format!(
        "GET /chat HTTP/1.1\r\nHost: board.local\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{lines}\r\n"
    );
    head.into_bytes()
}

#[test]
fn pages_that_may_connect_and_those_that_may_not() {
    let only = Origins::Only(&["https://example.com"]);
    for (origins, lines, code) in [
        (Origins::SameHost, "", 101),
        (Origins::SameHost, "Origin: http://board.local\r\n", 101),
        (Origins::SameHost, "Origin: http://evil.example\r\n", 403),
        (Origins::SameHost, "Origin: null\r\n", 403),
        (only, "", 101),
        (only, "Origin: https://example.com\r\n", 101),
        (only, "Origin: http://board.local\r\n", 403),
        (Origins::Any, "Origin: http://evil.example\r\n", 101),
    ] {
        let acceptor = Acceptor::new().origins(origins);
        let (result, answer) = ask(&acceptor, &request(lines), 512, 1);
        assert_eq!(status(&answer), code, "{origins:?} {lines}: {result:?}");
        assert_eq!(result.is_err(), code == 403);
        if code == 403 {
            assert_eq!(result, Err(AcceptError::Origin));
        }
    }
}

#[test]
fn the_first_subprotocol_that_both_speak() {
    for (ours, theirs, selected) in [
        (
            &["b", "a"][..],
            "Sec-WebSocket-Protocol: a, b\r\n",
            Some("b"),
        ),
        (
            &["c", "a"],
            "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n",
            Some("a"),
        ),
        (&["c"], "Sec-WebSocket-Protocol: a, b\r\n", None),
        (&["c"], "", None),
    ] {
        let (result, answer) = ask(&Acceptor::new().protocols(ours), &request(theirs), 512, 1);
        assert!(result.is_ok());
        let answer = String::from_utf8(answer).unwrap();
        let line = selected.map(|one| format!("\r\nSec-WebSocket-Protocol: {one}\r\n"));
        assert_eq!(
            answer.contains("Sec-WebSocket-Protocol"),
            line.is_some(),
            "{answer}"
        );
        assert!(line.is_none_or(|line| answer.contains(&line)), "{answer}");
    }
}

/// Too small for the request: it is told; too small for the telling: nothing was sent.
#[test]
fn a_buffer_that_is_too_small() {
    for room in 0..512 {
        let (result, answer) = ask(&Acceptor::new(), &request(""), room, 100);
        match result {
            Ok(_) => assert_eq!(status(&answer), 101, "{room}"),
            Err(AcceptError::Refused(refusal)) => {
                assert_eq!(status(&answer), refusal.status(), "{room}")
            }
            Err(AcceptError::Response(_)) => assert_eq!(answer, b"", "{room}"),
            Err(error) => panic!("{room}: {error:?}"),
        }
    }
    assert!(ask(&Acceptor::new(), &request(""), 512, 1).0.is_ok());
}

#[test]
fn a_transport_with_too_little_room() {
    run(async {
        let (io, _) = Steps::new(request(""), 1);
        let (mut rx, mut tx, mut buffer) = ([0; 64], [0; 138], [0; 512]);
        let io = Buffered::new(Io(io), &mut rx, &mut tx);
        let full = AcceptError::Connection(Error::Send(SendError::Full));
        assert_eq!(accept(io, &mut buffer).await.err(), Some(full));
    });
}

/// A page larger than the ring, out of flash; and its head alone.
#[test]
fn pages() {
    static PAGE: [u8; 20_000] = [b'x'; 20_000];
    for (method, sent) in [("GET", 20_000), ("HEAD", 0), ("POST", 20_000)] {
        on_rings((256, 256), 0, async |socket, peer| {
            let mut buffer = [0; 512];
            let ours = async {
                let upgrade = Acceptor::new().request(socket, &mut buffer).await.unwrap();
                assert_eq!(
                    (upgrade.request().method(), upgrade.request().path()),
                    (method, "/")
                );
                upgrade
                    .respond(200, "text/html", &[("X-Y", "z")], &PAGE)
                    .await
                    .unwrap();
            };
            let theirs = async {
                peer.put(
                    format!("{method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000\r\n\r\n")
                        .as_bytes(),
                )
                .await;
                // More than the ring takes, and nobody reads it.
                peer.put(&[b'b'; 3000]).await;
                let all = peer.all().await;
                peer.hang_up().await;
                all
            };
            let answer = String::from_utf8(join(ours, theirs).await.1).unwrap();
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
            assert!(
                head.contains("Content-Length: 20000") && head.contains("X-Y: z"),
                "{head}"
            );
            assert_eq!(body.len(), sent, "{method}");
        });
    }
}
