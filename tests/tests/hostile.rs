//! The hostile transport is a transport: bytes arrive once, in order, and nobody sleeps for ever.

use std::io::{ErrorKind, IoSlice};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wirelet_tests::hostile::{Habits, pair};
use wirelet_tests::rng::Rng;

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime without drivers").block_on(future)
}

#[test]
fn bytes_arrive_in_order_in_both_directions_at_once() {
    for seed in 0..40 {
        let mut rng = Rng::new(seed);
        let (one, other) = pair(seed, Habits::random(&mut rng));
        let (up, down) = (rng.bytes(3_000), rng.bytes(2_000));
        let (mut one_read, mut one_write) = tokio::io::split(one);
        let (mut other_read, mut other_write) = tokio::io::split(other);
        let (mut up_got, mut down_got) = (Vec::new(), Vec::new());
        run(async {
            let sent = tokio::join!(
                async {
                    one_write.write_all(&up).await?;
                    one_write.shutdown().await
                },
                async {
                    other_write.write_all(&down).await?;
                    other_write.shutdown().await
                },
                other_read.read_to_end(&mut up_got),
                one_read.read_to_end(&mut down_got),
            );
            assert!(sent.0.is_ok() && sent.1.is_ok(), "seed {seed}");
        });
        assert!(up_got == up && down_got == down, "seed {seed}");
    }
}

#[test]
fn the_same_seed_does_the_same() {
    let trace = |seed| {
        let (mut one, mut other) = pair(seed, Habits::default());
        run(async {
            let mut bytes = [0; 500];
            let (written, read) =
                tokio::join!(one.write_all(&[1; 500]), other.read_exact(&mut bytes));
            assert!(written.is_ok() && read.is_ok());
        });
        (one.counts(), other.counts())
    };
    assert_eq!(trace(1), trace(1));
    assert_ne!(trace(1), trace(2));
    let (one, other) = trace(3);
    assert_eq!((one.bytes_written, other.bytes_read), (500, 500));
    assert!(
        one.writes >= 100 && other.reads >= 72,
        "at most 5 and 7 at a time"
    );
}

#[test]
fn vectored_writes_are_short_too_and_cross_the_slices() {
    for vectored in [true, false] {
        let habits = Habits {
            vectored,
            capacity: 1000,
            write: 9,
            ..Habits::default()
        };
        let (mut one, mut other) = pair(7, habits);
        let mut most = 0;
        run(async {
            for _ in 0..20 {
                let slices = [
                    IoSlice::new(b""),
                    IoSlice::new(b"ab"),
                    IoSlice::new(b"cdefghijkl"),
                ];
                let n = one.write_vectored(&slices).await.unwrap();
                let mut got = vec![0; n];
                other.read_exact(&mut got).await.unwrap();
                assert_eq!(got, b"abcdefghijkl"[..n]);
                most = most.max(n);
            }
        });
        assert_eq!(most > 2, vectored);
        assert!(most < 10);
    }
}

#[test]
fn the_end_of_a_stream_comes_behind_its_bytes_and_a_reset_before_them() {
    run(async {
        let (mut one, mut other) = pair(1, Habits::default());
        one.write_all(b"last").await.unwrap();
        assert!(other.unread() > 0);
        drop(one);
        let mut bytes = Vec::new();
        other.read_to_end(&mut bytes).await.unwrap();
        assert_eq!(bytes, b"last");
        let gone = other.write_all(b"?").await.unwrap_err();
        assert_eq!(gone.kind(), ErrorKind::BrokenPipe);

        let (mut one, mut other) = pair(1, Habits::default());
        one.write_all(b"lost").await.unwrap();
        one.reset();
        let reset = other.read_to_end(&mut bytes).await.unwrap_err();
        assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
        let reset = other.write_all(b"?").await.unwrap_err();
        assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_peer_that_does_not_read_stalls_the_writer_until_it_does() {
    run(async {
        let habits = Habits {
            capacity: 10,
            pending: 0,
            ..Habits::kind()
        };
        let (mut one, mut other) = pair(5, habits);
        let writer = one.write_all(&[b'x'; 25]);
        tokio::pin!(writer);
        // Polled once: it has filled the pipe as far as it may, and waits.
        let first = std::future::poll_fn(|cx| std::task::Poll::Ready(writer.as_mut().poll(cx)));
        assert!(first.await.is_pending());
        assert_eq!(other.unread(), 10);
        let mut bytes = [0; 25];
        let (written, read) = tokio::join!(writer, other.read_exact(&mut bytes));
        assert!(written.is_ok() && read.is_ok());
    });
}
