//! Every way in which a connection ends, in both roles, over both transports: what is told, what
//! the peer reads, and that nothing comes afterwards.

use embassy_futures::join::join;
use wirelet::Role;
use wirelet_embassy::{
    Buffered, CloseCode, Config, Error, Kind, SendError, Timeout, Transport, WebSocket,
};
use wirelet_tests::case::ROLES;
use wirelet_tests::frames::{Frame, wire};
use wirelet_tests::hostile::{Habits, pair};

use crate::clock::{millis, run};
use crate::io::{Io, Peer, is_reset, on_rings, open, pumped};
use crate::peer::{self, CLOSE, PING, other, whole};

/// What the peer does, after it has sent a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Ends its stream between two frames.
    Fin,
    /// Ends its stream in the middle of a frame.
    FinInFrame,
    Reset,
    ResetInFrame,
    /// Says nothing more, and still reads.
    Silence,
    /// A Close, and waits for the answer.
    Close,
    /// A Close and the end of its stream at once.
    CloseAndFin,
    /// A rule broken, and much more behind it.
    Rule,
    /// We close; it answers.
    Ours,
    /// We close; it never answers.
    OursUnanswered,
    /// We close; it ends its stream without a Close.
    OursAndFin,
    /// Both close at once.
    Both,
}

const WAYS: [Way; 12] = [
    Way::Fin,
    Way::FinInFrame,
    Way::Reset,
    Way::ResetInFrame,
    Way::Silence,
    Way::Close,
    Way::CloseAndFin,
    Way::Rule,
    Way::Ours,
    Way::OursUnanswered,
    Way::OursAndFin,
    Way::Both,
];

/// What is told of the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    None,
    Disconnected,
    Reset,
    Rule,
    Timeout(Timeout),
    Other,
}

#[test]
fn over_the_rings() {
    for role in ROLES {
        for way in WAYS {
            on_rings((256, 256), 0, async |socket, peer| {
                let ours = async {
                    let (mut buffer, mut random) = ([0; 64], || [1, 2, 3, 4]);
                    let ws = open(
                        &mut *socket,
                        role,
                        &Config::default(),
                        &mut buffer,
                        &mut random,
                    );
                    our_end(ws, way).await;
                    socket.close();
                };
                join(ours, their_end(peer, role, way)).await;
            });
        }
    }
}

#[test]
fn over_buffered() {
    for role in ROLES {
        for way in WAYS {
            run(async {
                let (io, peer) = pair(1, Habits::default());
                let ours = async {
                    let (mut rx, mut tx) = ([0; 64], [0; 256]);
                    let io = Buffered::new(Io(io), &mut rx, &mut tx);
                    let (mut buffer, mut random) = ([0; 64], || [1, 2, 3, 4]);
                    let ws = open(io, role, &Config::default(), &mut buffer, &mut random);
                    our_end(ws, way).await;
                };
                join(ours, their_end(&mut Io(peer), role, way)).await;
            });
        }
    }
}

#[test]
fn over_a_pump() {
    for role in ROLES {
        for way in WAYS {
            run(async {
                let (io, peer) = pair(1, Habits::default());
                let (reader, writer) = tokio::io::split(io);
                let ours = pumped((Io(reader), Io(writer)), (64, 256), async |pump| {
                    let (mut buffer, mut random) = ([0; 64], || [1, 2, 3, 4]);
                    let ws = open(pump, role, &Config::default(), &mut buffer, &mut random);
                    our_end(ws, way).await;
                });
                join(ours, their_end(&mut Io(peer), role, way)).await;
            });
        }
    }
}

async fn our_end<T: Transport>(mut ws: WebSocket<'_, T>, way: Way) {
    assert_eq!(ws.recv().await.unwrap().unwrap().as_text(), Some("hello"));
    let began = millis();
    let end = match way {
        Way::Ours | Way::OursUnanswered | Way::OursAndFin | Way::Both => {
            ws.close(CloseCode::new(4000), "ours").await
        }
        _ => ws.recv().await.map(|message| assert_eq!(message, None)),
    };
    let told = match &end {
        Ok(()) => Told::None,
        Err(Error::Disconnected) => Told::Disconnected,
        Err(Error::Io(error)) if is_reset(error) => Told::Reset,
        Err(Error::Protocol(wirelet::Error::ReservedBit)) => Told::Rule,
        Err(Error::Timeout(which)) => Told::Timeout(*which),
        Err(_) => Told::Other,
    };
    let want = match way {
        Way::Fin | Way::FinInFrame | Way::OursAndFin => Told::Disconnected,
        Way::Reset | Way::ResetInFrame => Told::Reset,
        Way::Silence => Told::Timeout(Timeout::Idle),
        Way::OursUnanswered => Told::Timeout(Timeout::Close),
        Way::Rule => Told::Rule,
        Way::Close | Way::CloseAndFin | Way::Ours | Way::Both => Told::None,
    };
    assert_eq!(told, want, "{way:?} {end:?}");
    let took = millis() - began;
    match way {
        Way::Silence => assert!((60_000..60_010).contains(&took), "{took} ms"),
        Way::OursUnanswered => assert!((5_000..5_010).contains(&took), "{took} ms"),
        _ => assert!(took < 1_000, "{way:?}: {took} ms"),
    }
    let closed = ws
        .closed()
        .map(|closed| (closed.code.get(), closed.reason.to_string()));
    let expected = match way {
        Way::Close | Way::CloseAndFin | Way::Both => Some((4001, "theirs".to_string())),
        Way::Ours => Some((4000, String::new())),
        _ => None,
    };
    assert_eq!(closed, expected, "{way:?}");
    nothing_follows(&mut ws, way).await;
}

