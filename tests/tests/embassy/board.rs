//! The application of the boards, without a board.

use embassy_futures::join::join_array;
use embassy_futures::select::{Either, select, select3};
use embassy_net::Stack;
use embassy_net::tcp::TcpSocket;
use firmware_app::desktop::Link;
use firmware_app::room::Room;
use firmware_app::{Board, SLOTS, Slot};
use wirelet::Role;
use wirelet_embassy::{CloseCode, Connector, WebSocket};
use wirelet_tests::frames::{Frame, wire};

use crate::clock::run;
use crate::io::Peer;
use crate::net::{SERVER, linked};

struct Desk;

impl Board for Desk {
    fn name(&self) -> &'static str {
        "desk"
    }

    fn random(&mut self) -> [u8; 4] {
        [1, 2, 3, 4]
    }

    fn temperature(&mut self) -> Option<i16> {
        Some(-5)
    }

    fn stack_free(&self) -> Option<usize> {
        None
    }
}

/// Runs `clients` against a board on the other stack.
fn with_board(clients: impl AsyncFnOnce(Stack<'_>)) {
    run(beside_board(clients));
}

/// Runs `clients` on one stack, and a board on the other.
pub(crate) async fn beside_board(clients: impl AsyncFnOnce(Stack<'_>)) {
    linked(0, 11, async |ours, theirs| {
        let room = Room::new(Desk);
        let mut slots = [const { Slot::new() }; SLOTS];
        let listeners = slots
            .each_mut()
            .map(|slot| firmware_app::listen(&room, theirs, slot));
        let mut link = Link::new();
        let board = select3(
            join_array(listeners),
            room.tell_readings(),
            link.keep(&room, theirs),
        );
        select(clients(ours), board).await;
    })
    .await;
}

/// Runs `client` with a connection to a path.
pub(crate) async fn visit<R>(
    stack: Stack<'_>,
    path: &str,
    client: impl AsyncFnOnce(&mut WebSocket<'_, &mut TcpSocket<'_>>) -> R,
) -> R {
    let (mut rx, mut tx, mut buffer) = ([0; 1024], [0; 1024], [0; 1024]);
    let mut socket = TcpSocket::new(stack, &mut rx, &mut tx);
    let mut random = || [5, 6, 7, 8];
    let url = format!("ws://{SERVER}{path}");
    let connector = Connector::new();
    let connect = connector.connect(stack, &mut socket, &url, &mut buffer, &mut random);
    let mut ws = connect.await.unwrap();
    client(&mut ws).await
}

/// Waits for a line that holds `part`; the others pass.
pub(crate) async fn hear(ws: &mut WebSocket<'_, &mut TcpSocket<'_>>, part: &str) -> String {
    loop {
        let message = ws.recv().await.unwrap().expect("the board goes on");
        let line = message.as_text().expect("the board writes text");
        if line.contains(part) {
            return line.to_owned();
        }
    }
}

#[test]
fn people_talk_and_get_a_reading() {
    with_board(async |stack| {
        visit(stack, "/chat", async |ann| {
            ann.send("ann").await.unwrap();
            hear(ann, r#""kind":"joined","who":"ann""#).await;
            visit(stack, "/chat", async |ben| {
                ben.send("ann").await.unwrap();
                hear(ben, "somebody here has that name").await;
                ben.send("ben").await.unwrap();
                hear(ann, r#""kind":"joined","who":"ben""#).await;
                ben.send("say \"hi\"\n").await.unwrap();
                let line = hear(ann, "message").await;
                assert_eq!(
                    line,
                    r#"{"kind":"message","who":"ben","what":"say \"hi\"\n"}"#
                );
                ben.close(CloseCode::NORMAL, "").await.unwrap();
            })
            .await;
            hear(ann, r#""kind":"left","who":"ben""#).await;
            let reading = hear(ann, "uptime").await;
            assert!(reading.ends_with(r#""temperature":-5}"#), "{reading}");
        })
        .await;
    });
}

#[test]
fn the_fifth_is_told_that_the_room_is_full() {
    with_board(async |stack| {
        let sit = async |name: &str| {
            visit(stack, "/chat", async |ws| {
                ws.send(name).await.unwrap();
                // Stays, and is heard of, until the test ends.
                hear(ws, "never said").await;
            })
            .await;
        };
        let fifth = visit(stack, "/chat", async |ws| {
            ws.send("eve").await.unwrap();
            hear(ws, "the room is full").await;
        });
        let four = join_array(["a", "b", "c", "d"].map(sit));
        // The four come first: each is in before the fifth has connected.
        match select(four, async {
            embassy_time::Timer::after_secs(1).await;
            fifth.await;
        })
        .await
        {
            Either::First(_) => unreachable!("they stay"),
            Either::Second(()) => {}
        }
    });
}

#[test]
fn an_echo_is_larger_than_the_memory_for_it() {
    with_board(async |stack| {
        visit(stack, "/echo", async |ws| {
            let sent = vec![0xa5; 20_000];
            let (mut rx, mut tx) = ws.halves();
            let receive = async {
                let mut got = Vec::new();
                while !rx
                    .recv_piece(|piece| {
                        got.extend_from_slice(piece.payload);
                        piece.end
                    })
                    .await
                    .unwrap()
                    .unwrap()
                {}
                got
            };
            let send = tx.send(&sent[..]);
            let (sent_all, got) = embassy_futures::join::join(send, receive).await;
            sent_all.unwrap();
            assert!(got == sent);
        })
        .await;
    });
}

/// As Chromium does: it offers, and then compresses what it says.
#[test]
fn a_browser_speaks_compressed_and_an_echo_does_not() {
    let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    let said = wire(
        Role::Server,
        &[Frame::new(0xc1, hello), Frame::new(0xc1, hello)],
    );
    let agreed = "\r\nSec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; \
                  client_no_context_takeover\r\n";
    let heard = r#"{"kind":"message","who":"Hello","what":"Hello"}"#;
    with_board(async |stack| {
        for (path, compressed) in [("/chat", true), ("/echo", false)] {
            let (mut rx, mut tx) = ([0; 1024], [0; 1024]);
            let mut socket = TcpSocket::new(stack, &mut rx, &mut tx);
            let address = SERVER.parse::<core::net::Ipv4Addr>().unwrap();
            socket.connect((address, 80)).await.unwrap();
            let request = format!(
                "GET {path} HTTP/1.1\r\nHost: {SERVER}\r\nUpgrade: websocket\r\n\
                 Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                 Sec-WebSocket-Version: 13\r\n\
                 Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
            );
            socket.put(request.as_bytes()).await;
            socket.put(&said).await;
            let mut answer = Vec::new();
            loop {
                let some = socket.some().await;
                answer.extend_from_slice(&some);
                let text = String::from_utf8_lossy(&answer);
                let over = some.is_empty() || text.contains(heard);
                if over || text.contains("a reserved bit is set") {
                    assert!(text.starts_with("HTTP/1.1 101 "), "{text}");
                    assert_eq!(text.contains(agreed), compressed, "{path} {text}");
                    assert_eq!(text.contains(heard), compressed, "{path} {text}");
                    break;
                }
            }
        }
    });
}
