//! Bombs of stack switching, which need a feature that no other family does: operators by the number, lists of
//! handlers, and values by the thousand that cross between stacks.

use crate::bombs::Bomb;

/// Families whose cost must double when they do.
pub const STACK_BOMBS: &[Bomb] = &[
    Bomb { name: "resumes-in-a-row", make: |n| resumes(n, 1, 0), n: 10_000 },
    Bomb { name: "resumes-without-handlers", make: |n| resumes(n, 0, 0), n: 10_000 },
    Bomb { name: "resumes-with-lists", make: |n| resumes(n, 100, 0), n: 200 },
    Bomb { name: "handlers-in-one-list", make: |n| resumes(1, n, 0), n: 4_000 },
    Bomb { name: "handlers-of-many-values", make: |n| resumes(n, 2, 20), n: 250 },
    Bomb { name: "handlers-of-all-blocks", make: all_blocks, n: 1_000 },
    Bomb { name: "suspensions", make: |n| suspensions(n, 0), n: 10_000 },
    Bomb { name: "suspensions-with-many-values", make: |n| suspensions(n, 1_000), n: 20 },
    Bomb { name: "switches", make: |n| repeat(n, "(drop (switch $cs $t (ref.null $cs)))"), n: 10_000 },
    Bomb {
        name: "bindings",
        make: |n| repeat(n, "(drop (cont.bind $ci $ct (i32.const 1) (ref.null $ci)))"),
        n: 10_000,
    },
    Bomb { name: "continuations-made", make: |n| repeat(n, "(drop (cont.new $ct (ref.null $ft)))"), n: 10_000 },
    Bomb { name: "exceptions-into-stacks", make: |n| repeat(n, "(resume_throw $ct $t (ref.null $ct))"), n: 2_000 },
    Bomb { name: "references-to-continuations", make: |n| wide_calls(n, 40), n: 200 },
    Bomb { name: "live-continuations-and-resumes", make: live, n: 10_000 },
    Bomb { name: "more-references-at-each-resume", make: more_references, n: 4_000 },
];

/// What gives far more code than wasm, to be refused.
pub const STACK_BOMBS_OUT_OF_PROPORTION: &[Bomb] = &[
    Bomb { name: "1,000 handlers of 999 values", make: |n| resumes(1, n, 999), n: 1_000 },
    Bomb { name: "lists of 1,000 handlers of 500 values", make: |n| resumes(10, n, 500), n: 1_000 },
];

const HEAD: &str = "(type $ft (func)) (type $ct (cont $ft)) (type $fi (func (param i32))) (type $ci (cont $fi))
    (rec (type $fs (func (param (ref null $cs)))) (type $cs (cont $fs))) (tag $t)";

fn module(fields: &str) -> Vec<u8> {
    wat::parse_str(format!("(module {HEAD} {fields})")).unwrap_or_else(|error| panic!("bombs are text: {error}"))
}

fn repeat(n: usize, text: &str) -> Vec<u8> {
    module(&format!("(func {})", text.repeat(n)))
}

/// `n` resumptions, each with a list of so many handlers, which get so many values.
fn resumes(n: usize, handlers: usize, values: usize) -> Vec<u8> {
    let values_of = "i32 ".repeat(values);
    let list = "(on $v $h) ".repeat(handlers);
    let unused = "i32.const 0 ".repeat(values);
    let one = format!(
        "(block $h (type $label) (resume $ct {list} (ref.null $ct)) {unused} (ref.null $ct)) {}",
        "drop ".repeat(values + 1)
    );
    module(&format!(
        "(type $label (func (result {values_of} (ref null $ct)))) (tag $v (param {values_of})) (func {})",
        one.repeat(n)
    ))
}

/// A resumption with a handler for each of the blocks around it.
fn all_blocks(n: usize) -> Vec<u8> {
    let open = "(block (result (ref null $ct)) ".repeat(n);
    let list: String = (0..n).map(|depth| format!("(on $t {depth}) ")).collect();
    let close = ") drop (ref.null $ct)".repeat(n);
    module(&format!("(func {open} (resume $ct {list} (ref.null $ct)) (ref.null $ct) {close} drop)"))
}

fn suspensions(n: usize, values: usize) -> Vec<u8> {
    let types = "i32 ".repeat(values);
    let one = format!("{} (suspend $v) {}", "i32.const 1 ".repeat(values), "drop ".repeat(values));
    module(&format!("(tag $v (param {types}) (result {types})) (func {})", one.repeat(n)))
}

/// Calls through references of functions that take and give continuations.
fn wide_calls(n: usize, width: usize) -> Vec<u8> {
    let types = "(ref null $ct) ".repeat(width);
    let one =
        format!("{} (call_ref $wide (ref.null $wide)) {}", "(ref.null $ct) ".repeat(width), "drop ".repeat(width));
    module(&format!("(type $wide (func (param {types}) (result {types}))) (func {})", one.repeat(n)))
}

/// Continuations that live across all resumptions.
fn live(n: usize) -> Vec<u8> {
    let gets = "(local.get 0) ".repeat(n);
    let resumes = "(resume $ct (local.get 0)) ".repeat(n);
    module(&format!("(func (param (ref null $ct)) {gets} {resumes} {})", "drop ".repeat(n)))
}

/// Other references live across each resumption.
fn more_references(n: usize) -> Vec<u8> {
    let one = "(local.get 0) (resume $ct (ref.null $ct)) ";
    module(&format!("(func (param externref) {} {})", one.repeat(n), "drop ".repeat(n)))
}
