//! An executor that finds lost wakers: it polls a future only when that future's own waker was
//! woken. When none was and some are not done, nobody would ever have polled them again.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

use wirelet_tests::rng::Rng;

/// Futures, each with a waker of its own, polled in an order that a seed chooses.
pub(crate) struct Strict<'a> {
    tasks: Vec<Option<Task<'a>>>,
    rng: Rng,
    runtime: tokio::runtime::Runtime,
}

struct Task<'a> {
    future: Pin<Box<dyn Future<Output = ()> + 'a>>,
    woken: Arc<Woken>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

impl<'a> Strict<'a> {
    /// No futures yet. Timers can be made, and never fire.
    pub(crate) fn new(seed: u64) -> Self {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        Self {
            tasks: Vec::new(),
            rng: Rng::new(seed),
            runtime: builder.enable_time().build().unwrap(),
        }
    }

    /// One more future, to be polled once for a start.
    pub(crate) fn spawn(&mut self, future: impl Future<Output = ()> + 'a) {
        self.tasks.push(Some(Task {
            future: Box::pin(future),
            woken: Arc::new(Woken(AtomicBool::new(true))),
        }));
    }

    /// Runs all to their end.
    pub(crate) fn run(mut self, what: &str) {
        let _context = self.runtime.enter();
        loop {
            let ready: Vec<usize> = (0..self.tasks.len())
                .filter(|n| {
                    let task = self.tasks[*n].as_ref();
                    task.is_some_and(|task| task.woken.0.load(Ordering::Acquire))
                })
                .collect();
            if ready.is_empty() {
                break;
            }
            let slot = &mut self.tasks[*self.rng.pick(&ready)];
            let Some(task) = slot else { continue };
            task.woken.0.store(false, Ordering::Release);
            let waker = Waker::from(task.woken.clone());
            let polled = task.future.as_mut().poll(&mut Context::from_waker(&waker));
            if polled.is_ready() {
                *slot = None;
            }
        }
        let forgotten: Vec<usize> = (0..self.tasks.len())
            .filter(|n| self.tasks[*n].is_some())
            .collect();
        assert!(forgotten.is_empty(), "{what}: forgotten: {forgotten:?}");
    }
}
