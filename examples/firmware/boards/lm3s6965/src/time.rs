//! embassy-time on two timers: SysTick is the clock and Timer 0 the alarm.
//!
//! A tick is a cycle of the core, so that reading the clock divides nothing. SysTick runs freely and
//! is never set again, so that it loses nothing. It interrupts when its 24 bits wrap, three times a
//! second; Timer 0 interrupts when the next task is due, and not at all when none is.

use core::cell::{Cell, RefCell};
use core::task::Waker;

use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::peripheral::{SCB, SYST};
use critical_section::{CriticalSection, Mutex};
use embassy_time_driver::Driver;
use embassy_time_queue_utils::Queue;

use crate::chip::{CLOCK_HZ, Interrupt, Register};

embassy_time_driver::time_driver_impl!(static CLOCK: Clock = Clock {
    wraps: Mutex::new(Cell::new(0)),
    queue: Mutex::new(RefCell::new(Queue::new())),
});

struct Clock {
    /// How often SysTick wrapped, as far as its handler ran.
    wraps: Mutex<Cell<u64>>,
    /// Who waits for when.
    queue: Mutex<RefCell<Queue>>,
}

/// Starts clock and alarm. The time before is 0.
pub(crate) fn start(mut systick: SYST) {
    const { assert!(embassy_time_driver::TICK_HZ == CLOCK_HZ as u64) }
    systick.set_clock_source(SystClkSource::Core);
    systick.set_reload(PERIOD as u32 - 1);
    systick.clear_current();
    systick.enable_interrupt();
    systick.enable_counter();

    CONTROL.write(0);
    CONFIGURATION.write(ONE_OF_32_BITS);
    MODE_A.write(ONE_SHOT);
    INTERRUPT_MASK.write(TIME_OUT_A);
    Interrupt::Timer0A.enable();
}

impl Driver for Clock {
    fn now(&self) -> u64 {
        critical_section::with(|cs| self.read(cs))
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        critical_section::with(|cs| {
            if self.queue.borrow_ref_mut(cs).schedule_wake(at, waker) {
                self.wake_due(cs);
            }
        });
    }
}

impl Clock {
    /// The clock counts down. At 0 it is about to wrap, or to tell that it did: then, and when it
    /// wrapped between two looks, we look again. In a critical section its handler cannot run.
    fn read(&self, cs: CriticalSection) -> u64 {
        loop {
            let wrapped = SCB::is_pendst_pending();
            let left = u64::from(SYST::get_current());
            if left != 0 && wrapped == SCB::is_pendst_pending() {
                let wraps = self.wraps.borrow(cs).get() + u64::from(wrapped);
                return wraps * PERIOD + (PERIOD - left);
            }
        }
    }

    /// Wakes whose time has come, and sets the alarm to the next one.
    fn wake_due(&self, cs: CriticalSection) {
        let now = self.read(cs);
        let next = self.queue.borrow_ref_mut(cs).next_expiration(now);
        CONTROL.write(0);
        if next != u64::MAX {
            // What is further away than 85 s takes two alarms; what is due, one at once.
            let ticks = next.saturating_sub(now).clamp(1, u64::from(u32::MAX));
            LOAD_A.write(ticks as u32);
            CONTROL.write(ENABLE_A);
        }
    }
}

#[cortex_m_rt::exception]
fn SysTick() {
    critical_section::with(|cs| {
        let wraps = CLOCK.wraps.borrow(cs);
        wraps.set(wraps.get() + 1);
    });
}

/// Handles the interrupt of Timer 0.
pub(crate) extern "C" fn on_alarm() {
    INTERRUPT_CLEAR.write(TIME_OUT_A);
    critical_section::with(|cs| CLOCK.wake_due(cs));
}

/// Ticks until SysTick wraps.
const PERIOD: u64 = 1 << 24;

// Section 10 of the data sheet.
const CONFIGURATION: Register = Register::at(0x4003_0000);
const MODE_A: Register = Register::at(0x4003_0004);
const CONTROL: Register = Register::at(0x4003_000C);
const INTERRUPT_MASK: Register = Register::at(0x4003_0018);
const INTERRUPT_CLEAR: Register = Register::at(0x4003_0024);
const LOAD_A: Register = Register::at(0x4003_0028);
const ONE_OF_32_BITS: u32 = 0;
const ONE_SHOT: u32 = 1;
const ENABLE_A: u32 = 1;
const TIME_OUT_A: u32 = 1;
