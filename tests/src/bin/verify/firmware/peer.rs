//! A peer of the board that speaks HTTP and WebSocket by hand, as well or as badly as it is told.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddrV4, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use socket2::SockRef;
use wirelet::{Limits, Role};
use wirelet_tests::frames::{Frame, wire};
use wirelet_tests::oracle;
use wirelet_tests::outcome::{Outcome, Rules};

/// One connection.
pub(super) struct Peer {
    stream: TcpStream,
}

impl Peer {
    /// A TCP connection, which need not be to the board yet: the emulator accepts everybody, and
    /// ends the connection if the board refuses.
    pub(super) fn connect(address: SocketAddrV4) -> Result<Peer> {
        let stream = TcpStream::connect(address).context("the emulator is gone")?;
        stream.set_read_timeout(Some(SILENCE))?;
        stream.set_write_timeout(Some(SILENCE))?;
        stream.set_nodelay(true)?;
        Ok(Peer { stream })
    }

    /// A WebSocket. One who is refused comes again.
    pub(super) fn open(address: SocketAddrV4, path: &str) -> Result<Peer> {
        again(|| Peer::try_open(address, path))
    }

    /// A WebSocket; `None` if the board refused the connection.
    pub(super) fn try_open(address: SocketAddrV4, path: &str) -> Result<Option<Peer>> {
        let mut peer = Peer::connect(address)?;
        let Some(head) = peer.ask(request(path).as_bytes())? else {
            return Ok(None);
        };
        ensure!(
            head.starts_with("HTTP/1.1 101 ") && head.contains(ACCEPT),
            "no WebSocket: {}",
            head.lines().next().unwrap_or_default()
        );
        Ok(Some(peer))
    }

    /// Sends something and reads the head of the answer, and nothing behind it; `None` if the
    /// board refused the connection.
    pub(super) fn ask(&mut self, request: &[u8]) -> Result<Option<String>> {
        let mut head = Vec::new();
        let answer = self.stream.write_all(request).and_then(|()| {
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") {
                self.stream.read_exact(&mut byte)?;
                head.extend(byte);
            }
            Ok(())
        });
        match answer {
            Ok(()) => Ok(Some(String::from_utf8_lossy(&head).into_owned())),
            Err(error) if head.is_empty() && is_refusal(&error) => Ok(None),
            Err(error) => Err(error).context("no answer"),
        }
    }

    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).context("cannot write")
    }

    /// Sends of these as much as is taken without waiting; whether there is room for more.
    pub(super) fn send_what_fits(&mut self, bytes: &[u8]) -> Result<bool> {
        self.stream.set_nonblocking(true)?;
        let sent = self.stream.write_all(bytes);
        self.stream.set_nonblocking(false)?;
        match sent {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error).context("cannot write"),
        }
    }

    /// Throws away what comes, until the connection ends in any way.
    pub(super) fn read_all(&mut self) {
        let _ = io::copy(&mut self.stream, &mut io::sink());
    }

    /// Each of these in a segment of its own, as far as it depends on this end.
    pub(super) fn send_in(&mut self, bytes: &[u8], at_once: usize) -> io::Result<()> {
        bytes
            .chunks(at_once)
            .try_for_each(|chunk| self.stream.write_all(chunk))
    }

    /// One frame, of a board that sends sound ones of at most 65,535 bytes: first byte, payload.
    pub(super) fn frame(&mut self) -> Result<(u8, Vec<u8>)> {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head).context("no frame came")?;
        let len = match head[1] {
            len @ ..=125 => usize::from(len),
            126 => {
                let mut long = [0; 2];
                self.stream.read_exact(&mut long)?;
                usize::from(u16::from_be_bytes(long))
            }
            other => bail!("a frame with the length byte {other}"),
        };
        let mut payload = vec![0; len];
        self.stream.read_exact(&mut payload)?;
        Ok((head[0], payload))
    }

    /// A message there and back.
    pub(super) fn echo(&mut self, text: &str) -> Result<()> {
        self.send(&wire(Role::Server, &[Frame::new(TEXT, text)]))?;
        let (first, payload) = self.frame()?;
        ensure!(
            (first, payload.as_slice()) == (TEXT, text.as_bytes()),
            "another frame than the echo came: {first:#04x}, {} bytes",
            payload.len()
        );
        Ok(())
    }

    /// What comes until the board ends its stream, which must not be by a reset.
    pub(super) fn read_to_end(&mut self) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        let read = self.stream.read_to_end(&mut all);
        read.with_context(|| format!("no clean end behind byte {}", all.len()))?;
        Ok(all)
    }

    /// The same; `None` if the board refused the connection.
    pub(super) fn read_unless_refused(&mut self) -> Result<Option<Vec<u8>>> {
        let mut all = Vec::new();
        match self.stream.read_to_end(&mut all) {
            Ok(0) => Ok(None),
            Ok(_) => Ok(Some(all)),
            Err(error) if all.is_empty() && is_refusal(&error) => Ok(None),
            Err(error) => {
                Err(error).with_context(|| format!("no clean end behind byte {}", all.len()))
            }
        }
    }

    /// Says goodbye and waits for the board's.
    pub(super) fn close(mut self) -> Result<()> {
        self.send(&close_frame())?;
        let rest = self.read_to_end()?;
        ensure!(
            rest.ends_with(&CLOSED),
            "the Close was answered with {rest:?}"
        );
        Ok(())
    }

    /// Ends the stream of this direction, and vanishes: what comes is not read.
    pub(super) fn hang_up(self) -> Result<()> {
        Ok(self.stream.shutdown(Shutdown::Both)?)
    }

    /// Vanishes by a reset.
    pub(super) fn reset(self) -> Result<()> {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))?;
        Ok(())
    }

    /// A second handle of the same connection, for another thread.
    pub(super) fn twin(&self) -> Result<Peer> {
        let stream = self.stream.try_clone()?;
        Ok(Peer { stream })
    }
}

