//! What `wirelet-tokio` does when the peer is late: all on a clock that stands still until
//! everybody waits.

#[allow(dead_code)] // each test uses a part of it
#[path = "support/http.rs"]
mod http;
#[allow(dead_code)] // each test uses a part of it
#[path = "support/sockets.rs"]
mod sockets;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use sockets::half_open;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::time::{Instant, advance, sleep, timeout};
use wirelet::Timeout;
use wirelet_tests::frames::Frame;
use wirelet_tokio::{
    AcceptError, Acceptor, CloseCode, Config, ConnectError, Connector, Error, Message, Role,
    Timeouts, WebSocket,
};

const SECOND: Duration = Duration::from_secs(1);
/// Longer than any deadline that is set here.
const DAY: Duration = Duration::from_secs(86_400);

/// Counts how often a task was woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Woken {
    fn times(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Handshake 10 s, keepalive 20 s, idle 60 s, close 5 s.
fn usual() -> Config {
    Config::default()
}

fn with(timeouts: Timeouts) -> Config {
    Config::default().timeouts(timeouts)
}

fn endless() -> Config {
    with(Timeouts {
        handshake: Duration::MAX,
        keepalive: Some(Duration::MAX),
        idle: Some(Duration::MAX),
        close: Duration::MAX,
    })
}

#[tokio::test(start_paused = true)]
async fn a_request_that_trickles_is_answered_with_408() {
    let (mut client, server) = tokio::io::duplex(1 << 10);
    let start = Instant::now();
    let accept = async {
        let done = wirelet_tokio::accept(server).await;
        assert!(matches!(done, Err(AcceptError::Timeout)), "{done:?}");
        assert_eq!(start.elapsed(), 10 * SECOND);
    };
    let trickle = async {
        for byte in http::request("/", "").bytes().take(9) {
            client.write_u8(byte).await.unwrap();
            sleep(SECOND).await;
        }
        let answer = http::to_end(&mut client).await;
        assert_eq!(http::status(&answer), 408);
        assert_eq!(http::header(&answer, "Connection"), Some("close"));
    };
    tokio::join!(accept, trickle);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_given_up() {
    let (client, _server) = tokio::io::duplex(1 << 10);
    let start = Instant::now();
    let done = Connector::new().handshake(client, "ws://a/").await;
    assert!(matches!(done, Err(ConnectError::Timeout)), "{done:?}");
    assert_eq!(start.elapsed(), 10 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn durations_without_end_are_no_deadline() {
    let (client, server) = tokio::io::duplex(1 << 10);
    let (acceptor, connector) = (
        Acceptor::new().config(endless()),
        Connector::new().config(endless()),
    );
    let (server, client) = tokio::join!(
        acceptor.accept(server),
        connector.handshake(client, "ws://a/")
    );
    let (mut server, mut client) = (server.unwrap(), client.unwrap());
    assert!(timeout(1000 * DAY, server.recv()).await.is_err());
    // Nobody reads, and it is waited for.
    let large = vec![0; 1 << 20];
    assert!(timeout(1000 * DAY, client.send(&large)).await.is_err());
    let close = client.close(CloseCode::NORMAL, "");
    assert!(timeout(1000 * DAY, close).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn silence_is_met_with_a_ping_and_then_with_the_end() {
    for role in [Role::Server, Role::Client] {
        let (mut ws, mut peer) = half_open(role, usual());
        let start = Instant::now();
        let waiting = async {
            let done = ws.recv().await.map(drop);
            assert!(matches!(done, Err(Error::Timeout(Timeout::Idle))));
            assert_eq!(start.elapsed(), 60 * SECOND);
            assert_eq!(ws.recv().await.unwrap(), None);
        };
        let peer = async {
            assert_eq!(peer.read_u8().await.unwrap(), 0x89);
            assert_eq!(start.elapsed(), 20 * SECOND);
        };
        tokio::join!(waiting, peer);
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_wakes_who_waited_last_however_often_it_asked() {
    let (mut ws, mut peer) = half_open(Role::Server, usual());
    let woken = [(); 2].map(|()| Arc::new(Woken::default()));
    let wakers = woken.each_ref().map(|woken| Waker::from(woken.clone()));
    let mut poll = |which: usize| {
        let mut cx = Context::from_waker(&wakers[which]);
        assert!(pin!(ws.recv()).poll(&mut cx).is_pending());
    };
    for which in [0, 0, 1, 0, 1, 1] {
        poll(which);
    }
    advance(20 * SECOND).await;
    assert_eq!(woken.each_ref().map(|woken| woken.times()), [0, 1]);
    for which in [1, 1] {
        poll(which);
    }
    assert_eq!(peer.read_u16().await.unwrap(), 0x8900);
    advance(40 * SECOND).await;
    assert_eq!(woken.each_ref().map(|woken| woken.times()), [0, 2]);
    assert!(matches!(
        ws.recv().await,
        Err(Error::Timeout(Timeout::Idle))
    ));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_heard_is_not_asked() {
    let (mut ws, mut peer) = half_open(Role::Server, usual());
    let start = Instant::now();
    let waiting = async {
        for _ in 0..20 {
            assert_eq!(ws.recv().await.unwrap(), Some(Message::Text("hi")));
        }
        assert!(matches!(
            ws.recv().await,
            Err(Error::Timeout(Timeout::Idle))
        ));
        assert_eq!(start.elapsed(), (20 * 19 + 60) * SECOND);
    };
    let talking = async {
        for _ in 0..20 {
            sleep(19 * SECOND).await;
            let text = Frame::new(0x81, "hi").to(Role::Server).bytes();
            peer.write_all(&text).await.unwrap();
        }
        // The first Ping comes after the first silence of 20 s.
        assert_eq!(peer.read_u16().await.unwrap(), 0x8900);
        assert_eq!(start.elapsed(), (20 * 19 + 20) * SECOND);
    };
    tokio::join!(waiting, talking);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_nothing_is_given_up() {
    let large = vec![0; 1 << 20];
    let start = Instant::now();
    let (mut ws, _peer) = half_open(Role::Server, usual());
    let done = ws.send(&large).await;
    assert!(
        matches!(done, Err(Error::Timeout(Timeout::Idle))),
        "{done:?}"
    );
    assert_eq!(start.elapsed(), 60 * SECOND);
    // The sending half alone has the same patience.
    let (ws, _peer) = half_open(Role::Server, usual());
    let (_rx, mut tx) = ws.split();
    let done = tx.send(&large).await;
    assert!(
        matches!(done, Err(Error::Timeout(Timeout::Idle))),
        "{done:?}"
    );
    assert_eq!(start.elapsed(), 120 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn the_patient_wait_for_ever_but_not_for_a_close() {
    let config = with(Timeouts::default().patient());
    let (mut ws, mut peer) = half_open(Role::Server, config);
    assert!(timeout(DAY, ws.recv()).await.is_err());
    let start = Instant::now();
    let done = ws.close(CloseCode::NORMAL, "").await;
    assert!(
        matches!(done, Err(Error::Timeout(Timeout::Close))),
        "{done:?}"
    );
    assert_eq!(start.elapsed(), 5 * SECOND);
    // There was no Ping in front of the Close.
    assert_eq!(peer.read_u32().await.unwrap(), 0x8802_03e8);
}

#[tokio::test(start_paused = true)]
async fn a_close_from_the_other_half_starts_its_deadline_while_this_one_waits() {
    for patient in [false, true] {
        let timeouts = Timeouts::default();
        let timeouts = if patient {
            timeouts.patient()
        } else {
            timeouts
        };
        let (ws, _peer) = half_open(Role::Server, with(timeouts));
        let (mut rx, mut tx) = ws.split();
        let start = Instant::now();
        let receiving = async {
            let done = rx.recv().await.map(drop);
            assert!(
                matches!(done, Err(Error::Timeout(Timeout::Close))),
                "{done:?}"
            );
            assert_eq!(start.elapsed(), 15 * SECOND);
        };
        let closing = async {
            sleep(10 * SECOND).await;
            tx.close(CloseCode::NORMAL, "").await.unwrap();
            assert_eq!(start.elapsed(), 10 * SECOND);
        };
        tokio::join!(receiving, closing);
    }
}

/// The peer reads nothing: the half that sends waits in vain, and is told when the other gave up.
#[tokio::test(start_paused = true)]
async fn the_end_wakes_the_half_that_sends() {
    let (ws, peer) = half_open(Role::Server, with(Timeouts::default().patient()));
    let (mut rx, mut tx) = ws.split();
    let large = vec![0; 1 << 20];
    let receiving = async { assert!(matches!(rx.recv().await, Err(Error::Disconnected))) };
    let sending = async {
        let done = tx.send(&large).await;
        let closed = wirelet::SendError::Closed;
        assert!(
            matches!(done, Err(Error::Send(told)) if told == closed),
            "{done:?}"
        );
    };
    let leaving = async {
        let mut peer: DuplexStream = peer;
        peer.shutdown().await.unwrap();
        sleep(DAY).await;
    };
    tokio::join!(receiving, sending, leaving);
}

/// A stream of valid masked Binary frames (0x82), or of bytes that are an error (0xff), for ever.
#[tokio::test(start_paused = true)]
async fn a_peer_that_never_stops_sending_does_not_stop_the_clock() {
    for byte in [0x82, 0xff] {
        let io = tokio::io::join(tokio::io::repeat(byte), tokio::io::sink());
        let mut ws = WebSocket::from_upgraded(io, Role::Server, &usual(), &[]);
        let start = Instant::now();
        let ticking = async {
            while start.elapsed() < 10 * SECOND {
                advance(SECOND).await;
            }
        };
        let done = tokio::select! {
            biased;
            done = ws.close(CloseCode::NORMAL, "") => done,
            () = ticking => panic!("the deadline of 5 s never came"),
        };
        match byte {
            0x82 => assert!(
                matches!(done, Err(Error::Timeout(Timeout::Close))),
                "{done:?}"
            ),
            _ => assert!(matches!(done, Err(Error::Protocol(_))), "{done:?}"),
        }
    }
}
