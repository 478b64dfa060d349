//! Receiving: what has come is looked at where it lies, and what is owed goes out meanwhile.

use wirelet::{Kind, Receiver, Role, What};

use crate::link::{Link, Side, copy, length};
use crate::message::{Message, Piece};
use crate::transport::{Ready, Transport, Want};
use crate::{Config, Error, clock};

#[cfg(feature = "deflate")]
mod inflating;

#[cfg(feature = "deflate")]
use self::inflating::{How, Inflating};
/// There is none: it takes no room.
#[cfg(not(feature = "deflate"))]
type Inflating<'b> = (core::convert::Infallible, core::marker::PhantomData<&'b ()>);

/// What comes in.
#[derive(Debug)]
pub(crate) struct Incoming<'b> {
    reading: Reading<'b>,
    /// Where whole messages are assembled.
    message: &'b mut [u8],
    /// Bytes of the message that is being assembled, or of the frame that is held back.
    have: usize,
    /// What is assembled is a frame to be sent on.
    held: Held,
}

/// A frame that waits to be sent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    Nothing,
    /// It is not all here.
    Some,
    /// It is; and it is the last of its message, or not.
    All(Kind, bool),
}

/// A [`Piece`], and what is still to come of its frame.
struct Part<'p> {
    piece: Piece<'p>,
    /// Bytes.
    left: u64,
    /// The frame is the last of its message.
    fin: bool,
}

/// How far it was understood.
#[derive(Debug)]
struct Reading<'b> {
    receiver: Receiver,
    role: Role,
    /// The rest of the message that is coming is thrown away.
    skip: bool,
    /// The rule that the peer broke, until the application was told.
    failure: Option<wirelet::Error>,
    ended: bool,
    /// What it takes to inflate, if both ends agreed to that.
    #[cfg_attr(not(feature = "deflate"), allow(dead_code))]
    inflating: Option<Inflating<'b>>,
}

/// How far one look at what has come got.
enum Step {
    /// A piece was handed out.
    Piece,
    /// A Pong or a Close was staged: it leaves before anything else happens.
    Staged,
    /// There is no more now.
    Wait(Want),
    /// Nothing more is to come, and nothing is owed.
    Finished,
    /// That was told already.
    Ended,
}

impl<'b> Incoming<'b> {
    pub(crate) fn new(role: Role, config: &Config, message: &'b mut [u8]) -> Self {
        Self {
            reading: Reading {
                receiver: Receiver::new(role, config.limits),
                role,
                skip: false,
                failure: None,
                ended: false,
                inflating: None,
            },
            message,
            have: 0,
            held: Held::Nothing,
        }
    }

