//! Tells apart what compiles from different sources of one version: artifacts name it, and caches look for it. In a
//! checkout of the repository a digest of the sources does, of all crates that decide what code is made. Crates as they
//! are published need none, as their versions are all of one release.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::io;
use std::path::{Path, PathBuf};

const CRATES: [&str; 4] = ["asm", "compiler", "debug", "environ"];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let folders = CRATES.map(|name| Path::new("..").join(name).join("src"));
    let mut version = std::env::var("CARGO_PKG_VERSION").expect("Cargo says it");
    if folders.iter().all(|folder| folder.is_dir()) {
        let mut files = Vec::new();
        for folder in &folders {
            println!("cargo::rerun-if-changed={}", folder.display());
            list(folder, &mut files)?;
        }
        files.sort();
        let mut digest = DefaultHasher::new();
        for file in files {
            let bytes = fs::read(&file)?;
            digest.write(file.as_os_str().as_encoded_bytes());
            digest.write_usize(bytes.len());
            digest.write(&bytes);
        }
        version = format!("{version}+{:016x}", digest.finish());
    }
    println!("cargo::rustc-env=LIGHTBEAM_VERSION={version}");
    Ok(())
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
