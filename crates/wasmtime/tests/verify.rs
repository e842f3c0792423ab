//! Proving what was compiled, by each way in which a module can be compiled.

use lightbeam::Compiler;
use wasmtime::{Config, Instance, Store};

const MODULE: &str = r#"(module
  (import "" "f" (func $f (param i32) (result i32)))
  (memory (export "memory") 1 2)
  (table 3 funcref) (elem (i32.const 0) func $f $g $h)
  (global $g (mut i64) (i64.const 5))
  (data (i32.const 8) "abc") (data $d "def")
  (func $g (param i32) (result i32)
    (memory.init $d (i32.const 0) (i32.const 0) (i32.const 2))
    (i32.add (i32.load8_u offset=1 (local.get 0)) (call $f (i32.div_u (i32.const 100) (local.get 0)))))
  (func $h (export "h") (param i32 i32) (result i32)
    (global.set $g (i64.extend_i32_u (local.get 0)))
    (call_indirect (param i32) (result i32) (local.get 1) (local.get 0))))"#;

fn compiler() -> Compiler {
    Compiler::new(&Config::new()).unwrap().verify(true)
}

#[test]
fn every_way_to_compile_proves() {
    let compiler = compiler();
    let wasm = wat::parse_str(MODULE).unwrap();
    let (_, report) = compiler.module_timed(MODULE).unwrap();
    let proved = report.verified.expect("it was to be proved");
    assert_eq!(proved.functions, 2);
    assert!(proved.instructions > 50, "{proved:?}");
    assert!(report.phases.verify > std::time::Duration::ZERO);
    assert!(report.phases.total() > report.phases.verify);

    let (artifact, report) = compiler.precompile_timed(&wasm).unwrap();
    assert_eq!(report.verified, Some(proved));
    let without = compiler.clone().verify(false);
    let (same, report) = without.precompile_timed(&wasm).unwrap();
    assert_eq!(report.verified, None);
    assert!(artifact == same, "what is proved is not changed by it");

    let stream = |end: usize| {
        let mut stream = compiler.module_stream();
        stream.push(&wasm[..end]).unwrap();
        stream.push(&wasm[end..]).unwrap();
        stream
    };
    assert_eq!(stream(40).finish_timed().unwrap().1.verified, Some(proved));
    let (streamed, report) = stream(wasm.len() / 2).finish_artifact_timed().unwrap();
    assert_eq!(report.verified, Some(proved));
    assert!(streamed == artifact);
    compiler.read(&wasm[..]).unwrap();
    assert_eq!(compiler.verify_artifact(&artifact, MODULE).unwrap(), proved);
}

#[test]
fn what_was_proved_is_what_runs() {
    let compiler = compiler();
    // Small enough to be copied, and large enough to be loaded from a file in memory.
    for functions in [0, 20_000] {
        let more = "(func (param i32) (result i32) (i32.load (local.get 0)))".repeat(functions);
        let wat = MODULE.replacen("(global", &format!("{more} (global"), 1);
        let (module, report) = compiler.module_timed(wat).unwrap();
        assert_eq!(report.verified.unwrap().functions as usize, functions + 2);
        let mut store = Store::new(compiler.engine(), ());
        let double = wasmtime::Func::wrap(&mut store, |x: i32| 2 * x);
        let instance = Instance::new(&mut store, &module, &[double.into()]).unwrap();
        let h = instance.get_typed_func::<(i32, i32), i32>(&mut store, "h").unwrap();
        assert_eq!(h.call(&mut store, (1, 7)).unwrap(), i32::from(b'a') + 28);
    }
}
