//! What an engine asks of code, as plain data. Who has an engine, or makes one, fills it in.

use crate::control::Control;
use crate::kept::Kept;
use crate::target::Machine;
use lightbeam_compiler::facts;
pub use lightbeam_compiler::facts::{AddressMap, CpuFeatures};
use lightbeam_compiler::facts::{Costs, Work};
use lightbeam_compiler::isa::Isa;
use std::collections::HashMap;
use std::num::NonZero;
use std::sync::Arc;
use wasmtime_environ::wasmparser::{self, WasmFeatures};
use wasmtime_environ::{Collector, FlagValue, OperatorCost, OperatorCostStrategy, Tunables};

/// How Wasmtime's names of processor features begin; the rest is a name of [`CpuFeatures`].
pub const FEATURE: &str = "has_";

/// What artifacts have for the version of Wasmtime, if an engine says nothing else.
pub const VERSION: &str = "48";

/// Everything besides the module that code and artifact depend on.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The engine's own settings, which the artifact repeats.
    pub tunables: Tunables,
    /// The engine's collector. Artifacts name it if they depend on it.
    pub collector: Option<Collector>,
    /// What a module may use to be valid.
    pub features: WasmFeatures,
    /// What artifacts have where others have the version of Wasmtime that they are for; at most 255 bytes.
    pub module_version: String,
    /// The greatest size of a sparse memory image.
    pub dense_image_size: u64,
    /// Processor features that the code may use.
    pub cpu: CpuFeatures,
    /// Which code offsets the address map records.
    pub address_map: AddressMap,
    /// Must every NaN that an operator computes be the canonical one?
    pub nan_canonicalization: bool,
    /// Say how to unwind from each instruction?
    pub unwind: bool,
    /// Must accesses that are checked be harmless also where the processor has guessed that a check passes?
    pub spectre: bool,
    /// Time both sweeps over function bodies apart?
    pub time_sweeps: bool,
    /// Count for each function?
    pub count_functions: bool,
    /// Most threads that compile one module.
    pub threads: usize,
    /// May large modules be loaded from files in memory?
    pub memory_files: bool,
    /// Bytes of function bodies that a thread takes at once, if it is not the usual number.
    pub batch: Option<usize>,
    /// For tests: code leaves garbage wherever nothing may be read.
    pub poison: bool,
    /// Prove what was compiled?
    pub verify: bool,
    /// The import of a component that is Wasmtime's unsafe intrinsics, if any is.
    pub unsafe_intrinsics: Option<String>,
    /// Is the text format taken, too?
    pub text: bool,
    /// What the host has to say meanwhile.
    pub control: Control,
    /// What was made of them for modules before.
    pub(crate) kept: Kept,
}

impl Settings {
    /// What these ask for, and for the rest what is usual on the host.
    pub fn new(
        tunables: Tunables,
        collector: Option<Collector>,
        features: WasmFeatures,
        dense_image_size: u64,
    ) -> Settings {
        Settings {
            address_map: if tunables.generate_address_map { AddressMap::Traps } else { AddressMap::None },
            tunables,
            collector,
            features,
            module_version: VERSION.to_owned(),
            dense_image_size,
            cpu: Machine::host_features(),
            nan_canonicalization: false,
            unwind: false,
            spectre: true,
            time_sweeps: false,
            count_functions: false,
            threads: std::thread::available_parallelism().map_or(1, NonZero::get),
            memory_files: true,
            batch: None,
            poison: false,
            // In builds with debug assertions all that is compiled is proved, unless somebody says otherwise.
            verify: cfg!(debug_assertions),
            unsafe_intrinsics: None,
            text: true,
            control: Control::default(),
            kept: Kept::default(),
        }
    }

    /// Those of an engine of which nothing is asked, for tests.
    #[cfg(test)]
    pub(crate) fn usual() -> Settings {
        let tunables = Tunables { collector: None, ..Tunables::default_host() };
        Settings::new(tunables, Some(Collector::Copying), WasmFeatures::WASM3, 16 << 20)
    }

    /// The settings, to be changed.
    pub fn change(&mut self) -> &mut Settings {
        self.kept = Kept::default();
        self
    }

    /// These settings with something else to say meanwhile. What was made for modules before stays of use.
    #[must_use]
    pub fn controlled(&self, change: impl FnOnce(&mut Control)) -> Settings {
        let mut settings = Settings { kept: self.kept.shared(), ..self.clone() };
        change(&mut settings.control);
        settings
    }

    /// All that what comes of a module depends on beside its bytes, in a form that is the same for the same settings
    /// of one release.
    #[must_use]
    pub fn digested(&self) -> String {
        // Whoever adds a setting says here whether it changes artifacts.
        let Settings {
            tunables,
            collector,
            features,
            module_version,
            dense_image_size,
            cpu,
            address_map,
            nan_canonicalization,
            unwind,
            spectre,
            poison,
            unsafe_intrinsics,
            text,
            time_sweeps: _,
            count_functions: _,
            threads: _,
            memory_files: _,
            batch: _,
            verify: _,
            control: _,
            kept: _,
        } = self;
        let of_host = (tunables, collector, features.bits(), module_version, dense_image_size);
        let own = (cpu, address_map, nan_canonicalization, unwind, spectre, poison, unsafe_intrinsics, text);
        format!("{of_host:?} {own:?}")
    }

