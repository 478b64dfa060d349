//! What the board has to say: lines of text on UART 0, 115,200 baud, 8N1.

use core::fmt::{self, Write};

use crate::chip::{CLOCK_HZ, Register};

/// Switches pins and transmitter on.
pub(crate) fn start() {
    const PINS_0_AND_1: u32 = 0b11;
    PORT_A_ALTERNATE.set(PINS_0_AND_1);
    PORT_A_DIGITAL.set(PINS_0_AND_1);

    // In 64ths of the divisor, rounded (section 12.2.2).
    const DIVISOR: u32 = (CLOCK_HZ * 4 + BAUD / 2) / BAUD;
    BAUD_INTEGER.write(DIVISOR / 64);
    BAUD_FRACTION.write(DIVISOR % 64);
    LINE_CONTROL.write(EIGHT_BITS | FIFO);
    CONTROL.write(TRANSMIT | ENABLE);
}

/// Writes one line and waits until all of it is in the transmitter's queue: 87 us for each byte
/// that has no room, so this is for few and short lines.
pub(crate) fn line(text: fmt::Arguments) {
    // The writer below cannot fail.
    let _ = writeln!(Bytes, "{text}");
}

/// Waits until the last bit has left.
pub(crate) fn flush() {
    while FLAGS.read() & BUSY != 0 {}
}

struct Bytes;

impl Write for Bytes {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            while FLAGS.read() & FULL != 0 {}
            DATA.write(u32::from(byte));
        }
        Ok(())
    }
}

const BAUD: u32 = 115_200;

// Sections 8 and 12 of the data sheet.
const PORT_A_ALTERNATE: Register = Register::at(0x4000_4420);
const PORT_A_DIGITAL: Register = Register::at(0x4000_451C);
const DATA: Register = Register::at(0x4000_C000);
const FLAGS: Register = Register::at(0x4000_C018);
const BAUD_INTEGER: Register = Register::at(0x4000_C024);
const BAUD_FRACTION: Register = Register::at(0x4000_C028);
const LINE_CONTROL: Register = Register::at(0x4000_C02C);
const CONTROL: Register = Register::at(0x4000_C030);
const BUSY: u32 = 1 << 3;
const FULL: u32 = 1 << 5;
const FIFO: u32 = 1 << 4;
const EIGHT_BITS: u32 = 0b11 << 5;
const ENABLE: u32 = 1;
const TRANSMIT: u32 = 1 << 8;
