use heapless::Vec;

use crate::{Error, bytes};

/// The header of a frame (RFC 6455 section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Header {
    /// The last frame of its message.
    pub fin: bool,
    /// The first reserved bit: set by permessage-deflate on the first frame of a message.
    pub rsv1: bool,
    /// What the frame is.
    pub opcode: Opcode,
    /// The masking key, if the payload is masked.
    pub mask: Option<[u8; 4]>,
    /// Payload length in bytes, below 2^63.
    pub len: u64,
}

/// A header as it stands on the wire.
pub type EncodedHeader = Vec<u8, { Header::MAX_LEN }, u8>;

impl Header {
    /// The longest header: 2 bytes, a 64-bit length, a masking key.
    pub const MAX_LEN: usize = 14;

    /// Reads the header at the front of `bytes`, and tells how many bytes it took.
    ///
    /// `Ok(None)` asks for more bytes; it is no error. A wrong byte is refused as soon as it is
    /// seen, whether or not the rest of the header has arrived.
    ///
    /// # Errors
    /// [`Error::ReservedBit`] for RSV2 and RSV3, [`Error::ReservedOpcode`],
    /// [`Error::ControlFragmented`], [`Error::ControlTooLong`], [`Error::LengthNotMinimal`],
    /// [`Error::LengthTopBit`]: what a header says for itself. What depends on the connection
    /// (masking, RSV1, the order of fragments) is checked by [`Receiver`](crate::Receiver).
    #[inline]
    pub fn decode(bytes: &[u8]) -> Result<Option<(Self, usize)>, Error> {
        Self::decode_by(bytes, &AnyHeader)
    }

    /// Like [`decode`](Self::decode), with the rules of a connection, each at the byte that settles it: the
    /// error is the same however many bytes more were there.
    // The receiver of a microcontroller does without: it takes each byte by itself, in less flash.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(crate) fn decode_by(
        bytes: &[u8],
        rules: &impl HeaderRules,
    ) -> Result<Option<(Self, usize)>, Error> {
        let Some((&first, rest)) = bytes.split_first() else {
            return Ok(None);
        };
        let opcode = Self::first_byte(first, rules)?;
        let (fin, rsv1) = (first & 0x80 != 0, first & 0x40 != 0);
        let Some((&second, rest)) = rest.split_first() else {
            return Ok(None);
        };
        let (masked, short) = Self::second_byte(opcode, second, rules)?;
        let Some((len, rest)) = length(short, rest, |len| rules.len(opcode, len))? else {
            return Ok(None);
        };
        let mask = match rest.first_chunk::<4>() {
            _ if !masked => None,
            Some(key) => Some(*key),
            None => return Ok(None),
        };
        let behind = rest.len().wrapping_sub(if masked { 4 } else { 0 });
        let header = Self {
            fin,
            rsv1,
            opcode,
            mask,
            len,
        };
        Ok(Some((header, bytes.len().wrapping_sub(behind))))
    }

    /// Judges the first byte.
    #[inline]
    pub(super) fn first_byte(byte: u8, rules: &impl HeaderRules) -> Result<Opcode, Error> {
        // Section 5.2: RSV2 and RSV3 have no meaning in any extension known here.
        if byte & 0x30 != 0 {
            return Err(Error::ReservedBit);
        }
        let opcode = Opcode::from_bits(byte & 0x0f).ok_or(Error::ReservedOpcode)?;
        // Section 5.5: control frames must not be fragmented.
        if opcode.is_control() && byte & 0x80 == 0 {
            return Err(Error::ControlFragmented);
        }
        rules.first(opcode, byte & 0x40 != 0)?;
        Ok(opcode)
    }

    /// Judges the second byte: whether the payload is masked, and the short form of its length.
    #[inline]
    pub(super) fn second_byte(
        opcode: Opcode,
        byte: u8,
        rules: &impl HeaderRules,
    ) -> Result<(bool, u8), Error> {
        let (masked, short) = (byte & 0x80 != 0, byte & 0x7f);
        // Section 5.5: control frames have at most 125 bytes, so no extended length.
        if opcode.is_control() && short > 125 {
            return Err(Error::ControlTooLong);
        }
        rules.second(opcode, masked, short)?;
        Ok((masked, short))
    }

    /// The bytes of this header, with the length in its shortest form.
    #[must_use]
    pub fn encode(&self) -> EncodedHeader {
        let mut out = EncodedHeader::new();
        self.encode_into(&mut out);
        out
    }

    /// Writes this header to the front of `to`, where there is room for the longest; tells its size.
    #[inline]
    pub(crate) fn encode_at(self, to: &mut [u8]) -> usize {
        let first = u8::from(self.fin) << 7 | u8::from(self.rsv1) << 6 | self.opcode.bits();
        let Ok(len) = u16::try_from(self.len) else {
            return self.encode_long_at(to);
        };
        let [high, low] = len.to_be_bytes();
        match (len, self.mask) {
            (..=125, None) => put(to, [first, low]),
            (..=125, Some([a, b, c, d])) => put(to, [first, 0x80 | low, a, b, c, d]),
            (_, None) => put(to, [first, 126, high, low]),
            (_, Some([a, b, c, d])) => put(to, [first, 0x80 | 126, high, low, a, b, c, d]),
        }
    }

    // By value: a header that somebody has the address of is in memory, not in registers.
    #[inline(never)]
    fn encode_long_at(self, to: &mut [u8]) -> usize {
        bytes::copy(&self.encode(), to)
    }

    /// Like [`encode`](Self::encode), at the place where the bytes are to stay; there are none yet.
    #[inline]
    pub(crate) fn encode_into(&self, out: &mut EncodedHeader) {
        let first = u8::from(self.fin) << 7 | u8::from(self.rsv1) << 6 | self.opcode.bits();
        let masked = if self.mask.is_some() { 0x80 } else { 0 };
        let (short, skip) = match (u8::try_from(self.len), u16::try_from(self.len)) {
            (Ok(len @ ..=125), _) => (len, 8),
            (_, Ok(_)) => (126, 6),
            _ => (127, 0),
        };
        let long = self.len.to_be_bytes();
        let long = long.get(skip..).unwrap_or_default();
        // Byte by byte: a copy of a few bytes by a call takes longer. The capacity is the longest
        // header, so that there is room.
        let mut put = |byte| {
            let _ = out.push(byte);
        };
        put(first);
        put(masked | short);
        long.iter().copied().for_each(&mut put);
        self.mask.iter().flatten().copied().for_each(&mut put);
    }
}

