//! Stack maps, and the two tables of a text that grow with every access: which instruction traps why, and which code
//! belongs to which byte of the module. In the formats of Wasmtime's `TrapEncodingBuilder` and `AddressMapSection`,
//! whose bytes these are (a test compares them); those builders take a list of structures per function, and made half
//! of what linking cost.

use lightbeam_compiler::code::Safepoint;

/// Stack maps, in the format of Wasmtime's `StackMapSection`: return addresses, where the map of each is, and the maps.
/// Several addresses may share a map. The compiler makes maps in that format.
#[derive(Default)]
pub(crate) struct StackMaps {
    at: Vec<u32>,
    map: Vec<u32>,
    maps: Vec<u32>,
}

impl StackMaps {
    /// Adds maps and the calls that have them, whose offsets count from `base` of the text.
    pub(crate) fn extend(&mut self, base: u32, safepoints: &[Safepoint], maps: &[u32]) {
        let first = self.maps.len() as u32;
        self.at.extend(safepoints.iter().map(|point| base + point.at));
        self.map.extend(safepoints.iter().map(|point| first + point.map));
        self.maps.extend_from_slice(maps);
        debug_assert!(self.at.is_sorted());
    }

    /// Takes over the maps of an artifact, all of them.
    pub(crate) fn restore(&mut self, maps: &lightbeam_verify::artifact::StackMaps) {
        self.at = maps.calls.iter().map(|map| map.returns_to).collect();
        // Two words stand ahead of the bits.
        self.map = maps.calls.iter().map(|map| map.bits.0 - 2).collect();
        self.maps.clone_from(&maps.words);
    }

    /// The section, if there is to be one.
    pub(crate) fn finish(self) -> Option<Vec<u8>> {
        if self.at.is_empty() {
            return None;
        }
        let mut section = Vec::with_capacity(4 * (1 + 2 * self.at.len() + self.maps.len()));
        section.extend_from_slice(&(self.at.len() as u32).to_le_bytes());
        for word in self.at.into_iter().chain(self.map).chain(self.maps) {
            section.extend_from_slice(&word.to_le_bytes());
        }
        Some(section)
    }
}

/// Entries of a block, in both formats.
const BLOCK: usize = 128;

/// Blocks of entries behind an index of where each begins.
#[derive(Default)]
struct Blocks {
    entries: u32,
    /// By block: offset in the text of its first entry, offset of its body among the bodies.
    index: Vec<[u32; 2]>,
    bodies: Vec<u8>,
}

impl Blocks {
    /// Begins a block whose first entry is at `at` of the text.
    fn begin(&mut self, at: u32) {
        let body = u32::try_from(self.bodies.len()).expect("a table is smaller than 4 GiB");
        self.index.push([at, body]);
    }

    fn len(&self) -> usize {
        8 + 8 * self.index.len() + self.bodies.len()
    }

    fn finish(self) -> Vec<u8> {
        let mut section = Vec::with_capacity(self.len());
        section.extend_from_slice(&self.entries.to_le_bytes());
        section.extend_from_slice(&(self.index.len() as u32).to_le_bytes());
        for [at, body] in self.index {
            section.extend_from_slice(&at.to_le_bytes());
            section.extend_from_slice(&body.to_le_bytes());
        }
        section.extend_from_slice(&self.bodies);
        section
    }
}

/// The body of a block under construction: room for the longest, so that no entry needs to ask for any.
struct Body {
    bytes: [u8; Body::MAX],
    len: usize,
}

impl Body {
    /// An entry is two numbers of at most 33 bits, and what begins a block is no longer.
    const MAX: usize = (BLOCK + 1) * 10;

    const EMPTY: Body = Body { bytes: [0; Body::MAX], len: 0 };

    #[inline]
    fn byte(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    /// Unsigned LEB128.
    #[inline]
    fn unsigned(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.byte(value as u8 | 0x80);
            value >>= 7;
        }
        self.byte(value as u8);
    }

    /// Signed LEB128.
    #[inline]
    fn signed(&mut self, mut value: i64) {
        while !(-0x40..0x40).contains(&value) {
            self.byte(value as u8 | 0x80);
            value >>= 7;
        }
        self.byte(value as u8 & 0x7f);
    }

