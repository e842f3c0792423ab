//! Whose code the functions are that a component's core modules import: what can be seen of that in the list of what
//! the host does when it instantiates the component.

use super::component::ComponentInfo;
use crate::artifact::Malformed;
use wasmtime_environ::component::{CoreDef, CoreExport, Export, ExportItem, GlobalInitializer, InstantiateModule};
use wasmtime_environ::{DefinedFuncIndex, EngineOrModuleTypeIndex, EntityIndex, EntityType, Module, StaticModuleIndex};

/// What an import is known to be.
pub(super) struct Known {
    /// The number of the function among those that all modules define.
    pub(super) number: u32,
    /// Its module.
    pub(super) module: usize,
    pub(super) signature: EngineOrModuleTypeIndex,
}

/// A function that a module defines.
type Defined = (StaticModuleIndex, DefinedFuncIndex);

impl ComponentInfo {
    /// For each of the component's modules and each function that it imports: the one function whose code that is
    /// whenever the module is instantiated. Modules that are exported may be instantiated by anyone, with anything.
    pub(super) fn known_imports(&self, modules: &[Module]) -> Result<Vec<Vec<Option<Known>>>, Malformed> {
        let mut known: Vec<Option<Vec<Option<Defined>>>> = modules.iter().map(|_| None).collect();
        // The module of each instance, if it is one of the component's own.
        let mut instances: Vec<Option<StaticModuleIndex>> = Vec::new();
        for initializer in &self.component.initializers {
            let GlobalInitializer::InstantiateModule(instantiate, _) = initializer else { continue };
            let InstantiateModule::Static(module, arguments) = instantiate else {
                instances.push(None);
                continue;
            };
            let of = module.as_u32() as usize;
            let imports = modules.get(of).ok_or_else(|| Malformed::new("an instance of no module"))?.imports();
            if imports.len() != arguments.len() {
                return Err(Malformed::new("a module is not given what it imports"));
            }
            let functions = imports.zip(arguments).filter(|((.., ty), _)| matches!(ty, EntityType::Function(_)));
            let given: Vec<Option<Defined>> =
                functions.map(|(_, argument)| function(modules, &instances, argument)).collect();
            match &mut known[of] {
                first @ None => *first = Some(given),
                Some(before) => {
                    for (known, given) in before.iter_mut().zip(given) {
                        *known = known.filter(|known| given == Some(*known));
                    }
                }
            }
            instances.push(Some(*module));
        }
        for export in self.component.export_items.values() {
            if let Export::ModuleStatic { index, .. } = export {
                *known.get_mut(index.as_u32() as usize).ok_or_else(|| Malformed::new("an export of no module"))? = None;
            }
        }
        let mut first = 0;
        let firsts: Vec<u32> = modules
            .iter()
            .map(|module| {
                first += module.num_defined_funcs() as u32;
                first - module.num_defined_funcs() as u32
            })
            .collect();
        let of_module = |(module, index): Defined| {
            let at = module.as_u32() as usize;
            let signature = modules[at].functions[modules[at].func_index(index)].signature;
            Known { number: firsts[at] + index.as_u32(), module: at, signature }
        };
        let all = known.into_iter().map(|known| known.unwrap_or_default());
        Ok(all.map(|known| known.into_iter().map(|known| known.map(of_module)).collect()).collect())
    }
}

/// The function that an argument of an instantiation is, if it is one of the component's own modules that defines it.
fn function(modules: &[Module], instances: &[Option<StaticModuleIndex>], argument: &CoreDef) -> Option<Defined> {
    let CoreDef::Export(CoreExport { instance, item: ExportItem::Index(EntityIndex::Function(func)) }) = argument
    else {
        return None;
    };
    let module = (*instances.get(instance.as_u32() as usize)?)?;
    Some((module, modules.get(module.as_u32() as usize)?.defined_func_index(*func)?))
}
