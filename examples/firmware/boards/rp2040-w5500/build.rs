//! Hands the linker its scripts: `link.x` of cortex-m-rt, which includes the `memory.x` that all boards
//! with an RP2040 share, and `link-rp.x` of embassy-rp.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rustc-link-arg-bins=-Tlink-rp.x");
    // Segments need not start at a page: the file would hold padding.
    println!("cargo:rustc-link-arg-bins=--nmagic");
    // Functions that came out the same for several types are kept once.
    println!("cargo:rustc-link-arg-bins=--icf=all");
}
