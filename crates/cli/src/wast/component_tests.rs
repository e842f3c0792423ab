//! The runner with components, and with scripts that say at their top what they need. As with modules, each directive
//! is tried both ways.

use super::tests::check;
use super::*;

#[test]
fn components_are_instantiated_and_called() {
    check(
        r#"
(component ;; fails
  (core module $m (func (export "f") unreachable) (start 0))
  (core instance $i (instantiate $m))
  (func (export "f") (canon lift (core func $i "f"))))
(invoke "f") ;; fails
(component $adds
  (core module $m (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
  (core instance $i (instantiate $m))
  (func (export "add") (param "a" u8) (param "b" u8) (result u8) (canon lift (core func $i "add"))))
(assert_return (invoke "add" (u8.const 1) (u8.const 2)) (u8.const 3))
(assert_return (invoke "add" (u8.const 1) (u8.const 2)) (u8.const 4)) ;; fails
(assert_return (invoke "add" (u8.const 1) (u8.const 2)) (i32.const 3)) ;; fails
(assert_return (invoke "add" (u8.const 1) (u8.const 2))) ;; fails
(assert_return (invoke "add" (u8.const 1)) (u8.const 1)) ;; fails
(assert_return (invoke "add" (u8.const 1) (u16.const 2)) (u8.const 3)) ;; fails
(assert_return (invoke "add" (i32.const 1) (i32.const 2)) (u8.const 3)) ;; fails
(assert_return (invoke "mul" (u8.const 1) (u8.const 2)) (u8.const 2)) ;; fails
(assert_return (get "add") (u8.const 2)) ;; fails
(module (func (export "f")))
(invoke "f" (u8.const 1)) ;; fails
(assert_return (invoke $adds "add" (u8.const 1) (u8.const 2)) (u8.const 3))
(invoke "f")
"#,
    );
}

#[test]
fn definitions_of_components_are_instantiated_anew() {
    check(
        r#"
(component definition $counts
  (core module $m (global $n (mut i32) (i32.const 0))
    (func (export "next") (result i32)
      (global.set $n (i32.add (global.get $n) (i32.const 1)))
      (if (i32.eq (global.get $n) (i32.const 3)) (then unreachable))
      (global.get $n)))
  (core instance $i (instantiate $m))
  (func (export "next") (result u32) (canon lift (core func $i "next"))))
(invoke "next") ;; fails
(component instance $a $counts)
(assert_return (invoke "next") (u32.const 1))
(component instance $b $counts)
(assert_return (invoke "next") (u32.const 1))
(assert_return (invoke $a "next") (u32.const 2))
(assert_trap (invoke $a "next") "unreachable")
(assert_trap (invoke $a "next") "cannot enter component instance")
(assert_trap (invoke $b "next") "unreachable") ;; fails
(assert_trap (invoke $b "next") "integer overflow") ;; fails
(component instance $c $none) ;; fails
(component instance $c)
(assert_return (invoke $c "next") (u32.const 1))
"#,
    );
}

#[test]
fn components_import_from_the_host_and_from_each_other() {
    check(
        r#"
(component (import "host-return-two" (func $two (result u32)))
  (core func $two (canon lower (func $two)))
  (core module $m (import "" "two" (func $two (result i32))) (func (export "f") (result i32) (call $two)))
  (core instance $i (instantiate $m (with "" (instance (export "two" (func $two))))))
  (func (export "f") (result u32) (canon lift (core func $i "f"))))
(assert_return (invoke "f") (u32.const 2))
(component $gives
  (core module (export "m") (func (export "seven") (result i32) (i32.const 7)))
  (component $c (type $r (resource (rep i32))) (export "r" (type $r)))
  (instance $i (instantiate $c))
  (export "deep" (instance $i)))
(component (import "gives" (instance $g
    (export "m" (core module (export "seven" (func (result i32)))))
    (export "deep" (instance (export "r" (type (sub resource)))))))
  (alias export $g "m" (core module $m))
  (core instance $i (instantiate $m))
  (func (export "f") (result u32) (canon lift (core func $i "seven"))))
(assert_return (invoke "f") (u32.const 7))
(component (import "takes" (instance (export "r" (type (sub resource)))))) ;; fails
(assert_unlinkable (component (import "takes" (func))) "was not found")
(assert_unlinkable (component) "was not found") ;; fails
"#,
    );
}

#[test]
fn components_are_rejected_for_the_right_reason() {
    check(
        r#"
(assert_invalid (component (export "f" (func 0))) "unknown func")
(assert_invalid (component) "unknown func") ;; fails
(assert_malformed (component quote "(func") "unclosed")
(assert_malformed (component quote "") "unclosed") ;; fails
(assert_trap (component (core module $m (func $f unreachable) (start $f)) (core instance (instantiate $m))) "unreachable")
(assert_trap (component) "unreachable") ;; fails
"#,
    );
}

/// The lines at the top make it a script of Wasmtime's, and those quote.
#[test]
fn errors_say_what_is_quoted() {
    check(
        r#";;! multi_memory = true
(assert_invalid (component (export "f" (func 0))) "unknown function 0")
(assert_invalid (component (export "f" (func 0))) "unknown type") ;; fails
(assert_malformed (component quote "(func") "expected `(`")
(assert_malformed (component quote "(func") "expected `)`") ;; fails
(assert_unlinkable (component (import "takes" (func))) "was not found")
(assert_unlinkable (component (import "takes" (func))) "was there") ;; fails
(component definition $c
  (core module $m (memory (export "m") 1)
    (func (export "f") (param i32 i32))
    (func (export "h") unreachable)
    (func (export "r") (param i32 i32 i32 i32) (result i32) i32.const -1))
  (core instance $i (instantiate $m))
  (func (export "f") (param "s" string)
    (canon lift (core func $i "f") (memory (core memory $i "m")) (realloc (core func $i "r"))))
  (func (export "h") (canon lift (core func $i "h"))))
(component instance $c)
(assert_trap (invoke "f" (str.const "x")) "beyond end of memory")
(component instance $c)
(assert_trap (invoke "f" (str.const "x")) "within memory") ;; fails
(component instance $c)
(assert_trap (invoke "h") "`unreachable` instruction")
(component instance $c)
(assert_trap (invoke "h") "wasm backtrace") ;; fails
"#,
    );
}

#[test]
fn settings_at_the_top_are_heeded() {
    let path = std::env::temp_dir().join(format!("lightbeam-settings-{}.wast", std::process::id()));
    let report = |text: &str| {
        std::fs::write(&path, text).unwrap();
        run_in(&path, |needs| Ok(Compiler::new(&needs.config())?.nan_canonicalization(needs.canonical_nans)))
    };
    let unknown = report(";;! gd = true\n(module)");
    let nan = "(module (func (export \"f\") (result i32)
            (i32.reinterpret_f32 (f32.add (f32.const nan) (f32.const -nan:0x200000)))))
        (assert_return (invoke \"f\") (i32.const 0x7fc00000))";
    let canonical = report(&format!(";;! nan_canonicalization = true\n{nan}"));
    let swapped = nan.replace("(f32.const nan) (f32.const -nan:0x200000)", "(f32.const -nan:0x200000) (f32.const nan)");
    let any = report(&format!("{nan}{}", swapped));
    let on = report(";;! threads = true\n(module (memory 1 1 shared))");
    let off = report(";;! gc = true\n(module (memory 1 1 shared))");
    std::fs::remove_file(&path).unwrap();
    assert!(unknown.to_string().contains("nothing is known of `gd`"), "{unknown}");
    assert_eq!((canonical.passed, canonical.failures.len()), (2, 0), "{canonical}");
    assert_eq!(any.failures.len(), 1, "one of both orders gives the other NaN: {any}");
    assert_eq!((on.passed, on.failures.len()), (1, 0), "{on}");
    assert!(off.to_string().contains("threads must be enabled"), "{off}");
}
