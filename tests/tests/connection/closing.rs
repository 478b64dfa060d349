//! Tables: what happens, what is owed then, who is still open.

use wirelet::Control::{Close, Pong};
use wirelet::{Control, SendError, Timeouts};
use wirelet_tests::case::ROLES;
use wirelet_tests::frames::Frame;

use crate::*;

/// What happens.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// The peer sends a frame: first byte, payload.
    Gets(u8, &'static [u8]),
    /// The peer sends so many bytes of a frame, and the rest at the next `Rest`.
    Part(u8, &'static [u8], usize),
    Rest,
    /// The application closes; what it is told.
    Closes(u16, &'static str, Result<(), SendError>),
    /// What is owed was staged.
    Pays,
}

type Steps<'a> = &'a [(Step, Owed, State)];
type Owed = Option<(Control, &'static [u8])>;

/// Runs the steps for both roles; after each: what is owed, and the state.
#[track_caller]
fn run(steps: &[(Step, Owed, State)], closed: Option<(u16, &str)>) {
    for role in ROLES {
        let mut side = Side::new(role, Timeouts::default());
        let mut rest = Vec::new();
        for (i, (step, owed, state)) in steps.iter().enumerate() {
            match *step {
                Step::Gets(first, payload) => {
                    side.hears(&Frame::new(first, payload).to(role).bytes());
                }
                Step::Part(first, payload, len) => {
                    let frame = Frame::new(first, payload).to(role).bytes();
                    let header = frame.len() - payload.len();
                    side.hears(&frame[..header + len]);
                    rest = frame[header + len..].to_vec();
                }
                Step::Rest => side.hears(&rest),
                Step::Closes(code, reason, answer) => {
                    assert_eq!(side.close(code, reason), answer, "{role:?} step {i}");
                }
                Step::Pays => side.pay(),
            }
            assert_eq!(side.owed(), *owed, "{role:?} step {i} {step:?}");
            assert_eq!(side.state(), *state, "{role:?} step {i} {step:?}");
        }
        assert_eq!(side.closed(), closed, "{role:?}");
    }
}

use crate::State::{Closing, Finished, Open};
use Step::{Closes, Gets, Part, Pays, Rest};

#[test]
fn nothing_is_owed_for_data_and_pongs() {
    let steps: Steps<'_> = &[
        (Gets(0x81, b"text"), None, Open),
        (Gets(0x02, b"fragment"), None, Open),
        (Gets(PONG, b"unasked"), None, Open),
        (Gets(0x80, b""), None, Open),
    ];
    run(steps, None);
}

#[test]
fn the_newest_ping_is_answered_once() {
    let steps: Steps<'_> = &[
        (Gets(PING, b"1"), Some((Pong, b"1")), Open),
        (Gets(PING, b"22"), Some((Pong, b"22")), Open),
        (Gets(PONG, b"33"), Some((Pong, b"22")), Open),
        (Pays, None, Open),
        (Gets(PING, b""), Some((Pong, b"")), Open),
        (Pays, None, Open),
        (Pays, None, Open),
    ];
    run(steps, None);
}

#[test]
fn a_ping_in_pieces_is_answered_when_it_is_whole() {
    let steps: Steps<'_> = &[
        (Part(PING, b"abcdef", 2), None, Open),
        (Rest, Some((Pong, &b"abcdef"[..])), Open),
        // A newer one begins: the answer to it will do for both.
        (Part(PING, b"ghi", 1), None, Open),
        (Rest, Some((Pong, b"ghi")), Open),
        (Gets(PING, b"new"), Some((Pong, b"new")), Open),
        (Pays, None, Open),
    ];
    run(steps, None);
    // Without any payload yet, the older answer stays owed.
    let steps: Steps<'_> = &[
        (Gets(PING, b"old"), Some((Pong, &b"old"[..])), Open),
        (Part(PING, b"new", 0), Some((Pong, b"old")), Open),
        (Pays, None, Open),
        (Rest, Some((Pong, b"new")), Open),
    ];
    run(steps, None);
}

#[test]
fn the_peer_closes() {
    // Section 5.5.1: the answer echoes the code, and not the reason.
    let steps: Steps<'_> = &[
        (Gets(CLOSE, BYE), Some((Close, &b"\x03\xe8"[..])), Closing),
        (
            Closes(1001, "", Err(SendError::Closed)),
            Some((Close, b"\x03\xe8")),
            Closing,
        ),
        (Pays, None, Finished),
        (Closes(1001, "", Err(SendError::Closed)), None, Finished),
    ];
    run(steps, Some((1000, "bye")));
    let empty: Steps<'_> = &[
        (Gets(CLOSE, b""), Some((Close, &b""[..])), Closing),
        (Pays, None, Finished),
    ];
    run(empty, Some((1005, "")));
}

