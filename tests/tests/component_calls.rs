//! Calls between the core modules of one component, where an import is known to be one function's code: that they name
//! that code where Wasmtime says so and nowhere else, that whole and streamed artifacts are the same, that whatever
//! else a call could name is refused by the verifier, and that nobody sees a difference: backtraces, fuel, epochs, and
//! instances that are linked at run time are as with Cranelift. And that no exception leaves a component.

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind, Register};
use lightbeam::{Compiler, ErrorKind};
use lightbeam_tests::backend::Setup;
use lightbeam_verify::artifact::Artifact;
use lightbeam_verify::layout::Description;
use std::ops::Range;
use wasmtime::component::{Component, Linker};
use wasmtime::{
    Config, Engine, ExnRef, ExnRefPre, ExnType, Func, FuncType, Instance, Result, Store, StoreContextMut, Tag, TagType,
    Trap, WasmBacktrace,
};

/// Three functions of one type, which are called and jumped to, in one module of which there are two instances; and one
/// module that imports them twice, differently.
const COMPONENT: &str = r#"(component
  (core module $a
    (func (export "f") (param i32 i32) (result i32) (i32.sub (local.get 0) (local.get 1)))
    (func (export "g") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
  (core instance $a (instantiate $a))
  (core module $b
    (import "a" "f" (func $f (param i32 i32) (result i32)))
    (memory 1)
    (func (export "f") (param i32 i32) (result i32) (i32.mul (local.get 0) (local.get 1)))
    (func (export "calls") (param i32 i32) (result i32) (i32.add (call $f (local.get 0) (local.get 1)) (i32.const 1)))
    (func (export "tails") (param i32 i32) (result i32) (return_call $f (local.get 0) (local.get 1))))
  (core instance $b (instantiate $b (with "a" (instance $a))))
  (core module $c
    (import "a" "f" (func $f (param i32 i32) (result i32)))
    (import "a" "g" (func $g (param i32 i32) (result i32)))
    (import "b" "f" (func $h (param i32 i32) (result i32)))
    (func (export "go") (param i32 i32) (result i32)
      (i32.add (call $f (local.get 0) (local.get 1)) (call $h (local.get 0) (local.get 1)))
      (i32.add (call $g (local.get 0) (local.get 1)))))
  (core instance $c (instantiate $c (with "a" (instance $a)) (with "b" (instance $b))))
  (core module $either
    (import "" "f" (func $f (param i32 i32) (result i32)))
    (func (export "calls") (param i32 i32) (result i32) (i32.add (call $f (local.get 0) (local.get 1)) (i32.const 1)))
    (func (export "tails") (param i32 i32) (result i32) (return_call $f (local.get 0) (local.get 1))))
  (core instance $one (instantiate $either (with "" (instance $a))))
  (core instance $two (instantiate $either (with "" (instance $b))))
  (func (export "calls") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $b "calls")))
  (func (export "tails") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $b "tails")))
  (func (export "go") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $c "go")))
  (func (export "one") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $one "calls")))
  (func (export "two") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $two "tails"))))"#;

/// Of which module each of its functions is: `f` and `g` of $a; `f`, `calls` and `tails` of $b; `go` of $c; `calls` and
/// `tails` of $either.
const MODULES: [u32; 8] = [0, 0, 1, 1, 1, 2, 3, 3];

/// A call or jump by which a function leaves its module for an import.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Crossing {
    /// The caller's number among the functions of all modules.
    caller: u32,
    /// All of it, from whatever is ahead of the call in the place of a load.
    code: Range<usize>,
    jumps: bool,
    /// Where it goes, if it is direct.
    to: Option<u32>,
    /// Where the displacement is by which the callee's instance is read.
    instance: Range<usize>,
}

/// Where the functions of an artifact's modules can be entered, by number.
struct Entries {
    private: Vec<u32>,
    thunks: Vec<Option<u32>>,
    /// What else the function table has.
    borders: Vec<u32>,
}

