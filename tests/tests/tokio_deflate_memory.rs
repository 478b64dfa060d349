//! What connections that compress hold, by window bits.
//!
//! `cargo test -p wirelet-tests --test tokio_deflate_memory -- --nocapture` prints the table.

mod heap;

use std::task::{Context, Poll, Waker};

use heap::{held, peak, restart};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use wirelet::Role;
use wirelet::deflate::{Agreement, Context as Compression, WindowBits};
use wirelet_tests::deflate::Deflater;
use wirelet_tests::frames::Frame;
use wirelet_tokio::{Config, Deflate, Error, Prepared, WebSocket};

#[global_allocator]
static HEAP: heap::Counted = heap::Counted;

/// Messages on each connection, more than any window holds.
const MESSAGES: usize = 100;

/// Readings in a message of 1.3 KiB, and in one of about 15 KiB.
const SMALL: usize = 30;
const LARGE: usize = 400;

fn open(context: Compression, deflate: Deflate) -> (WebSocket<DuplexStream>, DuplexStream) {
    let (peer, io) = duplex(256 << 10);
    let ws = WebSocket::from_upgraded(io, Role::Server, &Config::default(), &[]);
    let agreement = Agreement {
        server: context,
        client: context,
    };
    (ws.deflate(agreement, &deflate), peer)
}

fn poll<T>(future: impl Future<Output = T>) -> Poll<T> {
    std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// About 40 bytes a reading.
fn json(n: usize, readings: usize) -> String {
    let reading = |i: usize| {
        format!(
            "{{\"sensor\":{i},\"value\":{},\"unit\":\"mV\"}}",
            n * 7 + i * 31
        )
    };
    (0..readings).map(reading).collect::<Vec<_>>().join(",")
}

/// A connection that waits, after many messages each way.
fn used(context: Option<Compression>, readings: usize) -> (WebSocket<DuplexStream>, DuplexStream) {
    let (mut ws, mut peer) = match context {
        Some(context) => open(context, Deflate::new()),
        None => {
            let (peer, io) = duplex(256 << 10);
            let config = Config::default();
            (
                WebSocket::from_upgraded(io, Role::Server, &config, &[]),
                peer,
            )
        }
    };
    let mut deflater = context.map(|context| Deflater::new(6, context));
    let mut sink = vec![0; 64 << 10];
    for n in 0..MESSAGES {
        let text = json(n, readings);
        let frame = match &mut deflater {
            Some(deflater) => Frame::new(0xc1, deflater.message(text.as_bytes(), &[])),
            None => Frame::new(0x81, &text),
        };
        let bytes = frame.to(Role::Server).bytes();
        assert!(matches!(poll(peer.write_all(&bytes)), Poll::Ready(Ok(()))));
        let Poll::Ready(Ok(Some(message))) = poll(ws.recv()) else {
            panic!("a message is there");
        };
        assert_eq!(message.as_text(), Some(&text[..]));
        assert!(matches!(poll(ws.send(&text)), Poll::Ready(Ok(()))));
        assert!(matches!(poll(peer.read(&mut sink)), Poll::Ready(Ok(1..))));
        assert!(poll(ws.recv()).is_pending());
    }
    // What the transport holds is its own.
    let (other, far) = duplex(1);
    *ws.get_mut() = other;
    (ws, far)
}

/// What such a connection holds. Another one of its kind is there already, so what belongs to the
/// thread is not counted.
fn measure(context: Option<Compression>, readings: usize) -> isize {
    let measured = std::thread::spawn(move || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().build().expect("a runtime");
        let _deadlines = runtime.enter();
        let _other = used(context, readings);
        restart();
        let _this = used(context, readings);
        held()
    });
    measured.join().unwrap()
}

#[test]
fn by_window_bits() {
    let plain = measure(None, SMALL);
    println!("| window | takeover | holds while it waits, bytes |\n|--:|---|--:|");
    for takeover in [false, true] {
        for bits in 8..=15 {
            let window = WindowBits::new(bits).unwrap();
            let holds = measure(Some(Compression { takeover, window }), SMALL) - plain;
            println!("| {bits} | {takeover} | {holds} |");
            let most = if takeover {
                // The window, room behind it, the inflater; and zlib-rs: 128 KiB of hashes, the
                // window twice and a link for each byte of it, and what is around them.
                let window = window.bytes();
                window + (window / 8).max(256) + 2_048 + (136 << 10) + 4 * window
            } else {
                256
            };
            assert!(holds <= most.cast_signed(), "{holds} > {most}");
        }
    }
}

