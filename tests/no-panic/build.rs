//! Makes the linker refuse symbols that are defined nowhere.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // No start files and no standard library, but libc for memcpy and its kin.
    for flag in ["-nostartfiles", "-nodefaultlibs", "-lc", "-Wl,-z,defs"] {
        println!("cargo:rustc-cdylib-link-arg={flag}");
    }
}
