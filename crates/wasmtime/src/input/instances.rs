//! How much Wasmtime's translation of a component comes to. It instantiates components before it returns, again and
//! again where they are nested, and wherever it passes something on it makes a copy of all that this consists of: so 25
//! bytes for each of n neighbours make 2ⁿ instances, or copies. The same motions are gone through here first, with nothing but
//! names and counts in hand, and what would be copied is only counted.

use crate::error::Error;
use crate::input::nesting;
use std::collections::BTreeMap;
use std::rc::Rc;
use wasmtime_environ::wasmparser::{
    BinaryReaderError, Chunk, ComponentAlias, ComponentExternalKind as Kind, ComponentInstance,
    ComponentOuterAliasKind as OuterKind, Instance as CoreInstance, Parser, Payload, WasmFeatures,
};

/// Steps that the translation of any component may take, and how many more for each of its bytes. One that instantiates
/// nothing twice takes less than one for each byte.
const FREE: usize = 10_000;
const PER_BYTE: usize = 16;

/// Most core modules and components in a component. Validation copies a list with an entry for each wherever one of
/// them ends.
const MOST_DEFINITIONS: usize = 1000;

/// Most levels of instances in instances, and of components that see others from outside, which are given up level by
/// level.
const MOST_LEVELS: usize = 500;

/// What a component consists of, as far as it matters.
#[derive(Default)]
struct Component<'a> {
    steps: Vec<Step<'a>>,
    /// What it, or a component in it, sees of those around it: what is to be kept of them where it is defined.
    captures: Vec<(Capture, OuterKind)>,
}

/// Where something from outside is to be had: by index, in the component that defines the one that sees it, or among
/// what that one has kept itself.
#[derive(Clone, Copy)]
enum Capture {
    Local(u32),
    Captured(usize),
}

