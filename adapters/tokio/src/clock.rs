//! The core counts milliseconds; this measures them.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// Counts from the start of the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    zero: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            zero: Instant::now(),
        }
    }

    pub(crate) fn now(&self) -> wirelet::Instant {
        let millis = self.zero.elapsed().as_millis();
        wirelet::Instant::from_millis(millis.try_into().unwrap_or(u64::MAX))
    }

    fn at(&self, moment: wirelet::Instant) -> Option<Instant> {
        self.zero
            .checked_add(Duration::from_millis(moment.as_millis()))
    }
}

/// One timer for all deadlines of a connection.
///
/// Each byte from the peer moves the deadlines; the timer is moved only when one comes earlier, or
/// when it fired in vain. It exists from the first time that there is something to wait for.
#[derive(Debug, Default)]
pub(crate) struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    /// It wakes whom it was last polled for, and no later than at this deadline: there is no need to
    /// poll it for the same again.
    pub(crate) fn is_set(&self, clock: &Clock, deadline: Option<wirelet::Instant>) -> bool {
        let deadline = deadline.and_then(|deadline| clock.at(deadline));
        match (&self.sleep, deadline) {
            (Some(sleep), Some(deadline)) => sleep.deadline() <= deadline && !sleep.is_elapsed(),
            _ => false,
        }
    }

    /// Ready when `deadline` has passed; `None` never does.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        clock: &Clock,
        deadline: Option<wirelet::Instant>,
    ) -> Poll<()> {
        let Some(deadline) = deadline.and_then(|deadline| clock.at(deadline)) else {
            return Poll::Pending;
        };
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if sleep.deadline() > deadline {
            sleep.as_mut().reset(deadline);
        }
        while sleep.as_mut().poll(cx).is_ready() {
            if sleep.deadline() >= deadline {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}
