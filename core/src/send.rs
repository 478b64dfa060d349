use crate::frame::{EncodedHeader, Header, Mask, Opcode};
use crate::{Control, Kind, SendError};

/// Where masking keys come from: the difference between the roles as a sender sees it.
///
/// A client cannot be built without a source of keys, and a server never carries one.
pub trait Masking {
    /// The key for the next frame; `None` for a server, which does not mask (RFC 6455 section 5.1).
    fn next_key(&mut self) -> Option<[u8; 4]>;
}

/// A server's frames: not masked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unmasked;

impl Masking for Unmasked {
    fn next_key(&mut self) -> Option<[u8; 4]> {
        None
    }
}

/// A client's frames: masked with a fresh key each, from a function of the caller.
///
/// Section 10.3: the keys must not be predictable by who wrote the payload. Use the hardware's
/// random numbers, or a cryptographic generator seeded by it.
#[derive(Clone, Copy, Debug)]
pub struct Masked<F>(pub F);

impl<F: FnMut() -> [u8; 4]> Masking for Masked<F> {
    fn next_key(&mut self) -> Option<[u8; 4]> {
        Some((self.0)())
    }
}

/// Decides which frame may be sent now, and makes its header (RFC 6455 section 5).
///
/// It holds no payload: the caller sends the header and then exactly the payload it announced, in
/// as many pieces as it likes, masked with [`Head::mask`] if there is one. [`Outbox`](crate::Outbox)
/// does that in a buffer.
#[derive(Clone, Debug)]
pub struct Sender<M> {
    masking: M,
    open: Option<Kind>,
    closed: bool,
    /// The message that is open was begun by [`compressed`](Self::compressed).
    #[cfg(feature = "deflate")]
    compressed: bool,
}

/// The header of a frame, apart from its payload.
#[derive(Clone, Debug)]
pub struct Head {
    /// The bytes that come first.
    pub header: EncodedHeader,
    /// What the payload is to be masked with: a client's frames only.
    pub mask: Option<Mask>,
}

impl<M: Masking> Sender<M> {
    /// At the start of a connection.
    pub const fn new(masking: M) -> Self {
        Self {
            masking,
            open: None,
            closed: false,
            #[cfg(feature = "deflate")]
            compressed: false,
        }
    }

    /// A data frame with `len` bytes of payload; `fin` ends the message.
    ///
    /// The first frame of a message starts it, the next ones of the same kind continue it, until
    /// one has `fin`.
    ///
    /// # Errors
    /// [`SendError::Closed`]; [`SendError::MessageOpen`] if a message of the other kind is
    /// unfinished.
    #[inline]
    pub fn data(&mut self, kind: Kind, len: u64, fin: bool) -> Result<Head, SendError> {
        #[cfg(feature = "deflate")]
        self.continues(false)?;
        self.frame(kind, len, fin)
    }

    /// Like [`data`](Self::data), for a message whose payload, all frames together, is compressed
    /// as RFC 7692 section 7.2.1 says. Only after an [`Agreement`](crate::deflate::Agreement).
    ///
    /// # Errors
    /// As [`data`](Self::data); [`SendError::MessageOpen`] also if the unfinished message is not
    /// compressed.
    #[cfg(feature = "deflate")]
    pub fn compressed(&mut self, kind: Kind, len: u64, fin: bool) -> Result<Head, SendError> {
        self.continues(true)?;
        let starts = self.open.is_none();
        let mut head = self.frame(kind, len, fin)?;
        // RFC 7692 section 6: RSV1 on the first frame, and on no other.
        if let Some(first) = head.header.first_mut().filter(|_| starts) {
            *first |= 0x40;
        }
        self.compressed = !fin;
        Ok(head)
    }

    /// RFC 7692 section 6: a message is compressed as a whole or not at all.
    #[cfg(feature = "deflate")]
    const fn continues(&self, compressed: bool) -> Result<(), SendError> {
        if self.open.is_some() && !self.closed && self.compressed != compressed {
            return Err(SendError::MessageOpen);
        }
        Ok(())
    }

    #[inline]
    fn frame(&mut self, kind: Kind, len: u64, fin: bool) -> Result<Head, SendError> {
        let opcode = match (self.open, kind) {
            _ if self.closed => return Err(SendError::Closed),
            (None, Kind::Text) => Opcode::Text,
            (None, Kind::Binary) => Opcode::Binary,
            (Some(open), kind) if open == kind => Opcode::Continuation,
            // Section 5.4: fragments of messages are not interleaved.
            (Some(_), _) => return Err(SendError::MessageOpen),
        };
        self.open = if fin { None } else { Some(kind) };
        self.head(opcode, len, fin)
    }

    /// What the one frame of a whole message is; its key is the [next](Masking::next_key).
    #[inline]
    pub(crate) const fn whole(&self, kind: Kind) -> Result<Opcode, SendError> {
        match kind {
            _ if self.closed => Err(SendError::Closed),
            _ if self.open.is_some() => Err(SendError::MessageOpen),
            Kind::Text => Ok(Opcode::Text),
            Kind::Binary => Ok(Opcode::Binary),
        }
    }

    #[inline]
    pub(crate) fn next_key(&mut self) -> Option<[u8; 4]> {
        self.masking.next_key()
    }

    /// A control frame with `len` bytes of payload. It may stand between the frames of a message,
    /// not inside one.
    ///
    /// # Errors
    /// [`SendError::Closed`], [`SendError::ControlTooLong`]; [`SendError::CloseCode`] for a Close
    /// of one byte.
    pub fn control(&mut self, control: Control, len: usize) -> Result<Head, SendError> {
        if self.closed {
            return Err(SendError::Closed);
        }
        let len = match u8::try_from(len) {
            Ok(len @ ..=125) => u64::from(len),
            _ => return Err(SendError::ControlTooLong),
        };
        let opcode = match control {
            // Section 5.5.1: a code has two bytes.
            Control::Close if len == 1 => return Err(SendError::CloseCode),
            Control::Close => Opcode::Close,
            Control::Ping => Opcode::Ping,
            Control::Pong => Opcode::Pong,
        };
        // Section 5.5.1: no frame after a Close.
        self.closed = control == Control::Close;
        self.head(opcode, len, true)
    }

    /// The kind of the message that is unfinished.
    pub const fn open_message(&self) -> Option<Kind> {
        self.open
    }

    /// A Close frame was made: there will be no other.
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    // A `Result` made here, and by itself: a `Head` that moves is copied byte by byte on a Cortex-M, which
    // took 190 of the 480 instructions of an echo of 16 bytes.
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn head(&mut self, opcode: Opcode, len: u64, fin: bool) -> Result<Head, SendError> {
        let mask = self.masking.next_key();
        let mut result = Ok(Head {
            header: EncodedHeader::new(),
            mask: mask.map(Mask::new),
        });
        let header = Header {
            fin,
            rsv1: false,
            opcode,
            mask,
            len,
        };
        if let Ok(head) = &mut result {
            header.encode_into(&mut head.header);
        }
        result
    }
}

const _: () = assert!(size_of::<Sender<Unmasked>>() <= 4);
