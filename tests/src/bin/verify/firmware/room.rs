//! The board's room under foreign judges: Python `websockets`, and people with a browser. The
//! scripts in `tests/judges` hold the checks.

use anyhow::Result;

use super::board::{Board, HOST};
use crate::job::{Job, Tally};
use crate::{cargo, install, tap};

/// Python `websockets` in the room, at the echo and at the pages.
pub(super) fn python(job: &Job, board: &mut Board) -> Result<Tally> {
    let mut judge = job.command(install::python(job)?);
    judge
        .arg(install::judges(job).join("board.py"))
        .arg(board.address().to_string());
    tap::count("websockets", &job.run(&mut judge)?)
}

/// The board's page, and the desktop's chat with the board in it, in headless Chromium; the
/// screenshots go to `target/verify/screens-board`.
pub(super) fn browser(job: &Job, board: &mut Board) -> Result<Tally> {
    let chat = cargo::release_example(job, "chat")?;
    let folder = install::node(job)?;
    let chromium = install::program(job, "chromium", "chromium")?;
    let screens = job.fresh_folder("screens-board")?;
    // A browser that is killed leaves its profile behind: not among the files of others.
    let profiles = job.fresh_folder("profiles-board")?;
    let mut judge = job.command("node");
    judge
        .env("TMPDIR", profiles)
        .arg(folder.join("board.mjs"))
        .args(["--board", &board.address().to_string()])
        .args(["--seen-as", HOST])
        .arg("--chromium")
        .arg(chromium)
        .arg("--screens")
        .arg(screens);
    judge.arg("--").arg(chat).args(["--listen", "127.0.0.1:0"]);
    tap::count("browser", &job.run(&mut judge)?)
}

/// The board as a member of the desktop's chat, which goes away and comes back.
pub(super) fn comes_back(job: &Job, board: &mut Board) -> Result<Tally> {
    let chat = cargo::release_example(job, "chat")?;
    let mut judge = job.command(install::python(job)?);
    judge
        .arg(install::judges(job).join("board_link.py"))
        .arg(board.address().to_string())
        .args(["--seen-as", HOST, "--"])
        .arg(chat);
    tap::count("link", &job.run(&mut judge)?)
}
