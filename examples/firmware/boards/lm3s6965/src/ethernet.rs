//! The Ethernet controller (section 15 of the data sheet) as a driver of embassy-net.
//!
//! The controller holds received frames in a queue of its own, and one frame to send. Both are read
//! and written a word at a time through one register. In front of each frame stand two bytes with
//! a length, so the buffers here have them too: then words stay words, and the IP header behind the
//! 14 bytes of the Ethernet header is aligned.
//!
//! The link is taken to be up. The PHY negotiates by itself after a reset, and the emulator's has no
//! registers to ask; until there is a link, frames are lost, which DHCP and TCP are made for.

use core::task::Context;

use embassy_net_driver::{Capabilities, Driver, HardwareAddress, LinkState, RxToken, TxToken};
use embassy_sync::waitqueue::AtomicWaker;

use crate::chip::{Interrupt, Register};

/// The controller, switched on. There is one: [`start`] makes it.
pub(crate) struct Ethernet {
    address: [u8; 6],
    buffers: &'static mut Buffers,
}

/// A frame in each direction.
pub(crate) struct Buffers {
    received: Buffer,
    sent: Buffer,
}

impl Buffers {
    pub(crate) const fn new() -> Buffers {
        Buffers {
            received: Buffer([0; BUFFER]),
            sent: Buffer([0; BUFFER]),
        }
    }
}

/// Length, frame, checksum, as the controller has them.
#[repr(align(4))]
struct Buffer([u8; BUFFER]);

/// Switches the controller on, with its MAC address.
pub(crate) fn start(address: [u8; 6], buffers: &'static mut Buffers) -> Ethernet {
    let [a, b, c, d, e, f] = address;
    ADDRESS_LOW.write(u32::from_le_bytes([a, b, c, d]));
    ADDRESS_HIGH.write(u32::from_le_bytes([e, f, 0, 0]));
    TRANSMIT_CONTROL.write(ENABLE | PAD | APPEND_CHECKSUM | FULL_DUPLEX);
    INTERRUPT_MASK.write(RECEIVED);
    INTERRUPT_STATUS.write(u32::MAX);
    restart_receiver();
    Interrupt::Ethernet.enable();
    Ethernet { address, buffers }
}

impl Driver for Ethernet {
    type RxToken<'a> = Received<'a>;
    type TxToken<'a> = Sending<'a>;

    fn receive(&mut self, cx: &mut Context) -> Option<(Received<'_>, Sending<'_>)> {
        // A frame may want an answer: it stays in the queue until there is room for one.
        if !can_send(cx) || FRAMES_RECEIVED.read() == 0 {
            return None;
        }
        let Buffers { received, sent } = &mut *self.buffers;
        let frame = received.read_frame()?;
        Some((Received(frame), Sending(sent)))
    }

    fn transmit(&mut self, cx: &mut Context) -> Option<Sending<'_>> {
        can_send(cx).then_some(Sending(&mut self.buffers.sent))
    }

    fn link_state(&mut self, _: &mut Context) -> LinkState {
        LinkState::Up
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.max_transmission_unit = FRAME;
        capabilities
    }

    fn hardware_address(&self) -> HardwareAddress {
        HardwareAddress::Ethernet(self.address)
    }
}

/// A frame, without its checksum.
pub(crate) struct Received<'a>(&'a mut [u8]);

impl RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

/// Room for a frame.
pub(crate) struct Sending<'a>(&'a mut Buffer);

impl TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let result = f(&mut self.0.0[LENGTH..][..length]);
        self.0.write_frame(length);
        result
    }
}

impl Buffer {
    /// Takes the next frame out of the queue. A length that no frame has means that the queue was
    /// overrun or that we lost our place in it; then all of it is thrown away.
    fn read_frame(&mut self) -> Option<&mut [u8]> {
        let first = DATA.read();
        let end = usize::from(first as u16);
        if !(LENGTH + HEADER + CHECKSUM..=BUFFER).contains(&end) {
            restart_receiver();
            return None;
        }
        let (head, rest) = self.0[..end.next_multiple_of(WORD)].split_at_mut(WORD);
        head.copy_from_slice(&first.to_le_bytes());
        for word in rest.chunks_exact_mut(WORD) {
            word.copy_from_slice(&DATA.read().to_le_bytes());
        }
        Some(&mut self.0[LENGTH..end - CHECKSUM])
    }

