use crate::frame::{Portable, Unmask};
use crate::{Error, Event, Kind, Receiver, What, bytes};

/// Assembles whole messages in place in one lent buffer, with a [`Receiver`] in front.
///
/// Bytes from the socket are written to [`spare`](Self::spare) and announced with
/// [`filled`](Self::filled); [`ready`](Self::ready) then decides what is there and
/// [`take`](Self::take) lends it. A message in one frame is not copied; each further fragment is
/// moved once, next to the one before. A message may be as large as the buffer, if no frame follows
/// its last byte: for the header of an empty last fragment there would be no room.
///
/// ```
/// use wirelet::{Inbox, Limits, Receiver, Role};
/// let mut inbox = Inbox::new([0; 512], Receiver::new(Role::Client, Limits::default()));
/// let wire = b"\x81\x05Hello"; // section 5.7: one unmasked frame
/// inbox.spare()[..wire.len()].copy_from_slice(wire);
/// inbox.filled(wire.len());
/// assert!(inbox.ready()?.is_some());
/// assert_eq!(inbox.take().unwrap().payload, b"Hello");
/// assert!(inbox.ready()?.is_none()); // more bytes are needed
/// # Ok::<(), wirelet::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Inbox<B> {
    buffer: B,
    receiver: Receiver,
    /// Where the message that is being assembled stands.
    message: Span,
    /// Bytes from the socket that the receiver has not seen: the receiver keeps torn headers for
    /// itself, so none are left when more are needed.
    raw: Span,
    found: Option<(Found, Span)>,
    /// The open message has pieces that were handed out already.
    started: bool,
}

/// What [`Inbox::take`] will lend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Found {
    /// A data message, or a control frame.
    pub what: What,
    /// The first piece of it.
    pub start: bool,
    /// The last piece of it. Both are always true for a data message from [`Inbox::ready`], unless
    /// pieces of it were taken before.
    pub end: bool,
}

/// What [`Inbox::lend`] will lend: a message in one frame.
#[derive(Debug)]
pub struct Whole {
    /// Text, and then it is UTF-8, or bytes.
    pub kind: Kind,
    at: usize,
    end: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Span {
    at: usize,
    len: usize,
}

impl Span {
    const fn end(self) -> usize {
        self.at.saturating_add(self.len)
    }
}

/// When data is handed out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Policy {
    Whole,
    Pieces,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Inbox<B> {
    /// An empty inbox over a buffer, which bounds the size of a whole message.
    pub fn new(buffer: B, receiver: Receiver) -> Self {
        let (message, raw) = (Span::default(), Span::default());
        Self {
            buffer,
            receiver,
            message,
            raw,
            found: None,
            started: false,
        }
    }

    /// Room for bytes from the socket, behind those that are there.
    ///
    /// What was taken makes place for it. Empty only if the open message fills the whole buffer
    /// ([`is_full`](Self::is_full)): then no more may be read, and it is not the end of the input.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub fn spare(&mut self) -> &mut [u8] {
        // Most often all that came was taken. No form of its own where flash is scarce.
        if cfg!(target_pointer_width = "64") && self.is_empty() {
            (self.message, self.raw) = (Span::default(), Span::default());
            return self.buffer.as_mut();
        }
        self.compact();
        let from = self.raw.end();
        self.buffer.as_mut().get_mut(from..).unwrap_or_default()
    }

    /// `n` bytes were written to the front of [`spare`](Self::spare).
    pub fn filled(&mut self, n: usize) {
        let room = self.buffer.as_ref().len().saturating_sub(self.raw.end());
        self.raw.len = self.raw.len.saturating_add(n.min(room));
    }

    /// Whether a whole message, or a control frame, is there. It stays found until it is
    /// [taken](Self::take).
    ///
    /// `Ok(None)`: more bytes are needed.
    ///
    /// # Errors
    /// The rule that the peer broke; [`Error::MessageTooLarge`] if the message needs more than
    /// the buffer. Final.
    #[inline]
    pub fn ready(&mut self) -> Result<Option<Found>, Error> {
        let found = self.find(Portable, Policy::Whole)?;
        if found.is_none() && self.is_full() {
            self.receiver.fail(Error::MessageTooLarge);
            return Err(Error::MessageTooLarge);
        }
        Ok(found)
    }

    /// Like [`ready`](Self::ready), but what is there of a message is found at once: so a message
    /// of any size passes through the buffer. An inbox whose owner gives it a larger buffer when
    /// it [is full](Self::is_full) uses [`ready_growing`](Self::ready_growing).
    ///
    /// # Errors
    /// The rule that the peer broke. Final.
    pub fn ready_piece(&mut self) -> Result<Option<Found>, Error> {
        self.ready_piece_by(Portable)
    }

