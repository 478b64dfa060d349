//! Hands the linker its scripts (`link.x` of cortex-m-rt, which includes the `memory.x` that all boards
//! with an RP2040 share, and `link-rp.x` of embassy-rp), and the program the files of the radio.
//!
//! The files are not in this repository: README.md says why, and where they come from. The
//! environment variable `CYW43_FIRMWARE` names their folder. Without it the program builds and links
//! all the same, with empty files; it says so when it starts, and stops.

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rustc-link-arg-bins=-Tlink-rp.x");
    // Segments need not start at a page: the file would hold padding.
    println!("cargo:rustc-link-arg-bins=--nmagic");
    // Functions that came out the same for several types are kept once.
    println!("cargo:rustc-link-arg-bins=--icf=all");

    println!("cargo:rerun-if-env-changed={FOLDER}");
    let from = env::var_os(FOLDER)
        .filter(|folder| !folder.is_empty())
        .map(PathBuf::from);
    let to = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    if from.is_none() {
        println!("cargo:warning=without {FOLDER} this program cannot use the radio: see README.md");
    }
    for file in FILES {
        if let Err(error) = bring(from.as_deref(), file, &to) {
            // One line; cargo shows it behind `error:`.
            println!("cargo::error={error}");
            return;
        }
    }
}

/// Copies a file, or makes an empty one.
fn bring(from: Option<&Path>, file: &str, to: &Path) -> Result<(), String> {
    let bytes = match from {
        None => Vec::new(),
        Some(folder) => {
            let path = folder.join(file);
            println!("cargo:rerun-if-changed={}", path.display());
            fs::read(&path).map_err(|error| {
                format!(
                    "{FOLDER} must name a folder with {}, but {}: {error}",
                    FILES.join(", "),
                    path.display()
                )
            })?
        }
    };
    fs::write(to.join(file), bytes).map_err(|error| format!("cannot write {file}: {error}"))
}

/// The environment variable.
const FOLDER: &str = "CYW43_FIRMWARE";

/// The radio's program, the limits that each country sets, and the settings of this board.
const FILES: [&str; 3] = ["43439A0.bin", "43439A0_clm.bin", "nvram_rp2040.bin"];
