//! How much a component instantiates. Components can be nested and instantiated again and again, so that 40 bytes for
//! each of n neighbours make 2ⁿ instances, and Wasmtime's translation makes every one of them before it returns. So
//! they are counted first, by going through the same motions with nothing but components and instances in hand.

use crate::error::Error;
use std::collections::BTreeMap;
use std::rc::Rc;
use wasmtime_environ::wasmparser::{
    Chunk, ComponentAlias, ComponentExternalKind as Kind, ComponentInstance, ComponentOuterAliasKind, Parser, Payload,
    Result, WasmFeatures,
};

/// Steps of instantiation that any component may take, and how many more for each of its bytes. One that instantiates
/// nothing twice takes less than one for each byte.
const FREE: usize = 10_000;
const PER_BYTE: usize = 16;

/// What a component consists of, as far as it matters.
#[derive(Default)]
struct Component<'a> {
    steps: Vec<Step<'a>>,
}

enum Step<'a> {
    /// A component follows that is defined here: which one of all.
    Define(usize),
    /// Of what the component is given, what has this name.
    Import(&'a str, Kind),
    Instantiate(u32, Vec<(&'a str, Kind, u32)>),
    /// An instance made of what there is.
    Bundle(Vec<(&'a str, Kind, u32)>),
    Alias(u32, &'a str, Kind),
    /// A component of one so many levels further out.
    Outer(u32, u32),
    /// Which has an index of its own from then on.
    Export(&'a str, Kind, u32),
    /// So many other things, of which each has a cost.
    Others(u32),
}

/// A component or an instance, or something that cannot be known yet and has no parts.
#[derive(Clone)]
enum Item<'a> {
    Component(usize, Rc<Outer<'a>>),
    Instance(Rc<Exports<'a>>),
    Unknown,
}

type Exports<'a> = BTreeMap<&'a str, Item<'a>>;

/// What a component sees of those around it: their components when it was defined.
struct Outer<'a> {
    components: Vec<Item<'a>>,
    outer: Option<Rc<Outer<'a>>>,
}

/// A component under instantiation.
struct Activation<'a> {
    component: usize,
    next: usize,
    given: Exports<'a>,
    outer: Option<Rc<Outer<'a>>>,
    components: Vec<Item<'a>>,
    instances: Vec<Item<'a>>,
    exports: Exports<'a>,
}

/// Refuses a component that instantiates more than is in proportion to its bytes, so many before there were stand-ins
/// in it. What is not valid is for others to say.
pub(crate) fn check(wasm: &[u8], bytes: usize, features: WasmFeatures) -> Result<(), Error> {
    let Ok(components) = read(wasm, features) else { return Ok(()) };
    let most = FREE + PER_BYTE * bytes;
    if count(&components, most).is_some_and(|steps| steps > most) {
        let message = format!("the component's {bytes} bytes instantiate more than {most} things");
        return Err(Error::too_large(message, None));
    }
    Ok(())
}

/// Reads all components; the first is the whole.
fn read(wasm: &[u8], features: WasmFeatures) -> Result<Vec<Component<'_>>> {
    let mut parser = Parser::new(0);
    parser.set_features(features);
    let mut components = vec![Component::default()];
    let mut open: Vec<(usize, Parser)> = Vec::new();
    let (mut current, mut here) = (0, 0);
    loop {
        let (consumed, payload) = match parser.parse(&wasm[here..], true)? {
            Chunk::Parsed { consumed, payload } => (consumed, payload),
            Chunk::NeedMoreData(_) => unreachable!("all of it is there"),
        };
        here += consumed;
        let mut step = |step| components[current].steps.push(step);
        match payload {
            Payload::ModuleSection { unchecked_range, .. } => here = unchecked_range.end.min(wasm.len()),
            Payload::ComponentSection { parser: nested, .. } => {
                let index = components.len();
                components[current].steps.push(Step::Define(index));
                components.push(Component::default());
                open.push((current, std::mem::replace(&mut parser, nested)));
                current = index;
            }
            Payload::InstanceSection(section) => step(Step::Others(section.count())),
            Payload::ComponentCanonicalSection(section) => step(Step::Others(section.count())),
            Payload::ComponentImportSection(section) => {
                for import in section {
                    let import = import?;
                    step(Step::Import(import.name.name, import.ty.kind()));
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section {
                    step(match instance? {
                        ComponentInstance::Instantiate { component_index, args } => {
                            let args = args.iter().map(|arg| (arg.name, arg.kind, arg.index)).collect();
                            Step::Instantiate(component_index, args)
                        }
                        ComponentInstance::FromExports(exports) => {
                            let parts = exports.iter().map(|export| (export.name.name, export.kind, export.index));
                            Step::Bundle(parts.collect())
                        }
                    });
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    match alias? {
                        ComponentAlias::InstanceExport { kind, instance_index, name } => {
                            step(Step::Alias(instance_index, name, kind));
                        }
                        ComponentAlias::Outer { kind: ComponentOuterAliasKind::Component, count, index } => {
                            step(Step::Outer(count, index));
                        }
                        _ => {}
                    }
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    let export = export?;
                    step(Step::Export(export.name.name, export.kind, export.index));
                }
            }
            Payload::End(_) => match open.pop() {
                Some((outer, of_outer)) => (current, parser) = (outer, of_outer),
                None => return Ok(components),
            },
            _ => {}
        }
    }
}

/// How many steps instantiating the whole takes, as soon as it is known to be more than `most`. None if an index is not
/// valid.
fn count(components: &[Component<'_>], most: usize) -> Option<usize> {
    let activation = |component, given, outer| Activation {
        component,
        next: 0,
        given,
        outer,
        components: Vec::new(),
        instances: Vec::new(),
        exports: Exports::new(),
    };
    let mut stack = vec![activation(0, Exports::new(), None)];
    let mut steps = 0;
    while let Some(top) = stack.last_mut() {
        let Some(step) = components[top.component].steps.get(top.next) else {
            let done = Item::Instance(Rc::new(std::mem::take(&mut top.exports)));
            stack.pop();
            if let Some(instantiated) = stack.last_mut() {
                instantiated.instances.push(done);
            }
            continue;
        };
        top.next += 1;
        steps += 1;
        match step {
            Step::Others(count) => steps += *count as usize,
            Step::Define(component) => {
                // What is copied here, the definition could have named one by one.
                steps += top.components.len();
                let outer = Outer { components: top.components.clone(), outer: top.outer.clone() };
                top.components.push(Item::Component(*component, Rc::new(outer)));
            }
            Step::Import(name, kind) => {
                let item = top.given.get(name).cloned().unwrap_or(Item::Unknown);
                top.put(*kind, item);
            }
            Step::Outer(0, index) => {
                let item = top.components.get(*index as usize)?.clone();
                top.components.push(item);
            }
            Step::Outer(levels, index) => {
                let mut outer = top.outer.as_ref()?;
                for _ in 1..*levels {
                    outer = outer.outer.as_ref()?;
                }
                let item = outer.components.get(*index as usize)?.clone();
                top.components.push(item);
            }
            Step::Alias(instance, name, kind) => {
                let item = match top.instances.get(*instance as usize)? {
                    Item::Instance(exports) => exports.get(name).cloned().unwrap_or(Item::Unknown),
                    _ => Item::Unknown,
                };
                top.put(*kind, item);
            }
            Step::Export(name, kind, index) => {
                if let Some(item) = top.get(*kind, *index)? {
                    top.exports.insert(name, item.clone());
                    top.put(*kind, item);
                }
            }
            Step::Bundle(parts) => {
                steps += parts.len();
                let exports = top.named(parts)?;
                top.instances.push(Item::Instance(Rc::new(exports)));
            }
            Step::Instantiate(component, arguments) => {
                steps += arguments.len();
                let given = top.named(arguments)?;
                match top.components.get(*component as usize)?.clone() {
                    Item::Component(component, outer) => stack.push(activation(component, given, Some(outer))),
                    _ => top.instances.push(Item::Unknown),
                }
            }
        }
        if steps > most {
            break;
        }
    }
    Some(steps)
}

impl<'a> Activation<'a> {
    /// The item with this index, if it is of a kind that matters; none at all if there is no such index.
    fn get(&self, kind: Kind, index: u32) -> Option<Option<Item<'a>>> {
        Some(match kind {
            Kind::Component => Some(self.components.get(index as usize)?.clone()),
            Kind::Instance => Some(self.instances.get(index as usize)?.clone()),
            _ => None,
        })
    }

    fn put(&mut self, kind: Kind, item: Item<'a>) {
        match kind {
            Kind::Component => self.components.push(item),
            Kind::Instance => self.instances.push(item),
            _ => {}
        }
    }

    /// Items by name.
    fn named(&self, parts: &[(&'a str, Kind, u32)]) -> Option<Exports<'a>> {
        let mut named = Exports::new();
        for (name, kind, index) in parts {
            if let Some(item) = self.get(*kind, *index)? {
                named.insert(name, item);
            }
        }
        Some(named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &str) -> usize {
        let wasm = wat::parse_str(text).unwrap();
        count(&read(&wasm, WasmFeatures::all()).unwrap(), 1 << 20).unwrap()
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
        let growth: Vec<usize> = (1..8).map(|levels| steps(&doubling(levels))).collect();
        for pair in growth.windows(2) {
            assert!(pair[1] > 2 * pair[0] - 20, "{growth:?}");
        }
        let check = |levels| {
            let wasm = wat::parse_str(doubling(levels)).unwrap();
            check(&wasm, wasm.len(), WasmFeatures::all())
        };
        assert_eq!(check(3), Ok(()));
        for levels in [16, 30, 100, 900] {
            let error = check(levels).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::TooLarge);
            assert!(error.message().contains("instantiate more than"), "{error}");
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
                    (component $twice (import "x" (component $x)) (instance (instantiate $x)) (instance (instantiate $x)))
                    (instance $both (export "x" (component ${argument})))
                    (alias export $both "x" (component $which))
                    (instance (instantiate $twice (with "x" (component $which)))))"#,
                instances = "(core instance (instantiate $m))".repeat(50)
            )
        };
        assert_eq!(steps(&text("large")) - steps(&text("small")), 2 * 51);
    }
}
