//! Proves finished artifacts: those that were just made, and those of others' making against the module that they are
//! said to be of.
//!
//! Of an artifact that was just made the metadata are believed, which Wasmtime's own writers made of Wasmtime's own
//! translation; its code and the tables that go with it are proved. Of one from elsewhere nothing is believed. All that
//! does not depend on the code is made anew from the module and must be the same, byte for byte; what does depend on it
//! is proved against that.

use crate::error::Error;
use crate::facts;
use crate::input::{component, translate};
use crate::origin::ArtifactOrigin;
use crate::output::artifact::{self, Source};
use crate::output::image::Image;
use crate::output::symbols::{Named, Symbols};
use crate::output::text::Piece;
use crate::output::unwind::UnwindTable;
use crate::report::Verified;
use crate::settings::{FEATURE, Settings};
use lightbeam_compiler::facts::{AddressMap, CpuFeatures};
use lightbeam_verify::artifact::{Addresses, Artifact, Key, Malformed, Of};
use lightbeam_verify::layout::{Description, Trampolines};
use lightbeam_verify::{Failure, Place, Proof, TextProver};
use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use wasmtime_environ::component::{TrampolineIndex, UnsafeIntrinsic};
use wasmtime_environ::wasmparser::{FuncToValidate, FuncValidatorAllocations, FunctionBody, ValidatorResources};
use wasmtime_environ::{
    Abi, BuiltinFunctionIndex, CompiledFunctionsTableBuilder, DefinedFuncIndex, FilePos, FuncKey, FunctionLoc,
    ModuleInternedTypeIndex, ModuleTranslation, ScopeVec, StaticModuleIndex, Tunables,
};

/// Bytes 6 and 7 of a component in the binary format.
const COMPONENT: [u8; 2] = [1, 0];

/// Bytes of code that a thread proves at once: about a millisecond's work.
const BATCH: u32 = 64 << 10;

/// Proves the code of an artifact whose metadata are right, and the tables that go with it. If it is one of a
/// component, `trampolines` says what that one's own functions are for.
#[inline(never)] // Profiles tell the phases apart by their functions.
pub(crate) fn prove(settings: &Settings, bytes: &[u8], trampolines: Option<&Trampolines>) -> Result<Verified, Error> {
    let malformed = |error: Malformed| Error::unverified(format!("the artifact is malformed: {error}"), None, None);
    let artifact = Artifact::parse(bytes).map_err(malformed)?;
    let description = Description::parse(&artifact).map_err(malformed)?;
    let facts = description.all_facts(settings.spectre, trampolines).map_err(malformed)?;
    let tables = description.tables(&artifact).map_err(malformed)?;
    let failed = |failure: Failure| {
        let function = match failure.place {
            Place::Function(defined) | Place::Thunk(defined) => Some(description.function(defined)),
            _ => None,
        };
        Error::unverified(format!("the code could not be proved: {failure}"), function, Some(failure.offset))
    };
    let prover = TextProver::new(&facts, artifact.text, &tables).map_err(failed)?;
    let batches = batches(&tables.functions);
    let parts = on_threads(threads(settings), batches.len(), |batch| prover.functions(batches[batch].clone()));
    // The failure is the first in the order of the text.
    let parts = parts.into_iter().collect::<Result<Vec<_>, Failure>>().map_err(failed)?;
    let proof = prover.finish(parts).map_err(failed)?;
    lightbeam_verify::tables::check(&tables, &proof).map_err(failed)?;
    let Proof { instructions, steps, .. } = proof;
    Ok(Verified { functions: tables.functions.len() as u32, instructions, steps })
}

/// How many threads may be started here: none beside this one if threads are the host's.
fn threads(settings: &Settings) -> usize {
    if settings.control.spawner.is_some() { 1 } else { settings.threads }
}

/// Functions in batches.
fn batches(functions: &[lightbeam_verify::facts::Range]) -> Vec<Range<u32>> {
    let mut batches = Vec::new();
    let (mut first, mut from) = (0, 0);
    for (index, function) in functions.iter().enumerate() {
        if function.end - from >= BATCH || index + 1 == functions.len() {
            batches.push(first..index as u32 + 1);
            (first, from) = (index as u32 + 1, function.end);
        }
    }
    batches
}

