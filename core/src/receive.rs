use crate::bytes::is_ascii;
use crate::frame::{Header, Mask, Opcode, PartialHeader, Portable, Unmask};
use crate::utf8::{Utf8, is_utf8};
use crate::{CloseCode, Control, Error, Event, Kind, Limits, Role, What};

mod header_rules;

/// Decides, byte by byte, whether what the peer sends is allowed now (RFC 6455 sections 5 and 8.1).
///
/// It holds no payload: [`next`](Self::next) unmasks in the buffer it is given and hands pieces of
/// that buffer out. A message larger than the buffer comes in pieces, and control frames between
/// them, at any place where the RFC allows them.
#[derive(Clone, Debug)]
pub struct Receiver {
    state: State,
    frame_limit: u64,
    message_limit: u64,
    /// Payload bytes that the frames to come of the open message may declare.
    message_left: u64,
    fragment_limit: u32,
    /// How many they may be.
    fragments_left: u32,
    utf8: Utf8,
    role: Role,
    /// The kind of the open message, and whether RSV1 marked it.
    open: Option<(Kind, bool)>,
    rsv1: bool,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Between frames.
    Idle,
    /// Between frames, with a header that is not all there.
    Header(PartialHeader),
    /// Inside a frame.
    Payload(Frame),
    /// A Close frame came. Section 1.4: further data is discarded.
    Closed,
    /// The peer broke a rule.
    Failed(Error),
}

/// The frame being read.
#[derive(Clone, Copy, Debug)]
struct Frame {
    what: FrameKind,
    /// No piece of its message was handed out yet.
    start: bool,
    fin: bool,
    mask: Mask,
    remaining: u64,
}

/// [`What`] in one byte less, and how far the checks of a Close are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FrameKind {
    Data,
    Ping,
    Pong,
    /// A Close, before its code.
    Close,
    /// A Close with the first byte of its code.
    CloseCode(u8),
    /// A Close whose code was fine.
    CloseReason,
}

impl Receiver {
    /// For the end of the connection that plays `role`.
    #[must_use]
    #[inline]
    pub const fn new(role: Role, limits: Limits) -> Self {
        Self {
            state: State::Idle,
            frame_limit: limits.frame,
            message_limit: limits.message,
            message_left: 0,
            fragment_limit: limits.fragments,
            fragments_left: 0,
            utf8: Utf8::NEW,
            role,
            open: None,
            rsv1: false,
        }
    }

    /// Accepts RSV1 on the first frame of a message, for an extension that was negotiated.
    pub const fn allow_rsv1(&mut self) {
        self.rsv1 = true;
    }

