//! What comes in compressed: it stands behind the inbox, and holds memory only while it must.

use wirelet::deflate::{Context, Inflate, Inflated, Inflater};
use wirelet::{Error, Found, Inbox, Limits, What};

use crate::incoming::{GROWTH, SPARSE};
use crate::pool;
use crate::unmask::Widest;

pub(crate) struct Inflating {
    context: Context,
    limits: Limits,
    /// From the first compressed message on; without takeover not between messages.
    inflater: Option<Box<Growing>>,
    /// Bytes that came out since it last waited.
    came: usize,
}

/// The decoder comes from the thread's pool, where it keeps the codes it has built.
type Growing = Inflater<Vec<u8>, Box<Inflate>>;

impl Inflating {
    pub(crate) const fn new(context: Context, limits: Limits) -> Self {
        Self {
            context,
            limits,
            inflater: None,
            came: 0,
        }
    }

    /// What is there, in the inbox as it came or inflated here: as
    /// [`Inbox::ready_growing`] or [`Inbox::ready_piece`].
    pub(crate) fn find(
        &mut self,
        inbox: &mut Inbox<Vec<u8>>,
        pieces: bool,
    ) -> Result<Option<Found>, Error> {
        loop {
            if let Some(found) = self.found() {
                return Ok(Some(found));
            }
            let found = if pieces {
                inbox.ready_piece_by(Widest)?
            } else {
                inbox.ready_growing_by(Widest)?
            };
            let found = match found {
                // The inbox does not gather what is to be inflated: it goes on as it comes.
                None if !pieces && is_compressed(inbox.receiver().open_message()) => {
                    inbox.ready_piece_by(Widest)?
                }
                found => found,
            };
            match found {
                Some(Found { what, .. }) if is_compressed(Some(what)) => {
                    self.inflate(inbox, pieces)?;
                }
                found => return Ok(found),
            }
        }
    }

    /// What was inflated and not taken yet.
    pub(crate) fn found(&self) -> Option<Found> {
        self.inflater.as_ref()?.found()
    }

    /// At most `max` bytes of it.
    pub(crate) fn take_up_to(&mut self, max: usize) -> Option<Inflated<'_>> {
        self.inflater.as_mut()?.take_up_to(max)
    }

    /// Inflates what the inbox has found, until something can be handed out or all of it is used.
    fn inflate(&mut self, inbox: &mut Inbox<Vec<u8>>, pieces: bool) -> Result<(), Error> {
        let (context, limits) = (self.context, self.limits);
        let inflater = self.inflater.get_or_insert_with(|| {
            let (buffer, inflate) = (Vec::new(), pool::take_inflate());
            Box::new(Inflater::growing(buffer, inflate, context, limits))
        });
        if inflater.buffer().len() < pool::SIZE && pieces {
            grow(inflater, context, limits);
        }
        loop {
            let Some(mut event) = inbox.peek() else {
                return Ok(());
            };
            let (len, last) = (event.payload.len(), event.end);
            let found = if pieces {
                inflater.ready_piece(&mut event)?
            } else {
                inflater.ready_growing(&mut event)?
            };
            let rest = event.payload.len();
            // It stays until all that it brings has come out: some of that may lie in the inflater,
            // for want of room, when no input is left.
            let done = if last {
                !event.end
            } else {
                found.is_none() && !inflater.is_full()
            };
            let done = done && rest == 0;
            inbox.consume(len - rest);
            if done {
                let _ = inbox.take();
            }
            if found.is_some() {
                self.came = self.came.saturating_add(inflater.left());
            }
            if found.is_some() || done {
                return Ok(());
            }
            grow(inflater, context, limits);
        }
    }

    /// Nothing more comes for now: holds no more than it needs.
    pub(crate) fn rest(&mut self) {
        let Some(inflater) = &mut self.inflater else {
            return;
        };
        if inflater.found().is_some() {
            return;
        }
        let (held, size) = (inflater.len(), inflater.buffer().len());
        let between = inflater.is_between_messages();
        if between && !self.context.takeover {
            self.forget();
            return;
        }
        let behind = room_behind(self.context);
        let came = std::mem::take(&mut self.came);
        let smaller = if between && size > self.context.window.bytes() + behind {
            // What comes in large messages or many at once would move the window to a larger buffer and
            // back every other time: a window of 32 KiB stays in one that is not twice as large as it
            // need be.
            if came > behind / 2 && size < 2 * (held + behind) {
                return;
            }
            held + behind
        } else if !between && held < size / SPARSE {
            (held * 2).max(256)
        } else {
            return;
        };
        match inflater.replace(vec![0; smaller]) {
            Ok(buffer) | Err(buffer) => pool::give(buffer),
        }
    }

    fn forget(&mut self) {
        if let Some(inflater) = self.inflater.take() {
            let (buffer, inflate) = inflater.into_parts();
            pool::give(buffer);
            pool::give_inflate(inflate);
        }
    }
}

