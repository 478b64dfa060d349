//! How many instructions the core takes: the handshake of a browser, and echoes.
//!
//! Handshake: reading the request, checking it, writing the reply. Echo: receiving one masked frame in
//! place and putting the header of the answer into a buffer; the most of all four alignments of the
//! frame. Every answer is compared with what must come back.

use std::path::Path;

use anyhow::{Context, Result, bail};
use wirelet::deflate;
use wirelet_tests::deflate::Deflater;

use crate::budgets::{self, Budgets, Row, TARGETS};
use crate::emulator::{Emulator, PROFILED};
use crate::job::{Job, Tally};
use crate::size;
use crate::wire::{self, BINARY, TEXT};

/// Counts, and compares with the budgets.
pub(crate) fn run(job: &Job) -> Result<Tally> {
    let budgets = Budgets::read(job)?;
    let emulator = Emulator::new(job)?;
    let programs = [("count", pieces(job)?), ("count-deflate", compressed())];
    let mut rows: Vec<Row> = Vec::new();
    for (column, (target, machine)) in TARGETS.into_iter().enumerate() {
        let toolchain = size::build(job, target)?;
        println!("   {toolchain}");
        for (name, pieces) in &programs {
            let program = toolchain.program(job, name);
            let (counts, profile) = count(job, &emulator, machine, &program, pieces)
                .with_context(|| format!("`{name}` for {target}"))?;
            let of = &pieces[PROFILED - 1].row;
            budgets::split(
                job,
                &format!("{of}, {target}, instructions by function"),
                &profile,
            )?;
            for (piece, count) in pieces[1..].iter().zip(counts) {
                let row = match rows.iter_mut().find(|(name, _)| *name == piece.row) {
                    Some((_, row)) => row,
                    None => {
                        rows.push((piece.row.clone(), [0.0; 2]));
                        rows.last_mut().map(|(_, row)| row).context("a row")?
                    }
                };
                row[column] = row[column].max(count);
            }
        }
    }
    let mut tally = Tally::default();
    tally.add(budgets.judge(job, "instructions", &rows)?);
    tally.add(budgets.judge(job, "instructions a byte", &slopes(&rows))?);
    Ok(tally)
}

/// The instructions of each piece of work but the first, without those of the marks; and those of one
/// of them by function.
fn count(
    job: &Job,
    emulator: &Emulator,
    machine: &str,
    program: &Path,
    pieces: &[Piece],
) -> Result<(Vec<f64>, Profile)> {
    let records = pieces.iter().flat_map(|piece| piece.record.clone());
    let answers = pieces.iter().flat_map(|piece| piece.answer.clone());
    let run = emulator.run(job, machine, program, &records.collect::<Vec<u8>>())?;
    if run.output != answers.collect::<Vec<u8>>() {
        bail!("it did not answer as it should");
    }
    let [marks, counts @ ..] = &run.counts[..] else {
        bail!("nothing was counted");
    };
    if counts.len() + 1 != pieces.len() {
        bail!(
            "{} pieces of work, {} counts",
            pieces.len(),
            run.counts.len()
        );
    }
    let counts = counts.iter();
    let counts = counts.map(|count| count.saturating_sub(*marks) as f64);
    Ok((counts.collect(), run.profile))
}

/// Instructions by function.
type Profile = Vec<(String, u64)>;

/// What `count` is told to do, and must answer.
struct Piece {
    row: String,
    record: Vec<u8>,
    answer: Vec<u8>,
}

impl Piece {
    /// See `tests/size/src/bin/count.rs` for the record.
    fn new(row: String, what: u8, offset: u8, data: &[u8], answer: Vec<u8>) -> Piece {
        let [low, high] = (data.len() as u16).to_le_bytes();
        let mut record = [&[what, offset, low, high], data].concat();
        record.resize(record.len().next_multiple_of(4), 0);
        Piece {
            row,
            record,
            answer,
        }
    }
}

