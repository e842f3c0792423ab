//! What a module does before its first call, under every combination of the settings that decide how.

use lightbeam::Compiler;
use wasmtime::{Config, Extern, Func, Global, GlobalType, Instance, Memory, MemoryType, Mutability, Ref, RefType};
use wasmtime::{Store, Table, TableType, Trap, Val, ValType};

/// Images for memories or not, tables filled lazily or not, traps by hardware or not.
fn compilers() -> impl Iterator<Item = (String, Compiler)> {
    (0..8).map(|bits| {
        let [cow, lazy, signals] = [bits & 1 != 0, bits & 2 != 0, bits & 4 != 0];
        let mut config = Config::new();
        config.memory_init_cow(cow).table_lazy_init(lazy).signals_based_traps(signals);
        (format!("cow {cow}, lazy {lazy}, signals {signals}"), Compiler::new(&config).unwrap())
    })
}

fn global(store: &mut Store<()>, instance: &Instance, name: &str) -> Val {
    instance.get_global(&mut *store, name).unwrap().get(store)
}

#[test]
fn globals() {
    let wat = r#"(module
        (import "host" "i" (global $i i32))
        (import "host" "l" (global $l i64))
        (import "host" "d" (global $d f64))
        (func $f (export "f") (result i32) i32.const 5)
        (global (export "a") i32 (i32.add (global.get $i) (i32.mul (i32.const 3) (i32.sub (i32.const 2) (global.get $i)))))
        (global (export "b") (mut i64) (i64.sub (i64.mul (global.get $l) (global.get $l)) (i64.add (i64.const 1) (global.get $l))))
        (global (export "c") f64 (global.get $d))
        (global (export "e") (mut f32) (f32.const 1.5))
        (global (export "g") funcref (ref.func $f))
        (global (export "h") i32 (i32.const -7))
        (global $j i32 (i32.const 11))
        (global (export "k") i32 (i32.add (global.get $j) (i32.const 1))))"#;
    for (name, compiler) in compilers() {
        let module = compiler.module(wat).unwrap();
        let mut store = Store::new(compiler.engine(), ());
        let mut import = |ty, value| -> Extern {
            Global::new(&mut store, GlobalType::new(ty, Mutability::Const), value).unwrap().into()
        };
        let imports = [
            import(ValType::I32, Val::I32(10)),
            import(ValType::I64, Val::I64(1 << 40)),
            import(ValType::F64, Val::F64(2.25f64.to_bits())),
        ];
        let instance = Instance::new(&mut store, &module, &imports).unwrap();
        let i = 10i32;
        let l = 1i64 << 40;
        assert_eq!(global(&mut store, &instance, "a").unwrap_i32(), i + 3 * (2 - i), "{name}");
        let expected = l.wrapping_mul(l).wrapping_sub(1 + l);
        assert_eq!(global(&mut store, &instance, "b").unwrap_i64(), expected, "{name}");
        assert_eq!(global(&mut store, &instance, "c").unwrap_f64(), 2.25, "{name}");
        assert_eq!(global(&mut store, &instance, "e").unwrap_f32(), 1.5, "{name}");
        assert_eq!(global(&mut store, &instance, "h").unwrap_i32(), -7, "{name}");
        assert_eq!(global(&mut store, &instance, "k").unwrap_i32(), 12, "{name}");
        let Val::FuncRef(Some(f)) = global(&mut store, &instance, "g") else { panic!("{name}") };
        assert_eq!(f.typed::<(), i32>(&store).unwrap().call(&mut store, ()).unwrap(), 5, "{name}");
    }
}

fn entry(store: &mut Store<()>, table: &Table, index: u64) -> Option<i32> {
    match table.get(&mut *store, index).unwrap() {
        Ref::Func(Some(f)) => Some(f.typed::<(), i32>(&*store).unwrap().call(store, ()).unwrap()),
        Ref::Func(None) => None,
        other => panic!("{other:?} in a table of functions"),
    }
}

