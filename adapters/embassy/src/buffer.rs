use core::ops::Range;

/// Bytes that wait in lent memory, with room behind them.
#[derive(Debug)]
pub(crate) struct Buffer<'b> {
    memory: &'b mut [u8],
    held: Range<usize>,
}

impl<'b> Buffer<'b> {
    pub(crate) const fn new(memory: &'b mut [u8]) -> Self {
        Self { memory, held: 0..0 }
    }

    /// What waits.
    pub(crate) fn held(&mut self) -> &mut [u8] {
        self.memory.get_mut(self.held.clone()).unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// The first `n` bytes are done with.
    pub(crate) fn consume(&mut self, n: usize) {
        self.held.start += n.min(self.held.len());
    }

    /// Room, all of it in one piece: what waits moves to the front.
    pub(crate) fn spare(&mut self) -> &mut [u8] {
        if self.held.start > 0 {
            self.memory.copy_within(self.held.clone(), 0);
            self.held = 0..self.held.len();
        }
        self.memory.get_mut(self.held.end..).unwrap_or_default()
    }

    /// The first `n` bytes of the [room](Self::spare) wait now.
    pub(crate) fn filled(&mut self, n: usize) {
        self.held.end += n.min(self.memory.len() - self.held.end);
    }

    /// Bytes of room.
    pub(crate) fn room(&self) -> usize {
        self.memory.len() - self.held.len()
    }

    /// Bytes in all.
    pub(crate) fn capacity(&self) -> usize {
        self.memory.len()
    }
}
