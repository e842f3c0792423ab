//! The command as its users meet it: output, exit codes, and what it says when something is wrong.

mod common;

use common::{Directory, check, check_error, texts};

const FIB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/fib.wat");

const PRINT_ARGS: &str = r#"(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (drop (call $sizes (i32.const 0) (i32.const 4)))
    (drop (call $args (i32.const 64) (i32.const 1024)))
    (i32.store (i32.const 8) (i32.const 1024))
    (i32.store (i32.const 12) (i32.load (i32.const 4)))
    (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16)))
    (call $exit (i32.load (i32.const 0)))))"#;

#[test]
fn programs_run_with_and_without_the_verb() {
    let here = Directory::new("run");
    check(&here.lightbeam(&[FIB]), 0, "fib(30) = 832040\n");
    check(&here.lightbeam(&["run", FIB]), 0, "fib(30) = 832040\n");
    check(&here.lightbeam(&["run", "--invoke", "fib", FIB, "20"]), 0, "6765\n");
}

#[test]
fn arguments_go_in_and_the_exit_code_comes_out() {
    let here = Directory::new("arguments");
    here.file("args.wat", PRINT_ARGS);
    check(&here.lightbeam(&["args.wat", "one", "--two"]), 3, "args.wat\0one\0--two\0");
    check(&here.lightbeam(&["run", "--argv0", "zero", "args.wat"]), 1, "zero\0");
}

#[test]
fn standard_input_is_compiled_as_it_comes() {
    let here = Directory::new("stdin");
    let text = std::fs::read(FIB).unwrap();
    let binary = wat::parse_bytes(&text).unwrap();
    check(&here.lightbeam_with(&["-"], &text), 0, "fib(30) = 832040\n");
    check(&here.lightbeam_with(&["run", "-"], &binary), 0, "fib(30) = 832040\n");
    check_error(&here.lightbeam_with(&["-"], &binary[..binary.len() / 2]), &["standard input", "offset"]);
    check_error(&here.lightbeam_with(&["-"], b""), &["standard input", "empty"]);
}

