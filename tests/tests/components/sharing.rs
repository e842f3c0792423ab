//! What the core modules of one component share: one table of types, by which signatures are checked whatever the order
//! in which each module has them, and one set of everything that belongs to no function.

use lightbeam_tests::components::{Instantiated, settings};
use lightbeam_tests::random::Random;
use lightbeam_verify::artifact::{Artifact, Key};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write;
use wasmtime::Trap;
use wasmtime::component::Val;
use wasmtime_environ::component::ComponentArtifacts;

/// Signatures of which no two are the same; `$s0` and so on are structures.
const SIGNATURES: [&str; 12] = [
    "",
    "(param i32)",
    "(param i64)",
    "(param f32)",
    "(param i32 i32)",
    "(param i32 i64)",
    "(param i64 i32)",
    "(param funcref)",
    "(param externref)",
    "(param (ref null $s0))",
    "(param (ref null $s1))",
    "(param i32 i32 i32 i32 i32 i32 i32 i32)",
];

/// Arguments of one of them, all of them nothing.
fn nothing(signature: &str) -> String {
    let words = signature.trim_start_matches("(param").trim_end_matches(')').replace("(ref null ", "");
    words.split_whitespace().fold(String::new(), |all, ty| {
        let constant = match ty {
            "funcref" => "(ref.null func)".to_string(),
            "externref" => "(ref.null extern)".to_string(),
            ty if ty.starts_with('$') => format!("(ref.null {})", ty.trim_end_matches(')')),
            ty => format!("({ty}.const 0)"),
        };
        all + &constant
    })
}

/// The types of a module in any order, some of them alone and some in groups, and others between them.
fn types(random: &mut Random) -> String {
    let mut structures = ["(type $s0 (struct (field i32)))", "(type $s1 (struct (field i64)))"];
    if random.one_in(2) {
        structures.reverse();
    }
    let mut order: Vec<usize> = (0..SIGNATURES.len()).collect();
    for at in (1..order.len()).rev() {
        order.swap(at, random.below(at + 1));
    }
    let mut text = String::new();
    for which in order {
        if random.one_in(3) {
            let _ = writeln!(text, "(type (func (param f64) (result {})))", "i64 ".repeat(random.below(4)));
        }
        if random.one_in(4) {
            // Of the same form, and another type, as it is in a group.
            let _ = writeln!(text, "(rec (type (func {} (result i32))) (type (struct)))", SIGNATURES[1]);
        }
        let _ = writeln!(text, "(type $t{which} (func {} (result i32)))", SIGNATURES[which]);
    }
    structures.concat() + &text
}

