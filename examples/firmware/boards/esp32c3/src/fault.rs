//! The end of a program that failed: one line, then a reset of the whole chip.

use core::panic::PanicInfo;

use esp_println::println;

#[panic_handler]
fn on_panic(info: &PanicInfo) -> ! {
    match info.location() {
        Some(place) => println!("panicked at {place}: {}", info.message()),
        None => println!("panicked at an unknown place: {}", info.message()),
    }
    esp_hal::system::software_reset()
}
