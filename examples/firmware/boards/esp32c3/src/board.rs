//! What this board tells of itself.

use esp_hal::peripherals::TSENS;
use esp_hal::rng::Rng;
use esp_hal::tsens::{Config, TemperatureSensor};
use firmware_app::Board;

/// The board, as the application sees it.
pub(crate) struct Esp32c3 {
    sensor: Option<TemperatureSensor<'static>>,
}

impl Esp32c3 {
    pub(crate) fn new(sensor: TSENS<'static>) -> Esp32c3 {
        Esp32c3 {
            sensor: TemperatureSensor::new(sensor, Config::default()).ok(),
        }
    }
}

impl Board for Esp32c3 {
    fn name(&self) -> &'static str {
        "esp32c3"
    }

    /// From noise, as the radio is on.
    fn random(&mut self) -> [u8; 4] {
        Rng::new().random().to_le_bytes()
    }

    fn temperature(&mut self) -> Option<i16> {
        let celsius = self.sensor.as_ref()?.get_temperature().to_celsius();
        // Rust rounds towards zero and stops at the ends: the sensor is good to a degree.
        Some((celsius * 10.0) as i16)
    }

    fn stack_free(&self) -> Option<usize> {
        None
    }
}
