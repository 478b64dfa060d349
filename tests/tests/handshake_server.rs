//! The server's side of the opening handshake: bytes in, exact decision and bytes out.
//!
//! Each case is run whole, byte by byte and at every split in two, in the smallest storage that
//! should do and in larger ones, and with bytes of the connection behind the head.

#[path = "handshake/mutate.rs"]
mod mutate;

use mutate::{Random, mutate};
use wirelet::handshake::server::{
    Checks, Handshake, Refusal, Rejection, Request, Response, ResponseError,
};
use wirelet::handshake::{AcceptKey, HeadError, HeadLimits, HeaderError};
use wirelet_tests::requests::{
    Case, Want, accepted, bounded, browsers, malformed, refused, sound, with,
};

/// The application's own lines in all cases.
const KEEP: &[&str] = &["Cookie", "x-real-ip"];
/// A masked text frame "Hello" (RFC 6455 section 5.7), then a line that looks like a header.
const BEHIND: &[u8] = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58Host: other\r\n\r\n";

/// What the request says of one thing. `-` for nothing, `|` between several.
fn look(request: &Request<'_>, what: &str) -> String {
    let latin1 = |value: &[u8]| value.iter().copied().map(char::from).collect::<String>();
    let or_none = |value: Option<String>| value.unwrap_or("-".into());
    match what.split_once(' ') {
        Some(("header", name)) => or_none(request.header(name).map(latin1)),
        Some(("headers", name)) => request
            .headers(name)
            .map(latin1)
            .collect::<Vec<_>>()
            .join("|"),
        _ => match what {
            "method" => request.method().into(),
            "target" => request.target().into(),
            "path" => request.path().into(),
            "query" => or_none(request.query().map(str::to_string)),
            "host" => request.host().into(),
            "origin" => or_none(request.origin().map(str::to_string)),
            "protocols" => request.protocols().collect::<Vec<_>>().join("|"),
            "extensions" => request.extensions().collect::<Vec<_>>().join("|"),
            "upgrade" => request.is_upgrade().to_string(),
            _ => unreachable!("{what}"),
        },
    }
}

const ALL: &[&str] = &[
    "method",
    "target",
    "path",
    "query",
    "host",
    "origin",
    "protocols",
    "extensions",
    "upgrade",
    "headers cookie",
    "headers x-real-ip",
    "headers connection",
];

/// Everything a handshake tells after these chunks. Compared, never parsed.
#[derive(Debug, PartialEq)]
struct Outcome {
    fed: Result<bool, Refusal>,
    consumed: usize,
    checked: Result<AcceptKey, Refusal>,
    said: Option<Vec<String>>,
}

fn run<'a>(
    storage: usize,
    limits: HeadLimits,
    chunks: impl IntoIterator<Item = &'a [u8]>,
    what: &[&str],
) -> Outcome {
    let mut handshake = Handshake::new(vec![0; storage], KEEP).limits(limits);
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
    let consumed = if fed.is_ok() { consumed } else { 0 };
    let request = handshake.request();
    let said = request.map(|request| what.iter().map(|one| look(&request, one)).collect());
    Outcome {
        fed,
        consumed,
        checked: handshake.check(),
        said,
    }
}

/// Each character is a byte.
fn bytes(text: &str) -> Vec<u8> {
    text.chars()
        .map(|one| u8::try_from(u32::from(one)).unwrap())
        .collect()
}

fn expected(case: &Case) -> Outcome {
    let length = bytes(&case.head).len();
    match case.want {
        Want::Key(key, says) => {
            let checked = Ok(AcceptKey::of(b"dGhlIHNhbXBsZSBub25jZQ=="));
            assert_eq!(
                checked.map(|key| key.as_str().to_string()),
                Ok(key.to_string())
            );
            let said = Some(says.iter().map(|(_, value)| value.to_string()).collect());
            Outcome {
                fed: Ok(true),
                consumed: length,
                checked,
                said,
            }
        }
        Want::Refusal(refusal, status) => {
            assert_eq!(refusal.status(), status, "{}", case.name);
            Outcome {
                fed: Ok(true),
                consumed: length,
                checked: Err(refusal),
                said: Some(vec![]),
            }
        }
        Want::Head(error, status) => {
            let refusal = Refusal::Head(error);
            assert_eq!(refusal.status(), status, "{}", case.name);
            Outcome {
                fed: Err(refusal),
                consumed: 0,
                checked: Err(refusal),
                said: None,
            }
        }
        Want::More => Outcome {
            fed: Ok(false),
            consumed: length,
            checked: Err(Refusal::Incomplete),
            said: None,
        },
    }
}

