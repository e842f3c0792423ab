//! The two compilers of one engine, and the settings under which they are compared.

use crate::random::Random;
use lightbeam::CpuFeatures;
use lightbeam_compiler::isa::Isa;
use lightbeam_compiler::isa::x64::X64;
use wasmtime::{Collector, Config, Engine, Module, OperatorCost, Result, VariableOperatorCost};

/// What an engine is asked for. Both compilers of a comparison work for the same engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setup {
    /// Bytes of address space reserved for a memory; `None` is Wasmtime's default.
    pub reservation: Option<u64>,
    /// Bytes of the guard after it; `None` is Wasmtime's default.
    pub guard: Option<u64>,
    /// May a memory move when it grows?
    pub may_move: bool,
    /// May faults of the machine be traps?
    pub signals: bool,
    /// Is fuel counted?
    pub fuel: bool,
    /// What the table of operators' costs is made from, if there is one.
    pub costs: Option<u64>,
    /// Are epochs looked at?
    pub epochs: bool,
    /// Are tables filled in on first use?
    pub lazy_tables: bool,
    /// Are memories made from images, copied on write?
    pub copy_on_write: bool,
    /// Must relaxed SIMD give the same everywhere?
    pub deterministic: bool,
    /// Are NaNs that are computed canonical?
    pub canonical_nans: bool,
    /// May native debuggers look?
    pub debug: bool,
    /// Which collector there is.
    pub collector: Collector,
    /// Does Lightbeam guard against Spectre? Cranelift does as the signals let it.
    pub spectre: bool,
    /// Processor features that Lightbeam does without; Cranelift always uses what it finds.
    pub without: Without,
    /// Does Lightbeam's code leave garbage wherever nothing may be read?
    pub poison: bool,
    /// Does whoever is let in at the end of an epoch, which is at every look, collect and grow all that can be grown?
    /// Where memories move when they grow, so does the collector's heap. Only with `epochs`.
    pub meddles: bool,
}

/// A set of processor features left out, bit by bit in the order of [`CpuFeatures::NAMES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Without(pub u8);

impl Without {
    /// All features left out: the floor.
    pub const ALL: Without = Without((1 << CpuFeatures::NAMES.len()) - 1);

    /// `all` but for the ones left out.
    #[must_use]
    pub fn of(self, mut all: CpuFeatures) -> CpuFeatures {
        for (bit, (_, on)) in all.by_name().enumerate() {
            *on &= self.0 >> bit & 1 == 0;
        }
        all
    }

    /// None left out, each left out by itself, each the only one left in, all left out.
    #[must_use]
    pub fn swarm() -> Vec<Without> {
        let single = (0..CpuFeatures::NAMES.len()).map(|bit| 1 << bit);
        let mut sets: Vec<u8> = vec![0];
        sets.extend(single.clone());
        sets.extend(single.map(|bit| Without::ALL.0 & !bit));
        sets.push(Without::ALL.0);
        sets.into_iter().map(Without).collect()
    }
}

impl Default for Setup {
    fn default() -> Setup {
        Setup {
            reservation: None,
            guard: None,
            may_move: true,
            signals: true,
            fuel: false,
            costs: None,
            epochs: false,
            lazy_tables: true,
            copy_on_write: true,
            deterministic: false,
            canonical_nans: false,
            debug: false,
            collector: Collector::Copying,
            spectre: true,
            without: Without::default(),
            poison: false,
            meddles: false,
        }
    }
}

