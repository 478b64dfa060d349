//! Firmware of the W5500-EVB-Pico: an RP2040 (Cortex-M0+, 264 KiB of RAM) with a W5500 for Ethernet.
//!
//! This file wires the parts: chip, Ethernet, network stack, application.
#![no_std]
#![no_main]

mod address;
mod echo;
mod ethernet;

use board_rp2040::{Thermometer, uart};
use embassy_executor::Spawner;
use embassy_net::{Config, Runner, StackResources};
use embassy_net_wiznet::Device;
use embassy_rp::clocks::RoscRng;
use static_cell::{ConstStaticCell, StaticCell};

/// Brings the network up and hands it to the application.
#[embassy_executor::main]
async fn main(spawner: Spawner) -> ! {
    static SOCKETS: StaticCell<StackResources<{ echo::SOCKETS + DHCP }>> = StaticCell::new();
    static APPLICATION: ConstStaticCell<echo::Resources> =
        ConstStaticCell::new(echo::Resources::new());

    let pins = embassy_rp::init(Default::default());
    uart::start(pins.UART0, pins.PIN_0);
    let mut thermometer = Thermometer::new(pins.ADC, pins.ADC_TEMP_SENSOR);
    let address = address::mac_address(pins.FLASH).expect("this is the first core");
    let wires = ethernet::Wires {
        spi: pins.SPI0,
        transmit: pins.DMA_CH0,
        receive: pins.DMA_CH1,
        miso: pins.PIN_16,
        select: pins.PIN_17,
        clock: pins.PIN_18,
        mosi: pins.PIN_19,
        reset: pins.PIN_20,
        interrupt: pins.PIN_21,
    };
    let (device, driver) = ethernet::start(address, wires).await;
    spawner.spawn(frames(driver).expect("it is spawned here, once"));

    // Another choice than DHCP is `Config::ipv4_static`.
    let config = Config::dhcpv4(Default::default());
    let sockets = SOCKETS.init(StackResources::new());
    let (stack, runner) = embassy_net::new(device, config, sockets, RoscRng.next_u64());
    spawner.spawn(network(runner).expect("it is spawned here, once"));

    stack.wait_config_up().await;
    if let Ok(temperature) = thermometer.millidegrees() {
        uart::line(format_args!("{} degrees", temperature / 1000));
    }
    if let Some(config) = stack.config_v4() {
        let ip = config.address.address();
        uart::line(format_args!("listening on ws://{ip}:{}/", echo::PORT));
    }
    echo::run(stack, APPLICATION.take()).await
}

/// Moves frames between the W5500 and the network stack.
#[embassy_executor::task]
async fn frames(driver: ethernet::Driver) -> ! {
    driver.run().await
}

/// Moves packets between the network stack and the sockets.
#[embassy_executor::task]
async fn network(mut runner: Runner<'static, Device<'static>>) -> ! {
    runner.run().await
}

/// The socket that DHCP takes.
const DHCP: usize = 1;
