//! Firmware of the LM3S6965 evaluation board (Cortex-M3, 64 KiB of RAM, Ethernet on the chip), which
//! `qemu-system-arm -M lm3s6965evb` emulates.
//!
//! This file wires the parts: clock, Ethernet, network stack, application.
#![no_std]
#![no_main]

mod board;
mod chip;
mod ethernet;
mod executor;
mod fault;
mod seed;
mod time;
mod uart;

use embassy_executor::Spawner;
use embassy_net::{Config, Runner};
use firmware_app::Sockets;
use static_cell::{ConstStaticCell, StaticCell};

use board::Lm3s6965;
use ethernet::{Buffers, Ethernet};
use seed::Seed;

#[cortex_m_rt::entry]
fn main() -> ! {
    let core = cortex_m::Peripherals::take().expect("it is taken here, once");
    chip::start();
    uart::start();
    time::start(core.SYST);
    executor::run(|spawner| spawner.spawn(application(spawner).expect("it is spawned here, once")))
}

/// Brings the network up and hands it to the application.
#[embassy_executor::task]
async fn application(spawner: Spawner) {
    static FRAMES: ConstStaticCell<Buffers> = ConstStaticCell::new(Buffers::new());
    static SOCKETS: StaticCell<Sockets> = StaticCell::new();

    let address = chip::mac_address();
    let mut seed = Seed::new(address);
    let driver = ethernet::start(address, FRAMES.take());
    // Another choice than DHCP is `Config::ipv4_static`.
    let config = Config::dhcpv4(Default::default());
    let sockets = SOCKETS.init(Sockets::new());
    let (stack, runner) = embassy_net::new(driver, config, sockets, seed.next());
    spawner.spawn(network(runner).expect("it is spawned here, once"));

    stack.wait_config_up().await;
    if let Some(config) = stack.config_v4() {
        // The address' own `Display` pads, and is 600 bytes of flash.
        let [a, b, c, d] = config.address.address().octets();
        uart::line(format_args!("listening on http://{a}.{b}.{c}.{d}/"));
    }
    spawn(spawner, stack, firmware_app::room(Lm3s6965::new(seed)));
}

firmware_app::tasks!(Lm3s6965);

/// Moves packets between the driver and the sockets.
#[embassy_executor::task]
async fn network(mut runner: Runner<'static, Ethernet>) -> ! {
    runner.run().await
}
