//! The one place where anything waits for a transport.
//!
//! Everything else is steps that do what they can and tell what they need before the next one. So
//! the code of the transport's futures, and of waiting for them up to a deadline, is there once,
//! and not in each future of a connection.

use core::cell::RefCell;
use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;

use wirelet::Instant;

use crate::transport::{Ready, Transport, Want};
use crate::{Error, clock};

/// What a step needs before the next one.
#[derive(Clone, Copy)]
pub(crate) enum Need {
    Wait(Want),
    /// What is staged has to leave: [`Ready::Room`].
    Flush,
    /// The stream has to end: [`Ready::End`].
    Close,
}

/// So many bytes of room, and nothing else.
pub(crate) const fn room(room: usize) -> Need {
    Need::Wait(Want { input: false, room })
}

/// Bytes, or the end of the stream, and nothing else.
pub(crate) const INPUT: Need = Need::Wait(Want {
    input: true,
    room: 0,
});

/// Gets it from the transport; `None` if the deadline has passed. That is asked for at each poll,
/// for another half of the connection may have moved it.
pub(crate) async fn get<T: Transport>(
    io: &RefCell<T>,
    need: Need,
    deadline: &dyn Fn() -> Option<Instant>,
) -> Option<Result<Ready, Error<T::Error>>> {
    let mut transport = pin!(async {
        match need {
            Need::Wait(want) => T::wait(io, want).await,
            Need::Flush => T::flush(io).await.map(|()| Ready::Room),
            Need::Close => {
                T::close(io).await;
                Ok(Ready::End)
            }
        }
    });
    poll_fn(|cx| match transport.as_mut().poll(cx) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => clock::poll(deadline(), cx).map(|()| None),
    })
    .await
}

/// Lends `f` what has come, if anything has; `f` tells how many bytes it has consumed.
pub(crate) fn look<T: Transport>(io: &mut T, f: &mut dyn FnMut(&mut [u8]) -> usize) -> bool {
    io.input(|bytes| (f(bytes), ())).is_some()
}