/// All calls and jumps by which functions leave their modules for imports, and where functions are entered.
fn crossings(artifact: &[u8]) -> (Vec<Crossing>, Entries) {
    let parsed = Artifact::parse(artifact).unwrap();
    let description = Description::parse(&parsed).unwrap();
    let tables = description.tables(&parsed).unwrap();
    let borders: Vec<u32> = tables.borders.iter().map(|(_, range)| range.start).collect();
    let mut entries = Entries { private: Vec::new(), thunks: Vec::new(), borders };
    let mut all = Vec::new();
    for (caller, range) in (0..).zip(&tables.functions) {
        let text = &parsed.text[range.start as usize..range.end as usize];
        let decoder = Decoder::with_ip(64, text, range.start.into(), DecoderOptions::NONE);
        let code: Vec<Instruction> = decoder.into_iter().collect();
        // To no function, exit or builtin, so to a thunk; or to a function of another module.
        let outside = |i: &Instruction| {
            let to = i.near_branch_target() as u32;
            let function = (0..).zip(&tables.functions).find(|(_, range)| (range.start..range.end).contains(&to));
            i.op0_kind() == OpKind::NearBranch64
                && match function {
                    Some((number, _)) => description.function(number).0 != description.function(caller).0,
                    None => !entries.borders.contains(&to),
                }
        };
        let thunk = code.first().filter(|i| i.mnemonic() == Mnemonic::Jmp && outside(i));
        entries.thunks.push(thunk.map(|i| i.near_branch_target() as u32));
        entries.private.push(range.start + if thunk.is_some() { 5 } else { 0 });
        for (n, i) in code.iter().enumerate().skip(1) {
            let indirect = i.op0_kind() == OpKind::Register && i.op0_register() == Register::R11;
            let goes = matches!(i.flow_control(), FlowControl::Call | FlowControl::UnconditionalBranch)
                || matches!(i.flow_control(), FlowControl::IndirectCall | FlowControl::IndirectBranch) && indirect;
            if !goes || !indirect && !outside(i) {
                continue;
            }
            let of_instance = |i: &Instruction| {
                matches!(i.op0_register(), Register::RDI | Register::R15) && i.memory_base() == Register::R15
            };
            let instance = code[..n].iter().rfind(|i| of_instance(i)).expect("an instance is passed");
            let behind = instance.next_ip() as usize;
            let displacement = behind - if instance.memory_displ_size() == 1 { 1 } else { 4 };
            all.push(Crossing {
                caller,
                code: code[n - 1].ip() as usize..i.next_ip() as usize,
                jumps: matches!(i.flow_control(), FlowControl::UnconditionalBranch | FlowControl::IndirectBranch),
                to: (!indirect).then(|| i.near_branch_target() as u32),
                instance: displacement..behind,
            });
        }
    }
    (all, entries)
}

fn compiler() -> Compiler {
    Compiler::new(&Config::new()).unwrap()
}

#[test]
fn what_is_known_is_called_by_name_and_nothing_else() {
    let compiler = compiler();
    let artifact = compiler.precompile_component(COMPONENT).unwrap();
    let (all, entries) = crossings(&artifact);
    let seen: Vec<_> = all.iter().map(|crossing| (crossing.caller, crossing.jumps, crossing.to)).collect();
    assert!(
        entries.thunks.len() == MODULES.len() && entries.thunks.iter().all(Option::is_some),
        "{:?}",
        entries.thunks
    );
    let [f, g, h] = [0, 1, 2].map(|number| Some(entries.private[number]));
    let wanted = [
        (3, false, f),
        (4, true, entries.thunks[0]),
        (5, false, f),
        (5, false, h),
        (5, false, g),
        (6, false, None),
        (7, true, None),
    ];
    assert_eq!(seen, wanted);
    compiler.verify_artifact(&artifact, COMPONENT).unwrap();
}

