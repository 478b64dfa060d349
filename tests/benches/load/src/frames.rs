//! What is sent and what must come back, made before anything is measured.

use anyhow::{Result, ensure};

use crate::client::Dialogue;

/// The shape of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Bytes without meaning.
    Binary,
    /// Text with characters of one to four bytes.
    Text,
}

/// How a server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// With the payload that was meant.
    Echo,
    /// With the payload as it came, still masked: the limit, which never unmasks.
    Masked,
}

/// The messages that one connection has in flight together, and the answer to them, as bytes.
#[derive(Clone)]
pub struct Batch {
    sent: Vec<u8>,
    expected: Vec<u8>,
    /// Bytes of the answer that came.
    got: usize,
}

impl Batch {
    /// `count` messages of `bytes` payload each, no two of them alike.
    pub fn new(
        rng: &mut fastrand::Rng,
        shape: Shape,
        bytes: usize,
        count: usize,
        answer: Answer,
    ) -> Self {
        let mut batch = Self {
            sent: Vec::new(),
            expected: Vec::new(),
            got: 0,
        };
        for _ in 0..count {
            let payload = match shape {
                Shape::Binary => (0..bytes).map(|_| rng.u8(..)).collect(),
                Shape::Text => text(rng, bytes).into_bytes(),
            };
            batch.push(rng, shape, &payload, answer);
        }
        batch
    }

    fn push(&mut self, rng: &mut fastrand::Rng, shape: Shape, payload: &[u8], answer: Answer) {
        let opcode = match shape {
            Shape::Text => 1,
            Shape::Binary => 2,
        };
        push_masked(&mut self.sent, rng, opcode, payload);
        push_header(&mut self.expected, opcode, 0, payload.len());
        self.expected.extend(match answer {
            Answer::Echo => payload,
            Answer::Masked => &self.sent[self.sent.len() - payload.len()..],
        });
    }
}

impl Dialogue for Batch {
    fn offer(&self) -> Option<&'static str> {
        None
    }

    fn agree(&mut self, extension: Option<&str>) -> Result<()> {
        ensure!(extension.is_none(), "an extension that was not offered");
        Ok(())
    }

    fn begin(&mut self) {
        self.got = 0;
    }

    fn sent(&self) -> &[u8] {
        &self.sent
    }

    fn rest(&self) -> usize {
        self.expected.len() - self.got
    }

    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        ensure!(
            self.expected[self.got..].starts_with(bytes),
            "what came back is not what was sent"
        );
        self.got += bytes.len();
        Ok(())
    }
}

/// A message in one frame, as a client sends it. Beside the opcode there may be RSV bits.
pub fn push_masked(to: &mut Vec<u8>, rng: &mut fastrand::Rng, opcode: u8, payload: &[u8]) {
    let key: [u8; 4] = rng.u32(1..).to_be_bytes();
    push_header(to, opcode, 0x80, payload.len());
    to.extend(key);
    let masked = payload.iter().zip(key.iter().cycle());
    to.extend(masked.map(|(byte, key)| byte ^ key));
}

/// The header of a whole message in one frame, without a masking key (RFC 6455 section 5.2).
fn push_header(to: &mut Vec<u8>, opcode: u8, mask: u8, len: usize) {
    to.push(0x80 | opcode);
    match len {
        0..126 => to.push(mask | len as u8),
        126..0x1_0000 => {
            to.push(mask | 126);
            to.extend((len as u16).to_be_bytes());
        }
        _ => {
            to.push(mask | 127);
            to.extend((len as u64).to_be_bytes());
        }
    }
}

/// Exactly `bytes` bytes, most of them of characters that take more than one.
fn text(rng: &mut fastrand::Rng, bytes: usize) -> String {
    let mut text = String::with_capacity(bytes);
    loop {
        let c = CHARACTERS[rng.usize(..CHARACTERS.len())];
        if text.len() + c.len_utf8() > bytes {
            break;
        }
        text.push(c);
    }
    while text.len() < bytes {
        text.push('.');
    }
    text
}

/// One byte, two, three and four.
const CHARACTERS: [char; 12] = [
    'a', ' ', 'é', 'ж', 'λ', 'ü', '世', '界', 'の', '€', '𝄞', '🌍',
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_what_the_rfc_shows() {
        // RFC 6455 section 5.7: "Hello", masked with 37 fa 21 3d, and unmasked.
        let mut frame = Vec::new();
        push_header(&mut frame, 1, 0x80, 5);
        assert_eq!(frame, [0x81, 0x85]);
        for (len, header) in [
            (125, &[0x82, 125][..]),
            (126, &[0x82, 126, 0, 126]),
            (65_535, &[0x82, 126, 255, 255]),
            (65_536, &[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let mut frame = Vec::new();
            push_header(&mut frame, 2, 0, len);
            assert_eq!(frame, header);
        }
    }

    #[test]
    fn what_is_expected_is_what_was_masked() {
        let mut rng = fastrand::Rng::with_seed(1);
        let batch = Batch::new(&mut rng, Shape::Text, 100, 2, Answer::Echo);
        let (sent, expected) = (&batch.sent[..106], &batch.expected[..102]);
        let key: [u8; 4] = sent[2..6].try_into().unwrap();
        let unmasked: Vec<u8> = sent[6..]
            .iter()
            .zip(key.iter().cycle())
            .map(|(a, b)| a ^ b)
            .collect();
        assert_eq!(unmasked, expected[2..]);
        assert_eq!(std::str::from_utf8(&unmasked).unwrap().len(), 100);
        assert_ne!(batch.expected[..102], batch.expected[102..]);
    }
}
