//! The firmware: it builds for its boards, and runs on the one that QEMU emulates whole.
//!
//! A [`Check`] is a function that gets the booted [`Board`]; [`CHECKS`] lists them in their order.
//! All of them meet the same board, one after another, so each also proves that those before it
//! left the board alive.

mod board;
pub(crate) mod conformance;
mod echo;
mod frames;
mod hostile;
mod peer;
mod relay;
mod requests;
mod room;

use std::fs;

use anyhow::{Context, Result};

use crate::bare_metal::BareMetal;
use crate::job::{Job, Tally};

use board::Board;

/// Builds the firmware, boots it, runs every check and stops it.
pub(crate) fn run(job: &Job) -> Result<Tally> {
    let program = board::build(job, &BareMetal::for_target(job, board::TARGET, "core")?)?;
    let mut board = Board::boot(job, &program)?;
    let mut tally = Tally::default();
    for (name, check) in CHECKS {
        job.note(&format!("== {name}"))?;
        let counted = Tally::of(check(job, &mut board));
        tally.passed += counted.passed;
        let named = |failure| format!("{name}: {failure}");
        tally
            .failures
            .extend(counted.failures.into_iter().map(named));
    }
    let log = board.log().to_owned();
    // A board that panicked or stopped during a check fails the step, whatever the check saw.
    if let Err(error) = board.stop() {
        tally.failures.push(format!("{error:#}"));
    }
    if !tally.failures.is_empty() {
        let lines = fs::read(log).context("cannot read the log of the board")?;
        let lines = String::from_utf8_lossy(&lines);
        job.note(&format!("== UART of the board\n{}", lines.trim_end()))?;
    }
    Ok(tally)
}

/// A thing the board must do; what it counts are its single expectations.
type Check = fn(&Job, &mut Board) -> Result<Tally>;

/// Every check, by the name that stands before its failures.
const CHECKS: &[(&str, Check)] = &[
    ("echo", echo::run),
    ("requests", requests::run),
    ("frames", frames::run),
    ("python", room::python),
    ("browser", room::browser),
    ("comes_back", room::comes_back),
    ("hostile", hostile::run),
];
