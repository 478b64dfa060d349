//! Compressed messages: what a server spends on them, how small its answers are, and what a
//! connection holds when they are over.

use std::time::Duration;

use anyhow::Result;

use super::{Cell, Table, idle_column};
use crate::client::Client;
use crate::deflated::Deflated;
use crate::process::Server;

/// A load for an echo server that compresses.
pub struct Case {
    name: &'static str,
    size: &'static str,
    connections: usize,
    bytes: usize,
    in_flight: usize,
}

impl Case {
    /// Processor time of the server for a message, and bytes of an answer.
    pub(super) fn measure(
        &self,
        server: &Server,
        time: Duration,
        takeover: bool,
        rng: &mut fastrand::Rng,
    ) -> Result<Vec<(Cell, f64)>> {
        // Before a message comes again, it has left the window.
        let turns = (2 * WINDOW).div_ceil(self.bytes * self.in_flight);
        let dialogues = (0..self.connections)
            .map(|_| Deflated::new(rng, takeover, self.bytes, self.in_flight, turns));
        let mut client = Client::open(server.port, dialogues)?;
        client.run(time / 4)?;
        let (spent, received) = (server.cpu()?, received(&client));
        let rounds = client.run(time)?;
        let (spent, received) = (server.cpu()? - spent, self::received(&client) - received);
        client.close()?;
        let messages = (rounds * self.in_flight as u64) as f64;
        Ok(vec![
            (
                (Table::Deflate, self.name.to_owned()),
                spent.as_nanos() as f64 / messages,
            ),
            (
                (Table::Deflate, self.size.to_owned()),
                received as f64 / messages,
            ),
        ])
    }
}

/// Private memory of the server for a connection that sent and got compressed messages.
pub(super) fn idle(
    server: &Server,
    count: usize,
    takeover: bool,
    rng: &mut fastrand::Rng,
) -> Result<Vec<(Cell, f64)>> {
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