    /// Hands a frame to the controller and lets it go.
    fn write_frame(&mut self, length: usize) {
        // This length does not count the header.
        let payload = length.saturating_sub(HEADER) as u16;
        self.0[..LENGTH].copy_from_slice(&payload.to_le_bytes());
        let (words, _) = self.0[..(LENGTH + length).next_multiple_of(WORD)].as_chunks();
        for &word in words {
            DATA.write(u32::from_le_bytes(word));
        }
        TRANSMIT_REQUEST.write(BEGIN);
    }
}

/// Whether the last frame has left. Either way the task is woken by what happens next: frames that
/// come in, and room if there is none.
fn can_send(cx: &Context) -> bool {
    WAKER.register(cx.waker());
    if TRANSMIT_REQUEST.read() & BEGIN == 0 {
        return true;
    }
    // Cleared before the second look: if the frame leaves between the two, the look sees it, and
    // if later, the interrupt comes.
    INTERRUPT_STATUS.write(SENT);
    INTERRUPT_MASK.write(RECEIVED | SENT);
    TRANSMIT_REQUEST.read() & BEGIN == 0
}

/// Empties the queue of received frames.
fn restart_receiver() {
    RECEIVE_CONTROL.write(RESET_QUEUE);
    RECEIVE_CONTROL.write(ENABLE | REJECT_BAD_CHECKSUM);
}

/// Handles the controller's interrupt: the work is the driver's, in its task.
pub(crate) extern "C" fn on_interrupt() {
    INTERRUPT_STATUS.write(RECEIVED | SENT);
    INTERRUPT_MASK.write(RECEIVED);
    WAKER.wake();
}

/// The task that drives the network.
static WAKER: AtomicWaker = AtomicWaker::new();

/// Bytes of the length in front of a frame.
const LENGTH: usize = 2;
/// Bytes of an Ethernet header.
const HEADER: usize = 14;
/// Bytes of the longest frame, header included.
const FRAME: usize = HEADER + 1500;
/// Bytes of the checksum behind a received frame.
const CHECKSUM: usize = 4;
/// Bytes of a buffer: whole words.
const BUFFER: usize = LENGTH + FRAME + CHECKSUM;
/// Bytes that one access of the data register moves.
const WORD: usize = 4;
const _: () = assert!(BUFFER.is_multiple_of(WORD));

const INTERRUPT_STATUS: Register = Register::at(0x4004_8000);
const INTERRUPT_MASK: Register = Register::at(0x4004_8004);
const RECEIVE_CONTROL: Register = Register::at(0x4004_8008);
const TRANSMIT_CONTROL: Register = Register::at(0x4004_800C);
const DATA: Register = Register::at(0x4004_8010);
const ADDRESS_LOW: Register = Register::at(0x4004_8014);
const ADDRESS_HIGH: Register = Register::at(0x4004_8018);
const FRAMES_RECEIVED: Register = Register::at(0x4004_8034);
const TRANSMIT_REQUEST: Register = Register::at(0x4004_8038);

// Bits of the interrupts.
const RECEIVED: u32 = 1 << 0;
const SENT: u32 = 1 << 2;
// Bits of the receiver's control.
const REJECT_BAD_CHECKSUM: u32 = 1 << 3;
const RESET_QUEUE: u32 = 1 << 4;
// Bits of the transmitter's control, and of both.
const ENABLE: u32 = 1 << 0;
const PAD: u32 = 1 << 1;
const APPEND_CHECKSUM: u32 = 1 << 2;
const FULL_DUPLEX: u32 = 1 << 4;
const BEGIN: u32 = 1 << 0;
