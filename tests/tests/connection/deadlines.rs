//! Each deadline, at it and a millisecond before.

use std::time::Duration;

use wirelet::Control::{Ping, Pong};
use wirelet::{CloseCode, Connection, Role, Timeout, Timeouts};
use wirelet_tests::case::ROLES;
use wirelet_tests::frames::Frame;
use wirelet_tests::rng::Rng;

use crate::*;

#[test]
fn the_handshake_has_one_deadline() {
    let mut connection = Connection::new(Role::Server, Timeouts::default(), at(500));
    // Bytes do not move it.
    connection.heard(at(9_000));
    assert!(!connection.is_open());
    assert_eq!(connection.poll_timeout(), Some(at(10_500)));
    assert_eq!(connection.on_timeout(at(10_499)), None);
    assert_eq!(connection.on_timeout(at(10_500)), Some(Timeout::Handshake));
    connection.opened(at(10_499));
    assert!(connection.is_open());
    assert_eq!(connection.on_timeout(at(10_500)), None);
}

#[test]
fn a_silent_peer_is_pinged_and_then_given_up() {
    for role in ROLES {
        let mut side = Side::new(role, Timeouts::default());
        assert_eq!(side.waits(20_000), None);
        assert_eq!(side.owed(), Some((Ping, &b""[..])));
        // It is not owed twice, and the wait for the next begins when it is sent.
        assert_eq!(side.connection.on_timeout(at(side.now + 1)), None);
        side.now += 10;
        side.pay();
        assert_eq!(side.owed(), None);
        assert_eq!(side.waits(20_000), None);
        assert_eq!(side.owed(), Some((Ping, &b""[..])));
        // 60 s after the last byte, whether or not the Ping could be sent.
        assert_eq!(side.waits(60_000 - 40_010), Some(Timeout::Idle));
    }
}

#[test]
fn any_byte_moves_the_deadlines() {
    let mut side = Side::new(Role::Client, Timeouts::default());
    side.now += 19_999;
    side.hears(b"\x8a");
    assert_eq!(side.waits(20_000), None);
    assert_eq!(side.owed(), Some((Ping, &b""[..])));
    side.pay();
    side.now += 19_999;
    side.hears(b"\0");
    assert_eq!(side.waits(20_000), None);
    // A Pong that is owed goes first.
    side.hears(b"\x89\x011");
    assert_eq!(side.owed(), Some((Pong, &b"1"[..])));
    side.pay();
    assert_eq!(side.owed(), Some((Ping, &b""[..])));
    side.pay();
    assert_eq!(side.owed(), None);
}

#[test]
fn a_close_has_a_deadline_for_sending_and_one_for_the_answer() {
    let mut side = Side::new(Role::Client, Timeouts::default());
    side.now += 20_000;
    side.connection.on_timeout(at(side.now));
    assert_eq!(side.owed(), Some((Ping, &b""[..])));
    side.close(1000, "").unwrap();
    // A peer that talks on does not move it.
    side.now += 4_000;
    side.hears(b"\x81\x01a");
    assert_eq!(side.connection.poll_timeout(), Some(at(side.now + 1_000)));
    assert_eq!(side.connection.on_timeout(at(side.now + 999)), None);
    assert_eq!(
        side.connection.on_timeout(at(side.now + 1_000)),
        Some(Timeout::Close)
    );
    side.pay();
    assert_eq!(side.owed(), None, "no Ping after the Close");
    side.now += 3_000;
    side.hears(b"\x81\x01a");
    assert_eq!(side.waits(2_000), Some(Timeout::Close));
    // While a Close that will replace ours arrives, nothing is owed, and nothing moves.
    let mut side = Side::new(Role::Client, Timeouts::default());
    side.connection.on_timeout(at(side.now + 20_000));
    side.now += 20_000;
    side.close(1000, "").unwrap();
    side.hears(b"\x88\x02\x03");
    assert_eq!(side.owed(), None);
    side.pay();
    assert_eq!(side.waits(5_000), Some(Timeout::Close));
}

