//! The runner must fail where a script is wrong; each directive is tried both ways.

use super::*;

pub(super) fn run(script: &str) -> FileReport {
    let path = Path::new("script.wast");
    run_text(path, script, &Compiler::new(&config_for(path)).unwrap())
}

/// Runs a script in which the lines that say `;; fails` must fail, and no others.
pub(super) fn check(script: &str) {
    let report = run(script);
    let failed: Vec<usize> = report.failures.iter().map(|failure| failure.line).collect();
    let expected: Vec<usize> =
        script.lines().enumerate().filter(|(_, line)| line.contains(";; fails")).map(|(index, _)| index + 1).collect();
    assert_eq!(failed, expected, "{report}");
    assert_ne!(report.passed + report.failures.len(), 0);
}

#[test]
fn results_are_compared() {
    check(
        r#"
(module $a (func (export "id") (param i32) (result i32) local.get 0)
  (func (export "nan") (result f32) (f32.div (f32.const 0) (f32.const 0)))
  (func (export "two") (result i32 i64) i32.const 1 i64.const 2)
  (global (export "g") i64 (i64.const 7)))
(assert_return (invoke "id" (i32.const 5)) (i32.const 5))
(assert_return (invoke "id" (i32.const 5)) (i32.const 6)) ;; fails
(assert_return (invoke "id" (i32.const 5))) ;; fails
(assert_return (invoke "nan") (f32.const nan:canonical))
(assert_return (invoke "nan") (f32.const 0)) ;; fails
(assert_return (invoke "two") (i32.const 1) (i64.const 2))
(assert_return (invoke "two") (i32.const 1) (i64.const 1)) ;; fails
(assert_return (invoke "two") (i64.const 1) (i64.const 2)) ;; fails
(assert_return (get $a "g") (i64.const 7))
(assert_return (get "g") (i64.const 8)) ;; fails
(assert_return (get "h") (i64.const 7)) ;; fails
(assert_return (invoke "nothing")) ;; fails
(invoke "two")
(invoke "nothing") ;; fails
"#,
    );
}

#[test]
fn traps_are_told_apart() {
    check(
        r#"
(module
  (memory 1)
  (func (export "unreachable") unreachable)
  (func (export "div") (param i32) (drop (i32.div_s (i32.const 1) (local.get 0))))
  (func (export "load") (param i32) (drop (i32.load (local.get 0))))
  (func $deep (export "deep") (call $deep)))
(assert_trap (invoke "unreachable") "unreachable")
(assert_trap (invoke "unreachable") "integer overflow") ;; fails
(assert_trap (invoke "div" (i32.const 0)) "integer divide by zero")
(assert_trap (invoke "div" (i32.const 1)) "integer divide by zero") ;; fails
(assert_trap (invoke "load" (i32.const -1)) "out of bounds memory access")
(assert_return (invoke "load" (i32.const -1))) ;; fails
(assert_exhaustion (invoke "deep") "call stack exhausted")
(assert_exhaustion (invoke "unreachable") "call stack exhausted") ;; fails
(assert_trap (invoke "unreachable") "no such trap") ;; fails
(assert_exception (invoke "unreachable")) ;; fails
(assert_trap (module (memory 1) (data (i32.const 65536) "a")) "out of bounds memory access")
"#,
    );
}

#[test]
fn rejection_must_be_for_the_right_reason() {
    check(
        r#"
(assert_invalid (module (func (result i32))) "type mismatch")
(assert_invalid (module) "type mismatch") ;; fails
(assert_malformed (module quote "(func") "unclosed")
(assert_malformed (module quote "(func)") "unclosed") ;; fails
(assert_malformed (module binary "\00asm\02\00\00\00") "unknown binary version")
(assert_malformed (module binary "\00asm\01\00\00\00") "unknown binary version") ;; fails
(assert_unlinkable (module (import "spectest" "nothing" (func))) "unknown import")
(assert_unlinkable (module (import "spectest" "print" (func (param i64)))) "incompatible import type")
(assert_unlinkable (module (import "spectest" "print" (func))) "unknown import") ;; fails
(assert_unlinkable (module (func $f unreachable) (start $f)) "unknown import") ;; fails
"#,
    );
}

#[test]
fn modules_are_found_by_their_names() {
    check(
        r#"
(module $one (func (export "f") (result i32) i32.const 1))
(module $two (func (export "f") (result i32) i32.const 2))
(assert_return (invoke "f") (i32.const 2))
(assert_return (invoke $one "f") (i32.const 1))
(assert_return (invoke $three "f") (i32.const 1)) ;; fails
(register "one" $one)
(register "nobody" $three) ;; fails
(module (import "one" "f" (func $f (result i32))) (export "g" (func $f)))
(assert_return (invoke "g") (i32.const 1))
(module (import "nobody" "f" (func))) ;; fails
(invoke "g") ;; fails
(module definition $d (global (export "x") (mut i32) (i32.const 3)))
(module instance $i $d)
(module instance $j $nothing) ;; fails
(assert_return (get $i "x") (i32.const 3))
(module binary "\00asm\01\00\00\00")
(module quote "(func (export \"q\"))")
(invoke "q")
"#,
    );
}

#[test]
fn spectest_is_there() {
    check(
        r#"
(module
  (import "spectest" "print_i32_f32" (func $print (param i32 f32)))
  (import "spectest" "global_i32" (global $g i32))
  (import "spectest" "table" (table 10 20 funcref))
  (import "spectest" "memory" (memory 1 2))
  (func (export "g") (result i32) (call $print (i32.const 1) (f32.const 2)) global.get $g))
(assert_return (invoke "g") (i32.const 666))
"#,
    );
}