impl Drop for Inflating {
    fn drop(&mut self) {
        self.forget();
    }
}

/// Bytes behind the window of a connection that waits: so many come before the window is moved.
fn room_behind(context: Context) -> usize {
    (context.window.bytes() / 8).max(256)
}

/// As the inbox grows: only what came decides on it.
fn grow(inflater: &mut Growing, context: Context, limits: Limits) {
    let size = inflater.buffer().len();
    let limit = usize::try_from(limits.message).unwrap_or(usize::MAX);
    let most = limit.saturating_add(context.window.bytes() + 1).max(size);
    let next = match size {
        // Behind the largest window there is room for some messages.
        0..pool::SIZE => pool::SIZE,
        _ => size.saturating_mul(GROWTH),
    };
    match inflater.replace(pool::take(next.min(most))) {
        Ok(buffer) | Err(buffer) => pool::give(buffer),
    }
}

fn is_compressed(what: Option<What>) -> bool {
    matches!(
        what,
        Some(What::Data {
            compressed: true,
            ..
        })
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Deflate;
    use crate::deflate::{Compressor, Deflating};
    use wirelet::deflate::WindowBits;
    use wirelet::{Receiver, Role};

    const CONTEXT: Context = Context::NO_TAKEOVER;

    /// A fragment that others are to follow.
    fn inbox(first: u8, payload: &[u8]) -> Inbox<Vec<u8>> {
        let mut inbox = Inbox::new(vec![0; 1 << 16], Receiver::new(Role::Client, Limits::NONE));
        inbox.allow_rsv1();
        let len = u16::try_from(payload.len()).unwrap();
        let header = match len {
            0..126 => vec![first, payload.len() as u8],
            _ => [&[first, 126], &len.to_be_bytes()[..]].concat(),
        };
        let frame = [&header, payload].concat();
        inbox.spare()[..frame.len()].copy_from_slice(&frame);
        inbox.filled(frame.len());
        inbox
    }

    #[test]
    fn wrong_text_is_refused_when_it_comes() {
        // "a\xff" in a fixed block: it fits into what the inflater reads ahead.
        let mut inbox = inbox(0x41, b"\x4a\xfc\x0f\x00");
        let found = Inflating::new(CONTEXT, Limits::NONE).find(&mut inbox, false);
        assert_eq!(found, Err(Error::Utf8));
    }

    #[test]
    fn all_of_a_fragment_comes_out_at_once() {
        let settings = Deflating::new(&Deflate::new(), CONTEXT).settings();
        // What is behind the buffer's end fits into what the inflater reads ahead, too.
        for len in (pool::SIZE..pool::SIZE + 300).step_by(7) {
            let packed = Compressor::alone(settings, &vec![0; len]).unwrap();
            let mut inbox = inbox(0x42, packed.as_bytes());
            let mut inflating = Inflating::new(CONTEXT, Limits::NONE);
            let mut came = 0;
            while inflating.find(&mut inbox, true).unwrap().is_some() {
                came += inflating.take_up_to(usize::MAX).unwrap().payload.len();
            }
            assert_eq!(came, len);
        }
    }

    #[test]
    fn a_large_window_stays_while_large_messages_come() {
        let context = Context {
            takeover: true,
            window: WindowBits::MAX,
        };
        let mut deflating = Deflating::new(&Deflate::new(), context);
        let mut inflating = Inflating::new(context, Limits::NONE);
        let mut size_after = |len| {
            let packed = deflating.message(&vec![7; len]).unwrap();
            let mut inbox = inbox(0xc2, packed.as_bytes());
            while inflating.find(&mut inbox, false).unwrap().is_some() {
                assert_eq!(inflating.take_up_to(len).unwrap().payload.len(), len);
            }
            inflating.rest();
            inflating.inflater.as_ref().unwrap().buffer().len()
        };
        let window = context.window.bytes();
        // While it is filled it stays small.
        assert_eq!(size_after(100), 100 + room_behind(context));
        assert!(size_after(16 << 10) < window);
        for _ in 0..9 {
            size_after(16 << 10);
        }
        assert_eq!(size_after(16 << 10), pool::SIZE);
        assert_eq!(size_after(100), window + room_behind(context));
    }
}
