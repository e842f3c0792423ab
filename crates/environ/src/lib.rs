//! Makes of a WebAssembly module, or a component, the artifact that Wasmtime loads. Knows Wasmtime's translation and
//! its formats by `wasmtime-environ`, and not its runtime: engines, and what loads artifacts into them, are of the
//! crate `lightbeam`, which is what users want. What is public here is for crates of this project.
//!
//! # How the files divide the work
//!
//! A module's way, a folder each: `input` (what Wasmtime's translation says of its bytes) → `facts` (what the compiler
//! is told) → `work` (the compiler, on as many threads as there are) → `border` (code that belongs to no function body)
//! → `output` (functions to their places, one text, the artifact that Wasmtime loads). `stream` drives all of it, for a
//! module or a component that arrives and for one that is there. Beside it: `settings` (what the engine asks), `target`
//! (the machine), `control` (what a host says meanwhile), `error`, `report`, `origin` (whose artifact it is), and
//! `verify` (proofs of finished artifacts).
//!
//! A folder imports only what comes before it: `names`, `error`, `report`, `target`, `control`, `kept`, `settings`,
//! `origin`; `input`; `facts`;
//! `border`; `output`; `work`, which hands over to `output` what it has made while more is being made; `verify`;
//! `stream`.

mod border;
pub mod control;
mod error;
mod facts;
pub mod input;
mod kept;
mod names;
pub mod origin;
mod output;
mod report;
pub mod settings;
pub mod stream;
pub mod target;
pub mod verify;
mod work;

pub use control::CancelToken;
pub use error::{Error, ErrorKind, FunctionPlace};
pub use origin::ArtifactOrigin;
pub use output::{artifact, assembly, memory_file};
pub use report::{ComponentReport, FunctionReport, Phases, Progress, Report, Verified};
