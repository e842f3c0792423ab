//! What an artifact holds, read from its bytes: the text, what lies where in it, and the tables that go with it.
//! Nothing of an artifact is believed. What is not as the formats say is an error, never a panic, and all of it is read
//! in linear time.
//!
//! What a table *says* is not judged here; see `tables`.

mod functions;
mod symbols;
mod tables;
mod unwind;

#[cfg(test)]
mod tests;

pub use functions::{Key, Piece};
pub use symbols::Symbols;
pub use tables::{Addresses, Exceptions, StackMaps};

use std::fmt;
use std::ops::Range;
use wasmtime_environ::obj;
use wasmtime_environ::object::LittleEndian;
use wasmtime_environ::object::elf::{EM_X86_64, ET_REL, FileHeader64, SHF_ALLOC, SHF_EXECINSTR, SHT_PROGBITS};
use wasmtime_environ::object::read::elf::{FileHeader, SectionHeader};

/// The text must be shorter, so that every distance in it fits in 32 bits.
const MAX_TEXT: usize = 1 << 31;

/// What the text is a whole number of, so that nothing else becomes executable with it.
const PAGE: usize = 4096;

/// Why something is no artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(String);

impl Malformed {
    pub(crate) fn new(what: impl Into<String>) -> Malformed {
        Malformed(what.into())
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Malformed {}

/// Fails with `what`, unless `holds`.
fn ensure(holds: bool, what: &str) -> Result<(), Malformed> {
    if holds { Ok(()) } else { Err(Malformed::new(what)) }
}

/// What an artifact is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// A core module.
    Module,
    /// A component, with all of its core modules.
    Component,
}

/// The sections of an artifact, as far as code depends on them.
#[derive(Clone, Debug)]
pub struct Artifact<'a> {
    /// What it is of.
    pub of: Of,
    /// The machine code.
    pub text: &'a [u8],
    /// What the engine compares with itself before it looks at anything else.
    pub engine: &'a [u8],
    /// What it is of, described, with the function table and the types.
    pub info: &'a [u8],
    /// Instructions that may trap, by ascending offset, with the host's number of why.
    pub traps: Vec<(u32, u8)>,
    /// Where exceptions go.
    pub exceptions: Exceptions,
    /// Where references are while a collector runs.
    pub stack_maps: StackMaps,
    /// Which code belongs to which byte of the module, if the artifact says: see [`Addresses::parse`].
    pub addresses: Option<&'a [u8]>,
    /// What unwinders read, if there is anything: in a form that can do no harm.
    pub unwind: Option<&'a [u8]>,
    /// What lies where, by name: places in the text, whatever the names are.
    pub symbols: Symbols<'a>,
}

