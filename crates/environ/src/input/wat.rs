//! The text format: its binary form, and where in the text something of the binary form is.

use crate::error::Error;
use wasmtime_environ::wasmparser::{Encoding, FromReader, FunctionBody, Parser, Payload, SectionLimited};
use wast::Wat;
use wast::component::{ComponentField, ComponentKind, CoreModuleKind, NestedComponentKind};
use wast::core::{Expression, Func, FuncKind, ModuleField, ModuleKind};
use wast::parser::{self, ParseBuffer};
use wast::token::Span;

/// The binary form of a module or component in the text format.
pub(crate) fn to_binary(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let message = "expected WebAssembly, in the binary format, which begins with `\\0asm`, or in the text format, \
                       which is UTF-8";
        Error::invalid(message, Some(error.valid_up_to()))
    })?;
    if bytes.is_empty() {
        return Err(Error::invalid(
            "expected WebAssembly, in the binary or in the text format, but there is nothing",
            None,
        ));
    }
    let encode = || -> Result<Vec<u8>, wast::Error> {
        let buffer = ParseBuffer::new(text)?;
        let mut wat = parser::parse::<Wat<'_>>(&buffer)?;
        wat.encode()
    };
    encode().map_err(|error| placed(Error::invalid(error.message(), None), text, error.span()))
}

fn placed(error: Error, text: &str, span: Span) -> Error {
    let (line, bytes) = span.linecol_in(text);
    let before = text.split('\n').nth(line).and_then(|line| line.get(..bytes)).unwrap_or_default();
    error.at_position(line + 1, before.chars().count() + 1)
}

/// An error in the binary form of a text, at the place in the text where its cause is.
pub(crate) fn locate(error: Error, text: &[u8], binary: &[u8]) -> Error {
    let Ok(text) = std::str::from_utf8(text) else { return error };
    match error.offset().and_then(|offset| span(text, binary, offset)) {
        Some(span) => placed(error, text, span),
        None => error,
    }
}

/// What a byte of a binary form is in. Modules and components go by their numbers, in the order in which they begin.
enum Part<'b> {
    /// The body of a function, by its number among all bodies of its module.
    Body(usize, usize, FunctionBody<'b>),
    /// An entry of a module's section, by its number there.
    Entry(usize, Section, usize),
    /// A field of a component, by its number among all of that one.
    Field(usize, usize),
}

/// The sections whose entries are fields of a module in the text format, one by one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Types,
    Imports,
    Functions,
    Tables,
    Memories,
    Globals,
    Exports,
    Start,
    Elements,
    Data,
    Tags,
}

/// Which part of a binary form a byte is in, and how many core modules and components there are in it.
struct Found<'b> {
    part: Part<'b>,
    modules: usize,
    components: usize,
}

