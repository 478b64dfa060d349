//! What goes out, whoever is dropped on the way: whole frames, whole messages, each at most once,
//! and the last of each kind for certain.

use embassy_futures::join::join;
use wirelet::Role;
use wirelet_embassy::{
    Buffered, CloseCode, Config, Error, Kind, SendError, Timeouts, Transport, WebSocket,
};
use wirelet_tests::case::ROLES;
use wirelet_tests::frames::{Frame, wire};
use wirelet_tests::hostile::{Habits, pair};
use wirelet_tests::rng::Rng;

use crate::clock::run;
use crate::io::{Careless, Io, Peer, cut, insist, on_rings, open, pumped};
use crate::peer::{self, BINARY, CLOSE, PING, other, whole};

/// What was tried, in its order: the opcode, the payload, and whether it was done.
type Tried = Vec<(u8, Vec<u8>, bool)>;

#[test]
fn over_the_rings_dropped_after_any_number_of_polls() {
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let role = *rng.pick(&ROLES);
        let (ring, polls) = (139 + rng.below(300), 1 + rng.below(6));
        on_rings((64, ring), 0, async |socket, peer| {
            let ours = async {
                let (mut buffer, mut random) = ([0; 64], || [1, 2, 3, 4]);
                let mut ws = open(&mut *socket, role, &config(), &mut buffer, &mut random);
                send(&mut ws, polls, seed).await
            };
            check(seed, role, ours, peer).await;
        });
    }
}

#[test]
fn over_buffered_dropped_after_any_number_of_polls() {
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let role = *rng.pick(&ROLES);
        let habits = if rng.chance(30) {
            Habits::trickle()
        } else {
            Habits::random(&mut rng)
        };
        let (room, polls) = (139 + rng.below(300), 1 + rng.below(30));
        run(async {
            let (io, peer) = pair(seed, habits);
            let ours = async {
                let (mut rx, mut tx) = ([0; 16], vec![0; room]);
                let io = Buffered::new(Io(io), &mut rx, &mut tx);
                let (mut buffer, mut random) = ([0; 64], || [1, 2, 3, 4]);
                let mut ws = open(io, role, &config(), &mut buffer, &mut random);
                send(&mut ws, polls, seed).await
            };
            check(seed, role, ours, &mut Io(peer)).await;
        });
    }
}

/// The transport's own futures must not be dropped, and are not.
#[test]
fn over_a_pump_dropped_after_any_number_of_polls() {
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let (role, habits) = (*rng.pick(&ROLES), Habits::random(&mut rng));
        let (room, polls) = (139 + rng.below(300), 1 + rng.below(30));
        run(async {
            let (io, peer) = pair(seed, habits);
            let (reader, writer) = tokio::io::split(io);
            let halves = (Careless(Io(reader)), Careless(Io(writer)));
            let ours = pumped(halves, (16, room), async |pump| {
                let (mut buffer, mut random) = ([0; 64], || [1, 2, 3, 4]);
                let mut ws = open(pump, role, &config(), &mut buffer, &mut random);
                send(&mut ws, polls, seed).await
            });
            check(seed, role, ours, &mut Io(peer)).await;
        });
    }
}

async fn check(seed: u64, role: Role, ours: impl Future<Output = Tried>, peer: &mut impl Peer) {
    let theirs = async {
        let read = peer.until_close(role).await;
        peer.put(&wire(role, &[Frame::new(0x88, "")])).await;
        peer.hang_up().await;
        read
    };
    let (tried, read) = join(ours, theirs).await;
    let items = whole(other(role), &read);
    let (close, items) = items.split_last().expect("a Close");
    assert_eq!(*close, (CLOSE, peer::close(1000, "done")), "seed {seed}");
    let mut tried = tried.into_iter();
    for item in items {
        loop {
            let (opcode, payload, done) = tried.next().expect("nothing that was not tried");
            if (opcode, &payload) == (item.0, &item.1) {
                break;
            }
            assert!(
                !done,
                "seed {seed}: lost {opcode} {payload:?} before {item:?}"
            );
        }
    }
    assert!(
        tried.all(|(_, _, done)| !done),
        "seed {seed}: lost at the end"
    );
}

