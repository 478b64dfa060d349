//! Each fuzz target for a few seconds, on nightly: enough to catch a target that no longer builds
//! and a fault that lies near the surface. `cargo fuzz` does it when it is installed; otherwise the
//! same flags are passed by hand, which needs nothing but the nightly compiler and g++.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::job::{Job, Tally};
use crate::process::Finished;

/// All targets, one after the other.
pub(crate) fn run(job: &Job) -> Result<Tally> {
    let folder = job.places.root.join("tests/fuzz");
    if !folder.join("Cargo.toml").is_file() {
        bail!("tests/fuzz/Cargo.toml is missing");
    }
    let nightly = job.run(nightly(job).arg("--version"));
    if !nightly.is_ok_and(|finished| finished.status.success()) {
        bail!("nightly Rust is missing: rustup toolchain install nightly --profile minimal");
    }
    let by_cargo_fuzz = job
        .run(nightly_fuzz(job).arg("--version"))?
        .status
        .success();
    if !by_cargo_fuzz {
        build(job, &folder)?;
    }
    let mut tally = Tally::default();
    for target in TARGETS {
        let finished = if by_cargo_fuzz {
            run_with_cargo_fuzz(job, &folder, target)
        } else {
            run_by_hand(job, &folder, target)
        };
        match finished.and_then(|finished| verdict(&finished)) {
            Ok(()) => tally.passed += 1,
            Err(error) => tally
                .failures
                .push(format!("fuzz target {target}: {error:#}")),
        }
    }
    Ok(tally)
}

/// Builds every target as `cargo fuzz build` would: coverage for libFuzzer, AddressSanitizer,
/// overflow checks and debug assertions.
fn build(job: &Job, folder: &Path) -> Result<()> {
    let mut command = nightly(job);
    command.args(["build", "--release", "--target", &host(), "--manifest-path"]);
    command
        .arg(folder.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(target_dir(job));
    command
        .env("RUSTFLAGS", FLAGS.join(" "))
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    // By name: of a target that is gone, the program of an earlier build would still lie there.
    command.args(TARGETS.iter().flat_map(|target| ["--bin", target]));
    job.must(&mut command, "the fuzz targets do not build")?;
    Ok(())
}

fn run_by_hand(job: &Job, folder: &Path, target: &str) -> Result<Finished> {
    let program = target_dir(job).join(host()).join("release").join(target);
    let mut command = job.command(program);
    command
        .args(corpora(job, folder, target)?)
        .args(arguments(job, target)?);
    job.run(&mut command)
}

fn run_with_cargo_fuzz(job: &Job, folder: &Path, target: &str) -> Result<Finished> {
    let mut command = nightly_fuzz(job);
    command
        .args(["run", "--target", &host(), "--fuzz-dir"])
        .arg(folder);
    command.arg("--target-dir").arg(target_dir(job)).arg(target);
    command
        .args(corpora(job, folder, target)?)
        .arg("--")
        .args(arguments(job, target)?);
    job.run(&mut command)
}

/// Where new inputs go, then the seeds that are checked in, if any.
fn corpora(job: &Job, folder: &Path, target: &str) -> Result<Vec<PathBuf>> {
    let found = job.places.out.join("fuzz/corpus").join(target);
    fs::create_dir_all(&found).context("cannot make the folder of a corpus")?;
    let seeds = folder.join("corpus").join(target);
    Ok(if seeds.is_dir() {
        vec![found, seeds]
    } else {
        vec![found]
    })
}

fn arguments(job: &Job, target: &str) -> Result<[String; 3]> {
    let crashes = job.places.out.join("fuzz/crashes").join(target);
    fs::create_dir_all(&crashes).context("cannot make the folder of the crashes")?;
    Ok([
        format!("-max_total_time={}", SECONDS / TARGETS.len() + 1),
        // One input may not take longer than this, in seconds: an endless loop is a finding.
        "-timeout=5".to_owned(),
        format!("-artifact_prefix={}/", crashes.display()),
    ])
}

/// A target passed when it ended well and did try inputs.
fn verdict(finished: &Finished) -> Result<()> {
    if !finished.status.success() {
        let input = finished
            .output
            .lines()
            .rev()
            .find_map(|line| line.split_once("Test unit written to "));
        match input {
            Some((_, path)) => bail!("found a crash, its input is {path}"),
            None => bail!("it failed ({})", finished.status),
        }
    }
    let runs = finished.output.lines().rev().find_map(|line| {
        let (runs, _) = line.strip_prefix("Done ")?.split_once(" runs")?;
        runs.parse::<u64>().ok()
    });
    match runs {
        Some(runs) if runs >= LEAST_RUNS => Ok(()),
        Some(runs) => bail!("it tried only {runs} inputs"),
        None => bail!("it did not say how many inputs it tried"),
    }
}

/// `rustup run` and not `cargo +nightly`, which only rustup's proxy understands.
fn nightly(job: &Job) -> std::process::Command {
    let mut command = job.command("rustup");
    command.args(["run", "nightly", "cargo"]);
    command
}

fn nightly_fuzz(job: &Job) -> std::process::Command {
    let mut command = nightly(job);
    command.arg("fuzz");
    command
}

fn target_dir(job: &Job) -> PathBuf {
    job.places.target.join("fuzz")
}

/// The machine's own target. It is named because flags of this kind would reach build scripts and
/// procedural macros otherwise.
fn host() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

/// The targets of `tests/fuzz/fuzz_targets`.
const TARGETS: [&str; 7] = [
    "receiver",
    "server_handshake",
    "client_handshake",
    "differential",
    "inflate",
    "inflater",
    "extensions",
];

/// Seconds for all targets together.
const SECONDS: usize = 45;

/// Fewer inputs than this in its time: the target does not do what it should.
const LEAST_RUNS: u64 = 1_000;

const FLAGS: [&str; 9] = [
    "--cfg=fuzzing",
    "-Cdebug-assertions",
    "-Ccodegen-units=1",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Zsanitizer=address",
];

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    fn finished(output: &str, code: i32) -> Finished {
        Finished {
            status: ExitStatus::from_raw(code << 8),
            output: output.to_owned(),
        }
    }

    #[test]
    fn only_a_run_that_tried_inputs_passes() {
        assert!(verdict(&finished("Done 5000 runs in 8 second(s)\n", 0)).is_ok());
        assert!(verdict(&finished("Done 3 runs in 8 second(s)\n", 0)).is_err());
        assert!(verdict(&finished("", 0)).is_err());
        let crash = "artifact_prefix='x/'; Test unit written to x/crash-1\nBase64: AA==\n";
        assert_eq!(
            verdict(&finished(crash, 77)).unwrap_err().to_string(),
            "found a crash, its input is x/crash-1"
        );
    }
}