    /// The next piece at the front of `input`, which shrinks by what was consumed.
    ///
    /// `Ok(None)`: all of `input` was consumed and more is needed. Call it until then, or keep the
    /// rest of `input` for the next call. After a Close frame all input is consumed and ignored.
    ///
    /// # Errors
    /// The rule that the peer broke. It is final: each later call returns it again.
    #[inline]
    pub fn next<'b>(&mut self, input: &mut &'b mut [u8]) -> Result<Option<Event<'b>>, Error> {
        self.next_by(Portable, input)
    }

    /// Like [`next`](Self::next), with another way to unmask.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline)]
    pub fn next_by<'b>(
        &mut self,
        unmask: impl Unmask,
        input: &mut &'b mut [u8],
    ) -> Result<Option<Event<'b>>, Error> {
        // Most frames are a whole short message: no state changes, so none is written.
        if self.is_between_messages()
            && let Some((kind, key, header, len)) = self.whole_message(input)
        {
            let Some((_, rest)) = core::mem::take(input).split_at_mut_checked(header) else {
                return Ok(None);
            };
            let Some((payload, rest)) = rest.split_at_mut_checked(len) else {
                return Ok(None);
            };
            *input = rest;
            self.whole(unmask, Mask::new(key), kind, payload)?;
            let what = What::Data {
                kind,
                compressed: false,
            };
            return Ok(Some(Event {
                what,
                payload,
                start: true,
                end: true,
            }));
        }
        self.next_general(unmask, input)
    }

    /// Kind, size of the header and of the payload of such a message, which counts as handed out.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(crate) fn whole_by(
        &mut self,
        unmask: impl Unmask,
        input: &mut [u8],
    ) -> Result<Option<(Kind, usize, usize)>, Error> {
        if !self.is_between_messages() {
            return Ok(None);
        }
        let Some((kind, key, header, len)) = self.whole_message(input) else {
            return Ok(None);
        };
        let payload = input.get_mut(header..).and_then(|rest| rest.get_mut(..len));
        self.whole(unmask, Mask::new(key), kind, payload.unwrap_or_default())?;
        Ok(Some((kind, header, len)))
    }

    /// Kind, masking key, size of the header and of the payload, if an unfragmented message of at
    /// most 65,535 bytes with nothing unusual about it is next and all there.
    #[inline]
    fn whole_message(&self, input: &[u8]) -> Option<(Kind, [u8; 4], usize, usize)> {
        let &[first, second, a, b, ..] = input else {
            return None;
        };
        let kind = match first {
            0x81 => Kind::Text,
            0x82 => Kind::Binary,
            _ => return None,
        };
        // A server's input is masked, a client's is not.
        let (len, front) = match (second ^ self.mask_bit(), u16::from_be_bytes([a, b])) {
            (len @ ..=125, _) => (usize::from(len), 2),
            (126, len @ 126..) => (usize::from(len), 4),
            _ => return None,
        };
        let (key, header) = match self.role {
            Role::Server => (*input.get(front..)?.first_chunk()?, front + 4),
            Role::Client => ([0; 4], front),
        };
        let fits = input.len() >= header + len
            && u64::try_from(len).ok()? <= self.frame_limit.min(self.message_limit)
            && self.fragment_limit > 0;
        fits.then_some((kind, key, header, len))
    }

    /// Section 5.1: what a frame of the peer has in the top bit of its second byte.
    #[inline]
    const fn mask_bit(&self) -> u8 {
        match self.role {
            Role::Server => 0x80,
            Role::Client => 0,
        }
    }

    #[cfg_attr(target_pointer_width = "64", inline(never))]
    fn next_general<'b>(
        &mut self,
        unmask: impl Unmask,
        input: &mut &'b mut [u8],
    ) -> Result<Option<Event<'b>>, Error> {
        let frame = match self.state {
            State::Payload(frame) => frame,
            State::Idle | State::Header(_) => match self.header(input)? {
                Some(header) => self.open(header),
                None => return Ok(None),
            },
            State::Failed(error) => return Err(error),
            State::Closed => {
                *input = &mut [];
                return Ok(None);
            }
        };
        self.payload(unmask, frame, input)
    }

    /// Ends the connection with an error that was found elsewhere (a buffer too small, text that
    /// is invalid after inflating): each later call of [`next`](Self::next) returns it.
    pub const fn fail(&mut self, error: Error) {
        if !matches!(self.state, State::Failed(_)) {
            self.state = State::Failed(error);
        }
    }

    /// The error that ended the connection, if one did.
    #[must_use]
    pub const fn error(&self) -> Option<Error> {
        match self.state {
            State::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// Whether the input may end here: not inside a frame nor inside a message.
    #[must_use]
    pub const fn is_between_messages(&self) -> bool {
        matches!(self.state, State::Idle) && self.open.is_none()
    }

    /// The data message that is unfinished.
    #[must_use]
    pub fn open_message(&self) -> Option<What> {
        self.open
            .map(|(kind, compressed)| What::Data { kind, compressed })
    }

    /// Of the frame that is being read: bytes of payload that are still to come, and whether it is
    /// the last of its message. `None` between frames.
    ///
    /// Together with the piece that was handed out last this tells the length of a frame before
    /// all of it is there, so that it can be passed on as it came.
    #[must_use]
    pub const fn rest_of_frame(&self) -> Option<(u64, bool)> {
        match self.state {
            State::Payload(frame) => Some((frame.remaining, frame.fin)),
            _ => None,
        }
    }

    /// The end of the connection that this is.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The limit that [`Limits::message`] set.
    #[must_use]
    pub const fn message_limit(&self) -> u64 {
        self.message_limit
    }

    /// The header at the front of the input, behind what came of it before. `None`: more is needed.
    #[inline]
    fn header(&mut self, input: &mut &mut [u8]) -> Result<Option<Header>, Error> {
        if input.is_empty() {
            return Ok(None);
        }
        // Most headers come whole, and are read where they are. A microcontroller has the one form for all.
        if cfg!(target_pointer_width = "64")
            && let State::Idle = self.state
        {
            match Header::decode_by(input, self) {
                Ok(Some((header, size))) => {
                    skip(input, size);
                    return Ok(Some(header));
                }
                Ok(None) => {}
                Err(error) => return Err(self.failed(error)),
            }
        }
        self.torn_header(input)
    }

    /// A header that need not be all there; some of it is.
    #[cfg_attr(target_pointer_width = "64", cold)]
    fn torn_header(&mut self, input: &mut &mut [u8]) -> Result<Option<Header>, Error> {
        let mut partial = match self.state {
            State::Header(partial) => partial,
            _ => PartialHeader::NEW,
        };
        while let Some((byte, rest)) = core::mem::take(input).split_first_mut() {
            *input = rest;
            match partial.push(*byte, self) {
                Ok(true) => return Ok(Some(partial.header())),
                Ok(false) => {}
                Err(error) => return Err(self.failed(error)),
            }
        }
        self.state = State::Header(partial);
        Ok(None)
    }

    #[cold]
    fn failed(&mut self, error: Error) -> Error {
        self.state = State::Failed(error);
        error
    }

    /// A frame with this header begins.
    #[inline]
    fn open(&mut self, header: Header) -> Frame {
        let Header { opcode, len, .. } = header;
        let starts = matches!(opcode, Opcode::Text | Opcode::Binary);
        if starts {
            let kind = match opcode {
                Opcode::Text => Kind::Text,
                _ => Kind::Binary,
            };
            self.open = Some((kind, header.rsv1));
            self.message_left = self.message_limit;
            self.fragments_left = self.fragment_limit;
        }
        let what = match opcode {
            Opcode::Ping => FrameKind::Ping,
            Opcode::Pong => FrameKind::Pong,
            Opcode::Close => {
                self.utf8 = Utf8::NEW;
                FrameKind::Close
            }
            Opcode::Text | Opcode::Binary | Opcode::Continuation => {
                // The rules let no more come than there is left.
                self.message_left = self.message_left.wrapping_sub(len);
                self.fragments_left = self.fragments_left.wrapping_sub(1);
                FrameKind::Data
            }
        };
        Frame {
            what,
            start: starts || opcode.is_control(),
            fin: header.fin,
            mask: Mask::new(header.mask.unwrap_or([0; 4])),
            remaining: len,
        }
    }

    /// Takes as much of the payload as is there.
    #[inline]
    fn payload<'b>(
        &mut self,
        unmask: impl Unmask,
        mut frame: Frame,
        input: &mut &'b mut [u8],
    ) -> Result<Option<Event<'b>>, Error> {
        if frame.remaining > 0 && input.is_empty() {
            self.state = State::Payload(frame);
            return Ok(None);
        }
        // A length that does not fit a `usize` is longer than any input.
        let take = usize::try_from(frame.remaining)
            .unwrap_or(usize::MAX)
            .min(input.len());
        let Some((payload, rest)) = core::mem::take(input).split_at_mut_checked(take) else {
            return Ok(None);
        };
        *input = rest;
        frame.remaining -= u64::try_from(take).unwrap_or(frame.remaining);
        let done = frame.remaining == 0;
        let start = frame.start;
        let is_text = frame.what == FrameKind::Data && self.open == Some((Kind::Text, false));
        let ascii = self.unmask(unmask, &mut frame.mask, payload, is_text);
        let (what, end) = match (frame.what, self.open) {
            (FrameKind::Data, Some((kind, compressed))) => {
                let end = done && frame.fin;
                if is_text {
                    self.check_text(ascii, end, payload)?;
                }
                if end {
                    self.open = None;
                }
                (What::Data { kind, compressed }, end)
            }
            _ => (self.control(&mut frame, done, payload)?, done),
        };
        if done && what == What::Control(Control::Close) {
            self.state = State::Closed;
        } else if done {
            self.state = State::Idle;
        } else {
            frame.start = false;
            self.state = State::Payload(frame);
        }
        Ok(Some(Event {
            what,
            payload,
            start,
            end,
        }))
    }

    /// The payload of a whole message.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline)]
    fn whole(
        &mut self,
        unmask: impl Unmask,
        mut mask: Mask,
        kind: Kind,
        payload: &mut [u8],
    ) -> Result<(), Error> {
        let ascii = self.unmask(unmask, &mut mask, payload, kind == Kind::Text);
        let fine = ascii || kind == Kind::Binary || is_utf8(payload);
        // Section 8.1.
        if fine {
            Ok(())
        } else {
            Err(self.failed(Error::Utf8))
        }
    }

    /// Section 8.1: fail as soon as the text cannot become UTF-8, and if it ends inside a character.
    #[inline]
    fn check_text(&mut self, ascii: bool, end: bool, payload: &[u8]) -> Result<(), Error> {
        let fine = (ascii && self.utf8.is_complete()) || self.utf8.push(payload);
        if !fine || (end && !self.utf8.is_complete()) {
            return Err(self.failed(Error::Utf8));
        }
        Ok(())
    }

    /// Unmasks what a client sent; tells of a text whether it is ASCII.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn unmask(
        &self,
        unmask: impl Unmask,
        mask: &mut Mask,
        payload: &mut [u8],
        is_text: bool,
    ) -> bool {
        // On 32 bits there is one form for both.
        let checks = is_text || cfg!(not(target_pointer_width = "64"));
        match self.role {
            Role::Server if checks => unmask.apply_text(mask, payload),
            Role::Server => {
                unmask.apply(mask, payload);
                false
            }
            Role::Client => is_text && is_ascii(payload),
        }
    }

    fn control(
        &mut self,
        frame: &mut Frame,
        done: bool,
        payload: &mut [u8],
    ) -> Result<What, Error> {
        match frame.what {
            FrameKind::Ping => Ok(What::Control(Control::Ping)),
            FrameKind::Pong | FrameKind::Data => Ok(What::Control(Control::Pong)),
            FrameKind::Close | FrameKind::CloseCode(_) | FrameKind::CloseReason => {
                match check_close(frame.what, &mut self.utf8, done, payload) {
                    Ok(what) => frame.what = what,
                    Err(error) => return Err(self.failed(error)),
                }
                Ok(What::Control(Control::Close))
            }
        }
    }
}

/// Drops the first `n` bytes.
#[inline]
fn skip(input: &mut &mut [u8], n: usize) {
    *input = core::mem::take(input).get_mut(n..).unwrap_or_default();
}

/// Section 5.5.1: two bytes of code, then a reason in UTF-8. Tells how far the frame is now.
fn check_close(
    mut what: FrameKind,
    utf8: &mut Utf8,
    done: bool,
    mut payload: &[u8],
) -> Result<FrameKind, Error> {
    while what != FrameKind::CloseReason {
        let Some((&byte, rest)) = payload.split_first() else {
            return Ok(what);
        };
        payload = rest;
        what = match what {
            FrameKind::CloseCode(high) => {
                if !CloseCode::new(u16::from_be_bytes([high, byte])).is_sendable() {
                    return Err(Error::CloseCode);
                }
                FrameKind::CloseReason
            }
            _ => FrameKind::CloseCode(byte),
        };
    }
    if utf8.push(payload) && (!done || utf8.is_complete()) {
        Ok(what)
    } else {
        Err(Error::CloseReason)
    }
}

// Section 3 of the design: what one connection costs is known when it is compiled.
const _: () = assert!(size_of::<Receiver>() <= 64);