fn verify(case: &Case) {
    let expected = expected(case);
    let what: Vec<&str> = match case.want {
        Want::Key(_, says) => says.iter().map(|(what, _)| *what).collect(),
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
        Want::Head(HeadError::DoesNotFit | HeadError::StartLineDoesNotFit, _) => &[0],
        _ => &[0, 1, 7, 8192],
    };
    for more in sizes {
        let storage = case.storage + more;
        run(storage, &mut input.chunks(input.len().max(1)), "whole");
        run(storage, &mut input.chunks(1), "byte by byte");
        run(storage, &mut input.chunks(97), "by 97 bytes");
    }
    if matches!(case.want, Want::Key(..)) {
        let less = Handshake::new(vec![0; case.storage - 1], KEEP).feed(&input);
        let error = less.map_err(|refusal| refusal.status());
        assert!(
            matches!(error, Err(414 | 431)),
            "{}: less storage does as well",
            case.name
        );
    }
}

#[test]
fn requests_that_are_accepted() {
    accepted().iter().for_each(verify);
}

#[test]
fn requests_that_are_refused() {
    refused().iter().for_each(verify);
}

#[test]
fn requests_that_are_malformed() {
    malformed().iter().for_each(verify);
}

/// Every byte at every place of a name and a value, in a line that is kept and one that is not.
#[test]
fn every_byte_in_names_and_values() {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let is_value = |byte: u8| matches!(byte, b'\t' | b' '..=b'~' | 0x80..);
    for byte in 0..=255u8 {
        for at in 0..24 {
            let mut name = vec![b'x'; 24];
            name[at] = byte;
            let line = [name.as_slice(), b": y\r\n"].concat();
            // A colon ends the name; it must not be empty.
            let sound = is_token(byte) || (byte == b':' && at > 0);
            assert_eq!(reads_line(&line), sound, "{byte:#x} at {at} of a name");
            for name in ["X: ", "Cookie: "] {
                let mut value = vec![b'x'; 24];
                value[at] = byte;
                let line = [name.as_bytes(), &value, b"\r\n"].concat();
                assert_eq!(
                    reads_line(&line),
                    is_value(byte),
                    "{byte:#x} at {at} of {name}"
                );
            }
        }
    }
}

/// Whether a request with this line can be read.
fn reads_line(line: &[u8]) -> bool {
    let head = [b"GET / HTTP/1.1\r\n", line, b"\r\n"].concat();
    let mut handshake = Handshake::new([0; 128], KEEP);
    handshake
        .feed(&head)
        .is_ok_and(|progress| progress.complete)
}

#[test]
fn limits_and_incomplete_requests() {
    bounded().iter().for_each(verify);
}

#[test]
fn browsers_with_cookies() {
    browsers().iter().for_each(verify);
}

/// Random changes of a sound head: no panic, and the same answer however the bytes arrive.
#[test]
fn mutations_give_one_answer_for_every_split() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let lines = [
        "Origin: http://example.com",
        "Sec-WebSocket-Protocol: chat, superchat",
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
        "Cookie: a=1; b=\u{e4}",
        "Accept: */*",
    ];
    let seed = bytes(&with(&lines.join("\r\n")));
    let mut outcomes = std::collections::HashMap::<_, u32>::new();
    for _ in 0..20_000 {
        let mut head = seed.clone();
        for _ in 0..1 + random.below(4) {
            mutate(&mut head, &mut random);
        }
        let limits = match random.below(4) {
            0 => HeadLimits {
                bytes: 100 + u32::try_from(random.below(400)).unwrap(),
                lines: 12,
            },
            _ => HeadLimits::default(),
        };
        let storage = random.below(400);
        let whole = run(storage, limits, [head.as_slice()], ALL);
        assert_eq!(run(storage, limits, head.chunks(1), ALL), whole);
        let (front, back) = head.split_at(random.below(head.len() + 1));
        assert_eq!(run(storage, limits, [front, back], ALL), whole);
        let size = 1 + random.below(40);
        assert_eq!(run(storage, limits, head.chunks(size), ALL), whole);
        *outcomes.entry(whole.checked.err()).or_default() += 1;
    }
    // The mutations reach most rules, and not all are refused.
    assert!(outcomes.len() > 20, "{outcomes:?}");
    assert!(outcomes[&None] > 1000, "{outcomes:?}");
}

fn encoded(encode: impl Fn(&mut [u8]) -> Result<usize, ResponseError>) -> String {
    let mut out = [0xaa; 1024];
    let len = encode(&mut out).unwrap();
    assert!(out[len..].iter().all(|&byte| byte == 0xaa));
    // Exactly as much room as needed does, one byte less does not, and the need is told.
    assert_eq!(encode(&mut out[..len]), Ok(len));
    for less in 0..len {
        let result = encode(&mut out[..less]);
        assert_eq!(result, Err(ResponseError::BufferTooSmall { needed: len }));
    }
    String::from_utf8(out[..len].to_vec()).unwrap()
}

