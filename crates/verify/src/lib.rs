//! Reads finished machine code and proves that it cannot leave the sandbox: that it reads and writes only its frame,
//! its instance, its memories, tables and heap, goes only to where calls may go, and hands back what the conventions
//! promise.
//!
//! It knows nothing of the compiler. Given are the host's layout and the module's types ([`facts`]), that the host
//! keeps its structures in order, and that references have the types that validation gave them.

mod abi;
mod ahead;
mod arithmetic;
pub mod artifact;
mod border;
mod branch;
mod callees;
mod calls;
mod component;
mod conts;
mod decode;
mod division;
mod exits;
pub mod facts;
mod fill;
mod forms;
mod frame;
mod intrinsics;
mod lanes;
pub mod layout;
mod maps;
mod operand;
#[doc(hidden)]
pub mod probe;
mod proof;
mod prover;
mod relate;
mod slots;
mod stacks;
mod state;
mod switching;
pub mod tables;
#[cfg(test)]
mod tests;
mod text;
mod threads;
mod transfer;
mod value;
mod vectors;
mod walk;

pub use proof::{Call, Cause, Failure, Fault, Place, Proof, Reason};
pub use prover::{Part, Prover};
pub use text::{TextPart, TextProver};

use facts::{Facts, Tables};

/// Proves a text, or says what of it could not be proved.
///
/// # Errors
/// The first thing that could not be proved.
pub fn verify(facts: &Facts, text: &[u8], tables: &Tables) -> Result<Proof, Failure> {
    let prover = Prover::new(facts, text, tables)?;
    let part = prover.functions(0..tables.functions.len() as u32)?;
    prover.finish(vec![part])
}
