//! The artifact that Wasmtime loads: an ELF file around the linked code, with the sections and metadata that
//! `Module::deserialize` asks for.

use crate::exceptions::ExceptionTable;
use crate::settings::Settings;
use crate::tables::{AddressTable, StackMaps, TrapTable};
use std::borrow::Cow;
use std::io::Write;
use std::mem::offset_of;
use wasmtime_environ::object::elf::{FileHeader64, SectionHeader64};
use wasmtime_environ::object::write::{Object, StandardSegment, WritableBuffer};
use wasmtime_environ::object::{Architecture, BinaryFormat, Endianness, FileFlags, LittleEndian, SectionKind};
use wasmtime_environ::wasmparser::{Parser, Validator};
use wasmtime_environ::{
    CompiledFunctionsTableBuilder, FilePos, FlagValue, FuncKey, FunctionLoc, ModuleEnvironment, ModuleTranslation,
    ModuleTypesBuilder, ObjectBuilder, StaticModuleIndex, Tunables, obj,
};

/// Alignment of the text, so that it can be mapped executable.
pub(crate) const PAGE: u64 = 1 << crate::facts::HOST_PAGE_LOG2;

/// Linked code and the tables that describe it. Everything goes in by ascending text offset, keys by ascending order.
pub(crate) struct Image {
    /// The machine code, in pieces that follow each other; a whole number of pages.
    pub(crate) text: Vec<Piece>,
    /// What lies where.
    pub(crate) functions: CompiledFunctionsTableBuilder,
    /// Does code or a constant expression make or look into objects of the collector's heap?
    pub(crate) objects: bool,
    /// Instructions that can trap.
    pub(crate) traps: TrapTable,
    /// Where references are while a collector may run.
    pub(crate) stack_maps: StackMaps,
    /// Code offset to wasm offset.
    pub(crate) addresses: Option<AddressTable>,
    /// Where exceptions go.
    pub(crate) exceptions: ExceptionTable,
}

/// A piece of the text.
pub(crate) struct Piece {
    /// Holds it.
    pub(crate) code: Vec<u8>,
    /// Where in `code` it begins.
    pub(crate) from: usize,
}

impl Piece {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.code[self.from..]
    }
}

impl Image {
    /// No code.
    pub(crate) fn new(settings: &Settings) -> Image {
        Image {
            text: Vec::new(),
            functions: CompiledFunctionsTableBuilder::new(),
            objects: false,
            traps: TrapTable::default(),
            stack_maps: StackMaps::default(),
            addresses: settings.tunables.generate_address_map.then(AddressTable::default),
            exceptions: ExceptionTable::default(),
        }
    }

    /// Records what lies at `start..end` of the text.
    pub(crate) fn place(&mut self, key: FuncKey, start: u32, end: u32, wasm: FilePos) {
        self.functions.push_func(key, FunctionLoc { start, length: end - start }, wasm);
    }

    /// Bytes of the text.
    pub(crate) fn text_len(&self) -> usize {
        self.text.iter().map(|piece| piece.bytes().len()).sum()
    }
}

/// A module's translation and the types that it interned.
pub(crate) type Translated<'a> = (ModuleTranslation<'a>, ModuleTypesBuilder);

/// Parses a whole module and validates all of it but the function bodies.
#[inline(never)] // Profiles tell the phases apart by their functions.
pub(crate) fn translate<'a>(settings: &Settings, wasm: &'a [u8]) -> wasmtime::Result<Translated<'a>> {
    let mut validator = Validator::new_with_features(settings.features);
    let mut parser = Parser::new(0);
    parser.set_features(settings.features);
    let mut types = ModuleTypesBuilder::new(&validator);
    let index = StaticModuleIndex::from_u32(0);
    let mut translation = ModuleEnvironment::new(&settings.tunables, &mut validator, &mut types, index)
        .translate(parser, wasm)
        .map_err(crate::error::from_translation)?;
    translation.finalize_memory_init(&settings.tunables, PAGE, settings.dense_image_size, &mut types);
    translation.finalize_table_init(&settings.tunables, &mut types);
    Ok((translation, types))
}

