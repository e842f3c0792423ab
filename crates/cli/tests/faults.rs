//! The command where something of the machine fails, or a module tries to reach the terminal.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

const FIB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/fib.wat");
const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/server.wat");
const LIGHTBEAM: &str = env!("CARGO_BIN_EXE_lightbeam");

/// A directory of its own for each test, which anyone may use.
fn directory(test: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("lightbeam-faults-{}-{test}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o777)).unwrap();
    path
}

/// Has a shell run a script, in which `$L` is the command, in a directory, with the three descriptors that everyone has
/// and no other that whoever runs the tests may have left open: they would count where descriptors are few.
fn shell(directory: &Path, script: &str) -> Output {
    shell_from(directory, script, Stdio::null())
}

fn shell_from(directory: &Path, script: &str, input: Stdio) -> Output {
    let close = "for fd in /proc/self/fd/*; do n=${fd##*/}; [ $n -lt 3 ] || eval \"exec $n>&-\"; done;";
    let mut command = Command::new("bash");
    command
        .args(["-c", &format!("{close} exec sh -c \"$0\""), script])
        .env("L", LIGHTBEAM)
        .env("FIB", FIB)
        .current_dir(directory);
    command.env_remove("RUST_BACKTRACE").stdin(input).output().unwrap()
}

fn code(status: ExitStatus) -> String {
    status.to_string()
}

/// Both outputs; nothing panicked.
#[track_caller]
fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(!text.contains("panicked"), "{text}");
    text
}

#[track_caller]
fn succeeds(output: &Output) -> String {
    let text = said(output);
    assert!(output.status.success(), "{}\n{text}", code(output.status));
    text
}

#[track_caller]
fn fails(output: &Output, words: &[&str]) -> String {
    let text = said(output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    words.iter().for_each(|word| assert!(text.contains(word), "no `{word}` in:\n{text}"));
    text
}

fn is_artifact(path: &Path) -> bool {
    fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"\x7fELF"))
}

/// What is in a directory, sorted.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A module with so many bytes of data and of code.
fn large(bytes: usize) -> String {
    let function =
        format!("(func (param i64) (result i64) local.get 0 {})", "i64.const 0x123456789abcdef i64.xor ".repeat(63));
    let functions = function.repeat(bytes / (63 * 13));
    format!(
        r#"(module (memory 200) (data (i32.const 0) "{}") {functions} (func (export "_start")))"#,
        "x".repeat(bytes)
    )
}

const READ: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 100))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $exit (i32.load (i32.const 8)))))"#;

#[test]
fn without_threads_it_compiles_and_runs() {
    let here = directory("threads");
    fs::write(here.join("big.wat"), large(1 << 20)).unwrap();
    fs::write(here.join("read.wat"), READ).unwrap();
    succeeds(&shell(&here, "$L compile big.wat -o expected.cwasm"));
    let expected = fs::read(here.join("expected.cwasm")).unwrap();

    // Each thread would need a stack of more than there are addresses.
    let none = "export RUST_MIN_STACK=1152921504606846976;";
    succeeds(&shell(&here, &format!("{none} $L compile --compile-threads 4 big.wat -o none.cwasm")));
    assert!(fs::read(here.join("none.cwasm")).unwrap() == expected);
    succeeds(&shell(&here, &format!("{none} $L compile --compile-threads 4 - -o none.cwasm <big.wat")));
    assert!(fs::read(here.join("none.cwasm")).unwrap() == expected);
    assert_eq!(succeeds(&shell(&here, &format!("{none} $L $FIB"))), "fib(30) = 832040\n");
    assert_eq!(succeeds(&shell(&here, &format!("{none} $L --invoke fib $FIB 20"))), "6765\n");
    succeeds(&shell(&here, &format!("{none} $L big.wat")));
    fails(&shell(&here, &format!("{none} echo four | $L read.wat")), &["needs one more thread"]);
    fails(&shell(&here, &format!("{none} $L -W timeout=1s $FIB")), &["failed to start the thread for the timeout"]);
    fails(&shell(&here, &format!("{none} $L --profile guest $FIB")), &["failed to start the thread for the profiler"]);
    assert_eq!(shell(&here, "echo four | $L read.wat").status.code(), Some(5));
    fs::remove_dir_all(here).unwrap();
}

