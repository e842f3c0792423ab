//! What a component, or the declaration of a type, has defined so far: its index spaces, with weights instead of types.

use super::MOST_LEVELS;
use std::collections::BTreeMap;
use std::sync::Arc;
use wasmtime_environ::wasmparser::ComponentExternalKind as Kind;

/// A name, as its number in the order in which they came.
pub(super) type Name = u32;

/// A type, or whatever else has one.
#[derive(Default)]
pub(super) struct Ty {
    /// Parts that a walk over it meets, those of parts that are shared as often as they are mentioned.
    pub(super) weight: u64,
    /// Instances that are met on a walk over nothing else: what nests is walked so once more for each level above it.
    pub(super) instances: u64,
    /// Of the parts, resources that somebody who has an instance of it gets to know.
    pub(super) resources: u64,
    /// What an adapter has to pass on of its values, in multiples of a number.
    pub(super) values: u64,
    /// Bytes that a value of it may take in a memory.
    pub(super) bytes: u64,
    /// Of a core module: does it import or export tables or globals of types that it defines?
    pub(super) typed: bool,
    /// Of a core module: does it have a memory of 64 bits?
    pub(super) memory64: bool,
    /// On how many levels it has others.
    pub(super) depth: usize,
    /// Of an instance or a component.
    pub(super) exports: BTreeMap<Name, (Kind, Arc<Ty>)>,
}

impl Ty {
    pub(super) fn of_weight(weight: u64) -> Arc<Ty> {
        Arc::new(Ty { weight, ..Ty::default() })
    }

    /// A resource that is not known to be any other.
    pub(super) fn resource() -> Arc<Ty> {
        Arc::new(Ty { weight: 1, resources: 1, values: 1, bytes: 4, ..Ty::default() })
    }
}

/// Index spaces, of as much as matters.
#[derive(Default)]
pub(super) struct Scope {
    pub(super) types: Vec<Arc<Ty>>,
    pub(super) core_types: Vec<Arc<Ty>>,
    pub(super) funcs: Vec<Arc<Ty>>,
    pub(super) instances: Vec<Arc<Ty>>,
    pub(super) components: Vec<Arc<Ty>>,
    pub(super) modules: Vec<Arc<Ty>>,
    /// What is imported and exported so far, as parts of the type of the whole.
    whole: Ty,
    /// Which of all components it is, if it is one.
    pub(super) component: usize,
    /// How many components of those around are closed over, and how many modules.
    pub(super) upvars: usize,
}

impl Scope {
    pub(super) fn of_component(component: usize) -> Scope {
        Scope { component, ..Scope::default() }
    }

    fn space(&self, kind: Kind) -> Option<&Vec<Arc<Ty>>> {
        Some(match kind {
            Kind::Module => &self.modules,
            Kind::Func => &self.funcs,
            Kind::Type => &self.types,
            Kind::Instance => &self.instances,
            Kind::Component => &self.components,
            Kind::Value => return None,
        })
    }

    pub(super) fn get(&self, kind: Kind, index: u32) -> Option<Arc<Ty>> {
        self.space(kind)?.get(index as usize).cloned()
    }

    pub(super) fn put(&mut self, kind: Kind, ty: Arc<Ty>) {
        match kind {
            Kind::Module => self.modules.push(ty),
            Kind::Func => self.funcs.push(ty),
            Kind::Type => self.types.push(ty),
            Kind::Instance => self.instances.push(ty),
            Kind::Component => self.components.push(ty),
            Kind::Value => {}
        }
    }

    /// Makes something imported part of the whole. None if that has others on too many levels.
    pub(super) fn import(&mut self, kind: Kind, ty: &Ty, name: u64) -> Option<()> {
        let walks = if matches!(kind, Kind::Instance | Kind::Component) { ty.instances } else { 1 };
        self.whole.weight = self.whole.weight.saturating_add(ty.weight).saturating_add(walks).saturating_add(name);
        self.whole.instances = self.whole.instances.saturating_add(walks);
        self.whole.depth = self.whole.depth.max(ty.depth + 1);
        (self.whole.depth <= MOST_LEVELS).then_some(())
    }

    /// Makes something exported part of the whole, likewise.
    pub(super) fn export(&mut self, kind: Kind, ty: Arc<Ty>, name: (Name, u64)) -> Option<()> {
        self.import(kind, &ty, name.1)?;
        if matches!(kind, Kind::Instance | Kind::Type) {
            self.whole.resources = self.whole.resources.saturating_add(ty.resources);
        }
        self.whole.exports.insert(name.0, (kind, ty));
        Some(())
    }

    /// The type of the whole.
    pub(super) fn into_type(self) -> Arc<Ty> {
        let mut whole = self.whole;
        whole.weight = whole.weight.saturating_add(1);
        whole.instances = whole.instances.saturating_add(1);
        Arc::new(whole)
    }
}
