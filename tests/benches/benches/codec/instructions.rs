//! Instructions a frame, counted by callgrind:
//! `cargo bench --manifest-path tests/benches/Cargo.toml --bench codec_instructions`, with
//! `--features peers` for the others as well.
//!
//! The program runs itself in valgrind, which writes one file of counts for each call of
//! [`measured`]. Counts repeat, whatever else the machine does; but valgrind 3.19 knows no AVX-512,
//! so who would choose that at run time is counted with AVX2.

mod cases;
mod copies;
mod limits;
mod ours;
#[cfg(feature = "peers")]
mod peers;
mod rows;
mod subject;
mod table;

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use cases::{Case, Kind, SIZES};
use subject::{Bench, Row};

/// Says to this program that it runs in valgrind.
const COUNTED: &str = "WIRELET_COUNTED";

fn main() -> Result<(), Box<dyn Error>> {
    if env::var_os(COUNTED).is_some() {
        assert!(copies::are_by_vectors());
        for (rows, case) in cases() {
            for row in rows {
                measured(&mut *row.checked(&case), case.frames_at_once());
            }
        }
        return Ok(());
    }
    let folder = env::temp_dir().join(format!("wirelet-callgrind-{}", std::process::id()));
    fs::create_dir(&folder)?;
    let counts = count(&folder);
    fs::remove_dir_all(&folder)?;
    print(&counts?)
}

/// What is counted, in order.
fn cases() -> impl Iterator<Item = (Vec<Row>, Case)> {
    let tables = Kind::ALL.map(|kind| (kind, rows::whole(kind)));
    let parts = Kind::ALL.map(|kind| (kind, rows::parts(kind)));
    tables
        .into_iter()
        .chain(parts)
        .flat_map(|(kind, rows)| SIZES.map(|size| (rows.clone(), Case::new(kind, size))))
}

/// The counts are those of this function and what it calls.
#[unsafe(no_mangle)]
#[inline(never)]
fn measured(bench: &mut dyn Bench, frames: usize) {
    black_box(black_box(bench).run(black_box(frames)));
}

/// Instructions, one for each call of [`measured`].
fn count(folder: &Path) -> Result<Vec<u64>, Box<dyn Error>> {
    let out = folder.join("out");
    let run = copies::by_vectors(&mut Command::new("valgrind"))
        .args([
            "--tool=callgrind",
            "--dump-after=measured",
            "--zero-before=measured",
        ])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(env::current_exe()?)
        .env(COUNTED, "1")
        .output()
        .map_err(|error| format!("valgrind does not start: {error}"))?;
    if !run.status.success() {
        return Err(format!("valgrind: {}", String::from_utf8_lossy(&run.stderr)).into());
    }
    let wanted = cases().map(|(rows, _)| rows.len()).sum();
    (1..=wanted)
        .map(|number| {
            let text = fs::read_to_string(folder.join(format!("out.{number}")))?;
            let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
            Ok(total.ok_or("valgrind wrote no total")?.parse()?)
        })
        .collect()
}

fn print(counts: &[u64]) -> Result<(), Box<dyn Error>> {
    println!("Each row but the parts contains the read: a copy of what a client sent.");
    let mut counts = counts.iter();
    let mut cases = cases().peekable();
    let mut number = 0;
    while cases.peek().is_some() {
        let (mut rows, mut kind) = (Vec::new(), Kind::Binary);
        let mut figures: Vec<Vec<String>> = Vec::new();
        for (of_size, case) in cases.by_ref().take(SIZES.len()) {
            figures.resize(of_size.len(), Vec::new());
            for (row, line) in of_size.iter().zip(&mut figures) {
                let count = counts.next().ok_or("a count is missing")?;
                // As many frames as were counted: a batch may hold more than was asked for.
                let frames = row.checked(&case).run(case.frames_at_once());
                line.push(table::number(*count as f64 / frames as f64));
            }
            (rows, kind) = (of_size, case.kind);
        }
        let parts = if number < Kind::ALL.len() {
            ""
        } else {
            ", parts alone"
        };
        let title = format!("{}{parts}, instructions a frame", kind.title());
        table::print(&title, &rows, &figures);
        number += 1;
    }
    Ok(())
}
