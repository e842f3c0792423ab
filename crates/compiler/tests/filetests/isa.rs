//! The instruction sets that file tests are made for: a line here, and a file beside this one that reads its machine
//! code.

use crate::compile::{self, Code};
use crate::facts::{self, Module};
use crate::file::Settings;
use crate::x64;
use lightbeam_compiler::facts::CpuFeatures;
use lightbeam_compiler::isa::Isa;
use lightbeam_compiler::isa::x64::X64;
use std::ops::Range;

/// An instruction set.
pub(crate) struct InstructionSet {
    pub(crate) name: &'static str,
    compile: for<'a> fn(&'a [u8], &Settings, CpuFeatures) -> Result<(Module<'a>, Code), String>,
    /// Reads the instructions of a range of code, which ends where its constants begin.
    pub(crate) read: fn(&Code, Range<u32>, &Names<'_>) -> Result<Vec<Item>, String>,
}

/// All of them.
pub(crate) static SETS: &[InstructionSet] = &[InstructionSet { name: "x64", compile: compile::<X64>, read: x64::read }];

impl InstructionSet {
    /// Compiles a module, which is given back with its names.
    pub(crate) fn compile<'a>(
        &self,
        wasm: &'a [u8],
        settings: &Settings,
        cpu: CpuFeatures,
    ) -> Result<(Module<'a>, Code), String> {
        (self.compile)(wasm, settings, cpu)
    }
}

/// Compiles a module for an instruction set.
pub(crate) fn compile<'a, I: Isa>(
    wasm: &'a [u8],
    settings: &Settings,
    cpu: CpuFeatures,
) -> Result<(Module<'a>, Code), String> {
    let mut module = facts::module::<I>(wasm, settings, cpu)?;
    let code = compile::code::<I>(&mut module, settings)?;
    Ok((module, code))
}

/// An instruction, or data that stands between instructions.
pub(crate) struct Item {
    /// Offset of its first byte.
    pub(crate) at: u32,
    /// Offset behind its last byte.
    pub(crate) end: u32,
    /// As text, with [`LABEL`] for each place of `labels`. Empty if it does nothing but take room.
    pub(crate) text: String,
    /// Offsets in the same piece of code that it names, in the order of the text.
    pub(crate) labels: Vec<u32>,
}

/// Stands for a label in the text of an [`Item`].
pub(crate) const LABEL: char = '@';

/// What places have names.
pub(crate) struct Names<'a> {
    pub(crate) module: &'a Module<'a>,
    /// What relocations reach, by the offset of the field.
    pub(crate) targets: &'a [(u32, String)],
}

impl Names<'_> {
    /// What a field within an instruction reaches, if it waits for a relocation.
    pub(crate) fn target(&self, at: u32, end: u32) -> Option<&str> {
        let from = self.targets.partition_point(|(field, _)| *field < at);
        self.targets.get(from).filter(|(field, _)| *field < end).map(|(_, name)| name.as_str())
    }
}
