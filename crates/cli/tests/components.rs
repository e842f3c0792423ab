//! The command with components: commands of both versions of WASI, calls with values of every kind, what each option
//! gives, exits, and what `objdump`, `--time` and `--counters` say of them.

mod common;

use common::{Directory, check, check_error, texts};

/// A command that runs a body, which may exit by `$exit` or with a code by `$code`, and returns whether it failed.
fn command(body: &str) -> String {
    format!(
        r#"(component
          (import "wasi:cli/exit@0.2.0" (instance $exit
            (export "exit" (func (param "status" (result))))
            (export "exit-with-code" (func (param "status-code" u8)))))
          (core func $exit (canon lower (func $exit "exit")))
          (core func $code (canon lower (func $exit "exit-with-code")))
          (core module $m
            (import "" "exit" (func $exit (param i32)))
            (import "" "code" (func $code (param i32)))
            (func $run (export "run") (result i32) {body}))
          (core instance $i
            (instantiate $m (with "" (instance (export "exit" (func $exit)) (export "code" (func $code))))))
          (func $run (result (result)) (canon lift (core func $i "run")))
          (instance $run (export "run" (func $run)))
          (export "wasi:cli/run@0.2.0" (instance $run)))"#
    )
}

/// Writes its arguments and its environment, a line each.
const SURROUNDINGS: &str = r#"(component $c
  (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
  (alias export $error "error" (type $error))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (alias outer $c $error (type $e))
    (export "error" (type $error (eq $e)))
    (export "output-stream" (type $output-stream (sub resource)))
    (type $v (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $v)))
    (export "[method]output-stream.blocking-write-and-flush"
      (func (param "self" (borrow $output-stream)) (param "contents" (list u8))
        (result (result (error $stream-error)))))))
  (alias export $streams "output-stream" (type $output-stream))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer $c $output-stream (type $o))
    (export "output-stream" (type $output-stream (eq $o)))
    (export "get-stdout" (func (result (own $output-stream))))))
  (import "wasi:cli/environment@0.2.0" (instance $environment
    (export "get-arguments" (func (result (list string))))
    (export "get-environment" (func (result (list (tuple string string)))))))
  (core module $space
    (memory (export "memory") 3)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $next)
      (global.set $next
        (i32.and (i32.add (i32.add (global.get $next) (local.get 3)) (i32.const 7)) (i32.const -8)))))
  (core instance $space (instantiate $space))
  (core func $write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush")
    (memory (core memory $space "memory"))))
  (core func $stdout (canon lower (func $stdout "get-stdout")))
  (core func $arguments (canon lower (func $environment "get-arguments")
    (memory (core memory $space "memory")) (realloc (core func $space "realloc"))))
  (core func $environment (canon lower (func $environment "get-environment")
    (memory (core memory $space "memory")) (realloc (core func $space "realloc"))))
  (core module $m
    (import "" "memory" (memory 3))
    (import "" "write" (func $write (param i32 i32 i32 i32)))
    (import "" "stdout" (func $stdout (result i32)))
    (import "" "arguments" (func $arguments (param i32)))
    (import "" "environment" (func $environment (param i32)))
    (data (i32.const 512) "\n=")
    (func $string (param $stream i32) (param $at i32)
      (call $write (local.get $stream) (i32.load (local.get $at)) (i32.load offset=4 (local.get $at)) (i32.const 16)))
    (func (export "run") (result i32)
      (local $stream i32) (local $at i32) (local $left i32)
      (local.set $stream (call $stdout))
      (call $arguments (i32.const 0))
      (local.set $at (i32.load (i32.const 0)))
      (local.set $left (i32.load (i32.const 4)))
      (block $done (loop $next
        (br_if $done (i32.eqz (local.get $left)))
        (call $string (local.get $stream) (local.get $at))
        (call $write (local.get $stream) (i32.const 512) (i32.const 1) (i32.const 16))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br $next)))
      (call $environment (i32.const 0))
      (local.set $at (i32.load (i32.const 0)))
      (local.set $left (i32.load (i32.const 4)))
      (block $done (loop $next
        (br_if $done (i32.eqz (local.get $left)))
        (call $string (local.get $stream) (local.get $at))
        (call $write (local.get $stream) (i32.const 513) (i32.const 1) (i32.const 16))
        (call $string (local.get $stream) (i32.add (local.get $at) (i32.const 8)))
        (call $write (local.get $stream) (i32.const 512) (i32.const 1) (i32.const 16))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br $next)))
      (i32.const 0)))
  (core instance $i (instantiate $m (with "" (instance
    (export "memory" (memory $space "memory")) (export "write" (func $write)) (export "stdout" (func $stdout))
    (export "arguments" (func $arguments)) (export "environment" (func $environment))))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $run (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $run)))"#;

