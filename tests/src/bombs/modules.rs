//! Bombs of many small things: signatures, imports, exports, segments, names, constant expressions.

use super::{Bomb, END, uleb};
use wasm_encoder::{
    CodeSection, ConstExpr, CustomSection, DataCountSection, DataSection, ElementSection, Elements, EntityType,
    ExportKind, ExportSection, Function, FunctionSection, GlobalSection, GlobalType, ImportSection, MemorySection,
    MemoryType, Module, NameMap, NameSection, RefType, TableSection, TableType, TypeSection, ValType,
};

/// Against the link, the artifact, the trampolines and what a module does when it starts.
pub(super) const BOMBS: &[Bomb] = &[
    Bomb { name: "exports", make: exports, n: 5_000 },
    Bomb { name: "exported-functions", make: |n| signatures(n, 1), n: 3_000 },
    Bomb { name: "exported-signatures", make: |n| signatures(n, n), n: 2_000 },
    Bomb { name: "imported-signatures", make: imports, n: 1_000 },
    Bomb { name: "types", make: types, n: 20_000 },
    Bomb { name: "names", make: names, n: 5_000 },
    Bomb { name: "custom-sections", make: custom_sections, n: 5_000 },
    Bomb { name: "globals", make: globals, n: 10_000 },
    Bomb { name: "exported-globals", make: exported_globals, n: 5_000 },
    Bomb { name: "long-constant-expression", make: long_expression, n: 10_000 },
    Bomb { name: "active-data", make: |n| data(n, true), n: 5_000 },
    Bomb { name: "passive-data", make: |n| data(n, false), n: 3_000 },
    Bomb { name: "one-long-datum", make: long_datum, n: 400_000 },
    Bomb { name: "active-elements", make: |n| elements(n, true), n: 5_000 },
    Bomb { name: "passive-elements", make: |n| elements(n, false), n: 2_000 },
    Bomb { name: "one-long-segment", make: long_segment, n: 20_000 },
    Bomb { name: "copies-between-tables", make: copies_between_tables, n: 16 },
    Bomb { name: "function-references", make: function_references, n: 2_000 },
    Bomb { name: "indirect-calls", make: indirect_calls, n: 3_000 },
];

/// Sections in the order of the format, and the code of one function of type 0, `[i32] -> []`, the last one.
#[derive(Default)]
struct Build {
    types: TypeSection,
    imports: ImportSection,
    funcs: FunctionSection,
    tables: TableSection,
    globals: GlobalSection,
    exports: ExportSection,
    elements: ElementSection,
    data: DataSection,
    code: CodeSection,
}

const PLAIN: u32 = 0;

impl Build {
    fn new() -> Build {
        let mut build = Build::default();
        build.types.ty().function([ValType::I32], []);
        build
    }

    /// A function without locals; `code` is without the last `end`.
    fn func(&mut self, ty: u32, code: &[u8]) {
        self.funcs.function(ty);
        let mut function = Function::new([]);
        function.raw(code.iter().copied().chain([END]));
        self.code.function(&function);
    }

    fn table(&mut self, minimum: u64) {
        let element_type = RefType::FUNCREF;
        self.tables.table(TableType { element_type, minimum, maximum: None, table64: false, shared: false });
    }

    fn finish(&self) -> Vec<u8> {
        self.finish_with(|_| {})
    }

    fn finish_with(&self, last: impl FnOnce(&mut Module)) -> Vec<u8> {
        let mut memories = MemorySection::new();
        memories.memory(MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None });
        let mut module = Module::new();
        module.section(&self.types).section(&self.imports).section(&self.funcs).section(&self.tables);
        module.section(&memories).section(&self.globals).section(&self.exports).section(&self.elements);
        module.section(&DataCountSection { count: self.data.len() }).section(&self.code).section(&self.data);
        last(&mut module);
        module.finish()
    }
}

/// `n` names of one function.
fn exports(n: usize) -> Vec<u8> {
    let mut build = Build::new();
    build.func(PLAIN, &[]);
    for i in 0..n {
        build.exports.export(&format!("the function by its name number {i}"), ExportKind::Func, 0);
    }
    build.finish()
}

/// Parameters that are others for each number.
fn params(mut number: usize) -> Vec<ValType> {
    let mut params = vec![ValType::I32];
    while number > 0 {
        params.push([ValType::I32, ValType::I64, ValType::F32, ValType::F64][number % 4]);
        number /= 4;
    }
    params
}

/// `n` exported functions with so many different types between them.
fn signatures(n: usize, types: usize) -> Vec<u8> {
    let mut build = Build::new();
    for i in 0..types {
        build.types.ty().function(params(i), []);
    }
    for i in 0..n {
        build.func(1 + (i % types) as u32, &[]);
        build.exports.export(&i.to_string(), ExportKind::Func, i as u32);
    }
    build.finish()
}

/// `n` imports, each of a type of its own, and a call of each.
fn imports(n: usize) -> Vec<u8> {
    let mut build = Build::new();
    let mut code = Vec::new();
    for i in 0..n {
        build.types.ty().function(params(i), []);
        build.imports.import("host", &i.to_string(), EntityType::Function(1 + i as u32));
        for param in params(i) {
            match param {
                ValType::I32 => code.extend([0x41, 0]),
                ValType::I64 => code.extend([0x42, 0]),
                ValType::F32 => code.extend([0x43, 0, 0, 0, 0]),
                _ => code.extend([0x44, 0, 0, 0, 0, 0, 0, 0, 0]),
            }
        }
        code.push(0x10);
        uleb(i, &mut code);
    }
    build.func(PLAIN, &code);
    build.finish()
}