#[test]
fn a_broken_script_is_a_failure() {
    let report = run("(module)\n(assert_");
    assert_eq!((report.passed, report.failures.len()), (0, 1));
    assert_eq!(report.failures[0].line, 2);
    let missing = run_file(Path::new("does-not-exist.wast"), &Compiler::new(&Config::new()).unwrap());
    assert!(missing.failures[0].message.contains("failed to read"), "{missing}");
}

#[test]
fn a_failure_is_one_line() {
    let report = run("(module (func (export \"f\") (call 1)) (func unreachable))\n(assert_return (invoke \"f\"))");
    assert_eq!(report.to_string().lines().count(), 1, "{report}");
    assert!(report.to_string().starts_with("script.wast:2: wasm trap: "), "{report}");
}

#[test]
fn threads_have_stores_of_their_own_and_shared_memories() {
    check(
        r#"
(module $a (memory (export "m") 1 1 shared)
  (func (export "read") (result i32) (i32.atomic.load (i32.const 0)))
  (func (export "sleep") (result i32) (memory.atomic.wait32 (i32.const 4) (i32.const 0) (i64.const -1))))
(thread $t (shared (module $a))
  (register "a" $a)
  (register "b" $b) ;; fails
  (module (memory (import "a" "m") 1 1 shared)
    (func (export "write") (i32.atomic.store (i32.const 0) (i32.const 7)))
    (func (export "wake") (result i32)
      (loop (br_if 0 (i32.eqz (memory.atomic.notify (i32.const 4) (i32.const 1))))) (i32.const 1)))
  (assert_return (invoke $a "read") (i32.const 0)) ;; fails
  (invoke "write")
  (assert_return (invoke "wake") (i32.const 1)))
(module $b (memory (import "spectest" "shared_memory") 1 2 shared))
(wait $u) ;; fails
(thread $u (invoke "read")) ;; fails
(wait $u)
(thread $v)
(module $c (memory (export "m") 1 1 shared)
  (func (export "wait") (result i32) (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const 1))))
(assert_return (invoke $c "wait") (i32.const 2))
(assert_return (invoke $a "sleep") (i32.const 0))
(wait $t)
(assert_return (invoke $a "read") (i32.const 7))
(assert_return (invoke $a "read") (i32.const 8)) ;; fails
"#,
    );
}

#[test]
fn branch_hints_are_for_branches() {
    check(
        r#"
(module (func (param i32) (local.get 0) (@metadata.code.branch_hint "\01") (if (then))))
(module (func (param i32) (local.get 0) (@metadata.code.branch_hint "\00") br_if 0))
(assert_invalid_custom (module (func (@metadata.code.branch_hint "\01") nop)) "invalid target")
(assert_invalid_custom (module (func (param i32) (local.get 0) (@metadata.code.branch_hint "\01") drop)) "invalid target")
(assert_invalid_custom (module (func (param i32) (local.get 0) (@metadata.code.branch_hint "\01") (if (then)))) "") ;; fails
(assert_invalid_custom (module (func (param i32) (local.get 0) (@metadata.code.branch_hint "\01") br_if 0)) "") ;; fails
(assert_invalid_custom (module (func)) "invalid target") ;; fails
(assert_invalid_custom (module (func (result i32))) "invalid target") ;; fails
(assert_malformed_custom (module quote "(func (@metadata.code.branch_hint \"\\02\") nop)") "malformed")
"#,
    );
}

#[test]
fn the_text_of_a_trap_is_what_its_name_begins_with() {
    check(
        r#"
(module (table 1 funcref) (memory 1) (type $a (array i32))
  (func (export "unreachable") (unreachable))
  (func (export "divide") (drop (i32.div_s (i32.const 1) (i32.const 0))))
  (func (export "table") (drop (table.get (i32.const 1))))
  (func (export "memory") (drop (i32.load (i32.const -1))))
  (func (export "array") (drop (array.get $a (array.new $a (i32.const 1) (i32.const 2)) (i32.const 2))))
  (func (export "null") (throw_ref (ref.null exn)))
  (func (export "fine")))
(assert_trap (invoke "unreachable") "")
(assert_trap (invoke "divide") "")
(assert_trap (invoke "fine") "") ;; fails
(assert_trap (invoke "divide") "integer divide")
(assert_trap (invoke "divide") "integer")
(assert_trap (invoke "unreachable") "integer") ;; fails
(assert_trap (invoke "divide") "divide") ;; fails
(assert_trap (invoke "divide") "integer divide by zero!") ;; fails
(assert_trap (invoke "table") "out of bounds")
(assert_trap (invoke "memory") "out of bounds")
(assert_trap (invoke "array") "out of bounds")
(assert_trap (invoke "memory") "out of bounds table") ;; fails
(assert_trap (invoke "null") "null")
"#,
    );
}

#[test]
fn a_named_module_can_be_imported_from_by_its_name() {
    check(
        r#"
(module $giver (func (export "seven") (result i32) (i32.const 7)))
(module (import "giver" "seven" (func $s (result i32))) (func (export "f") (result i32) (call $s)))
(assert_return (invoke "f") (i32.const 7))
(module (import "taker" "seven" (func (result i32)))) ;; fails
(module $giver (func (export "seven") (result i32) (i32.const 8)))
(module (import "giver" "seven" (func $s (result i32))) (func (export "f") (result i32) (call $s)))
(assert_return (invoke "f") (i32.const 8))
"#,
    );
}
