//! The artifact that Wasmtime loads: an ELF file around the linked code, with the sections and metadata that
//! `Module::deserialize` and `Component::deserialize` ask for.

use crate::error::Error;
use crate::input::component;
use crate::input::translate::{self, Translated};
use crate::origin::{self, ArtifactOrigin};
use crate::output::elf::{Elf, Header, Kind, Section};
use crate::output::image::Image;
use crate::output::memory_file;
use crate::output::symbols::{Named, Names, Symbols};
use crate::output::text::Piece;
use crate::output::unwind;
use crate::settings::Settings;
use crate::target::{ARCHITECTURE, PAGE, TRIPLE};
use std::borrow::Cow;
use std::fs::File;
use std::mem::offset_of;
use std::os::unix::fs::FileExt;
use wasmtime_environ::component::{CompiledComponentInfo, ComponentArtifacts, Trampoline, TrampolineIndex};
use wasmtime_environ::object::write::Object;
use wasmtime_environ::object::{BinaryFormat, Endianness};
use wasmtime_environ::{
    CompiledModuleInfo, DefinedFuncIndex, FlagValue, FuncIndex, FunctionName, Metadata, ModuleInternedTypeIndex,
    ModuleTranslation, ObjectBuilder, PrimaryMap, StaticModuleIndex, Tunables, WasmChecksum, obj,
};

pub use crate::output::text::LARGE;

/// A finished artifact whose large sections are still where they were made, so that they need to be copied only once:
/// to where it is wanted.
pub struct Artifact<'a> {
    /// What it consists of, in order.
    parts: Vec<Part<'a>>,
    /// Has its large text in place, if that is not among the parts.
    file: Option<File>,
    len: usize,
}

/// A part of an artifact.
enum Part<'a> {
    Bytes(Cow<'a, [u8]>),
    Code(Piece),
    /// So many bytes that are in the file.
    Filed(usize),
}

impl<'a> Part<'a> {
    /// Its bytes, or how many they are.
    fn bytes(&self) -> Result<&[u8], usize> {
        match self {
            Part::Bytes(bytes) => Ok(bytes),
            Part::Code(piece) => Ok(piece.bytes()),
            Part::Filed(len) => Err(*len),
        }
    }

    fn text(file: &Option<File>, pieces: Vec<Piece>, len: usize) -> impl Iterator<Item = Part<'a>> {
        file.iter().map(move |_| Part::Filed(len)).chain(pieces.into_iter().map(Part::Code))
    }
}

impl Artifact<'_> {
    /// An artifact that is in one piece, of which somebody else keeps the bytes.
    #[must_use]
    pub fn of_slice(bytes: &[u8]) -> Artifact<'_> {
        Artifact { len: bytes.len(), parts: vec![Part::Bytes(bytes.into())], file: None }
    }

    /// An artifact that is in one piece.
    pub(crate) fn of_bytes(bytes: Vec<u8>) -> Artifact<'static> {
        Artifact { len: bytes.len(), parts: vec![Part::Bytes(bytes.into())], file: None }
    }

    /// Bytes of the artifact.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The artifact in one piece.
    ///
    /// # Errors
    ///
    /// If what is in a file cannot be read.
    pub fn into_bytes(self) -> Result<Vec<u8>, Error> {
        let mut parts = self.parts.into_iter();
        let mut bytes = match parts.next() {
            Some(Part::Bytes(front)) => front.into_owned(),
            _ => unreachable!("headers come first"),
        };
        bytes.reserve_exact(self.len - bytes.len());
        for part in parts {
            match (part.bytes(), &self.file) {
                (Ok(part), _) => bytes.extend_from_slice(part),
                (Err(len), Some(file)) => {
                    let at = bytes.len() as u64;
                    memory_file::read(file, at, len, &mut bytes).map_err(|error| Error::memory_file("read", &error))?;
                }
                (Err(_), None) => unreachable!("that part is in a file"),
            }
        }
        Ok(bytes)
    }

    /// Writes the artifact to the file in memory that has its text, or to a new one, and frees it as it goes. Gives it
    /// back if there can be no file that is as long.
    ///
    /// # Errors
    ///
    /// If writing fails all the same.
    pub fn into_file(mut self) -> Result<Result<File, Self>, Error> {
        let made = match self.file.take() {
            Some(file) => Ok(file),
            None => memory_file::create(),
        };
        let Ok(file) = made else { return Ok(Err(self)) };
        let has = file.metadata().map(|metadata| metadata.len());
        if has.and_then(|has| memory_file::extend(&file, has, self.len as u64)).is_err() {
            // Without its text in it the file is of no use.
            let has_text = self.parts.iter().any(|part| matches!(part, Part::Filed(_)));
            self.file = has_text.then_some(file);
            return Ok(Err(self));
        }
        let write = || {
            let mut at = 0;
            for part in self.parts {
                at += match part.bytes() {
                    Ok(bytes) => {
                        file.write_all_at(bytes, at)?;
                        bytes.len()
                    }
                    Err(len) => len,
                } as u64;
            }
            // Room for a text is made in advance.
            file.set_len(at)
        };
        write().map_err(|error| Error::memory_file("write", &error))?;
        Ok(Ok(file))
    }
}