fn types(n: usize) -> Vec<u8> {
    let mut build = Build::new();
    for i in 0..n {
        build.types.ty().function(params(i), []);
    }
    build.func(PLAIN, &[]);
    build.finish()
}

fn names(n: usize) -> Vec<u8> {
    let mut build = Build::new();
    let mut map = NameMap::new();
    for i in 0..n {
        build.func(PLAIN, &[]);
        map.append(i as u32, &format!("a function whose number is {i}"));
    }
    let mut names = NameSection::new();
    names.functions(&map);
    build.finish_with(|module| {
        module.section(&names);
    })
}

fn custom_sections(n: usize) -> Vec<u8> {
    let mut build = Build::new();
    build.func(PLAIN, &[]);
    build.finish_with(|module| {
        for _ in 0..n {
            module.section(&CustomSection { name: "nothing".into(), data: [0; 8][..].into() });
        }
    })
}

const COUNTER: GlobalType = GlobalType { val_type: ValType::I32, mutable: true, shared: false };

fn globals(n: usize) -> Vec<u8> {
    let mut build = Build::new();
    let mut code = Vec::new();
    for i in 0..n {
        build.globals.global(COUNTER, &ConstExpr::i32_const(i as i32 + 1));
        code.extend([0x23, 0, 0x24]);
        uleb(i, &mut code);
    }
    build.func(PLAIN, &code);
    build.finish()
}

fn exported_globals(n: usize) -> Vec<u8> {
    let mut build = Build::new();
    for i in 0..n {
        build.globals.global(COUNTER, &ConstExpr::i32_const(i as i32 + 1));
        build.exports.export(&i.to_string(), ExportKind::Global, i as u32);
    }
    build.finish()
}

/// A global that is one more than one more than one more …
fn long_expression(n: usize) -> Vec<u8> {
    let mut build = Build::new();
    build.globals.global(COUNTER, &ConstExpr::raw([vec![0x41, 1], [0x41, 1, 0x6a].repeat(n)].concat()));
    build.finish()
}

/// `n` data segments; if they are passive, each is used and dropped.
fn data(n: usize, active: bool) -> Vec<u8> {
    let mut build = Build::new();
    let mut code = Vec::new();
    for i in 0..n {
        if active {
            build.data.active(0, &ConstExpr::i32_const(i as i32 % 60_000), [1, 2, 3]);
        } else {
            build.data.passive([1, 2, 3]);
            code.extend([0x20, 0, 0x41, 0, 0x41, 3, 0xfc, 8]);
            uleb(i, &mut code);
            code.extend([0, 0xfc, 9]);
            uleb(i, &mut code);
        }
    }
    build.func(PLAIN, &code);
    build.finish()
}

fn long_datum(n: usize) -> Vec<u8> {
    let mut build = Build::new();
    build.data.passive((0..n).map(|i| i as u8));
    build.func(PLAIN, &[]);
    build.finish()
}

/// `n` element segments; if they are passive, each is used and dropped.
fn elements(n: usize, active: bool) -> Vec<u8> {
    let mut build = Build::new();
    build.table(100);
    let mut code = Vec::new();
    for i in 0..n {
        let functions = Elements::Functions([0, 0][..].into());
        if active {
            build.elements.active(None, &ConstExpr::i32_const(i as i32 % 90), functions);
        } else {
            build.elements.passive(functions);
            code.extend([0x20, 0, 0x41, 0, 0x41, 2, 0xfc, 12]);
            uleb(i, &mut code);
            code.extend([0, 0xfc, 13]);
            uleb(i, &mut code);
        }
    }
    build.func(PLAIN, &code);
    build.finish()
}

fn long_segment(n: usize) -> Vec<u8> {
    let mut build = Build::new();
    build.table(n as u64);
    build.elements.active(None, &ConstExpr::i32_const(0), Elements::Functions(vec![0; n].into()));
    build.func(PLAIN, &[]);
    build.finish()
}

/// `n` tables, and a copy from each to each.
fn copies_between_tables(n: usize) -> Vec<u8> {
    let mut build = Build::new();
    let mut code = Vec::new();
    for to in 0..n {
        build.table(10);
        for from in 0..n {
            code.extend([0x20, 0, 0x20, 0, 0x20, 0, 0xfc, 14]);
            uleb(to, &mut code);
            uleb(from, &mut code);
        }
    }
    build.func(PLAIN, &code);
    build.finish()
}

fn function_references(n: usize) -> Vec<u8> {
    let mut build = Build::new();
    let mut code = Vec::new();
    for i in 0..n {
        code.extend([0xd2]);
        uleb(i, &mut code);
        code.push(0x1a);
        if i > 0 {
            build.func(PLAIN, &[]);
        }
    }
    build.elements.declared(Elements::Functions((0..n as u32).collect::<Vec<_>>().into()));
    build.func(PLAIN, &code);
    build.finish()
}

fn indirect_calls(n: usize) -> Vec<u8> {
    let mut build = Build::new();
    build.table(10);
    build.func(PLAIN, &[0x20, 0, 0x20, 0, 0x11, 0, 0].repeat(n));
    build.finish()
}
