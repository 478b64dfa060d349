//! Deadlines, to the millisecond of a clock that stands still while anything can be done.

use std::time::Duration;

use embassy_futures::join::join;
use embassy_futures::select::{Either, select};
use embassy_time::Timer;
use wirelet::Role;
use wirelet_embassy::{
    AcceptError, Acceptor, Config, ConnectError, Error, Timeout, Timeouts, connect,
};
use wirelet_tests::case::ROLES;
use wirelet_tests::frames::{Frame, wire};

use crate::clock::millis;
use crate::io::{Peer, on_rings, open};
use crate::peer::{PING, other, whole};

const fn timeouts() -> Timeouts {
    Timeouts {
        handshake: Duration::from_millis(3_000),
        keepalive: Some(Duration::from_millis(7_000)),
        idle: Some(Duration::from_millis(30_000)),
        close: Duration::from_millis(2_000),
    }
}

pub(crate) fn config() -> Config {
    Config::default().timeouts(timeouts())
}

#[test]
fn a_handshake_that_trickles_ends_when_it_should() {
    on_rings((512, 512), 0, async |socket, peer| {
        let mut buffer = [0; 512];
        let acceptor = Acceptor::new().config(config());
        let began = millis();
        let trickle = async {
            let cookie = std::iter::repeat(&b'a');
            for byte in b"GET / HTTP/1.1\r\nCookie: ".iter().chain(cookie) {
                peer.put(&[*byte]).await;
                Timer::after_millis(100).await;
            }
        };
        let accepted = select(acceptor.accept(socket, &mut buffer), trickle).await;
        let Either::First(Err(AcceptError::Connection(error))) = accepted else {
            panic!("not in time");
        };
        assert_eq!(error, Error::Timeout(Timeout::Handshake));
        assert_eq!(millis() - began, 3_000);
    });
    on_rings((512, 512), 0, async |socket, _peer| {
        let (mut buffer, mut random) = ([0; 512], || [1, 2, 3, 4]);
        let began = millis();
        let connected = connect(socket, "ws://10.0.0.2/", &mut buffer, &mut random).await;
        let Err(ConnectError::Connection(error)) = connected else {
            panic!("connected to whom?");
        };
        assert_eq!(error, Error::Timeout(Timeout::Handshake));
        assert_eq!(millis() - began, 10_000);
    });
}

#[test]
fn silence_is_met_with_pings_on_time() {
    for role in ROLES {
        on_rings((256, 256), 0, async |socket, peer| {
            let (mut buffer, mut random) = ([0; 64], || [1, 2, 3, 4]);
            let began = millis();
            let ours = async {
                let mut ws = open(&mut *socket, role, &config(), &mut buffer, &mut random);
                assert_eq!(ws.recv().await, Err(Error::Timeout(Timeout::Idle)));
                assert_eq!(millis() - began, 30_000);
                socket.close();
            };
            let theirs = async {
                let mut pings = Vec::new();
                loop {
                    let some = peer.some().await;
                    if some.is_empty() {
                        return pings;
                    }
                    assert_eq!(whole(other(role), &some), [(PING, vec![])]);
                    pings.push(millis() - began);
                }
            };
            assert_eq!(join(ours, theirs).await.1, [7_000, 14_000, 21_000, 28_000]);
        });
    }
}

#[test]
fn who_is_heard_is_not_asked() {
    on_rings((256, 256), 0, async |socket, peer| {
        let mut buffer = [0; 64];
        let ours = async {
            let mut ws = open(
                &mut *socket,
                Role::Server,
                &config(),
                &mut buffer,
                no_random(),
            );
            for _ in 0..20 {
                assert!(ws.recv().await.unwrap().is_some());
            }
            socket.close();
        };
        let theirs = async {
            for _ in 0..20 {
                Timer::after_millis(6_900).await;
                peer.put(&wire(Role::Server, &[Frame::new(0x81, "here")]))
                    .await;
            }
            peer.all().await
        };
        assert_eq!(join(ours, theirs).await.1, b"");
    });
}

/// A Pong is a sign of life, too.
#[test]
fn a_peer_that_only_answers_pings_lives_on() {
    on_rings((256, 256), 0, async |socket, peer| {
        let mut buffer = [0; 64];
        let ours = async {
            let mut ws = open(
                &mut *socket,
                Role::Server,
                &config(),
                &mut buffer,
                no_random(),
            );
            ws.recv().await.map(|message| message.is_some())
        };
        let theirs = async {
            for _ in 0..50 {
                assert_eq!(whole(Role::Client, &peer.some().await), [(PING, vec![])]);
                peer.put(&wire(Role::Server, &[Frame::new(0x8a, "")])).await;
            }
            assert!(millis() >= 50 * 7_000);
            peer.put(&wire(Role::Server, &[Frame::new(0x88, "")])).await;
        };
        assert_eq!(join(ours, theirs).await.0, Ok(false));
    });
}

#[test]
fn a_sender_is_not_ended_by_a_silent_peer_that_reads() {
    on_rings((256, 256), 0, async |socket, peer| {
        let mut buffer = [0; 64];
        let ours = async {
            let mut ws = open(
                &mut *socket,
                Role::Server,
                &config(),
                &mut buffer,
                no_random(),
            );
            for _ in 0..100 {
                Timer::after_millis(20_000).await;
                ws.send("news").await.unwrap();
            }
            socket.close();
        };
        let wire = join(ours, peer.all()).await.1;
        assert_eq!(whole(Role::Client, &wire).len(), 100);
    });
}

/// The client gives the server time to end the stream; then it ends it itself.
#[test]
fn a_client_hangs_up_when_the_server_does_not() {
    on_rings((256, 256), 0, async |socket, peer| {
        let (mut buffer, mut random) = ([0; 64], || [1, 2, 3, 4]);
        let ours = async {
            let mut ws = open(
                &mut *socket,
                Role::Client,
                &config(),
                &mut buffer,
                &mut random,
            );
            let began = millis();
            assert_eq!(ws.recv().await, Ok(None));
            assert_eq!(millis() - began, 2_000);
            drop(ws);
        };
        let theirs = async {
            peer.put(&wire(Role::Client, &[Frame::new(0x88, "")])).await;
            peer.until_close(Role::Client).await;
            // The end of the stream comes, although nobody drops the socket.
            assert_eq!(peer.all().await, b"");
        };
        let theirs = select(theirs, Timer::after_millis(10_000));
        assert!(matches!(join(ours, theirs).await.1, Either::First(())));
    });
}

/// A server has no use for random numbers.
pub(crate) fn no_random() -> wirelet_embassy::Random<'static> {
    Box::leak(Box::new(|| [0; 4]))
}
