//! Reads what the judges' scripts print: the Test Anything Protocol.
//!
//!     1..2
//!     ok 1 - text of 125 bytes
//!     not ok 2 - a message over the limit gets 1009
//!     # closed with 1006
//!
//! The plan comes first, so that a script that dies half-way, or runs nothing, is caught.

use anyhow::{Result, bail};

use crate::job::Tally;
use crate::process::Finished;

/// Counts the checks of a judge that ended.
///
/// # Errors
/// There is no plan, or another number of checks ran than was planned, or the script failed
/// although no check did.
pub(crate) fn count(judge: &str, finished: &Finished) -> Result<Tally> {
    let (planned, tally) = read(judge, &finished.output);
    let ran = tally.passed + tally.failures.len();
    match planned {
        None | Some(0) => bail!(
            "{judge}: the script planned no checks ({})",
            finished.status
        ),
        Some(planned) if planned != ran => {
            bail!(
                "{judge}: {ran} of {planned} checks ran, {} failed ({})",
                tally.failures.len(),
                finished.status
            )
        }
        Some(_) if tally.failures.is_empty() && !finished.status.success() => {
            bail!(
                "{judge}: every check passed, but the script failed ({})",
                finished.status
            )
        }
        Some(_) => Ok(tally),
    }
}

/// The planned number of checks, and those that ran.
fn read(judge: &str, output: &str) -> (Option<usize>, Tally) {
    let mut planned = None;
    let mut tally = Tally::default();
    let mut reason_follows = false;
    for line in output.lines() {
        if let Some(number) = line.strip_prefix("1..") {
            planned = number.trim().parse().ok();
        } else if line.starts_with("ok ") {
            tally.passed += 1;
            reason_follows = false;
        } else if let Some(name) = line.strip_prefix("not ok ") {
            let name = name.split_once(" - ").map_or(name, |(_, name)| name);
            tally.failures.push(format!("{judge}: {name}"));
            reason_follows = true;
        } else if let (true, Some(reason), Some(last)) = (
            reason_follows,
            line.strip_prefix("# "),
            tally.failures.last_mut(),
        ) {
            last.push_str(": ");
            last.push_str(reason);
            reason_follows = false;
        }
    }
    (planned, tally)
}

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
    fn a_failed_check_keeps_its_reason() {
        let tally = count(
            "ws",
            &finished("1..2\nok 1 - a\nnot ok 2 - b\n# closed\n# more\n", 1),
        )
        .unwrap();
        assert_eq!(tally.passed, 1);
        assert_eq!(tally.failures, ["ws: b: closed"]);
    }

    #[test]
    fn a_judge_that_ran_too_little_does_not_pass() {
        for (output, code) in [
            ("", 0),
            ("ok 1 - a\n", 0),
            ("1..0\n", 0),
            ("1..2\nok 1 - a\n", 0),
            ("1..1\nok 1 - a\n", 3),
        ] {
            assert!(
                count("ws", &finished(output, code)).is_err(),
                "{output:?} {code}"
            );
        }
    }
}
