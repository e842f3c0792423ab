//! What profilers find of code: `perf` by its map and by jitdump, in a run and in a server.

mod common;

use common::{Directory, check, texts};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/server.wat");

/// A program that spends its time in one function, and whose artifact is so large that a library would map it.
fn program() -> String {
    let others = "(func (param i32 i32) (result i32) (i32.div_u (local.get 0) (local.get 1)))".repeat(12_000);
    format!(
        r#"(module {others}
            (func $hot (param i32) (result i32) (local i32)
                (loop $again
                    (local.set 1 (i32.add (i32.mul (local.get 1) (i32.const 31)) (local.get 0)))
                    (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
                (local.get 1))
            (func $run (export "run") (param i32) (result i32) (call $hot (local.get 0))))"#
    )
}

/// The pieces of code that a map names: where each is, and its name.
fn entries(map: &str) -> Vec<(u64, String)> {
    let entry = |line: &str| {
        let mut words = line.splitn(3, ' ');
        let at = u64::from_str_radix(words.next()?.trim_start_matches("0x"), 16).ok()?;
        words.next()?;
        Some((at, words.next()?.to_owned()))
    };
    map.lines().map(|line| entry(line).unwrap_or_else(|| panic!("`{line}` is no entry"))).collect()
}

/// Can `perf` record here? Says so past the harness if it cannot.
fn perf_records(here: &Directory) -> bool {
    let tried = Command::new("perf").args(["record", "-o", "tried.data", "true"]).current_dir(&here.0).output();
    let records = tried.is_ok_and(|output| output.status.success());
    if !records {
        writeln!(std::io::stderr(), "WARNING: `perf record` does not work here, nothing of it is tested").unwrap();
    }
    records
}

fn perf(here: &Directory, arguments: &[&str]) -> String {
    let output = Command::new("perf").args(arguments).current_dir(&here.0).stdin(Stdio::null()).output().unwrap();
    let (out, err) = texts(&output);
    assert!(output.status.success(), "perf {arguments:?}: {err}");
    out
}

#[test]
fn perf_names_functions_by_its_map() {
    let here = Directory::new("perf-map");
    here.file("program.wat", program());
    let lightbeam = env!("CARGO_BIN_EXE_lightbeam");
    let mut child = Command::new(lightbeam)
        .args(["run", "--profile", "perfmap", "--invoke", "run", "program.wat", "5"])
        .current_dir(&here.0)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let path = format!("/tmp/perf-{}.map", child.id());
    assert!(child.wait().unwrap().success());
    let map = entries(&fs::read_to_string(&path).unwrap());
    fs::remove_file(path).unwrap();
    for name in ["wasm[0]::function[12000]::hot", "wasm[0]::function[12001]::run", "wasm[0]::function[7]"] {
        // Which form a name has is Wasmtime's to say.
        let short = name.rsplit("::").next().unwrap();
        assert!(map.iter().any(|(_, of)| of == name || of == short), "no `{name}` in the map");
    }
    if !perf_records(&here) {
        return;
    }
    let run = ["--invoke", "run", "program.wat", "300000000"];
    perf(&here, &[&["record", "-g", "-o", "map.data", lightbeam, "run", "--profile", "perfmap"], &run[..]].concat());
    let said = perf(&here, &["report", "-i", "map.data", "--no-children", "--stdio", "-g", "none"]);
    let top = said.lines().find(|line| !line.starts_with('#') && !line.is_empty()).unwrap();
    assert!(top.contains("hot") && !top.contains("memfd"), "{said}");
    perf(
        &here,
        &[&["record", "-k", "1", "-o", "jit.data", lightbeam, "run", "--profile", "jitdump"], &run[..]].concat(),
    );
    perf(&here, &["inject", "--jit", "-i", "jit.data", "-o", "injected.data"]);
    let said = perf(&here, &["report", "-i", "injected.data", "--no-children", "--stdio"]);
    let top = said.lines().find(|line| !line.starts_with('#') && !line.is_empty()).unwrap();
    assert!(top.contains("hot"), "{said}");
}

/// A server reads what was compiled as a file, whose code `perf` would look for in the file.
#[test]
fn a_servers_code_is_where_perf_looks_for_it() {
    let mut server = Command::new(env!("CARGO_BIN_EXE_lightbeam"))
        .args(["serve", "--addr=127.0.0.1:0", "--profile=perfmap", SERVER])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(server.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let addr = line.trim_end().strip_prefix("Serving HTTP on http://").unwrap_or_else(|| panic!("{line}"));
    let mut stream = TcpStream::connect(addr.trim_end_matches('/')).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    let path = format!("/tmp/perf-{}.map", server.id());
    let map = entries(&fs::read_to_string(&path).unwrap());
    let maps = fs::read_to_string(format!("/proc/{}/maps", server.id())).unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    fs::remove_file(path).unwrap();
    assert!(map.len() > 5, "{map:?}");
    for (at, name) in map {
        let of = maps.lines().find(|line| {
            let range = line.split(' ').next().unwrap().split_once('-').unwrap();
            let [start, end] = [range.0, range.1].map(|end| u64::from_str_radix(end, 16).unwrap());
            (start..end).contains(&at)
        });
        let of = of.unwrap_or_else(|| panic!("`{name}` is nowhere"));
        assert!(!of.contains('/') && of.contains("r-x"), "`{name}` is in {of}");
    }
}

/// With `-D symbols=n` there are no names.
#[test]
fn names_are_left_out_if_that_is_asked_for() {
    let here = Directory::new("symbols");
    here.file("program.wat", r#"(module (func $hot (export "run")))"#);
    check(&here.lightbeam(&["compile", "program.wat", "-o", "with.cwasm"]), 0, "");
    check(&here.lightbeam(&["compile", "-D", "symbols=n", "program.wat", "-o", "without.cwasm"]), 0, "");
    let names = |file: &str| {
        let bytes = fs::read(here.0.join(file)).unwrap();
        bytes.windows(20).filter(|bytes| *bytes == b"wasm[0]::function[0]").count()
    };
    assert_eq!((names("with.cwasm"), names("without.cwasm")), (1, 0));
}
