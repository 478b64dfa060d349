//! What this board tells of itself.

use core::ptr;

use firmware_app::Board;

use crate::seed::Seed;

/// The board, as the application sees it.
pub(crate) struct Lm3s6965 {
    seed: Seed,
}

impl Lm3s6965 {
    pub(crate) const fn new(seed: Seed) -> Lm3s6965 {
        Lm3s6965 { seed }
    }
}

impl Board for Lm3s6965 {
    const NAME: &'static str = "lm3s6965";

    fn random(&mut self) -> [u8; 4] {
        (self.seed.next() as u32).to_le_bytes()
    }

    /// The sensor on the chip cannot be read in the emulator.
    fn temperature(&mut self) -> Option<i16> {
        None
    }

    fn stack_free(&self) -> Option<usize> {
        unsafe extern "C" {
            static _stack_end: u32;
            static _stack_start: u32;
        }
        let end = ptr::addr_of!(_stack_end) as usize;
        let start = ptr::addr_of!(_stack_start) as usize;
        let mut address = end;
        // SAFETY: the words between the two symbols of the linker script are the stack. They are
        // read one at a time, and never more than were painted before `main` and not written since.
        while address < start && unsafe { ptr::read_volatile(address as *const u32) } == PAINT {
            address += size_of::<u32>();
        }
        Some(address - end)
    }
}

/// What cortex-m-rt paints the stack with (its feature `paint-stack`).
const PAINT: u32 = 0xcccc_cccc;
