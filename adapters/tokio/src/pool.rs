//! Buffers that connections hold only while there are bytes in them.
//!
//! A connection that waits gives its buffers back, and the inbox and outbox over them, so ten
//! thousand idle ones share a few. The pool is the thread's own: no lock, and a buffer that was used
//! last is used next, while it is still in the cache.

use std::cell::RefCell;

#[cfg(feature = "deflate")]
use wirelet::deflate::{Inflate, WindowBits};
use wirelet::{Receiver, Sender};

#[cfg(feature = "deflate")]
use crate::deflate::{Compressor, Settings};
use crate::incoming::Inbox;
use crate::outgoing::{Keys, Outbox};

/// Bytes of a buffer that a connection starts with: 64 KiB of payload, and room for headers.
///
/// One read fills it, so it bounds how many messages share a system call. Payloads are powers of two
/// more often than not: with 64 KiB and no more, four messages of 16 KiB took two reads and two
/// writes.
pub(crate) const SIZE: usize = 68 << 10;

/// Buffers of [`SIZE`] kept by a thread.
const KEPT: usize = 32;

/// Inboxes kept by a thread with their buffers, and as many outboxes: few are in use at once.
const KEPT_BOXES: usize = 8;

/// Bytes of larger buffers kept by a thread, so that large messages do not fault their pages in
/// anew each time.
const KEPT_LARGE: usize = 4 << 20;

/// Compressors kept by a thread: up to 480 KiB each.
#[cfg(feature = "deflate")]
const KEPT_COMPRESSORS: usize = 4;

struct Pool {
    small: Vec<Vec<u8>>,
    large: Vec<Vec<u8>>,
    large_bytes: usize,
    // In place: each line of memory that is looked at on the way to a buffer has left the nearest cache by
    // the time the kernel has delivered the next message.
    inboxes: Kept<Box<Inbox>>,
    outboxes: Kept<Box<Outbox>>,
    #[cfg(feature = "deflate")]
    compressors: Vec<Compressor>,
    #[cfg(feature = "deflate")]
    #[allow(clippy::vec_box)] // a connection takes the box, not what is in it
    inflates: Vec<Box<Inflate>>,
}

type Kept<T> = heapless::Vec<T, KEPT_BOXES>;

impl Pool {
    const EMPTY: Self = Self {
        small: Vec::new(),
        large: Vec::new(),
        large_bytes: 0,
        inboxes: Kept::new(),
        outboxes: Kept::new(),
        #[cfg(feature = "deflate")]
        compressors: Vec::new(),
        #[cfg(feature = "deflate")]
        inflates: Vec::new(),
    };
}

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool::EMPTY) };
}

/// A buffer of at least `size` bytes, all initialised, with anything in them.
pub(crate) fn take(size: usize) -> Vec<u8> {
    let pooled = with(|pool| {
        if size <= SIZE {
            return pool.small.pop();
        }
        let found = pool.large.iter().position(|buffer| buffer.len() >= size)?;
        let buffer = pool.large.swap_remove(found);
        pool.large_bytes -= buffer.len();
        Some(buffer)
    });
    pooled.flatten().unwrap_or_else(|| vec![0; size.max(SIZE)])
}

/// Takes a buffer back. One of an unusual size is freed.
pub(crate) fn give(buffer: Vec<u8>) {
    if buffer.len() < SIZE {
        return;
    }
    with(|pool| {
        if buffer.len() == SIZE {
            if pool.small.len() < KEPT {
                pool.small.push(buffer);
            }
        } else if pool.large_bytes + buffer.len() <= KEPT_LARGE {
            pool.large_bytes += buffer.len();
            pool.large.push(buffer);
        }
    });
}

/// An inbox with a buffer of at least `size` bytes.
#[inline]
pub(crate) fn take_inbox(size: usize, receiver: Receiver) -> Box<Inbox> {
    if size <= SIZE
        && let Some(mut inbox) = with(|pool| pool.inboxes.pop()).flatten()
    {
        inbox.restart(receiver);
        return inbox;
    }
    Box::new(Inbox::new(take(size), receiver))
}

/// Takes an inbox back. One with a buffer of an unusual size is taken apart.
pub(crate) fn give_inbox(inbox: Box<Inbox>) {
    let usual = inbox.buffer().len() == SIZE;
    let left = keep(inbox, |pool| usual.then_some(&mut pool.inboxes));
    if let Some(Ok(buffer)) = left.map(|mut inbox| inbox.replace(Vec::new())) {
        give(buffer);
    }
}

/// An outbox with a buffer.
#[inline(never)]
pub(crate) fn take_outbox(keys: Keys) -> Box<Outbox> {
    let sender = Sender::new(keys);
    if let Some(mut outbox) = with(|pool| pool.outboxes.pop()).flatten() {
        outbox.restart(sender);
        return outbox;
    }
    Box::new(Outbox::new(take(SIZE), sender))
}

/// Takes an outbox back. One with a buffer of an unusual size is taken apart.
pub(crate) fn give_outbox(outbox: Box<Outbox>) {
    let usual = outbox.buffer().len() == SIZE;
    let left = keep(outbox, |pool| usual.then_some(&mut pool.outboxes));
    if let Some(Ok(buffer)) = left.map(|mut outbox| outbox.replace(Vec::new())) {
        give(buffer);
    }
}

