//! Messages of a peer that may compress: between what the receiver lets through and what is handed
//! out. All messages of such a connection come this way, compressed or not, for they share the buffer
//! with the window.

use wirelet::deflate::{Agreement, Inflater};
use wirelet::{Event, Kind, Limits, What};

use super::{Incoming, Part, Reading};
use crate::Error;
use crate::deflate::{Agreed, Lease};
use crate::link::{Link, copy};
use crate::message::{Message, Piece};
use crate::transport::Transport;

/// What a connection needs to inflate.
#[derive(Debug)]
pub(super) struct Inflating<'b> {
    inflater: Inflater<&'b mut [u8], Lease<'b>>,
    agreement: Agreement,
    how: How,
    /// What is left of the newest event: the receiver has passed it.
    rest: Option<Rest>,
    /// The connection is being closed: nothing that comes is handed out any more.
    deaf: bool,
}

/// What is handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// Messages.
    Whole,
    /// What there is.
    Pieces,
    /// As much as the buffer holds, or a message.
    Full,
}

#[derive(Clone, Copy, Debug)]
struct Rest {
    what: What,
    /// Bytes at the front of the input, unmasked already.
    left: usize,
    end: bool,
}

impl<'b> Incoming<'b> {
    /// Has what comes inflated from now on, in the buffer for messages. `false`: the buffer is not
    /// larger than the window that it has to hold.
    pub(crate) fn inflate(&mut self, agreed: Agreed<'b>) -> bool {
        let Agreed { agreement, lease } = agreed;
        let buffer = core::mem::take(&mut self.message);
        let context = agreement.received_by(self.reading.role);
        let limits = Limits::NONE.with_message(self.reading.receiver.message_limit());
        let inflater = match Inflater::lent(buffer, lease, context, limits) {
            Ok(inflater) => inflater,
            Err(buffer) => {
                self.message = buffer;
                return false;
            }
        };
        self.reading.receiver.allow_rsv1();
        self.reading.inflating = Some(Inflating {
            inflater,
            agreement,
            how: How::Whole,
            rest: None,
            deaf: false,
        });
        true
    }

    pub(crate) fn agreement(&self) -> Option<Agreement> {
        let inflating = self.reading.inflating.as_ref()?;
        Some(inflating.agreement)
    }

    /// Waits for a whole message.
    pub(super) async fn inflated<T: Transport>(
        &mut self,
        link: &Link<'_, T>,
    ) -> Result<Option<Message<'_>>, Error<T::Error>> {
        if !self.reading.next(link, &mut |_| ()).await? {
            return Ok(None);
        }
        let inflating = self.reading.inflating.as_mut();
        let message = inflating.and_then(|inflating| inflating.inflater.take());
        Ok(message.map(|message| Message::of(message.kind, message.payload)))
    }
}

impl Reading<'_> {
    /// Whether messages may come compressed; then they are handed out like this.
    pub(super) fn inflates(&mut self, how: How) -> bool {
        let inflating = self.inflating.as_mut();
        inflating.is_some_and(|inflating| {
            inflating.how = how;
            true
        })
    }

    /// Hands out nothing more.
    pub(super) fn deafen(&mut self) {
        if let Some(inflating) = &mut self.inflating {
            inflating.deaf = true;
        }
    }

    /// Bytes at the front of the input that the receiver has passed.
    pub(super) fn passed(&self) -> usize {
        let rest = self.inflating.as_ref().and_then(|inflating| inflating.rest);
        rest.map_or(0, |rest| rest.left)
    }

    /// Goes on with what came before, if that takes no input; tells if a piece was handed out, and
    /// nothing if there was nothing to do.
    pub(super) fn go_on<T>(
        &mut self,
        limit: usize,
        link: &Link<'_, T>,
        take: &mut dyn FnMut(Part<'_>),
    ) -> Option<bool> {
        if self.passed() > 0 {
            return None;
        }
        let rest = self.inflating.as_mut()?.rest.take();
        let done = self.inflate(event(rest, &mut []), limit, link, take);
        done.or(rest.map(|_| false))
    }

    /// Goes on with what is left of an event at the front of `bytes`; tells how many it took, and
    /// if it handed out a piece.
    pub(super) fn look_again<T>(
        &mut self,
        bytes: &mut [u8],
        limit: usize,
        link: &Link<'_, T>,
        take: &mut dyn FnMut(Part<'_>),
    ) -> (usize, bool) {
        let passed = self.passed().min(bytes.len());
        let rest = self.inflating.as_mut().and_then(|one| one.rest.take());
        let event = event(rest, &mut bytes[..passed]);
        let piece = self.inflate(event, limit, link, take);
        (passed - self.passed(), piece == Some(true))
    }

    /// Inflates an event as far as something can be handed out, and hands it out; tells if it did.
    /// `None`: the event was used up before there was anything.
    pub(super) fn inflate<T>(
        &mut self,
        mut event: Event<'_>,
        limit: usize,
        link: &Link<'_, T>,
        take: &mut dyn FnMut(Part<'_>),
    ) -> Option<bool> {
        let inflating = self.inflating.as_mut()?;
        if inflating.deaf {
            return None;
        }
        let inflater = &mut inflating.inflater;
        let found = match inflating.how {
            // What is thrown away need not fit the buffer.
            _ if self.skip => inflater.ready_piece(&mut event),
            How::Whole => inflater.ready(&mut event),
            How::Pieces => inflater.ready_piece(&mut event),
            How::Full => inflater.ready_full(&mut event),
        };
        let found = match found {
            Ok(found) => found?,
            Err(error) => {
                self.fail(error, link);
                return Some(false);
            }
        };
        inflating.rest = (event.end || !event.payload.is_empty()).then_some(Rest {
            what: event.what,
            left: event.payload.len(),
            end: event.end,
        });
        if self.skip {
            inflater.take();
            self.skip = !found.end;
            return Some(false);
        }
        let mut payload = [0; PIECE];
        let most = match inflating.how {
            // It is taken by who waited for it.
            How::Whole => None,
            How::Pieces | How::Full => Some(limit.min(PIECE)),
        };
        let taken = most.and_then(|most| inflater.take_up_to(most));
        // The window must not be changed, so that a piece is a copy.
        let n = taken.map_or(0, |piece| copy(piece.payload, &mut payload));
        let piece = Piece {
            kind: taken.map_or(Kind::Binary, |piece| piece.kind),
            payload: &mut payload[..n],
            start: found.start,
            end: taken.is_some_and(|piece| piece.end),
        };
        take(Part {
            piece,
            left: u64::try_from(inflater.left()).unwrap_or(u64::MAX),
            fin: found.end,
        });
        Some(true)
    }
}

/// What is left of an event, or one that brings nothing.
fn event(rest: Option<Rest>, payload: &mut [u8]) -> Event<'_> {
    let nothing = What::Data {
        kind: Kind::Binary,
        compressed: false,
    };
    Event {
        what: rest.map_or(nothing, |rest| rest.what),
        payload,
        start: false,
        end: rest.is_some_and(|rest| rest.end),
    }
}

/// Bytes of a piece: it is on the stack while it is looked at.
const PIECE: usize = 256;