/// Finds the part of a binary form that this byte is in.
fn part(binary: &[u8], offset: usize) -> Option<Found<'_>> {
    let (mut modules, mut bodies, mut components) = (0, 0, 0);
    // Of each component around, its number and how many fields of it there were; nothing of modules.
    let mut around: Vec<Option<(usize, usize)>> = Vec::new();
    let mut found = None;
    for payload in Parser::new(0).parse_all(binary) {
        let of_module = |section, entry: Option<usize>| entry.map(|n| Part::Entry(modules - 1, section, n));
        // The field of the component, if it is one of these; of them there are so many.
        let mut of_component = |entry: Option<usize>, count: usize| {
            let (component, fields) = around.last_mut()?.as_mut()?;
            let part = entry.map(|n| Part::Field(*component, *fields + n));
            *fields += count;
            part
        };
        let part = match payload.ok()? {
            Payload::Version { encoding: Encoding::Module, .. } => {
                modules += 1;
                bodies = 0;
                around.push(None);
                None
            }
            Payload::Version { encoding: Encoding::Component, .. } => {
                around.push(Some((components, 0)));
                components += 1;
                None
            }
            Payload::End(_) => {
                around.pop();
                None
            }
            Payload::CodeSectionEntry(body) => {
                bodies += 1;
                // What is missing is found to be missing behind the end.
                let within = body.range().start <= offset && offset <= body.range().end;
                within.then_some(Part::Body(modules - 1, bodies - 1, body))
            }
            Payload::TypeSection(of) => of_module(Section::Types, entry(&of, offset)),
            Payload::ImportSection(of) => of_module(Section::Imports, entry(&of, offset)),
            Payload::FunctionSection(of) => of_module(Section::Functions, entry(&of, offset)),
            Payload::TableSection(of) => of_module(Section::Tables, entry(&of, offset)),
            Payload::MemorySection(of) => of_module(Section::Memories, entry(&of, offset)),
            Payload::GlobalSection(of) => of_module(Section::Globals, entry(&of, offset)),
            Payload::ExportSection(of) => of_module(Section::Exports, entry(&of, offset)),
            Payload::ElementSection(of) => of_module(Section::Elements, entry(&of, offset)),
            Payload::DataSection(of) => of_module(Section::Data, entry(&of, offset)),
            Payload::TagSection(of) => of_module(Section::Tags, entry(&of, offset)),
            Payload::StartSection { range, .. } => of_module(Section::Start, range.contains(&offset).then_some(0)),
            // What is in them follows.
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => of_component(None, 1),
            Payload::InstanceSection(of) => of_component(entry(&of, offset), of.count() as usize),
            Payload::CoreTypeSection(of) => of_component(entry(&of, offset), of.count() as usize),
            Payload::ComponentInstanceSection(of) => of_component(entry(&of, offset), of.count() as usize),
            Payload::ComponentAliasSection(of) => of_component(entry(&of, offset), of.count() as usize),
            Payload::ComponentTypeSection(of) => of_component(entry(&of, offset), of.count() as usize),
            Payload::ComponentCanonicalSection(of) => of_component(entry(&of, offset), of.count() as usize),
            Payload::ComponentImportSection(of) => of_component(entry(&of, offset), of.count() as usize),
            Payload::ComponentExportSection(of) => of_component(entry(&of, offset), of.count() as usize),
            Payload::ComponentStartSection { range, .. } => of_component(range.contains(&offset).then_some(0), 1),
            _ => None,
        };
        found = found.or(part);
    }
    found.map(|part| Found { part, modules, components })
}

/// The entry of a section that this byte is in.
fn entry<'b, T: FromReader<'b>>(section: &SectionLimited<'b, T>, offset: usize) -> Option<usize> {
    if !section.range().contains(&offset) {
        return None;
    }
    let entries = section.clone().into_iter_with_offsets().map_while(Result::ok);
    Some(entries.take_while(|(at, _)| *at <= offset).count().saturating_sub(1))
}

/// Where in the text that is which is at this byte of the binary form.
fn span(text: &str, binary: &[u8], offset: usize) -> Option<Span> {
    let Found { part, modules, components } = part(binary, offset)?;
    let mut buffer = ParseBuffer::new(text).ok()?;
    buffer.track_instr_spans(true);
    let mut wat = parser::parse::<Wat<'_>>(&buffer).ok()?;
    if !matches!(part, Part::Body(..)) {
        // What stands for several fields becomes those.
        wat.encode().ok()?;
    }
    let mut texts = Texts::default();
    texts.collect(&wat);
    // Otherwise they are not those of the binary form, one by one.
    if (texts.modules.len(), texts.components.len()) != (modules, components) {
        return None;
    }
    match part {
        Part::Body(module, number, body) => {
            let (function, expression) = bodies(texts.modules[module]?).nth(number)?;
            let spans = expression.instr_spans.as_deref().unwrap_or_default();
            // The operator that ends a body is nowhere in the text.
            let of_operator = operator(&body, offset).and_then(|number| spans.get(number).or(spans.last()));
            Some(of_operator.copied().unwrap_or(function.span))
        }
        Part::Entry(module, section, number) => {
            let fields = texts.modules[module]?.iter().filter_map(of_field);
            fields.filter(|(of, _)| *of == section).map(|(_, span)| span).nth(number)
        }
        Part::Field(component, number) => {
            let others = |field: &&ComponentField<'_>| {
                !matches!(field, ComponentField::Custom(_) | ComponentField::Producers(_))
            };
            of_component(texts.components[component].iter().filter(others).nth(number)?)
        }
    }
}

