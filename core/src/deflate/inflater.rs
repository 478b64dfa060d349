//! Messages out of the events of a receiver: inflated, checked, within the limits.

use super::inflate::{Inflate, Step};
use super::{Context, InflateError};
use crate::utf8::Utf8;
use crate::{Error, Event, Found, Kind, Limits, What, bytes};

/// Assembles messages, compressed or not, in one lent buffer that is also the window, behind a
/// [`Receiver`](crate::Receiver) that [allows RSV1](crate::Receiver::allow_rsv1).
///
/// Each event with data goes to [`ready`](Self::ready) (whole messages) or
/// [`ready_piece`](Self::ready_piece) (messages of any size), which takes from it what it needs;
/// [`take`](Self::take) lends what was found. The two may be mixed.
///
/// | the peer's [`Context`] | the buffer holds | largest whole message, inflated |
/// |---|---|---|
/// | without takeover | the message, and nothing between messages | the buffer |
/// | with takeover | the window, and the message behind it | the buffer less the window |
///
/// What no longer fits behind the window makes the window move to the front of the buffer: give it
/// room for several messages or pieces behind the window and that is rare.
///
/// The decoder, which is most of its size, is a part of it, or [lent](Self::lent) like the buffer.
///
/// ```
/// use wirelet::deflate::{Context, Inflater};
/// use wirelet::{Limits, Receiver, Role, What};
///
/// let mut receiver = Receiver::new(Role::Client, Limits::default());
/// receiver.allow_rsv1();
/// let mut buffer = [0; 64];
/// let mut inflater = Inflater::new(&mut buffer, Context::NO_TAKEOVER, Limits::default()).unwrap();
///
/// // "Hello" compressed, in one frame (RFC 7692 section 7.2.3.1), and as it is.
/// let mut wire = *b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\x81\x05Hello";
/// let mut input = &mut wire[..];
/// let mut messages = 0;
/// while let Some(mut event) = receiver.next(&mut input)? {
///     if let What::Control(_) = event.what {
///         continue; // `Connection::on_event`
///     }
///     while inflater.ready(&mut event)?.is_some() { // on an error: `Connection::fail`
///         assert_eq!(inflater.take().unwrap().payload, b"Hello");
///         messages += 1;
///     }
/// }
/// assert_eq!(messages, 2);
/// # Ok::<(), wirelet::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Inflater<B, I = Inflate> {
    inflate: I,
    buffer: B,
    context: Context,
    /// Inflated bytes a message may have.
    limit: u64,
    /// Those of the open message.
    total: u64,
    /// What was not taken yet: from here to `at`.
    from: usize,
    at: usize,
    open: Option<Open>,
    found: Option<Found>,
    failure: Option<Error>,
    utf8: Utf8,
}

/// The message that is being assembled.
#[derive(Clone, Copy, Debug)]
struct Open {
    kind: Kind,
    compressed: bool,
    /// A piece of it was handed out.
    started: bool,
    /// Bytes of what is found that were taken already.
    taken: usize,
    /// How much of [`TAIL`] was inflated.
    tail: usize,
}

/// A message, or a piece of one. It is the window for what comes, so it cannot be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inflated<'b> {
    /// Text or bytes.
    pub kind: Kind,
    /// Text is UTF-8; in pieces, a character may be cut.
    pub payload: &'b [u8],
    /// The first piece.
    pub start: bool,
    /// The last piece.
    pub end: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Policy {
    Whole,
    /// Whole messages, and of larger ones as much as there is room for.
    Full,
    /// As whole messages, in a buffer that its owner replaces by a larger one.
    Growing,
    Pieces,
}

/// One byte in this many of the buffer: to gain less, what is in it is not moved if it can grow.
const WORTH_MOVING: usize = 16;