#[test]
fn the_application_closes() {
    let ours = b"\x0f\xa0done";
    let steps: Steps<'_> = &[
        (
            Closes(4000, "done", Ok(())),
            Some((Close, &ours[..])),
            Closing,
        ),
        (
            Closes(4001, "", Err(SendError::Closed)),
            Some((Close, ours)),
            Closing,
        ),
        (Pays, None, Closing),
        (Gets(0x81, b"late data"), None, Closing),
        // Section 5.5.1: nothing is sent after a Close, so no Pong either.
        (Gets(PING, b"late"), None, Closing),
        (Gets(CLOSE, b"\x0f\xa0"), None, Finished),
    ];
    run(steps, Some((4000, "")));
}

#[test]
fn both_close_at_once() {
    // The peer's comes while ours is still to be sent: the answer takes its place.
    let steps: Steps<'_> = &[
        (
            Closes(4000, "ours", Ok(())),
            Some((Close, &b"\x0f\xa0ours"[..])),
            Closing,
        ),
        (Gets(CLOSE, BYE), Some((Close, b"\x03\xe8")), Closing),
        (Pays, None, Finished),
    ];
    run(steps, Some((1000, "bye")));
    // Ours was sent: that was the answer.
    let steps: Steps<'_> = &[
        (
            Closes(4000, "ours", Ok(())),
            Some((Close, &b"\x0f\xa0ours"[..])),
            Closing,
        ),
        (Pays, None, Closing),
        (Gets(CLOSE, BYE), None, Finished),
    ];
    run(steps, Some((1000, "bye")));
}

#[test]
fn a_close_in_pieces_meets_our_own() {
    // Ours is owed when the first byte of the peer's comes: never a torn mixture of both.
    let steps: Steps<'_> = &[
        (
            Closes(4000, "ours", Ok(())),
            Some((Close, &b"\x0f\xa0ours"[..])),
            Closing,
        ),
        (Part(CLOSE, BYE, 1), None, Closing),
        (Rest, Some((Close, b"\x03\xe8")), Closing),
        (Pays, None, Finished),
    ];
    run(steps, Some((1000, "bye")));
    // The application closes between the pieces.
    let steps: Steps<'_> = &[
        (Part(CLOSE, BYE, 3), None, Open),
        (Closes(4000, "ours", Ok(())), None, Closing),
        (Closes(4000, "ours", Err(SendError::Closed)), None, Closing),
        (Rest, Some((Close, &b"\x03\xe8"[..])), Closing),
        (Pays, None, Finished),
    ];
    run(steps, Some((1000, "bye")));
    // Ours was sent before.
    let steps: Steps<'_> = &[
        (
            Closes(4000, "", Ok(())),
            Some((Close, &b"\x0f\xa0"[..])),
            Closing,
        ),
        (Pays, None, Closing),
        (Part(CLOSE, BYE, 4), None, Closing),
        (Rest, None, Finished),
    ];
    run(steps, Some((1000, "bye")));
}

#[test]
fn pings_and_closes_in_turn() {
    // Section 5.5.2: no Pong once the Close came.
    let steps: Steps<'_> = &[
        (Gets(PING, b"1"), Some((Pong, &b"1"[..])), Open),
        (Gets(CLOSE, BYE), Some((Close, b"\x03\xe8")), Closing),
        (Gets(PING, b"2"), Some((Close, b"\x03\xe8")), Closing),
        (Pays, None, Finished),
    ];
    run(steps, Some((1000, "bye")));
    // One slot: our Close takes the place of a Pong, and of a Ping that is half here.
    let steps: Steps<'_> = &[
        (Gets(PING, b"1"), Some((Pong, &b"1"[..])), Open),
        (
            Closes(1000, "", Ok(())),
            Some((Close, b"\x03\xe8")),
            Closing,
        ),
        (Gets(PING, b"2"), Some((Close, b"\x03\xe8")), Closing),
        (Pays, None, Closing),
    ];
    run(steps, None);
    let steps: Steps<'_> = &[
        (Part(PING, b"abc", 1), None, Open),
        (
            Closes(1000, "", Ok(())),
            Some((Close, &b"\x03\xe8"[..])),
            Closing,
        ),
        (Rest, Some((Close, b"\x03\xe8")), Closing),
        (Pays, None, Closing),
        (Gets(CLOSE, b""), None, Finished),
    ];
    run(steps, Some((1005, "")));
}
