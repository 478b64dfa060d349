//! Autobahn's cases, through the `kosoku` package: our server under its fuzzing client, our client
//! under its fuzzing server. Every verdict must be OK, or INFORMATIONAL with a reason in
//! `tests/judges/informational.json`. NON-STRICT is a failure: the codec promises to be strict.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::job::{Job, Tally};
use crate::{cargo, install};

/// Our server, judged by a client.
pub(crate) fn server(job: &Job) -> Result<Tally> {
    let echo = cargo::release_example(job, "echo")?;
    let mut command = job.command(&echo);
    command.args(["0", "--max-message", LARGEST_MESSAGE]);
    let (echo, address) = job.serve(&mut command, "listening on ")?;
    let mut tally = judge_server(job, &address, "conformance-server")?;
    if let Err(error) = echo.stop() {
        tally.failures.push(format!("{error:#}"));
    }
    Ok(tally)
}

/// A server that runs at `address` and echoes messages of any size, judged by a client. The report
/// goes to the folder `name`.
///
/// # Errors
/// There is no judge, or it wrote no report that can be read.
pub(crate) fn judge_server(job: &Job, address: &str, name: &str) -> Result<Tally> {
    let excused = excused(job)?;
    let python = install::python(job)?;
    let report = job.fresh_folder(name)?;
    let mut judge = job.command(kosoku(&python));
    judge
        .args(["-m", "fuzzingclient", address])
        .args(EXCLUDED)
        .arg("-o")
        .arg(&report);
    // Its exit status says less than its report: NON-STRICT counts as success there.
    let finished = job.run(&mut judge)?;
    read_report(&report, &excused)
        .with_context(|| format!("the fuzzing client ended with {}", finished.status))
}

/// Our client, judged by a server.
pub(crate) fn client(job: &Job) -> Result<Tally> {
    let excused = excused(job)?;
    let echo = cargo::release_example(job, "echo")?;
    let python = install::python(job)?;
    let report = job.fresh_folder("conformance-client")?;

    let mut judge = job.command(kosoku(&python));
    judge
        .args(["-m", "fuzzingserver", "127.0.0.1:0"])
        .args(EXCLUDED)
        .arg("-o")
        .arg(&report);
    let (judge, address) = job.serve(&mut judge, "listening on ")?;
    let mut command = job.command(&echo);
    command.args(["--max-message", LARGEST_MESSAGE, "--client", &address]);
    job.must(&mut command, "our client did not get through the cases")?;
    // It writes the report when the client asks for it, and ends.
    let status = job.finish(judge)?;
    read_report(&report, &excused)
        .with_context(|| format!("the fuzzing server ended with {status}"))
}

/// `kosoku` lies beside the interpreter of its environment.
fn kosoku(python: &Path) -> std::path::PathBuf {
    python.with_file_name("kosoku")
}

/// The cases that may be INFORMATIONAL, each with its reason.
fn excused(job: &Job) -> Result<BTreeMap<String, String>> {
    let path = install::judges(job).join("informational.json");
    let text = fs::read_to_string(&path).context("cannot read tests/judges/informational.json")?;
    let excused: BTreeMap<String, String> = serde_json::from_str::<Value>(&text)
        .ok()
        .and_then(|value| {
            let pairs = value.as_object()?.iter();
            pairs
                .map(|(case, why)| Some((case.clone(), why.as_str()?.to_owned())))
                .collect()
        })
        .context("tests/judges/informational.json is not an object of case -> reason")?;
    match excused.iter().find(|(_, why)| why.trim().is_empty()) {
        Some((case, _)) => bail!("tests/judges/informational.json gives no reason for {case}"),
        None => Ok(excused),
    }
}

fn read_report(folder: &Path, excused: &BTreeMap<String, String>) -> Result<Tally> {
    let text = fs::read_to_string(folder.join("index.json"))
        .with_context(|| format!("no report in {}", folder.display()))?;
    let index: Value = serde_json::from_str(&text).context("the report is not JSON")?;
    judge(&index, excused)
}