/// The number of the operator of a body that this byte is in.
fn operator(body: &FunctionBody<'_>, offset: usize) -> Option<usize> {
    let mut operators = body.get_operators_reader().ok()?;
    let mut begun: usize = 0;
    while !operators.eof() && operators.original_position() <= offset {
        begun += 1;
        if operators.read().is_err() {
            break;
        }
    }
    begun.checked_sub(1)
}

fn bodies<'t, 'a>(fields: &'t [ModuleField<'a>]) -> impl Iterator<Item = (&'t Func<'a>, &'t Expression<'a>)> {
    fields.iter().filter_map(|field| match field {
        ModuleField::Func(function) => match &function.kind {
            FuncKind::Inline { expression, .. } => Some((function, expression)),
            FuncKind::Import(..) => None,
        },
        _ => None,
    })
}

/// The section that a field is an entry of, and where the field is.
fn of_field(field: &ModuleField<'_>) -> Option<(Section, Span)> {
    Some(match field {
        ModuleField::Type(ty) => (Section::Types, ty.span),
        ModuleField::Rec(group) => (Section::Types, group.span),
        ModuleField::Import(imports) => (Section::Imports, imports.span),
        ModuleField::Func(function) => (Section::Functions, function.span),
        ModuleField::Table(table) => (Section::Tables, table.span),
        ModuleField::Memory(memory) => (Section::Memories, memory.span),
        ModuleField::Global(global) => (Section::Globals, global.span),
        ModuleField::Export(export) => (Section::Exports, export.span),
        ModuleField::Start(function) => (Section::Start, function.span()),
        ModuleField::Elem(segment) => (Section::Elements, segment.span),
        ModuleField::Data(segment) => (Section::Data, segment.span),
        ModuleField::Tag(tag) => (Section::Tags, tag.span),
        ModuleField::Custom(_) => return None,
    })
}

/// Where a field of a component is, if it says so.
fn of_component(field: &ComponentField<'_>) -> Option<Span> {
    Some(match field {
        ComponentField::CoreModule(module) => module.span,
        ComponentField::CoreInstance(instance) => instance.span,
        ComponentField::CoreType(ty) => ty.span,
        ComponentField::CoreRec(group) => group.span,
        ComponentField::Component(component) => component.span,
        ComponentField::Instance(instance) => instance.span,
        ComponentField::Alias(alias) => alias.span,
        ComponentField::Type(ty) => ty.span,
        ComponentField::CanonicalFunc(function) => function.span,
        ComponentField::CoreFunc(function) => function.span,
        ComponentField::Func(function) => function.span,
        ComponentField::Import(import) => import.span,
        ComponentField::Export(export) => export.span,
        ComponentField::Start(_) | ComponentField::Custom(_) | ComponentField::Producers(_) => return None,
    })
}

/// The fields of what is in a text, in the order in which it begins.
#[derive(Default)]
struct Texts<'t, 'a> {
    /// None of a module that is written as its bytes.
    modules: Vec<Option<&'t [ModuleField<'a>]>>,
    components: Vec<&'t [ComponentField<'a>]>,
}

impl<'t, 'a> Texts<'t, 'a> {
    fn collect(&mut self, wat: &'t Wat<'a>) {
        match wat {
            Wat::Module(module) => self.modules.push(match &module.kind {
                ModuleKind::Text(fields) => Some(fields),
                ModuleKind::Binary(_) => None,
            }),
            Wat::Component(component) => {
                if let ComponentKind::Text(fields) = &component.kind {
                    self.of_component(fields);
                }
            }
        }
    }

