//! What the servers of the peers have in common: the socket, the two modes, and the handshake of
//! those that leave it to the application.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use base64::Engine as _;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How a library is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// All messages that are there are answered by one write, and the buffers are as large as ours.
    Best,
    /// As its README, or its first example, shows.
    Readme,
}

/// Bytes of the buffers in [`Mode::Best`], where a library has one to be set: as ours.
pub const BUFFER: usize = 64 << 10;

/// Bytes of the longest message: as ours.
pub const MESSAGE: usize = 16 << 20;

/// [Listens](listen) in the mode of the command line.
///
/// # Errors
/// The command line is not `best` or `readme`, or there is no port.
pub fn serve<F>(connection: impl Fn(TcpStream, Mode) -> F + Copy + Send + 'static) -> Result<()>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let mode = match std::env::args().nth(1).as_deref() {
        Some("best") => Mode::Best,
        Some("readme") => Mode::Readme,
        _ => return Err("say `best` or `readme`".into()),
    };
    listen(move |tcp| connection(tcp, mode))
}

/// What a server that can compress is asked for instead of a [`Mode`]: true is context takeover in
/// both directions, false is none.
#[must_use]
pub fn takeover() -> Option<bool> {
    match std::env::args().nth(1).as_deref() {
        Some("deflate") => Some(false),
        Some("takeover") => Some(true),
        _ => None,
    }
}

/// Serves on a free port of 127.0.0.1 until the process ends.
///
/// # Errors
/// There is no port.
pub fn listen<F>(connection: impl Fn(TcpStream) -> F + Send + 'static) -> Result<()>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("listening on ws://{}", listener.local_addr()?);
        loop {
            let (tcp, _) = listener.accept().await?;
            tcp.set_nodelay(true)?;
            tokio::spawn(connection(tcp));
        }
    })
}

/// The opening handshake, for a library that begins behind it.
///
/// # Errors
/// There was no request, or something behind it.
pub async fn upgrade(tcp: &mut TcpStream) -> Result<()> {
    upgrade_extended(tcp, |_| None).await
}

/// As [`upgrade`]; `extend` gives the answer to the extensions that are offered.
///
/// # Errors
/// As there.
pub async fn upgrade_extended(
    tcp: &mut TcpStream,
    extend: impl FnOnce(&str) -> Option<String>,
) -> Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > 8192 || tcp.read_buf(&mut head).await? == 0 {
            return Err("no request".into());
        }
    }
    let head = String::from_utf8(head)?;
    let header = |wanted| {
        head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then_some(value.trim())
        })
    };
    let extension = header("sec-websocket-extensions")
        .and_then(extend)
        .map_or_else(String::new, |answer| {
            format!("Sec-WebSocket-Extensions: {answer}\r\n")
        });
    let mut sha1 = sha1_smol::Sha1::from(header("sec-websocket-key").ok_or("no key")?);
    sha1.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let accept = base64::engine::general_purpose::STANDARD.encode(sha1.digest().bytes());
    let reply = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{extension}\r\n"
    );
    tcp.write_all(reply.as_bytes()).await?;
    Ok(())
}

/// A socket that collects small writes, and writes them before it reads: batches the answers of a
/// library that writes once a message and reads only when it has no message left.
pub struct Collecting {
    tcp: TcpStream,
    collected: Vec<u8>,
    written: usize,
}

impl Collecting {
    #[must_use]
    pub fn new(tcp: TcpStream) -> Self {
        Self {
            tcp,
            collected: Vec::new(),
            written: 0,
        }
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.collected.len() {
            let n =
                ready!(Pin::new(&mut self.tcp).poll_write(cx, &self.collected[self.written..]))?;
            self.written += n;
        }
        self.collected.clear();
        self.written = 0;
        Poll::Ready(Ok(()))
    }

    /// There is no room for so many bytes, and what was collected has left.
    fn poll_large(&mut self, cx: &mut Context<'_>, len: usize) -> Poll<io::Result<bool>> {
        if self.collected.len() + len <= BUFFER {
            return Poll::Ready(Ok(false));
        }
        ready!(self.poll_drain(cx))?;
        Poll::Ready(Ok(len > BUFFER))
    }
}

impl AsyncRead for Collecting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // Pending here is no reason not to read.
        if let Poll::Ready(Err(error)) = self.poll_drain(cx) {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for Collecting {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if ready!(self.poll_large(cx, buf.len()))? {
            return Pin::new(&mut self.tcp).poll_write(cx, buf);
        }
        self.collected.extend(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let len = bufs.iter().map(|buf| buf.len()).sum();
        if ready!(self.poll_large(cx, len))? {
            return Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs);
        }
        bufs.iter().for_each(|buf| self.collected.extend(&**buf));
        Poll::Ready(Ok(len))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_drain(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
