//! Every board: its firmware builds, links and is linted, and that of the W5500-EVB-Pico runs in an emulator.

use std::path::PathBuf;

use anyhow::Result;

use crate::bare_metal::BareMetal;
use crate::budgets::Budgets;
use crate::job::{Job, Tally};
use crate::size::Tools;
use crate::{cargo, install, tap};

/// A board's crate.
struct Crate {
    /// Its folder below `examples/firmware/boards`; the package is called after it.
    name: &'static str,
    target: &'static str,
    /// What it may use of the standard library.
    crates: &'static str,
}

/// Builds them all, then runs the one.
pub(crate) fn run(job: &Job) -> Result<Tally> {
    let mut tally = Tally::default();
    for board in &CRATES {
        match build(job, board).and_then(|_| lint(job, board)) {
            Ok(()) => tally.passed += 1,
            Err(error) => tally.failures.push(format!("{}: {error:#}", board.name)),
        }
    }
    tally.add(Tally::of(sizes(job)));
    tally.add(Tally::of(emulated(job)));
    Ok(tally)
}

/// What the firmware takes of a Cortex-M3 and of a Cortex-M0+, whose Ethernet is not on the chip.
fn sizes(job: &Job) -> Result<Tally> {
    let tools = Tools::find(job)?;
    let size = |board: &Crate| tools.flash_and_statics(job, &build(job, board)?);
    let (m3, m0) = (size(&CRATES[LM3S6965])?, size(&CRATES[W5500])?);
    let row = |name: &str, [m3, m0]: [u64; 2]| (name.to_owned(), [m3 as f64, m0 as f64]);
    let rows = [
        row("flash", [m3.0, m0.0]),
        row("RAM without the stack", [m3.1, m0.1]),
    ];
    Budgets::read(job)?.judge(job, "firmware, bytes", &rows)
}

fn build(job: &Job, board: &Crate) -> Result<PathBuf> {
    let toolchain = BareMetal::for_target(job, board.target, board.crates)?;
    let manifest = manifest(job, board);
    let mut format = job.command("cargo");
    format
        .args(["fmt", "--check", "--manifest-path"])
        .arg(&manifest);
    job.must(&mut format, "it is not formatted: cargo fmt in its folder")?;
    let mut build = toolchain.cargo(job, "build");
    build
        .args(["--locked", "--manifest-path"])
        .arg(&manifest)
        .current_dir(folder(job, board));
    job.must(&mut build, &format!("it does not build for {toolchain}"))?;
    Ok(toolchain.program(job, &format!("board-{}", board.name)))
}

fn manifest(job: &Job, board: &Crate) -> PathBuf {
    folder(job, board).join("Cargo.toml")
}

/// Where cargo finds the board's own flags.
fn folder(job: &Job, board: &Crate) -> PathBuf {
    let boards = job.places.root.join("examples/firmware/boards");
    boards.join(board.name)
}

/// The lints of a board's own crate: those of what it is made of are in the step `clippy`.
fn lint(job: &Job, board: &Crate) -> Result<()> {
    let toolchain = BareMetal::for_target(job, board.target, board.crates)?;
    if !toolchain.has_clippy() {
        return job.note(&format!("{}: no clippy for {toolchain}", board.name));
    }
    let mut clippy = toolchain.cargo(job, "clippy");
    clippy
        .args(["--no-deps", "--locked", "--manifest-path"])
        .arg(manifest(job, board))
        .args(["--", "-D", "warnings"])
        .current_dir(folder(job, board));
    job.must(&mut clippy, "clippy complains")?;
    Ok(())
}

/// DHCP, upgrade, echo of each size where the format of a frame changes, ping and close, and a room
/// that takes compressed messages, on the very program that is flashed to the board.
fn emulated(job: &Job) -> Result<Tally> {
    install::program(job, "qemu-system-arm", "qemu-system-arm")?;
    let program = build(job, &CRATES[W5500])?;
    let echo = cargo::release_example(job, "echo")?;
    let folder = install::node(job)?;
    let port = install::free_port()?;
    let mut emulator = job.command("node");
    emulator
        .arg("rp2040.mjs")
        .arg(&program)
        .arg(port.to_string())
        .current_dir(&folder);
    let (emulator, _) = job.serve(&mut emulator, "listening on ")?;
    let mut probe = job.command(&echo);
    probe
        .args(["--max-message", LARGEST, "--probe"])
        .arg(format!("ws://127.0.0.1:{port}/echo"));
    job.must(&mut probe, "the emulated board does not echo as it should")?;
    let mut tally = Tally {
        passed: 1,
        failures: Vec::new(),
    };
    let mut judge = job.command("node");
    judge
        .arg("board_deflate.mjs")
        .arg(format!("127.0.0.1:{port}"))
        .current_dir(&folder);
    tally.add(tap::count("npm ws", &job.run(&mut judge)?)?);
    emulator.stop()?;
    Ok(tally)
}

const CRATES: [Crate; 4] = [
    Crate {
        name: "lm3s6965",
        target: "thumbv7m-none-eabi",
        crates: "core",
    },
    Crate {
        name: "rp2040-w5500",
        target: "thumbv6m-none-eabi",
        crates: "core",
    },
    Crate {
        name: "rp2040-picow",
        target: "thumbv6m-none-eabi",
        crates: "core",
    },
    Crate {
        name: "esp32c3",
        target: "riscv32imc-unknown-none-elf",
        // The allocator is for the radio's driver.
        crates: "core,alloc",
    },
];

/// The one whose chip is emulated whole.
const LM3S6965: usize = 0;
/// The one whose Ethernet is emulated beside the chip.
const W5500: usize = 1;

/// Bytes of the largest message: the emulator does about 200 kB/s.
const LARGEST: &str = "65536";
