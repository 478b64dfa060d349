//! permessage-deflate (RFC 7692): what is agreed to, and the memory for it.

use core::cell::{RefCell, RefMut};
use core::fmt;

use heapless::Vec;
pub use wirelet::deflate::{Agreement, Context, WindowBits};
use wirelet::deflate::{Inflate, Offer, Server};

/// How messages may come compressed (RFC 7692), for [`Acceptor::deflate`](crate::Acceptor::deflate),
/// [`Upgrade::deflate`](crate::Upgrade::deflate) and [`Connector::deflate`](crate::Connector::deflate).
///
/// A peer that does not agree goes on without, and so does one that comes when no decoder of the
/// [`DeflatePool`] is free. What this end sends is never compressed: that is legal for each message
/// (section 6).
///
/// Messages are inflated in the buffer that was lent to the handshake, which is also the window: the
/// bytes that later ones may refer to.
///
/// | | the peer compresses | a whole message, inflated | a compressed message in [pieces](crate::WebSocket::recv_piece), or [forwarded](crate::RecvHalf::forward) |
/// |---|---|---|---|
/// | [`new`](Self::new) | each message for itself | up to the buffer | up to the buffer |
/// | [`window`](Self::window), less than the buffer | the same, and refers back no further than that | up to the buffer | of any size, if the peer lets its window be limited |
/// | [`window`](Self::window) and [`takeover`](Self::takeover) | with what it sent before in mind | up to the buffer less the window | of any size |
///
/// Larger ones are refused with close code 1009, as soon as they do not fit. Messages that were not
/// compressed come in pieces and are forwarded whatever their size.
///
/// ```no_run
/// # async fn run<T: wirelet_embassy::Transport>(io: T) -> Result<(), wirelet_embassy::AcceptError<T::Error>> {
/// use wirelet_embassy::{Acceptor, Deflate, DeflatePool};
///
/// let pool = DeflatePool::<1>::new(); // one for all connections, with as many decoders as wanted
/// let mut buffer = [0; 2048]; // the largest message, inflated
/// let acceptor = Acceptor::new().deflate(Deflate::new(&pool));
/// let ws = acceptor.accept(io, &mut buffer).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct Deflate<'a> {
    pool: &'a [RefCell<Inflate>],
    context: Context,
}

/// The memory of `N` connections whose messages may come compressed: a decoder for each, less than
/// 1.8 KiB. A connection takes one in the handshake and gives it back when it is dropped.
///
/// As a static, in a `ConstStaticCell` for example, it is all zeros and takes no flash.
pub struct DeflatePool<const N: usize> {
    decoders: [RefCell<Inflate>; N],
}

/// What the handshake agreed to, and the decoder for it.
#[derive(Debug)]
pub(crate) struct Agreed<'b> {
    pub(crate) agreement: Agreement,
    pub(crate) lease: Lease<'b>,
}

/// What a client offers, best first, and the decoder for it.
#[derive(Debug)]
pub(crate) struct Offered<'b> {
    pub(crate) offers: Vec<Offer, 2, u8>,
    lease: Lease<'b>,
}

/// A decoder, until this is dropped.
pub(crate) struct Lease<'b>(RefMut<'b, Inflate>);

impl<'a> Deflate<'a> {
    /// Every message for itself (`client_no_context_takeover` of a server, which every client must
    /// obey; `server_no_context_takeover` of a client).
    #[must_use]
    pub const fn new<const N: usize>(pool: &'a DeflatePool<N>) -> Self {
        Self {
            pool: &pool.decoders,
            context: Context::NO_TAKEOVER,
        }
    }

    /// Has the peer refer back no further than so many bytes (`client_max_window_bits` of a server,
    /// `server_max_window_bits` of a client), if it can: Chromium can, Firefox cannot, and zlib at
    /// the other end compresses with 9 bits or more. With a buffer larger than the window,
    /// messages of any size pass in pieces.
    #[must_use]
    pub const fn window(mut self, window: WindowBits) -> Self {
        self.context.window = window;
        self
    }

    /// Lets the peer refer to what it sent before, as far back as the [`window`](Self::window):
    /// messages that are alike become much smaller. The window is held in the buffer, in front of
    /// the message. If the buffer is not larger than it, or the peer does not let its window be
    /// limited, each message comes for itself. Default: no takeover.
    #[must_use]
    pub const fn takeover(mut self, takeover: bool) -> Self {
        self.context.takeover = takeover;
        self
    }

    /// A decoder, if one is free.
    pub(crate) fn lease(&self) -> Option<Lease<'a>> {
        let mut decoders = self.pool.iter();
        decoders.find_map(|one| one.try_borrow_mut().ok().map(Lease))
    }

    /// What a server with a buffer of `room` bytes agrees to.
    pub(crate) fn server(&self, room: usize) -> Server {
        Server {
            client: self.context(room),
            ..Server::SMALL
        }
    }

    /// What a client with a buffer of `room` bytes offers: nothing if no decoder is free.
    pub(crate) fn offer(&self, room: usize) -> Option<Offered<'a>> {
        let lease = self.lease()?;
        let context = self.context(room);
        // It compresses nothing, so its server need not hold a window.
        let least = Offer {
            server_no_context_takeover: true,
            client_no_context_takeover: true,
            ..Offer::default()
        };
        let best = Offer {
            server_no_context_takeover: !context.takeover,
            server_max_window_bits: Some(context.window).filter(|&bits| bits < WindowBits::MAX),
            ..least
        };
        let mut offers = Vec::new();
        if best != least {
            let _ = offers.push(best);
        }
        // For a server that cannot limit its window.
        let _ = offers.push(least);
        Some(Offered { offers, lease })
    }

    fn context(&self, room: usize) -> Context {
        Context {
            takeover: self.context.takeover && room > self.context.window.bytes(),
            ..self.context
        }
    }
}

impl<'b> Offered<'b> {
    pub(crate) fn agreed(self, agreement: Agreement) -> Agreed<'b> {
        let lease = self.lease;
        Agreed { agreement, lease }
    }
}

impl<const N: usize> DeflatePool<N> {
    /// None in use.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            decoders: [const { RefCell::new(Inflate::new(WindowBits::MAX)) }; N],
        }
    }

    /// How many decoders are free.
    #[must_use]
    pub fn free(&self) -> usize {
        let free = |one: &&RefCell<Inflate>| one.try_borrow().is_ok();
        self.decoders.iter().filter(free).count()
    }
}

impl<const N: usize> Default for DeflatePool<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl AsMut<Inflate> for Lease<'_> {
    fn as_mut(&mut self) -> &mut Inflate {
        &mut self.0
    }
}

impl fmt::Debug for Deflate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflate")
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

impl<const N: usize> fmt::Debug for DeflatePool<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeflatePool")
            .field("free", &self.free())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Lease<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lease")
    }
}
