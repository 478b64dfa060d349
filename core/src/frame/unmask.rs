use super::Mask;

/// How what was received is unmasked.
///
/// For who runs on instructions that this crate may not take for granted, or ask for without
/// `unsafe`: the same function, compiled for them.
pub trait Unmask: Copy {
    /// Does what [`Mask::apply`] does.
    fn apply(self, mask: &mut Mask, payload: &mut [u8]);

    /// Does what [`Mask::apply_text`] does.
    #[must_use]
    fn apply_text(self, mask: &mut Mask, payload: &mut [u8]) -> bool;
}

/// [`Mask`] as it is: with the instructions that the whole program was compiled for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Portable;

impl Unmask for Portable {
    #[inline]
    fn apply(self, mask: &mut Mask, payload: &mut [u8]) {
        mask.apply(payload);
    }

    #[inline]
    fn apply_text(self, mask: &mut Mask, payload: &mut [u8]) -> bool {
        mask.apply_text(payload)
    }
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;

    use super::Unmask;
    use crate::frame::{Header, Mask, Opcode};
    use crate::{Inbox, Limits, Receiver, Role, What};

    /// Counts the bytes that come to it, and masks them byte by byte.
    #[derive(Clone, Copy)]
    struct Counted<'a>(&'a Cell<usize>);

    impl Unmask for Counted<'_> {
        fn apply(self, mask: &mut Mask, payload: &mut [u8]) {
            self.0.set(self.0.get() + payload.len());
            for byte in payload {
                mask.apply(core::slice::from_mut(byte));
            }
        }

        fn apply_text(self, mask: &mut Mask, payload: &mut [u8]) -> bool {
            self.apply(mask, payload);
            payload.is_ascii()
        }
    }

    const TEXT: &[u8] = "κόσμε, and more".as_bytes();

    /// A whole text, a whole binary message, and a text in two fragments with a Ping between.
    fn wire() -> heapless::Vec<u8, 128> {
        let mut wire = heapless::Vec::new();
        for (fin, opcode, payload) in [
            (true, Opcode::Text, TEXT),
            (true, Opcode::Binary, TEXT),
            (false, Opcode::Text, TEXT),
            (true, Opcode::Ping, b"ping"),
            (true, Opcode::Continuation, TEXT),
        ] {
            let key = [0x37, 0xfa, 0x21, 0x3d];
            let header = Header {
                fin,
                rsv1: false,
                opcode,
                mask: Some(key),
                len: payload.len() as u64,
            };
            wire.extend_from_slice(&header.encode()).unwrap();
            let start = wire.len();
            wire.extend_from_slice(payload).unwrap();
            Mask::new(key).apply(&mut wire[start..]);
        }
        wire
    }

    #[test]
    fn unmasks_everything_in_every_cut_and_no_other_way_does() {
        let wire = wire();
        for cut in 0..wire.len() {
            for pieces in [false, true] {
                let count = Cell::new(0);
                let receiver = Receiver::new(Role::Server, Limits::default());
                let mut inbox = Inbox::new([0; 128], receiver);
                let (mut seen, mut all) = (0, 0);
                for part in [&wire[..cut], &wire[cut..]] {
                    inbox.spare()[..part.len()].copy_from_slice(part);
                    inbox.filled(part.len());
                    loop {
                        let found = if pieces {
                            inbox.ready_piece_by(Counted(&count))
                        } else {
                            inbox.ready_growing_by(Counted(&count))
                        };
                        if found.unwrap().is_none() {
                            break;
                        }
                        let event = inbox.take().unwrap();
                        all += event.payload.len();
                        if let What::Data { .. } = event.what {
                            for byte in event.payload {
                                assert_eq!(*byte, TEXT[seen % TEXT.len()], "cut {cut}");
                                seen += 1;
                            }
                        }
                    }
                }
                assert_eq!((seen, count.get()), (4 * TEXT.len(), all));
            }
        }
    }
}
