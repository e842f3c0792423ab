//! Targets whose inputs are components: as they come, and made of our own by changes to their sections.

use super::Verdict;
use crate::random::{Random, mix};
use lightbeam::{Compiler, Error, ErrorKind};
use std::sync::LazyLock;
use wasmparser::{Validator, WasmFeatures};
use wasmtime::Config;

/// With the features that an engine has by default, and with all that change which components there are.
static COMPILERS: LazyLock<[(Compiler, WasmFeatures); 2]> = LazyLock::new(|| {
    let mut all = Config::new();
    all.wasm_component_model_async(true).wasm_component_model_more_async_builtins(true);
    all.wasm_component_model_async_stackful(true).wasm_component_model_threading(true);
    all.wasm_component_model_error_context(true).wasm_component_model_gc(true).wasm_component_model_map(true);
    all.wasm_component_model_memory64(true).wasm_component_model_fixed_length_lists(true);
    all.wasm_component_model_implements(true).wasm_custom_page_sizes(true).wasm_wide_arithmetic(true);
    [Config::new(), all].map(|config| {
        let compiler = Compiler::new(&config).expect("Lightbeam serves these settings").verify(true);
        let features = WasmFeatures::from_bits_truncate(compiler.engine().get_wasm_features().bits());
        (compiler, features)
    })
});

/// Any bytes as a component.
pub(super) fn component(data: &[u8]) -> Verdict {
    if !data.starts_with(b"\0asm") {
        return Verdict::Void;
    }
    check(data);
    Verdict::Tested
}

/// One of ours with changed sections.
pub(super) fn component_sections(data: &[u8]) -> Verdict {
    static OWN: LazyLock<Vec<Vec<u8>>> = LazyLock::new(own);
    let mut random = Random::from_bytes(data);
    let wasm = random.pick(&OWN).clone();
    let other = random.pick(&OWN).clone();
    check(&damaged(&mut random, &wasm, &other));
    Verdict::Tested
}

/// All that must hold of a component, or of what is none: it is refused as the validation says, what is accepted is
/// proved, and in chunks the same bytes give the same artifact or the same error.
///
/// # Panics
///
/// If something does not hold.
pub fn check(wasm: &[u8]) {
    let mut random = Random::new(wasm.iter().fold(wasm.len() as u64, |seed, byte| mix(seed ^ u64::from(*byte))));
    let (compiler, features) = &COMPILERS[random.below(2)];
    let error = |error: wasmtime::Error| match error.downcast::<Error>() {
        Ok(error) if matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Unsupported | ErrorKind::TooLarge) => error,
        Ok(error) => panic!("not an error about the input: {error:?}; {}", shown(wasm)),
        Err(error) => panic!("not one of Lightbeam's: {error:?}; {}", shown(wasm)),
    };
    let whole = compiler.precompile_component(wasm).map_err(error);
    match &whole {
        Ok(_) => {
            let valid = Validator::new_with_features(*features).validate_all(wasm).map(drop);
            assert!(valid.is_ok(), "accepted though {valid:?}; {}", shown(wasm));
        }
        Err(error) if error.kind() == ErrorKind::Invalid => {
            let valid = Validator::new_with_features(*features).validate_all(wasm).map(drop);
            let module = wasm.get(6..8) == Some(&[0, 0]);
            assert!(valid.is_err() || module, "valid, but refused: {error:?}; {}", shown(wasm));
        }
        Err(_) => {}
    }
    for most in [1, 60, wasm.len()] {
        if most == 1 && wasm.len() > 3000 {
            continue;
        }
        let compiler = compiler.clone().threads(1 + random.below(3)).batch(1 + random.below(300));
        let mut stream = compiler.component_stream();
        let mut rest = wasm;
        let mut pushed = Ok(());
        while pushed.is_ok() && !rest.is_empty() {
            let (chunk, other) = rest.split_at((1 + random.below(most)).min(rest.len()));
            pushed = stream.push(chunk).map(drop);
            rest = other;
        }
        let streamed = pushed.and_then(|()| stream.finish_artifact()).map_err(error);
        match (&whole, &streamed) {
            (Ok(whole), Ok(streamed)) => {
                assert!(whole == streamed, "chunks of up to {most} bytes: another artifact; {}", shown(wasm));
            }
            (whole, streamed) => {
                let [whole, streamed] = [whole, streamed].map(|result| result.as_ref().map(Vec::len));
                assert_eq!(whole, streamed, "chunks of up to {most} bytes; {}", shown(wasm));
            }
        }
    }
}

fn shown(wasm: &[u8]) -> String {
    super::shown(wasm).replacen("module", "component", 1)
}

/// A binary by its sections.
#[derive(Clone, Debug)]
enum Content {
    Raw(Vec<u8>),
    Sections(Vec<u8>, Vec<Section>),
}

