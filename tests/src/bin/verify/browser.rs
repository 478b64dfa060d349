//! The chat example as a person sees it: headless Chromium, three windows, real key presses. And
//! what that browser makes of servers that compress.

use anyhow::Result;

use crate::job::{Job, Tally};
use crate::{cargo, install, interop, tap};

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
    let echo = cargo::release_example(job, "echo")?;
    let mut servers = Vec::new();
    for params in interop::DEFLATE {
        let mut command = job.command(&echo);
        command.args(["0", &format!("--deflate={params}")]);
        let (server, address) = job.serve(&mut command, "listening on ")?;
        judge.args(["--echo", &format!("{params}@{address}")]);
        servers.push(server);
    }
    judge.arg("--").arg(chat).args(["--listen", "127.0.0.1:0"]);
    let mut tally = tap::count("browser", &job.run(&mut judge)?)?;
    for server in servers {
        if let Err(error) = server.stop() {
            tally.failures.push(format!("echo: {error:#}"));
        }
    }
    Ok(tally)
}
