//! Servers with spare sockets, and clients that look a name up.

use embassy_futures::join::join;
use embassy_futures::select::{Either, select};
use embassy_net::Stack;
use embassy_net::tcp::TcpSocket;
use embassy_net::udp::{PacketMetadata, UdpSocket};
use embassy_time::Timer;
use wirelet_embassy::{
    CloseCode, ConnectError, Connector, Error, Message, Slot, Timeout, UrlError, accept, serve,
};

use crate::clock::{millis, run};
use crate::io::Peer;
use crate::net::linked;
use crate::talk::echo;

/// Runs `client` beside an echo with so many slots.
fn served<const N: usize>(lost: usize, client: impl AsyncFnOnce(Stack<'_>)) {
    run(linked(lost, 3, async |ours, theirs| {
        let mut slots = [const { Slot::<512, 512, 512>::new() }; N];
        let server = serve(theirs, 80, &mut slots, echo);
        match select(client(ours), server).await {
            Either::First(()) => {}
            Either::Second(never) => match never {},
        }
    }));
}

/// Connects, says something, hears it, closes.
pub(crate) async fn visit(
    stack: Stack<'_>,
    socket: &mut TcpSocket<'_>,
    say: &str,
) -> Result<(), String> {
    let (mut buffer, mut random) = ([0; 512], || [1, 2, 3, 4]);
    let connector = Connector::new();
    let ws = connector.connect(stack, socket, "ws://10.0.0.2/", &mut buffer, &mut random);
    let mut ws = ws.await.map_err(|error| format!("{error:?}"))?;
    ws.send(say).await.map_err(|error| format!("{error:?}"))?;
    assert_eq!(ws.recv().await, Ok(Some(Message::Text(say))));
    ws.close(CloseCode::NORMAL, "")
        .await
        .map_err(|error| format!("{error:?}"))
}

#[test]
fn a_hundred_visits_in_a_row_on_one_socket() {
    served::<2>(0, async |stack| {
        let (mut rx, mut tx) = ([0; 256], [0; 256]);
        let mut socket = TcpSocket::new(stack, &mut rx, &mut tx);
        for n in 0..100 {
            visit(stack, &mut socket, &n.to_string()).await.unwrap();
        }
        assert!(millis() < 60_000, "{} ms", millis());
    });
}

#[test]
fn a_wire_that_loses_frames() {
    for (lost, visits) in [(10, 20), (100, 10), (300, 3)] {
        served::<3>(lost, async |stack| {
            let (mut rx, mut tx) = ([0; 256], [0; 256]);
            let mut socket = TcpSocket::new(stack, &mut rx, &mut tx);
            let mut done = 0;
            let mut tries = 0;
            while done < visits {
                tries += 1;
                assert!(tries < 20 * visits, "{lost} lost: {done} of {tries}");
                done += usize::from(visit(stack, &mut socket, "hello").await.is_ok());
            }
        });
    }
}

#[test]
fn who_comes_when_all_slots_are_taken_is_refused_and_may_come_again() {
    served::<2>(0, async |stack| {
        let mut rings = [[[0; 256]; 2]; 3];
        let [one, two, three] = &mut rings;
        let mut sockets = [one, two, three].map(|[rx, tx]| TcpSocket::new(stack, rx, tx));
        let [one, two, three] = &mut sockets;
        let mut buffers = [[0; 512]; 2];
        let [buffer_one, buffer_two] = &mut buffers;
        let (mut r1, mut r2) = (|| [1, 2, 3, 4], || [5, 6, 7, 8]);
        let connector = Connector::new();
        let one = connector
            .connect(stack, one, "ws://10.0.0.2/", buffer_one, &mut r1)
            .await;
        let two = connector
            .connect(stack, two, "ws://10.0.0.2/", buffer_two, &mut r2)
            .await;
        let (mut one, mut two) = (one.unwrap(), two.unwrap());
        assert_eq!(visit(stack, three, "no").await, Err("Unreachable".into()));
        two.send("still there").await.unwrap();
        assert_eq!(two.recv().await, Ok(Some(Message::Text("still there"))));
        one.close(CloseCode::NORMAL, "").await.unwrap();
        Timer::after_millis(100).await;
        visit(stack, three, "yes").await.unwrap();
    });
}

/// In which phase a client vanishes, and when its slot must be free.
#[test]
fn clients_that_vanish() {
    for (phase, within) in [
        ("tcp", 12_000),
        ("head", 12_000),
        ("open", 63_000),
        ("reset", 3_000),
    ] {
        served::<1>(0, async |stack| {
            let (mut rx, mut tx) = ([0; 256], [0; 256]);
            let mut socket = TcpSocket::new(stack, &mut rx, &mut tx);
            let began = millis();
            {
                let (mut rx, mut tx) = ([0; 256], [0; 256]);
                let mut gone = TcpSocket::new(stack, &mut rx, &mut tx);
                let (mut buffer, mut random) = ([0; 512], || [1, 2, 3, 4]);
                match phase {
                    "open" => {
                        let connector = Connector::new();
                        let url = "ws://10.0.0.2/";
                        let ws = connector.connect(stack, &mut gone, url, &mut buffer, &mut random);
                        drop(ws.await.unwrap());
                    }
                    _ => {
                        let server: core::net::Ipv4Addr = crate::net::SERVER.parse().unwrap();
                        gone.connect((server, 80)).await.unwrap();
                        if phase == "head" {
                            gone.put(b"GET / HTTP/1.1\r\nHost").await;
                        }
                        Timer::after_millis(50).await;
                    }
                }
                if phase == "reset" {
                    gone.reset().await;
                }
            }
            while visit(stack, &mut socket, "hello").await.is_err() {
                Timer::after_millis(100).await;
                assert!(
                    millis() - began < within,
                    "{phase}: after {} ms",
                    millis() - began
                );
            }
        });
    }
}

/// What a handler leaves in the ring arrives, also at a peer that has ended its own stream.
#[test]
fn what_was_sent_last_arrives() {
    for half_closed in [false, true] {
        run(linked(0, 3, async |ours, theirs| {
            let mut slots = [const { Slot::<512, 4096, 512>::new() }; 1];
            let server = serve(theirs, 80, &mut slots, async |socket, buffer| {
                let _ = socket.read(buffer).await;
                while half_closed && socket.may_recv() {
                    let _ = socket.read(buffer).await;
                }
                socket.put(&[7; 4000]).await;
            });
            let client = async {
                let (mut rx, mut tx) = ([0; 512], [0; 256]);
                let mut socket = TcpSocket::new(ours, &mut rx, &mut tx);
                let server: core::net::Ipv4Addr = crate::net::SERVER.parse().unwrap();
                socket.connect((server, 80)).await.unwrap();
                socket.put(b"?").await;
                if half_closed {
                    socket.hang_up().await;
                }
                assert_eq!(socket.all().await.len(), 4000, "half closed: {half_closed}");
            };
            match select(client, server).await {
                Either::First(()) => {}
                Either::Second(never) => match never {},
            }
        }));
    }
}

#[test]
fn names_are_looked_up() {
    served_by_name(async |stack, socket| {
        let (mut buffer, mut random) = ([0; 512], || [1, 2, 3, 4]);
        let connector = Connector::new();
        let url = "ws://board.test/";
        let mut ws = connector
            .connect(stack, socket, url, &mut buffer, &mut random)
            .await
            .unwrap();
        ws.send("hello").await.unwrap();
        assert_eq!(ws.recv().await, Ok(Some(Message::Text("hello"))));
        drop(ws);
        // The socket is in use: it is reset first.
        let mut ws = connector
            .connect(stack, socket, url, &mut buffer, &mut random)
            .await
            .unwrap();
        ws.send("again").await.unwrap();
        assert_eq!(ws.recv().await, Ok(Some(Message::Text("again"))));
        ws.close(CloseCode::NORMAL, "").await.unwrap();
        drop(ws);
        for (url, error) in [
            ("ws://nowhere.test/", ConnectError::Dns),
            ("ws://board.test:81/", ConnectError::Unreachable),
            ("wss://board.test/", ConnectError::Url(UrlError::Tls)),
            // Nobody has this address, and there is no way to the next.
            (
                "ws://10.0.0.77/",
                ConnectError::Connection(Error::Timeout(Timeout::Handshake)),
            ),
            (
                "ws://192.168.7.7/",
                ConnectError::Connection(Error::Timeout(Timeout::Handshake)),
            ),
        ] {
            let began = millis();
            let ws = connector
                .connect(stack, socket, url, &mut buffer, &mut random)
                .await;
            assert_eq!(ws.err(), Some(error), "{url}");
            assert!(millis() - began <= 10_000, "{url}: {} ms", millis() - began);
        }
        // And it is as good as new.
        let ws = connector
            .connect(stack, socket, url, &mut buffer, &mut random)
            .await;
        ws.unwrap().send("at last").await.unwrap();
    });
}

/// A server learns at once that its client has begun anew.
#[test]
fn a_socket_in_use_is_reset() {
    run(linked(0, 3, async |ours, theirs| {
        let ends = core::cell::RefCell::new(Vec::new());
        let mut slots = [const { Slot::<512, 512, 512>::new() }; 2];
        let server = serve(theirs, 80, &mut slots, async |socket, buffer| {
            let mut ws = accept(socket, buffer).await.unwrap();
            let end = ws.recv().await.map(|message| message.is_some());
            ends.borrow_mut().push((end, millis()));
        });
        let client = async {
            let (mut rx, mut tx) = ([0; 256], [0; 256]);
            let mut socket = TcpSocket::new(ours, &mut rx, &mut tx);
            let (mut buffer, mut random) = ([0; 512], || [1, 2, 3, 4]);
            for _ in 0..2 {
                let connector = Connector::new();
                let url = "ws://10.0.0.2/";
                let ws = connector.connect(ours, &mut socket, url, &mut buffer, &mut random);
                drop(ws.await.unwrap());
            }
            Timer::after_millis(500).await;
            let ends = ends.borrow();
            let reset = Error::Io(embassy_net::tcp::Error::ConnectionReset);
            assert_eq!(
                ends.iter().map(|end| end.0).collect::<Vec<_>>(),
                [Err(reset)]
            );
        };
        match select(client, server).await {
            Either::First(()) => {}
            Either::Second(never) => match never {},
        }
    }));
}

/// Runs `client` beside an echo that has a name.
pub(crate) fn served_by_name(client: impl AsyncFnOnce(Stack<'_>, &mut TcpSocket<'_>)) {
    run(linked(0, 3, async |ours, theirs| {
        let mut slots = [const { Slot::<512, 512, 512>::new() }; 2];
        let server = serve(theirs, 80, &mut slots, echo);
        let (mut rx, mut tx) = ([0; 256], [0; 256]);
        let mut socket = TcpSocket::new(ours, &mut rx, &mut tx);
        let client = client(ours, &mut socket);
        match select(client, join(server, names(theirs))).await {
            Either::First(()) => {}
            Either::Second((never, ())) => match never {},
        }
    }));
}

/// A name server (RFC 1035): `board.test` is `10.0.0.2`, and nothing else is there.
async fn names(stack: Stack<'_>) {
    let (mut rx, mut tx) = ([0; 512], [0; 512]);
    let mut meta = [[PacketMetadata::EMPTY; 4]; 2];
    let [rx_meta, tx_meta] = &mut meta;
    let mut socket = UdpSocket::new(stack, rx_meta, &mut rx, tx_meta, &mut tx);
    socket.bind(53).unwrap();
    let mut packet = [0; 512];
    while let Ok((len, from)) = socket.recv_from(&mut packet).await {
        let known = packet[12..len].starts_with(b"\x05board\x04test\x00\x00\x01\x00\x01");
        let mut answer = packet[..len].to_vec();
        // A response, recursion available; NXDOMAIN if there is no such name.
        answer[2..4].copy_from_slice(if known { &[0x81, 0x80] } else { &[0x81, 0x83] });
        answer[7] = u8::from(known);
        if known {
            // The name of the question, A, IN, 60 s, 4 bytes.
            answer.extend(b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x00\x00\x02");
        }
        socket.send_to(&answer, from).await.unwrap();
    }
}
