//! The end of a program that failed: one line on the UART, then an exit or a reset.

use core::panic::PanicInfo;

use cortex_m_rt::ExceptionFrame;

use crate::uart;

#[panic_handler]
fn on_panic(info: &PanicInfo) -> ! {
    cortex_m::interrupt::disable();
    // The place is enough to find the fault, and the messages would be a tenth of the flash.
    if let Some(place) = info.location() {
        uart::line(format_args!("panicked at {place}"));
    }
    uart::flush();
    end()
}

// SAFETY: it does not return, so that what the fault left behind is not used again.
#[cortex_m_rt::exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    uart::line(format_args!("hard fault at {:#010x}", frame.pc()));
    uart::flush();
    end()
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
