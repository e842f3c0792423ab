//! Function bodies of modules with what it takes to validate them, and mutations of bodies.

use crate::random::Random;
use lightbeam_compiler::facts::{Callee, Facts, FuncFact, GlobalFact, MemoryFact, Owner, TableFact, Where};
use lightbeam_compiler::isa::Isa;
use lightbeam_compiler::isa::x64::X64;
use lightbeam_compiler::ty::Ty;
use std::ops::Range;
use wasm_encoder::Instruction;
use wasm_encoder::reencode::{self, Reencode};
use wasmparser::{
    BinaryReader, FuncToValidate, FuncType, FunctionBody, GlobalType, MemoryType, Parser, Payload, TableType, TypeRef,
    ValType, ValidPayload, Validator, ValidatorResources, WasmFeatures,
};

/// A module ready for its bodies to be validated.
pub struct Bodies {
    /// What the compiler would be told of it. Places are made up: validation does not look at them.
    pub facts: Facts,
    /// Its functions and the bytes of their bodies, valid or not.
    pub funcs: Vec<(FuncToValidate<ValidatorResources>, Vec<u8>)>,
}

const fn index_type(is_64: bool) -> Ty {
    if is_64 { Ty::I64 } else { Ty::I32 }
}

const OWNER: Owner = Owner::Here(0);
const PLACE: Where = Where::Ctx(0);

impl Bodies {
    /// The bodies of a module; `None` if the module is invalid outside of them or has what is not supported.
    #[must_use]
    pub fn of(wasm: &[u8], features: WasmFeatures) -> Option<Bodies> {
        // The modules of a component have facts of their own each.
        if Parser::is_component(wasm) {
            return None;
        }
        let mut validator = Validator::new_with_features(features);
        let mut bodies = Bodies { facts: Facts::default(), funcs: Vec::new() };
        let mut parser = Parser::new(0);
        parser.set_features(features);
        for payload in parser.parse_all(wasm) {
            let payload = payload.ok()?;
            bodies.note(&payload)?;
            if let ValidPayload::Func(func, body) = validator.payload(&payload).ok()? {
                bodies.funcs.push((func, body.as_bytes().to_vec()));
            }
        }
        Some(bodies)
    }

    fn note(&mut self, payload: &Payload<'_>) -> Option<()> {
        match payload {
            Payload::TypeSection(types) => {
                for ty in types.clone().into_iter_err_on_gc_types() {
                    self.sig(&ty.ok()?)?;
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.clone().into_imports() {
                    match import.ok()?.ty {
                        TypeRef::Func(sig) => self.func(sig, Callee::Imported { code: 0, context: 0, inline: None }),
                        TypeRef::Table(ty) => self.table(ty)?,
                        TypeRef::Memory(ty) => self.memory(ty)?,
                        TypeRef::Global(ty) => self.global(ty)?,
                        TypeRef::Tag(_) | TypeRef::FuncExact(_) => return None,
                    }
                }
            }
            Payload::FunctionSection(funcs) => {
                for (sig, index) in funcs.clone().into_iter().zip(0..) {
                    self.func(sig.ok()?, Callee::Defined { index, escapes: false });
                }
            }
            Payload::TableSection(tables) => {
                for table in tables.clone() {
                    self.table(table.ok()?.ty)?;
                }
            }
            Payload::MemorySection(memories) => {
                for memory in memories.clone() {
                    self.memory(memory.ok()?)?;
                }
            }
            Payload::GlobalSection(globals) => {
                for global in globals.clone() {
                    self.global(global.ok()?.ty)?;
                }
            }
            Payload::TagSection(_) => return None,
            _ => {}
        }
        Some(())
    }

    fn sig(&mut self, ty: &FuncType) -> Option<()> {
        let types = |types: &[ValType]| types.iter().map(|ty| Ty::of(*ty)).collect::<Option<Vec<Ty>>>();
        self.facts.types.push(Some(self.facts.sigs.len() as u32));
        self.facts.objects.push(None);
        self.facts.final_types.push(true);
        self.facts.sigs.push(X64::sig(&types(ty.params())?, &types(ty.results())?));
        Some(())
    }

    fn func(&mut self, sig: u32, callee: Callee) {
        self.facts.funcs.push(FuncFact { sig, callee });
    }

    fn global(&mut self, ty: GlobalType) -> Option<()> {
        let (value, mutable) = (Ty::of(ty.content_type)?, ty.mutable);
        self.facts.globals.push(GlobalFact { ty: value, mutable, plain: true, at: PLACE, constant: None });
        Some(())
    }

    fn memory(&mut self, ty: MemoryType) -> Option<()> {
        self.facts.memories.push(MemoryFact {
            index: index_type(ty.memory64),
            page_size_log2: 16,
            base: PLACE,
            length: PLACE,
            owner: OWNER,
            fixed_length: None,
            base_may_move: true,
            unchecked_span: 0,
            faults_are_traps: false,
        });
        Some(())
    }

    fn table(&mut self, ty: TableType) -> Option<()> {
        self.facts.tables.push(TableFact {
            elem: Ty::of(ValType::Ref(ty.element_type))?,
            plain: true,
            type_id: None,
            index: index_type(ty.table64),
            base: PLACE,
            length: PLACE,
            owner: OWNER,
            fixed_length: None,
            lazy: true,
        });
        (!ty.shared).then_some(())
    }
}

/// A function to validate that is the same as another but in the bytes of its body.
#[must_use]
pub fn again(func: &FuncToValidate<ValidatorResources>) -> FuncToValidate<ValidatorResources> {
    let FuncToValidate { resources, index, ty, features } = func;
    FuncToValidate { resources: resources.clone(), index: *index, ty: *ty, features: *features }
}

/// A body of these bytes, somewhere in a module.
#[must_use]
pub fn body(bytes: &[u8]) -> FunctionBody<'_> {
    FunctionBody::new(BinaryReader::new(bytes, 1000))
}

