//! Firmware of the Raspberry Pi Pico W: an RP2040 (Cortex-M0+, 264 KiB of RAM) with a CYW43439 for WiFi.
//!
//! This file wires the parts: chip, radio, network stack, application.
#![no_std]
#![no_main]

mod radio;

use board_rp2040::{Rp2040, Thermometer, uart};
use cyw43::{Control, NetDriver};
use embassy_executor::Spawner;
use embassy_net::{Config, Runner, Stack};
use embassy_rp::clocks::RoscRng;
use firmware_app::Sockets;
use static_cell::StaticCell;

/// Brings the network up and hands it to the application.
#[embassy_executor::main]
async fn main(spawner: Spawner) {
    static SOCKETS: StaticCell<Sockets> = StaticCell::new();

    let pins = embassy_rp::init(Default::default());
    uart::start(pins.UART0, pins.PIN_0);
    if let Some(what) = radio::missing() {
        uart::line(format_args!("stops: this program was built without {what}"));
        core::future::pending::<()>().await;
    }
    let thermometer = Thermometer::new(pins.ADC, pins.ADC_TEMP_SENSOR);
    let wires = radio::Wires {
        block: pins.PIO0,
        channel: pins.DMA_CH0,
        power: pins.PIN_23,
        data: pins.PIN_24,
        select: pins.PIN_25,
        clock: pins.PIN_29,
    };
    let (device, control, driver) = radio::start(wires).await;
    spawner.spawn(frames(driver).expect("it is spawned here, once"));

    // Another choice than DHCP is `Config::ipv4_static`.
    let config = Config::dhcpv4(Default::default());
    let sockets = SOCKETS.init(Sockets::new());
    let (stack, runner) = embassy_net::new(device, config, sockets, RoscRng.next_u64());
    spawner.spawn(network(runner).expect("it is spawned here, once"));
    spawner.spawn(join(control, stack).expect("it is spawned here, once"));

    stack.wait_config_up().await;
    if let Some(config) = stack.config_v4() {
        let ip = config.address.address();
        uart::line(format_args!("listening on http://{ip}/"));
    }
    let board = Rp2040::new("rp2040-picow", thermometer);
    spawn(spawner, stack, firmware_app::room(board));
}

firmware_app::tasks!(Rp2040);

/// Moves frames between the radio and the network stack.
#[embassy_executor::task]
async fn frames(driver: radio::Driver) -> ! {
    driver.run().await
}

/// Keeps the radio on its network.
#[embassy_executor::task]
async fn join(control: Control<'static>, stack: Stack<'static>) -> ! {
    radio::stay_joined(control, stack).await
}

/// Moves packets between the network stack and the sockets.
#[embassy_executor::task]
async fn network(mut runner: Runner<'static, NetDriver<'static>>) -> ! {
    runner.run().await
}
