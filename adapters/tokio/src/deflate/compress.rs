//! What goes out compressed.

use wirelet::deflate::Context;
use zlib_rs::{Deflate as Zlib, DeflateConfig, DeflateFlush};

use super::Deflate;
use crate::pool;

/// What section 7.2.1 takes off the end of a message.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Bytes of room that zlib wants, so that it does not write its end of a block twice.
const ROOM: usize = 16;

/// What the compressed form of a message depends on, besides what was sent before: messages by
/// themselves have the same form on all connections with the same settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) level: u8,
    pub(crate) memory: u8,
    pub(crate) window: wirelet::deflate::WindowBits,
    /// Whether or not it makes a message smaller.
    pub(crate) always: bool,
}

/// The sending side of a connection that agreed on compression.
pub(crate) struct Deflating {
    settings: Settings,
    takeover: bool,
    threshold: usize,
    /// With takeover, from the first compressed message on; without, while a message is open.
    compressor: Option<Compressor>,
}

impl Deflating {
    pub(crate) fn new(deflate: &Deflate, context: Context) -> Self {
        Self {
            settings: deflate.settings(context.window),
            takeover: context.takeover,
            threshold: deflate.threshold.max(1),
            compressor: None,
        }
    }

    /// Whether a message of so many bytes is worth it.
    pub(crate) const fn wants(&self, len: usize) -> bool {
        len >= self.threshold
    }

    pub(crate) const fn settings(&self) -> Settings {
        self.settings
    }

    /// A whole message. `None`: it goes out as it is.
    pub(crate) fn message(&mut self, payload: &[u8]) -> Option<Output> {
        if self.takeover {
            // It is part of the window from here on, so it goes out like this whatever its size.
            self.piece(payload, true)
        } else {
            Compressor::alone(self.settings, payload)
        }
    }

    /// A piece of a message; `end` makes it the last. `None` if compressing failed.
    pub(crate) fn piece(&mut self, payload: &[u8], end: bool) -> Option<Output> {
        let resumed = self.compressor.take();
        let mut compressor = resumed.unwrap_or_else(|| Compressor::take(self.settings));
        let mut out = Output::new(payload.len());
        // One that failed is never used again.
        compressor.push(payload, &mut out, end)?;
        if end && !self.takeover {
            compressor.give();
        } else {
            self.compressor = Some(compressor);
        }
        Some(out)
    }

    /// A message that this end did not compress goes out as if it had: what comes next does not
    /// refer to what was before it.
    pub(crate) fn forget(&mut self) {
        if let Some(compressor) = self.compressor.take() {
            compressor.give();
        }
    }
}

impl Drop for Deflating {
    fn drop(&mut self) {
        self.forget();
    }
}

/// zlib's state, at the start of a stream or in the middle of one.
pub(crate) struct Compressor {
    settings: Settings,
    zlib: Zlib,
}

impl Compressor {
    /// At the start of a stream.
    fn take(settings: Settings) -> Self {
        if let Some(mut found) = pool::take_compressor(settings) {
            found.zlib.reset();
            return found;
        }
        // zlib has no window of 8 bits. With 9 its distances are at most 250 bytes, for it keeps
        // 262 to look ahead.
        let bits = i32::from(settings.window.get().max(9));
        let zlib = Zlib::new_with_config(DeflateConfig {
            level: settings.level.into(),
            // Negative: nothing around the stream.
            window_bits: -bits,
            mem_level: settings.memory.into(),
            ..DeflateConfig::default()
        });
        Self { settings, zlib }
    }

    /// A message by itself. `None`: it is better sent as it is.
    pub(crate) fn alone(settings: Settings, payload: &[u8]) -> Option<Output> {
        let mut compressor = Self::take(settings);
        let mut out = Output::new(payload.len());
        // One that failed is never used again.
        compressor.push(payload, &mut out, true)?;
        compressor.give();
        if settings.always || out.as_bytes().len() < payload.len() {
            return Some(out);
        }
        out.give();
        None
    }

