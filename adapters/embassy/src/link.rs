//! What both halves of a connection share: the transport, the sender, and what is owed.

use core::cell::RefCell;
use core::fmt;

use wirelet::frame::{Header, Mask};
use wirelet::{
    Connection, Control, Head, Instant, Kind, Masking, Role, SendError, Sender, Timeout,
};

use crate::step::{self, Need};
use crate::transport::{Ready, Transport};
use crate::{Config, Error, clock};

/// The least room for output that a transport must have, in bytes: a control frame of 125 bytes
/// with the longest header.
pub const MIN_ROOM: usize = Header::MAX_LEN + 125;

#[derive(Debug)]
pub(crate) struct Link<'b, T> {
    pub(crate) io: RefCell<T>,
    pub(crate) out: RefCell<Outgoing<'b>>,
    role: Role,
}

/// What goes out, and when to give up. Never borrowed across an await.
#[derive(Debug)]
pub(crate) struct Outgoing<'b> {
    sender: Sender<Keys<'b>>,
    pub(crate) connection: Connection,
    /// How long a write may make no progress, in milliseconds.
    idle: Option<u32>,
    /// The frame whose payload is not all written, with what is missing. Nothing else fits in.
    open: Option<(Option<Mask>, u64)>,
    /// What the receiving side owes waits for room: for that long, and not just since it last
    /// heard something.
    owing: Option<Stall>,
    /// A control frame was staged and not flushed.
    pub(crate) unflushed: bool,
    /// Nothing goes out any more.
    pub(crate) ended: bool,
}

/// Something waits for room.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stall {
    since: Instant,
    /// Bytes of room then: more is progress.
    room: usize,
}

/// Where a client's masking keys come from. A value and not a type, so that firmware that is server
/// and client has the code of a connection once.
pub(crate) enum Keys<'b> {
    /// A server masks nothing.
    Server,
    /// A client has a source, or it is none.
    Client(Random<'b>),
}

/// Makes four bytes that nobody can predict (RFC 6455 section 10.3), from the hardware's generator
/// of random numbers: masking keys, and the nonce of a client's handshake.
pub type Random<'b> = &'b mut dyn FnMut() -> [u8; 4];

impl Keys<'_> {
    pub(crate) const fn role(&self) -> Role {
        match self {
            Self::Server => Role::Server,
            Self::Client(_) => Role::Client,
        }
    }
}

impl Masking for Keys<'_> {
    fn next_key(&mut self) -> Option<[u8; 4]> {
        match self {
            Self::Server => None,
            Self::Client(random) => Some(random()),
        }
    }
}

impl fmt::Debug for Keys<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.role().fmt(f)
    }
}

/// What became of a [`Need`]; `Ok(None)`: nothing, but there is something to do.
pub(crate) type Got<T> = Result<Option<Ready>, Error<<T as Transport>::Error>>;

/// What a step needs before the next one; `Ok(None)`: there is none.
pub(crate) type Needs<T> = Result<Option<Need>, Error<<T as Transport>::Error>>;

/// Whose deadlines count: one who only sends does not know how long the peer was silent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Receive,
    Send,
}

impl<'b, T: Transport> Link<'b, T> {
    pub(crate) fn new(io: RefCell<T>, keys: Keys<'b>, config: &Config) -> Self {
        let role = keys.role();
        let now = clock::now();
        let mut connection = Connection::new(role, config.timeouts, now);
        connection.opened(now);
        let out = RefCell::new(Outgoing {
            sender: Sender::new(keys),
            connection,
            idle: config
                .timeouts
                .idle
                .and_then(|idle| u32::try_from(idle.as_millis()).ok()),
            open: None,
            owing: None,
            unflushed: false,
            ended: false,
        });
        Self { io, out, role }
    }

    /// Stages what is owed, unless a frame is open. `Some`: so many bytes of room would have to be
    /// there for it.
    pub(crate) fn pay(&self) -> Result<Option<usize>, Error<T::Error>> {
        let out = &mut *self.out.borrow_mut();
        if out.open.is_some() {
            return Ok(None);
        }
        while let Some(owed) = out.connection.owed() {
            let io = &mut *self.io.try_borrow_mut().map_err(|_| Error::Busy)?;
            let needed = self.header(owed.payload.len()) + owed.payload.len();
            if io.room() < needed {
                possible(io, needed)?;
                return Ok(Some(needed));
            }
            // It refuses only what follows a Close, and then nothing is owed.
            if let Ok(mut head) = out.sender.control(owed.control, owed.payload.len()) {
                stage(io, &mut head, owed.payload);
            }
            out.connection.paid(clock::now());
            out.unflushed = true;
        }
        Ok(None)
    }

