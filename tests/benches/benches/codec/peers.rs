//! The other libraries, in server role and with their best settings for this.
//!
//! Where an API is only async it is polled on a stream that always has bytes, and never waits.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::BytesMut;
use futures_core::Stream as _;

use crate::cases::Case;
use crate::subject::{Row, Stream, Subject, now};

pub const ALL: [Row; 7] = [
    Row::new::<FastWebsockets>("fastwebsockets 0.10", "`WebSocket::read_frame`"),
    Row::new::<Tungstenite>("tungstenite 0.30", "`WebSocket::read`, buffer of 16 KiB"),
    Row::new::<TokioWebsockets>("tokio-websockets 0.13", "`WebSocketStream::poll_next`"),
    Row::new::<Sockudo>("sockudo-ws 3.1", "`Protocol::process_into`, 16 KiB at once"),
    Row::new::<Yawc>("yawc 0.5", "`WebSocket::next_frame`, UTF-8 checked"),
    Row::new::<Wtx>("wtx 0.46", "`WebSocket::read_frame`, adaptive"),
    Row::new::<Web>(
        "web-socket 0.7",
        "`WebSocket::recv`, `BufReader`; no UTF-8 check",
    ),
];

/// What a library is given to read into, where that is the user's choice.
const BUFFER: usize = 16 << 10;

struct FastWebsockets(fastwebsockets::WebSocket<Stream>);

impl Subject for FastWebsockets {
    fn new(case: &Case) -> Self {
        let role = fastwebsockets::Role::Server;
        Self(fastwebsockets::WebSocket::after_handshake(
            Stream::of(case),
            role,
        ))
    }

    fn receive(&mut self, frames: usize, mut each: impl FnMut(&[u8])) -> usize {
        for _ in 0..frames {
            each(&now(self.0.read_frame()).unwrap().payload);
        }
        frames
    }
}

struct Tungstenite(tungstenite::WebSocket<Stream>);

impl Subject for Tungstenite {
    fn new(case: &Case) -> Self {
        let config = tungstenite::protocol::WebSocketConfig::default().read_buffer_size(BUFFER);
        let role = tungstenite::protocol::Role::Server;
        let socket = tungstenite::WebSocket::from_raw_socket(Stream::of(case), role, Some(config));
        Self(socket)
    }

    fn receive(&mut self, frames: usize, mut each: impl FnMut(&[u8])) -> usize {
        use tungstenite::Message;
        for _ in 0..frames {
            match self.0.read().unwrap() {
                Message::Text(text) => each(text.as_bytes()),
                Message::Binary(bytes) => each(&bytes),
                other => panic!("{other}"),
            }
        }
        frames
    }
}

struct TokioWebsockets(tokio_websockets::WebSocketStream<Stream>);

impl Subject for TokioWebsockets {
    fn new(case: &Case) -> Self {
        Self(tokio_websockets::ServerBuilder::new().serve(Stream::of(case)))
    }

    fn receive(&mut self, frames: usize, mut each: impl FnMut(&[u8])) -> usize {
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..frames {
            let Poll::Ready(Some(message)) = Pin::new(&mut self.0).poll_next(&mut context) else {
                panic!("it waits");
            };
            each(message.unwrap().as_payload());
        }
        frames
    }
}

struct Sockudo {
    protocol: sockudo_ws::protocol::Protocol,
    stream: Stream,
    buffer: BytesMut,
    messages: Vec<sockudo_ws::Message>,
}

impl Subject for Sockudo {
    fn new(case: &Case) -> Self {
        let limit = 64 << 20;
        Self {
            protocol: sockudo_ws::protocol::Protocol::new(sockudo_ws::Role::Server, limit, limit),
            stream: Stream::of(case),
            buffer: BytesMut::new(),
            messages: Vec::new(),
        }
    }

    fn receive(&mut self, frames: usize, mut each: impl FnMut(&[u8])) -> usize {
        let mut seen = 0;
        while seen < frames {
            let buffer = &mut self.buffer;
            buffer.reserve(BUFFER);
            self.stream
                .give(BUFFER, |bytes| buffer.extend_from_slice(bytes));
            let result = self
                .protocol
                .process_into(&mut self.buffer, &mut self.messages);
            result.unwrap();
            for message in self.messages.drain(..) {
                each(message.as_bytes());
                seen += 1;
            }
        }
        seen
    }
}

struct Yawc(yawc::WebSocket<Stream>);

impl Subject for Yawc {
    fn new(case: &Case) -> Self {
        let options = yawc::Options::default().with_utf8();
        Self(yawc::WebSocket::from_stream(Stream::of(case), yawc::Role::Server, options).unwrap())
    }

    fn receive(&mut self, frames: usize, mut each: impl FnMut(&[u8])) -> usize {
        for _ in 0..frames {
            each(now(self.0.next_frame()).unwrap().payload());
        }
        frames
    }
}

type WtxSocket = wtx::web_socket::WebSocketOwned<(), wtx::rng::Xorshift64, Stream, false>;

struct Wtx {
    socket: WtxSocket,
    buffer: wtx::collection::Vector<u8>,
}

impl Subject for Wtx {
    fn new(case: &Case) -> Self {
        let held = wtx::web_socket::WebSocketBuffer::with_capacity(BUFFER, 0, 0).unwrap();
        let random = wtx::rng::Xorshift64::from(1);
        Self {
            socket: WtxSocket::new((), false, random, Stream::of(case), held),
            buffer: wtx::collection::Vector::new(),
        }
    }

    fn receive(&mut self, frames: usize, mut each: impl FnMut(&[u8])) -> usize {
        let adaptive = wtx::web_socket::WebSocketPayloadOrigin::Adaptive;
        for _ in 0..frames {
            let frame = now(self.socket.read_frame(&mut self.buffer, adaptive)).unwrap();
            each(frame.payload());
        }
        frames
    }
}

impl wtx::stream::StreamReader for Stream {
    async fn read(&mut self, bytes: &mut [u8]) -> wtx::Result<usize> {
        Ok(self.fill(bytes))
    }
}

impl wtx::stream::StreamWriter for Stream {
    async fn write_all(&mut self, _: &[u8]) -> wtx::Result<()> {
        Ok(())
    }

    async fn write_all_vectored(&mut self, _: &[&[u8]]) -> wtx::Result<()> {
        Ok(())
    }
}

struct Web(web_socket::WebSocket<tokio::io::BufReader<Stream>>);

impl Subject for Web {
    fn new(case: &Case) -> Self {
        let reader = tokio::io::BufReader::with_capacity(BUFFER, Stream::of(case));
        Self(web_socket::WebSocket::server(reader))
    }

    fn receive(&mut self, frames: usize, mut each: impl FnMut(&[u8])) -> usize {
        for _ in 0..frames {
            match now(self.0.recv()).unwrap() {
                web_socket::Event::Data { data, .. } => each(&data),
                other => panic!("{other:?}"),
            }
        }
        frames
    }
}