impl<B: AsRef<[u8]> + AsMut<[u8]>> Inflater<B> {
    /// For what the peer sends, as it was
    /// [agreed](super::Agreement::received_by). Of the limits it takes [`Limits::message`], and
    /// counts inflated bytes; the receiver's own count is of what is on the wire.
    ///
    /// # Errors
    /// The buffer, if the context is taken over and the buffer is no larger than the window.
    pub fn new(buffer: B, context: Context, limits: Limits) -> Result<Self, B> {
        Self::lent(buffer, Inflate::new(context.window), context, limits)
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>, I: AsMut<Inflate>> Inflater<B, I> {
    /// As [`new`](Inflater::new), with a decoder that somebody lends, as `&mut Inflate` or in a
    /// wrapper of their own. What it did before is forgotten.
    ///
    /// # Errors
    /// As [`new`](Inflater::new).
    pub fn lent(buffer: B, mut inflate: I, context: Context, limits: Limits) -> Result<Self, B> {
        if context.takeover && buffer.as_ref().len() <= context.window.bytes() {
            return Err(buffer);
        }
        inflate.as_mut().restart(context.window);
        Ok(Self::made(buffer, inflate, context, limits))
    }

    /// As [`lent`](Self::lent), for an owner who [replaces](Self::replace) the buffer by a larger one
    /// when it [is full](Self::is_full), and uses [`ready_growing`](Self::ready_growing). It may be
    /// empty.
    pub fn growing(buffer: B, mut inflate: I, context: Context, limits: Limits) -> Self {
        inflate.as_mut().restart(context.window);
        Self::made(buffer, inflate, context, limits)
    }

    const fn made(buffer: B, inflate: I, context: Context, limits: Limits) -> Self {
        Self {
            inflate,
            buffer,
            context,
            limit: limits.message,
            total: 0,
            from: 0,
            at: 0,
            open: None,
            found: None,
            failure: None,
            utf8: Utf8::NEW,
        }
    }

    /// Takes from an event with data what is needed for a whole message. It stays found until it
    /// is [taken](Self::take); call this again with the same event until it returns `None`, then
    /// with the next one. A control frame is left as it is.
    ///
    /// # Errors
    /// [`Error::Inflate`], [`Error::Utf8`]; [`Error::MessageTooLarge`] if the message has more
    /// bytes than the limit or the buffer allows. Final: tell the [`Receiver`](crate::Receiver)
    /// with [`fail`](crate::Receiver::fail).
    pub fn ready(&mut self, event: &mut Event<'_>) -> Result<Option<Found>, Error> {
        self.find(event, Policy::Whole)
    }

    /// Like [`ready`](Self::ready), but what is there of a message is found at once, at most a
    /// buffer full: so a message of any size passes, if the buffer is larger than the window of the
    /// peer.
    ///
    /// # Errors
    /// As [`ready`](Self::ready).
    pub fn ready_piece(&mut self, event: &mut Event<'_>) -> Result<Option<Found>, Error> {
        self.find(event, Policy::Pieces)
    }

    /// Like [`ready_piece`](Self::ready_piece), but pieces are as large as they can be: a message
    /// that fits the buffer is found when all of it is there, of a larger one what fills the
    /// buffer.
    ///
    /// # Errors
    /// As [`ready`](Self::ready). Of a compressed message that cannot pass through the buffer
    /// nothing is found.
    pub fn ready_full(&mut self, event: &mut Event<'_>) -> Result<Option<Found>, Error> {
        self.find(event, Policy::Full)
    }

    /// Like [`ready`](Self::ready), but a full buffer is no error: it is to be
    /// [replaced](Self::replace) by a larger one, and then this is to be called again with the same
    /// event.
    ///
    /// # Errors
    /// As [`ready`](Self::ready); of the sizes only the limit counts.
    pub fn ready_growing(&mut self, event: &mut Event<'_>) -> Result<Option<Found>, Error> {
        self.find(event, Policy::Growing)
    }

    /// Lends what was found. `None` if nothing was.
    pub fn take(&mut self) -> Option<Inflated<'_>> {
        let found = self.found.take()?;
        let open = self.open.as_mut()?;
        let taken = core::mem::take(&mut open.taken);
        let (kind, span) = (open.kind, self.from.saturating_add(taken)..self.at);
        open.started = true;
        // What was not compressed is no part of the window (section 7.2.2).
        if open.compressed {
            self.from = self.at;
        } else {
            self.at = self.from;
        }
        if found.end {
            self.open = None;
        }
        Some(Inflated {
            kind,
            payload: self.buffer.as_ref().get(span)?,
            start: found.start,
            end: found.end,
        })
    }

    /// Like [`take`](Self::take), but at most `max` bytes of it: the rest stays found, as the next
    /// piece.
    pub fn take_up_to(&mut self, max: usize) -> Option<Inflated<'_>> {
        let (found, open) = (self.found?, self.open.as_mut()?);
        let from = self.from.saturating_add(open.taken);
        if self.at.saturating_sub(from) <= max {
            return self.take();
        }
        open.started = true;
        open.taken = open.taken.saturating_add(max);
        self.found = Some(Found {
            start: false,
            ..found
        });
        Some(Inflated {
            kind: open.kind,
            payload: self.buffer.as_ref().get(from..from.saturating_add(max))?,
            start: found.start,
            end: false,
        })
    }

    /// Bytes of what was found that were not taken yet.
    pub fn left(&self) -> usize {
        match (self.found, self.open) {
            (Some(_), Some(open)) => self.at.saturating_sub(self.from).saturating_sub(open.taken),
            _ => 0,
        }
    }

    /// What was found and not taken yet.
    pub const fn found(&self) -> Option<Found> {
        self.found
    }

    /// No message is open: without takeover nothing is worth keeping.
    pub const fn is_between_messages(&self) -> bool {
        self.open.is_none()
    }

