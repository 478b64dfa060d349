//! The load: many connections, each with messages in flight, on one thread without a runtime.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use mio::{Events, Interest, Poll, Token};

/// What a connection says in a round, and what must be answered.
pub trait Dialogue {
    /// The extension that the opening handshake offers.
    fn offer(&self) -> Option<&'static str>;

    /// The extension that the server agreed to.
    ///
    /// # Errors
    /// That is not what is to be measured.
    fn agree(&mut self, extension: Option<&str>) -> Result<()>;

    /// Begins a round.
    fn begin(&mut self);

    /// All bytes to be sent in this round.
    fn sent(&self) -> &[u8];

    /// How many bytes the rest of the answer has at most.
    fn rest(&self) -> usize;

    /// Checks what came of the answer.
    ///
    /// # Errors
    /// It is not what it should be.
    fn take(&mut self, bytes: &[u8]) -> Result<()>;
}

/// Connections to one server.
pub struct Client<D> {
    poll: Poll,
    events: Events,
    connections: Vec<Connection<D>>,
    scratch: Vec<u8>,
}

struct Connection<D> {
    tcp: mio::net::TcpStream,
    dialogue: D,
    /// Bytes of this round that went out.
    sent: usize,
    /// No round is under way.
    resting: bool,
}

impl<D: Dialogue> Client<D> {
    /// Opens a connection for each dialogue, one after the other.
    ///
    /// # Errors
    /// The server did not accept one.
    pub fn open(port: u16, dialogues: impl IntoIterator<Item = D>) -> Result<Self> {
        let poll = Poll::new().context("cannot wait for sockets")?;
        let mut connections = Vec::new();
        for mut dialogue in dialogues {
            let mut tcp = ask(port, dialogue.offer())?;
            let head = answered(&mut tcp)?;
            dialogue.agree(header(&head, EXTENSIONS))?;
            tcp.set_nonblocking(true)?;
            let mut tcp = mio::net::TcpStream::from_std(tcp);
            let token = Token(connections.len());
            poll.registry()
                .register(&mut tcp, token, Interest::READABLE | Interest::WRITABLE)?;
            connections.push(Connection {
                tcp,
                dialogue,
                sent: 0,
                resting: true,
            });
        }
        Ok(Self {
            poll,
            events: Events::with_capacity(1024),
            connections,
            scratch: vec![0; SCRATCH],
        })
    }

    /// Every connection sends what it has to say, waits until the whole answer came, checks it, and begins
    /// again until `time` is over; rounds that were begun are ended. Gives the number of rounds.
    ///
    /// # Errors
    /// A byte is not what it should be, a connection ended, or nothing came for [`PATIENCE`].
    pub fn run(&mut self, time: Duration) -> Result<u64> {
        let end = Instant::now() + time;
        self.rounds(|| Instant::now() < end)
    }