    /// Like [`ready_piece`](Self::ready_piece), with another way to unmask.
    ///
    /// # Errors
    /// As [`ready_piece`](Self::ready_piece).
    pub fn ready_piece_by(&mut self, unmask: impl Unmask) -> Result<Option<Found>, Error> {
        // What `ready` has assembled so far is the first piece; none follows an error.
        if self.found.is_none()
            && self.message.len > 0
            && let (None, Some(what)) = (self.receiver.error(), self.receiver.open_message())
        {
            return Ok(self.offer(what, !self.started, false, self.message));
        }
        self.find(unmask, Policy::Pieces)
    }

    /// Like [`ready`](Self::ready), but a full buffer is no error: it is to be
    /// [replaced](Self::replace) by a larger one.
    ///
    /// # Errors
    /// The rule that the peer broke. Final.
    #[inline]
    pub fn ready_growing(&mut self) -> Result<Option<Found>, Error> {
        self.ready_growing_by(Portable)
    }

    /// Like [`ready_growing`](Self::ready_growing), with another way to unmask.
    ///
    /// # Errors
    /// As [`ready_growing`](Self::ready_growing).
    #[inline]
    pub fn ready_growing_by(&mut self, unmask: impl Unmask) -> Result<Option<Found>, Error> {
        self.find(unmask, Policy::Whole)
    }

    /// The next message, if all of it is there in one frame and nothing else comes before it: the
    /// short way for what is most frequent. It is to be [lent](Self::lend) at once.
    ///
    /// `None`: [`ready_growing_by`](Self::ready_growing_by) decides.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline)]
    pub fn whole_by(&mut self, unmask: impl Unmask) -> Option<Whole> {
        let raw = self.raw;
        if raw.len == 0 || self.found.is_some() || self.message.len > 0 {
            return None;
        }
        let input = self.buffer.as_mut().get_mut(raw.at..raw.end())?;
        // An error is met again.
        let (kind, header, len) = self.receiver.whole_by(unmask, input).ok()??;
        let at = raw.at.saturating_add(header);
        let end = at.saturating_add(len);
        self.raw = Span {
            at: end,
            len: raw.end().saturating_sub(end),
        };
        Some(Whole { kind, at, end })
    }

    /// Lends the payload of what [`whole_by`](Self::whole_by) has just found.
    #[inline]
    pub fn lend(&mut self, whole: Whole) -> &mut [u8] {
        let Whole { at, end, .. } = whole;
        self.buffer.as_mut().get_mut(at..end).unwrap_or_default()
    }

