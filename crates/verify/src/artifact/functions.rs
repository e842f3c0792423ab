//! The function table: which code is for what. It is read by its form, which is that of the host's
//! `CompiledFunctionsTable`, as that type itself panics at a table that is not as it should be.

use super::{Malformed, Of, ensure};
use serde::Deserialize;
use wasmtime_environ::FuncKeyKind;

/// What a piece of code is for. Modules are numbered in the order of the artifact; where there is but one it is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The body of a function: its module, and its index among those that this defines.
    Function(u32, u32),
    /// Enters such a function for the host.
    Entry(u32, u32),
    /// Calls a host function of a type, by the host's number of the type.
    HostExit(u32),
    /// Calls a builtin, by the host's number of it.
    BuiltinExit(u32),
    /// A function of the component's own, by its index, for callers in modules.
    Trampoline(u32),
    /// Enters such a function for the host.
    TrampolineEntry(u32),
    /// Calls a host function that drops a resource.
    DropExit,
    /// An unsafe intrinsic, by the host's number of it, for callers in modules.
    Intrinsic(u32),
    /// Enters one for the host.
    IntrinsicEntry(u32),
    /// Makes an instance of a module ready: by the convention that functions have.
    Startup(u32),
    /// Enters that for the host.
    StartupEntry(u32),
}

/// A piece of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What it is for.
    pub key: Key,
    /// Offset of its first byte.
    pub start: u32,
    /// Offset after its last byte.
    pub end: u32,
    /// Byte of what the module came in that it was made from, if it is a function.
    pub wasm: Option<u32>,
}

/// The host's table, field by field.
#[derive(Deserialize)]
struct Table {
    /// Kinds of keys, each with a number in the lower 28 bits: of a module or of a convention.
    namespaces: Vec<u32>,
    /// By namespace: its first among `places`.
    places_from: Vec<u32>,
    /// By namespace: its first among `indices`, if it has any there.
    indices_from: Vec<u32>,
    /// By namespace: its first among `sources`, if it has any there.
    sources_from: Vec<u32>,
    /// Indices of keys of which only some exist.
    indices: Vec<u32>,
    /// Where each key's code begins, and how long it is: nothing for a key that does not exist.
    places: Vec<(u32, u32)>,
    /// The byte of the module that each function was made from.
    sources: Vec<u32>,
}

/// Bits of a namespace that are its kind.
const KIND: u32 = 0xf000_0000;

/// A source that says of none.
const NO_SOURCE: u32 = u32::MAX;

/// Conventions of entries, as namespaces number them.
const FOR_WASM: u32 = 0;
/// See `FOR_WASM`.
const FOR_HOST: u32 = 1;

