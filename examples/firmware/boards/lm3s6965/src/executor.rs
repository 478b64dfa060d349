//! Runs tasks, and sleeps by WFI when none can run.
//!
//! embassy-executor's own loop sleeps by WFE. QEMU takes that for a mere hint and comes back at
//! once, so that an idle board would keep a core of its host busy.

use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};

use embassy_executor::{Spawner, raw};
use static_cell::StaticCell;

/// Runs what `start` spawns, and what that spawns, for ever.
pub(crate) fn run(start: impl FnOnce(Spawner)) -> ! {
    static EXECUTOR: StaticCell<raw::Executor> = StaticCell::new();
    let executor = EXECUTOR.init(raw::Executor::new(ptr::null_mut()));
    start(executor.spawner());
    loop {
        // SAFETY: this is the only call, and no task can reach it.
        unsafe { executor.poll() };
        // A wake between the look and the sleep is not lost: with interrupts off WFI still ends as
        // soon as one is pending, and its handler runs when they are on again.
        cortex_m::interrupt::free(|_| {
            if !WOKEN.swap(false, Ordering::Relaxed) {
                cortex_m::asm::wfi();
            }
        });
    }
}

/// A task was woken since the last look.
static WOKEN: AtomicBool = AtomicBool::new(false);

/// The executor calls this when a task was woken.
#[unsafe(export_name = "__pender")]
fn pender(_: *mut ()) {
    WOKEN.store(true, Ordering::Relaxed);
}
