//! Servers and clients on embassy-net.

use core::convert::Infallible;
use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;

use embassy_futures::join::join_array;
use embassy_net::Stack;
use embassy_net::dns::DnsQueryType;
use embassy_net::tcp::{self, TcpSocket};
use embassy_time::{Duration, Timer, with_timeout};
use wirelet::Timeout;

use crate::link::{MIN_ROOM, Random};
use crate::ring::{drain, poll_sent};
use crate::url::{Url, UrlError};
use crate::{ConnectError, Connector, Error, WebSocket, clock, head};

/// The memory of one connection: the TCP rings, and the buffer for the opening handshake and whole
/// messages. Sizes in bytes; `TX` is at least [`MIN_ROOM`].
#[derive(Debug)]
pub struct Slot<const RX: usize, const TX: usize, const BUFFER: usize> {
    rx: [u8; RX],
    tx: [u8; TX],
    buffer: [u8; BUFFER],
}

impl<const RX: usize, const TX: usize, const BUFFER: usize> Slot<RX, TX, BUFFER> {
    /// Zeros, so that a `static` of it takes no flash.
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(TX >= MIN_ROOM, "a Pong does not fit") };
        Self {
            rx: [0; RX],
            tx: [0; TX],
            buffer: [0; BUFFER],
        }
    }
}

impl<const RX: usize, const TX: usize, const BUFFER: usize> Default for Slot<RX, TX, BUFFER> {
    fn default() -> Self {
        Self::new()
    }
}

/// Serves a port for ever, as many connections at once as there are slots: [`listen`] for each of
/// them, in one future.
///
/// That future is as large as all connections together, and moved around when it is made. Where
/// the stack is small, [`listen`] in a task for each slot.
///
/// ```no_run
/// # async fn run(stack: embassy_net::Stack<'static>) {
/// use wirelet_embassy::{Slot, accept, serve};
/// let mut slots = [const { Slot::<1024, 1024, 512>::new() }; 3];
/// serve(stack, 80, &mut slots, async |socket, buffer| {
///     let Ok(mut ws) = accept(socket, buffer).await else { return };
///     let (mut rx, mut tx) = ws.halves();
///     while let Ok(Some(())) = rx.forward(&mut tx).await {} // an echo, whatever the size
/// })
/// .await;
/// # }
/// ```
///
/// # Cancel safety
/// Dropping the future drops the sockets, and what they had not sent yet.
pub async fn serve<const N: usize, const RX: usize, const TX: usize, const BUFFER: usize>(
    stack: Stack<'_>,
    port: u16,
    slots: &mut [Slot<RX, TX, BUFFER>; N],
    handler: impl AsyncFn(&mut TcpSocket<'_>, &mut [u8]),
) -> Infallible {
    let listeners = slots
        .each_mut()
        .map(|slot| listen(stack, port, slot, &handler));
    let [never, ..] = &join_array(listeners).await[..] else {
        // Without slots there is nothing to serve with.
        return core::future::pending().await;
    };
    *never
}

/// Serves a port for ever, one connection after another in one slot. `handler` is called for each
/// with a socket that is connected and a buffer, to be given to
/// [`Acceptor::request`](crate::Acceptor::request) or [`accept`](crate::accept()).
///
/// embassy-net has no backlog: a connection is refused unless a socket is listening. So that one
/// always is while a slot is between two connections, have one or two slots more than clients. When
/// the handler returns, the peer has a second to take what was sent last and to end its stream; then
/// it is reset, and the slot listens again a second later at the latest.
///
/// # Cancel safety
/// Dropping the future drops the socket, and what it had not sent yet.
pub async fn listen<const RX: usize, const TX: usize, const BUFFER: usize>(
    stack: Stack<'_>,
    port: u16,
    slot: &mut Slot<RX, TX, BUFFER>,
    handler: impl AsyncFn(&mut TcpSocket<'_>, &mut [u8]),
) -> Infallible {
    let mut socket = TcpSocket::new(stack, &mut slot.rx, &mut slot.tx);
    // What is staged leaves together anyway: Nagle's algorithm would only add delay.
    socket.set_nagle_enabled(false);
    loop {
        // For a peer that does not end TCP's handshake.
        socket.set_timeout(Some(HALF_OPEN));
        if socket.accept(port).await.is_ok() {
            socket.set_timeout(None);
            handler(&mut socket, &mut slot.buffer).await;
        } else {
            // Port 0, which nobody can mean: whatever else runs goes on.
            Timer::after(LINGER).await;
        }
        hang_up(&mut socket).await;
    }
}

/// Ends a connection so that the peer gets what was sent last, and the socket can be used again.
async fn hang_up(socket: &mut TcpSocket<'_>) {
    socket.close();
    let ended = poll_fn(|cx| {
        drain(socket, cx);
        // A reset in front of the peer's own end may take back what it has not read yet, and one
        // in front of ours what it has not got.
        let sent = poll_sent(socket, cx);
        if socket.may_recv() {
            Poll::Pending
        } else {
            sent
        }
    });
    let _ = with_timeout(LINGER, ended).await;
    reset(socket).await;
}

/// Forgets a connection, and tells the peer if there is one.
async fn reset(socket: &mut TcpSocket<'_>) {
    socket.abort();
    let _ = with_timeout(LINGER, socket.flush()).await;
}

impl<'a> Connector<'a> {
    /// Looks the host up (IPv4), connects `socket` and does the opening handshake. A socket that is
    /// in use is reset first. The other arguments are those of [`connect`](crate::connect()).
    ///
    /// # Errors
    /// [`ConnectError::Dns`], [`ConnectError::Unreachable`], and those of
    /// [`handshake`](Self::handshake); `wss://` is [`UrlError::Tls`].
    ///
    /// # Cancel safety
    /// Cancel safe: call it again with the same socket and buffer. Until then the socket is left
    /// as it was, perhaps connected: `abort` it if that is not to be.
    pub async fn connect<'b, 'r, 's>(
        &self,
        stack: Stack<'_>,
        socket: &'r mut TcpSocket<'s>,
        url: &str,
        buffer: &'b mut [u8],
        random: Random<'b>,
    ) -> Result<WebSocket<'b, &'r mut TcpSocket<'s>>, ConnectError<tcp::Error>>
    where
        'a: 'b,
    {
        let url = Url::parse(url)?;
        if url.tls {
            return Err(ConnectError::Url(UrlError::Tls));
        }
        let deadline = head::deadline(&self.config);
        let open = async {
            let found = stack.dns_query(url.host, DnsQueryType::A).await;
            let found = found.map_err(|_| ConnectError::Dns)?;
            let address = *found.first().ok_or(ConnectError::Dns)?;
            reset(socket).await;
            socket.set_nagle_enabled(false);
            let connected = socket.connect((address, url.port)).await;
            connected.map_err(|_| ConnectError::Unreachable)
        };
        {
            let mut open = pin!(open);
            poll_fn(|cx| match open.as_mut().poll(cx) {
                Poll::Ready(opened) => Poll::Ready(opened),
                Poll::Pending => clock::poll(Some(deadline), cx)
                    .map(|()| Err(Error::Timeout(Timeout::Handshake).into())),
            })
            .await?;
        }
        self.open(socket, deadline, &url, buffer, random).await
    }
}

/// How long a peer may take to end TCP's handshake.
const HALF_OPEN: Duration = Duration::from_secs(5);

/// How long a peer may take to end its stream after this end has, and a reset to leave.
const LINGER: Duration = Duration::from_secs(1);