/// A module that does the same, but before each operator so many numbers come and go: whatever its operands are, they
/// have made room for others.
#[must_use]
pub fn making_room(wasm: &[u8], numbers: usize) -> Option<Vec<u8>> {
    struct MakingRoom(usize);
    impl Reencode for MakingRoom {
        type Error = std::convert::Infallible;
        fn parse_function_body(
            &mut self,
            code: &mut wasm_encoder::CodeSection,
            body: FunctionBody<'_>,
        ) -> Result<(), reencode::Error<Self::Error>> {
            let mut function = self.new_function_with_parsed_locals(&body)?;
            let mut reader = body.get_operators_reader()?;
            while !reader.eof() {
                for number in 0..self.0 {
                    function.instruction(&Instruction::I32Const(number as i32));
                }
                for _ in 0..self.0 {
                    function.instruction(&Instruction::Drop);
                }
                let instruction = self.parse_instruction(&mut reader)?;
                function.instruction(&instruction);
            }
            code.function(&function);
            Ok(())
        }
    }
    let mut module = wasm_encoder::Module::new();
    MakingRoom(numbers).parse_core_module(&mut module, Parser::new(0), wasm).ok()?;
    Some(module.finish())
}

/// Where the operators of a body are, as far as they can be read.
fn operators(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let Ok(mut reader) = body(bytes).get_operators_reader() else { return found };
    while !reader.eof() {
        let start = reader.original_position() - 1000;
        if reader.read().is_err() {
            break;
        }
        found.push(start..reader.original_position() - 1000);
    }
    found
}

/// A body with one to three mutations: of bits and bytes, of the length of numbers, of whole operators. `other` is a
/// body to take operators from.
#[must_use]
pub fn mutate(random: &mut Random, bytes: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let times = if random.one_in(3) { 2 + random.below(2) } else { 1 };
    for _ in 0..times {
        mutate_once(random, &mut bytes, other);
    }
    bytes
}

