//! What the core takes on a microcontroller: flash, stack, the sizes of its values, and its panics.

use std::path::Path;

use anyhow::{Result, bail};
use wirelet::deflate::Context;
use wirelet_tests::deflate::Deflater;

use crate::bare_metal::BareMetal;
use crate::budgets::{self, Budgets, Row, TARGETS};
use crate::emulator::{self, Emulator};
use crate::install;
use crate::job::{Job, Tally};
use crate::wire::{self, BINARY, CLOSE, PING, PONG, TEXT};

/// Measures the programs of `tests/size` and compares them with their budgets.
pub(crate) fn run(job: &Job) -> Result<Tally> {
    let budgets = Budgets::read(job)?;
    let emulator = Emulator::new(job)?;
    let tools = Tools::find(job)?;
    let mut flash: Vec<Row> = PROGRAMS.map(|name| (name.to_owned(), [0.0; 2])).into();
    let (mut stack, mut panics) = (flash.clone(), flash.clone());
    let mut sizes: Vec<Row> = Vec::new();
    for (column, (target, machine)) in TARGETS.into_iter().enumerate() {
        let toolchain = build(job, target)?;
        println!("   {toolchain}");
        let program = |name: &str| toolchain.program(job, name);
        if tools.panics(job, &program("can-panic"))? == 0 {
            bail!("the search for panics proves nothing: `can-panic` has one");
        }
        let empty = tools.flash(job, &program("empty"))?;
        for (i, name) in PROGRAMS.into_iter().enumerate() {
            let file = program(name);
            flash[i].1[column] = (tools.flash(job, &file)? - empty) as f64;
            panics[i].1[column] = tools.panics(job, &file)? as f64;
            let (input, expected) = conversation(job, name)?;
            let run = emulator.run(job, machine, &file, &input)?;
            if run.output != expected {
                bail!("`{name}` for {target} did not answer as it should");
            }
            stack[i].1[column] = run.stack as f64;
        }
        budgets::split(
            job,
            &format!(
                "server, {target}, bytes by function and constant, those of `empty` among them"
            ),
            &tools.parts(job, &program("server"))?,
        )?;
        for (i, (name, size)) in tools.sizes(job, &program("sizes"))?.into_iter().enumerate() {
            match sizes.get_mut(i) {
                Some((known, values)) if *known == name => values[column] = size as f64,
                Some((known, _)) => bail!("`sizes` lists {name} where it listed {known}"),
                None => sizes.push((name, [size as f64; 2])),
            }
        }
    }
    let mut tally = Tally::default();
    tally.add(budgets.judge(job, "flash, bytes", &flash)?);
    tally.add(budgets.judge(job, "panic call sites", &panics)?);
    tally.add(budgets.judge(job, "stack, bytes", &stack)?);
    tally.add(budgets.judge(job, "values, bytes", &sizes)?);
    Ok(tally)
}

/// Builds all programs of `tests/size` for a target.
///
/// # Errors
/// They do not build.
pub(crate) fn build(job: &Job, target: &'static str) -> Result<BareMetal> {
    let toolchain = BareMetal::for_target(job, target, "core")?;
    let deflate = [
        "--features",
        "deflate",
        "--bin=server-deflate",
        "--bin=count-deflate",
    ];
    for selected in [&[][..], &deflate] {
        let mut command = toolchain.cargo(job, "build");
        command.args(["--manifest-path", "tests/size/Cargo.toml"]);
        job.must(
            command.args(selected),
            &format!("tests/size does not build for {target}"),
        )?;
    }
    Ok(toolchain)
}

/// What the peer of a program sends, and what the program must write.
fn conversation(job: &Job, program: &str) -> Result<(Vec<u8>, Vec<u8>)> {
    let code = 1000_u16.to_be_bytes();
    let text = "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich".as_bytes();
    let bytes: Vec<u8> = (0..300).map(|i| (i * 7 % 256) as u8).collect();
    if program == "client" {
        let sent = [
            wire::RESPONSE,
            &wire::frame(TEXT, b"Hello"),
            &wire::frame(CLOSE, &code),
        ];
        let expected = [
            wire::REQUEST,
            &wire::masked(TEXT, b"Hello"),
            &wire::masked(CLOSE, &code),
        ];
        return Ok((sent.concat(), expected.concat()));
    }
    if program == "server-deflate" {
        return compressed(job, text);
    }
    let sent = [
        wire::request(job, "chrome")?,
        wire::masked(TEXT, text),
        wire::masked(PING, b"ping"),
        wire::masked(BINARY, &bytes),
        wire::masked(CLOSE, &code),
    ];
    let expected = [
        wire::RESPONSE.to_vec(),
        wire::frame(TEXT, text),
        wire::frame(PONG, b"ping"),
        wire::frame(BINARY, &bytes),
        wire::frame(CLOSE, &code),
    ];
    Ok((sent.concat(), expected.concat()))
}

