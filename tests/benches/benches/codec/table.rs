//! Tables in Markdown, aligned so that they read well as text.

use crate::cases::SIZES;
use crate::subject::Row;

/// A table for all sizes: one row of figures for each of `rows`.
pub fn print(title: &str, rows: &[Row], figures: &[Vec<String>]) {
    let mut lines = vec![vec![title.to_owned(), "what is measured".to_owned()]];
    lines[0].extend(SIZES.map(size));
    for (row, figures) in rows.iter().zip(figures) {
        let mut line = vec![row.name.to_owned(), row.path.to_owned()];
        line.extend(figures.iter().cloned());
        lines.push(line);
    }
    let widths: Vec<usize> = (0..lines[0].len())
        .map(|column| {
            let widths = lines.iter().map(|line| line[column].chars().count());
            widths.max().unwrap_or(0).max(3)
        })
        .collect();
    println!();
    for (number, line) in lines.iter().enumerate() {
        for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
            match column {
                0 => print!("| {cell:<width$} |"),
                1 => print!(" {cell:<width$} |"),
                _ => print!(" {cell:>width$} |"),
            }
        }
        println!();
        if number == 0 {
            for (column, width) in widths.iter().enumerate() {
                let dashes = "-".repeat(width + 1);
                match column {
                    0 => print!("|{dashes}-|"),
                    1 => print!("{dashes}-|"),
                    _ => print!("{dashes}:|"),
                }
            }
            println!();
        }
    }
}

fn size(bytes: usize) -> String {
    if bytes < 1024 {
        format!("{bytes} B")
    } else {
        format!("{} KiB", bytes >> 10)
    }
}

/// Three digits that mean something, thousands apart.
pub fn number(value: f64) -> String {
    if value < 9.95 {
        return format!("{value:.1}");
    }
    let whole = value.round() as u64;
    if whole < 10_000 {
        return whole.to_string();
    }
    format!("{},{:03}", whole / 1000, whole % 1000)
}
