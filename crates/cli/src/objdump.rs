//! `lightbeam objdump`: each wasm operator with the machine code that it gave, from the address map.

use crate::caret::pointed;
use crate::{flags, input, show};
use iced_x86::{Decoder, DecoderOptions, Formatter, Instruction, IntelFormatter, Mnemonic};
use lightbeam::{AddressMap, ArtifactOrigin, Compiler};
use lightbeam_verify::artifact::{Artifact, Key};
use lightbeam_verify::layout::Description;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use wasmparser::{Encoding, ExternalKind, IndirectNameMap, KnownCustom, Name, NameMap, Parser, Payload};
use wasmtime::component::Component;
use wasmtime::error::Context as _;
use wasmtime::{Engine, Module, ModuleFunction, Precompiled, Result, bail};
use wasmtime_cli::commands::RunCommand;
use wasmtime_cli_flags::CommonOptions;

/// Bytes of a name with which the text of a module, where it stands at each use, is still no larger than it should be.
const LONG_NAME: usize = 1000;

/// Shows each function as wasm operators with the machine code each gave.
///
/// Code stands under the operator that it was made for, in the order of the operators, so code out of line, such as
/// the slow end of a check, stands here beside its cause; the offsets say where it is. An operator with nothing under
/// it has been absorbed by a later one, or needed no code.
///
/// Of a component this is so for each of its core modules. Behind them come the modules that were made for adapters,
/// whose operators are nowhere to be read, and the trampolines by which modules call what is not of any module.
#[derive(clap::Parser)]
pub struct ObjdumpCommand {
    #[command(flatten)]
    common: CommonOptions,

    #[command(flatten)]
    compiling: flags::Compiling,

    /// Show only this function, by its name, the name of its export or its index; may be given several times. Of a
    /// component also as `wasm[0]::function[1]`, or `trampoline[2]`.
    #[arg(long = "func", value_name = "NAME|INDEX")]
    functions: Vec<String>,

    /// A module or component, binary or text, or a compiled one; of the latter there is only the machine code to show.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl ObjdumpCommand {
    /// Executes the command.
    pub fn execute(mut self) -> Result<ExitCode> {
        self.common.init_logging()?;
        flags::refuse_meaningless(&mut self.common)?;
        let chosen = self.compiling.choose(&mut self.common);
        self.common.debug.address_map = Some(true);
        let engine = Engine::new(&self.common.config(None)?)?;

        let bytes = input::read(&self.file)?;
        let (program, lines) = if input::is_artifact(&bytes) {
            (Program::load(&engine, &self.file, bytes)?, Lines::default())
        } else {
            let explain = || format!("failed to compile `{}`", self.file.display());
            let wasm = input::binary(&self.file, bytes.clone()).with_context(explain)?;
            let compiler = chosen.compiler(&engine)?.address_map(AddressMap::Operators);
            let compiled = Program::compile(&compiler, &self.file, &bytes, input::is_component(&wasm));
            let compiled = compiled.map_err(|error| pointed(error, &self.file, &bytes)).with_context(explain);
            (compiled?, Lines::of(&wasm)?)
        };
        let code = program.code();
        let mut out = io::BufWriter::new(io::stdout().lock());
        match dump(&code, &lines, &self.functions, &mut out).and_then(|shown| out.flush().map(|()| shown)) {
            Ok(0) if !self.functions.is_empty() => bail!("no such function: {}", self.functions.join(", ")),
            // Whoever reads this may have seen enough.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("failed to write"),
            _ => Ok(ExitCode::SUCCESS),
        }
    }
}

/// What is to be looked at. Nothing of it is run.
enum Program {
    Module(Module),
    /// With its artifact.
    Component(Component, Vec<u8>),
}

impl Program {
    /// Compiles what may be text.
    fn compile(compiler: &Compiler, path: &Path, bytes: &[u8], is_component: bool) -> Result<Program> {
        if is_component {
            input::ensure_components(compiler)?;
            return Program::load(compiler.engine(), path, compiler.precompile_component(bytes)?);
        }
        compiler.module(bytes).map(Program::Module)
    }

    /// Loads an artifact. What it claims of itself is believed.
    fn load(engine: &Engine, path: &Path, artifact: Vec<u8>) -> Result<Program> {
        ArtifactOrigin::check(&artifact).with_context(|| format!("failed to load `{}`", path.display()))?;
        let of = Engine::detect_precompiled(&artifact);
        if of.is_none() {
            bail!("`{}` is neither a compiled module nor a compiled component", path.display());
        }
        let command = <RunCommand as clap::Parser>::try_parse_from(["objdump", "--allow-precompiled", "-"])?;
        let target = command.run.load_module(engine, path, Some(&artifact))?;
        Ok(match of {
            Some(Precompiled::Component) => Program::Component(target.unwrap_component().clone(), artifact),
            _ => Program::Module(target.unwrap_core().clone()),
        })
    }

