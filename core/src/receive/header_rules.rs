//! What a header may say now: each rule at the byte that settles it, so that a peer that breaks a rule and
//! then falls silent is not waited for.

use super::Receiver;
use crate::frame::{HeaderRules, Opcode};
use crate::{Error, Role};

impl HeaderRules for Receiver {
    #[inline]
    fn first(&self, opcode: Opcode, rsv1: bool) -> Result<(), Error> {
        let starts = matches!(opcode, Opcode::Text | Opcode::Binary);
        // Section 5.2, and RFC 7692 section 6: RSV1 only on the first frame of a message.
        if rsv1 && !(self.rsv1 && starts) {
            return Err(Error::ReservedBit);
        }
        if opcode.is_control() {
            return Ok(());
        }
        // Section 5.4: fragments of messages are not interleaved.
        if starts == self.open.is_some() {
            return Err(if starts {
                Error::ContinuationExpected
            } else {
                Error::ContinuationUnexpected
            });
        }
        let left = if starts {
            self.fragment_limit
        } else {
            self.fragments_left
        };
        // Section 10.4: the limits, before any byte of the frame is taken.
        if left == 0 {
            return Err(Error::TooManyFragments);
        }
        Ok(())
    }

    #[inline]
    fn second(&self, opcode: Opcode, masked: bool, short_len: u8) -> Result<(), Error> {
        // Section 5.1: a server refuses what is not masked, a client what is.
        match (self.role, masked) {
            (Role::Server, false) => return Err(Error::MaskMissing),
            (Role::Client, true) => return Err(Error::MaskUnexpected),
            _ => {}
        }
        // Section 5.5.1: a code has two bytes.
        if opcode == Opcode::Close && short_len == 1 {
            return Err(Error::CloseLength);
        }
        Ok(())
    }

    /// Section 10.4: the limits, for a frame that has `len` bytes or more. The smaller limit is the
    /// one that is reported, so that it does not matter how much of the length was seen.
    #[inline]
    fn len(&self, opcode: Opcode, len: u64) -> Result<(), Error> {
        if opcode.is_control() {
            return Ok(());
        }
        let left = if opcode == Opcode::Continuation {
            self.message_left
        } else {
            self.message_limit
        };
        if len <= self.frame_limit.min(left) {
            Ok(())
        } else if self.frame_limit <= left {
            Err(Error::FrameTooLarge)
        } else {
            Err(Error::MessageTooLarge)
        }
    }
}
