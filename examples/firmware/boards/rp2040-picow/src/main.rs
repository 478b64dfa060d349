//! Firmware of the Raspberry Pi Pico W: an RP2040 (Cortex-M0+, 264 KiB of RAM) with a CYW43439 for WiFi.
//!
//! This file wires the parts: chip, radio, network stack, application.
#![no_std]
#![no_main]

mod echo;
mod radio;

use board_rp2040::{Thermometer, uart};
use cyw43::{Control, NetDriver};
use embassy_executor::Spawner;
use embassy_net::{Config, Runner, Stack, StackResources};
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
    if let Some(what) = radio::missing() {
        uart::line(format_args!("stops: this program was built without {what}"));
        core::future::pending::<()>().await;
    }
    let mut thermometer = Thermometer::new(pins.ADC, pins.ADC_TEMP_SENSOR);
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
    let sockets = SOCKETS.init(StackResources::new());
    let (stack, runner) = embassy_net::new(device, config, sockets, RoscRng.next_u64());
    spawner.spawn(network(runner).expect("it is spawned here, once"));
    spawner.spawn(join(control, stack).expect("it is spawned here, once"));

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

/// The socket that DHCP takes.
const DHCP: usize = 1;
