//! The chip: its registers, its clock, its interrupt vectors. Sources are the sections of the
//! LM3S6965 data sheet.

use core::ptr;

use cortex_m::peripheral::NVIC;

/// Hertz of the core and of everything that is clocked with it.
pub(crate) const CLOCK_HZ: u32 = 50_000_000;

/// One register of a peripheral.
#[derive(Clone, Copy)]
pub(crate) struct Register(usize);

impl Register {
    /// The register at `address`.
    ///
    /// # Panics
    /// At compile time, in a constant: the address belongs to no peripheral, or to the flash
    /// controller, which could change the program.
    pub(crate) const fn at(address: usize) -> Register {
        assert!(address >= 0x4000_0000 && address < 0x4010_0000 && address.is_multiple_of(4));
        assert!(address & !0xFFF != 0x400F_D000);
        Register(address)
    }

    pub(crate) fn read(self) -> u32 {
        // SAFETY: `at` admits aligned addresses of peripherals only. None of these is memory that
        // Rust knows of, and no peripheral of this chip reads or writes memory by itself.
        unsafe { ptr::read_volatile(self.0 as *const u32) }
    }

    pub(crate) fn write(self, value: u32) {
        // SAFETY: as in `read`.
        unsafe { ptr::write_volatile(self.0 as *mut u32, value) }
    }

    /// Sets bits and leaves the others. No interrupt may write the same register.
    pub(crate) fn set(self, bits: u32) {
        self.write(self.read() | bits);
    }
}

/// The interrupts in use; their numbers are positions in the vector table (section 2.5).
#[derive(Clone, Copy)]
pub(crate) enum Interrupt {
    Timer0A = 19,
    Ethernet = 42,
}

// SAFETY: the numbers are those of the data sheet, each its own.
unsafe impl cortex_m::interrupt::InterruptNumber for Interrupt {
    fn number(self) -> u16 {
        self as u16
    }
}

impl Interrupt {
    /// Lets the interrupt through from now on.
    pub(crate) fn enable(self) {
        // SAFETY: no critical section relies on one interrupt being masked; all of them mask all.
        unsafe { NVIC::unmask(self) }
    }
}

/// Raises the clock from the 12 MHz of the internal oscillator to [`CLOCK_HZ`], by the PLL and the
/// board's 8 MHz crystal, in the order that section 5.3 asks for; and feeds the peripherals.
pub(crate) fn start() {
    const USE_DIVISOR: u32 = 1 << 22;
    const PLL_OFF: u32 = 1 << 13;
    const BYPASS: u32 = 1 << 11;
    const CRYSTAL_8_MHZ: u32 = 0xE << 6;
    // The PLL gives 200 MHz.
    const DIVISOR_4: u32 = 3 << 23;
    const PLL_LOCKED: u32 = 1 << 6;

    RUN_MODE_CLOCK.write(BYPASS | PLL_OFF | CRYSTAL_8_MHZ);
    RUN_MODE_CLOCK.write(BYPASS | CRYSTAL_8_MHZ);
    RUN_MODE_CLOCK.write(BYPASS | CRYSTAL_8_MHZ | DIVISOR_4 | USE_DIVISOR);
    while RAW_INTERRUPTS.read() & PLL_LOCKED == 0 {}
    RUN_MODE_CLOCK.write(CRYSTAL_8_MHZ | DIVISOR_4 | USE_DIVISOR);

    const UART0: u32 = 1 << 0;
    const TIMER0: u32 = 1 << 16;
    const PORT_A: u32 = 1 << 0;
    const ETHERNET_MAC: u32 = 1 << 28;
    const ETHERNET_PHY: u32 = 1 << 30;
    GATES_1.set(UART0 | TIMER0);
    GATES_2.set(PORT_A | ETHERNET_MAC | ETHERNET_PHY);
    // A peripheral answers some cycles after its gate opened; reading the gate takes as long.
    GATES_2.read();
}

/// The address that the board's maker wrote into the two user registers.
pub(crate) fn mac_address() -> [u8; 6] {
    let [a, b, c, _] = USER_0.read().to_le_bytes();
    let [d, e, f, _] = USER_1.read().to_le_bytes();
    [a, b, c, d, e, f]
}

/// Where the core finds the handlers of the chip's 44 interrupts.
#[used]
#[unsafe(no_mangle)]
#[unsafe(link_section = ".vector_table.interrupts")]
static __INTERRUPTS: [extern "C" fn(); 44] = {
    let mut vectors = [unexpected as extern "C" fn(); 44];
    vectors[Interrupt::Timer0A as usize] = crate::time::on_alarm;
    vectors[Interrupt::Ethernet as usize] = crate::ethernet::on_interrupt;
    vectors
};

extern "C" fn unexpected() {
    panic!("an interrupt that nobody enabled");
}

const RAW_INTERRUPTS: Register = Register::at(0x400F_E050);
const RUN_MODE_CLOCK: Register = Register::at(0x400F_E060);
const GATES_1: Register = Register::at(0x400F_E104);
const GATES_2: Register = Register::at(0x400F_E108);
const USER_0: Register = Register::at(0x400F_E1E0);
const USER_1: Register = Register::at(0x400F_E1E4);