#[test]
fn a_trap_shows_the_backtrace_and_exits_134() {
    let here = Directory::new("trap");
    here.file("trap.wat", r#"(module (func $inner unreachable) (func $outer (export "_start") call $inner))"#);
    let output = here.lightbeam(&["trap.wat"]);
    check(&output, 134, "");
    let (_, err) = texts(&output);
    for word in ["wasm trap: wasm `unreachable` instruction executed", "!inner", "!outer"] {
        assert!(err.contains(word), "no `{word}` in:\n{err}");
    }
}

#[test]
fn counters_are_told_on_standard_error() {
    let here = Directory::new("counters");
    let output = here.lightbeam(&["compile", "--counters", FIB, "-o", "fib.cwasm"]);
    check(&output, 0, "");
    let (_, err) = texts(&output);
    for name in
        ["functions", "bytes of machine code", "operators", "spills", "fused compares", "locked locals", "traps"]
    {
        assert!(err.lines().any(|line| line.trim_start().starts_with(name)), "no `{name}` in:\n{err}");
    }
    check(&here.lightbeam(&["compile", FIB, "-o", "again.cwasm"]), 0, "");
    let files = ["fib.cwasm", "again.cwasm"].map(|name| std::fs::read(here.0.join(name)).unwrap());
    assert_eq!(files[0], files[1], "counting changes nothing");
}

#[test]
fn counters_of_functions_add_up_to_those_of_the_module() {
    let here = Directory::new("counters-of-functions");
    here.file(
        "two.wat",
        "(module (import \"\" \"f\" (func)) (memory 1)
            (func $first (param i32) (result i32) local.get 0 i32.const 1 i32.add)
            (func (param i32) (result i32) local.get 0 i32.load local.get 0 i32.load offset=8 i32.add call $first))",
    );
    let output = here.lightbeam(&["compile", "--counters=functions", "two.wat"]);
    check(&output, 0, "");
    let (_, err) = texts(&output);
    let lines: Vec<Vec<&str>> = err.lines().map(|line| line.split_whitespace().collect()).collect();
    // Two lines of headings, a line for each function, then the totals.
    let heading = lines.iter().position(|words| words.first() == Some(&"index")).unwrap();
    let (first, second) = (&lines[heading + 1], &lines[heading + 2]);
    assert_eq!((first[0], first.last()), ("1", Some(&"first")), "{err}");
    assert_eq!(second[0], "2", "{err}");
    let total = |name: &str| -> u64 {
        let line = lines[heading + 3..].iter().find(|words| words.first() == Some(&name)).unwrap();
        line[1].parse().unwrap()
    };
    for (column, name) in [(3, "operators"), (4, "spills"), (5, "reloads"), (13, "traps")] {
        let sum: u64 = [first, second].iter().map(|words| words[column].parse::<u64>().unwrap()).sum();
        assert_eq!(sum, total(name), "{name} in:\n{err}");
    }
    let output = here.lightbeam(&["compile", "--counters=everything", "two.wat"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(texts(&output).1.contains("possible values: module, functions"), "{}", texts(&output).1);
}

#[test]
fn compiled_modules_run_only_when_allowed() {
    let here = Directory::new("compile");
    check(&here.lightbeam(&["compile", FIB, "-o", "fib.cwasm"]), 0, "");
    check_error(&here.lightbeam(&["fib.cwasm"]), &["--allow-precompiled"]);
    check(&here.lightbeam(&["--allow-precompiled", "fib.cwasm"]), 0, "fib(30) = 832040\n");
    check_error(&here.lightbeam(&["compile", "fib.cwasm"]), &["compiled already"]);
    check(&here.lightbeam(&["compile", FIB]), 0, "");
    assert_eq!(std::fs::read(here.0.join("fib.cwasm")).unwrap().get(..4), Some(&b"\x7fELF"[..]));
    // Loading checks what an artifact says of itself.
    let half = std::fs::read(here.0.join("fib.cwasm")).unwrap();
    here.file("half.cwasm", &half[..half.len() / 2]);
    check_error(&here.lightbeam(&["--allow-precompiled", "half.cwasm"]), &[]);
}

#[test]
fn preloads_are_compiled_and_linked() {
    let here = Directory::new("preload");
    here.file("lib.wat", r#"(module (func (export "f") (result i32) i32.const 42))"#);
    here.file("main.wat", r#"(module (import "lib" "f" (func $f (result i32))) (export "g" (func $f)))"#);
    check(&here.lightbeam(&["--preload", "lib=lib.wat", "--invoke", "g", "main.wat"]), 0, "42\n");
    check(&here.lightbeam(&["compile", "lib.wat"]), 0, "");
    check_error(
        &here.lightbeam(&["--preload", "lib=lib.cwasm", "--invoke", "g", "main.wat"]),
        &["--allow-precompiled"],
    );
    let allowed = ["--allow-precompiled", "--preload", "lib=lib.cwasm", "--invoke", "g", "main.wat"];
    check(&here.lightbeam(&allowed), 0, "42\n");
}

#[test]
fn time_is_printed_for_every_phase_even_if_the_guest_exits() {
    let here = Directory::new("time");
    here.file("args.wat", PRINT_ARGS);
    let output = here.lightbeam(&["--time", "args.wat"]);
    check(&output, 1, "args.wat\0");
    let (_, err) = texts(&output);
    for word in ["decode", "link", "load", "run", "MB/s", "ns per function"] {
        assert!(err.contains(word), "no `{word}` in:\n{err}");
    }
}

#[test]
fn limits_are_wasmtimes() {
    let here = Directory::new("limits");
    here.file("loop.wat", r#"(module (func (export "_start") (loop $l (br $l))))"#);
    let fuel = here.lightbeam(&["-W", "fuel=10000", "loop.wat"]);
    check(&fuel, 134, "");
    assert!(texts(&fuel).1.contains("all fuel consumed"));
    let timeout = here.lightbeam(&["-W", "timeout=10ms", "loop.wat"]);
    check(&timeout, 134, "");
    assert!(texts(&timeout).1.contains("interrupt"));
    here.file("deep.wat", r#"(module (func $f (export "_start") (call $f)))"#);
    let deep = here.lightbeam(&["deep.wat"]);
    check(&deep, 134, "");
    assert!(texts(&deep).1.contains("call stack exhausted"));
}

#[test]
fn what_cannot_be_run_is_named() {
    let here = Directory::new("errors");
    here.file("text.wasm", "hello");
    here.file("noise.wasm", b"\xff\xfe\0\x01");
    here.file("component.wasm", b"\0asm\x0d\0\x01\0");
    here.file("invalid.wat", "(module (func (result i32)))");
    here.file("elf.wasm", b"\x7fELF\x02\x01\x01\0 and so on");
    check_error(&here.lightbeam(&["nothing.wasm"]), &["nothing.wasm", "No such file"]);
    check_error(&here.lightbeam(&["text.wasm"]), &["text.wasm:1:1", "expected `(`"]);
    check_error(&here.lightbeam(&["noise.wasm"]), &["noise.wasm", "neither a WebAssembly binary"]);
    check_error(&here.lightbeam(&["component.wasm"]), &["component.wasm", "no exported instance named `wasi:cli/run"]);
    check_error(&here.lightbeam(&["invalid.wat"]), &["invalid.wat", "type mismatch", "at offset 0x"]);
    check_error(&here.lightbeam(&["elf.wasm"]), &["elf.wasm", "ELF"]);
    check_error(&here.lightbeam(&["--invoke", "nothing", FIB]), &["nothing"]);
}

#[test]
fn options_of_other_compilers_are_refused() {
    let here = Directory::new("options");
    for (option, name) in [
        ("-Ccompiler=cranelift", "-C compiler"),
        ("-Ccranelift-enable_probestack=false", "-C cranelift-"),
        ("-Ccranelift-enable_heap_access_spectre_mitigation=false", "here it is `--spectre`"),
        ("-Ccranelift-enable_table_access_spectre_mitigation=false", "here it is `--spectre`"),
        ("-Oopt-level=0", "-O opt-level"),
        ("-Cinlining=y", "-C inlining"),
        ("-Wwmemcheck=y", "`-W wmemcheck` is not supported by Lightbeam"),
        ("-Rpath=trace", "recording and replaying, which is not supported by Lightbeam"),
        ("--target=aarch64-linux", "--target"),
    ] {
        check_error(&here.lightbeam(&[option, FIB]), &[name]);
        check_error(&here.lightbeam(&["compile", option, FIB]), &[name]);
        check_error(&here.lightbeam(&["objdump", option, FIB]), &[name]);
    }
}

#[test]
fn nans_are_canonical_if_asked_for() {
    let here = Directory::new("nans");
    let body = "(i32.reinterpret_f32 (f32.add (f32.const -nan:0x200000) (local.get 0)))";
    here.file("nan.wat", format!(r#"(module (func (export "f") (param f32) (result i32) {body}))"#));
    let f = |flags: &[&str]| here.lightbeam(&[&["run", "--invoke=f"], flags, &["nan.wat", "1"]].concat());
    check(&f(&["-Wnan-canonicalization"]), 0, &format!("{}\n", 0x7fc0_0000));
    check(&f(&["-Wnan-canonicalization=n"]), 0, &format!("{}\n", 0xffe0_0000_u32 as i32));
    check(&f(&[]), 0, &format!("{}\n", 0xffe0_0000_u32 as i32));
}

#[test]
fn scripts_end_with_a_count() {
    let here = Directory::new("wast");
    let good = r#"(module (func (export "f") (result i32) i32.const 1)) (assert_return (invoke "f") (i32.const 1))"#;
    std::fs::create_dir(here.0.join("dir")).unwrap();
    here.file("dir/good.wast", good);
    check(&here.lightbeam(&["wast", "dir"]), 0, "2 passed, 0 failed\n");
    here.file("dir/bad.wast", "(module (func (export \"f\")))\n(assert_return (invoke \"f\") (i32.const 2))");
    let output = here.lightbeam(&["wast", "dir", "dir/good.wast"]);
    check(&output, 1, "dir/bad.wast:2: expected 1 results, got 0\n5 passed, 1 failed\n");
}

#[test]
fn scripts_have_the_features_that_are_asked_for() {
    let here = Directory::new("wast-features");
    here.file(
        "stacks.wast",
        r#"(module (type $f (func)) (type $k (cont $f)) (func $n) (elem declare func $n)
          (func (export "f") (result i32) (resume $k (cont.new $k (ref.func $n))) (i32.const 3)))
        (assert_return (invoke "f") (i32.const 3))"#,
    );
    let output = here.lightbeam(&["wast", "stacks.wast"]);
    assert_eq!(output.status.code(), Some(1), "they are off unless the directory is theirs");
    check(&here.lightbeam(&["wast", "-W", "stack-switching=y", "stacks.wast"]), 0, "2 passed, 0 failed\n");
    std::fs::create_dir(here.0.join("stack-switching")).unwrap();
    std::fs::rename(here.0.join("stacks.wast"), here.0.join("stack-switching/stacks.wast")).unwrap();
    check(&here.lightbeam(&["wast", "stack-switching"]), 0, "2 passed, 0 failed\n");
    let output = here.lightbeam(&["wast", "-W", "stack-switching=n", "stack-switching"]);
    assert_eq!(output.status.code(), Some(1), "the option has the last word");
    for flags in
        [&["-O", "signals-based-traps=n"][..], &["--compile-threads=1", "--spectre=n"], &["-C", "collector=null"]]
    {
        check(&here.lightbeam(&[&["wast"], flags, &["stack-switching"]].concat()), 0, "2 passed, 0 failed\n");
    }
    check_error(&here.lightbeam(&["wast", "-W", "fuel=5", "stack-switching"]), &["-W fuel", "scripts"]);
    check_error(&here.lightbeam(&["wast", "-C", "inlining=y", "stack-switching"]), &["-C inlining"]);
}

#[test]
fn scripts_that_take_much_memory_have_it_beside_the_pools() {
    let here = Directory::new("wast-pools");
    let script = ";;! memory64 = true\n(module (memory i64 0x12000) (func (export \"f\")))\n(invoke \"f\")\n";
    here.file("much.wast", script);
    assert_eq!(here.lightbeam(&["wast", "-O", "pooling-allocator", "much.wast"]).status.code(), Some(1));
    here.file("much.wast", format!(";;! hogs_memory = true\n{script}"));
    for flags in [&["-O", "pooling-allocator"][..], &[]] {
        check(&here.lightbeam(&[&["wast"], flags, &["much.wast"]].concat()), 0, "2 passed, 0 failed\n");
    }
}

#[test]
fn objdump_shows_operators_and_code() {
    let here = Directory::new("objdump");
    let output = here.lightbeam(&["objdump", "--func", "fib", FIB]);
    let (out, err) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(out.starts_with("function 1 $fib, "), "{out}");
    for word in ["i32.lt_u", "call $fib", "i32.add", "ret", "call "] {
        assert!(out.contains(word), "no `{word}` in:\n{out}");
    }
    assert_eq!(out.matches("function ").count(), 1, "only the one asked for:\n{out}");
    check_error(&here.lightbeam(&["objdump", "--func", "nothing", FIB]), &["no such function"]);
    here.file("export.wat", r#"(module (func) (func (export "nameless") (result i32) (i32.const 7)))"#);
    let (out, _) = texts(&here.lightbeam(&["objdump", "--func", "nameless", "export.wat"]));
    assert!(out.starts_with("function 1, ") && out.matches("function ").count() == 1, "{out}");

    check(&here.lightbeam(&["compile", FIB, "-o", "fib.cwasm"]), 0, "");
    let (out, _) = texts(&here.lightbeam(&["objdump", "fib.cwasm"]));
    assert!(out.contains("function 1") && out.contains("ret"), "{out}");
}

/// Code that reads memory, calls by a table, and is called.
const PROVABLE: &str = r#"(module
  (memory (export "memory") 1) (table 2 funcref) (elem (i32.const 0) func $load $twice)
  (func $load (export "load") (param i32) (result i32) (i32.load offset=4 (local.get 0)))
  (func $twice (param i32) (result i32)
    (call_indirect (param i32) (result i32) (call $load (local.get 0)) (i32.const 0))))"#;

#[test]
fn code_is_proved_before_it_is_written_or_run() {
    let here = Directory::new("prove");
    here.file("m.wat", PROVABLE);
    check(&here.lightbeam(&["compile", "--verify", "m.wat", "-o", "m.cwasm"]), 0, "");
    check(&here.lightbeam(&["compile", "m.wat", "-o", "unproved.cwasm"]), 0, "");
    let read = |name: &str| std::fs::read(here.0.join(name)).unwrap();
    assert_eq!(read("m.cwasm"), read("unproved.cwasm"), "a proof changes nothing");
    check(&here.lightbeam(&["run", "--verify", "--invoke", "load", "m.wat", "8"]), 0, "0\n");
    check(&here.lightbeam(&["run", "--verify", "--invoke", "fib", FIB, "10"]), 0, "55\n");
}

#[test]
fn compiled_modules_are_proved_against_their_modules() {
    let here = Directory::new("verify");
    here.file("m.wat", PROVABLE);
    let artifact = |flags: &[&str], name: &str| {
        check(&here.lightbeam(&[&["compile", "m.wat", "-o", name], flags].concat()), 0, "");
    };
    let proved = |arguments: &[&str]| {
        let output = here.lightbeam(&[&["verify"], arguments].concat());
        let (out, err) = texts(&output);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {err}");
        assert!(out.starts_with("proved: functions 2, instructions "), "{arguments:?}: {out}");
        assert_eq!(err, "");
    };
    artifact(&[], "m.cwasm");
    proved(&["m.cwasm", "--wasm", "m.wat"]);
    proved(&["--wasm=m.wat", "--compile-threads=1", "m.cwasm"]);
    // Binary or text: what counts is the module.
    here.file("m.wasm", wat::parse_str(PROVABLE).unwrap());
    artifact(&["-O", "memory-reservation=65536"], "small.cwasm");
    proved(&["-O", "memory-reservation=65536", "small.cwasm", "--wasm", "m.wat"]);
    let bytes = std::fs::read(here.0.join("m.cwasm")).unwrap();
    let output = here.lightbeam_with(&["verify", "-", "--wasm", "m.wat"], &bytes);
    assert_eq!(output.status.code(), Some(0), "from standard input: {}", texts(&output).1);

    let refused = |arguments: &[&str], words: &[&str]| {
        let output = here.lightbeam(&[&["verify"], arguments].concat());
        check_error(&output, words);
        assert_eq!(texts(&output).0, "", "nothing is proved");
    };
    refused(&["m.cwasm"], &["`--wasm` is needed"]);
    refused(&["m.wat", "--wasm", "m.wat"], &["`m.wat` is not a compiled module"]);
    refused(&["none.cwasm", "--wasm", "m.wat"], &["none.cwasm"]);
    refused(&["m.cwasm", "--wasm", "none.wasm"], &["none.wasm"]);
    refused(&["-", "--wasm", "-"], &["cannot both be standard input"]);
    refused(
        &["small.cwasm", "--wasm", "m.wat"],
        &["`small.cwasm` is not proved", "other settings", "memory_reservation"],
    );
    // Its code is guarded, which does no harm to whoever does not ask for it; the other way round it is not proved.
    artifact(&["--spectre=n"], "unguarded.cwasm");
    proved(&["--spectre=n", "unguarded.cwasm", "--wasm", "m.wat"]);
    here.file("other.wat", PROVABLE.replace("offset=4", "offset=8").replace("(table 2", "(table 3"));
    refused(&["m.cwasm", "--wasm", "other.wat"], &["`m.cwasm` is not proved", "another module"]);
    here.file("bad.wat", PROVABLE.replace("i32.load", "i64.load"));
    refused(&["m.cwasm", "--wasm", "bad.wat"], &["type mismatch"]);

    // A load from below the memory.
    let at = bytes.windows(5).position(|code| code[..3] == [0x41, 0x8b, 0x44] && code[4] == 4);
    let at = at.expect("the load is `mov eax,[r14+…+4]`");
    let mut changed = bytes.clone();
    changed[at + 4] = 0x84;
    here.file("changed.cwasm", changed);
    refused(&["changed.cwasm", "--wasm", "m.wat"], &["`changed.cwasm` is not proved", "function 0", "offset"]);
    here.file("short.cwasm", &bytes[..bytes.len() / 2]);
    refused(&["short.cwasm", "--wasm", "m.wat"], &["`short.cwasm` is not proved"]);
}

#[test]
fn help_and_version() {
    let here = Directory::new("help");
    let (out, _) = texts(&here.lightbeam(&["--help"]));
    let summary = |command: &str, about: &str| format!("{command:<10}  {about}");
    let (run, serve) = (summary("run", "Runs a WebAssembly program"), summary("serve", "Serves HTTP with a component"));
    for word in ["compile", "wast", "objdump", "--dir", "--time", "--preload", &run, &serve] {
        assert!(out.contains(word), "no `{word}` in:\n{out}");
    }
    check(&here.lightbeam(&["--version"]), 0, concat!("lightbeam ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn guards_are_the_users_choice() {
    let here = Directory::new("guards");
    here.file(
        "table.wat",
        r#"(module (table 2 9 funcref) (func (export "call") (param i32) (call_indirect (local.get 0))))"#,
    );
    let code = |flags: &[&str]| {
        let output = here.lightbeam(&[&["objdump"], flags, &["table.wat"]].concat());
        assert!(output.status.success(), "{}", texts(&output).1);
        texts(&output).0
    };
    let guarded = code(&[]);
    assert!(guarded.contains("cmovb"), "{guarded}");
    for yes in [&["--spectre"][..], &["--spectre=y"], &["--spectre=yes"]] {
        assert_eq!(code(yes), guarded, "{yes:?}");
    }
    assert!(!code(&["--spectre=n"]).contains("cmovb"));
    let compile = |flags: &[&str]| here.lightbeam(&[&["compile", "-o", "-"], flags, &["table.wat"]].concat()).stdout;
    assert!(compile(&[]).starts_with(b"\x7fELF") && compile(&["--spectre=n"]) != compile(&[]));
    check(&here.lightbeam(&["run", "--spectre=n", "--invoke", "fib", FIB, "10"]), 0, "55\n");
    let output = here.lightbeam(&["run", "--spectre=maybe", FIB]);
    assert_eq!(output.status.code(), Some(2), "{}", texts(&output).1);
    assert!(texts(&output).1.contains("`y` or `n` was expected"));
}

#[test]
fn threads_of_compilation_are_the_users_choice() {
    let directory = Directory::new("threads");
    for flags in [&["--compile-threads", "1"][..], &["--compile-threads=3"], &["-C", "parallel-compilation=n"]] {
        let compile = [&["compile", FIB, "-o", "-"], flags].concat();
        let output = directory.lightbeam(&compile);
        assert!(output.status.success() && output.stdout.starts_with(b"\x7fELF"), "{flags:?}");
        let run = [&["run"], flags, &["--invoke", "fib", FIB, "10"]].concat();
        check(&directory.lightbeam(&run), 0, "55\n");
    }
    let output = directory.lightbeam(&["--compile-threads", "0", FIB]);
    assert_eq!(output.status.code(), Some(2), "{}", texts(&output).1);
    assert!(texts(&output).1.contains("--compile-threads"));
}
