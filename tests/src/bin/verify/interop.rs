//! Other implementations as peers of `echo`, in both roles. The scripts in `tests/judges` hold the
//! checks; this starts what they judge and counts.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::job::{Job, Tally};
use crate::{cargo, install, tap};

/// Python `websockets`.
pub(crate) fn python(job: &Job) -> Result<Tally> {
    let scripts = install::judges(job);
    let script = |name: &str| scripts.join(format!("python_{name}.py"));
    Peer {
        interpreter: install::python(job)?,
        client: script("client"),
        server: script("server"),
        deflate_client: script("deflate_client"),
        deflate_server: script("deflate_server"),
    }
    .judge(job)
}

/// npm `ws`.
pub(crate) fn node(job: &Job) -> Result<Tally> {
    let scripts = install::node(job)?;
    let script = |name: &str| scripts.join(format!("node_{name}.mjs"));
    Peer {
        interpreter: "node".into(),
        client: script("client"),
        server: script("server"),
        deflate_client: script("deflate_client"),
        deflate_server: script("deflate_server"),
    }
    .judge(job)
}

/// Another implementation: the scripts in which it is our server's client, and our client's server.
struct Peer {
    interpreter: PathBuf,
    client: PathBuf,
    server: PathBuf,
    deflate_client: PathBuf,
    deflate_server: PathBuf,
}

impl Peer {
    /// Our server and our client under each script, whatever the ones before say.
    fn judge(&self, job: &Job) -> Result<Tally> {
        let echo = cargo::release_example(job, "echo")?;
        let plain = ["--max-message", MAX_MESSAGE, "--protocols", "a,b"];
        let limit = ["--max-message", MAX_MESSAGE];
        let mut tally = Tally::of(self.judge_server(job, &echo, &plain, &self.client, &limit));
        tally.add(Tally::of(self.judge_client(
            job,
            &echo,
            &self.server,
            &["--probe", "{url}"],
        )));
        for params in DEFLATE {
            let compressing = format!("--deflate={params}");
            let script = &self.deflate_client;
            let known = ["--deflate", params];
            let server = self.judge_server(job, &echo, &[&compressing], script, &known);
            tally.add(Tally::of(server));
        }
        tally.add(Tally::of(self.judge_client(
            job,
            &echo,
            &self.deflate_server,
            &[],
        )));
        Ok(tally)
    }

    /// The script gets the server's address and `known`, what it has to know of the server.
    fn judge_server(
        &self,
        job: &Job,
        echo: &Path,
        options: &[&str],
        script: &Path,
        known: &[&str],
    ) -> Result<Tally> {
        let mut command = job.command(echo);
        command.arg("0").args(options);
        let (echo, address) = job.serve(&mut command, "listening on ")?;
        let mut judge = job.command(&self.interpreter);
        judge.arg(script).arg(&address).args(known);
        let mut tally = tap::count("our server", &job.run(&mut judge)?)?;
        if let Err(error) = echo.stop() {
            tally.failures.push(format!("our server: {error:#}"));
        }
        Ok(tally)
    }

    /// The script starts the client, with these options.
    fn judge_client(
        &self,
        job: &Job,
        echo: &Path,
        script: &Path,
        options: &[&str],
    ) -> Result<Tally> {
        let mut judge = job.command(&self.interpreter);
        judge.arg(script).arg("--").arg(echo).args(options);
        tap::count("our client", &job.run(&mut judge)?)
    }
}

/// How our server compresses, under the scripts for that and in the browser. With a threshold of 0 they can demand that
/// every message was compressed.
pub(crate) const DEFLATE: [&str; 3] = [
    "takeover,threshold=0",
    "takeover,window=9,threshold=0",
    "window=10,threshold=0",
];

/// Bytes; above the largest message of the size checks, and small enough to exceed quickly.
const MAX_MESSAGE: &str = "2097152";
