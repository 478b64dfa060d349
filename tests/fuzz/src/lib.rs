//! How the fuzz targets read their input.
//!
//! `cargo +nightly fuzz run receiver`, or by hand, from `tests/fuzz`:
//!
//! ```text
//! RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
//!   -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
//!   -Cllvm-args=-sanitizer-coverage-pc-table -Zsanitizer=address -Cdebug-assertions" \
//!   cargo +nightly build --release --bins --target x86_64-unknown-linux-gnu
//! target/x86_64-unknown-linux-gnu/release/receiver -max_total_time=60 corpus/receiver
//! ```
//!
//! The seeds in `corpus` come from `cargo run --example seeds`.

use wirelet::{Limits, Role};
use wirelet_tests::outcome::Rules;
use wirelet_tests::rng::Rng;

/// Bytes in front of the wire in the input of `receiver` and `differential`.
pub const FRAMES_HEADER: usize = 5;

/// Input of `receiver` and `differential`.
pub struct Frames<'a> {
    /// Who reads, and under which limits.
    pub rules: Rules,
    /// Where the wire is cut, and the room.
    pub rng: Rng,
    /// What the peer sends.
    pub wire: &'a [u8],
}

impl<'a> Frames<'a> {
    /// One byte of flags, two numbers for limits, the room of an inbox, a seed, and the wire.
    #[must_use]
    pub fn read(data: &'a [u8]) -> Option<Self> {
        let (&[flags, a, b, room, seed], wire) = data.split_first_chunk()?;
        let limits = match flags >> 2 & 3 {
            0 => Limits::default(),
            1 => Limits::NONE,
            2 => Limits::default().with_message(a.into()),
            _ => Limits {
                frame: a.into(),
                message: b.into(),
                fragments: (b & 7).into(),
            },
        };
        let role = if flags & 1 == 0 {
            Role::Server
        } else {
            Role::Client
        };
        let room = Some(usize::from(room).max(1));
        let rules = Rules {
            role,
            limits,
            rsv1: flags & 2 != 0,
            room,
        };
        Some(Self {
            rules,
            rng: Rng::new(seed.into()),
            wire,
        })
    }
}

/// The ways to cut the head of a handshake: not at all, after each byte, and as the seed says.
pub fn cuts(seed: u8, len: usize) -> [Vec<usize>; 3] {
    [
        Vec::new(),
        (1..len).collect(),
        Rng::new(seed.into()).cuts(len),
    ]
}