#[test]
fn tables() {
    let wat = r#"(module
        (import "host" "t" (table $imported 4 funcref))
        (import "host" "at" (global $at i32))
        (import "host" "f" (func $host (result i32)))
        (import "host" "g" (global $g funcref))
        (func $one (result i32) i32.const 1)
        (func $two (result i32) i32.const 2)
        (table $own (export "own") 6 funcref)
        (table $filled (export "filled") 5 funcref (ref.func $two))
        (table $computed (export "computed") 3 funcref (global.get $g))
        (table $long (export "long") i64 3 funcref)
        (elem (table $own) (i32.const 1) func $one $two $host)
        (elem (table $own) (global.get $at) funcref (ref.func $two) (ref.null func) (global.get $g))
        (elem (table $imported) (i32.const 1) func $one $host)
        (elem (table $filled) (i32.const 4) func $one)
        (elem (table $long) (i64.const 2) func $one)
        (elem (table $long) (i64.const 3) func)
        (elem funcref (ref.func $one) (ref.null func))
        (elem declare func $host))"#;
    for (name, compiler) in compilers() {
        let module = compiler.module(wat).unwrap();
        let mut store = Store::new(compiler.engine(), ());
        let imported = Table::new(&mut store, TableType::new(RefType::FUNCREF, 4, None), Ref::Func(None)).unwrap();
        let at = Global::new(&mut store, GlobalType::new(ValType::I32, Mutability::Const), Val::I32(2)).unwrap();
        let host = Func::wrap(&mut store, || 3);
        let g = Func::wrap(&mut store, || 4);
        let g = Global::new(&mut store, GlobalType::new(ValType::FUNCREF, Mutability::Const), g.into()).unwrap();
        let instance =
            Instance::new(&mut store, &module, &[imported.into(), at.into(), host.into(), g.into()]).unwrap();
        for (table, expected) in [
            ("own", &[None, Some(1), Some(2), None, Some(4), None][..]),
            ("filled", &[Some(2), Some(2), Some(2), Some(2), Some(1)]),
            ("computed", &[Some(4), Some(4), Some(4)]),
            ("long", &[None, None, Some(1)]),
        ] {
            let table_ = instance.get_table(&mut store, table).unwrap();
            let got: Vec<_> = (0..table_.size(&store)).map(|i| entry(&mut store, &table_, i)).collect();
            assert_eq!(got, expected, "{table}: {name}");
        }
        let got: Vec<_> = (0..4).map(|i| entry(&mut store, &imported, i)).collect();
        assert_eq!(got, [None, Some(1), Some(3), None], "imported: {name}");
    }
}

#[test]
fn memories() {
    let wat = r#"(module
        (import "host" "m" (memory $imported 1))
        (import "host" "at" (global $at i32))
        (memory $own (export "own") 2)
        (memory $other (export "other") 1)
        (memory $long (export "long") i64 1)
        (data (memory $own) (i32.const 3) "abc")
        (data (memory $own) (i32.const 131069) "xyz")
        (data (memory $other) (i32.const 65536) "")
        (data (memory $other) (i32.const 70) "\01\02")
        (data (memory $long) (i64.const 9) "long")
        (data "passive"))"#;
    let dynamic = wat.replace("(data \"passive\")", "(data (memory $imported) (global.get $at) \"here\")");
    for (name, compiler) in compilers() {
        for wat in [wat, &dynamic] {
            let module = compiler.module(wat).unwrap();
            for _ in 0..2 {
                let mut store = Store::new(compiler.engine(), ());
                let memory = Memory::new(&mut store, MemoryType::new(1, None)).unwrap();
                let at = Global::new(&mut store, GlobalType::new(ValType::I32, Mutability::Const), Val::I32(65532));
                let instance = Instance::new(&mut store, &module, &[memory.into(), at.unwrap().into()]).unwrap();
                let mut bytes = |memory: &str, from: usize, len: usize| {
                    let memory = instance.get_memory(&mut store, memory).unwrap();
                    memory.data(&store)[from..from + len].to_vec()
                };
                assert_eq!(bytes("own", 2, 5), *b"\0abc\0", "{name}");
                assert_eq!(bytes("own", 131068, 4), *b"\0xyz", "{name}");
                assert_eq!(bytes("other", 70, 3), [1, 2, 0], "{name}");
                assert_eq!(bytes("long", 8, 6), *b"\0long\0", "{name}");
                let expected = if wat == dynamic { *b"here" } else { [0; 4] };
                assert_eq!(memory.data(&store)[65532..], expected, "{name}");
            }
        }
    }
}

