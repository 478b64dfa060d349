//! Section 5.4: fragments, and section 10.4: how many.

use wirelet::{Error, Limits};
use wirelet_tests::case::At;
use wirelet_tests::outcome::End;

use crate::*;

// Section 5.4: fragments.

#[test]
fn fragments_make_one_message() {
    let frames = [
        frame(TEXT_OPEN, b"Hel"),
        frame(MORE, b"lo, "),
        frame(LAST, b"world"),
    ];
    given(&frames).gives(&[(1, b"Hello, world")]);
    let frames = [
        frame(BINARY_OPEN, b"\xff"),
        frame(LAST, b"\xfe"),
        frame(TEXT, b"a"),
    ];
    given(&frames).gives(&[(2, b"\xff\xfe"), (1, b"a")]);
    // Without the last one there is no message yet.
    let frames = [frame(TEXT_OPEN, b"Hel"), frame(MORE, b"lo")];
    given(&frames).gives_then(&[], End::More { between: false });
}

#[test]
fn fragments_may_be_empty() {
    let e = b"";
    let frames = [frame(TEXT_OPEN, e), frame(MORE, e), frame(LAST, e)];
    given(&frames).gives(&[(1, b"")]);
    let frames = [
        frame(BINARY_OPEN, e),
        frame(MORE, b"a"),
        frame(MORE, e),
        frame(LAST, b"b"),
    ];
    given(&frames).gives(&[(2, b"ab")]);
    let frames = [
        frame(TEXT_OPEN, e),
        frame(LAST, e),
        frame(TEXT, e),
        frame(BINARY, e),
    ];
    given(&frames).gives(&[(1, b""), (1, b""), (2, b"")]);
}

#[test]
fn control_frames_stand_between_fragments() {
    let frames = [
        frame(PING, b"0"),
        frame(TEXT_OPEN, b"a"),
        frame(PING, b"1"),
        frame(PONG, b"2"),
        frame(MORE, b"b"),
        frame(PING, b""),
        frame(LAST, b"c"),
        frame(PONG, b"3"),
    ];
    let before = [(9, &b"0"[..]), (9, b"1"), (10, b"2"), (9, b"")];
    given(&frames).gives(&[&before[..], &[(1, b"abc"), (10, b"3")]].concat());
}

#[test]
fn messages_are_not_interleaved() {
    for first in [TEXT, BINARY, TEXT_OPEN, BINARY_OPEN] {
        for open in [TEXT_OPEN, BINARY_OPEN] {
            let frames = [frame(open, b"a"), frame(first, b"b"), frame(LAST, b"c")];
            let at = At::Header(1, 1);
            given(&frames).fails(at, Error::ContinuationExpected, 1002);
            let later = [
                frame(open, b""),
                frame(MORE, b""),
                frame(PING, b""),
                frame(first, b""),
            ];
            let at = At::Header(3, 1);
            given(&later).fails(at, Error::ContinuationExpected, 1002);
        }
    }
}

#[test]
fn a_continuation_needs_a_message() {
    for first in [LAST, MORE] {
        let at = At::Header(0, 1);
        given(&[frame(first, b"a")]).fails(at, Error::ContinuationUnexpected, 1002);
        for whole in [TEXT, BINARY, PING, PONG] {
            let case = given(&[frame(whole, b"a"), frame(first, b"b")]);
            case.fails(At::Header(1, 1), Error::ContinuationUnexpected, 1002);
        }
        let ended = [
            frame(TEXT_OPEN, b"a"),
            frame(LAST, b"b"),
            frame(first, b"c"),
        ];
        given(&ended).fails(At::Header(2, 1), Error::ContinuationUnexpected, 1002);
    }
}

// Section 10.4: limits. More of them in limits.rs.

#[test]
fn ten_thousand_empty_fragments_over_and_under_the_limit() {
    let frames: Vec<Frame> = std::iter::once(frame(BINARY_OPEN, b""))
        .chain((0..9_998).map(|_| frame(MORE, b"")))
        .chain([frame(LAST, b"")])
        .collect();
    let limits = |fragments| Limits {
        fragments,
        ..Limits::default()
    };
    given(&frames).limits(limits(10_000)).gives(&[(2, b"")]);
    let case = given(&frames).limits(limits(9_999));
    case.fails(At::Header(9_999, 1), Error::TooManyFragments, 1008);
    let case = given(&frames).limits(limits(100));
    case.fails(At::Header(100, 1), Error::TooManyFragments, 1008);
}
