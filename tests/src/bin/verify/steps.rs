//! The list of steps: what `cargo verify` runs, in which order, and for how long at most.

use std::time::Duration;

use anyhow::Result;

use crate::job::{Job, Tally};
use crate::{
    bench, boards, browser, cargo, conformance, firmware, fuzz, instructions, interop, size, tidy,
};

/// One step of the run.
pub(crate) struct Step {
    /// What the command line calls it.
    pub(crate) name: &'static str,
    /// One line for `--list` and for the heading.
    pub(crate) about: &'static str,
    /// After this time the processes it started are killed and it counts as failed.
    pub(crate) bound: Duration,
    /// It runs only when it is named in full: it measures, and what it finds depends on the machine.
    pub(crate) on_request: bool,
    /// The work. An error is a failure that no test stands for.
    pub(crate) run: fn(&Job) -> Result<Tally>,
}

const fn step(
    name: &'static str,
    about: &'static str,
    seconds: u64,
    run: fn(&Job) -> Result<Tally>,
) -> Step {
    Step {
        name,
        about,
        bound: Duration::from_secs(seconds),
        on_request: false,
        run,
    }
}

/// A step that no run contains unless it is asked for.
const fn on_request(step: Step) -> Step {
    Step {
        on_request: true,
        ..step
    }
}

/// Every step. What is quick, or explains the failures of the others, stands first.
pub(crate) const STEPS: &[Step] = &[
    step("fmt", "the code is formatted", 60, cargo::fmt),
    step(
        "tidy",
        "the tree holds what it should and nothing else",
        60,
        tidy::run,
    ),
    step(
        "clippy",
        "no warnings, with all features and with none",
        420,
        cargo::clippy,
    ),
    step("test", "every test of the workspace", 600, cargo::test),
    step(
        "doc",
        "the documentation builds without a warning",
        300,
        cargo::doc,
    ),
    step(
        "no-panic",
        "no path in the core leads to a panic",
        180,
        cargo::no_panic,
    ),
    step(
        "size",
        "flash, stack and values of the core on a microcontroller",
        600,
        size::run,
    ),
    step(
        "instructions",
        "instructions of the core on a microcontroller",
        600,
        instructions::run,
    ),
    step(
        "conformance-server",
        "Autobahn's cases against our server",
        300,
        conformance::server,
    ),
    step(
        "conformance-client",
        "Autobahn's cases against our client",
        300,
        conformance::client,
    ),
    step(
        "interop-python",
        "Python websockets, as client and as server",
        240,
        interop::python,
    ),
    step(
        "interop-node",
        "npm ws, as client and as server",
        240,
        interop::node,
    ),
    step(
        "browser",
        "the chat example in headless Chromium",
        300,
        browser::run,
    ),
    step(
        "firmware",
        "the firmware on an emulated Cortex-M3 board",
        600,
        firmware::run,
    ),
    step(
        "firmware-conformance",
        "Autobahn's cases against that board",
        600,
        firmware::conformance::run,
    ),
    step(
        "firmware-boards",
        "the firmware of each board; an emulated RP2040 runs its own",
        900,
        boards::run,
    ),
    step(
        "fuzz-smoke",
        "each fuzz target for a few seconds",
        420,
        fuzz::run,
    ),
    step(
        "load-smoke",
        "servers under load, for a moment: the benchmark works",
        420,
        bench::smoke,
    ),
    on_request(step(
        "bench",
        "our server against the limit, under load",
        600,
        bench::ours,
    )),
    on_request(step(
        "bench-peers",
        "our server against other libraries; writes tests/benches/RESULTS.md",
        3600,
        bench::peers,
    )),
];