    fn of_component(&mut self, fields: &'t [ComponentField<'a>]) {
        self.components.push(fields);
        for field in fields {
            match field {
                ComponentField::CoreModule(module) => {
                    if let CoreModuleKind::Inline { fields } = &module.kind {
                        self.modules.push(Some(fields));
                    }
                }
                ComponentField::Component(component) => {
                    if let NestedComponentKind::Inline(fields) = &component.kind {
                        self.of_component(fields);
                    }
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(text: &str, needle: &[u8]) -> Option<(usize, usize)> {
        let binary = to_binary(text.as_bytes()).unwrap();
        let at = binary.windows(needle.len()).position(|bytes| bytes == needle);
        let at = at.unwrap_or_else(|| panic!("no {needle:x?} in {binary:x?}"));
        locate(Error::invalid("", Some(at)), text.as_bytes(), &binary).position()
    }

    #[test]
    fn operators_are_found_in_the_text() {
        let text = "(module\n  (import \"\" \"f\" (func))\n  (func)\n  (func $f (param i32) (result i32)\n    (if (local.get 0)\n      (then (drop (i32.const 0x1234))))\n    i64.const 0x4321\n    unreachable))";
        // `i32.const 0x1234`, `i64.const 0x4321`, and the `unreachable` and `end` behind it.
        assert_eq!(position(text, &[0x41, 0xb4, 0x24]), Some((6, 20)));
        assert_eq!(position(text, &[0x42, 0xa1, 0x86, 0x01]), Some((7, 5)));
        assert_eq!(position(text, &[0x00, 0x0b]), Some((3, 4)), "the empty function");
        assert_eq!(position(text, b"\0asm"), None);
    }

    #[test]
    fn modules_in_components_are_found() {
        let text = "(component\n (core module (func))\n (component (core module\n  (func unreachable\n   (drop (f64.const 7))))))";
        assert_eq!(position(text, &7_f64.to_le_bytes()), Some((5, 11)));
    }

    #[test]
    fn fields_are_found_in_the_text() {
        let text = "(module\n (import \"a\" \"b\" (global i32))\n (type (func))\n (func (export \"x\") (export \"y\"))\n\
                    (memory (data \"0123\"))\n (global i64 (i64.const 0x4321))\n (export \"z\" (func 0))\n\
                    (table funcref (elem 0))\n (rec (type (func (param i64 i64))) (type (array i32)))\n (start 0))";
        assert_eq!(position(text, b"\x01a\x01b"), Some((2, 3)), "an import");
        assert_eq!(position(text, b"\x60\0\0"), Some((3, 3)), "a type");
        assert_eq!(position(text, b"\x01y\0"), Some((4, 3)), "an export of a function");
        assert_eq!(position(text, b"\x00\x41\x00\x0b\x040123"), Some((5, 2)), "a segment of a memory");
        assert_eq!(position(text, &[0x42, 0xa1, 0x86, 0x01]), Some((6, 3)), "a global");
        assert_eq!(position(text, b"\x01z\0"), Some((7, 3)), "an export");
        assert_eq!(position(text, b"\x41\x00\x0b\0\x01\0"), Some((8, 2)), "a segment of a table");
        assert_eq!(position(text, b"\x5e\x7f"), Some((9, 3)), "a group of types");
        let text = "(component\n (core module)\n (core module\n  (memory 7)\n  (export \"e\" (memory 0))))";
        assert_eq!(position(text, b"\x01e\x02"), Some((5, 4)), "a module of a component");
        let text = "(component\n (import \"i\" (func $i))\n (core module $m)\n (component\n  (type (list u8))\n  (type (list f64)))\n\
                    (core instance (instantiate $m))\n (export \"e\" (func $i)))";
        assert_eq!(position(text, b"\x70\x75"), Some((6, 4)), "a type of a component in a component");
        assert_eq!(position(text, b"\x01e\x01"), Some((8, 3)), "an export of a component");
    }

    #[test]
    fn what_cannot_be_read_says_where() {
        let position = |text: &str| to_binary(text.as_bytes()).unwrap_err().position();
        assert_eq!(position("hello"), Some((1, 1)));
        assert_eq!(position("(module\n  (func (local.get $none)))"), Some((2, 20)));
        assert_eq!(position("(module ;; ü\n\t(fünc))"), Some((2, 3)));
        let error = to_binary(b"(module \xff)").unwrap_err();
        assert_eq!((error.position(), error.offset()), (None, Some(8)));
    }
}