/// The artifact of the empty module.
pub(crate) fn empty(settings: &Settings) -> wasmtime::Result<Vec<u8>> {
    let wasm = b"\0asm\x01\0\0\0";
    Ok(write(settings, translate(settings, wasm)?, Image::new(settings))?.into_bytes())
}

/// A finished artifact whose large sections are still where they were made, so that they need to be copied only once: to
/// where it is wanted.
pub(crate) struct Artifact<'a> {
    /// Everything else, ahead of them and padded for them.
    front: Vec<u8>,
    /// The data segments, then padding.
    data: Vec<Cow<'a, [u8]>>,
    text: Vec<Piece>,
    len: usize,
}

impl Artifact<'_> {
    /// Bytes of the artifact.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The artifact in one piece.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        let mut bytes = self.front;
        bytes.reserve_exact(self.len - bytes.len());
        for segment in self.data {
            bytes.extend_from_slice(&segment);
        }
        for piece in self.text {
            bytes.extend_from_slice(piece.bytes());
        }
        bytes
    }

    /// Writes the artifact, and frees it as it goes.
    pub(crate) fn write_to(self, mut sink: impl Write) -> std::io::Result<()> {
        sink.write_all(&self.front)?;
        drop(self.front);
        self.data.into_iter().try_for_each(|segment| sink.write_all(&segment))?;
        self.text.into_iter().try_for_each(|piece| sink.write_all(piece.bytes()))
    }
}

/// Makes the artifact.
#[inline(never)] // Profiles tell the phases apart by their functions.
pub(crate) fn write<'a>(
    settings: &Settings,
    (mut translation, types): Translated<'a>,
    image: Image,
) -> wasmtime::Result<Artifact<'a>> {
    let mut elf = Elf::new();
    let mut tunables = settings.tunables.clone();
    if image.objects {
        tunables.collector = settings.collector;
        translation.module.needs_gc_heap = true;
    }
    elf.section(obj::ELF_WASM_ENGINE, SectionKind::ReadOnlyData, engine_metadata(settings, &tunables)?);
    // No branch protection on this architecture.
    elf.section(obj::ELF_WASM_BTI, SectionKind::ReadOnlyData, vec![0]);
    let text_len = image.text_len();
    if let Some(addresses) = image.addresses {
        elf.section(obj::ELF_WASMTIME_ADDRMAP, SectionKind::ReadOnlyData, addresses.finish());
    }
    elf.section(obj::ELF_WASMTIME_TRAPS, SectionKind::ReadOnlyData, image.traps.finish());
    if let Some(maps) = image.stack_maps.finish() {
        elf.section(obj::ELF_WASMTIME_STACK_MAP, SectionKind::ReadOnlyData, maps);
    }
    elf.section(obj::ELF_WASMTIME_EXCEPTIONS, SectionKind::ReadOnlyData, image.exceptions.finish());
    // Text and data are empty at first. Their bytes follow when all else is written.
    let text_section = elf.section(".text", SectionKind::Text, Vec::new());
    let mut builder = ObjectBuilder::new(elf.object, &settings.tunables);
    let data_section = text_section + 1;

    let mut data: Vec<_> = std::mem::take(&mut translation.runtime_data).into_iter().map(|(_, data)| data).collect();
    for segment in &mut data {
        // The image of a memory, grown by doubling.
        if let Cow::Owned(image) = segment {
            image.shrink_to_fit();
        }
    }
    let data_align = translation.data_align.take().unwrap_or(1);
    let info = builder.append(translation)?;
    builder.serialize_info(&(&info, &image.functions.finish(), &types.finish()));
    let mut front = Front(Vec::new());
    builder.finish(&mut front)?;
    let Front(mut front) = front;

    let data_len = data.iter().map(|segment| segment.len()).sum::<usize>();
    let data_at = front.len().next_multiple_of(data_align as usize);
    let text_at = (data_at + data_len).next_multiple_of(PAGE as usize);
    place(&mut front, data_section, Extent { at: data_at, len: data_len, align: data_align });
    place(&mut front, text_section, Extent { at: text_at, len: text_len, align: PAGE });
    if data_len == 0 {
        front.resize(text_at, 0);
    } else {
        front.resize(data_at, 0);
        data.push(Cow::Owned(vec![0; text_at - data_at - data_len]));
    }
    Ok(Artifact { front, data, text: image.text, len: text_at + text_len })
}

