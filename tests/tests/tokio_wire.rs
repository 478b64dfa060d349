//! What the tokio adapter puts on the wire, and when: over transports that behave badly, and
//! over one whose every read and write is counted.

#[path = "tokio_wire/buffered.rs"]
mod buffered;
#[path = "tokio/forms.rs"]
mod forms;
#[path = "tokio/peer.rs"]
mod peer;
#[path = "tokio_wire/pieces.rs"]
mod pieces;
#[path = "tokio/steps.rs"]
mod steps;

use std::task::{Context, Waker};

use futures_util::{SinkExt, Stream as _, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wirelet::{Limits, Role, Timeouts};
use wirelet_tests::frames::{Frame, wire};
use wirelet_tests::hostile::{Habits, Hostile, pair};
use wirelet_tests::oracle;
use wirelet_tests::outcome::{Item, Rules};
use wirelet_tests::rng::Rng;
use wirelet_tokio::{CloseCode, Config, Error, Message, Prepared, WebSocket};

/// Sizes around each form of the length, the copied payloads and the buffer.
const SIZES: [usize; 10] = [
    0, 1, 125, 126, 1_000, 16_384, 16_385, 65_535, 65_536, 200_000,
];

fn ws(io: Hostile, role: Role) -> WebSocket<Hostile> {
    // The transport has no clock, so that no test needs one.
    let timeouts = Timeouts::default().patient();
    WebSocket::from_upgraded(io, role, &Config::default().timeouts(timeouts), &[])
}

async fn echo(mut ws: WebSocket<Hostile>) -> Result<WebSocket<Hostile>, Error> {
    let (mut rx, mut tx) = ws.halves();
    while let Some(message) = rx.recv().await? {
        tx.feed(message).await?;
    }
    Ok(ws)
}

/// What the peer at the other end of the wire has got by now, without waiting for more.
async fn arrived(peer: &mut Hostile) -> Vec<Item> {
    let mut bytes = vec![0; peer.unread()];
    peer.read_exact(&mut bytes).await.unwrap();
    items(&bytes)
}

fn items(from_server: &[u8]) -> Vec<Item> {
    let (role, limits) = (Role::Client, Limits::default());
    oracle::read(
        &Rules {
            role,
            limits,
            rsv1: false,
            room: None,
        },
        from_server,
    )
    .items
}

fn item(opcode: u8, payload: &[u8]) -> Item {
    Item {
        opcode,
        rsv1: false,
        payload: payload.to_vec(),
    }
}

#[tokio::test]
async fn every_size_comes_back_over_every_kind_of_transport() {
    let mut rng = Rng::new(7);
    let mut kinds = vec![Habits::kind(), Habits::default(), Habits::trickle()];
    kinds.extend((0..12).map(|_| Habits::random(&mut rng)));
    for (seed, habits) in kinds.into_iter().enumerate() {
        // A byte at a time takes its time.
        let slow = habits.read.min(habits.write).min(habits.capacity) < 10;
        let sizes = SIZES.iter().filter(|&&size| !slow || size < 2_000);
        let (client, server) = pair(seed as u64, habits);
        let mut client = ws(client, Role::Client);
        let talk = async {
            for &size in sizes {
                let bytes = rng.bytes(size);
                let text: String = "aé€𝄞".chars().cycle().take(size / 4).collect();
                client.send(&bytes).await.unwrap();
                assert_eq!(client.recv().await.unwrap(), Some(Message::Binary(&bytes)));
                client.send(&text).await.unwrap();
                client.ping(b"are you there?").await.unwrap();
                assert_eq!(client.recv().await.unwrap(), Some(Message::Text(&text)));
            }
            client.close(CloseCode::NORMAL, "done").await.unwrap();
        };
        let ((), echoed) = tokio::join!(talk, echo(ws(server, Role::Server)));
        let closed = echoed.unwrap().closed().unwrap();
        assert_eq!(
            (closed.code, &closed.reason[..]),
            (CloseCode::NORMAL, "done"),
            "{habits:?}"
        );
        assert_eq!(
            client.closed().unwrap().code,
            CloseCode::NORMAL,
            "{habits:?}"
        );
    }
}

#[tokio::test]
async fn stream_and_sink_carry_the_same() {
    let (client, server) = pair(3, Habits::default());
    let mut client = ws(client, Role::Client);
    let (mut sink, mut stream) = ws(server, Role::Server).split::<Prepared>();
    let server = async {
        while let Some(message) = stream.next().await {
            sink.send(message.unwrap()).await.unwrap();
        }
    };
    let talk = async {
        for message in [Prepared::text("grüße"), Prepared::binary(vec![7; 70_000])] {
            SinkExt::send(&mut client, message.clone()).await.unwrap();
            assert_eq!(client.next().await.unwrap().unwrap(), message);
        }
        SinkExt::close(&mut client).await.unwrap();
        assert!(client.next().await.is_none());
    };
    tokio::join!(talk, server);
}

/// The Pong leaves without a further call, whatever the application does next.
#[tokio::test]
async fn a_pong_is_on_the_wire_before_the_message_behind_the_ping_is_handed_out() {
    let (mut peer, server) = pair(0, Habits::kind());
    let mut server = ws(server, Role::Server);
    let input = wire(
        Role::Server,
        &[Frame::new(0x89, "now"), Frame::new(0x81, "then")],
    );
    peer.write_all(&input).await.unwrap();
    assert_eq!(server.recv().await.unwrap(), Some(Message::Text("then")));
    assert_eq!(arrived(&mut peer).await, [item(10, b"now")]);
}

#[tokio::test]
async fn what_was_fed_leaves_before_the_pong_and_the_pong_before_what_is_fed_next() {
    let (mut peer, server) = pair(0, Habits::kind());
    let mut server = ws(server, Role::Server);
    server.feed("first").await.unwrap();
    let input = wire(
        Role::Server,
        &[Frame::new(0x89, "?"), Frame::new(0x82, "x")],
    );
    peer.write_all(&input).await.unwrap();
    server.recv().await.unwrap();
    server.send("second").await.unwrap();
    let expected = [item(1, b"first"), item(10, b"?"), item(1, b"second")];
    assert_eq!(arrived(&mut peer).await, expected);
}

#[tokio::test]
async fn pings_between_and_inside_the_fragments_of_a_message() {
    for habits in [Habits::kind(), Habits::trickle()] {
        let (mut peer, server) = pair(1, habits);
        let frames = [
            Frame::new(0x01, "gr\u{fc}".as_bytes().split_at(3).0),
            Frame::new(0x89, "1"),
            Frame::new(0x00, "gr\u{fc}".as_bytes().split_at(3).1),
            Frame::new(0x89, "2"),
            Frame::new(0x80, "\u{df}e"),
            Frame::new(0x88, 1000u16.to_be_bytes()),
        ];
        let mut server = ws(server, Role::Server);
        let serve = async {
            let message = server.recv().await.unwrap();
            assert_eq!(message, Some(Message::Text("grüße")));
            assert_eq!(server.recv().await.unwrap(), None);
            drop(server);
        };
        let input = wire(Role::Server, &frames);
        let talk = async {
            peer.write_all(&input).await.unwrap();
            let mut bytes = Vec::new();
            peer.read_to_end(&mut bytes).await.unwrap();
            items(&bytes)
        };
        let ((), got) = tokio::join!(serve, talk);
        let close = item(8, &1000u16.to_be_bytes());
        assert_eq!(got, [item(10, b"1"), item(10, b"2"), close], "{habits:?}");
    }
}

/// Section 5.5.3: only the newest Ping must be answered, so a peer that asks and never reads makes
/// nothing grow: what the transport holds, one buffer of 64 KiB, and one Pong.
#[tokio::test]
async fn ten_thousand_pings_from_a_peer_that_does_not_read() {
    const CAPACITY: usize = 4_096;
    let (mut peer, server) = pair(
        0,
        Habits {
            capacity: CAPACITY,
            ..Habits::kind()
        },
    );
    let ping = |i: u32| {
        let mut payload = [b'.'; 100];
        payload[..4].copy_from_slice(&i.to_be_bytes());
        payload
    };
    let mut server = ws(server, Role::Server);
    let talk = async {
        for i in 0..10_000 {
            let frame = Frame::new(0x89, ping(i)).to(Role::Server);
            peer.write_all(&frame.bytes()).await.unwrap();
        }
        let close = Frame::new(0x88, []).to(Role::Server).bytes();
        let mut bytes = vec![0; CAPACITY];
        let mut pongs = Vec::new();
        loop {
            let n = peer.read(&mut bytes).await.unwrap();
            pongs.extend_from_slice(&bytes[..n]);
            if items(&pongs)
                .last()
                .is_some_and(|last| last.payload == ping(9_999))
            {
                break;
            }
        }
        peer.write_all(&close).await.unwrap();
        peer.read_to_end(&mut pongs).await.unwrap();
        pongs
    };
    let serve = async {
        assert_eq!(server.recv().await.unwrap(), None);
        drop(server);
    };
    let (pongs, ()) = tokio::join!(talk, serve);
    // On their way back, in the buffer, and for those Pings that were on their way when the peer
    // began to read.
    let most = CAPACITY + (64 << 10) + CAPACITY + 2 * 102;
    assert!(pongs.len() < most, "{} bytes of Pongs", pongs.len());
    assert!(
        items(&pongs)
            .iter()
            .all(|item| matches!(item.opcode, 8 | 10))
    );
}

/// A batch that came in one read is answered by one write.
#[tokio::test]
async fn a_pipelined_echo_reads_and_writes_once_a_batch() {
    const BATCH: usize = 32;
    const ROUNDS: usize = 100;
    let (mut peer, server) = pair(0, Habits::kind());
    let batch = wire(Role::Server, &vec![Frame::new(0x82, [7; 20]); BATCH]);
    let reply = wire(Role::Client, &vec![Frame::new(0x82, [7; 20]); BATCH]);
    let talk = async {
        let mut got = vec![0; reply.len()];
        for _ in 0..ROUNDS {
            peer.write_all(&batch).await.unwrap();
            peer.read_exact(&mut got).await.unwrap();
            assert_eq!(got, reply);
        }
        let close = Frame::new(0x88, []).to(Role::Server).bytes();
        peer.write_all(&close).await.unwrap();
        peer
    };
    let (_peer, server) = tokio::join!(talk, echo(ws(server, Role::Server)));
    let counts = server.unwrap().get_mut().counts();
    let messages = (BATCH * ROUNDS) as f64;
    println!(
        "reads a message {:.3}, writes a message {:.3}",
        counts.reads as f64 / messages,
        counts.writes as f64 / messages
    );
    // One more of each for the Close.
    assert_eq!((counts.reads, counts.writes), (ROUNDS + 1, ROUNDS + 1));
}

#[tokio::test]
async fn a_large_message_of_a_server_leaves_in_one_vectored_write() {
    let (mut peer, server) = pair(0, Habits::kind());
    let mut server = ws(server, Role::Server);
    let payload = vec![3; 100_000];
    server.send(&payload).await.unwrap();
    assert_eq!(server.get_mut().counts().writes, 1);
    assert_eq!(arrived(&mut peer).await, [item(2, &payload)]);
    // Prepared and shared: not copied either.
    let prepared = Prepared::binary(payload.clone());
    server.send_prepared(&prepared).await.unwrap();
    assert_eq!(server.get_mut().counts().writes, 2);
    assert_eq!(arrived(&mut peer).await, [item(2, &payload)]);
}

#[tokio::test]
async fn each_frame_of_a_client_has_a_key_of_its_own() {
    let (client, mut peer) = pair(0, Habits::kind());
    let mut client = ws(client, Role::Client);
    for _ in 0..64 {
        client.feed(&[0; 4]).await.unwrap();
    }
    client.flush().await.unwrap();
    let mut bytes = vec![0; peer.unread()];
    peer.read_exact(&mut bytes).await.unwrap();
    // Header, key, and four zeros that are masked: the key once more.
    let mut keys: Vec<&[u8]> = bytes.chunks(10).map(|frame| &frame[2..6]).collect();
    for frame in bytes.chunks(10) {
        assert_eq!(
            (&frame[..2], &frame[2..6]),
            (&[0x82, 0x84][..], &frame[6..])
        );
    }
    keys.sort_unstable();
    keys.dedup();
    assert!(keys.len() >= 63, "{} different keys of 64", keys.len());
}

/// The writer breaks first, while what the peer said before it went is still unread.
#[tokio::test]
async fn what_came_before_the_writer_broke_is_still_handed_out() {
    let (mut peer, server) = pair(0, Habits::kind());
    let mut server = ws(server, Role::Server);
    let frames = [
        Frame::new(0x81, "last words"),
        Frame::new(0x88, 1001u16.to_be_bytes()),
    ];
    peer.write_all(&wire(Role::Server, &frames)).await.unwrap();
    drop(peer);
    server.feed("too late").await.unwrap();
    let message = server.recv().await.unwrap();
    assert_eq!(message, Some(Message::Text("last words")));
    assert_eq!(server.recv().await.unwrap(), None);
    assert_eq!(server.closed().unwrap().code, CloseCode::GOING_AWAY);
}

/// A sink that said it is ready takes a message, even if a hundred Pings are answered in between.
#[tokio::test]
async fn pongs_do_not_take_the_room_that_a_sink_has_promised() {
    let (mut peer, server) = pair(
        0,
        Habits {
            capacity: 1,
            ..Habits::kind()
        },
    );
    let mut server = ws(server, Role::Server);
    let (rx, mut tx) = server.halves();
    let mut rx = std::pin::pin!(rx);
    let mut cx = Context::from_waker(Waker::noop());
    let large = Prepared::binary(vec![1; 16 << 10]);
    // Fill the buffer as far as a ready sink may, to within one message.
    while tx.poll_ready_unpin(&mut cx).is_ready() {
        for i in 0..200u8 {
            let frame = Frame::new(0x89, [i; 125]).to(Role::Server).bytes();
            let mut sent = std::pin::pin!(peer.write_all(&frame));
            while sent.as_mut().poll(&mut cx).is_pending() {
                assert!(rx.as_mut().poll_next(&mut cx).is_pending());
            }
        }
        tx.start_send_unpin(large.clone()).unwrap();
    }
}

/// A message that fills its limit, then a Ping, then the empty last fragment: what comes behind the
/// message has room of its own, and is not read byte by byte.
#[tokio::test]
async fn control_frames_behind_a_message_as_long_as_the_limit() {
    const LIMIT: usize = 100_000;
    let (mut peer, io) = pair(0, Habits::kind());
    let config = Config::default().max_message(LIMIT as u64);
    let mut server = WebSocket::from_upgraded(io, Role::Server, &config, &[]);
    let frames = [
        Frame::new(0x02, [1; LIMIT]),
        Frame::new(0x89, [2; 125]),
        Frame::new(0x80, []),
    ];
    let input = wire(Role::Server, &frames);
    peer.write_all(&input).await.unwrap();
    let message = server.recv().await.unwrap().unwrap();
    assert_eq!(message.as_bytes(), [1; LIMIT]);
    let reads = server.get_mut().counts().reads;
    assert!(reads < 8, "{reads} reads");
}
