//! Handles: of the wrong type, of another table, used twice, lent and not given back, lent to their owner, and more of
//! them than there may be.

use lightbeam_tests::components::{Instantiated, Outcome, settings};
use wasmtime::Trap;
use wasmtime::component::Val;

/// A component that defines two types of resources, made an instance of twice, and one that uses both instances.
fn text() -> String {
    let functions = [
        // A handle of one type where the other is wanted.
        ("wrong-type", "(call $look-b0 (call $make-a0 (i32.const 1)))"),
        // One of the other instance, whose type is another, though it was defined by the same text.
        ("wrong-instance", "(call $look-a1 (call $make-a0 (i32.const 1)))"),
        ("drop-wrong-type", "(call $drop-b0 (call $make-a0 (i32.const 1))) (i32.const 0)"),
        ("drop-wrong-instance", "(call $drop-a1 (call $make-a0 (i32.const 1))) (i32.const 0)"),
        ("never", "(call $look-a0 (i32.const 77))"),
        ("nothing", "(call $look-a0 (i32.const 0))"),
        ("minus-one", "(call $look-a0 (i32.const -1))"),
        ("huge", "(call $take-a0 (i32.const 0x40000000))"),
        (
            "twice",
            "(local.set 0 (call $make-a0 (i32.const 1))) (call $drop-a0 (local.get 0)) (call $drop-a0
          (local.get 0)) (i32.const 0)",
        ),
        (
            "after-drop",
            "(local.set 0 (call $make-a0 (i32.const 1))) (call $drop-a0 (local.get 0)) (call $look-a0
          (local.get 0))",
        ),
        (
            "after-taken",
            "(local.set 0 (call $make-a0 (i32.const 1))) (drop (call $take-a0 (local.get 0)))
          (call $look-a0 (local.get 0))",
        ),
        (
            "taken-twice",
            "(local.set 0 (call $make-a0 (i32.const 1))) (drop (call $take-a0 (local.get 0)))
          (call $take-a0 (local.get 0))",
        ),
        // Reused by another type, whose handle it is then.
        (
            "reused",
            "(local.set 0 (call $make-a0 (i32.const 1))) (call $drop-a0 (local.get 0)) (drop (call $make-b0
          (i32.const 9))) (call $look-a0 (local.get 0))",
        ),
        // All of which are right.
        (
            "right",
            "(local.set 0 (call $make-a0 (i32.const 41))) (call $look-a0 (local.get 0)) (call $drop-a0
          (local.get 0))",
        ),
        (
            "all",
            "(i32.add (i32.add (call $take-a0 (call $make-a0 (i32.const 1))) (call $take-b0 (call $make-b0
          (i32.const 20))))
                 (i32.add (call $take-a1 (call $make-a1 (i32.const 300))) (call $take-b1 (call $make-b1
                   (i32.const 4000)))))",
        ),
        // A number that is no failure.
        ("all-ones", "(call $look-a0 (call $make-a0 (i32.const -1)))"),
        ("lowest", "(call $look-b1 (call $make-b1 (i32.const 0x80000000)))"),
        (
            "many",
            "(loop (drop (call $make-a0 (local.get 0))) (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0)
          (i32.const 1))) (i32.const 3000))))
                  (i32.add (call $look-a0 (i32.const 1)) (call $look-a0 (i32.const 3000)))",
        ),
        // Kept by its owner beyond the call.
        ("kept", "(call $keep-a0 (call $make-a0 (i32.const 6)))"),
    ];
    let mut parts = [const { String::new() }; 5];
    let [aliases, canons, imports, given, exports] = &mut parts;
    for which in [0, 1] {
        for ty in ["a", "b"] {
            *aliases += &format!("(alias export $o{which} \"{ty}\" (type ${ty}{which}))\n");
            for (name, core) in [
                ("make", "(param i32) (result i32)"),
                ("look", "(param i32) (result i32)"),
                ("take", "(param i32) (result i32)"),
                ("keep", "(param i32) (result i32)"),
            ] {
                *canons += &format!("(core func ${name}-{ty}{which} (canon lower (func $o{which} \"{name}-{ty}\")))\n");
                *imports += &format!("(import \"\" \"{name}-{ty}{which}\" (func ${name}-{ty}{which} {core}))\n");
                *given += &format!("(export \"{name}-{ty}{which}\" (func ${name}-{ty}{which}))\n");
            }
            *canons += &format!("(core func $drop-{ty}{which} (canon resource.drop ${ty}{which}))\n");
            *imports += &format!("(import \"\" \"drop-{ty}{which}\" (func $drop-{ty}{which} (param i32)))\n");
            *given += &format!("(export \"drop-{ty}{which}\" (func $drop-{ty}{which}))\n");
        }
    }
    let mut bodies = String::new();
    for (name, body) in functions {
        bodies += &format!("(func (export \"{name}\") (result i32) (local i32) {body})\n");
        *exports += &format!("(func (export \"{name}\") (result u32) (canon lift (core func $m \"{name}\")))\n");
    }
    let all =
        functions.iter().map(|(name, _)| format!("(export \"{name}\" (func $user \"{name}\"))\n")).collect::<String>();
    let of = |ty: &str| {
        format!(
            "(export \"make-{ty}\" (func (param \"n\" u32) (result (own ${ty}))))
             (export \"look-{ty}\" (func (param \"t\" (borrow ${ty})) (result u32)))
             (export \"take-{ty}\" (func (param \"t\" (own ${ty})) (result u32)))
             (export \"keep-{ty}\" (func (param \"t\" (borrow ${ty})) (result u32)))"
        )
    };
    let lifts = |ty: &str| {
        format!(
            "(func (export \"make-{ty}\") (param \"n\" u32) (result (own ${ty})) (canon lift
              (core func $m \"make-{ty}\")))
             (func (export \"look-{ty}\") (param \"t\" (borrow ${ty})) (result u32) (canon lift
               (core func $m \"look\")))
             (func (export \"take-{ty}\") (param \"t\" (own ${ty})) (result u32) (canon lift
               (core func $m \"take-{ty}\")))
             (func (export \"keep-{ty}\") (param \"t\" (borrow ${ty})) (result u32) (canon lift
               (core func $m \"look\")))"
        )
    };
    let instance = format!(
        "(export \"a\" (type $a (sub resource))) (export \"b\" (type $b (sub resource))) {} {}",
        of("a"),
        of("b")
    );
    format!(
        "(component
  (import \"log\" (func $log (param \"n\" u32)))
  (component $Owner
    (import \"log\" (func $log (param \"n\" u32)))
    (core func $log (canon lower (func $log)))
    (core module $d (import \"\" \"log\" (func $log (param i32)))
      (func (export \"destroy\") (param i32)
        (if (i32.gt_u (i32.const 100) (local.get 0)) (then (call $log (local.get 0))))))
    (core instance $d (instantiate $d (with \"\" (instance (export \"log\" (func $log))))))
    (type $a' (resource (rep i32) (dtor (core func $d \"destroy\")))) (type $b' (resource (rep i32)))
    (export $a \"a\" (type $a')) (export $b \"b\" (type $b'))
    (core func $new-a (canon resource.new $a')) (core func $new-b (canon resource.new $b'))
    (core func $rep-a (canon resource.rep $a')) (core func $rep-b (canon resource.rep $b'))
    (core module $m
      (import \"\" \"new-a\" (func $new-a (param i32) (result i32))) (import \"\" \"new-b\" (func $new-b (param i32)
        (result i32)))
      (import \"\" \"rep-a\" (func $rep-a (param i32) (result i32))) (import \"\" \"rep-b\" (func $rep-b (param i32)
        (result i32)))
      (func (export \"make-a\") (param i32) (result i32) (call $new-a (local.get 0)))
      (func (export \"make-b\") (param i32) (result i32) (call $new-b (local.get 0)))
      ;; The owner is lent the number itself.
      (func (export \"look\") (param i32) (result i32) (local.get 0))
      (func (export \"take-a\") (param i32) (result i32) (call $rep-a (local.get 0)))
      (func (export \"take-b\") (param i32) (result i32) (call $rep-b (local.get 0))))
    (core instance $m (instantiate $m (with \"\" (instance (export \"new-a\" (func $new-a)) (export \"new-b\"
      (func $new-b))
      (export \"rep-a\" (func $rep-a)) (export \"rep-b\" (func $rep-b))))))
    {a} {b})
  (component $User
    (import \"o0\" (instance $o0 {instance})) (import \"o1\" (instance $o1 {instance}))
    {aliases} {canons}
    (core module $m {imports} {bodies})
    (core instance $m (instantiate $m (with \"\" (instance {given}))))
    {exports})
  (instance $o0 (instantiate $Owner (with \"log\" (func $log))))
  (instance $o1 (instantiate $Owner (with \"log\" (func $log))))
  (instance $user (instantiate $User (with \"o0\" (instance $o0)) (with \"o1\" (instance $o1))))
  {all})",
        a = lifts("a"),
        b = lifts("b"),
    )
}

#[test]
fn handles_are_of_their_type_and_table_and_used_once() {
    let text = text();
    let right = [
        ("right", "U32(41)"),
        ("all", "U32(4321)"),
        ("all-ones", "U32(4294967295)"),
        ("lowest", "U32(2147483648)"),
        ("many", "U32(2999)"),
        ("kept", "U32(6)"),
    ];
    let wrong = [
        "wrong-type",
        "wrong-instance",
        "drop-wrong-type",
        "drop-wrong-instance",
        "never",
        "nothing",
        "minus-one",
        "huge",
        "twice",
        "after-drop",
        "after-taken",
        "taken-twice",
        "reused",
    ];
    for setting in [0, 1, 3].map(|which| settings()[which]) {
        for name in right.map(|(name, _)| name).into_iter().chain(wrong) {
            let (first, second) = setting.same(&text, |engine, component| {
                let mut instance = Instantiated::new(engine, component).unwrap();
                (instance.call(name, &[]), instance.call("all", &[]))
            });
            match right.iter().find(|(right, _)| *right == name) {
                Some((_, number)) => {
                    assert!(matches!(&first, Outcome::Returned(all) if all[0] == *number), "{name}: {first:?}");
                    assert!(second.is(&["U32(4321)"]), "{name}: {second:?}");
                }
                None => {
                    assert!(matches!(first, Outcome::Failed(..)), "{name}: {first:?}");
                    assert_eq!(second.trap(), Some(Trap::CannotEnterComponent), "{name}");
                }
            }
        }
    }
}

/// What is lent to a component that is not its owner has to be given back before it returns.
#[test]
fn what_is_lent_is_given_back() {
    for (body, fails) in [
        ("(call $drop (local.get 0))", false),
        ("", true),
        ("(call $drop (local.get 0)) (call $drop (local.get 0))", true),
        ("(call $own (local.get 0))", true),
    ] {
        let text = format!(
            "(component
  (component $Owner
    (type $t' (resource (rep i32))) (export $t \"t\" (type $t'))
    (core func $new (canon resource.new $t'))
    (core module $m (import \"\" \"new\" (func $new (param i32) (result i32)))
      (func (export \"make\") (result i32) (call $new (i32.const 9))) (func (export \"eat\") (param i32)))
    (core instance $m (instantiate $m (with \"\" (instance (export \"new\" (func $new))))))
    (func (export \"make\") (result (own $t)) (canon lift (core func $m \"make\")))
    (func (export \"eat\") (param \"t\" (own $t)) (canon lift (core func $m \"eat\"))))
  (component $Borrower
    (import \"t\" (type $t (sub resource)))
    (import \"eat\" (func $eat (param \"t\" (own $t))))
    (core func $drop (canon resource.drop $t))
    (core func $own (canon lower (func $eat)))
    (core module $m (import \"\" \"drop\" (func $drop (param i32))) (import \"\" \"own\" (func $own (param i32)))
      (func (export \"lent\") (param i32) {body}))
    (core instance $m (instantiate $m (with \"\" (instance (export \"drop\" (func $drop)) (export \"own\"
      (func $own))))))
    (func (export \"lent\") (param \"t\" (borrow $t)) (canon lift (core func $m \"lent\"))))
  (component $User
    (import \"t\" (type $t (sub resource)))
    (import \"make\" (func $make (result (own $t))))
    (import \"lent\" (func $lent (param \"t\" (borrow $t))))
    (core func $make (canon lower (func $make)))
    (core func $lent (canon lower (func $lent)))
    (core func $drop (canon resource.drop $t))
    (core module $m (import \"\" \"make\" (func $make (result i32))) (import \"\" \"lent\" (func $lent (param i32)))
      (import \"\" \"drop\" (func $drop (param i32)))
      (func (export \"run\") (local i32) (local.set 0 (call $make))
        (call $lent (local.get 0)) (call $lent (local.get 0)) (call $drop (local.get 0))))
    (core instance $m (instantiate $m (with \"\" (instance (export \"make\" (func $make)) (export \"lent\" (func $lent))
      (export \"drop\" (func $drop))))))
    (func (export \"run\") (canon lift (core func $m \"run\"))))
  (instance $o (instantiate $Owner))
  (alias export $o \"t\" (type $t))
  (instance $b (instantiate $Borrower (with \"t\" (type $t)) (with \"eat\" (func $o \"eat\"))))
  (instance $u (instantiate $User (with \"t\" (type $t)) (with \"make\" (func $o \"make\")) (with \"lent\"
    (func $b \"lent\"))))
  (export $e \"t\" (type $t))
  (export \"make\" (func $o \"make\") (func (result (own $e))))
  (export \"lent\" (func $b \"lent\") (func (param \"t\" (borrow $e))))
  (export \"run\" (func $u \"run\")))"
        );
        for setting in settings() {
            let (by_guest, by_host) = setting.same(&text, |engine, component| {
                let mut instance = Instantiated::new(engine, component).unwrap();
                let by_guest = instance.call("run", &[]);
                // The host lends as well.
                let mut instance = Instantiated::new(engine, component).unwrap();
                let make = instance.func("make");
                let mut made = [Val::Bool(false)];
                if instance.fibers {
                    lightbeam_tests::components::block_on(make.call_async(&mut instance.store, &[], &mut made))
                        .unwrap();
                } else {
                    make.call(&mut instance.store, &[], &mut made).unwrap();
                }
                (by_guest, instance.call("lent", &made))
            });
            for outcome in [by_guest, by_host] {
                assert_eq!(matches!(outcome, Outcome::Failed(..)), fails, "{}: {body}: {outcome:?}", setting.name);
            }
        }
    }
}
