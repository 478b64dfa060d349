//! TLS 1.3 below a WebSocket: embedded-tls on embassy-net's stack, against rustls and wirelet-tokio.
//!
//! The `read` of embedded-tls loses what it has of a record when it is dropped, and its `write` and
//! `flush` are no better. Through a [`Pump`](wirelet_embassy::Pump) that does not matter.

use core::cell::RefCell;
use core::convert::Infallible;
use core::future::{pending, poll_fn};
use core::pin::pin;
use std::sync::Arc;

use embassy_futures::join::join;
use embassy_futures::select::{Either, select};
use embassy_net::tcp::{self, TcpSocket};
use embassy_time::Timer;
use embedded_io_async::{ErrorType, Read, Write};
use embedded_tls::{Aes128GcmSha256, TlsConfig, TlsConnection, TlsContext, UnsecureProvider};
use rand_core::OsRng;
use tokio::io::DuplexStream;
use tokio_rustls::{TlsAcceptor, rustls};
use wirelet_embassy::{
    Buffered, CloseCode, Config, Connector, Error, Timeouts, Transport, WebSocket,
};

use crate::deadlines::config;
use crate::io::{Io, insist, on_rings, pumped};
use crate::net::pass_on;

const URL: &str = "wss://board.test/";

/// A TCP socket that both halves of a TLS connection use. No borrow outlives a poll.
#[derive(Clone, Copy)]
struct Shared<'a, 's>(&'a RefCell<&'a mut TcpSocket<'s>>);

impl ErrorType for Shared<'_, '_> {
    type Error = tcp::Error;
}

impl Read for Shared<'_, '_> {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, tcp::Error> {
        poll_fn(|cx| pin!(self.0.borrow_mut().read(buf)).poll(cx)).await
    }
}

impl Write for Shared<'_, '_> {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, tcp::Error> {
        poll_fn(|cx| pin!(self.0.borrow_mut().write(buf)).poll(cx)).await
    }

    async fn flush(&mut self) -> Result<(), tcp::Error> {
        poll_fn(|cx| pin!(self.0.borrow_mut().flush()).poll(cx)).await
    }
}

type Tls<'a, 's> = TlsConnection<'a, Shared<'a, 's>, Aes128GcmSha256>;

/// Runs `client` with a TLS connection to a WebSocket server that echoes. What the server sends
/// comes `at_once` bytes at a time.
fn with_tls(at_once: usize, client: impl AsyncFnOnce(&mut Tls<'_, '_>)) {
    // The deadlines of the server's adapter want a runtime; that nobody runs it, they do not mind.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let _entered = runtime.enter();
    on_rings((1024, 1024), 0, async |socket, peer| {
        let (near, far) = tokio::io::duplex(1024);
        let ours = async {
            let socket = RefCell::new(socket);
            let (mut read, mut write) = (vec![0; 16_640], vec![0; 1_024]);
            let mut tls = TlsConnection::new(Shared(&socket), &mut read, &mut write);
            // Whose certificate it is does not matter here.
            let provider = UnsecureProvider::new::<Aes128GcmSha256>(OsRng);
            let config = TlsConfig::new().with_server_name("board.test");
            tls.open(TlsContext::new(&config, provider)).await.unwrap();
            client(&mut tls).await;
            tls.close().await.map_err(|(_, error)| error).unwrap();
        };
        match select(join(ours, echo(far)), bridge(peer, near, at_once)).await {
            Either::First(((), ())) => {}
            Either::Second(never) => match never {},
        }
    });
}

/// A desktop's server.
async fn echo(io: DuplexStream) {
    let acceptor = TlsAcceptor::from(Arc::new(server_config()));
    let Ok(tls) = acceptor.accept(io).await else {
        panic!("no TLS");
    };
    let mut ws = wirelet_tokio::accept(tls).await.unwrap();
    let (mut rx, mut tx) = ws.halves();
    // What becomes of the connection is for the client to say.
    while let Ok(Some(message)) = rx.recv().await {
        let _ = tx.feed(message).await;
    }
}

fn server_config() -> rustls::ServerConfig {
    let made = rcgen::generate_simple_self_signed(["board.test".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap()
}

/// Passes on what comes on either side.
async fn bridge(socket: &mut TcpSocket<'_>, io: DuplexStream, at_once: usize) -> Infallible {
    let (mut from_tcp, mut to_tcp) = socket.split();
    let (from_server, to_server) = tokio::io::split(io);
    let up = pass_on(&mut from_tcp, Io(to_server), usize::MAX);
    let down = pass_on(Io(from_server), &mut to_tcp, at_once);
    join(up, down).await;
    pending().await
}

/// Says something of each size and hears it; each future that receives is dropped after so many
/// polls, and made anew.
async fn talk<T: Transport>(
    ws: &mut WebSocket<'_, T>,
    polls: usize,
) -> Result<(), Error<T::Error>> {
    for size in [0, 1, 125, 126, 300, 2_000] {
        let sent: Vec<u8> = (0..=255).cycle().take(size).collect();
        ws.send(&sent[..]).await?;
        let mut got = Vec::new();
        loop {
            let take = |got: &mut Vec<u8>, piece: wirelet_embassy::Piece<'_>| {
                got.extend_from_slice(piece.payload);
                piece.end
            };
            match insist!(polls, ws.recv_piece(|piece| take(&mut got, piece)))? {
                Some(false) => {}
                Some(true) => break,
                None => panic!("closed"),
            }
        }
        assert!(got == sent, "{size} bytes");
    }
    Ok(())
}

/// Futures are dropped in the middle of a record, and keepalives are sent; nothing is lost.
#[test]
fn through_a_pump() {
    for (polls, at_once) in [
        (usize::MAX, usize::MAX),
        (1, usize::MAX),
        (1, 7),
        (2, 7),
        (3, 1),
    ] {
        with_tls(at_once, async |tls| {
            pumped(tls.split(), (256, 256), async |pump| {
                let (mut buffer, mut random) = ([0; 512], || [1, 2, 3, 4]);
                let connector = Connector::new().config(config());
                let ws = connector.handshake(pump, URL, &mut buffer, &mut random);
                let mut ws = ws.await.unwrap();
                talk(&mut ws, polls).await.unwrap();
                // Longer than the keepalive and the idle deadline, and shorter than both together.
                let silence = select(ws.recv(), Timer::after_secs(45)).await;
                assert!(matches!(silence, Either::Second(())), "{silence:?}");
                talk(&mut ws, polls).await.unwrap();
                ws.close(CloseCode::NORMAL, "done").await.unwrap();
                assert_eq!(ws.closed().unwrap().code, CloseCode::NORMAL);
            })
            .await;
        });
    }
}

fn patient() -> Config {
    Config::default().timeouts(Timeouts::default().patient())
}

/// As long as no future of the connection is dropped, and no keepalive interrupts one.
#[test]
fn in_buffers() {
    for at_once in [usize::MAX, 7] {
        with_tls(at_once, async |tls| {
            let (mut rx, mut tx) = ([0; 256], [0; 256]);
            let (mut buffer, mut random) = ([0; 512], || [1, 2, 3, 4]);
            let io = Buffered::new(&mut *tls, &mut rx, &mut tx);
            let connector = Connector::new().config(patient());
            let ws = connector.handshake(io, URL, &mut buffer, &mut random);
            let mut ws = ws.await.unwrap();
            talk(&mut ws, usize::MAX).await.unwrap();
            ws.close(CloseCode::NORMAL, "done").await.unwrap();
            assert_eq!(ws.closed().unwrap().code, CloseCode::NORMAL);
        });
    }
}

/// What a dropped read loses is missed by TLS: the connection fails, or waits for the rest of a record
/// that was never one; it tells no lies.
#[test]
fn in_buffers_a_dropped_future_breaks_it() {
    with_tls(7, async |tls| {
        let (mut rx, mut tx) = ([0; 256], [0; 256]);
        let (mut buffer, mut random) = ([0; 512], || [1, 2, 3, 4]);
        let io = Buffered::new(&mut *tls, &mut rx, &mut tx);
        let connector = Connector::new().config(config());
        let ws = connector.handshake(io, URL, &mut buffer, &mut random);
        let mut ws = ws.await.unwrap();
        let broken = talk(&mut ws, 2).await;
        assert!(
            matches!(broken, Err(Error::Io(_) | Error::Timeout(_))),
            "{broken:?}"
        );
    });
}
