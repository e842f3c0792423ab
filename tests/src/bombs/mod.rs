//! Compile bombs: small valid modules, growing with `n`, on which compilers of one kind or another take more than
//! linear time, memory or output. What must hold for each is that doubling `n` about doubles the cost.

mod components;
mod exceptions;
mod functions;
mod last;
mod modules;
mod references;
mod vectors;

use wasm_encoder::{
    CodeSection, ConstExpr, ElementSection, Elements, EntityType, ExportKind, ExportSection, Function, FunctionSection,
    GlobalSection, GlobalType, ImportSection, MemorySection, MemoryType, Module, RefType, TableSection, TableType,
    TypeSection, ValType,
};

pub use components::{COMPONENTS, COMPONENTS_OUT_OF_PROPORTION};

/// A family of modules, or of components.
#[derive(Clone, Copy, Debug)]
pub struct Bomb {
    /// A short name: the shape, not the victim.
    pub name: &'static str,
    /// The module, or component, of size `n`.
    pub make: fn(usize) -> Vec<u8>,
    /// A size that takes measurable time; twice as much is within every limit.
    pub n: usize,
}

/// All families within the supported features.
pub fn bombs() -> impl Iterator<Item = &'static Bomb> {
    let families = [CLASSIC, exceptions::BOMBS, functions::BOMBS, modules::BOMBS, references::BOMBS, vectors::BOMBS];
    families.into_iter().flatten()
}

/// What output of a shape may grow by when its `n` doubles: for a shape of n by n, whose input grows fourfold, the same
/// in proportion.
#[must_use]
pub fn allowed(limit: f64, wasm: usize, wasm_of_double: usize) -> f64 {
    limit * (wasm_of_double as f64 / wasm as f64 / 2.0).max(1.0)
}

/// The module with its last function cut short, or without functions its last section: everything before that very end
/// is as it was.
#[must_use]
pub fn invalid(mut wasm: Vec<u8>) -> Vec<u8> {
    let bodies = wasmparser::Parser::new(0).parse_all(&wasm).filter_map(|payload| match payload {
        Ok(wasmparser::Payload::CodeSectionEntry(body)) => Some(body.range().end),
        _ => None,
    });
    let end = bodies.last().unwrap_or(wasm.len());
    wasm[end - 1] = 0x6a;
    wasm
}