impl Setup {
    /// Settings chosen at random, each as likely to differ from the default as to be it.
    pub fn random(random: &mut Random) -> Setup {
        const SIZES: [Option<u64>; 5] = [None, None, Some(0), Some(1 << 20), Some(4 << 30)];
        const GUARDS: [Option<u64>; 5] = [None, None, Some(0), Some(1 << 16), Some(4 << 30)];
        let setup = Setup {
            reservation: *random.pick(&SIZES),
            guard: *random.pick(&GUARDS),
            may_move: !random.one_in(4),
            signals: !random.one_in(4),
            fuel: random.one_in(4),
            costs: None,
            epochs: random.one_in(4),
            lazy_tables: !random.one_in(3),
            copy_on_write: !random.one_in(3),
            collector: *random.pick(&[
                Collector::Copying,
                Collector::Copying,
                Collector::DeferredReferenceCounting,
                Collector::Null,
            ]),
            without: if random.one_in(3) { Without(random.bits() as u8 & Without::ALL.0) } else { Without(0) },
            deterministic: random.one_in(2),
            canonical_nans: random.one_in(3),
            poison: random.one_in(3),
            meddles: false,
            spectre: !random.one_in(3),
            debug: random.one_in(8),
        };
        // Drawn aside, so that seeds mean what they meant before there were tables.
        let mut aside = random.clone();
        let costs = if setup.fuel && aside.one_in(2) { Some(aside.bits()) } else { None };
        Setup { costs, ..setup }.agreeing()
    }

    /// Rounded once or twice, `relaxed_madd` gives other results; which, depends on the processor.
    #[must_use]
    pub fn agreeing(self) -> Setup {
        const AVX_AND_FMA: u8 = 0b10_0001;
        Setup { deterministic: self.deterministic || self.without.0 & AVX_AND_FMA != 0, ..self }
    }

    /// Is there only one NaN that any operator may compute?
    #[must_use]
    pub fn one_nan(&self) -> bool {
        self.canonical_nans && self.deterministic
    }

    /// The memory settings worth a run of their own: guards that make checks needless, too small ones, none at all.
    #[must_use]
    pub fn memory_swarm() -> Vec<Setup> {
        let base = Setup::default();
        vec![
            base,
            Setup { reservation: Some(0), guard: Some(0), ..base },
            Setup { reservation: Some(0), guard: Some(1 << 16), copy_on_write: false, ..base },
            Setup { reservation: Some(1 << 20), guard: Some(1 << 16), ..base },
            Setup { reservation: Some(4 << 30), guard: Some(0), may_move: false, ..base },
            Setup { reservation: Some(4 << 30), guard: Some(4 << 30), ..base },
            Setup { reservation: Some(8 << 30), guard: Some(1 << 16), ..base },
            Setup { signals: false, ..base },
            Setup { signals: false, reservation: Some(0), guard: Some(0), ..base },
            Setup { spectre: false, reservation: Some(0), guard: Some(0), ..base },
        ]
    }

    /// These settings as Wasmtime has them, with every proposal on that Lightbeam supports. Backtraces are off:
    /// hundreds of thousands of traps are taken, and what backtraces show has tests of its own.
    #[must_use]
    pub fn config(&self) -> Config {
        let mut config = Config::new();
        config
            .wasm_multi_memory(true)
            .wasm_memory64(true)
            .wasm_tail_call(true)
            .wasm_extended_const(true)
            .wasm_wide_arithmetic(true)
            .wasm_custom_page_sizes(true)
            .wasm_threads(true)
            .shared_memory(true)
            .wasm_function_references(true)
            .wasm_gc(true)
            .wasm_stack_switching(true)
            .collector(self.collector)
            .memory_may_move(self.may_move)
            .signals_based_traps(self.signals)
            .consume_fuel(self.fuel)
            .epoch_interruption(self.epochs)
            .table_lazy_init(self.lazy_tables)
            .memory_init_cow(self.copy_on_write)
            .relaxed_simd_deterministic(self.deterministic)
            .cranelift_nan_canonicalization(self.canonical_nans)
            .debug_info(self.debug)
            .wasm_backtrace_max_frames(None);
        if let Some(seed) = self.costs {
            config.operator_cost(costs(seed));
        }
        if let Some(bytes) = self.reservation {
            config.memory_reservation(bytes);
        }
        if self.reservation == Some(0) {
            // Memories move whenever they grow.
            config.memory_reservation_for_growth(0);
        }
        if self.meddles && self.reservation == Some(0) {
            config.gc_heap_reservation(0).gc_heap_guard_size(0).gc_heap_reservation_for_growth(0);
        }
        if let Some(bytes) = self.guard {
            config.memory_guard_size(bytes);
        }
        config
    }

