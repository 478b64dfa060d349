//! Peers that do not read: what is to be sent waits for room, and not for ever.

use embassy_futures::join::join;
use embassy_futures::select::{Either, select};
use embassy_time::Timer;
use wirelet::Role;
use wirelet_embassy::{Buffered, CloseCode, Error, Timeout};
use wirelet_tests::case::ROLES;
use wirelet_tests::frames::{Frame, wire};
use wirelet_tests::hostile::{Habits, pair};

use crate::clock::{millis, run};
use crate::deadlines::{config, no_random};
use crate::io::{Io, Peer, on_rings, open};
use crate::peer::{self, PONG, other, whole};

#[test]
fn a_write_that_stalls_ends() {
    for role in ROLES {
        on_rings((256, 256), 0, async |socket, _peer| {
            let (mut buffer, mut random) = ([0; 64], || [1, 2, 3, 4]);
            let mut ws = open(&mut *socket, role, &config(), &mut buffer, &mut random);
            // As much as the rings on both sides take.
            let mut last = millis();
            let error = loop {
                match ws.feed(&[7; 100]).await {
                    Ok(()) => last = millis(),
                    Err(error) => break error,
                }
            };
            assert_eq!(error, Error::Timeout(Timeout::Idle));
            let waited = millis() - last;
            assert!((30_000..60_000).contains(&waited), "{waited} ms");
            assert_eq!(ws.recv().await, Ok(None));
        });
        run(async {
            let habits = Habits {
                capacity: 300,
                ..Habits::default()
            };
            let (io, _peer) = pair(1, habits);
            let (mut rx, mut tx) = ([0; 64], [0; 200]);
            let io = Buffered::new(Io(io), &mut rx, &mut tx);
            let (mut buffer, mut random) = ([0; 64], || [1, 2, 3, 4]);
            let mut ws = open(io, role, &config(), &mut buffer, &mut random);
            let began = millis();
            let error = loop {
                if let Err(error) = ws.send(&[7; 100]).await {
                    break error;
                }
            };
            assert_eq!(error, Error::Timeout(Timeout::Idle));
            // Something was sent in the first 30 s, and nothing in the next.
            assert_eq!(millis() - began, 60_000);
            assert_eq!(ws.recv().await, Ok(None));
        });
    }
}

/// What is heard of the peer, and what the other half waits for, renews nobody's patience.
#[test]
fn a_peer_that_talks_but_never_reads_is_given_up() {
    for role in ROLES {
        for ping in [false, true] {
            on_rings((256, 256), 0, async |socket, peer| {
                let (mut buffer, mut random) = ([0; 64], || [1, 2, 3, 4]);
                let mut ws = open(&mut *socket, role, &config(), &mut buffer, &mut random);
                let (mut rx, mut tx) = ws.halves();
                let large = vec![0; 100_000];
                let began = millis();
                let send = async { tx.send(&large[..]).await.unwrap_err() };
                let receive = async { while let Ok(Some(_)) = rx.recv().await {} };
                let talk = async {
                    let first = if ping { 0x89 } else { 0x81 };
                    for n in 0u32.. {
                        let frame = Frame::new(first, n.to_string());
                        peer.put(&wire(role, &[frame])).await;
                        Timer::after_millis(1_000).await;
                    }
                };
                let error = match select(join(send, receive), talk).await {
                    Either::First((error, ())) => error,
                    Either::Second(()) => unreachable!("talks for ever"),
                };
                let took = millis() - began;
                let about = format!("{role:?} ping {ping} after {took} ms: {error:?}");
                assert!(
                    matches!(error, Error::Timeout(_) | Error::Send(_)),
                    "{about}"
                );
                assert!((30_000..60_000).contains(&took), "{about}");
            });
        }
    }
}

