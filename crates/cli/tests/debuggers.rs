//! Debuggers at a guest: lines, values, frames and changes, as gdb and lldb show them of `lightbeam run -D debug-info`.
//! Where one of them is not installed its tests say so and see nothing.

mod common;

use common::{Directory, check};
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

const GUESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/debug");

/// Is the program there? Says so past the harness if it is not, as a test that sees nothing would not be noticed.
fn installed(program: &str) -> bool {
    let there = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !there {
        writeln!(std::io::stderr(), "WARNING: `{program}` is not installed, nothing of it is tested").unwrap();
    }
    there
}

/// A directory with the guests and their sources.
fn guests(test: &str) -> Directory {
    let here = Directory::new(test);
    for file in ["guest.c", "guest.wasm", "shapes.rs", "shapes.wasm"] {
        here.file(file, std::fs::read(format!("{GUESTS}/{file}")).unwrap());
    }
    here
}

/// All that gdb says to these commands, of which the first are carried out before the program is started.
fn gdb(here: &Directory, commands: &[&str], arguments: &[&str]) -> String {
    let settings = ["set pagination off", "set debuginfod enabled off", "set breakpoint pending on", "set width 0"];
    let mut gdb = Command::new("gdb");
    gdb.args(["-q", "-batch", "-nx"]);
    settings.iter().chain(commands).for_each(|command| _ = gdb.args(["-ex", command]));
    gdb.arg("--args").arg(env!("CARGO_BIN_EXE_lightbeam")).args(arguments).current_dir(&here.0);
    let output = gdb.stdin(Stdio::null()).output().unwrap();
    all(&output)
}

/// All that lldb says to these commands.
fn lldb(here: &Directory, commands: &[&str], arguments: &[&str]) -> String {
    let mut lldb = Command::new("lldb");
    lldb.args(["--batch", "--no-lldbinit", "-o", "settings set plugin.jit-loader.gdb.enable on"]);
    lldb.args(["-o", "settings set use-color false"]);
    commands.iter().for_each(|command| _ = lldb.args(["-o", command]));
    lldb.arg("--").arg(env!("CARGO_BIN_EXE_lightbeam")).args(arguments).current_dir(&here.0);
    let output = lldb.stdin(Stdio::null()).output().unwrap();
    all(&output)
}

