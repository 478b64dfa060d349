#[cfg(target_pointer_width = "64")]
mod short;

/// Checks text that arrives in pieces, cut anywhere (RFC 6455 section 8.1, RFC 3629).
///
/// A wrong byte is refused as soon as it is seen: a piece that can no longer become UTF-8 is an
/// error even if its character is unfinished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Utf8 {
    /// Continuation bytes that the open character still needs: 0 to 3.
    missing: u8,
    /// What the next of them may be. Only the first has a range of its own: it rules out
    /// overlong forms, surrogates and what lies above U+10FFFF.
    low: u8,
    high: u8,
}

impl Utf8 {
    /// Nothing seen yet.
    pub(crate) const NEW: Self = Self {
        missing: 0,
        low: 0x80,
        high: 0xbf,
    };

    /// Takes the next piece. `false`: this is not UTF-8, whatever follows.
    #[inline]
    #[must_use]
    pub(crate) fn push(&mut self, piece: &[u8]) -> bool {
        if self.missing == 0 && piece.is_empty() {
            return true;
        }
        self.push_some(piece)
    }

    /// No character is open.
    #[inline]
    #[must_use]
    pub(crate) const fn is_complete(&self) -> bool {
        self.missing == 0
    }

    #[cfg(target_pointer_width = "64")]
    fn push_some(&mut self, mut piece: &[u8]) -> bool {
        while self.missing > 0 {
            let Some((&byte, rest)) = piece.split_first() else {
                return true;
            };
            if !self.continues(byte) {
                return false;
            }
            piece = rest;
        }
        // Whole characters are checked in bulk, the one that is cut off byte by byte.
        let Some((whole, cut)) = piece.split_at_checked(piece.len().saturating_sub(cut_off(piece)))
        else {
            return false;
        };
        if !is_utf8(whole) {
            return false;
        }
        let Some((&lead, rest)) = cut.split_first() else {
            return true;
        };
        self.opens(lead) && rest.iter().all(|&byte| self.continues(byte))
    }

    #[cfg(not(target_pointer_width = "64"))]
    fn push_some(&mut self, piece: &[u8]) -> bool {
        self.push_bytes(piece)
    }

    /// Byte by byte: for a microcontroller, where the standard library's check of whole text takes
    /// 780 bytes of flash more, and three quarters of the instructions.
    #[cfg(any(not(target_pointer_width = "64"), test))]
    #[inline(never)]
    fn push_bytes(&mut self, piece: &[u8]) -> bool {
        piece.iter().all(|&byte| self.byte(byte))
    }

    /// The next byte, whatever it is.
    const fn byte(&mut self, byte: u8) -> bool {
        if self.missing > 0 {
            self.continues(byte)
        } else {
            byte.is_ascii() || self.opens(byte)
        }
    }

    /// Table 3-7 of the Unicode standard, as in RFC 3629 section 4.
    const fn opens(&mut self, lead: u8) -> bool {
        self.missing = match lead {
            0xc2..=0xdf => 1,
            0xe0..=0xef => 2,
            0xf0..=0xf4 => 3,
            _ => return false,
        };
        // No character is open, so both are those of `NEW`.
        match lead {
            0xe0 => self.low = 0xa0,
            0xed => self.high = 0x9f,
            0xf0 => self.low = 0x90,
            0xf4 => self.high = 0x8f,
            _ => {}
        }
        true
    }

    const fn continues(&mut self, byte: u8) -> bool {
        let fits = self.low <= byte && byte <= self.high;
        self.missing = self.missing.saturating_sub(1);
        (self.low, self.high) = (0x80, 0xbf);
        fits
    }
}

/// How many bytes at the end belong to a character that is not all there: 0 to 3.
#[cfg(target_pointer_width = "64")]
fn cut_off(piece: &[u8]) -> usize {
    for (i, &byte) in piece.iter().rev().take(3).enumerate() {
        let width = match byte {
            0x80..=0xbf => continue,
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xff => 4,
            _ => 1,
        };
        let have = i.saturating_add(1);
        return if have < width { have } else { 0 };
    }
    0
}

/// A whole text at once.
#[cfg(target_pointer_width = "64")]
pub(crate) fn is_utf8(bytes: &[u8]) -> bool {
    if bytes.len() < short::LIMIT {
        return short::is_utf8(bytes);
    }
    #[cfg(feature = "simdutf8")]
    let fine = simdutf8::basic::from_utf8(bytes).is_ok();
    #[cfg(not(feature = "simdutf8"))]
    let fine = core::str::from_utf8(bytes).is_ok();
    fine
}

/// A whole text at once.
#[cfg(not(target_pointer_width = "64"))]
pub(crate) fn is_utf8(bytes: &[u8]) -> bool {
    let mut utf8 = Utf8::NEW;
    utf8.push(bytes) && utf8.is_complete()
}

#[cfg(test)]
mod tests {
    use super::Utf8;

    /// What the standard library says of a prefix: invalid already, complete, or neither.
    fn judge(bytes: &[u8]) -> (bool, bool) {
        match core::str::from_utf8(bytes) {
            Ok(_) => (true, true),
            Err(error) => (error.error_len().is_none(), false),
        }
    }

    #[test]
    fn agrees_with_the_standard_library_on_all_short_sequences_in_every_split() {
        // Every class of byte that Table 3-7 tells apart, at its borders.
        const CLASSES: [u8; 24] = [
            0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0,
            0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff,
        ];
        for code in 0..CLASSES.len().pow(4) {
            let bytes: [u8; 4] = core::array::from_fn(|i| {
                CLASSES[code / CLASSES.len().pow(i as u32) % CLASSES.len()]
            });
            for len in 0..=4 {
                let bytes = &bytes[..len];
                for split in 0..=len {
                    for push in [Utf8::push, Utf8::push_bytes] {
                        let mut utf8 = Utf8::NEW;
                        let ok =
                            push(&mut utf8, &bytes[..split]) && push(&mut utf8, &bytes[split..]);
                        let (possible, complete) = judge(bytes);
                        assert_eq!(ok, possible, "{bytes:02x?} split {split}");
                        assert_eq!(
                            ok && utf8.is_complete(),
                            complete,
                            "{bytes:02x?} split {split}"
                        );
                    }
                }
            }
        }
    }
}
