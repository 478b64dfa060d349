//! The LM3S6965 board in `qemu-system-arm`: built, booted, talked to, stopped.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::bare_metal::BareMetal;
use crate::install;
use crate::job::Job;
use crate::process::Server;

/// A board that runs.
pub(crate) struct Board {
    emulator: Server,
    port: u16,
}

impl Board {
    /// Starts the emulator and waits until the board says that it listens.
    ///
    /// # Errors
    /// There is no emulator, or the board does not get that far.
    pub(crate) fn boot(job: &Job, program: &Path) -> Result<Board> {
        let qemu = install::program(job, "qemu-system-arm", "qemu-system-arm")?;
        let mut tries = 0..PORT_TRIES;
        loop {
            let port = install::free_port()?;
            match job.serve(&mut emulator(job, &qemu, program, port), READY) {
                Ok((emulator, _)) => return Ok(Board { emulator, port }),
                // Somebody else took the port since it was free.
                Err(error) if tries.next().is_some() && format!("{error}").contains(PORT_TAKEN) => {
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Where the host reaches the board's port 80.
    pub(crate) const fn address(&self) -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::LOCALHOST, self.port)
    }

    /// Waits for the next line on the board's UART that holds `marker`, and gives what stands behind
    /// the marker up to the next white space. Lines before it are skipped and not seen again.
    ///
    /// # Errors
    /// The board ended, or the time of the step was over.
    #[expect(dead_code, reason = "for the checks to come")]
    pub(crate) fn wait_for(&mut self, job: &Job, marker: &str) -> Result<String> {
        job.wait_for(&mut self.emulator, marker)
    }

    /// Where the lines of the board's UART are, and what the emulator has to say.
    pub(crate) fn log(&self) -> &Path {
        self.emulator.log()
    }

    /// Ends the emulator.
    ///
    /// # Errors
    /// It had ended by itself, or the board panicked.
    pub(crate) fn stop(self) -> Result<()> {
        self.emulator.stop()
    }
}

/// Builds the board's program; it must be formatted, too, as it is no member of the workspace.
pub(crate) fn build(job: &Job, toolchain: &BareMetal) -> Result<PathBuf> {
    let folder = job.places.root.join(FOLDER);
    let manifest = folder.join("Cargo.toml");
    let mut format = job.command("cargo");
    format
        .args(["fmt", "--check", "--manifest-path"])
        .arg(&manifest);
    job.must(&mut format, "the firmware is not formatted")?;
    let mut build = toolchain.cargo(job, "build");
    // Where cargo finds the board's own flags.
    build
        .args(["--locked", "--manifest-path"])
        .arg(&manifest)
        .current_dir(folder);
    job.must(
        &mut build,
        &format!("the firmware does not build for {toolchain}"),
    )?;
    Ok(toolchain.program(job, PROGRAM))
}

fn emulator(job: &Job, qemu: &Path, program: &Path, port: u16) -> Command {
    let mut command = job.command(qemu);
    command
        .args(["-M", "lm3s6965evb", "-display", "none", "-monitor", "none"])
        .args(["-serial", "stdio"])
        .args(["-semihosting-config", "enable=on,target=native"])
        .arg("-nic")
        .arg(format!("user,hostfwd=tcp:127.0.0.1:{port}-:80"))
        .arg("-kernel")
        .arg(program);
    command
}

/// Where the board reaches the loopback interface of this machine.
pub(super) const HOST: &str = "10.0.2.2";

/// What it is built for.
pub(crate) const TARGET: &str = "thumbv7m-none-eabi";

/// Where its crate lies, and what its program is called.
const FOLDER: &str = "examples/firmware/boards/lm3s6965";
const PROGRAM: &str = "board-lm3s6965";

/// What the board prints when its network is up and it listens.
const READY: &str = "listening on ";

/// What QEMU prints when it cannot listen on the host.
const PORT_TAKEN: &str = "Could not set up host forwarding";

/// How often another port is tried.
const PORT_TRIES: u32 = 5;
