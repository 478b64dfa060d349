//! The payload of a control frame that is owed, or of the Close that came: memory only while there is one.

use wirelet::Inline;

/// Who closes, what is owed, when to give up.
pub(crate) type Rules = wirelet::Connection<Slot>;

/// 8 bytes, and on the heap what it holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slot(Option<Box<Inline>>);

impl wirelet::Slot for Slot {
    fn clear(&mut self) {
        self.0 = None;
    }

    fn extend(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.0.get_or_insert_default().extend(bytes);
        }
    }

    fn as_slice(&self) -> &[u8] {
        self.0.as_deref().map_or(&[], Inline::as_slice)
    }
}