/// What an artifact is made of, beside the code.
pub(crate) enum Source<'a> {
    Module(Translated<'a>),
    /// With its bytes.
    Component(component::Translated<'a>, &'a [u8]),
}

impl<'a> Source<'a> {
    fn modules(&mut self) -> Vec<&mut ModuleTranslation<'a>> {
        match self {
            Source::Module((translation, _)) => vec![translation],
            Source::Component(component, _) => component.modules.values_mut().collect(),
        }
    }
}

impl Names for Source<'_> {
    fn function(&self, module: StaticModuleIndex, function: DefinedFuncIndex) -> (FuncIndex, Option<&str>) {
        let translation = match self {
            Source::Module((translation, _)) => translation,
            Source::Component(component, _) => &component.modules[module],
        };
        let index = translation.module.func_index(function);
        (index, translation.debuginfo.name_section.func_names.get(&index).copied())
    }

    fn parameters(&self, ty: ModuleInternedTypeIndex) -> u32 {
        let types = match self {
            Source::Module((_, types)) => types,
            Source::Component(component, _) => component.types.module_types_builder(),
        };
        types[ty].unwrap_func().params().len() as u32
    }

    fn trampoline(&self, index: TrampolineIndex) -> Option<&Trampoline> {
        match self {
            Source::Module(_) => None,
            Source::Component(component, _) => component.component.trampolines.get(index),
        }
    }
}

/// The data of all modules, one behind the other.
struct Data<'a> {
    parts: Vec<Cow<'a, [u8]>>,
    len: usize,
    align: u64,
}

