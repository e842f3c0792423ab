//! Modules whose code has every kind of check, address and border.

use crate::generate::{bulk, control, exceptions, pressure, programs, traps};

/// A module that has a bit of everything, and nothing of objects.
pub const PLAIN: &str = r#"(module
  (type $unary (func (param i32) (result i32)))
  (type $many (func (param i32 i64 i32 i32 f64 i32 i32 i32 i64) (result i32 i64 f64 i32 i32 i32 i32 i32 i32 i32)))
  (import "host" "number" (func $host (param i32) (result i32)))
  (memory (export "memory") 1 4)
  (table $t (export "table") 5 20 funcref)
  (table $fixed 4 4 funcref)
  (elem (table $t) (i32.const 0) func $load $twice $counted)
  (elem (table $fixed) (i32.const 0) func $load $twice $counted $load)
  (elem $passive func $load $twice)
  (elem declare func $load $pointers)
  (data $segment "bytes of a segment that is not active")
  (data (i32.const 64) "\10\20\30\40\00\00\00\00\50")
  (global $g (export "global") (mut i32) (i32.const 16))
  (global $wide (mut i64) (i64.const 0x1_0000_0040))
  (global $f (mut (ref null $unary)) (ref.null $unary))

  (func $load (export "load") (param i32) (result i32)
    (i32.load offset=400 (local.get 0)))
  (func $twice (export "twice") (param i32) (result i32)
    (i32.add (i32.load (call $load (local.get 0))) (i32.load8_u offset=300 (call $host (local.get 0)))))
  (func $narrowed (export "narrowed") (param i64) (result i64)
    (i64.load offset=200 (i32.wrap_i64 (i64.mul (local.get 0) (i64.const 3)))))
  (func $narrowed_argument (export "narrowed_argument") (param i64) (result i32)
    (call $load (i32.wrap_i64 (i64.shl (local.get 0) (i64.const 5)))))
  (func (export "stores") (param i32 i64 f32)
    (i32.store offset=160 (local.get 0) (local.get 0))
    (i64.store offset=1000 (i32.add (local.get 0) (i32.const 8)) (local.get 1))
    (f32.store offset=33000000 (i32.shl (local.get 0) (i32.const 2)) (local.get 2))
    (f32.store (i32.const 128) (local.get 2))
    (i32.store8 offset=65535 (i32.const 1) (local.get 0)))
  (func $indirect (export "indirect") (param i32 i32) (result i32)
    (i32.add
      (call_indirect $t (type $unary) (local.get 0) (local.get 1))
      (call_indirect $fixed (type $unary) (local.get 0) (i32.and (local.get 1) (i32.const 7)))))
  (func (export "indirect_fixed") (param i32 i32) (result i32)
    (call_indirect $fixed (type $unary) (local.get 0) (local.get 1)))
  (func (export "through") (param i32) (result i32)
    (return_call_indirect $t (type $unary) (i32.const 4) (local.get 0)))
  (func $pointers (export "pointers") (param i32) (result i32)
    (global.set $f (ref.func $load))
    (call_ref $unary (local.get 0) (global.get $f)))
  (func (export "tables") (param i32 i32) (result i32)
    (table.set $t (local.get 0) (table.get $t (local.get 1)))
    (table.set $t (i32.wrap_i64 (global.get $wide)) (ref.func $pointers))
    (drop (table.grow $t (ref.null func) (i32.const 1)))
    (i32.add (table.size $t) (ref.is_null (table.get $t (local.get 0)))))
  (func (export "times") (param i32) (result i32)
    (i32.load (i32.mul (i32.const 1) (call $host (local.get 0)))))
  (func (export "kept") (param i32 i32) (result i32)
    (local i32 i32 i32 i32 i32 i32)
    (local.set 2 (i32.const 3)) (local.set 3 (i32.const 4)) (local.set 4 (i32.const 5)) (local.set 5 (i32.const 6))
    (loop $again
      (local.set 2 (i32.add (local.get 3) (local.get 4)))
      (local.set 3 (i32.add (local.get 5) (local.get 2)))
      (local.set 4 (call $host (local.get 0)))
      (local.set 5 (i32.add (local.get 4) (local.get 3)))
      (br_if $again (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))
    (local.set 6 (call $host (local.get 2)))
    (i32.add (i32.load offset=8 (local.get 6)) (i32.add (local.get 5) (local.get 6))))
  (func (export "switch") (param i32) (result i32)
    (block $a (block $b (block $c (block $d (block $e
      (br_table $a $b $c $d $e $c (local.get 0)))
      (return (i32.const 5)))
      (return (i32.const 4)))
      (return (i32.load (local.get 0))))
      (return (i32.const 2)))
    (i32.const 1))
  (func (export "moves") (param i32 i32 i32)
    (memory.copy (local.get 0) (local.get 1) (local.get 2))
    (memory.fill (local.get 1) (i32.const 7) (i32.and (local.get 2) (i32.const 255)))
    (memory.init $segment (local.get 0) (i32.const 3) (i32.const 9))
    (table.copy $t $t (i32.const 0) (local.get 1) (i32.const 2))
    (table.init $t $passive (i32.const 1) (i32.const 0) (local.get 2))
    (data.drop $segment))
  (func (export "grows") (param i32) (result i32)
    (local i32)
    (local.set 1 (memory.grow (i32.const 1)))
    (i32.store (local.get 0) (i32.load offset=140 (local.get 1)))
    (i32.add (memory.size) (i32.load (local.get 0))))
  (func (export "null") (param i32) (result i32)
    (local (ref null $unary))
    (local.set 1 (select (result (ref null $unary)) (ref.null $unary) (global.get $f) (local.get 0)))
    (i32.add (call_ref $unary (local.get 0) (local.get 1)) (call_ref $unary (local.get 0) (ref.as_non_null (local.get 1)))))
  (func $counted (export "counted") (param i32) (result i32)
    (local i32 i32 i32 i64)
    (local.set 1 (i32.const 10))
    (loop $again
      (local.set 2 (i32.add (local.get 2) (call $load (local.get 1))))
      (local.set 3 (i32.xor (local.get 3) (i32.load16_u (i32.and (local.get 2) (i32.const 0xfff)))))
      (local.set 4 (i64.add (local.get 4) (i64.extend_i32_u (local.get 3))))
      (br_if $again (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))
    (i32.add (i32.add (local.get 2) (local.get 3)) (i32.add (local.get 0) (i32.wrap_i64 (local.get 4)))))
  (func $many (export "many") (type $many)
    (i32.load (local.get 7)) (i64.load offset=150 (local.get 6)) (local.get 4) (local.get 0) (local.get 2)
    (local.get 3) (local.get 5) (local.get 6) (i32.wrap_i64 (local.get 8)) (call $load (local.get 2)))
  (func (export "calls_many") (param i32 i32) (result i32)
    (local i32)
    (call $many (local.get 0) (i64.const 2) (local.get 1) (call $load (local.get 0)) (f64.const 1) (local.get 0)
      (i32.const 12) (local.get 1) (i64.const 9))
    (local.set 2) (drop) (drop) (drop) (drop) (drop) (drop) (drop) (drop) (drop)
    (i32.add (local.get 2) (i32.load (local.get 2))))
  (func (export "select") (param i32 i32 i64) (result i64)
    (i64.add
      (i64.load (select (local.get 0) (i32.wrap_i64 (local.get 2)) (local.get 1)))
      (i64.div_u (local.get 2) (i64.extend_i32_s (i32.load offset=132 (i32.rotl (local.get 1) (i32.const 3)))))))
  (func (export "deep") (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.add (local.get 0) (call $indirect (i32.const 3) (i32.rem_u (local.get 0) (i32.const 6)))))
      (else (global.set $g (i32.load (global.get $g))) (global.get $g))))
  (func (export "vectors") (param i32 i32) (result i32)
    (v128.store offset=144 (local.get 0)
      (i32x4.add (v128.load (local.get 1)) (v128.load32_splat offset=136 (local.get 0))))
    (i32x4.extract_lane 2 (v128.load (i32.const 32)))))"#;

