//! The two tables of a text that grow with every access: which instruction traps why, and which code belongs to which
//! byte of the module. In the formats of Wasmtime's `TrapEncodingBuilder` and `AddressMapSection`, whose bytes these are
//! (a test compares them); those builders take a list of structures per function, and made half of what linking cost.

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

    fn finish(self) -> Vec<u8> {
        let mut section = Vec::with_capacity(8 + 8 * self.index.len() + self.bodies.len());
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

/// Which instruction traps, and why.
pub(crate) struct TrapTable {
    blocks: Blocks,
    /// The block under construction: offset in the text, Wasmtime's number of the trap.
    block: [(u32, u8); BLOCK],
    /// Entries in it.
    len: usize,
}

impl Default for TrapTable {
    fn default() -> TrapTable {
        TrapTable { blocks: Blocks::default(), block: [(0, 0); BLOCK], len: 0 }
    }
}

impl TrapTable {
    /// Adds the instruction at `at` of the text, behind all others.
    #[inline]
    pub(crate) fn push(&mut self, at: u32, trap: u8) {
        self.block[self.len] = (at, trap);
        self.len += 1;
        if self.len == BLOCK {
            self.seal();
        }
    }

    fn seal(&mut self) {
        let block = &self.block[..self.len];
        let Some(&(first, _)) = block.first() else { return };
        let usual = most_common(block);
        self.blocks.begin(first);
        self.blocks.entries += self.len as u32;
        self.blocks.bodies.push(usual);
        let mut last = first;
        for &(at, trap) in block {
            let differs = trap != usual;
            uleb(&mut self.blocks.bodies, u64::from(at - last) << 1 | u64::from(differs));
            if differs {
                self.blocks.bodies.push(trap);
            }
            last = at;
        }
        self.len = 0;
    }

    /// The section.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.seal();
        self.blocks.finish()
    }
}

/// The trap that a block names most often; of several, the one that came to that number first.
fn most_common(block: &[(u32, u8)]) -> u8 {
    let usual = block[0].1;
    if block.iter().all(|(_, trap)| *trap == usual) {
        return usual;
    }
    let mut counts = [0u8; 256];
    let mut best = usual;
    for (_, trap) in block {
        counts[usize::from(*trap)] += 1;
        if counts[usize::from(*trap)] > counts[usize::from(best)] {
            best = *trap;
        }
    }
    best
}

/// Which code belongs to which byte of the module.
#[derive(Default)]
pub(crate) struct AddressTable {
    blocks: Blocks,
    /// Entries in the block under construction.
    len: usize,
    /// The entry before: offset in the text, offset in the module.
    last: (u32, u32),
}

impl AddressTable {
    /// Says that the code from `at` of the text on, behind all so far, belongs to byte `wasm` of the module.
    #[inline]
    pub(crate) fn push(&mut self, at: u32, wasm: u32) {
        if self.blocks.entries != 0 && wasm == self.last.1 {
            return;
        }
        if self.len == 0 {
            self.blocks.begin(at);
            self.blocks.bodies.push(0);
            uleb(&mut self.blocks.bodies, wasm.into());
        } else {
            let code = u64::from(at - self.last.0) << 1;
            let module = i64::from(wasm) - i64::from(self.last.1);
            if code < 0x80 && (-0x40..0x40).contains(&module) {
                self.blocks.bodies.extend_from_slice(&[code as u8, module as u8 & 0x7f]);
            } else {
                uleb(&mut self.blocks.bodies, code);
                sleb(&mut self.blocks.bodies, module);
            }
        }
        self.last = (at, wasm);
        self.blocks.entries += 1;
        self.len = (self.len + 1) % BLOCK;
    }

    /// The section.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.blocks.finish()
    }
}

#[inline]
fn uleb(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn sleb(bytes: &mut Vec<u8>, mut value: i64) {
    while !(-0x40..0x40).contains(&value) {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8 & 0x7f);
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
        let id = object.sections().next().expect("a section").0;
        object.section(id).data().to_vec()
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
