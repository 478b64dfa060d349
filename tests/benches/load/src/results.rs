//! Figures of all rounds, and the tables made of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::contender::Contender;
use crate::topic::{self, Cell, Table, thousands};

/// What was measured so far.
#[derive(Default)]
pub struct Results {
    /// Columns in the order of their first appearance, and below each the figures of a server.
    columns: Vec<(Cell, BTreeMap<String, Figures>)>,
    failures: Vec<String>,
}

/// What servers gave at about the same time.
pub type Turn<'a> = Vec<(&'a Contender, topic::Figures)>;

/// One server in one column.
#[derive(Default)]
struct Figures {
    values: Vec<f64>,
    /// Each value over that of the base at the same time.
    ratios: Vec<f64>,
}

impl Results {
    /// Adds what was measured in one round: of each server the median of its turns.
    pub fn add(&mut self, turns: &[Turn]) {
        let mut round = BTreeMap::<_, Figures>::new();
        for turn in turns {
            let base = turn.iter().find(|(contender, _)| contender.is_base());
            for (contender, figures) in turn {
                for (cell, value) in figures {
                    let base = base.and_then(|(_, figures)| {
                        let (_, value) = figures.iter().find(|(at, _)| at == cell)?;
                        Some(value)
                    });
                    let all = round.entry((cell, &contender.name)).or_default();
                    all.values.push(*value);
                    all.ratios.extend(base.map(|base| value / base));
                }
            }
        }
        for ((cell, server), all) in round {
            let figures = self.column(cell).entry(server.clone()).or_default();
            figures.values.push(median(&all.values));
            if !all.ratios.is_empty() {
                figures.ratios.push(median(&all.ratios));
            }
        }
    }

    fn column(&mut self, cell: &Cell) -> &mut BTreeMap<String, Figures> {
        let known = self.columns.iter().position(|(known, _)| known == cell);
        let column = known.unwrap_or_else(|| {
            self.columns.push((cell.clone(), BTreeMap::new()));
            self.columns.len() - 1
        });
        &mut self.columns[column].1
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
        let limit = Contender::named("limit");
        let other = Contender::named("other");
        let cell = (Table::Echo, "(a)".to_owned());
        let turn = |value, base| {
            vec![
                (&other, vec![(cell.clone(), value)]),
                (&limit, vec![(cell.clone(), base)]),
            ]
        };
        let mut results = Results::default();
        results.add(&[turn(1000.0, 1000.0), turn(9000.0, 1000.0), turn(10.0, 10.0)]);
        results.add(&[turn(1200.0, 1000.0)]);
        results.add(&[vec![], turn(4000.0, 2000.0)]);
        let text = results.markdown(&["limit", "other", "absent"]);
        assert!(
            text.contains("\n| limit | 1,000 |\n| other | 1,200 · 1.20x (1.00 to 2.00) |\n"),
            "{text}"
        );
        assert!(!text.contains("absent"));
    }
}
