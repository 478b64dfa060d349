//! What a board with an RP2040 tells of itself.

use embassy_rp::clocks::RoscRng;
use firmware_app::Board;

use crate::Thermometer;

/// The board, as the application sees it.
pub struct Rp2040 {
    name: &'static str,
    thermometer: Thermometer,
}

impl Rp2040 {
    /// A board of this name.
    pub const fn new(name: &'static str, thermometer: Thermometer) -> Rp2040 {
        Rp2040 { name, thermometer }
    }
}

impl Board for Rp2040 {
    fn name(&self) -> &'static str {
        self.name
    }

    fn random(&mut self) -> [u8; 4] {
        RoscRng.next_u32().to_le_bytes()
    }

    fn temperature(&mut self) -> Option<i16> {
        let millidegrees = self.thermometer.millidegrees().ok()?;
        i16::try_from(millidegrees / 100).ok()
    }

    fn stack_free(&self) -> Option<usize> {
        None
    }
}
