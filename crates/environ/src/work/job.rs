//! What is to be compiled: a job for each core module, which all threads share, and batches of neighbouring bodies,
//! which are handed out.

use crate::control::Watch;
use crate::error::Error;
use crate::kept::Shelf;
use crate::output::budget::Meter;
use crate::settings::Settings;
use lightbeam_compiler::facts::{Callee, CpuFeatures, Facts, FuncFact};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;
use wasmtime_environ::wasmparser::{BinaryReader, ValidatorResources, WasmFeatures, WasmModuleResources};
use wasmtime_environ::{ModuleTranslation, StaticModuleIndex};

/// Bytes of bodies in a batch, but for its last body, which may exceed it: about a millisecond's work.
const BATCH: usize = 32 << 10;

/// What the jobs of all modules of an artifact have in common.
pub(crate) struct Terms {
    pub(super) meter: Meter,
    pub(crate) control: Watch,
    /// Where threads have their tools from.
    pub(super) shelf: Arc<Shelf>,
    features: WasmFeatures,
    pub(super) cpu: CpuFeatures,
    pub(super) time_sweeps: bool,
    pub(super) count_functions: bool,
    pub(super) batch: usize,
    pub(super) threads: usize,
}

impl Terms {
    pub(crate) fn new(settings: &Settings) -> Arc<Terms> {
        Terms::with_threads(settings, settings.threads)
    }

    /// Those of the settings but for how many threads may compile.
    pub(crate) fn with_threads(settings: &Settings, threads: usize) -> Arc<Terms> {
        Arc::new(Terms {
            meter: Meter::default(),
            control: Watch::new(&settings.control),
            shelf: settings.kept.shelf.clone(),
            features: settings.features,
            cpu: settings.cpu,
            time_sweeps: settings.time_sweeps,
            count_functions: settings.count_functions,
            batch: settings.batch.unwrap_or(BATCH),
            threads,
        })
    }
}

/// What all threads need to know of a core module.
pub(crate) struct Job {
    pub(crate) terms: Arc<Terms>,
    /// What bodies may use to be valid.
    pub(crate) features: WasmFeatures,
    pub(crate) facts: Facts,
    pub(crate) module: StaticModuleIndex,
    /// Was the module made for adapters?
    pub(crate) adapter: bool,
    /// How many functions the modules ahead of it define: where its own begin among those of all.
    pub(crate) first: u32,
    /// Bytes of other modules that count as ahead of this one where the budget is concerned, beside those ahead of it
    /// in the same bytes.
    pub(crate) ahead: usize,
    /// How many functions the module imports: where the defined ones begin.
    pub(crate) imported: u32,
    /// By index among the defined functions: type index.
    pub(crate) types: Vec<u32>,
    /// What bodies are validated against; none if the module defines no function.
    pub(crate) resources: Option<ValidatorResources>,
}

impl Job {
    /// Takes over the validators of all functions from a translation, which may have stand-ins for their bodies.
    pub(crate) fn new(
        terms: Arc<Terms>,
        facts: Facts,
        translation: &mut ModuleTranslation<'_>,
        (first, ahead): (u32, usize),
    ) -> Job {
        let defined = |func: &FuncFact| matches!(func.callee, Callee::Defined { .. });
        let imported = facts.funcs.iter().position(defined).unwrap_or(facts.funcs.len()) as u32;
        let inputs = std::mem::take(&mut translation.function_body_inputs);
        Job {
            features: terms.features,
            terms,
            facts,
            module: translation.module_index(),
            adapter: false,
            first,
            ahead,
            imported,
            types: inputs.values().map(|input| input.validator.ty).collect(),
            resources: inputs.into_iter().next().map(|(_, input)| input.validator.resources),
        }
    }

    /// Of a translation that is in use, whose functions have these validators in common.
    pub(crate) fn of_translation(
        terms: Arc<Terms>,
        facts: Facts,
        translation: &ModuleTranslation<'_>,
        resources: Option<&ValidatorResources>,
    ) -> Job {
        let imported = translation.module.num_imported_funcs as u32;
        let defined = imported..translation.module.functions.len() as u32;
        let types = |resources: &ValidatorResources| {
            let of_function = |index| resources.type_index_of_function(index).expect("a function has a type");
            defined.map(of_function).collect()
        };
        Job {
            features: terms.features,
            terms,
            facts,
            module: translation.module_index(),
            adapter: false,
            first: 0,
            ahead: 0,
            imported,
            types: resources.map_or_else(Vec::new, types),
            resources: resources.cloned(),
        }
    }

    /// How many functions the module defines.
    pub(crate) fn functions(&self) -> u32 {
        self.types.len() as u32
    }

    /// Cuts the entries of a code section, from byte `offset` of the module on, into batches.
    pub(crate) fn batches<'a>(self: &Arc<Job>, offset: usize, entries: &'a [u8]) -> Result<VecDeque<Batch<'a>>, Error> {
        let mut batches = VecDeque::new();
        let mut reader = BinaryReader::new_features(entries, offset, self.features);
        let (mut start, mut first) = (0, 0);
        for index in 0..self.functions() {
            let bytes = reader.read_var_u32().map_err(Error::from)? as usize;
            reader.read_bytes(bytes).map_err(Error::from)?;
            let end = reader.original_position() - offset;
            if end - start >= self.terms.batch || index + 1 == self.functions() {
                batches.push_back(Batch {
                    job: self.clone(),
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
    pub(super) job: Arc<Job>,
    /// Index of the first among the defined functions.
    pub(crate) first: u32,
    /// Byte offset in the module.
    pub(crate) offset: usize,
    pub(crate) entries: Cow<'a, [u8]>,
}

impl Batch<'_> {
    /// One that borrows nothing.
    pub(super) fn owned(self) -> Batch<'static> {
        let Batch { job, first, offset, entries } = self;
        Batch { job, first, offset, entries: Cow::Owned(entries.into_owned()) }
    }
}

impl Batch<'static> {
    /// No entries yet; the next function of the job has index `first` and is at byte `offset`.
    pub(super) fn none(job: Arc<Job>, first: u32, offset: usize) -> Batch<'static> {
        Batch { job, first, offset, entries: Cow::Owned(Vec::new()) }
    }
}
