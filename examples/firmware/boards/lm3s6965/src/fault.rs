//! The end of a program that failed: one line on the UART, then an exit or a reset.

use core::panic::PanicInfo;

use cortex_m_rt::ExceptionFrame;

use crate::uart;

#[panic_handler]
fn on_panic(info: &PanicInfo) -> ! {
    cortex_m::interrupt::disable();
    match info.location() {
        Some(place) => uart::line(format_args!("panicked at {place}: {}", info.message())),
        None => uart::line(format_args!(
            "panicked at an unknown place: {}",
            info.message()
        )),
    }
    uart::flush();
    end()
}

// SAFETY: it does not return, so that what the fault left behind is not used again.
#[cortex_m_rt::exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    panic!("hard fault at {:#010x}", frame.pc());
}

/// Ends the emulator with a failure status.
#[cfg(feature = "semihosting")]
fn end() -> ! {
    cortex_m_semihosting::debug::exit(cortex_m_semihosting::debug::EXIT_FAILURE);
    cortex_m::peripheral::SCB::sys_reset()
}

/// Starts again.
#[cfg(not(feature = "semihosting"))]
fn end() -> ! {
    cortex_m::peripheral::SCB::sys_reset()
}