#[test]
fn commands_exit_as_they_say() {
    let here = Directory::new("component-exits");
    for (body, code) in [
        ("(i32.const 0)", 0),
        ("(i32.const 1)", 1),
        ("(call $exit (i32.const 0)) unreachable", 0),
        ("(call $exit (i32.const 1)) unreachable", 1),
        ("(call $code (i32.const 42)) unreachable", 42),
        ("unreachable", 134),
        ("(i32.div_s (i32.const 1) (i32.const 0))", 134),
        ("(call $run)", 134),
    ] {
        here.file("c.wat", command(body));
        for flags in [&["run"][..], &["run", "-W", "concurrency-support=n", "-S", "p3=n"]] {
            let output = here.lightbeam(&[flags, &["c.wat"]].concat());
            check(&output, code, "");
            let (_, err) = texts(&output);
            assert_eq!(err.contains("wasm trap"), code == 134, "{body}: {err}");
            assert_eq!(err.is_empty(), code != 134, "{body}: {err}");
        }
    }
    let wasm = wat::parse_str(command("(call $code (i32.const 7)) unreachable")).unwrap();
    check(&here.lightbeam_with(&["-"], &wasm), 7, "");
    here.file("c.wasm", &wasm);
    check(&here.lightbeam(&["compile", "c.wasm"]), 0, "");
    check_error(&here.lightbeam(&["c.cwasm"]), &["--allow-precompiled"]);
    check(&here.lightbeam(&["--allow-precompiled", "c.cwasm"]), 7, "");
}

#[test]
fn commands_of_the_asynchronous_model_run() {
    let here = Directory::new("component-p3");
    for (result, code) in [(0, 0), (1, 1)] {
        let text = format!(
            r#"(component
              (core module $m (func (export "run") (result i32) (i32.const {result})))
              (core instance $i (instantiate $m))
              (func $run async (result (result)) (canon lift (core func $i "run")))
              (instance $run (export "run" (func $run)))
              (export "wasi:cli/run@0.3.0" (instance $run)))"#
        );
        here.file("c.wat", text);
        check(&here.lightbeam(&["c.wat"]), code, "");
        check_error(&here.lightbeam(&["-S", "p3=n", "c.wat"]), &["wasi:cli/run"]);
    }
}

#[test]
fn a_command_sees_what_it_is_given() {
    let here = Directory::new("component-surroundings");
    here.file("c.wat", SURROUNDINGS);
    check(&here.lightbeam(&["c.wat", "one", "--two"]), 0, "c.wat\none\n--two\n");
    let arguments = ["run", "--argv0", "zero", "--env", "A=b c", "c.wat"];
    check(&here.lightbeam(&arguments), 0, "zero\nA=b c\n");
    let inherits = here.lightbeam(&["-S", "inherit-env", "c.wat"]);
    assert_eq!(inherits.status.code(), Some(0));
    assert!(texts(&inherits).0.lines().any(|line| line.starts_with("PATH=")), "{}", texts(&inherits).0);
    check(&here.lightbeam(&["-S", "inherit-stdout=n", "c.wat", "one"]), 0, "");
    check_error(&here.lightbeam(&["-S", "cli=n", "c.wat"]), &["wasi:"]);
}