#[test]
fn signatures_are_those_of_the_types_whatever_their_order() {
    let mut random = Random::new(5);
    let count = SIGNATURES.len();
    let cases = (0..count).rev().fold("(return (i32.const 999))".to_string(), |inside, which| {
        format!(
            "(block $b{which} {inside})
             (return (call_indirect $table (type $t{which}) {} (local.get 1)))",
            nothing(SIGNATURES[which])
        )
    });
    let labels = (0..count).fold(String::new(), |all, which| format!("{all} $b{which}"));
    // The innermost block is the first case, and jumps from inside of all.
    let jump = format!("(br_table {labels} 0 (local.get 0))");
    let body = cases.replacen("(return (i32.const 999))", &jump, 1);
    let mut functions = String::new();
    for (which, signature) in SIGNATURES.iter().enumerate() {
        let _ = writeln!(functions, "(func $f{which} (type $t{which}) (i32.const {})) ;; {signature}", 100 + which);
    }
    let filled = (0..count).fold(String::new(), |all, which| format!("{all} $f{which}"));
    let mut modules = String::new();
    let mut exports = String::new();
    const MODULES: usize = 60;
    for module in 0..MODULES {
        let types = types(&mut random);
        // Any of them may be the one whose functions are called.
        let own =
            if module % 3 == 0 { format!("{functions} (elem (i32.const 0) func {filled})") } else { String::new() };
        let _ = writeln!(
            modules,
            "(core module $m{module} {types} (import \"\" \"table\" (table $table {count} funcref)) {own}
               (func (export \"call\") (param i32 i32) (result i32) {body} (unreachable)))
             (core instance $i{module} (instantiate $m{module} (with \"\" (instance $shared))))"
        );
        let _ = writeln!(
            exports,
            "(func (export \"call{module}\") (param \"a\" u32) (param \"b\" u32) (result u32)
               (canon lift (core func $i{module} \"call\")))"
        );
    }
    let text = format!(
        "(component (core module $shared (table (export \"table\") {count} funcref))
           (core instance $shared (instantiate $shared)) {modules} {exports})"
    );
    for setting in [&settings()[0], &settings()[1]] {
        setting.same(&text, |engine, component| {
            let mut instance = Instantiated::new(engine, component).unwrap();
            for module in 0..MODULES {
                for which in 0..count {
                    let right =
                        instance.call(&format!("call{module}"), &[Val::U32(which as u32), Val::U32(which as u32)]);
                    assert!(right.is(&[&*format!("U32({})", 100 + which)]), "{module} {which}: {right:?}");
                }
            }
            // Each wrong one ends the instance.
            for _ in 0..300 {
                let (module, which, slot) = (random.below(MODULES), random.below(count), random.below(count));
                let mut instance = Instantiated::new(engine, component).unwrap();
                let called = instance.call(&format!("call{module}"), &[Val::U32(which as u32), Val::U32(slot as u32)]);
                assert_eq!(called.trap(), (which != slot).then_some(Trap::BadSignature), "{module} {which} {slot}");
            }
        });
    }
}

/// How many pieces of each kind a component's text has, how many bytes of it are in use, and how many types of
/// functions the host can be called by.
fn kinds(component: impl AsRef<[u8]>) -> (BTreeMap<&'static str, usize>, usize, usize) {
    let setting = settings()[0];
    let compiler = setting.setup.lightbeam(&setting.engine()).unwrap();
    let artifact = compiler.precompile_component(component).unwrap();
    let parsed = Artifact::parse(&artifact).unwrap();
    let decoded: ComponentArtifacts = postcard::from_bytes(parsed.info).unwrap();
    // The table is behind what comes first in the host's structure.
    let before =
        postcard::to_allocvec(&decoded.ty).unwrap().len() + postcard::to_allocvec(&decoded.info).unwrap().len();
    let (pieces, _) = parsed.pieces(before).unwrap();
    let mut kinds = BTreeMap::new();
    let mut keys = HashSet::new();
    for piece in &pieces {
        assert!(keys.insert(piece.key), "{:?} is there twice", piece.key);
        let kind = match piece.key {
            Key::Function(..) => "function",
            Key::Entry(..) => "entry",
            Key::HostExit(_) => "host exit",
            Key::BuiltinExit(_) => "builtin exit",
            Key::Trampoline(_) => "trampoline",
            Key::TrampolineEntry(_) => "trampoline's entry",
            Key::DropExit => "drop exit",
            Key::Intrinsic(_) | Key::IntrinsicEntry(_) => "intrinsic",
            Key::Startup(_) | Key::StartupEntry(_) => "startup",
        };
        *kinds.entry(kind).or_default() += 1;
    }
    let types: BTreeSet<_> = decoded.types.module_types().trampoline_types().map(|(_, ty)| ty).collect();
    let of_host = kinds.get("host exit").copied().unwrap_or(0);
    assert_eq!(of_host, types.len(), "one exit for each type of functions");
    assert_eq!(kinds.get("trampoline").copied().unwrap_or(0), decoded.info.component.trampolines.len());
    let used = pieces.iter().map(|piece| piece.end).max().unwrap_or(0) as usize;
    (kinds, used, types.len())
}

/// So many equal modules that use everything a module shares, each made an instance of.
fn equal_modules(n: usize) -> String {
    let module = "
        (type $s (struct (field (mut i32)) (field (ref null 0))))
        (import \"\" \"log\" (func $log (param i32)))
        (import \"\" \"many\" (func $many (param i32 i64 f64) (result i32)))
        (memory 1) (table $t 4 funcref) (table $objects 1 (ref null $s)) (global $g (mut (ref null $s)) (ref.null $s))
        (elem (table $t) (i32.const 0) func $f $g $log $many) (data \"abcdef\")
        (func $f (export \"f\") (param i32) (result i32)
          (call $log (local.get 0)) (global.set $g (struct.new $s (local.get 0) (ref.null 0)))
          (table.set $objects (i32.const 0) (global.get $g))
          (drop (memory.grow (i32.const 1))) (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 6))
          (i32.div_u (call_indirect $t (param i32) (result i32) (local.get 0) (i32.const 1)) (local.get 0)))
        (func $g (export \"g\") (param i32) (result i32)
          (drop (table.grow $t (ref.null func) (i32.const 1)))
          (call $many (struct.get $s 0 (global.get $g)) (i64.const 1) (f64.const 2)))";
    let mut modules = String::new();
    for at in 0..n {
        let _ = writeln!(
            modules,
            "(core module $m{at} {module}) (core instance $i{at} (instantiate $m{at} (with \"\" (instance
               (export \"log\" (func $log)) (export \"many\" (func $many \"many\"))))))
             (func (export \"f{at}\") (param \"n\" u32) (result u32) (canon lift (core func $i{at} \"f\")))"
        );
    }
    format!(
        "(component (import \"log\" (func $log' (param \"n\" u32))) (core func $log (canon lower (func $log')))
           (core module $many (func (export \"many\") (param i32 i64 f64) (result i32) (local.get 0)))
           (core instance $many (instantiate $many)) {modules})"
    )
}

#[test]
fn equal_modules_cost_their_functions_and_no_exit_more() {
    let sizes = [1, 2, 3, 12];
    let measured = sizes.map(|n| kinds(equal_modules(n)));
    let (one, ..) = &measured[0];
    for (n, (kinds, ..)) in sizes.iter().zip(&measured) {
        for kind in ["host exit", "builtin exit", "trampoline", "trampoline's entry", "drop exit", "intrinsic"] {
            assert_eq!(kinds.get(kind), one.get(kind), "{n} modules: {kind}");
        }
        // One of the functions is of the module that all import.
        assert_eq!(kinds["function"] - 1, n * (one["function"] - 1), "{n} modules");
    }
    let bytes = measured.map(|(_, bytes, _)| bytes);
    // From the second on each costs the same, but for what fills up to an alignment.
    let (second, third, last) = (bytes[1] - bytes[0], bytes[2] - bytes[1], bytes[3] - bytes[2]);
    assert!(second.abs_diff(third) <= 64 && last.abs_diff(9 * third) <= 9 * 64, "{bytes:?}");
    assert!(third <= second, "{bytes:?}: what all share costs the first module alone");
}

#[test]
fn no_piece_of_code_is_there_twice() {
    let (kinds_of_many, ..) = kinds(equal_modules(7));
    assert!(kinds_of_many.len() >= 6, "{kinds_of_many:?}");
    let Some(folder) = lightbeam_tests::shared::folder("wasmtime-scripts") else { return };
    let components = lightbeam_tests::verification::components_of_scripts(&folder.join("component-model"));
    let (mut looked_at, setting) = (0, settings()[0]);
    let compiler = setting.setup.lightbeam(&setting.engine()).unwrap();
    for subject in components {
        if compiler.precompile_component(&subject.wasm).is_ok() {
            kinds(&subject.wasm);
            looked_at += 1;
        }
    }
    assert!(looked_at > 100, "{looked_at}");
}
