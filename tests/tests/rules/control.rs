//! Section 5.5: control frames, and section 7.4: close codes.

use wirelet::{CloseCode, Error, Limits};
use wirelet_tests::case::{At, ROLES};
use wirelet_tests::drive::{self, Way};
use wirelet_tests::frames::Length;
use wirelet_tests::outcome::{End, Rules};

use crate::text::{CUT_TEXTS, WRONG_TEXTS};
use crate::*;

// Section 5.5: control frames.

#[test]
fn control_frames_are_not_fragmented() {
    for first in [0x08, 0x09, 0x0a] {
        let case = given(&[frame(first, b"\x03\xe8")]);
        case.fails(At::Header(0, 1), Error::ControlFragmented, 1002);
        let case = given(&[frame(TEXT_OPEN, b"a"), frame(first, b"")]);
        case.fails(At::Header(1, 1), Error::ControlFragmented, 1002);
    }
}

#[test]
fn control_frames_have_at_most_125_bytes() {
    for (first, opcode) in [(PING, 9), (PONG, 10)] {
        for len in [0, 1, 124, 125] {
            let payload = vec![0xff; len];
            given(&[frame(first, &payload)]).gives(&[(opcode, &payload)]);
        }
    }
    for first in [CLOSE, PING, PONG] {
        for len in [126, 127, 65536] {
            // The seven bits say 126 or 127: that is enough.
            let case = given(&[frame(first, vec![b'a'; len])]);
            case.fails(At::Header(0, 2), Error::ControlTooLong, 1002);
        }
        let small = frame(first, b"ab").declares(Length::Long(2));
        given(&[small]).fails(At::Header(0, 2), Error::ControlTooLong, 1002);
    }
}

#[test]
fn close_has_no_payload_or_a_code_and_a_reason() {
    for payload in [&b""[..], b"\x03\xe8", b"\x03\xe8bye", b"\x0f\xa0\xc3\xa4"] {
        given(&[frame(CLOSE, payload)]).gives_then(&[(8, payload)], End::Closed);
    }
    let longest = [&b"\x0b\xb8"[..], &[b'r'; 123]].concat();
    given(&[frame(CLOSE, &longest)]).gives_then(&[(8, &longest)], End::Closed);
}

#[test]
fn a_code_has_two_bytes() {
    let case = given(&[frame(CLOSE, b"\x03")]);
    case.fails(At::Header(0, 2), Error::CloseLength, 1002);
    let case = given(&[frame(TEXT_OPEN, b"a"), frame(CLOSE, b"\x03")]);
    case.fails(At::Header(1, 2), Error::CloseLength, 1002);
}

#[test]
fn a_close_reason_is_utf8() {
    let text = "\u{3ba}\u{1f30d}\u{20ac}";
    let payload = [b"\x03\xe8", text.as_bytes()].concat();
    given(&[frame(CLOSE, &payload)]).gives_then(&[(8, &payload)], End::Closed);
    for (reason, nth) in WRONG_TEXTS {
        let payload = [b"\x03\xe8", reason].concat();
        let case = given(&[frame(CLOSE, &payload)]);
        case.fails(At::Payload(0, 2 + nth), Error::CloseReason, 1007);
    }
    for reason in CUT_TEXTS {
        let payload = [b"\x03\xe8", reason].concat();
        let case = given(&[frame(CLOSE, &payload)]);
        case.fails(At::Payload(0, payload.len()), Error::CloseReason, 1007);
    }
    // The open character of a text message is not continued by the reason, nor the reverse.
    let payload = b"\x03\xe8\xac";
    let case = given(&[frame(TEXT_OPEN, b"\xe2\x82"), frame(CLOSE, payload)]);
    case.fails(At::Payload(1, 3), Error::CloseReason, 1007);
    let frames = [frame(TEXT_OPEN, b"\xe2\x82"), frame(CLOSE, b"\x03\xe8ok")];
    given(&frames).gives_then(&[(8, b"\x03\xe8ok")], End::Closed);
}

#[test]
fn what_follows_a_close_is_ignored() {
    for junk in [
        frame(TEXT, b"a"),
        frame(0xff, b"\xff"),
        frame(PING, b""),
        frame(CLOSE, b"\x03"),
    ] {
        let frames = [frame(CLOSE, b"\x03\xe8"), junk.clone(), junk];
        given(&frames).gives_then(&[(8, b"\x03\xe8")], End::Closed);
    }
    // Section 5.5.1: a Close may stand in the middle of a message, which then has no end.
    let frames = [frame(TEXT_OPEN, b"a"), frame(CLOSE, b""), frame(LAST, b"b")];
    given(&frames).gives_then(&[(8, b"")], End::Closed);
}

#[test]
fn pings_and_pongs_keep_their_payload_and_need_no_ping() {
    let frames = [
        frame(PONG, b""),
        frame(PING, b"\xff\0"),
        frame(PONG, b"\xff\0"),
        frame(PING, b""),
    ];
    given(&frames).gives(&[(10, b""), (9, b"\xff\0"), (10, b"\xff\0"), (9, b"")]);
}

// Section 7.4: close codes.

#[test]
fn all_close_codes() {
    for code in 0..=u16::MAX {
        // 7.4.1: 1000 to 1003, 1007 to 1011; the IANA registry adds 1012 to 1014.
        // 7.4.2: 3000 to 4999 are for libraries and applications.
        let fine = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
        assert_eq!(CloseCode::new(code).is_sendable(), fine, "{code}");
        let role = ROLES[usize::from(code % 2)];
        let payload = [&code.to_be_bytes()[..], b"why"].concat();
        let wire = frame(CLOSE, &payload).to(role).bytes();
        let limits = Limits::default();
        let rules = Rules {
            role,
            limits,
            rsv1: false,
            room: None,
        };
        let header = wire.len() - payload.len();
        // In one piece, inside the code, behind it, byte by byte.
        let all: Vec<usize> = (1..wire.len()).collect();
        for cuts in [&[][..], &[header + 1], &[header + 2], &all] {
            for way in [Way::Receiver, Way::Pieces(64)] {
                let run = drive::run(&rules, way, &wire, cuts);
                if fine {
                    assert_eq!(run.outcome.end, End::Closed, "{code}");
                    assert_eq!(run.outcome.items[0].payload, payload);
                } else {
                    assert_eq!(run.outcome.end, End::Failed(Error::CloseCode), "{code}");
                    assert!(run.before < header + 2, "{code}: the code is enough");
                }
            }
        }
    }
    assert_eq!(Error::CloseCode.close_code(), CloseCode::PROTOCOL);
}
