//! The desktop's own client against the board: every size at which the format of a frame changes,
//! up to a megabyte, many times what the board has in memory.

use anyhow::Result;

use super::board::Board;
use crate::cargo;
use crate::job::{Job, Tally};

pub(super) fn run(job: &Job, board: &mut Board) -> Result<Tally> {
    let echo = cargo::release_example(job, "echo")?;
    let mut tally = Tally::default();
    let mut probe = job.command(echo);
    probe.arg("--probe");
    probe.arg(format!("ws://{}/echo", board.address()));
    tally.check(job.must(&mut probe, "our client is not content").map(drop));
    Ok(tally)
}
