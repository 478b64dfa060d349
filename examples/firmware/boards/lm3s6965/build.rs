//! Hands the linker its scripts: `link.x` of cortex-m-rt, and `memory.x` and `device.x` of this folder.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=memory.x");
    println!("cargo:rerun-if-changed=device.x");
    let here = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    println!("cargo:rustc-link-search={here}");
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    // Segments need not start at a page: the file would hold padding.
    println!("cargo:rustc-link-arg-bins=--nmagic");
    // Functions that came out the same for several types are kept once.
    println!("cargo:rustc-link-arg-bins=--icf=all");
}