    fn code(&self) -> Code<'_> {
        match self {
            Program::Module(module) => Code {
                text: module.text(),
                functions: module.functions().collect(),
                map: address_map(module.text().len(), module.address_map()),
                trampolines: None,
            },
            Program::Component(component, artifact) => Code {
                text: component.text(),
                functions: component.functions().collect(),
                map: address_map(component.text().len(), component.address_map()),
                trampolines: Some(trampolines(artifact)),
            },
        }
    }
}

/// The code of a program.
struct Code<'a> {
    text: &'a [u8],
    functions: Vec<ModuleFunction>,
    map: Vec<Span>,
    /// Of a component, its own functions.
    trampolines: Option<Vec<(String, Range<usize>)>>,
}

/// The component's own functions, by the function table of an artifact. Other compilers' artifacts may have tables that
/// cannot be read here.
fn trampolines(artifact: &[u8]) -> Vec<(String, Range<usize>)> {
    let read = || {
        let artifact = Artifact::parse(artifact).ok()?;
        let table = Description::parse(&artifact).ok()?.function_table();
        artifact.pieces(table).ok().map(|(pieces, _)| pieces)
    };
    let named = read().unwrap_or_default().into_iter().filter_map(|piece| {
        let name = match piece.key {
            Key::Trampoline(index) => format!("trampoline[{index}]"),
            Key::TrampolineEntry(index) => format!("trampoline[{index}] for the host"),
            Key::Intrinsic(index) => format!("intrinsic[{index}]"),
            Key::IntrinsicEntry(index) => format!("intrinsic[{index}] for the host"),
            Key::DropExit => "drop of a resource".to_string(),
            _ => return None,
        };
        Some((name, piece.start as usize..piece.end as usize))
    });
    named.collect()
}

/// The program's text: what stands at which offset of the binary.
#[derive(Default)]
struct Lines {
    operators: BTreeMap<usize, String>,
    /// The core modules in the binary: a module has itself.
    modules: Vec<ModuleLines>,
}

/// What of a core module is where in the binary.
#[derive(Default)]
struct ModuleLines {
    /// Where each defined function's body is.
    bodies: Vec<Range<usize>>,
    /// Functions that are exported, by name and index.
    exports: Vec<(String, u32)>,
}

impl Lines {
    fn of(wasm: &[u8]) -> Result<Lines> {
        let mut lines = Lines::default();
        for payload in Parser::new(0).parse_all(wasm) {
            let payload = payload.map_err(wasmtime::Error::new)?;
            match (&payload, lines.modules.last_mut()) {
                (Payload::Version { encoding: Encoding::Module, .. }, _) => lines.modules.push(ModuleLines::default()),
                (Payload::CodeSectionEntry(body), Some(module)) => module.bodies.push(body.range()),
                (Payload::ExportSection(exports), Some(module)) => {
                    let exports = exports.clone().into_iter().flatten();
                    let functions = exports.filter(|export| export.kind == ExternalKind::Func);
                    module.exports.extend(functions.map(|export| (export.name.to_string(), export.index)));
                }
                _ => {}
            }
        }
        let mut text = String::new();
        let printed = wasmprinter::Config::new()
            .offsets_and_lines(&without_long_names(wasm), &mut text)
            .map_err(|error| wasmtime::format_err!("failed to print the module: {error:#}"))?;
        for (offset, line) in printed {
            if let Some(offset) = offset {
                lines.operators.insert(offset, line.trim_end().to_string());
            }
        }
        Ok(lines)
    }
}

/// A program whose names are all of a length that can be printed at each use: modules of which they are not have none,
/// and neither have parts of components, of which nothing is shown.
fn without_long_names(wasm: &[u8]) -> Cow<'_, [u8]> {
    let mut wasm = Cow::Borrowed(wasm);
    for payload in Parser::new(0).parse_all(&wasm.clone()).map_while(Result::ok) {
        let Payload::CustomSection(section) = payload else { continue };
        let is_hidden = match section.as_known() {
            KnownCustom::Name(mut names) => names.by_ref().map_while(Result::ok).any(|names| has_long(&names)),
            KnownCustom::ComponentName(_) => true,
            _ => false,
        };
        if is_hidden {
            // A section of another name, for nobody.
            let name = section.data_offset() - 1;
            wasm.to_mut()[name] = b'_';
        }
    }
    wasm
}