/// Shapes that have broken other compilers.
const CLASSIC: &[Bomb] = &[
    Bomb { name: "locals-and-blocks", make: |n| locals(n, &BLOCK), n: 20_000 },
    Bomb { name: "locals-and-ifs", make: |n| locals(n, &IF), n: 20_000 },
    Bomb { name: "locals-and-branches", make: |n| locals(n, &BRANCH), n: 20_000 },
    Bomb { name: "touched-locals-and-branches", make: touched_locals, n: 20_000 },
    Bomb { name: "operands-and-ifs", make: |n| operands(n, &GET_0, &IF), n: 20_000 },
    Bomb { name: "operands-and-branches", make: |n| operands(n, &GET_0, &BRANCH), n: 20_000 },
    Bomb { name: "constants-and-blocks", make: |n| operands(n, &ZERO, &BLOCK), n: 20_000 },
    Bomb { name: "constants-and-branches", make: |n| operands(n, &ZERO, &[0x20, 0, 0x0d, 0]), n: 20_000 },
    Bomb { name: "pending-constants-and-sets", make: |n| operands(n, &ZERO, &[0x41, 0, 0x21, 0]), n: 20_000 },
    Bomb { name: "pending-reads-and-sets", make: |n| operands(n, &[0x20, 1], &[0x41, 0, 0x21, 0]), n: 20_000 },
    Bomb { name: "references-and-calls", make: references, n: 20_000 },
    Bomb { name: "br_table-entries", make: table_entries, n: 25_000 },
    Bomb { name: "br_table-rows", make: |n| table_rows(n, n), n: 300 },
    Bomb {
        name: "chain-of-blocks",
        make: |n| repeat(&[], &[0x02, 0x40, 0x41, 1, 0x20, 0, 0x6a, 0x21, 0, 0x0b], n, &[]),
        n: 20_000,
    },
    Bomb { name: "empty-loops", make: |n| repeat(&[], &[0x03, 0x40, 0x0b], n, &[]), n: 20_000 },
    Bomb { name: "nested-loops", make: |n| nested(&[0x03, 0x40], n), n: 20_000 },
    Bomb { name: "nested-blocks", make: |n| nested(&[0x02, 0x40], n), n: 100_000 },
    Bomb { name: "nested-ifs", make: |n| nested(&[0x20, 0, 0x04, 0x40], n), n: 50_000 },
    Bomb { name: "nested-elses", make: nested_elses, n: 50_000 },
    Bomb { name: "results-and-branches", make: |n| results(100, n, false), n: 125 },
    Bomb { name: "results-and-sliding-branches", make: |n| results(100, n, true), n: 125 },
    Bomb { name: "wide-calls", make: |n| wide_calls(40, n), n: 200 },
    Bomb { name: "wide-blocks", make: wide_blocks, n: 2_000 },
    Bomb { name: "locals-without-bodies", make: |n| many_functions(n, 50_000, &[]), n: 10_000 },
    Bomb { name: "locals-in-runs", make: locals_in_runs, n: 20_000 },
    Bomb { name: "one-touched-local", make: |n| many_functions(n, 50_000, &[0x41, 1, 0x21, 0xce, 0x86, 3]), n: 2_000 },
    Bomb { name: "empty-functions", make: |n| many_functions(n, 0, &[]), n: 20_000 },
    Bomb { name: "calls-to-the-last", make: calls_to_the_last, n: 20_000 },
    Bomb { name: "functions-of-calls", make: |n| functions_of_calls(n, n), n: 150 },
    Bomb { name: "branches-to-one-label", make: branches_to_one_label, n: 20_000 },
    Bomb { name: "one-tree", make: one_tree, n: 20_000 },
    Bomb { name: "tee-chain", make: |n| valued(&[0x20, 0], &[0x22, 0, 0x20, 0, 0x6a], n), n: 20_000 },
    Bomb { name: "remainders", make: |n| repeat(&[0x20, 0], &[0x41, 7, 0x6f], n, &[0x1a]), n: 20_000 },
    Bomb { name: "null-elements", make: null_elements, n: 50_000 },
    Bomb { name: "loads", make: |n| repeat(&[], &[0x20, 0, 0x28, 2, 0, 0x1a], n, &[]), n: 20_000 },
    Bomb { name: "divisions", make: |n| repeat(&[], &[0x20, 0, 0x20, 0, 0x6d, 0x1a], n, &[]), n: 20_000 },
    Bomb {
        name: "fills",
        make: |n| repeat(&[], &[0x20, 0, 0x41, 0, 0x41, 0x80, 0x80, 8, 0xfc, 0x0b, 0], n, &[]),
        n: 20_000,
    },
    Bomb {
        name: "small-fills",
        make: |n| repeat(&[], &[0x20, 0, 0x41, 0, 0x41, 63, 0xfc, 0x0b, 0], n, &[]),
        n: 20_000,
    },
    Bomb { name: "dead-code", make: |n| repeat(&[0x0f], &[0x6a, 0x1a], n, &[]), n: 100_000 },
    Bomb { name: "sets-in-loops", make: |n| repeat(&[], &[0x03, 0x40, 0x20, 0, 0x21, 0, 0x0b], n, &[]), n: 20_000 },
];

/// Beyond doubling: modules near the limits of engines, to be compiled once.
pub const EXTREMES: &[Bomb] = &[
    Bomb { name: "120,000 empty functions", make: |n| many_functions(n, 0, &[]), n: 120_000 },
    Bomb { name: "50,000 locals", make: |n| locals(n - 1, &BRANCH), n: 50_000 },
    Bomb { name: "50,000 locals, each touched", make: |n| touched_locals(n - 1), n: 50_000 },
    Bomb { name: "br_tables of 300,000 entries in all", make: |n| table_rows(n / 300, 300), n: 300_000 },
    Bomb { name: "a br_table of 65,000 entries", make: table_entries, n: 65_000 },
    Bomb { name: "1 MB of vector constants", make: vectors::constants, n: 42_000 },
    Bomb { name: "49,999 vectors as locals, each touched", make: vectors::locals, n: 49_999 },
    Bomb { name: "400,000 nested blocks", make: |n| nested(&[0x02, 0x40], n), n: 400_000 },
    Bomb { name: "200,000 nested ifs", make: |n| nested(&[0x20, 0, 0x04, 0x40], n), n: 200_000 },
];

