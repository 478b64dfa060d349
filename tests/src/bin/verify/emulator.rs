//! Programs for a microcontroller, run by QEMU, which counts instructions and measures the stack.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::install;
use crate::job::Job;

/// QEMU with the plugin of `tests/size/measure.c`.
pub(crate) struct Emulator {
    qemu: PathBuf,
    nm: PathBuf,
    plugin: PathBuf,
}

/// What a program did.
pub(crate) struct Run {
    /// What it wrote.
    pub(crate) output: Vec<u8>,
    /// Instructions between each pair of its marks.
    pub(crate) counts: Vec<u64>,
    /// The most stack it used, in bytes.
    pub(crate) stack: u64,
    /// Instructions of the count with the number [`PROFILED`] by function, the most first.
    pub(crate) profile: Vec<(String, u64)>,
}

/// The pieces of work between two marks are counted from 1.
pub(crate) const PROFILED: usize = 2;

impl Emulator {
    /// Installs what is missing and compiles the plugin.
    ///
    /// # Errors
    /// Something is missing and cannot be installed, or the plugin does not compile.
    pub(crate) fn new(job: &Job) -> Result<Emulator> {
        let qemu = install::program(job, "qemu-system-arm", "qemu-system-arm")?;
        let nm = install::program(job, "llvm-nm", "llvm")?;
        let cc = install::program(job, "cc", "gcc")?;
        let plugin = job.places.out.join("measure.so");
        let version = plugin_version(job, &qemu)?;
        let mut command = job.command(cc);
        command.args(["-O2", "-shared", "-fPIC"]);
        command
            .arg(format!("-DPLUGIN_VERSION={version}"))
            .arg("-o")
            .arg(&plugin)
            .arg("tests/size/measure.c");
        job.must(&mut command, "tests/size/measure.c does not compile")?;
        Ok(Emulator { qemu, nm, plugin })
    }

    /// Runs a program of `tests/size` to its end on `machine`; `input` is what its peer sends.
    ///
    /// # Errors
    /// It failed, or QEMU did.
    pub(crate) fn run(
        &self,
        job: &Job,
        machine: &str,
        program: &Path,
        input: &[u8],
    ) -> Result<Run> {
        let folder = job.fresh_folder("emulator")?;
        let [input_file, output, measured] =
            ["input", "output", "measured"].map(|name| folder.join(name));
        let len = u32::try_from(input.len()).context("the input is too long")?;
        fs::write(&input_file, [&len.to_le_bytes(), input].concat())?;
        let symbols = self.symbols(job, program)?;
        let address = |name: &str| {
            let found = symbols.iter().find(|symbol| symbol.name == name);
            found.map(|symbol| symbol.address)
        };
        let (Some(floor), Some(top)) = (address("__sheap"), address("_stack_start")) else {
            bail!("{} has no stack", program.display());
        };
        // The lowest bit of a function's address says that it is Thumb code.
        let mark = address("measure_mark").unwrap_or(0) & !1;
        // What the program writes may be any bytes, so it goes to a file and not to the log.
        let mut command = job.command("sh");
        command.args(["-c", "exec \"$@\" >\"$0\""]);
        command.arg(&output).arg(&self.qemu);
        command.args(["-M", machine, "-display", "none", "-monitor", "none"]);
        command.args([
            "-serial",
            "none",
            "-semihosting-config",
            "enable=on,target=native",
            "-kernel",
        ]);
        command.arg(program).arg("-device").arg(format!(
            "loader,addr={INPUT:#x},force-raw=on,file={}",
            input_file.display()
        ));
        command.arg("-plugin").arg(format!(
            "{},out={},mark={mark:#x},floor={floor:#x},top={top:#x},profile={PROFILED}",
            self.plugin.display(),
            measured.display()
        ));
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        job.must(&mut command, &format!("`{name}` failed on {machine}"))?;
        let lines = fs::read_to_string(&measured).context("the plugin measured nothing")?;
        let numbers = |label: &str| {
            lines
                .lines()
                .filter_map(|line| line.strip_prefix(label)?.trim().parse().ok())
                .collect::<Vec<u64>>()
        };
        Ok(Run {
            output: fs::read(&output).context("the program has no output")?,
            counts: numbers("count "),
            stack: *numbers("stack ").first().context("no stack was measured")?,
            profile: profile(&symbols, &lines),
        })
    }

    fn symbols(&self, job: &Job, program: &Path) -> Result<Vec<Symbol>> {
        let mut command = job.command(&self.nm);
        command.arg("--demangle").arg(program);
        let listed = job.must(&mut command, "llvm-nm failed")?;
        let symbols = listed.output.lines().filter_map(|line| {
            let [address, kind, name] = line.splitn(3, ' ').collect::<Vec<_>>().try_into().ok()?;
            Some(Symbol {
                name: without_hash(name).to_owned(),
                address: u64::from_str_radix(address, 16).ok()?,
                is_code: matches!(kind, "t" | "T" | "w" | "W"),
            })
        });
        Ok(symbols.collect())
    }
}

struct Symbol {
    name: String,
    address: u64,
    is_code: bool,
}

/// What the plugin counted at single addresses, by function.
fn profile(symbols: &[Symbol], measured: &str) -> Vec<(String, u64)> {
    // The lowest bit of a function's address says that it is Thumb code.
    let functions: BTreeMap<u64, &str> = symbols
        .iter()
        .filter(|symbol| symbol.is_code)
        .map(|symbol| (symbol.address & !1, symbol.name.as_str()))
        .collect();
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for line in measured.lines() {
        let words = line
            .strip_prefix("at ")
            .and_then(|line| line.split_once(' '));
        if let Some((address, count)) = words
            && let (Ok(address), Ok(count)) = (address.parse::<u64>(), count.parse::<u64>())
            && let Some((_, name)) = functions.range(..=address).next_back()
        {
            *counts.entry(name).or_default() += count;
        }
    }
    let mut rows: Vec<_> = counts
        .into_iter()
        .map(|(name, count)| (name.to_owned(), count))
        .collect();
    rows.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    rows
}

/// A name without the hash that the compiler put behind it.
pub(crate) fn without_hash(name: &str) -> &str {
    match name.rsplit_once("::h") {
        Some((front, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
            front
        }
        _ => name,
    }
}

/// The version of the plugin interface: what is used here is the same in all of them.
fn plugin_version(job: &Job, qemu: &Path) -> Result<u32> {
    let shown = job.must(job.command(qemu).arg("--version"), "QEMU does not start")?;
    let major = shown
        .output
        .split_once("version ")
        .and_then(|(_, version)| version.split('.').next()?.parse::<u32>().ok())
        .context("QEMU does not tell its version")?;
    Ok(if major < 9 { 1 } else { 2 })
}

/// Where `tests/size/src/lib.rs` looks for the input.
const INPUT: u32 = 0x2_0000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_executed_is_added_up_by_function() {
        let symbol = |name: &str, address, is_code| Symbol {
            name: name.into(),
            address,
            is_code,
        };
        let symbols = [
            symbol("a", 0x101, true),
            symbol("table", 0x104, false),
            symbol("b", 0x109, true),
        ];
        let measured = "count 9\nat 256 1\nat 262 2\nat 264 5\nat 2 7\n";
        let expected = [("b".to_owned(), 5), ("a".to_owned(), 3)];
        assert_eq!(profile(&symbols, measured), expected);
    }

    #[test]
    fn only_a_hash_is_taken_off() {
        assert_eq!(without_hash("a::b::h0123456789abcdef"), "a::b");
        assert_eq!(without_hash("a::hash"), "a::hash");
    }
}
