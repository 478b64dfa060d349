//! Any bytes in any cut: no panic, errors stay, every byte of payload comes out once.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wirelet::Receiver;
use wirelet::frame::{Header, Opcode};
use wirelet_fuzz::Frames;
use wirelet_tests::drive::{self, Way, pieces};
use wirelet_tests::outcome::{End, Rules};

fuzz_target!(|data: &[u8]| {
    let Some(Frames {
        rules,
        mut rng,
        wire,
    }) = Frames::read(data)
    else {
        return;
    };
    let cuts = rng.cuts(wire.len());
    let out = payload_bytes(&rules, wire, &cuts);
    let room = rules.room.unwrap_or(1);
    for way in [
        Way::Receiver,
        Way::Whole,
        Way::Pieces(room),
        Way::Growing(room),
        Way::Mixed(rng.any()),
        Way::Lazy(rng.any()),
    ] {
        // It checks the order of events, that errors stay, and that no full buffer asks for more.
        let run = drive::run(&rules, way, wire, &cuts);
        match run.outcome.end {
            // A buffer may be too small, and what was assembled is lost with an error.
            End::Failed(_) => {}
            _ => assert_eq!(out, Some(announced(wire)), "{way:?}"),
        }
    }
});

/// Bytes of payload that come out, unless a rule is broken.
fn payload_bytes(rules: &Rules, wire: &[u8], cuts: &[usize]) -> Option<usize> {
    let mut receiver = Receiver::new(rules.role, rules.limits);
    if rules.rsv1 {
        receiver.allow_rsv1();
    }
    let mut bytes = 0;
    for (_, piece) in pieces(wire, cuts) {
        let mut piece = piece.to_vec();
        let mut input = &mut piece[..];
        while let Some(event) = receiver.next(&mut input).ok()? {
            bytes += event.payload.len();
        }
    }
    Some(bytes)
}

/// Bytes of payload in `wire`, up to the end of the first Close.
fn announced(mut wire: &[u8]) -> usize {
    let mut bytes = 0;
    while let Ok(Some((header, size))) = Header::decode(wire) {
        let behind = &wire[size..];
        let here = behind
            .len()
            .min(usize::try_from(header.len).unwrap_or(usize::MAX));
        bytes += here;
        wire = &behind[here..];
        if header.opcode == Opcode::Close && here as u64 == header.len {
            break;
        }
    }
    bytes
}