fn all(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Each is said, one after the other.
#[track_caller]
fn in_order(said: &str, expected: &[&str]) {
    let mut left = said;
    for line in expected {
        let Some(at) = left.find(line) else { panic!("no `{line}`, or not behind what comes first, in:\n{said}") };
        left = &left[at + line.len()..];
    }
}

const RUN: [&str; 6] = ["run", "-D", "debug-info", "--invoke", "run", "guest.wasm"];

#[test]
fn gdb_steps_through_c_by_line() {
    if !installed("gdb") {
        return;
    }
    let here = guests("gdb-c");
    // The breakpoint is there before the module is.
    let commands = [
        "break guest.c:17",
        "run",
        "bt 3",
        "info args",
        "info locals",
        "print p.y",
        "next",
        "next",
        "next",
        "next",
        "step",
        "info args",
        "next",
        "next",
        "info locals",
        "print total",
        "finish",
        // A second one when it is.
        "delete",
        "break guest.c:26",
        "continue",
        "print answer",
        "info symbol $pc",
    ];
    let said = gdb(&here, &commands, &[&RUN[..], &["3"]].concat());
    in_order(
        &said,
        &[
            "Breakpoint 1, sum (n=6) at guest.c:17",
            "17\t        result += area(p, 2);",
            "#0  sum (n=6) at guest.c:17",
            " in run (n=3) at guest.c:25",
            " in wasm[0]::array_to_wasm_trampoline[2] ()",
            "n = 6",
            "p = {x = 0, y = 1}",
            "i = 0",
            "result = 0",
            "half = 0.5",
            "$1 = 1",
            "18\t        half *= 1.5;",
            "15\t    for (int i = 0; i < n; i++) {",
            "16\t        struct point p = { i, i + 1 };",
            "17\t        result += area(p, 2);",
            // Behind what makes the frame.
            "area (a=..., scale=2) at guest.c:6",
            "a = {x = 1, y = 2}",
            "scale = 2",
            "7\t    int height = a.y * scale;",
            "8\t    total += width;",
            "width = 2",
            "height = 4",
            "$2 = 7",
            "Value returned is $3 = 8",
            "Breakpoint 2, run (n=3) at guest.c:26",
            "$4 = 322",
        ],
    );
    assert!(!said.contains("outside of ELF segments"), "gdb warns of sections:\n{said}");
}

#[test]
fn values_that_gdb_changes_are_the_programs() {
    if !installed("gdb") {
        return;
    }
    let here = guests("gdb-changes");
    let commands =
        ["break guest.c:20", "run", "print result", "set var result = 1000", "set var total = 7", "continue"];
    let said = gdb(&here, &commands, &[&RUN[..], &["3"]].concat());
    // 280 of the products, 35 of their widths more than 7, and 5 of 0.5 times 1.5, six times.
    in_order(&said, &["$1 = 280", "1012"]);
    // And what was compiled earlier is found as well.
    check(&here.lightbeam(&["compile", "-D", "debug-info", "guest.wasm"]), 0, "");
    let arguments = ["run", "--allow-precompiled", "-D", "debug-info", "--invoke", "run", "guest.cwasm", "3"];
    let said = gdb(&here, &["break sum", "run", "next", "info locals"], &arguments);
    in_order(&said, &["sum (n=6) at guest.c:13", "14\t    double half = 0.5;", "result = 0"]);
}

#[test]
fn gdb_steps_through_rust_by_line() {
    if !installed("gdb") {
        return;
    }
    let here = guests("gdb-rust");
    let commands = [
        "break shapes.rs:40",
        "run",
        "print origin",
        "print total",
        "step",
        "bt 2",
        "print scale",
        "next",
        "finish",
        "delete",
        "break shapes.rs:28",
        "continue",
        "print moved",
        "next",
        "print side",
    ];
    let arguments = ["run", "-D", "debug-info", "--invoke", "run", "shapes.wasm", "3"];
    let said = gdb(&here, &commands, &arguments);
    in_order(
        &said,
        &[
            "run (n=3) at shapes.rs:40",
            "40\t        total += area(shape, 2);",
            "$1 = shapes::Point {x: 1, y: 3}",
            "$2 = 0",
            "shapes::area (",
            "at shapes.rs:24",
            "in shapes::run (n=3) at shapes.rs:40",
            "$3 = 2",
            "25\t        Shape::Dot(point) => point.x as u32,",
            "Value returned is $4 = 1",
            "at shapes.rs:28",
            "$5 = 4",
            "$6 = 10",
        ],
    );
}

/// Functions without DWARF have names, offsets in the module for lines, and locals by index.
#[test]
fn gdb_shows_modules_without_debug_information() {
    if !installed("gdb") {
        return;
    }
    let here = Directory::new("gdb-bare");
    here.file(
        "bare.wat",
        r#"(module $bare
            (func $twice (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
            (func (export "run") (param i32) (result i32) (local f64)
                (local.set 1 (f64.const 1.5)) (call $twice (i32.add (local.get 0) (i32.const 1)))))"#,
    );
    let commands = ["break twice", "run", "bt 3", "print local0", "up", "print local0", "print local1"];
    let said = gdb(&here, &commands, &["run", "-D", "debug-info", "--invoke", "run", "bare.wat", "20"]);
    in_order(
        &said,
        &[
            "Breakpoint 1, twice (local0=21) at bare:39",
            "#0  twice (local0=21)",
            " in wasm[0]::function[1] (local0=20",
            "$1 = 21",
            "$2 = 20",
            "$3 = 1.5",
        ],
    );
}

#[test]
fn lldb_steps_through_c_by_line() {
    if !installed("lldb") {
        return;
    }
    let here = guests("lldb-c");
    let commands = [
        "breakpoint set --file guest.c --line 17",
        "run",
        "bt",
        "frame variable",
        "next",
        "next",
        "breakpoint delete --force",
        "breakpoint set --file guest.c --line 8",
        "continue",
        "frame variable",
        "finish",
    ];
    let said = lldb(&here, &commands, &[&RUN[..], &["3"]].concat());
    in_order(
        &said,
        &[
            "sum(n=6) at guest.c:17",
            "-> 17  \t        result += area(p, 2);",
            "`sum(n=6) at guest.c:17",
            "`run(n=3) at guest.c:25",
            "array_to_wasm_trampoline[2]",
            "catch_traps",
            // On the other stack.
            "lightbeam_cli::run",
            "main",
            "(int) n = 6",
            "(int) result = 0",
            "(double) half = 0.5",
            "(point) p = (x = 0, y = 1)",
            "-> 18  \t        half *= 1.5;",
            "-> 15  \t    for (int i = 0; i < n; i++) {",
            "-> 8   \t    total += width;",
            "(point) a = (x = 1, y = 2)",
            "(int) width = 2",
            "Return value: (int) $0 = 8",
        ],
    );
}
