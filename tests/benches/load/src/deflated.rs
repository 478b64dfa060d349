//! Compressed messages (permessage-deflate, RFC 7692): sent as they were compressed beforehand,
//! and answers that are inflated and compared.

use anyhow::{Context, Result, bail, ensure};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

use crate::client::Dialogue;
use crate::frames::push_masked;

/// JSON in turns, each of them some messages in flight together. Each message is compressed for
/// itself, so that it can be sent again.
pub struct Deflated {
    /// The server may refer to its messages before.
    takeover: bool,
    turns: Vec<Turn>,
    /// Which turn it is, and how many of its messages were answered.
    turn: usize,
    answered: usize,
    /// What came of the next answer.
    came: Vec<u8>,
    inflate: Decompress,
    inflated: Vec<u8>,
    /// Bytes of all answers so far, with their headers.
    pub received: u64,
}

struct Turn {
    sent: Vec<u8>,
    expected: Vec<Vec<u8>>,
}

impl Deflated {
    /// `turns` of `count` messages of `bytes` each.
    pub fn new(
        rng: &mut fastrand::Rng,
        takeover: bool,
        bytes: usize,
        count: usize,
        turns: usize,
    ) -> Self {
        let mut zlib = Compress::new(Compression::new(CLIENT_LEVEL), false);
        let turns = (0..turns).map(|_| {
            let expected: Vec<_> = (0..count).map(|_| json(rng, bytes)).collect();
            let mut sent = Vec::new();
            for message in &expected {
                push_masked(&mut sent, rng, RSV1 | TEXT, &compressed(&mut zlib, message));
            }
            Turn { sent, expected }
        });
        Self {
            takeover,
            turns: turns.collect(),
            turn: 0,
            answered: 0,
            came: Vec::new(),
            inflate: Decompress::new(false),
            // zlib wants room left to see the end.
            inflated: vec![0; bytes + 64],
            received: 0,
        }
    }

    /// Inflates a message, and compares it with the one that was sent.
    fn check(&mut self, frame: usize, payload: usize) -> Result<()> {
        let expected = &self.turns[self.turn].expected[self.answered];
        let payload = &self.came[payload..frame];
        let before = self.inflate.total_out();
        for mut input in [payload, &TAIL] {
            while !input.is_empty() {
                let at = (self.inflate.total_out() - before) as usize;
                let (used, made) = (self.inflate.total_in(), self.inflate.total_out());
                self.inflate
                    .decompress(input, &mut self.inflated[at..], FlushDecompress::Sync)
                    .context("the answer cannot be inflated")?;
                let used = (self.inflate.total_in() - used) as usize;
                ensure!(
                    used > 0 || self.inflate.total_out() > made,
                    "the answer is too long, or ended early"
                );
                input = &input[used..];
            }
        }
        let len = (self.inflate.total_out() - before) as usize;
        ensure!(
            self.inflated[..len] == expected[..],
            "what came back is not what was sent"
        );
        if !self.takeover {
            self.inflate.reset(false);
        }
        Ok(())
    }
}

impl Dialogue for Deflated {
    fn offer(&self) -> Option<&'static str> {
        Some(if self.takeover {
            "permessage-deflate; client_max_window_bits"
        } else {
            "permessage-deflate; client_max_window_bits; server_no_context_takeover"
        })
    }

    /// Takeover must be as wanted, and windows whole: smaller ones are another comparison.
    fn agree(&mut self, extension: Option<&str>) -> Result<()> {
        let answer = extension.context("the server does not compress")?;
        let mut parts = answer.split(';').map(str::trim);
        ensure!(parts.next() == Some("permessage-deflate"), "{answer}");
        let mut takeover = true;
        for part in parts {
            match part {
                "server_no_context_takeover" => takeover = false,
                // So the messages are anyway.
                "client_no_context_takeover" => {}
                "client_max_window_bits=15" | "server_max_window_bits=15" => {}
                _ => bail!("the server wants `{part}`"),
            }
        }
        ensure!(
            takeover == self.takeover,
            "not the takeover wanted: {answer}"
        );
        Ok(())
    }

    fn begin(&mut self) {
        self.turn = (self.turn + 1) % self.turns.len();
        self.answered = 0;
    }

    fn sent(&self) -> &[u8] {
        &self.turns[self.turn].sent
    }

    fn rest(&self) -> usize {
        let complete = self.answered == self.turns[self.turn].expected.len();
        if complete { 0 } else { usize::MAX }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        self.came.extend(bytes);
        while let Some((payload, frame)) = frame(&self.came)? {
            ensure!(self.rest() > 0, "the server answered more than was sent");
            self.check(frame, payload)?;
            self.came.drain(..frame);
            self.received += frame as u64;
            self.answered += 1;
        }
        Ok(())
    }
}

