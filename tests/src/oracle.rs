//! A receiver that is slow and obviously right: RFC 6455 sections 5 and 8.1, one byte after the
//! other over the whole input, with `Vec`s for everything.

use wirelet::{Error, Role};

use crate::outcome::{End, Item, Outcome, Rules};

/// Reads all of `wire`.
#[must_use]
pub fn read(rules: &Rules, wire: &[u8]) -> Outcome {
    let mut reader = Reader {
        rules,
        wire,
        items: Vec::new(),
        open: None,
    };
    let mut end = Ok(());
    while end.is_ok() {
        end = reader.frame();
    }
    Outcome {
        items: reader.items,
        open: reader.open.unwrap_or_default().item.payload,
        end: end.expect_err("the loop ends with an error"),
        at: wire.len() - reader.wire.len(),
    }
}

struct Reader<'a> {
    rules: &'a Rules,
    wire: &'a [u8],
    items: Vec<Item>,
    open: Option<Open>,
}

/// The message that is unfinished.
#[derive(Default)]
struct Open {
    item: Item,
    frames: u32,
    /// Payload bytes that its frames announced.
    declared: u128,
    /// Bytes known to be UTF-8, so that long texts are not checked again for each byte.
    valid: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, End> {
        let byte = self.wire.split_off_first();
        byte.copied().ok_or(End::More { between: false })
    }

    fn frame(&mut self) -> Result<(), End> {
        if self.wire.is_empty() && self.open.is_none() {
            return Err(End::More { between: true });
        }
        let first = self.byte()?;
        let (fin, rsv1, opcode) = (first & 0x80 != 0, first & 0x40 != 0, first & 0x0f);
        let (starts, continues, control) = (matches!(opcode, 1 | 2), opcode == 0, opcode >= 8);
        let (open, limits) = (self.open.is_some(), self.rules.limits);
        forbid(first & 0x30 != 0, Error::ReservedBit)?;
        forbid(matches!(opcode, 3..=7 | 11..), Error::ReservedOpcode)?;
        forbid(control && !fin, Error::ControlFragmented)?;
        forbid(rsv1 && !(self.rules.rsv1 && starts), Error::ReservedBit)?;
        forbid(starts && open, Error::ContinuationExpected)?;
        forbid(continues && !open, Error::ContinuationUnexpected)?;
        let mut item = Item::default();
        (item.opcode, item.rsv1) = (opcode, rsv1);
        self.open = self.open.take().or(starts.then(Open::default));
        if let (false, Some(open)) = (control, &mut self.open) {
            open.frames += 1;
            forbid(open.frames > limits.fragments, Error::TooManyFragments)?;
            if starts {
                open.item = item.clone();
            }
        }

        let second = self.byte()?;
        let (masked, short) = (second & 0x80 != 0, second & 0x7f);
        let server = self.rules.role == Role::Server;
        forbid(control && short > 125, Error::ControlTooLong)?;
        forbid(server && !masked, Error::MaskMissing)?;
        forbid(!server && masked, Error::MaskUnexpected)?;
        forbid(opcode == 8 && short == 1, Error::CloseLength)?;
        let len = self.length(short, control)?;
        let mut key = [0; 4];
        for byte in key.iter_mut().filter(|_| masked) {
            *byte = self.byte()?;
        }
        if control {
            return self.control(item, len, key);
        }
        self.data(fin, len, key)
    }

    /// Each byte of a length makes it at least so long: that may be enough to refuse it.
    fn length(&mut self, short: u8, control: bool) -> Result<u128, End> {
        let (width, mut len) = match short {
            126 => (2, 0),
            127 => (8, 0),
            _ => (0, u128::from(short)),
        };
        for i in 0..=width {
            if i > 0 {
                len += u128::from(self.byte()?) << (8 * (width - i));
            }
            forbid(len >> 63 != 0, Error::LengthTopBit)?;
            forbid(width == 2 && i == 2 && len < 126, Error::LengthNotMinimal)?;
            forbid(width == 8 && i == 6 && len == 0, Error::LengthNotMinimal)?;
            if let (false, Some(open)) = (control, &self.open) {
                // Of two limits the smaller one is the first to be passed.
                let frame = u128::from(self.rules.limits.frame);
                let left = u128::from(self.rules.limits.message) - open.declared;
                forbid(frame <= left && len > frame, Error::FrameTooLarge)?;
                forbid(left < frame && len > left, Error::MessageTooLarge)?;
            }
        }
        Ok(len)
    }

    fn control(&mut self, mut item: Item, len: u128, key: [u8; 4]) -> Result<(), End> {
        for i in 0..len as usize {
            let byte = self.byte()? ^ key[i % 4];
            item.payload.push(byte);
            if let (8, [a, b, reason @ ..]) = (item.opcode, &item.payload[..]) {
                let code = u16::from_be_bytes([*a, *b]);
                let known = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
                forbid(!known, Error::CloseCode)?;
                let text = str::from_utf8(reason).map_err(|error| error.error_len());
                let cut = text == Err(None) && i + 1 < len as usize;
                forbid(text.is_err() && !cut, Error::CloseReason)?;
            }
        }
        let closes = item.opcode == 8;
        self.items.push(item);
        if closes { Err(End::Closed) } else { Ok(()) }
    }

    fn data(&mut self, fin: bool, len: u128, key: [u8; 4]) -> Result<(), End> {
        for i in 0..len {
            let byte = self.byte()? ^ key[(i % 4) as usize];
            let open = self.open.as_mut().expect("data frames belong to a message");
            open.item.payload.push(byte);
            let ends = fin && i + 1 == len;
            let full = self.rules.room == Some(open.item.payload.len());
            forbid(open.is_wrong_text(ends), Error::Utf8)?;
            forbid(full && !ends, Error::MessageTooLarge)?;
        }
        let open = self.open.as_mut().expect("data frames belong to a message");
        open.declared += len;
        if fin {
            forbid(open.is_wrong_text(true), Error::Utf8)?;
            self.items.extend(self.open.take().map(|open| open.item));
        }
        Ok(())
    }
}

impl Open {
    fn is_wrong_text(&mut self, done: bool) -> bool {
        let text = self.item.opcode == 1 && !self.item.rsv1;
        let rest = &self.item.payload[self.valid..];
        let error = str::from_utf8(rest).err();
        self.valid += error.map_or(rest.len(), |error| error.valid_up_to());
        text && error.is_some_and(|error| done || error.error_len().is_some())
    }
}

fn forbid(wrong: bool, error: Error) -> Result<(), End> {
    (!wrong).then_some(()).ok_or(End::Failed(error))
}
