//! The text format: its binary form, and where in the text something of the binary form is.

use crate::error::Error;
use wasmtime_environ::wasmparser::{Parser, Payload};
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

/// An error in the binary form of a text, at the place in the text where its cause is, if that is in a function body.
pub(crate) fn locate(error: Error, text: &[u8], binary: &[u8]) -> Error {
    let Ok(text) = std::str::from_utf8(text) else { return error };
    match error.offset().and_then(|offset| span(text, binary, offset)) {
        Some(span) => placed(error, text, span),
        None => error,
    }
}

/// Where in the text that is which is at this byte of a function body of the binary form.
fn span(text: &str, binary: &[u8], offset: usize) -> Option<Span> {
    let mut body = None;
    let mut bodies = 0;
    for payload in Parser::new(0).parse_all(binary) {
        if let Payload::CodeSectionEntry(entry) = payload.ok()? {
            // What is missing is found to be missing behind the end.
            if entry.range().start <= offset && offset <= entry.range().end {
                body.get_or_insert((bodies, entry));
            }
            bodies += 1;
        }
    }
    let (number, body) = body?;
    let mut operators = body.get_operators_reader().ok()?;
    let mut operator = None;
    while !operators.eof() && operators.original_position() <= offset {
        operator = Some(operator.map_or(0, |number: usize| number + 1));
        if operators.read().is_err() {
            break;
        }
    }

    let mut buffer = ParseBuffer::new(text).ok()?;
    buffer.track_instr_spans(true);
    let wat = parser::parse::<Wat<'_>>(&buffer).ok()?;
    let mut functions = Vec::new();
    collect(&wat, &mut functions);
    // Otherwise they are not those of the binary form, one by one.
    let (function, expression) = functions.get(number).filter(|_| functions.len() == bodies)?;
    let spans = expression.instr_spans.as_deref().unwrap_or_default();
    // The operator that ends a body is nowhere in the text.
    let of_operator = operator.and_then(|number| spans.get(number).or(spans.last()));
    Some(of_operator.copied().unwrap_or(function.span))
}

/// The functions with a body of the modules in a text, in order.
fn collect<'t, 'a>(wat: &'t Wat<'a>, functions: &mut Vec<(&'t Func<'a>, &'t Expression<'a>)>) {
    match wat {
        Wat::Module(module) => {
            if let ModuleKind::Text(fields) = &module.kind {
                of_module(fields, functions);
            }
        }
        Wat::Component(component) => {
            if let ComponentKind::Text(fields) = &component.kind {
                of_component(fields, functions);
            }
        }
    }
}

fn of_module<'t, 'a>(fields: &'t [ModuleField<'a>], functions: &mut Vec<(&'t Func<'a>, &'t Expression<'a>)>) {
    for field in fields {
        if let ModuleField::Func(function) = field
            && let FuncKind::Inline { expression, .. } = &function.kind
        {
            functions.push((function, expression));
        }
    }
}

fn of_component<'t, 'a>(fields: &'t [ComponentField<'a>], functions: &mut Vec<(&'t Func<'a>, &'t Expression<'a>)>) {
    for field in fields {
        match field {
            ComponentField::CoreModule(module) => {
                if let CoreModuleKind::Inline { fields } = &module.kind {
                    of_module(fields, functions);
                }
            }
            ComponentField::Component(component) => {
                if let NestedComponentKind::Inline(fields) = &component.kind {
                    of_component(fields, functions);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(text: &str, needle: &[u8]) -> Option<(usize, usize)> {
        let binary = to_binary(text.as_bytes()).unwrap();
        let at = binary.windows(needle.len()).position(|bytes| bytes == needle).unwrap();
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
    fn what_cannot_be_read_says_where() {
        let position = |text: &str| to_binary(text.as_bytes()).unwrap_err().position();
        assert_eq!(position("hello"), Some((1, 1)));
        assert_eq!(position("(module\n  (func (local.get $none)))"), Some((2, 20)));
        assert_eq!(position("(module ;; ü\n\t(fünc))"), Some((2, 3)));
        let error = to_binary(b"(module \xff)").unwrap_err();
        assert_eq!((error.position(), error.offset()), (None, Some(8)));
    }
}