    /// The open message needs a larger buffer.
    pub fn is_full(&self) -> bool {
        self.found.is_none() && self.open.is_some() && self.at >= self.buffer.as_ref().len()
    }

    /// Bytes that a new buffer has to have at least: the window, and what was not taken.
    pub fn len(&self) -> usize {
        self.at.saturating_sub(self.past())
    }

    /// Nothing has to be kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Exchanges the buffer. What is needed of it moves to the front of the new one; if it does
    /// not fit, nothing changes and the new buffer comes back as the error.
    ///
    /// # Errors
    /// The new buffer, if it is smaller than [`len`](Self::len), or if something found was not
    /// taken yet.
    pub fn replace(&mut self, mut buffer: B) -> Result<B, B> {
        if self.found.is_some() {
            return Err(buffer);
        }
        let past = self.past();
        let len = self.at.saturating_sub(past);
        let from = self.buffer.as_ref().get(past..self.at);
        match (from, buffer.as_mut().get_mut(..len)) {
            (Some(from), Some(to)) => bytes::copy(from, to),
            _ => return Err(buffer),
        };
        self.from = self.from.saturating_sub(past);
        self.at = len;
        Ok(core::mem::replace(&mut self.buffer, buffer))
    }

    /// Gives the buffer and the decoder back, and forgets the window.
    pub fn into_parts(self) -> (B, I) {
        (self.buffer, self.inflate)
    }

    /// The error that ended the connection, if one did here.
    pub const fn error(&self) -> Option<Error> {
        self.failure
    }

    /// The buffer.
    pub const fn buffer(&self) -> &B {
        &self.buffer
    }

    fn find(&mut self, event: &mut Event<'_>, policy: Policy) -> Result<Option<Found>, Error> {
        if let Some(error) = self.failure {
            return Err(error);
        }
        if self.found.is_some() {
            return Ok(self.found);
        }
        let What::Data { kind, compressed } = event.what else {
            return Ok(None);
        };
        if core::mem::take(&mut event.start) {
            self.start(kind, compressed);
        }
        let Some(mut open) = self.open else {
            return Ok(None);
        };
        let found = self.advance(event, &mut open, policy);
        match found {
            Ok(found) => {
                self.open = Some(open);
                self.found = found;
            }
            Err(error) => self.failure = Some(error),
        }
        found
    }

    fn start(&mut self, kind: Kind, compressed: bool) {
        // Section 7.2.2: without takeover each message begins with an empty window.
        if !self.context.takeover {
            self.at = 0;
        }
        self.from = self.at;
        self.total = 0;
        self.utf8 = Utf8::NEW;
        self.open = Some(Open {
            kind,
            compressed,
            started: false,
            taken: 0,
            tail: 0,
        });
    }

    fn advance(
        &mut self,
        event: &mut Event<'_>,
        open: &mut Open,
        policy: Policy,
    ) -> Result<Option<Found>, Error> {
        loop {
            match self.step(event, open, policy)? {
                Step::Room if self.room(open, policy) == Some(0) => {
                    return Err(Error::MessageTooLarge);
                }
                Step::Room if self.compact(policy) => {}
                // Nothing of it is handed out if the rest cannot be.
                Step::Room if policy == Policy::Full && open.compressed && !self.passes() => {
                    return Err(Error::MessageTooLarge);
                }
                Step::Room
                    if matches!(policy, Policy::Pieces | Policy::Full) && self.at > self.from =>
                {
                    return Ok(Some(offer(open, false)));
                }
                Step::Room if policy == Policy::Growing => return Ok(None),
                // Not even the window has room.
                Step::Room => return Err(Error::MessageTooLarge),
                Step::Input if event.end => {
                    self.check_end(open)?;
                    event.end = false;
                    return Ok(Some(offer(open, true)));
                }
                Step::Input if policy == Policy::Pieces && self.at > self.from => {
                    return Ok(Some(offer(open, false)));
                }
                Step::Input => return Ok(None),
            }
        }
    }

    /// Whether a compressed message that is larger than the buffer can pass through it.
    fn passes(&self) -> bool {
        self.buffer.as_ref().len() > self.context.window.bytes()
    }

    /// How many bytes the open message may still have; `None` for more than any buffer.
    fn room(&self, open: &Open, policy: Policy) -> Option<usize> {
        let left = usize::try_from(self.limit.saturating_sub(self.total)).ok();
        if policy != Policy::Whole || open.started {
            return left;
        }
        // The same for every message, whatever lies in the window just now.
        let window = if self.context.takeover {
            self.context.window.bytes()
        } else {
            0
        };
        let most = self.buffer.as_ref().len().saturating_sub(window);
        let fits = most.saturating_sub(self.at.saturating_sub(self.from));
        Some(left.unwrap_or(fits).min(fits))
    }