impl<'a> Data<'a> {
    /// Takes them out of the translations, which then say where in the whole each module's are.
    fn take(source: &mut Source<'a>) -> Data<'a> {
        let mut data = Data { parts: Vec::new(), len: 0, align: 1 };
        for translation in source.modules() {
            let align = translation.data_align.take().unwrap_or(1);
            data.align = data.align.max(align);
            let segments = std::mem::take(&mut translation.runtime_data);
            if segments.is_empty() {
                continue;
            }
            let padding = data.len.next_multiple_of(align as usize) - data.len;
            if padding != 0 {
                data.parts.push(vec![0; padding].into());
            }
            data.len += padding;
            let start = u32::try_from(data.len).expect("the bytes of what a module came in have 32-bit offsets");
            for extent in translation.module.runtime_data.values_mut() {
                *extent = extent.start + start..extent.end + start;
            }
            for (_, mut segment) in segments {
                // The image of a memory, grown by doubling.
                if let Cow::Owned(image) = &mut segment {
                    image.shrink_to_fit();
                }
                data.len += segment.len();
                data.parts.push(segment);
            }
        }
        data
    }
}

/// Makes the artifact.
#[inline(never)] // Profiles tell the phases apart by their functions.
pub(crate) fn write<'a>(
    settings: &Settings,
    mut source: Source<'a>,
    image: Image,
) -> wasmtime_environ::error::Result<Artifact<'a>> {
    let mut elf = Elf::new(match source {
        Source::Module(_) => obj::EF_WASMTIME_MODULE,
        Source::Component(..) => obj::EF_WASMTIME_COMPONENT,
    });
    if image.objects {
        source.modules().into_iter().for_each(|translation| translation.module.needs_gc_heap = true);
    }
    let metadata = settings.kept.metadata(image.objects, || engine_metadata(settings, image.objects));
    elf.section(obj::ELF_WASM_ENGINE, Kind::Plain, metadata?);
    elf.section(origin::SECTION, Kind::Plain, ArtifactOrigin::current().content());
    // No branch protection on this architecture.
    elf.section(obj::ELF_WASM_BTI, Kind::Plain, vec![0]);
    let text_len = image.text.len();
    if let Some(addresses) = image.addresses {
        elf.section(obj::ELF_WASMTIME_ADDRMAP, Kind::Plain, addresses.finish());
    }
    elf.section(obj::ELF_WASMTIME_TRAPS, Kind::Plain, image.traps.finish());
    if let Some(maps) = image.stack_maps.finish() {
        elf.section(obj::ELF_WASMTIME_STACK_MAP, Kind::Plain, maps);
    }
    elf.section(obj::ELF_WASMTIME_EXCEPTIONS, Kind::Plain, image.exceptions.finish());
    elf.symbols = match image.symbols {
        Named::Nothing => None,
        Named::Pieces(pieces) => Some(Symbols::new(&pieces, &source)),
        Named::Table(symbols) => Some(symbols),
    };
    if let Some(parts) = &image.debug {
        let frames = image.unwind.iter().map(|table| table.for_debuggers(text_len));
        let sections = parts.sections(&source, elf.symbols.as_ref())?;
        elf.debug(sections.into_iter().chain(frames));
    }
    let unwind = image.unwind.filter(|_| settings.unwind).map(|table| table.finish(text_len)).unwrap_or_default();
    // Text and data are empty at first. Their bytes follow when all else is written.
    let text_section = elf.section(".text", Kind::Code, Vec::new());
    let data_section = elf.section(obj::ELF_WASM_DATA, Kind::Plain, Vec::new());
    let unwind_section = (!unwind.is_empty()).then(|| elf.section(unwind::NAME, Kind::Plain, Vec::new()));

    let Data { parts: data, len: data_len, align: data_align } = Data::take(&mut source);
    let info = match source {
        Source::Module((translation, types)) => {
            let info = append(&mut elf, settings, translation)?;
            postcard::to_allocvec(&(&info, &image.functions.finish(), &types.finish()))
        }
        Source::Component(component::Translated { component, modules, types }, wasm) => {
            let mut static_modules = PrimaryMap::with_capacity(modules.len());
            for (_, translation) in modules {
                static_modules.push(append(&mut elf, settings, translation)?);
            }
            let (types, ty) = types.finish(&component.component);
            postcard::to_allocvec(&ComponentArtifacts {
                ty,
                info: CompiledComponentInfo { component: component.component },
                table: image.functions.finish(),
                types,
                static_modules,
                checksum: WasmChecksum::from_binary(wasm, settings.tunables.recording),
            })
        }
    };
    elf.section(obj::ELF_WASMTIME_INFO, Kind::Plain, info?);
    let mut front = elf.finish();

    if text_len == 0 {
        // Otherwise Wasmtime takes what it never made executable for code when it frees it, and says so to whoever
        // keeps code for it (`Config::with_custom_code_memory`).
        let flags = section_header(&front, text_section) + offset_of!(Section, sh_flags);
        front[flags] |= obj::SH_WASMTIME_NOT_EXECUTED as u8;
    }
    let (file, text) = image.text.into_parts();
    let text = Part::text(&file, text, text_len);
    let data = data.into_iter().map(Part::Bytes);
    // Right behind the text, as its entries say, on a page of its own, where the host may look for it.
    let unwind_len = unwind.len();
    let unwind = unwind_section.map(|_| Part::Bytes(unwind.into()));
    let zeros = |len: usize| Part::Bytes(vec![0; len].into());
    if text_len < LARGE {
        // All that is read at once together, and the text at the end.
        let data_at = front.len().next_multiple_of(data_align as usize);
        let text_at = (data_at + data_len).next_multiple_of(PAGE as usize);
        set_extent(&mut front, data_section, Extent { at: data_at, len: data_len, align: data_align });
        set_extent(&mut front, text_section, Extent { at: text_at, len: text_len, align: PAGE });
        if let Some(section) = unwind_section {
            set_extent(&mut front, section, Extent { at: text_at + text_len, len: unwind_len, align: PAGE });
        }
        front.resize(if data_len == 0 { text_at } else { data_at }, 0);
        let padding = text_at - front.len() - data_len;
        let ahead = [Part::Bytes(front.into())].into_iter().chain(data).chain([zeros(padding)]);
        let parts = ahead.chain(text).chain(unwind).collect();
        return Ok(Artifact { parts, file, len: text_at + text_len + unwind_len });
    }
    // The text first, behind a page for the header, so that it can be put in place before the rest is known.
    let unwind_at = PAGE as usize + text_len;
    let data_at = (unwind_at + unwind_len).next_multiple_of(data_align as usize);
    let back_at = (data_at + data_len).next_multiple_of(16);
    let len = back_at + front.len();
    let mut header = shift(&mut front, back_at as u64);
    header.resize(PAGE as usize, 0);
    set_extent(&mut front, text_section, Extent { at: PAGE as usize, len: text_len, align: PAGE });
    set_extent(&mut front, data_section, Extent { at: data_at, len: data_len, align: data_align });
    if let Some(section) = unwind_section {
        set_extent(&mut front, section, Extent { at: unwind_at, len: unwind_len, align: PAGE });
    }
    let padding = zeros(data_at - unwind_at - unwind_len);
    let behind = [zeros(back_at - data_at - data_len), Part::Bytes(front.into())];
    let ahead = [Part::Bytes(header.into())].into_iter().chain(text).chain(unwind).chain([padding]);
    let parts = ahead.chain(data).chain(behind).collect();
    Ok(Artifact { parts, file, len })
}