/// It is told once, and then that it is over.
async fn nothing_follows<T: Transport>(ws: &mut WebSocket<'_, T>, way: Way) {
    for _ in 0..2 {
        assert!(matches!(ws.recv().await, Ok(None)), "{way:?}");
        assert!(matches!(ws.recv_piece(|_| ()).await, Ok(None)), "{way:?}");
    }
    let large = vec![0; 1000];
    let refused = [
        ws.send("late").await,
        ws.feed("late").await,
        ws.send(&large[..]).await,
        ws.ping(b"late").await,
        ws.send_pieces(Kind::Text, None).await.map(drop),
    ];
    for result in refused {
        let closed = matches!(result, Err(Error::Send(SendError::Closed)));
        assert!(closed, "{way:?}: {result:?}");
    }
    let closed = ws.close(CloseCode::NORMAL, "").await;
    assert!(closed.is_ok(), "{way:?}: it is closed already: {closed:?}");
    let (mut rx, mut tx) = ws.halves();
    let closed = tx.close(CloseCode::NORMAL, "").await;
    assert!(closed.is_ok(), "{way:?}: it is closed already: {closed:?}");
    assert!(matches!(rx.forward(&mut tx).await, Ok(None)), "{way:?}");
}

async fn their_end(peer: &mut impl Peer, role: Role, way: Way) {
    let frame = |first, payload: &[u8]| wire(role, &[Frame::new(first, payload)]);
    peer.put(&frame(0x81, b"hello")).await;
    let close = frame(0x88, &peer::close(4001, "theirs"));
    let mut read = Vec::new();
    if matches!(way, Way::Reset | Way::ResetInFrame) {
        // What is still on its way would be lost.
        embassy_time::Timer::after_millis(100).await;
    }
    match way {
        Way::Fin => peer.hang_up().await,
        Way::FinInFrame => {
            peer.put(&frame(0x81, b"cut")[..4]).await;
            peer.hang_up().await;
        }
        Way::Reset => peer.reset().await,
        Way::ResetInFrame => {
            peer.put(&frame(0x81, b"cut")[..4]).await;
            peer.reset().await;
        }
        Way::Silence | Way::OursUnanswered => {}
        Way::Close | Way::Both => peer.put(&close).await,
        Way::CloseAndFin => {
            peer.put(&close).await;
            peer.hang_up().await;
        }
        Way::Rule => {
            let mut bytes = frame(0xf1, b"");
            bytes.resize(2000, 0);
            peer.put(&bytes).await;
        }
        Way::Ours => {
            read = peer.until_close(role).await;
            peer.put(&frame(0x81, b"on its way")).await;
            peer.put(&frame(0x88, &peer::close(4000, ""))).await;
        }
        Way::OursAndFin => {
            read = peer.until_close(role).await;
            peer.hang_up().await;
        }
    }
    if matches!(way, Way::Close | Way::Both | Way::Rule) {
        read = peer.until_close(role).await;
    }
    // Section 7.1.1: the server ends the stream first.
    if matches!(way, Way::Close | Way::Both | Way::Rule | Way::Ours) && role == Role::Client {
        peer.hang_up().await;
    }
    read.extend(peer.all().await);
    let items = whole(other(role), &read);
    let rule = wirelet::Error::ReservedBit;
    let want = match way {
        Way::Fin | Way::FinInFrame | Way::Reset | Way::ResetInFrame => vec![],
        Way::Silence => vec![(PING, vec![]); 2],
        Way::Close | Way::CloseAndFin => vec![(CLOSE, peer::close(4001, ""))],
        Way::Rule => vec![(CLOSE, peer::close(1002, rule.reason()))],
        Way::Ours | Way::OursUnanswered | Way::OursAndFin | Way::Both => {
            vec![(CLOSE, peer::close(4000, "ours"))]
        }
    };
    assert_eq!(items, want, "{way:?}");
}
