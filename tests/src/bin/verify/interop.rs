//! Other implementations as peers of `echo`, in both roles. The scripts in `tests/judges` hold the
//! checks; this starts what they judge and counts.

use std::path::Path;

use anyhow::Result;

use crate::job::{Job, Tally};
use crate::{cargo, install, tap};

/// Python `websockets`.
pub(crate) fn python(job: &Job) -> Result<Tally> {
    let echo = cargo::release_example(job, "echo")?;
    let python = install::python(job)?;
    let judges = install::judges(job);
    both_ways(
        job,
        &echo,
        &python,
        [
            &judges.join("python_client.py"),
            &judges.join("python_server.py"),
        ],
    )
}

/// npm `ws`.
pub(crate) fn node(job: &Job) -> Result<Tally> {
    let echo = cargo::release_example(job, "echo")?;
    let folder = install::node(job)?;
    both_ways(
        job,
        &echo,
        Path::new("node"),
        [
            &folder.join("node_client.mjs"),
            &folder.join("node_server.mjs"),
        ],
    )
}

/// Our server under the first script, our client under the second, whatever the first one says.
fn both_ways(
    job: &Job,
    echo: &Path,
    interpreter: &Path,
    [client, server]: [&Path; 2],
) -> Result<Tally> {
    let mut tally = Tally::of(judge_server(job, echo, interpreter, client));
    tally.add(Tally::of(judge_client(job, echo, interpreter, server)));
    Ok(tally)
}

fn judge_server(job: &Job, echo: &Path, interpreter: &Path, script: &Path) -> Result<Tally> {
    let mut command = job.command(echo);
    command.args(["0", "--max-message", MAX_MESSAGE, "--protocols", "a,b"]);
    let (echo, address) = job.serve(&mut command, "listening on ")?;
    let mut judge = job.command(interpreter);
    judge
        .arg(script)
        .args([&address, "--max-message", MAX_MESSAGE]);
    let mut tally = tap::count("our server", &job.run(&mut judge)?)?;
    if let Err(error) = echo.stop() {
        tally.failures.push(format!("our server: {error:#}"));
    }
    Ok(tally)
}

fn judge_client(job: &Job, echo: &Path, interpreter: &Path, script: &Path) -> Result<Tally> {
    let mut judge = job.command(interpreter);
    judge
        .arg(script)
        .arg("--")
        .arg(echo)
        .args(["--probe", "{url}"]);
    tap::count("our client", &job.run(&mut judge)?)
}

/// Bytes; above the largest message of the size checks, and small enough to exceed quickly.
const MAX_MESSAGE: &str = "2097152";
