//! permessage-deflate (RFC 7692): what a connection wants, and the two ends of it.

mod compress;
mod inflating;

pub(crate) use compress::{Compressor, Deflating, Output, Settings};
pub(crate) use inflating::Inflating;

use wirelet::deflate::{Agreement, Answer, Context, Offer, Server, WindowBits};

/// How a connection compresses its messages (permessage-deflate, RFC 7692), if the peer does so, too.
///
/// It pays where the line is slow or paid by the byte, and messages are text of some hundred bytes
/// or more. It costs time on both ends: on a fast network a server without it is faster.
///
/// ```
/// use wirelet_tokio::{Acceptor, Deflate};
/// let acceptor = Acceptor::new().deflate(Deflate::new());
/// ```
///
/// # What it costs
/// By default each message is compressed for itself, so a connection holds nothing between
/// messages: the memory for compressing, 260 KiB, belongs to the thread. With
/// [context takeover](Self::takeover) small messages that are alike become much smaller, and each
/// connection holds a window of what it received (of 32 KiB up to twice that, after large
/// messages), and a compressor, from the first compressed message on. `cargo test -p wirelet-tests --test tokio_deflate_memory -- --nocapture` prints a
/// table.
///
/// Compressing is done where a message is fed, without a pause: a message of megabytes holds its
/// thread for milliseconds. [`send_pieces`](crate::WebSocket::send_pieces) compresses 16 KiB at a time.
///
/// # What the peer can do
/// [`Limits::message`](wirelet::Limits::message) counts what comes out, while it comes out: a
/// "bomb" ends with close code 1009 and costs no more than a message of that size. Do not compress
/// secrets together with what an attacker chose: the length tells (RFC 7692 section 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deflate {
    send: Context,
    receive: Context,
    level: u8,
    memory: Option<u8>,
    threshold: usize,
}

impl Deflate {
    /// Every message for itself, level 1, messages of at least 256 bytes.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            send: Context::NO_TAKEOVER,
            receive: Context::NO_TAKEOVER,
            level: 1,
            memory: None,
            threshold: 256,
        }
    }

    /// Messages may refer to those before them, in both directions, if the peer wants that, too.
    #[must_use]
    pub const fn takeover(mut self, takeover: bool) -> Self {
        self.send.takeover = takeover;
        self.receive.takeover = takeover;
        self
    }

    /// The window of both directions, 8 to 15 bits: 256 bytes to 32 KiB. A message can refer to no
    /// more than that. Default: 15.
    ///
    /// A peer whose window cannot be limited (Firefox, as a client) is asked to do without takeover
    /// instead.
    #[must_use]
    pub const fn window(mut self, window: WindowBits) -> Self {
        self.send.window = window;
        self.receive.window = window;
        self
    }

    /// What this end sends, apart from what it receives.
    #[must_use]
    pub const fn send(mut self, context: Context) -> Self {
        self.send = context;
        self
    }

    /// What this end receives, apart from what it sends.
    #[must_use]
    pub const fn receive(mut self, context: Context) -> Self {
        self.receive = context;
        self
    }

    /// How hard to try: 1 is the fastest, 9 makes the smallest messages, 0 only wraps them; more is
    /// taken for 9. Default: 1.
    #[must_use]
    pub const fn level(mut self, level: u8) -> Self {
        self.level = if level > 9 { 9 } else { level };
        self
    }

    /// How much memory compressing may take beside the window, as zlib counts it: 1 to 9; what is
    /// outside is taken for the nearest. Each step up is twice as much, from 1 KB to 230 KB. Default: 8,
    /// and 1 at level 1, which makes no use of more.
    #[must_use]
    pub const fn memory(mut self, memory: u8) -> Self {
        self.memory = Some(match memory {
            0 => 1,
            1..=9 => memory,
            _ => 9,
        });
        self
    }

    /// Messages of fewer bytes go out as they are. Default: 256. Without takeover little is gained
    /// below that; with takeover 32 is a good value. An empty message is never compressed.
    ///
    /// Without takeover, a longer message that compressing does not make smaller goes out as it is,
    /// too; but with 0, for tests of a peer, every message of one byte or more is compressed.
    #[must_use]
    pub const fn threshold(mut self, bytes: usize) -> Self {
        self.threshold = bytes;
        self
    }

    /// The answer to what a client offers.
    pub(crate) fn answer<'a>(
        &self,
        extensions: impl IntoIterator<Item = &'a str>,
    ) -> Option<(Answer, Agreement)> {
        let server = Server {
            client: self.receive,
            server: self.send,
            smallest: WindowBits::MIN,
        };
        server.answer(extensions)
    }

    /// What a client offers, the favourite first.
    pub(crate) fn offers(&self) -> Vec<Offer> {
        let limited = |window: WindowBits| (window < WindowBits::MAX).then_some(window);
        let favourite = Offer {
            server_no_context_takeover: !self.receive.takeover,
            client_no_context_takeover: !self.send.takeover,
            server_max_window_bits: limited(self.receive.window),
            client_max_window_bits: Some(limited(self.send.window)),
        };
        // A server that cannot limit its window can do without takeover: that every server can.
        let instead = Offer {
            server_no_context_takeover: true,
            server_max_window_bits: None,
            ..favourite
        };
        let mut offers = vec![favourite];
        if favourite.server_max_window_bits.is_some() {
            offers.push(instead);
        }
        offers
    }

    fn settings(&self, window: WindowBits) -> Settings {
        Settings {
            level: self.level,
            memory: self.memory.unwrap_or(if self.level == 1 { 1 } else { 8 }),
            window,
            always: self.threshold == 0,
        }
    }
}

impl Default for Deflate {
    fn default() -> Self {
        Self::new()
    }
}
