//! Every board: its firmware builds and links, and that of the W5500-EVB-Pico runs in an emulator.

use std::path::PathBuf;

use anyhow::Result;

use crate::bare_metal::BareMetal;
use crate::job::{Job, Tally};
use crate::{cargo, install};

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
        match build(job, board) {
            Ok(_) => tally.passed += 1,
            Err(error) => tally.failures.push(format!("{}: {error:#}", board.name)),
        }
    }
    tally.add(Tally::of(emulated(job)));
    Ok(tally)
}

fn build(job: &Job, board: &Crate) -> Result<PathBuf> {
    let toolchain = BareMetal::for_target(job, board.target, board.crates)?;
    let folder = job.places.root.join("examples/firmware/boards");
    let manifest = folder.join(board.name).join("Cargo.toml");
    let mut format = job.command("cargo");
    format
        .args(["fmt", "--check", "--manifest-path"])
        .arg(&manifest);
    job.must(&mut format, "it is not formatted: cargo fmt in its folder")?;
    let mut build = toolchain.cargo(job, "build");
    build.args(["--locked", "--manifest-path"]).arg(&manifest);
    job.must(&mut build, &format!("it does not build for {toolchain}"))?;
    Ok(toolchain.program(job, &format!("board-{}", board.name)))
}

/// DHCP, upgrade, echo of each size where the format of a frame changes, ping and close, on the very
/// program that is flashed to the board.
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
    emulator.stop()?;
    Ok(Tally {
        passed: 1,
        failures: Vec::new(),
    })
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

/// The one that is emulated.
const W5500: usize = 1;

/// Bytes of the largest message: the emulator does about 200 kB/s.
const LARGEST: &str = "65536";
