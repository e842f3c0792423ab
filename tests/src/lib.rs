//! What the tests of the whole share: engines under test, observations to compare, generators of modules.
//!
//! A test names a module and a list of calls, runs both on two engines that are set up alike, and compares what could
//! be observed from outside: results, traps, calls to the host, exported globals, tables and memories, fuel.

pub mod aimed;
pub mod allocator;
pub mod backend;
pub mod bodies;
pub mod bombs;
pub mod components;
pub mod differential;
#[cfg(any(debug_assertions, feature = "faults"))]
pub mod faults;
pub mod fuzz;
pub mod generate;
pub mod mutants;
pub mod native;
pub mod observe;
pub mod program;
pub mod random;
pub mod shared;
pub mod stack_bombs;
pub mod verification;
pub mod wasmi;

/// The side conditions that can be left out: their names, and what they are.
#[must_use]
pub fn fault_list() -> Vec<(String, &'static str)> {
    lightbeam_compiler::fault::Fault::ALL.iter().map(|fault| (format!("{fault:?}"), fault.what().trim())).collect()
}
