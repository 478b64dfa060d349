//! The chat example as a person sees it: headless Chromium, three windows, real key presses.

use anyhow::Result;

use crate::job::{Job, Tally};
use crate::{cargo, install, tap};

/// Runs `tests/judges/browser.mjs`; the screenshots go to `target/verify/screens`.
pub(crate) fn run(job: &Job) -> Result<Tally> {
    let chat = cargo::release_example(job, "chat")?;
    let folder = install::node(job)?;
    let chromium = install::program(job, "chromium", "chromium")?;
    let screens = job.fresh_folder("screens")?;

    // A browser that is killed leaves its profile behind: not among the files of others.
    let profiles = job.fresh_folder("profiles")?;

    let mut judge = job.command("node");
    judge.env("TMPDIR", profiles);
    judge
        .arg(folder.join("browser.mjs"))
        .arg("--chromium")
        .arg(chromium)
        .arg("--screens")
        .arg(screens);
    judge.arg("--").arg(chat).args(["--listen", "127.0.0.1:0"]);
    tap::count("browser", &job.run(&mut judge)?)
}
