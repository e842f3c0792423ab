//! Says which sources the code comes from: the version stays while they are worked on, and what caches keep is to be as
//! old as they are at most.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

/// Whatever decides what code is made, from this folder.
const SOURCES: [&str; 4] = ["src", "../../crates/asm/src", "../../crates/compiler/src", "../../crates/environ/src"];

fn main() {
    let mut hasher = DefaultHasher::new();
    for folder in SOURCES {
        println!("cargo::rerun-if-changed={folder}");
        let mut files = Vec::new();
        collect(Path::new(folder), &mut files);
        assert!(!files.is_empty(), "{folder} is to have the sources of Lightbeam");
        files.sort();
        for file in files {
            hasher.write(file.as_os_str().as_encoded_bytes());
            hasher.write(&fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display())));
        }
    }
    println!("cargo::rustc-env=LIGHTBEAM_SOURCES={:016x}", hasher.finish());
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.unwrap_or_else(|error| panic!("{}: {error}", folder.display())).path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
