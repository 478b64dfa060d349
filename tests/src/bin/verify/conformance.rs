//! Autobahn's cases, through the `kosoku` package: our server under its fuzzing client, our client
//! under its fuzzing server. Every verdict must be OK, or INFORMATIONAL with a reason in
//! `tests/judges/informational.json`. NON-STRICT is a failure: the codec promises to be strict.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::job::{Job, Tally};
use crate::{cargo, install};

/// Our server, judged by a client, without compression.
pub(crate) fn server(job: &Job) -> Result<Tally> {
    PLAIN.server(job, "conformance-server")
}

/// A server that runs at `address` and echoes messages of any size, judged by a client, without
/// compression. The report goes to the folder `name`.
///
/// # Errors
/// There is no judge, or it wrote no report that can be read.
pub(crate) fn judge_server(job: &Job, address: &str, name: &str) -> Result<Tally> {
    PLAIN.judge_server(job, address, name)
}

/// Our client, judged by a server, without compression.
pub(crate) fn client(job: &Job) -> Result<Tally> {
    PLAIN.client(job, "conformance-client")
}

/// Both, with compression, and fewer of the long messages.
pub(crate) fn deflate(job: &Job) -> Result<Tally> {
    let [server, client] = [TAKEOVER, ALONE].map(|suite| Suite {
        bytes: "262144",
        ..suite
    });
    let mut tally = Tally::of(server.server(job, "conformance-deflate-server"));
    tally.add(Tally::of(client.client(job, "conformance-deflate-client")));
    Ok(tally)
}

/// Both, with all messages.
pub(crate) fn deflate_whole(job: &Job) -> Result<Tally> {
    let mut tally = Tally::default();
    for (suite, name) in [(TAKEOVER, "takeover"), (ALONE, "alone"), (SMALL, "small")] {
        let folder = format!("conformance-deflate-server-{name}");
        tally.add(Tally::of(suite.server(job, &folder)));
    }
    for (suite, name) in [
        (OFFERED_TAKEOVER, "takeover"),
        (ALONE, "alone"),
        (OFFERED_SMALL, "small"),
    ] {
        let folder = format!("conformance-deflate-client-{name}");
        tally.add(Tally::of(suite.client(job, &folder)));
    }
    Ok(tally)
}

/// Cases of the suite, and how our end meets them.
struct Suite {
    /// How `kosoku` is told which.
    selection: &'static [&'static str],
    /// How many they are. A judge that ran fewer did not judge.
    cases: usize,
    /// What our end is told about compression.
    option: Option<&'static str>,
    /// Most bytes that a case of compression sends.
    bytes: &'static str,
    /// How many the fuzzing client tries at once: of the two ends of one, only one works at a time.
    at_once: &'static str,
    /// Whether `informational.json` is about them.
    excused: bool,
}

/// All without compression.
const PLAIN: Suite = Suite {
    selection: &["-x", "12.*", "-x", "13.*"],
    cases: 301,
    option: None,
    bytes: UNBOUNDED,
    at_once: "1",
    excused: true,
};

/// All with compression, each message for itself. The threshold of 0 is for the judge: it takes text
/// that comes as it is for an error.
const ALONE: Suite = Suite {
    selection: &["-i", "12.*", "-i", "13.*"],
    cases: 216,
    option: Some("--deflate=threshold=0"),
    bytes: UNBOUNDED,
    at_once: "2",
    excused: false,
};

/// The same, with takeover unless the judge does not want it.
const TAKEOVER: Suite = Suite {
    option: Some("--deflate=takeover,threshold=0"),
    ..ALONE
};

/// The same, in a window of 512 bytes.
const SMALL: Suite = Suite {
    option: Some("--deflate=window=9,threshold=0"),
    ..ALONE
};

/// What a client can be judged by if it offers takeover: in 13.2, 13.5 and 13.6 the judge only agrees
/// with one that offers to do without.
const OFFERED_TAKEOVER: Suite = Suite {
    selection: &[
        "-i", "12.*", "-i", "13.1.*", "-i", "13.3.*", "-i", "13.4.*", "-i", "13.7.*",
    ],
    cases: 162,
    ..TAKEOVER
};

/// What a client can be judged by if it offers a small window: in 13.4 and 13.6 the judge answers with
/// one of 15 bits, larger than offered (RFC 7692 section 7.1.2.2 forbids it), and is refused.
const OFFERED_SMALL: Suite = Suite {
    selection: &["-i", "12.*", "-i", "13.*", "-x", "13.4.*", "-x", "13.6.*"],
    cases: 180,
    ..SMALL
};