/// Reads a function table from the front of bytes. What it names is in ascending order in a text of so many bytes,
/// nothing twice. Returns what is behind it, too.
pub(super) fn parse(bytes: &[u8], of: Of, text: u32) -> Result<(Vec<Piece>, &[u8]), Malformed> {
    let broken = |_| Malformed::new("the function table is no table");
    let (table, rest) = postcard::take_from_bytes::<Table>(bytes).map_err(broken)?;
    let Table { namespaces, places_from, indices_from, sources_from, indices, places, sources } = &table;
    let count = namespaces.len();
    let lengths = [places_from.len(), indices_from.len(), sources_from.len()];
    ensure(lengths == [count; 3], "the function table's parts differ in length")?;
    let mut pieces: Vec<Piece> = Vec::with_capacity(places.len());
    // How much of each list has been read.
    let (mut place, mut index, mut source) = (0, 0, 0);
    let mut last_namespace = None;
    let mut last_key = None;
    let mut end = 0;
    for namespace in 0..count {
        let begins = [places_from[namespace], indices_from[namespace], sources_from[namespace]].map(|at| at as usize);
        ensure(begins == [place, index, source], "the function table's parts do not follow each other")?;
        let next = places_from.get(namespace + 1).map_or(places.len(), |next| *next as usize);
        ensure((place..=places.len()).contains(&next), "the function table's parts do not follow each other")?;
        let (kind, number) = (namespaces[namespace] & KIND, namespaces[namespace] & !KIND);
        ensure(last_namespace < Some(namespaces[namespace]), "the function table is not in order")?;
        last_namespace = Some(namespaces[namespace]);
        let is_of = |known: FuncKeyKind| kind == known.into_raw();
        let of_module =
            [FuncKeyKind::DefinedWasmFunction, FuncKeyKind::ArrayToWasmTrampoline, FuncKeyKind::ModuleStartup];
        let of_convention = [FuncKeyKind::ComponentTrampoline, FuncKeyKind::UnsafeIntrinsic];
        let most = match of {
            Of::Component if of_module.into_iter().any(is_of) => !KIND,
            Of::Component if of_convention.into_iter().any(is_of) => FOR_HOST,
            _ => 0,
        };
        ensure(number <= most, "the function table is of modules or conventions that there are not")?;
        for (nth, &(start, length)) in places[place..next].iter().enumerate() {
            let dense = nth as u32;
            let wasm = if kind == FuncKeyKind::DefinedWasmFunction.into_raw() {
                let wasm = *sources.get(source).ok_or_else(|| Malformed::new("a function has no source"))?;
                source += 1;
                Some(wasm).filter(|wasm| *wasm != NO_SOURCE)
            } else {
                None
            };
            let mut sparse = || {
                let key = indices.get(index).copied().ok_or_else(|| Malformed::new("the function table lacks a key"));
                index += 1;
                key
            };
            let key = match kind {
                _ if is_of(FuncKeyKind::DefinedWasmFunction) => Key::Function(number, dense),
                _ if is_of(FuncKeyKind::ArrayToWasmTrampoline) => Key::Entry(number, sparse()?),
                _ if is_of(FuncKeyKind::WasmToArrayTrampoline) => Key::HostExit(dense),
                _ if is_of(FuncKeyKind::WasmToBuiltinTrampoline) => Key::BuiltinExit(sparse()?),
                _ if is_of(FuncKeyKind::ModuleStartup) => match sparse()? {
                    FOR_WASM => Key::Startup(number),
                    FOR_HOST => Key::StartupEntry(number),
                    _ => return Err(Malformed::new("startup of an unknown convention")),
                },
                _ if of == Of::Module => return Err(Malformed::new("the function table has what no module needs")),
                _ if is_of(FuncKeyKind::ComponentTrampoline) && number == FOR_WASM => Key::Trampoline(dense),
                _ if is_of(FuncKeyKind::ComponentTrampoline) => Key::TrampolineEntry(dense),
                _ if is_of(FuncKeyKind::ResourceDropTrampoline) && dense == 0 => Key::DropExit,
                _ if is_of(FuncKeyKind::UnsafeIntrinsic) && number == FOR_WASM => Key::Intrinsic(dense),
                _ if is_of(FuncKeyKind::UnsafeIntrinsic) => Key::IntrinsicEntry(dense),
                _ => return Err(Malformed::new("the function table has what no component needs")),
            };
            ensure(last_key < Some((namespace, key)), "the function table is not in order")?;
            last_key = Some((namespace, key));
            // What does not exist is where what does has ended.
            let in_order = if length == 0 { start == end } else { start >= end };
            let limit = start.checked_add(length).filter(|limit| *limit <= text && in_order);
            end =
                limit.ok_or_else(|| Malformed::new("the function table names code out of order or out of the text"))?;
            if length != 0 {
                pieces.push(Piece { key, start, end, wasm });
            }
        }
        place = next;
    }
    let read = [place, index, source] == [places.len(), indices.len(), sources.len()];
    ensure(read, "the function table has more than keys need")?;
    Ok((pieces, rest))
}
