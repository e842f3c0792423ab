//! Lightbeam's compilers, one for each engine that it can compile for; and who compiles what.

use lightbeam::{Compiler, WeakCompiler};
use std::sync::{Mutex, OnceLock, PoisonError};
use wasmtime::component::Component;
use wasmtime::{Engine, EngineWeak, Module};

/// Everything is compiled by Wasmtime's own compiler if the environment variable of this name is `off`: to compare.
const SWITCH: &str = "LIGHTBEAM";

/// What is known of an engine.
enum Known {
    Served(WeakCompiler),
    Refused(EngineWeak),
}

/// Of the engines that there are: what is known of each that something was compiled for.
static KNOWN: Mutex<Vec<Known>> = Mutex::new(Vec::new());

fn is_on() -> bool {
    static ON: OnceLock<bool> = OnceLock::new();
    *ON.get_or_init(|| std::env::var_os(SWITCH).is_none_or(|value| value != "off"))
}

/// The compiler of an engine, if Lightbeam compiles for it.
fn compiler(engine: &Engine) -> Option<Compiler> {
    if !is_on() {
        return None;
    }
    let mut found = None;
    {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        // Engines that are gone are forgotten.
        known.retain(|known| match known {
            Known::Served(compiler) => compiler.upgrade().is_some_and(|compiler| {
                if Engine::same(compiler.engine(), engine) {
                    found = Some(Some(compiler));
                }
                true
            }),
            Known::Refused(refused) => refused.upgrade().is_some_and(|refused| {
                if Engine::same(&refused, engine) {
                    found = Some(None);
                }
                true
            }),
        });
    }
    found.unwrap_or_else(|| {
        let made = Compiler::for_engine(engine);
        let (compiler, known) = match made {
            Ok(compiler) => {
                log::info!("Lightbeam compiles for this engine");
                let weak = compiler.downgrade();
                (Some(compiler), Known::Served(weak))
            }
            Err(error) => {
                log::info!("Lightbeam does not compile for this engine: {error}");
                (None, Known::Refused(engine.weak()))
            }
        };
        KNOWN.lock().unwrap_or_else(PoisonError::into_inner).push(known);
        compiler
    })
}

/// What Lightbeam makes of it; or, if it makes nothing of it, `otherwise`, which says what is wrong in its own words,
/// if anything is.
fn either<T>(
    engine: &Engine,
    lightbeam: impl FnOnce(&Compiler) -> wasmtime::Result<T>,
    otherwise: impl FnOnce() -> wasmtime::Result<T>,
) -> wasmtime::Result<T> {
    match compiler(engine).map(|compiler| lightbeam(&compiler)) {
        Some(Ok(made)) => Ok(made),
        Some(Err(error)) => {
            log::info!("left to Wasmtime's own compiler: {error}");
            otherwise()
        }
        None => otherwise(),
    }
}

/// Compiles a module in the binary format.
pub(crate) fn module(engine: &Engine, binary: &[u8]) -> wasmtime::Result<Module> {
    either(engine, |compiler| compiler.module_from_binary(binary), || Module::from_binary(engine, binary))
}

/// Compiles a component in the binary or the text format.
pub(crate) fn component(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Component> {
    either(engine, |compiler| compiler.component(bytes), || Component::new(engine, bytes))
}
