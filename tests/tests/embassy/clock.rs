//! A clock of each test's own that stands still while anything can be done, then jumps to the next
//! alarm: deadlines of a minute take no time, and each run is the same.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker, ready};
use std::time::Duration;

use embassy_time_driver::{Driver, TICK_HZ};

thread_local! {
    static CLOCK: RefCell<Clock> = const {
        RefCell::new(Clock::new())
    };
}

struct Clock {
    now: u64,
    alarms: BTreeMap<u64, Vec<Waker>>,
}

impl Clock {
    const fn new() -> Self {
        Self {
            now: 0,
            alarms: BTreeMap::new(),
        }
    }

    /// Moves to a moment, and wakes whoever waits for one up to that.
    fn advance(&mut self, to: u64) {
        self.now = self.now.max(to);
        while let Some(first) = self.alarms.first_entry()
            && *first.key() <= self.now
        {
            first.remove().into_iter().for_each(Waker::wake);
        }
    }
}

struct Virtual;

impl Driver for Virtual {
    fn now(&self) -> u64 {
        CLOCK.with_borrow(|clock| clock.now)
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        CLOCK.with_borrow_mut(|clock| {
            let wakers = clock.alarms.entry(at).or_default();
            if !wakers.iter().any(|one| one.will_wake(waker)) {
                wakers.push(waker.clone());
            }
        });
    }
}

embassy_time_driver::time_driver_impl!(static DRIVER: Virtual = Virtual);

/// Runs a future to its end; panics when it waits for what can never come.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    let woken = Arc::new(Woken(AtomicBool::new(true)));
    let waker = Waker::from(woken.clone());
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    let mut polls = 0;
    // Those of an earlier run wake nobody.
    CLOCK.with_borrow_mut(|clock| clock.alarms.clear());
    loop {
        while woken.0.swap(false, Ordering::Relaxed) {
            polls += 1;
            assert!(polls < POLLS, "busy without an end at {} ms", millis());
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return output;
            }
        }
        let wakers = CLOCK.with_borrow_mut(|clock| {
            let next = clock.alarms.pop_first();
            let (at, wakers) = next.expect("everybody waits, and for nothing");
            if at > clock.now {
                polls = 0;
                clock.now = at;
            }
            wakers
        });
        assert!(millis() < MILLIS, "not done in {MILLIS} ms");
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// Runs a future beside whatever it spawns on tokio, whose clock stands still with this one.
#[allow(dead_code)] // not every program that has this clock has a runtime
pub(crate) fn run_with_tokio<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let began = tokio::time::Instant::now();
        let ticks = |ticks: u64| began + Duration::from_micros(ticks * 1_000_000 / TICK_HZ);
        CLOCK.with_borrow_mut(|clock| *clock = Clock::new());
        let mut future = pin!(future);
        let mut alarm = Box::pin(tokio::time::sleep_until(began));
        poll_fn(|cx| {
            loop {
                let elapsed = began.elapsed().as_micros() as u64 * TICK_HZ / 1_000_000;
                CLOCK.with_borrow_mut(|clock| clock.advance(elapsed));
                assert!(millis() < MILLIS, "not done in {MILLIS} ms");
                if let Poll::Ready(output) = future.as_mut().poll(cx) {
                    return Poll::Ready(output);
                }
                let next = CLOCK.with_borrow(|clock| clock.alarms.keys().next().copied());
                let Some(next) = next else {
                    return Poll::Pending;
                };
                alarm.as_mut().reset(ticks(next));
                ready!(alarm.as_mut().poll(cx));
            }
        })
        .await
    })
}

/// Milliseconds on the clock of this test.
pub(crate) fn millis() -> u64 {
    CLOCK.with_borrow(|clock| clock.now) * 1000 / TICK_HZ
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// More polls at one moment than any work takes.
const POLLS: usize = 1_000_000;

/// More time on the clock than any test takes.
const MILLIS: u64 = 3_600_000;