/// Memories and tables of 64 bits, several memories, memories that are shared.
pub const WIDE: &str = r#"(module
  (memory $a (export "a") i64 1 3)
  (memory $b (export "b") 1 3)
  (table $t i64 4 funcref)
  (type $unary (func (param i64) (result i64)))
  (elem (table $t) (i64.const 0) func $load $load)
  (func $load (export "load") (param i64) (result i64)
    (i64.load $a offset=144 (local.get 0)))
  (func (export "far") (param i64) (result i64)
    (i64.load $a offset=0x1_0000_0000 (local.get 0)))
  (func (export "other") (param i32 i32) (result i32)
    (i32.store $b offset=140 (local.get 0) (i32.load $b (local.get 1)))
    (i32.load8_u $b (i32.add (local.get 0) (local.get 1))))
  (func (export "indirect") (param i64 i64) (result i64)
    (call_indirect $t (type $unary) (local.get 0) (local.get 1)))
  (func (export "grow") (param i64) (result i64)
    (drop (memory.grow $a (i64.const 1))) (drop (memory.grow $b (i32.const 1)))
    (memory.fill $a (local.get 0) (i32.const 1) (i64.const 16))
    (memory.copy $a $b (local.get 0) (i32.const 8) (i32.const 16))
    (i64.load $a (local.get 0))))"#;