    /// Goes on until the event, and the tail behind the last one, or the room is used up.
    fn step(
        &mut self,
        event: &mut Event<'_>,
        open: &mut Open,
        policy: Policy,
    ) -> Result<Step, Error> {
        let room = self.room(open, policy);
        let step = self.fill(event, open, room)?;
        if step != Step::Input || !event.end || !open.compressed {
            return Ok(step);
        }
        // Section 7.2.2: these four bytes were taken off by the sender.
        let mut tail = TAIL.get(open.tail..).unwrap_or_default();
        let room = self.room(open, policy);
        let step = self.inflate(&mut tail, open, room);
        open.tail = TAIL.len().saturating_sub(tail.len());
        step
    }

    fn fill(
        &mut self,
        event: &mut Event<'_>,
        open: &Open,
        room: Option<usize>,
    ) -> Result<Step, Error> {
        let payload = core::mem::take(&mut event.payload);
        let mut input = &*payload;
        let step = if open.compressed {
            self.inflate(&mut input, open, room)
        } else {
            Ok(self.copy(&mut input, room))
        };
        let used = payload.len().saturating_sub(input.len());
        if let Some((_, rest)) = payload.split_at_mut_checked(used) {
            event.payload = rest;
        }
        step
    }

    fn inflate(
        &mut self,
        input: &mut &[u8],
        open: &Open,
        room: Option<usize>,
    ) -> Result<Step, Error> {
        let out = up_to(self.buffer.as_mut(), self.at, room);
        let before = self.at;
        let step = self.inflate.as_mut().next(input, out, &mut self.at);
        let new = out.get(before..self.at).unwrap_or_default();
        self.total = self.total.saturating_add(count(new));
        // RFC 6455 section 8.1. Before an error behind it, so that the split does not matter.
        if open.kind == Kind::Text && !self.utf8.push(new) {
            return Err(Error::Utf8);
        }
        step.map_err(Error::Inflate)
    }

    /// What was not compressed; the receiver has checked it.
    fn copy(&mut self, input: &mut &[u8], room: Option<usize>) -> Step {
        let out = up_to(self.buffer.as_mut(), self.at, room);
        let n = bytes::copy(input, out.get_mut(self.at..).unwrap_or_default());
        self.total = self
            .total
            .saturating_add(count(input.get(..n).unwrap_or_default()));
        self.at = self.at.saturating_add(n);
        *input = input.get(n..).unwrap_or_default();
        if input.is_empty() {
            Step::Input
        } else {
            Step::Room
        }
    }

    fn check_end(&mut self, open: &Open) -> Result<(), Error> {
        if !open.compressed {
            return Ok(());
        }
        // RFC 6455 section 8.1.
        if open.kind == Kind::Text && !self.utf8.is_complete() {
            return Err(Error::Utf8);
        }
        // Section 7.2.1: the sender ends a message with a block of its own.
        if self.inflate.as_mut().is_between_blocks() {
            Ok(())
        } else {
            Err(Error::Inflate(InflateError::Unfinished))
        }
    }

    /// Moves the window, and what was not taken, to the front. `false`: it is there already, or
    /// as good as there.
    fn compact(&mut self, policy: Policy) -> bool {
        let past = self.past();
        let least = match policy {
            Policy::Growing => self.buffer.as_ref().len() / WORTH_MOVING,
            Policy::Whole | Policy::Full | Policy::Pieces => 0,
        };
        if past <= least {
            return false;
        }
        let len = self.at.saturating_sub(past);
        bytes::move_within(self.buffer.as_mut(), past, len, 0);
        self.from = self.from.saturating_sub(past);
        self.at = len;
        true
    }

    /// How many bytes at the front of the buffer are of no use any more.
    fn past(&self) -> usize {
        let history = match self.open {
            Some(Open {
                compressed: true, ..
            }) => self.at,
            // What was not compressed is no part of the window.
            _ => self.from,
        };
        if self.open.is_none() && !self.context.takeover {
            return self.at;
        }
        self.from
            .min(history.saturating_sub(self.context.window.bytes()))
    }
}

/// The buffer, with at most `room` bytes behind `at`.
fn up_to(buffer: &mut [u8], at: usize, room: Option<usize>) -> &mut [u8] {
    let end = at.saturating_add(room.unwrap_or(usize::MAX));
    let end = end.min(buffer.len());
    buffer.get_mut(..end).unwrap_or_default()
}

fn offer(open: &Open, end: bool) -> Found {
    Found {
        what: What::Data {
            kind: open.kind,
            compressed: open.compressed,
        },
        start: !open.started,
        end,
    }
}

fn count(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// Section 7.2.2.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// What a connection costs beside its buffers is known when it is compiled.
const _: () = assert!(size_of::<Inflater<&mut [u8]>>() <= 2048);
