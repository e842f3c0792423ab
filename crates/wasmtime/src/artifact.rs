//! The artifact that Wasmtime loads: an ELF file around the linked code, with the sections and metadata that
//! `Module::deserialize` asks for.

use crate::settings::Settings;
use wasmtime_environ::object::write::{Object, SectionId, StandardSegment};
use wasmtime_environ::object::{Architecture, BinaryFormat, Endianness, FileFlags, SectionKind};
use wasmtime_environ::wasmparser::{Parser, Validator};
use wasmtime_environ::{
    AddressMapSection, CompiledFunctionsTableBuilder, FilePos, FinishedObject, FlagValue, FuncKey, FunctionLoc,
    ModuleEnvironment, ModuleTranslation, ModuleTypesBuilder, ObjectBuilder, StaticModuleIndex, TrapEncodingBuilder,
    obj,
};

/// Alignment of the text, so that it can be mapped executable.
pub(crate) const PAGE: u64 = 1 << crate::facts::HOST_PAGE_LOG2;

/// Linked code and the tables that describe it. Everything goes in by ascending text offset, keys by ascending order.
pub(crate) struct Image {
    /// The machine code.
    pub(crate) text: Vec<u8>,
    /// What lies where.
    pub(crate) functions: CompiledFunctionsTableBuilder,
    /// Instructions that can trap.
    pub(crate) traps: TrapEncodingBuilder,
    /// Code offset to wasm offset.
    pub(crate) addresses: Option<AddressMapSection>,
}

impl Image {
    /// No code.
    pub(crate) fn new(settings: &Settings) -> Image {
        Image {
            text: Vec::new(),
            functions: CompiledFunctionsTableBuilder::new(),
            traps: TrapEncodingBuilder::default(),
            addresses: settings.tunables.generate_address_map.then(AddressMapSection::default),
        }
    }

    /// Records what lies at `start..end` of the text.
    pub(crate) fn place(&mut self, key: FuncKey, start: u32, end: u32, wasm: FilePos) {
        self.functions.push_func(key, FunctionLoc { start, length: end - start }, wasm);
    }
}

/// A module's translation and the types that it interned.
pub(crate) type Translated<'a> = (ModuleTranslation<'a>, ModuleTypesBuilder);

/// Parses a whole module and validates all of it but the function bodies.
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
    write(settings, translate(settings, wasm)?, Image::new(settings))
}

/// Writes the artifact.
pub(crate) fn write(
    settings: &Settings,
    (translation, types): Translated<'_>,
    image: Image,
) -> wasmtime::Result<Vec<u8>> {
    let mut elf = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    elf.flags = FileFlags::Elf { os_abi: obj::ELFOSABI_WASMTIME, abi_version: 0, e_flags: obj::EF_WASMTIME_MODULE };
    data_section(&mut elf, obj::ELF_WASM_ENGINE, engine_metadata(settings)?);
    // No branch protection on this architecture.
    data_section(&mut elf, obj::ELF_WASM_BTI, vec![0]);

    let segment = elf.segment_name(StandardSegment::Text).to_vec();
    let text = elf.add_section(segment, b".text".to_vec(), SectionKind::Text);
    elf.set_section_data(text, image.text, PAGE);
    if let Some(addresses) = image.addresses {
        addresses.append_to(&mut elf);
    }
    image.traps.append_to(&mut elf);
    // The exception table without call sites: two counts, both 0.
    data_section(&mut elf, obj::ELF_WASMTIME_EXCEPTIONS, vec![0; 8]);

    let mut builder = ObjectBuilder::new(elf, &settings.tunables);
    let info = builder.append(translation)?;
    builder.serialize_info(&(&info, &image.functions.finish(), &types.finish()));
    <Vec<u8> as FinishedObject>::finish_object(builder, &())
}

/// What Wasmtime compares with the engine before it looks at anything else: a version byte, the version of Wasmtime
/// with its length, and target, flags, tunables and features, in the encoding and order of its private `Metadata`.
fn engine_metadata(settings: &Settings) -> wasmtime::Result<Vec<u8>> {
    const VERSION: &str = "48";
    let shared_flags: [(&str, FlagValue<'_>); 0] = [];
    let metadata = (
        target_lexicon::Triple::host().to_string(),
        &shared_flags[..],
        settings.isa_flags(),
        &settings.tunables,
        settings.features.bits(),
    );
    let mut section = vec![0, VERSION.len() as u8];
    section.extend_from_slice(VERSION.as_bytes());
    section.extend(postcard::to_allocvec(&metadata)?);
    Ok(section)
}

fn data_section(elf: &mut Object<'static>, name: &str, data: Vec<u8>) -> SectionId {
    let segment = elf.segment_name(StandardSegment::Data).to_vec();
    let section = elf.add_section(segment, name.as_bytes().to_vec(), SectionKind::ReadOnlyData);
    elf.set_section_data(section, data, 1);
    section
}
