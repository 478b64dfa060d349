//! Sections 5.1 and 5.3: who masks, and how; section 5.7: the examples of the RFC.

use wirelet::{Error, Limits, Role};
use wirelet_tests::case::At;
use wirelet_tests::frames::KEY;
use wirelet_tests::oracle;
use wirelet_tests::outcome::{End, Rules};

use crate::*;

// Section 5.1: masking.

#[test]
fn server_refuses_what_is_not_masked() {
    for first in [TEXT, BINARY_OPEN, CLOSE, PING, PONG] {
        // The second byte has no mask bit: that is enough.
        let case = given_raw(Role::Server, &[frame(first, b"\x03\xe8")]);
        case.fails(At::Header(0, 2), Error::MaskMissing, 1002);
        let long = frame(TEXT, [b'a'; 126]);
        given_raw(Role::Server, &[long]).fails(At::Header(0, 2), Error::MaskMissing, 1002);
        let empty = given_raw(Role::Server, &[frame(first, b"")]);
        empty.fails(At::Header(0, 2), Error::MaskMissing, 1002);
    }
    // Also in the middle of a message that was masked.
    let frames = [frame(TEXT_OPEN, b"a").masked(Some(KEY)), frame(LAST, b"b")];
    given_raw(Role::Server, &frames).fails(At::Header(1, 2), Error::MaskMissing, 1002);
}

#[test]
fn client_refuses_what_is_masked() {
    for first in [TEXT, BINARY_OPEN, CLOSE, PING, PONG] {
        for payload in [&b"\x03\xe8"[..], b""] {
            // A key of zeros leaves the payload as it is, and is refused all the same.
            for key in [KEY, [0; 4]] {
                let masked = frame(first, payload).masked(Some(key));
                let case = given_raw(Role::Client, &[masked]);
                case.fails(At::Header(0, 2), Error::MaskUnexpected, 1002);
            }
        }
    }
    let frames = [frame(TEXT_OPEN, b"a"), frame(LAST, b"b").masked(Some(KEY))];
    given_raw(Role::Client, &frames).fails(At::Header(1, 2), Error::MaskUnexpected, 1002);
}

// Section 5.3: masking.

#[test]
fn any_masking_key_in_every_cut() {
    for key in [[0; 4], [0xff; 4], [1, 2, 3, 4], [0x80, 0, 0, 0x7f]] {
        let payload = "masked, gr\u{f6}\u{df}er than a word or two: \u{4e16}\u{754c} \u{1f30d}";
        let other = frame(BINARY, b"\0\x01\x02").masked(Some(KEY));
        let text = frame(TEXT, payload).masked(Some(key));
        let case = given_raw(Role::Server, &[text, other]);
        case.gives(&[(1, payload.as_bytes()), (2, b"\0\x01\x02")]);
    }
    // Each frame of a message has its own key, and counts from its own first byte.
    let frames = [
        frame(TEXT_OPEN, b"abcde").masked(Some([9, 8, 7, 6])),
        frame(PING, b"xyz").masked(Some([1, 0, 0, 1])),
        frame(LAST, b"fghijk").masked(Some(KEY)),
    ];
    given_raw(Role::Server, &frames).gives(&[(9, b"xyz"), (1, b"abcdefghijk")]);
}

/// Bytes as they are: all are the "payload" of nothing, so positions count from the first.
fn read_literal(role: Role, wire: &[u8], items: &[(u8, &[u8])]) {
    let rules = Rules {
        role,
        limits: Limits::default(),
        rsv1: false,
        room: None,
    };
    let outcome = oracle::read(&rules, wire);
    let got: Vec<_> = outcome
        .items
        .iter()
        .map(|item| (item.opcode, &item.payload[..]))
        .collect();
    assert_eq!(got, items);
    assert_eq!(outcome.end, End::More { between: true });
    every_cut(&rules, wire);
}

// Section 5.7: the examples, byte for byte.

#[test]
fn the_examples_of_the_rfc() {
    // A single-frame unmasked text message.
    read_literal(
        Role::Client,
        b"\x81\x05\x48\x65\x6c\x6c\x6f",
        &[(1, b"Hello")],
    );
    // A single-frame masked text message.
    let masked = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    read_literal(Role::Server, masked, &[(1, b"Hello")]);
    // A fragmented unmasked text message.
    let fragmented = b"\x01\x03\x48\x65\x6c\x80\x02\x6c\x6f";
    read_literal(Role::Client, fragmented, &[(1, b"Hello")]);
    // Unmasked Ping request and masked Ping response.
    read_literal(
        Role::Client,
        b"\x89\x05\x48\x65\x6c\x6c\x6f",
        &[(9, b"Hello")],
    );
    let pong = b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    read_literal(Role::Server, pong, &[(10, b"Hello")]);
    // 256 bytes of binary in a single unmasked frame, then 64 KiB.
    let long = [&b"\x82\x7e\x01\x00"[..], &[0xa5; 256]].concat();
    read_literal(Role::Client, &long, &[(2, &[0xa5; 256])]);
    let header = b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00";
    let longest = [&header[..], &[0xa5; 65536]].concat();
    read_literal(Role::Client, &longest, &[(2, &[0xa5; 65536])]);
}
