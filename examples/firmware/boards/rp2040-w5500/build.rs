//! Hands the linker its scripts: `link.x` of cortex-m-rt, `link-rp.x` of embassy-rp, and `memory.x` of
//! this folder.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=memory.x");
    let here = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    println!("cargo:rustc-link-search={here}");
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rustc-link-arg-bins=-Tlink-rp.x");
    // Segments need not start at a page: the file would hold padding.
    println!("cargo:rustc-link-arg-bins=--nmagic");
}
