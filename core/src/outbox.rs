use crate::frame::{Header, Mask};
use crate::{CloseCode, Control, Kind, Masking, SendError, Sender, bytes};

/// Stages frames in one lent buffer, with a [`Sender`] in front.
///
/// [`data`](Self::data) and [`control`](Self::control) put a whole frame in or leave everything as it
/// was; [`begin`](Self::begin) and [`write`](Self::write) send a frame of any size through the
/// buffer in pieces. What is [`pending`](Self::pending) goes to the socket, in as many writes as
/// it takes; each is announced with [`sent`](Self::sent).
///
/// ```
/// use wirelet::{Kind, Outbox, Sender, Unmasked};
/// let mut outbox = Outbox::new([0; 64], Sender::new(Unmasked));
/// outbox.data(Kind::Text, b"Hello")?;
/// assert_eq!(outbox.pending(), b"\x81\x05Hello");
/// outbox.sent(7);
/// assert!(outbox.pending().is_empty());
/// # Ok::<(), wirelet::SendError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Outbox<B, M> {
    buffer: B,
    sender: Sender<M>,
    start: usize,
    end: usize,
    /// The frame whose payload is not all written, with what is missing.
    open: Option<(Option<Mask>, u64)>,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>, M: Masking> Outbox<B, M> {
    /// Nothing staged.
    pub const fn new(buffer: B, sender: Sender<M>) -> Self {
        Self {
            buffer,
            sender,
            start: 0,
            end: 0,
            open: None,
        }
    }

    /// Stages a whole unfragmented message.
    ///
    /// # Errors
    /// [`SendError::Full`] if it does not fit the room that is left; [`SendError::FrameOpen`],
    /// [`SendError::MessageOpen`], [`SendError::Closed`]. Nothing was staged then.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub fn data(&mut self, kind: Kind, payload: &[u8]) -> Result<(), SendError> {
        self.fits(payload.len())?;
        if cfg!(not(target_pointer_width = "64")) {
            // No form of its own where flash is scarce.
            if self.sender.open_message().is_some() {
                return Err(SendError::MessageOpen);
            }
            self.begin(kind, length(payload), true)?;
            self.write(payload);
            return Ok(());
        }
        let header = Header {
            fin: true,
            rsv1: false,
            opcode: self.sender.whole(kind)?,
            mask: self.sender.next_key(),
            len: length(payload),
        };
        let to = self.buffer.as_mut().get_mut(self.end..).unwrap_or_default();
        let front = header.encode_at(to);
        let to = to.get_mut(front..).unwrap_or_default();
        // All of it fits, so the frame is never open.
        let n = match header.mask {
            Some(key) => Mask::new(key).copy(payload, to),
            None => bytes::copy(payload, to),
        };
        self.end = self.end.saturating_add(front).saturating_add(n);
        Ok(())
    }

    /// Stages a whole unfragmented message that is compressed already, as
    /// [`Sender::compressed`] says.
    ///
    /// # Errors
    /// As [`data`](Self::data).
    #[cfg(feature = "deflate")]
    pub fn compressed(&mut self, kind: Kind, payload: &[u8]) -> Result<(), SendError> {
        self.fits(payload.len())?;
        if self.sender.open_message().is_some() {
            return Err(SendError::MessageOpen);
        }
        self.begin_compressed(kind, length(payload), true)?;
        self.write(payload);
        Ok(())
    }

    /// Stages a whole control frame.
    ///
    /// # Errors
    /// As [`data`](Self::data), without [`SendError::MessageOpen`]; [`SendError::ControlTooLong`];
    /// [`SendError::CloseCode`] for a Close whose payload does not begin with a code that may be
    /// sent. That its reason is UTF-8 is up to the caller.
    pub fn control(&mut self, control: Control, payload: &[u8]) -> Result<(), SendError> {
        if self.open.is_some() {
            return Err(SendError::FrameOpen);
        }
        if payload.len() <= 125 {
            self.fits(payload.len())?;
        }
        // Section 7.4: codes that never are on the wire.
        if let (Control::Close, Some((code, _))) = (control, payload.split_first_chunk())
            && !CloseCode::new(u16::from_be_bytes(*code)).is_sendable()
        {
            return Err(SendError::CloseCode);
        }
        let head = self.sender.control(control, payload.len())?;
        self.open = Some((head.mask, length(payload)));
        self.put(&head.header);
        self.write(payload);
        Ok(())
    }

    /// Stages the header of a data frame whose `len` bytes of payload follow through
    /// [`write`](Self::write). Without `fin` the message goes on in the next frame.
    ///
    /// # Errors
    /// [`SendError::Full`] if the longest header does not fit; [`SendError::FrameOpen`],
    /// [`SendError::MessageOpen`], [`SendError::Closed`]. Nothing was staged then.
    pub fn begin(&mut self, kind: Kind, len: u64, fin: bool) -> Result<(), SendError> {
        self.fits(0)?;
        let head = self.sender.data(kind, len, fin)?;
        self.put(&head.header);
        self.open = (len > 0).then_some((head.mask, len));
        Ok(())
    }

    /// Like [`begin`](Self::begin), for a frame of a message that is compressed already, as
    /// [`Sender::compressed`] says.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    #[cfg(feature = "deflate")]
    pub fn begin_compressed(&mut self, kind: Kind, len: u64, fin: bool) -> Result<(), SendError> {
        self.fits(0)?;
        let head = self.sender.compressed(kind, len, fin)?;
        self.put(&head.header);
        self.open = (len > 0).then_some((head.mask, len));
        Ok(())
    }

    /// Stages as much of `payload` as the open frame wants and the room allows; tells how much.
    pub fn write(&mut self, payload: &[u8]) -> usize {
        let Some((mask, missing)) = &mut self.open else {
            return 0;
        };
        let wanted = usize::try_from(*missing)
            .unwrap_or(usize::MAX)
            .min(payload.len());
        let payload = payload.get(..wanted).unwrap_or_default();
        let to = self.buffer.as_mut().get_mut(self.end..).unwrap_or_default();
        let n = match mask {
            Some(mask) => mask.copy(payload, to),
            None => bytes::copy(payload, to),
        };
        self.end = self.end.saturating_add(n);
        self.skip(n);
        n
    }

    /// The next `n` bytes of the open frame's payload go to the socket beside this buffer, behind
    /// what is pending: how an unmasked payload leaves in a vectored write, without a copy.
    pub fn skip(&mut self, n: usize) {
        if let Some((_, missing)) = &mut self.open {
            *missing = missing.saturating_sub(u64::try_from(n).unwrap_or(u64::MAX));
            if *missing == 0 {
                self.open = None;
            }
        }
    }

    /// What is to be written to the socket.
    pub fn pending(&self) -> &[u8] {
        self.buffer
            .as_ref()
            .get(self.start..self.end)
            .unwrap_or_default()
    }

    /// The first `n` bytes of [`pending`](Self::pending) were written.
    pub fn sent(&mut self, n: usize) {
        self.start = self.start.saturating_add(n).min(self.end);
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
    }

    /// The payload of the open frame has to be masked, so it must go through
    /// [`write`](Self::write), not beside the buffer.
    pub fn is_masked(&self) -> bool {
        matches!(self.open, Some((Some(_), _)))
    }

    /// All that is staged are whole messages, and control frames; another message may begin.
    #[inline]
    pub fn is_between_messages(&self) -> bool {
        self.open.is_none() && self.sender.open_message().is_none() && !self.sender.is_closed()
    }

    /// Bytes of payload that the open frame still wants.
    pub fn missing(&self) -> u64 {
        self.open.as_ref().map_or(0, |(_, missing)| *missing)
    }

    /// Bytes of room.
    pub fn room(&self) -> usize {
        self.buffer.as_ref().len().saturating_sub(self.end)
    }

    /// Exchanges the buffer if nothing is pending; otherwise the new one comes back as the error.
    ///
    /// # Errors
    /// The new buffer, if something is pending.
    pub fn replace(&mut self, buffer: B) -> Result<B, B> {
        if self.pending().is_empty() {
            Ok(core::mem::replace(&mut self.buffer, buffer))
        } else {
            Err(buffer)
        }
    }

    /// Begins anew over the same buffer: what was staged is gone.
    #[inline]
    pub fn restart(&mut self, sender: Sender<M>) {
        self.sender = sender;
        (self.start, self.end) = (0, 0);
        self.open = None;
    }

    /// The buffer.
    pub const fn buffer(&self) -> &B {
        &self.buffer
    }

    /// What decides on the frames.
    pub const fn sender(&self) -> &Sender<M> {
        &self.sender
    }

    /// Room for the longest header and `len` bytes behind it, and no frame open.
    fn fits(&mut self, len: usize) -> Result<(), SendError> {
        if self.open.is_some() {
            return Err(SendError::FrameOpen);
        }
        if self.sender.is_closed() {
            return Err(SendError::Closed);
        }
        let wanted = Header::MAX_LEN.saturating_add(len);
        if wanted > self.room() {
            self.compact();
        }
        if wanted > self.room() {
            Err(SendError::Full)
        } else {
            Ok(())
        }
    }

    /// What was sent makes place.
    #[cold]
    fn compact(&mut self) {
        let len = self.end.saturating_sub(self.start);
        bytes::move_within(self.buffer.as_mut(), self.start, len, 0);
        (self.start, self.end) = (0, len);
    }

    fn put(&mut self, header: &[u8]) {
        let to = self.buffer.as_mut().get_mut(self.end..).unwrap_or_default();
        self.end = self.end.saturating_add(bytes::copy(header, to));
    }
}

fn length(payload: &[u8]) -> u64 {
    u64::try_from(payload.len()).unwrap_or(u64::MAX)
}
