//! The core counts milliseconds; this measures them, and waits.

use core::task::{Context, Poll};

use wirelet::Instant;

/// Milliseconds since the start of the program; always 0 without the feature `embassy-time`.
// It is a division of 64 bits: as code of its own it is there once.
#[inline(never)]
pub(crate) fn now() -> Instant {
    #[cfg(feature = "embassy-time")]
    return Instant::from_millis(embassy_time::Instant::now().as_millis());
    #[cfg(not(feature = "embassy-time"))]
    Instant::from_millis(0)
}

/// Ready when the deadline has passed. `None`, and without the feature `embassy-time` any, is never.
#[cfg(feature = "embassy-time")]
pub(crate) fn poll(deadline: Option<Instant>, cx: &mut Context<'_>) -> Poll<()> {
    use core::pin::pin;

    let Some(deadline) = deadline else {
        return Poll::Pending;
    };
    if now() >= deadline {
        return Poll::Ready(());
    }
    // Never ready when it is polled for the first time: all it does is to set the alarm. One that
    // is dropped stays set, and wakes the task for nothing at worst.
    let deadline = embassy_time::Instant::from_millis(deadline.as_millis());
    let _ = pin!(embassy_time::Timer::at(deadline)).poll(cx);
    Poll::Pending
}

#[cfg(not(feature = "embassy-time"))]
pub(crate) fn poll(_: Option<Instant>, _: &mut Context<'_>) -> Poll<()> {
    Poll::Pending
}
