//! The command in a directory of a test's own, and what it should say.

// Not each file of tests needs all of it.
#![allow(dead_code)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A directory of its own for each test, with the files that it needs.
pub(crate) struct Directory(pub(crate) PathBuf);

impl Directory {
    pub(crate) fn new(test: &str) -> Directory {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Directory(path)
    }

    pub(crate) fn file(&self, name: &str, contents: impl AsRef<[u8]>) {
        std::fs::write(self.0.join(name), contents).unwrap();
    }

    pub(crate) fn lightbeam(&self, arguments: &[&str]) -> Output {
        self.lightbeam_with(arguments, b"")
    }

    pub(crate) fn lightbeam_with(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_lightbeam"))
            .args(arguments)
            .current_dir(&self.0)
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It need not read its input to the end.
        let _ = child.stdin.take().unwrap().write_all(input);
        child.wait_with_output().unwrap()
    }
}

#[track_caller]
pub(crate) fn check(output: &Output, code: i32, stdout: &str) {
    let (out, err) = texts(output);
    assert_eq!((output.status.code(), out.as_str()), (Some(code), stdout), "standard error:\n{err}");
}

/// Fails with exit code 1, and says each of the words.
#[track_caller]
pub(crate) fn check_error(output: &Output, words: &[&str]) {
    let (_, err) = texts(output);
    assert_eq!(output.status.code(), Some(1), "{err}");
    for word in words {
        assert!(err.contains(word), "no `{word}` in:\n{err}");
    }
    assert!(!err.contains("panicked"), "{err}");
}

pub(crate) fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}