impl<'a> Artifact<'a> {
    /// Reads an artifact.
    ///
    /// # Errors
    ///
    /// If it is not of the form that the host writes and reads.
    pub fn parse(bytes: &'a [u8]) -> Result<Artifact<'a>, Malformed> {
        let sections = Sections::parse(bytes)?;
        let text = sections.required(".text")?;
        ensure(text.len() < MAX_TEXT, "the text is too long")?;
        ensure(text.len().is_multiple_of(PAGE), "the text is no whole number of pages")?;
        ensure(
            sections.required(obj::ELF_WASM_BTI)? == [0],
            "the section of branch targets is not that of the machine",
        )?;
        let unwind = sections.optional(".eh_frame");
        if let Some(unwind) = unwind {
            ensure(
                unwind.as_ptr() == text.as_ptr_range().end,
                "what unwinders read does not follow the text, and is about other code",
            )?;
            unwind::check(unwind, text.len())?;
        }
        Ok(Artifact {
            of: sections.of,
            text,
            engine: sections.required(obj::ELF_WASM_ENGINE)?,
            info: sections.required(obj::ELF_WASMTIME_INFO)?,
            traps: tables::traps(sections.required(obj::ELF_WASMTIME_TRAPS)?)?,
            exceptions: Exceptions::parse(sections.required(obj::ELF_WASMTIME_EXCEPTIONS)?)?,
            stack_maps: match sections.optional(obj::ELF_WASMTIME_STACK_MAP) {
                Some(section) => StackMaps::parse(section)?,
                None => StackMaps::default(),
            },
            addresses: sections.optional(obj::ELF_WASMTIME_ADDRMAP),
            unwind,
            symbols: Symbols::parse(
                sections.optional(".symtab").unwrap_or_default(),
                sections.optional(".strtab").unwrap_or_default(),
                sections.text,
                text.len(),
            )?,
        })
    }

    /// Where in an artifact a section of this name is.
    #[must_use]
    pub fn section(bytes: &[u8], name: &str) -> Option<Range<usize>> {
        let found = Sections::parse(bytes).ok()?.found;
        found.into_iter().find_map(|(known, range)| (known == name).then_some(range))
    }

    /// What lies where in the text, by ascending offset, from the function table that begins at byte `at` of `info`;
    /// and where in `info` that table ends.
    ///
    /// # Errors
    ///
    /// If it is not of the form that the host writes and reads, or if it names code outside the text.
    pub fn pieces(&self, at: usize) -> Result<(Vec<Piece>, usize), Malformed> {
        let table = self.info.get(at..).ok_or_else(|| Malformed::new("there is no function table"))?;
        let (pieces, rest) = functions::parse(table, self.of, self.text.len() as u32)?;
        Ok((pieces, self.info.len() - rest.len()))
    }
}

/// Sections that an artifact may have, beside those of debug information, which only debuggers read. All others the
/// host refuses, or they are of settings that are refused here: guest debugging.
const KNOWN: [&str; 15] = [
    "",
    ".text",
    ".shstrtab",
    ".symtab",
    ".strtab",
    ".eh_frame",
    obj::ELF_WASM_BTI,
    obj::ELF_WASM_ENGINE,
    obj::ELF_WASM_DATA,
    obj::ELF_WASMTIME_INFO,
    obj::ELF_WASMTIME_TRAPS,
    obj::ELF_WASMTIME_EXCEPTIONS,
    obj::ELF_WASMTIME_STACK_MAP,
    obj::ELF_WASMTIME_ADDRMAP,
    obj::ELF_NAME_DATA,
];

/// The contents of named sections, each at most once.
struct Sections<'a> {
    of: Of,
    bytes: &'a [u8],
    /// The number of the text's header.
    text: u16,
    found: Vec<(&'static str, Range<usize>)>,
}

impl<'a> Sections<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Sections<'a>, Malformed> {
        let elf = |error: wasmtime_environ::object::Error| Malformed::new(format!("no ELF file: {error}"));
        let header = FileHeader64::<LittleEndian>::parse(bytes).map_err(elf)?;
        let endian = header.endian().map_err(elf)?;
        ensure(header.e_machine(endian) == EM_X86_64, "it is for another machine")?;
        ensure(header.e_type(endian) == ET_REL, "it is an executable or a library")?;
        ensure(header.e_ident().os_abi == obj::ELFOSABI_WASMTIME, "it is not for Wasmtime")?;
        let of = match header.e_flags(endian) {
            obj::EF_WASMTIME_MODULE => Of::Module,
            obj::EF_WASMTIME_COMPONENT => Of::Component,
            _ => return Err(Malformed::new("it is neither of a module nor of a component")),
        };
        let table = header.sections(endian, bytes).map_err(elf)?;
        let mut found: Vec<(&'static str, Range<usize>)> = Vec::with_capacity(KNOWN.len());
        let mut text = 0;
        for (number, section) in table.enumerate() {
            let name = table.section_name(endian, section).map_err(elf)?;
            if name.starts_with(b".debug_") || name.starts_with(b".rela.debug_") {
                continue;
            }
            let dwarf = obj::ELF_WASMTIME_DWARF;
            let known = KNOWN.into_iter().chain([dwarf]).find(|known| known.as_bytes() == name);
            let Some(known) = known else {
                return Err(Malformed::new(format!(
                    "unknown section `{}`",
                    String::from_utf8_lossy(name).escape_debug()
                )));
            };
            if known == ".text" {
                text = number.0 as u16;
                let flags = section.sh_flags(endian);
                ensure(section.sh_type(endian) == SHT_PROGBITS, "the text is no program")?;
                let code = u64::from(SHF_ALLOC | SHF_EXECINSTR);
                // Where there is no code, none of it is executed.
                let none = code | obj::SH_WASMTIME_NOT_EXECUTED;
                let empty = section.sh_size(endian) == 0;
                ensure(flags == if empty { none } else { code }, "the text's flags are not those of a text")?;
            }
            let Some((at, len)) = section.file_range(endian) else { continue };
            let place = usize::try_from(at).ok().zip(usize::try_from(len).ok());
            let range =
                place.and_then(|(at, len)| Some(at..at.checked_add(len)?)).filter(|range| range.end <= bytes.len());
            let range = range.ok_or_else(|| Malformed::new(format!("section `{known}` is not in the file")))?;
            ensure(!found.iter().any(|(other, _)| *other == known), "two sections have the same name")?;
            found.push((known, range));
        }
        Ok(Sections { of, bytes, text, found })
    }

    fn optional(&self, name: &str) -> Option<&'a [u8]> {
        let (_, range) = self.found.iter().find(|(known, _)| *known == name)?;
        Some(&self.bytes[range.clone()])
    }

    fn required(&self, name: &str) -> Result<&'a [u8], Malformed> {
        self.optional(name).ok_or_else(|| Malformed::new(format!("section `{name}` is missing")))
    }
}

/// Reads numbers off the front of bytes.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, Malformed> {
        let (byte, rest) = self.0.split_first().ok_or_else(|| Malformed::new("a table ends too early"))?;
        self.0 = rest;
        Ok(*byte)
    }

    fn word(&mut self) -> Result<u32, Malformed> {
        let (word, rest) = self.0.split_first_chunk().ok_or_else(|| Malformed::new("a table ends too early"))?;
        self.0 = rest;
        Ok(u32::from_le_bytes(*word))
    }

    /// So many words; as many as it says must be there, so that nothing is reserved in vain.
    fn words(&mut self, count: usize) -> Result<Vec<u32>, Malformed> {
        let split = count.checked_mul(4).and_then(|bytes| self.0.split_at_checked(bytes));
        let (words, rest) = split.ok_or_else(|| Malformed::new("a table ends too early"))?;
        self.0 = rest;
        Ok(words.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)).collect())
    }

    /// Unsigned LEB128, of the shortest form, below 2³⁶.
    fn unsigned(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                ensure(byte != 0 || shift == 0, "a number is longer than it need be")?;
                return Ok(value);
            }
        }
        Err(Malformed::new("a number is too long"))
    }

    /// Signed LEB128, of less than 2³⁵ either way.
    fn signed(&mut self) -> Result<i64, Malformed> {
        let mut value = 0;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            value |= i64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                let unused = 64 - (shift + 7);
                return Ok(value << unused >> unused);
            }
        }
        Err(Malformed::new("a number is too long"))
    }
}
