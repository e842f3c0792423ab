//! Modules that show what one side condition of the compiler is for.

use crate::backend::Setup;
use crate::generate::Generated;
use crate::observe::{Type, Value};
use lightbeam_compiler::fault::Fault;
use wasmtime::Collector;

/// A way out: what is left out, under which settings a module shows it, and what the verifier must say.
#[derive(Clone, Debug)]
pub struct Escape {
    /// The mend that is taken out.
    pub fault: Fault,
    /// The settings that it takes.
    pub setup: Setup,
    /// A module.
    pub wat: String,
    /// Some words of the verifier's.
    pub says: &'static str,
}

/// All of them.
#[must_use]
pub fn escapes() -> Vec<Escape> {
    let base = Setup::default();
    let moving = Setup { reservation: Some(0), guard: Some(0), ..base };
    let counting = Setup { collector: Collector::DeferredReferenceCounting, ..base };
    let new = |fault, setup, wat: String, says| Escape { fault, setup, wat, says };
    vec![
        new(Fault::AliasedGrowth, moving, aliased_growth(), "address without a known base"),
        new(Fault::TimesOne, base, times_one(), "access to a linear memory that is not known to be in bounds"),
        new(Fault::HeapBaseBehindBranch, base, heap_base_behind_branch(), "address without a known base"),
        new(Fault::ReleasedBeforeRead, base, released_before_read(), "access to the heap"),
        new(Fault::RestoreBeforeUnreachable, base, restore_before_unreachable(), "address without a known base"),
        new(Fault::PushBehindStub, counting, push_behind_stub(), "address without a known base"),
        new(Fault::ResumeBeforeUnreachable, base, resume_before_unreachable(), "number"),
        new(Fault::ReadAfterFrame, base, read_after_frame(), "argument that is no number"),
    ]
}

/// One memory has two names, and grows by the second.
fn aliased_growth() -> String {
    r#"(module
      (import "host" "memory" (memory $first 1 9))
      (import "host" "memory" (memory $second 1 9))
      (func (export "f") (param i32) (result i32)
        (i32.store8 $second offset=3 (local.get 0) (i32.const 1))
        (if (i32.eqz (memory.grow $second (i32.const 2))) (then (unreachable)))
        (i32.load16_u $first offset=2 (local.get 0))))"#
        .into()
}

/// A product that its left factor leaves as it is, of what a foreign function gives.
fn times_one() -> String {
    r#"(module
      (import "host" "number" (func $number (result i32)))
      (memory 1)
      (func (export "f") (result i32)
        (i32.load offset=4 (i32.mul (i32.const 1) (call $number)))))"#
        .into()
}

/// What the test of a reference needs is not had by the way on which that is null.
fn heap_base_behind_branch() -> String {
    let filled = "(i64.const -7)".repeat(6);
    format!(
        r#"(module
          (type $base (sub (struct (field (mut i32)))))
          (type $more (sub $base (struct (field (mut i32)) (field i32))))
          (func $fill (param i64 i64 i64 i64 i64 i64))
          (func (export "f") (param $p (ref null $base)) (param $q (ref null $base)) (param $n i32) (result i32)
            (local $sum i32) (local $step i32)
            (loop $again
              (local.set $sum (i32.add (local.get $sum) (local.get $step)))
              (local.set $step (i32.xor (local.get $step) (local.get $n)))
              (local.set $n (i32.sub (local.get $n) (i32.const 1)))
              (call $fill {filled})
              (br_if $again (local.get $n)))
            (drop (ref.test (ref $more) (local.get $p)))
            (struct.set $base 0 (local.get $q) (i32.const 3))
            (i32.add (struct.get $base 0 (local.get $q)) (i32.add (local.get $sum) (local.get $step)))))"#
    )
}

/// The home of a local that waits to be read is wanted for a field.
fn released_before_read() -> String {
    r#"(module
      (type $pair (struct (field (mut i64)) (field (mut i64))))
      (func $make (result (ref $pair)) (struct.new $pair (i64.const 1) (i64.const 2)))
      (func (export "f") (param i64) (result i64)
        (local.get 0)
        (struct.get $pair 1 (call $make))
        (local.set 0)
        (i64.sub (local.get 0))))"#
        .into()
}

