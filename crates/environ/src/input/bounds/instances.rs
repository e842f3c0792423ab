//! Goes through a component's instantiation as Wasmtime's translation will, with nothing but components, instances and
//! functions in hand, and counts what the translation does: whatever is copied, looked up or walked.
//!
//! Components can be nested and instantiated again and again, so that 40 bytes for each of n neighbours make 2ⁿ
//! instances. A component is copied with all that it closes over, an instance with all that it exports, and the
//! resources that are known are copied for each instantiation. An adapter is written whenever a function of one
//! component is lowered in another.

use super::scope::Name;
use super::{FREE_STEPS, INLINE, MOST_ADAPTERS_OF_ADAPTERS, MOST_DEPTH, MOST_MEMORIES, STEPS_PER_BYTE};
use crate::error::Error;
use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;
use wasmtime_environ::wasmparser::{ComponentExternalKind as Kind, ExternalKind};

/// Steps that writing an adapter takes for each value that it passes on, and values that each adapter has besides.
const STEPS_PER_VALUE: u64 = 8;
const VALUES: u64 = 10;

/// What instantiating a component does.
#[derive(Default)]
pub(super) struct Component {
    pub(super) steps: Vec<Step>,
    /// Components of those around that it closes over, and how many modules.
    pub(super) closes_over: Vec<Upvar>,
    pub(super) modules_closed_over: u64,
}

/// A component of the one around, or one that this closes over itself.
#[derive(Clone, Copy)]
pub(super) enum Upvar {
    Local(u32),
    Upvar(usize),
}

/// What the options of a lifted or lowered function name.
#[derive(Clone, Copy, Default)]
pub(super) struct Options {
    pub(super) memory: Option<u32>,
    pub(super) functions: [Option<u32>; 3],
    pub(super) asynchronous: bool,
}

/// One thing after another. Weights are of the types involved.
pub(super) enum Step {
    /// A component follows that is defined here: which one of all.
    Define(usize),
    /// Of what the component is given, what has this name.
    Import {
        name: Name,
        kind: Kind,
        weight: u64,
        resources: u64,
    },
    /// One of a component, given so much, gives an instance with so many resources.
    Instantiate {
        component: u32,
        given: Vec<(Name, Kind, u32)>,
        weight: u64,
        resources: u64,
    },
    /// An instance made of what there is.
    Bundle {
        parts: Vec<(Name, Kind, u32)>,
        weight: u64,
    },
    Alias {
        instance: u32,
        name: Name,
        kind: Kind,
        weight: u64,
    },
    /// A component of one that is around.
    Component(Upvar),
    /// Which has an index of its own from then on.
    Export {
        name: Name,
        kind: Kind,
        index: u32,
        weight: u64,
    },
    Resource,
    CoreInstantiate {
        weight: u64,
        memory64: bool,
    },
    CoreBundle(Vec<(Name, ExternalKind, u32)>),
    CoreAlias {
        instance: u32,
        name: Name,
        kind: ExternalKind,
    },
    Lift {
        core_func: u32,
        options: Options,
        weight: u64,
        values: u64,
    },
    Lower {
        func: u32,
        options: Options,
        weight: u64,
        values: u64,
    },
    /// A core function of the host's.
    CoreFunc {
        weight: u64,
    },
}

/// What can be passed between components.
#[derive(Clone)]
enum Item {
    Component(Rc<Closure>),
    Instance(Rc<Exports>),
    Lifted(Rc<Lifted>),
    /// A type, a module, or something of the host's.
    Other,
}

/// A component with what it closes over.
struct Closure {
    component: usize,
    closed_over: Vec<Item>,
    /// What a copy of it takes.
    weight: u64,
    depth: usize,
}

struct Exports {
    items: BTreeMap<Name, Item>,
    weight: u64,
}

/// A core function as a component's.
struct Lifted {
    values: u64,
    memory: Option<Memory>,
    asynchronous: bool,
    /// Is a function that it is made of an adapter?
    of_adapter: bool,
    /// What a copy of it takes: it knows all instances around its own.
    weight: u64,
}

/// A core instance by its number, the name of the memory there, and whether it may be one of 64 bits.
type Memory = (u64, Name, bool);

/// A core function: is it an adapter?
type CoreFunc = bool;

enum CoreInstance {
    Real(u64, bool),
    Bundle { functions: BTreeMap<Name, CoreFunc>, memories: BTreeMap<Name, Memory> },
}

