//! The peer broke a rule, or the caller would.

use wirelet::Control::{Close, Pong};
use wirelet::{Error, Instant, Role, SendError, Timeout, Timeouts};
use wirelet_tests::case::ROLES;
use wirelet_tests::frames::Frame;

use crate::State::{Closing, Finished, Open};
use crate::*;

#[test]
fn an_error_is_told_and_ends_the_connection() {
    for role in ROLES {
        let mut side = Side::new(role, Timeouts::default());
        side.hears(&Frame::new(PING, b"1").to(role).bytes());
        side.hears(&Frame::new(0x81, b"\xff").to(role).bytes());
        let told = [b"\x03\xef", Error::Utf8.reason().as_bytes()].concat();
        assert_eq!(side.owed(), Some((Close, &told[..])), "1007 and the rule");
        assert_eq!((side.state(), side.closed()), (Closing, None));
        assert_eq!(side.close(1000, ""), Err(SendError::Closed));
        side.pay();
        // Nothing that the peer may still send could be understood: it is over.
        assert_eq!(
            (side.owed(), side.state(), side.closed()),
            (None, Finished, None)
        );
        assert_eq!(side.waits(5_000), Some(Timeout::Close));
    }
}

#[test]
fn an_error_while_closing_does_not_wait_for_the_peer() {
    for (sent, role) in [(true, Role::Client), (false, Role::Server)] {
        let mut side = Side::new(role, Timeouts::default());
        side.close(4000, "ours").unwrap();
        if sent {
            side.pay();
        }
        side.hears(&Frame::new(0x83, b"").to(role).bytes());
        if !sent {
            // The reason to close came first.
            assert_eq!(side.owed(), Some((Close, &b"\x0f\xa0ours"[..])));
            side.pay();
        }
        assert_eq!(
            (side.owed(), side.state(), side.closed()),
            (None, Finished, None)
        );
    }
}

#[test]
fn an_error_inside_a_close_is_told() {
    // 03 ed is code 1005, which must not be sent; it comes a byte at a time.
    for (role, we_close) in [(Role::Client, true), (Role::Server, false)] {
        let mut side = Side::new(role, Timeouts::default());
        if we_close {
            side.close(4000, "ours").unwrap();
        }
        let began = side.now;
        let frame = Frame::new(CLOSE, b"\x03\xed").to(role).bytes();
        side.now += 7;
        for byte in frame {
            side.hears(&[byte]);
        }
        let told = [b"\x03\xea", Error::CloseCode.reason().as_bytes()].concat();
        assert_eq!(side.owed(), Some((Close, &told[..])), "1002 and the rule");
        // A close that had begun keeps its deadline.
        let since = if we_close { began } else { side.now };
        let due = Instant::from_millis(since + 5_000);
        assert_eq!(side.connection.poll_timeout(), Some(due));
        side.pay();
        assert_eq!((side.state(), side.closed()), (Finished, None));
    }
}

#[test]
fn an_error_after_the_peers_close_changes_nothing() {
    let mut side = Side::new(Role::Client, Timeouts::default());
    side.hears(&Frame::new(CLOSE, BYE).bytes());
    side.connection
        .fail(Error::Utf8, Instant::from_millis(side.now));
    assert_eq!(side.owed(), Some((Close, &b"\x03\xe8"[..])));
    side.pay();
    side.connection
        .fail(Error::Utf8, Instant::from_millis(side.now));
    assert_eq!(
        (side.state(), side.closed()),
        (Finished, Some((1000, "bye")))
    );
}

#[test]
fn a_close_that_may_not_be_sent_changes_nothing() {
    let mut side = Side::new(Role::Client, Timeouts::default());
    side.hears(&Frame::new(PING, b"1").bytes());
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
        assert_eq!(side.close(code, ""), Err(SendError::CloseCode), "{code}");
    }
    let long = "r".repeat(124);
    assert_eq!(side.close(1000, &long), Err(SendError::ControlTooLong));
    assert_eq!((side.owed(), side.state()), (Some((Pong, &b"1"[..])), Open));
    side.close(1000, &long[1..]).unwrap();
    assert_eq!(side.owed().map(|(_, payload)| payload.len()), Some(125));
}