/// Modules whose code would be out of all proportion, to be refused.
pub fn out_of_proportion() -> impl Iterator<Item = &'static Bomb> {
    DISPROPORTIONATE.iter().chain(exceptions::OUT_OF_PROPORTION)
}

/// Those of calls, branches and entries.
const DISPROPORTIONATE: &[Bomb] = &[
    Bomb { name: "1,000 arguments and results, 1,000 times", make: |n| wide_calls(n, n), n: 1_000 },
    Bomb { name: "1,000 results shifted at 1,000 branches", make: |n| results(n, n, false), n: 1_000 },
    Bomb { name: "1,000 results shifted at 1,000 branches, each elsewhere", make: |n| results(n, n, true), n: 1_000 },
    Bomb { name: "calls for 1,000 results in 10,000 functions", make: functions::calls_for_wide_results, n: 10_000 },
    Bomb { name: "400 exports of 1,000 arguments and results", make: functions::wide_exports, n: 400 },
    Bomb { name: "values: 1,000 results of each call that nobody takes", make: functions::stacked_results, n: 4_000 },
    Bomb { name: "values: the same where nothing is emitted", make: functions::stacked_dead_results, n: 4_000 },
];

const BLOCK: [u8; 3] = [0x02, 0x40, 0x0b];
const IF: [u8; 5] = [0x20, 0, 0x04, 0x40, 0x0b];
const BRANCH: [u8; 7] = [0x02, 0x40, 0x20, 0, 0x0d, 0, 0x0b];
const GET_0: [u8; 2] = [0x20, 0];
const ZERO: [u8; 2] = [0x41, 0];
const RETURN: u8 = 0x0f;
const END: u8 = 0x0b;

/// An unsigned number as wasm spells it.
fn uleb(mut value: usize, code: &mut Vec<u8>) {
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            return code.push(byte);
        }
        code.push(byte | 0x80);
    }
}

struct Parts {
    types: TypeSection,
    funcs: FunctionSection,
    code: CodeSection,
}

impl Parts {
    fn new() -> Parts {
        Parts { types: TypeSection::new(), funcs: FunctionSection::new(), code: CodeSection::new() }
    }

    fn ty(&mut self, params: &[ValType], results: &[ValType]) -> u32 {
        self.types.ty().function(params.iter().copied(), results.iter().copied());
        self.types.len() - 1
    }

    /// A function of a type; `code` is without the last `end`.
    fn func(&mut self, ty: u32, locals: &[(u32, ValType)], code: &[u8]) {
        self.funcs.function(ty);
        let mut function = Function::new(locals.iter().copied());
        function.raw(code.iter().copied().chain([END]));
        self.code.function(&function);
    }

    /// With one memory, and the first functions exported under their numbers.
    fn finish_exporting(&self, functions: u32) -> Vec<u8> {
        let mut exports = ExportSection::new();
        for index in 0..functions {
            exports.export(&index.to_string(), ExportKind::Func, index);
        }
        self.finish_with(&exports)
    }

    /// With one memory, and function `export` exported as `f`.
    fn finish(&self, export: u32) -> Vec<u8> {
        let mut exports = ExportSection::new();
        exports.export("f", ExportKind::Func, export);
        self.finish_with(&exports)
    }

    fn finish_with(&self, exports: &ExportSection) -> Vec<u8> {
        let mut memories = MemorySection::new();
        memories.memory(MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None });
        let mut module = Module::new();
        module.section(&self.types).section(&self.funcs).section(&memories).section(exports).section(&self.code);
        module.finish()
    }
}