/// What is not kept, for there are enough already, comes back.
#[inline]
fn keep<T>(one: T, list: impl FnOnce(&mut Pool) -> Option<&mut Kept<T>>) -> Option<T> {
    let mut one = Some(one);
    with(|pool| {
        if let Some(list) = list(pool)
            && let Some(given) = one.take()
        {
            one = list.push(given).err();
        }
    });
    one
}

/// A compressor that was used before, if there is one.
#[cfg(feature = "deflate")]
pub(crate) fn take_compressor(settings: Settings) -> Option<Compressor> {
    with(|pool| {
        let mut kept = pool.compressors.iter();
        let found = kept.rposition(|kept| kept.settings() == settings)?;
        Some(pool.compressors.remove(found))
    })
    .flatten()
}

/// Takes a compressor back; the one that was used longest ago makes way.
#[cfg(feature = "deflate")]
pub(crate) fn give_compressor(compressor: Compressor) {
    with(|pool| {
        if pool.compressors.len() == KEPT_COMPRESSORS {
            pool.compressors.remove(0);
        }
        pool.compressors.push(compressor);
    });
}

/// A decoder, in whatever state it was left, for a window that is yet to be said.
#[cfg(feature = "deflate")]
pub(crate) fn take_inflate() -> Box<Inflate> {
    let pooled = with(|pool| pool.inflates.pop()).flatten();
    pooled.unwrap_or_else(|| Box::new(Inflate::new(WindowBits::MAX)))
}

/// Takes a decoder back, of 1.7 KiB.
#[cfg(feature = "deflate")]
pub(crate) fn give_inflate(inflate: Box<Inflate>) {
    with(|pool| {
        if pool.inflates.len() < KEPT {
            pool.inflates.push(inflate);
        }
    });
}

/// `None` when the thread ends: a connection may outlive its pool, in a variable of the thread.
fn with<T>(f: impl FnOnce(&mut Pool) -> T) -> Option<T> {
    POOL.try_with(|pool| f(&mut pool.borrow_mut())).ok()
}

#[cfg(test)]
mod tests {
    use wirelet::{Error, Kind, Limits, Receiver, Role, SendError};

    use super::{KEPT_LARGE, SIZE, give, give_inbox, give_outbox, take, take_inbox, take_outbox};
    use crate::outgoing::Keys;

    #[test]
    fn an_inbox_comes_back_and_begins_anew() {
        let mut inbox = take_inbox(1, Receiver::new(Role::Server, Limits::default()));
        // A text that is not over, a frame that is not over, and an error.
        inbox.spare()[..13].copy_from_slice(b"\x01\x81\0\0\0\0a\x80\x82\0\0\0\0");
        inbox.filled(13);
        assert_eq!(inbox.ready(), Ok(None));
        assert_eq!(inbox.len(), 1);
        inbox.fail(Error::Utf8);
        let address = inbox.buffer().as_ptr();
        give_inbox(inbox);

        let mut inbox = take_inbox(SIZE, Receiver::new(Role::Client, Limits::default()));
        assert_eq!(inbox.buffer().as_ptr(), address);
        assert!(inbox.is_empty());
        inbox.spare()[..3].copy_from_slice(b"\x82\x01b");
        inbox.filled(3);
        assert!(inbox.ready().unwrap().unwrap().start);
        assert_eq!(inbox.take().unwrap().payload, b"b");
        give_inbox(inbox);
        let large = take_inbox(SIZE + 1, Receiver::new(Role::Client, Limits::default()));
        assert_eq!(large.buffer().len(), SIZE + 1);
    }

    #[test]
    fn an_outbox_comes_back_and_begins_anew() {
        let mut outbox = take_outbox(Keys::Client);
        outbox.begin(Kind::Text, 5, false).unwrap();
        outbox.write(b"ab");
        assert_eq!(outbox.data(Kind::Text, b""), Err(SendError::FrameOpen));
        let address = outbox.buffer().as_ptr();
        give_outbox(outbox);

        let mut outbox = take_outbox(Keys::Server);
        assert_eq!(outbox.buffer().as_ptr(), address);
        outbox.data(Kind::Text, b"cd").unwrap();
        assert_eq!(outbox.pending(), b"\x81\x02cd");
    }

    #[test]
    fn a_buffer_comes_back_and_the_pool_is_bounded() {
        let buffer = take(1);
        let address = buffer.as_ptr();
        give(buffer);
        let again = take(SIZE);
        assert_eq!(again.as_ptr(), address);
        let large = take(SIZE + 1);
        let address = large.as_ptr();
        give(large);
        let again = take(SIZE + 1);
        assert_eq!(again.as_ptr(), address);
        give(vec![0; KEPT_LARGE + 1]);
        assert_eq!(take(KEPT_LARGE + 1).len(), KEPT_LARGE + 1);
    }

    #[test]
    fn a_buffer_may_come_back_when_the_thread_ends() {
        struct Late;
        impl Drop for Late {
            fn drop(&mut self) {
                give(take(1));
            }
        }
        thread_local! {
            static LATE: Late = const { Late };
        }
        // Made before the pool, so dropped after it.
        let thread = std::thread::spawn(|| LATE.with(|_| give(take(1))));
        thread.join().unwrap();
    }
}