/// A component under instantiation.
struct Activation {
    component: Rc<Closure>,
    next: usize,
    given: BTreeMap<Name, Item>,
    components: Vec<Item>,
    instances: Vec<Item>,
    functions: Vec<Item>,
    exports: BTreeMap<Name, Item>,
    core_functions: Vec<CoreFunc>,
    memories: Vec<Memory>,
    core_instances: Vec<CoreInstance>,
    /// Resources that are known here.
    resources: u64,
    /// Of the instance that it becomes: what walks over its type take, and how many resources it has.
    instance: (u64, u64),
}

/// All that is counted.
struct Count<'c> {
    components: &'c [Component],
    /// What helpers come to of adapters of any type.
    helpers: u64,
    steps: u64,
    core_instances: u64,
    memories: HashSet<Memory>,
    adapters_of_adapters: usize,
    asynchronous64: bool,
    depth: usize,
}

/// Refuses a component of so many bytes that instantiates more than is in proportion to them.
pub(super) fn check(components: &[Component], bytes: usize, helpers: u64) -> Result<(), Error> {
    let most = FREE_STEPS + STEPS_PER_BYTE * bytes as u64;
    // What is not valid is for others to say.
    let Some(count) = count(components, helpers, most) else { return Ok(()) };
    if count.asynchronous64 {
        // It would panic.
        let message =
            "asynchronous adapters to or from memories of 64 bits are not supported by Wasmtime's translation";
        return Err(Error::unsupported(message, None));
    }
    let message = if count.steps > most {
        format!("the component's {bytes} bytes instantiate more than {most} things")
    } else if count.memories.len() > MOST_MEMORIES {
        let found = count.memories.len();
        format!("adapters between {found} memories, more than {MOST_MEMORIES}, are in one component")
    } else if count.adapters_of_adapters > MOST_ADAPTERS_OF_ADAPTERS {
        let found = count.adapters_of_adapters;
        format!("{found} adapters of functions that are adapters, more than {MOST_ADAPTERS_OF_ADAPTERS}")
    } else if count.depth > MOST_DEPTH {
        format!("components close over components more than {MOST_DEPTH} levels deep")
    } else {
        return Ok(());
    };
    Err(Error::too_large(message, None))
}

/// What instantiating the whole takes, or more than `most`. None if an index is not valid.
fn count(components: &[Component], helpers: u64, most: u64) -> Option<Count<'_>> {
    let mut count = Count {
        components,
        helpers,
        steps: 0,
        core_instances: 0,
        memories: HashSet::new(),
        adapters_of_adapters: 0,
        asynchronous64: false,
        depth: 0,
    };
    let whole = Rc::new(Closure { component: 0, closed_over: Vec::new(), weight: 1, depth: 0 });
    let mut stack = vec![Activation::new(whole, BTreeMap::new(), 0, (0, 0))];
    while let Some(top) = stack.last_mut() {
        let Some(step) = components[top.component.component].steps.get(top.next) else {
            let items = std::mem::take(&mut top.exports);
            let (weight, resources) = top.instance;
            let exports = exports(items);
            // Its type is walked, and for each resource what is exported is copied once more.
            count.add(exports.weight.saturating_mul(1 + resources).saturating_add(weight));
            stack.pop();
            if let Some(instantiated) = stack.last_mut() {
                instantiated.resources += resources;
                instantiated.instances.push(Item::Instance(Rc::new(exports)));
            }
            continue;
        };
        top.next += 1;
        let depth = stack.len() as u64;
        if let Some(begun) = count.step(stack.last_mut()?, step, depth)? {
            stack.push(begun);
        }
        if count.steps > most || count.depth > MOST_DEPTH {
            break;
        }
    }
    Some(count)
}

