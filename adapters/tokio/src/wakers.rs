//! Which half waits for what.
#![allow(unreachable_pub)] // `Side` stands in the signature of a trait, as `link.rs` says

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

/// Which half is asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Only one future can use the connection now.
    Alone,
    Receive,
    Send,
}

/// Who waits on the connection, by half: waking this wakes both that wait for the writer.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    pub(crate) receive: Slot,
    pub(crate) send: Slot,
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