fn key() -> AcceptKey {
    AcceptKey::of(b"dGhlIHNhbXBsZSBub25jZQ==")
}

#[test]
fn accepting() {
    assert_eq!(
        encoded(|out| Response::new(key()).encode(out)),
        "HTTP/1.1 101 Switching Protocols\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
         \r\n"
    );
    assert_eq!(Response::new(key()).encode(&mut [0; 129]), Ok(129));
    let headers = [("Set-Cookie", "a=1"), ("X-Empty", "")];
    let response = Response::new(key()).protocol("chat").headers(&headers);
    assert_eq!(
        encoded(|out| response.encode(out)),
        "HTTP/1.1 101 Switching Protocols\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
         Sec-WebSocket-Protocol: chat\r\n\
         Set-Cookie: a=1\r\n\
         X-Empty: \r\n\
         \r\n"
    );
}

#[test]
fn rejecting() {
    assert_eq!(
        encoded(|out| Rejection::from(Refusal::Version).encode(out)),
        "HTTP/1.1 426 Upgrade Required\r\n\
         Connection: close, Upgrade\r\n\
         Upgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\n\
         Content-Type: text/plain\r\n\
         Content-Length: 48\r\n\
         \r\n\
         the WebSocket version is not supported; send 13\n"
    );
    assert_eq!(
        encoded(|out| Rejection::from(Refusal::Method).encode(out)),
        "HTTP/1.1 405 Method Not Allowed\r\n\
         Connection: close\r\n\
         Allow: GET\r\n\
         Content-Type: text/plain\r\n\
         Content-Length: 54\r\n\
         \r\n\
         the method is not GET; a WebSocket is opened with GET\n"
    );
    let headers = [("WWW-Authenticate", "Basic realm=\"x\"")];
    assert_eq!(
        encoded(|out| Rejection::new(401).headers(&headers).encode(out)),
        "HTTP/1.1 401 Unauthorized\r\n\
         Connection: close\r\n\
         Content-Length: 0\r\n\
         WWW-Authenticate: Basic realm=\"x\"\r\n\
         \r\n"
    );
    let page = Rejection::new(200).body("text/html", b"<p>\xc3\xa4\n");
    assert_eq!(
        encoded(|out| page.encode(out)),
        "HTTP/1.1 200 OK\r\n\
         Connection: close\r\n\
         Content-Type: text/html\r\n\
         Content-Length: 6\r\n\
         \r\n\
         <p>\u{e4}\n"
    );
    assert_eq!(
        encoded(|out| Rejection::new(599).encode(out)),
        "HTTP/1.1 599 \r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    );
    assert_eq!(
        encoded(|out| Rejection::new(204).encode(out)),
        "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
    );
}

#[test]
fn every_refusal_is_one_line_in_320_bytes() {
    let cases = [refused(), malformed(), bounded(), browsers()];
    let wants = cases.iter().flatten().map(|case| &case.want);
    let mut refusals: Vec<Refusal> = wants
        .filter_map(|want| match *want {
            Want::Refusal(refusal, _) => Some(refusal),
            Want::Head(error, _) => Some(Refusal::Head(error)),
            _ => None,
        })
        .chain([Refusal::Incomplete])
        .collect();
    refusals.sort();
    refusals.dedup();
    assert_eq!(refusals.len(), 33, "the cases name every refusal");
    for refusal in refusals {
        let text = encoded(|out| Rejection::from(refusal).encode(out));
        assert!(text.len() < 320, "{text}");
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, format!("{refusal}\n"));
        assert!(head.starts_with(&format!("HTTP/1.1 {} ", refusal.status())));
        assert!(head.contains(&format!("\r\nContent-Length: {}", body.len())));
        assert!(head.contains("\r\nConnection: close"));
        assert!(!head.lines().next().unwrap().ends_with(' '), "{head}");
    }
}

