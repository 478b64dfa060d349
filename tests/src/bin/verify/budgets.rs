//! What the core may cost: the tables of the measuring steps, against `tests/size/budgets.json`.

use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::job::{Job, Tally};

/// The targets that are measured, with the board that QEMU emulates for each, in the order of the
/// columns and of the budgets.
pub(crate) const TARGETS: [(&str, &str); 2] = [
    ("thumbv7m-none-eabi", "lm3s6965evb"),
    ("thumbv6m-none-eabi", "microbit"),
];

/// A measured value for each of [`TARGETS`].
pub(crate) type Row = (String, [f64; TARGETS.len()]);

/// Tables of budgets by their titles, each with a row of numbers for each measured one.
pub(crate) struct Budgets(Value);

impl Budgets {
    /// Reads them.
    ///
    /// # Errors
    /// The file is missing or no JSON.
    pub(crate) fn read(job: &Job) -> Result<Budgets> {
        let path = job.places.root.join("tests/size/budgets.json");
        let text = fs::read_to_string(path).context("cannot read tests/size/budgets.json")?;
        let budgets = serde_json::from_str(&text).context("tests/size/budgets.json is no JSON")?;
        Ok(Budgets(budgets))
    }

    /// Prints a table, here and into the log, and counts what keeps its budget and what does not.
    /// A row without a budget fails, and so does a budget without a row.
    ///
    /// # Errors
    /// The log cannot be written.
    pub(crate) fn judge(&self, job: &Job, title: &str, rows: &[Row]) -> Result<Tally> {
        let (table, tally) = self.table(title, rows);
        print!("{table}");
        job.note(&table)?;
        Ok(tally)
    }

    fn table(&self, title: &str, rows: &[Row]) -> (String, Tally) {
        let mut tally = Tally::default();
        let mut text = format!("\n   {title:<40}");
        for (target, _) in TARGETS {
            let _ = write!(text, " {target:>20} {:>8}", "at most");
        }
        text.push('\n');
        for (name, values) in rows {
            let _ = write!(text, "   {name:<40}");
            for (i, (value, (target, _))) in values.iter().zip(TARGETS).enumerate() {
                let most = self.0[title][name][i].as_f64();
                let shown = most.map_or_else(|| "?".to_owned(), number);
                let _ = write!(text, " {:>20} {shown:>8}", number(*value));
                match most {
                    Some(most) if *value <= most => tally.passed += 1,
                    _ => tally.failures.push(format!(
                        "{title}, {name}, {target}: {} is more than {shown}",
                        number(*value)
                    )),
                }
            }
            text.push('\n');
        }
        for name in self.0[title]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
        {
            if rows.iter().all(|(row, _)| row != name) {
                tally
                    .failures
                    .push(format!("{title}, {name}: not measured"));
            }
        }
        (text, tally)
    }
}

/// Prints the largest of `parts` of something, here and into the log. They have no budgets.
///
/// # Errors
/// The log cannot be written.
pub(crate) fn split(job: &Job, title: &str, parts: &[(String, u64)]) -> Result<()> {
    let mut text = format!("\n   {title}\n");
    for (name, value) in parts.iter().take(PARTS_SHOWN) {
        let _ = writeln!(text, "   {value:>8} {name}");
    }
    let rest: u64 = parts.iter().skip(PARTS_SHOWN).map(|(_, value)| value).sum();
    let _ = writeln!(text, "   {rest:>8} all others");
    print!("{text}");
    job.note(&text)
}

const PARTS_SHOWN: usize = 20;

/// Whole numbers as such, others with two digits.
fn number(value: f64) -> String {
    if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_the_budget_no_budget_and_no_row_fail() {
        let budgets = Budgets(serde_json::json!({"flash": {"a": [10, 10], "gone": [1, 1]}}));
        let rows = [("a".to_owned(), [10.0, 10.5]), ("b".to_owned(), [1.0, 1.0])];
        let (text, tally) = budgets.table("flash", &rows);
        assert!(text.contains("10.50"));
        assert_eq!(tally.passed, 1);
        assert_eq!(
            tally.failures,
            [
                "flash, a, thumbv6m-none-eabi: 10.50 is more than 10",
                "flash, b, thumbv7m-none-eabi: 1 is more than ?",
                "flash, b, thumbv6m-none-eabi: 1 is more than ?",
                "flash, gone: not measured",
            ]
        );
    }
}
