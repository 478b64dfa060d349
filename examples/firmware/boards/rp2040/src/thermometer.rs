//! The sensor of temperature inside the chip.

use embassy_rp::Peri;
use embassy_rp::adc::{Adc, Blocking, Channel, Config, Error};
use embassy_rp::peripherals::{ADC, ADC_TEMP_SENSOR};

/// The sensor inside the chip.
pub struct Thermometer {
    adc: Adc<'static, Blocking>,
    sensor: Channel<'static>,
}

impl Thermometer {
    /// Switches the converter and the sensor on.
    pub fn new(adc: Peri<'static, ADC>, sensor: Peri<'static, ADC_TEMP_SENSOR>) -> Thermometer {
        Thermometer {
            adc: Adc::new_blocking(adc, Config::default()),
            sensor: Channel::new_temp_sensor(sensor),
        }
    }

    /// Thousandths of a degree Celsius, read in 2 us. The reference voltage decides how good it is:
    /// 1 % of it is 4 degrees (data sheet of the RP2040, section 4.9.5).
    ///
    /// # Errors
    /// The converter reports a failed reading.
    pub fn millidegrees(&mut self) -> Result<i32, Error> {
        let reading = self.adc.blocking_read(&mut self.sensor)?;
        // 3.3 V are 4096: 12 bits, so that the product fits.
        let microvolts = i32::from(reading) * (3_300_000 / 32) / (4096 / 32);
        // 0.706 V at 27 degrees, 1.721 mV less for each more; 581 / 1000 is 1 / 1.721.
        Ok(27_000 - (microvolts - 706_000) * 581 / 1000)
    }
}
