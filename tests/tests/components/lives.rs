//! Instances that outlive their component, stores that go from thread to thread, hooks that see every border, limits on
//! handles, and what modules do while they are made instances of.

use lightbeam_tests::components::{Instantiated, Outcome, State, imports, limits, next_turn, outcome_of, settings};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use wasmtime::component::{Component, Linker, Val};
use wasmtime::{CallHook, Engine, Store, StoreContextMut, Trap};

/// Calls the host through an adapter, with a string that is allocated, and is told that it has returned.
const TALKS: &str = "(component
  (import \"text\" (func $text (param \"s\" string))) (import \"log\" (func $log (param \"n\" u32)))
  (component $Inner
    (import \"text\" (func $text (param \"s\" string))) (import \"log\" (func $log (param \"n\" u32)))
    (core module $libc (memory (export \"memory\") 1) (global $calls (mut i32) (i32.const 0))
      (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 64)))
    (core instance $libc (instantiate $libc))
    (core func $text (canon lower (func $text) (memory (core memory $libc \"memory\"))))
    (core module $m (import \"\" \"text\" (func $text (param i32 i32)))
      (func (export \"f\") (param i32 i32) (result i32)
        (call $text (local.get 0) (local.get 1)) (call $text (local.get 0) (i32.const 1)) (local.get 1))
      (func (export \"after\") (param i32)))
    (core instance $m (instantiate $m (with \"\" (instance (export \"text\" (func $text))))))
    (func (export \"f\") (param \"s\" string) (result u32) (canon lift (core func $m \"f\")
      (memory (core memory $libc \"memory\")) (realloc (core func $libc \"realloc\")) (post-return
        (core func $m \"after\")))))
  (component $Outer
    (import \"f\" (func $f (param \"s\" string) (result u32))) (import \"log\" (func $log (param \"n\" u32)))
    (core module $libc (memory (export \"memory\") 1)
      (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 128)))
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $f) (memory (core memory $libc \"memory\")) string-encoding=utf16))
    (core func $log (canon lower (func $log)))
    (core module $m (import \"\" \"f\" (func $f (param i32 i32) (result i32))) (import \"\" \"log\" (func $log
      (param i32)))
      (func (export \"g\") (param i32 i32) (result i32) (local i32)
        (call $log (local.get 1)) (local.set 2 (call $f (local.get 0) (local.get 1))) (call $log (local.get 2))
          (local.get 2)))
    (core instance $m (instantiate $m (with \"\" (instance (export \"f\" (func $f)) (export \"log\" (func $log))))))
    (func (export \"g\") (param \"s\" string) (result u32) (canon lift (core func $m \"g\")
      (memory (core memory $libc \"memory\")) (realloc (core func $libc \"realloc\")) string-encoding=utf16)))
  (instance $inner (instantiate $Inner (with \"text\" (func $text)) (with \"log\" (func $log))))
  (instance $outer (instantiate $Outer (with \"f\" (func $inner \"f\")) (with \"log\" (func $log))))
  (export \"g\" (func $outer \"g\")))";

fn text(of: &str) -> [Val; 1] {
    [Val::String(of.into())]
}

#[test]
fn instances_outlive_their_components() {
    for setting in settings() {
        let engine = setting.engine();
        for (how, component) in setting.compile(&engine, TALKS).unwrap() {
            let mut instance = Instantiated::new(&engine, &component).unwrap();
            let second = component.clone();
            drop(component);
            assert!(instance.call("g", &text("abc")).is(&["U32(3)", "3", "abc", "a", "3"]));
            drop(second);
            // Other code gets the place of any that is gone.
            let other = setting.setup.lightbeam(&engine).unwrap().component(TALKS).unwrap();
            let seen = instance.call("g", &text("more"));
            assert!(seen.is(&["U32(4)", "4", "more", "m", "4"]), "{how}: {seen:?}");
            drop(other);
            assert!(instance.call("g", &text("x")).is(&["U32(1)", "1", "x", "x", "1"]), "{how}");
        }
    }
}

#[test]
fn hooks_see_every_border() {
    for setting in settings().into_iter().filter(|setting| !setting.setup.fuel) {
        let seen = setting.same(TALKS, |engine, component| {
            let mut instance = Instantiated::new(engine, component).unwrap();
            instance.store.call_hook(|mut store: StoreContextMut<'_, State>, hook| {
                store.data_mut().log.push(format!("{hook:?}"));
                Ok(())
            });
            let first = instance.call("g", &text("abc"));
            // A hook that fails at the nth border fails the call.
            let mut failed = Vec::new();
            for most in 0..16 {
                let mut instance = Instantiated::new(engine, component).unwrap();
                let mut borders = 0;
                instance.store.call_hook(move |_, _: CallHook| {
                    borders += 1;
                    if borders > most { Err(wasmtime::Error::msg("no further")) } else { Ok(()) }
                });
                failed.push((instance.call("g", &text("abc")), instance.call("g", &text("a"))));
            }
            (first, failed)
        });
        let (Outcome::Returned(first), failed) = seen else { panic!("{seen:?}") };
        let entered = first.iter().filter(|hook| *hook == "CallingHost").count();
        let left = first.iter().filter(|hook| *hook == "ReturningFromHost").count();
        assert!(entered >= 4 && entered == left, "{first:?}");
        assert!(
            failed
                .iter()
                .take(8)
                .all(|(outcome, _)| matches!(outcome, Outcome::Failed(None, why, _) if why == "no further"))
        );
    }
}

/// Handles of one store are counted, of whatever table they are.
#[test]
fn handles_have_a_limit() {
    let text = "(component
      (type $t (resource (rep i32)))
      (core func $new (canon resource.new $t)) (core func $drop (canon resource.drop $t))
      (core module $m (import \"\" \"new\" (func $new (param i32) (result i32))) (import \"\" \"drop\" (func $drop
        (param i32)))
        (func (export \"make\") (param $n i32) (result i32) (local $last i32)
          (loop
            (local.set $last (call $new (i32.const -1)))
            (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
          (local.get $last))
        (func (export \"drop\") (param i32) (call $drop (local.get 0))))
      (core instance $m (instantiate $m (with \"\" (instance (export \"new\" (func $new)) (export \"drop\"
        (func $drop))))))
      (func (export \"make\") (param \"n\" u32) (result u32) (canon lift (core func $m \"make\")))
      (func (export \"drop\") (param \"n\" u32) (canon lift (core func $m \"drop\"))))";
    for setting in settings().into_iter().filter(|setting| setting.concurrency) {
        let seen = setting.same(text, |engine, component| {
            let mut instance = Instantiated::new(engine, component).unwrap();
            if let Some(table) = instance.store.concurrent_resource_table() {
                table.set_max_capacity(500);
            }
            let fits = [instance.call("make", &[Val::U32(300)]), instance.call("drop", &[Val::U32(7)])];
            let reused = instance.call("make", &[Val::U32(1)]);
            let many = instance.call("make", &[Val::U32(100_000)]);
            (fits, reused, many, instance.call("drop", &[Val::U32(8)]))
        });
        assert!(seen.0[0].is(&["U32(300)"]) && seen.0[1].is(&[]) && seen.1.is(&["U32(7)"]), "{seen:?}");
    }
}

/// A future that is asked on another thread each time, as those of servers are.
#[test]
fn calls_go_on_on_other_threads() {
    let text = "(component
      (import \"later\" (func $later async (param \"n\" u32) (result u32)))
      (component $Inner
        (import \"later\" (func $later async (param \"n\" u32) (result u32)))
        (core func $later (canon lower (func $later)))
        (core module $m (import \"\" \"later\" (func $later (param i32) (result i32)))
          (func (export \"f\") (param i32) (result i32)
            (i32.div_u (call $later (i32.const 60)) (call $later (local.get 0)))))
        (core instance $m (instantiate $m (with \"\" (instance (export \"later\" (func $later))))))
        (func (export \"f\") async (param \"n\" u32) (result u32) (canon lift (core func $m \"f\"))))
      (component $Outer
        (import \"f\" (func $f async (param \"n\" u32) (result u32)))
        (core func $f (canon lower (func $f)))
        (core module $m (import \"\" \"f\" (func $f (param i32) (result i32)))
          (func (export \"g\") (param i32) (result i32) (i32.add (i32.const 1) (call $f (local.get 0)))))
        (core instance $m (instantiate $m (with \"\" (instance (export \"f\" (func $f))))))
        (func (export \"g\") async (param \"n\" u32) (result u32) (canon lift (core func $m \"g\"))))
      (instance $inner (instantiate $Inner (with \"later\" (func $later))))
      (instance $outer (instantiate $Outer (with \"f\" (func $inner \"f\"))))
      (export \"g\" (func $outer \"g\")))";
    for setting in settings().into_iter().filter(|setting| setting.concurrency) {
        let seen = setting.same(text, |engine, component| {
            [5, 0].map(|by| {
                let (engine, component) = (engine.clone(), component.clone());
                let mut call: Pin<Box<dyn Future<Output = Outcome> + Send>> = Box::pin(async move {
                    let mut store = Store::new(&engine, State::default());
                    limits(&mut store);
                    let mut linker = Linker::new(&engine);
                    imports(&mut linker, true).unwrap();
                    let instance = linker.instantiate_async(&mut store, &component).await.unwrap();
                    let func = instance.get_typed_func::<(u32,), (u32,)>(&mut store, "g").unwrap();
                    next_turn().await;
                    outcome_of(func.call_async(&mut store, (by,)).await.map(|(number,)| vec![number.to_string()]))
                });
                for _ in 0..100_000 {
                    let (back, polled) = std::thread::spawn(move || {
                        let polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                        (call, polled)
                    })
                    .join()
                    .unwrap();
                    if let Poll::Ready(outcome) = polled {
                        return outcome;
                    }
                    call = back;
                }
                panic!("it does not end")
            })
        });
        assert!(seen[0].is(&["13"]), "{}: {seen:?}", setting.name);
        assert_eq!(seen[1].trap(), Some(Trap::IntegerDivisionByZero), "{}: {seen:?}", setting.name);
    }
}

/// What a module's start function may do, in a component: make resources and look, but not call the host where that
/// fails; and which instances there are then.
#[test]
fn start_functions_run_where_they_may() {
    let start = |body: &str| {
        format!(
            "(component
              (import \"log\" (func $log (param \"n\" u32))) (import \"trace\" (func $trace)) (import \"fail\"
                (func $fail))
              (type $t (resource (rep i32)))
              (core func $log (canon lower (func $log))) (core func $trace (canon lower (func $trace)))
              (core func $fail (canon lower (func $fail)))
              (core func $new (canon resource.new $t)) (core func $rep (canon resource.rep $t))
              (core func $drop (canon resource.drop $t))
              (core module $m
                (import \"\" \"log\" (func $log (param i32))) (import \"\" \"trace\" (func $trace))
                  (import \"\" \"fail\" (func $fail))
                (import \"\" \"new\" (func $new (param i32) (result i32))) (import \"\" \"rep\" (func $rep
                  (param i32) (result i32)))
                (import \"\" \"drop\" (func $drop (param i32)))
                (memory 1) (table 2 funcref) (elem (i32.const 0) $log $trace)
                (func $start (local i32) {body})
                (start $start)
                (func (export \"f\") (call $log (i32.const 5))))
              (core instance $m (instantiate $m (with \"\" (instance (export \"log\" (func $log)) (export \"trace\"
                (func $trace))
                (export \"fail\" (func $fail)) (export \"new\" (func $new)) (export \"rep\" (func $rep))
                  (export \"drop\" (func $drop))))))
              (func (export \"f\") (canon lift (core func $m \"f\"))))"
        )
    };
    for setting in settings() {
        for (body, trap) in [
            (
                "(local.set 0 (call $new (i32.const 9))) (call $log (call $rep (local.get 0))) (call $drop
                  (local.get 0))",
                None,
            ),
            ("(call $trace) (call_indirect (param i32) (i32.const 4) (i32.const 0))", None),
            ("(call $drop (i32.const 3))", None),
            ("(call $fail)", None),
            ("(unreachable)", Some(Trap::UnreachableCodeReached)),
            ("(i32.store (i32.const -1) (i32.const 0))", Some(Trap::MemoryOutOfBounds)),
        ] {
            let seen = setting.same(&start(body), |engine: &Engine, component: &Component| {
                Instantiated::new(engine, component).map(|mut instance| {
                    let log = std::mem::take(&mut instance.store.data_mut().log);
                    (log, instance.call("f", &[]))
                })
            });
            match &seen {
                Ok((log, outcome)) => assert!(!log.is_empty() && outcome.is(&["5"]), "{body}: {seen:?}"),
                Err(outcome) => {
                    assert!(outcome.trap() == trap && (trap.is_some() || !body.contains("$rep")), "{body}: {seen:?}")
                }
            }
        }
    }
}