/// The whole answer to one request: head and body. One who is refused comes again.
pub(super) fn get(address: SocketAddrV4, path: &str) -> Result<(String, Vec<u8>)> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: board\r\n\r\n");
    again(|| {
        let mut peer = Peer::connect(address)?;
        let Some(head) = peer.ask(request.as_bytes())? else {
            return Ok(None);
        };
        Ok(Some((head, peer.read_to_end()?)))
    })
}

/// What the board tells of itself.
pub(super) fn status(address: SocketAddrV4) -> Result<Value> {
    let (head, body) = get(address, "/status")?;
    ensure!(head.starts_with("HTTP/1.1 200 "), "/status: {head}");
    serde_json::from_slice(&body).context("/status is not JSON")
}

/// Waits until `/status` says this of a thing.
pub(super) fn until(address: SocketAddrV4, wanted: &[(&str, u64)]) -> Result<Value> {
    let deadline = Instant::now() + SILENCE;
    loop {
        let status = status(address)?;
        let says = |(name, value): &(&str, u64)| status[*name] == *value;
        if wanted.iter().all(says) {
            return Ok(status);
        }
        ensure!(
            Instant::now() < deadline,
            "/status never said {wanted:?}, but at last {status}"
        );
    }
}

/// What a client makes of these bytes, by the naive receiver of the tests.
pub(super) fn read(bytes: &[u8]) -> Outcome {
    let rules = Rules {
        role: Role::Client,
        limits: Limits::default(),
        rsv1: false,
        room: None,
    };
    oracle::read(&rules, bytes)
}

/// A Close with 1000, to the board.
pub(super) fn close_frame() -> Vec<u8> {
    wire(Role::Server, &[Frame::new(0x88, 1000u16.to_be_bytes())])
}

/// A handshake with the nonce of RFC 6455 section 1.3.
pub(super) fn request(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: board\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
}

/// Tries until the board takes the connection. Its network stack has no queue of connections: who
/// comes while all slots are taken, or between the end of one and the next listening, is refused.
pub(super) fn again<R>(mut attempt: impl FnMut() -> Result<Option<R>>) -> Result<R> {
    let deadline = Instant::now() + SILENCE;
    loop {
        if let Some(result) = attempt()? {
            return Ok(result);
        }
        ensure!(Instant::now() < deadline, "the board has no slot");
    }
}

/// What the emulator makes of a board that refuses.
pub(super) fn is_refusal(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof
    )
}

/// A text message in one frame.
pub(super) const TEXT: u8 = 0x81;

/// A Close with 1000 from the board.
pub(super) const CLOSED: [u8; 4] = [0x88, 2, 0x03, 0xe8];

/// The answer to the nonce.
const ACCEPT: &str = wirelet_tests::requests::KEY;

/// How long the board may be silent until a check fails.
pub(super) const SILENCE: Duration = Duration::from_secs(20);