/// A component with a function for each kind of value, which gives back what it takes.
fn kinds() -> String {
    let kinds: String = KINDS
        .iter()
        .map(|(name, ty, core, _)| {
            let (own, ty) = match ty.strip_prefix("type ") {
                Some(ty) => (
                    format!("(type $t-{name} {ty}) (export $n-{name} \"t-{name}\" (type $t-{name}))"),
                    format!("$n-{name}"),
                ),
                None => (String::new(), (*ty).to_string()),
            };
            format!(
                r#"{own} (func (export "{name}") (param "value" {ty}) (result {ty}) (canon lift (core func $i "{core}")
                    (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))"#
            )
        })
        .collect();
    format!(
        r#"(component
          (core module $m
            (memory (export "memory") 1)
            (global $next (mut i32) (i32.const 64))
            (func (export "realloc") (param i32 i32 i32 i32) (result i32)
              (global.get $next)
              (global.set $next
                (i32.and (i32.add (i32.add (global.get $next) (local.get 3)) (i32.const 7)) (i32.const -8))))
            (func (export "i32") (param i32) (result i32) (local.get 0))
            (func (export "i64") (param i64) (result i64) (local.get 0))
            (func (export "f32") (param f32) (result f32) (local.get 0))
            (func (export "f64") (param f64) (result f64) (local.get 0))
            (func $two (export "two") (param i32 i32) (result i32)
              (i32.store (i32.const 8) (local.get 0))
              (i32.store (i32.const 12) (local.get 1))
              (i32.const 8))
            (func (export "three") (param i32 i32 i32) (result i32)
              (i32.store (i32.const 16) (local.get 2))
              (call $two (local.get 0) (local.get 1)))
            (func (export "trap") unreachable)
            (func (export "none")))
          (core instance $i (instantiate $m))
          {kinds}
          (func (export "trap") (canon lift (core func $i "trap")))
          (func (export "none") (canon lift (core func $i "none")))
          (func $none (canon lift (core func $i "none")))
          (instance $one (export "here" (func $none)) (export "both" (func $none)))
          (instance $two (export "both" (func $none)) (export "u8" (func $none)))
          (export "local:pack/one@0.1.0" (instance $one))
          (export "local:pack/two" (instance $two)))"#
    )
}

/// Kinds of values: the name of its function, its type, the core function, and values as they are shown.
const KINDS: [(&str, &str, &str, &[&str]); 26] = [
    ("bool", "bool", "i32", &["true", "false"]),
    ("u8", "u8", "i32", &["0", "255"]),
    ("s8", "s8", "i32", &["-128", "127"]),
    ("u16", "u16", "i32", &["65535"]),
    ("s16", "s16", "i32", &["-32768"]),
    ("u32", "u32", "i32", &["4294967295"]),
    ("s32", "s32", "i32", &["-2147483648"]),
    ("u64", "u64", "i64", &["18446744073709551615"]),
    ("s64", "s64", "i64", &["-9223372036854775808"]),
    ("f32", "f32", "f32", &["1.5", "nan", "inf", "-inf"]),
    ("f64", "f64", "f64", &["-0.1", "nan"]),
    ("char", "char", "i32", &["'x'", "'ß'"]),
    ("string", "string", "two", &["\"\"", "\"größe, \\\"so\\\"\\n\""]),
    ("bytes", "(list u8)", "two", &["[]", "[1, 2, 255]"]),
    ("strings", "(list string)", "two", &["[\"a\", \"\", \"bc\"]"]),
    ("record", "type (record (field \"a\" u32) (field \"b\" s32))", "two", &["{a: 1, b: -2}"]),
    ("tuple", "(tuple u32 u32)", "two", &["(1, 2)"]),
    ("variant", "type (variant (case \"a\") (case \"b\" u32))", "two", &["a", "b(7)"]),
    ("enum", "type (enum \"one\" \"two\")", "i32", &["one", "two"]),
    ("option", "(option u32)", "two", &["none", "some(3)"]),
    ("nested", "(option (option u32))", "three", &["none", "some(none)", "some(some(3))"]),
    ("result", "(result u32 (error string))", "three", &["ok(1)", "err(\"no\")"]),
    ("success", "(result u32)", "two", &["ok(1)", "err"]),
    ("failure", "(result (error u32))", "two", &["ok", "err(2)"]),
    ("either", "(result)", "i32", &["ok", "err"]),
    ("flags", "type (flags \"r\" \"w\")", "i32", &["{}", "{r}", "{r, w}"]),
];

