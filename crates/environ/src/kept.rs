//! What a compiler keeps from module to module, so that a small one, which is compiled in less time than its tools are
//! made, finds them there. It depends on the settings alone, and goes when they change.

use crate::target::Machine;
use lightbeam_compiler::facts::{Costs, CpuFeatures};
use lightbeam_compiler::isa::Isa;
use lightbeam_compiler::{Workspace, Writer};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// What a thread that makes code works with. The buffers stay as large as they have become.
pub(crate) struct Tools {
    pub(crate) workspace: Workspace<Machine>,
    pub(crate) output: Writer<Machine>,
}

/// Tools that nobody works with.
#[derive(Default)]
pub(crate) struct Shelf(Mutex<Vec<Box<Tools>>>);

impl Shelf {
    /// So many are kept at most, with buffers of some 100 KiB each.
    const MOST: usize = 8;

    /// After a piece of work of so many bytes the buffers are too large to be kept.
    const LARGE: usize = 128 << 10;

    fn lock(&self) -> MutexGuard<'_, Vec<Box<Tools>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tools for the processor of the settings.
    pub(crate) fn take(&self, cpu: CpuFeatures) -> Box<Tools> {
        let kept = self.lock().pop();
        debug_assert!(kept.as_ref().is_none_or(|tools| tools.output.cpu() == cpu), "settings were changed in place");
        kept.unwrap_or_else(|| Box::new(Tools { workspace: Workspace::default(), output: Writer::new(cpu) }))
    }

    /// Takes back tools with which all went well. `bytes` is the most that was done at a time, in bytes of bodies or of
    /// code that belongs to none.
    pub(crate) fn give(&self, mut tools: Box<Tools>, bytes: usize) {
        if bytes < Self::LARGE {
            tools.output.clear();
            let mut kept = self.lock();
            if kept.len() < Self::MOST {
                kept.push(tools);
            }
        }
    }
}

/// What is kept.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) shelf: Arc<Shelf>,
    /// The artifact's metadata of the engine, without and with a collector.
    metadata: [OnceLock<Vec<u8>>; 2],
    /// What operators cost, if there is a table.
    pub(crate) costs: OnceLock<Option<Arc<Costs>>>,
}

impl Kept {
    /// The artifact's metadata of the engine, with its collector if there are `objects`, which `make` makes.
    pub(crate) fn metadata(
        &self,
        objects: bool,
        make: impl FnOnce() -> wasmtime_environ::error::Result<Vec<u8>>,
    ) -> wasmtime_environ::error::Result<Vec<u8>> {
        let kept = &self.metadata[usize::from(objects)];
        match kept.get() {
            Some(metadata) => Ok(metadata.clone()),
            None => Ok(make().map(|metadata| kept.get_or_init(|| metadata).clone())?),
        }
    }
}

impl Kept {
    /// The tools and what was written down, for settings that differ in nothing that these depend on.
    pub(crate) fn shared(&self) -> Kept {
        Kept { shelf: self.shelf.clone(), metadata: self.metadata.clone(), costs: self.costs.clone() }
    }
}

/// Settings are copied to be changed.
impl Clone for Kept {
    fn clone(&self) -> Kept {
        Kept::default()
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}
