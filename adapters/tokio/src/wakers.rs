//! A transport keeps one waker for its writer, but both halves of a connection may wait for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

use crate::outgoing::Side;

/// Who waits on the connection, by half: waking this wakes both that wait for the writer.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    /// Who receives, and waits for the writer.
    pub(crate) receive: Slot,
    /// Who sends, and waits for the writer.
    pub(crate) send: Slot,
    /// Who receives, and wants to know when the other half closes.
    pub(crate) close: Slot,
}

pub(crate) type Slot = Mutex<Option<Waker>>;

impl Wakers {
    pub(crate) fn slot(&self, side: Side) -> &Slot {
        if side == Side::Send {
            &self.send
        } else {
            &self.receive
        }
    }
}

impl Wake for Wakers {
    fn wake(self: Arc<Self>) {
        wake(&self.receive);
        wake(&self.send);
    }
}

pub(crate) fn store(slot: &Slot, waker: &Waker) {
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    if !slot.as_ref().is_some_and(|stored| stored.will_wake(waker)) {
        *slot = Some(waker.clone());
    }
}

pub(crate) fn wake(slot: &Slot) {
    // The lock is released before the waker runs, which may poll the half at once.
    let waker = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(waker) = waker {
        waker.wake();
    }
}
