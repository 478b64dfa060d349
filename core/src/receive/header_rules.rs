//! What a header may say now: each rule at the byte that settles it.
//!
//! Each function is used for whole headers and for torn ones. A microcontroller has one copy, as its
//! flash is scarce; elsewhere speed counts.

use super::Receiver;
use crate::frame::Opcode;
use crate::{Error, Role};

impl Receiver {
    /// What is wrong with a header as far as it was seen, so that a peer that breaks a rule and
    /// then falls silent is not waited for.
    pub(super) fn check_torn(&self, seen: &[u8]) -> Result<(), Error> {
        let [first, rest @ ..] = seen else {
            return Ok(());
        };
        let opcode = Opcode::from_bits(first & 0x0f).ok_or(Error::ReservedOpcode)?;
        self.check_first(opcode, first & 0x40 != 0)?;
        let [second, rest @ ..] = rest else {
            return Ok(());
        };
        // Bytes of the length that are not there yet count as 0: it is at least so long.
        let bytes = rest.iter().copied().chain(core::iter::repeat(0));
        let fold = |len: u64, byte| len << 8 | u64::from(byte);
        let len = match second & 0x7f {
            126 => bytes.take(2).fold(0, fold),
            127 => bytes.take(8).fold(0, fold),
            short => u64::from(short),
        };
        self.check_second(opcode, second & 0x80 != 0, len)?;
        self.check_len(opcode, len)
    }

    /// What the first byte settles.
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(super) fn check_first(&self, opcode: Opcode, rsv1: bool) -> Result<(), Error> {
        let starts = matches!(opcode, Opcode::Text | Opcode::Binary);
        // Section 5.2, and RFC 7692 section 6: RSV1 only on the first frame of a message.
        if rsv1 && !(self.rsv1 && starts) {
            return Err(Error::ReservedBit);
        }
        let fragments = match opcode {
            // Section 5.4: fragments of messages are not interleaved.
            Opcode::Text | Opcode::Binary if self.open.is_some() => {
                return Err(Error::ContinuationExpected);
            }
            Opcode::Continuation if self.open.is_none() => {
                return Err(Error::ContinuationUnexpected);
            }
            Opcode::Text | Opcode::Binary => 0,
            Opcode::Continuation => self.fragments,
            Opcode::Close | Opcode::Ping | Opcode::Pong => return Ok(()),
        };
        // Section 10.4: the limits, before any byte of the frame is taken.
        if fragments >= self.fragment_limit {
            return Err(Error::TooManyFragments);
        }
        Ok(())
    }

    /// What the second byte settles; `len` is of use here only if it is short.
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(super) fn check_second(&self, opcode: Opcode, masked: bool, len: u64) -> Result<(), Error> {
        // Section 5.1: a server refuses what is not masked, a client what is.
        match (self.role, masked) {
            (Role::Server, false) => return Err(Error::MaskMissing),
            (Role::Client, true) => return Err(Error::MaskUnexpected),
            _ => {}
        }
        // Section 5.5.1: a code has two bytes.
        if opcode == Opcode::Close && len == 1 {
            return Err(Error::CloseLength);
        }
        Ok(())
    }

    /// Section 10.4: the limits, for a frame that has `len` bytes or more. The smaller limit is the
    /// one that is reported, so that it does not matter how much of the length was seen.
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(super) fn check_len(&self, opcode: Opcode, len: u64) -> Result<(), Error> {
        let before = match opcode {
            Opcode::Text | Opcode::Binary => 0,
            Opcode::Continuation => self.message,
            Opcode::Close | Opcode::Ping | Opcode::Pong => return Ok(()),
        };
        let left = self.message_limit.saturating_sub(before);
        if len <= self.frame_limit.min(left) {
            Ok(())
        } else if self.frame_limit <= left {
            Err(Error::FrameTooLarge)
        } else {
            Err(Error::MessageTooLarge)
        }
    }
}
