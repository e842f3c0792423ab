//! Compiles a module as a host would, and hands on what comes of it as data that no instruction set is part of. All
//! that these tests ask of the compiler, they ask here.

use crate::facts::Module;
use crate::file::Settings;
use lightbeam_compiler::code::{CallSite, Handler, Parts, Record, Reloc, Routine, Safepoint, Target};
use lightbeam_compiler::isa::Isa;
use lightbeam_compiler::{Workspace, Writer, compile, compile_routine};
use std::ops::Range;

/// Compiled code. Offsets count from its first byte.
pub(crate) struct Code {
    pub(crate) bytes: Vec<u8>,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) relocs: Vec<Reloc>,
    pub(crate) records: Vec<Record>,
    pub(crate) sites: Vec<CallSite>,
    pub(crate) handlers: Vec<Handler>,
    pub(crate) safepoints: Vec<Safepoint>,
    pub(crate) maps: Vec<u32>,
}

/// A function or routine.
pub(crate) struct Piece {
    pub(crate) name: String,
    pub(crate) range: Range<u32>,
    /// Of a function.
    pub(crate) parts: Option<Parts>,
}

/// Compiles all functions of a module, and all routines that these name if they are wanted. What the fast sweep should
/// decide, it must.
pub(crate) fn code<I: Isa>(module: &mut Module<'_>, settings: &Settings) -> Result<Code, String> {
    let (mut workspace, mut writer) = (Workspace::default(), Writer::<I>::new(module.facts.settings.cpu));
    let mut pieces = Vec::new();
    let mut left = Vec::new();
    for (index, (validator, body)) in std::mem::take(&mut module.bodies).into_iter().enumerate() {
        let function = validator.index;
        compile(&module.facts, index as u32, validator, body, &mut workspace, &mut writer)
            .map_err(|error| format!("{}: {error}", module.name(function)))?;
        if writer.counters.left_to_judge > left.len() as u64 {
            left.push(module.name(function));
        }
        let func = writer.funcs.last().expect("a function was compiled");
        pieces.push(Piece { name: module.name(function), range: func.body..func.end, parts: Some(func.parts.clone()) });
    }
    match (settings.left, left.is_empty()) {
        (false, false) => return Err(format!("the fast sweep does not decide {}", left.join(", "))),
        (true, true) => return Err("the fast sweep leaves nothing to the judge, as the settings say".into()),
        _ => {}
    }
    if settings.routines {
        routines_of(module, &mut workspace, &mut writer, &mut pieces)?;
    }
    Ok(Code {
        bytes: writer.code().to_vec(),
        pieces,
        relocs: writer.relocs,
        records: writer.records,
        sites: writer.sites,
        handlers: writer.handlers,
        safepoints: writer.safepoints,
        maps: writer.maps,
    })
}

/// The routines that relocations name, those that these name in turn, and all constants.
fn routines_of<I: Isa>(
    module: &Module<'_>,
    workspace: &mut Workspace<I>,
    writer: &mut Writer<I>,
    pieces: &mut Vec<Piece>,
) -> Result<(), String> {
    let mut made = Vec::new();
    let constants = 0..module.facts.constants.len() as u32;
    let mut wanted: Vec<Routine> = constants.map(|index| Routine::Constant { index }).collect();
    let mut seen = 0;
    loop {
        let named = writer.relocs[seen..].iter().filter_map(|reloc| match reloc.target {
            Target::Routine(routine) => Some(routine),
            _ => None,
        });
        wanted.extend(named);
        seen = writer.relocs.len();
        wanted.sort_unstable();
        wanted.dedup();
        wanted.retain(|routine| !made.contains(routine));
        if wanted.is_empty() {
            return Ok(());
        }
        for routine in std::mem::take(&mut wanted) {
            let start =
                compile_routine(&module.facts, routine, workspace, writer).map_err(|error| error.to_string())?;
            pieces.push(Piece { name: format!("routine({routine:?})"), range: start..writer.offset(), parts: None });
            made.push(routine);
        }
    }
}
