//! Receiving: what has come is looked at where it lies, and what is owed goes out meanwhile.

use wirelet::{Kind, Receiver, Role, What};

use crate::link::{Got, Link, Needs, copy};
use crate::message::{Message, Piece};
use crate::step::{self, INPUT, Need, look};
use crate::transport::{Ready, Transport, Want};
use crate::{Config, Error, clock};

mod forwarding;
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
    ending: Ending,
    /// What it takes to inflate, if both ends agreed to that.
    #[cfg_attr(not(feature = "deflate"), allow(dead_code))]
    inflating: Option<Inflating<'b>>,
}

/// How far the end of the stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Not,
    /// The peer is given time to end it first.
    Drains,
    /// This end ends it.
    Closes,
    /// It has, and that was told.
    Over,
}

/// What came of a turn.
enum Turn {
    /// A piece was handed out.
    Piece,
    /// This, before there can be more.
    Needs(Need),
    /// No more is to come.
    Over,
}

impl<'b> Incoming<'b> {
    pub(crate) fn new(role: Role, config: &Config, message: &'b mut [u8]) -> Self {
        Self {
            reading: Reading {
                receiver: Receiver::new(role, config.limits),
                role,
                skip: false,
                failure: None,
                ending: Ending::Not,
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
        let mut kind = None;
        let mut step = |got| self.assemble(link, got, &mut kind);
        link.receive(&mut step).await?;
        Ok(kind.map(|kind| {
            let len = core::mem::take(&mut self.have);
            self.held = Held::Nothing;
            Message::of(kind, &self.message[..len])
        }))
    }

    /// Appends what has come to the message; `whole` is its kind when it is.
    fn assemble<T: Transport>(
        &mut self,
        link: &Link<'_, T>,
        mut got: Option<Got<T>>,
        whole: &mut Option<Kind>,
    ) -> Needs<T> {
        let Self {
            reading,
            message,
            have,
            ..
        } = self;
        loop {
            let mut fits = true;
            let mut append = |part: Part<'_>| {
                let n = copy(part.piece.payload, &mut message[*have..]);
                *have += n;
                fits = n == part.piece.payload.len();
                *whole = (fits && part.piece.end).then_some(part.piece.kind);
            };
            match reading.turn(link, got.take(), usize::MAX, &mut append)? {
                Turn::Over => return Ok(None),
                Turn::Needs(need) => return Ok(Some(need)),
                Turn::Piece if whole.is_some() => return Ok(None),
                Turn::Piece if fits => {}
                Turn::Piece => {
                    *have = 0;
                    reading.fail(wirelet::Error::MessageTooLarge, link);
                }
            }
        }
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
        let mut f = Some(f);
        let mut result = None;
        // One look for all closures: the code of it is there once.
        let mut take = |part: Part<'_>| result = f.take().map(|f| f(part.piece));
        self.reading.next(link, &mut take).await?;
        Ok(result)
    }

    /// Throws away what comes, until the connection is closed.
    pub(crate) async fn drain<T: Transport>(
        &mut self,
        link: &Link<'_, T>,
    ) -> Result<(), Error<T::Error>> {
        #[cfg(feature = "deflate")]
        self.reading.deafen();
        let Self { reading, have, .. } = self;
        let mut step = |mut got: Option<Got<T>>| loop {
            let mut end = false;
            let mut take = |part: Part<'_>| end = part.piece.end;
            match reading.turn(link, got.take(), usize::MAX, &mut take)? {
                Turn::Over => return Ok(None),
                Turn::Needs(need) => return Ok(Some(need)),
                Turn::Piece => {
                    // Whoever receives after all, if this is dropped, gets no message without its
                    // start.
                    *have = 0;
                    reading.skip = !end;
                }
            }
        };
        link.receive(&mut step).await
    }

    /// A `recv` that was dropped has assembled something, of a message that may still come to its
    /// end.
    const fn has_begun(&self) -> bool {
        self.have > 0 && !matches!(self.reading.ending, Ending::Over)
    }
}

impl Reading<'_> {
    /// Waits for the next piece; `false` if none comes any more.
    async fn next<T: Transport>(
        &mut self,
        link: &Link<'_, T>,
        take: &mut dyn FnMut(Part<'_>),
    ) -> Result<bool, Error<T::Error>> {
        let mut piece = false;
        let mut step = |got| {
            Ok(match self.turn(link, got, usize::MAX, take)? {
                Turn::Needs(need) => Some(need),
                turn => {
                    piece = matches!(turn, Turn::Piece);
                    None
                }
            })
        };
        link.receive(&mut step).await?;
        Ok(piece)
    }

    /// One turn: sees to what became of the last need, and looks at what has come, at most `limit`
    /// bytes at a time.
    fn turn<T: Transport>(
        &mut self,
        link: &Link<'_, T>,
        got: Option<Got<T>>,
        limit: usize,
        take: &mut dyn FnMut(Part<'_>),
    ) -> Result<Turn, Error<T::Error>> {
        if let Some(turn) = self.after(link, got)? {
            return Ok(turn);
        }
        match self.step(link, limit, take) {
            Ok(turn) => Ok(turn),
            // Nothing has happened to this connection: the other half has the transport, or what
            // was to be sent could not be.
            Err(error @ (Error::Busy | Error::Send(_))) => Err(error),
            Err(error) => self.over(link, Err(error)),
        }
    }

    /// What follows from what became of the last need; `None`: go on.
    fn after<T: Transport>(
        &mut self,
        link: &Link<'_, T>,
        got: Option<Got<T>>,
    ) -> Result<Option<Turn>, Error<T::Error>> {
        if self.ending != Ending::Not {
            return self.finish(link, got).map(Some);
        }
        let end = match got {
            Some(Ok(Some(Ready::End))) => Err(Error::Disconnected),
            None | Some(Ok(_)) => return Ok(None),
            // The other half has failed, and told why.
            Some(Err(Error::Send(_))) => Ok(()),
            Some(Err(Error::Busy)) => return Err(Error::Busy),
            Some(Err(error)) => Err(error),
        };
        self.over(link, end).map(Some)
    }

    /// Both Close frames have passed, or ours has after an error. Section 7.1.1: the server
    /// closes first; the client gives it time to.
    fn finish<T: Transport>(
        &mut self,
        link: &Link<'_, T>,
        got: Option<Got<T>>,
    ) -> Result<Turn, Error<T::Error>> {
        let more = match (self.ending, got) {
            (Ending::Over, _) => return Ok(Turn::Over),
            (Ending::Closes, Some(_)) => return self.over(link, Ok(())),
            (Ending::Drains, None) => true,
            (Ending::Drains, Some(Ok(Some(Ready::Input)))) => match link.io.try_borrow_mut() {
                Ok(mut io) => {
                    look(&mut *io, &mut |bytes| bytes.len());
                    true
                }
                Err(_) => false,
            },
            _ => false,
        };
        if more {
            return Ok(Turn::Needs(INPUT));
        }
        self.ending = Ending::Closes;
        Ok(Turn::Needs(Need::Close))
    }

    /// Looks at what has come.
    fn step<T: Transport>(
        &mut self,
        link: &Link<'_, T>,
        limit: usize,
        take: &mut dyn FnMut(Part<'_>),
    ) -> Result<Turn, Error<T::Error>> {
        loop {
            let owed = link.pay()?;
            let (staged, over) = {
                let out = &*link.out.borrow();
                let told = self.failure.is_some() || out.connection.closed().is_some();
                (out.unflushed, told)
            };
            if staged {
                // A Pong or a Close: it leaves before anything else happens.
                return Ok(Turn::Needs(Need::Flush));
            }
            if over {
                // Nothing that comes is understood any more: all there is to do is to answer.
                let Some(room) = owed else {
                    self.ending = match self.role {
                        Role::Client => Ending::Drains,
                        Role::Server => Ending::Closes,
                    };
                    return self.finish(link, None);
                };
                return Ok(Turn::Needs(step::room(room)));
            }
            #[cfg(feature = "deflate")]
            match self.go_on(limit, link, take) {
                Some(true) => return Ok(Turn::Piece),
                Some(false) => continue,
                None => {}
            }
            let mut piece = false;
            let mut some = |bytes: &mut [u8]| {
                let (n, found) = self.look(bytes, limit, link, take);
                piece = found;
                n
            };
            let mut io = link.io.try_borrow_mut().map_err(|_| Error::Busy)?;
            if !look(&mut *io, &mut some) {
                return Ok(Turn::Needs(Need::Wait(Want {
                    input: true,
                    room: owed.unwrap_or(0),
                })));
            }
            if piece {
                return Ok(Turn::Piece);
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

    /// Ends. What is told is the rule that the peer broke, if it did.
    // Smaller than its three copies.
    #[inline(never)]
    fn over<T: Transport>(
        &mut self,
        link: &Link<'_, T>,
        end: Result<(), Error<T::Error>>,
    ) -> Result<Turn, Error<T::Error>> {
        self.ending = Ending::Over;
        link.out.borrow_mut().ended = true;
        match self.failure.take() {
            Some(rule) => Err(Error::Protocol(rule)),
            None => end.map(|()| Turn::Over),
        }
    }

    fn fail<T>(&mut self, rule: wirelet::Error, link: &Link<'_, T>) {
        self.receiver.fail(rule);
        self.failure = Some(rule);
        link.out.borrow_mut().connection.fail(rule, clock::now());
    }
}
