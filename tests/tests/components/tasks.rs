//! What a task must not do: each trap that there is for it, by a component that does just that.

use lightbeam_tests::components::{Instantiated, next_turn, settings};
use wasmtime::Trap;

/// What is done, as the body of a function with five locals of 32 bits, and what trap it is.
const WRONG: [(&str, &str, Trap); 10] = [
    ("returned-twice", "(call $return (i32.const 1)) (call $return (i32.const 2))", Trap::TaskCancelOrReturnTwice),
    ("cancelled-after", "(call $return (i32.const 1)) (call $task-cancel)", Trap::TaskCancelNotCancelled),
    ("not-returned", "", Trap::NoAsyncResult),
    (
        "cancelled-too-late",
        "(local.set 0 (i32.shr_u (call $start-slow (i32.const 5) (i32.const 64)) (i32.const 4)))
         (local.set 1 (call $set)) (call $join (local.get 0) (local.get 1))
         (drop (call $wait (local.get 1) (i32.const 0))) (call $join (local.get 0) (i32.const 0))
         (drop (call $cancel (local.get 0)))",
        Trap::SubtaskCancelAfterTerminal,
    ),
    (
        "dropped-too-soon",
        "(call $drop-task (i32.shr_u (call $start-slow (i32.const 5) (i32.const 64)) (i32.const 4)))",
        Trap::SubtaskDropNotResolved,
    ),
    ("set-in-use", "(drop (call $start-waits)) (call $drops)", Trap::WaitableSetDropHasWaiters),
    (
        "no-such-code",
        "(drop (call $start-odd)) (drop (call $wait (call $set) (i32.const 0)))",
        Trap::UnsupportedCallbackCode,
    ),
    ("wrong-type", "(drop (call $thread (i32.const 1) (i32.const 0)))", Trap::ThreadNewIndirectInvalidType),
    ("no-function", "(drop (call $thread (i32.const 2) (i32.const 0)))", Trap::ThreadNewIndirectUninitialized),
    (
        "both-ways",
        "(local.set 0 (i32.wrap_i64 (call $future)))
         (call $join (local.get 0) (call $set)) (drop (call $read (local.get 0) (i32.const 64)))",
        Trap::WaitableSyncAndAsync,
    ),
];

