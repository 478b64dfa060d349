//! Nanoseconds a frame: `cargo bench --manifest-path tests/benches/Cargo.toml --bench codec`, with
//! `--features peers` for the others as well.
//!
//! All rows of a size are measured in turn, many times over, so that what else the machine does
//! meets all of them. The tables have the least of each, and the median of the ratios to the first
//! row of the same round with its quartiles.

mod cases;
mod copies;
mod limits;
mod ours;
#[cfg(feature = "peers")]
mod peers;
mod rows;
mod subject;
mod table;

use std::process::{Command, ExitCode};
use std::time::Instant;

use cases::{Case, Kind, SIZES};
use subject::Row;

/// Times that all rows are measured.
const ROUNDS: usize = 1000;

/// Rounds after which all are made anew, at other addresses: how the buffers lie to each other in
/// the cache is luck.
const ROUNDS_IN_PLACE: usize = 200;

fn main() -> std::io::Result<ExitCode> {
    if !copies::are_by_vectors() {
        let status = copies::by_vectors(&mut Command::new(std::env::current_exe()?)).status()?;
        return Ok(ExitCode::from(u8::from(!status.success())));
    }
    print();
    Ok(ExitCode::SUCCESS)
}

fn print() {
    println!(
        "{} rounds on {}. Each row but the parts contains the read: a copy of what a client sent.",
        ROUNDS,
        processor()
    );
    for kind in Kind::ALL {
        let rows = rows::whole(kind);
        let measured = SIZES.map(|size| measure(&rows, &Case::new(kind, size)));
        let title = kind.title();
        let least = each(&rows, &measured, |samples, _| table::number(least(samples)));
        table::print(&format!("{title}, ns a frame, least"), &rows, &least);
        let ratios = each(&rows, &measured, ratio);
        table::print(&format!("{title}, ratio to the first row"), &rows, &ratios);
    }
    for kind in Kind::ALL {
        let rows = rows::parts(kind);
        let measured = SIZES.map(|size| measure(&rows, &Case::new(kind, size)));
        let least = each(&rows, &measured, |samples, _| table::number(least(samples)));
        let title = format!("{}, parts alone, ns, least", kind.title());
        table::print(&title, &rows, &least);
    }
}

/// Nanoseconds a frame: for each row, one of each round.
fn measure(rows: &[Row], case: &Case) -> Vec<Vec<f64>> {
    let mut samples = vec![Vec::with_capacity(ROUNDS); rows.len()];
    // The old ones stay, so that their addresses are not used again.
    let mut old = Vec::new();
    let mut benches = Vec::new();
    for round in 0..ROUNDS {
        if round % ROUNDS_IN_PLACE == 0 {
            old.append(&mut benches);
            benches.extend(rows.iter().map(|row| row.checked(case)));
        }
        // Each is first once in a while, so that none always follows the same one.
        for i in 0..rows.len() {
            let i = (i + round) % rows.len();
            benches[i].run(1);
            let start = Instant::now();
            let frames = benches[i].run(case.frames_at_once());
            samples[i].push(start.elapsed().as_nanos() as f64 / frames as f64);
        }
    }
    samples
}

/// Cells of a table from the samples of a row and of the first one.
fn each(
    rows: &[Row],
    measured: &[Vec<Vec<f64>>],
    cell: impl Fn(&[f64], &[f64]) -> String,
) -> Vec<Vec<String>> {
    (0..rows.len())
        .map(|row| {
            let sizes = measured.iter();
            sizes.map(|size| cell(&size[row], &size[0])).collect()
        })
        .collect()
}

fn least(samples: &[f64]) -> f64 {
    samples.iter().copied().fold(f64::INFINITY, f64::min)
}

fn ratio(samples: &[f64], first: &[f64]) -> String {
    let mut ratios: Vec<f64> = samples.iter().zip(first).map(|(a, b)| a / b).collect();
    ratios.sort_by(f64::total_cmp);
    let at = |part: usize| ratios[ratios.len() * part / 4];
    format!("{:.2} ({:.2}-{:.2})", at(2), at(1), at(3))
}

/// Its name, where the system tells.
fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    name.map_or("a processor without a name", |name| {
        name.trim_start_matches([' ', '\t', ':'])
    })
    .to_owned()
}