/// Does so many pieces of work on so many threads at most, this one among them, and gives what comes of it in order.
fn on_threads<R: Send>(threads: usize, pieces: usize, work: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let share = || {
        let mut done = Vec::new();
        loop {
            let piece = next.fetch_add(1, Ordering::Relaxed);
            if piece >= pieces {
                return done;
            }
            done.push((piece, work(piece)));
        }
    };
    let mut done = std::thread::scope(|scope| {
        // What does not start, others do.
        let helpers =
            (1..threads.min(pieces)).map_while(|_| std::thread::Builder::new().spawn_scoped(scope, share).ok());
        let helpers: Vec<_> = helpers.collect();
        let mut done = share();
        for helper in helpers {
            done.append(&mut helper.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(piece, _)| *piece);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Proves an artifact of whatever origin to be one of this module or component for these settings.
pub fn foreign(settings: &Settings, bytes: &[u8], wasm: &[u8]) -> wasmtime_environ::error::Result<Verified> {
    let artifact = Artifact::parse(bytes)
        .map_err(|error| Error::unverified(format!("this is no artifact: {error}"), None, None))?;
    if ArtifactOrigin::of(bytes).is_some() {
        ArtifactOrigin::check(bytes).map_err(|error| Error::unverified(error.message(), None, None))?;
    }
    let of = if wasm.get(6..8) == Some(&COMPONENT) { Of::Component } else { Of::Module };
    if artifact.of != of {
        let name = |of| if of == Of::Component { "a component" } else { "a core module" };
        let message = format!("the artifact is one of {}, and this is {}", name(artifact.of), name(of));
        return Err(Error::unverified(message, None, None).into());
    }
    let mut settings = settings.clone();
    if let Some(flags) = Description::processor_features(&artifact) {
        settings.cpu = of_flags(&flags);
    }
    settings.tunables.generate_address_map = artifact.addresses.is_some();
    settings.unwind = artifact.unwind.is_some();
    settings.address_map = if artifact.addresses.is_some() { AddressMap::Traps } else { AddressMap::None };

    let (rebuilt, trampolines) = match of {
        Of::Module => (rebuild(&settings, &artifact, wasm)?, None),
        Of::Component => {
            let (rebuilt, trampolines) = rebuild_component(&settings, &artifact, wasm)?;
            (rebuilt, Some(trampolines))
        }
    };
    if rebuilt != bytes {
        return Err(Error::unverified(difference(&artifact, bytes, &rebuilt), None, None).into());
    }
    Ok(prove(&settings, bytes, trampolines.as_ref())?)
}

/// Processor features by the names under which artifacts list them. Others than these are none that code may use.
fn of_flags(flags: &[&str]) -> CpuFeatures {
    let mut cpu = CpuFeatures::default();
    for (name, used) in cpu.by_name() {
        *used = flags.iter().any(|flag| flag.strip_prefix(FEATURE) == Some(name));
    }
    cpu
}

/// The artifact that Lightbeam would write for a module, if the code for it and the tables of the code were these.
fn rebuild(settings: &Settings, artifact: &Artifact<'_>, wasm: &[u8]) -> wasmtime_environ::error::Result<Vec<u8>> {
    let mut translated = translate::translate(settings, wasm)?;
    let facts = facts::of_module(settings, wasm, &translated.0, &translated.1)?;
    let (sources, bodies) = bodies(&mut translated.0)?;
    validate(threads(settings), bodies)?;

    // Once without code, for where the function table begins, then with it.
    let empty = without_code(settings, facts.references);
    let without = artifact::write(settings, Source::Module(translated), empty)?.into_bytes()?;
    let image = restored(settings, artifact, &without, &[sources], facts.references)?;
    Ok(artifact::write(settings, Source::Module(translate::translate(settings, wasm)?), image)?.into_bytes()?)
}

/// The artifact that Lightbeam would write for a component, likewise, and what its own functions are for.
fn rebuild_component(
    settings: &Settings,
    artifact: &Artifact<'_>,
    wasm: &[u8],
) -> wasmtime_environ::error::Result<(Vec<u8>, Trampolines)> {
    let scope = ScopeVec::new();
    let mut translated = component::translate_whole(settings, wasm, &scope)?;
    let mut references = false;
    let mut sources = Vec::with_capacity(translated.modules.len());
    let mut all = Vec::new();
    for translation in translated.modules.values_mut() {
        let types = translated.types.module_types_builder();
        references |= facts::of_module(settings, translation.wasm, translation, types)?.references;
        let (of_module, mut bodies) = bodies(translation)?;
        sources.push(of_module);
        all.append(&mut bodies);
    }
    validate(threads(settings), all)?;

    let empty = without_code(settings, references);
    let without = artifact::write(settings, Source::Component(translated, wasm), empty)?.into_bytes()?;
    let image = restored(settings, artifact, &without, &sources, references)?;
    let scope = ScopeVec::new();
    let mut translated = component::translate_whole(settings, wasm, &scope)?;
    let trampolines = std::mem::take(&mut translated.component.trampolines);
    let bytes = artifact::write(settings, Source::Component(translated, wasm), image)?.into_bytes()?;
    Ok((bytes, trampolines))
}

/// Takes the bodies out of the translation of a module; with the bytes where they are.
fn bodies<'a>(
    translation: &mut ModuleTranslation<'a>,
) -> wasmtime_environ::error::Result<(Vec<FilePos>, Vec<Body<'a>>)> {
    let inputs = std::mem::take(&mut translation.function_body_inputs);
    let mut sources = Vec::with_capacity(inputs.len());
    let mut bodies = Vec::with_capacity(inputs.len());
    for (_, input) in inputs {
        sources.push(FilePos::new(u32::try_from(input.body.range().start)?));
        bodies.push((input.validator, input.body));
    }
    Ok((sources, bodies))
}

/// An image without code.
fn without_code(settings: &Settings, references: bool) -> Image {
    let mut image = Image::new(settings, false);
    image.objects = references;
    image
}

/// An image with the code of an artifact and the tables that go with it. `without` is the artifact that Lightbeam would
/// write without the code, `sources` are the bytes where the functions of each module are.
fn restored(
    settings: &Settings,
    artifact: &Artifact<'_>,
    without: &[u8],
    sources: &[Vec<FilePos>],
    references: bool,
) -> Result<Image, Error> {
    let of_ours = |error: Malformed| Error::unverified(format!("what was made anew is malformed: {error}"), None, None);
    let table = Description::parse(&Artifact::parse(without).map_err(of_ours)?).map_err(of_ours)?.function_table();

    let mut image = without_code(settings, references);
    image.functions = functions(artifact, table, sources)?;
    image.text.push(Piece { code: artifact.text.to_vec(), from: 0 });
    artifact.traps.iter().for_each(|&(at, trap)| image.traps.push(at, trap));
    image.stack_maps.restore(&artifact.stack_maps);
    image.exceptions.restore(&artifact.exceptions);
    // In a form that can do no harm, as the verifier has seen.
    image.unwind = artifact.unwind.map(|section| UnwindTable::restored(section.to_vec()));
    if settings.tunables.debug_symbols {
        let symbols = &artifact.symbols;
        image.symbols = Named::Table(Symbols { entries: symbols.entries.clone(), strings: symbols.strings.to_vec() });
    }
    if let (Some(table), Some(addresses)) = (&mut image.addresses, artifact.addresses) {
        let addresses = Addresses::parse(addresses)
            .map_err(|error| Error::unverified(format!("the artifact is malformed: {error}"), None, None))?;
        // Code that belongs to no byte of the module is nothing that Lightbeam's tables say.
        addresses.0.iter().filter_map(|&(at, wasm)| Some((at, wasm?))).for_each(|(at, wasm)| table.push(at, wasm));
    }
    Ok(image)
}

type Body<'a> = (FuncToValidate<ValidatorResources>, FunctionBody<'a>);

/// Validates function bodies, on as many threads as may be.
fn validate(threads: usize, bodies: Vec<Body<'_>>) -> Result<(), Error> {
    const SHARE: usize = 256;
    let mut shares = Vec::with_capacity(bodies.len().div_ceil(SHARE));
    let mut bodies = bodies.into_iter().peekable();
    while bodies.peek().is_some() {
        shares.push(Mutex::new(bodies.by_ref().take(SHARE).collect::<Vec<_>>()));
    }
    let results = on_threads(threads, shares.len(), |share| -> Result<(), Error> {
        let bodies = std::mem::take(&mut *shares[share].lock().unwrap_or_else(PoisonError::into_inner));
        let mut allocations = FuncValidatorAllocations::default();
        for (validator, body) in bodies {
            let mut validator = validator.into_validator(allocations);
            validator.validate(&body)?;
            allocations = validator.into_allocations();
        }
        Ok(())
    });
    // The error is the first in the order of the bytes.
    results.into_iter().collect()
}

/// The function table that an artifact has at this byte of its description, with the functions of each module at the
/// places in its bytes where they are.
fn functions(
    artifact: &Artifact<'_>,
    at: usize,
    sources: &[Vec<FilePos>],
) -> Result<CompiledFunctionsTableBuilder, Error> {
    let other = |why: String| Error::unverified(format!("the artifact is not of this module: {why}"), None, None);
    let (pieces, _) = artifact.pieces(at).map_err(|error| other(error.to_string()))?;
    let mut functions = CompiledFunctionsTableBuilder::new();
    for piece in pieces {
        let mut source = FilePos::none();
        let key = match piece.key {
            Key::Function(module, index) => {
                let of_module = sources.get(module as usize).and_then(|sources| sources.get(index as usize));
                let Some(known) = of_module else { return Err(other("it has more functions".into())) };
                source = *known;
                FuncKey::DefinedWasmFunction(StaticModuleIndex::from_u32(module), DefinedFuncIndex::from_u32(index))
            }
            Key::Entry(module, index) => {
                FuncKey::ArrayToWasmTrampoline(StaticModuleIndex::from_u32(module), DefinedFuncIndex::from_u32(index))
            }
            Key::HostExit(ty) => FuncKey::WasmToArrayTrampoline(ModuleInternedTypeIndex::from_u32(ty)),
            Key::BuiltinExit(index) if index < BuiltinFunctionIndex::len() => {
                FuncKey::WasmToBuiltinTrampoline(BuiltinFunctionIndex::from_u32(index))
            }
            Key::BuiltinExit(_) => return Err(other("it calls unknown builtins".into())),
            Key::Trampoline(index) => FuncKey::ComponentTrampoline(Abi::Wasm, TrampolineIndex::from_u32(index)),
            Key::TrampolineEntry(index) => FuncKey::ComponentTrampoline(Abi::Array, TrampolineIndex::from_u32(index)),
            Key::DropExit => FuncKey::ResourceDropTrampoline,
            Key::Intrinsic(index) | Key::IntrinsicEntry(index) if index >= UnsafeIntrinsic::len() => {
                return Err(other("it has unknown intrinsics".into()));
            }
            Key::Intrinsic(index) => FuncKey::UnsafeIntrinsic(Abi::Wasm, UnsafeIntrinsic::from_u32(index)),
            Key::IntrinsicEntry(index) => FuncKey::UnsafeIntrinsic(Abi::Array, UnsafeIntrinsic::from_u32(index)),
            Key::Startup(module) => FuncKey::ModuleStartup(Abi::Wasm, StaticModuleIndex::from_u32(module)),
            Key::StartupEntry(module) => FuncKey::ModuleStartup(Abi::Array, StaticModuleIndex::from_u32(module)),
        };
        let place = FunctionLoc { start: piece.start, length: piece.end - piece.start };
        functions.push_func(key, place, source);
    }
    Ok(functions)
}

/// What differs between an artifact and what was made anew, in words for whoever has to find out why.
fn difference(artifact: &Artifact<'_>, bytes: &[u8], rebuilt: &[u8]) -> String {
    let Ok(ours) = Artifact::parse(rebuilt) else { return "what was made anew is malformed".into() };
    if artifact.engine != ours.engine {
        let settings = Description::settings(artifact).zip(Description::settings(&ours));
        let differ = settings.map(|(theirs, ours)| differing(&theirs, &ours)).unwrap_or_default();
        return format!("the artifact is for other settings than these{differ}");
    }
    if artifact.info != ours.info {
        return "the artifact describes another module or component than this".into();
    }
    let at = bytes.iter().zip(rebuilt).position(|(theirs, ours)| theirs != ours);
    let at = at.unwrap_or(bytes.len().min(rebuilt.len()));
    format!("the artifact is not as Lightbeam writes it for this module: byte {at} of the file differs")
}

/// The settings that differ, a line each.
fn differing(theirs: &Tunables, ours: &Tunables) -> String {
    let lines = |settings: &Tunables| -> Vec<String> {
        format!("{settings:#?}").lines().map(|line| line.trim().trim_end_matches(',').to_owned()).collect()
    };
    let pairs = lines(theirs).into_iter().zip(lines(ours)).filter(|(theirs, ours)| theirs != ours);
    pairs.map(|(theirs, ours)| format!("; it has `{theirs}`, they have `{ours}`")).collect()
}
