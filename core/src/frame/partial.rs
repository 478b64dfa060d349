use super::{Header, HeaderRules, Opcode};
use crate::Error;

/// A header that comes byte by byte: the same rules as in [`Header::decode_by`], each at the byte that settles it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PartialHeader {
    /// The length in eight bytes, and the masking key. What has not come is 0.
    bytes: [u8; 12],
    /// Where the next byte goes, or [`FIRST`] or [`SECOND`].
    at: u8,
    opcode: Opcode,
    /// FIN and RSV1 as in the first byte, and [`MASKED`].
    flags: u8,
}

const FIRST: u8 = 13;
const SECOND: u8 = 14;
const KEY: u8 = 8;
const MASKED: u8 = 1;

impl PartialHeader {
    /// Nothing came yet.
    pub(crate) const NEW: Self = Self {
        bytes: [0; 12],
        at: FIRST,
        opcode: Opcode::Continuation,
        flags: 0,
    };

    /// Takes the next byte; tells whether it was the last.
    #[inline]
    pub(crate) fn push(&mut self, byte: u8, rules: &impl HeaderRules) -> Result<bool, Error> {
        let least = match self.at {
            FIRST => {
                self.opcode = Header::first_byte(byte, rules)?;
                self.flags = byte & 0xc0;
                self.at = SECOND;
                return Ok(false);
            }
            SECOND => {
                let (masked, short) = Header::second_byte(self.opcode, byte, rules)?;
                self.flags |= u8::from(masked);
                self.at = match short {
                    126 => KEY - 2,
                    127 => 0,
                    _ => {
                        let [.., last, _, _, _, _] = &mut self.bytes;
                        *last = short;
                        KEY
                    }
                };
                0
            }
            at => {
                if let Some(place) = self.bytes.get_mut(usize::from(at)) {
                    *place = byte;
                }
                self.at = at.wrapping_add(1);
                // Section 5.2: the minimal number of bytes must be used, and behind six zeros two would do.
                match self.at {
                    6 => 1 << 16,
                    KEY => 126,
                    _ => 0,
                }
            }
        };
        if self.at <= KEY {
            let len = self.len();
            // Section 5.2: the most significant bit must be 0.
            if len >> 63 != 0 {
                return Err(Error::LengthTopBit);
            }
            if len < least {
                return Err(Error::LengthNotMinimal);
            }
            rules.len(self.opcode, len)?;
        }
        Ok(self.at
            == if self.flags & MASKED == 0 {
                KEY
            } else {
                KEY + 4
            })
    }

    /// The length, with zeros for what has not come.
    fn len(&self) -> u64 {
        let [len @ .., _, _, _, _] = self.bytes;
        u64::from_be_bytes(len)
    }

    /// All of it.
    #[inline]
    pub(crate) fn header(self) -> Header {
        let [_, _, _, _, _, _, _, _, key @ ..] = self.bytes;
        Header {
            fin: self.flags & 0x80 != 0,
            rsv1: self.flags & 0x40 != 0,
            opcode: self.opcode,
            mask: (self.flags & MASKED != 0).then_some(key),
            len: self.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::header::{AnyHeader, Header};
    use super::PartialHeader;

    #[test]
    fn says_at_each_byte_what_reading_in_one_go_says() {
        const LENGTHS: [[u8; 8]; 10] = [
            [0, 0, 0, 0, 0, 0, 0, 0],
            [0, 125, 0, 0, 0, 0, 0, 0],
            [0, 126, 0, 0, 0, 0, 0, 1],
            [1, 0, 0, 0, 0, 0, 0, 0],
            [0, 0, 0, 0, 0, 0, 0xff, 0xff],
            [0, 0, 0, 0, 0, 1, 0, 0],
            [0, 0, 0, 0, 1, 0, 0, 5],
            [0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            [0x80, 0, 0, 0, 0, 0, 0, 0],
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        ];
        for first in 0..=255 {
            for second in 0..=255 {
                for length in LENGTHS {
                    let mut wire = [0x37; Header::MAX_LEN];
                    wire[..2].copy_from_slice(&[first, second]);
                    wire[2..10].copy_from_slice(&length);
                    let mut partial = PartialHeader::NEW;
                    for (i, &byte) in wire.iter().enumerate() {
                        let pushed = partial.push(byte, &AnyHeader);
                        let decoded = Header::decode(&wire[..=i]);
                        assert_eq!(
                            pushed.map(|all| all.then(|| (partial.header(), i + 1))),
                            decoded,
                            "{wire:02x?}, {i}"
                        );
                        if !matches!(decoded, Ok(None)) {
                            break;
                        }
                    }
                }
            }
        }
    }
}
