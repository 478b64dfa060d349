//! What a step gets to work with: where things lie, how long it may take, how it runs a command.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process::{self, Finished, Server};
use crate::steps::Step;

/// What a step counted.
#[derive(Default)]
pub(crate) struct Tally {
    /// Tests, cases or checks that passed.
    pub(crate) passed: usize,
    /// One line for each that failed.
    pub(crate) failures: Vec<String>,
}

impl Tally {
    /// A piece of work that could not be done counts as one failure.
    pub(crate) fn of(result: Result<Tally>) -> Tally {
        result.unwrap_or_else(|error| Tally {
            passed: 0,
            failures: vec![format!("{error:#}")],
        })
    }

    /// Counts one check.
    pub(crate) fn check(&mut self, result: Result<()>) {
        match result {
            Ok(()) => self.passed += 1,
            Err(error) => self.failures.push(format!("{error:#}")),
        }
    }

    pub(crate) fn add(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failures.extend(other.failures);
    }
}

/// Where things lie.
pub(crate) struct Places {
    /// The top of the repository.
    pub(crate) root: PathBuf,
    /// Cargo's target directory.
    pub(crate) target: PathBuf,
    /// Everything this program writes: logs, reports, tools it installed.
    pub(crate) out: PathBuf,
}

impl Places {
    /// Asks cargo.
    ///
    /// # Errors
    /// The current directory is in no workspace, or its manifest is broken.
    pub(crate) fn find() -> Result<Places> {
        let metadata = metadata(Path::new("."))?;
        let path = |name: &str| metadata[name].as_str().map(PathBuf::from);
        let root = path("workspace_root").context("cargo metadata names no workspace")?;
        let target =
            path("target_directory").context("cargo metadata names no target directory")?;
        let out = target.join("verify");
        Ok(Places { root, target, out })
    }
}

/// What cargo says of the workspace in `folder`, without its dependencies.
pub(crate) fn metadata(folder: &Path) -> Result<Value> {
    let output = Command::new("cargo")
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(folder)
        .output()
        .context("cannot start cargo")?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        bail!(
            "cargo metadata failed: {}",
            error.lines().next().unwrap_or_default()
        );
    }
    serde_json::from_slice(&output.stdout).context("cargo metadata printed no JSON")
}

/// A step at work.
pub(crate) struct Job<'a> {
    pub(crate) places: &'a Places,
    name: &'static str,
    deadline: Instant,
}

impl<'a> Job<'a> {
    /// Starts the step's clock and empties its log.
    ///
    /// # Errors
    /// The log cannot be written.
    pub(crate) fn new(step: &Step, places: &'a Places) -> Result<Job<'a>> {
        let job = Job {
            places,
            name: step.name,
            deadline: Instant::now() + step.bound,
        };
        fs::create_dir_all(places.out.join("log")).context("cannot make the folder of the logs")?;
        fs::write(job.log_path(), "").context("cannot write a log")?;
        Ok(job)
    }

    /// The log of everything this step ran, servers apart.
    pub(crate) fn log_path(&self) -> PathBuf {
        self.places
            .out
            .join("log")
            .join(format!("{}.log", self.name))
    }

    /// The last lines of the log.
    pub(crate) fn log_tail(&self, lines: usize) -> Vec<String> {
        let bytes = fs::read(self.log_path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..]
            .iter()
            .map(|&line| line.to_owned())
            .collect()
    }

    /// Adds a line to the log.
    ///
    /// # Errors
    /// The log cannot be written.
    pub(crate) fn note(&self, line: &str) -> Result<()> {
        use std::io::Write;
        let mut file = fs::OpenOptions::new().append(true).open(self.log_path())?;
        writeln!(file, "{line}").context("cannot write a log")
    }

    /// A command in the top folder, free of what cargo set for this program itself: a build that
    /// saw it would not be the build of a person who typed the same line.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.places.root)
            .env("CARGO_TERM_COLOR", "never")
            // Python would leave compiled modules beside the scripts of the judges.
            .env("PYTHONDONTWRITEBYTECODE", "1");
        for (name, _) in std::env::vars_os() {
            let own = name.to_str().is_some_and(|name| {
                name == "CARGO" || OWN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            });
            if own {
                command.env_remove(name);
            }
        }
        command
    }

    /// Runs a command to its end within the time of the step.
    ///
    /// # Errors
    /// It could not be started, or the time was over.
    pub(crate) fn run(&self, command: &mut Command) -> Result<Finished> {
        process::run(command, &self.log_path(), self.deadline)
    }

    /// Like [`Job::run`], with less time than the step has.
    ///
    /// # Errors
    /// As [`Job::run`].
    pub(crate) fn run_within(&self, command: &mut Command, bound: Duration) -> Result<Finished> {
        let deadline = self.deadline.min(Instant::now() + bound);
        process::run(command, &self.log_path(), deadline)
    }

    /// Runs a command that must succeed.
    ///
    /// # Errors
    /// As [`Job::run`], or `what` with its exit status.
    pub(crate) fn must(&self, command: &mut Command, what: &str) -> Result<Finished> {
        let finished = self.run(command)?;
        if !finished.status.success() {
            bail!("{what} ({})", finished.status);
        }
        Ok(finished)
    }

    /// Starts a program that runs beside a judge, and gives what stands behind `marker` in the
    /// line that says it is ready.
    ///
    /// # Errors
    /// No such line came in [`READY_BOUND`].
    pub(crate) fn serve(&self, command: &mut Command, marker: &str) -> Result<(Server, String)> {
        // A log for each program: several may run beside one judge.
        let program = Path::new(command.get_program()).file_name();
        let program = program.unwrap_or_default().to_string_lossy();
        let log = self
            .places
            .out
            .join("log")
            .join(format!("{}.{program}.log", self.name));
        let deadline = self.deadline.min(Instant::now() + READY_BOUND);
        Server::start(command, marker, &log, deadline)
    }

    /// Waits for another line of such a program, and gives what stands behind `marker` in it.
    ///
    /// # Errors
    /// It ended, or the time of the step was over.
    pub(crate) fn wait_for(&self, server: &mut Server, marker: &str) -> Result<String> {
        server.wait_for(marker, self.deadline)
    }

    /// Waits for such a program to end by itself.
    ///
    /// # Errors
    /// It still ran when the time of the step was over, or failed.
    pub(crate) fn finish(&self, server: Server) -> Result<std::process::ExitStatus> {
        server.wait(self.deadline)
    }

    /// A fresh, empty folder for a report.
    ///
    /// # Errors
    /// The old one cannot be removed or the new one not be made.
    pub(crate) fn fresh_folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.places.out.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .with_context(|| format!("cannot empty {}", folder.display()))?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder)
    }
}

/// What `cargo run` tells the program it runs, and nobody else.
const OWN_PREFIXES: [&str; 4] = [
    "CARGO_PKG_",
    "CARGO_MANIFEST_",
    "CARGO_BIN_",
    "CARGO_CRATE_",
];

/// How long a server may take until it says that it listens.
const READY_BOUND: Duration = Duration::from_secs(20);
