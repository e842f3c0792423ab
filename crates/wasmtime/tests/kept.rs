//! What a compiler keeps from module to module shows in none of them.

use lightbeam::Compiler;
use wasmtime::Config;

/// Modules that want all that is kept, some of them wrong.
fn modules() -> Vec<Vec<u8>> {
    let long: String = (0..3000).map(|i| format!("local.get 0 i32.const {i} i32.rotl local.set 0 ")).collect();
    [
        r#"(func (export "f") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))"#.to_owned(),
        format!(r#"(func (export "long") (param i32) (result i32) {long} local.get 0)"#),
        r#"(func (export "wrong") (result i32) (i64.const 0))"#.to_owned(),
        r#"(func (param i32) (local.set 0 (i32.const 1)) (block (br_table 0 1 0 (local.get 0))))"#.to_owned(),
        r#"(memory 1) (data (i32.const 7) "data") (func (export "load") (param i32) (result i64 f64)
             (i64.load (local.get 0)) (f64.const 0.1))"#
            .to_owned(),
        r#"(func (export "v") (param v128) (result v128)
             (i8x16.shuffle 0 1 2 3 4 5 6 7 31 30 29 28 27 26 25 24 (local.get 0) (v128.const i64x2 1 2)))"#
            .to_owned(),
        r#"(type $s (struct (field i32) (field (ref null $s))))
           (global (export "g") (ref $s) (struct.new $s (i32.const 1) (struct.new_default $s)))
           (func (export "new") (result (ref $s)) (struct.new $s (i32.const 7) (global.get 0)))"#
            .to_owned(),
        r#"(tag $t (param i32)) (table 3 funcref) (elem (i32.const 0) $a $b)
           (func $a (throw $t (i32.const 1)))
           (func $b (result i32) (block $h (result i32) (try_table (catch $t $h) (call $a)) (i32.const 0)))
           (func (export "c") (param i32) (call_indirect (local.get 0)))"#
            .to_owned(),
        String::new(),
    ]
    .iter()
    .map(|fields| wat::parse_str(format!("(module {fields})")).unwrap())
    .collect()
}

/// The artifact of a module, or what is wrong with it, made in one of three ways.
fn compile(compiler: &Compiler, wasm: &[u8], way: usize) -> Result<Vec<u8>, String> {
    let result = match way {
        0 => compiler.precompile(wasm),
        1 => {
            let mut stream = compiler.module_stream();
            wasm.chunks(100).try_for_each(|chunk| stream.push(chunk).map(drop)).and_then(|()| stream.finish_artifact())
        }
        _ => compiler.module(wasm).and_then(|_| compiler.precompile(wasm)),
    };
    result.map_err(|error| format!("{error:#}"))
}

#[test]
fn an_artifact_is_the_same_whatever_was_compiled_before() {
    let mut config = Config::new();
    config.wasm_gc(true).wasm_exceptions(true).wasm_function_references(true);
    let modules = modules();
    for poison in [false, true] {
        let fresh = || Compiler::new(&config).unwrap().poison(poison);
        let alone: Vec<_> = modules.iter().map(|wasm| compile(&fresh(), wasm, 0)).collect();
        let wrong: Vec<_> = alone.iter().filter_map(|artifact| artifact.as_ref().err()).collect();
        assert!(wrong.len() == 1, "{wrong:?}");
        let compiler = fresh();
        for round in 0..3 * modules.len() {
            // Each behind each.
            for at in 0..modules.len() {
                let one = at * (round + 1) % modules.len();
                let artifact = compile(&compiler, &modules[one], round % 3);
                assert!(artifact == alone[one], "module {one} in round {round}");
            }
        }
    }
}

#[test]
fn a_compiler_that_is_changed_keeps_nothing() {
    let compiler = Compiler::new(&Config::new()).unwrap();
    for wasm in &modules()[..2] {
        let artifact = compiler.precompile(wasm).unwrap();
        let none = compiler.clone().cpu_features(lightbeam::CpuFeatures::default());
        let expected = Compiler::new(&Config::new()).unwrap().cpu_features(lightbeam::CpuFeatures::default());
        assert!(none.precompile(wasm).unwrap() == expected.precompile(wasm).unwrap());
        assert!(compiler.precompile(wasm).unwrap() == artifact);
        // Also of a compiler that nobody else has.
        let own = Compiler::new(&Config::new()).unwrap();
        own.precompile(wasm).unwrap();
        let own = own.cpu_features(lightbeam::CpuFeatures::default());
        assert!(own.precompile(wasm).unwrap() == expected.precompile(wasm).unwrap());
    }
}