/// Where a section is in the file.
struct Extent {
    at: usize,
    len: usize,
    align: u64,
}

/// Says in the header of section number `section`, which was written as empty, where its content is.
fn set_extent(front: &mut [u8], section: usize, Extent { at, len, align }: Extent) {
    let header = section_header(front, section);
    for (field, value) in [
        (offset_of!(Section, sh_size), len as u64),
        (offset_of!(Section, sh_offset), at as u64),
        (offset_of!(Section, sh_addralign), align),
    ] {
        front[header + field..][..8].copy_from_slice(&value.to_le_bytes());
    }
}

/// Makes the sections of an ELF file `by` bytes further on, as what goes behind so many others will be. Returns the
/// file's header, which will be the first thing all the same.
fn shift(front: &mut [u8], by: u64) -> Vec<u8> {
    let add = |bytes: &mut [u8], at: usize| {
        let moved = number(bytes, at) + by;
        bytes[at..at + 8].copy_from_slice(&moved.to_le_bytes());
    };
    let sections = offset_of!(Header, e_shnum);
    for section in 1..u16::from_le_bytes([front[sections], front[sections + 1]]) {
        let header = section_header(front, section.into());
        add(front, header + offset_of!(Section, sh_offset));
    }
    let mut header = front[..size_of::<Header>()].to_vec();
    add(&mut header, offset_of!(Header, e_shoff));
    header
}

/// Where the header of a section is.
fn section_header(front: &[u8], section: usize) -> usize {
    number(front, offset_of!(Header, e_shoff)) as usize + section * size_of::<Section>()
}