    fn give(self) {
        pool::give_compressor(self);
    }

    pub(crate) const fn settings(&self) -> Settings {
        self.settings
    }

    /// Compresses up to a whole byte. `None` if zlib failed.
    fn push(&mut self, mut payload: &[u8], out: &mut Output, end: bool) -> Option<()> {
        loop {
            let room = out.room();
            let available = room.len();
            let before = (self.zlib.total_in(), self.zlib.total_out());
            self.zlib
                .compress(payload, room, DeflateFlush::SyncFlush)
                .ok()?;
            let used = usize::try_from(self.zlib.total_in() - before.0).ok()?;
            let made = usize::try_from(self.zlib.total_out() - before.1).ok()?;
            payload = payload.get(used..)?;
            out.len += made;
            if made < available {
                // With room left it stops only when it has taken everything.
                break;
            }
        }
        if end {
            out.end();
        }
        payload.is_empty().then_some(())
    }
}

/// Compressed bytes in a pooled buffer.
pub(crate) struct Output {
    buffer: Vec<u8>,
    len: usize,
}

impl Output {
    /// For a message of so many bytes. What does not become smaller grows by 5 bytes a block.
    fn new(len: usize) -> Self {
        let buffer = pool::take(len + len / 256 + 4 * ROOM);
        Self { buffer, len: 0 }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.buffer[..self.len]
    }

    pub(crate) fn give(self) {
        pool::give(self.buffer);
    }

    pub(crate) fn into_bytes(mut self) -> bytes::Bytes {
        self.buffer.truncate(self.len);
        self.buffer.into()
    }

    fn room(&mut self) -> &mut [u8] {
        if self.buffer.len() - self.len < ROOM {
            let mut larger = pool::take(self.buffer.len() * 2);
            larger[..self.len].copy_from_slice(&self.buffer[..self.len]);
            pool::give(std::mem::replace(&mut self.buffer, larger));
        }
        &mut self.buffer[self.len..]
    }

    /// RFC 7692 section 7.2.1.
    fn end(&mut self) {
        if self.as_bytes().ends_with(&TAIL) {
            self.len -= TAIL.len();
        }
        if self.len == 0 {
            // zlib says nothing for nothing. Section 7.2.3.6: the header of an empty block.
            self.buffer[0] = 0;
            self.len = 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Deflating;
    use crate::{Deflate, Prepared};
    use wirelet::deflate::Context;

    /// Of this, without takeover, deflate makes more bytes.
    const SHORT: &[u8] = b"\x01\x82\x03\x84";

    #[test]
    fn larger_only_with_a_threshold_of_0() {
        for (threshold, compressed) in [(0, true), (1, false)] {
            let deflate = Deflate::new().threshold(threshold);
            let mut deflating = Deflating::new(&deflate, Context::NO_TAKEOVER);
            assert!(deflating.wants(SHORT.len()) && !deflating.wants(0));
            let settings = deflating.settings();
            let alone = deflating.message(SHORT);
            let alone = alone.as_ref().map(|output| output.as_bytes());
            let prepared = Prepared::binary(SHORT).packed(settings);
            assert_eq!(alone, prepared.as_deref());
            let longer = alone.is_some_and(|bytes| bytes.len() > SHORT.len());
            assert_eq!(longer, compressed, "threshold {threshold}: {alone:?}");
        }
    }

    #[test]
    fn one_prepared_message_for_peers_with_either_threshold() {
        let prepared = Prepared::binary(SHORT);
        let window = Context::NO_TAKEOVER.window;
        for _ in 0..2 {
            assert!(prepared.packed(Deflate::new().settings(window)).is_none());
            let always = Deflate::new().threshold(0).settings(window);
            assert!(prepared.packed(always).is_some());
        }
    }
}