enum Step<'a> {
    /// A component follows that is defined here: which one of all.
    Define(usize),
    /// A core module with so many imports.
    Module(u32),
    /// Of what the component is given, what has this name.
    Import(&'a str, Kind),
    /// An instance of a core module.
    Core(u32),
    Instantiate(u32, Parts<'a>),
    /// An instance made of what there is.
    Bundle(Parts<'a>),
    Alias(u32, &'a str, Kind),
    Outer(Capture, OuterKind),
    /// What has an index of its own from then on.
    Export(&'a str, Kind, u32),
    /// So many functions between the component and its core modules.
    Functions(u32),
    /// So many other things.
    Others(u32),
}

type Parts<'a> = Vec<(&'a str, Kind, u32)>;

/// Something with an index, and whether it has parts. Of what the whole is given nothing is known.
#[derive(Clone)]
enum Item<'a> {
    Component(usize, Rc<Group<Vec<Item<'a>>>>),
    Instance(Rc<Group<Exports<'a>>>),
    Module(u32),
    Function,
    Type,
    Other,
}

type Exports<'a> = BTreeMap<&'a str, Item<'a>>;

/// Items that are copied together.
#[derive(Default)]
struct Group<Items> {
    items: Items,
    measures: Measures,
}

#[derive(Clone, Copy, Default)]
struct Measures {
    /// How many there are, those that these consist of included.
    weight: usize,
    /// How many of them are types.
    types: usize,
    /// On how many levels they are.
    levels: usize,
}

impl Item<'_> {
    /// What it consists of. A function keeps a list of the components that were under instantiation around it.
    fn measures(&self, deepest: usize) -> Measures {
        match self {
            Item::Component(_, group) => group.measures,
            Item::Instance(group) => group.measures,
            Item::Function => Measures { weight: deepest, types: 0, levels: 0 },
            Item::Type => Measures { weight: 1, types: 1, levels: 0 },
            Item::Module(_) | Item::Other => Measures { weight: 1, types: 0, levels: 0 },
        }
    }

    /// What a copy costs.
    fn weight(&self, deepest: usize) -> usize {
        self.measures(deepest).weight
    }

    /// What it costs to find the resources in an instance: a copy for each.
    fn search(&self) -> usize {
        match self {
            Item::Instance(group) => group.measures.weight.saturating_mul(group.measures.types),
            _ => 0,
        }
    }
}

/// A component under instantiation.
struct Activation<'a> {
    component: usize,
    next: usize,
    given: Exports<'a>,
    captured: Rc<Group<Vec<Item<'a>>>>,
    components: Vec<Item<'a>>,
    instances: Vec<Item<'a>>,
    modules: Vec<Item<'a>>,
    exports: Exports<'a>,
}

/// Why counting has come to its end.
#[derive(Debug)]
enum Stop {
    /// What is not valid is for others to say.
    Invalid,
    Refused(Error),
    /// There is more than there may be.
    TooMuch,
}

impl From<BinaryReaderError> for Stop {
    fn from(_: BinaryReaderError) -> Stop {
        Stop::Invalid
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Refused(error)
    }
}

/// Refuses a component whose translation comes to more than is in proportion to its bytes, so many before there were
/// stand-ins in it. Says whether all of it could be read.
pub(crate) fn check(wasm: &[u8], bytes: usize, features: WasmFeatures) -> Result<bool, Error> {
    let most = FREE + PER_BYTE * bytes;
    let counted = read(wasm, features, most).and_then(|whole| count(&whole, most));
    match counted {
        Ok(_) => Ok(true),
        Err(Stop::Invalid) => Ok(false),
        Err(Stop::Refused(error)) => Err(error),
        Err(Stop::TooMuch) => {
            let message = format!("the component's {bytes} bytes instantiate more than {most} things");
            Err(Error::too_large(message, None))
        }
    }
}

/// Refuses a core module or a component, at this byte, that is one more than so many.
pub(crate) fn check_definitions(before: usize, at: usize) -> Result<(), Error> {
    if before < MOST_DEFINITIONS {
        return Ok(());
    }
    let message = format!("limit exceeded: a component of more than {MOST_DEFINITIONS} modules and components");
    Err(Error::too_large(message, Some(at)))
}

/// A component that was read.
struct Whole<'a> {
    /// The first is the whole.
    components: Vec<Component<'a>>,
    /// Bytes of the longest section of types: a core module that the whole is given has no more imports.
    types: usize,
}

/// Reads all components, as far as it matters. Outer aliases may lead through `most` components together.
fn read(wasm: &[u8], features: WasmFeatures, most: usize) -> Result<Whole<'_>, Stop> {
    let mut parser = Parser::new(0);
    parser.set_features(features);
    let mut components = vec![Component::default()];
    let mut open: Vec<(usize, Parser)> = Vec::new();
    let (mut current, mut here) = (0, 0);
    let (mut modules, mut captures, mut types) = (0, 0, 0);
    loop {
        let (consumed, payload) = match parser.parse(&wasm[here..], true)? {
            Chunk::Parsed { consumed, payload } => (consumed, payload),
            Chunk::NeedMoreData(_) => unreachable!("all of it is there"),
        };
        let at = here;
        here += consumed;
        let definitions = modules + components.len() - 1;
        let next = components.len();
        let mut step = |step| components[current].steps.push(step);
        match payload {
            Payload::ModuleSection { parser, unchecked_range } => {
                check_definitions(definitions, at)?;
                let end = unchecked_range.end.min(wasm.len());
                step(Step::Module(imports(parser, &wasm[here..end])));
                modules += 1;
                here = end;
            }
            Payload::ComponentSection { parser: nested, .. } => {
                check_definitions(definitions, at)?;
                step(Step::Define(next));
                components.push(Component::default());
                open.push((current, std::mem::replace(&mut parser, nested)));
                current = next;
            }
            Payload::CoreTypeSection(section) => types = types.max(section.range().len()),
            Payload::ComponentTypeSection(section) => {
                let range = section.range();
                nesting::check(&wasm[range.clone()], range.start, features)?;
                types = types.max(range.len());
                step(Step::Others(section.count()));
            }
            Payload::InstanceSection(section) => {
                for instance in section {
                    step(match instance? {
                        CoreInstance::Instantiate { module_index, .. } => Step::Core(module_index),
                        CoreInstance::FromExports(_) => Step::Others(1),
                    });
                }
            }
            Payload::ComponentCanonicalSection(section) => step(Step::Functions(section.count())),
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
                            components[current].steps.push(Step::Alias(instance_index, name, kind));
                        }
                        ComponentAlias::CoreInstanceExport { .. } => components[current].steps.push(Step::Others(1)),
                        ComponentAlias::Outer { kind: OuterKind::Type | OuterKind::CoreType, .. } => {}
                        ComponentAlias::Outer { kind, count, index } => {
                            // Each component on the way keeps it for the next.
                            let outer = open.len().checked_sub(count as usize).ok_or(Stop::Invalid)?;
                            captures += open.len() - outer;
                            if captures > most {
                                return Err(Stop::TooMuch);
                            }
                            let mut capture = Capture::Local(index);
                            for level in outer + 1..=open.len() {
                                let component = open.get(level).map_or(current, |(component, _)| *component);
                                let captures = &mut components[component].captures;
                                captures.push((capture, kind));
                                capture = Capture::Captured(captures.len() - 1);
                            }
                            components[current].steps.push(Step::Outer(capture, kind));
                        }
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
                None => return Ok(Whole { components, types }),
            },
            _ => {}
        }
    }
}