/// Sends in every way, each again and again until it is done, then closes.
async fn send<T: Transport>(ws: &mut WebSocket<'_, T>, polls: usize, seed: u64) -> Tried {
    let mut rng = Rng::new(seed);
    let mut tried = Tried::new();
    for n in 0..10_u8 {
        let way = rng.below(4);
        // What fits the room, so that it is staged whole or not at all.
        let mut payload = vec![n; 4 + rng.below(121)];
        for attempt in 0..1000_u16 {
            // What sends all needs more polls than this, if it sends another message each time.
            let polls = if attempt < 5 { polls } else { usize::MAX };
            payload[..2].copy_from_slice(&attempt.to_be_bytes());
            let done = match way {
                0 => cut(polls, ws.feed(&payload[..])).await,
                1 => cut(polls, ws.send(&payload[..])).await,
                2 => cut(polls, ws.ping(&payload)).await,
                _ => {
                    let writer = cut(polls, ws.send_pieces(Kind::Binary, None)).await;
                    let mut writer = writer.expect("does not wait").unwrap();
                    cut(polls, writer.end(&payload)).await
                }
            };
            let opcode = if way == 2 { PING } else { BINARY };
            if done.is_none() && matches!(way, 0 | 3) {
                // That only stages: what was dropped was not.
                continue;
            }
            tried.push((opcode, payload.clone(), done.is_some()));
            if let Some(done) = done {
                done.unwrap();
                break;
            }
        }
        if rng.chance(20) {
            insist!(polls, ws.flush()).unwrap();
        }
        if rng.chance(20) {
            tried.push((BINARY, in_pieces(ws, polls, &mut rng).await, true));
        }
    }
    insist!(polls, ws.close(CloseCode::NORMAL, "done")).unwrap();
    tried
}

/// A message larger than any room, by a writer whose futures are dropped; a Ping of the other half
/// may stand inside it.
async fn in_pieces<T: Transport>(
    ws: &mut WebSocket<'_, T>,
    polls: usize,
    rng: &mut Rng,
) -> Vec<u8> {
    let len = rng.below(600);
    let message = rng.bytes(len);
    let mut writer = ws.send_pieces(Kind::Binary, None).await.unwrap();
    let mut rest = &message[..];
    while rest.len() > 100 {
        let n = insist!(polls, writer.write(rest)).unwrap();
        assert!((1..=rest.len()).contains(&n));
        rest = &rest[n..];
    }
    insist!(polls, writer.end(rest)).unwrap();
    message
}

/// A message that was begun and left: nothing but control frames can follow.
#[test]
fn a_message_that_was_left() {
    on_rings((256, 256), 0, async |socket, peer| {
        let mut buffer = [0; 64];
        let ours = async {
            let mut ws = WebSocket::server(&mut *socket, &config(), &mut buffer);
            // Not begun yet: nothing happened.
            ws.send_pieces(Kind::Text, None).await.map(|_| ()).unwrap();
            ws.send("whole").await.unwrap();
            let mut writer = ws.send_pieces(Kind::Text, None).await.unwrap();
            assert_eq!(writer.write(b"left").await, Ok(4));
            let open = Err(Error::Send(SendError::MessageOpen));
            assert_eq!(ws.send("other").await, open);
            assert_eq!(ws.feed(b"other").await, open);
            ws.ping(b"?").await.unwrap();
            ws.close(CloseCode::NORMAL, "").await.unwrap();
        };
        let theirs = async {
            let read = peer.until_close(Role::Server).await;
            peer.put(&wire(Role::Server, &[Frame::new(0x88, "")])).await;
            read
        };
        let wire = peer::read(Role::Client, &join(ours, theirs).await.1);
        let opcodes: Vec<u8> = wire.items.iter().map(|item| item.0).collect();
        assert_eq!(opcodes, [peer::TEXT, PING, CLOSE]);
        assert_eq!(wire.open, Some((peer::TEXT, b"left".to_vec())));
    });
}

/// No deadlines but those of the handshake and the close.
fn config() -> Config {
    Config::default().timeouts(Timeouts::default().patient())
}
