//! What is measured, and how.

mod deflate;

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use crate::client::{self, Client, Dialogue};
use crate::contender::Contender;
use crate::frames::{Answer, Batch, Shape};
use crate::process::{Cores, Server, Tracer};

/// One column, or two, of the tables.
#[derive(Clone, Copy)]
pub enum Topic {
    Echo(&'static Case),
    Handshakes,
    Idle,
    FanOut(usize),
    Deflate(&'static deflate::Case),
    DeflateIdle,
    Calls(&'static Case),
}

/// A load for an echo server.
pub struct Case {
    pub name: &'static str,
    connections: usize,
    shape: Shape,
    bytes: usize,
    in_flight: usize,
}

/// A figure: in which table, in which column.
pub type Cell = (Table, String);

/// The tables, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    Echo,
    Connections,
    FanOutTime,
    FanOutDelay,
    Deflate,
    Calls,
}

/// How much of everything.
#[derive(Clone, Copy)]
pub struct Amounts {
    /// How long each is measured, after a quarter of it to warm up.
    pub time: Duration,
    /// How many turns that is, where they take turns.
    pub turns: u32,
    pub idle: usize,
    pub deflate_idle: usize,
    pub fan_out: [usize; 2],
}

impl Topic {
    /// All of them.
    pub fn all(amounts: &Amounts) -> Vec<Self> {
        let echo = CASES.iter().map(Self::Echo);
        let fan_out = amounts.fan_out.map(Self::FanOut);
        let calls = CASES.iter().map(Self::Calls);
        echo.chain([Self::Handshakes, Self::Idle])
            .chain(fan_out)
            .chain(deflate::CASES.iter().map(Self::Deflate))
            .chain([Self::DeflateIdle])
            .chain(calls)
            .collect()
    }

    /// Counted, not timed: once is enough.
    pub fn is_exact(self) -> bool {
        matches!(self, Self::Calls(_))
    }

    /// What the command line calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Echo(case) => &case.name[1..2],
            Self::Handshakes => "handshakes",
            Self::Idle => "idle",
            Self::FanOut(_) => "fan-out",
            Self::Deflate(case) => &case.name[1..2],
            Self::DeflateIdle => "idle-deflate",
            Self::Calls(_) => "calls",
        }
    }

    /// Starts the server, and begins to measure. Nothing: the server cannot do this.
    ///
    /// # Errors
    /// The server did not do what it should.
    pub fn begin(
        self,
        cores: &Cores,
        amounts: &Amounts,
        contender: &Contender,
        rng: &mut fastrand::Rng,
    ) -> Result<Option<Measuring>> {
        let command = match self {
            Self::FanOut(_) => contender.fan_out(),
            Self::Deflate(_) | Self::DeflateIdle => contender.deflate(),
            _ => contender.echo(),
        };
        let Some(mut command) = command else {
            return Ok(None);
        };
        let server = Server::start(cores, &mut command)?;
        let answer = contender.answer;
        let once = match self {
            Self::Echo(case) => {
                let load = case.open(server, amounts, answer, rng)?;
                return Ok(Some(Measuring::InTurns(Box::new(load))));
            }
            Self::Deflate(case) => {
                let load = case.open(server, amounts.time, contender.takeover, rng)?;
                return Ok(Some(Measuring::InTurns(Box::new(load))));
            }
            Self::Handshakes => {
                let mut load = Handshakes { server };
                load.turn(amounts.time / 4)?;
                return Ok(Some(Measuring::InTurns(Box::new(load))));
            }
            Self::Idle => {
                let batch = || Batch::new(rng, Shape::Binary, 20, 1, answer);
                let value = idle(&server, amounts.idle, 1, batch)?;
                vec![((Table::Connections, idle_column(amounts.idle)), value)]
            }
            Self::FanOut(members) => {
                let mut load = FanOut::open(server, members, amounts, answer, rng)?;
                if members <= FEW {
                    return Ok(Some(Measuring::InTurns(Box::new(load))));
                }
                let figures = load.turn(amounts.time)?;
                load.client.close()?;
                figures
            }
            Self::DeflateIdle => {
                deflate::idle(&server, amounts.deflate_idle, contender.takeover, rng)?
            }
            Self::Calls(case) => {
                let value = case.calls(server, amounts, answer, rng)?;
                vec![((Table::Calls, case.name.to_owned()), value)]
            }
        };
        Ok(Some(Measuring::Done(once)))
    }
}

/// Figures of one server.
pub type Figures = Vec<(Cell, f64)>;

/// A topic with one server.
pub enum Measuring {
    /// All there is to know.
    Done(Figures),
    /// Goes on for as long as it is asked to.
    InTurns(Box<dyn Load>),
}

/// A server that answers, and pauses in between: so those that are compared take turns of a few
/// milliseconds, and whatever else the machine does meets all of them.
pub trait Load {
    /// Goes on for `time`.
    ///
    /// # Errors
    /// The server did not do what it should.
    fn turn(&mut self, time: Duration) -> Result<Figures>;

    /// Closes the connections.
    ///
    /// # Errors
    /// The server said more than it was asked.
    fn end(self: Box<Self>) -> Result<()>;
}

/// The load of an echo.
struct Echo {
    case: &'static Case,
    server: Server,
    client: Client<Batch>,
}

impl Load for Echo {
    fn turn(&mut self, time: Duration) -> Result<Figures> {
        let before = self.server.cpu()?;
        let rounds = self.client.run(time)?;
        let spent = self.server.cpu()? - before;
        let value = spent.as_nanos() as f64 / self.case.messages(rounds);
        Ok(vec![((Table::Echo, self.case.name.to_owned()), value)])
    }

    fn end(self: Box<Self>) -> Result<()> {
        self.client.close()
    }
}

