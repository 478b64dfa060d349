//! Figures of all rounds, and the tables made of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::topic::{Cell, Table, thousands};

/// What was measured so far.
#[derive(Default)]
pub struct Results {
    /// Columns in the order of their first appearance, and below each the figures of a server.
    columns: Vec<(Cell, BTreeMap<String, Figures>)>,
    failures: Vec<String>,
}

/// One server in one column.
#[derive(Default)]
struct Figures {
    values: Vec<f64>,
    /// Each value over that of the base in the same round.
    ratios: Vec<f64>,
}

impl Results {
    /// Adds what one server gave in one round, and what the base gave in it.
    pub fn add(&mut self, cell: &Cell, server: &str, value: f64, base: Option<f64>) {
        let column = match self.columns.iter().position(|(known, _)| known == cell) {
            Some(column) => column,
            None => {
                self.columns.push((cell.clone(), BTreeMap::new()));
                self.columns.len() - 1
            }
        };
        let figures = self.columns[column].1.entry(server.to_owned()).or_default();
        figures.values.push(value);
        figures.ratios.extend(base.map(|base| value / base));
    }

    /// A measurement that could not be made.
    pub fn fail(&mut self, failure: String) {
        self.failures.push(failure);
    }

    pub fn failures(&self) -> &[String] {
        &self.failures
    }

    /// The tables, servers down in the order given.
    pub fn markdown(&self, servers: &[&str]) -> String {
        let mut text = String::new();
        for table in [
            Table::Echo,
            Table::Connections,
            Table::FanOutTime,
            Table::FanOutDelay,
            Table::Deflate,
            Table::Calls,
        ] {
            self.table(&mut text, table, servers);
        }
        text
    }

    fn table(&self, text: &mut String, table: Table, servers: &[&str]) {
        let mut columns: Vec<_> = self
            .columns
            .iter()
            .filter(|((found, _), _)| *found == table)
            .collect();
        if columns.is_empty() {
            return;
        }
        columns.sort_by(|((_, a), _), ((_, b), _)| natural(a).cmp(&natural(b)));
        let _ = write!(text, "\n## {}\n\n| server |", title(table));
        columns.iter().for_each(|((_, name), _)| {
            let _ = write!(text, " {name} |");
        });
        text.push_str("\n|---|");
        text.push_str(&"--:|".repeat(columns.len()));
        text.push('\n');
        for &server in servers {
            let row: Vec<_> = columns.iter().map(|(_, rows)| rows.get(server)).collect();
            if row.iter().all(Option::is_none) {
                continue;
            }
            let _ = write!(text, "| {server} |");
            for figures in row {
                let _ = write!(
                    text,
                    " {} |",
                    figures.map_or_else(String::new, Figures::shown)
                );
            }
            text.push('\n');
        }
    }
}

impl Figures {
    /// `4,118 · 1.05x (1.03 to 1.08)`: medians, and the least and the greatest ratio.
    fn shown(&self) -> String {
        let value = median(&self.values);
        let mut text = if value < 100.0 {
            format!("{value:.2}")
        } else {
            thousands(value)
        };
        if self.ratios.iter().any(|&ratio| ratio != 1.0) {
            let (least, most) = (
                min(&self.ratios),
                -min(&self.ratios.iter().map(|r| -r).collect::<Vec<_>>()),
            );
            let _ = write!(text, " · {:.2}x", median(&self.ratios));
            if self.ratios.len() > 1 {
                let _ = write!(text, " ({least:.2} to {most:.2})");
            }
        }
        text
    }
}

fn title(table: Table) -> &'static str {
    match table {
        Table::Echo => "Echo: processor time of the server, ns a message",
        Table::Connections => "Connections: processor time and memory of the server",
        Table::FanOutTime => "Fan-out of 100 bytes: processor time of the server, ns a delivery",
        Table::FanOutDelay => {
            "Fan-out of 100 bytes: delay that 99 % of the deliveries stay below, ns"
        }
        Table::Deflate => {
            "Compressed JSON: processor time of the server, ns a message, and sizes in bytes"
        }
        Table::Calls => "System calls of the server, a message",
    }
}

/// Longer numbers come later.
fn natural(name: &str) -> (usize, &str) {
    (if name.starts_with('(') { 0 } else { name.len() }, name)
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

fn min(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_shows_medians_and_the_spread() {
        let mut results = Results::default();
        let cell = (Table::Echo, "(a)".to_owned());
        for (value, limit) in [(1000.0, 1000.0), (1200.0, 1000.0), (4000.0, 2000.0)] {
            results.add(&cell, "limit", limit, Some(limit));
            results.add(&cell, "other", value, Some(limit));
        }
        let text = results.markdown(&["limit", "other", "absent"]);
        assert!(
            text.contains("\n| limit | 1,000 |\n| other | 1,200 · 1.20x (1.00 to 2.00) |\n"),
            "{text}"
        );
        assert!(!text.contains("absent"));
    }
}
