//! Any bytes as a response: the same answer for every cut. And any strings as a request: what the
//! client writes, the server takes, as it was meant.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wirelet::handshake::HeadLimits;
use wirelet::handshake::client::{Error, Handshake, Request};
use wirelet::handshake::server;
use wirelet_fuzz::cuts;
use wirelet_tests::drive::pieces;

/// Its accept key is `s3pPLMBiTxaQ9kYGzzhZRbK+xOo=`, as in section 1.3 of RFC 6455.
const NONCE: [u8; 16] = *b"the sample nonce";

fuzz_target!(|data: &[u8]| {
    let Some((&[mode, storage, limits, seed], rest)) = data.split_first_chunk() else {
        return;
    };
    if mode >= 128 {
        return write(rest);
    }
    let storage = usize::from(storage) * 4;
    let limits = match limits {
        0..=127 => HeadLimits::default(),
        _ => HeadLimits {
            bytes: 8 * u32::from(limits & 63),
            lines: (limits & 7).into(),
        },
    };
    let [whole, others @ ..] = cuts(seed, rest.len());
    let want = read(rest, &whole, storage, limits);
    for cuts in others {
        assert_eq!(read(rest, &cuts, storage, limits), want, "cuts {cuts:?}");
    }
});

/// Everything a client can learn from a response.
#[derive(Debug, PartialEq)]
struct Answer {
    /// Bytes consumed and whether the head is complete.
    fed: Result<(usize, bool), Error>,
    check: Result<(), Error>,
    /// The status, and all that is said beside it.
    response: Option<(u16, Vec<Vec<u8>>)>,
}

fn read(head: &[u8], cuts: &[usize], storage: usize, limits: HeadLimits) -> Answer {
    let storage = vec![0; storage];
    let mut handshake = Handshake::new(storage, NONCE, &["chat", "v2"], &["Server"]).limits(limits);
    let fed = feed(&mut handshake, head, cuts);
    let check = handshake.check();
    if let Err(error) = fed {
        assert_eq!(check, Err(error), "the same error");
        assert_eq!(handshake.feed(b"\r\n\r\n"), Err(error), "for good");
    }
    let response = handshake.response().map(|response| {
        let names = ["server", "location", "retry-after", "www-authenticate"];
        let headers = names.iter().flat_map(|name| response.headers(name));
        let protocol = response.protocol().map(str::as_bytes);
        let said = [response.reason().as_bytes()].into_iter();
        let said = said.chain(protocol).chain(headers).map(<[u8]>::to_vec);
        (response.status(), said.collect())
    });
    if let (Ok(()), Some((status, ..))) = (check, &response) {
        assert_eq!(*status, 101);
    }
    Answer {
        fed,
        check,
        response,
    }
}

fn feed(
    handshake: &mut Handshake<'_, Vec<u8>>,
    head: &[u8],
    cuts: &[usize],
) -> Result<(usize, bool), Error> {
    for (before, piece) in pieces(head, cuts) {
        let progress = handshake.feed(piece)?;
        if progress.complete {
            return Ok((before + progress.consumed, true));
        }
        assert_eq!(
            progress.consumed,
            piece.len(),
            "incomplete: all of it was taken"
        );
    }
    Ok((head.len(), false))
}

/// Strings apart by NUL: host, target, origin, two subprotocols, name and value of a header line.
fn write(strings: &[u8]) {
    let Ok(strings) = str::from_utf8(strings) else {
        return;
    };
    let strings: Vec<&str> = strings.split('\0').collect();
    let [host, target, origin, one, two, name, value] = strings[..] else {
        return;
    };
    let (protocols, headers) = ([one, two], [(name, value)]);
    let mut request = Request::new(host, target)
        .protocols(&protocols)
        .headers(&headers);
    if !origin.is_empty() {
        request = request.origin(origin);
    }
    let mut out = vec![0; 4096];
    let Ok(written) = request.encode(NONCE, &mut out) else {
        return;
    };
    let keep = [name];
    let mut handshake = server::Handshake::new([0; 8192], &keep);
    let fed = handshake
        .feed(&out[..written])
        .expect("what we write is HTTP");
    assert!(
        fed.complete && fed.consumed == written,
        "one head, and nothing behind it"
    );
    let key = handshake.check().expect("what we write is a handshake");
    assert_eq!(key.as_str(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    let seen = handshake.request().expect("complete");
    assert_eq!((seen.host(), seen.target()), (host, target));
    assert_eq!(seen.origin(), (!origin.is_empty()).then_some(origin));
    assert!(seen.protocols().eq(protocols));
    // White space around a value is not part of it (RFC 9110 section 5.5).
    let trimmed = value.trim_matches([' ', '\t']).as_bytes();
    assert_eq!(seen.header(name), Some(trimmed));
}