impl Count<'_> {
    fn add(&mut self, steps: u64) {
        self.steps = self.steps.saturating_add(steps);
    }

    /// Takes a step of a component that so many are around; if it instantiates one, this begins.
    fn step(&mut self, top: &mut Activation, step: &Step, depth: u64) -> Option<Option<Activation>> {
        self.add(1);
        match step {
            Step::Define(component) => {
                let of = &self.components[*component];
                let mut closure = Closure {
                    component: *component,
                    closed_over: Vec::with_capacity(of.closes_over.len()),
                    weight: 1 + of.modules_closed_over,
                    depth: 0,
                };
                for upvar in &of.closes_over {
                    let item = top.component(*upvar)?;
                    closure.weight = closure.weight.saturating_add(item.weight());
                    if let Item::Component(inner) = &item {
                        closure.depth = closure.depth.max(inner.depth + 1);
                    }
                    closure.closed_over.push(item);
                }
                self.add(closure.weight);
                self.depth = self.depth.max(closure.depth);
                top.components.push(Item::Component(Rc::new(closure)));
            }
            Step::Import { name, kind, weight, resources } => {
                let item = top.given.get(name).cloned().unwrap_or(Item::Other);
                // For each resource what was given is copied once more.
                self.add(item.weight().saturating_mul(1 + resources).saturating_add(2 * weight));
                top.resources += resources;
                top.put(*kind, item);
            }
            Step::Instantiate { component, given, weight, resources } => {
                let given = self.named(top, given)?;
                let item = top.components.get(*component as usize)?.clone();
                self.add(item.weight().saturating_add(top.resources));
                match item {
                    Item::Component(closure) => {
                        let known = top.resources;
                        return Some(Some(Activation::new(closure, given, known, (*weight, *resources))));
                    }
                    // None that the translation knows: it refuses components of the host's.
                    _ => top.instances.push(Item::Other),
                }
            }
            Step::Bundle { parts, weight } => {
                let items = self.named(top, parts)?;
                self.add(*weight);
                top.instances.push(Item::Instance(Rc::new(exports(items))));
            }
            Step::Alias { instance, name, kind, weight } => {
                let item = match top.instances.get(*instance as usize)? {
                    Item::Instance(exports) => exports.items.get(name).cloned().unwrap_or(Item::Other),
                    _ => Item::Other,
                };
                self.add(item.weight().saturating_add(*weight));
                top.put(*kind, item);
            }
            Step::Component(upvar) => {
                let item = top.component(*upvar)?;
                self.add(item.weight());
                top.components.push(item);
            }
            Step::Export { name, kind, index, weight } => {
                let item = top.get(*kind, *index)?;
                self.add(item.weight().saturating_mul(2).saturating_add(*weight));
                top.exports.insert(*name, item.clone());
                top.put(*kind, item);
            }
            Step::Resource => top.resources += 1,
            Step::CoreInstantiate { weight, memory64 } => {
                self.add(2 * weight);
                self.core_instances += 1;
                top.core_instances.push(CoreInstance::Real(self.core_instances, *memory64));
            }
            Step::CoreBundle(parts) => {
                self.add(parts.len() as u64);
                let (mut functions, mut memories) = (BTreeMap::new(), BTreeMap::new());
                for (name, kind, index) in parts {
                    match kind {
                        ExternalKind::Func | ExternalKind::FuncExact => {
                            functions.insert(*name, *top.core_functions.get(*index as usize)?);
                        }
                        ExternalKind::Memory => {
                            memories.insert(*name, *top.memories.get(*index as usize)?);
                        }
                        _ => {}
                    }
                }
                top.core_instances.push(CoreInstance::Bundle { functions, memories });
            }
            Step::CoreAlias { instance, name, kind } => match (top.core_instances.get(*instance as usize)?, kind) {
                (CoreInstance::Real(..), ExternalKind::Func | ExternalKind::FuncExact) => {
                    top.core_functions.push(false)
                }
                (CoreInstance::Bundle { functions, .. }, ExternalKind::Func | ExternalKind::FuncExact) => {
                    let function = *functions.get(name)?;
                    top.core_functions.push(function);
                }
                (CoreInstance::Real(instance, memory64), ExternalKind::Memory) => {
                    let memory = (*instance, *name, *memory64);
                    top.memories.push(memory);
                }
                (CoreInstance::Bundle { memories, .. }, ExternalKind::Memory) => {
                    let memory = *memories.get(name)?;
                    top.memories.push(memory);
                }
                _ => {}
            },
            Step::Lift { core_func, options, weight, values } => {
                self.add(weight.saturating_add(depth));
                let (memory, of_adapter) = top.options(options)?;
                let of_adapter = of_adapter || *top.core_functions.get(*core_func as usize)?;
                let asynchronous = options.asynchronous;
                let lifted = Lifted { values: *values, memory, asynchronous, of_adapter, weight: 1 + depth };
                top.functions.push(Item::Lifted(Rc::new(lifted)));
            }
            Step::Lower { func, options, weight, values } => {
                self.add(weight.saturating_add(depth));
                let (memory, of_adapter) = top.options(options)?;
                let adapted = match top.functions.get(*func as usize)? {
                    Item::Lifted(lifted) => Some(lifted.clone()),
                    _ => None,
                };
                if let Some(lifted) = &adapted {
                    // What the adapter passes on itself, and what its helpers do.
                    let most = self.helpers.saturating_add(2 * INLINE);
                    let all = most.min(*values).saturating_add(most.min(lifted.values));
                    self.add(STEPS_PER_VALUE.saturating_mul(all.saturating_add(VALUES)).saturating_add(2 * depth));
                    let memories = || memory.iter().chain(&lifted.memory);
                    self.memories.extend(memories());
                    self.asynchronous64 |=
                        (options.asynchronous || lifted.asynchronous) && memories().any(|(_, _, memory64)| *memory64);
                    self.adapters_of_adapters += usize::from(of_adapter || lifted.of_adapter);
                }
                top.core_functions.push(adapted.is_some());
            }
            Step::CoreFunc { weight } => {
                self.add(*weight);
                top.core_functions.push(false);
            }
        }
        Some(None)
    }

    /// Items by name, each of which is copied.
    fn named(&mut self, top: &Activation, parts: &[(Name, Kind, u32)]) -> Option<BTreeMap<Name, Item>> {
        let mut named = BTreeMap::new();
        for (name, kind, index) in parts {
            let item = top.get(*kind, *index)?;
            self.add(1 + item.weight());
            named.insert(*name, item);
        }
        Some(named)
    }
}