/// Segments are checked as a whole before they are written, one after the other, and the start function comes last.
#[test]
fn segments_out_of_bounds() {
    let cases = [
        ("(memory 1) (data (i32.const 65533) \"abcd\")", Trap::MemoryOutOfBounds),
        ("(memory 1) (data (i32.const -1) \"a\")", Trap::MemoryOutOfBounds),
        ("(memory 1) (data (i32.const 65537) \"\")", Trap::MemoryOutOfBounds),
        ("(memory i64 1) (data (i64.const -1) \"ab\")", Trap::MemoryOutOfBounds),
        ("(table 2 funcref) (func $g) (elem (i32.const 1) func $g $g)", Trap::TableOutOfBounds),
        ("(table 2 funcref) (elem (i32.const 3) func)", Trap::TableOutOfBounds),
        ("(table 2 funcref) (func $g) (elem (i32.const -1) func $g)", Trap::TableOutOfBounds),
        ("(table i64 2 funcref) (func $g) (elem (i64.const -1) func $g $g)", Trap::TableOutOfBounds),
    ];
    for (name, compiler) in compilers() {
        for (fields, trap) in &cases {
            let wat = format!("(module (import \"host\" \"f\" (func $f)) {fields} (start $f))");
            let module = compiler.module(&wat).unwrap();
            let mut store = Store::new(compiler.engine(), 0);
            let f = Func::wrap(&mut store, |mut caller: wasmtime::Caller<'_, i32>| *caller.data_mut() += 1);
            let error = Instance::new(&mut store, &module, &[f.into()]).unwrap_err();
            assert_eq!(error.downcast_ref(), Some(trap), "{wat}: {name}");
            assert_eq!(*store.data(), 0, "{wat}: started all the same, {name}");
        }
    }
}

#[test]
fn what_came_before_a_bad_segment_stays() {
    for (name, compiler) in compilers() {
        let module = compiler
            .module(
                r#"(module (import "host" "m" (memory 1))
                     (data (i32.const 0) "kept") (data (i32.const 65535) "no") (data (i32.const 8) "never"))"#,
            )
            .unwrap();
        let mut store = Store::new(compiler.engine(), ());
        let memory = Memory::new(&mut store, MemoryType::new(1, None)).unwrap();
        assert!(Instance::new(&mut store, &module, &[memory.into()]).is_err(), "{name}");
        assert_eq!(memory.data(&store)[..4], *b"kept", "{name}");
        assert_eq!(memory.data(&store)[65535], 0, "{name}");
        assert_eq!(memory.data(&store)[8], 0, "{name}");
    }
}

