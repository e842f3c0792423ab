//! Components of both compilers in one store of one engine, as artifacts that were loaded: with host functions between
//! them, and with resources of one that pass through the host to the other.

use lightbeam_tests::components::{Outcome, outcome_of, settings};
use std::collections::BTreeSet;
use wasmtime::component::{Component, Func, Instance, Linker, ResourceAny, Val};
use wasmtime::{Engine, Result, Store, StoreContextMut, Trap};

/// Has resources, whose destructor tells the host, and functions that take them and give them.
const OWNER: &str = r#"(component
  (import "note" (func $note (param "s" string)))
  (core module $libc (memory (export "memory") 2)
    (global $last (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.set $last (i32.and (i32.add (global.get $last) (i32.const 7)) (i32.const -8)))
      (global.get $last)
      (global.set $last (i32.add (global.get $last) (local.get 3)))))
  (core instance $libc (instantiate $libc))
  (core func $note (canon lower (func $note) (memory (core memory $libc "memory"))))
  (core module $d (import "" "note" (func $note (param i32 i32))) (import "libc" "memory" (memory 2))
    (data (i32.const 8) "dropped 0")
    (func (export "destroy") (param i32)
      (i32.store8 (i32.const 16) (i32.add (i32.const 48) (local.get 0))) (call $note (i32.const 8) (i32.const 9))))
  (core instance $d (instantiate $d (with "" (instance (export "note" (func $note)))) (with "libc" (instance $libc))))
  (type $t' (resource (rep i32) (dtor (core func $d "destroy"))))
  (export $t "t" (type $t'))
  (core func $new (canon resource.new $t'))
  (core module $m
    (import "" "new" (func $new (param i32) (result i32)))
    (import "libc" "memory" (memory 2)) (import "libc" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
    (func (export "make") (param i32) (result i32) (call $new (local.get 0)))
    (func (export "look") (param i32) (result i32) (local.get 0))
    ;; What it is given twice.
    (func (export "twice") (param $at i32) (param $length i32) (result i32) (local $to i32)
      (local.set $to (call $realloc (i32.const 0) (i32.const 0) (i32.const 1) (i32.mul (local.get $length)
        (i32.const 2))))
      (memory.copy (local.get $to) (local.get $at) (local.get $length))
      (memory.copy (i32.add (local.get $to) (local.get $length)) (local.get $at) (local.get $length))
      (i32.store (i32.const 0) (local.get $to)) (i32.store (i32.const 4) (i32.mul (local.get $length) (i32.const 2)))
      (i32.const 0))
    (func (export "fail") (unreachable)))
  (core instance $m (instantiate $m (with "" (instance (export "new" (func $new)))) (with "libc" (instance $libc))))
  (func (export "make") (param "n" u32) (result (own $t)) (canon lift (core func $m "make")))
  (func (export "look") (param "t" (borrow $t)) (result u32) (canon lift (core func $m "look")))
  (func (export "twice") (param "s" string) (result string) (canon lift (core func $m "twice")
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (func (export "fail") (canon lift (core func $m "fail"))))"#;

/// Uses what the first has, with strings in another encoding.
const USER: &str = r#"(component
  (import "t" (type $t (sub resource)))
  (import "make" (func $make (param "n" u32) (result (own $t))))
  (import "look" (func $look (param "t" (borrow $t)) (result u32)))
  (import "twice" (func $twice (param "s" string) (result string)))
  (import "fail" (func $fail))
  (core module $libc (memory (export "memory") 2)
    (global $last (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local i32)
      (global.set $last (i32.and (i32.add (global.get $last) (i32.const 7)) (i32.const -8)))
      (local.set 4 (global.get $last))
      (global.set $last (i32.add (global.get $last) (local.get 3)))
      (memory.copy (local.get 4) (local.get 0) (local.get 1)) (local.get 4)))
  (core instance $libc (instantiate $libc))
  (core func $make (canon lower (func $make)))
  (core func $look (canon lower (func $look)))
  (core func $twice (canon lower (func $twice)
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc")) string-encoding=utf16))
  (core func $fail (canon lower (func $fail)))
  (core func $drop (canon resource.drop $t))
  (core module $m
    (import "" "make" (func $make (param i32) (result i32))) (import "" "look" (func $look (param i32) (result i32)))
    (import "" "twice" (func $twice (param i32 i32 i32))) (import "" "fail" (func $fail))
    (import "" "drop" (func $drop (param i32)))
    (func (export "run") (result i32) (local i32)
      (local.set 0 (call $make (i32.const 5)))
      (i32.add (call $look (local.get 0)) (call $look (local.get 0)))
      (call $drop (local.get 0)))
    (func (export "pass") (param i32) (result i32) (drop (call $look (local.get 0))) (local.get 0))
    (func (export "twice") (param i32 i32) (result i32) (call $twice (local.get 0) (local.get 1) (i32.const 16))
      (i32.const 16))
    (func (export "fail") (call $fail)))
  (core instance $m (instantiate $m (with "" (instance (export "make" (func $make)) (export "look" (func $look))
    (export "twice" (func $twice)) (export "fail" (func $fail)) (export "drop" (func $drop))))))
  (func (export "run") (result u32) (canon lift (core func $m "run")))
  (func (export "pass") (param "t" (own $t)) (result (own $t)) (canon lift (core func $m "pass")))
  (func (export "twice") (param "s" string) (result string) (canon lift (core func $m "twice")
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc")) string-encoding=utf16))
  (func (export "fail") (canon lift (core func $m "fail"))))"#;

/// An artifact of either compiler, loaded.
fn component(engine: &Engine, lightbeam: bool, text: &str) -> Component {
    let artifact = if lightbeam {
        settings()[0].setup.lightbeam(engine).unwrap().precompile_component(text)
    } else {
        engine.precompile_component(&wat::parse_str(text).unwrap())
    };
    // SAFETY: the artifacts are as the compilers made them.
    unsafe { Component::deserialize(engine, artifact.unwrap()).unwrap() }
}

/// Has what the owner exports defined as host functions that call it.
fn define(linker: &mut Linker<Vec<String>>, store: &mut Store<Vec<String>>, owner: Instance) -> Result<()> {
    let (_, ty) = owner.get_export(&mut *store, None, "t").map(|(ty, index)| (index, ty)).expect("it is exported");
    let wasmtime::component::types::ComponentItem::Resource(ty) = ty else { panic!("it is no resource") };
    linker.root().resource("t", ty, |mut store: StoreContextMut<'_, Vec<String>>, number| {
        store.data_mut().push(format!("let go of {number}"));
        Ok(())
    })?;
    for name in ["make", "look", "twice", "fail"] {
        let func: Func = owner.get_func(&mut *store, name).expect("it is exported");
        linker.root().func_new(name, move |mut store: StoreContextMut<'_, Vec<String>>, _, args, results| {
            store.data_mut().push(name.to_string());
            func.call(&mut store, args, results)?;
            match args {
                // What it borrowed it gives back.
                [Val::Resource(resource)] => resource.resource_drop(&mut store),
                _ => Ok(()),
            }
        })?;
    }
    Ok(())
}

#[test]
fn components_of_both_call_each_other_through_the_host() {
    let mut seen = Vec::new();
    for setting in [settings()[0], settings()[1], settings()[3]] {
        let engine = setting.engine();
        for (owner_is_ours, user_is_ours) in [(true, false), (false, true), (true, true), (false, false)] {
            let [owner, user] =
                [(owner_is_ours, OWNER), (user_is_ours, USER)].map(|(ours, text)| component(&engine, ours, text));
            let mut store = Store::new(&engine, Vec::new());
            store.set_epoch_deadline(1 << 40);
            let mut linker = Linker::new(&engine);
            linker
                .root()
                .func_wrap("note", |mut store: StoreContextMut<'_, Vec<String>>, (text,): (String,)| {
                    store.data_mut().push(text);
                    Ok(())
                })
                .unwrap();
            let owner = linker.instantiate(&mut store, &owner).unwrap();
            define(&mut linker, &mut store, owner).unwrap();
            let users = [0, 1].map(|_| linker.instantiate(&mut store, &user).unwrap());
            let mut outcomes: Vec<Outcome> = Vec::new();
            for user in users {
                for (name, args) in [("run", vec![]), ("twice", vec![Val::String("añ🦀".into())])] {
                    let func = user.get_func(&mut store, name).unwrap();
                    let mut results = [Val::Bool(false)];
                    let done = func.call(&mut store, &args, &mut results);
                    outcomes.push(outcome_of(done.map(|()| vec![format!("{results:?}")])));
                }
                // One that has not left its owner goes the way that it says.
                let func = owner.get_func(&mut store, "make").unwrap();
                let mut made = [Val::Bool(false)];
                func.call(&mut store, &[Val::U32(8)], &mut made).unwrap();
                let [Val::Resource(resource)] = made else { panic!("{made:?}") };
                resource.resource_drop(&mut store).unwrap();
                // A resource goes from the one to the host, to the other, and back, and is looked at by its owner.
                let call = |store: &mut Store<Vec<String>>, of: Instance, name: &str, args: &[Val]| {
                    let func = of.get_func(&mut *store, name).unwrap();
                    let mut results = [Val::Bool(false)];
                    func.call(&mut *store, args, &mut results).map(|()| results[0].clone())
                };
                let made = call(&mut store, owner, "make", &[Val::U32(3)]).unwrap();
                let passed = call(&mut store, user, "pass", &[made]).unwrap();
                let looked = call(&mut store, owner, "look", std::slice::from_ref(&passed)).unwrap();
                outcomes.push(Outcome::Returned(vec![format!("{looked:?}")]));
                let Val::Resource(resource) = passed else { panic!("{passed:?}") };
                let resource: ResourceAny = resource;
                outcomes.push(outcome_of(resource.resource_drop(&mut store).map(|()| Vec::new())));
                assert!(resource.resource_drop(&mut store).is_err(), "it is gone");
            }
            // What fails in the owner ends both, and nobody else.
            let fail = users[0].get_func(&mut store, "fail").unwrap();
            let failed = outcome_of(fail.call(&mut store, &[], &mut []).map(|()| Vec::new()));
            assert_eq!(failed.trap(), Some(Trap::UnreachableCodeReached), "{failed:?}");
            outcomes.push(failed);
            for user in users {
                let run = user.get_func(&mut store, "run").unwrap();
                outcomes.push(outcome_of(run.call(&mut store, &[], &mut [Val::Bool(false)]).map(|()| Vec::new())));
            }
            outcomes.push(Outcome::Returned(std::mem::take(store.data_mut())));
            seen.push(outcomes);
        }
    }
    let different: BTreeSet<String> = seen.iter().map(|outcomes| format!("{outcomes:#?}")).collect();
    assert_eq!(different.len(), 1, "{different:#?}");
    let told = different.first().unwrap();
    for part in ["[U32(10)]", "añ🦀añ🦀", "U32(3)", "let go of 5", "dropped 8", "let go of 3"] {
        assert!(told.contains(part), "{part}: {told}");
    }
}