/// Counts the verdicts of a report: one agent, its cases, each with two verdicts.
fn judge(index: &Value, excused: &BTreeMap<String, String>) -> Result<Tally> {
    let agents = index.as_object().context("the report is no object")?;
    let (1, Some(cases)) = (
        agents.len(),
        agents.values().next().and_then(Value::as_object),
    ) else {
        bail!("the report holds {} agents instead of one", agents.len());
    };
    if cases.len() != CASES {
        bail!("the report holds {} cases instead of {CASES}", cases.len());
    }
    if let Some(case) = excused.keys().find(|case| !cases.contains_key(*case)) {
        bail!("tests/judges/informational.json names {case}, which did not run");
    }
    let mut tally = Tally::default();
    for (case, verdicts) in cases {
        let text = |name: &str| verdicts[name].as_str().unwrap_or("nothing").to_owned();
        let (behavior, close) = (text("behavior"), text("behaviorClose"));
        if is_accepted(&behavior, &close, excused.contains_key(case)) {
            tally.passed += 1;
        } else {
            tally
                .failures
                .push(format!("case {case}: {behavior}, close {close}"));
        }
    }
    Ok(tally)
}

fn is_accepted(behavior: &str, close: &str, excused: bool) -> bool {
    let informational = |verdict: &str| verdict == "OK" || (excused && verdict == "INFORMATIONAL");
    informational(behavior) && informational(close)
}

/// Compression is not judged here: 216 of the suite's 517 cases.
const EXCLUDED: [&str; 4] = ["-x", "12.*", "-x", "13.*"];

/// How many cases are left. A judge that ran fewer did not judge.
const CASES: usize = 301;

/// Bytes of the largest message the suite sends (9.1.6 and 9.2.6: 16 MiB).
const LARGEST_MESSAGE: &str = "16777216";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A report in which every case is OK but those given.
    fn report(count: usize, odd: &[(&str, &str, &str)]) -> Value {
        let mut cases = serde_json::Map::new();
        for number in 0..count {
            cases.insert(
                format!("1.{number}"),
                json!({"behavior": "OK", "behaviorClose": "OK"}),
            );
        }
        for (case, behavior, close) in odd {
            cases.insert(
                (*case).to_owned(),
                json!({"behavior": behavior, "behaviorClose": close}),
            );
        }
        json!({ "agent": cases })
    }

    #[test]
    fn only_ok_and_excused_informational_pass() {
        let excused = BTreeMap::from([("1.1".to_owned(), "why".to_owned())]);
        let good = judge(
            &report(301, &[("1.1", "INFORMATIONAL", "INFORMATIONAL")]),
            &excused,
        )
        .unwrap();
        assert_eq!((good.passed, good.failures.len()), (301, 0));
        for verdict in [
            "NON-STRICT",
            "FAILED",
            "UNIMPLEMENTED",
            "INFORMATIONAL",
            "WRONG CODE",
        ] {
            for odd in [("1.2", verdict, "OK"), ("1.2", "OK", verdict)] {
                let tally = judge(&report(301, &[odd]), &excused).unwrap();
                assert_eq!((tally.passed, tally.failures.len()), (300, 1), "{odd:?}");
            }
        }
        let tally = judge(&report(301, &[("1.1", "NON-STRICT", "OK")]), &excused).unwrap();
        assert_eq!(tally.failures, ["case 1.1: NON-STRICT, close OK"]);
    }

    #[test]
    fn a_judge_that_ran_something_else_does_not_pass() {
        let nobody = BTreeMap::new();
        assert!(judge(&report(0, &[]), &nobody).is_err());
        assert!(judge(&report(300, &[]), &nobody).is_err());
        assert!(judge(&json!({}), &nobody).is_err());
        let unknown = BTreeMap::from([("99.1".to_owned(), "why".to_owned())]);
        assert!(judge(&report(301, &[]), &unknown).is_err());
    }
}