#[test]
fn start_functions() {
    for (name, compiler) in compilers() {
        for start in ["$f", "$own"] {
            let wat = format!(
                "(module (import \"host\" \"f\" (func $f)) (memory 1) (data (i32.const 16) \"\\07\")
                   (global $g (export \"g\") (mut i32) (i32.const 0))
                   (func $own i32.const 16 i32.load global.set $g call $f)
                   (start {start}))"
            );
            let module = compiler.module(&wat).unwrap();
            let mut store = Store::new(compiler.engine(), 0);
            let f = Func::wrap(&mut store, |mut caller: wasmtime::Caller<'_, i32>| *caller.data_mut() += 1);
            let instance = Instance::new(&mut store, &module, &[f.into()]).unwrap();
            assert_eq!(*store.data(), 1, "{start}: {name}");
            let seen = instance.get_global(&mut store, "g").unwrap().get(&mut store).unwrap_i32();
            assert_eq!(seen, if start == "$own" { 7 } else { 0 }, "{start}: {name}");
        }
        let module = compiler.module("(module (func $f unreachable) (start $f))").unwrap();
        let error = Instance::new(Store::new(compiler.engine(), ()), &module, &[]).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Trap::UnreachableCodeReached), "{name}");
    }
}

/// What startup costs, as Wasmtime's compilers count it: 1 for the routine, 1 an operator of a constant expression, 1
/// an element or byte, 1 for calling the start function; what has not been counted when the routine returns is not
/// charged.
#[test]
fn fuel() {
    let cases = [
        // Without startup nothing is charged.
        ("(module)", 0),
        ("(module (func $f) (start $f))", 3),
        ("(module (func $f i32.const 1 drop) (start $f))", 4),
        ("(module (global i64 (i64.add (i64.const 1) (i64.const 2))) (func $f) (start $f))", 6),
        ("(module (memory 1) (data (global.get $at) \"12345\") (func $f) (start $f))", 9),
        ("(module (memory 1) (data (global.get $at) \"12345\"))", 7),
        ("(module (table 200 funcref) (elem (global.get $at) func $f $f $f) (func $f) (start $f))", 7),
    ];
    let mut config = Config::new();
    config.consume_fuel(true);
    let compiler = Compiler::new(&config).unwrap();
    for (wat, cost) in cases {
        let imported = wat.contains("$at");
        let wat = if imported {
            wat.replacen("(module", "(module (import \"\" \"at\" (global $at i32))", 1)
        } else {
            wat.to_owned()
        };
        let module = compiler.module(&wat).unwrap();
        let mut store = Store::new(compiler.engine(), ());
        store.set_fuel(1000).unwrap();
        let at = Global::new(&mut store, GlobalType::new(ValType::I32, Mutability::Const), Val::I32(0)).unwrap();
        let imports: Vec<Extern> = if imported { vec![at.into()] } else { vec![] };
        Instance::new(&mut store, &module, &imports).unwrap();
        assert_eq!(1000 - store.get_fuel().unwrap(), cost, "{wat}");
    }
    let module = compiler.module(cases[1].0).unwrap();
    let mut store = Store::new(compiler.engine(), ());
    let error = Instance::new(&mut store, &module, &[]).unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Trap::OutOfFuel));
}

/// As many operands wait for operators as the module says, in the frame of the routine.
#[test]
fn constant_expressions_of_any_depth() {
    let deep = |depth: usize| {
        let expr = format!("{} {}", "(i32.const 3) ".repeat(depth), "i32.add ".repeat(depth - 1));
        format!("(module (global (export \"g\") i32 {expr}))")
    };
    for signals in [true, false] {
        let mut config = Config::new();
        config.signals_based_traps(signals).max_wasm_stack(128 << 10);
        let compiler = Compiler::new(&config).unwrap();
        for (depth, fits) in [(1, true), (2, true), (300, true), (6000, true), (20_000, false)] {
            let module = compiler.module(deep(depth)).unwrap();
            let mut store = Store::new(compiler.engine(), ());
            match Instance::new(&mut store, &module, &[]) {
                Ok(instance) => {
                    assert!(fits, "{depth}");
                    assert_eq!(global(&mut store, &instance, "g").unwrap_i32(), 3 * depth as i32);
                }
                Err(error) => {
                    assert!(!fits, "{depth}: {error:?}");
                    assert_eq!(error.downcast_ref(), Some(&Trap::StackOverflow), "{error:?}");
                }
            }
        }
    }
}
