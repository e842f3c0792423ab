//! What compiling a module took and gave, in numbers.

use lightbeam_compiler::code::Counters;
use std::time::Duration;

/// How far compiling a module or a component has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Functions compiled so far.
    pub functions_compiled: u32,
    /// Functions that the module defines, once the stream has come to its code section.
    pub functions_total: Option<u32>,
    /// Bytes received so far.
    pub bytes: usize,
}

/// What compiling a module took and gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Wall-clock time by phase.
    pub phases: Phases,
    /// Functions that the module defines.
    pub functions: u32,
    /// Bytes of the module.
    pub wasm_bytes: usize,
    /// Bytes of all its function bodies.
    pub body_bytes: usize,
    /// Bytes of machine code made for its functions; trampolines are not counted.
    pub code_bytes: usize,
    /// Bytes of the whole text: functions, trampolines, padding.
    pub text_bytes: usize,
    /// Bytes of the artifact.
    pub artifact_bytes: usize,
    /// What the compiler did how often.
    pub counters: Counters,
    /// Of a component, what it consists of.
    pub component: Option<ComponentReport>,
    /// Was it found in a cache? Then of the phases only `load` was spent, and nothing is counted but the bytes of the
    /// module and of the artifact.
    pub cached: bool,
    /// What was proved, if `Compiler::verify` asks for it.
    pub verified: Option<Verified>,
    /// Each function that the module defines, in order, if
    /// `Compiler::count_functions` asks for it.
    pub per_function: Vec<FunctionReport>,
}

/// What a component consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ComponentReport {
    /// Core modules that are in it, however often each is instantiated.
    pub modules: u32,
    /// Modules that were made for its adapters, which come behind those.
    pub adapters: u32,
}

/// What compiling one function gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FunctionReport {
    /// Which core module it is of: 0, but in a component.
    pub module: u32,
    /// Its index in the module, which counts imported functions too.
    pub index: u32,
    /// Its name, if the module tells.
    pub name: Option<String>,
    /// Bytes of its body.
    pub body_bytes: usize,
    /// Bytes of machine code made for it; padding is not counted.
    pub code_bytes: usize,
    /// What the compiler did how often.
    pub counters: Counters,
}

/// What was proved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// Functions that the module defines.
    pub functions: u32,
    /// Instructions of all its code.
    pub instructions: u64,
    /// How often one was looked at, which is more often where paths meet, for tests and measurements: it grows with the
    /// code, and no faster.
    pub steps: u64,
}

/// Wall-clock time by phase of compilation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Phases {
    /// Parsing and validating everything but function bodies, and describing the module to the compiler.
    pub decode: Duration,
    /// Of `decode`: Wasmtime's translation of a component as a whole, which links its modules and writes adapters. Zero
    /// for a module.
    pub translate: Duration,
    /// Function bodies: handing them over, validating, surveying, emitting; with threads, as long as somebody waited.
    pub compile: Duration,
    /// Of `compile`: sweep 1, validation and survey. Of several threads' time it is the share that passed while they
    /// worked side by side, here as in `emit`.
    pub survey: Duration,
    /// Of `compile`: sweep 2, emission.
    pub emit: Duration,
    /// Of `survey` and `emit`: adapters between components.
    pub adapters: Duration,
    /// Laying out and linking code, making trampolines, writing the artifact.
    pub link: Duration,
    /// Proving the artifact; zero if `Compiler::verify` does not ask for it.
    pub verify: Duration,
    /// Wasmtime's loading of the artifact; zero if it was not loaded.
    pub load: Duration,
}

impl Phases {
    /// The sum.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.decode + self.compile + self.link + self.verify + self.load
    }

    /// Names and values, in order. What `compile` took beside its two sweeps is decoding.
    #[must_use]
    pub fn list(&self) -> [(&'static str, Duration); 6] {
        let decode = self.decode + self.compile.saturating_sub(self.survey + self.emit);
        [
            ("decode", decode),
            ("survey", self.survey),
            ("emit", self.emit),
            ("link", self.link),
            ("verify", self.verify),
            ("load", self.load),
        ]
    }
}
