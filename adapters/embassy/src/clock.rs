//! The core counts milliseconds; this measures them, and waits.

use core::future::poll_fn;
use core::task::{Context, Poll};

use wirelet::Instant;

/// Milliseconds since the start of the program; always 0 without the feature `embassy-time`.
pub(crate) fn now() -> Instant {
    #[cfg(feature = "embassy-time")]
    return Instant::from_millis(embassy_time::Instant::now().as_millis());
    #[cfg(not(feature = "embassy-time"))]
    Instant::from_millis(0)
}

/// Ready when the deadline has passed. It is asked for at each poll, for another half of the
/// connection may have moved it. `None`, and without the feature `embassy-time` any, is never.
pub(crate) async fn until(mut deadline: impl FnMut() -> Option<Instant>) {
    poll_fn(|cx| deadline().map_or(Poll::Pending, |deadline| poll(deadline, cx))).await;
}

#[cfg(feature = "embassy-time")]
fn poll(deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
    use core::pin::pin;

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
fn poll(_: Instant, _: &mut Context<'_>) -> Poll<()> {
    Poll::Pending
}
