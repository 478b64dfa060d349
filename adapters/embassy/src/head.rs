//! What both sides of the opening handshake do with the transport.

use core::cell::RefCell;

use embassy_futures::select::{Either, select};
use wirelet::handshake::Progress;
use wirelet::{Instant, Timeout};

use crate::link::{MIN_ROOM, put};
use crate::transport::{Ready, Transport, Want};
use crate::{Config, Error, clock};

/// The end of a handshake that begins now.
pub(crate) fn deadline(config: &Config) -> Instant {
    let millis = u64::try_from(config.timeouts.handshake.as_millis()).unwrap_or(u64::MAX);
    Instant::from_millis(clock::now().as_millis().saturating_add(millis))
}

/// Runs a part of the handshake, up to the deadline of the whole.
pub(crate) async fn limit<R, E: From<Error<T>>, T>(
    deadline: Instant,
    future: impl Future<Output = Result<R, E>>,
) -> Result<R, E> {
    match select(future, clock::until(|| Some(deadline))).await {
        Either::First(result) => result,
        Either::Second(()) => Err(Error::Timeout(Timeout::Handshake).into()),
    }
}

/// Reads until `feed` has a complete head. What came behind it stays the transport's next input.
pub(crate) async fn read<T: Transport, E: From<Error<T::Error>>>(
    io: &RefCell<T>,
    mut feed: impl FnMut(&[u8]) -> Result<Progress, E>,
) -> Result<(), E> {
    let want = Want {
        input: true,
        room: 0,
    };
    loop {
        let fed = io.borrow_mut().input(|bytes| match feed(bytes) {
            Ok(progress) => (progress.consumed, Ok(progress.complete)),
            Err(error) => (bytes.len(), Err(error)),
        });
        match fed {
            Some(Ok(true)) => return Ok(()),
            Some(Ok(false)) => {}
            Some(Err(error)) => return Err(error),
            None => {
                if T::wait(io, want).await? == Ready::End {
                    return Err(Error::Disconnected.into());
                }
            }
        }
    }
}

/// Writes all of it, and sends it.
pub(crate) async fn write<T: Transport>(
    io: &RefCell<T>,
    bytes: &[u8],
) -> Result<(), Error<T::Error>> {
    let want = Want {
        input: false,
        room: 1,
    };
    let mut rest = bytes;
    while !rest.is_empty() {
        let n = put(&mut *io.borrow_mut(), rest, &mut None);
        rest = &rest[n..];
        if n == 0 {
            T::wait(io, want).await?;
        }
    }
    T::flush(io).await
}

/// A transport that cannot take the longest control frame would never send a Pong.
pub(crate) fn check_room<T: Transport>(io: &T) -> Result<(), Error<T::Error>> {
    if io.capacity() < MIN_ROOM {
        return Err(Error::Send(wirelet::SendError::Full));
    }
    Ok(())
}
