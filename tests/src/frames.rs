//! Builds frames byte by byte, also those that no endpoint may send.

use wirelet::Role;

/// The masking key of the examples in section 5.7.
pub const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A frame, right or wrong.
#[derive(Clone, Debug)]
pub struct Frame {
    /// FIN, RSV1 to RSV3 and the opcode, as they stand on the wire.
    pub first: u8,
    /// The masking key, if the frame is to be masked.
    pub key: Option<[u8; 4]>,
    /// The length as it is declared.
    pub length: Length,
    /// The payload as it is there, before masking.
    pub payload: Vec<u8>,
}

/// What a header says about the length, truly or not.
#[derive(Clone, Copy, Debug)]
pub enum Length {
    /// The true length in the shortest form.
    True,
    /// The seven bits as they stand, with nothing behind them.
    Short(u8),
    /// 126 and two bytes.
    Long(u16),
    /// 127 and eight bytes.
    Longest(u64),
}

impl Frame {
    /// A frame with this first byte, its length declared as it is, not masked.
    #[must_use]
    pub fn new(first: u8, payload: impl AsRef<[u8]>) -> Self {
        Self {
            first,
            key: None,
            length: Length::True,
            payload: payload.as_ref().to_vec(),
        }
    }

    /// As `receiver` must get it: masked with [`KEY`] if that is the server.
    #[must_use]
    pub fn to(self, receiver: Role) -> Self {
        self.masked((receiver == Role::Server).then_some(KEY))
    }

    /// Masked with this key, or not.
    #[must_use]
    pub fn masked(mut self, key: Option<[u8; 4]>) -> Self {
        self.key = key;
        self
    }

    /// With this length in the header, whatever the payload is.
    #[must_use]
    pub fn declares(mut self, length: Length) -> Self {
        self.length = length;
        self
    }

    /// The bytes on the wire.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let length = match (self.length, self.payload.len()) {
            (Length::True, len @ ..=125) => Length::Short(len as u8),
            (Length::True, len @ ..=0xffff) => Length::Long(len as u16),
            (Length::True, len) => Length::Longest(len as u64),
            (declared, _) => declared,
        };
        let mask_bit = if self.key.is_some() { 0x80 } else { 0 };
        let mut out = vec![self.first];
        match length {
            Length::True => unreachable!("replaced above"),
            Length::Short(len) => out.push(mask_bit | (len & 0x7f)),
            Length::Long(len) => {
                out.push(mask_bit | 126);
                out.extend(len.to_be_bytes());
            }
            Length::Longest(len) => {
                out.push(mask_bit | 127);
                out.extend(len.to_be_bytes());
            }
        }
        let key = self.key.unwrap_or([0; 4]);
        out.extend(self.key.iter().flatten());
        out.extend(
            self.payload
                .iter()
                .zip(key.iter().cycle())
                .map(|(b, k)| b ^ k),
        );
        out
    }
}

/// Several frames, one behind the other.
#[must_use]
pub fn wire(receiver: Role, frames: &[Frame]) -> Vec<u8> {
    frames
        .iter()
        .flat_map(|frame| frame.clone().to(receiver).bytes())
        .collect()
}
