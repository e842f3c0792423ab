//! The command to somebody who knows Wasmtime's: its words, what completes them, what asks for nothing, and what is
//! said where something is wrong.

mod common;

use common::{Directory, check, check_error, texts};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Command, Stdio};

const FIB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/fib.wat");

fn lightbeam(here: &Directory) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lightbeam"));
    command.current_dir(&here.0).env("HOME", &here.0).env_remove("XDG_CACHE_HOME").env_remove("XDG_CONFIG_HOME");
    command
}

#[test]
fn shells_are_told_what_there_is() {
    let here = Directory::new("completion");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = here.lightbeam(&["completion", shell]);
        let (out, err) = texts(&output);
        assert_eq!(output.status.code(), Some(0), "{err}");
        for word in ["lightbeam", "compile", "settings", "allow-precompiled", "compile-threads"] {
            assert!(out.contains(word), "{shell}: no `{word}`");
        }
        assert!(!out.contains("wizer"), "{shell}: what is refused is not offered");
    }
    let output = here.lightbeam(&["completion", "tcsh"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(texts(&output).1.contains("bash"), "{}", texts(&output).1);
}

#[test]
fn commands_of_wasmtimes_are_no_files() {
    let here = Directory::new("others");
    for (name, instead) in
        [("explore", "objdump"), ("hot-blocks", "perf"), ("wizer", "wasmtime wizer"), ("replay", "recording")]
    {
        for arguments in [&[name][..], &[name, "x.wasm"], &[name, "--help"], &[name, "-o", "x", "y"]] {
            check_error(&here.lightbeam(arguments), &[&format!("`{name}` is a command of Wasmtime's"), instead]);
        }
    }
    // A file of such a name is still one.
    here.file("explore", std::fs::read(FIB).unwrap());
    check(&here.lightbeam(&["run", "explore"]), 0, "fib(30) = 832040\n");
    check(&here.lightbeam(&["./explore"]), 0, "fib(30) = 832040\n");
}

#[test]
fn settings_are_shown_as_text_and_as_json() {
    let here = Directory::new("settings");
    let (out, _) = texts(&here.lightbeam(&["settings"]));
    for word in ["Settings for target 'x86_64-linux'", "--spectre", "-W nan-canonicalization", "  sse42\n"] {
        assert!(out.contains(word), "no `{word}` in:\n{out}");
    }
    let (out, _) = texts(&here.lightbeam(&["settings", "--json"]));
    for word in ["\"triple\": \"x86_64-linux\"", "\"option\": \"--spectre\"", "\"inferred\": [\"sse3\""] {
        assert!(out.contains(word), "no `{word}` in:\n{out}");
    }
    // It is JSON: one value, and nothing but.
    let quotes = out.matches('"').count();
    assert!(quotes % 2 == 0 && out.matches('{').count() == out.matches('}').count(), "{out}");
}

#[test]
fn lists_of_options_say_what_is_refused() {
    let here = Directory::new("lists");
    let list = |arguments: &[&str]| {
        let output = here.lightbeam(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", texts(&output).1);
        texts(&output).0
    };
    for arguments in [
        &["-C", "help"][..],
        &["-Chelp"],
        &["--codegen=help"],
        &["--codegen", "help-long"],
        &["run", "-C", "help"],
        &["compile", "-Chelp"],
        &["serve", "-C", "help"],
        &["objdump", "-C", "help", "x.wasm"],
    ] {
        let out = list(arguments);
        let refused = out.find("  -C compiler makes no sense here").unwrap_or_else(|| panic!("{arguments:?}:\n{out}"));
        let listed = out.find("Available codegen options").unwrap_or_else(|| panic!("{arguments:?}:\n{out}"));
        assert!(refused < listed, "{out}");
        assert!(!out[..listed].contains("-O opt-level"), "of its own group alone: {out}");
    }
    assert!(list(&["-O", "help"]).contains("  -O opt-level makes no sense here"));
    assert!(list(&["-R", "help"]).contains("recording and replaying, which is not supported"));
    assert!(list(&["-S", "help"]).starts_with("Available wasi options"));
    // What a program is given is not for this command.
    here.file("args.wat", r#"(module (func (export "_start")))"#);
    check(&here.lightbeam(&["args.wat", "-C", "help"]), 0, "");
    let help = list(&["run", "--help"]);
    assert!(!help.contains("--record") && help.contains("which can only be the one that it runs on"), "{help}");
}

#[test]
fn options_that_ask_for_nothing_pass() {
    let here = Directory::new("nothing");
    for option in [
        "-Dguest-debug=n",
        "-Ddebug-info=n",
        "-Cinlining=n",
        "-Ccache=n",
        "-Ccranelift-debug-verifier=n",
        "-Wwmemcheck=n",
        "--target=x86_64-unknown-linux-gnu",
    ] {
        check(&here.lightbeam(&[option, FIB]), 0, "fib(30) = 832040\n");
        check(&here.lightbeam(&["compile", option, FIB, "-o", "x.cwasm"]), 0, "");
        check(&here.lightbeam(&["--allow-precompiled", option, "x.cwasm"]), 0, "fib(30) = 832040\n");
    }
}

#[test]
fn text_is_pointed_into() {
    let here = Directory::new("carets");
    here.file("syntax.wat", "(module\n  (func (i32.ad)))\n");
    here.file("invalid.wat", "(module\n  (func $good)\n  (func $bad (result i32)\n\t(i64.const 1)))\n");
    here.file("component.wat", "(component\n (core module\n  (func (drop (f32.add (f32.const 1) (i32.const 2))))))\n");
    let syntax = ["failed to compile `syntax.wat`", "--> syntax.wat:2:10", "2 |   (func (i32.ad)))", "|          ^"];
    let invalid = [
        "failed to compile `invalid.wat`",
        "wasm[0]::function[1]::bad: type mismatch",
        "--> invalid.wat:4:3",
        "| \t ^",
    ];
    for command in [&["run"][..], &["compile"], &["objdump"]] {
        check_error(&here.lightbeam(&[command, &["syntax.wat"]].concat()), &syntax);
        check_error(&here.lightbeam(&[command, &["invalid.wat"]].concat()), &invalid);
    }
    check_error(&here.lightbeam(&["compile", "component.wat"]), &["wasm[0]::function[0]", "--> component.wat:3:16"]);
    // What is binary has no lines.
    here.file("invalid.wasm", wat::parse_str(std::fs::read_to_string(here.0.join("invalid.wat")).unwrap()).unwrap());
    let output = here.lightbeam(&["compile", "invalid.wasm"]);
    check_error(&output, &["`invalid.wasm`", "wasm[0]::function[1]::bad: type mismatch", "(at offset 0x"]);
    assert!(!texts(&output).1.contains("-->"));
}

#[test]
fn a_program_is_not_overwritten() {
    let here = Directory::new("overwrite");
    here.file("x", std::fs::read(FIB).unwrap());
    here.file("y.cwasm", std::fs::read(FIB).unwrap());
    std::os::unix::fs::symlink("x", here.0.join("link")).unwrap();
    for arguments in [&["compile", "x", "-o", "x"][..], &["compile", "x", "-o", "link"], &["compile", "./x", "-o", "x"]]
    {
        check_error(&here.lightbeam(arguments), &["is the program itself, which is not overwritten"]);
    }
    check_error(&here.lightbeam(&["compile", "y.cwasm"]), &["`y.cwasm` is the program itself"]);
    for file in ["x", "y.cwasm"] {
        assert_eq!(std::fs::read(here.0.join(file)).unwrap(), std::fs::read(FIB).unwrap());
    }
}

#[test]
fn directories_without_scripts_are_errors() {
    let here = Directory::new("no-scripts");
    std::fs::create_dir(here.0.join("empty")).unwrap();
    check_error(&here.lightbeam(&["wast", "empty"]), &["no scripts, which end in `.wast`, in the directory `empty`"]);
}

#[test]
fn paths_need_not_be_unicode() {
    let here = Directory::new("paths");
    let name = OsStr::from_bytes(b"f\xff.wat");
    std::fs::write(here.0.join(name), std::fs::read(FIB).unwrap()).unwrap();
    let run = |arguments: &[&OsStr]| lightbeam(&here).args(arguments).output().unwrap();
    check(&run(&[name]), 0, "fib(30) = 832040\n");
    check(&run(&["run".as_ref(), "--invoke".as_ref(), "fib".as_ref(), name, "10".as_ref()]), 0, "55\n");
    let compiled = OsStr::from_bytes(b"f\xff.cwasm");
    check(&run(&["compile".as_ref(), name, "-o".as_ref(), compiled]), 0, "");
    check(&run(&["--allow-precompiled".as_ref(), compiled]), 0, "fib(30) = 832040\n");
}

#[test]
fn whoever_has_seen_enough_may_stop_reading() {
    let here = Directory::new("pipes");
    let functions = "(func (param i32) (result i32) local.get 0)".repeat(30_000);
    here.file("many.wasm", wat::parse_str(format!("(module {functions})")).unwrap());
    for arguments in [
        &["compile", "--counters=functions", "many.wasm", "-o", "many.cwasm"][..],
        &["objdump", "many.wasm"],
        &["-C", "help"],
        &["completion", "bash"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        let mut command = lightbeam(&here);
        command.args(arguments).stdin(Stdio::null()).stdout(writer.try_clone().unwrap()).stderr(writer);
        let mut child = command.spawn().unwrap();
        // It keeps the writing end as well.
        drop(command);
        drop(reader);
        assert_eq!(child.wait().unwrap().code(), Some(0), "{arguments:?}");
    }
    assert!(here.0.join("many.cwasm").exists());
}

#[test]
fn artifacts_of_other_releases_are_named() {
    let here = Directory::new("releases");
    check(&here.lightbeam(&["compile", FIB, "-o", "fib.cwasm"]), 0, "");
    let artifact = std::fs::read(here.0.join("fib.cwasm")).unwrap();
    let version = concat!("lightbeam ", env!("CARGO_PKG_VERSION"));
    let at = artifact.windows(version.len()).position(|bytes| bytes == version.as_bytes()).unwrap();
    let mut other = artifact.clone();
    other[at + "lightbeam ".len()] = b'9';
    here.file("other.cwasm", &other);
    let words = [
        "failed to load `other.cwasm`",
        "made by lightbeam 9.",
        concat!("this is lightbeam ", env!("CARGO_PKG_VERSION")),
    ];
    check_error(&here.lightbeam(&["--allow-precompiled", "other.cwasm"]), &words);
    check_error(&here.lightbeam(&["run", "--allow-precompiled", "--preload=a=other.cwasm", FIB]), &words);
    check_error(&here.lightbeam_with(&["--allow-precompiled", "-"], &other), &words[1..]);
    check_error(&here.lightbeam(&["verify", "other.cwasm", "--wasm", FIB]), &words[1..]);
    here.file("half.cwasm", &artifact[..artifact.len() / 2]);
    check_error(&here.lightbeam(&["--allow-precompiled", "half.cwasm"]), &["`half.cwasm`", "the artifact is cut off"]);
    check_error(&here.lightbeam(&["objdump", "half.cwasm"]), &["`half.cwasm`", "the artifact is cut off"]);
}

#[test]
fn compiled_code_is_kept_if_that_is_asked_for() {
    let here = Directory::new("cache");
    let kept = |directory: &str| std::fs::read_dir(here.0.join(directory)).map_or(0, |files| files.count());
    let run = |arguments: &[&str]| lightbeam(&here).args(arguments).output().unwrap();
    check(&run(&[FIB]), 0, "fib(30) = 832040\n");
    assert_eq!(kept(".cache/lightbeam"), 0, "only if that is asked for");
    for found in [false, true] {
        let output = run(&["-C", "cache", "--time", FIB]);
        check(&output, 0, "fib(30) = 832040\n");
        assert_eq!(texts(&output).1.contains("found in the cache"), found, "{}", texts(&output).1);
        assert_eq!(kept(".cache/lightbeam"), 1);
    }
    check(&run(&["compile", "-Ccache=y", FIB, "-o", "a.cwasm"]), 0, "");
    check(&run(&["compile", "-Ccache=n", FIB, "-o", "b.cwasm"]), 0, "");
    let [a, b] = ["a.cwasm", "b.cwasm"].map(|name| std::fs::read(here.0.join(name)).unwrap());
    assert_eq!(a, b);
    assert_eq!(kept(".cache/lightbeam"), 1, "the one that was there");
    // What is to be counted is compiled.
    let counted = run(&["compile", "-Ccache", "--counters", FIB, "-o", "a.cwasm"]);
    assert!(texts(&counted).1.contains("operators"), "{}", texts(&counted).1);

    // A file says where, and how much.
    let made = run(&["config", "new", "mine.toml"]);
    check(&made, 0, "made `mine.toml`\n");
    check_error(&run(&["config", "new", "mine.toml"]), &["`mine.toml` exists already"]);
    let mine = here.0.join("mine");
    here.file("mine.toml", format!("[cache]\ndirectory = {mine:?}\nfiles-total-size-soft-limit = \"1Mi\"\n"));
    check(&run(&["-C", "cache-config=mine.toml", FIB]), 0, "fib(30) = 832040\n");
    assert_eq!(kept("mine"), 1);
    check(&run(&["config", "new"]), 0, &format!("made `{}`\n", here.0.join(".config/lightbeam/config.toml").display()));
    here.file(".config/lightbeam/config.toml", "[cache]\nworker-event-queue-size = 4\n");
    check_error(&run(&["-C", "cache", FIB]), &["config.toml", "`worker-event-queue-size` means nothing here"]);
    check_error(&run(&["-C", "cache-config=none.toml", FIB]), &["none.toml"]);
    check_error(&run(&["verify", "-Ccache", "a.cwasm", "--wasm", FIB]), &["nothing is compiled"]);
}