#[test]
fn values_of_every_kind_go_in_and_out() {
    let here = Directory::new("component-invoke");
    here.file("k.wasm", wat::parse_str(kinds()).unwrap());
    check(&here.lightbeam(&["compile", "k.wasm"]), 0, "");
    let invoke = |call: &str| here.lightbeam(&["run", "--allow-precompiled", "--invoke", call, "k.cwasm"]);
    for (name, _, _, values) in KINDS {
        for value in values {
            check(&invoke(&format!("{name}({value})")), 0, &format!("{value}\n"));
        }
    }
    check(&invoke("none()"), 0, "()\n");
    check(&invoke("here()"), 0, "()\n");
    check(&invoke("local:pack/two.both()"), 0, "()\n");
    check(&invoke("local:pack/one.both@0.1.0()"), 0, "()\n");
    check(&here.lightbeam(&["run", "--invoke", "u8(7)", "k.wasm"]), 0, "7\n");
    let without = ["run", "-W", "concurrency-support=n", "-S", "p3=n", "--invoke", "u8(7)", "k.wasm"];
    check(&here.lightbeam(&without), 0, "7\n");
    let trap = invoke("trap()");
    check(&trap, 134, "");
    assert!(texts(&trap).1.contains("unreachable"), "{}", texts(&trap).1);

    for (call, words) in [
        ("u8", &["`u8` is no call", "WAVE", "--invoke 'add(1, 2)'"][..]),
        ("u8(256)", &["u8(256)", "func(value: u8) -> u8"]),
        ("u8()", &["func(value: u8) -> u8"]),
        ("u8(1, 2)", &["func(value: u8) -> u8"]),
        ("string(7)", &["func(value: string) -> string"]),
        ("record({a: 1})", &["record({a: 1})"]),
        ("variant(c)", &["variant(c)"]),
        ("missing()", &["no exported function named `missing`", "`bool`", "more)"]),
        ("local:pack/two.here()", &["local:pack/two.here"]),
        ("both()", &["several instances", "`local:pack/one.both@0.1.0`", "`local:pack/two.both`"]),
    ] {
        check_error(&invoke(call), words);
    }
    // A function of a core module is called in another way.
    here.file("m.wat", r#"(module (func (export "f") (param i32)))"#);
    check_error(&here.lightbeam(&["--invoke", "f(1)", "m.wat"]), &["`f(1)`", "core module"]);
}

#[test]
fn options_give_interfaces() {
    let here = Directory::new("component-interfaces");
    for (flags, interface, resource) in [
        ("http", "wasi:http/types@0.2.0", "fields"),
        ("http", "wasi:http/types@0.3.0", "fields"),
        ("keyvalue", "wasi:keyvalue/store@0.2.0-draft", "bucket"),
        ("tls", "wasi:tls/types@0.2.0-draft", "client-connection"),
        ("nn", "wasi:nn/tensor@0.2.0-rc-2024-10-28", "tensor"),
    ] {
        let import =
            format!(r#"(component (import "{interface}" (instance (export "{resource}" (type (sub resource)))))"#);
        here.file("c.wat", command("(i32.const 0)").replacen("(component", &import, 1));
        check(&here.lightbeam(&["-S", flags, "c.wat"]), 0, "");
        check_error(&here.lightbeam(&["c.wat"]), &[interface]);
    }
    here.file(
        "config.wat",
        r#"(component
          (import "wasi:config/store@0.2.0-rc.1" (instance $store
            (type $e (variant (case "upstream" string) (case "io" string)))
            (export "error" (type $error (eq $e)))
            (export "get" (func (param "key" string) (result (result (option string) (error $error)))))))
          (alias export $store "error" (type $error))
          (core module $space
            (memory (export "memory") 1)
            (global $next (mut i32) (i32.const 64))
            (func (export "realloc") (param i32 i32 i32 i32) (result i32)
              (global.get $next)
              (global.set $next (i32.add (global.get $next) (local.get 3)))))
          (core instance $space (instantiate $space))
          (core func $get (canon lower (func $store "get")
            (memory (core memory $space "memory")) (realloc (core func $space "realloc"))))
          (core module $m
            (import "" "get" (func $get (param i32 i32 i32)))
            (func (export "get") (param i32 i32) (result i32)
              (call $get (local.get 0) (local.get 1) (i32.const 8)) (i32.const 8)))
          (core instance $i (instantiate $m (with "" (instance (export "get" (func $get))))))
          (func (export "get") (param "key" string) (result (result (option string) (error $error)))
            (canon lift (core func $i "get")
              (memory (core memory $space "memory")) (realloc (core func $space "realloc")))))"#,
    );
    let get = |call: &str| here.lightbeam(&["-S", "config,config-var=a=b=c", "--invoke", call, "config.wat"]);
    check(&get("get(\"a\")"), 0, "ok(some(\"b=c\"))\n");
    check(&get("get(\"b\")"), 0, "ok(none)\n");
}

#[test]
fn what_cannot_go_together_is_named() {
    let here = Directory::new("component-refused");
    here.file("c.wat", command("(i32.const 0)"));
    here.file("m.wat", r#"(module (func (export "_start")))"#);
    here.file("empty.wat", "(component)");
    for (flags, words) in [
        (&["--preload", "m=m.wat"][..], &["--preload", "components"][..]),
        (&["-W", "unknown-imports-default"], &["-W unknown-imports-default", "components"]),
        (&["-W", "unknown-exports-allow"], &["-W unknown-exports-allow", "components"]),
        (&["-W", "component-model=n"], &["-W component-model=n"]),
        (&["-S", "listenfd"], &["-S listenfd", "components"]),
        (&["-S", "tcplisten=127.0.0.1:0"], &["-S tcplisten", "components"]),
        (&["-S", "threads"], &["-S threads", "components"]),
        (&["-W", "concurrency-support=n"], &["-W concurrency-support=n", "-S p3=n"]),
    ] {
        check_error(&here.lightbeam(&[flags, &["c.wat"]].concat()), words);
    }
    check_error(&here.lightbeam(&["--preload", "c=c.wat", "m.wat"]), &["`c.wat` is a component"]);
    check_error(&here.lightbeam(&["empty.wat"]), &["no command", "wasi:cli/run", "--invoke"]);
    let server = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/server.wat");
    check_error(&here.lightbeam(&["-S", "http", server]), &["handles requests of HTTP", "`lightbeam serve`"]);
    check_error(&here.lightbeam(&[server]), &["handles requests of HTTP"]);
    for option in ["config", "keyvalue", "http", "tls"] {
        let named = format!("-S {option}");
        check_error(&here.lightbeam(&["-S", option, "m.wat"]), &[&named, "core module"]);
    }
    let unknown = command("(i32.const 0)").replacen(
        "(component",
        r#"(component (import "a:b/c" (instance (export "f" (func))))"#,
        1,
    );
    here.file("unknown.wat", unknown);
    check_error(&here.lightbeam(&["unknown.wat"]), &["a:b/c"]);
    check(&here.lightbeam(&["-W", "unknown-imports-trap", "unknown.wat"]), 0, "");
}

#[test]
fn features_are_the_users_choice() {
    let here = Directory::new("component-features");
    let exporting =
        r#"(core module $m (memory (export "m") i64 1) (func (export "f"))) (core instance $i (instantiate $m))"#;
    let lifted = format!("{exporting} (func async (canon lift (core func $i \"f\") async))");
    let lowered = format!(
        r#"(import "f" (func $f (param "x" string))) {exporting}
          (core func (canon lower (func $f) (memory (core memory $i "m"))))"#
    );
    for (feature, text, words) in [
        ("async", "(type (future u8))", "component model async feature"),
        ("more-async-builtins", "(type $s (stream u8)) (core func (canon stream.cancel-read $s async))", "builtins"),
        ("async-stackful", &lifted, "stackful"),
        ("threading", "(core func (canon thread.index))", "threading"),
        ("error-context", "(core func (canon error-context.drop))", "error-context"),
        ("map", "(type (map string u32))", "map"),
        ("fixed-length-lists", "(type (list u8 4))", "fixed-length"),
        ("memory64", &lowered, "cm64"),
        ("implements", r#"(import "a" (implements "a:b/c") (instance))"#, "implements"),
    ] {
        here.file("c.wat", format!("(component {text})"));
        let compile = |on: &str| {
            let option = format!("-Wcomponent-model-{feature}={on}");
            here.lightbeam(&["compile", "-o", "c.cwasm", &option, "c.wat"])
        };
        check(&compile("y"), 0, "");
        check_error(&compile("n"), &["c.wat", words, "at offset"]);
    }
}

#[test]
fn limits_hold_for_components() {
    let here = Directory::new("component-limits");
    here.file("loop.wat", command("(loop $l (br $l)) unreachable"));
    let fuel = here.lightbeam(&["-W", "fuel=10000", "loop.wat"]);
    check(&fuel, 134, "");
    assert!(texts(&fuel).1.contains("all fuel consumed"));
    let timeout = here.lightbeam(&["-W", "timeout=20ms", "loop.wat"]);
    check(&timeout, 134, "");
    assert!(texts(&timeout).1.contains("interrupt"));
    here.file("trap.wat", command("unreachable"));
    let dumped = here.lightbeam(&["-D", "coredump=core", "trap.wat"]);
    check(&dumped, 134, "");
    assert!(texts(&dumped).1.contains("core dumped at core"), "{}", texts(&dumped).1);
    assert!(std::fs::read(here.0.join("core")).unwrap().starts_with(b"\0asm"));
    let profiled = here.lightbeam(&["--profile", "guest,profile.json,1ms", "-W", "timeout=100ms", "loop.wat"]);
    check(&profiled, 134, "");
    assert!(texts(&profiled).1.contains("Profile written to: profile.json"), "{}", texts(&profiled).1);
}

/// Two core modules, and an adapter between two components.
const ADAPTED: &str = r#"(component
  (component $a
    (core module $m
      (func $inner (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3)))
      (func (export "f") (param i32) (result i32) (call $inner (local.get 0))))
    (core instance $i (instantiate $m))
    (func (export "f") (param "x" u32) (result u32) (canon lift (core func $i "f"))))
  (component $b
    (import "f" (func $f (param "x" u32) (result u32)))
    (core func $f (canon lower (func $f)))
    (core module $m
      (import "" "f" (func $f (param i32) (result i32)))
      (func $outer (export "g") (param i32) (result i32) (call $f (i32.add (local.get 0) (i32.const 1)))))
    (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
    (func (export "g") (param "x" u32) (result u32) (canon lift (core func $i "g"))))
  (instance $a (instantiate $a))
  (instance $b (instantiate $b (with "f" (func $a "f"))))
  (export "g" (func $b "g")))"#;

#[test]
fn time_is_printed_however_it_ends() {
    let here = Directory::new("component-time");
    for (body, code) in [
        ("(i32.const 0)", 0),
        ("(i32.const 1)", 1),
        ("(call $code (i32.const 9)) unreachable", 9),
        ("unreachable", 134),
    ] {
        here.file("c.wat", command(body));
        let output = here.lightbeam(&["--time", "c.wat"]);
        check(&output, code, "");
        let (_, err) = texts(&output);
        for word in ["core modules 1, adapters 0, functions 1,", "decode", "translate", "link", "load", "  run  "] {
            assert!(err.contains(word), "{body}: no `{word}` in:\n{err}");
        }
    }
    here.file("adapted.wat", ADAPTED);
    let output = here.lightbeam(&["--time", "--invoke", "g(4)", "adapted.wat"]);
    check(&output, 0, "15\n");
    assert!(texts(&output).1.contains("core modules 2, adapters 1, functions"), "{}", texts(&output).1);
}

#[test]
fn counters_are_of_each_module() {
    let here = Directory::new("component-counters");
    here.file("c.wat", ADAPTED);
    let counted = |counters: &str| -> Vec<Vec<String>> {
        let output = here.lightbeam(&["compile", counters, "c.wat"]);
        check(&output, 0, "");
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
        texts(&output).1.lines().map(words).collect()
    };
    let modules = counted("--counters");
    assert_eq!(modules[1][..3], ["module", "functions", "bytes"]);
    assert_eq!(
        (&modules[2][..2], &modules[3][..2]),
        (&["0".to_owned(), "2".into()][..], &["1".to_owned(), "1".into()][..])
    );
    assert_eq!((modules[4][0].as_str(), modules[4].last().map(String::as_str)), ("2", Some("adapters")));
    for (column, name) in [(1, "functions"), (4, "operators"), (5, "spills")] {
        let sum: u64 = modules[2..5].iter().map(|row| row[column].parse::<u64>().unwrap()).sum();
        let total = modules[5..].iter().find(|row| row[0] == name).unwrap();
        assert_eq!(total[1].parse::<u64>().unwrap(), sum, "{name}: {modules:?}");
    }

    let functions = counted("--counters=functions");
    assert_eq!(functions[1][..2], ["module", "index"]);
    let named =
        |row: &[String], module: &str, name: &str| row[0] == module && row.last().is_some_and(|last| last == name);
    assert!(functions.iter().any(|row| row.len() > 2 && named(row, "0", "inner")), "{functions:?}");
    assert!(functions.iter().any(|row| row.len() > 2 && named(row, "1", "outer")), "{functions:?}");
}

#[test]
fn objdump_shows_each_module() {
    let here = Directory::new("component-objdump");
    here.file("c.wat", ADAPTED);
    let dump = |arguments: &[&str]| {
        let output = here.lightbeam(&[&["objdump"], arguments].concat());
        check(&output, 0, &texts(&output).0);
        texts(&output).0
    };
    let all = dump(&["c.wat"]);
    for heading in ["wasm[0]::function[0] $inner, ", "wasm[0]::function[1], ", "wasm[1]::function[1] $outer, "] {
        assert!(all.lines().any(|line| line.starts_with(heading)), "no `{heading}` in:\n{all}");
    }
    assert!(all.lines().any(|line| line.starts_with("wasm[2]::function[") && line.contains(" of adapters, ")), "{all}");
    assert!(all.lines().any(|line| line.starts_with("trampoline[0], ")), "{all}");
    // Each operator stands above its code, in either module.
    let function = |name: &str| dump(&["--func", name, "c.wat"]);
    let inner = function("inner");
    assert!(inner.starts_with("wasm[0]::function[0] $inner, ") && inner.contains("i32.mul"), "{inner}");
    assert_eq!(inner.matches("::function[").count(), 1, "{inner}");
    let multiplied = inner.find("i32.mul").unwrap();
    assert!(inner[multiplied..].lines().nth(1).is_some_and(|line| line.contains(":  ")), "{inner}");
    let outer = function("outer");
    assert!(outer.contains("i32.add") && outer.contains("call $f"), "{outer}");
    assert_eq!(function("wasm[1]::function[1]"), outer);
    assert_eq!(function("g"), outer, "by the name of its export");
    assert!(function("trampoline[0]").starts_with("trampoline[0], "));
    assert!(function("1").matches("::function[1]").count() >= 2, "an index is of each module");
    check_error(&here.lightbeam(&["objdump", "--func", "wasm[7]::function[0]", "c.wat"]), &["no such function"]);

    check(&here.lightbeam(&["compile", "c.wat"]), 0, "");
    let compiled = dump(&["c.cwasm"]);
    assert!(compiled.contains("wasm[0]::function[0] $inner, ") && compiled.contains("trampoline[0], "), "{compiled}");
}