/// One function `[i32] -> []` with some locals.
fn single(locals: &[(u32, ValType)], code: &[u8]) -> Vec<u8> {
    let mut parts = Parts::new();
    let ty = parts.ty(&[ValType::I32], &[]);
    parts.func(ty, locals, code);
    parts.finish(0)
}

fn repeat(before: &[u8], unit: &[u8], n: usize, after: &[u8]) -> Vec<u8> {
    single(&[], &[before, &unit.repeat(n), after].concat())
}

/// One function `[i32] -> [i32]`.
fn valued(before: &[u8], unit: &[u8], n: usize) -> Vec<u8> {
    let mut parts = Parts::new();
    let ty = parts.ty(&[ValType::I32], &[ValType::I32]);
    parts.func(ty, &[], &[before, &unit.repeat(n)].concat());
    parts.finish(0)
}

fn locals(n: usize, unit: &[u8]) -> Vec<u8> {
    single(&[(n as u32, ValType::I32)], &unit.repeat(n))
}

fn touched_locals(n: usize) -> Vec<u8> {
    let mut code = Vec::new();
    for local in 0..n {
        code.extend([0x20, 0, 0x21]);
        uleb(local + 1, &mut code);
    }
    code.extend(BRANCH.repeat(n));
    single(&[(n as u32, ValType::I32)], &code)
}

/// `push` and then `unit`, both `n` times; what is left on the stack is returned past.
fn operands(n: usize, push: &[u8], unit: &[u8]) -> Vec<u8> {
    single(&[(1, ValType::I32)], &[push.repeat(n), unit.repeat(n), vec![RETURN]].concat())
}

/// Many live references under many calls.
fn references(n: usize) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], [ValType::FUNCREF]);
    types.ty().function([], []);
    types.ty().function([ValType::FUNCREF], []);
    let mut imports = ImportSection::new();
    imports.import("", "make", EntityType::Function(0));
    imports.import("", "nothing", EntityType::Function(1));
    imports.import("", "take", EntityType::Function(2));
    let mut funcs = FunctionSection::new();
    funcs.function(1);
    let mut function = Function::new([]);
    function.raw([[0x10, 0].repeat(n), [0x10, 1].repeat(n), [0x10, 2].repeat(n), vec![END]].concat());
    let mut code = CodeSection::new();
    code.function(&function);
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&funcs).section(&code);
    module.finish()
}

fn table_entries(n: usize) -> Vec<u8> {
    let mut code = vec![0x02, 0x40, 0x02, 0x40, 0x02, 0x40, 0x20, 0, 0x0e];
    uleb(n / 3 * 3, &mut code);
    code.extend([0, 1, 2].repeat(n / 3));
    code.extend([2, END, END, END]);
    single(&[], &code)
}

/// `rows` tables over `depth` blocks.
fn table_rows(rows: usize, depth: usize) -> Vec<u8> {
    let mut code = [0x02, 0x40].repeat(depth);
    for _ in 0..rows {
        code.extend([0x02, 0x40, 0x20, 0, 0x0e]);
        uleb(depth, &mut code);
        (0..=depth).for_each(|d| uleb(d, &mut code));
        code.push(END);
    }
    code.extend(vec![END; depth]);
    single(&[], &code)
}

fn nested(unit: &[u8], n: usize) -> Vec<u8> {
    single(&[], &[unit.repeat(n), vec![END; n]].concat())
}

fn nested_elses(n: usize) -> Vec<u8> {
    nested(&[0x20, 0, 0x04, 0x40, 0x05], n)
}

/// Some results and `n` branches: a taken edge shifts all results by one slot.
fn results(count: usize, n: usize, sliding: bool) -> Vec<u8> {
    let mut parts = Parts::new();
    let all = vec![ValType::I32; count];
    let ty = parts.ty(&[ValType::I32], &all);
    let block = parts.ty(&[], &all);
    let mut code = vec![0x02];
    uleb(block as usize, &mut code);
    code.extend([0x41, 7]);
    code.extend(ZERO.repeat(count));
    // Sliding, each branch carries another window of the stack.
    let unit: &[u8] = if sliding { &[0x41, 0, 0x20, 0, 0x0d, 0, 0x1a] } else { &[0x20, 0, 0x0d, 0] };
    code.extend(unit.repeat(n));
    code.extend([0x0c, 0, END]);
    parts.func(ty, &[], &code);
    parts.finish(0)
}