#[inline]
fn put<const N: usize>(to: &mut [u8], bytes: [u8; N]) -> usize {
    if let Some(to) = to.first_chunk_mut() {
        *to = bytes;
    }
    N
}

/// What a connection allows now; each rule is asked as soon as it can be.
pub(crate) trait HeaderRules {
    /// What the first byte says.
    fn first(&self, opcode: Opcode, rsv1: bool) -> Result<(), Error>;
    /// What the second byte says.
    fn second(&self, opcode: Opcode, masked: bool, short_len: u8) -> Result<(), Error>;
    /// The payload has so many bytes, or more while some of the length are missing.
    fn len(&self, opcode: Opcode, at_least: u64) -> Result<(), Error>;
}

/// No more than what a header says for itself.
pub(super) struct AnyHeader;

impl HeaderRules for AnyHeader {
    fn first(&self, _: Opcode, _: bool) -> Result<(), Error> {
        Ok(())
    }

    fn second(&self, _: Opcode, _: bool, _: u8) -> Result<(), Error> {
        Ok(())
    }

    fn len(&self, _: Opcode, _: u64) -> Result<(), Error> {
        Ok(())
    }
}

/// The length of the payload, and what stands behind it.
#[cfg_attr(target_pointer_width = "64", inline(always))]
fn length(
    short: u8,
    bytes: &[u8],
    allowed: impl Fn(u64) -> Result<(), Error>,
) -> Result<Option<(u64, &[u8])>, Error> {
    if short < 126 {
        allowed(u64::from(short))?;
        return Ok(Some((u64::from(short), bytes)));
    }
    let (size, settled, least) = match short {
        // Section 5.2: the minimal number of bytes must be used, and behind six zeros two would do.
        126 => (2, 2, 126),
        _ => (8, 6, 1 << 16),
    };
    let (long, rest) = bytes.split_at_checked(size).unwrap_or((bytes, &[]));
    let mut len = 0;
    // Bytes that are not there yet count as 0.
    for i in 0..size {
        len = len << 8 | u64::from(long.get(i).copied().unwrap_or(0));
    }
    // Section 5.2: the most significant bit must be 0.
    if len >> 63 != 0 {
        return Err(Error::LengthTopBit);
    }
    if long.len() >= settled && len < least {
        return Err(Error::LengthNotMinimal);
    }
    allowed(len)?;
    Ok((long.len() == size).then_some((len, rest)))
}

/// What a frame is (RFC 6455 section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Opcode {
    /// The next fragment of the message that is open.
    Continuation = 0,
    /// A message of text, or its first fragment.
    Text = 1,
    /// A message of bytes, or its first fragment.
    Binary = 2,
    /// The end of the connection, from the sender's side.
    Close = 8,
    /// Asks for a Pong with the same payload.
    Ping = 9,
    /// Answers a Ping, or says "still here" unasked.
    Pong = 10,
}

impl Opcode {
    /// Close, Ping or Pong: never fragmented, at most 125 bytes.
    #[must_use]
    #[inline]
    pub const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }

    #[inline]
    pub(crate) const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::Continuation),
            1 => Some(Self::Text),
            2 => Some(Self::Binary),
            8 => Some(Self::Close),
            9 => Some(Self::Ping),
            10 => Some(Self::Pong),
            _ => None,
        }
    }

    #[expect(clippy::as_conversions, reason = "the number of each variant")]
    #[inline]
    const fn bits(self) -> u8 {
        self as u8
    }
}