#[test]
fn durations_without_end_never_pass() {
    let never = Timeouts {
        handshake: Duration::MAX,
        keepalive: Some(Duration::MAX),
        idle: Some(Duration::MAX),
        close: Duration::MAX,
    };
    let mut connection = Connection::new(Role::Client, never, at(u64::MAX - 5));
    assert_eq!(connection.poll_timeout(), None);
    assert_eq!(connection.on_timeout(at(u64::MAX)), None);
    connection.opened(at(u64::MAX - 5));
    assert_eq!(connection.poll_timeout(), None);
    assert_eq!(connection.on_timeout(at(u64::MAX)), None);
    assert_eq!(connection.owed(), None);
    connection
        .close(CloseCode::NORMAL, "", at(u64::MAX))
        .unwrap();
    assert_eq!(connection.poll_timeout(), None);
    connection.paid(at(u64::MAX));
    assert_eq!(connection.on_timeout(at(u64::MAX)), None);

    // Optional deadlines that are absent, one by one.
    for (keepalive, idle, due) in [
        (None, None, None),
        (Some(3), None, Some(3)),
        (None, Some(4), Some(4)),
    ] {
        let timeouts = Timeouts {
            keepalive: keepalive.map(Duration::from_millis),
            idle: idle.map(Duration::from_millis),
            ..Timeouts::default()
        };
        let mut connection = Connection::new(Role::Client, timeouts, at(0));
        connection.opened(at(0));
        assert_eq!(connection.poll_timeout(), due.map(at));
    }
    let patient = Timeouts::default().patient();
    assert_eq!((patient.keepalive, patient.idle), (None, None));
    // Deadlines at the end of time do not wrap.
    let mut connection = Connection::new(Role::Client, Timeouts::default(), at(u64::MAX));
    assert_eq!(connection.poll_timeout(), Some(at(u64::MAX)));
    connection.opened(at(u64::MAX));
    assert_eq!(connection.poll_timeout(), Some(at(u64::MAX)));
}

/// Whatever happens: a deadline that passed ends the connection or is moved by acting on it, and
/// nothing happens before one.
#[test]
fn a_timer_never_spins() {
    for seed in 0..2_000 {
        let mut rng = Rng::new(seed);
        let role = *rng.pick(&ROLES);
        let millis = |rng: &mut Rng| Duration::from_millis(1 + rng.below(50) as u64);
        let timeouts = Timeouts {
            handshake: millis(&mut rng),
            keepalive: rng.chance(70).then(|| millis(&mut rng)),
            idle: rng.chance(70).then(|| millis(&mut rng)),
            close: millis(&mut rng),
        };
        let mut side = Side::new(role, timeouts);
        for _ in 0..60 {
            side.now += rng.below(20) as u64;
            match rng.below(8) {
                0 => side.hears(&Frame::new(PING, b"ping").to(role).bytes()),
                1 => side.hears(&Frame::new(0x82, b"").to(role).bytes()),
                2 | 3 => side.pay(),
                4 if rng.chance(10) => drop(side.close(1000, "")),
                5 if rng.chance(10) => side.hears(&Frame::new(CLOSE, BYE).to(role).bytes()),
                6 if rng.chance(10) => side.hears(b"\xff"),
                _ => {}
            }
            let due = side.connection.poll_timeout();
            let owed = side.connection.owed().map(|owed| owed.control);
            let timeout = side.connection.on_timeout(at(side.now));
            let later = side
                .connection
                .poll_timeout()
                .is_none_or(|due| due > at(side.now));
            assert!(timeout.is_some() || later, "seed {seed}: would spin");
            if due.is_none_or(|due| due > at(side.now)) {
                assert_eq!(timeout, None, "seed {seed}: before its time");
                let owed_now = side.connection.owed().map(|owed| owed.control);
                assert_eq!(owed_now, owed, "seed {seed}: before its time");
            }
        }
    }
}
