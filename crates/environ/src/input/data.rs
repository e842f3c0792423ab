//! Data segments in place as they arrive, which is how nearly all modules initialise their memory. Wasmtime's
//! translation makes the same image, but only of a whole section, and out of a list with an entry for each of what can
//! be a hundred thousand segments.
//!
//! Whatever is out of the ordinary, invalid or seldom is given up, and the section left to Wasmtime; so what an image
//! says can also be had from there, and a test compares the two.

use crate::settings::Settings;
use crate::target::PAGE;
use wasmtime_environ::wasmparser::BinaryReader;
use wasmtime_environ::{
    IndexType, MemoryIndex, MemoryInit, MemoryInitialization, MemorySegmentOffset, Module, ModuleStartup,
    ModuleTranslation, ModuleTypesBuilder, collections::TryPrimaryMap,
};

/// A section of fewer bytes is left to Wasmtime.
pub(crate) const WORTH: usize = 64 << 10;

/// No header of a section, with the number of its entries, and no segment ahead of its bytes is longer.
const HEADER: usize = 1 + 5 + 1 + 5;

/// The number of a data section.
pub(crate) const SECTION: u8 = 11;

/// The contents of memory 0 under construction.
pub(crate) struct DataImage {
    /// Bytes that the memory has at least.
    memory: u64,
    /// How large an image may be that consists of little data.
    sparse: u64,
    /// Segments, and those of them that have not begun.
    count: u32,
    left: u32,
    /// What has been read of the section, from its number on; nothing if not even the header.
    read: usize,
    /// The section's length, likewise.
    end: usize,
    /// What of the current segment has not been read.
    pending: usize,
    /// Bytes in all segments.
    data: u64,
    /// Where in memory the first of them goes, and the image begins, which is at a page's begin.
    first: u64,
    base: u64,
    /// Where in the image the next byte goes.
    at: usize,
    image: Vec<u8>,
    /// Was it given up?
    over: bool,
}

impl DataImage {
    /// None if the module has no memory whose pages can come out of the artifact.
    pub(crate) fn new(settings: &Settings, module: &Module) -> Option<DataImage> {
        let memory = module.memories.get(MemoryIndex::from_u32(0))?;
        let fits = settings.tunables.memory_init_cow
            && module.num_imported_memories == 0
            && memory.idx_type == IndexType::I32
            && memory.page_size() >= PAGE;
        fits.then_some(DataImage {
            memory: memory.minimum_byte_size().ok()?,
            sparse: settings.dense_image_size,
            count: 0,
            left: 0,
            read: 0,
            end: 0,
            pending: 0,
            data: 0,
            first: 0,
            base: 0,
            at: 0,
            image: Vec::new(),
            over: false,
        })
    }

    /// How many segments there are, if the section was read to its end.
    pub(crate) fn complete(&self) -> Option<u32> {
        (!self.over && self.read != 0 && self.left == 0 && self.pending == 0 && self.read == self.end)
            .then_some(self.count)
    }

    /// Bytes of the image so far.
    pub(crate) fn len(&self) -> usize {
        self.image.len()
    }

    /// Reads on. `section` is what there is of the section, from its number on, and may have more behind it.
    pub(crate) fn advance(&mut self, section: &[u8]) {
        if !self.over && self.try_advance(section).is_none() {
            self.over = true;
            self.image = Vec::new();
        }
    }

    /// None if it must be given up.
    fn try_advance(&mut self, section: &[u8]) -> Option<()> {
        if self.read == 0 {
            if section.len() < HEADER {
                return Some(());
            }
            let mut reader = BinaryReader::new(&section[1..], 1);
            let bytes = reader.read_var_u32().ok()? as usize;
            self.end = reader.original_position() + bytes;
            if bytes < WORTH {
                return None;
            }
            self.count = reader.read_var_u32().ok()?;
            self.left = self.count;
            self.read = reader.original_position();
        }
        let section = &section[..section.len().min(self.end)];
        loop {
            let here = section.get(self.read..)?;
            if self.pending != 0 {
                let bytes = &here[..here.len().min(self.pending)];
                self.put(bytes, section.len());
                self.pending -= bytes.len();
                self.read += bytes.len();
                if self.pending != 0 {
                    return Some(());
                }
            } else if self.left == 0 {
                return (self.read == self.end).then_some(());
            } else if here.len() < HEADER && section.len() < self.end {
                return Some(());
            } else {
                // Of memory 0, at a constant.
                let (&[0, 0x41], rest) = here.split_first_chunk()? else { return None };
                let mut reader = BinaryReader::new(rest, self.read + 2);
                let start = u64::from(reader.read_var_i32().ok()?.cast_unsigned());
                if reader.read_u8().ok()? != 0x0b {
                    return None;
                }
                let bytes = reader.read_var_u32().ok()?;
                self.read = reader.original_position();
                self.left -= 1;
                self.begin(start, bytes)?;
            }
        }
    }