/// Objects and arrays, exceptions, casts.
pub const OBJECTS: &str = r#"(module
  (type $pair (struct (field (mut i32)) (field (mut (ref null $pair)))))
  (type $bytes (array (mut i8)))
  (type $unary (func (param i32) (result i32)))
  (type $holder (struct (field (ref null $unary))))
  (tag $tag (param i32))
  (table $t 4 anyref)
  (elem declare func $f)
  (func $f (param i32) (result i32) (local.get 0))
  (func $make (export "make") (param i32) (result (ref $pair))
    (struct.new $pair (local.get 0) (struct.new $pair (i32.const 1) (ref.null $pair))))
  (func (export "sets") (param i32)
    (struct.set $pair 0 (call $make (local.get 0)) (i32.const 3)))
  (func (export "gets") (param i32) (result i32)
    (i32.add (struct.get $pair 0 (call $make (i32.const 1)))
      (struct.get $pair 0 (struct.get $pair 1 (call $make (local.get 0))))))
  (func (export "array") (param i32 i32) (result i32)
    (local (ref null $bytes))
    (local.set 2 (array.new $bytes (i32.const 5) (i32.const 40)))
    (array.set $bytes (local.get 2) (local.get 0) (local.get 1))
    (array.fill $bytes (local.get 2) (local.get 0) (i32.const 3) (local.get 1))
    (i32.add (array.get_u $bytes (local.get 2) (local.get 1)) (array.len (local.get 2))))
  (func (export "cast") (param i32 i32) (result i32)
    (table.set $t (local.get 0) (call $make (local.get 0)))
    (struct.get $pair 0 (ref.cast (ref $pair) (table.get $t (local.get 1)))))
  (func (export "held") (param i32) (result i32)
    (call_ref $unary (local.get 0) (struct.get $holder 0 (struct.new $holder (ref.func $f)))))
  (func $throws (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (throw $tag (i32.const 7)))) (local.get 0))
  (func (export "catches") (param i32) (result i32)
    (local (ref null $pair))
    (local.set 1 (call $make (local.get 0)))
    (block $caught (result i32)
      (try_table (result i32) (catch $tag $caught)
        (call $throws (local.get 0))))
    (i32.add (struct.get $pair 0 (local.get 1)))))"#;

/// What mutants are made of: a name, the module, and whether it is one whose mutants are to be executed. Where the
/// collector's heap is, a wrong value in it may end the process, as the host says that it is corrupt; that is no way
/// out of the sandbox.
#[must_use]
pub fn all(seeds: u64) -> Vec<(String, Vec<u8>, bool)> {
    let encode = |wat: &str| wat::parse_str(wat).expect("the text is a module");
    let mut modules = vec![
        ("plain".to_string(), encode(PLAIN), true),
        ("wide".to_string(), encode(WIDE), true),
        ("objects".to_string(), encode(OBJECTS), false),
    ];
    for seed in 0..seeds {
        modules.push((format!("control/{seed}"), control::module(seed, 60).wasm(), true));
        modules.push((format!("pressure/{seed}"), pressure::module(seed, 40).wasm(), true));
        modules.push((format!("programs/{seed}"), programs::module(seed, 3).wasm(), true));
        modules.push((format!("exceptions/{seed}"), exceptions::module(seed, 40).wasm(), false));
    }
    if seeds > 0 {
        modules.push(("traps".to_string(), traps::module().wasm(), true));
        modules.push(("bulk".to_string(), bulk::module().wasm(), true));
    }
    modules
}
