//! Stand-in.
pub use lightbeam_compiler::facts::CpuFeatures;
use wasmtime::*;
#[derive(Debug)]
pub struct Compiler(Engine);
pub trait Host { fn host() -> CpuFeatures; }
impl Host for CpuFeatures { fn host() -> CpuFeatures { CpuFeatures::default() } }
impl Compiler {
    pub fn for_engine(e: &Engine) -> Result<Compiler> { Ok(Compiler(e.clone())) }
    pub fn cpu_features(self, _: CpuFeatures) -> Compiler { self }
    pub fn module(&self, b: &[u8]) -> Result<Module> { Module::new(&self.0, b) }
}
