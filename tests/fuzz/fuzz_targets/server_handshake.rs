//! Any bytes as a request: the same answer for every cut, and an answer that can be written.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wirelet::handshake::HeadLimits;
use wirelet::handshake::server::{Handshake, Refusal, Rejection, Response};
use wirelet_fuzz::cuts;
use wirelet_tests::drive::pieces;

fuzz_target!(|data: &[u8]| {
    let Some((&[storage, limits, seed], head)) = data.split_first_chunk() else {
        return;
    };
    let storage = usize::from(storage) * 4;
    let limits = match limits {
        0..=127 => HeadLimits::default(),
        _ => HeadLimits {
            bytes: 8 * u32::from(limits & 63),
            lines: (limits & 7).into(),
        },
    };
    let [whole, others @ ..] = cuts(seed, head.len());
    let want = read(head, &whole, storage, limits);
    for cuts in others {
        assert_eq!(read(head, &cuts, storage, limits), want, "cuts {cuts:?}");
    }
});

/// Everything a server can learn from a request.
#[derive(Debug, PartialEq)]
struct Answer {
    /// Bytes consumed and whether the head is complete.
    fed: Result<(usize, bool), Refusal>,
    /// The accept key.
    check: Result<String, Refusal>,
    request: Option<Vec<Vec<u8>>>,
}

fn read(head: &[u8], cuts: &[usize], storage: usize, limits: HeadLimits) -> Answer {
    let mut handshake = Handshake::new(vec![0; storage], &["cookie", "X-Asked"]).limits(limits);
    let fed = feed(&mut handshake, head, cuts);
    let check = handshake.check();
    let mut out = [0; 320];
    let written = match check {
        Ok(key) => Response::new(key).encode(&mut out),
        Err(refusal) => Rejection::from(refusal).encode(&mut out),
    };
    let written = &out[..written.expect("320 bytes are enough for any answer of our own")];
    assert!(written.windows(4).any(|end| end == b"\r\n\r\n"));
    if let Err(refusal) = fed {
        assert_eq!(check.err(), Some(refusal), "the same refusal");
        assert_eq!(handshake.feed(b"\r\n\r\n"), Err(refusal), "for good");
    }
    Answer {
        fed,
        check: check.map(|key| key.as_str().to_owned()),
        request: request(&handshake),
    }
}

fn feed(
    handshake: &mut Handshake<'_, Vec<u8>>,
    head: &[u8],
    cuts: &[usize],
) -> Result<(usize, bool), Refusal> {
    for (before, piece) in pieces(head, cuts) {
        let progress = handshake.feed(piece)?;
        if progress.complete {
            let again = handshake.feed(b"more")?;
            assert!(again.complete && again.consumed == 0, "it is complete");
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

fn request(handshake: &Handshake<'_, Vec<u8>>) -> Option<Vec<Vec<u8>>> {
    let request = handshake.request()?;
    let text = [
        request.method(),
        request.target(),
        request.path(),
        request.host(),
    ];
    let mut seen: Vec<Vec<u8>> = text.iter().map(|text| text.as_bytes().to_vec()).collect();
    seen.extend(request.query().map(|query| query.as_bytes().to_vec()));
    seen.extend(request.origin().map(|origin| origin.as_bytes().to_vec()));
    seen.extend(request.protocols().map(|one| one.as_bytes().to_vec()));
    seen.extend(request.extensions().map(|one| one.as_bytes().to_vec()));
    for name in ["Cookie", "x-asked", "upgrade"] {
        assert_eq!(request.header(name), request.headers(name).next());
        seen.extend(request.headers(name).map(<[u8]>::to_vec));
    }
    seen.push(vec![u8::from(request.is_upgrade())]);
    Some(seen)
}