    /// An engine with these settings, and Lightbeam for it. The engine itself compiles with Cranelift.
    pub fn engine(&self) -> Result<Pair> {
        let engine = Engine::new(&self.config())?;
        let lightbeam = self.lightbeam(&engine)?;
        Ok(Pair { engine, lightbeam, setup: *self })
    }

    /// Lightbeam for an engine, without the processor features left out, guarded or not.
    pub fn lightbeam(&self, engine: &Engine) -> Result<lightbeam::Compiler> {
        let compiler = lightbeam::Compiler::for_engine(engine)?.spectre(self.spectre).poison(self.poison);
        Ok(compiler.cpu_features(self.without.of(X64::host_features())))
    }
}

macro_rules! costs_of_operators {
    ($(@$proposal:ident $op:ident $({ $($payload:tt)* })? => $visit:ident ($($ann:tt)*))*) => {
        /// The table in which each operator, and each kind of work by the name that the host has for it, costs this.
        #[must_use]
        pub fn costs_of(mut cost: impl FnMut(&str) -> u8) -> OperatorCost {
            let mut costs = OperatorCost::new();
            $(costs.$op = cost(stringify!($op));)*
            costs.variable = VariableOperatorCost {
                memory_copy_per_byte: cost("memory_copy_per_byte"),
                memory_fill_per_byte: cost("memory_fill_per_byte"),
                memory_init_per_byte: cost("memory_init_per_byte"),
                memory_grow_per_page: cost("memory_grow_per_page"),
                table_copy_per_element: cost("table_copy_per_element"),
                table_fill_per_element: cost("table_fill_per_element"),
                table_init_per_element: cost("table_init_per_element"),
                table_grow_per_element: cost("table_grow_per_element"),
                array_copy_per_element: cost("array_copy_per_element"),
                array_fill_per_element: cost("array_fill_per_element"),
                array_new_data_per_element: cost("array_new_data_per_element"),
                array_init_data_per_element: cost("array_init_data_per_element"),
                array_new_elem_per_element: cost("array_new_elem_per_element"),
                array_init_elem_per_element: cost("array_init_elem_per_element"),
                array_new_default_per_element: cost("array_new_default_per_element"),
                array_new_per_element: cost("array_new_per_element"),
            };
            costs
        }
    };
}
wasmparser::for_each_operator!(costs_of_operators);

/// A table of costs: nothing, little, and the most that there is.
#[must_use]
pub fn costs(seed: u64) -> OperatorCost {
    let mut random = Random::new(seed);
    costs_of(|_| match random.below(4) {
        0 => 0,
        1 => 1,
        2 => random.below(10) as u8,
        _ => *random.pick(&[2, 3, 5, 64, 100, 127, 128, 129, 254, 255]),
    })
}

/// One engine with both compilers.
#[derive(Debug)]
pub struct Pair {
    /// The engine; its own compiler is Cranelift.
    pub engine: Engine,
    /// Lightbeam for the same engine.
    pub lightbeam: lightbeam::Compiler,
    /// What it was made from.
    pub setup: Setup,
}

impl Pair {
    /// The module as Cranelift compiles it.
    pub fn cranelift(&self, wasm: &[u8]) -> Result<Module> {
        Module::new(&self.engine, wasm)
    }

    /// The module as Lightbeam compiles it.
    pub fn lightbeam(&self, wasm: &[u8]) -> Result<Module> {
        self.lightbeam.module(wasm)
    }

    /// Both, Cranelift's first.
    pub fn both(&self, wasm: &[u8]) -> Result<(Module, Module)> {
        Ok((self.cranelift(wasm)?, self.lightbeam(wasm)?))
    }
}
