//! What both halves of a connection share: the transport, the sender, and what is owed.

use core::cell::RefCell;
use core::fmt;
use core::time::Duration;

use embassy_futures::select::{Either, select};
use wirelet::frame::{Header, Mask};
use wirelet::{
    Connection, Control, Head, Instant, Kind, Masking, Role, SendError, Sender, Timeout,
};

use crate::transport::{Ready, Transport, Want};
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
    idle: Option<Duration>,
    /// The frame whose payload is not all written, with what is missing. Nothing else fits in.
    open: Option<(Option<Mask>, u64)>,
    /// Since when something waits for room, and there was no more of it.
    stalled: Option<Instant>,
    /// A control frame was staged and not flushed.
    pub(crate) unflushed: bool,
    /// Nothing goes out any more.
    pub(crate) ended: bool,
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
            idle: config.timeouts.idle,
            open: None,
            stalled: None,
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

    /// Waits until nothing is owed and there are `needed` bytes of room, which is how many there
    /// are then. For as long as there is some progress it waits on.
    pub(crate) async fn room(&self, needed: usize) -> Result<usize, Error<T::Error>> {
        loop {
            self.may_send()?;
            let owed = self.pay()?;
            let room = self.io.try_borrow().map_err(|_| Error::Busy)?.room();
            let needed = match owed {
                None if room >= needed => return Ok(room),
                None => needed,
                Some(owed) => owed,
            };
            let want = Want {
                input: false,
                // Any progress is a sign of life.
                room: needed.min(room + 1),
            };
            self.wait(want, Side::Send).await?;
        }
    }

    /// Sends all that is owed.
    pub(crate) async fn pay_all(&self) -> Result<(), Error<T::Error>> {
        while let Some(room) = self.pay()? {
            let want = Want { input: false, room };
            self.wait(want, Side::Send).await?;
        }
        self.flush(Side::Send).await
    }

    /// Waits for the transport. `None`: for nothing, but there is something to do.
    ///
    /// # Errors
    /// The transport's; [`Error::Timeout`]. They end the connection.
    pub(crate) async fn wait(
        &self,
        want: Want,
        side: Side,
    ) -> Result<Option<Ready>, Error<T::Error>> {
        let stalled = (want.room > 0).then(clock::now);
        self.out.borrow_mut().stalled = stalled;
        let ready = self.limit(T::wait(&self.io, want), side).await?;
        self.out.borrow_mut().stalled = None;
        Ok(ready)
    }

    /// Sends what is staged.
    pub(crate) async fn flush(&self, side: Side) -> Result<(), Error<T::Error>> {
        self.out.borrow_mut().stalled = Some(clock::now());
        while self.limit(T::flush(&self.io), side).await?.is_none() {}
        let out = &mut *self.out.borrow_mut();
        out.stalled = None;
        out.unflushed = false;
        Ok(())
    }

    /// Ends the stream, and waits for the peer to have it all up to the close deadline.
    pub(crate) async fn close(&self) {
        let close = async {
            T::close(&self.io).await;
            Ok(())
        };
        let _ = self.limit(close, Side::Receive).await;
    }

    /// Runs a future of the transport up to the deadline of the moment; `None` if that passed and
    /// was no reason to give up.
    async fn limit<R>(
        &self,
        future: impl Future<Output = Result<R, Error<T::Error>>>,
        side: Side,
    ) -> Result<Option<R>, Error<T::Error>> {
        let deadline = clock::until(|| self.out.borrow().deadline(side));
        if self.out.borrow().ended {
            return Err(Error::Send(SendError::Closed));
        }
        let result = match select(future, deadline).await {
            Either::First(result) => result.map(Some),
            Either::Second(()) => match self.out.borrow_mut().on_timeout(side) {
                Some(timeout) => Err(Error::Timeout(timeout)),
                None => Ok(None),
            },
        };
        // A future that was not let near the transport has done it no harm.
        if result
            .as_ref()
            .is_err_and(|error| !matches!(error, Error::Busy))
        {
            self.out.borrow_mut().ended = true;
        }
        result
    }

    /// Stages a frame of a message, for which there is [room](Self::room).
    pub(crate) fn data(
        &self,
        kind: Kind,
        payload: &[u8],
        fin: bool,
    ) -> Result<(), Error<T::Error>> {
        self.may_send()?;
        self.frame(payload, |sender| sender.data(kind, length(payload), fin))?;
        Ok(())
    }

    /// Begins a frame whose `len` bytes of payload [follow](Self::go_on). There is
    /// [room](Self::room) for its header.
    pub(crate) fn begin(&self, kind: Kind, len: u64, fin: bool) -> Result<(), Error<T::Error>> {
        self.may_send()?;
        let mask = self.frame(&[], |sender| sender.data(kind, len, fin))?;
        self.out.borrow_mut().open = (len > 0).then_some((mask, len));
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
        self.may_send()?;
        self.frame(payload, |sender| sender.control(control, payload.len()))?;
        Ok(())
    }

    fn frame(
        &self,
        payload: &[u8],
        head: impl FnOnce(&mut Sender<Keys<'b>>) -> Result<Head, SendError>,
    ) -> Result<Option<Mask>, Error<T::Error>> {
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
    fn deadline(&self, side: Side) -> Option<Instant> {
        let silence = match side {
            Side::Send if self.connection.is_open() => None,
            _ => self.connection.poll_timeout(),
        };
        match (silence, self.stall()) {
            (Some(silence), Some(stall)) => Some(silence.min(stall)),
            (silence, stall) => silence.or(stall),
        }
    }

    /// When a write that makes no progress is given up.
    fn stall(&self) -> Option<Instant> {
        let idle = u64::try_from(self.idle?.as_millis()).unwrap_or(u64::MAX);
        let since = self.stalled?.as_millis();
        Some(Instant::from_millis(since.saturating_add(idle)))
    }

    fn on_timeout(&mut self, side: Side) -> Option<Timeout> {
        let now = clock::now();
        if self.stall().is_some_and(|stall| stall <= now) {
            return Some(Timeout::Idle);
        }
        match side {
            Side::Send if self.connection.is_open() => None,
            _ => self.connection.on_timeout(now),
        }
    }
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