    /// Begins a segment. None if it goes where none can, ahead of all others, or too far from them.
    fn begin(&mut self, start: u64, bytes: u32) -> Option<()> {
        let end = start + u64::from(bytes);
        if end > self.memory {
            return None;
        }
        if bytes == 0 {
            return Some(());
        }
        if self.data == 0 {
            self.first = start;
            self.base = start / PAGE * PAGE;
        }
        self.data += u64::from(bytes);
        let size = end.max(self.base + self.image.len() as u64) - self.first;
        if start < self.first || (size >= 2 * self.data && size >= self.sparse) {
            return None;
        }
        (self.at, self.pending) = ((start - self.base) as usize, bytes as usize);
        Some(())
    }

    /// Puts more of the current segment into the image. So much of the section is there.
    fn put(&mut self, bytes: &[u8], there: usize) {
        let image = &mut self.image;
        let end = self.at + bytes.len();
        if end > image.capacity() {
            // What is there fits, if it goes on as most do: segment behind segment. Otherwise by a quarter at a time.
            let more = (there - self.read + PAGE as usize).max(image.len() / 4);
            image.reserve_exact((end - image.len()).next_multiple_of(PAGE as usize).max(more));
        }
        if image.len() < self.at {
            image.resize(self.at, 0);
        }
        let over = &mut image[self.at..];
        let (inside, behind) = bytes.split_at(bytes.len().min(over.len()));
        over[..inside.len()].copy_from_slice(inside);
        image.extend_from_slice(behind);
        self.at = end;
    }