fn text() -> String {
    let bodies: String = WRONG
        .iter()
        .map(|(name, body, _)| format!("(func (export \"{name}\") (local i32 i32 i32 i32 i32) {body})\n"))
        .collect();
    let lifts: String = WRONG
        .iter()
        .map(|(name, ..)| {
            format!("(func (export \"{name}\") async (result u32) (canon lift (core func $m \"{name}\") async))\n")
        })
        .collect();
    let exports: String =
        WRONG.iter().map(|(name, ..)| format!("(export \"{name}\" (func $wrong \"{name}\"))\n")).collect();
    format!(
        "(component
  (import \"slow\" (func $slow async (param \"n\" u32) (result u32)))
  (component $Other
    (core func $set (canon waitable-set.new)) (core func $drop-set (canon waitable-set.drop))
    (core module $m (import \"\" \"set\" (func $set (result i32))) (import \"\" \"drop-set\" (func $drop-set
      (param i32)))
      (global $made (mut i32) (i32.const 0))
      (func (export \"waits\") (result i32)
        (global.set $made (call $set)) (i32.or (i32.const 2) (i32.shl (global.get $made) (i32.const 4))))
      (func (export \"drops\") (call $drop-set (global.get $made)))
      (func (export \"odd\") (result i32) (i32.const 15))
      (func (export \"called\") (param i32 i32 i32) (result i32) (unreachable)))
    (core instance $m (instantiate $m (with \"\" (instance (export \"set\" (func $set)) (export \"drop-set\"
      (func $drop-set))))))
    (func (export \"waits\") async (canon lift (core func $m \"waits\") async (callback (core func $m \"called\"))))
    (func (export \"odd\") async (canon lift (core func $m \"odd\") async (callback (core func $m \"called\"))))
    (func (export \"drops\") (canon lift (core func $m \"drops\"))))
  (component $Wrong
    (import \"slow\" (func $slow async (param \"n\" u32) (result u32)))
    (import \"waits\" (func $waits async)) (import \"odd\" (func $odd async)) (import \"drops\" (func $drops))
    (core module $libc (memory (export \"memory\") 1) (table (export \"table\") 3 funcref)
      (func $right (param i32)) (func $wrong (param i64)) (elem (i32.const 0) $right $wrong))
    (core instance $libc (instantiate $libc))
    (core type $start (func (param i32)))
    (type $f (future u32))
    (core func $start-slow (canon lower (func $slow) async (memory (core memory $libc \"memory\"))))
    (core func $start-waits (canon lower (func $waits) async)) (core func $start-odd (canon lower (func $odd) async))
    (core func $drops (canon lower (func $drops)))
    (core func $return (canon task.return (result u32))) (core func $task-cancel (canon task.cancel))
    (core func $set (canon waitable-set.new)) (core func $join (canon waitable.join))
    (core func $wait (canon waitable-set.wait (memory (core memory $libc \"memory\"))))
    (core func $cancel (canon subtask.cancel)) (core func $drop-task (canon subtask.drop))
    (core func $thread (canon thread.new-indirect $start (core table $libc \"table\")))
    (core func $future (canon future.new $f))
    (core func $read (canon future.read $f (memory (core memory $libc \"memory\"))))
    (core module $m
      (import \"\" \"start-slow\" (func $start-slow (param i32 i32) (result i32)))
      (import \"\" \"start-waits\" (func $start-waits (result i32))) (import \"\" \"start-odd\" (func $start-odd
        (result i32)))
      (import \"\" \"drops\" (func $drops)) (import \"\" \"return\" (func $return (param i32)))
      (import \"\" \"task-cancel\" (func $task-cancel)) (import \"\" \"set\" (func $set (result i32)))
      (import \"\" \"join\" (func $join (param i32 i32))) (import \"\" \"wait\" (func $wait (param i32 i32)
        (result i32)))
      (import \"\" \"cancel\" (func $cancel (param i32) (result i32))) (import \"\" \"drop-task\" (func $drop-task
        (param i32)))
      (import \"\" \"thread\" (func $thread (param i32 i32) (result i32))) (import \"\" \"future\" (func $future
        (result i64)))
      (import \"\" \"read\" (func $read (param i32 i32) (result i32)))
      {bodies})
    (core instance $m (instantiate $m (with \"\" (instance
      (export \"start-slow\" (func $start-slow)) (export \"start-waits\" (func $start-waits))
      (export \"start-odd\" (func $start-odd)) (export \"drops\" (func $drops)) (export \"return\" (func $return))
      (export \"task-cancel\" (func $task-cancel)) (export \"set\" (func $set)) (export \"join\" (func $join))
      (export \"wait\" (func $wait)) (export \"cancel\" (func $cancel)) (export \"drop-task\" (func $drop-task))
      (export \"thread\" (func $thread)) (export \"future\" (func $future)) (export \"read\" (func $read))))))
    {lifts})
  (instance $other (instantiate $Other))
  (instance $wrong (instantiate $Wrong (with \"slow\" (func $slow)) (with \"waits\" (func $other \"waits\"))
    (with \"odd\" (func $other \"odd\")) (with \"drops\" (func $other \"drops\"))))
  {exports})"
    )
}

#[test]
fn each_trap_of_tasks() {
    let text = text();
    for setting in settings().into_iter().filter(|setting| setting.concurrency) {
        for (name, _, trap) in WRONG {
            let (first, again) = setting.same(&text, |engine, component| {
                let mut instance = Instantiated::with(engine, component, true, |linker| {
                    linker.root().func_wrap_concurrent("slow", |_, (number,): (u32,)| {
                        Box::pin(async move {
                            next_turn().await;
                            Ok((number,))
                        })
                    })
                })
                .unwrap();
                (instance.call(name, &[]), instance.call("not-returned", &[]))
            });
            assert_eq!(first.trap(), Some(trap), "{}: {name}: {first:?}", setting.name);
            // One that ends without a result has ended, and what another did wrong ends that.
            let lives = matches!(trap, Trap::NoAsyncResult | Trap::UnsupportedCallbackCode);
            let expected = if lives { Trap::NoAsyncResult } else { Trap::CannotEnterComponent };
            assert_eq!(again.trap(), Some(expected), "{}: {name}: {again:?}", setting.name);
        }
    }
}
