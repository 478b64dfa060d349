//! The end of a program that failed: one line on the UART, then a reset of the whole chip.

use core::panic::PanicInfo;

use cortex_m_rt::ExceptionFrame;
use embassy_rp::peripherals::WATCHDOG;
use embassy_rp::watchdog::Watchdog;

use crate::uart;

#[panic_handler]
fn on_panic(info: &PanicInfo) -> ! {
    cortex_m::interrupt::disable();
    match info.location() {
        Some(place) => uart::last_line(format_args!("panicked at {place}: {}", info.message())),
        None => uart::last_line(format_args!(
            "panicked at an unknown place: {}",
            info.message()
        )),
    }
    // SAFETY: nothing else runs any more.
    let watchdog = unsafe { WATCHDOG::steal() };
    Watchdog::new(watchdog).trigger_reset();
    loop {
        cortex_m::asm::nop();
    }
}

// SAFETY: it does not return, so that what the fault left behind is not used again.
#[cortex_m_rt::exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    panic!("hard fault at {:#010x}", frame.pc());
}