    /// Waits for a whole message, assembled in the lent buffer.
    pub(crate) async fn message<T: Transport>(
        &mut self,
        link: &Link<'_, T>,
    ) -> Result<Option<Message<'_>>, Error<T::Error>> {
        #[cfg(feature = "deflate")]
        if self.reading.inflates(How::Whole) {
            return self.inflated(link).await;
        }
        let kind = loop {
            let Self {
                reading,
                message,
                have,
                ..
            } = self;
            let append = |piece: Piece<'_>| {
                let n = copy(piece.payload, &mut message[*have..]);
                *have += n;
                let fits = n == piece.payload.len();
                (fits, piece.end.then_some(piece.kind))
            };
            match reading.next(link, append).await? {
                None => return Ok(None),
                Some((false, _)) => {
                    *have = 0;
                    reading.fail(wirelet::Error::MessageTooLarge, link);
                }
                Some((true, Some(kind))) => break kind,
                Some((true, None)) => {}
            }
        };
        let len = core::mem::take(&mut self.have);
        self.held = Held::Nothing;
        Ok(Some(Message::of(kind, &self.message[..len])))
    }

    /// Waits for a piece of a message.
    pub(crate) async fn piece<T: Transport, R>(
        &mut self,
        link: &Link<'_, T>,
        f: impl FnOnce(Piece<'_>) -> R,
    ) -> Result<Option<R>, Error<T::Error>> {
        #[cfg(feature = "deflate")]
        self.reading.inflates(How::Pieces);
        // What a `recv` that was dropped had assembled comes first.
        if self.has_begun()
            && let Some(What::Data { kind, .. }) = self.reading.receiver.open_message()
        {
            let len = core::mem::take(&mut self.have);
            return Ok(Some(f(Piece {
                kind,
                payload: &mut self.message[..len],
                start: true,
                end: false,
            })));
        }
        self.reading.next(link, f).await
    }

    /// Throws away what comes, until the connection is closed.
    pub(crate) async fn drain<T: Transport>(
        &mut self,
        link: &Link<'_, T>,
    ) -> Result<(), Error<T::Error>> {
        #[cfg(feature = "deflate")]
        self.reading.deafen();
        while let Some(end) = self.reading.next(link, |piece| piece.end).await? {
            // Whoever receives after all, if this is dropped, gets no message without its start.
            self.have = 0;
            self.reading.skip = !end;
        }
        Ok(())
    }

    /// Sends the next message on, frame by frame. A frame that fits the lent buffer is held back
    /// until all of it is here, so that nothing of it leaves if it is not sound. A larger one is sent
    /// on while it comes, with no memory for it: a piece is taken when there is room for it.
    ///
    /// What may come compressed is inflated in the buffer first, and what that holds is the frame.
    pub(crate) async fn forward<T: Transport>(
        &mut self,
        link: &Link<'_, T>,
        to: &Link<'_, T>,
    ) -> Result<Option<()>, Error<T::Error>> {
        #[cfg(feature = "deflate")]
        self.reading.inflates(How::Full);
        let head = to.header(usize::MAX);
        let capacity = to.capacity()?;
        let enough = (head + CHUNK).min(capacity / 2);
        loop {
            if let Held::All(kind, fin) = self.held {
                let ready = to.room(to.header(self.have) + self.have).await;
                let frame = &self.message[..self.have];
                let sent = ready.and_then(|_| to.data(kind, frame, fin));
                if let Err(Error::Busy) = sent {
                    return Err(Error::Busy);
                }
                self.have = 0;
                self.held = Held::Nothing;
                // Without this frame the rest is no message.
                self.reading.skip = sent.is_err() && !fin;
                sent?;
                if fin {
                    return Ok(Some(()));
                }
            }
            let mut room = head + CHUNK;
            // If it is closing, there is perhaps nothing more to send on.
            if to.may_send().is_ok() {
                room = to.room(enough).await?;
            }
            let limit = CHUNK.min(room - head);
            if self.has_begun() && self.held == Held::Nothing {
                self.forward_begun(to, limit)?;
                continue;
            }
            let mut end = false;
            let step = self.forward_step(link, to, limit, &mut end);
            match self.reading.settle(link, step).await? {
                Settled::Piece if end => return Ok(Some(())),
                Settled::Piece | Settled::Again => {}
                Settled::Over => return Ok(None),
            }
        }
    }

    /// Takes what has come of a frame, and holds it or sends it on; `end` if it was sent, and the
    /// last of its message.
    fn forward_step<T: Transport>(
        &mut self,
        link: &Link<'_, T>,
        to: &Link<'_, T>,
        limit: usize,
        end: &mut bool,
    ) -> Result<Step, Error<T::Error>> {
        // Here, not in the future: it need not be kept while that waits.
        let mut chunk = [0; CHUNK];
        let mut through = None;
        let through_already = to.missing() > 0;
        let most = to.capacity()? - to.header(self.message.len());
        let most = most.min(self.message.len());
        let Self {
            reading,
            message,
            have,
            held,
        } = self;
        let mut take = |part: Part<'_>| {
            let Part { piece, left, fin } = part;
            let here = *have + piece.payload.len();
            let fits = usize::try_from(left).is_ok_and(|left| here.saturating_add(left) <= most);
            if fits && !through_already {
                copy(piece.payload, &mut message[*have..]);
                *have = here;
                *held = match left {
                    0 => Held::All(piece.kind, fin),
                    _ => Held::Some,
                };
            } else {
                let n = copy(piece.payload, &mut chunk);
                through = Some((piece.kind, n, left, fin));
            }
        };
        let step = reading.step(link, limit, &mut take)?;
        if let Some((kind, n, left, fin)) = through {
            let sent = pass_on(to, kind, &chunk[..n], left, fin);
            // Without this piece the rest is no message.
            reading.skip = sent.is_err() && !(fin && left == 0);
            sent?;
            *end = fin && left == 0;
        }
        Ok(step)
    }

    /// A `recv` that was dropped has assembled something, of a message that may still come to its
    /// end.
    const fn has_begun(&self) -> bool {
        self.have > 0 && !self.reading.ended
    }

    /// Sends on what a `recv` that was dropped had assembled.
    fn forward_begun<T: Transport>(
        &mut self,
        to: &Link<'_, T>,
        limit: usize,
    ) -> Result<(), Error<T::Error>> {
        let Some(What::Data { kind, .. }) = self.reading.receiver.open_message() else {
            self.have = 0;
            return Ok(());
        };
        let n = limit.min(self.have);
        to.data(kind, &self.message[..n], false)?;
        self.message.copy_within(n..self.have, 0);
        self.have -= n;
        Ok(())
    }
}

