//! The CYW43439 of the Pico W, on a programmable I/O block.

use board_rp2040::uart;
use cyw43::{
    Aligned, Control, JoinOptions, NetDriver, PowerManagementMode, Runner, SpiBus, State,
    aligned_bytes,
};
use cyw43_pio::{DEFAULT_CLOCK_DIVIDER, PioSpi};
use embassy_net::Stack;
use embassy_rp::gpio::{Level, Output};
use embassy_rp::peripherals::{DMA_CH0, PIN_23, PIN_24, PIN_25, PIN_29, PIO0};
use embassy_rp::pio::{self, Pio};
use embassy_rp::{Peri, bind_interrupts, dma};
use embassy_time::Timer;
use static_cell::StaticCell;

/// What the wires of the radio are on.
pub(crate) struct Wires {
    pub(crate) block: Peri<'static, PIO0>,
    pub(crate) channel: Peri<'static, DMA_CH0>,
    pub(crate) power: Peri<'static, PIN_23>,
    pub(crate) data: Peri<'static, PIN_24>,
    pub(crate) select: Peri<'static, PIN_25>,
    pub(crate) clock: Peri<'static, PIN_29>,
}

/// What moves frames between the radio and the network stack; it has to run all the time.
pub(crate) type Driver = Runner<'static, SpiBus<Output<'static>, PioSpi<'static, PIO0, 0>>>;

/// What is missing in this build, if anything.
pub(crate) fn missing() -> Option<&'static str> {
    // The compiler must not know: a build without the files is to contain all of the program.
    if core::hint::black_box(FIRMWARE.len()) == 0 {
        Some("the radio's firmware (CYW43_FIRMWARE)")
    } else if core::hint::black_box(NAME.len()) == 0 {
        Some("the network's name (WIFI_NAME)")
    } else {
        None
    }
}

/// Gives the radio its firmware. Call it once.
pub(crate) async fn start(wires: Wires) -> (NetDriver<'static>, Control<'static>, Driver) {
    static STATE: StaticCell<State> = StaticCell::new();

    let mut pio = Pio::new(wires.block, Interrupts);
    let bus = PioSpi::new(
        &mut pio.common,
        pio.sm0,
        // 31.25 MHz; the radio takes 50.
        DEFAULT_CLOCK_DIVIDER,
        pio.irq0,
        Output::new(wires.select, Level::High),
        wires.data,
        wires.clock,
        dma::Channel::new(wires.channel, Interrupts),
    );
    let power = Output::new(wires.power, Level::Low);
    cyw43::new(STATE.init_with(State::new), power, bus, FIRMWARE, SETTINGS).await
}

/// Joins the network, and joins again whenever it is lost. The driver must run already.
pub(crate) async fn stay_joined(mut control: Control<'static>, stack: Stack<'static>) -> ! {
    control.init(COUNTRIES).await;
    // The radio sleeps between beacons otherwise, which costs up to 100 ms for each answer.
    control
        .set_power_management(PowerManagementMode::None)
        .await;
    let options = || match PASSWORD {
        "" => JoinOptions::new_open(),
        password => JoinOptions::new(password.as_bytes()),
    };
    loop {
        match control.join(NAME, options()).await {
            Ok(()) => {
                stack.wait_link_up().await;
                stack.wait_link_down().await;
            }
            Err(error) => uart::line(format_args!("cannot join {NAME}: {error:?}")),
        }
        Timer::after_millis(PAUSE).await;
    }
}

bind_interrupts!(struct Interrupts {
    PIO0_IRQ_0 => pio::InterruptHandler<PIO0>;
    DMA_IRQ_0 => dma::InterruptHandler<DMA_CH0>;
});

/// The radio's program, the limits that each country sets, and the settings of this board.
static FIRMWARE: &Aligned<cyw43::A4, [u8]> =
    aligned_bytes!(concat!(env!("OUT_DIR"), "/43439A0.bin"));
static COUNTRIES: &Aligned<cyw43::A4, [u8]> =
    aligned_bytes!(concat!(env!("OUT_DIR"), "/43439A0_clm.bin"));
static SETTINGS: &Aligned<cyw43::A4, [u8]> =
    aligned_bytes!(concat!(env!("OUT_DIR"), "/nvram_rp2040.bin"));

/// The network's name, and its password; none if it is open.
const NAME: &str = match option_env!("WIFI_NAME") {
    Some(name) => name,
    None => "",
};
const PASSWORD: &str = match option_env!("WIFI_PASSWORD") {
    Some(password) => password,
    None => "",
};

/// Milliseconds between two attempts to join.
const PAUSE: u64 = 1000;
