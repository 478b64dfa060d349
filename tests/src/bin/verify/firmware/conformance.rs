//! Autobahn's cases against the board, all of them: messages of 16 MiB stream through its rings.

use anyhow::Result;

use super::board::{self, Board};
use super::relay::Relay;
use crate::bare_metal::BareMetal;
use crate::conformance;
use crate::job::{Job, Tally};

/// Builds the firmware, boots it and has it judged.
pub(crate) fn run(job: &Job) -> Result<Tally> {
    let program = board::build(job, &BareMetal::for_target(job, board::TARGET, "core")?)?;
    let board = Board::boot(job, &program)?;
    let relay = Relay::to(board.address())?;
    let url = format!("ws://{}/echo", relay.address());
    let mut tally = conformance::judge_server(job, &url, "firmware-conformance")?;
    if let Err(error) = board.stop() {
        tally.failures.push(format!("{error:#}"));
    }
    Ok(tally)
}
