//! Calls from component to component: traps of every kind in them, what allocates and does so wrongly, arguments beyond
//! all registers, stacks that end inside a chain of adapters, exceptions that must not leave, and what the host sees of
//! frames and collects meanwhile.

use lightbeam_tests::components::{Instantiated, Outcome, Setting, settings};
use std::fmt::Write;
use wasmtime::Trap;
use wasmtime::component::Val;

/// A component that calls another. Of the callee: definitions, the functions of its core module, its type and how it is
/// lifted. Of the caller: data, the core type of the import, options of lowering, and the body that calls `$f`, whose
/// result is one `i32`.
struct Pair<'a> {
    types: &'a str,
    callee: &'a str,
    ty: &'a str,
    lift: &'a str,
    caller: &'a str,
    core: &'a str,
    lower: &'a str,
    body: &'a str,
}

const PAIR: Pair<'static> = Pair {
    types: "",
    callee: "(func (export \"f\"))",
    ty: "",
    lift: "",
    caller: "",
    core: "",
    lower: "",
    body: "(call $f) (i32.const 1)",
};

impl Pair<'_> {
    fn text(&self) -> String {
        let Pair { types, callee, ty, lift, caller, core, lower, body } = self;
        format!(
            "(component
  (import \"log\" (func $log (param \"n\" u32)))
  (import \"trace\" (func $trace))
  (import \"gc\" (func $gc))
  (import \"fail\" (func $fail))
  (component $Callee
    (import \"log\" (func $log (param \"n\" u32)))
    (import \"trace\" (func $trace))
    (import \"gc\" (func $gc))
    (import \"fail\" (func $fail))
    {types}
    (core func $log (canon lower (func $log)))
    (core func $trace (canon lower (func $trace)))
    (core func $gc (canon lower (func $gc)))
    (core func $fail (canon lower (func $fail)))
    (core module $m
      (import \"\" \"log\" (func $log (param i32)))
      (import \"\" \"trace\" (func $trace))
      (import \"\" \"gc\" (func $gc))
      (import \"\" \"fail\" (func $fail))
      (memory (export \"memory\") 1)
      (table 3 funcref) (elem (i32.const 0) $log $trace $fail)
      (tag $oops (param i32))
      {callee})
    (core instance $i (instantiate $m (with \"\" (instance
      (export \"log\" (func $log)) (export \"trace\" (func $trace)) (export \"gc\" (func $gc))
      (export \"fail\" (func $fail))))))
    (func (export \"f\") {ty} (canon lift (core func $i \"f\") {lift})))
  (component $Caller
    {types}
    (import \"f\" (func $f {ty}))
    (core module $libc (memory (export \"memory\") 1)
      (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
      {caller})
    (core instance $libc (instantiate $libc))
    (core func $f (canon lower (func $f) {lower}))
    (core module $m (import \"\" \"f\" (func $f {core})) (import \"libc\" \"memory\" (memory 1))
      (func (export \"run\") (result i32)
        (block $caught
          (try_table (catch_all $caught) (return {body})))
        ;; What the callee throws must not come here.
        (i32.const 666)))
    (core instance $i (instantiate $m (with \"\" (instance (export \"f\" (func $f)))) (with \"libc\" (instance $libc))))
    (func (export \"run\") (result u32) (canon lift (core func $i \"run\"))))
  (instance $callee (instantiate $Callee (with \"log\" (func $log)) (with \"trace\" (func $trace)) (with \"gc\"
    (func $gc))
    (with \"fail\" (func $fail))))
  (instance $caller (instantiate $Caller (with \"f\" (func $callee \"f\"))))
  (export \"run\" (func $caller \"run\"))
  (export \"f\" (func $callee \"f\")))"
        )
    }
}

const STRING: Pair<'static> = Pair {
    callee: "(func (export \"f\") (param i32 i32)) (func (export \"realloc\") (param i32 i32 i32 i32) (result i32)
      (i32.const 64))",
    ty: "(param \"s\" string)",
    lift: "(memory (core memory $i \"memory\")) (realloc (core func $i \"realloc\"))",
    caller: "(data (i32.const 16) \"some text\")",
    core: "(param i32 i32)",
    lower: "(memory (core memory $libc \"memory\"))",
    body: "(call $f (i32.const 16) (i32.const 9)) (i32.const 1)",
    ..PAIR
};

/// Runs it under every setting: the outcome of the call, and of one more, which are the same everywhere but for frames.
fn run(pair: &Pair<'_>) -> (Outcome, Outcome) {
    let mut first = None;
    // The others differ in nothing that adapters do.
    for setting in [0, 1, 3, 5].map(|which| settings()[which]) {
        let outcomes = setting.same(&pair.text(), |engine, component| {
            let mut instance = Instantiated::new(engine, component).unwrap();
            (instance.call("run", &[]), instance.call("run", &[]))
        });
        let (trap, is) = (outcomes.0.trap(), first.get_or_insert_with(|| outcomes.clone()));
        if !setting.checked_adapters {
            assert_eq!(trap, is.0.trap(), "{}", setting.name);
        }
    }
    first.expect("there are settings")
}

/// It traps so, and the instances are dead.
fn traps(trap: Trap, pair: &Pair<'_>) {
    let (first, second) = run(pair);
    assert_eq!(first.trap(), Some(trap), "{first:?}: {}", pair.text());
    assert_eq!(second.trap(), Some(Trap::CannotEnterComponent), "{second:?}: {}", pair.text());
}

#[test]
fn adapters_trap_at_what_is_no_value() {
    fn of<'a>(ty: &'a str, core: &'a str, body: &'a str) -> Pair<'a> {
        Pair { ty, core, body, callee: "(func (export \"f\") (param i32))", ..PAIR }
    }
    traps(Trap::InvalidChar, &of("(param \"c\" char)", "(param i32)", "(call $f (i32.const 0xd800)) (i32.const 1)"));
    traps(Trap::InvalidChar, &of("(param \"c\" char)", "(param i32)", "(call $f (i32.const 0x110000)) (i32.const 1)"));
    traps(Trap::InvalidChar, &of("(param \"c\" char)", "(param i32)", "(call $f (i32.const -1)) (i32.const 1)"));
    let variant = "(param \"v\" (option u32))";
    let pair = Pair {
        callee: "(func (export \"f\") (param i32 i32))",
        ..of(variant, "(param i32 i32)", "(call $f (i32.const 2) (i32.const 0)) (i32.const 1)")
    };
    traps(Trap::InvalidDiscriminant, &pair);
    let pair = Pair { body: "(call $f (i32.const -1) (i32.const 0)) (i32.const 1)", ..pair };
    traps(Trap::InvalidDiscriminant, &pair);
    // Of narrow numbers only the lower bits count, and of truths whether there are any.
    for (ty, given, got) in [
        ("u8", 0x1234_5678, 0x78),
        ("s8", 0x80, -128),
        ("s8", -1, -1),
        ("u16", 0x1234_5678, 0x5678),
        ("s16", 0x8000, -32768),
        ("bool", 0x100, 1),
        ("bool", 0, 0),
        ("u32", -1, -1),
    ] {
        let (ty, body) = (format!("(param \"n\" {ty})"), format!("(call $f (i32.const {given})) (i32.const 1)"));
        let pair = Pair {
            callee: "(func (export \"f\") (param i32) (call $log (local.get 0)))",
            ..of(&ty, "(param i32)", &body)
        };
        let (first, second) = run(&pair);
        assert!(first.is(&["U32(1)", &format!("{}", i32::cast_unsigned(got))]) && second == first, "{ty}: {first:?}");
    }
    // Results as well, `-1` among them.
    for (ty, given, got) in
        [("u8", 0x1ff, 0xff), ("s8", 0x1ff, -1), ("u32", -1, -1), ("bool", 2, 1), ("s16", 0xffff, -1)]
    {
        let (ty, callee) =
            (format!("(result {ty})"), format!("(func (export \"f\") (result i32) (i32.const {given}))"));
        let pair = Pair { ty: &ty, callee: &callee, core: "(result i32)", body: "(call $f)", ..PAIR };
        assert!(run(&pair).0.is(&[&format!("U32({})", i32::cast_unsigned(got))]), "{ty}");
    }
}

#[test]
fn adapters_trap_outside_of_memories() {
    for (trap, body) in [
        (Trap::StringOutOfBounds, "(call $f (i32.const 65530) (i32.const 9)) (i32.const 1)"),
        (Trap::StringOutOfBounds, "(call $f (i32.const -1) (i32.const 1)) (i32.const 1)"),
        (Trap::StringOutOfBounds, "(call $f (i32.const 16) (i32.const -1)) (i32.const 1)"),
    ] {
        traps(trap, &Pair { body, ..STRING });
    }
    let list = |element| Pair { ty: element, ..STRING };
    let out = "(call $f (i32.const 65532) (i32.const 2)) (i32.const 1)";
    traps(Trap::ListOutOfBounds, &Pair { body: out, ..list("(param \"l\" (list u32))") });
    let odd = "(call $f (i32.const 17) (i32.const 1)) (i32.const 1)";
    traps(Trap::UnalignedPointer, &Pair { body: odd, ..list("(param \"l\" (list u32))") });
    // Bytes that do not fit 32 bits.
    let many = "(call $f (i32.const 16) (i32.const 0x20000001)) (i32.const 1)";
    assert!(matches!(run(&Pair { body: many, ..list("(param \"l\" (list u64))") }).0, Outcome::Failed(Some(_), ..)));
    // Results that are not where they should be.
    for (at, trap) in
        [("65536", Trap::ListOutOfBounds), ("2", Trap::UnalignedPointer), ("65533", Trap::UnalignedPointer)]
    {
        let callee = format!("(func (export \"f\") (result i32) (i32.const {at}))");
        let pair = Pair {
            ty: "(result (tuple u32 u32))",
            callee: &callee,
            lift: "(memory (core memory $i \"memory\"))",
            core: "(param i32)",
            lower: STRING.lower,
            body: "(call $f (i32.const 8)) (i32.const 1)",
            ..PAIR
        };
        let (first, _) = run(&pair);
        assert!(matches!(first, Outcome::Failed(Some(_), ..)), "{at} {trap}: {first:?}");
    }
}

/// What `realloc` does wrong.
#[test]
fn realloc_is_not_trusted() {
    let realloc = |body: &str| {
        format!(
            "(func (export \"f\") (param i32 i32) (call $log (local.get 0)))
         (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) {body})"
        )
    };
    let leave = Trap::CannotLeaveComponent;
    for (body, trap) in [
        ("(i32.const 65530)", Trap::StringOutOfBounds),
        ("(i32.const -1)", Trap::StringOutOfBounds),
        ("(call $log (i32.const 1)) (i32.const 8)", leave),
        ("(call $trace) (i32.const 8)", leave),
        ("(call_indirect (param i32) (i32.const 5) (i32.const 0)) (i32.const 8)", leave),
        ("(call_indirect (i32.const 2)) (i32.const 8)", leave),
        ("(return_call_indirect (result i32) (i32.const 0))", Trap::BadSignature),
        ("(unreachable)", Trap::UnreachableCodeReached),
        ("(throw $oops (i32.const 3))", Trap::UncaughtException),
        ("(i32.div_u (i32.const 1) (i32.const 0))", Trap::IntegerDivisionByZero),
    ] {
        traps(trap, &Pair { callee: &realloc(body), ..STRING });
    }
    // What it gave is unaligned.
    let lift = format!("{} string-encoding=utf16", STRING.lift);
    traps(Trap::UnalignedPointer, &Pair { callee: &realloc("(i32.const 9)"), lift: &lift, ..STRING });
    // Over the string that is being written, or growing the memory each time: neither is wrong.
    let grows = "(drop (memory.grow (i32.const 1))) (i32.sub (i32.shl (memory.size) (i32.const 16)) (local.get 3))";
    for (body, at) in [("(i32.const 0)", "0"), (grows, "131063")] {
        let (first, _) = run(&Pair { callee: &realloc(body), ..STRING });
        assert!(first.is(&["U32(1)", at]), "{first:?}");
    }
}

#[test]
fn exceptions_do_not_leave_a_component() {
    let throw = "(throw $oops (i32.const 1))";
    traps(Trap::UncaughtException, &Pair { callee: &format!("(func (export \"f\") {throw})"), ..PAIR });
    let after = format!("(func (export \"f\") (call $log (i32.const 5))) (func (export \"after\") {throw})");
    traps(Trap::UncaughtException, &Pair { callee: &after, lift: "(post-return (core func $i \"after\"))", ..PAIR });
    // The host's failures are no exceptions: nobody catches them, and nobody makes traps of them.
    let (first, second) = run(&Pair { callee: "(func (export \"f\") (call $fail))", ..PAIR });
    assert!(
        matches!(&first, Outcome::Failed(None, why, frames) if why == "the host fails" && frames.len() == 3),
        "{first:?}"
    );
    assert_eq!(second.trap(), Some(Trap::CannotEnterComponent));
    // Caught where it belongs.
    let caught =
        format!("(func (export \"f\") (block $b (try_table (catch_all $b) {throw})) (call $log (i32.const 8)))");
    assert!(run(&Pair { callee: &caught, ..PAIR }).0.is(&["U32(1)", "8"]));
}

#[test]
fn frames_are_seen_through_adapters_and_collections_find_what_lives() {
    // Objects live in frames on both sides of the adapter while the host collects and looks.
    let callee = "
      (type $box (struct (field i32)))
      (func $deep (param (ref null $box)) (result i32)
        (call $gc) (call $trace) (call_indirect (i32.const 1)) (struct.get $box 0 (local.get 0)))
      (func (export \"f\") (result i32) (local $kept (ref null $box))
        (local.set $kept (struct.new $box (i32.const 40)))
        (i32.add (call $deep (struct.new $box (i32.const 2))) (struct.get $box 0 (local.get $kept))))";
    let (first, second) = run(&Pair { callee, ty: "(result u32)", core: "(result i32)", body: "(call $f)", ..PAIR });
    let Outcome::Returned(seen) = &first else { panic!("{first:?}") };
    // Two looks: two functions of the callee, the adapter, the caller.
    assert!(seen[0] == "U32(42)" && seen.len() == 1 + 2 * 4, "{seen:?}");
    assert_eq!(first, second);
    // The host as caller sees the same but for the adapter and what is behind.
    let text = Pair { callee, ty: "(result u32)", core: "(result i32)", body: "(call $f)", ..PAIR }.text();
    for setting in settings() {
        let seen =
            setting.same(&text, |engine, component| Instantiated::new(engine, component).unwrap().call("f", &[]));
        let Outcome::Returned(seen) = &seen else { panic!("{seen:?}") };
        assert!(seen[0] == "U32(42)" && seen.len() == 1 + 2 * 2, "{seen:?}");
    }
}

/// A destructor that looks, collects, fails or throws, where a handle is dropped by its own component or another's.
#[test]
fn destructors_run_in_frames_that_are_seen() {
    for (body, trap) in [
        ("(call $trace) (call $gc) (call $log (local.get 0))", None),
        ("(call $trace) (unreachable)", Some(Trap::UnreachableCodeReached)),
        ("(throw $oops (i32.const 1))", Some(Trap::UncaughtException)),
        ("(call $fail)", None),
    ] {
        let text = format!(
            "(component
  (import \"log\" (func $log (param \"n\" u32))) (import \"trace\" (func $trace)) (import \"gc\" (func $gc))
  (import \"fail\" (func $fail))
  (component $Owner
    (import \"log\" (func $log (param \"n\" u32))) (import \"trace\" (func $trace)) (import \"gc\" (func $gc))
    (import \"fail\" (func $fail))
    (core func $log (canon lower (func $log))) (core func $trace (canon lower (func $trace)))
    (core func $gc (canon lower (func $gc))) (core func $fail (canon lower (func $fail)))
    (core module $d
      (import \"\" \"log\" (func $log (param i32))) (import \"\" \"trace\" (func $trace))
      (import \"\" \"gc\" (func $gc)) (import \"\" \"fail\" (func $fail)) (tag $oops (param i32))
      (func (export \"destroy\") (param i32) {body}))
    (core instance $d (instantiate $d (with \"\" (instance (export \"log\" (func $log)) (export \"trace\" (func $trace))
      (export \"gc\" (func $gc)) (export \"fail\" (func $fail))))))
    (type $t' (resource (rep i32) (dtor (core func $d \"destroy\"))))
    (export $t \"t\" (type $t'))
    (core func $new (canon resource.new $t'))
    (core func $drop (canon resource.drop $t'))
    (core module $m (import \"\" \"new\" (func $new (param i32) (result i32))) (import \"\" \"drop\" (func $drop
      (param i32)))
      (func (export \"make\") (param i32) (result i32) (call $new (local.get 0)))
      (func (export \"own\") (call $drop (call $new (i32.const -1)))))
    (core instance $m (instantiate $m (with \"\" (instance (export \"new\" (func $new)) (export \"drop\"
      (func $drop))))))
    (func (export \"make\") (param \"n\" u32) (result (own $t)) (canon lift (core func $m \"make\")))
    (func (export \"own\") (canon lift (core func $m \"own\"))))
  (component $User
    (import \"o\" (instance $o (export \"t\" (type $t (sub resource)))
      (export \"make\" (func (param \"n\" u32) (result (own $t))))))
    (alias export $o \"t\" (type $t))
    (core func $make (canon lower (func $o \"make\")))
    (core func $drop (canon resource.drop $t))
    (core module $m (import \"\" \"make\" (func $make (param i32) (result i32))) (import \"\" \"drop\" (func $drop
      (param i32)))
      (table 1 funcref) (elem (i32.const 0) $drop)
      (func $go (export \"other\") (call $drop (call $make (i32.const 7))))
      (func (export \"table\") (call_indirect (param i32) (call $make (i32.const 0xffffffff)) (i32.const 0)))
      (func (export \"many\") (local i32)
        (loop (call $go) (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 40))))))
    (core instance $m (instantiate $m (with \"\" (instance (export \"make\" (func $make)) (export \"drop\"
      (func $drop))))))
    (func (export \"other\") (canon lift (core func $m \"other\")))
    (func (export \"table\") (canon lift (core func $m \"table\")))
    (func (export \"many\") (canon lift (core func $m \"many\"))))
  (instance $owner (instantiate $Owner (with \"log\" (func $log)) (with \"trace\" (func $trace)) (with \"gc\"
    (func $gc))
    (with \"fail\" (func $fail))))
  (instance $user (instantiate $User (with \"o\" (instance $owner))))
  (export \"o\" (instance $owner))
  (export \"other\" (func $user \"other\")) (export \"table\" (func $user \"table\")) (export \"many\"
    (func $user \"many\"))
  (export \"own\" (func $owner \"own\")))"
        );
        for setting in settings() {
            for call in ["own", "other", "table", "many"] {
                let (first, second) = setting.same(&text, |engine, component| {
                    let mut instance = Instantiated::new(engine, component).unwrap();
                    (instance.call(call, &[]), instance.call("other", &[]))
                });
                assert_eq!(first.trap(), trap, "{}: {call} {body}: {first:?}", setting.name);
                let ends = trap.is_some() || body.contains("$fail");
                assert_eq!(second.trap().is_some(), ends, "{call} {body}: {second:?}");
                let rep = if call == "own" || call == "table" { u32::MAX } else { 7 };
                if !ends {
                    assert!(format!("{first:?}").contains(&rep.to_string()), "{first:?}");
                }
            }
        }
    }
}

/// Parameters of all core types, more and more of them, past all registers and past those that are passed one by one.
#[test]
fn arguments_beyond_all_registers() {
    const TYPES: [(&str, &str, &str); 5] = [
        ("u32", "i32", "(i32.wrap_i64 (N))"),
        ("u64", "i64", "(N)"),
        ("f64", "f64", "(f64.convert_i64_u (N))"),
        ("u8", "i32", "(i32.wrap_i64 (N))"),
        ("f32", "f32", "(f32.convert_i64_u (N))"),
    ];
    for count in [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16] {
        for first in 0..TYPES.len() {
            let of = |n: usize| TYPES[(first + n * (1 + first % 2)) % TYPES.len()];
            let params = (0..count).fold(String::new(), |all, n| format!("{all} (param \"p{n}\" {})", of(n).0));
            let core = (0..count).fold(String::new(), |all, n| format!("{all} {}", of(n).1));
            let args = (0..count)
                .fold(String::new(), |all, n| all + &of(n).2.replace("(N)", &format!("(i64.const {})", 100 + 7 * n)));
            let check = (0..count).fold(String::new(), |mut all, n| {
                let _ = write!(
                    all,
                    "({ty}.eq (local.get {n}) {value}) (i32.eqz) (if (then (call $log (i32.const {n})) (unreachable)))",
                    ty = of(n).1,
                    value = of(n).2.replace("(N)", &format!("(i64.const {})", 100 + 7 * n))
                );
                all
            });
            let gets = (0..count).fold(String::new(), |all, n| format!("{all} (local.get {n})"));
            // Through an adapter, and both ways to and from the host.
            let text = format!(
                "(component
  (import \"host\" (func $host {params} (result u64)))
  (component $Callee
    (import \"host\" (func $host {params} (result u64)))
    (core func $host (canon lower (func $host)))
    (core module $m (import \"\" \"host\" (func $host (param {core}) (result i64))) (import \"\" \"log\" (func $log
      (param i32)))
      (func (export \"f\") (param {core}) (result i64) {check} (call $host {gets})))
    (core module $l (func (export \"log\") (param i32)))
    (core instance $l (instantiate $l))
    (core instance $m (instantiate $m (with \"\" (instance (export \"host\" (func $host)) (export \"log\"
      (func $l \"log\"))))))
    (func (export \"f\") {params} (result u64) (canon lift (core func $m \"f\"))))
  (component $Caller
    (import \"f\" (func $f {params} (result u64)))
    (core func $f (canon lower (func $f)))
    (core module $m (import \"\" \"f\" (func $f (param {core}) (result i64)))
      (func (export \"run\") (result i64) (i64.add (i64.const 1) (call $f {args}))))
    (core instance $m (instantiate $m (with \"\" (instance (export \"f\" (func $f))))))
    (func (export \"run\") (result u64) (canon lift (core func $m \"run\"))))
  (instance $callee (instantiate $Callee (with \"host\" (func $host))))
  (instance $caller (instantiate $Caller (with \"f\" (func $callee \"f\"))))
  (export \"run\" (func $caller \"run\")))"
            );
            let setting: Setting = settings()[count % 6];
            let seen = setting.same(&text, |engine, component| {
                let mut instance = Instantiated::with(engine, component, false, |linker| {
                    linker.root().func_new("host", |mut store, _, args, results| {
                        store.data_mut().log.push(format!("{args:?}"));
                        results[0] = Val::U64(0xffff_ffff_ffff_fffe);
                        Ok(())
                    })
                });
                instance.as_mut().unwrap().call("run", &[])
            });
            let Outcome::Returned(seen) = &seen else { panic!("{count} {first}: {seen:?}\n{text}") };
            assert_eq!(seen[0], format!("U64({})", u64::MAX));
            assert_eq!(seen[1].matches("1").count() > 0, count > 0);
        }
    }
}

/// A chain of so many components, each of which passes a number to the next.
fn chain(length: usize, last: &str) -> String {
    let mut text = format!(
        "(component (import \"trace\" (func $trace))
           (component $C0 (import \"trace\" (func $trace)) (core func $trace (canon lower (func $trace)))
             (core module $m (import \"\" \"trace\" (func $trace)) (memory 1)
               (func $again (param i32) (result i32) {last})
               (func (export \"f\") (param i32) (result i32) (call $again (local.get 0))))
             (core instance $m (instantiate $m (with \"\" (instance (export \"trace\" (func $trace))))))
             (func (export \"f\") (param \"n\" u32) (result u32) (canon lift (core func $m \"f\"))))
           (instance $c0 (instantiate $C0 (with \"trace\" (func $trace))))"
    );
    for n in 1..=length {
        let _ = write!(
            text,
            "(component $C{n} (import \"f\" (func $f (param \"n\" u32) (result u32))) (core func $f (canon lower
              (func $f)))
               (core module $m (import \"\" \"f\" (func $f (param i32) (result i32)))
                 (func (export \"f\") (param i32) (result i32)
                   (i32.add (i32.const 1) (call $f (i32.sub (local.get 0) (i32.const 1))))))
               (core instance $m (instantiate $m (with \"\" (instance (export \"f\" (func $f))))))
               (func (export \"f\") (param \"n\" u32) (result u32) (canon lift (core func $m \"f\"))))
             (instance $c{n} (instantiate $C{n} (with \"f\" (func $c{last} \"f\"))))",
            last = n - 1
        );
    }
    text + &format!("(export \"f\" (func $c{length} \"f\")))")
}

#[test]
fn stacks_end_inside_of_chains() {
    const LENGTH: usize = 60;
    // The stack overflows at the end, and wherever there is none left on the way.
    let recursing = "(if (result i32) (local.get 0) (then (i32.add (i32.const 1) (call $again (local.get 0)))) (else
      (i32.const 3)))";
    for setting in settings() {
        let outcome = setting.same(&chain(LENGTH, recursing), |engine, component| {
            let mut instance = Instantiated::new(engine, component).unwrap();
            let ends = instance.call("f", &[Val::U32(LENGTH as u32)]);
            // How deep it was depends on the frames.
            let overflows = instance.call("f", &[Val::U32(LENGTH as u32 + 1)]).trap();
            (ends, overflows, instance.call("f", &[Val::U32(LENGTH as u32)]).trap())
        });
        let (ends, overflows, again) = outcome;
        assert!(ends.is(&[&format!("U32({})", LENGTH + 3)]), "{ends:?}");
        assert_eq!(
            (overflows, again),
            (Some(Trap::StackOverflow), Some(Trap::CannotEnterComponent)),
            "{}",
            setting.name
        );
    }
    // Small stacks of many sizes, so that each kind of code comes to their end.
    let engine_of = |bytes: usize| {
        let mut config = settings()[0].config();
        config.max_wasm_stack(bytes);
        wasmtime::Engine::new(&config).unwrap()
    };
    let (mut fits, mut overflows) = (0, 0);
    let wasm = wat::parse_str(chain(12, "(call $trace) (i32.const 3)")).unwrap();
    for bytes in (1000..9000).step_by(80) {
        let engine = engine_of(bytes);
        let compiler = settings()[0].setup.lightbeam(&engine).unwrap().verify(false);
        let component = compiler.component(&wasm).unwrap();
        let Ok(mut instance) = Instantiated::new(&engine, &component) else { panic!("nothing is run at first") };
        match instance.call("f", &[Val::U32(1)]) {
            // Two frames at the end, and of each other component one and one of its adapter's.
            Outcome::Returned(seen) if seen[0] == "U32(15)" && seen.len() == 1 + 2 + 2 * 12 => fits += 1,
            Outcome::Failed(Some(Trap::StackOverflow), ..) => overflows += 1,
            other => panic!("{bytes}: {other:?}"),
        }
    }
    assert!(fits > 10 && overflows > 10, "{fits} {overflows}");
}