#[test]
fn artifacts_are_the_same_however_a_component_comes() {
    let wasm = wat::parse_str(COMPONENT).unwrap();
    for threads in [1, 3] {
        let compiler = compiler().threads(threads).batch(1);
        let whole = compiler.precompile_component(&wasm).unwrap();
        for chunk in [1, 7, 100, wasm.len()] {
            let mut stream = compiler.component_stream();
            for chunk in wasm.chunks(chunk) {
                stream.push(chunk).unwrap();
            }
            assert!(stream.finish_artifact().unwrap() == whole, "by {chunk} on {threads} threads");
        }
    }
}

/// Whatever else a call could name, whoever else's instance it could pass, and what is not known but named all the
/// same: none of it is proved.
#[test]
fn no_other_call_is_proved() {
    let compiler = compiler();
    let artifact = compiler.precompile_component(COMPONENT).unwrap();
    let text = Artifact::section(&artifact, ".text").unwrap().start;
    let (all, entries) = crossings(&artifact);
    let refused = |artifact: &[u8], what: &str| {
        let error = compiler.verify_artifact(artifact, COMPONENT).expect_err(what);
        let error = error.downcast::<lightbeam::Error>().unwrap();
        assert_eq!(error.kind(), ErrorKind::Verification, "{what}: {error}");
        error.to_string()
    };
    // A call or jump to a place, with what is ahead of it in the place of the load.
    let direct = |crossing: &Crossing, to: u32| {
        let mut changed = artifact.clone();
        let code = &mut changed[text + crossing.code.start..text + crossing.code.end];
        let (ahead, goes) = code.split_at_mut(crossing.code.len() - 5);
        ahead.fill(0x90);
        goes[0] = if crossing.jumps { 0xe9 } else { 0xe8 };
        goes[1..].copy_from_slice(&to.wrapping_sub(crossing.code.end as u32).to_le_bytes());
        changed
    };
    let mut tried = 0;
    for crossing in &all {
        let own = |place: u32| {
            // The private entries of the caller's own module are no way out of it.
            let mut all = entries.private.iter().zip(MODULES);
            all.any(|(private, module)| place == *private && module == MODULES[crossing.caller as usize])
        };
        let places = entries.thunks.iter().flatten().flat_map(|thunk| [*thunk, thunk + 1, thunk + 4]);
        let places = places.chain(entries.private.iter().flat_map(|entry| [*entry, entry - 5, entry + 1]));
        let places = places.chain(entries.borders.iter().copied());
        for place in places.filter(|place| crossing.to != Some(*place) && !own(*place)) {
            refused(&direct(crossing, place), &format!("{crossing:?} to {place:#x}"));
            tried += 1;
        }
        if let Some(to) = crossing.to {
            compiler.verify_artifact(&direct(crossing, to), COMPONENT).expect("other code that does nothing");
        }
        // Slots are 32 bytes apart; the one before the first function's is none, and so is that behind the last's.
        for other in [-64, -32, 32, 64, 8, -8] {
            let mut changed = artifact.clone();
            let displacement = &mut changed[text + crossing.instance.start];
            *displacement = displacement.wrapping_add_signed(other);
            refused(&changed, &format!("{crossing:?} with what is {other} bytes from its instance"));
            tried += 1;
        }
    }
    assert!(tried > 200, "{tried}");
    // With the reason that is meant.
    let calls = all.iter().find(|crossing| crossing.caller == 5).unwrap();
    for (callee, what) in [(1, "another function of the module"), (2, "one of another module")] {
        let message = refused(&direct(calls, entries.private[callee]), what);
        assert!(message.contains("call of another function than the import is"), "{message}");
    }
    for unknown in all.iter().filter(|crossing| crossing.to.is_none()) {
        let message = refused(&direct(unknown, entries.thunks[0].unwrap()), "an import that is not known");
        assert!(message.contains("call past an import that may be any function"), "{message}");
    }
    // The callee's memory is read from its instance, all of it and at its place; and who called has its own again.
    let parsed = Artifact::parse(&artifact).unwrap();
    let mut reads = 0;
    for crossing in all.iter().filter(|crossing| !crossing.jumps && crossing.to.is_some()) {
        let mut around = crossing.instance.end..crossing.code.end + 16;
        around.end = around.end.min(parsed.text.len());
        let decoder = Decoder::with_ip(64, &parsed.text[around.clone()], around.start as u64, DecoderOptions::NONE);
        for i in decoder.into_iter().filter(|i| matches!(i.op0_register(), Register::R14 | Register::R15)) {
            if !matches!(i.memory_base(), Register::R15 | Register::RBP) {
                continue;
            }
            let mut changed = artifact.clone();
            changed[text + i.ip() as usize..text + i.next_ip() as usize].fill(0x90);
            refused(&changed, &format!("without {i}"));
            let at = text + i.next_ip() as usize - if i.memory_displ_size() == 1 { 1 } else { 4 };
            for other in [-16, -8, -1, 1, 8, 16] {
                let mut changed = artifact.clone();
                changed[at] = changed[at].wrapping_add_signed(other);
                refused(&changed, &format!("{i} {other} bytes off"));
            }
            reads += 1;
        }
    }
    assert!(reads >= 5, "{reads}");
}

