//! What the board has to say: lines of text on UART 0 (GP0), 115,200 baud, 8N1.

use core::cell::RefCell;
use core::fmt::{self, Write};

use embassy_rp::Peri;
use embassy_rp::peripherals::{PIN_0, UART0};
use embassy_rp::uart::{Blocking, Config, UartTx};
use embassy_sync::blocking_mutex::ThreadModeMutex;

/// Switches pin and transmitter on.
pub fn start(uart: Peri<'static, UART0>, pin: Peri<'static, PIN_0>) {
    let uart = UartTx::new_blocking(uart, pin, Config::default());
    UART.lock(|cell| cell.replace(Some(uart)));
}

/// Writes one line and waits until all of it is in the transmitter's queue: 87 us for each byte that
/// has no room, so this is for few and short lines. For tasks, not for interrupts.
pub fn line(text: fmt::Arguments) {
    UART.lock(|cell| {
        if let Some(uart) = cell.borrow_mut().as_mut() {
            // The writer below cannot fail.
            let _ = writeln!(Bytes(uart), "{text}");
        }
    });
}

/// Writes the last line there is, whoever may be using the UART.
pub(crate) fn last_line(text: fmt::Arguments) {
    // SAFETY: nothing else runs any more, and what it left in the transmitter is not read again.
    let (uart, pin) = unsafe { (UART0::steal(), PIN_0::steal()) };
    let mut uart = UartTx::new_blocking(uart, pin, Config::default());
    // The writer below cannot fail.
    let _ = writeln!(Bytes(&mut uart), "{text}");
    let _ = uart.blocking_flush();
}

struct Bytes<'a>(&'a mut UartTx<'static, Blocking>);

impl Write for Bytes<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0
            .blocking_write(text.as_bytes())
            .map_err(|_| fmt::Error)
    }
}

static UART: ThreadModeMutex<RefCell<Option<UartTx<'static, Blocking>>>> =
    ThreadModeMutex::new(RefCell::new(None));