    /// Lends what was found. `None` if nothing was.
    #[inline]
    pub fn take(&mut self) -> Option<Event<'_>> {
        let (found, span) = self.found.take()?;
        if let What::Data { .. } = found.what {
            self.message = Span::default();
            self.started = !found.end;
        }
        let payload = self.buffer.as_mut().get_mut(span.at..span.end())?;
        Some(Event {
            what: found.what,
            payload,
            start: found.start,
            end: found.end,
        })
    }

    /// Like [`take`](Self::take), but at most `max` bytes of it: the rest stays found, as the next
    /// piece.
    pub fn take_up_to(&mut self, max: usize) -> Option<Event<'_>> {
        let (found, span) = self.found?;
        if span.len <= max {
            return self.take();
        }
        let rest = Span {
            at: span.at.saturating_add(max),
            len: span.len.saturating_sub(max),
        };
        self.found = Some((
            Found {
                start: false,
                ..found
            },
            rest,
        ));
        if let What::Data { .. } = found.what {
            self.started = true;
        }
        let payload = self.buffer.as_mut().get_mut(span.at..rest.at)?;
        Some(Event {
            what: found.what,
            payload,
            start: found.start,
            end: false,
        })
    }

    /// Lends what was found without taking it: [`consume`](Self::consume) tells how much of it was
    /// of use.
    #[cfg(feature = "deflate")]
    pub fn peek(&mut self) -> Option<Event<'_>> {
        let (found, span) = self.found?;
        let payload = self.buffer.as_mut().get_mut(span.at..span.end())?;
        Some(Event {
            what: found.what,
            payload,
            start: found.start,
            end: found.end,
        })
    }

    /// The first `n` bytes of what was found are done with. The rest stays found as the next piece,
    /// even if it is empty, until it is [taken](Self::take).
    #[cfg(feature = "deflate")]
    pub fn consume(&mut self, n: usize) {
        if let Some((found, span)) = &mut self.found {
            let n = n.min(span.len);
            found.start = false;
            span.at = span.at.saturating_add(n);
            span.len = span.len.saturating_sub(n);
        }
    }

    /// Accepts RSV1, as [`Receiver::allow_rsv1`] does.
    #[cfg(feature = "deflate")]
    pub const fn allow_rsv1(&mut self) {
        self.receiver.allow_rsv1();
    }

    /// Ends the connection with an error that was found elsewhere: [`ready`](Self::ready) returns it
    /// from now on.
    pub const fn fail(&mut self, error: Error) {
        self.receiver.fail(error);
    }

    /// The open message fills the buffer.
    #[inline]
    pub fn is_full(&self) -> bool {
        let room = self.buffer.as_ref().len();
        self.found.is_none() && self.raw.len == 0 && room > 0 && self.message.len >= room
    }

    /// No byte is held: the buffer may be [replaced](Self::replace) by any other, even an empty one.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.found.is_none() && self.raw.len == 0 && self.message.len == 0
    }

    /// Bytes held: those not looked at yet and those of the message that is being assembled.
    #[inline]
    pub fn len(&self) -> usize {
        self.held().map_or(0, |held| held.len)
    }

    /// Exchanges the buffer. What is held moves to the front of the new one; if it does not fit,
    /// nothing changes and the new buffer comes back as the error.
    ///
    /// # Errors
    /// The new buffer, if it is smaller than [`len`](Self::len), or if something found was not
    /// taken yet.
    pub fn replace(&mut self, mut buffer: B) -> Result<B, B> {
        let Some(held) = self.held() else {
            return Err(buffer);
        };
        let from = self.buffer.as_ref().get(held.at..held.end());
        match (from, buffer.as_mut().get_mut(..held.len)) {
            (Some(from), Some(to)) => bytes::copy(from, to),
            _ => return Err(buffer),
        };
        self.moved(held.at);
        Ok(core::mem::replace(&mut self.buffer, buffer))
    }

    /// Begins anew over the same buffer: what was held is gone.
    #[inline]
    pub fn restart(&mut self, receiver: Receiver) {
        self.receiver = receiver;
        (self.message, self.raw) = (Span::default(), Span::default());
        self.found = None;
        self.started = false;
    }

    /// The buffer.
    pub const fn buffer(&self) -> &B {
        &self.buffer
    }

    /// What decides on the bytes.
    pub const fn receiver(&self) -> &Receiver {
        &self.receiver
    }

    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline)]
    fn find(&mut self, unmask: impl Unmask, policy: Policy) -> Result<Option<Found>, Error> {
        if let Some((found, _)) = self.found {
            return Ok(Some(found));
        }
        loop {
            let raw = self.raw;
            let Some(mut input) = self.buffer.as_mut().get_mut(raw.at..raw.end()) else {
                return Ok(None);
            };
            let event = self.receiver.next_by(unmask, &mut input)?;
            let event = event.map(|e| (e.what, e.start, e.end, e.payload.len()));
            self.raw = Span {
                at: raw.end().saturating_sub(input.len()),
                len: input.len(),
            };
            let Some((what, start, end, len)) = event else {
                return Ok(None);
            };
            // A piece ends where the rest of the input begins.
            let piece = Span {
                at: self.raw.at.saturating_sub(len),
                len,
            };
            if let What::Control(_) = what {
                return Ok(self.offer(what, start, end, piece));
            }
            self.append(piece);
            if end || policy == Policy::Pieces {
                return Ok(self.offer(what, !self.started, end, self.message));
            }
        }
    }

    fn offer(&mut self, what: What, start: bool, end: bool, span: Span) -> Option<Found> {
        let found = Found { what, start, end };
        self.found = Some((found, span));
        Some(found)
    }

    /// Puts a piece behind those that came before.
    #[inline]
    fn append(&mut self, piece: Span) {
        if self.message.len == 0 {
            self.message = piece;
            return;
        }
        let to = self.message.end();
        bytes::move_within(self.buffer.as_mut(), piece.at, piece.len, to);
        self.message.len = self.message.len.saturating_add(piece.len);
    }

    /// Makes room behind what is held.
    fn compact(&mut self) {
        let Some(held) = self.held() else { return };
        if self.raw.len == 0 {
            // Bytes that were consumed since the end of the message are free.
            self.raw.at = if held.len > 0 { held.end() } else { 0 };
        }
        if held.len == 0 {
            self.message = Span::default();
            return;
        }
        let size = self.buffer.as_ref().len();
        let room = size.saturating_sub(held.end());
        // A short remainder moves early, so that reads stay large; a long one as late as it can.
        let short = held.len <= held.at && room < size / 2;
        if held.at > 0 && (room == 0 || short) {
            bytes::move_within(self.buffer.as_mut(), held.at, held.len, 0);
            self.moved(held.at);
        }
    }

    /// What is held, in one piece; `None` while something found waits to be taken.
    fn held(&self) -> Option<Span> {
        match (self.found, self.message.len, self.raw.len) {
            (Some(_), ..) => None,
            (None, 0, _) => Some(self.raw),
            (None, _, 0) => Some(self.message),
            (None, ..) => {
                let len = self.raw.end().saturating_sub(self.message.at);
                Some(Span {
                    at: self.message.at,
                    len,
                })
            }
        }
    }

    /// What is held moved down by `by` bytes.
    fn moved(&mut self, by: usize) {
        self.message.at = self.message.at.saturating_sub(by);
        self.raw.at = if self.raw.len > 0 {
            self.raw.at.saturating_sub(by)
        } else {
            self.message.end()
        };
    }
}
