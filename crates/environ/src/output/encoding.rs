//! The format that the two tables of a text share which grow with every access: which instruction traps why
//! (`traps.rs`), and which code belongs to which byte of the module (`addresses.rs`). It is that of Wasmtime's
//! `TrapEncodingBuilder` and `AddressMapSection`, whose bytes these are (a test compares them); those builders take a
//! list of structures per function, and made half of what linking cost.

/// Entries of a block, in both formats.
pub(super) const BLOCK: usize = 128;

/// Blocks of entries behind an index of where each begins.
#[derive(Default)]
pub(super) struct Blocks {
    /// By block: offset in the text of its first entry, offset of its body among the bodies.
    pub(super) index: Vec<[u32; 2]>,
    pub(super) bodies: Vec<u8>,
}

impl Blocks {
    /// Begins a block whose first entry is at `at` of the text.
    pub(super) fn begin(&mut self, at: u32) {
        let body = u32::try_from(self.bodies.len()).expect("a table is smaller than 4 GiB");
        self.index.push([at, body]);
    }

    pub(super) fn len(&self) -> usize {
        8 + 8 * self.index.len() + self.bodies.len()
    }

    /// The section, if so many entries are in the last block; 0 if it is full.
    pub(super) fn finish(self, last: usize) -> Vec<u8> {
        let mut section = Vec::with_capacity(self.len());
        let entries = BLOCK * self.index.len() - if last == 0 { 0 } else { BLOCK - last };
        section.extend_from_slice(&(entries as u32).to_le_bytes());
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
pub(super) struct Body {
    bytes: [u8; Body::MAX],
    len: u32,
}

impl Body {
    /// An entry is two numbers of at most 33 bits, and what begins a block is no longer.
    const MAX: usize = (BLOCK + 1) * 10;

    pub(super) const EMPTY: Body = Body { bytes: [0; Body::MAX], len: 0 };

    #[inline]
    pub(super) fn byte(&mut self, byte: u8) {
        self.bytes[self.len as usize] = byte;
        self.len += 1;
    }

    /// Appends two bytes, or the first of them.
    #[inline(always)]
    pub(super) fn bytes(&mut self, bytes: [u8; 2], both: bool) {
        let at = self.len as usize;
        self.bytes[at..at + 2].copy_from_slice(&bytes);
        self.len += 1 + u32::from(both);
    }

    /// Unsigned LEB128.
    #[inline]
    pub(super) fn unsigned(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.byte(value as u8 | 0x80);
            value >>= 7;
        }
        self.byte(value as u8);
    }

    /// Signed LEB128.
    #[inline]
    pub(super) fn signed(&mut self, mut value: i64) {
        while !(-0x40..0x40).contains(&value) {
            self.byte(value as u8 | 0x80);
            value >>= 7;
        }
        self.byte(value as u8 & 0x7f);
    }

    /// Moves it behind the bodies that are finished.
    pub(super) fn flush(&mut self, blocks: &mut Blocks) {
        blocks.bodies.extend_from_slice(&self.bytes[..self.len as usize]);
        self.len = 0;
    }
}

#[cfg(test)]
mod tests {
    use crate::output::addresses::AddressTable;
    use crate::output::traps::TrapTable;
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
}