    /// What translation is told. For native debug information it would look into function bodies, in whose places there
    /// may be stand-ins, for what the compiler knows better; all else that it then keeps, it keeps for backtraces, too.
    pub(crate) fn of_translation(&self) -> Tunables {
        let debug = self.tunables.debug_native;
        Tunables {
            debug_native: false,
            parse_wasm_debuginfo: debug || self.tunables.parse_wasm_debuginfo,
            ..self.tunables.clone()
        }
    }

    /// What of the settings the code itself depends on.
    pub(crate) fn of_code(&self) -> facts::Settings {
        facts::Settings {
            fuel: self.tunables.consume_fuel,
            epochs: self.tunables.epoch_interruption,
            hardware_traps: self.tunables.signals_based_traps,
            // Each line is to have its code.
            address_map: if self.tunables.debug_native { AddressMap::Operators } else { self.address_map },
            deterministic: self.tunables.relaxed_simd_deterministic,
            nan_canonicalization: self.nan_canonicalization,
            spectre: self.spectre,
            debug: self.tunables.debug_native,
            unwind: self.unwind || self.tunables.debug_native,
            cpu: self.cpu,
            fuses: Machine::fuses(&self.cpu),
            check: cfg!(debug_assertions),
            poison: self.poison,
        }
    }

    /// What operators cost, if there is a table.
    pub(crate) fn costs(&self) -> Option<Arc<Costs>> {
        self.kept.costs.get_or_init(|| self.table_of_costs()).clone()
    }

    fn table_of_costs(&self) -> Option<Arc<Costs>> {
        let OperatorCostStrategy::Table(table) = &self.tunables.operator_cost else { return None };
        let operators: HashMap<&str, u8> = operator_costs(table).into();
        let work = |work| {
            let of = &table.variable;
            match work {
                Work::MemoryCopy => of.memory_copy_per_byte,
                Work::MemoryFill => of.memory_fill_per_byte,
                Work::MemoryInit => of.memory_init_per_byte,
                Work::MemoryGrow => of.memory_grow_per_page,
                Work::TableCopy => of.table_copy_per_element,
                Work::TableFill => of.table_fill_per_element,
                Work::TableInit => of.table_init_per_element,
                Work::TableGrow => of.table_grow_per_element,
                Work::ArrayCopy => of.array_copy_per_element,
                Work::ArrayFill => of.array_fill_per_element,
                Work::ArrayNewData => of.array_new_data_per_element,
                Work::ArrayInitData => of.array_init_data_per_element,
                Work::ArrayNewElem => of.array_new_elem_per_element,
                Work::ArrayInitElem => of.array_init_elem_per_element,
                Work::ArrayNewDefault => of.array_new_default_per_element,
                Work::ArrayNew => of.array_new_per_element,
            }
        };
        Some(Arc::new(Costs::new(|name| operators[name], work)))
    }

    /// Processor features that the machine must have to run the code, under the names that Wasmtime checks.
    pub(crate) fn isa_flags(&self) -> Vec<(String, FlagValue<'static>)> {
        let mut cpu = self.cpu;
        let used = cpu.by_name().filter(|(_, used)| **used).map(|(name, _)| name);
        let names = Machine::FLOOR.iter().copied().chain(used);
        names.map(|name| (format!("{FEATURE}{name}"), FlagValue::Bool(true))).collect()
    }
}

macro_rules! operator_costs {
    ($(@$proposal:ident $op:ident $({ $($payload:tt)* })? => $visit:ident ($($ann:tt)*))*) => {
        /// What each operator costs, by its name.
        fn operator_costs(table: &OperatorCost) -> [(&'static str, u8); [$(stringify!($op)),*].len()] {
            [$((stringify!($op), table.$op)),*]
        }
    };
}
wasmparser::for_each_operator!(operator_costs);

/// The processor features that code may use beside one of Wasmtime's compilers that has these flags; none if they are
/// fewer than all code needs.
#[must_use]
pub fn cpu_of_flags(flags: &[(&str, FlagValue<'_>)]) -> Option<CpuFeatures> {
    let has = |name: &str| {
        let of_name = |flag: &str| flag.strip_prefix(FEATURE) == Some(name);
        flags.iter().any(|(flag, value)| of_name(flag) && *value == FlagValue::Bool(true))
    };
    let mut cpu = CpuFeatures::default();
    cpu.by_name().for_each(|(name, used)| *used = has(name));
    Machine::FLOOR.iter().all(|name| has(name)).then_some(cpu)
}