fn mutate_once(random: &mut Random, bytes: &mut Vec<u8>, other: &[u8]) {
    if bytes.is_empty() {
        return bytes.push(random.bits() as u8);
    }
    let at = random.below(bytes.len());
    let any = random.bits() as u8;
    match random.below(12) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes[at] = any,
        2 => bytes[at] = *random.pick(&[0x00, 0x01, 0x02, 0x05, 0x0b, 0x1a, 0x40, 0x70, 0x7f, 0x80, 0xfc, 0xfe, 0xff]),
        3 => drop(bytes.remove(at)),
        4 => bytes.insert(at, any),
        5 => bytes.truncate(at),
        6 => {
            // A number in more bytes than it needs, perhaps in more than are allowed.
            let fill = if bytes[at] & 0x40 != 0 && random.one_in(2) { 0xff } else { 0x80 };
            let last = if random.one_in(4) { any & 0x7f } else { fill & 0x7f };
            let more = random.below(10);
            bytes[at] |= 0x80;
            bytes.splice(at + 1..at + 1, std::iter::repeat_n(fill, more).chain([last]));
        }
        kind => mutate_operators(random, bytes, other, kind),
    }
}

fn mutate_operators(random: &mut Random, bytes: &mut Vec<u8>, other: &[u8], kind: usize) {
    let ranges = operators(bytes);
    if ranges.is_empty() {
        return bytes.push(random.bits() as u8);
    }
    let here = random.pick(&ranges).clone();
    match kind {
        // Another opcode, mostly of the same kind.
        7 if random.one_in(3) => bytes[here.start] = random.bits() as u8,
        7 => bytes[here.start] = bytes[here.start].wrapping_add(random.below(5) as u8).wrapping_sub(2),
        // Other immediates.
        8 => {
            let at = here.start + random.below(here.len());
            bytes[at] = bytes[at].wrapping_add(1 + random.below(3) as u8).wrapping_sub(2);
        }
        // Two operators change places, or one is lost.
        9 => {
            let there = random.pick(&ranges).clone();
            let (a, b) = if here.start < there.start { (here, there) } else { (there, here) };
            let (first, second) = (bytes[a.clone()].to_vec(), bytes[b.clone()].to_vec());
            if a != b {
                bytes.splice(b, first);
            }
            bytes.splice(a, second.into_iter().filter(|_| !random.one_in(50)));
        }
        10 => drop(bytes.drain(here)),
        // Operators of another body, or those that make code unreachable or open blocks.
        _ => {
            let theirs = operators(other);
            let piece = if theirs.is_empty() || random.one_in(2) {
                const PIECES: &[&[u8]] = &[
                    &[0x00],
                    &[0x0f],
                    &[0x1a],
                    &[0x1b],
                    &[0x0c, 0x00],
                    &[0x0d, 0x00],
                    &[0x0c, 0x01],
                    &[0x0e, 0x01, 0x00, 0x01],
                    &[0x0e, 0x02, 0x00, 0x00, 0x00],
                    &[0x02, 0x40],
                    &[0x02, 0x7f],
                    &[0x02, 0x70],
                    &[0x03, 0x40],
                    &[0x04, 0x7e],
                    &[0x02, 0x00],
                    &[0x03, 0x00],
                    &[0x03, 0x01],
                    &[0x04, 0x01],
                    &[0x05],
                    &[0x0b],
                    &[0x41, 0x00],
                    &[0x42, 0xff, 0x00],
                    &[0x20, 0x00],
                    &[0x22, 0x00],
                    &[0xd0, 0x70],
                    &[0xd1],
                    &[0xd2, 0x00],
                    &[0x1c, 0x01, 0x70],
                    &[0x1c, 0x01, 0x7f],
                    &[0x25, 0x00],
                    &[0xfc, 0x0a, 0x00, 0x00],
                    &[0xfc, 0x0f, 0x00],
                    &[0xfc, 0x13],
                    &[0xfe, 0x00, 0x02, 0x00],
                    &[0xfe, 0x01, 0x02, 0x00],
                    &[0xfe, 0x03, 0x00],
                    &[0xfe, 0x11, 0x03, 0x04],
                    &[0xfe, 0x1b, 0x00, 0x00],
                    &[0xfe, 0x1e, 0x02, 0x00],
                    &[0xfe, 0x4e, 0x02, 0x00],
                    &[0x3f, 0x00],
                    &[0x11, 0x00, 0x00],
                    &[0x12, 0x00],
                    &[0x24, 0x00],
                ];
                random.pick(PIECES).to_vec()
            } else {
                let first = random.below(theirs.len());
                let last = (first + random.below(6)).min(theirs.len() - 1);
                other[theirs[first].start..theirs[last].end].to_vec()
            };
            bytes.splice(here.start..here.start, piece);
        }
    }
}
