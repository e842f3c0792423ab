//! Modules of both compilers in one store: they call each other through imports, tables, references and tail calls,
//! with host functions between, and neither may notice which compiler made the other.

use lightbeam_tests::backend::{Pair, Setup};
use lightbeam_tests::generate::{clause, name};
use lightbeam_tests::observe::{Type, Value, interesting};
use lightbeam_tests::random::Random;
use wasmtime::{Caller, Extern, Func, FuncType, Instance, Linker, Module, Ref, Store, Trap, Val, ValType};

const NUMBERS: [Type; 5] = [Type::I32, Type::I64, Type::F32, Type::F64, Type::V128];

/// All ways to give two modules to two compilers: `true` is Lightbeam.
const SIDES: [(bool, bool); 4] = [(true, false), (false, true), (true, true), (false, false)];

fn compile(pair: &Pair, lightbeam: bool, wat: &str) -> Module {
    let wasm = wat::parse_str(wat).unwrap_or_else(|error| panic!("{error}\n{wat:.3000}"));
    if lightbeam { pair.lightbeam(&wasm).unwrap() } else { pair.cranelift(&wasm).unwrap() }
}

fn call(store: &mut Store<()>, instance: &Instance, func: &str, args: &[Value]) -> Vec<Value> {
    let func = instance.get_func(&mut *store, func).unwrap();
    let args: Vec<Val> = args.iter().map(|value| value.to_val()).collect();
    let mut results = vec![Val::I32(0); func.ty(&*store).results().len()];
    func.call(&mut *store, &args, &mut results).unwrap();
    results.iter().map(|val| Value::from_val(val).unwrap()).collect()
}

/// Signatures from none to a thousand values, every type in every position of the first few.
fn signatures() -> Vec<(Vec<Type>, Vec<usize>)> {
    let mut random = Random::new(11);
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 16, 17, 20, 33, 100, 1000]
        .into_iter()
        .map(|n: usize| {
            let types = (0..n).map(|_| *random.pick(&NUMBERS)).collect();
            (types, (0..n).map(|_| random.below(n)).collect())
        })
        .collect()
}

/// What a caller does: keeps many values of its own alive in every kind of register across the call.
fn keeping(call: &str, params: &[Type], results: &[Type]) -> String {
    let gets: String = (0..params.len()).map(|i| format!("local.get {i} ")).collect();
    let first = params.len();
    let count = 24;
    let (mut make, mut check) = (String::new(), String::new());
    for i in 0..count {
        let (ty, local) = (NUMBERS[i % 5], first + i);
        let (constant, differ) = match ty {
            Type::V128 => (format!("v128.const i64x2 {} {i}", 1000 + i), "v128.xor v128.any_true".to_string()),
            _ => (format!("{}.const {}", name(ty), 1000 + i), format!("{}.ne", name(ty))),
        };
        make += &format!("{constant} local.set {local} ");
        check += &format!("local.get {local} {constant} {differ} (if (then unreachable)) ");
    }
    let locals: Vec<Type> = (0..count).map(|i| NUMBERS[i % 5]).collect();
    // In registers the values are live over a loop with calls, where they are used both before and after.
    format!(
        "(func {{}} {} {} {} {make} (loop {} {check} {gets} {call} {check}))",
        clause("param", params),
        clause("result", results),
        clause("local", &locals),
        clause("result", results),
    )
}