    /// Bytes of room, when nothing is owed and there are `needed`; else what that takes. For as
    /// long as there is some progress it is worth waiting for.
    pub(crate) fn room(&self, needed: usize) -> Result<Result<usize, Need>, Error<T::Error>> {
        self.may_send()?;
        let owed = self.pay()?;
        let io = self.io.try_borrow().map_err(|_| Error::Busy)?;
        possible(&*io, needed)?;
        let room = io.room();
        let needed = match owed {
            None if room >= needed => return Ok(Ok(room)),
            None => needed,
            Some(owed) => owed,
        };
        // Any progress is a sign of life.
        Ok(Err(step::room(needed.min(room + 1))))
    }

    /// Goes on step by step until there is no need for anything more, and is told at each what
    /// became of the last one.
    pub(crate) async fn receive(
        &self,
        step: &mut dyn FnMut(Option<Got<T>>) -> Needs<T>,
    ) -> Result<(), Error<T::Error>> {
        let mut got = None;
        while let Some(need) = step(got)? {
            got = Some(self.get(need, Side::Receive).await);
        }
        Ok(())
    }

    /// Goes on step by step until all is staged, then sends it if that is to be.
    pub(crate) async fn send(
        &self,
        flush: bool,
        step: &mut dyn FnMut() -> Needs<T>,
    ) -> Result<(), Error<T::Error>> {
        let mut staged = false;
        loop {
            let mut need = None;
            if !staged {
                need = step()?;
                staged = need.is_none();
            }
            if staged && !flush {
                return Ok(());
            }
            let got = self.get(need.unwrap_or(Need::Flush), Side::Send).await?;
            if staged && got.is_some() {
                return Ok(());
            }
        }
    }

    /// Waits for what is needed. `Ok(None)`: in vain, but there is something to do.
    ///
    /// # Errors
    /// The transport's; [`Error::Timeout`]. They end the connection.
    pub(crate) async fn get(&self, need: Need, side: Side) -> Got<T> {
        let stall = self.stall(need, side)?;
        let deadline = || self.out.borrow().deadline(side, stall);
        let got = step::get(&self.io, need, &deadline).await;
        self.got(got, need, side, stall)
    }

    /// What something that waits from now on waits for.
    ///
    /// # Errors
    /// [`SendError::Closed`] when nothing goes out any more; [`Error::Busy`].
    fn stall(&self, need: Need, side: Side) -> Result<Option<Stall>, Error<T::Error>> {
        if matches!(need, Need::Close) {
            return Ok(None);
        }
        let out = &mut *self.out.borrow_mut();
        if out.ended {
            return Err(Error::Send(SendError::Closed));
        }
        let room = self.io.try_borrow().map_err(|_| Error::Busy)?.room();
        let since = clock::now();
        let mut stall = Some(Stall { since, room });
        if let Need::Wait(want) = need {
            stall = stall.filter(|_| want.room > 0);
            if side == Side::Receive {
                stall = match (stall, out.owing) {
                    (Some(now), Some(before)) if now.room <= before.room => Some(before),
                    (now, _) => now,
                };
                out.owing = stall;
            }
        }
        Ok(stall)
    }

    /// `None`: the deadline has passed, which is perhaps no reason to give up.
    fn got(
        &self,
        got: Option<Result<Ready, Error<T::Error>>>,
        need: Need,
        side: Side,
        stall: Option<Stall>,
    ) -> Got<T> {
        let got = match got {
            Some(got) => got.map(Some),
            None => self
                .on_timeout(side, stall)
                .map_or(Ok(None), |timeout| Err(Error::Timeout(timeout))),
        };
        let out = &mut *self.out.borrow_mut();
        match &got {
            Ok(Some(_)) if matches!(need, Need::Flush) => out.unflushed = false,
            // A future that was not let near the transport has done it no harm.
            Ok(_) | Err(Error::Busy) => {}
            Err(_) => out.ended = true,
        }
        got
    }

    fn on_timeout(&self, side: Side, stall: Option<Stall>) -> Option<Timeout> {
        let now = clock::now();
        let out = &mut *self.out.borrow_mut();
        let gone_on = |stall: Stall| self.io.try_borrow().is_ok_and(|io| io.room() > stall.room);
        if out.gives_up(stall).is_some_and(|at| at <= now) && !stall.is_some_and(gone_on) {
            return Some(Timeout::Idle);
        }
        match side {
            Side::Send if out.connection.is_open() => None,
            _ => out.connection.on_timeout(now),
        }
    }

    /// Stages a frame of a message, for which there is [room](Self::room).
    pub(crate) fn data(
        &self,
        kind: Kind,
        payload: &[u8],
        fin: bool,
    ) -> Result<(), Error<T::Error>> {
        self.begin(kind, payload, length(payload), fin)
    }

    /// Begins a frame of `len` bytes, whose payload [goes on](Self::go_on) behind this one. There is
    /// [room](Self::room) for it.
    pub(crate) fn begin(
        &self,
        kind: Kind,
        payload: &[u8],
        len: u64,
        fin: bool,
    ) -> Result<(), Error<T::Error>> {
        let mask = self.frame(payload, |sender| sender.data(kind, len, fin))?;
        let missing = len.saturating_sub(length(payload));
        self.out.borrow_mut().open = (missing > 0).then_some((mask, missing));
        Ok(())
    }

