//! Lightbeam beside the other compilers: what compiling costs, and how fast the code is that comes of it.
//!
//! All compilers but V8's run in this process, with the same Wasmtime around them, and take turns, so that a machine
//! that is busy for a while is busy for all of them. Times are the processor's; waiting for one
//! is not in them. The tables are Markdown; `--json` keeps every sample.

// The tests have it as well.
#[expect(dead_code, reason = "the tests ask it for more")]
#[path = "../../tests/src/allocator.rs"]
mod allocator;
mod bombs;
mod code;
mod compile;
mod components;
mod corpus;
mod engines;
mod fib;
mod gc;
mod instructions;
mod markdown;
mod node;
mod picture;
mod program;
mod programs;
mod run;
mod seam;
mod spectre;
mod stacks;
mod stats;
mod table;
mod unseen;
mod verify;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: allocator::Counting = allocator::Counting;

#[derive(Parser)]
#[command(
    about = "Lightbeam beside the other compilers",
    after_help = "\
LIGHTBEAM_SHARED    the folder that holds the corpus as `corpus/run`; without it `../shared` beside the repository
LIGHTBEAM_PROGRAMS  the folder that `bench/fetch` fills; without it `target/programs` of the bench
LIGHTBEAM_NODE      the Node.js whose V8 is measured; without it the one that was fetched, else the one on the path",
    disable_help_subcommand = true
)]
enum Command {
    /// Compile modules: Lightbeam, Winch, Cranelift, V8's two compilers, and validation alone.
    Compile(compile::Options),
    /// Compile components up to their first answer, whole and as they arrive; and call from one component to another.
    Components(components::Options),
    /// Run the corpus: the code of Lightbeam, Winch and Cranelift on the same runtime, and of V8's two compilers on
    /// theirs.
    Run(run::Options),
    /// Run one WASI program from start to exit, compiling included, in a fresh process per compiler.
    Program(program::Options),
    /// Compile modules made to be slow to compile, at a size and at twice that.
    Bombs(bombs::Options),
    /// Call one recursive function: all compilers beside native code; or print its machine code.
    Fib(fib::Options),
    /// Change stacks: Lightbeam beside Cranelift.
    Stacks(stacks::Options),
    /// Run programs with objects and exceptions, with each collector: Lightbeam beside Cranelift.
    Gc(gc::Options),
    /// Print the machine code that Wasmtime's three compilers make of one function, side by side.
    Code(code::Options),
    /// Count the instructions of compiling a module, phase by phase, with valgrind.
    Instructions(instructions::Options),
    /// Count the instructions of proving code beside those of making it, with valgrind.
    Verify(verify::Options),
    /// Compile and run the corpus with and without guards against Spectre, with guard pages and without.
    Spectre(spectre::Options),
    /// Compile and run the corpus with NaNs that are canonical, and without.
    Nans(spectre::Options),
    /// Make the tables of docs/measurements.md anew, by the commands that stand in it.
    Markdown(markdown::Options),
    /// Draw the plane of compile time and run time from what the two have measured.
    Picture(picture::Options),
    /// What the tables of operators and encodings cost: the compiler beside an emitter written out by hand.
    Seam(seam::Options),
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Compile(options) => compile::main(&options),
        Command::Components(options) => components::main(&options),
        Command::Run(options) => run::main(&options),
        Command::Program(options) => program::main(&options),
        Command::Bombs(options) => bombs::main(&options),
        Command::Fib(options) => fib::main(&options),
        Command::Stacks(options) => stacks::main(&options),
        Command::Gc(options) => gc::main(&options),
        Command::Code(options) => code::main(&options),
        Command::Instructions(options) => instructions::main(&options),
        Command::Verify(options) => verify::main(&options),
        Command::Spectre(options) => spectre::main(&options),
        Command::Nans(options) => spectre::nans(&options),
        Command::Markdown(options) => markdown::main(&options),
        Command::Picture(options) => picture::main(&options),
        Command::Seam(options) => seam::main(&options),
    }
}
