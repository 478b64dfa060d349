//! How glibc copies: by vectors.
//!
//! From 2 KiB on it would use `rep movsb` on some processors. For that callgrind counts an
//! instruction a byte, and on this machine its time depends on how the addresses lie to each other:
//! 16 KiB took 180 ns here and 4,000 ns there.

use std::process::Command;

const NAME: &str = "GLIBC_TUNABLES";

const VALUE: &str = "glibc.cpu.x86_rep_movsb_threshold=1073741824";

/// Sets it for a program.
pub fn by_vectors(command: &mut Command) -> &mut Command {
    command.env(NAME, VALUE)
}

/// Whether it is set for this program.
pub fn are_by_vectors() -> bool {
    std::env::var_os(NAME).is_some_and(|value| value == VALUE)
}
