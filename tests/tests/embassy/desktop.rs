//! The board in the desktop's chat: the very server of `examples/chat`, in this process.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;

use embassy_futures::join::join_array;
use embassy_futures::select::{Either, select};
use embassy_net::Stack;
use embassy_net::tcp::TcpSocket;
use embassy_time::Timer;
use tokio::io::DuplexStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use wirelet_tokio::WebSocket;

use crate::board::{beside_board, hear, visit};
use crate::clock::{millis, run, run_with_tokio};
use crate::io::Io;
use crate::net::pass_on;

/// The chat, whose listener takes what this process gives it.
struct Chat {
    connections: mpsc::UnboundedSender<DuplexStream>,
    stop: oneshot::Sender<()>,
    done: JoinHandle<io::Result<()>>,
}

struct Listener(mpsc::UnboundedReceiver<DuplexStream>);

impl axum::serve::Listener for Listener {
    type Io = DuplexStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (DuplexStream, SocketAddr) {
        match self.0.recv().await {
            Some(io) => (io, ([127, 0, 0, 1], 1).into()),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(([127, 0, 0, 1], 8080).into())
    }
}

impl Chat {
    fn start() -> Self {
        let (connections, incoming) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel();
        let stopped = async { drop(stopped.await) };
        Self {
            connections,
            stop,
            done: tokio::spawn(chat::run(Listener(incoming), stopped)),
        }
    }

    fn connect(&self) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(4096);
        self.connections.send(theirs).expect("it listens");
        ours
    }

    /// Ends it in good order: all are told with a Close.
    async fn stop(self) {
        self.stop.send(()).expect("it runs");
        self.done.await.unwrap().unwrap();
    }
}

/// Brings whoever connects on this stack to the chat of the moment; resets them if there is none.
async fn gateway(stack: Stack<'_>, chat: &RefCell<Option<Chat>>) {
    let (mut rx, mut tx) = ([0; 1024], [0; 1024]);
    let mut socket = TcpSocket::new(stack, &mut rx, &mut tx);
    loop {
        socket.accept(8080).await.unwrap();
        let io = chat.borrow().as_ref().map(Chat::connect);
        if let Some(io) = io {
            let (mut from_board, mut to_board) = socket.split();
            let (from_chat, to_chat) = tokio::io::split(io);
            let up = pass_on(&mut from_board, Io(to_chat), usize::MAX);
            let down = pass_on(Io(from_chat), &mut to_board, usize::MAX);
            select(up, down).await;
            socket.close();
            // Who is gone takes nothing more.
            let _ = select(socket.flush(), Timer::after_secs(1)).await;
        }
        socket.abort();
        let _ = socket.flush().await;
    }
}

/// Somebody in the chat.
struct Member(WebSocket<DuplexStream>);

impl Member {
    async fn join(chat: &RefCell<Option<Chat>>, name: &str) -> Self {
        let io = chat.borrow().as_ref().map(Chat::connect).expect("a chat");
        let connector = wirelet_tokio::Connector::new();
        let ws = connector.handshake(io, "ws://127.0.0.1:8080/ws").await;
        let mut member = Self(ws.unwrap());
        member
            .send(&format!(r#"{{"join":{{"name":"{name}"}}}}"#))
            .await;
        member.hear("welcome").await;
        member
    }

    async fn send(&mut self, json: &str) {
        self.0.send(json).await.unwrap();
    }

    /// Waits for a line with all of this in it; the others pass.
    async fn hear(&mut self, parts: &str) {
        loop {
            let line = self.0.recv().await.unwrap().expect("the chat goes on");
            let line = line.as_text().expect("the chat writes text");
            if line.contains(parts) {
                return;
            }
        }
    }
}

#[test]
fn what_is_said_in_either_room_is_heard_in_both_and_the_board_comes_back() {
    run_with_tokio(beside_board(async |stack| {
        let chat = RefCell::new(Some(Chat::start()));
        let gateways = join_array([(); 2].map(|()| gateway(stack, &chat)));
        let story = visit(stack, "/chat", async |ann| {
            ann.send("ann").await.unwrap();
            ann.send("/join ws://10.0.0.1:8080/ws").await.unwrap();
            for name in ["eve", "dan"] {
                let mut there = Member::join(&chat, name).await;
                there.hear(r#""kind":"joined","who":"desk-"#).await;
                there.send(r#"{"say":"from there"}"#).await;
                let line = format!(r#"{{"kind":"message","who":"{name}","what":"from there"}}"#);
                assert_eq!(hear(ann, "from there").await, line);
                // The board is in, and knows it.
                ann.send("from here").await.unwrap();
                there.hear(r#""what":"ann: from here""#).await;
                if name == "dan" {
                    ann.send("/leave").await.unwrap();
                    there.hear(r#""kind":"left","who":"desk-"#).await;
                    break;
                }
                // All are told that it ends, and the board finds the next one.
                let old = chat.take().expect("a chat");
                let (_, closed) = tokio::join!(old.stop(), there.0.recv());
                assert!(matches!(closed, Ok(None)), "{closed:?}");
                *chat.borrow_mut() = Some(Chat::start());
            }
        });
        let told = select(story, gateways).await;
        assert!(matches!(told, Either::First(())));
    }));
}

const NOBODY: &str = "no chat lets the board in there; it goes on trying until /leave";

/// An address that nobody has, and a port at which nobody listens: the room is told so, once.
#[test]
fn a_chat_that_does_not_answer() {
    for (url, after, within) in [
        ("ws://10.0.0.77/ws", 10_000, 11_000),
        ("ws://10.0.0.1:81/ws", 0, 1_000),
    ] {
        run(beside_board(async |stack| {
            visit(stack, "/chat", async |ann| {
                ann.send("ann").await.unwrap();
                hear(ann, "joined").await;
                let began = millis();
                ann.send(format!("/join {url}").as_str()).await.unwrap();
                let line = hear(ann, "no chat").await;
                let took = millis() - began;
                assert_eq!(
                    line,
                    format!(r#"{{"kind":"message","who":"the link","what":"{NOBODY}"}}"#)
                );
                assert!((after..within).contains(&took), "{url}: {took} ms");
                let again = select(hear(ann, "no chat"), Timer::after_secs(300)).await;
                assert!(matches!(again, Either::Second(())), "{again:?}");
                // Whoever asks again is told again.
                ann.send(format!("/join {url}").as_str()).await.unwrap();
                assert_eq!(hear(ann, "no chat").await, line);
            })
            .await;
        }));
    }
}