    /// Moves it behind the bodies that are finished.
    fn flush(&mut self, blocks: &mut Blocks) {
        blocks.bodies.extend_from_slice(&self.bytes[..self.len]);
        self.len = 0;
    }
}

/// Which instruction traps, and why.
pub(crate) struct TrapTable {
    blocks: Blocks,
    /// The block under construction: offsets in the text.
    places: [u32; BLOCK],
    /// Wasmtime's numbers of the traps.
    traps: [u8; BLOCK],
    /// Entries in it.
    len: usize,
}

impl Default for TrapTable {
    fn default() -> TrapTable {
        TrapTable { blocks: Blocks::default(), places: [0; BLOCK], traps: [0; BLOCK], len: 0 }
    }
}

impl TrapTable {
    /// Adds the instruction at `at` of the text, behind all others.
    #[inline]
    pub(crate) fn push(&mut self, at: u32, trap: u8) {
        (self.places[self.len], self.traps[self.len]) = (at, trap);
        self.len += 1;
        if self.len == BLOCK {
            self.seal();
        }
    }

    fn seal(&mut self) {
        let (places, traps) = (&self.places[..self.len], &self.traps[..self.len]);
        let Some(&first) = places.first() else { return };
        self.blocks.begin(first);
        self.blocks.entries += self.len as u32;
        let mut body = Body::EMPTY;
        let usual = most_common(traps);
        body.byte(usual);
        let mut last = first;
        for (&at, &trap) in places.iter().zip(traps) {
            let differs = trap != usual;
            body.unsigned(u64::from(at - last) << 1 | u64::from(differs));
            if differs {
                body.byte(trap);
            }
            last = at;
        }
        body.flush(&mut self.blocks);
        self.len = 0;
    }

    /// Bytes of the section but for the block under construction.
    pub(crate) fn len(&self) -> usize {
        self.blocks.len()
    }

    /// The section.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.seal();
        self.blocks.finish()
    }
}

/// The trap that a block names most often; of several, the one that came to that number first.
fn most_common(traps: &[u8]) -> u8 {
    let first = traps[0];
    if traps.iter().fold(0, |differ, trap| differ | (trap ^ first)) == 0 {
        return first;
    }
    let mut counts = [0u8; 256];
    let mut best = first;
    for &trap in traps {
        counts[usize::from(trap)] += 1;
        if counts[usize::from(trap)] > counts[usize::from(best)] {
            best = trap;
        }
    }
    best
}

/// Which code belongs to which byte of the module.
pub(crate) struct AddressTable {
    blocks: Blocks,
    body: Body,
    /// Entries in the block under construction.
    len: usize,
    /// The entry before: offset in the text, offset in the module.
    last: (u32, u32),
}

impl Default for AddressTable {
    fn default() -> AddressTable {
        AddressTable { blocks: Blocks::default(), body: Body::EMPTY, len: 0, last: (0, u32::MAX) }
    }
}

impl AddressTable {
    /// Says that the code from `at` of the text on, behind all so far, belongs to byte `wasm` of the module.
    #[inline]
    pub(crate) fn push(&mut self, at: u32, wasm: u32) {
        if wasm == self.last.1 {
            return;
        }
        if self.len == 0 {
            self.body.flush(&mut self.blocks);
            self.blocks.begin(at);
            self.body.unsigned(0);
            self.body.unsigned(wasm.into());
        } else {
            self.body.unsigned(u64::from(at - self.last.0) << 1);
            self.body.signed(i64::from(wasm) - i64::from(self.last.1));
        }
        self.last = (at, wasm);
        self.blocks.entries += 1;
        self.len = (self.len + 1) % BLOCK;
    }

    /// Bytes of the section but for the block under construction.
    pub(crate) fn len(&self) -> usize {
        self.blocks.len()
    }

    /// The section.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.body.flush(&mut self.blocks);
        self.blocks.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmtime_environ::object::write::Object;
    use wasmtime_environ::object::{Architecture, BinaryFormat, Endianness};
    use wasmtime_environ::{
        AddressMapSection, CompiledTrap, FilePos, InstructionAddressMap, Trap, TrapEncodingBuilder, TrapInformation,
        lookup_file_pos, lookup_trap_code,
    };

