//! Programs for a microcontroller, run by QEMU, which counts instructions and measures the stack.

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
}

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
            let found = symbols.iter().find(|(symbol, _)| symbol == name);
            found.map(|(_, address)| *address)
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
            "{},out={},mark={mark:#x},floor={floor:#x},top={top:#x}",
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
        })
    }

    fn symbols(&self, job: &Job, program: &Path) -> Result<Vec<(String, u64)>> {
        let listed = job.must(job.command(&self.nm).arg(program), "llvm-nm failed")?;
        let symbols = listed.output.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            let address = u64::from_str_radix(words.next()?, 16).ok()?;
            Some((words.nth(1)?.to_owned(), address))
        });
        Ok(symbols.collect())
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