fn by_both(setup: &Setup, source: &str, mut run: impl FnMut(&Engine, &Component)) {
    let mut config = setup.config();
    config.wasm_backtrace_max_frames(std::num::NonZero::new(20));
    let engine = Engine::new(&config).unwrap();
    let wasm = wat::parse_str(source).unwrap();
    run(&engine, &setup.lightbeam(&engine).unwrap().component(&wasm).unwrap());
    run(&engine, &Component::new(&engine, &wasm).unwrap());
}

/// A trap three modules down, by calls and by tail calls.
const TRAPS: &str = r#"(component
  (core module $inner
    (func $deep (export "f") (param i32) (result i32) (i32.div_u (i32.const 1) (i32.eqz (local.get 0)))))
  (core instance $inner (instantiate $inner))
  (core module $middle
    (import "" "f" (func $f (param i32) (result i32)))
    (func $between (export "f") (param i32) (result i32) (i32.add (call $f (local.get 0)) (i32.const 1)))
    (func $passes (export "tail") (param i32) (result i32) (return_call $f (local.get 0))))
  (core instance $middle (instantiate $middle (with "" (instance $inner))))
  (core module $outer
    (import "" "f" (func $f (param i32) (result i32)))
    (import "" "tail" (func $tail (param i32) (result i32)))
    (func $starts (export "f") (param i32) (result i32)
      (i32.add (call $f (local.get 0)) (call $f (i32.const 0))))
    (func $ends (export "tail") (param i32) (result i32) (i32.add (call $tail (local.get 0)) (i32.const 1))))
  (core instance $outer (instantiate $outer (with "" (instance $middle))))
  (func (export "f") (param "a" u32) (result u32) (canon lift (core func $outer "f")))
  (func (export "tail") (param "a" u32) (result u32) (canon lift (core func $outer "tail"))))"#;

#[test]
fn backtraces_are_those_of_calls_by_import() {
    let mut seen: Vec<Vec<(Option<String>, Option<usize>)>> = Vec::new();
    by_both(&Setup::default(), TRAPS, |engine, component| {
        for name in ["f", "tail"] {
            let mut store = Store::new(engine, ());
            let instance = Linker::new(engine).instantiate(&mut store, component).unwrap();
            let f = instance.get_typed_func::<(u32,), (u32,)>(&mut store, name).unwrap();
            let error = f.call(&mut store, (1,)).unwrap_err();
            assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::IntegerDivisionByZero));
            let backtrace = error.downcast_ref::<WasmBacktrace>().unwrap();
            let frame = |frame: &wasmtime::FrameInfo| (frame.func_name().map(str::to_owned), frame.module_offset());
            seen.push(backtrace.frames().iter().map(frame).collect());
        }
    });
    let names: Vec<Vec<_>> =
        seen.iter().map(|frames| frames.iter().map(|(name, _)| name.as_deref()).collect()).collect();
    assert_eq!(names[0], [Some("deep"), Some("between"), Some("starts")]);
    assert_eq!(names[1], [Some("deep"), Some("ends")]);
    assert_eq!(seen[..2], seen[2..]);
}

