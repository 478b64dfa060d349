//! Compresses the page: a third of its size in flash.

use std::io::Write;
use std::path::Path;
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;

fn main() {
    println!("cargo:rerun-if-changed=src/page.html");
    println!("cargo:rerun-if-env-changed=WIRELET_CHAT");
    let page = fs::read("src/page.html").expect("src/page.html is part of the crate");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&page).expect("memory takes it");
    let folder = env::var_os("OUT_DIR").expect("cargo names the folder");
    let compressed = gzip.finish().expect("memory takes it");
    fs::write(Path::new(&folder).join("page.html.gz"), compressed).expect("cargo made the folder");
}