/// Some arguments and results, passed on `n` times.
fn wide_calls(count: usize, n: usize) -> Vec<u8> {
    let mut parts = Parts::new();
    let all = vec![ValType::I32; count];
    let wide = parts.ty(&all, &all);
    let plain = parts.ty(&[ValType::I32], &[]);
    let mut gets = Vec::new();
    for local in 0..count {
        gets.push(0x20);
        uleb(local, &mut gets);
    }
    parts.func(wide, &[], &gets);
    parts.func(plain, &[], &[ZERO.repeat(count), [0x10, 0].repeat(n), vec![RETURN]].concat());
    parts.finish(1)
}

fn wide_blocks(n: usize) -> Vec<u8> {
    let mut parts = Parts::new();
    let all = vec![ValType::I32; 1000];
    let wide = parts.ty(&all, &all);
    let mut code = Vec::new();
    for local in 0..1000 {
        code.push(0x20);
        uleb(local, &mut code);
    }
    for _ in 0..n {
        code.push(0x02);
        uleb(wide as usize, &mut code);
        code.push(END);
    }
    parts.func(wide, &[], &code);
    parts.finish(0)
}

/// Declared one by one, each of another type than the one before.
fn locals_in_runs(n: usize) -> Vec<u8> {
    let types = [ValType::I32, ValType::F64];
    let locals: Vec<_> = (0..n).map(|i| (1, types[i % 2])).collect();
    single(&locals, &[0x20, 0, 0x21, 1])
}

fn many_functions(n: usize, locals: u32, code: &[u8]) -> Vec<u8> {
    let mut parts = Parts::new();
    let ty = parts.ty(&[], &[]);
    for _ in 0..n {
        let declared = [(locals, ValType::I32)];
        parts.func(ty, if locals == 0 { &[] } else { &declared }, code);
    }
    parts.finish(0)
}

fn calls_to_the_last(n: usize) -> Vec<u8> {
    functions_of_calls(20, n / 20)
}

/// Functions that each call the last one so often.
fn functions_of_calls(functions: usize, calls: usize) -> Vec<u8> {
    let mut parts = Parts::new();
    let ty = parts.ty(&[], &[]);
    let mut call = vec![0x10];
    uleb(functions, &mut call);
    for _ in 0..functions {
        parts.func(ty, &[], &call.repeat(calls));
    }
    parts.func(ty, &[], &[]);
    parts.finish(0)
}

fn branches_to_one_label(n: usize) -> Vec<u8> {
    repeat(&[0x02, 0x40], &[0x20, 0, 0x0d, 0], n, &[END])
}

fn one_tree(n: usize) -> Vec<u8> {
    let mut parts = Parts::new();
    let ty = parts.ty(&[ValType::I32], &[ValType::I32]);
    parts.func(ty, &[], &[GET_0.repeat(n + 1), vec![0x6a; n]].concat());
    parts.finish(0)
}

/// A table filled with nulls, expression by expression.
fn null_elements(n: usize) -> Vec<u8> {
    let mut tables = TableSection::new();
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        minimum: n as u64,
        maximum: None,
        table64: false,
        shared: false,
    });
    let nulls = vec![ConstExpr::ref_null(wasm_encoder::HeapType::FUNC); n];
    let mut elements = ElementSection::new();
    elements.active(Some(0), &ConstExpr::i32_const(0), Elements::Expressions(RefType::FUNCREF, nulls.into()));
    let mut globals = GlobalSection::new();
    globals.global(GlobalType { val_type: ValType::I32, mutable: true, shared: false }, &ConstExpr::i32_const(0));
    let mut module = Module::new();
    module.section(&tables).section(&globals).section(&elements);
    module.finish()
}