impl Case {
    /// Connections to the server, warmed up.
    fn open(
        &'static self,
        server: Server,
        amounts: &Amounts,
        answer: Answer,
        rng: &mut fastrand::Rng,
    ) -> Result<Echo> {
        let batches = (0..self.connections)
            .map(|_| Batch::new(rng, self.shape, self.bytes, self.in_flight, answer));
        let mut client = Client::open(server.port, batches)?;
        client.run(amounts.time / 4)?;
        Ok(Echo {
            case: self,
            server,
            client,
        })
    }

    /// System calls of the server for a message.
    fn calls(
        &'static self,
        server: Server,
        amounts: &Amounts,
        answer: Answer,
        rng: &mut fastrand::Rng,
    ) -> Result<f64> {
        let mut echo = self.open(server, amounts, answer, rng)?;
        let tracer = Tracer::attach(&echo.server)?;
        let rounds = echo.client.run(amounts.time)?;
        let calls: u64 = tracer.calls()?.iter().map(|(_, calls)| calls).sum();
        echo.client.close()?;
        Ok(calls as f64 / self.messages(rounds))
    }

    const fn messages(&self, rounds: u64) -> f64 {
        (rounds * self.in_flight as u64) as f64
    }
}

/// Opening handshakes, and the ends of the connections.
struct Handshakes {
    server: Server,
}

impl Load for Handshakes {
    fn turn(&mut self, time: Duration) -> Result<Figures> {
        let before = self.server.cpu_at_rest()?;
        let end = Instant::now() + time;
        let mut done = 0;
        while done == 0 || Instant::now() < end {
            client::handshakes(self.server.port, AT_ONCE)?;
            done += AT_ONCE;
        }
        let spent = self.server.cpu_at_rest()? - before;
        let column = "handshake, ns".to_owned();
        let value = spent.as_nanos() as f64 / done as f64;
        Ok(vec![((Table::Connections, column), value)])
    }

    fn end(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

/// Private memory of the server for a connection that said something in some rounds, and fell
/// silent.
fn idle<D: Dialogue>(
    server: &Server,
    count: usize,
    rounds: usize,
    mut dialogue: impl FnMut() -> D,
) -> Result<f64> {
    let mut open = |count| {
        let mut client = Client::open(server.port, (0..count).map(|_| dialogue()))?;
        (0..rounds).try_for_each(|_| client.round())?;
        server.cpu_at_rest()?;
        anyhow::Ok(client)
    };
    let first = open(count / 10)?;
    let before = server.private_bytes()?;
    let all = open(count)?;
    let after = server.private_bytes()?;
    first.close()?;
    all.close()?;
    ensure!(after > before, "memory does not grow with connections");
    Ok((after - before) as f64 / count as f64)
}

fn idle_column(count: usize) -> String {
    format!("{} idle, bytes each", thousands(count as f64))
}

/// One message to everybody, again and again.
struct FanOut {
    server: Server,
    members: usize,
    client: Client<Batch>,
}

impl FanOut {
    /// Connections to the server, warmed up.
    fn open(
        server: Server,
        members: usize,
        amounts: &Amounts,
        answer: Answer,
        rng: &mut fastrand::Rng,
    ) -> Result<Self> {
        let batch = Batch::new(rng, Shape::Binary, PUBLISHED, 1, answer);
        let client = Client::open(server.port, std::iter::repeat_n(batch, members))?;
        let mut load = Self {
            server,
            members,
            client,
        };
        load.turn(amounts.time / 4)?;
        Ok(load)
    }
}

impl Load for FanOut {
    /// Processor time of the server for one delivery, and the delay that 99 % of them stay below.
    fn turn(&mut self, time: Duration) -> Result<Figures> {
        let mut delays = Vec::new();
        let (before, end) = (self.server.cpu()?, Instant::now() + time);
        while delays.is_empty() || Instant::now() < end {
            self.client.publish(&mut delays)?;
        }
        let spent = self.server.cpu()? - before;
        delays.sort_unstable();
        let Some(late) = delays.get(delays.len() * 99 / 100) else {
            bail!("nothing was delivered");
        };
        let column = format!("to {}", thousands(self.members as f64));
        let each = spent.as_nanos() as f64 / delays.len() as f64;
        Ok(vec![
            ((Table::FanOutTime, column.clone()), each),
            ((Table::FanOutDelay, column), late.as_nanos() as f64),
        ])
    }

    fn end(self: Box<Self>) -> Result<()> {
        self.client.close()
    }
}

/// A number that people read.
pub fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Handshakes under way at the same time.
const AT_ONCE: usize = 100;

/// So many connections to each server are open at the same time; the load has no room for more.
const FEW: usize = 1000;

/// Payload bytes of what is fanned out.
const PUBLISHED: usize = 100;

const fn case(
    name: &'static str,
    connections: usize,
    shape: Shape,
    bytes: usize,
    in_flight: usize,
) -> Case {
    Case {
        name,
        connections,
        shape,
        bytes,
        in_flight,
    }
}

static CASES: [Case; 7] = [
    case("(a) 100 x 20 B, K=1", 100, Shape::Binary, 20, 1),
    case("(b) 100 x 20 B, K=32", 100, Shape::Binary, 20, 32),
    case("(c) 500 x 20 B, K=1", 500, Shape::Binary, 20, 1),
    case("(d) 10 x 1 KiB, K=1", 10, Shape::Binary, 1 << 10, 1),
    case("(e) 10 x 16 KiB, K=4", 10, Shape::Binary, 16 << 10, 4),
    case("(f) 4 x 1 MiB, K=1", 4, Shape::Binary, 1 << 20, 1),
    case("(g) 50 x 1 KiB text, K=8", 50, Shape::Text, 1 << 10, 8),
];
