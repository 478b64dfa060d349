use heapless::Vec;

/// Where a [`Connection`](crate::Connection) keeps one payload of a control frame: of the newest Ping, of the
/// Close that is owed, or of the one that came.
///
/// [`Inline`] needs no memory beside the connection's own. Who has an allocator and thousands of
/// connections may want to hold 125 bytes only while there is something in them.
pub trait Slot {
    /// Empties it: nobody will ask for what is in it.
    fn clear(&mut self);

    /// Puts bytes behind the others. It is never asked to hold more than 125.
    fn extend(&mut self, bytes: &[u8]);

    /// What was put in since it was cleared.
    fn as_slice(&self) -> &[u8];
}

/// 125 bytes in place: as much as a control frame may carry (RFC 6455 section 5.5).
#[derive(Clone, Debug, Default)]
pub struct Inline(Vec<u8, 125, u8>);

impl Inline {
    /// Nothing in it.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }
}

impl Slot for Inline {
    fn clear(&mut self) {
        self.0.clear();
    }

    /// What is beyond 125 bytes is lost.
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn extend(&mut self, bytes: &[u8]) {
        // One by one, for the compiler cannot see that the length of a slice added to that of the
        // slot does not overflow.
        for &byte in bytes {
            let _ = self.0.push(byte);
        }
    }

    fn as_slice(&self) -> &[u8] {
        &self.0
    }
}