fn exports(items: BTreeMap<Name, Item>) -> Exports {
    let weight = items.values().fold(1, |weight: u64, item| weight.saturating_add(1 + item.weight()));
    Exports { items, weight }
}

impl Item {
    /// What a copy of it takes.
    fn weight(&self) -> u64 {
        match self {
            Item::Component(closure) => closure.weight,
            Item::Instance(exports) => exports.weight,
            Item::Lifted(lifted) => lifted.weight,
            Item::Other => 1,
        }
    }
}

impl Activation {
    fn new(component: Rc<Closure>, given: BTreeMap<Name, Item>, resources: u64, instance: (u64, u64)) -> Activation {
        Activation {
            component,
            next: 0,
            given,
            components: Vec::new(),
            instances: Vec::new(),
            functions: Vec::new(),
            exports: BTreeMap::new(),
            core_functions: Vec::new(),
            memories: Vec::new(),
            core_instances: Vec::new(),
            resources,
            instance,
        }
    }

    fn component(&self, upvar: Upvar) -> Option<Item> {
        match upvar {
            Upvar::Local(index) => self.components.get(index as usize).cloned(),
            Upvar::Upvar(index) => self.component.closed_over.get(index).cloned(),
        }
    }

    /// The memory that options name, and whether one of their functions is an adapter.
    fn options(&self, options: &Options) -> Option<(Option<Memory>, bool)> {
        let memory = match options.memory {
            Some(index) => Some(*self.memories.get(index as usize)?),
            None => None,
        };
        let mut of_adapter = false;
        for index in options.functions.iter().flatten() {
            of_adapter |= *self.core_functions.get(*index as usize)?;
        }
        Some((memory, of_adapter))
    }

    fn get(&self, kind: Kind, index: u32) -> Option<Item> {
        match kind {
            Kind::Component => self.components.get(index as usize).cloned(),
            Kind::Instance => self.instances.get(index as usize).cloned(),
            Kind::Func => self.functions.get(index as usize).cloned(),
            _ => Some(Item::Other),
        }
    }