/// An operator of two steps, the first a call, before `unreachable`.
fn restore_before_unreachable() -> String {
    let reads = "(drop (struct.get $s 0 (local.get $o)))".repeat(4);
    format!(
        r#"(module
          (type $s (struct (field (mut i32)) (field (mut funcref))))
          (elem declare func $g)
          (func $g)
          (func (export "f") (param $o (ref $s)) (param $function funcref)
            {reads}
            (struct.set $s 1 (local.get $o) (local.get $function))
            (unreachable)))"#
    )
}

/// A reference comes out of a global while the window of the stack is full, and what gives way for it is a function,
/// called later.
fn push_behind_stub() -> String {
    let numbers: String = (0..23).map(|n| format!("(i32.const {n}) ")).collect();
    let drops = "drop ".repeat(23);
    format!(
        r#"(module
          (type $box (struct (field (mut i32))))
          (type $f (func (result i32)))
          (table $t 1 1 (ref null $f))
          (global $g (mut (ref null $box)) (ref.null $box))
          (func (export "f") (result i32) (local $kept (ref null $box))
            (table.get $t (i32.const 0))
            {numbers}
            (global.get $g)
            (local.set $kept)
            {drops}
            (call_ref $f)))"#
    )
}

/// A loop whose only call comes right before `unreachable`, and goes on at a handler, behind which all locals of the
/// loop are read. There are so many that some are in registers that calls destroy, if the loop seems to call nothing.
fn loop_with_handler(types: &str, begin: &str, handled: &str) -> String {
    let each = |text: fn(usize) -> String| (0..9).map(text).collect::<String>();
    let locals = each(|n| format!("(local $v{n} i32)"));
    let sets = each(|n| format!("(local.set $v{n} (i32.mul (local.get $n) (i32.add (local.get $x) (i32.const {n}))))"));
    let uses = each(|n| format!("(local.set $x (i32.xor (i32.rotl (local.get $x) (i32.const 3)) (local.get $v{n})))"));
    format!(
        r#"(module
          {types}
          (func $nothing)
          (func (export "f") (param $n i32) (result i32)
            (local $k (ref null $stack)) (local $x i32) (local $a i32) (local $b i32) {locals}
            (loop $outer
              (local.set $b (i32.const 3))
              (loop $inner
                (call $nothing) (call $nothing) (call $nothing) (call $nothing)
                (local.set $x (i32.add (local.get $x) (i32.add (local.get $a) (local.get $b))))
                (br_if $inner (local.tee $b (i32.sub (local.get $b) (i32.const 1)))))
              (br_if $outer (i32.lt_u (local.tee $a (i32.add (local.get $a) (i32.const 1))) (i32.const 3))))
            {begin}
            (loop $again
              {sets}
              {handled}
              (local.set $x (i32.add (local.get $x)))
              {uses}
              (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (local.get $x)))"#
    )
}

/// Control comes back from another stack to a loop that seems to call nothing.
fn resume_before_unreachable() -> String {
    loop_with_handler(
        "(type $func (func)) (type $stack (cont $func)) (tag $asks (param i32))
        (func $suspends (type $func) (loop (suspend $asks (i32.const 7)) (br 0))) (elem declare func $suspends)",
        "(local.set $k (cont.new $stack (ref.func $suspends)))",
        "(block $asked (result i32 (ref $stack)) (resume $stack (on $asks $asked) (local.get $k)) (unreachable))
        (local.set $k)",
    )
}

/// The result of a block is a local of its own, and a call comes before that is read.
fn read_after_frame() -> String {
    r#"(module
      (func $nothing)
      (func (export "f") (param i64) (result i64) (local i64)
        (block (result i64) (local.tee 1 (i64.rotl (local.get 0) (i64.const 9))))
        (call $nothing)))"#
        .into()
}

/// Modules whose results depend on a side condition, each with what to call.
#[must_use]
pub fn conditions() -> Vec<(Fault, Setup, Generated)> {
    let base = Setup::default();
    let counting = Setup { collector: Collector::DeferredReferenceCounting, ..base };
    vec![
        (Fault::ElementFilled, base, element_filled()),
        (Fault::NullReference, Setup { signals: false, ..base }, null_reference()),
        (Fault::FlagsAtLabels, base, flags_at_labels()),
        (Fault::CountedReferences, counting, counted_references()),
        (Fault::FuelOfLargeAmounts, Setup { fuel: true, ..base }, fuel_of_large_amounts()),
    ]
}

