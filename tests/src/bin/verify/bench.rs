//! Whole servers under load: builds what `tests/benches` measures, and lets its `load` measure.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::job::{self, Job, Tally};
use crate::{cargo, install};

/// Every topic but the system calls, once and as short as it gets: the benchmark itself works.
pub(crate) fn smoke(job: &Job) -> Result<Tally> {
    let packages = ["load", "servers", "peers"];
    let mut fmt = benches(job, "fmt");
    fmt.args(packages.map(|package| format!("--package={package}")));
    job.must(fmt.arg("--check"), "the benchmarks are not formatted")?;
    let mut test = benches(job, "test");
    test.args(["--release", "--package=load"]);
    let mut tally =
        cargo::count_tests(&job.must(&mut test, "the tests of the load failed")?.output);
    let mut load = load(job, &["load", "servers"])?;
    load.args(["--short", "--topics", TOPICS]);
    job.must(&mut load, "a server could not be measured")?;
    tally.passed += 1;
    Ok(tally)
}

/// Ours against the limit.
pub(crate) fn ours(job: &Job) -> Result<Tally> {
    install::program(job, "strace", "strace")?;
    let mut load = load(job, &["load", "servers"])?;
    show(
        &job.must(&mut load, "a server could not be measured")?
            .output,
    );
    Ok(Tally::default())
}

/// Ours, the limit and other libraries; the tables go to `tests/benches/RESULTS.md`.
pub(crate) fn peers(job: &Job) -> Result<Tally> {
    install::program(job, "strace", "strace")?;
    let node = install::npm_packages(job, &folder(job).join("peers"), "node-peers")?;
    let mut load = load(job, &["load", "servers", "peers"])?;
    // Three rounds of so many servers take a quarter of an hour.
    load.args(["--rounds", "3", "--peers"])
        .arg("--node")
        .arg(node);
    load.arg("--results").arg(folder(job).join("RESULTS.md"));
    show(
        &job.must(&mut load, "a server could not be measured")?
            .output,
    );
    Ok(Tally::default())
}

/// Builds the echo example and packages of `tests/benches`; gives the load, pointed at the example.
fn load(job: &Job, packages: &[&str]) -> Result<Command> {
    let echo = cargo::release_example(job, "echo")?;
    let mut build = benches(job, "build");
    build.arg("--release");
    build.args(
        packages
            .iter()
            .map(|package| format!("--package={package}")),
    );
    job.must(&mut build, "the benchmarks do not build")?;
    let target = job::metadata(&folder(job))?["target_directory"]
        .as_str()
        .map(PathBuf::from)
        .context("cargo metadata names no target directory")?;
    let mut load = job.command(target.join("release/load"));
    load.arg("--echo").arg(echo);
    Ok(load)
}

fn benches(job: &Job, command: &str) -> Command {
    let mut cargo = job.command("cargo");
    cargo
        .arg(command)
        .arg("--manifest-path")
        .arg(folder(job).join("Cargo.toml"));
    cargo
}

fn folder(job: &Job) -> PathBuf {
    job.places.root.join("tests/benches")
}

/// The tables, without the progress.
fn show(output: &str) {
    for line in output.lines().filter(|line| !line.starts_with("round ")) {
        println!("{line}");
    }
}

/// Without `calls`, which would need a tracer that nothing else needs.
const TOPICS: &str = "a,b,c,d,e,f,g,h,i,handshakes,idle,idle-deflate,fan-out";
