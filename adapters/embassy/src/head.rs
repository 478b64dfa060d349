//! What both sides of the opening handshake do with the transport.

use core::cell::RefCell;

use wirelet::handshake::Progress;
use wirelet::{Instant, Timeout};

use crate::link::{MIN_ROOM, possible, put};
use crate::step::{self, INPUT, Need, look, room};
use crate::transport::{Ready, Transport};
use crate::{Config, Error, clock};

/// The end of a handshake that begins now.
// As `clock::now`: once, not in each future.
#[inline(never)]
pub(crate) fn deadline(config: &Config) -> Instant {
    let millis = u64::try_from(config.timeouts.handshake.as_millis()).unwrap_or(u64::MAX);
    Instant::from_millis(clock::now().as_millis().saturating_add(millis))
}

/// Reads until `feed` has a complete head, or has seen enough; it tells how much it took, and if
/// that was all. What came behind it stays the transport's next input.
pub(crate) async fn read<T: Transport>(
    io: &RefCell<T>,
    deadline: Instant,
    feed: &mut dyn FnMut(&[u8]) -> (usize, bool),
) -> Result<(), Error<T::Error>> {
    let mut step = |io: &mut T| {
        let mut done = false;
        let mut some = |bytes: &mut [u8]| {
            let (n, end) = feed(bytes);
            done = end;
            n
        };
        look(io, &mut some);
        (!done).then_some(INPUT)
    };
    exchange(io, deadline, &mut step).await
}

/// What `feed` of [`read`] tells; an error, of which there is at most one, goes to `fault`: it is enough.
pub(crate) fn told<E>(
    fed: Result<Progress, E>,
    input: &[u8],
    fault: &mut Option<E>,
) -> (usize, bool) {
    match fed {
        Ok(progress) => (progress.consumed, progress.complete),
        Err(error) => {
            *fault = Some(error);
            (input.len(), true)
        }
    }
}

/// Writes a head and what follows it, and sends both; then ends the stream, if that is to be.
pub(crate) async fn write<T: Transport>(
    io: &RefCell<T>,
    deadline: Instant,
    head: &[u8],
    body: &[u8],
    close: bool,
) -> Result<(), Error<T::Error>> {
    let mut rest = [head, body];
    let mut then = [Some(Need::Flush), close.then_some(Need::Close)].into_iter();
    let mut step = |io: &mut T| {
        for part in &mut rest {
            let n = put(io, part, &mut None);
            *part = part.get(n..).unwrap_or_default();
            if !part.is_empty() {
                return Some(room(1));
            }
        }
        then.next().flatten()
    };
    exchange(io, deadline, &mut step).await
}

/// Goes on step by step, up to the deadline of the whole handshake.
async fn exchange<T: Transport>(
    io: &RefCell<T>,
    deadline: Instant,
    step: &mut dyn FnMut(&mut T) -> Option<Need>,
) -> Result<(), Error<T::Error>> {
    loop {
        let Some(need) = step(&mut io.borrow_mut()) else {
            return Ok(());
        };
        let got = step::get(io, need, &|| Some(deadline)).await;
        let got = got.ok_or(Error::Timeout(Timeout::Handshake))??;
        if got == Ready::End && !matches!(need, Need::Close) {
            return Err(Error::Disconnected);
        }
    }
}

/// A transport that cannot take the longest control frame would never send a Pong.
pub(crate) fn check_room<T: Transport>(io: &T) -> Result<(), Error<T::Error>> {
    possible(io, MIN_ROOM)
}
