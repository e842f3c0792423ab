//! What debuggers and profilers are told: symbols, and DWARF for machine code, read back by `gimli`. The guest is
//! `debug/guest.c`, compiled by
//!
//! ```sh
//! clang --target=wasm32 -g -O0 -nostdlib -Wl,--no-entry -fdebug-compilation-dir=. -o guest.wasm guest.c
//! ```

use gimli::{
    AttributeValue, BaseAddresses, DebugFrame, EhFrame, EndianSlice, LittleEndian, Operation, Register, UnwindContext,
    UnwindSection,
};
use lightbeam::Compiler;
use lightbeam_verify::artifact::Artifact;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::Command;
use wasmtime::{Config, Func, Instance, Module, ProfilingStrategy, Store};
use wasmtime_environ::object::read::elf::{FileHeader, Rela, SectionHeader};
use wasmtime_environ::object::{LittleEndian as LE, elf};

const GUEST: &[u8] = include_bytes!("../debug/guest.wasm");
const SOURCE: &str = include_str!("../debug/guest.c");

/// DWARF's numbers.
const FRAME: Register = Register(6);
const MEMORY: Register = Register(14);

type Slice = EndianSlice<'static, LittleEndian>;

/// An engine that wants debug information, and no compiler but this.
fn compiler() -> Compiler {
    let mut config = Config::new();
    config.debug_info(true);
    Compiler::new(&config).unwrap()
}

/// The debug sections of an artifact, with its text at address 0.
fn dwarf(artifact: &[u8]) -> gimli::Dwarf<Slice> {
    let contents = contents(artifact);
    let load = |id: gimli::SectionId| -> Result<Slice, gimli::Error> {
        let bytes = contents.get(id.name()).cloned().unwrap_or_default();
        // For the rest of the test.
        Ok(EndianSlice::new(bytes.leak(), LittleEndian))
    };
    gimli::Dwarf::load(load).unwrap()
}

/// The sections of an artifact, with its text at address 0.
fn contents(artifact: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let header = elf::FileHeader64::<LE>::parse(artifact).unwrap();
    let sections = header.sections(LE, artifact).unwrap();
    let symbols = sections.symbols(LE, artifact, elf::SHT_SYMTAB).unwrap();
    let mut contents: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let name = |section| String::from_utf8(sections.section_name(LE, section).unwrap().to_vec()).unwrap();
    for section in sections.iter() {
        contents.insert(name(section), section.data(LE, artifact).unwrap().to_vec());
    }
    for section in sections.iter() {
        let Some((relocations, _)) = section.rela(LE, artifact).unwrap() else { continue };
        let of = sections.section(wasmtime_environ::object::SectionIndex(section.sh_info.get(LE) as usize)).unwrap();
        let bytes = contents.get_mut(&name(of)).unwrap();
        for relocation in relocations {
            assert_eq!(relocation.r_type(LE, false), elf::R_X86_64_64);
            let symbol = relocation.symbol(LE, false).unwrap();
            let base = symbols.symbol(symbol).unwrap().st_value.get(LE).cast_signed();
            let at = relocation.r_offset.get(LE) as usize;
            bytes[at..at + 8].copy_from_slice(&(base + relocation.r_addend.get(LE)).to_le_bytes());
        }
    }
    contents
}

/// A function's name, where it is, and its variables with the operations of where they are.
struct Function {
    text: std::ops::Range<u64>,
    variables: BTreeMap<String, Option<Vec<Operation<Slice>>>>,
}