fn pieces(job: &Job) -> Result<Vec<Piece>> {
    // The first one is what the marks cost themselves.
    let mut pieces = vec![Piece::new("nothing".into(), b'n', 0, &[], Vec::new())];
    for browser in ["chrome", "firefox"] {
        let request = wire::request(job, browser)?;
        let row = format!("handshake, {browser}, {} bytes", request.len());
        pieces.push(Piece::new(row, b'h', 0, &request, wire::RESPONSE.to_vec()));
    }
    for (kind, first, payload) in KINDS {
        for len in SIZES {
            let payload = payload(len);
            for offset in 0..4 {
                let frame = wire::masked(first, &payload);
                let row = format!("echo, {kind}, {len} bytes");
                let answer = wire::frame(first, &payload);
                pieces.push(Piece::new(row, b'e', offset, &frame, answer));
            }
        }
    }
    Ok(pieces)
}

/// Frames that are compressed, each for itself. The first two take the codes of the standard, which are
/// made when they are not those of the message before; the others bring their own.
fn compressed() -> Vec<Piece> {
    let mut pieces = vec![Piece::new("nothing".into(), b'n', 0, &[], Vec::new())];
    for (i, len) in INFLATED.into_iter().enumerate() {
        let message = wire::json(len);
        let payload = Deflater::new(6, deflate::Context::NO_TAKEOVER).message(&message, &[]);
        let frame = wire::masked(wire::RSV1 | TEXT, &payload);
        let again = if i > 0 && INFLATED[i - 1] == len {
            ", same codes"
        } else {
            ""
        };
        let row = format!("inflate, JSON, {len} bytes{again}");
        pieces.push(Piece::new(row, b'i', 0, &frame, message));
    }
    pieces
}

/// What each byte takes more from one size to the next.
fn slopes(rows: &[Row]) -> Vec<Row> {
    let [.., small, large] = SIZES;
    let find = |kind: &str, len: usize| {
        let name = format!("echo, {kind}, {len} bytes");
        rows.iter()
            .find(|(row, _)| *row == name)
            .map(|(_, row)| *row)
    };
    let slope = |kind: &str| {
        let (from, to) = (find(kind, small)?, find(kind, large)?);
        Some([0, 1].map(|i| (to[i] - from[i]) / (large - small) as f64))
    };
    let echoes = KINDS
        .iter()
        .filter_map(|(kind, ..)| Some((format!("echo, {kind}"), slope(kind)?)));
    // Of what comes out, the codes of the message included.
    let [.., len] = INFLATED;
    let inflated = rows
        .iter()
        .filter(|(row, _)| *row == format!("inflate, JSON, {len} bytes"))
        .map(|(row, counts)| (row.clone(), counts.map(|count| count / len as f64)));
    echoes.chain(inflated).collect()
}

/// A name, the first byte of the frame, and what makes a payload of some size.
type Kind = (&'static str, u8, fn(usize) -> Vec<u8>);

const KINDS: [Kind; 3] = [
    ("binary", BINARY, |len| {
        (0..len).map(|i| (i * 7 + 3) as u8).collect()
    }),
    ("ASCII text", TEXT, |len| {
        b"The quick brown fox. "
            .iter()
            .copied()
            .cycle()
            .take(len)
            .collect()
    }),
    ("multi-byte text", TEXT, |len| {
        let mut text = "Zwölf Boxkämpfer: 静かな海 и ещё 🙂 ".repeat(len / 32 + 1);
        let fits = (0..=len).rev().find(|&end| text.is_char_boundary(end));
        text.truncate(fits.unwrap_or(0));
        text.extend((text.len()..len).map(|_| 'x'));
        text.into_bytes()
    }),
];

/// Sizes of inflated messages.
const INFLATED: [usize; 4] = [64, 64, 256, 1024];

/// Sizes of payloads; the last two are those of the slope.
const SIZES: [usize; 4] = [16, 125, 1024, 4096];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_have_their_size_and_are_what_they_are_called() {
        for len in SIZES {
            let [(_, _, binary), (_, _, ascii), (_, _, multi)] = KINDS;
            assert_eq!(binary(len).len(), len);
            assert!(ascii(len).len() == len && ascii(len).is_ascii());
            let multi = String::from_utf8(multi(len)).unwrap();
            assert!(multi.len() == len && !multi.is_ascii());
        }
    }

    #[test]
    fn a_slope_is_the_difference_by_the_bytes() {
        let row = |len, value| (format!("echo, binary, {len} bytes"), [value, 0.0]);
        let slopes = slopes(&[row(1024, 1000.0), row(4096, 1000.0 + 1.5 * 3072.0)]);
        assert_eq!(slopes, [("echo, binary".to_owned(), [1.5, 0.0])]);
    }
}
