//! What a client takes and refuses (RFC 7692 section 7.1).

use wirelet::deflate::{Agreement, Context, Offer, ParameterError};
use wirelet::handshake::client::{DeflateError, Error, Handshake, Request};

use crate::{bits, no_takeover, takeover};

const NONCE: [u8; 16] = *b"the sample nonce";

fn check(offers: &[Offer], lines: &[&str]) -> Result<Option<Agreement>, Error> {
    let mut head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
        .to_owned();
    for line in lines {
        head += &format!("Sec-WebSocket-Extensions: {line}\r\n");
    }
    head += "\r\n";
    let run = |pieces: usize| {
        let mut handshake = Handshake::new([0; 256], NONCE, &[], &[]).deflate(offers);
        for piece in head.as_bytes().chunks(pieces) {
            handshake.feed(piece).unwrap();
        }
        handshake.check().map(|()| handshake.agreement())
    };
    let whole = run(head.len());
    assert_eq!(run(1), whole, "byte by byte");
    whole
}

fn offer(element: &str) -> Offer {
    Offer::parse(element).unwrap()
}

const P: &str = "permessage-deflate";
const NOT_OFFERED: Error = Error::Deflate(DeflateError::NotOffered);

fn wrong(error: ParameterError) -> Error {
    Error::Deflate(DeflateError::Parameter(error))
}

#[test]
fn without_an_offer_any_answer_is_refused() {
    assert_eq!(check(&[], &[]), Ok(None));
    for line in [P, "x", "permessage-deflate; client_no_context_takeover"] {
        assert_eq!(check(&[], &[line]), Err(Error::Extensions), "{line}");
    }
}

#[test]
fn a_server_may_decline() {
    assert_eq!(check(&[Offer::default()], &[]), Ok(None));
}

#[test]
fn answers_to_one_offer() {
    let cn = "permessage-deflate; client_no_context_takeover";
    let sn = "permessage-deflate; server_no_context_takeover";
    let sb10 = "permessage-deflate; server_max_window_bits=10";
    let sb11 = "permessage-deflate; server_max_window_bits=\"11\"";
    let cb = "permessage-deflate; client_max_window_bits";
    let cb9 = "permessage-deflate; client_max_window_bits=9";
    let cb10 = "permessage-deflate; client_max_window_bits=10";
    let agreed = |server, client| Ok(Some(Agreement { server, client }));
    let full = Context::DEFAULT;
    let none = Context::NO_TAKEOVER;
    for (offered, answer, want) in [
        (P, P, agreed(full, full)),
        // What a server may say unasked.
        (P, sn, agreed(none, full)),
        (P, cn, agreed(full, none)),
        (P, sb10, agreed(takeover(10), full)),
        // A client cannot be limited that did not offer it.
        (P, cb9, Err(NOT_OFFERED)),
        (P, cb, Err(wrong(ParameterError::ValueMissing))),
        // What was asked for must be granted.
        (sn, sn, agreed(none, full)),
        (sn, P, Err(NOT_OFFERED)),
        (sb10, sb10, agreed(takeover(10), full)),
        (sb10, P, Err(NOT_OFFERED)),
        (sb10, sb11, Err(NOT_OFFERED)),
        (sb11, sb10, agreed(takeover(10), full)),
        // What the client promised it keeps, whatever the answer is.
        (cn, P, agreed(full, none)),
        (cn, cn, agreed(full, none)),
        (cb, P, agreed(full, full)),
        (cb, cb10, agreed(full, takeover(10))),
        (cb, cb, Err(wrong(ParameterError::ValueMissing))),
        (cb9, P, agreed(full, takeover(9))),
        (cb9, cb9, agreed(full, takeover(9))),
        (cb9, cb10, Err(NOT_OFFERED)),
        (cb10, cb9, agreed(full, takeover(9))),
    ] {
        let got = check(&[offer(offered)], &[answer]);
        assert_eq!(got, want, "{offered} answered with {answer}");
    }
}

#[test]
fn malformed_answers() {
    for (answer, want) in [
        ("x", Error::Extensions),
        ("permessage-deflate, x", Error::Extensions),
        ("x, permessage-deflate", Error::Extensions),
        ("", Error::Extensions),
        (",", Error::Extensions),
        ("permessage-deflate; x", wrong(ParameterError::Unknown)),
        ("permessage-deflate;", wrong(ParameterError::Malformed)),
        (
            "permessage-deflate; server_no_context_takeover=1",
            wrong(ParameterError::ValueUnexpected),
        ),
        (
            "permessage-deflate; server_max_window_bits",
            wrong(ParameterError::ValueMissing),
        ),
        (
            "permessage-deflate; server_max_window_bits=08",
            wrong(ParameterError::WindowBits),
        ),
        (
            "permessage-deflate; server_max_window_bits=16",
            wrong(ParameterError::WindowBits),
        ),
        (
            "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
            wrong(ParameterError::Repeated),
        ),
        (
            "permessage-deflate, permessage-deflate",
            Error::Deflate(DeflateError::Repeated),
        ),
    ] {
        assert_eq!(check(&[Offer::default()], &[answer]), Err(want), "{answer}");
    }
    let twice = check(&[Offer::default()], &[P, P]);
    assert_eq!(twice, Err(Error::Deflate(DeflateError::Repeated)));
}

#[test]
fn fallbacks_are_matched_in_their_order() {
    let offers = [
        offer("permessage-deflate; server_max_window_bits=9; client_max_window_bits"),
        offer("permessage-deflate; server_no_context_takeover"),
    ];
    let small = check(&offers, &["permessage-deflate; server_max_window_bits=9"]);
    assert_eq!(small.unwrap().unwrap().server, takeover(9));
    let alone = check(&offers, &["permessage-deflate; server_no_context_takeover"]);
    assert_eq!(alone.unwrap().unwrap().server, no_takeover(15));
    let both = check(
        &offers,
        &["permessage-deflate; server_no_context_takeover; server_max_window_bits=8"],
    );
    assert_eq!(both.unwrap().unwrap().server, no_takeover(8));
    assert_eq!(check(&offers, &[P]), Err(NOT_OFFERED));
    // The client's window may be limited by the first only.
    let limited = "permessage-deflate; server_no_context_takeover; client_max_window_bits=8";
    assert_eq!(check(&offers, &[limited]), Err(NOT_OFFERED));
}

#[test]
fn offers_stand_in_the_request() {
    let offers = [
        Offer {
            server_max_window_bits: Some(bits(10)),
            client_max_window_bits: Some(None),
            ..Offer::default()
        },
        Offer {
            client_max_window_bits: Some(Some(bits(9))),
            server_no_context_takeover: true,
            ..Offer::default()
        },
    ];
    let mut out = [0; 512];
    let n = Request::new("a", "/")
        .deflate(&offers)
        .encode(NONCE, &mut out)
        .unwrap();
    let text = str::from_utf8(&out[..n]).unwrap();
    let lines: Vec<_> = text
        .lines()
        .filter(|line| line.contains("Extensions"))
        .collect();
    assert_eq!(
        lines,
        [
            "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10; \
             client_max_window_bits",
            "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; \
             client_max_window_bits=9",
        ]
    );
}