fn functions(dwarf: &gimli::Dwarf<Slice>) -> BTreeMap<String, Function> {
    let mut functions = BTreeMap::new();
    let mut units = dwarf.units();
    while let Some(header) = units.next().unwrap() {
        let unit = dwarf.unit(header).unwrap();
        let unit = unit.unit_ref(dwarf);
        let mut current: Option<String> = None;
        let mut entries = unit.entries();
        while let Some(entry) = entries.next_dfs().unwrap() {
            let text_of = |value| Some(unit.attr_string(value).ok()?.to_string_lossy().into_owned());
            let name = entry.attr_value(gimli::DW_AT_name).and_then(text_of);
            match entry.tag() {
                gimli::DW_TAG_subprogram => {
                    let range = unit.die_ranges(entry).unwrap().next().unwrap();
                    current = name.clone().filter(|_| range.is_some());
                    if let (Some(name), Some(range)) = (name, range) {
                        let text = range.begin..range.end;
                        functions.insert(name, Function { text, variables: BTreeMap::new() });
                    }
                }
                gimli::DW_TAG_variable | gimli::DW_TAG_formal_parameter => {
                    let Some(function) = current.as_ref().and_then(|name| functions.get_mut(name)) else { continue };
                    let place = match entry.attr_value(gimli::DW_AT_location) {
                        Some(AttributeValue::Exprloc(expression)) => {
                            let mut operations = expression.operations(unit.encoding());
                            let mut all = Vec::new();
                            while let Some(operation) = operations.next().unwrap() {
                                all.push(operation);
                            }
                            Some(all)
                        }
                        _ => None,
                    };
                    function.variables.insert(name.unwrap(), place);
                }
                _ => {}
            }
        }
    }
    functions
}

/// Lines by places in the text where debuggers stop.
fn lines(dwarf: &gimli::Dwarf<Slice>) -> Vec<(u64, u64)> {
    let mut lines = Vec::new();
    let mut units = dwarf.units();
    while let Some(header) = units.next().unwrap() {
        let unit = dwarf.unit(header).unwrap();
        let Some(program) = unit.line_program.clone() else { continue };
        let mut rows = program.rows();
        while let Some((_, row)) = rows.next_row().unwrap() {
            if !row.end_sequence() && row.is_stmt() {
                lines.push((row.address(), row.line().map_or(0, |line| line.get())));
            }
        }
    }
    lines
}

#[test]
fn lines_of_c_are_those_of_its_functions() {
    let artifact = compiler().precompile(GUEST).unwrap();
    let dwarf = dwarf(&artifact);
    let functions = functions(&dwarf);
    let lines = lines(&dwarf);
    // Where each function is in the source, by the lines that have something of it alone.
    for (name, texts) in [
        (
            "area",
            &["int width = a.x * scale;", "int height = a.y * scale;", "total += width;", "return width * height;"][..],
        ),
        ("sum", &["result += area(p, 2);", "half *= 1.5;", "return result + (int)half + total;"][..]),
        ("run", &["int doubled = n * 2;", "int answer = sum(doubled);", "return answer;"][..]),
    ] {
        let function = &functions[name];
        let known: BTreeSet<u64> =
            lines.iter().filter(|(at, _)| function.text.contains(at)).map(|(_, line)| *line).collect();
        for text in texts {
            let line = SOURCE.lines().position(|line| line.trim() == *text).unwrap() as u64 + 1;
            assert!(known.contains(&line), "{name}: line {line} of {known:?}");
        }
        assert!(known.iter().all(|line| *line <= SOURCE.lines().count() as u64), "{known:?}");
    }
    // Rows go by ascending places in each function, and none is outside of all.
    for (at, _) in &lines {
        assert!(functions.values().any(|function| function.text.contains(at)), "{at:#x}");
    }
}

/// `.eh_frame`, of which each instruction is compared elsewhere, and `.debug_frame` say the same.
#[test]
fn debuggers_are_told_of_frames_what_unwinders_are() {
    let artifact = compiler().precompile(GUEST).unwrap();
    let contents = contents(&artifact);
    let text = Artifact::section(&artifact, ".text").unwrap();
    let bases = BaseAddresses::default().set_eh_frame(text.len() as u64);
    let of_unwinders = EhFrame::new(&contents[".eh_frame"], LittleEndian);
    let mut of_debuggers = DebugFrame::new(&contents[".debug_frame"], LittleEndian);
    of_debuggers.set_address_size(8);
    let mut entries = of_debuggers.entries(&bases);
    let (mut context, mut other) = (UnwindContext::new(), UnwindContext::new());
    let mut compared = 0;
    while let Some(entry) = entries.next().unwrap() {
        let gimli::CieOrFde::Fde(partial) = entry else { continue };
        let fde = partial.parse(DebugFrame::cie_from_offset).unwrap();
        for at in fde.initial_address()..fde.initial_address() + fde.len() {
            let told = fde.unwind_info_for_address(&of_debuggers, &bases, &mut context, at).unwrap();
            let same = of_unwinders.unwind_info_for_address(&bases, &mut other, at, EhFrame::cie_from_offset).unwrap();
            assert_eq!(told.cfa(), same.cfa(), "{at:#x}");
            assert!(told.registers().eq(same.registers()), "{at:#x}");
            compared += 1;
        }
    }
    assert!(compared > 1000, "{compared}");
}

