//! The codes of a block: the fixed ones, and those that it brings (RFC 1951 sections 3.2.6 and 3.2.7).

use super::super::InflateError;
use super::super::huffman::Decoded;
use super::{Inflate, State, Step};

impl Inflate {
    /// Section 3.2.6.
    pub(super) fn fixed_codes(&mut self) -> Result<State, InflateError> {
        if !self.fixed {
            // 288 literals and lengths, then 32 distances.
            for (symbol, len) in (0..320_u16).zip(&mut self.lengths) {
                *len = match symbol {
                    144..=255 => 9,
                    256..=279 => 7,
                    288.. => 5,
                    _ => 8,
                };
            }
            if !self.build(288, 32) {
                return Err(InflateError::Codes);
            }
            self.fixed = true;
        }
        Ok(State::Symbol)
    }

    /// Section 3.2.7: HLIT, HDIST, HCLEN.
    pub(super) fn sizes(&mut self) -> Result<Option<Step>, InflateError> {
        let Some(bits) = self.bits.take(14) else {
            return Ok(Some(Step::Input));
        };
        let literals = (bits & 31) + 257;
        let distances = (bits >> 5 & 31) + 1;
        // Section 3.2.5: 286 and 287, and distances 30 and 31, never occur.
        if literals > 286 || distances > 30 {
            return Err(InflateError::Codes);
        }
        self.sizes = (literals, distances, (bits >> 10) + 4);
        self.lengths = [0; 320];
        self.fixed = false;
        self.state = State::LengthCodes(0);
        Ok(None)
    }

    pub(super) fn length_codes(&mut self, read: u16) -> Result<Option<Step>, InflateError> {
        let (.., size) = self.sizes;
        if read < size {
            let Some(len) = self.bits.take(3) else {
                return Ok(Some(Step::Input));
            };
            let [len, _] = len.to_le_bytes();
            let symbol = LENGTH_ORDER.get(usize::from(read)).copied().unwrap_or(0);
            self.put(symbol.into(), len);
            self.state = State::LengthCodes(read.saturating_add(1));
            return Ok(None);
        }
        let (lengths, _) = self.lengths.split_at(LENGTH_ORDER.len());
        if !self.distances.build(lengths, true) {
            return Err(InflateError::Codes);
        }
        self.lengths = [0; 320];
        self.state = State::Lengths(0);
        Ok(None)
    }

    pub(super) fn lengths(&mut self, read: u16) -> Result<Option<Step>, InflateError> {
        let (literals, distances, _) = self.sizes;
        if read >= literals.saturating_add(distances) {
            return self.dynamic_codes();
        }
        let (bits, have) = (self.bits.peek(), self.bits.count());
        match self.distances.decode(bits, have) {
            Decoded::More => return Ok(Some(Step::Input)),
            Decoded::Invalid => return Err(InflateError::Codes),
            Decoded::Symbol(symbol, len) => {
                self.bits.skip(len);
                self.state = if symbol < 16 {
                    let [len, _] = symbol.to_le_bytes();
                    self.put(read, len);
                    State::Lengths(read.saturating_add(1))
                } else {
                    State::Repeat(read, symbol)
                };
            }
        }
        Ok(None)
    }

    pub(super) fn repeat(&mut self, read: u16, symbol: u16) -> Result<Option<Step>, InflateError> {
        let (bits, least) = match symbol {
            16 => (2, 3),
            17 => (3, 3),
            _ => (7, 11),
        };
        let Some(more) = self.bits.take(bits) else {
            return Ok(Some(Step::Input));
        };
        let len = match (symbol, read.checked_sub(1)) {
            (16, None) => return Err(InflateError::Codes),
            (16, Some(previous)) => self.lengths.get(usize::from(previous)).copied(),
            _ => Some(0),
        };
        let end = read.saturating_add(least).saturating_add(more);
        let (literals, distances, _) = self.sizes;
        if end > literals.saturating_add(distances) {
            return Err(InflateError::Codes);
        }
        for at in read..end {
            self.put(at, len.unwrap_or(0));
        }
        self.state = State::Lengths(end);
        Ok(None)
    }

    fn dynamic_codes(&mut self) -> Result<Option<Step>, InflateError> {
        let (literals, distances, _) = self.sizes;
        // The block must be able to end: a code for symbol 256.
        let end = self.lengths.get(256).copied().unwrap_or(0);
        if end == 0 || !self.build(literals.into(), distances.into()) {
            return Err(InflateError::Codes);
        }
        self.state = State::Symbol;
        Ok(None)
    }

    /// The codes of both kinds out of their lengths.
    fn build(&mut self, literals: usize, distances: usize) -> bool {
        let Some((literals, rest)) = self.lengths.split_at_checked(literals) else {
            return false;
        };
        let distances = rest.get(..distances).unwrap_or_default();
        self.literals.build(literals, false) && self.distances.build(distances, false)
    }

    fn put(&mut self, at: u16, len: u8) {
        if let Some(slot) = self.lengths.get_mut(usize::from(at)) {
            *slot = len;
        }
    }
}

/// Section 3.2.7: the order in which the lengths of the codes of the lengths come.
const LENGTH_ORDER: [u8; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];
