//! A toolchain for a target without an operating system.
//!
//! Where rustup can download the target, it is rustup's. Where it cannot, or is not there, it is
//! Debian's: its packages bring the source of the standard library, and its cargo builds from that
//! what the program needs. The linker is then the one that rustup brought, or Debian's.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::install;
use crate::job::Job;

/// What builds for one target.
pub(crate) struct BareMetal {
    target: &'static str,
    /// Which crates of the standard library the program may use, as cargo's `build-std` has them.
    crates: &'static str,
    toolchain: Toolchain,
}

enum Toolchain {
    Rustup,
    Debian { linker: PathBuf },
}

impl BareMetal {
    /// Finds what builds for `target`, or installs it. `crates` is `core` or `core,alloc`.
    ///
    /// With Debian's toolchain a program that uses another crate does not compile; rustup's has
    /// `alloc` for every target.
    ///
    /// # Errors
    /// Neither toolchain is there, nor can it be installed; the message says how to.
    pub(crate) fn for_target(
        job: &Job,
        target: &'static str,
        crates: &'static str,
    ) -> Result<BareMetal> {
        let toolchain = if rustup_has(job, target)? || rustup_gets(job, target) {
            Toolchain::Rustup
        } else {
            debian(job, target)?
        };
        Ok(BareMetal {
            target,
            crates,
            toolchain,
        })
    }

    /// `cargo SUBCOMMAND --release` for the target; add `--manifest-path` and what else there is.
    pub(crate) fn cargo(&self, job: &Job, subcommand: &str) -> Command {
        let mut command = match &self.toolchain {
            Toolchain::Rustup => job.command("cargo"),
            Toolchain::Debian { linker } => {
                let mut command = job.command(DEBIAN_CARGO);
                command
                    .env("RUSTC", DEBIAN_RUSTC)
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("CARGO_UNSTABLE_BUILD_STD", self.crates)
                    .env(linker_variable(self.target), linker);
                command
            }
        };
        command
            .args([subcommand, "--release", "--target", self.target])
            .arg("--target-dir")
            .arg(target_dir(job));
        command
    }

    /// Whether it has clippy: Debian's toolchain has none.
    pub(crate) fn has_clippy(&self) -> bool {
        matches!(self.toolchain, Toolchain::Rustup)
    }

    /// Where the program `name` lies when [`cargo`](Self::cargo) has built it.
    pub(crate) fn program(&self, job: &Job, name: &str) -> PathBuf {
        target_dir(job).join(self.target).join("release").join(name)
    }
}

impl fmt::Display for BareMetal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let toolchain = match self.toolchain {
            Toolchain::Rustup => "rustup",
            Toolchain::Debian { .. } => "Debian",
        };
        write!(f, "{} (toolchain of {toolchain})", self.target)
    }
}

/// Whether the active toolchain of rustup builds for the target already.
fn rustup_has(job: &Job, target: &str) -> Result<bool> {
    if install::on_path("rustup").is_none() {
        return Ok(false);
    }
    let list = job.run(
        job.command("rustup")
            .args(["target", "list", "--installed"]),
    )?;
    Ok(list.status.success() && list.output.lines().any(|line| line.trim() == target))
}

/// Has rustup download the target. A machine without its server falls back to Debian's toolchain,
/// so failing is no error; nor is a server that does not answer.
fn rustup_gets(job: &Job, target: &str) -> bool {
    install::on_path("rustup").is_some()
        && job
            .run_within(
                job.command("rustup").args(["target", "add", target]),
                DOWNLOAD_BOUND,
            )
            .is_ok_and(|finished| finished.status.success())
}

fn debian(job: &Job, target: &str) -> Result<Toolchain> {
    for (file, package) in [
        (DEBIAN_RUSTC, "rustc-web"),
        (DEBIAN_CARGO, "cargo-web"),
        (DEBIAN_SOURCE, "rust-web-src"),
    ] {
        if !Path::new(file).exists() {
            install::package(job, package)?;
        }
        if !Path::new(file).exists() {
            bail!("no toolchain for {target}: rustup target add {target}");
        }
    }
    let linker = match rust_lld(job) {
        Some(linker) => linker,
        None => install::program(job, "ld.lld", "lld")?,
    };
    Ok(Toolchain::Debian { linker })
}

/// The linker that came with the compiler on the path: rustup's has one.
fn rust_lld(job: &Job) -> Option<PathBuf> {
    let asked = job.run(job.command("rustc").args(["--print", "target-libdir"]));
    let asked = asked.ok().filter(|asked| asked.status.success())?;
    let linker = Path::new(asked.output.trim()).with_file_name("bin/rust-lld");
    linker.is_file().then_some(linker)
}

/// `CARGO_TARGET_<TARGET>_LINKER`: nothing checked in has to know where the linker lies.
fn linker_variable(target: &str) -> String {
    let name = target.to_uppercase().replace(['-', '.'], "_");
    format!("CARGO_TARGET_{name}_LINKER")
}

/// One for all programs, so that what they share is built once.
fn target_dir(job: &Job) -> PathBuf {
    job.places.target.join("bare-metal")
}

// By their paths: rustup's programs of the same names stand in front of them on the path.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_SOURCE: &str = "/usr/lib/rustlib/src/rust/library/core/src/lib.rs";

/// How long rustup may take to download a target.
const DOWNLOAD_BOUND: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    #[test]
    fn the_linker_is_set_by_the_name_of_the_target() {
        assert_eq!(
            super::linker_variable("thumbv7m-none-eabi"),
            "CARGO_TARGET_THUMBV7M_NONE_EABI_LINKER"
        );
    }
}
