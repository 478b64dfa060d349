//! The client's side of the opening handshake: the request's bytes, and what each response means.
//!
//! Each case is run whole, byte by byte and at every split in two, in the smallest storage that
//! should do and in larger ones, and with bytes of the connection behind the head.

#[path = "handshake/client_cases.rs"]
#[macro_use]
mod cases;
#[path = "handshake/mutate.rs"]
mod mutate;

use cases::{Case, Want, accepted, bounded, malformed, refused};
use mutate::{Random, mutate};
use wirelet::handshake::client::{Error, Handshake, Request, RequestError, Response};
use wirelet::handshake::{HeadError, HeadLimits, HeaderError, server};

/// Its Base64 is the sample key of RFC 6455.
const NONCE: [u8; 16] = *b"the sample nonce";
const OFFERED: &[&str] = &["chat", "superchat"];
/// The application's own lines in all cases.
const KEEP: &[&str] = &["set-cookie"];
/// A text frame "Hello" (RFC 6455 section 5.7), then a line that looks like a header.
const BEHIND: &[u8] = b"\x81\x05HelloUpgrade: other\r\n\r\n";

/// What the response says of one thing. `-` for nothing, `|` between several.
fn look(response: &Response<'_>, what: &str) -> String {
    let latin1 = |value: &[u8]| value.iter().copied().map(char::from).collect::<String>();
    match what.split_once(' ') {
        Some(("header", name)) => response.header(name).map_or("-".into(), latin1),
        Some(("headers", name)) => {
            let values: Vec<String> = response.headers(name).map(latin1).collect();
            values.join("|")
        }
        _ => match what {
            "status" => response.status().to_string(),
            "reason" => response.reason().into(),
            "protocol" => response.protocol().unwrap_or("-").into(),
            _ => unreachable!("{what}"),
        },
    }
}

const ALL: &[&str] = &[
    "status",
    "reason",
    "protocol",
    "headers location",
    "headers www-authenticate",
    "headers retry-after",
    "headers set-cookie",
    "headers upgrade",
];

/// Everything a handshake tells after these chunks.
#[derive(Debug, PartialEq)]
struct Outcome {
    fed: Result<bool, Error>,
    consumed: usize,
    checked: Result<(), Error>,
    said: Option<Vec<String>>,
}

fn run<'a>(
    storage: usize,
    limits: HeadLimits,
    chunks: impl IntoIterator<Item = &'a [u8]>,
    what: &[&str],
) -> Outcome {
    let storage = vec![0; storage];
    let mut handshake = Handshake::new(storage, NONCE, OFFERED, KEEP).limits(limits);
    let mut consumed = 0;
    let mut fed = Ok(false);
    for chunk in chunks {
        let before = fed;
        fed = handshake.feed(chunk).map(|progress| {
            assert!(progress.complete || progress.consumed == chunk.len());
            consumed += progress.consumed;
            progress.complete
        });
        // Errors and completion last.
        assert!(before == Ok(false) || before == fed);
    }
    let response = handshake.response();
    let said = response.map(|response| what.iter().map(|one| look(&response, one)).collect());
    Outcome {
        fed,
        consumed: if fed.is_ok() { consumed } else { 0 },
        checked: handshake.check(),
        said,
    }
}

/// Each character is a byte.
fn bytes(text: &str) -> Vec<u8> {
    let byte = |one| u8::try_from(u32::from(one)).unwrap();
    text.chars().map(byte).collect()
}

fn expected(case: &Case) -> Outcome {
    let length = bytes(&case.head).len();
    match case.want {
        Want::Read(checked, says) => Outcome {
            fed: Ok(true),
            consumed: length,
            checked,
            said: Some(says.iter().map(|(_, value)| value.to_string()).collect()),
        },
        Want::Head(error) => Outcome {
            fed: Err(Error::Head(error)),
            consumed: 0,
            checked: Err(Error::Head(error)),
            said: None,
        },
        Want::More => Outcome {
            fed: Ok(false),
            consumed: length,
            checked: Err(Error::Incomplete),
            said: None,
        },
    }
}