/// Where the payload of the first frame begins and ends, if it is there as a whole. It must be a
/// whole compressed text.
fn frame(bytes: &[u8]) -> Result<Option<(usize, usize)>> {
    if let Some(&first) = bytes.first() {
        ensure!(
            first == FIN | RSV1 | TEXT,
            "the answer is not one compressed frame: it begins with {first:#04x}"
        );
    }
    let (header, len) = match *bytes {
        [] | [_] | [_, 126] | [_, 126, _] => return Ok(None),
        [_, len @ ..=125, ..] => (2, usize::from(len)),
        [_, 126, a, b, ..] => (4, usize::from(u16::from_be_bytes([a, b]))),
        _ => bail!("the answer is too long, or masked"),
    };
    Ok((bytes.len() >= header + len).then_some((header, header + len)))
}

/// A message for itself, without the tail.
fn compressed(zlib: &mut Compress, message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 64);
    zlib.reset();
    zlib.compress_vec(message, &mut out, FlushCompress::Sync)
        .expect("compressing has no errors");
    assert!(zlib.total_in() == message.len() as u64 && out.ends_with(&TAIL));
    out.truncate(out.len() - TAIL.len());
    out
}

/// What a few sensors say, cut off at `size` bytes.
fn json(rng: &mut fastrand::Rng, size: usize) -> Vec<u8> {
    let mut text = String::new();
    while text.len() < size {
        let (id, value) = (rng.u8(..16), rng.u16(..4096));
        text += &format!("{{\"sensor\":{id},\"value\":{value},\"unit\":\"mV\",\"ok\":true}},");
    }
    text.truncate(size);
    text.into_bytes()
}

/// What the client compresses with: zlib's own default.
const CLIENT_LEVEL: u32 = 6;

/// The end of a flushed block, which a message goes without (RFC 7692 section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// First byte of a frame (RFC 6455 section 5.2).
const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const TEXT: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    /// As a server answers, which does not mask; with takeover `zlib` is not reset.
    fn answer(zlib: &mut Compress, message: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(message.len() + 64);
        zlib.compress_vec(message, &mut out, FlushCompress::Sync)
            .unwrap();
        out.truncate(out.len() - TAIL.len());
        let mut frame = vec![FIN | RSV1 | TEXT, 126];
        frame.extend((out.len() as u16).to_be_bytes());
        frame.extend(out);
        frame
    }

    fn answers(dialogue: &Deflated) -> Vec<u8> {
        let mut zlib = Compress::new(Compression::new(1), false);
        let messages = &dialogue.turns[dialogue.turn].expected;
        messages
            .iter()
            .flat_map(|message| answer(&mut zlib, message))
            .collect()
    }

    #[test]
    fn answers_are_inflated_however_they_are_cut() {
        let mut rng = fastrand::Rng::with_seed(1);
        for cut in [1, 7, 1000, usize::MAX] {
            let mut dialogue = Deflated::new(&mut rng, true, 1000, 3, 2);
            dialogue.begin();
            let bytes = answers(&dialogue);
            for piece in bytes.chunks(cut.min(bytes.len())) {
                assert!(dialogue.rest() > 0);
                dialogue.take(piece).unwrap();
            }
            assert_eq!(dialogue.rest(), 0);
            assert_eq!(dialogue.received, bytes.len() as u64);
            assert!(dialogue.take(&bytes).is_err(), "more than was sent");
        }
    }

    #[test]
    fn other_answers_are_found() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut fails = |bend: fn(&mut Vec<u8>)| {
            let mut dialogue = Deflated::new(&mut rng, true, 1000, 1, 1);
            dialogue.begin();
            let mut bytes = answers(&dialogue);
            bend(&mut bytes);
            dialogue.take(&bytes).is_err()
        };
        assert!(!fails(|_| {}));
        assert!(fails(|bytes| bytes[0] = FIN | TEXT), "uncompressed");
        assert!(fails(|bytes| bytes[1] |= 0x80), "masked");
        assert!(fails(|bytes| {
            let mut zlib = Compress::new(Compression::new(1), false);
            *bytes = answer(&mut zlib, b"something else");
        }));
        assert!(fails(|bytes| {
            let mut zlib = Compress::new(Compression::new(1), false);
            *bytes = answer(&mut zlib, &[b'x'; 2000]);
        }));
    }

    #[test]
    fn takeover_is_as_wanted_and_windows_are_whole() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut with = Deflated::new(&mut rng, true, 10, 1, 1);
        let mut without = Deflated::new(&mut rng, false, 10, 1, 1);
        for (answer, takeover, no_takeover) in [
            (Some("permessage-deflate"), true, false),
            (
                Some("permessage-deflate; client_max_window_bits=15"),
                true,
                false,
            ),
            (
                Some("permessage-deflate;server_no_context_takeover; client_no_context_takeover"),
                false,
                true,
            ),
            (
                Some("permessage-deflate; client_max_window_bits=14"),
                false,
                false,
            ),
            (
                Some("permessage-deflate; server_max_window_bits=9"),
                false,
                false,
            ),
            (None, false, false),
        ] {
            assert_eq!(with.agree(answer).is_ok(), takeover, "{answer:?}");
            assert_eq!(without.agree(answer).is_ok(), no_takeover, "{answer:?}");
        }
    }
}
