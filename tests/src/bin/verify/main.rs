//! The whole CI as a program: `cargo verify` runs every step, `cargo verify --list` names them.
//!
//! A step that fails does not stop the ones behind it. What a step prints goes to a log below
//! `target/verify/log`; the end of it is shown when the step failed. The last line of a run is
//! `N passed, M failed`: the tests of `cargo test`, the cases of the conformance suite and the
//! checks of the foreign peers, each counted as one; a step that failed without a failed test
//! (it did not compile, it ran out of time) counts as one failure, so that `0 failed` and exit
//! status 0 always come together.

mod bare_metal;
mod bench;
mod boards;
mod browser;
mod budgets;
mod cargo;
mod conformance;
mod emulator;
mod firmware;
mod fuzz;
mod install;
mod instructions;
mod interop;
mod job;
mod process;
mod size;
mod steps;
mod tap;
mod tidy;
mod wire;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use job::{Job, Places, Tally};
use steps::{STEPS, Step};

fn main() -> ExitCode {
    match parse().and_then(run) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("verify: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// The steps to run, in their usual order; none after `--list` or `--help`.
fn parse() -> Result<Vec<&'static Step>> {
    let mut names = Vec::new();
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            lexopt::Arg::Long("list") => {
                for step in STEPS {
                    let when = if step.on_request {
                        ", only when named"
                    } else {
                        ""
                    };
                    println!("{:<20} {}{when}", step.name, step.about);
                }
                return Ok(Vec::new());
            }
            lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => {
                print!("{HELP}");
                return Ok(Vec::new());
            }
            lexopt::Arg::Value(name) => names.push(name.to_string_lossy().into_owned()),
            other => return Err(other.unexpected().into()),
        }
    }
    if let Some(name) = names
        .iter()
        .find(|name| !STEPS.iter().any(|step| is_meant(step, name)))
    {
        bail!("there is no step `{name}`; `cargo verify --list` names them");
    }
    Ok(STEPS
        .iter()
        .filter(|step| {
            (names.is_empty() && !step.on_request) || names.iter().any(|name| is_meant(step, name))
        })
        .collect())
}

/// `firmware` means `firmware-boards` too; what runs only on request must be named in full.
fn is_meant(step: &Step, name: &str) -> bool {
    if step.on_request {
        return step.name == name;
    }
    let rest = step.name.strip_prefix(name);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// Runs the steps, then prints the table and the total. False: something failed.
fn run(chosen: Vec<&'static Step>) -> Result<bool> {
    if chosen.is_empty() {
        return Ok(true);
    }
    ctrlc::set_handler(|| {
        process::kill_all();
        eprintln!("verify: interrupted");
        std::process::exit(130);
    })
    .context("cannot watch for an interrupt")?;
    let places = Places::find()?;
    let mut rows = Vec::new();
    let mut total = Tally::default();
    for step in chosen {
        let (tally, seconds) = run_step(step, &places)?;
        rows.push((step.name, tally.failures.is_empty(), seconds));
        total.add(tally);
    }

    println!("\n{:<20} {:<7} {:>8}", "step", "result", "seconds");
    for (name, good, seconds) in &rows {
        println!(
            "{name:<20} {:<7} {seconds:>8.1}",
            if *good { "ok" } else { "FAILED" }
        );
    }
    println!("\n{} passed, {} failed", total.passed, total.failures.len());
    Ok(total.failures.is_empty())
}

/// One step: its heading, its outcome and its time in seconds.
fn run_step(step: &Step, places: &Places) -> Result<(Tally, f64)> {
    println!("\n== {}: {}", step.name, step.about);
    let started = Instant::now();
    let job = Job::new(step, places)?;
    let tally = Tally::of((step.run)(&job));
    let seconds = started.elapsed().as_secs_f64();
    let counted = if tally.passed > 0 {
        format!(", {} passed", tally.passed)
    } else {
        String::new()
    };
    if tally.failures.is_empty() {
        println!("ok in {seconds:.1} s{counted}");
        return Ok((tally, seconds));
    }

    for line in job.log_tail(LOG_TAIL_LINES) {
        println!("   | {line}");
    }
    for failure in tally.failures.iter().take(FAILURES_SHOWN) {
        println!("failed: {failure}");
    }
    if tally.failures.len() > FAILURES_SHOWN {
        println!("failed: {} more", tally.failures.len() - FAILURES_SHOWN);
    }
    println!(
        "FAILED in {seconds:.1} s{counted}, {} failed",
        tally.failures.len()
    );
    println!(
        "run it again: cargo verify {}    whole output: {}",
        step.name,
        job.log_path().display()
    );
    Ok((tally, seconds))
}

/// How many lines of a failed step's log are shown.
const LOG_TAIL_LINES: usize = 40;

/// How many failures of one step are named.
const FAILURES_SHOWN: usize = 20;

const HELP: &str = "\
usage: cargo verify [STEP]..    run the steps named, or all of them but those that run only
                                when named; `firmware` names all steps that begin with
                                `firmware`
       cargo verify --list      name the steps, one line each
       cargo verify --help      print this

Exit status: 0 all passed, 1 something failed, 2 could not start, 130 interrupted.
What a step printed is kept in target/verify/log, screenshots in target/verify/screens.
Tools a step needs are installed (apt-get as root on Debian; pip and npm below
target/verify), or it says what to install.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_on_request_is_named_in_full() {
        let meant = |name: &str| {
            let steps = STEPS.iter().filter(|step| is_meant(step, name));
            steps.map(|step| step.name).collect::<Vec<_>>()
        };
        assert_eq!(meant("bench"), ["bench"]);
        assert_eq!(meant("bench-peers"), ["bench-peers"]);
        assert_eq!(
            meant("firmware"),
            ["firmware", "firmware-conformance", "firmware-boards"]
        );
    }
}
