//! How much a component asks of whoever validates and translates it, known before either begins.
//!
//! Types of components share parts, so that a few bytes describe a type of a million parts, and each mention of it
//! walks all of them. Components instantiate others again and again, copy what they close over, and have adapters
//! written for every function that one of them gets from another. wasmparser limits each of these by itself, and
//! Wasmtime's translation none, which does all that a component asks before it returns.
//!
//! So the sections are weighed as they come, ahead of the validator, by going the same way with nothing but numbers in
//! hand (`weigher.rs`, with index spaces as in `scope.rs`); and when all is there, instantiation is gone through with
//! nothing but components, instances and functions (`instances.rs`), ahead of the translation. One that comes to more
//! than is in proportion to its bytes is refused by name. The weights are upper bounds of what wasmparser and Wasmtime
//! do: a *part* is a few dozen nanoseconds and bytes.
//!
//! What is not valid is for the validator to say: at the first index that means nothing the weighing ends.

mod instances;
mod scope;
mod weigher;

pub(crate) use weigher::Weigher;

/// Parts of types that any component may come to, and how many more for each of its bytes. One that WASI's tools make
/// comes to less than one for each byte.
const FREE_PARTS: u64 = 1 << 20;
const PARTS_PER_BYTE: u64 = 32;

/// Steps of instantiation that any component may take, and how many more for each of its bytes.
const FREE_STEPS: u64 = 1 << 20;
const STEPS_PER_BYTE: u64 = 32;

/// Bytes of adapters that any component may have, and how many more for each of its bytes.
const FREE_ADAPTERS: usize = 256 << 10;
const ADAPTERS_PER_BYTE: usize = 16;

/// Memories that adapters of one component may come from and go to: one module may have to import all of them, and none
/// can have more.
const MOST_MEMORIES: usize = 100;

/// Adapters of functions that are adapters themselves. The translation recurs over them.
const MOST_ADAPTERS_OF_ADAPTERS: usize = 100;

/// How deep declarations of types may be nested, and components that close over components. Readers, validator and
/// translation recur over them.
const MOST_DEPTH: usize = 100;

/// Bytes of a memory that a value may take: the translation counts them in 32 bits, and does not look whether they fit.
const MOST_VALUE: u64 = 1 << 30;

/// So many values an adapter or a helper passes on by itself, and as many again that are cheap, before it has a helper
/// do so, which others may share.
const INLINE: u64 = 1_000;

/// Levels on which a type may have others. The validator allows values 100, and for others counts in seven bits and
/// asserts that they are enough.
const MOST_LEVELS: usize = 120;

/// Most core modules and components in a component, those in others included.
const MOST_DEFINITIONS: usize = 1000;

/// A name's length in parts.
fn parts_of(name: &str) -> u64 {
    1 + name.len() as u64 / 16
}

/// Refuses a component with adapters out of proportion to its bytes.
pub(crate) fn check_adapters(bytes: usize, adapters: usize) -> Result<(), crate::error::Error> {
    let most = FREE_ADAPTERS + ADAPTERS_PER_BYTE * bytes;
    if adapters <= most {
        return Ok(());
    }
    let message = format!("the component's {bytes} bytes need {adapters} bytes of adapters, more than {most}");
    Err(crate::error::Error::too_large(message, None))
}
