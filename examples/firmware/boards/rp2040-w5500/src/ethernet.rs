//! The W5500 on SPI 0, wired as on the W5500-EVB-Pico.

use embassy_net_wiznet::chip::W5500;
use embassy_net_wiznet::{Device, Runner, State};
use embassy_rp::gpio::{Input, Level, Output, Pull};
use embassy_rp::peripherals::{
    DMA_CH0, DMA_CH1, PIN_16, PIN_17, PIN_18, PIN_19, PIN_20, PIN_21, SPI0,
};
use embassy_rp::spi::{Async, Config, Spi};
use embassy_rp::{Peri, bind_interrupts, dma};
use embassy_time::Delay;
use embedded_hal_bus::spi::ExclusiveDevice;
use static_cell::ConstStaticCell;

/// What the wires of the W5500 are on.
pub(crate) struct Wires {
    pub(crate) spi: Peri<'static, SPI0>,
    pub(crate) transmit: Peri<'static, DMA_CH0>,
    pub(crate) receive: Peri<'static, DMA_CH1>,
    pub(crate) miso: Peri<'static, PIN_16>,
    pub(crate) select: Peri<'static, PIN_17>,
    pub(crate) clock: Peri<'static, PIN_18>,
    pub(crate) mosi: Peri<'static, PIN_19>,
    pub(crate) reset: Peri<'static, PIN_20>,
    pub(crate) interrupt: Peri<'static, PIN_21>,
}

/// What moves frames between the chip and the network stack; it has to run all the time.
pub(crate) type Driver = Runner<'static, W5500, Bus, Input<'static>, Output<'static>>;

type Bus = ExclusiveDevice<Spi<'static, SPI0, Async>, Output<'static>, Delay>;

/// Resets the W5500 and makes it pass whole Ethernet frames. Takes 100 ms. Call it once.
///
/// # Panics
/// No W5500 answers: a reset is the way to try again.
pub(crate) async fn start(address: [u8; 6], wires: Wires) -> (Device<'static>, Driver) {
    static FRAMES: ConstStaticCell<State<RECEIVED, SENT>> = ConstStaticCell::new(State::new());

    let mut config = Config::default();
    config.frequency = CLOCK_HZ;
    let spi = Spi::new(
        wires.spi,
        wires.clock,
        wires.mosi,
        wires.miso,
        wires.transmit,
        wires.receive,
        Interrupts,
        config,
    );
    let select = Output::new(wires.select, Level::High);
    let bus = ExclusiveDevice::new(spi, select, Delay).expect("a pin can be set");
    let interrupt = Input::new(wires.interrupt, Pull::Up);
    let reset = Output::new(wires.reset, Level::High);
    match embassy_net_wiznet::new(address, FRAMES.take(), bus, interrupt, reset).await {
        Ok(parts) => parts,
        Err(error) => panic!("no W5500 on SPI 0: {error:?}"),
    }
}

bind_interrupts!(struct Interrupts {
    DMA_IRQ_0 => dma::InterruptHandler<DMA_CH0>, dma::InterruptHandler<DMA_CH1>;
});

/// Frames that wait for the network stack; the W5500 itself holds 16 KiB more.
const RECEIVED: usize = 4;

/// Frames that wait for the W5500.
const SENT: usize = 4;

/// Cycles a second of the bus. The W5500 takes 33.3 MHz for sure; the RP2040's divider makes
/// 31.25 MHz of it.
const CLOCK_HZ: u32 = 33_300_000;