/// One slot for the Pong that is owed: the flood grows nothing, the newest is answered.
#[test]
fn a_flood_of_pings_from_a_peer_that_does_not_read() {
    for role in ROLES {
        for reads in [false, true] {
            on_rings((512, 139), 0, async |socket, peer| {
                let (mut buffer, mut random) = ([0; 64], || [1, 2, 3, 4]);
                let ours = async {
                    let mut ws = open(&mut *socket, role, &config(), &mut buffer, &mut random);
                    let began = millis();
                    let end = ws.recv().await.map(|message| message.is_some());
                    socket.close();
                    if end.is_err() {
                        socket.abort();
                    }
                    (end, millis() - began)
                };
                let theirs = async {
                    let mut last = 0;
                    // More Pongs than the rings of both ends take, for longer than it is idle.
                    for n in 0u64..1_000 {
                        let mut payload = n.to_be_bytes().to_vec();
                        payload.resize(125, 0);
                        peer.put(&wire(role, &[Frame::new(0x89, payload)])).await;
                        last = n;
                        Timer::after_millis(if reads { 10 } else { 100 }).await;
                    }
                    if reads {
                        let mut wire_read = Vec::new();
                        let newest = |wire: &[u8]| {
                            let items = peer::read(other(role), wire).items;
                            items
                                .last()
                                .is_some_and(|item| item.1[..8] == last.to_be_bytes())
                        };
                        while !newest(&wire_read) {
                            let some = peer.some().await;
                            assert!(!some.is_empty(), "the newest is not answered");
                            wire_read.extend(some);
                        }
                        peer.put(&wire(role, &[Frame::new(0x88, "")])).await;
                        peer.hang_up().await;
                        wire_read.extend(peer.all().await);
                        let items = whole(other(role), &wire_read);
                        let pongs = peer::controls(&items, PONG);
                        assert!(pongs.is_sorted() && pongs.len() < 60, "{}", pongs.len());
                    }
                };
                let ((end, at), ()) = join(ours, theirs).await;
                if reads {
                    assert_eq!(end, Ok(false), "{role:?}");
                } else {
                    assert_eq!(end, Err(Error::Timeout(Timeout::Idle)), "{role:?}");
                    assert!((30_000..60_000).contains(&at), "{at} ms");
                }
            });
        }
    }
}

#[test]
fn a_close_that_finds_no_room_ends() {
    for halves in [false, true] {
        on_rings((256, 256), 0, async |socket, _peer| {
            let mut buffer = [0; 64];
            let mut ws = open(
                &mut *socket,
                Role::Server,
                &config(),
                &mut buffer,
                no_random(),
            );
            for size in [100, 1] {
                let fill = async { while ws.feed(&[7; 100][..size]).await.is_ok() {} };
                let filled = select(fill, Timer::after_millis(1_000)).await;
                assert!(matches!(filled, Either::Second(())));
            }
            let began = millis();
            let closed = if halves {
                ws.halves().1.close(CloseCode::NORMAL, "").await
            } else {
                ws.close(CloseCode::NORMAL, "").await
            };
            assert_eq!(closed, Err(Error::Timeout(Timeout::Close)));
            assert_eq!(millis() - began, 2_000);
        });
    }
}

/// 100 bytes a second over a slow line is progress.
#[test]
fn a_slow_line_is_no_stall() {
    run(async {
        let habits = Habits {
            capacity: 1,
            pending: 0,
            ..Habits::kind()
        };
        let (io, peer) = pair(1, habits);
        let (mut rx, mut tx) = ([0; 64], [0; 300]);
        let io = Buffered::new(Io(io), &mut rx, &mut tx);
        let mut buffer = [0; 64];
        let ours = async {
            let mut ws = open(io, Role::Server, &config(), &mut buffer, no_random());
            let sent = ws.send(&[7; 200]).await;
            assert!(millis() > 150_000, "one byte a second");
            sent
        };
        let mut peer = Io(peer);
        let theirs = async {
            let mut all = Vec::new();
            loop {
                Timer::after_millis(1_000).await;
                let some = peer.some().await;
                if some.is_empty() {
                    return all;
                }
                all.extend(some);
            }
        };
        let (sent, all) = join(ours, theirs).await;
        assert_eq!(sent, Ok(()));
        assert_eq!(whole(Role::Client, &all), [(peer::BINARY, vec![7; 200])]);
    });
}
