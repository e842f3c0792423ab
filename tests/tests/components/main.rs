//! Components, attacked: each class of mistakes that trampolines, entries, the link and the stream could make, as a
//! test that compares all that is to be seen with what is seen of the component as Cranelift compiles it: results,
//! traps, frames, and what the host was told. Each component is compiled whole and in chunks, which gives the same
//! artifact, and with garbage wherever nothing may be read.
//!
//! Wasmtime publishes tests of its own for components. What of them depends on a compiler has a test here:
//!
//! | there | here |
//! |---|---|
//! | `aot`, `instance` | `hosting`: kinds of artifacts, exported modules, prefixes, what is counted |
//! | `async`, `async_dynamic`, `stream_sync_dropped` | `asynchronous`, `tasks`; `lives`: threads; `random` |
//! | `bindgen`, `dynamic`, `macros`, `fixed_length_list` | `random`: values of all types and both ways |
//! | `call_hook` | `lives`: hooks see every border |
//! | `func` | `random`; `adapters`: what is no value, arguments beyond registers; `lives`: outliving the component |
//! | `handle_table_limit` | `lives`: handles have a limit |
//! | `import` | `builtins`; `adapters`: `realloc` that leaves, re-entry in `asynchronous` |
//! | `linker`, `missing_async` | nothing that a compiler takes part in; `mixed` for components given to others |
//! | `nested` | `sharing`, and every component of several here |
//! | `post_return` | `builtins`: ways `after`; `adapters`: exceptions in it; `random` |
//! | `resources` | `handles`; `adapters`: destructors; `builtins`: handles of any kind |
//! | `strings` | `strings` |
//! | `sync_call_inline` | `asynchronous`, `builtins` |

mod adapters;
mod asynchronous;
mod builtins;
mod handles;
mod hosting;
mod lives;
mod mixed;
mod random;
mod sharing;
mod strings;
mod tasks;