impl Suite {
    /// Our server, judged by a client. The report goes to the folder `name`.
    fn server(&self, job: &Job, name: &str) -> Result<Tally> {
        let mut command = job.command(cargo::release_example(job, "echo")?);
        command.args(["0", "--max-message", LARGEST_MESSAGE]);
        command.args(self.option);
        let (echo, address) = job.serve(&mut command, "listening on ")?;
        let mut tally = self.judge_server(job, &address, name)?;
        if let Err(error) = echo.stop() {
            tally.failures.push(format!("{error:#}"));
        }
        Ok(tally)
    }

    fn judge_server(&self, job: &Job, address: &str, name: &str) -> Result<Tally> {
        let excused = self.excused(job)?;
        let report = job.fresh_folder(name)?;
        let mode = ["-m", "fuzzingclient", address, "-p", self.at_once];
        let mut judge = self.kosoku(job, &mode, &report)?;
        // Its exit status says less than its report: NON-STRICT counts as success there.
        let finished = job.run(&mut judge)?;
        self.read_report(&report, &excused)
            .with_context(|| format!("the fuzzing client ended with {}", finished.status))
    }

    /// Our client, judged by a server. The report goes to the folder `name`.
    fn client(&self, job: &Job, name: &str) -> Result<Tally> {
        let excused = self.excused(job)?;
        let echo = cargo::release_example(job, "echo")?;
        let report = job.fresh_folder(name)?;
        let mut judge = self.kosoku(job, &["-m", "fuzzingserver", "127.0.0.1:0"], &report)?;
        let (judge, address) = job.serve(&mut judge, "listening on ")?;
        let mut command = job.command(&echo);
        command.args(["--max-message", LARGEST_MESSAGE, "--client", &address]);
        command.args(self.option);
        job.must(&mut command, "our client did not get through the cases")?;
        // It writes the report when the client asks for it, and ends.
        let status = job.finish(judge)?;
        self.read_report(&report, &excused)
            .with_context(|| format!("the fuzzing server ended with {status}"))
    }

    fn kosoku(&self, job: &Job, mode: &[&str], report: &Path) -> Result<Command> {
        let mut command = job.command(install::python(job)?);
        command.arg(install::judges(job).join("autobahn.py"));
        command.arg(self.bytes).args(mode).args(self.selection);
        command.arg("-o").arg(report);
        Ok(command)
    }

    /// The cases that may be INFORMATIONAL, each with its reason.
    fn excused(&self, job: &Job) -> Result<BTreeMap<String, String>> {
        if self.excused {
            excused(job)
        } else {
            Ok(BTreeMap::new())
        }
    }

    fn read_report(&self, folder: &Path, excused: &BTreeMap<String, String>) -> Result<Tally> {
        let text = fs::read_to_string(folder.join("index.json"))
            .with_context(|| format!("no report in {}", folder.display()))?;
        let index: Value = serde_json::from_str(&text).context("the report is not JSON")?;
        judge(&index, self.cases, excused)
    }
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

/// Counts the verdicts of a report: one agent, its cases, each with two verdicts.
fn judge(index: &Value, count: usize, excused: &BTreeMap<String, String>) -> Result<Tally> {
    let agents = index.as_object().context("the report is no object")?;
    let (1, Some(cases)) = (
        agents.len(),
        agents.values().next().and_then(Value::as_object),
    ) else {
        bail!("the report holds {} agents instead of one", agents.len());
    };
    if cases.len() != count {
        bail!("the report holds {} cases instead of {count}", cases.len());
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

/// Bytes of the largest message the suite sends (9.1.6 and 9.2.6: 16 MiB).
const LARGEST_MESSAGE: &str = "16777216";

/// More bytes than any case of compression sends.
const UNBOUNDED: &str = "1000000000";

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
            301,
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
                let tally = judge(&report(301, &[odd]), 301, &excused).unwrap();
                assert_eq!((tally.passed, tally.failures.len()), (300, 1), "{odd:?}");
            }
        }
        let tally = judge(&report(301, &[("1.1", "NON-STRICT", "OK")]), 301, &excused).unwrap();
        assert_eq!(tally.failures, ["case 1.1: NON-STRICT, close OK"]);
    }

    #[test]
    fn a_judge_that_ran_something_else_does_not_pass() {
        let nobody = BTreeMap::new();
        assert!(judge(&report(0, &[]), 301, &nobody).is_err());
        assert!(judge(&report(300, &[]), 301, &nobody).is_err());
        assert!(judge(&json!({}), 301, &nobody).is_err());
        let unknown = BTreeMap::from([("99.1".to_owned(), "why".to_owned())]);
        assert!(judge(&report(301, &[]), 301, &unknown).is_err());
    }
}