    /// Each connection does one round.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn round(&mut self) -> Result<()> {
        self.rounds(|| false).map(drop)
    }

    fn rounds(&mut self, more: impl Fn() -> bool) -> Result<u64> {
        let Self {
            poll,
            events,
            connections,
            scratch,
        } = self;
        let mut rounds = 0;
        let mut open = connections.len();
        for connection in connections.iter_mut() {
            connection.begin()?;
        }
        while open > 0 {
            wait(poll, events)?;
            let more = more();
            for event in &*events {
                let connection = &mut connections[event.token().0];
                if event.is_writable() {
                    connection.write()?;
                }
                if event.is_readable() && connection.read(scratch)? {
                    rounds += 1;
                    if more {
                        connection.begin()?;
                    } else {
                        connection.resting = true;
                        open -= 1;
                    }
                }
            }
        }
        Ok(rounds)
    }

    /// The first connection says its message, and all of them wait for it.
    /// Adds to `delays` how long each waited.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn publish(&mut self, delays: &mut Vec<Duration>) -> Result<()> {
        let Self {
            poll,
            events,
            connections,
            scratch,
        } = self;
        let mut open = connections.len();
        for connection in connections.iter_mut() {
            connection.dialogue.begin();
            connection.resting = false;
        }
        let begun = Instant::now();
        connections[0].begin()?;
        while open > 0 {
            wait(poll, events)?;
            for event in &*events {
                let connection = &mut connections[event.token().0];
                if event.is_readable() && !connection.resting && connection.read(scratch)? {
                    delays.push(begun.elapsed());
                    connection.resting = true;
                    open -= 1;
                }
            }
        }
        Ok(())
    }

    /// What the connections say.
    pub fn dialogues(&self) -> impl Iterator<Item = &D> {
        self.connections
            .iter()
            .map(|connection| &connection.dialogue)
    }

    /// Closes all connections.
    ///
    /// # Errors
    /// More came than was asked for.
    pub fn close(self) -> Result<()> {
        for mut connection in self.connections {
            match connection.tcp.read(&mut [0]) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Ok(0) => bail!("the server ended a connection"),
                Ok(_) => bail!("the server answered more than was sent"),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

impl<D: Dialogue> Connection<D> {
    fn begin(&mut self) -> Result<()> {
        (self.sent, self.resting) = (0, false);
        self.dialogue.begin();
        self.write()
    }

    fn write(&mut self) -> Result<()> {
        while !self.resting && self.sent < self.dialogue.sent().len() {
            match self.tcp.write(&self.dialogue.sent()[self.sent..]) {
                Ok(n) => self.sent += n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error).context("the server ended a connection"),
            }
        }
        Ok(())
    }

    /// Reads what is there. True: the whole answer came.
    fn read(&mut self, scratch: &mut [u8]) -> Result<bool> {
        while self.dialogue.rest() > 0 {
            let room = self.dialogue.rest().min(scratch.len());
            match self.tcp.read(&mut scratch[..room]) {
                Ok(0) => bail!("the server ended a connection"),
                Ok(n) => {
                    self.dialogue.take(&scratch[..n])?;
                    // A short read emptied the socket, and what comes next is a new event.
                    if n < room {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error).context("the server ended a connection"),
            }
        }
        Ok(!self.resting && self.dialogue.rest() == 0)
    }
}

/// Opens `count` connections at the same time, and closes them.
///
/// # Errors
/// The server refused, or said something behind its 101.
pub fn handshakes(port: u16, count: usize) -> Result<()> {
    let asked = (0..count)
        .map(|_| ask(port, None))
        .collect::<Result<Vec<_>>>()?;
    asked
        .into_iter()
        .try_for_each(|mut tcp| answered(&mut tcp).map(drop))
}

/// Opens a connection.
///
/// # Errors
/// The server did not upgrade.
pub fn handshake(port: u16) -> Result<TcpStream> {
    let mut tcp = ask(port, None)?;
    answered(&mut tcp)?;
    Ok(tcp)
}

/// Connects, and sends the request of the opening handshake.
fn ask(port: u16, extension: Option<&str>) -> Result<TcpStream> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut tcp = TcpStream::connect(address).context("cannot connect")?;
    tcp.set_nodelay(true)?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    // Closed by a reset: the port is free again at once.
    socket2::SockRef::from(&tcp).set_linger(Some(Duration::ZERO))?;
    let offer = extension.map_or_else(String::new, |offer| format!("{EXTENSIONS}: {offer}\r\n"));
    let request = format!(
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{offer}\r\n"
    );
    tcp.write_all(request.as_bytes())?;
    Ok(tcp)
}

/// Reads the answer, checks it, and gives its head.
fn answered(tcp: &mut TcpStream) -> Result<String> {
    let mut head = Vec::new();
    let mut bytes = [0; 1024];
    while !head.ends_with(b"\r\n\r\n") {
        let n = tcp.read(&mut bytes).context("no answer to the handshake")?;
        ensure!(n > 0 && head.len() < 8192, "the server ended the handshake");
        head.extend(&bytes[..n]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    ensure!(
        head.starts_with("HTTP/1.1 101 ") && head.contains(ACCEPT),
        "the server did not upgrade: {}",
        head.lines().next().unwrap_or_default()
    );
    Ok(head)
}

fn header<'a>(head: &'a str, wanted: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case(wanted).then_some(value.trim())
    })
}

/// Asks again and again, and never sleeps: who sends to a client that sleeps pays for waking it, and how
/// often that is so depends on the speed of both.
fn wait(poll: &mut Poll, events: &mut Events) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    loop {
        match poll.poll(events, Some(Duration::ZERO)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
            Ok(()) if !events.is_empty() => return Ok(()),
            Ok(()) => ensure!(
                Instant::now() < end,
                "the server said nothing for {PATIENCE:?}"
            ),
        }
    }
}

/// How long a server may take for anything.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of one read.
const SCRATCH: usize = 256 << 10;

const EXTENSIONS: &str = "Sec-WebSocket-Extensions";

/// Key and its answer from RFC 6455 section 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
