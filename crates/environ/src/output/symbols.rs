//! What lies where in the text, by name: the symbols that profilers and debuggers look for, under the names that
//! Wasmtime's own compilers give them. What those do not have is named so that `wasmtime objdump`, which panics on a
//! symbol of a kind that it does not know, takes it for a trampoline or a library call.

use lightbeam_compiler::code::Routine;
use std::io::Write;
use wasmtime_environ::component::{Trampoline, TrampolineIndex};
use wasmtime_environ::{Abi, DefinedFuncIndex, FuncIndex, FuncKey, ModuleInternedTypeIndex, StaticModuleIndex};

/// The longest part of a symbol that a module may choose, in characters, as with Wasmtime.
const LONGEST: usize = 96;

/// A symbol: a piece of the text with what it is called.
#[derive(Clone, Copy)]
pub(crate) struct Symbol {
    pub(crate) name: Name,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// What a piece of the text is called.
#[derive(Clone, Copy)]
pub(crate) enum Name {
    /// What the function table says that it is.
    Key(FuncKey),
    /// It enters a function for a caller of the host's convention.
    Thunk(StaticModuleIndex, DefinedFuncIndex),
    /// A routine that a module has once.
    Routine(Routine),
    /// Gives a data segment, or drops it.
    Data(StaticModuleIndex, u32, bool),
}

/// The pieces of a text that are to be named.
pub(crate) enum Named {
    /// None.
    Nothing,
    /// These.
    Pieces(Vec<Symbol>),
    /// Those that a table names already.
    Table(Symbols),
}

/// The table of symbols, and that of their names, in which the first is empty.
#[derive(Default)]
pub(crate) struct Symbols {
    /// Where a name begins, where in the text the piece is, and how long it is.
    pub(crate) entries: Vec<[u32; 3]>,
    pub(crate) strings: Vec<u8>,
}

impl Symbols {
    pub(crate) fn new(pieces: &[Symbol], names: &dyn Names) -> Symbols {
        // Most names are short.
        let mut symbols =
            Symbols { entries: Vec::with_capacity(pieces.len()), strings: Vec::with_capacity(1 + 40 * pieces.len()) };
        symbols.strings.push(0);
        for Symbol { name, start, end } in pieces {
            symbols.entries.push([symbols.strings.len() as u32, *start, end - start]);
            write(&mut symbols.strings, name, names);
            symbols.strings.push(0);
        }
        symbols
    }

    /// The name that begins here.
    pub(crate) fn name(&self, at: u32) -> String {
        let bytes = &self.strings[at as usize..];
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    }
}

/// Who knows what names stand for.
pub(crate) trait Names {
    /// A function's index in its module, and what the module calls it.
    fn function(&self, module: StaticModuleIndex, function: DefinedFuncIndex) -> (FuncIndex, Option<&str>);
    /// How many parameters a function of this type has.
    fn parameters(&self, ty: ModuleInternedTypeIndex) -> u32;
    /// A component's trampoline.
    fn trampoline(&self, index: TrampolineIndex) -> Option<&Trampoline>;
}

/// Appends a name to a table of strings.
fn write(table: &mut Vec<u8>, name: &Name, names: &dyn Names) {
    let of_module = |table: &mut Vec<u8>, module: StaticModuleIndex, what: &[u8]| {
        table.extend_from_slice(b"wasm[");
        number(table, module.as_u32());
        table.extend_from_slice(b"]::");
        table.extend_from_slice(what);
        table.push(b'[');
    };
    let abi = |abi: Abi| match abi {
        Abi::Wasm => "wasm-call",
        Abi::Array => "array-call",
        Abi::Patchable => "patchable-call",
    };
    let by_index = |table: &mut Vec<u8>, module, defined, what: &[u8]| {
        let (index, name) = names.function(module, defined);
        of_module(table, module, what);
        number(table, index.as_u32());
        table.push(b']');
        name
    };
    match *name {
        Name::Key(FuncKey::DefinedWasmFunction(module, defined)) => {
            if let Some(name) = by_index(table, module, defined, b"function") {
                table.extend_from_slice(b"::");
                clean(table, name);
            }
        }
        Name::Key(FuncKey::ArrayToWasmTrampoline(module, defined)) => {
            by_index(table, module, defined, b"array_to_wasm_trampoline");
        }
        Name::Thunk(module, defined) => {
            by_index(table, module, defined, b"tail_to_private_trampoline");
        }
        Name::Data(module, segment, drop) => {
            of_module(table, module, if drop { b"data_drop_trampoline" } else { b"data_segment_trampoline" });
            number(table, segment);
            table.push(b']');
        }
        Name::Key(FuncKey::WasmToArrayTrampoline(ty)) => {
            table.extend_from_slice(b"signatures[");
            number(table, ty.as_u32());
            table.extend_from_slice(b"]::wasm_to_array_trampoline");
        }
        Name::Key(FuncKey::WasmToBuiltinTrampoline(builtin)) => {
            table.extend_from_slice(b"wasmtime_builtin_");
            table.extend_from_slice(builtin.name().as_bytes());
        }
        Name::Key(FuncKey::ModuleStartup(abi, module)) => {
            text(table, format_args!("module_start[{}]::{abi:?}", module.as_u32()));
        }
        Name::Key(FuncKey::ComponentTrampoline(kind, index)) => {
            let name = names.trampoline(index).map(Trampoline::symbol_name);
            let name = name.as_deref().unwrap_or_default();
            text(table, format_args!("component-trampolines[{}]-{}-{name}", index.as_u32(), abi(kind)));
        }
        Name::Key(FuncKey::ResourceDropTrampoline) => table.extend_from_slice(b"resource_drop_trampoline"),
        Name::Key(FuncKey::UnsafeIntrinsic(kind, intrinsic)) => {
            text(table, format_args!("unsafe-intrinsics-{}-{}", abi(kind), intrinsic.name()));
        }
        // No others are made.
        Name::Key(key) => text(table, format_args!("{key:?}")),
        Name::Routine(routine) => {
            text(table, format_args!("lightbeam-libcall::{routine:?}"));
            // Spaces end a name in the files that profilers read.
            let start = table.iter().rposition(|byte| *byte == 0).map_or(0, |end| end + 1);
            table[start..].iter_mut().filter(|byte| **byte == b' ').for_each(|byte| *byte = b'_');
        }
    }
}

fn text(table: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    table.write_fmt(text).expect("memory takes all that is written to it");
}

/// Appends a number in decimal.
fn number(table: &mut Vec<u8>, mut number: u32) {
    let mut digits = [0; 10];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return table.extend_from_slice(&digits[at..]);
        }
    }
}

/// Appends what a module calls a function, as far as tools can be expected to read it: graphic characters of ASCII, and
/// a question mark for any run of others.
fn clean(table: &mut Vec<u8>, name: &str) {
    if name.len() <= LONGEST && name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return table.extend_from_slice(name.as_bytes());
    }
    let mut last = '\0';
    let marked = name.chars().map(|char| if char.is_ascii_graphic() { char } else { '?' });
    let single = marked.filter(|char| {
        let again = last == '?' && *char == '?';
        last = *char;
        !again
    });
    table.extend(single.take(LONGEST).map(|char| char as u8));
}