#[derive(Clone, Debug)]
struct Section {
    id: u8,
    /// How much more or less than its bytes its size says.
    lie: i64,
    content: Content,
}

const CORE_MODULE: u8 = 1;
const COMPONENT: u8 = 4;
const HEADER: usize = 8;

impl Content {
    /// The sections of a component, or of a core module; nested ones likewise.
    fn parse(bytes: &[u8], depth: usize) -> Content {
        let sections = || {
            let (header, mut rest) = bytes.split_at_checked(HEADER)?;
            let nests = header[6] == 1;
            let mut sections = Vec::new();
            while let Some((id, after)) = rest.split_first() {
                let mut reader = wasmparser::BinaryReader::new(after, 0);
                let size = reader.read_var_u32().ok()? as usize;
                let (content, others) = after[reader.original_position()..].split_at_checked(size)?;
                let nested = nests && matches!(*id, CORE_MODULE | COMPONENT) && depth < 20;
                let content = if nested { Content::parse(content, depth + 1) } else { Content::Raw(content.to_vec()) };
                sections.push(Section { id: *id, lie: 0, content });
                rest = others;
            }
            Some(Content::Sections(header.to_vec(), sections))
        };
        sections().unwrap_or_else(|| Content::Raw(bytes.to_vec()))
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Content::Raw(bytes) => out.extend_from_slice(bytes),
            Content::Sections(header, sections) => {
                out.extend_from_slice(header);
                for section in sections {
                    let mut content = Vec::new();
                    section.content.write(&mut content);
                    out.push(section.id);
                    let mut size = (content.len() as i64 + section.lie) as u32;
                    while size > 0x7f {
                        out.push(size as u8 | 0x80);
                        size >>= 7;
                    }
                    out.push(size as u8);
                    out.extend_from_slice(&content);
                }
            }
        }
    }

    /// One of all lists of sections.
    fn any_list(&mut self, random: &mut Random) -> Option<&mut Vec<Section>> {
        let Content::Sections(_, sections) = self else { return None };
        let nested: Vec<usize> =
            (0..sections.len()).filter(|i| matches!(sections[*i].content, Content::Sections(..))).collect();
        if nested.is_empty() || random.one_in(3) {
            return Some(sections);
        }
        sections[*random.pick(&nested)].content.any_list(random)
    }
}

/// A component with some changes to its sections and to their bytes, perhaps with sections of another one.
#[must_use]
pub fn damaged(random: &mut Random, wasm: &[u8], other: &[u8]) -> Vec<u8> {
    let mut content = Content::parse(wasm, 0);
    for _ in 0..1 + random.below(3) {
        let mut foreign = Content::parse(other, 0);
        let Some(list) = content.any_list(random).filter(|list| !list.is_empty()) else { break };
        let at = random.below(list.len());
        match random.below(12) {
            0 => drop(list.remove(at)),
            1 => list.insert(at, list[at].clone()),
            2 => {
                let with = random.below(list.len());
                list.swap(at, with);
            }
            3 => list[at].id = random.below(14) as u8,
            4 => list[at].lie = *random.pick(&[-1, 1, -2, 2, 100, -100, 1 << 20, (1 << 31) - 1, -(1 << 31)]),
            5 => {
                if let Some(others) = foreign.any_list(random).filter(|others| !others.is_empty()) {
                    let section = random.pick(others).clone();
                    list.insert(at, section);
                }
            }
            _ => change(random, &mut list[at].content),
        }
    }
    let mut wasm = Vec::new();
    content.write(&mut wasm);
    if random.one_in(6) {
        let mut raw = Content::Raw(std::mem::take(&mut wasm));
        change(random, &mut raw);
        raw.write(&mut wasm);
    }
    if random.one_in(20) {
        wasm.truncate(random.below(wasm.len() + 1));
    }
    wasm
}

/// Changes a byte or a few.
fn change(random: &mut Random, content: &mut Content) {
    let bytes = match content {
        Content::Raw(bytes) => bytes,
        Content::Sections(header, _) => header,
    };
    if bytes.is_empty() {
        return bytes.push(random.bits() as u8);
    }
    for _ in 0..1 + random.below(2) {
        let at = random.below(bytes.len());
        match random.below(6) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.bits() as u8,
            2 => bytes[at] = bytes[at].wrapping_add(1),
            3 => bytes[at] = bytes[at].wrapping_sub(1),
            4 if bytes.len() > 1 => drop(bytes.remove(at)),
            _ => bytes.insert(at, random.bits() as u8),
        }
    }
}

/// Components of ours, binary, for those who want to begin with some.
#[must_use]
pub fn own() -> Vec<Vec<u8>> {
    TEXTS.iter().map(|text| wat::parse_str(text).expect("text of ours")).collect()
}