#[test]
fn locals_of_c_are_in_linear_memory_by_way_of_the_frame() {
    let functions = functions(&dwarf(&compiler().precompile(GUEST).unwrap()));
    let sum = &functions["sum"].variables;
    assert_eq!(sum.keys().collect::<Vec<_>>(), ["half", "i", "n", "p", "result"]);
    for (name, place) in sum {
        let place = place.as_ref().unwrap_or_else(|| panic!("{name} is nowhere"));
        let of = |register| {
            place
                .iter()
                .any(|operation| matches!(operation, Operation::RegisterOffset { register: of, .. } if *of == register))
        };
        assert!(of(FRAME) && of(MEMORY), "{name}: {place:?}");
    }
    assert!(functions["area"].variables["scale"].is_some());
}

#[test]
fn locals_of_modules_without_dwarf_are_in_their_slots() {
    let wat = r#"(module $m
        (func $f (export "f") (param i32 i64) (result i64) (local f32 f64)
            (local.set 2 (f32.convert_i32_s (local.get 0)))
            (local.set 3 (f64.promote_f32 (local.get 2)))
            (i64.add (local.get 1) (i64.trunc_f64_s (local.get 3)))))"#;
    let compiler = compiler();
    let artifact = compiler.precompile(wat).unwrap();
    let dwarf = dwarf(&artifact);
    let functions = functions(&dwarf);
    let f = &functions["f"];
    assert_eq!(f.variables.keys().collect::<Vec<_>>(), ["local0", "local1", "local2", "local3"]);
    let slots: BTreeSet<i64> = f
        .variables
        .values()
        .map(|place| match place.as_deref() {
            Some([Operation::FrameOffset { offset }]) => *offset,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(slots.len(), 4, "each has a slot of its own: {slots:?}");
    // A line for each operator that has code: its offset in the module.
    let wasm = wat::parse_str(wat).unwrap();
    let lines = lines(&dwarf);
    assert!(lines.len() > 6 && lines.iter().all(|(_, line)| (*line as usize) < wasm.len()), "{lines:?}");
    // And the code is right.
    let module = compiler.module(wat).unwrap();
    let mut store = Store::new(compiler.engine(), ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let call = instance.get_typed_func::<(i32, i64), i64>(&mut store, "f").unwrap();
    assert_eq!(call.call(&mut store, (40, 2)).unwrap(), 42);
}

#[test]
fn a_component_has_all_of_its_modules() {
    let wat = r#"(component
        (core module $a (func $first (export "f") (param i32) (result i32) (local.get 0)))
        (core module $b (func $second (export "f") (param i32) (result i32) (local.get 0)))
        (core instance $a (instantiate $a)) (core instance (instantiate $b))
        (func (export "f") (param "x" u32) (result u32) (canon lift (core func $a "f"))))"#;
    let artifact = compiler().precompile_component(wat).unwrap();
    // What is beside functions has names of another form.
    let names = functions(&dwarf(&artifact)).into_keys();
    let (others, names): (Vec<String>, Vec<String>) = names.partition(|name| name.contains('['));
    assert_eq!(names, ["first", "second"]);
    assert!(others.contains(&"wasm[1]::array_to_wasm_trampoline[0]".into()), "{others:?}");
}

#[test]
fn however_a_module_comes_its_debug_information_is_the_same() {
    let compiler = compiler();
    let whole = compiler.precompile(GUEST).unwrap();
    for chunk in [1, 7, 1000] {
        let mut stream = compiler.module_stream();
        GUEST.chunks(chunk).for_each(|chunk| _ = stream.push(chunk).unwrap());
        assert!(stream.finish_artifact().unwrap() == whole, "in chunks of {chunk}");
    }
    // Wasmtime loads it, and it runs.
    // SAFETY: the artifact comes from the compiler and nobody has changed it.
    let module = unsafe { Module::deserialize(compiler.engine(), &whole).unwrap() };
    let mut store = Store::new(compiler.engine(), ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
    assert_eq!(run.call(&mut store, 3).unwrap(), 322);
}

#[inline(never)]
fn told_by_the_guest(n: i32) -> i32 {
    std::hint::black_box(n)
}

/// What gdb is shown below: a host's function that a guest calls, which the host has called.
#[test]
fn a_host_of_a_guest() {
    let compiler = compiler();
    let wat = r#"(module (import "" "tell" (func $tell (param i32) (result i32)))
        (func $inner (param i32) (result i32) (i32.add (call $tell (local.get 0)) (i32.const 1)))
        (func (export "outer") (param i32) (result i32) (call $inner (i32.mul (local.get 0) (i32.const 2)))))"#;
    let module = compiler.module(wat).unwrap();
    let mut store = Store::new(compiler.engine(), ());
    let tell = Func::wrap(&mut store, told_by_the_guest);
    let instance = Instance::new(&mut store, &module, &[tell.into()]).unwrap();
    let outer = instance.get_typed_func::<i32, i32>(&mut store, "outer").unwrap();
    assert_eq!(outer.call(&mut store, 20).unwrap(), 41);
}

#[test]
fn gdb_shows_a_whole_backtrace() {
    if Command::new("gdb").arg("--version").output().is_err() {
        // Past the harness, as a test that sees nothing would not be noticed.
        writeln!(std::io::stderr(), "WARNING: `gdb` is not installed, nothing of it is tested").unwrap();
        return;
    }
    let line = include_str!("debugging.rs").lines().position(|line| line.contains("black_box(n)")).unwrap() + 1;
    let mut gdb = Command::new("gdb");
    gdb.args(["-q", "-batch", "-nx", "-ex", "set pagination off", "-ex", "set debuginfod enabled off"]);
    let at = format!("break debugging.rs:{line}");
    gdb.args(["-ex", &at, "-ex", "run", "-ex", "bt", "-ex", "finish"]);
    gdb.arg("--args").arg(std::env::current_exe().unwrap()).args(["a_host_of_a_guest", "--exact", "--test-threads=1"]);
    let output = gdb.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let mut left = &said[..];
    for expected in [
        "#0 ",
        "told_by_the_guest",
        "signatures[0]::wasm_to_array_trampoline ()",
        "inner (local0=40)",
        "wasm[0]::function[2] (local0=20)",
        "wasm[0]::array_to_wasm_trampoline[2] ()",
        "catch_traps",
        "a_host_of_a_guest",
        "thread_start",
        "clone3",
    ] {
        let Some(at) = left.find(expected) else {
            panic!("no `{expected}`, or not behind what comes first, in:\n{said}")
        };
        left = &left[at + expected.len()..];
    }
    assert!(!said.contains("corrupt"), "{said}");
}

/// `perf` looks up no code in its map that comes from a file, be it one in memory.
#[test]
fn code_that_is_mapped_for_perf_is_in_no_file() {
    let mut config = Config::new();
    let functions = "(func (param i32 i32) (result i32) (i32.div_u (local.get 0) (local.get 1)))".repeat(12_000);
    let wat = format!("(module {functions})");
    let in_file = |compiler: &Compiler| {
        let (module, artifact) = compiler.module_and_artifact(&wat).unwrap();
        assert!(artifact.len() > 512 << 10, "{}", artifact.len());
        let at = module.text().as_ptr() as usize;
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let of = maps.lines().find(|line| {
            let (start, rest) = line.split_once('-').unwrap();
            let end = rest.split(' ').next().unwrap();
            (usize::from_str_radix(start, 16).unwrap()..usize::from_str_radix(end, 16).unwrap()).contains(&at)
        });
        of.unwrap().contains("memfd:lightbeam")
    };
    let map = format!("/tmp/perf-{}.map", std::process::id());
    // Of a process that had the same number.
    std::fs::write(&map, "").unwrap();
    assert!(in_file(&Compiler::new(&config).unwrap()));
    let compiler = Compiler::new(config.profiler(ProfilingStrategy::PerfMap)).unwrap();
    let found = in_file(&compiler);
    let named = std::fs::read_to_string(&map).unwrap().lines().filter(|line| line.contains("function[")).count();
    let asked_for = in_file(&compiler.memory_files(true));
    std::fs::remove_file(map).unwrap();
    assert!(!found && asked_for);
    assert!(named >= 12_000, "{named}");
}

/// `wasmtime objdump` panics on a symbol of a kind that it does not know.
#[test]
fn symbols_are_of_kinds_that_wasmtime_knows() {
    let modules = [
        // A tail call out of the module, a start function, data that is dropped, routines of long operators.
        r#"(module (import "" "f" (func $f (param i32 i32 i32 i32 i32 i32 i32 i32 i32)))
            (memory 1) (data $d "0123") (table 4 externref) (start $start) (func $start)
            (func (export "g") (param i32) (memory.init $d (i32.const 0) (i32.const 0) (i32.const 4)) (data.drop $d)
                (table.fill (i32.const 0) (ref.null extern) (local.get 0))
                (memory.copy (i32.const 0) (i32.const 9) (local.get 0))
                (return_call $f (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0)
                    (local.get 0) (local.get 0) (local.get 0))))"#,
        r#"(module (type $a (array (mut i8))) (data $d "0123")
            (func (export "g") (param (ref null $a) i32)
                (drop (array.new_data $a $d (i32.const 0) (local.get 1)))
                (array.copy $a $a (local.get 0) (i32.const 0) (local.get 0) (i32.const 1) (local.get 1))
                (array.fill $a (local.get 0) (i32.const 0) (i32.const 7) (local.get 1))
                (array.init_data $a $d (local.get 0) (i32.const 0) (i32.const 0) (local.get 1))))"#,
    ];
    let compiler = Compiler::new(&Config::new()).unwrap();
    let mut artifacts: Vec<Vec<u8>> = modules.iter().map(|wat| compiler.precompile(wat).unwrap()).collect();
    artifacts.push(compiler.precompile_component("(component (type $r (resource (rep i32))) (core func (canon resource.new $r)) (core func (canon resource.drop $r)))").unwrap());
    let mut odd = 0;
    for artifact in &artifacts {
        let symbols = Artifact::parse(artifact).unwrap().symbols;
        for [at, ..] in &symbols.entries {
            let bytes = &symbols.strings[*at as usize..];
            let name = std::str::from_utf8(&bytes[..bytes.iter().position(|byte| *byte == 0).unwrap()]).unwrap();
            let known = name.starts_with("wasmtime_builtin")
                || ["]::function[", "trampoline", "unsafe-intrinsics-", "module_start", "libcall"]
                    .iter()
                    .any(|part| name.contains(part))
                || name.starts_with("component");
            assert!(known, "{name}");
            odd +=
                usize::from(name.contains("private_trampoline") || name.contains("data_") || name.contains("libcall"));
        }
    }
    assert!(odd >= 4, "{odd}");
}

