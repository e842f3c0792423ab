//! What tests of streams and threads share.

use lightbeam::Compiler;
use wasmtime::Config;

pub(crate) fn compiler() -> Compiler {
    Compiler::new(&Config::new()).unwrap()
}

/// The artifact of a module that comes in chunks of a size.
pub(crate) fn streamed(compiler: &Compiler, wasm: &[u8], chunk: usize) -> wasmtime::Result<Vec<u8>> {
    let mut stream = compiler.module_stream();
    for bytes in wasm.chunks(chunk) {
        stream.push(bytes)?;
    }
    stream.finish_artifact()
}
