//! Compressed messages: what a server spends on them, how small its answers are, and what a
//! connection holds when they are over.

use std::time::Duration;

use anyhow::Result;

use super::{Figures, Load, Table, idle_column};
use crate::client::Client;
use crate::deflated::Deflated;
use crate::process::Server;

/// A load for an echo server that compresses.
pub struct Case {
    pub(super) name: &'static str,
    size: &'static str,
    connections: usize,
    bytes: usize,
    in_flight: usize,
}

impl Case {
    /// Connections to the server, warmed up for a quarter of `time`.
    pub(super) fn open(
        &'static self,
        server: Server,
        time: Duration,
        takeover: bool,
        rng: &mut fastrand::Rng,
    ) -> Result<Echo> {
        // Before a message comes again, it has left the window.
        let turns = (2 * WINDOW).div_ceil(self.bytes * self.in_flight);
        let dialogues = (0..self.connections)
            .map(|_| Deflated::new(rng, takeover, self.bytes, self.in_flight, turns));
        let mut client = Client::open(server.port, dialogues)?;
        client.run(time / 4)?;
        Ok(Echo {
            case: self,
            server,
            client,
        })
    }
}

/// The load of an echo that compresses.
pub(super) struct Echo {
    case: &'static Case,
    server: Server,
    client: Client<Deflated>,
}

impl Load for Echo {
    /// Processor time of the server for a message, and bytes of an answer.
    fn turn(&mut self, time: Duration) -> Result<Figures> {
        let case = self.case;
        let (spent, received) = (self.server.cpu()?, received(&self.client));
        let rounds = self.client.run(time)?;
        let spent = self.server.cpu()? - spent;
        let received = self::received(&self.client) - received;
        let messages = (rounds * case.in_flight as u64) as f64;
        let column = |name: &str| (Table::Deflate, name.to_owned());
        Ok(vec![
            (column(case.name), spent.as_nanos() as f64 / messages),
            (column(case.size), received as f64 / messages),
        ])
    }

    fn end(self: Box<Self>) -> Result<()> {
        self.client.close()
    }
}

/// Private memory of the server for a connection that sent and got compressed messages.
pub(super) fn idle(
    server: &Server,
    count: usize,
    takeover: bool,
    rng: &mut fastrand::Rng,
) -> Result<Figures> {
    let dialogue = || Deflated::new(rng, takeover, 1 << 10, 1, EXCHANGED);
    let value = super::idle(server, count, EXCHANGED, dialogue)?;
    Ok(vec![((Table::Deflate, idle_column(count)), value)])
}

/// Bytes of all answers so far.
fn received(client: &Client<Deflated>) -> u64 {
    client.dialogues().map(|dialogue| dialogue.received).sum()
}

pub(super) static CASES: [Case; 2] = [
    Case {
        name: "(h) 50 x 1 KiB, K=4",
        size: "(h) bytes an answer",
        connections: 50,
        bytes: 1 << 10,
        in_flight: 4,
    },
    Case {
        name: "(i) 10 x 16 KiB, K=2",
        size: "(i) bytes an answer",
        connections: 10,
        bytes: 16 << 10,
        in_flight: 2,
    },
];

/// Bytes of the largest window of deflate.
const WINDOW: usize = 32 << 10;

/// Messages of a connection before it falls silent.
const EXCHANGED: usize = 4;