/// Where a section is in the file.
struct Extent {
    at: usize,
    len: usize,
    align: u64,
}

/// Says in the header of section number `section`, which was written as empty, where its content is.
fn place(front: &mut [u8], section: usize, Extent { at, len, align }: Extent) {
    type Header = FileHeader64<LittleEndian>;
    type Section = SectionHeader64<LittleEndian>;
    let word = |at: usize| at..at + size_of::<u64>();
    let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("8 bytes"));
    let headers = number(&front[word(offset_of!(Header, e_shoff))]) as usize;
    let header = headers + section * size_of::<Section>();
    let size = word(header + offset_of!(Section, sh_size));
    assert_eq!(number(&front[size.clone()]), 0, "the section was written as empty");
    front[size].copy_from_slice(&(len as u64).to_le_bytes());
    front[word(header + offset_of!(Section, sh_offset))].copy_from_slice(&(at as u64).to_le_bytes());
    front[word(header + offset_of!(Section, sh_addralign))].copy_from_slice(&align.to_le_bytes());
}

/// Where the ELF file is written, with room to fill up its last page.
struct Front(Vec<u8>);

impl WritableBuffer for Front {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn reserve(&mut self, size: usize) -> Result<(), ()> {
        self.0.reserve_exact(size.next_multiple_of(PAGE as usize));
        Ok(())
    }

    fn resize(&mut self, len: usize) {
        self.0.resize(len, 0);
    }

    fn write_bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

/// What Wasmtime compares with the engine before it looks at anything else: a version byte, the version of Wasmtime
/// with its length, and target, flags, tunables and features, in the encoding and order of its private `Metadata`.
fn engine_metadata(settings: &Settings, tunables: &Tunables) -> wasmtime::Result<Vec<u8>> {
    const VERSION: &str = "48";
    let shared_flags: [(&str, FlagValue<'_>); 0] = [];
    let metadata = (
        target_lexicon::Triple::host().to_string(),
        &shared_flags[..],
        settings.isa_flags(),
        tunables,
        settings.features.bits(),
    );
    let mut section = vec![0, VERSION.len() as u8];
    section.extend_from_slice(VERSION.as_bytes());
    section.extend(postcard::to_allocvec(&metadata)?);
    Ok(section)
}

/// An ELF file under construction.
struct Elf {
    object: Object<'static>,
    /// Section headers so far; the first stands for no section.
    headers: usize,
}

impl Elf {
    fn new() -> Elf {
        let mut object = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
        object.flags =
            FileFlags::Elf { os_abi: obj::ELFOSABI_WASMTIME, abi_version: 0, e_flags: obj::EF_WASMTIME_MODULE };
        Elf { object, headers: 1 }
    }

    /// Adds a section and returns the number of its header.
    fn section(&mut self, name: &str, kind: SectionKind, data: Vec<u8>) -> usize {
        let segment = if kind == SectionKind::Text { StandardSegment::Text } else { StandardSegment::Data };
        let segment = self.object.segment_name(segment).to_vec();
        let section = self.object.add_section(segment, name.as_bytes().to_vec(), kind);
        self.object.set_section_data(section, data, 1);
        self.headers += 1;
        self.headers - 1
    }
}