/// How many imports a core module says that it has.
fn imports(mut parser: Parser, mut wasm: &[u8]) -> u32 {
    while let Ok(Chunk::Parsed { consumed, payload }) = parser.parse(wasm, true) {
        match payload {
            Payload::Version { .. } | Payload::CustomSection(_) | Payload::TypeSection(_) => wasm = &wasm[consumed..],
            Payload::ImportSection(section) => return section.count(),
            _ => break,
        }
    }
    0
}

/// How many steps the translation takes, if that is not more than `most`.
fn count(Whole { components, types }: &Whole<'_>, most: usize) -> Result<usize, Stop> {
    let activation = |component, given, captured| Activation {
        component,
        next: 0,
        given,
        captured,
        components: Vec::new(),
        instances: Vec::new(),
        modules: Vec::new(),
        exports: Exports::new(),
    };
    let mut stack = vec![activation(0, Exports::new(), Rc::default())];
    let (mut steps, mut deepest) = (0usize, 1);
    while let Some(top) = stack.last_mut() {
        let Some(step) = components[top.component].steps.get(top.next) else {
            let exports = Group::of_exports(std::mem::take(&mut top.exports), deepest)?;
            let resources =
                exports.items.values().map(Item::search).fold(exports.measures.weight, usize::saturating_add);
            steps = steps.saturating_add(resources);
            let done = Item::Instance(Rc::new(exports));
            stack.pop();
            if let Some(instantiated) = stack.last_mut() {
                instantiated.instances.push(done);
            }
            continue;
        };
        top.next += 1;
        steps += 1;
        match step {
            Step::Others(count) => steps = steps.saturating_add(*count as usize),
            Step::Functions(count) => steps = steps.saturating_add((*count as usize).saturating_mul(deepest)),
            Step::Module(imports) => top.modules.push(Item::Module(*imports)),
            Step::Core(module) => {
                steps += match top.modules.get(*module as usize).ok_or(Stop::Invalid)? {
                    Item::Module(imports) => *imports as usize,
                    _ => *types,
                };
            }
            Step::Define(component) => {
                let captures = &components[*component].captures;
                let captured = captures.iter().map(|(capture, kind)| top.outer(*capture, *kind));
                let captured = Group::of_captures(captured.collect::<Result<_, Stop>>()?, deepest)?;
                steps = steps.saturating_add(captured.measures.weight);
                top.components.push(Item::Component(*component, Rc::new(captured)));
            }
            Step::Outer(capture, kind) => {
                let item = top.outer(*capture, *kind)?;
                steps = steps.saturating_add(item.weight(deepest));
                match kind {
                    OuterKind::Component => top.components.push(item),
                    _ => top.modules.push(item),
                }
            }
            Step::Import(name, kind) => {
                let item = top.given.get(name).cloned().unwrap_or(Item::Other);
                steps = steps.saturating_add(item.weight(deepest)).saturating_add(item.search());
                top.put(*kind, item);
            }
            Step::Alias(instance, name, kind) => {
                let item = match top.instances.get(*instance as usize).ok_or(Stop::Invalid)? {
                    Item::Instance(exports) => exports.items.get(name).cloned().unwrap_or(Item::Other),
                    _ => Item::Other,
                };
                steps = steps.saturating_add(item.weight(deepest));
                top.put(*kind, item);
            }
            Step::Export(name, kind, index) => {
                let item = top.get(*kind, *index)?;
                steps = steps.saturating_add(item.weight(deepest));
                top.exports.insert(name, item.clone());
                top.put(*kind, item);
            }
            Step::Bundle(parts) => {
                let exports = Group::of_exports(top.named(parts)?, deepest)?;
                steps = steps.saturating_add(exports.measures.weight);
                top.instances.push(Item::Instance(Rc::new(exports)));
            }
            Step::Instantiate(component, arguments) => {
                let given = Group::of_exports(top.named(arguments)?, deepest)?;
                let component = top.components.get(*component as usize).ok_or(Stop::Invalid)?.clone();
                steps = steps.saturating_add(given.measures.weight).saturating_add(component.weight(deepest));
                match component {
                    Item::Component(component, captured) => stack.push(activation(component, given.items, captured)),
                    _ => top.instances.push(Item::Other),
                }
                deepest = deepest.max(stack.len());
            }
        }
        if steps > most {
            return Err(Stop::TooMuch);
        }
    }
    if steps > most { Err(Stop::TooMuch) } else { Ok(steps) }
}