fn has_long(names: &Name<'_>) -> bool {
    let long = |name: &str| name.len() > LONG_NAME;
    let map = |map: &NameMap<'_>| map.clone().into_iter().map_while(Result::ok).any(|naming| long(naming.name));
    let maps =
        |maps: &IndirectNameMap<'_>| maps.clone().into_iter().map_while(Result::ok).any(|naming| map(&naming.names));
    match names {
        Name::Module { name, .. } => long(name),
        Name::Function(names) | Name::Type(names) | Name::Table(names) | Name::Memory(names) => map(names),
        Name::Global(names) | Name::Element(names) | Name::Data(names) | Name::Tag(names) => map(names),
        Name::Local(names) | Name::Label(names) | Name::Field(names) => maps(names),
        Name::Unknown { .. } => false,
    }
}

/// A stretch of code made for the operator at an offset of the module, or for none in particular.
type Span = (Option<u32>, Range<usize>);

/// Prints the functions wanted, all of them if none is named, and says how many they were.
fn dump(code: &Code<'_>, lines: &Lines, wanted: &[String], out: &mut impl io::Write) -> io::Result<usize> {
    let mut shown = 0;
    let (mut module_index, mut defined) = (0, 0);
    for function in &code.functions {
        if function.module.as_u32() != module_index {
            (module_index, defined) = (function.module.as_u32(), 0);
        }
        let module = lines.modules.get(module_index as usize);
        let body = module.and_then(|module| module.bodies.get(defined));
        defined += 1;
        let (index, place) = (function.index.as_u32(), place(code, function));
        let is_wanted = |wanted: &String| {
            let is_exported = |(name, exported): &(String, u32)| name == wanted && *exported == index;
            *wanted == index.to_string()
                || *wanted == place
                || Some(wanted) == function.name.as_ref()
                || module.is_some_and(|module| module.exports.iter().any(is_exported))
        };
        if !wanted.is_empty() && !wanted.iter().any(is_wanted) {
            continue;
        }
        shown += 1;
        let end = code_end(code.text, function.offset..function.offset + function.len);
        let spans = spans_within(&code.map, function.offset..end);
        let mut heading = place;
        if let Some(name) = &function.name {
            let _ = write!(heading, " ${}", show::name(name));
        }
        if !lines.modules.is_empty() && module.is_none() {
            heading.push_str(" of adapters");
        }
        writeln!(out, "{heading}, {} bytes at {:#x}", function.len, function.offset)?;
        match body {
            Some(body) => dump_operators(code.text, lines, body, &spans, out)?,
            None => {
                for (file_offset, span) in &spans {
                    match file_offset {
                        Some(offset) => writeln!(out, "  at {offset:#x}")?,
                        None => writeln!(out, "  at no operator")?,
                    }
                    write_code(code.text, span, out)?;
                }
            }
        }
        writeln!(out)?;
    }
    for (name, range) in code.trampolines.iter().flatten() {
        if wanted.is_empty() || wanted.contains(name) {
            shown += 1;
            writeln!(out, "{name}, {} bytes at {:#x}", range.len(), range.start)?;
            write_code(code.text, range, out)?;
            writeln!(out)?;
        }
    }
    Ok(shown)
}

/// What a function is called by where it is.
fn place(code: &Code<'_>, function: &ModuleFunction) -> String {
    let index = function.index.as_u32();
    match code.trampolines {
        Some(_) => format!("wasm[{}]::function[{index}]", function.module.as_u32()),
        None => format!("function {index}"),
    }
}

fn dump_operators(
    text: &[u8],
    lines: &Lines,
    body: &Range<usize>,
    spans: &[Span],
    out: &mut impl io::Write,
) -> io::Result<()> {
    let mut by_operator: BTreeMap<usize, Vec<&Range<usize>>> = BTreeMap::new();
    let mut entry = Vec::new();
    for (offset, code) in spans {
        match offset.map(|offset| offset as usize).filter(|offset| lines.operators.contains_key(offset)) {
            Some(offset) if body.contains(&offset) => by_operator.entry(offset).or_default().push(code),
            _ => entry.push(code),
        }
    }
    for code in entry {
        write_code(text, code, out)?;
    }
    for (offset, line) in lines.operators.range(body.clone()) {
        writeln!(out, "{offset:#8x}  {}", show::line(line.trim_start_matches("  ")))?;
        for code in by_operator.get(offset).into_iter().flatten() {
            write_code(text, code, out)?;
        }
    }
    Ok(())
}