fn element_filled() -> Generated {
    let mut module = Generated::new(
        "(table $t 3 funcref) (elem (table $t) (i32.const 0) func $one $two)
        (func $one (result i32) (i32.const 1)) (func $two (result i32) (i32.const 2))",
    );
    let rows = [1, 0, 2].map(|n| vec![Value::I32(n)]).to_vec();
    module.func("f", &[Type::I32], &[Type::I32], "(call_indirect $t (result i32) (local.get 0))", rows.clone());
    module.func("g", &[Type::I32], &[Type::I32], "(ref.is_null (table.get $t (local.get 0)))", rows);
    module
}

fn null_reference() -> Generated {
    let mut module = Generated::new("(table $t 3 funcref) (elem (table $t) (i32.const 0) func $one) (func $one)");
    let rows = [0, 1, 2, 3].map(|n| vec![Value::I32(n)]).to_vec();
    module.func("f", &[Type::I32], &[], "(call_indirect $t (local.get 0))", rows);
    module
}

/// At the end of a block flags are of what came by one way.
fn flags_at_labels() -> Generated {
    let mut module = Generated::new("");
    let body = "(local $x i32) (local $n i32)
      (local.set $x (local.get 1))
      (loop $again
        (block $out
          (br_if $out (local.get 0))
          (local.set $x (i32.and (local.get $x) (i32.const 6))))
        (if (local.get $x) (then (local.set $n (i32.add (local.get $n) (i32.const 1)))))
        (br_if $again (i32.lt_u (local.tee 0 (i32.sub (local.get 0) (i32.const 1))) (i32.const 9))))
      (i32.add (i32.shl (local.get $n) (i32.const 8)) (local.get $x))";
    let rows = [(0, 1), (1, 0), (3, 0), (4, 9), (0, 6), (1, 1), (2, 7)];
    let rows = rows.map(|(a, b)| vec![Value::I32(a), Value::I32(b)]).to_vec();
    module.func("f", &[Type::I32, Type::I32], &[Type::I32], body, rows);
    module
}

/// What only an object refers to lives as long as that does.
fn counted_references() -> Generated {
    let mut module = Generated::new(
        "(type $box (struct (field (mut i32))))
        (type $holder (struct (field (mut (ref null $box))) (field i32)))
        (type $filler (array i32))
        (global $kept (mut (ref null $holder)) (ref.null $holder))
        (func $make (param i32)
          (global.set $kept (struct.new $holder (struct.new $box (local.get 0)) (i32.const 5))))
        (func $churn (param i32)
          (loop $again
            (drop (array.new $filler (i32.const -1) (i32.const 500)))
            (drop (struct.new $box (i32.const -2)))
            (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))",
    );
    let body = "(call $make (local.get 0)) (call $churn (i32.const 2000))
      (i32.add (struct.get $holder 1 (global.get $kept))
        (struct.get $box 0 (struct.get $holder 0 (global.get $kept))))";
    module.func("f", &[Type::I32], &[Type::I32], body, vec![vec![Value::I32(70)], vec![Value::I32(71)]]);
    module
}

/// An amount of 64 bits is charged at most once, not as if it were negative.
fn fuel_of_large_amounts() -> Generated {
    let mut module = Generated::new("(memory $m i64 1) (table $t i64 1 9 funcref)");
    let body = "(drop (table.grow $t (ref.null func) (local.get 0)))
      (memory.fill $m (i64.const 0) (i32.const 1) (local.get 0))";
    let rows = [5, u64::MAX, 1 << 63, u64::MAX >> 1].map(|n| vec![Value::I64(n)]).to_vec();
    module.func("f", &[Type::I64], &[], body, rows);
    module
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::Rule;

    #[test]
    fn the_compilers_agree_on_what_shows_side_conditions() {
        for (fault, setup, module) in conditions() {
            let pair = setup.engine().unwrap();
            module.check(&pair, Rule::AnyNan).unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        }
    }
}
