//! Who this board is.

use embassy_rp::Peri;
use embassy_rp::flash::{Error, Flash};
use embassy_rp::peripherals::FLASH;

/// An Ethernet address for this board. It has none of its own, so this is a locally administered
/// one from the number that the maker of the flash gave to it.
///
/// # Errors
/// The second core called this.
pub(crate) fn mac_address(flash: Peri<'static, FLASH>) -> Result<[u8; 6], Error> {
    let mut id = [0; 8];
    Flash::<_, _, FLASH_SIZE>::new_blocking(flash).blocking_unique_id(&mut id)?;
    let [_, _, _, a, b, c, d, e] = id;
    const LOCALLY_ADMINISTERED: u8 = 0x02;
    Ok([LOCALLY_ADMINISTERED, a, b, c, d, e])
}

/// Bytes of flash.
const FLASH_SIZE: usize = 2 * 1024 * 1024;