#[test]
fn what_an_answer_must_not_hold() {
    use HeaderError::{Name, Owned, Value};
    let mut out = [0; 1024];
    #[rustfmt::skip]
    let headers = [
        ("", "x", Name), ("a b", "x", Name), ("a:", "x", Name), ("a\r\nb", "x", Name), ("\u{e4}", "x", Name),
        ("a", "x\r\nb: c", Value), ("a", "x\n", Value), ("a", "\r", Value), ("a", "\0", Value), ("a", "\u{7f}", Value),
        ("Upgrade", "x", Owned), ("connection", "x", Owned), ("CONTENT-LENGTH", "0", Owned),
        ("Transfer-Encoding", "chunked", Owned), ("Sec-WebSocket-Accept", "x", Owned),
        ("sec-websocket-protocol", "x", Owned), ("Sec-WebSocket-Extensions", "x", Owned), ("sec-websocket-", "x", Owned),
    ];
    for (name, value, error) in headers {
        let headers = [("X-Good", "good"), (name, value)];
        let error = Err(ResponseError::Header(error));
        let response = Response::new(key()).headers(&headers);
        assert_eq!(response.encode(&mut out), error, "{name:?} {value:?}");
        let rejection = Rejection::new(403).headers(&headers);
        assert_eq!(rejection.encode(&mut out), error, "{name:?} {value:?}");
    }
    for protocol in ["", "a b", "a,b", "a\r\nb: c", "\u{e4}"] {
        let response = Response::new(key()).protocol(protocol);
        assert_eq!(response.encode(&mut out), Err(ResponseError::Protocol));
    }
    let owned = Err(ResponseError::Header(Owned));
    let header = [("Content-Type", "x")];
    assert_eq!(Rejection::new(403).headers(&header).encode(&mut out), owned);
    let header = [("Allow", "PUT")];
    assert_eq!(Rejection::new(405).headers(&header).encode(&mut out), owned);
    assert!(
        Rejection::new(403)
            .headers(&header)
            .encode(&mut out)
            .is_ok()
    );
    let kind = Rejection::new(403).body("text/plain\r\nX: y", b"");
    assert_eq!(kind.encode(&mut out), Err(ResponseError::Header(Value)));
    for status in [0, 100, 101, 199, 600, 1000, u16::MAX] {
        assert_eq!(
            Rejection::new(status).encode(&mut out),
            Err(ResponseError::Status)
        );
    }
    for status in [204, 205, 304] {
        let rejection = Rejection::new(status).body("text/plain", b"x");
        assert_eq!(rejection.encode(&mut out), Err(ResponseError::Body));
    }
}

/// What an HTTP server that has parsed the head itself does.
#[test]
fn checks_without_bytes() {
    let lines: &[(&str, &str)] = &[
        ("sec-websocket-version", "13"),
        ("host", "a"),
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("cookie", "a=1"),
    ];
    let run = |method: &str, is_1_1: bool, lines: &[(&str, &str)]| {
        let mut checks = Checks::new();
        for (name, value) in lines {
            checks.header(name.as_bytes(), value.as_bytes());
        }
        checks.request_line(method, is_1_1);
        checks.finish()
    };
    assert_eq!(run("GET", true, lines), Ok(key()));
    assert_eq!(run("PUT", true, lines), Err(Refusal::Method));
    assert_eq!(run("GET", false, lines), Err(Refusal::HttpVersion));
    let without = |index: usize| [&lines[..index], &lines[index + 1..]].concat();
    assert_eq!(run("GET", true, &without(0)), Err(Refusal::VersionMissing));
    assert_eq!(run("GET", true, &without(1)), Err(Refusal::HostMissing));
    assert_eq!(run("GET", true, &without(2)), Err(Refusal::Connection));
    assert_eq!(run("GET", true, &without(3)), Err(Refusal::NoUpgrade));
    assert_eq!(run("GET", true, &without(4)), Err(Refusal::KeyMissing));
    assert_eq!(run("GET", true, &without(5)), Ok(key()));
    assert_eq!(Checks::new().finish(), Err(Refusal::Incomplete));
}

#[test]
fn a_plain_request_can_be_told_apart() {
    let mut handshake = Handshake::new([0; 128], &[]);
    handshake
        .feed(b"GET /status HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    let request = handshake.request().unwrap();
    assert!(!request.is_upgrade());
    assert_eq!(request.path(), "/status");
    assert_eq!(handshake.check(), Err(Refusal::NoUpgrade));

    // An upgrade that is otherwise wrong is still one.
    let mut handshake = Handshake::new([0; 128], &[]);
    handshake
        .feed(b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n")
        .unwrap();
    assert!(handshake.request().unwrap().is_upgrade());
}

/// The storage may be any of these, and comes back.
#[test]
fn storage_of_several_kinds() {
    let head = bytes(&sound());
    let mut slice = [0; 128];
    let mut handshake = Handshake::new(&mut slice[..], &[]);
    assert!(handshake.feed(&head).unwrap().complete);
    let mut handshake = Handshake::new(vec![0; 128], &[]);
    assert!(handshake.feed(&head).unwrap().complete);
    assert_eq!(handshake.into_storage().len(), 128);
}