/// What items consist of together where a function weighs as much as `deepest`.
fn measure<'i, 'a: 'i>(items: impl Iterator<Item = &'i Item<'a>>, deepest: usize) -> Result<Measures, Stop> {
    let mut all = Measures { weight: 1, types: 0, levels: 1 };
    for item in items {
        let Measures { weight, types, levels } = item.measures(deepest);
        all.weight = all.weight.saturating_add(weight);
        all.types = all.types.saturating_add(types);
        all.levels = all.levels.max(1 + levels);
    }
    if all.levels > MOST_LEVELS {
        let message = format!("limit exceeded: instances or components on more than {MOST_LEVELS} levels");
        return Err(Error::too_large(message, None).into());
    }
    Ok(all)
}

impl<'a> Group<Exports<'a>> {
    fn of_exports(items: Exports<'a>, deepest: usize) -> Result<Group<Exports<'a>>, Stop> {
        measure(items.values(), deepest).map(|measures| Group { items, measures })
    }
}

impl<'a> Group<Vec<Item<'a>>> {
    fn of_captures(items: Vec<Item<'a>>, deepest: usize) -> Result<Group<Vec<Item<'a>>>, Stop> {
        measure(items.iter(), deepest).map(|measures| Group { items, measures })
    }
}

impl<'a> Activation<'a> {
    /// The item with this index. Only components, instances and modules have parts.
    fn get(&self, kind: Kind, index: u32) -> Result<Item<'a>, Stop> {
        let space = match kind {
            Kind::Component => &self.components,
            Kind::Instance => &self.instances,
            Kind::Module => &self.modules,
            Kind::Func => return Ok(Item::Function),
            Kind::Type => return Ok(Item::Type),
            Kind::Value => return Ok(Item::Other),
        };
        space.get(index as usize).cloned().ok_or(Stop::Invalid)
    }

    fn put(&mut self, kind: Kind, item: Item<'a>) {
        match kind {
            Kind::Component => self.components.push(item),
            Kind::Instance => self.instances.push(item),
            Kind::Module => self.modules.push(item),
            Kind::Func | Kind::Type | Kind::Value => {}
        }
    }

    /// What is had from here for a component in this one, or for this one itself.
    fn outer(&self, capture: Capture, kind: OuterKind) -> Result<Item<'a>, Stop> {
        let item = match (capture, kind) {
            (Capture::Captured(index), _) => self.captured.items.get(index),
            (Capture::Local(index), OuterKind::Component) => self.components.get(index as usize),
            (Capture::Local(index), _) => self.modules.get(index as usize),
        };
        item.cloned().ok_or(Stop::Invalid)
    }

