//! What the boards with an RP2040 have in common: a UART for lines of text, what a panic does, the
//! chip's thermometer, and the map of the memory.
#![no_std]

mod fault;
mod thermometer;
pub mod uart;

pub use thermometer::Thermometer;
