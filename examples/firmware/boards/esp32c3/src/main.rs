//! Firmware of boards with an ESP32-C3 (RISC-V, 400 KiB of RAM, WiFi on the chip).
//!
//! This file wires the parts: chip, radio, network stack, application.
#![no_std]
#![no_main]

mod echo;
mod fault;
mod radio;

use embassy_executor::Spawner;
use embassy_net::{Config, Runner, StackResources};
use esp_hal::clock::CpuClock;
use esp_hal::ram;
use esp_hal::rng::Rng;
use esp_hal::timer::timg::TimerGroup;
use esp_hal::tsens::{self, TemperatureSensor};
use esp_println::println;
use esp_radio::wifi::{Interface, WifiController};
use static_cell::{ConstStaticCell, StaticCell};

esp_bootloader_esp_idf::esp_app_desc!();

/// Brings the network up and hands it to the application.
#[esp_rtos::main]
async fn main(spawner: Spawner) -> ! {
    static SOCKETS: StaticCell<StackResources<{ echo::SOCKETS + DHCP }>> = StaticCell::new();
    static APPLICATION: ConstStaticCell<echo::Resources> =
        ConstStaticCell::new(echo::Resources::new());

    let clocks = esp_hal::Config::default().with_cpu_clock(CpuClock::max());
    let chip = esp_hal::init(clocks);
    if let Some(what) = radio::missing() {
        println!("stops: this program was built without {what}");
        core::future::pending::<()>().await;
    }
    // For the radio's driver alone. The first piece is memory that the boot loader has left.
    esp_alloc::heap_allocator!(#[ram(reclaimed)] size: RECLAIMED);
    esp_alloc::heap_allocator!(size: STATIC);
    esp_rtos::start(TimerGroup::new(chip.TIMG0).timer0, chip.FROM_CPU_INTR0);

    let (device, controller) = radio::start(chip.WIFI).expect("WiFi starts");
    spawner.spawn(join(controller).expect("it is spawned here, once"));

    // Another choice than DHCP is `Config::ipv4_static`.
    let config = Config::dhcpv4(Default::default());
    let sockets = SOCKETS.init(StackResources::new());
    let (stack, runner) = embassy_net::new(device, config, sockets, seed());
    spawner.spawn(network(runner).expect("it is spawned here, once"));

    stack.wait_config_up().await;
    if let Ok(sensor) = TemperatureSensor::new(chip.TSENS, tsens::Config::default()) {
        println!("{} degrees", sensor.get_temperature().to_celsius() as i32);
    }
    if let Some(config) = stack.config_v4() {
        let ip = config.address.address();
        println!("listening on ws://{ip}:{}/", echo::PORT);
    }
    echo::run(stack, APPLICATION.take()).await
}

/// Keeps the radio on its network.
#[embassy_executor::task]
async fn join(controller: WifiController<'static>) -> ! {
    radio::stay_joined(controller).await
}

/// Moves packets between the radio and the sockets.
#[embassy_executor::task]
async fn network(mut runner: Runner<'static, Interface>) -> ! {
    runner.run().await
}

/// From noise, as the radio is on.
fn seed() -> u64 {
    let random = Rng::new();
    u64::from(random.random()) << 32 | u64::from(random.random())
}

/// The socket that DHCP takes.
const DHCP: usize = 1;

/// Bytes of the heap: the radio's documentation measured 47 to 57 KiB in use.
const RECLAIMED: usize = 64 * 1024;
const STATIC: usize = 36 * 1024;