    /// Writes as much of the payload of the open frame as it wants and there is room for; tells how
    /// much.
    pub(crate) fn go_on(&self, payload: &[u8]) -> Result<usize, Error<T::Error>> {
        let mut io = self.io.try_borrow_mut().map_err(|_| Error::Busy)?;
        let out = &mut *self.out.borrow_mut();
        let Some((mask, missing)) = &mut out.open else {
            return Ok(0);
        };
        let wanted = usize::try_from(*missing).unwrap_or(usize::MAX);
        let n = put(&mut *io, &payload[..wanted.min(payload.len())], mask);
        *missing -= length(&payload[..n]);
        if *missing == 0 {
            out.open = None;
        }
        Ok(n)
    }

    /// Bytes that the open frame still wants.
    pub(crate) fn missing(&self) -> u64 {
        self.out.borrow().open.as_ref().map_or(0, |(_, n)| *n)
    }

    /// Stages a control frame, for which there is [room](Self::room).
    pub(crate) fn control(&self, control: Control, payload: &[u8]) -> Result<(), Error<T::Error>> {
        self.frame(payload, |sender| sender.control(control, payload.len()))?;
        Ok(())
    }

    fn frame(
        &self,
        payload: &[u8],
        head: impl FnOnce(&mut Sender<Keys<'b>>) -> Result<Head, SendError>,
    ) -> Result<Option<Mask>, Error<T::Error>> {
        self.may_send()?;
        if self.missing() > 0 {
            return Err(Error::Send(SendError::FrameOpen));
        }
        let mut io = self.io.try_borrow_mut().map_err(|_| Error::Busy)?;
        if io.room() < self.header(payload.len()) + payload.len() {
            return Err(Error::Send(SendError::Full));
        }
        let mut head = head(&mut self.out.borrow_mut().sender)?;
        stage(&mut *io, &mut head, payload);
        Ok(head.mask)
    }

    /// The message that was begun and not ended.
    pub(crate) fn open_message(&self) -> Option<Kind> {
        self.out.borrow().sender.open_message()
    }

    pub(crate) fn may_send(&self) -> Result<(), Error<T::Error>> {
        let out = self.out.borrow();
        if out.ended || !out.connection.is_open() {
            return Err(Error::Send(SendError::Closed));
        }
        Ok(())
    }

    /// Bytes of room that there can ever be.
    pub(crate) fn capacity(&self) -> Result<usize, Error<T::Error>> {
        Ok(self.io.try_borrow().map_err(|_| Error::Busy)?.capacity())
    }

    /// Bytes of the header in front of so many bytes of payload (RFC 6455 section 5.2).
    // Smaller than its seven copies.
    #[inline(never)]
    pub(crate) const fn header(&self, payload: usize) -> usize {
        let length = match payload {
            ..=125 => 2,
            126..=0xffff => 4,
            _ => 10,
        };
        match self.role {
            Role::Server => length,
            Role::Client => length + 4,
        }
    }
}

impl Outgoing<'_> {
    fn deadline(&self, side: Side, stall: Option<Stall>) -> Option<Instant> {
        let silence = match side {
            Side::Send if self.connection.is_open() => None,
            _ => self.connection.poll_timeout(),
        };
        match (silence, self.gives_up(stall)) {
            (Some(silence), Some(stall)) => Some(silence.min(stall)),
            (silence, stall) => silence.or(stall),
        }
    }

    /// When a write that makes no progress is given up.
    fn gives_up(&self, stall: Option<Stall>) -> Option<Instant> {
        let since = stall?.since.as_millis();
        Some(Instant::from_millis(
            since.saturating_add(self.idle?.into()),
        ))
    }
}

/// What is more than a transport ever has room for is not waited for.
pub(crate) fn possible<T: Transport>(io: &T, needed: usize) -> Result<(), Error<T::Error>> {
    if needed > io.capacity() {
        return Err(Error::Send(SendError::Full));
    }
    Ok(())
}

/// Writes a frame for which there is room.
fn stage<T: Transport>(io: &mut T, head: &mut Head, payload: &[u8]) {
    put(io, &head.header, &mut None);
    put(io, payload, &mut head.mask);
}

/// Writes as much of `bytes` as there is room for, masked on the way; tells how much.
pub(crate) fn put<T: Transport>(io: &mut T, bytes: &[u8], mask: &mut Option<Mask>) -> usize {
    let mut done = 0;
    // A ring has its room in two pieces at most, and then in none.
    while let Some(rest @ [_, ..]) = bytes.get(done..) {
        let n = io.output(|room| match mask {
            Some(mask) => mask.copy(rest, room),
            None => copy(rest, room),
        });
        if n == 0 {
            break;
        }
        done += n;
    }
    done
}

pub(crate) fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// Copies as many bytes as both have; tells how many.
pub(crate) fn copy(from: &[u8], to: &mut [u8]) -> usize {
    let n = from.len().min(to.len());
    to[..n].copy_from_slice(&from[..n]);
    n
}