    /// Code offset, module offset and a number for the trap of made-up instructions, in functions of ten.
    fn sites(count: u32) -> Vec<(u32, u32, u32)> {
        let mut state = 1u32;
        let mut random = move |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % below
        };
        let (mut at, mut wasm) = (0, 100_000);
        let mut sites = Vec::new();
        for i in 0..count {
            at += 1 + if random(9) == 0 { random(100_000) } else { random(70) };
            wasm = match random(12) {
                0 => wasm + random(100_000),
                1 => wasm - 1 - random(80),
                2 if i % 10 != 0 => wasm,
                _ => wasm + 1 + random(60),
            };
            sites.push((at, wasm, random(4)));
        }
        sites
    }

    fn trap(number: u32) -> Trap {
        [Trap::MemoryOutOfBounds, Trap::StackOverflow, Trap::BadSignature, Trap::MemoryOutOfBounds][number as usize]
    }

    /// The bytes that a builder of Wasmtime's puts in a section.
    fn section(append: impl FnOnce(&mut Object<'_>)) -> Vec<u8> {
        let mut object = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
        append(&mut object);
        let elf = object.write().unwrap();
        let word = |at: usize| u64::from_le_bytes(elf[at..at + 8].try_into().unwrap()) as usize;
        // The header of the first section, behind the one for no section.
        let header = word(0x28) + 0x40;
        elf[word(header + 0x18)..][..word(header + 0x20)].to_vec()
    }

    #[test]
    fn the_bytes_are_those_of_wasmtimes_builders() {
        for count in [0, 1, 2, 127, 128, 129, 256, 1000, 5000] {
            let sites = sites(count);
            let (mut traps, mut addresses) = (TrapTable::default(), AddressTable::default());
            let (mut trap_builder, mut address_builder) =
                (TrapEncodingBuilder::default(), AddressMapSection::default());
            for function in sites.chunks(10) {
                let range = function[0].0.into()..u64::from(function.last().unwrap().0) + 1;
                let mut trap_list = Vec::new();
                let mut address_list = Vec::new();
                for &(at, wasm, number) in function {
                    let trap_code = CompiledTrap::from(trap(number));
                    traps.push(at, trap_code.as_u8());
                    addresses.push(at, wasm);
                    let code_offset = at - function[0].0;
                    trap_list.push(TrapInformation { code_offset, trap_code });
                    address_list.push(InstructionAddressMap { srcloc: FilePos::new(wasm), code_offset });
                }
                trap_builder.push(range.clone(), &trap_list);
                address_builder.push(range, &address_list);
            }
            let (traps, addresses) = (traps.finish(), addresses.finish());
            assert!(traps == section(|object| trap_builder.append_to(object)), "traps, {count}");
            assert!(addresses == section(|object| address_builder.append_to(object)), "addresses, {count}");
            for (at, wasm, number) in sites {
                assert_eq!(lookup_trap_code(&traps, at as usize), Some(trap(number).into()));
                assert_eq!(lookup_file_pos(&addresses, at as usize), Some(FilePos::new(wasm)));
            }
        }
    }

    #[test]
    fn stack_maps_are_what_wasmtime_reads() {
        let mut maps = StackMaps::default();
        assert!(StackMaps::default().finish().is_none());
        let point = |at, map| Safepoint { at, map };
        maps.extend(
            0x100,
            &[point(4, 0), point(9, 0), point(70, 3)],
            &[24, 1, 0b10_0001, 1032, 9, 0, 0, 0, 0, 0, 0, 0, 0, 2],
        );
        maps.extend(0x200, &[point(0, 0)], &[8, 1, 1]);
        let section = maps.finish().unwrap();
        let read = |at| {
            let map = wasmtime_environ::StackMap::lookup(at, &section)?;
            Some((map.frame_size(), map.offsets().collect::<Vec<_>>()))
        };
        assert_eq!(read(0x104), Some((24, vec![0, 20])));
        assert_eq!(read(0x109), Some((24, vec![0, 20])));
        assert_eq!(read(0x100 + 70), Some((1032, vec![1028])));
        assert_eq!(read(0x200), Some((8, vec![0])));
        assert_eq!(read(0x105), None);
    }
}
