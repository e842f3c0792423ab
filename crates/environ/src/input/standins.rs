//! Stand-ins for sections, so that Wasmtime's translation of a module does not need to see what is compiled or put in
//! place without it.

use crate::input::data;
use crate::settings::Settings;
use std::ops::Range;
use wasmtime_environ::wasmparser::{BinaryReader, Chunk, Parser, Payload};

/// More than any valid module has. What says how many there are has not been validated when the stand-ins are made, so
/// a few bytes may claim billions; with as many as this the translation complains just as well.
const TOO_MANY_FUNCTIONS: u32 = 1_000_001;
/// See `TOO_MANY_FUNCTIONS`.
const TOO_MANY_SEGMENTS: u32 = 100_001;

/// Appends a code section of so many bodies of no bytes: never read, as each is compiled from its real bytes.
pub(crate) fn code(wasm: &mut Vec<u8>, functions: u32) {
    section(wasm, 10, functions.min(TOO_MANY_FUNCTIONS), &[0]);
}

/// Appends a data section of so many passive segments of no bytes.
pub(crate) fn data(wasm: &mut Vec<u8>, segments: u32) {
    section(wasm, data::SECTION, segments.min(TOO_MANY_SEGMENTS), &[1, 0]);
}

/// Appends a section of `count` equal entries.
fn section(wasm: &mut Vec<u8>, id: u8, count: u32, entry: &[u8]) {
    let number = leb128(count);
    let size = number.len() + count as usize * entry.len();
    wasm.push(id);
    wasm.extend(leb128(u32::try_from(size).expect("a section of stand-ins is short")));
    wasm.extend(number);
    for _ in 0..count {
        wasm.extend_from_slice(entry);
    }
}

pub(crate) fn leb128(mut value: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// Does nothing of a custom section count but its name?
pub(crate) fn is_unread(settings: &Settings, name: &str) -> bool {
    let debug_info = settings.tunables.debug_native || settings.tunables.parse_wasm_debuginfo;
    !debug_info && name.starts_with(".debug_")
}

/// Appends a custom section of no content.
pub(crate) fn custom(wasm: &mut Vec<u8>, name: &str) {
    let length = leb128(name.len() as u32);
    wasm.push(0);
    wasm.extend(leb128((length.len() + name.len()) as u32));
    wasm.extend(length);
    wasm.extend(name.as_bytes());
}

/// A module with stand-ins for its code and its data.
pub(crate) struct Condensed {
    pub(crate) bytes: Vec<u8>,
    /// Byte offset in the module of the code section's content.
    pub(crate) code: usize,
    /// Where in the module the data section is, from its number on.
    pub(crate) data: Range<usize>,
}

/// Puts stand-ins into a module whose data section is worth it. None for all others, such as invalid ones.
pub(crate) fn condense(settings: &Settings, wasm: &[u8]) -> Option<Condensed> {
    let mut sections = BinaryReader::new(wasm, 0);
    sections.read_bytes(8).ok()?;
    loop {
        let number = sections.read_u8().ok()?;
        let bytes = sections.read_var_u32().ok()? as usize;
        sections.read_bytes(bytes).ok()?;
        if number == data::SECTION {
            if bytes < data::WORTH {
                return None;
            }
            break;
        }
    }
    let mut parser = Parser::new(0);
    parser.set_features(settings.features);
    let (mut bytes, mut code, mut data) = (Vec::new(), None, None);
    let mut here = 0;
    loop {
        let Chunk::Parsed { consumed, payload } = parser.parse(&wasm[here..], true).ok()? else { return None };
        let section = here..here + consumed;
        here = section.end;
        match payload {
            Payload::CodeSectionStart { count, range, .. } => {
                code = Some(range.start);
                self::code(&mut bytes, count);
            }
            Payload::CodeSectionEntry(_) => {}
            Payload::DataSection(reader) if code.is_some() => {
                self::data(&mut bytes, reader.count());
                data = Some(section);
            }
            Payload::CustomSection(section) if is_unread(settings, section.name()) => {
                custom(&mut bytes, section.name())
            }
            Payload::End(_) => {
                // What is behind the end would be an error.
                return (here == wasm.len()).then_some(Condensed { bytes, code: code?, data: data? });
            }
            _ => bytes.extend_from_slice(&wasm[section]),
        }
    }
}