    fn put(&mut self, kind: Kind, item: Item) {
        match kind {
            Kind::Component => self.components.push(item),
            Kind::Instance => self.instances.push(item),
            Kind::Func => self.functions.push(item),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::error::Error;
    use crate::input::bounds::Weigher;
    use wasmtime_environ::wasmparser::WasmFeatures;

    fn steps(text: &str) -> u64 {
        let wasm = wat::parse_str(text).unwrap();
        let weigher = Weigher::of_whole(&wasm, WasmFeatures::all()).unwrap();
        weigher.check_valid().unwrap();
        super::count(weigher.components(), 1000, 1 << 20).unwrap().steps
    }

    fn check(text: &str) -> Result<(), Error> {
        let wasm = wat::parse_str(text).unwrap();
        let weigher = Weigher::of_whole(&wasm, WasmFeatures::all())?;
        weigher.check_valid().unwrap();
        weigher.check_instances(wasm.len())
    }

    #[track_caller]
    fn refused(text: &str, word: &str) {
        let error = check(text).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::TooLarge);
        assert!(error.message().contains(word), "{error}");
    }

    /// Components of which each instantiates the one before twice.
    fn doubling(levels: usize) -> String {
        let mut text = String::from("(component (component $c0 (core module $m) (core instance (instantiate $m)))");
        for level in 1..=levels {
            let before = level - 1;
            let twice = format!("(instance (instantiate $c{before})) (instance (instantiate $c{before}))");
            text += &format!("(component $c{level} (alias outer 1 $c{before} (component $c{before})) {twice})");
        }
        text + &format!("(instance (instantiate $c{levels})))")
    }

    #[test]
    fn what_is_instantiated_again_counts_again() {
        let growth: Vec<u64> = (1..8).map(|levels| steps(&doubling(levels))).collect();
        for pair in growth.windows(2) {
            assert!(pair[1] > 2 * pair[0] - 30, "{growth:?}");
        }
        assert_eq!(check(&doubling(3)), Ok(()));
        for levels in [18, 30, 90] {
            refused(&doubling(levels), "instantiate more than");
        }
    }

    #[test]
    fn components_that_are_passed_on_count_where_they_are_instantiated() {
        // Twice the argument, whatever it is; and the argument comes by way of an instance.
        let text = |argument: &str| {
            format!(
                r#"(component
                    (component $small)
                    (component $large (core module $m) {instances})
                    (component $twice (import "x" (component $x))
                        (instance (instantiate $x)) (instance (instantiate $x)))
                    (instance $both (export "x" (component ${argument})))
                    (alias export $both "x" (component $which))
                    (instance (instantiate $twice (with "x" (component $which)))))"#,
                instances = "(core instance (instantiate $m))".repeat(50)
            )
        };
        // Each is a step, and its module's imports and exports are two.
        assert!(steps(&text("large")) - steps(&text("small")) >= 2 * 50 * 3);
    }

    /// Each component closes over the one before twice, and none is instantiated.
    #[test]
    fn what_is_closed_over_counts_whenever_it_is_copied() {
        let text = |levels: usize| {
            let mut text = String::from("(component (component $c0)");
            for level in 1..=levels {
                let alias = format!("(alias outer 1 $c{} (component))", level - 1);
                text += &format!("(component $c{level} {alias} {alias})");
            }
            text + ")"
        };
        assert_eq!(check(&text(5)), Ok(()));
        refused(&text(30), "instantiate more than");
        refused(&text(90), "instantiate more than");
        let mut chain = String::from("(component (component $c0)");
        for level in 1..200 {
            chain += &format!("(component $c{level} (alias outer 1 $c{} (component)))", level - 1);
        }
        refused(&(chain + ")"), "close over components");
    }

    /// A component that calls what it imports, and has a memory of its own for it.
    fn caller(name: &str) -> String {
        format!(
            r#"(component ${name}
                (import "f" (func $f (param "s" string)))
                (core module $libc (memory (export "m") 1)
                    (func (export "r") (param i32 i32 i32 i32) (result i32) i32.const 0))
                (core instance $libc (instantiate $libc))
                (core func $f (canon lower (func $f) (memory (core memory $libc "m"))))
                (func (export "f") (param "s" string)
                    (canon lift (core func $f) (memory (core memory $libc "m")) (realloc (core func $libc "r")))))"#
        )
    }

    #[test]
    fn adapters_are_between_so_many_memories_and_of_so_many_adapters() {
        let chain = |n: usize| {
            let mut text = format!(r#"(component (import "f" (func $f0 (param "s" string))) {}"#, caller("c"));
            for i in 1..=n {
                text += &format!(r#"(instance $i{i} (instantiate $c (with "f" (func $f{}))))"#, i - 1);
                text += &format!(r#"(alias export $i{i} "f" (func $f{i}))"#);
            }
            text + ")"
        };
        assert_eq!(check(&chain(50)), Ok(()));
        // The first is lowered of the host's function, so it is no adapter.
        assert_eq!(check(&chain(100)), Ok(()));
        refused(&chain(101), "adapters between 101 memories, more than 100");
    }
}