/// Small, and with something of everything between them.
const TEXTS: &[&str] = &[
    // Types of all kinds, functions of the host, instances that are passed on.
    r#"(component
        (type $e (enum "a" "b" "c"))
        (type $f (flags "x" "y" "z"))
        (type $r (record (field "one" u8) (field "two" (list string)) (field "three" (option u64))))
        (type $v (variant (case "none") (case "some" float32) (case "more" (tuple s8 char))))
        (import "host" (instance $host
            (alias outer 1 $r (type $r)) (export "rec" (type $rec (eq $r)))
            (export "f" (func (param "a" $rec) (result u32)))
            (export "g" (func (param "a" bool) (result (result u8 (error string)))))))
        (core module $libc (memory (export "m") 1)
            (func (export "r") (param i32 i32 i32 i32) (result i32) i32.const 64))
        (core instance $libc (instantiate $libc))
        (alias export $host "g" (func $g))
        (core func $g (canon lower (func $g) (memory (core memory $libc "m")) (realloc (core func $libc "r"))))
        (core module $m (import "h" "g" (func $g (param i32 i32)))
            (func (export "go") (param i32) (result i32) (call $g (local.get 0) (i32.const 32)) i32.const 1))
        (core instance $i (instantiate $m (with "h" (instance (export "g" (func $g))))))
        (func $go (param "x" bool) (result bool) (canon lift (core func $i "go")))
        (export "go" (func $go))
        (instance $bundle (export "again" (func $go)))
        (export "bundle" (instance $bundle)))"#,
    // Resources, with a destructor, across a border.
    r#"(component
        (component $owner
            (core module $d (func (export "d") (param i32)) (func (export "take") (param i32) (result i32) local.get 0))
            (core instance $d (instantiate $d))
            (type $t (resource (rep i32) (dtor (core func $d "d"))))
            (core func $new (canon resource.new $t))
            (core func $rep (canon resource.rep $t))
            (core func $drop (canon resource.drop $t))
            (core module $m (import "" "new" (func $new (param i32) (result i32)))
                (import "" "rep" (func (param i32) (result i32))) (import "" "drop" (func (param i32)))
                (func (export "make") (param i32) (result i32) (call $new (local.get 0)))
                (func (export "look") (param i32) (result i32) (local.get 0)))
            (core instance $i (instantiate $m (with "" (instance
                (export "new" (func $new)) (export "rep" (func $rep)) (export "drop" (func $drop))))))
            (export $u "thing" (type $t))
            (func (export "make") (param "n" u32) (result (own $u)) (canon lift (core func $i "make")))
            (func (export "look") (param "t" (borrow $u)) (result u32) (canon lift (core func $i "look"))))
        (instance $owner (instantiate $owner))
        (component $user
            (import "o" (instance $o
                (export "thing" (type $t (sub resource)))
                (export "make" (func (param "n" u32) (result (own $t))))
                (export "look" (func (param "t" (borrow $t)) (result u32)))))
            (alias export $o "thing" (type $t))
            (core func $make (canon lower (func $o "make")))
            (core func $look (canon lower (func $o "look")))
            (core func $drop (canon resource.drop $t))
            (core module $m (import "" "make" (func $make (param i32) (result i32)))
                (import "" "look" (func $look (param i32) (result i32))) (import "" "drop" (func $drop (param i32)))
                (func (export "go") (result i32) (local i32)
                    (local.set 0 (call $make (i32.const 9))) (call $look (local.get 0)) (call $drop (local.get 0))))
            (core instance $i (instantiate $m (with "" (instance
                (export "make" (func $make)) (export "look" (func $look)) (export "drop" (func $drop))))))
            (func (export "go") (result u32) (canon lift (core func $i "go"))))
        (instance $user (instantiate $user (with "o" (instance $owner))))
        (export "go" (func $user "go")))"#,
    // Strings in all encodings, lists and records, by an adapter, with data and a name section.
    r#"(component
        (component $a
            (core module $m (memory (export "m") 1) (data (i32.const 8) "some data")
                (func $realloc (export "r") (param i32 i32 i32 i32) (result i32) i32.const 256)
                (func (export "f") (param i32 i32 i32 i32) (result i32) i32.const 0)
                (func (export "p") (param i32)))
            (core instance $i (instantiate $m))
            (func (export "f") (param "s" string) (param "l" (list (tuple u8 string))) (result string)
                (canon lift (core func $i "f") string-encoding=utf16 (memory (core memory $i "m"))
                    (realloc (core func $i "r")) (post-return (core func $i "p")))))
        (component $b
            (import "f" (func $f (param "s" string) (param "l" (list (tuple u8 string))) (result string)))
            (core module $libc (memory (export "m") 1)
                (func (export "r") (param i32 i32 i32 i32) (result i32) i32.const 512))
            (core instance $libc (instantiate $libc))
            (core func $f (canon lower (func $f) string-encoding=latin1+utf16 (memory (core memory $libc "m"))
                (realloc (core func $libc "r"))))
            (core module $m (import "" "f" (func $f (param i32 i32 i32 i32 i32)))
                (func (export "go") (call $f (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16))))
            (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
            (func (export "go") (canon lift (core func $i "go"))))
        (instance $a (instantiate $a))
        (instance $b (instantiate $b (with "f" (func $a "f"))))
        (export "go" (func $b "go")))"#,
    // Components and modules of those around, instantiated twice; a module that is exported.
    r#"(component
        (core module $m (global (export "g") (mut i32) (i32.const 3)) (table (export "t") 2 funcref)
            (func (export "f")) (elem (i32.const 0) func 0))
        (component $inner
            (alias outer 1 $m (core module $n))
            (core instance $i (instantiate $n))
            (component $deep (alias outer 2 $m (core module $o)) (core instance (instantiate $o)))
            (instance (instantiate $deep))
            (func (export "f") (canon lift (core func $i "f"))))
        (component $again (alias outer 1 $inner (component $c)) (instance $x (instantiate $c))
            (export "x" (instance $x)))
        (instance $one (instantiate $inner))
        (instance $two (instantiate $again))
        (export "m" (core module $m))
        (export "one" (instance $one))
        (export "two" (instance $two)))"#,
    // The asynchronous model: streams, futures, waitables, tasks, between two components.
    r#"(component
        (component $a
            (core module $libc (memory (export "m") 1))
            (core instance $libc (instantiate $libc))
            (type $s (stream u8))
            (type $f (future u32))
            (core func $sn (canon stream.new $s))
            (core func $sr (canon stream.read $s async (memory (core memory $libc "m"))))
            (core func $fn (canon future.new $f))
            (core func $fd (canon future.drop-readable $f))
            (core func $ret (canon task.return (result u32)))
            (core func $ws (canon waitable-set.new))
            (core func $ww (canon waitable-set.wait (memory (core memory $libc "m"))))
            (core func $get (canon context.get i32 0))
            (core func $set (canon context.set i32 0))
            (core module $m
                (import "" "ret" (func $ret (param i32)))
                (import "" "ws" (func (result i32))) (import "" "ww" (func (param i32 i32) (result i32)))
                (import "" "sn" (func (result i64))) (import "" "sr" (func (param i32 i32 i32) (result i32)))
                (import "" "fn" (func (result i64))) (import "" "fd" (func (param i32)))
                (import "" "get" (func (result i32))) (import "" "set" (func (param i32)))
                (func (export "run") (param i32) (result i32) (call $ret (i32.const 4)) i32.const 0)
                (func (export "cb") (param i32 i32 i32) (result i32) i32.const 0))
            (core instance $i (instantiate $m (with "" (instance
                (export "ret" (func $ret)) (export "ws" (func $ws)) (export "ww" (func $ww)) (export "sn" (func $sn))
                (export "sr" (func $sr)) (export "fn" (func $fn)) (export "fd" (func $fd)) (export "get" (func $get))
                (export "set" (func $set))))))
            (func (export "run") async (param "s" $s) (result u32)
                (canon lift (core func $i "run") async (callback (core func $i "cb")))))
        (component $b
            (import "run" (func $run async (param "s" (stream u8)) (result u32)))
            (core module $libc (memory (export "m") 1))
            (core instance $libc (instantiate $libc))
            (core func $run (canon lower (func $run) async (memory (core memory $libc "m"))))
            (core module $m (import "" "run" (func $run (param i32 i32) (result i32)))
                (func (export "go") (result i32) (call $run (i32.const 1) (i32.const 0))))
            (core instance $i (instantiate $m (with "" (instance (export "run" (func $run))))))
            (func (export "go") (result u32) (canon lift (core func $i "go"))))
        (instance $a (instantiate $a))
        (instance $b (instantiate $b (with "run" (func $a "run"))))
        (export "go" (func $b "go")))"#,
    // Nothing, which grows by what others have.
    "(component)",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_components_are_valid_and_their_sections_make_the_same_bytes() {
        for (wasm, text) in own().iter().zip(TEXTS) {
            let mut again = Vec::new();
            let content = Content::parse(wasm, 0);
            assert!(matches!(content, Content::Sections(..)));
            content.write(&mut again);
            assert!(again == *wasm);
            let compiled = COMPILERS[1].0.precompile_component(wasm);
            assert!(compiled.is_ok(), "{compiled:?} of {text}");
        }
    }
}
