//! Tables read as the host's own readers read them, and whatever bytes there are without a panic.

use super::*;
use crate::facts::{CallSite, Handler};

/// A block table of traps as the host writes it, for few entries.
fn trap_section(entries: &[(u32, u8)]) -> Vec<u8> {
    let mut index = Vec::new();
    let mut bodies = Vec::new();
    for block in entries.chunks(128) {
        index.extend([block[0].0, bodies.len() as u32]);
        let usual = block[0].1;
        bodies.push(usual);
        let mut last = block[0].0;
        for &(at, trap) in block {
            let mut number = u64::from(at - last) << 1 | u64::from(trap != usual);
            while number > 0x7f {
                bodies.push(number as u8 | 0x80);
                number >>= 7;
            }
            bodies.push(number as u8);
            if trap != usual {
                bodies.push(trap);
            }
            last = at;
        }
    }
    words(&[&[entries.len() as u32, index.len() as u32 / 2], &index[..]].concat()).into_iter().chain(bodies).collect()
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

#[test]
fn traps_are_those_that_the_host_finds() {
    for count in [0, 1, 127, 128, 129, 300] {
        let entries: Vec<(u32, u8)> = (0..count).map(|i| (3 + 40 * i + i % 5, (i % 7 / 6) as u8)).collect();
        let section = trap_section(&entries);
        assert_eq!(tables::traps(&section).unwrap(), entries);
        let host = wasmtime_environ::iterate_traps(&section).unwrap();
        assert!(host.map(|(at, trap)| (at, trap.as_u8())).eq(entries.iter().copied()));
    }
}

#[test]
fn traps_that_the_host_might_not_find_are_refused() {
    let entries: Vec<(u32, u8)> = (0..200).map(|i| (10 * i, 1)).collect();
    let section = trap_section(&entries);
    // One entry less than there is, one more, a block less, no order.
    for (at, word) in [(0, 199), (0, 201), (4, 1), (4, 3), (16, 5), (20, 0), (20, 700)] {
        let mut section = section.clone();
        section[at..at + 4].copy_from_slice(&u32::to_le_bytes(word));
        tables::traps(&section).unwrap_err();
    }
    let twice = trap_section(&[(5, 1), (5, 1)]);
    tables::traps(&twice).unwrap_err();
    // A number that is longer than it need be, as nobody writes it.
    let mut long = trap_section(&[(5, 1)]);
    long.pop();
    long.extend([0x80, 0]);
    tables::traps(&long).unwrap_err();
}

#[test]
fn the_exception_table_is_six_lists() {
    const NONE: u32 = u32::MAX;
    let section = words(&[2, 3, 10, 20, 32, 48, 2, 3, 0, NONE, 1, 8, 8, NONE, 100, 110, 120]);
    let table = Exceptions::parse(&section).unwrap();
    let call = |returns_to, frame, handlers| CallSite { returns_to, frame, handlers };
    assert_eq!(table.calls, [call(10, 32, (0, 2)), call(20, 48, (2, 3))]);
    let handler = |tag, context, pad| Handler { tag, context, pad };
    let handlers = [handler(Some(0), Some(8), 100), handler(None, Some(8), 110), handler(Some(1), None, 120)];
    assert_eq!(table.handlers, handlers);
    for (at, word) in [(0, 3), (1, 2), (2, 20), (3, 10), (6, 4), (7, 2), (0, NONE), (1, NONE)] {
        let mut section = section.clone();
        section[4 * at..4 * at + 4].copy_from_slice(&word.to_le_bytes());
        Exceptions::parse(&section).unwrap_err();
    }
}

#[test]
fn stack_maps_are_those_that_the_host_finds() {
    let section = words(&[3, 0x104, 0x109, 0x146, 0, 0, 3, 24, 1, 0b10_0001, 1032, 1, 2]);
    let maps = StackMaps::parse(&section).unwrap();
    for map in &maps.calls {
        let host = wasmtime_environ::StackMap::lookup(map.returns_to, &section).unwrap();
        assert_eq!(host.frame_size(), map.frame);
        let bits = &maps.words[map.bits.0 as usize..map.bits.1 as usize];
        let slots = (0..32 * bits.len()).filter(|bit| bits[bit / 32] >> (bit % 32) & 1 == 1).map(|bit| 4 * bit as u32);
        assert!(host.offsets().eq(slots));
    }
    for (at, word) in [(1, 0x109), (4, 6), (5, 5), (4, u32::MAX), (11, 2), (0, u32::MAX)] {
        let mut section = section.clone();
        section[4 * at..4 * at + 4].copy_from_slice(&u32::to_le_bytes(word));
        StackMaps::parse(&section).unwrap_err();
    }
}

use wasmtime_environ::component::{TrampolineIndex, UnsafeIntrinsic};
use wasmtime_environ::{
    Abi, BuiltinFunctionIndex, CompiledFunctionsTableBuilder, DefinedFuncIndex, EntityRef, FilePos, FuncKey,
    FunctionLoc, ModuleInternedTypeIndex, StaticModuleIndex,
};

/// A function table as the host writes it, of 16 bytes for each, and what is to be read in it.
fn table(keys: &[(FuncKey, Key, Option<u32>)]) -> (Vec<u8>, Vec<Piece>) {
    let mut builder = CompiledFunctionsTableBuilder::new();
    let mut expected = Vec::new();
    for (nth, &(key, mine, wasm)) in keys.iter().enumerate() {
        let start = 16 * nth as u32;
        let source = wasm.map_or(FilePos::none(), FilePos::new);
        builder.push_func(key, FunctionLoc { start, length: 9 }, source);
        expected.push(Piece { key: mine, start, end: start + 9, wasm });
    }
    (postcard::to_allocvec(&builder.finish()).unwrap(), expected)
}

/// The table is read as it is meant, and whatever is changed in it is noticed or changes what is read.
fn check_table(of: Of, keys: &[(FuncKey, Key, Option<u32>)]) {
    let (mut bytes, expected) = table(keys);
    bytes.extend([1, 2, 3]);
    let (pieces, rest) = functions::parse(&bytes, of, 4096).unwrap();
    assert_eq!(pieces, expected);
    assert_eq!(rest, [1, 2, 3]);
    let last = 16 * (keys.len() as u32 - 1);
    assert!(functions::parse(&bytes, of, last).is_err(), "the last is out of the text");
    for at in 0..bytes.len() - 3 {
        for bit in 0..8 {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1 << bit;
            // What is read differs, or nothing is.
            if let Ok((other, rest)) = functions::parse(&bytes, of, 4096) {
                assert!(other != pieces || rest.len() != 3, "byte {at}, bit {bit}");
            }
        }
        assert!(functions::parse(&bytes[..at], of, 4096).is_err());
    }
}

#[test]
fn the_function_table_is_the_hosts() {
    let module = StaticModuleIndex::from_u32(0);
    let function = |index| FuncKey::DefinedWasmFunction(module, DefinedFuncIndex::new(index));
    let keys = [
        (function(0), Key::Function(0, 0), Some(40)),
        (function(1), Key::Function(0, 1), Some(90)),
        (FuncKey::ArrayToWasmTrampoline(module, DefinedFuncIndex::new(1)), Key::Entry(0, 1), None),
        (FuncKey::WasmToArrayTrampoline(ModuleInternedTypeIndex::new(0)), Key::HostExit(0), None),
        (FuncKey::WasmToArrayTrampoline(ModuleInternedTypeIndex::new(3)), Key::HostExit(3), None),
        (FuncKey::WasmToBuiltinTrampoline(BuiltinFunctionIndex::from_u32(2)), Key::BuiltinExit(2), None),
        (FuncKey::WasmToBuiltinTrampoline(BuiltinFunctionIndex::from_u32(9)), Key::BuiltinExit(9), None),
        (FuncKey::ModuleStartup(Abi::Wasm, module), Key::Startup(0), None),
        (FuncKey::ModuleStartup(Abi::Array, module), Key::StartupEntry(0), None),
    ];
    check_table(Of::Module, &keys);
}

#[test]
fn the_function_table_of_a_component_is_of_all_its_modules() {
    let module = StaticModuleIndex::from_u32;
    let function = |of, index| FuncKey::DefinedWasmFunction(module(of), DefinedFuncIndex::new(index));
    let trampoline = TrampolineIndex::from_u32;
    let (get, set) = (UnsafeIntrinsic::ContextGetI32_0, UnsafeIntrinsic::ContextSetI32_0);
    let keys = [
        (function(0, 0), Key::Function(0, 0), Some(40)),
        (function(0, 1), Key::Function(0, 1), Some(90)),
        (function(2, 0), Key::Function(2, 0), Some(20)),
        (FuncKey::ArrayToWasmTrampoline(module(0), DefinedFuncIndex::new(1)), Key::Entry(0, 1), None),
        (FuncKey::ArrayToWasmTrampoline(module(2), DefinedFuncIndex::new(0)), Key::Entry(2, 0), None),
        (FuncKey::WasmToArrayTrampoline(ModuleInternedTypeIndex::new(3)), Key::HostExit(3), None),
        (FuncKey::WasmToBuiltinTrampoline(BuiltinFunctionIndex::from_u32(2)), Key::BuiltinExit(2), None),
        (FuncKey::ComponentTrampoline(Abi::Wasm, trampoline(0)), Key::Trampoline(0), None),
        (FuncKey::ComponentTrampoline(Abi::Wasm, trampoline(1)), Key::Trampoline(1), None),
        (FuncKey::ComponentTrampoline(Abi::Array, trampoline(0)), Key::TrampolineEntry(0), None),
        (FuncKey::ComponentTrampoline(Abi::Array, trampoline(1)), Key::TrampolineEntry(1), None),
        (FuncKey::ResourceDropTrampoline, Key::DropExit, None),
        (FuncKey::UnsafeIntrinsic(Abi::Wasm, get), Key::Intrinsic(get.index()), None),
        (FuncKey::UnsafeIntrinsic(Abi::Wasm, set), Key::Intrinsic(set.index()), None),
        (FuncKey::UnsafeIntrinsic(Abi::Array, get), Key::IntrinsicEntry(get.index()), None),
        (FuncKey::ModuleStartup(Abi::Wasm, module(1)), Key::Startup(1), None),
        (FuncKey::ModuleStartup(Abi::Array, module(1)), Key::StartupEntry(1), None),
    ];
    check_table(Of::Component, &keys);
    // None of it is for the artifact of a module.
    for keys in [&keys[2..3], &keys[7..8], &keys[11..12], &keys[12..13], &keys[15..16]] {
        assert!(functions::parse(&table(keys).0, Of::Component, 4096).is_ok(), "{keys:?}");
        assert!(functions::parse(&table(keys).0, Of::Module, 4096).is_err(), "{keys:?}");
    }
}

#[test]
fn no_bytes_are_a_panic() {
    let mut state = 1u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32
    };
    for length in 0..200 {
        for _ in 0..50 {
            let mut bytes: Vec<u8> = (0..length).map(|_| random() as u8).collect();
            if length > 8 {
                // Counts that are about right.
                let (a, b) = (random() % 8, random() % 8);
                bytes[..8].copy_from_slice(&words(&[a, b]));
            }
            let _ = tables::traps(&bytes);
            let _ = Addresses::parse(&bytes);
            let _ = Exceptions::parse(&bytes);
            let _ = StackMaps::parse(&bytes);
            let _ = functions::parse(&bytes, Of::Component, 1 << 20);
            Artifact::parse(&bytes).unwrap_err();
        }
    }
}
