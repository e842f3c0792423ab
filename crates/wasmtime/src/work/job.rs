//! What is to be compiled: a job, which all threads share, and batches of neighbouring bodies, which are handed out.

use crate::error::Error;
use crate::input::translate::Translated;
use crate::output::budget::Meter;
use crate::settings::Settings;
use lightbeam_compiler::facts::{Callee, Facts, FuncFact};
use std::borrow::Cow;
use std::collections::VecDeque;
use wasmtime_environ::wasmparser::{BinaryReader, ValidatorResources, WasmFeatures};

/// Bytes of bodies in a batch, but for its last body, which may exceed it: about a millisecond's work.
const BATCH: usize = 32 << 10;

/// What all threads need to know of a module.
pub(crate) struct Job {
    pub(crate) facts: Facts,
    pub(super) meter: Meter,
    pub(super) features: WasmFeatures,
    pub(super) time_sweeps: bool,
    pub(super) count_functions: bool,
    /// How many functions the module imports: where the defined ones begin.
    pub(super) imported: u32,
    /// By index among the defined functions: type index.
    pub(super) types: Vec<u32>,
    /// What bodies are validated against; none if the module defines no function.
    pub(super) resources: Option<ValidatorResources>,
    pub(super) batch: usize,
    pub(super) threads: usize,
}

impl Job {
    /// Takes over the validators of all functions from a translation, which may have stand-ins for their bodies.
    pub(crate) fn new(settings: &Settings, facts: Facts, translated: &mut Translated<'_>) -> Job {
        let defined = |func: &FuncFact| matches!(func.callee, Callee::Defined { .. });
        let imported = facts.funcs.iter().position(defined).unwrap_or(facts.funcs.len()) as u32;
        let inputs = std::mem::take(&mut translated.0.function_body_inputs);
        Job {
            facts,
            meter: Meter::default(),
            features: settings.features,
            time_sweeps: settings.time_sweeps,
            count_functions: settings.count_functions,
            imported,
            types: inputs.values().map(|input| input.validator.ty).collect(),
            resources: inputs.into_iter().next().map(|(_, input)| input.validator.resources),
            batch: settings.batch.unwrap_or(BATCH),
            threads: settings.threads,
        }
    }

    /// How many functions the module defines.
    pub(crate) fn functions(&self) -> u32 {
        self.types.len() as u32
    }

    /// What remains of use when all is compiled.
    pub(crate) fn into_facts(self) -> Facts {
        self.facts
    }

    /// Cuts the entries of a code section, from byte `offset` of the module on, into batches.
    pub(crate) fn batches<'a>(&self, offset: usize, entries: &'a [u8]) -> Result<VecDeque<Batch<'a>>, Error> {
        let mut batches = VecDeque::new();
        let mut reader = BinaryReader::new_features(entries, offset, self.features);
        let (mut start, mut first) = (0, 0);
        for index in 0..self.functions() {
            let bytes = reader.read_var_u32().map_err(Error::from)? as usize;
            reader.read_bytes(bytes).map_err(Error::from)?;
            let end = reader.original_position() - offset;
            if end - start >= self.batch || index + 1 == self.functions() {
                batches.push_back(Batch {
                    first,
                    offset: offset + start,
                    entries: Cow::Borrowed(&entries[start..end]),
                });
                (start, first) = (end, index + 1);
            }
        }
        Ok(batches)
    }
}

/// Neighbouring entries of a code section: bodies, each behind its length.
pub(crate) struct Batch<'a> {
    /// Index of the first among the defined functions.
    pub(crate) first: u32,
    /// Byte offset in the module.
    pub(crate) offset: usize,
    pub(crate) entries: Cow<'a, [u8]>,
}

impl Batch<'static> {
    /// No entries yet; the next function has index `first`.
    pub(super) fn none(first: u32) -> Batch<'static> {
        Batch { first, offset: 0, entries: Cow::Owned(Vec::new()) }
    }
}
