//! An ELF file of sections and nothing else, byte for byte as the `object` crate writes it. That one knows all formats,
//! and asks for each section whether it is one of those with a standard meaning: of the time from the bytes of a module
//! of one function to its first call it took a seventh.

use crate::output::symbols::Symbols;
use crate::target::{MACHINE, PAGE};
use std::mem::size_of;
use wasmtime_environ::obj::ELFOSABI_WASMTIME;
use wasmtime_environ::object::elf::{
    ELFCLASS64, ELFDATA2LSB, ELFMAG, ET_REL, EV_CURRENT, FileHeader64, Ident, R_X86_64_64, Rela64, SHF_ALLOC,
    SHF_EXECINSTR, SHF_INFO_LINK, SHT_PROGBITS, SHT_RELA, SHT_STRTAB, SHT_SYMTAB, STB_LOCAL, STT_FUNC, SectionHeader64,
    Sym64,
};
use wasmtime_environ::object::pod::bytes_of;
use wasmtime_environ::object::{I64, LittleEndian as LE, U16, U32, U64};

pub(crate) type Header = FileHeader64<LE>;
pub(crate) type Section = SectionHeader64<LE>;
type Symbol = Sym64<LE>;

/// What a section is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What is read where it is in the file. It has no place in memory of its own: gdb warns of each that has one and
    /// is outside of what it takes for the loaded part.
    Plain,
    Code,
    /// What waits in the section with this number for the address of the code.
    Relocations(u32),
}

/// Names of sections that say what waits in others.
const RELOCATIONS: [&str; 7] = [
    ".rela.debug_info",
    ".rela.debug_line",
    ".rela.debug_frame",
    ".rela.debug_loc",
    ".rela.debug_loclists",
    ".rela.debug_ranges",
    ".rela.debug_rnglists",
];

/// An ELF file under construction.
pub(crate) struct Elf {
    flags: u32,
    /// In the order of their headers, of which the first stands for no section.
    sections: Vec<(&'static str, Kind, Vec<u8>)>,
    /// What lies where in the section of code, if that is said.
    pub(crate) symbols: Option<Symbols>,
}

impl Elf {
    pub(crate) fn new(flags: u32) -> Elf {
        // As many as an artifact can have.
        Elf { flags, sections: Vec::with_capacity(13), symbols: None }
    }

    /// Adds a section and returns the number of its header.
    pub(crate) fn section(&mut self, name: &'static str, kind: Kind, bytes: Vec<u8>) -> usize {
        self.sections.push((name, kind, bytes));
        self.sections.len()
    }

    /// Adds sections for debuggers, each with what waits in it for the address of the code.
    pub(crate) fn debug(&mut self, sections: impl Iterator<Item = lightbeam_debug::Section>) {
        // They are relative to a symbol, and all symbols are places of the text.
        let symbol = self.symbols.as_ref().and_then(|symbols| symbols.entries.first());
        let Some([_, base, _]) = symbol.copied() else { return };
        for lightbeam_debug::Section { name, bytes, relocations } in sections {
            let of = self.section(name, Kind::Plain, bytes) as u32;
            let mut table = Vec::with_capacity(relocations.len() * size_of::<Rela64<LE>>());
            for lightbeam_debug::Relocation { at, addend } in relocations {
                table.extend_from_slice(bytes_of(&Rela64 {
                    r_offset: U64::new(LE, at),
                    r_info: U64::new(LE, 1 << 32 | u64::from(R_X86_64_64)),
                    r_addend: I64::new(LE, addend - i64::from(base)),
                }));
            }
            if let Some(name) = RELOCATIONS.into_iter().find(|of| of.strip_prefix(".rela") == Some(name))
                && !table.is_empty()
            {
                self.section(name, Kind::Relocations(of), table);
            } else {
                debug_assert!(table.is_empty(), "{name} has places of the text");
            }
        }
    }

    /// The bytes of the section of this name, which is added if there is none.
    pub(crate) fn named(&mut self, name: &'static str, kind: Kind) -> &mut Vec<u8> {
        let at = self.sections.iter().position(|section| section.0 == name);
        let at = at.unwrap_or_else(|| self.section(name, kind, Vec::new()) - 1);
        &mut self.sections[at].2
    }