#[test]
fn fuel_runs_out_where_it_does_otherwise() {
    let mut totals: Vec<Vec<(bool, u64)>> = Vec::new();
    by_both(&Setup { fuel: true, ..Setup::default() }, TRAPS, |engine, component| {
        let mut all = Vec::new();
        for fuel in (0..40).chain([1000]) {
            for name in ["f", "tail"] {
                let mut store = Store::new(engine, ());
                store.set_fuel(1 << 20).unwrap();
                let instance = Linker::new(engine).instantiate(&mut store, component).unwrap();
                let f = instance.get_typed_func::<(u32,), (u32,)>(&mut store, name).unwrap();
                store.set_fuel(fuel).unwrap();
                let result = f.call(&mut store, (0,));
                assert!(result.is_ok() || store.get_fuel().unwrap() == 0);
                all.push((result.is_ok(), store.get_fuel().unwrap()));
            }
        }
        assert!(all.iter().any(|(ok, _)| *ok) && all.iter().any(|(ok, _)| !ok));
        totals.push(all);
    });
    assert_eq!(totals[0], totals[1]);
}

#[test]
fn epochs_end_in_whoever_is_called() {
    let looping = TRAPS.replace("(i32.div_u", "(loop $l (br_if $l (local.get 0))) (i32.div_u");
    assert_ne!(looping, TRAPS);
    by_both(&Setup { epochs: true, ..Setup::default() }, &looping, |engine, component| {
        for name in ["f", "tail"] {
            let mut store = Store::new(engine, ());
            store.set_epoch_deadline(1);
            let instance = Linker::new(engine).instantiate(&mut store, component).unwrap();
            let f = instance.get_typed_func::<(u32,), (u32,)>(&mut store, name).unwrap();
            assert!(f.call(&mut store, (0,)).is_ok());
            engine.increment_epoch();
            let error = f.call(&mut store, (1,)).unwrap_err();
            assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::Interrupt));
        }
    });
}

/// Whoever has the module can give it anything.
#[test]
fn an_exported_module_is_given_other_functions_at_run_time() -> Result<()> {
    let source = r#"(component
      (core module $a (func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))
      (core instance $a (instantiate $a))
      (core module $m (export "m")
        (import "" "f" (func $f (param i32) (result i32)))
        (func (export "calls") (param i32) (result i32) (i32.add (call $f (local.get 0)) (i32.const 1000)))
        (func (export "tails") (param i32) (result i32) (return_call $f (local.get 0))))
      (core instance $m (instantiate $m (with "" (instance $a))))
      (func (export "calls") (param "a" u32) (result u32) (canon lift (core func $m "calls")))
      (func (export "tails") (param "a" u32) (result u32) (canon lift (core func $m "tails"))))"#;
    let compiler = compiler();
    let (all, _) = crossings(&compiler.precompile_component(source)?);
    assert!(all.len() == 2 && all.iter().all(|crossing| crossing.to.is_none()), "{all:?}");
    by_both(&Setup::default(), source, |engine, component| {
        let mut store = Store::new(engine, ());
        let instance = Linker::new(engine).instantiate(&mut store, component).unwrap();
        for (name, want) in [("calls", 1008), ("tails", 8)] {
            let f = instance.get_typed_func::<(u32,), (u32,)>(&mut store, name).unwrap();
            assert_eq!(f.call(&mut store, (7,)).unwrap(), (want,));
        }
        let module = instance.get_module(&mut store, "m").unwrap();
        let other = Func::wrap(&mut store, |x: i32| x * 2);
        let linked = Instance::new(&mut store, &module, &[other.into()]).unwrap();
        for (name, want) in [("calls", 1014), ("tails", 14)] {
            let f = linked.get_typed_func::<i32, i32>(&mut store, name).unwrap();
            assert_eq!(f.call(&mut store, 7).unwrap(), want);
        }
    });
    Ok(())
}

