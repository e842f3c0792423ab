//! What is fuzzed. A target is a function of bytes that panics if something does not hold. A fuzzer calls it with bytes
//! that it makes up, led by what code they reach (`fuzz/`); the ordinary test run calls it with some fixed ones.

mod bytes;
pub mod components;
pub mod families;
mod generated;
mod pairs;
mod proofs;
mod script;
pub mod seeds;

use crate::backend::{Pair, Setup};
use std::cell::RefCell;
use std::rc::Rc;

pub use bytes::{Judged, features, judge, without};
pub use families::{FAMILIES, Family};

/// What an input was good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It tested what the target is there to test.
    Tested,
    /// It led to nothing that could be tested, or not as far as it should.
    Void,
}

/// What the bytes of an input mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A module in the binary format.
    Module,
    /// A component in the binary format.
    Component,
    /// A function body, behind a byte each for where it stands, its features and its type.
    Body,
    /// A script of the specification's kind.
    Script,
    /// An artifact, behind a byte that says of which module.
    Artifact,
    /// Decisions of a generator: any bytes are good.
    Decisions,
}

/// A function of bytes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// What it is called.
    pub name: &'static str,
    /// What must hold, in a few words.
    pub about: &'static str,
    /// What the bytes mean.
    pub input: Input,
    /// Longer inputs are of no use.
    pub max_len: usize,
    /// Panics if something does not hold.
    pub run: fn(&[u8]) -> Verdict,
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target {
        name: "compile",
        about: "any bytes give a module or a clear error, as Wasmtime's validation says, within the budget",
        input: Input::Module,
        max_len: 1 << 16,
        run: bytes::compile,
    },
    Target {
        name: "stream",
        about: "the same bytes give the same artifact or refusal, in chunks of any sizes and on several threads",
        input: Input::Module,
        max_len: 1 << 16,
        run: bytes::stream,
    },
    Target {
        name: "component",
        about: "any bytes give a component that is proved or a clear error, and the same in chunks of any sizes",
        input: Input::Component,
        max_len: 1 << 14,
        run: components::component,
    },
    Target {
        name: "component_sections",
        about: "the same of components of our own with changed sections",
        input: Input::Decisions,
        max_len: 1 << 8,
        run: components::component_sections,
    },
    Target {
        name: "validate",
        about: "the fast sweep accepts only what the judge accepts, and takes the same survey",
        input: Input::Body,
        max_len: 1 << 12,
        run: bytes::validate,
    },
    Target {
        name: "differential",
        about: "random modules behave as Cranelift's and as an interpreter has it",
        input: Input::Decisions,
        max_len: 1 << 13,
        run: generated::differential,
    },
    Target {
        name: "config",
        about: "modules of all generators behave as Cranelift's under random settings",
        input: Input::Decisions,
        max_len: 1 << 13,
        run: generated::config,
    },
    Target {
        name: "fuel",
        about: "modules of all generators use as much fuel as Cranelift's, and run out of it alike",
        input: Input::Decisions,
        max_len: 1 << 13,
        run: generated::fuel,
    },
    Target {
        name: "gc_ops",
        about: "objects, casts and references to them behave as Cranelift's under every collector",
        input: Input::Decisions,
        max_len: 1 << 13,
        run: generated::gc_ops,
    },
    Target {
        name: "exceptions",
        about: "whoever catches, locals are those of the moment of the throw",
        input: Input::Decisions,
        max_len: 1 << 13,
        run: generated::exceptions,
    },
    Target {
        name: "stacks",
        about: "whatever happens to stacks, locals are those of the function that goes on",
        input: Input::Decisions,
        max_len: 1 << 13,
        run: generated::stacks,
    },
    Target {
        name: "mixed",
        about: "modules of both compilers in one store do not notice whose code they call",
        input: Input::Decisions,
        max_len: 1 << 12,
        run: pairs::mixed,
    },
    Target {
        name: "alias",
        about: "one memory, table, global or tag under several names is one thing, whoever compiles its owner",
        input: Input::Decisions,
        max_len: 1 << 12,
        run: pairs::alias,
    },
    Target {
        name: "verify",
        about: "the verifier proves what is compiled",
        input: Input::Decisions,
        max_len: 1 << 13,
        run: proofs::verify,
    },
    Target {
        name: "verify_mutant",
        about: "changed machine code that the verifier accepts touches nothing outside the sandbox",
        input: Input::Decisions,
        max_len: 1 << 12,
        run: proofs::verify_mutant,
    },
    Target {
        name: "artifact",
        about: "any file is proved, or is refused with a clear error",
        input: Input::Artifact,
        max_len: 1 << 16,
        run: proofs::artifact,
    },
    Target {
        name: "wast",
        about: "each directive of a script ends as with Cranelift",
        input: Input::Script,
        max_len: 1 << 14,
        run: script::wast,
    },
];

/// The target of a name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// The compilers for these settings. Making an engine takes longer than running a small module, so some are kept.
fn pair(setup: Setup) -> wasmtime::Result<Rc<Pair>> {
    const KEPT: usize = 48;
    thread_local! {
        static PAIRS: RefCell<Vec<Rc<Pair>>> = const { RefCell::new(Vec::new()) };
    }
    PAIRS.with_borrow_mut(|pairs| {
        if let Some(at) = pairs.iter().position(|pair| pair.setup == setup) {
            let pair = pairs.remove(at);
            pairs.push(pair.clone());
            return Ok(pair);
        }
        let pair = Rc::new(setup.engine()?);
        if pairs.len() == KEPT {
            pairs.remove(0);
        }
        pairs.push(pair.clone());
        Ok(pair)
    })
}

/// A module in bytes that a shell can turn back, since text would lose them.
fn shown(wasm: &[u8]) -> String {
    let bytes: String = wasm.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("the module, in hexadecimal: {bytes}")
}