/// A window of 32 KiB stays where large messages were inflated, in a buffer of the pool's size; a
/// smaller one moves to a buffer of its own size all the same.
#[test]
fn after_large_messages() {
    assert!(json(0, LARGE).len() > 14 << 10);
    for bits in [10, 14, 15] {
        let window = WindowBits::new(bits).unwrap();
        let context = |takeover| Some(Compression { takeover, window });
        let more = |takeover| measure(context(takeover), LARGE) - measure(context(takeover), SMALL);
        let (with, without) = (more(true), more(false));
        println!("{bits} bits, messages of 15 KiB instead of 1.3: {with} bytes more");
        let most = if bits == 15 { 32 << 10 } else { 0 };
        // What is around it is the same but for some bytes.
        assert!(
            with <= most + 256 && without <= 256,
            "{bits}: {with}, {without}"
        );
    }
}

/// Agreed to and not used: two boxes.
#[test]
fn before_the_first_compressed_message() {
    let (plain, _peer) = duplex(1);
    restart();
    let ws = WebSocket::from_upgraded(plain, Role::Server, &Config::default(), &[]);
    let before = held();
    let agreement = Agreement {
        server: Compression::DEFAULT,
        client: Compression::DEFAULT,
    };
    let mut ws = ws.deflate(agreement, &Deflate::new());
    let agreed = held() - before;
    assert!(agreed < 256, "{agreed}");
    // Below the threshold nothing is compressed.
    assert!(matches!(poll(ws.feed("short")), Poll::Ready(Ok(()))));
    assert!(held() - before < 80_000, "the pool's buffer");
    println!("agreed, not used: {agreed} bytes");
}

/// Whoever is second finds it compressed: no compressor is made for him.
#[test]
fn a_prepared_message_is_compressed_once() {
    let message = Prepared::text(json(1, SMALL));
    let send = |message: &Prepared, bits| {
        let window = WindowBits::new(bits).unwrap();
        let (mut ws, peer) = open(
            Compression {
                takeover: true,
                window,
            },
            Deflate::new(),
        );
        restart();
        assert!(matches!(
            poll(ws.feed_prepared(message)),
            Poll::Ready(Ok(()))
        ));
        let most = peak();
        drop((ws, peer));
        most
    };
    for bits in [15, 11] {
        let first = std::thread::spawn({
            let message = message.clone();
            move || send(&message, bits)
        });
        assert!(first.join().unwrap() > 128 << 10, "a compressor");
        let again = std::thread::spawn({
            let message = message.clone();
            move || send(&message, bits)
        });
        assert!(again.join().unwrap() < 80_000, "a buffer for the frame");
    }
}

/// A bomb costs what a message of the limit costs.
#[test]
fn a_bomb() {
    let limit = 1 << 20;
    let packed = Deflater::new(9, Compression::NO_TAKEOVER).message(&vec![0; 64 << 20], &[]);
    println!("a bomb of {} bytes: 64 MiB", packed.len());
    let (mut peer, io) = duplex(256 << 10);
    let config = Config::default().max_message(limit);
    let ws = WebSocket::from_upgraded(io, Role::Server, &config, &[]);
    let context = Compression::NO_TAKEOVER;
    let agreement = Agreement {
        server: context,
        client: context,
    };
    let mut ws = ws.deflate(agreement, &Deflate::new());
    let frame = Frame::new(0xc2, packed).to(Role::Server).bytes();
    assert!(matches!(poll(peer.write_all(&frame)), Poll::Ready(Ok(()))));
    drop(peer);
    restart();
    let Poll::Ready(Err(Error::Protocol(wirelet::Error::MessageTooLarge))) = poll(ws.recv()) else {
        panic!("it is over the limit");
    };
    println!("at a limit of 1 MiB it took {} KiB at most", peak() >> 10);
    // The buffer that is full, and the one four times its size.
    assert!(peak() < 3 << 20);
}