/// Sends a piece of a frame on, of which `left` bytes are still to come.
fn pass_on<T: Transport>(
    to: &Link<'_, T>,
    kind: Kind,
    payload: &[u8],
    left: u64,
    fin: bool,
) -> Result<(), Error<T::Error>> {
    if to.missing() == 0 {
        to.begin(kind, left.saturating_add(length(payload)), fin)?;
    }
    to.go_on(payload)?;
    Ok(())
}

/// A [`Step`] after what it waited for.
enum Settled {
    Piece,
    Again,
    Over,
}

impl Reading<'_> {
    async fn next<T: Transport, R>(
        &mut self,
        link: &Link<'_, T>,
        f: impl FnOnce(Piece<'_>) -> R,
    ) -> Result<Option<R>, Error<T::Error>> {
        let mut f = Some(f);
        loop {
            let mut result = None;
            // One look for all closures: the code of it is there once.
            let mut take = |part: Part<'_>| result = f.take().map(|f| f(part.piece));
            let step = self.step(link, usize::MAX, &mut take);
            match self.settle(link, step).await? {
                Settled::Piece => return Ok(result),
                Settled::Again => {}
                Settled::Over => return Ok(None),
            }
        }
    }

    /// Looks at what has come, at most `limit` bytes at a time, without waiting.
    fn step<T: Transport>(
        &mut self,
        link: &Link<'_, T>,
        limit: usize,
        take: &mut dyn FnMut(Part<'_>),
    ) -> Result<Step, Error<T::Error>> {
        if self.ended {
            return Ok(Step::Ended);
        }
        loop {
            let owed = link.pay()?;
            let (staged, over) = {
                let connection = &link.out.borrow().connection;
                let told = self.failure.is_some() || connection.closed().is_some();
                (link.out.borrow().unflushed, told)
            };
            if staged {
                return Ok(Step::Staged);
            }
            if over {
                // Nothing that comes is understood any more: all there is to do is to answer.
                return Ok(match owed {
                    Some(room) => Step::Wait(Want { input: false, room }),
                    None => Step::Finished,
                });
            }
            #[cfg(feature = "deflate")]
            match self.go_on(limit, link, take) {
                Some(true) => return Ok(Step::Piece),
                Some(false) => continue,
                None => {}
            }
            let look = |bytes: &mut [u8]| self.look(bytes, limit, link, take);
            let mut io = link.io.try_borrow_mut().map_err(|_| Error::Busy)?;
            match io.input(look) {
                Some(true) => return Ok(Step::Piece),
                Some(false) => {}
                None => {
                    return Ok(Step::Wait(Want {
                        input: true,
                        room: owed.unwrap_or(0),
                    }));
                }
            }
        }
    }

    /// Takes the next thing at the front of `bytes`; tells how many it took, and if that was a
    /// piece.
    fn look<T>(
        &mut self,
        bytes: &mut [u8],
        limit: usize,
        link: &Link<'_, T>,
        take: &mut dyn FnMut(Part<'_>),
    ) -> (usize, bool) {
        #[cfg(feature = "deflate")]
        if self.passed() > 0 {
            return self.look_again(bytes, limit, link, take);
        }
        let given = limit.min(bytes.len());
        let mut rest = &mut bytes[..given];
        let now = clock::now();
        link.out.borrow_mut().connection.heard(now);
        let event = match self.receiver.next(&mut rest) {
            Ok(Some(event)) => event,
            Ok(None) => return (given - rest.len(), false),
            Err(error) => {
                self.fail(error, link);
                return (given, false);
            }
        };
        let taken = given - rest.len();
        let kind = match event.what {
            What::Control(_) => {
                link.out.borrow_mut().connection.on_event(&event);
                return (taken, false);
            }
            What::Data { kind, .. } => kind,
        };
        #[cfg(feature = "deflate")]
        if self.inflating.is_some() {
            let piece = self.inflate(event, limit, link, take);
            return (taken - self.passed(), piece == Some(true));
        }
        if self.skip {
            self.skip = !event.end;
            return (taken, false);
        }
        let (left, fin) = self.receiver.rest_of_frame().unwrap_or((0, event.end));
        let piece = Piece {
            kind,
            payload: event.payload,
            start: event.start,
            end: event.end,
        };
        take(Part { piece, left, fin });
        (taken, true)
    }

    /// Waits for what a step needs.
    async fn settle<T: Transport>(
        &mut self,
        link: &Link<'_, T>,
        step: Result<Step, Error<T::Error>>,
    ) -> Result<Settled, Error<T::Error>> {
        let waited = match step {
            Ok(Step::Ended) => return Ok(Settled::Over),
            Ok(Step::Piece) => return Ok(Settled::Piece),
            Ok(Step::Staged) => link.flush(Side::Receive).await.map(|()| None),
            Ok(Step::Wait(want)) => link.wait(want, Side::Receive).await,
            Ok(Step::Finished) => {
                self.finish(link).await;
                return self.over(link, Ok(()));
            }
            // Nothing has happened to this connection: the other half has the transport, or what
            // was to be sent could not be.
            Err(error @ (Error::Busy | Error::Send(_))) => return Err(error),
            Err(error) => Err(error),
        };
        match waited {
            Ok(Some(Ready::End)) => self.over(link, Err(Error::Disconnected)),
            Ok(_) => Ok(Settled::Again),
            // The other half has failed, and told why.
            Err(Error::Send(_)) => self.over(link, Ok(())),
            Err(Error::Busy) => Err(Error::Busy),
            Err(error) => self.over(link, Err(error)),
        }
    }

    /// Both Close frames have passed, or ours has after an error. Section 7.1.1: the server
    /// closes first; the client gives it time to.
    async fn finish<T: Transport>(&mut self, link: &Link<'_, T>) {
        let all = Want {
            input: true,
            room: 0,
        };
        while self.role == Role::Client
            && let Ok(Some(Ready::Input)) = link.wait(all, Side::Receive).await
            && let Ok(mut io) = link.io.try_borrow_mut()
        {
            io.input(|bytes| (bytes.len(), ()));
        }
        link.close().await;
    }

    /// Ends. What is told is the rule that the peer broke, if it did.
    fn over<T: Transport>(
        &mut self,
        link: &Link<'_, T>,
        end: Result<(), Error<T::Error>>,
    ) -> Result<Settled, Error<T::Error>> {
        self.ended = true;
        link.out.borrow_mut().ended = true;
        match self.failure.take() {
            Some(rule) => Err(Error::Protocol(rule)),
            None => end.map(|()| Settled::Over),
        }
    }

    fn fail<T>(&mut self, rule: wirelet::Error, link: &Link<'_, T>) {
        self.receiver.fail(rule);
        self.failure = Some(rule);
        link.out.borrow_mut().connection.fail(rule, clock::now());
    }
}

/// Bytes that are sent on at a time. They are on the stack while they are copied.
const CHUNK: usize = 512;