fn verify(case: &Case) {
    let expected = expected(case);
    let what: Vec<&str> = match case.want {
        Want::Read(_, says) => says.iter().map(|(what, _)| *what).collect(),
        _ => vec![],
    };
    // What follows a head is not touched, wherever the input is cut.
    let mut input = bytes(&case.head);
    if !matches!(case.want, Want::More) {
        input.extend(BEHIND);
    }
    let run = |storage: usize, chunks: &mut dyn Iterator<Item = &[u8]>, how: &str| {
        let outcome = run(storage, case.limits, chunks, &what);
        let name = case.name;
        assert_eq!(outcome, expected, "{name}, storage {storage}, {how}");
    };
    for at in 0..=input.len() {
        let (front, back) = input.split_at(at);
        let how = format!("split at {at}");
        run(case.storage, &mut [front, back].into_iter(), &how);
    }
    // An error of size depends on the storage; other outcomes do not.
    let sizes: &[usize] = match case.want {
        Want::Head(HeadError::DoesNotFit | HeadError::StartLineDoesNotFit) => &[0],
        _ => &[0, 1, 7, 8192],
    };
    for more in sizes {
        let storage = case.storage + more;
        run(storage, &mut input.chunks(input.len().max(1)), "whole");
        run(storage, &mut input.chunks(1), "byte by byte");
        run(storage, &mut input.chunks(97), "by 97 bytes");
    }
    if matches!(case.want, Want::Read(Ok(()), _)) {
        let storage = vec![0; case.storage - 1];
        let error = Handshake::new(storage, NONCE, OFFERED, KEEP).feed(&input);
        let does_not_fit = matches!(
            error,
            Err(Error::Head(
                HeadError::DoesNotFit | HeadError::StartLineDoesNotFit
            ))
        );
        assert!(does_not_fit, "{}: less storage does as well", case.name);
    }
}

#[test]
fn responses_that_are_accepted() {
    accepted().iter().for_each(verify);
}

#[test]
fn responses_that_are_refused() {
    refused().iter().for_each(verify);
}

#[test]
fn responses_that_are_malformed() {
    malformed().iter().for_each(verify);
}

#[test]
fn limits_and_incomplete_responses() {
    bounded().iter().for_each(verify);
}

/// Random changes of a sound head: no panic, and the same answer however the bytes arrive.
#[test]
fn mutations_give_one_answer_for_every_split() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let interim = bytes(&head!("HTTP/1.1 103 Early Hints", "Link: </style.css>"));
    let seed = bytes(&sound!(
        "Sec-WebSocket-Protocol: chat",
        "Location: /x",
        "Set-Cookie: a=\u{e4}",
        "Date: Sun, 06 Nov 1994 08:49:37 GMT"
    ));
    let mut outcomes = std::collections::HashMap::<_, u32>::new();
    for _ in 0..20_000 {
        let mut head = seed.clone();
        if random.below(4) == 0 {
            head.splice(0..0, interim.clone());
        }
        for _ in 0..1 + random.below(4) {
            mutate(&mut head, &mut random);
        }
        let mut limits = HeadLimits::default();
        if random.below(4) == 0 {
            limits.bytes = 100 + u32::try_from(random.below(300)).unwrap();
            limits.lines = 8;
        }
        let storage = random.below(400);
        let whole = run(storage, limits, [head.as_slice()], ALL);
        assert_eq!(run(storage, limits, head.chunks(1), ALL), whole);
        let (front, back) = head.split_at(random.below(head.len() + 1));
        assert_eq!(run(storage, limits, [front, back], ALL), whole);
        let size = 1 + random.below(40);
        assert_eq!(run(storage, limits, head.chunks(size), ALL), whole);
        *outcomes.entry(whole.checked).or_default() += 1;
    }
    // The mutations reach most rules, and not all are refused.
    assert!(outcomes.len() > 15, "{outcomes:?}");
    assert!(outcomes[&Ok(())] > 1000, "{outcomes:?}");
}

fn encoded(request: &Request<'_>) -> String {
    let mut out = [0xaa; 1024];
    let len = request.encode(NONCE, &mut out).unwrap();
    assert!(out[len..].iter().all(|&byte| byte == 0xaa));
    // Exactly as much room as needed does, one byte less does not, and the need is told.
    assert_eq!(request.encode(NONCE, &mut out[..len]), Ok(len));
    for less in 0..len {
        let result = request.encode(NONCE, &mut out[..less]);
        assert_eq!(result, Err(RequestError::BufferTooSmall { needed: len }));
    }
    String::from_utf8(out[..len].to_vec()).unwrap()
}

#[test]
fn asking() {
    assert_eq!(
        encoded(&Request::new("example.com", "/chat")),
        "GET /chat HTTP/1.1\r\n\
         Host: example.com\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Version: 13\r\n\
         \r\n"
    );
    assert_eq!(encoded(&Request::new("a", "/")).len(), 140);
    let headers = [("Authorization", "Bearer x"), ("X-Latin", "\u{e4}")];
    let request = Request::new("[::1]:8080", "/?a=b")
        .origin("https://example.com")
        .protocols(OFFERED)
        .headers(&headers);
    assert_eq!(
        encoded(&request),
        "GET /?a=b HTTP/1.1\r\n\
         Host: [::1]:8080\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Version: 13\r\n\
         Origin: https://example.com\r\n\
         Sec-WebSocket-Protocol: chat, superchat\r\n\
         Authorization: Bearer x\r\n\
         X-Latin: \u{e4}\r\n\
         \r\n"
    );
}