    /// Items by name.
    fn named(&self, parts: &[(&'a str, Kind, u32)]) -> Result<Exports<'a>, Stop> {
        parts.iter().map(|(name, kind, index)| Ok((*name, self.get(*kind, *index)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &str) -> usize {
        let wasm = wat::parse_str(text).unwrap();
        count(&read(&wasm, WasmFeatures::all(), usize::MAX).unwrap(), 1 << 20).unwrap()
    }

    /// Why this component is refused.
    fn refused(text: &str) -> Option<String> {
        let wasm = wat::parse_str(text).unwrap();
        check(&wasm, wasm.len(), WasmFeatures::all()).err().map(|error| {
            assert_eq!(error.kind(), crate::ErrorKind::TooLarge);
            error.message().to_owned()
        })
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
        let growth: Vec<usize> = (5..12).map(|levels| steps(&doubling(levels))).collect();
        for pair in growth.windows(2) {
            assert!(10 * pair[1] > 17 * pair[0], "{growth:?}");
        }
        assert_eq!(refused(&doubling(3)), None);
        for levels in [16, 30, 100, 400] {
            assert!(refused(&doubling(levels)).unwrap().contains("instantiate more than"));
        }
    }

    #[test]
    fn what_is_copied_counts_as_often_as_it_is() {
        // Components that see the one before twice, or its module; bundles of twice the one before.
        let doubled = |first: &str, next: &dyn Fn(usize) -> String, levels: usize| {
            format!("(component {first} {})", (1..=levels).map(next).collect::<String>())
        };
        let captures = |levels| {
            let next = |level: usize| {
                let alias = format!("(alias outer 1 $c{} (component))", level - 1);
                format!("(component $c{level} {alias} {alias})")
            };
            doubled("(component $c0 (core module $m))", &next, levels)
        };
        let bundles = |levels| {
            let next = |level: usize| {
                let part = |name: &str| format!("(export \"{name}\" (instance $i{}))", level - 1);
                format!("(instance $i{level} {} {})", part("a"), part("b"))
            };
            doubled("(instance $i0)", &next, levels)
        };
        for text in [&captures as &dyn Fn(usize) -> String, &bundles] {
            assert_eq!(refused(&text(5)), None);
            assert!(2 * steps(&text(10)) < steps(&text(12)), "{}", text(12));
            assert!(refused(&text(17)).unwrap().contains("instantiate more than"));
            assert!(refused(&text(60)).unwrap().contains("instantiate more than"));
        }
        // An alias of a module that is far outside is kept on every level.
        let (open, close) = ("(component ".repeat(20), ")".repeat(20));
        let alias = format!("(component (core module $m) {open} (alias outer 20 $m (core module)) {close})");
        let wasm = wat::parse_str(alias).unwrap();
        let read = |most| read(&wasm, WasmFeatures::all(), most).is_ok();
        assert!(read(20) && !read(19));
    }

    #[test]
    fn resources_are_looked_for_in_a_copy_each() {
        let text = |resources: usize| {
            let each = |one: &dyn Fn(usize) -> String| (0..resources).map(one).collect::<String>();
            let types = each(&|i| format!("(type $r{i} (resource (rep i32)))"));
            let parts = each(&|i| format!("(export \"r{i}\" (type $r{i}))"));
            format!(
                "(component (component $c {types} (instance $i {parts}) (export \"i\" (instance $i)))
                    (instance (instantiate $c)))"
            )
        };
        // 11 bytes for each, a copy of each for each.
        assert!(steps(&text(400)) > 400 * 400);
        assert!(refused(&text(300)).is_none() && refused(&text(10_000)).is_some());
    }

    #[test]
    fn instances_of_modules_count_their_imports() {
        let text = |imports: usize, instances: usize| {
            let imports: String = (0..imports).map(|i| format!("(import \"\" \"{i}\" (global i32))")).collect();
            let exports: String = imports.replace("import \"\"", "export").replace("(global i32)", "(global 0)");
            let instance = format!("(core instance (instantiate $m (with \"\" (instance {exports}))))");
            let global = r#"(core module $g (global (export "g") i32 i32.const 0)) (core instance $g (instantiate $g))
                            (alias core export $g "g" (core global))"#;
            format!("(component {global} (core module $m {imports}) {})", instance.repeat(instances))
        };
        assert_eq!(steps(&text(8, 20)) - steps(&text(3, 20)), 20 * 5);
    }

    #[test]
    fn levels_definitions_and_types_have_limits() {
        let chain = |levels: usize| {
            let bundle = |level: usize| format!("(instance $i{level} (export \"a\" (instance $i{})))", level - 1);
            let padding = "x".repeat(200_000);
            format!(
                "(component (instance $i0) {} (@custom \"\" \"{padding}\"))",
                (1..levels).map(bundle).collect::<String>()
            )
        };
        assert_eq!(refused(&chain(MOST_LEVELS - 1)), None);
        assert!(refused(&chain(MOST_LEVELS + 1)).unwrap().contains("levels"));
        let empty = |definitions: usize| {
            // No component may have more than a thousand itself.
            let (both, rest) = ((definitions - 1) / 4, (definitions - 1) % 4);
            let half = "(component) (core module)".repeat(both);
            format!("(component (component {half}) {half} {})", "(component)".repeat(rest))
        };
        assert_eq!(refused(&empty(MOST_DEFINITIONS)), None);
        assert!(refused(&empty(MOST_DEFINITIONS + 1)).unwrap().contains("modules and components"));
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