#[test]
fn a_server_says_what_it_lacks() {
    let here = directory("server");
    let serve = |before: &str| shell(&here, &format!("{before} $L serve --addr 127.0.0.1:0 {SERVER}"));
    fails(&serve("export RUST_MIN_STACK=1152921504606846976;"), &["to serve takes", "more threads"]);
    for most in 6..18 {
        fails(&serve(&format!("ulimit -n {most};")), &["descriptors", "Too many open files"]);
    }
    // Whether or not it has come so far by then.
    let output = serve("ulimit -n 18; exec timeout 3");
    assert_eq!(output.status.code(), Some(124), "{}", said(&output));
    fails(&serve("ulimit -f 1;"), &["failed to hand over the compiled component", "RLIMIT_FSIZE"]);
    fs::remove_dir_all(here).unwrap();
}

#[test]
fn with_few_threads_it_compiles_and_runs() {
    let here = directory("few-threads");
    // A user of this test's own, for the limit is on all that a user runs.
    let user = 100_000 + std::process::id();
    let limits = format!("timeout 120 setpriv --reuid={user} --regid={user} --clear-groups prlimit --nproc");
    if !shell(&here, &format!("{limits}=10 true")).status.success() {
        eprintln!("SKIPPED: not the superuser, or no `setpriv` or `prlimit`");
        return;
    }
    fs::write(here.join("big.wat"), large(1 << 20)).unwrap();
    fs::write(here.join("read.wat"), READ).unwrap();
    // Where that user can run it.
    fs::copy(LIGHTBEAM, here.join("lightbeam")).unwrap();
    fs::copy(FIB, here.join("fib.wat")).unwrap();
    for most in [1, 2, 3, 4, 6] {
        let limited = format!("{limits}={most} ./lightbeam");
        let compiled = here.join(format!("{most}.cwasm"));
        succeeds(&shell(&here, &format!("{limited} compile --compile-threads 4 big.wat -o {most}.cwasm")));
        assert!(is_artifact(&compiled));
        assert_eq!(succeeds(&shell(&here, &format!("{limited} fib.wat"))), "fib(30) = 832040\n");
        succeeds(&shell(&here, &format!("{limited} --allow-precompiled {most}.cwasm")));
        let read = shell(&here, &format!("echo four | {limited} read.wat"));
        match read.status.code() {
            Some(5) => {}
            _ => drop(fails(&read, &["needs one more thread"])),
        }
    }
    fs::remove_dir_all(here).unwrap();
}

#[test]
fn with_few_descriptors_it_runs_or_says_so() {
    let here = directory("descriptors");
    fs::write(here.join("read.wat"), READ).unwrap();
    fs::write(here.join("four"), "four\n").unwrap();
    let mut ran = 0;
    for most in (4..=24).step_by(2) {
        let limited = |rest: &str| shell(&here, &format!("ulimit -n {most}; {rest}"));
        for profile in ["", "--profile perfmap", "--profile guest"] {
            let output = limited(&format!("timeout 60 $L {profile} $FIB"));
            match output.status.code() {
                Some(0) => ran += 1,
                _ => drop(fails(&output, &["Error: "])),
            }
        }
        let four = File::open(here.join("four")).unwrap();
        let output = shell_from(&here, &format!("ulimit -n {most}; timeout 60 $L read.wat"), four.into());
        if output.status.code() != Some(5) {
            fails(&output, &["descriptors"]);
        }
        succeeds(&limited("$L compile $FIB -o fib.cwasm"));
    }
    assert!(ran > 0, "with 24 descriptors nothing runs");
    fails(&shell(&here, "ulimit -n 6; $L $FIB"), &["8 more file descriptors", "Too many open files"]);
    fs::remove_dir_all(here).unwrap();
}

#[test]
fn where_files_may_not_be_as_large_it_runs() {
    let here = directory("file-size");
    fs::write(here.join("big.wat"), large(1 << 20)).unwrap();
    for blocks in ["0", "8", "1500", "100000"] {
        succeeds(&shell(&here, &format!("ulimit -f {blocks}; $L big.wat")));
        succeeds(&shell(&here, &format!("ulimit -f {blocks}; $L compile big.wat -o - | wc -c")));
        succeeds(&shell(&here, &format!("ulimit -f {blocks}; $L objdump big.wat | wc -c")));
    }
    fails(&shell(&here, "ulimit -f 8; $L compile big.wat -o big.cwasm"), &["RLIMIT_FSIZE"]);
    assert_eq!(names(&here), ["big.wat"]);
    fs::remove_dir_all(here).unwrap();
}

