//! Firmware of the W5500-EVB-Pico: an RP2040 (Cortex-M0+, 264 KiB of RAM) with a W5500 for Ethernet.
//!
//! This file wires the parts: chip, Ethernet, network stack, application.
#![no_std]
#![no_main]

mod address;
mod ethernet;

use board_rp2040::{Rp2040, Thermometer, uart};
use embassy_executor::Spawner;
use embassy_net::{Config, Runner};
use embassy_net_wiznet::Device;
use embassy_rp::clocks::RoscRng;
use firmware_app::Sockets;
use static_cell::StaticCell;

/// Brings the network up and hands it to the application.
#[embassy_executor::main]
async fn main(spawner: Spawner) {
    static SOCKETS: StaticCell<Sockets> = StaticCell::new();

    let pins = embassy_rp::init(Default::default());
    uart::start(pins.UART0, pins.PIN_0);
    let thermometer = Thermometer::new(pins.ADC, pins.ADC_TEMP_SENSOR);
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
    let sockets = SOCKETS.init(Sockets::new());
    let (stack, runner) = embassy_net::new(device, config, sockets, RoscRng.next_u64());
    spawner.spawn(network(runner).expect("it is spawned here, once"));

    stack.wait_config_up().await;
    if let Some(config) = stack.config_v4() {
        let ip = config.address.address();
        uart::line(format_args!("listening on http://{ip}/"));
    }
    let board = Rp2040::new("rp2040-w5500", thermometer);
    spawn(spawner, stack, firmware_app::room(board));
}

firmware_app::tasks!(Rp2040);

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