fn number(front: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(front[at..at + 8].try_into().expect("8 bytes"))
}

/// Puts the names and the DWARF of a module's translation, of which the data is taken already, into the artifact, and
/// gives the rest of what an artifact has of it: as Wasmtime's `ObjectBuilder::append`.
fn append(
    elf: &mut Elf,
    settings: &Settings,
    translation: ModuleTranslation<'_>,
) -> wasmtime_environ::error::Result<CompiledModuleInfo> {
    let ModuleTranslation { module, debuginfo, has_unparsed_debuginfo, wasm, .. } = translation;
    let mut func_names = Vec::new();
    if !debuginfo.name_section.func_names.is_empty() {
        let bytes = elf.named(obj::ELF_NAME_DATA, Kind::Plain);
        let mut names: Vec<_> = debuginfo.name_section.func_names.iter().collect();
        names.sort_unstable_by_key(|(idx, _)| **idx);
        func_names = names
            .into_iter()
            .map(|(idx, name)| {
                let offset = u32::try_from(bytes.len()).expect("names are part of the module's bytes");
                bytes.extend_from_slice(name.as_bytes());
                FunctionName { idx: *idx, offset, len: name.len() as u32 }
            })
            .collect();
    }
    let mut dwarf = Vec::new();
    let has_wasm_debuginfo = settings.tunables.parse_wasm_debuginfo;
    if has_wasm_debuginfo {
        // Which parts of DWARF an engine keeps, Wasmtime knows. Behind the header of its file are they alone.
        let object = Object::new(BinaryFormat::Elf, ARCHITECTURE, Endianness::Little);
        let mut builder = ObjectBuilder::new(object, &settings.tunables);
        builder.push_debuginfo(&mut dwarf, &debuginfo);
        let mut file = Vec::new();
        builder.finish(&mut file)?;
        if let Some(end) = dwarf.iter().map(|(_, part)| part.end).max() {
            let bytes = elf.named(obj::ELF_WASMTIME_DWARF, Kind::Plain);
            let start = bytes.len() as u64;
            bytes.extend_from_slice(&file[size_of::<Header>()..][..end as usize]);
            dwarf.iter_mut().for_each(|(_, part)| *part = start + part.start..start + part.end);
        }
    }
    let code_section_offset = debuginfo.wasm_file.code_section_offset;
    let meta = Metadata { has_unparsed_debuginfo, code_section_offset, has_wasm_debuginfo, dwarf };
    let checksum = WasmChecksum::from_binary(wasm, settings.tunables.recording);
    Ok(CompiledModuleInfo { module, meta, func_names, checksum })
}

/// The artifact of the empty module.
///
/// # Errors
///
/// If the settings make none.
pub fn empty(settings: &Settings) -> wasmtime_environ::error::Result<Vec<u8>> {
    let translated = translate::translate(settings, b"\0asm\x01\0\0\0")?;
    Ok(write(settings, Source::Module(translated), Image::new(settings, false))?.into_bytes()?)
}

/// What Wasmtime compares with the engine before it looks at anything else: a version byte, the version of Wasmtime
/// with its length, and target, flags, tunables and features, in the encoding and order of its private `Metadata`.
/// The tunables name the collector if objects are made.
fn engine_metadata(settings: &Settings, objects: bool) -> wasmtime_environ::error::Result<Vec<u8>> {
    let collector = if objects { settings.collector } else { settings.tunables.collector };
    let tunables = Tunables { collector, ..settings.tunables.clone() };
    let shared_flags: [(&str, FlagValue<'_>); 0] = [];
    let metadata = (TRIPLE, &shared_flags[..], settings.isa_flags(), tunables, settings.features.bits());
    let version = settings.module_version.as_bytes();
    let mut section = vec![0, u8::try_from(version.len()).expect("an engine's version has at most 255 bytes")];
    section.extend_from_slice(version);
    section.extend(postcard::to_allocvec(&metadata)?);
    Ok(section)
}