#[test]
fn both_compilers_call_each_other_with_any_signature() {
    let pair = Setup::default().engine().unwrap();
    let mut random = Random::new(3);
    for (types, order) in signatures() {
        let results: Vec<Type> = order.iter().map(|i| types[*i]).collect();
        let ty = format!("{} {}", clause("param", &types), clause("result", &results));
        let permute: String = order.iter().map(|i| format!("local.get {i} ")).collect();
        let all: String = (0..types.len()).map(|i| format!("local.get {i} ")).collect();
        let callee = format!(
            "(module (type $t (func {ty})) (func $f (export \"f\") (type $t) {permute})
               (table (export \"table\") 3 funcref) (elem (i32.const 1) $f)
               (global (export \"ref\") funcref (ref.func $f)))"
        );
        let keep = |how: &str, export: &str| {
            keeping(how, &types, &results).replacen("{}", &format!("(export \"{export}\")"), 1)
        };
        let caller = format!(
            "(module (type $t (func {ty})) (import \"callee\" \"f\" (func $f (type $t)))
               (import \"callee\" \"table\" (table $table 3 funcref)) (import \"callee\" \"ref\" (global $ref funcref))
               (table $own 2 funcref) (elem (table $own) (i32.const 1) func $f)
               {direct} {indirect} {own}
               (func (export \"tail\") (type $t) {all} return_call $f)
               (func (export \"tail-indirect\") (type $t) {all} i32.const 1 return_call_indirect $table (type $t))
               (func $to_tail (type $t) {all} return_call $f)
               {behind}
               (func (export \"by reference\") (type $t)
                 (table.set $own (i32.const 0) (global.get $ref)) {all} (call_indirect $own (type $t) (i32.const 0))))",
            direct = keep("call $f", "direct"),
            indirect = keep("i32.const 1 call_indirect $table (type $t)", "indirect"),
            own = keep("i32.const 1 call_indirect $own (type $t)", "own table"),
            behind = keep("call $to_tail", "behind a tail call"),
        );
        for (first, second) in SIDES {
            let mut store = Store::new(&pair.engine, ());
            let mut linker = Linker::new(&pair.engine);
            let callee = linker.instantiate(&mut store, &compile(&pair, first, &callee)).unwrap();
            linker.instance(&mut store, "callee", callee).unwrap();
            let caller = linker.instantiate(&mut store, &compile(&pair, second, &caller)).unwrap();
            for _ in 0..2 {
                let args: Vec<Value> = types.iter().map(|ty| interesting(*ty, random.bits())).collect();
                let expected: Vec<Value> = order.iter().map(|i| args[*i]).collect();
                for export in
                    ["direct", "indirect", "own table", "tail", "tail-indirect", "behind a tail call", "by reference"]
                {
                    let actual = call(&mut store, &caller, export, &args);
                    assert!(actual == expected, "{export}, {} values, {first} {second}", types.len());
                }
            }
        }
    }
}

/// The upper half of a register or slot that carries an `i32` across modules is anything.
#[test]
fn upper_halves_are_nobodys_promise() {
    let pair = Setup::default().engine().unwrap();
    // The callee gets an `i32` whose register had a 64-bit value, and returns one likewise.
    let callee = r#"(module
        (memory (export "memory") 1)
        (data (i32.const 5) "\2a")
        (func (export "load") (param i32) (result i32) local.get 0 i32.load8_u)
        (func (export "extend") (param i32) (result i64) local.get 0 i64.extend_i32_u)
        (func (export "ninth") (param i64 i64 i64 i64 i64 i64 i64 i64 i32) (result i64) local.get 8 i64.extend_i32_u)
        (func (export "wrap") (param i64) (result i32) local.get 0 i32.wrap_i64)
        (func (export "wraps") (param i64) (result i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)
          local.get 0 i32.wrap_i64 local.get 0 i32.wrap_i64 local.get 0 i32.wrap_i64 local.get 0 i32.wrap_i64
          local.get 0 i32.wrap_i64 local.get 0 i32.wrap_i64 local.get 0 i32.wrap_i64 local.get 0 i32.wrap_i64
          local.get 0 i32.wrap_i64 local.get 0 i32.wrap_i64))"#;
    let caller = r#"(module
        (import "callee" "load" (func $load (param i32) (result i32)))
        (import "callee" "extend" (func $extend (param i32) (result i64)))
        (import "callee" "ninth" (func $ninth (param i64 i64 i64 i64 i64 i64 i64 i64 i32) (result i64)))
        (import "callee" "wrap" (func $wrap (param i64) (result i32)))
        (import "callee" "wraps" (func $wraps (param i64) (result i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
        (memory 1) (data (i32.const 5) "\2b")
        (func (export "load") (param i64) (result i64) local.get 0 i32.wrap_i64 call $load i64.extend_i32_u)
        (func (export "extend") (param i64) (result i64) local.get 0 i32.wrap_i64 call $extend)
        (func (export "ninth") (param i64) (result i64)
          local.get 0 local.get 0 local.get 0 local.get 0 local.get 0 local.get 0 local.get 0 local.get 0
          local.get 0 i32.wrap_i64 call $ninth)
        (func (export "wrap") (param i64) (result i64) local.get 0 call $wrap i64.extend_i32_u)
        (func (export "address") (param i64) (result i64) local.get 0 call $wrap i64.load8_u)
        (func $tail (param i64) (result i32) local.get 0 return_call $wrap)
        (func (export "tail") (param i64) (result i64) local.get 0 call $tail i64.load8_u)
        (func (export "wraps") (param i64) (result i64)
          local.get 0 call $wraps
          i64.extend_i32_u local.set 0 i32.add i32.add i32.add i32.add i32.add i32.add i32.add
          i64.extend_i32_u local.get 0 i64.add local.set 0 i64.load8_u local.get 0 i64.add))"#;
    for (first, second) in SIDES {
        let mut store = Store::new(&pair.engine, ());
        let mut linker = Linker::new(&pair.engine);
        let callee = linker.instantiate(&mut store, &compile(&pair, first, callee)).unwrap();
        linker.instance(&mut store, "callee", callee).unwrap();
        let caller = linker.instantiate(&mut store, &compile(&pair, second, caller)).unwrap();
        for upper in [0, 0xdead_beef, 0xffff_ffff, 0x8000_0000u64] {
            let mut see = |func: &str| call(&mut store, &caller, func, &[Value::I64(upper << 32 | 5)])[0];
            assert_eq!(see("load"), Value::I64(0x2a), "{first} {second}");
            assert_eq!(see("extend"), Value::I64(5), "{first} {second}");
            assert_eq!(see("ninth"), Value::I64(5), "{first} {second}");
            assert_eq!(see("wrap"), Value::I64(5), "{first} {second}");
            assert_eq!(see("address"), Value::I64(0x2b), "{first} {second}");
            assert_eq!(see("tail"), Value::I64(0x2b), "{first} {second}");
            assert_eq!(see("wraps"), Value::I64(0x2b + 40 + 5), "{first} {second}");
        }
    }
}

/// A tower of calls: Lightbeam, Cranelift, host, Lightbeam again, …; each level changes the value and all come back.
#[test]
fn towers_of_calls_over_both_compilers_and_the_host() {
    let pair = Setup::default().engine().unwrap();
    let wat = r#"(module
        (import "next" "f" (func $next (param i32 i64) (result i64 i32)))
        (func (export "f") (param i32 i64) (result i64 i32) (local i64 i64)
          local.get 1 i64.const 3 i64.mul local.set 2
          local.get 1 i64.const 17 i64.xor local.set 3
          local.get 0 i32.eqz
          (if (result i64 i32)
            (then local.get 1 local.get 0)
            (else local.get 0 i32.const 1 i32.sub local.get 2 call $next
                  i32.const 1 i32.add local.set 0
                  local.get 3 i64.add local.get 0)))
        )"#;
    let expected = |mut depth: u32, value: u64| {
        let mut kept = Vec::new();
        let mut value = value;
        while depth > 0 {
            kept.push(value ^ 17);
            value = value.wrapping_mul(3);
            depth -= 1;
        }
        let levels = kept.len() as u32;
        (kept.iter().rev().fold(value, |sum, kept| sum.wrapping_add(*kept)), levels)
    };
    for order in [[true, false, true, true], [false, true, false, true], [true, true, false, false]] {
        let mut store = Store::new(&pair.engine, ());
        let ty = FuncType::new(&pair.engine, [ValType::I32, ValType::I64], [ValType::I64, ValType::I32]);
        let mut next: Extern = Func::new(&mut store, ty.clone(), |_, args, results| {
            results[0] = args[1];
            results[1] = args[0];
            Ok(())
        })
        .into();
        let mut tower = Vec::new();
        for level in 0..12 {
            let module = compile(&pair, order[level % 4], wat);
            let instance = Instance::new(&mut store, &module, &[next]).unwrap();
            let func = instance.get_func(&mut store, "f").unwrap();
            tower.push(func);
            // Every other floor is reached through the host.
            next = if level % 2 == 0 {
                func.into()
            } else {
                Func::new(&mut store, ty.clone(), move |mut caller: Caller<'_, ()>, args, results| {
                    func.call(&mut caller, args, results)
                })
                .into()
            };
        }
        for (height, func) in tower.iter().enumerate() {
            let depth = height as u32;
            let mut results = [Val::I64(0), Val::I32(0)];
            func.call(&mut store, &[Val::I32(depth as i32), Val::I64(-77)], &mut results).unwrap();
            let (sum, levels) = expected(depth, -77i64 as u64);
            assert_eq!((results[0].unwrap_i64() as u64, results[1].unwrap_i32() as u32), (sum, levels), "{order:?}");
        }
    }
}

/// One table, filled by the host and both compilers, called from both: own functions, others', wrong types, nulls.
#[test]
fn one_table_for_all() {
    let pair = Setup::default().engine().unwrap();
    let wat = |number: u32| {
        format!(
            "(module (import \"t\" \"t\" (table $t 8 funcref)) (import \"t\" \"m\" (memory 1))
               (func $f (param i32) (result i32) local.get 0 i32.const {number} i32.add i32.load8_u)
               (func $g (param i64) (result i32) i32.const -1)
               (elem (i32.const {at}) $f $g)
               (func (export \"call\") (param i32 i32) (result i32) local.get 0 local.get 1 call_indirect (param i32) (result i32))
               (func (export \"tail\") (param i32 i32) (result i32)
                 local.get 0 local.get 1 return_call_indirect (param i32) (result i32)))",
            at = number * 2
        )
    };
    for (first, second) in SIDES {
        let mut store = Store::new(&pair.engine, ());
        let mut linker = Linker::new(&pair.engine);
        let shared = compile(
            &pair,
            first,
            "(module (table (export \"t\") 8 funcref) (memory (export \"m\") 1) (data (i32.const 0) \"\\10\\11\\12\\13\\14\\15\\16\\17\"))",
        );
        let shared = linker.instantiate(&mut store, &shared).unwrap();
        linker.instance(&mut store, "t", shared).unwrap();
        let users: Vec<Instance> = [(first, 0), (second, 1)]
            .map(|(side, number)| linker.instantiate(&mut store, &compile(&pair, side, &wat(number))).unwrap())
            .into();
        let host = Func::wrap(&mut store, |x: i32| x * 100);
        shared.get_table(&mut store, "t").unwrap().set(&mut store, 5, Ref::Func(Some(host))).unwrap();
        for user in &users {
            for export in ["call", "tail"] {
                let func = user.get_typed_func::<(i32, i32), i32>(&mut store, export).unwrap();
                let mut see = |x: i32, index: i32| match func.call(&mut store, (x, index)) {
                    Ok(value) => format!("{value:#x}"),
                    Err(error) => error.downcast_ref::<wasmtime::Trap>().unwrap().to_string(),
                };
                assert_eq!(see(2, 0), "0x12");
                assert_eq!(see(2, 2), "0x13");
                assert_eq!(see(3, 5), "0x12c");
                assert!(see(3, 1).contains("indirect call type mismatch"));
                assert!(see(3, 3).contains("indirect call type mismatch"));
                assert!(see(3, 4).contains("uninitialized element"));
                assert!(see(3, 8).contains("out of bounds"));
                assert!(see(3, -1).contains("out of bounds"));
                assert!(see(0x1_0000, 0).contains("out of bounds memory"));
            }
        }
    }
}

/// Memory and globals of one module, grown and changed by another while the owner's caller holds their old places.
#[test]
fn what_is_shared_may_change_under_a_call() {
    for setup in [Setup::default(), Setup { reservation: Some(0), guard: Some(0), ..Setup::default() }] {
        let pair = setup.engine().unwrap();
        let owner = r#"(module
            (memory (export "memory") 1 100) (global (export "g") (mut i64) (i64.const 7))
            (func (export "change") (param i32) (result i32)
              i32.const 0 i32.const 99 i32.store8
              (i64.store (i32.const 8) (i64.const -2))
              local.get 0 memory.grow))"#;
        let user = r#"(module
            (import "owner" "memory" (memory 1)) (import "owner" "g" (global $g (mut i64)))
            (import "owner" "change" (func $change (param i32) (result i32)))
            (import "host" "set" (func $set))
            (func (export "see") (param i32) (result i64 i32 i64 i32)
              i32.const 0 i32.load8_u drop
              global.get $g
              local.get 0 call $change
              call $set
              (i32.store8 (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 1)) (i32.const 5))
              global.get $g
              i32.const 0 i32.load8_u))"#;
        for (first, second) in SIDES {
            let mut store = Store::new(&pair.engine, ());
            let mut linker = Linker::new(&pair.engine);
            let owner = linker.instantiate(&mut store, &compile(&pair, first, owner)).unwrap();
            let global = owner.get_global(&mut store, "g").unwrap();
            linker.instance(&mut store, "owner", owner).unwrap();
            linker
                .func_wrap("host", "set", move |mut caller: Caller<'_, ()>| global.set(&mut caller, Val::I64(11)))
                .unwrap();
            let user = linker.instantiate(&mut store, &compile(&pair, second, user)).unwrap();
            let see = user.get_typed_func::<i32, (i64, i32, i64, i32)>(&mut store, "see").unwrap();
            assert_eq!(see.call(&mut store, 3).unwrap(), (7, 1, 11, 99), "{first} {second}");
            let memory = owner.get_memory(&mut store, "memory").unwrap();
            assert_eq!((memory.size(&store), memory.data(&store)[0x3_ffff]), (4, 5), "{first} {second}");
            assert_eq!(see.call(&mut store, 1000).unwrap(), (11, -1, 11, 99), "{first} {second}");
        }
    }
}

/// Each entry of an instance by a tail call may take stack, and then it is compared with its limit, whoever made the
/// caller.
#[test]
fn tail_calls_between_instances_end_at_the_limit_at_the_latest() {
    let player = r#"(module
        (rec (type $f (func (param (ref null $f) (ref null $f) i64) (result i64))))
        (func $f (export "f") (type $f)
          (if (i64.eqz (local.get 2)) (then (return (i64.const 42))))
          (return_call_ref $f (local.get 1) (local.get 0) (i64.sub (local.get 2) (i64.const 1)) (local.get 1)))
        (elem declare func $f)
        (global (export "ref") (ref null $f) (ref.func $f)))"#;
    let start = r#"(module
        (rec (type $f (func (param (ref null $f) (ref null $f) i64) (result i64))))
        (import "a" "ref" (global $a (ref null $f)))
        (import "b" "ref" (global $b (ref null $f)))
        (func (export "go") (param i64) (result i64)
          (call_ref $f (global.get $a) (global.get $b) (local.get 0) (global.get $a))))"#;
    for setup in [Setup::default(), Setup { signals: false, ..Setup::default() }] {
        let pair = setup.engine().unwrap();
        for (first, second) in SIDES {
            let mut store = Store::new(&pair.engine, ());
            let mut linker = Linker::new(&pair.engine);
            for (name, side) in [("a", first), ("b", second)] {
                let instance = linker.instantiate(&mut store, &compile(&pair, side, player)).unwrap();
                linker.instance(&mut store, name, instance).unwrap();
            }
            let start = linker.instantiate(&mut store, &compile(&pair, true, start)).unwrap();
            let go = start.get_typed_func::<i64, i64>(&mut store, "go").unwrap();
            assert_eq!(go.call(&mut store, 100).unwrap(), 42);
            match go.call(&mut store, 1_000_000) {
                Ok(result) => assert_eq!(result, 42),
                Err(error) => {
                    assert!(first || second, "{error:?}");
                    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::StackOverflow), "{error:?}");
                }
            }
            assert_eq!(go.call(&mut store, 100).unwrap(), 42, "the store is as good as before");
        }
    }
}
