//! Calls that take their time: interrupted wherever they can be, given up in the middle, waiting for ever, started and
//! cancelled, with streams and futures between components, and what is left of a store after each.

use lightbeam_tests::components::{
    Instantiated, Outcome, Setting, State, block_on, frames, imports, limits, next_turn, outcome_of, settings,
};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use wasmtime::component::{Component, Linker, Val};
use wasmtime::{AsContextMut, Engine, Store, StoreContextMut, Trap, WasmBacktrace};

/// The settings under which there are tasks.
fn concurrent() -> impl Iterator<Item = Setting> {
    settings().into_iter().filter(|setting| setting.concurrency)
}

/// A component that calls another, which calls the host's `slow`, in each of the ways that there are: the callee
/// returns by `task.return` and a callback, or on a stack of its own, or like any function; the caller waits in the
/// call or for what it started. Parameters are more than fit registers.
fn calls() -> String {
    let params = (0..9).fold(String::new(), |all, n| format!("{all} (param \"p{n}\" u32)"));
    let core = " i32".repeat(9);
    let gets = (0..9).fold(String::new(), |all, n| format!("{all} (local.get {n})"));
    let sum = (1..9).fold("(local.get 0)".to_string(), |all, n| format!("(i32.add {all} (local.get {n}))"));
    let args = (0..9).fold(String::new(), |all, n| format!("{all} (i32.const {})", 1 << n));
    format!(
        "(component
  (import \"slow\" (func $slow async (param \"n\" u32) (result u32)))
  (import \"trace\" (func $trace))
  (component $Callee
    (import \"slow\" (func $slow async (param \"n\" u32) (result u32)))
    (import \"trace\" (func $trace))
    (core module $libc (memory (export \"memory\") 1))
    (core instance $libc (instantiate $libc))
    (core func $slow (canon lower (func $slow)))
    (core func $start (canon lower (func $slow) async (memory (core memory $libc \"memory\"))))
    (core func $trace (canon lower (func $trace)))
    (core func $return (canon task.return (result u32)))
    (core func $new (canon waitable-set.new))
    (core func $join (canon waitable.join))
    (core func $drop (canon subtask.drop))
    (core func $yield (canon thread.yield))
    (core func $get (canon context.get i32 0)) (core func $set (canon context.set i32 0))
    (core module $m
      (import \"\" \"slow\" (func $slow (param i32) (result i32)))
      (import \"\" \"start\" (func $start (param i32 i32) (result i32)))
      (import \"\" \"trace\" (func $trace)) (import \"\" \"return\" (func $return (param i32)))
      (import \"\" \"new\" (func $new (result i32))) (import \"\" \"join\" (func $join (param i32 i32)))
      (import \"\" \"drop\" (func $drop (param i32))) (import \"\" \"yield\" (func $yield (result i32)))
      (import \"\" \"get\" (func $get (result i32))) (import \"\" \"set\" (func $set (param i32)))
      (import \"libc\" \"memory\" (memory 1))
      (func (export \"plain\") (param{core}) (result i32) (call $trace) (call $slow {sum}))
      (func (export \"stackful\") (param{core})
        (call $set (i32.const 77)) (drop (call $yield)) (call $trace)
        (call $return (call $slow {sum}))
        (if (i32.ne (call $get) (i32.const 77)) (then (unreachable))))
      ;; Waits for what it started, by its callback.
      (func (export \"callback\") (param{core}) (result i32) (local $status i32) (local $set i32)
        (call $trace)
        (local.set $status (call $start {sum} (i32.const 64)))
        (if (i32.eq (i32.and (local.get $status) (i32.const 15)) (i32.const 2))
          (then (call $return (i32.load (i32.const 64))) (return (i32.const 0))))
        (local.set $status (i32.shr_u (local.get $status) (i32.const 4)))
        (call $join (local.get $status) (local.tee $set (call $new)))
        (i32.store offset=1024 (i32.shl (local.get $status) (i32.const 2)) (local.get $set))
        (i32.or (i32.const 2) (i32.shl (local.get $set) (i32.const 4))))
      (func (export \"called\") (param $event i32) (param $what i32) (param $state i32) (result i32)
        (call $trace)
        (if (i32.ne (local.get $event) (i32.const 1)) (then (unreachable)))
        (if (i32.ne (local.get $state) (i32.const 2)) (then
          (return (i32.or (i32.const 2) (i32.shl (i32.load offset=1024 (i32.shl (local.get $what) (i32.const 2)))
            (i32.const 4))))))
        (call $drop (local.get $what))
        (call $return (i32.load (i32.const 64)))
        (i32.const 0)))
    (core instance $m (instantiate $m (with \"libc\" (instance $libc)) (with \"\" (instance
      (export \"slow\" (func $slow)) (export \"start\" (func $start)) (export \"trace\" (func $trace))
      (export \"return\" (func $return)) (export \"new\" (func $new)) (export \"join\" (func $join))
      (export \"drop\" (func $drop)) (export \"yield\" (func $yield)) (export \"get\" (func $get))
      (export \"set\" (func $set))))))
    (func (export \"plain\") async {params} (result u32) (canon lift (core func $m \"plain\")))
    (func (export \"stackful\") async {params} (result u32) (canon lift (core func $m \"stackful\") async))
    (func (export \"callback\") async {params} (result u32)
      (canon lift (core func $m \"callback\") async (callback (core func $m \"called\")))))
  (component $Caller
    (import \"callee\" (instance $callee
      (export \"plain\" (func async {params} (result u32)))
      (export \"stackful\" (func async {params} (result u32)))
      (export \"callback\" (func async {params} (result u32)))))
    (core module $libc (memory (export \"memory\") 1))
    (core instance $libc (instantiate $libc))
    {canons}
    (core func $new (canon waitable-set.new))
    (core func $join (canon waitable.join))
    (core func $wait (canon waitable-set.wait (memory (core memory $libc \"memory\"))))
    (core func $cancel (canon subtask.cancel))
    (core func $drop (canon subtask.drop))
    (core module $m
      {imports}
      (import \"\" \"new\" (func $new (result i32))) (import \"\" \"join\" (func $join (param i32 i32)))
      (import \"\" \"wait\" (func $wait (param i32 i32) (result i32))) (import \"\" \"cancel\" (func $cancel
        (param i32) (result i32)))
      (import \"\" \"drop\" (func $drop (param i32)))
      (import \"libc\" \"memory\" (memory 1))
      (func $finish (param $status i32) (result i32) (local $set i32)
        (if (i32.ne (i32.and (local.get $status) (i32.const 15)) (i32.const 2))
          (then
            (local.set $status (i32.shr_u (local.get $status) (i32.const 4)))
            (call $join (local.get $status) (local.tee $set (call $new)))
            (loop $more
              (if (i32.ne (call $wait (local.get $set) (i32.const 0)) (i32.const 1)) (then (unreachable)))
              (br_if $more (i32.ne (i32.load (i32.const 4)) (i32.const 2))))
            (call $drop (local.get $status))))
        (i32.load (i32.const 32)))
      (func $arguments (local i32)
        (loop (i32.store offset=128 (i32.shl (local.get 0) (i32.const 2)) (i32.shl (i32.const 1) (local.get 0)))
          (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 9)))))
      {bodies})
    (core instance $m (instantiate $m (with \"libc\" (instance $libc)) (with \"\" (instance {given}
      (export \"new\" (func $new)) (export \"join\" (func $join)) (export \"wait\" (func $wait))
      (export \"cancel\" (func $cancel)) (export \"drop\" (func $drop))))))
    {lifts})
  (instance $callee (instantiate $Callee (with \"slow\" (func $slow)) (with \"trace\" (func $trace))))
  (instance $caller (instantiate $Caller (with \"callee\" (instance $callee))))
  {exports})",
        canons = each(|way| format!(
            "(core func ${way} (canon lower (func $callee \"{way}\")))
             (core func $start-{way} (canon lower (func $callee \"{way}\") async (memory
               (core memory $libc \"memory\"))))"
        )),
        imports = each(|way| format!(
            "(import \"\" \"{way}\" (func ${way} (param{core}) (result i32)))
             (import \"\" \"start-{way}\" (func $start-{way} (param i32 i32) (result i32)))"
        )),
        bodies = each(|way| format!(
            "(func (export \"{way}\") (result i32) (call ${way} {args}))
             (func (export \"start-{way}\") (result i32)
               (call $arguments) (call $finish (call $start-{way} (i32.const 128) (i32.const 32))))
             ;; Two at a time.
             (func (export \"both-{way}\") (result i32) (local i32 i32 i32)
               (call $arguments)
               (local.set 0 (call $start-{way} (i32.const 128) (i32.const 32)))
               (local.set 1 (call $start-{way} (i32.const 128) (i32.const 32)))
               (local.set 2 (call $finish (local.get 1)))
               (i32.add (local.get 2) (call $finish (local.get 0))))
             (func (export \"cancel-{way}\") (result i32) (local i32)
               (call $arguments)
               (local.set 0 (call $start-{way} (i32.const 128) (i32.const 32)))
               (if (result i32) (i32.eq (i32.and (local.get 0) (i32.const 15)) (i32.const 2))
                 (then (i32.const 1000))
                 (else (call $cancel (i32.shr_u (local.get 0) (i32.const 4))))))"
        )),
        given = each(|way| format!("(export \"{way}\" (func ${way})) (export \"start-{way}\" (func $start-{way}))")),
        lifts = each(|way| lifted(way, |name| format!(
            "(func (export \"{name}\") async (result u32) (canon lift (core func $m \"{name}\")))"
        ))),
        exports = each(|way| lifted(way, |name| format!("(export \"{name}\" (func $caller \"{name}\"))"))),
    )
    .replace("GETS", &gets)
}

const WAYS: [&str; 3] = ["plain", "stackful", "callback"];

fn each(of: impl Fn(&str) -> String) -> String {
    WAYS.iter().map(|way| of(way)).collect()
}

fn lifted(way: &str, of: impl Fn(&str) -> String) -> String {
    ["", "start-", "both-", "cancel-"].iter().map(|prefix| of(&format!("{prefix}{way}"))).collect()
}

/// An instance whose `slow` takes so many turns.
fn instance(engine: &Engine, component: &Component, turns: usize) -> Instantiated {
    Instantiated::with(engine, component, true, |linker| {
        linker.root().func_wrap_concurrent("slow", move |access, (number,): (u32,)| {
            Box::pin(async move {
                for _ in 0..turns {
                    next_turn().await;
                }
                access.with(|mut access| access.data_mut().log.push(format!("slow {number}")));
                Ok((number,))
            })
        })
    })
    .unwrap()
}

#[test]
fn calls_that_wait_in_every_way() {
    let text = calls();
    for setting in concurrent() {
        for turns in [0, 1, 3] {
            for way in WAYS {
                for prefix in ["", "start-", "both-", "cancel-"] {
                    let name = format!("{prefix}{way}");
                    let outcomes = setting.same(&text, |engine, component| {
                        let mut instance = instance(engine, component, turns);
                        (instance.call(&name, &[]), instance.call(way, &[]))
                    });
                    let (Outcome::Returned(seen), Outcome::Returned(again)) = &outcomes else {
                        // A task that is cancelled in a call of its own waits for its end.
                        assert!(prefix == "cancel-", "{}: {name} {turns}: {outcomes:?}", setting.name);
                        continue;
                    };
                    let number = match prefix {
                        "cancel-" => continue,
                        "both-" => "U32(1022)",
                        _ => "U32(511)",
                    };
                    assert_eq!((&*seen[0], &*again[0]), (number, "U32(511)"), "{}: {name} {turns}", setting.name);
                }
            }
        }
    }
}

/// The call is given up after so many turns, and the store goes on, with the same instance and with others.
#[test]
fn calls_given_up_leave_the_store_whole() {
    let text = calls();
    for setting in concurrent().filter(|setting| matches!(setting.name, "default" | "metered" | "no-signals")) {
        let mut pending = 0;
        for way in ["plain", "callback", "stackful", "start-callback", "both-stackful"] {
            for after in [0, 1, 2, 3, 5, 9, 17] {
                setting.same(&text, |engine, component| {
                    let mut instance = instance(engine, component, 4);
                    let func = instance.func(way);
                    let mut results = [Val::Bool(false)];
                    let given_up = {
                        let mut call = pin!(func.call_async(&mut instance.store, &[], &mut results));
                        let mut context = Context::from_waker(Waker::noop());
                        (0..after).all(|_| call.as_mut().poll(&mut context).is_pending())
                    };
                    pending += u32::from(given_up && after > 0);
                    instance.store.data_mut().log.clear();
                    // What comes of another call, of this instance or another, is the host's to say.
                    let again = instance.call("plain", &[]);
                    let mut linker = Linker::new(engine);
                    imports(&mut linker, false).unwrap();
                    linker
                        .root()
                        .func_wrap_concurrent("slow", |_, (number,): (u32,)| Box::pin(async move { Ok((number + 1,)) }))
                        .unwrap();
                    let other = block_on(linker.instantiate_async(&mut instance.store, component)).unwrap();
                    let func = other.get_func(&mut instance.store, "plain").unwrap();
                    let done = block_on(func.call_async(&mut instance.store, &[], &mut results));
                    let done = outcome_of(done.map(|()| vec![format!("{results:?}")]));
                    (given_up, again, done)
                });
            }
        }
        assert!(pending > 30, "{}: {pending}", setting.name);
    }
}

/// The host looks at frames while calls of many kinds are under way on stacks of their own, and collects.
#[test]
fn many_stacks_are_seen_and_collected() {
    let text = "(component
      (import \"look\" (func $look async (param \"n\" u32) (result u32)))
      (core func $look (canon lower (func $look)))
      (core module $m (import \"\" \"look\" (func $look (param i32) (result i32)))
        (type $box (struct (field i32)))
        (func $deep (param $n i32) (param $kept (ref null $box)) (result i32)
          (if (i32.eqz (local.get $n)) (then (return (call $look (struct.get $box 0 (local.get $kept))))))
          (call $deep (i32.sub (local.get $n) (i32.const 1))
            (struct.new $box (i32.add (i32.const 1) (struct.get $box 0 (local.get $kept)))))
          (i32.add (struct.get $box 0 (local.get $kept))))
        (func (export \"run\") (param i32) (result i32) (call $deep (local.get 0) (struct.new $box (i32.const 0)))))
      (core instance $m (instantiate $m (with \"\" (instance (export \"look\" (func $look))))))
      (func (export \"run\") async (param \"n\" u32) (result u32) (canon lift (core func $m \"run\"))))";
    for setting in concurrent() {
        let seen = setting.same(text, |engine, component| {
            let mut store = Store::new(engine, State::default());
            limits(&mut store);
            let mut linker = Linker::<State>::new(engine);
            linker
                .root()
                .func_wrap_concurrent("look", |access, (number,): (u32,)| {
                    Box::pin(async move {
                        for _ in 0..3 {
                            next_turn().await;
                            access.with(|mut access| access.as_context_mut().gc(None))?;
                        }
                        Ok((number,))
                    })
                })
                .unwrap();
            let instances: Vec<_> =
                (0..4).map(|_| block_on(linker.instantiate_async(&mut store, component)).unwrap()).collect();
            let funcs: Vec<_> =
                instances.iter().map(|i| i.get_typed_func::<(u32,), (u32,)>(&mut store, "run").unwrap()).collect();
            block_on(store.run_concurrent(async |access| {
                let calls =
                    funcs.iter().enumerate().map(|(n, func)| Box::pin(func.call_concurrent(access, (n as u32 * 5,))));
                let mut calls: Vec<_> = calls.collect();
                let mut results = vec![None; calls.len()];
                std::future::poll_fn(move |context| {
                    for (call, result) in calls.iter_mut().zip(&mut results) {
                        if result.is_none()
                            && let Poll::Ready(done) = call.as_mut().poll(context)
                        {
                            *result = Some(done.map(|(number,)| number).map_err(|error| error.to_string()));
                        }
                    }
                    if results.iter().all(Option::is_some) {
                        Poll::Ready(std::mem::take(&mut results))
                    } else {
                        Poll::Pending
                    }
                })
                .await
            }))
            .unwrap()
        });
        let right = [0, 5, 10, 15].map(|n: u32| Some(Ok(n + n * (n - u32::from(n > 0)) / 2)));
        assert_eq!(seen, right, "{}", setting.name);
    }
}

/// Streams and futures of a component with itself by the host, and calls that wait for what never comes.
#[test]
fn what_never_comes_is_a_deadlock() {
    let text = "(component
      (core module $libc (memory (export \"memory\") 1)) (core instance $libc (instantiate $libc))
      (type $s (stream u8)) (type $f (future u32))
      (core func $new-s (canon stream.new $s)) (core func $new-f (canon future.new $f))
      (core func $read-s (canon stream.read $s (memory (core memory $libc \"memory\"))))
      (core func $read-f (canon future.read $f (memory (core memory $libc \"memory\"))))
      (core func $set (canon waitable-set.new))
      (core func $wait (canon waitable-set.wait (memory (core memory $libc \"memory\"))))
      (core func $suspend (canon thread.suspend))
      (core module $m
        (import \"\" \"new-s\" (func $new-s (result i64))) (import \"\" \"new-f\" (func $new-f (result i64)))
        (import \"\" \"read-s\" (func $read-s (param i32 i32 i32) (result i32)))
        (import \"\" \"read-f\" (func $read-f (param i32 i32) (result i32)))
        (import \"\" \"set\" (func $set (result i32))) (import \"\" \"wait\" (func $wait (param i32 i32) (result i32)))
        (import \"\" \"suspend\" (func $suspend (result i32)))
        (func (export \"pair\") (result i64) (drop (call $new-f)) (call $new-s))
        (func (export \"stream\") (drop (call $read-s (i32.wrap_i64 (call $new-s)) (i32.const 0) (i32.const 1))))
        (func (export \"future\") (drop (call $read-f (i32.wrap_i64 (call $new-f)) (i32.const 0))))
        (func (export \"set\") (drop (call $wait (call $set) (i32.const 0))))
        (func (export \"suspend\") (drop (call $suspend))))
      (core instance $m (instantiate $m (with \"\" (instance (export \"new-s\" (func $new-s)) (export \"new-f\"
        (func $new-f))
        (export \"read-s\" (func $read-s)) (export \"read-f\" (func $read-f)) (export \"set\" (func $set))
        (export \"wait\" (func $wait)) (export \"suspend\" (func $suspend))))))
      (func (export \"pair\") async (result u64) (canon lift (core func $m \"pair\")))
      (func (export \"stream\") async (canon lift (core func $m \"stream\")))
      (func (export \"future\") async (canon lift (core func $m \"future\")))
      (func (export \"set\") async (canon lift (core func $m \"set\")))
      (func (export \"suspend\") async (canon lift (core func $m \"suspend\"))))";
    for setting in concurrent() {
        for name in ["pair", "stream", "future", "set", "suspend"] {
            let outcome = setting.same(text, |engine, component| {
                Instantiated::with(engine, component, true, |_| Ok(())).unwrap().call(name, &[])
            });
            match name {
                // Both ends in one word, neither of which is a failure.
                "pair" => assert!(matches!(&outcome, Outcome::Returned(all) if all[0] != "U64(0)"), "{outcome:?}"),
                _ => assert_eq!(outcome.trap(), Some(Trap::AsyncDeadlock), "{name}: {outcome:?}"),
            }
        }
    }
}

/// A host function that calls back into the component while it is in it.
#[test]
fn who_is_inside_is_not_entered_again() {
    let text = "(component
      (import \"again\" (func $again (param \"n\" u32))) (import \"log\" (func $log (param \"n\" u32)))
      (core func $again (canon lower (func $again))) (core func $log (canon lower (func $log)))
      (core module $m (import \"\" \"again\" (func $again (param i32))) (import \"\" \"log\" (func $log (param i32)))
        (func (export \"run\") (param i32) (call $log (local.get 0))
          (if (local.get 0) (then (call $again (i32.sub (local.get 0) (i32.const 1)))))))
      (core instance $m (instantiate $m (with \"\" (instance (export \"again\" (func $again)) (export \"log\"
        (func $log))))))
      (func (export \"run\") (param \"n\" u32) (canon lift (core func $m \"run\"))))";
    for setting in settings().into_iter().filter(|setting| !setting.setup.fuel) {
        let outcomes = setting.same(text, |engine, component| {
            let mut instance = Instantiated::new(engine, component).unwrap();
            instance.store.data_mut().again = Some(instance.func("run"));
            let own = (instance.call("run", &[Val::U32(0)]), instance.call("run", &[Val::U32(2)]));
            // Another instance of the same component is another.
            let mut linker = Linker::<State>::new(engine);
            imports(&mut linker, false).unwrap();
            linker.allow_shadowing(true);
            linker
                .root()
                .func_wrap("again", |mut store: StoreContextMut<'_, State>, (number,): (u32,)| {
                    let seen = frames(&WasmBacktrace::force_capture(&store));
                    store.data_mut().log.extend(seen);
                    store.data_mut().log.push(format!("again {number}"));
                    Ok(())
                })
                .unwrap();
            let mut store = Store::new(engine, State::default());
            store.set_epoch_deadline(1 << 40);
            let inner = linker.instantiate(&mut store, component).unwrap();
            let func = inner.get_func(&mut store, "run").unwrap();
            let done = func.call(&mut store, &[Val::U32(5)], &mut []).map(|()| store.data().log.clone());
            (own, outcome_of(done))
        });
        let ((first, second), other) = outcomes;
        assert!(first.is(&["0"]), "{first:?}");
        // Without tasks nobody looks.
        assert_eq!(matches!(second, Outcome::Failed(..)), setting.concurrency, "{}: {second:?}", setting.name);
        assert!(matches!(&other, Outcome::Returned(all) if all.last().unwrap() == "again 4"), "{other:?}");
    }
}