/// What the component is given is nobody's that it knows.
#[test]
fn an_imported_modules_functions_are_not_known() -> Result<()> {
    let source = r#"(component
      (import "m" (core module $m (export "f" (func (param i32) (result i32)))))
      (core instance $m (instantiate $m))
      (core module $uses
        (import "" "f" (func $f (param i32) (result i32)))
        (func (export "go") (param i32) (result i32) (i32.add (call $f (local.get 0)) (i32.const 1000))))
      (core instance $uses (instantiate $uses (with "" (instance $m))))
      (func (export "go") (param "a" u32) (result u32) (canon lift (core func $uses "go"))))"#;
    let compiler = compiler();
    let (all, _) = crossings(&compiler.precompile_component(source)?);
    assert!(all.len() == 1 && all[0].to.is_none(), "{all:?}");
    by_both(&Setup::default(), source, |engine, component| {
        let text = r#"(module (func (export "f") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3))))"#;
        let module = wasmtime::Module::new(engine, text).unwrap();
        let mut linker = Linker::<()>::new(engine);
        linker.root().module("m", &module).unwrap();
        let mut store = Store::new(engine, ());
        let instance = linker.instantiate(&mut store, component).unwrap();
        let f = instance.get_typed_func::<(u32,), (u32,)>(&mut store, "go").unwrap();
        assert_eq!(f.call(&mut store, (7,)).unwrap(), (1021,));
    });
    Ok(())
}

/// A component of two, one of which calls the host through the other and would go on behind whatever comes of it.
const THROUGH: &str = r#"(component
  (import "host" (func $host (param "a" u32)))
  (component $inner
    (import "host" (func $host (param "a" u32)))
    (core func $lowered (canon lower (func $host)))
    (core module $m
      (import "" "host" (func $host (param i32)))
      (func (export "f") (param i32) (call $host (local.get 0))))
    (core instance $m (instantiate $m (with "" (instance (export "host" (func $lowered))))))
    (func (export "f") (param "a" u32) (canon lift (core func $m "f"))))
  (instance $inner (instantiate $inner (with "host" (func $host))))
  (component $outer
    (import "f" (func $f (param "a" u32)))
    (core func $lowered (canon lower (func $f)))
    (core module $m
      (import "" "f" (func $f (param i32)))
      (func (export "go") (param i32) (result i32)
        (block $caught
          (try_table (catch_all $caught) (call $f (local.get 0)))
          (return (i32.const 1)))
        (i32.const 2)))
    (core instance $m (instantiate $m (with "" (instance (export "f" (func $lowered))))))
    (func (export "go") (param "a" u32) (result u32) (canon lift (core func $m "go"))))
  (instance $outer (instantiate $outer (with "f" (func $inner "f"))))
  (export "go" (func $outer "go")))"#;

/// A function of the host's may throw, though no module of the component has a tag.
#[test]
fn no_exception_passes_from_component_to_component() {
    by_both(&Setup::default(), THROUGH, |engine, component| {
        let mut store = Store::new(engine, ());
        let mut linker = Linker::new(engine);
        let throws = |mut store: StoreContextMut<'_, ()>, (a,): (u32,)| -> Result<()> {
            if a == 0 {
                return Ok(());
            }
            let none = FuncType::new(store.engine(), [], []);
            let tag = Tag::new(&mut store, &TagType::new(none))?;
            let ty = ExnType::from_tag_type(&tag.ty(&store))?;
            let exceptions = ExnRefPre::new(&mut store, ty);
            let exception = ExnRef::new(&mut store, &exceptions, &tag, &[])?;
            store.throw(exception)
        };
        linker.root().func_wrap("host", throws).unwrap();
        let instance = linker.instantiate(&mut store, component).unwrap();
        let go = instance.get_typed_func::<(u32,), (u32,)>(&mut store, "go").unwrap();
        assert_eq!(go.call(&mut store, (0,)).unwrap(), (1,));
        let error = go.call(&mut store, (1,)).unwrap_err();
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::UncaughtException), "{error:?}");
    });
}
