//! Traps and what scripts call them: the specification's scripts have names of their own, which may be cut short;
//! Wasmtime's also quote what its errors say.

use super::runner::{Outcome, one_line};
use wasmtime::{Error, Result, Trap, bail};

/// Fails unless it ended in a trap that the message is for; the script may quote what errors say.
pub(super) fn assert_trap(outcome: &Outcome, expected: &str, quotes: bool) -> Result<()> {
    match outcome {
        Ok(results) => bail!("expected a trap ({expected}), got {results}"),
        Err(error) if is_named(error, expected) || (quotes && is_quoted(error, expected)) => Ok(()),
        Err(error) => bail!("expected a trap ({expected}), got: {}", one_line(error)),
    }
}

/// Fails unless a suspension was caught by nobody.
pub(super) fn assert_suspension(outcome: &Outcome) -> Result<()> {
    match outcome {
        Ok(results) => bail!("expected a suspension, got {results}"),
        Err(error) if error.downcast_ref() == Some(&Trap::UnhandledTag) => Ok(()),
        Err(error) => bail!("expected a suspension, got: {}", one_line(error)),
    }
}

/// Is the message how a name of the trap begins?
fn is_named(error: &Error, message: &str) -> bool {
    let Some(trap) = error.downcast_ref::<Trap>() else { return false };
    traps_named(message).any(|named| named == *trap) || own_name(*trap).starts_with(message)
}

/// Wasmtime's name for a trap.
fn own_name(trap: Trap) -> String {
    let name = trap.to_string();
    name.strip_prefix("wasm trap: ").unwrap_or(&name).to_string()
}

/// Does the error say what the message says? Where it happened is none of it.
fn is_quoted(error: &Error, message: &str) -> bool {
    let says = |cause: String| !cause.starts_with("error while executing") && cause.contains(message);
    !message.is_empty() && !error.is::<lightbeam::Error>() && error.chain().any(|cause| says(cause.to_string()))
}

/// The traps of Wasmtime that a script may mean by a message: those whose name in the specification's scripts begins
/// so. An empty one means any.
fn traps_named(message: &str) -> impl Iterator<Item = Trap> {
    // One script adds which element is uninitialized.
    let message = if message.starts_with("uninitialized element") { "uninitialized element" } else { message };
    NAMES.iter().filter(move |(name, _)| name.starts_with(message)).flat_map(|(_, traps)| *traps).copied()
}

const NAMES: [(&str, &[Trap]); 27] = [
    ("unreachable executed", &[Trap::UnreachableCodeReached]),
    ("integer divide by zero", &[Trap::IntegerDivisionByZero]),
    ("integer overflow", &[Trap::IntegerOverflow]),
    ("invalid conversion to integer", &[Trap::BadConversionToInteger]),
    ("out of bounds memory access", &[Trap::MemoryOutOfBounds]),
    ("out of bounds table access", &[Trap::TableOutOfBounds]),
    ("out of bounds array access", &[Trap::ArrayOutOfBounds]),
    ("undefined element", &[Trap::TableOutOfBounds]),
    ("uninitialized element", &[Trap::IndirectCallToNull]),
    ("indirect call type mismatch", &[Trap::BadSignature]),
    ("call stack exhausted", &[Trap::StackOverflow]),
    ("null function reference", &[Trap::IndirectCallToNull, Trap::NullReference]),
    ("null reference", &[Trap::NullReference]),
    ("null structure reference", &[Trap::NullReference]),
    ("null array reference", &[Trap::NullReference]),
    ("null i31 reference", &[Trap::NullReference]),
    ("null exception reference", &[Trap::NullReference]),
    ("null descriptor reference", &[Trap::NullReference]),
    ("null continuation reference", &[Trap::NullReference]),
    ("cast failure", &[Trap::CastFailure]),
    ("descriptor cast failure", &[Trap::CastFailure]),
    ("unhandled tag", &[Trap::UnhandledTag]),
    ("continuation already consumed", &[Trap::ContinuationAlreadyConsumed]),
    ("allocation size too large", &[Trap::AllocationTooLarge]),
    ("unaligned atomic", &[Trap::HeapMisaligned]),
    ("expected shared memory", &[Trap::AtomicWaitNonSharedMemory]),
    ("all fuel consumed", &[Trap::OutOfFuel]),
];
