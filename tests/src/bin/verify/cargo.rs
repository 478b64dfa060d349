//! The steps that are cargo commands, and the builds the judges need.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::job::{Job, Tally};
use crate::process::Finished;

/// The format.
pub(crate) fn fmt(job: &Job) -> Result<Tally> {
    job.must(
        cargo(job).args(["fmt", "--all", "--check"]),
        "some files are not formatted: cargo fmt --all",
    )?;
    Ok(Tally::default())
}

/// The lints: everything with all features, and the core with none.
pub(crate) fn clippy(job: &Job) -> Result<Tally> {
    let mut all = cargo(job);
    all.args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "-D",
        "warnings",
    ]);
    job.must(&mut all, "clippy complains with all features")?;
    let mut bare = cargo(job);
    bare.args([
        "clippy",
        "-p",
        "wirelet",
        "--no-default-features",
        "--",
        "-D",
        "warnings",
    ]);
    job.must(
        &mut bare,
        "clippy complains about the core without features",
    )?;
    Ok(Tally::default())
}

/// The tests. The dev profile: overflow checks and debug assertions are on, and it is quicker to
/// build by more than the tests are slower.
pub(crate) fn test(job: &Job) -> Result<Tally> {
    let mut command = cargo(job);
    command.args([
        "test",
        "--workspace",
        "--no-fail-fast",
        "--features",
        FEATURES,
    ]);
    let finished = job.run(&mut command)?;
    let tally = count_tests(&finished.output);
    if tally.failures.is_empty() && !finished.status.success() {
        bail!(
            "`cargo test` failed outside the tests ({})",
            finished.status
        );
    }
    if tally.passed == 0 && tally.failures.is_empty() {
        bail!("`cargo test` ran no test");
    }
    Ok(tally)
}

/// The documentation.
pub(crate) fn doc(job: &Job) -> Result<Tally> {
    let mut command = cargo(job);
    command.env("RUSTDOCFLAGS", "-D warnings").args([
        "doc",
        "--no-deps",
        "--workspace",
        "--all-features",
    ]);
    job.must(&mut command, "rustdoc complains")?;
    Ok(Tally::default())
}

/// Links the core, optimised, with a panic handler that calls a symbol nobody defines: it links
/// exactly when the optimiser can prove that no panic is reachable. Its feature `self-test` adds a
/// function that can panic, and then it must not link: otherwise the proof proves nothing.
pub(crate) fn no_panic(job: &Job) -> Result<Tally> {
    let manifest = job.places.root.join("tests/no-panic/Cargo.toml");
    if !manifest.is_file() {
        bail!("tests/no-panic/Cargo.toml is missing");
    }
    let build = |features: &str| {
        let mut command = cargo(job);
        command.args([
            "build",
            "--release",
            "--features",
            features,
            "--manifest-path",
        ]);
        command
            .arg(&manifest)
            .arg("--target-dir")
            .arg(job.places.target.join("no-panic"));
        job.run(&mut command)
    };
    let finished = build("")?;
    if can_panic(&finished) {
        bail!("the core can panic: the panic handler of tests/no-panic is reachable");
    }
    if !finished.status.success() {
        bail!("tests/no-panic does not build ({})", finished.status);
    }
    if !can_panic(&build("self-test")?) {
        bail!("tests/no-panic proves nothing: with its feature `self-test` it should not link");
    }
    Ok(Tally {
        passed: 1,
        failures: Vec::new(),
    })
}

/// The link failed because the panic handler is reachable.
fn can_panic(finished: &Finished) -> bool {
    !finished.status.success() && finished.output.contains("wirelet_core_can_panic")
}

/// Builds an example with optimisation and gives its program.
///
/// # Errors
/// It does not build.
pub(crate) fn release_example(job: &Job, package: &str) -> Result<PathBuf> {
    let mut command = cargo(job);
    command.args(["build", "--release", "--package", package, "--bin", package]);
    job.must(
        &mut command,
        &format!("the example `{package}` does not build"),
    )?;
    Ok(job.places.target.join("release").join(package))
}

fn cargo(job: &Job) -> Command {
    job.command("cargo")
}

/// All features but `defmt`: a program with that links only with a logger of some board.
const FEATURES: &str = "wirelet/deflate,wirelet/simdutf8,wirelet-embassy/deflate,\
    wirelet-embassy/embassy-net,wirelet-tokio/axum";

/// Sums the `test result:` lines and names the tests that failed.
pub(crate) fn count_tests(output: &str) -> Tally {
    let mut tally = Tally::default();
    let mut failed = 0;
    for line in output.lines() {
        if let Some(rest) = line.strip_prefix("test result: ") {
            tally.passed += number_before(rest, " passed").unwrap_or(0);
            failed += number_before(rest, " failed").unwrap_or(0);
        } else if let Some(name) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.strip_suffix(" ... FAILED"))
        {
            tally.failures.push(format!("test {name}"));
        }
    }
    // What a test prints can tear its line apart; the sums are whole.
    while tally.failures.len() < failed {
        tally
            .failures
            .push("a test whose name is in the log".to_owned());
    }
    tally
}

/// The number that stands in front of `label`.
fn number_before(text: &str, label: &str) -> Option<usize> {
    let (before, _) = text.split_once(label)?;
    before
        .rsplit(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_over_all_test_programs() {
        let tally = count_tests(
            "test a::b ... ok\ntest a::c ... FAILED\n\
             test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n\
             test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n",
        );
        assert_eq!(tally.passed, 13);
        assert_eq!(tally.failures, ["test a::c"]);
    }

    #[test]
    fn a_failure_without_its_line_is_counted() {
        let tally =
            count_tests("test a ... noise\ntest result: FAILED. 0 passed; 2 failed; 0 ignored\n");
        assert_eq!((tally.passed, tally.failures.len()), (0, 2));
    }
}