/// The same with a peer that compresses, each message for itself.
fn compressed(job: &Job, text: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
    let code = 1000_u16.to_be_bytes();
    let json = wire::json(1000);
    let zip = |message: &[u8]| Deflater::new(6, Context::NO_TAKEOVER).message(message, &[]);
    let sent = [
        wire::request(job, "chrome")?,
        wire::masked(wire::RSV1 | TEXT, &zip(text)),
        wire::masked(PING, b"ping"),
        wire::masked(wire::RSV1 | TEXT, &zip(&json)),
        wire::masked(BINARY, b"as it is"),
        wire::masked(CLOSE, &code),
    ];
    let expected = [
        wire::response_with(
            "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; \
             client_no_context_takeover\r\n",
        ),
        wire::frame(TEXT, text),
        wire::frame(PONG, b"ping"),
        wire::frame(TEXT, &json),
        wire::frame(BINARY, b"as it is"),
        wire::frame(CLOSE, &code),
    ];
    Ok((sent.concat(), expected.concat()))
}

/// What reads the programs.
pub(crate) struct Tools {
    size: std::path::PathBuf,
    nm: std::path::PathBuf,
    objdump: std::path::PathBuf,
}

impl Tools {
    pub(crate) fn find(job: &Job) -> Result<Tools> {
        let tool = |name| install::program(job, name, "llvm");
        Ok(Tools {
            size: tool("llvm-size")?,
            nm: tool("llvm-nm")?,
            objdump: tool("llvm-objdump")?,
        })
    }

    /// Bytes of flash: code, constants, and what is copied to RAM at the start.
    fn flash(&self, job: &Job, program: &Path) -> Result<u64> {
        Ok(self.flash_and_statics(job, program)?.0)
    }

    /// Bytes of flash, and of RAM without the stack.
    pub(crate) fn flash_and_statics(&self, job: &Job, program: &Path) -> Result<(u64, u64)> {
        let shown = job.must(job.command(&self.size).arg(program), "llvm-size failed")?;
        let mut words = shown.output.lines().nth(1).unwrap_or("").split_whitespace();
        let mut next = || words.next().and_then(|word| word.parse::<u64>().ok());
        match (next(), next(), next()) {
            (Some(text), Some(data), Some(bss)) => Ok((text + data, data + bss)),
            _ => bail!("llvm-size printed no sizes"),
        }
    }

    /// How many instructions call, or jump to, what panics.
    fn panics(&self, job: &Job, program: &Path) -> Result<usize> {
        let mut command = job.command(&self.objdump);
        command.args(["--disassemble", "--demangle", "--no-show-raw-insn"]);
        let listed = job.must(command.arg(program), "llvm-objdump failed")?;
        Ok(listed.output.lines().filter(|line| panics(line)).count())
    }

    /// What lies in flash, the largest first.
    fn parts(&self, job: &Job, program: &Path) -> Result<Vec<(String, u64)>> {
        let mut parts = self.symbols(job, program)?;
        parts.retain(|(_, kind, _)| "tTrRwW".contains(*kind));
        let mut parts: Vec<_> = parts
            .into_iter()
            .map(|(name, _, size)| (emulator::without_hash(&name).to_owned(), size))
            .collect();
        parts.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
        Ok(parts)
    }

    /// The symbols of `sizes`, in the order of their names, with their sizes.
    fn sizes(&self, job: &Job, program: &Path) -> Result<Vec<(String, u64)>> {
        let symbols = self.symbols(job, program)?.into_iter();
        let mut sizes: Vec<_> = symbols
            .filter_map(|(name, _, size)| {
                Some((name.strip_prefix("size_of_")?.replace('_', " "), size))
            })
            .collect();
        sizes.sort();
        Ok(sizes)
    }

    /// Name, kind and size of each symbol that has one.
    fn symbols(&self, job: &Job, program: &Path) -> Result<Vec<(String, char, u64)>> {
        let mut command = job.command(&self.nm);
        command.args(["--print-size", "--radix=d", "--demangle"]);
        let listed = job.must(command.arg(program), "llvm-nm failed")?;
        let symbols = listed.output.lines().filter_map(|line| {
            let [_, size, kind, name] = line.splitn(4, ' ').collect::<Vec<_>>().try_into().ok()?;
            Some((name.to_owned(), kind.parse().ok()?, size.parse().ok()?))
        });
        Ok(symbols.collect())
    }
}

/// Whether a line of a disassembly is a branch to a function that panics.
fn panics(line: &str) -> bool {
    let Some((instruction, target)) = line.split_once('<') else {
        return false;
    };
    let is_branch = instruction
        .split_whitespace()
        .any(|word| word.starts_with('b'));
    is_branch && PANICS.iter().any(|name| target.contains(name))
}

/// Each of these calls the panic handler in the end.
const PANICS: [&str; 5] = [
    "core::panicking::",
    "rust_begin_unwind",
    "_fail",
    "unwrap_failed",
    "expect_failed",
];

/// The programs of `tests/size/src/bin` that are measured. To add one: its name here, and its budgets.
const PROGRAMS: [&str; 5] = [
    "server",
    "server-refusing",
    "server-deflate",
    "client",
    "whole",
];

#[cfg(test)]
mod tests {
    #[test]
    fn only_branches_to_what_panics_count() {
        assert!(super::panics(
            "    2f7a:      \tbl\t0x45b2 <core::panicking::panic_bounds_check> @ imm = #16748"
        ));
        assert!(super::panics(
            "  10: b.w 0x20 <core::slice::index::slice_index_fail>"
        ));
        assert!(!super::panics("00000e74 <core::panicking::panic>:"));
        assert!(!super::panics("  10: bl 0x20 <memcpy>"));
    }
}