#[test]
fn what_a_request_must_not_hold() {
    use HeaderError::{Name, Owned, Value};
    let mut out = [0; 1024];
    let mut error = |request: Request<'_>| request.encode(NONCE, &mut out).unwrap_err();
    for host in [
        "", "a b", "a/b", "u@a", "a\r\nb", "\u{e4}", "a:b", ":80", "[::1", "a#",
    ] {
        assert_eq!(error(Request::new(host, "/")), RequestError::Host, "{host}");
    }
    for target in [
        "",
        "x",
        "*",
        "http://a/",
        "/a b",
        "/#",
        "/a#b",
        "/\r\nX: y",
        "/\u{e4}",
        "/\0",
    ] {
        let request = Request::new("a", target);
        assert_eq!(error(request), RequestError::Target, "{target}");
    }
    for origin in ["", "http://a b", "a\r\nb: c", "\u{e4}"] {
        let request = Request::new("a", "/").origin(origin);
        assert_eq!(error(request), RequestError::Origin, "{origin}");
    }
    let lists: [&[&str]; 6] = [
        &[""],
        &["a", ""],
        &["a b"],
        &["a,b"],
        &["a\r\nb"],
        &["a", "b", "a"],
    ];
    for protocols in lists {
        let request = Request::new("a", "/").protocols(protocols);
        assert_eq!(error(request), RequestError::Protocols, "{protocols:?}");
    }
    #[rustfmt::skip]
    let headers = [
        ("", "x", Name), ("a b", "x", Name), ("a:", "x", Name), ("a\r\nb", "x", Name), ("\u{e4}", "x", Name),
        ("a", "x\r\nb: c", Value), ("a", "x\n", Value), ("a", "\r", Value), ("a", "\0", Value), ("a", "\u{7f}", Value),
        ("Host", "x", Owned), ("ORIGIN", "x", Owned), ("Upgrade", "x", Owned), ("connection", "x", Owned),
        ("Content-Length", "0", Owned), ("transfer-encoding", "chunked", Owned),
        ("Sec-WebSocket-Key", "x", Owned), ("sec-websocket-version", "8", Owned), ("Sec-WebSocket-Extensions", "x", Owned),
    ];
    for (name, value, why) in headers {
        let headers = [("X-Good", "good"), (name, value)];
        let request = Request::new("a", "/").headers(&headers);
        assert_eq!(
            error(request),
            RequestError::Header(why),
            "{name:?} {value:?}"
        );
    }
}

/// Both sides of the library, with nonces of every byte.
#[test]
fn client_and_server_agree() {
    for byte in 0..=255u8 {
        let nonce: [u8; 16] = std::array::from_fn(|index| byte.wrapping_mul(37) ^ index as u8);
        let mut out = [0; 512];
        let request = Request::new("a", "/x").protocols(OFFERED);
        let len = request.encode(nonce, &mut out).unwrap();
        let mut server = server::Handshake::new([0; 128], &[]);
        assert_eq!(server.feed(&out[..len]).unwrap().consumed, len);
        let key = server.check().unwrap();
        let response = server::Response::new(key).protocol("superchat");
        let len = response.encode(&mut out).unwrap();
        let mut client = Handshake::new([0; 128], nonce, OFFERED, KEEP);
        assert_eq!(client.feed(&out[..len]).unwrap().consumed, len);
        assert_eq!(client.check(), Ok(()));
        let response = client.response().unwrap();
        assert_eq!(response.protocol(), Some("superchat"));

        // Another nonce is another connection.
        let mut other = Handshake::new([0; 128], NONCE, OFFERED, KEEP);
        other.feed(&out[..len]).unwrap();
        assert_eq!(other.check(), Err(Error::Accept));
    }
}

/// What a server of this library refuses, a client of it reads.
#[test]
fn a_refusal_is_understood() {
    let mut out = [0; 512];
    let rejection = server::Rejection::from(server::Refusal::Version);
    let len = rejection.encode(&mut out).unwrap();
    let mut client = Handshake::new([0; 128], NONCE, &[], &["Sec-WebSocket-Version"]);
    let progress = client.feed(&out[..len]).unwrap();
    assert!(progress.complete);
    assert_eq!(client.check(), Err(Error::Status(426)));
    let response = client.response().unwrap();
    assert_eq!(response.reason(), "Upgrade Required");
    assert_eq!(response.header("sec-websocket-version"), Some(&b"13"[..]));
    // The body is left to the application.
    assert!(out[progress.consumed..len].ends_with(b"send 13\n"));
}

#[test]
fn errors_say_what_was_wrong() {
    assert_eq!(
        Error::Status(404).to_string(),
        "the server answered with status 404, not with 101"
    );
    assert_eq!(
        Error::Head(HeadError::LineEnd).to_string(),
        HeadError::LineEnd.to_string()
    );
}
