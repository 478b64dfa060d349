//! Sending on what comes, frame by frame, with no memory for it.

use wirelet::{Kind, What};

#[cfg(feature = "deflate")]
use super::inflating::How;
use super::{Held, Incoming, Part, Turn};
use crate::Error;
use crate::link::{Got, Link, Needs, Side, copy, length};
use crate::step::Need;
use crate::transport::Transport;

/// What became of sending on.
enum Next {
    /// A whole message was sent on; or there is none any more.
    Done(bool),
    /// The connection that receives needs this.
    From(Need),
    /// The one that sends does.
    To(Need),
}

impl Incoming<'_> {
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
        let (mut got, mut ready) = (None, Ok(()));
        loop {
            match self.forward_some(link, to, got.take(), ready)? {
                Next::Done(whole) => return Ok(whole.then_some(())),
                Next::From(need) => {
                    got = Some(link.get(need, Side::Receive).await);
                    ready = Ok(());
                }
                Next::To(need) => ready = to.get(need, Side::Send).await.map(drop),
            }
        }
    }

    /// Sends on what can be without waiting. `got` is what became of the need for something to send
    /// on, and `ready` of that for room.
    fn forward_some<T: Transport>(
        &mut self,
        link: &Link<'_, T>,
        to: &Link<'_, T>,
        mut got: Option<Got<T>>,
        mut ready: Result<(), Error<T::Error>>,
    ) -> Result<Next, Error<T::Error>> {
        // The end of the one connection does not wait for room in the other.
        if let Some(turn) = self.reading.after(link, got.take())? {
            return Ok(match turn {
                Turn::Needs(need) => Next::From(need),
                _ => Next::Done(false),
            });
        }
        let head = to.header(usize::MAX);
        let capacity = to.capacity()?;
        let enough = (head + CHUNK).min(capacity / 2);
        loop {
            if let Held::All(kind, fin) = self.held {
                match self.let_go(to, kind, fin, ready)? {
                    Some(need) => return Ok(Next::To(need)),
                    None if fin => return Ok(Next::Done(true)),
                    None => ready = Ok(()),
                }
            }
            ready?;
            ready = Ok(());
            let mut room = head + CHUNK;
            // If it is closing, there is perhaps nothing more to send on.
            if to.may_send().is_ok() {
                room = match to.room(enough)? {
                    Ok(room) => room,
                    Err(need) => return Ok(Next::To(need)),
                };
            }
            let limit = CHUNK.min(room - head);
            if self.has_begun() && self.held == Held::Nothing {
                self.forward_begun(to, limit)?;
                continue;
            }
            match self.forward_step(link, to, limit)? {
                (Turn::Over, _) => return Ok(Next::Done(false)),
                (Turn::Needs(need), _) => return Ok(Next::From(need)),
                (Turn::Piece, true) => return Ok(Next::Done(true)),
                (Turn::Piece, false) => {}
            }
        }
    }

    /// Sends the frame on that was held back, when there is room for it.
    fn let_go<T: Transport>(
        &mut self,
        to: &Link<'_, T>,
        kind: Kind,
        fin: bool,
        ready: Result<(), Error<T::Error>>,
    ) -> Needs<T> {
        let frame = &self.message[..self.have];
        let room = ready.and_then(|()| to.room(to.header(frame.len()) + frame.len()));
        let sent = match room {
            Ok(Err(need)) => return Ok(Some(need)),
            Ok(Ok(_)) => to.data(kind, frame, fin),
            Err(error) => Err(error),
        };
        if let Err(Error::Busy) = sent {
            return Err(Error::Busy);
        }
        self.have = 0;
        self.held = Held::Nothing;
        // Without this frame the rest is no message.
        self.reading.skip = sent.is_err() && !fin;
        sent.map(|()| None)
    }

    /// Takes what has come of a frame, and holds it or sends it on; tells if it was sent, and the
    /// last of its message.
    // Its chunk is on the stack while it runs, and not for as long as its caller.
    #[inline(never)]
    fn forward_step<T: Transport>(
        &mut self,
        link: &Link<'_, T>,
        to: &Link<'_, T>,
        limit: usize,
    ) -> Result<(Turn, bool), Error<T::Error>> {
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
        let turn = reading.turn(link, None, limit, &mut take)?;
        let mut end = false;
        if let Some((kind, n, left, fin)) = through {
            let sent = pass_on(to, kind, &chunk[..n], left, fin);
            // Without this piece the rest is no message.
            reading.skip = sent.is_err() && !(fin && left == 0);
            sent?;
            end = fin && left == 0;
        }
        Ok((turn, end))
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
        let len = left.saturating_add(length(payload));
        return to.begin(kind, payload, len, fin);
    }
    to.go_on(payload)?;
    Ok(())
}

/// Bytes that are sent on at a time. They are on the stack while they are copied.
const CHUNK: usize = 512;