    /// Puts the image into a translation that has not seen the segments, as `finalize_memory_init` would.
    pub(crate) fn install(mut self, translation: &mut ModuleTranslation<'_>, types: &mut ModuleTypesBuilder) {
        let module = &mut translation.module;
        // From the page of the first byte that is not zero to that of the last; if all are, it stays as it is.
        let page = PAGE as usize;
        let end = self.image.iter().rposition(|byte| *byte != 0).map_or(self.image.len(), |last| last + 1);
        self.image.truncate(end);
        self.image.resize(end.next_multiple_of(page), 0);
        let start = self.image.iter().position(|byte| *byte != 0).unwrap_or(0) / page * page;
        self.image.drain(..start);
        let mut map = TryPrimaryMap::new();
        let mut list = Vec::new();
        for memory in module.memories.keys() {
            let data = (memory.as_u32() == 0 && !self.image.is_empty()).then(|| {
                let image = std::mem::take(&mut self.image);
                let extent = 0..u32::try_from(image.len()).expect("it lies in a 32-bit memory");
                let index = translation.runtime_data.push(image.into());
                module.runtime_data.push(extent).expect("memory");
                let offset = self.base + start as u64;
                list.push((memory, MemorySegmentOffset::Static(offset), index));
                (offset, index)
            });
            map.push(data).expect("memory");
        }
        if !list.is_empty()
            && let ModuleStartup::None = module.startup
        {
            module.startup = ModuleStartup::IfMemoriesNeedInit(types.startup_func_type().into());
        }
        translation.data_align = Some(PAGE);
        module.memory_initialization = MemoryInitialization::Static { map };
        translation.memory_init = MemoryInit::Processed(list);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::standins;
    use crate::input::translate::{self, Translated};
    use crate::output::artifact;
    use crate::output::image::Image;

    /// A module with these fields, and the segments of memory 0 behind them.
    fn module(fields: &str, segments: &[(u64, Vec<u8>)]) -> Vec<u8> {
        let mut wat = format!("(module {fields} (func) (func (param i32) (result i32) local.get 0)");
        for (start, data) in segments {
            let data: String = data.iter().map(|byte| format!("\\{byte:02x}")).collect();
            wat.push_str(&format!("(data (i32.const {start}) \"{data}\")"));
        }
        wat::parse_str(wat + ")").unwrap()
    }

    fn artifact(settings: &Settings, mut translated: Translated<'_>) -> Vec<u8> {
        translated.0.function_body_inputs.clear();
        artifact::write(settings, artifact::Source::Module(translated), Image::new(settings, false))
            .unwrap()
            .into_bytes()
            .unwrap()
    }

    #[test]
    fn images_are_those_of_wasmtime() {
        const MEMORY: &str = "(memory 40)";
        let filled = |bytes: usize, value: u8| vec![value; bytes];
        let large = || (70_000, filled(66_000, 7));
        let small = |start| (start, filled(3, 9));
        let many = (0..30_000).map(|i| (1000 + i * 7, (i as u32 * 77).to_le_bytes()[..(i % 5) as usize].to_vec()));
        // What is an image, and what is not.
        let images = [
            (MEMORY, vec![large()]),
            (MEMORY, vec![large(), small(70_010)]),
            (MEMORY, vec![large(), small(135_999)]),
            (MEMORY, vec![large(), (139_000, filled(1, 0))]),
            (MEMORY, vec![large(), (2_000_000, filled(10_000, 0))]),
            (MEMORY, vec![(69_632, filled(4096, 0)), large()]),
            (MEMORY, vec![(50_000, filled(0, 0)), large(), (0, filled(0, 0))]),
            (MEMORY, vec![(1, filled(90_000, 0))]),
            (MEMORY, vec![(0, filled(40 << 16, 1))]),
            (MEMORY, vec![(65_536, filled(65_536, 1))]),
            ("(memory 40) (memory 1)", vec![large()]),
            ("(import \"\" \"\" (global i32)) (memory 40) (table 4 funcref) (elem (global.get 0) 0)", vec![large()]),
            (MEMORY, many.collect()),
        ];
        let others = [
            (MEMORY, vec![large(), small(69_999)]),
            (MEMORY, vec![large(), (40 << 16, filled(1, 1))]),
            ("(memory 1)", vec![large()]),
            ("(memory i64 40)", Vec::new()),
            ("(memory 40) (data \"passive\")", vec![large()]),
            ("(memory 40) (data (i32.add (i32.const 1) (i32.const 2)) \"x\")", vec![large()]),
            ("(import \"\" \"\" (memory 40))", vec![large()]),
            ("(memory 60000)", vec![large(), (3_000_000_000, filled(1, 1))]),
        ];
        for cow in [true, false] {
            let mut settings = Settings::usual();
            settings.tunables.memory_init_cow = cow;
            let all = images.iter().map(|image| (image, cow)).chain(others.iter().map(|other| (other, false)));
            for (i, ((fields, segments), is_image)) in all.enumerate() {
                let wasm = module(fields, segments);
                let Some(condensed) = standins::condense(&settings, &wasm) else {
                    assert!(segments.is_empty());
                    continue;
                };
                let image =
                    translate::translate_condensed(&settings, &condensed).and_then(|(translated, mut image)| {
                        image.advance(&wasm[condensed.data.clone()]);
                        image.complete().map(|_| (translated, image))
                    });
                assert_eq!(image.is_some(), is_image, "module {i}");
                let Some((mut translated, image)) = image else { continue };
                let (translation, types) = &mut translated;
                translate::initialise(&settings, translation, types, Some(image));
                let reference = translate::translate(&settings, &wasm).unwrap();
                assert!(artifact(&settings, translated) == artifact(&settings, reference), "module {i}");
            }
        }
    }

    #[test]
    fn pieces_do_not_show_in_the_image() {
        let settings = Settings::usual();
        let segments: Vec<_> = (0..20_000u64).map(|i| (5000 + i * 6, vec![i as u8; (i % 9) as usize])).collect();
        let wasm = module("(memory 40)", &segments);
        let condensed = standins::condense(&settings, &wasm).unwrap();
        let (translation, _) = translate::translate(&settings, &condensed.bytes).unwrap();
        let section = &wasm[condensed.data];
        let image = |piece: usize| {
            let mut image = DataImage::new(&settings, &translation.module).unwrap();
            for end in (0..section.len()).step_by(piece) {
                image.advance(&section[..end]);
                assert_eq!(image.complete(), None);
            }
            image.advance(section);
            assert_eq!(image.complete(), Some(20_000));
            image.image
        };
        let whole = image(section.len());
        for piece in [1, 2, 3, 5, 64, 1000] {
            assert!(image(piece) == whole, "by {piece}");
        }
        // Whatever is wrong with it is not for the image to say.
        for at in 0..section.len().min(300) {
            let mut section = section.to_vec();
            section[at] ^= 0x80;
            let mut image = DataImage::new(&settings, &translation.module).unwrap();
            image.advance(&section);
        }
    }
}