fn write_code(text: &[u8], code: &Range<usize>, out: &mut impl io::Write) -> io::Result<()> {
    let mut formatter = IntelFormatter::new();
    let options = formatter.options_mut();
    options.set_hex_prefix("0x");
    options.set_hex_suffix("");
    options.set_branch_leading_zeros(false);
    options.set_rip_relative_addresses(true);
    options.set_space_after_operand_separator(true);
    options.set_uppercase_hex(false);
    let mut decoder = Decoder::with_ip(64, &text[code.clone()], code.start as u64, DecoderOptions::NONE);
    let mut instruction = Instruction::default();
    let mut line = String::new();
    while decoder.can_decode() {
        decoder.decode_out(&mut instruction);
        line.clear();
        formatter.format(&instruction, &mut line);
        writeln!(out, "            {:6x}:  {line}", instruction.ip())?;
    }
    Ok(())
}

/// Where a function's code ends and its constants begin: at the first that an instruction refers to. Tables of
/// branches, which `lea` refers to, stand within the code.
fn code_end(text: &[u8], function: Range<usize>) -> usize {
    let mut end = function.end;
    let mut decoder = Decoder::with_ip(64, &text[function.clone()], function.start as u64, DecoderOptions::NONE);
    let mut instruction = Instruction::default();
    while decoder.can_decode() && (decoder.ip() as usize) < end {
        decoder.decode_out(&mut instruction);
        let at = instruction.ip_rel_memory_address() as usize;
        let refers = instruction.is_ip_rel_memory_operand() && instruction.mnemonic() != Mnemonic::Lea;
        if refers && at.is_multiple_of(16) && (decoder.ip() as usize..end).contains(&at) {
            end = at;
        }
    }
    end
}

/// The address map of a text of so many bytes as the stretch of code that each entry is for, in the order of the code.
fn address_map(end: usize, map: Option<impl Iterator<Item = (usize, Option<u32>)>>) -> Vec<Span> {
    let mut entries: Vec<(usize, Option<u32>)> = map.map(Iterator::collect).unwrap_or_default();
    entries.sort_by_key(|&(code, _)| code);
    let ends = entries.iter().skip(1).map(|&(code, _)| code).chain([end]);
    entries.iter().zip(ends).map(|(&(start, offset), end)| (offset, start..end)).collect()
}

/// What of the map is within a function, with the gaps filled in, neighbours for the same operator joined.
fn spans_within(map: &[Span], function: Range<usize>) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut push = |offset: Option<u32>, code: Range<usize>| {
        if code.is_empty() {
            return;
        }
        match spans.last_mut() {
            Some((last, range)) if *last == offset => range.end = code.end,
            _ => spans.push((offset, code)),
        }
    };
    let mut at = function.start;
    let first = map.partition_point(|(_, code)| code.end <= function.start);
    for (offset, code) in &map[first..] {
        let (start, end) = (code.start.max(function.start), code.end.min(function.end));
        if start >= function.end {
            break;
        }
        push(None, at..start);
        push(*offset, start..end);
        at = end;
    }
    push(None, at..function.end);
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_cover_a_function_without_gap_or_overlap() {
        let map = [(Some(1), 0..4), (Some(2), 4..8), (Some(2), 8..10), (None, 10..12), (Some(3), 12..40)];
        assert_eq!(spans_within(&map, 2..20), [(Some(1), 2..4), (Some(2), 4..10), (None, 10..12), (Some(3), 12..20)]);
        assert_eq!(spans_within(&[], 2..20), [(None, 2..20)]);
        assert_eq!(spans_within(&[(Some(1), 6..8)], 2..20), [(None, 2..6), (Some(1), 6..8), (None, 8..20)]);
    }

    #[test]
    fn operators_stand_above_their_code() {
        let wasm =
            wat::parse_str(r#"(module (func $add (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))"#);
        let wasm = wasm.unwrap();
        let compiler = Compiler::new(&wasmtime::Config::new()).unwrap().address_map(AddressMap::Operators);
        let program = Program::compile(&compiler, Path::new("add.wat"), &wasm, false).unwrap();
        let (code, lines) = (program.code(), Lines::of(&wasm).unwrap());

        let mut all = Vec::new();
        assert_eq!(dump(&code, &lines, &[], &mut all).unwrap(), 1);
        let all = String::from_utf8(all).unwrap();
        assert!(all.starts_with("function 0 $add, "), "{all}");
        let operator = all.find("i32.add").expect("the operator is shown");
        assert!(all.contains("ret"), "{all}");
        assert!(all[operator..].contains(":  "), "nothing under the operator:\n{all}");

        for (wanted, count) in [("0", 1), ("add", 1), ("1", 0), ("sub", 0)] {
            assert_eq!(dump(&code, &lines, &[wanted.to_string()], &mut Vec::new()).unwrap(), count, "{wanted}");
        }
    }
}