#[test]
fn a_standard_error_that_cannot_be_written_loses_nothing() {
    let here = directory("stderr");
    fs::write(here.join("trap.wat"), r#"(module (func (export "_start") unreachable))"#).unwrap();
    fs::write(here.join("exit.wat"), READ).unwrap();
    for to in ["2>/dev/full", "2>&-", "2>/dev/null", "2>fifo"] {
        let _ = fs::remove_file(here.join("fib.cwasm"));
        // A pipe that nobody reads any more.
        let setup = "rm -f fifo; mkfifo fifo; exec 9<>fifo; exec 8>fifo; exec 9<&-;";
        let to = if to == "2>fifo" { "2>&8" } else { to };
        let run = |arguments: &str| shell(&here, &format!("{setup} $L {arguments} {to}"));
        succeeds(&run("compile --time --counters=functions $FIB -o fib.cwasm"));
        assert!(is_artifact(&here.join("fib.cwasm")), "{to}");
        assert_eq!(succeeds(&run("--time $FIB")), "fib(30) = 832040\n");
        assert_eq!(succeeds(&run("--invoke fib $FIB 20")), "6765\n");
        assert_eq!(run("--time trap.wat").status.code(), Some(134), "{to}");
        assert_eq!(run("--time exit.wat").status.code(), Some(0), "{to}");
        assert_eq!(run("nothing.wat").status.code(), Some(1), "{to}");
        assert_eq!(run("compile nothing.wat").status.code(), Some(1), "{to}");
        assert_eq!(run("--nonsense").status.code(), Some(2), "{to}");
    }
    fs::remove_dir_all(here).unwrap();
}

#[test]
fn a_standard_output_that_cannot_be_written_is_an_error() {
    let here = directory("stdout");
    fails(&shell(&here, "$L compile $FIB -o - >/dev/full"), &["standard output", "No space left"]);
    fails(&shell(&here, "$L compile $FIB -o - 1</dev/null"), &["standard output"]);
    fails(&shell(&here, "$L compile $FIB -o /dev/full"), &["/dev/full", "No space left"]);
    fails(&shell(&here, "$L --invoke fib $FIB 20 >/dev/full"), &["standard output"]);
    fails(&shell(&here, "$L objdump $FIB >/dev/full"), &["failed to write"]);
    let output = shell(&here, "($L compile $FIB -o -; echo code $? >&2) | head -c 0");
    assert!(said(&output).contains("code"), "{}", said(&output));
    let output = shell(&here, "($L objdump $FIB; echo code $? >&2) | head -c 0");
    assert!(said(&output).contains("code 0"), "who reads that may have seen enough: {}", said(&output));
    fs::remove_dir_all(here).unwrap();
}

#[test]
fn an_artifact_takes_its_place_as_a_whole() {
    let here = directory("output");
    let compile = |to: &str| shell(&here, &format!("umask 027; $L compile $FIB -o {to}"));
    let mode = |name: &str| fs::metadata(here.join(name)).unwrap().mode() & 0o7777;
    succeeds(&compile("new.cwasm"));
    assert_eq!(mode("new.cwasm"), 0o640, "as for any new file");

    // Whoever has the old one keeps it, and its permissions stay.
    fs::write(here.join("old.cwasm"), "old").unwrap();
    fs::set_permissions(here.join("old.cwasm"), Permissions::from_mode(0o604)).unwrap();
    fs::hard_link(here.join("old.cwasm"), here.join("held")).unwrap();
    let before = fs::metadata(here.join("old.cwasm")).unwrap().ino();
    succeeds(&compile("old.cwasm"));
    assert!(is_artifact(&here.join("old.cwasm")));
    assert_eq!((mode("old.cwasm"), fs::read(here.join("held")).unwrap()), (0o604, b"old".to_vec()));
    assert_ne!(fs::metadata(here.join("old.cwasm")).unwrap().ino(), before);

    // Links are followed: to what is there, and to what is not yet.
    fs::create_dir(here.join("dir")).unwrap();
    fs::write(here.join("dir/there.cwasm"), "old").unwrap();
    symlink("dir/there.cwasm", here.join("link1")).unwrap();
    symlink("link1", here.join("link2")).unwrap();
    symlink("dir/not-yet.cwasm", here.join("link3")).unwrap();
    symlink("link4", here.join("link4")).unwrap();
    succeeds(&compile("link2"));
    succeeds(&compile("link3"));
    for name in ["link1", "link2", "link3"] {
        assert!(fs::symlink_metadata(here.join(name)).unwrap().is_symlink() && is_artifact(&here.join(name)), "{name}");
    }
    fails(&compile("link4"), &["link4"]);

    // What is no ordinary file is written as it is.
    succeeds(&compile("/dev/null"));
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
    let expected = fs::read(here.join("new.cwasm")).unwrap();
    assert!(compile("/dev/stdout").stdout == expected);
    assert!(compile("-").stdout == expected);
    succeeds(&compile("/dev/stdout >stdout.cwasm"));
    assert!(fs::read(here.join("stdout.cwasm")).unwrap() == expected);
    let output = shell(&here, "mkfifo pipe; cat pipe >piped.cwasm & $L compile $FIB -o pipe; wait");
    succeeds(&output);
    assert!(fs::read(here.join("piped.cwasm")).unwrap() == expected);

    fails(&compile("dir"), &["`dir`", "directory"]);
    fails(&compile("absent/x.cwasm"), &["absent/x.cwasm", "No such file"]);
    fails(&shell(&here, "ulimit -f 8; $L compile $FIB -o old.cwasm"), &["old.cwasm", "RLIMIT_FSIZE"]);
    assert!(is_artifact(&here.join("old.cwasm")));
    let left: Vec<_> = names(&here).into_iter().filter(|name| name.contains("tmp")).collect();
    assert!(left.is_empty(), "{left:?}");
    fs::remove_dir_all(here).unwrap();
}

#[test]
fn a_file_that_may_not_be_written_stays() {
    let here = directory("read-only");
    let nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups";
    if !shell(&here, &format!("{nobody} true")).status.success() {
        eprintln!("SKIPPED: not the superuser, or no `setpriv`");
        return;
    }
    fs::copy(LIGHTBEAM, here.join("lightbeam")).unwrap();
    fs::copy(FIB, here.join("fib.wat")).unwrap();
    fs::write(here.join("old.cwasm"), "old").unwrap();
    fs::set_permissions(here.join("old.cwasm"), Permissions::from_mode(0o444)).unwrap();
    fails(&shell(&here, &format!("{nobody} ./lightbeam compile fib.wat -o old.cwasm")), &["Permission denied"]);
    assert_eq!(fs::read(here.join("old.cwasm")).unwrap(), b"old");

    // The superuser leaves the owner as it was.
    succeeds(&shell(&here, "chown 65534:65534 old.cwasm; ./lightbeam compile fib.wat -o old.cwasm"));
    let metadata = fs::metadata(here.join("old.cwasm")).unwrap();
    assert_eq!((metadata.uid(), metadata.gid(), metadata.mode() & 0o7777), (65534, 65534, 0o444));

    // There is no way to replace a file in a directory that may not be written.
    fs::create_dir(here.join("closed")).unwrap();
    fs::write(here.join("closed/old.cwasm"), "old").unwrap();
    fs::set_permissions(here.join("closed/old.cwasm"), Permissions::from_mode(0o666)).unwrap();
    let output = shell(&here, &format!("{nobody} ./lightbeam compile fib.wat -o closed/old.cwasm"));
    fails(&output, &["failed to make a file beside it, in `closed`", "Permission denied"]);
    assert_eq!(fs::read(here.join("closed/old.cwasm")).unwrap(), b"old");
    fs::remove_dir_all(here).unwrap();
}

#[test]
fn a_full_disk_leaves_the_old_file() {
    let here = directory("full");
    fs::write(here.join("big.wat"), large(1 << 20)).unwrap();
    fs::create_dir(here.join("disk")).unwrap();
    let output = shell(
        &here,
        "mount -t tmpfs -o size=512k tmpfs disk || exit 77
         $L compile $FIB -o disk/good.cwasm && cp disk/good.cwasm kept.cwasm
         $L compile big.wat -o disk/good.cwasm; code=$?
         cmp disk/good.cwasm kept.cwasm; same=$?
         ls -A disk; umount disk; echo code $code same $same",
    );
    if output.status.code() == Some(77) {
        eprintln!("SKIPPED: no disk can be mounted: not the superuser");
        return;
    }
    let text = said(&output);
    assert!(text.contains("good.cwasm\ncode 1 same 0\n"), "{text}");
    for word in ["failed to write `disk/good.cwasm`", "No space left"] {
        assert!(text.contains(word), "no `{word}` in:\n{text}");
    }
    fs::remove_dir_all(here).unwrap();
}

#[test]
fn killed_at_any_moment_it_leaves_a_whole_file() {
    let here = directory("killed");
    // Little to compile, much to write.
    let module = |byte: &str| format!(r#"(module (memory 200) (data (i32.const 0) "{}"))"#, byte.repeat(8 << 20));
    fs::write(here.join("a.wasm"), wat::parse_str(module("a")).unwrap()).unwrap();
    fs::write(here.join("b.wasm"), wat::parse_str(module("b")).unwrap()).unwrap();
    let compile = |name: &str, to: &str| -> Child {
        let mut command = Command::new(LIGHTBEAM);
        command.args(["compile", name, "-o", to]).current_dir(&here).spawn().unwrap()
    };
    let mut whole = Vec::new();
    let mut took = Duration::ZERO;
    for name in ["a", "b"] {
        let started = std::time::Instant::now();
        assert!(compile(&format!("{name}.wasm"), name).wait().unwrap().success());
        took = started.elapsed();
        whole.push(fs::read(here.join(name)).unwrap());
    }
    fs::copy(here.join("a"), here.join("out")).unwrap();
    // Whoever has it open sees no change, either.
    let mut ends = [0; 2];
    for round in 0..40u32 {
        let held = File::open(here.join("out")).unwrap();
        let before = fs::read(here.join("out")).unwrap();
        let mut child = compile(["b.wasm", "a.wasm"][round as usize % 2], "out");
        std::thread::sleep(took * round / 36);
        let _ = child.kill();
        ends[usize::from(child.wait().unwrap().success())] += 1;
        let after = fs::read(here.join("out")).unwrap();
        assert!(whole.contains(&after), "half a file after {round}");
        let mut kept = vec![0; before.len() + 1];
        let read = std::os::unix::fs::FileExt::read_at(&held, &mut kept, 0).unwrap();
        assert!(kept[..read] == before, "what is open has changed after {round}");
    }
    assert!(ends[0] > 0, "never killed on its way");
    fs::remove_dir_all(here).unwrap();
}

/// A name that does what it can to a terminal, as text of a script, and longer than anyone wants to see.
fn hostile() -> (String, String) {
    let name = "evil\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}\r\nError: all is well\u{2028}";
    let escaped: String = name.chars().map(|c| format!("\\u{{{:x}}}", c as u32)).collect();
    let long = format!("{name}{}", "x".repeat(90_000));
    (escaped, long)
}

#[track_caller]
fn is_clean(output: &Output) -> String {
    let text = said(output);
    assert!(text.len() < 100_000, "{} bytes", text.len());
    let bad = |c: char| c != '\n' && c.is_control() || matches!(c, '\u{2028}' | '\u{202e}');
    assert!(!text.contains(bad), "{text:?}");
    assert!(!text.contains("\nError: all is well"), "{text}");
    text
}

#[test]
fn names_of_a_module_do_not_reach_the_terminal() {
    let here = directory("names");
    let (escaped, long) = hostile();
    let long: String =
        long.chars().map(|c| if c == 'x' { "x".into() } else { format!("\\u{{{:x}}}", c as u32) }).collect();
    for (file, name) in [("short.wat", &escaped), ("long.wat", &long)] {
        let path = here.join(file);
        let run = |script: &str| is_clean(&shell(&here, &script.replace("FILE", file)));
        // Function names, in a backtrace and in tables.
        let trap = format!(
            r#"(module $"{name}" (func $"{name}" (param i32) unreachable)
                (func (export "_start") (call $"{name}" (i32.const 1))))"#
        );
        fs::write(&path, trap).unwrap();
        let text = run("$L FILE; echo code $?");
        assert!(text.contains("code 134") && text.contains("evil") && text.contains("unreachable"), "{text}");
        assert!(run("$L compile --counters=functions FILE -o out.cwasm").contains("evil"));
        assert!(run("$L --allow-precompiled out.cwasm").contains("evil"));
        assert!(run("$L objdump FILE").contains("ud2"));
        assert!(run("$L objdump out.cwasm").contains("ud2"));
        // Imports that are not there, exports that are there twice, what is invalid, and its text.
        for module in [
            format!(r#"(module (import "{name}" "{name}" (func)) (func (export "_start")))"#),
            format!(r#"(module (func) (export "{name}" (func 0)) (export "{name}" (func 0)))"#),
            format!(r#"(module (func (export "_start") (call $"{name}")))"#),
            format!(r#"(module (func) (start "{name}"))"#),
        ] {
            fs::write(&path, module).unwrap();
            assert!(run("$L FILE; echo code $?").contains("code 1\n"), "{name:.40}");
        }
        let script = format!(
            r#"(module (func (export "{name}") unreachable)) (invoke "{name}") (invoke "{name}!")
               (assert_trap (invoke "{name}") "{name}") (assert_return (get "{name}"))"#
        );
        fs::write(here.join("script.wast"), script).unwrap();
        assert!(run("$L wast script.wast").contains(" failed"));
    }
    fs::remove_dir_all(here).unwrap();
}

#[test]
fn a_name_at_each_use_does_not_multiply() {
    let here = directory("multiply");
    let wat = format!("(module (func ${}) (func {}))", "x".repeat(1 << 20), "call 0 ".repeat(2000));
    fs::write(here.join("calls.wasm"), wat::parse_str(wat).unwrap()).unwrap();
    // The text would be two gigabytes.
    let text = is_clean_but_long(&shell(&here, "ulimit -v 1500000; $L objdump calls.wasm"));
    assert!(text.matches("call 0").count() >= 2000);
    fs::remove_dir_all(here).unwrap();
}

#[track_caller]
fn is_clean_but_long(output: &Output) -> String {
    let text = succeeds(output);
    assert!(text.len() < 2_000_000, "{} bytes", text.len());
    text
}

#[test]
fn what_lightbeam_does_not_support_is_named() {
    let here = directory("named");
    for (flag, name) in [
        ("-W wmemcheck=y", "`-W wmemcheck` is not supported by Lightbeam"),
        ("-D guest-debug=y", "`-D guest-debug` is not supported by Lightbeam"),
        ("-D debugger=x.wasm", "`-D debugger` is for debuggers that are components, which need `-D guest-debug`"),
        ("-R path=trace", "recording and replaying, which is not supported by Lightbeam"),
    ] {
        for verb in ["run", "compile", "objdump"] {
            fails(&shell(&here, &format!("$L {verb} {flag} $FIB")), &[name]);
        }
    }
    assert_eq!(succeeds(&shell(&here, "$L -W wmemcheck=n -D guest-debug=n $FIB")), "fib(30) = 832040\n");
    fs::remove_dir_all(here).unwrap();
}

#[test]
fn a_core_dump_and_a_profile_are_written() {
    let here = directory("dump");
    fs::write(here.join("trap.wat"), r#"(module (func (export "_start") unreachable))"#).unwrap();
    let output = shell(&here, "$L -D coredump=core trap.wat");
    assert_eq!(output.status.code(), Some(134));
    assert!(said(&output).contains("core dumped at core"), "{}", said(&output));
    assert!(fs::read(here.join("core")).unwrap().starts_with(b"\0asm"));
    let output = shell(&here, "$L -D coredump=absent/core trap.wat");
    assert_eq!(output.status.code(), Some(134));
    assert!(said(&output).contains("warning: no core dump"), "{}", said(&output));
    succeeds(&shell(&here, "$L --profile=guest,profile.json,1 $FIB"));
    assert!(fs::read_to_string(here.join("profile.json")).unwrap().starts_with('{'));
    let spin = r#"(module (func (export "_start") (loop $l (br $l))))"#;
    fs::write(here.join("spin.wat"), spin).unwrap();
    let output = shell(&here, "$L --profile=guest,spin.json,1 -W timeout=50ms spin.wat");
    assert_eq!(output.status.code(), Some(134), "{}", said(&output));
    assert!(fs::metadata(here.join("spin.json")).unwrap().len() > 0);
    fs::remove_dir_all(here).unwrap();
}