    /// The file, with room to fill up its last page.
    pub(crate) fn finish(self) -> Vec<u8> {
        let names = self.sections.iter().map(|(name, ..)| *name).chain([".symtab", ".strtab", ".shstrtab"]);
        let names = Names::new(names.collect());
        let headers = names.offsets.len() + 1;

        let place = |at: usize, kind: Kind| match kind {
            Kind::Relocations(_) => at.next_multiple_of(8),
            _ => at,
        };
        let end = self.sections.iter().fold(size_of::<Header>(), |at, (_, kind, bytes)| place(at, *kind) + bytes.len());
        let symbols_at = end.next_multiple_of(8);
        // A table of no symbols begins with one, and a table of no strings with an empty one.
        let symbols = self.symbols.unwrap_or(Symbols { entries: Vec::new(), strings: vec![0] });
        let strings_at = symbols_at + (1 + symbols.entries.len()) * size_of::<Symbol>();
        let names_at = strings_at + symbols.strings.len();
        let headers_at = (names_at + names.bytes.len()).next_multiple_of(8);
        let len = headers_at + headers * size_of::<Section>();

        let mut file = Vec::with_capacity(len.next_multiple_of(PAGE as usize));
        file.extend_from_slice(bytes_of(&Header {
            e_ident: Ident {
                magic: ELFMAG,
                class: ELFCLASS64,
                data: ELFDATA2LSB,
                version: EV_CURRENT,
                os_abi: ELFOSABI_WASMTIME,
                abi_version: 0,
                padding: [0; 7],
            },
            e_type: U16::new(LE, ET_REL),
            e_machine: U16::new(LE, MACHINE),
            e_version: U32::new(LE, EV_CURRENT.into()),
            e_entry: U64::new(LE, 0),
            e_phoff: U64::new(LE, 0),
            e_shoff: U64::new(LE, headers_at as u64),
            e_flags: U32::new(LE, self.flags),
            e_ehsize: U16::new(LE, size_of::<Header>() as u16),
            e_phentsize: U16::new(LE, 0),
            e_phnum: U16::new(LE, 0),
            e_shentsize: U16::new(LE, size_of::<Section>() as u16),
            e_shnum: U16::new(LE, headers as u16),
            e_shstrndx: U16::new(LE, headers as u16 - 1),
        }));
        for (_, kind, bytes) in &self.sections {
            file.resize(place(file.len(), *kind), 0);
            file.extend_from_slice(bytes);
        }
        file.resize(symbols_at + size_of::<Symbol>(), 0);
        let code = self.sections.iter().position(|(_, kind, _)| *kind == Kind::Code).map_or(0, |at| at + 1);
        for [name, start, len] in symbols.entries {
            file.extend_from_slice(bytes_of(&Symbol {
                st_name: U32::new(LE, name),
                st_info: STB_LOCAL << 4 | STT_FUNC,
                st_other: 0,
                st_shndx: U16::new(LE, code as u16),
                st_value: U64::new(LE, start.into()),
                st_size: U64::new(LE, len.into()),
            }));
        }
        file.extend_from_slice(&symbols.strings);
        file.extend_from_slice(&names.bytes);
        file.resize(headers_at + size_of::<Section>(), 0);

        let mut at = size_of::<Header>();
        for ((_, kind, bytes), name) in self.sections.iter().zip(&names.offsets) {
            at = place(at, *kind);
            let flags = match kind {
                Kind::Plain => 0,
                Kind::Code => SHF_ALLOC | SHF_EXECINSTR,
                Kind::Relocations(_) => SHF_INFO_LINK,
            };
            let plain = header(*name, SHT_PROGBITS, flags, at, bytes.len());
            file.extend_from_slice(bytes_of(&match kind {
                Kind::Relocations(of) => Section {
                    sh_type: U32::new(LE, SHT_RELA),
                    // The table of symbols is the third from the end.
                    sh_link: U32::new(LE, headers as u32 - 3),
                    sh_info: U32::new(LE, *of),
                    sh_addralign: U64::new(LE, 8),
                    sh_entsize: U64::new(LE, size_of::<Rela64<LE>>() as u64),
                    ..plain
                },
                _ => plain,
            }));
            at += bytes.len();
        }
        let [symtab, strtab, shstrtab] = [3, 2, 1].map(|n| names.offsets[names.offsets.len() - n]);
        file.extend_from_slice(bytes_of(&Section {
            sh_link: U32::new(LE, headers as u32 - 2),
            // All of them are the file's own.
            sh_info: U32::new(LE, ((strings_at - symbols_at) / size_of::<Symbol>()) as u32),
            sh_addralign: U64::new(LE, 8),
            sh_entsize: U64::new(LE, size_of::<Symbol>() as u64),
            ..header(symtab, SHT_SYMTAB, 0, symbols_at, strings_at - symbols_at)
        }));
        file.extend_from_slice(bytes_of(&header(strtab, SHT_STRTAB, 0, strings_at, names_at - strings_at)));
        file.extend_from_slice(bytes_of(&header(shstrtab, SHT_STRTAB, 0, names_at, names.bytes.len())));
        debug_assert_eq!(file.len(), len);
        file
    }
}

fn header(name: u32, kind: u32, flags: u32, at: usize, len: usize) -> Section {
    Section {
        sh_name: U32::new(LE, name),
        sh_type: U32::new(LE, kind),
        sh_flags: U64::new(LE, flags.into()),
        sh_addr: U64::new(LE, 0),
        sh_offset: U64::new(LE, at as u64),
        sh_size: U64::new(LE, len as u64),
        sh_link: U32::new(LE, 0),
        sh_info: U32::new(LE, 0),
        sh_addralign: U64::new(LE, 1),
        sh_entsize: U64::new(LE, 0),
    }
}

/// The table of the sections' names.
struct Names {
    bytes: Vec<u8>,
    /// Where in it each is, in the order of the sections.
    offsets: Vec<u32>,
}

impl Names {
    /// Names go by their last letters, backwards; one that another ends with is in that.
    fn new(names: Vec<&'static str>) -> Names {
        let mut order: Vec<usize> = (0..names.len()).collect();
        order.sort_unstable_by(|&a, &b| names[b].bytes().rev().cmp(names[a].bytes().rev()));
        let mut table = Names { bytes: Vec::with_capacity(256), offsets: vec![0; names.len()] };
        table.bytes.push(0);
        let mut before = "";
        for at in order {
            let name = names[at];
            if !before.ends_with(name) {
                table.bytes.extend_from_slice(name.as_bytes());
                table.bytes.push(0);
                before = name;
            }
            table.offsets[at] = (table.bytes.len() - name.len() - 1) as u32;
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::ARCHITECTURE;
    use wasmtime_environ::obj;
    use wasmtime_environ::object::write::Object;
    use wasmtime_environ::object::{BinaryFormat, Endianness, FileFlags, SectionKind};

    #[test]
    fn a_file_is_what_the_object_crate_writes() {
        // All that an artifact may have, in all its subsets; and a name that another ends with.
        let all = [
            (obj::ELF_WASM_ENGINE, Kind::Plain),
            (crate::origin::SECTION, Kind::Plain),
            (obj::ELF_WASM_BTI, Kind::Plain),
            (obj::ELF_WASMTIME_ADDRMAP, Kind::Plain),
            (obj::ELF_WASMTIME_TRAPS, Kind::Plain),
            (obj::ELF_WASMTIME_STACK_MAP, Kind::Plain),
            (obj::ELF_WASMTIME_EXCEPTIONS, Kind::Plain),
            (".text", Kind::Code),
            (obj::ELF_WASM_DATA, Kind::Plain),
            (obj::ELF_NAME_DATA, Kind::Plain),
            (obj::ELF_WASMTIME_DWARF, Kind::Plain),
            (".dwarf", Kind::Plain),
            (obj::ELF_WASMTIME_INFO, Kind::Plain),
        ];
        for subset in 0..1_u32 << all.len() {
            let chosen = all.iter().enumerate().filter(|(n, _)| subset >> n & 1 != 0);
            let mut object = Object::new(BinaryFormat::Elf, ARCHITECTURE, Endianness::Little);
            object.flags = FileFlags::Elf { os_abi: ELFOSABI_WASMTIME, abi_version: 0, e_flags: subset & 3 };
            let mut elf = Elf::new(subset & 3);
            for (n, (name, kind)) in chosen {
                let bytes: Vec<u8> = (0..n * 7 % 11).map(|byte| byte as u8).collect();
                let of_object = match kind {
                    Kind::Plain => SectionKind::Debug,
                    Kind::Code => SectionKind::Text,
                    Kind::Relocations(_) => unreachable!("none of these"),
                };
                let section = object.add_section(Vec::new(), name.as_bytes().to_vec(), of_object);
                object.set_section_data(section, bytes.clone(), 1);
                if n % 2 == 0 {
                    elf.section(name, *kind, bytes);
                } else {
                    elf.named(name, *kind).extend_from_slice(&bytes);
                }
            }
            assert!(elf.finish() == object.write().unwrap(), "sections {subset:b}");
        }
    }
}