#[test]
fn symbols_have_the_names_that_wasmtime_gives() {
    let artifact = Compiler::new(&Config::new()).unwrap().precompile(GUEST).unwrap();
    let Artifact { symbols, text, .. } = Artifact::parse(&artifact).unwrap();
    let name = |at: u32| {
        let bytes = &symbols.strings[at as usize..];
        String::from_utf8(bytes[..bytes.iter().position(|byte| *byte == 0).unwrap()].to_vec()).unwrap()
    };
    let names: Vec<String> = symbols.entries.iter().map(|[at, ..]| name(*at)).collect();
    for wanted in [
        "wasm[0]::function[0]::sum",
        "wasm[0]::function[1]::area",
        "wasm[0]::function[2]::run",
        "wasm[0]::array_to_wasm_trampoline[2]",
        "wasm[0]::tail_to_private_trampoline[2]",
    ] {
        assert!(names.iter().any(|name| name == wanted), "{wanted} in {names:?}");
    }
    let mut end = 0;
    for [name_at, start, len] in &symbols.entries {
        assert!(*start >= end && *len > 0, "{} overlaps", name(*name_at));
        end = start + len;
    }
    assert!(end as usize <= text.len());
    // A name that no tool could read is made one.
    let odd = r#"(module (func $"a b\u{e9}\u{e9}c" (export "f")))"#;
    let artifact = Compiler::new(&Config::new()).unwrap().precompile(odd).unwrap();
    let symbols = Artifact::parse(&artifact).unwrap().symbols;
    assert!(symbols.strings.windows(27).any(|bytes| bytes == b"wasm[0]::function[0]::a?b?c"));
}
