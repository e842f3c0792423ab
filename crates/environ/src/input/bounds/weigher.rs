//! Weighs a component's sections as they come, and writes down what instantiating it does.

use super::instances::{self, Component, Options, Step};
use super::scope::{Name, Scope, Ty};
use super::{FREE_PARTS, INLINE, MOST_DEFINITIONS, MOST_DEPTH, MOST_LEVELS, MOST_VALUE, PARTS_PER_BYTE, parts_of};
use crate::error::{Error, Unsupported};
use std::collections::HashMap;
use std::sync::Arc;
use wasmtime_environ::wasmparser::{
    BinaryReader, BinaryReaderError, CanonicalFunction, CanonicalOption, Chunk, ComponentAlias, ComponentDefinedType,
    ComponentExport, ComponentExternName, ComponentExternalKind as Kind, ComponentImport, ComponentInstance,
    ComponentOuterAliasKind as OuterKind, ComponentType, ComponentTypeRef, ComponentValType, CoreType, ExternalKind,
    HeapType, Instance, ModuleTypeDeclaration, Parser, Payload, PrimitiveValType, RecGroup, RefType, TypeBounds,
    TypeRef, ValType, WasmFeatures,
};

/// Bytes of a pointer and a length.
const POINTERS: u64 = 16;

/// What adapters have to do for a string and for a loop over elements, in multiples of a number.
const STRING: u64 = 20;
const LIST: u64 = 10;

/// Parts that each element comes to of the lists which the validator copies whenever a module or a component ends, with
/// an element for all that have ended before.
const LISTS: u64 = 2;

/// Why weighing does not go on.
enum Stop {
    /// The validator will say why.
    Invalid,
    Refused(Error),
}

impl From<BinaryReaderError> for Stop {
    fn from(_: BinaryReaderError) -> Stop {
        Stop::Invalid
    }
}

type Weighed<T> = Result<T, Stop>;

/// A core module that is open.
#[derive(Default)]
struct Module {
    /// Imports and exports.
    parts: u64,
    /// Of each table and each global: is its type one that the module defines?
    tables: Vec<bool>,
    globals: Vec<bool>,
    /// Does it import or export one that is?
    typed: bool,
    /// Does it have a memory of 64 bits?
    memory64: bool,
}

impl Module {
    fn section(&mut self, payload: &Payload<'_>) -> Weighed<()> {
        match payload {
            Payload::TypeSection(section) => {
                for entry in section.clone().into_iter_with_offsets() {
                    let (offset, group) = entry?;
                    check_shared(&group, offset)?;
                }
            }
            Payload::ImportSection(section) => {
                for import in section.clone().into_imports() {
                    let import = import?;
                    self.parts += parts_of(import.module) + parts_of(import.name);
                    let typed = is_typed(&import.ty);
                    self.typed |= typed;
                    match import.ty {
                        TypeRef::Table(_) => self.tables.push(typed),
                        TypeRef::Global(_) => self.globals.push(typed),
                        TypeRef::Memory(ty) => self.memory64 |= ty.memory64,
                        _ => {}
                    }
                }
            }
            Payload::MemorySection(section) => {
                for memory in section.clone() {
                    self.memory64 |= memory?.memory64;
                }
            }
            Payload::TableSection(section) => {
                for table in section.clone() {
                    self.tables.push(is_typed(&TypeRef::Table(table?.ty)));
                }
            }
            Payload::GlobalSection(section) => {
                for global in section.clone() {
                    self.globals.push(is_typed(&TypeRef::Global(global?.ty)));
                }
            }
            Payload::ExportSection(section) => {
                for export in section.clone() {
                    let export = export?;
                    self.parts += parts_of(export.name);
                    let index = export.index as usize;
                    self.typed |= match export.kind {
                        ExternalKind::Table => self.tables.get(index) == Some(&true),
                        ExternalKind::Global => self.globals.get(index) == Some(&true),
                        _ => false,
                    };
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The refusal of what the validator counts, and asserts that it can.
fn levels(offset: usize) -> Stop {
    let message = format!("types have others on more than {MOST_LEVELS} levels");
    Stop::Refused(Error::too_large(message, Some(offset)))
}

/// Refuses types that threads share, of which Wasmtime's translation takes it for granted that there are none.
fn check_shared(group: &RecGroup, offset: usize) -> Weighed<()> {
    if group.types().any(|ty| ty.composite_type.shared) {
        return Err(Stop::Refused(Unsupported::SharedTypes.at(Some(offset))));
    }
    Ok(())
}

/// Is it a table or a global of a type that a module defines? Wasmtime's translation does not know those in the types
/// of core modules.
fn is_typed(ty: &TypeRef) -> bool {
    let concrete = |ty: RefType| matches!(ty.heap_type(), HeapType::Concrete(_) | HeapType::Exact(_));
    match ty {
        TypeRef::Table(ty) => concrete(ty.element_type),
        TypeRef::Global(ty) => matches!(ty.content_type, ValType::Ref(ty) if concrete(ty)),
        _ => false,
    }
}

/// What a component has come to so far.
pub(crate) struct Weigher {
    features: WasmFeatures,
    names: HashMap<Box<str>, Name>,
    /// Components that are open, the innermost last, and within them declarations of types.
    scopes: Vec<Scope>,
    components: Vec<Component>,
    /// The core module that is open, if one is.
    module: Option<Module>,
    /// Modules and components that have begun, and that have ended.
    begun: usize,
    ended: u64,
    parts: u64,
    /// What helpers of adapters come to at most: for each type that has been declared, one.
    helpers: u64,
    /// At which byte it came to too much.
    over: Option<usize>,
    /// Was there something that cannot be valid?
    lost: bool,
}

impl Weigher {
    pub(crate) fn new(features: WasmFeatures) -> Weigher {
        Weigher {
            features,
            names: HashMap::new(),
            scopes: vec![Scope::of_component(0)],
            components: vec![Component::default()],
            module: None,
            begun: 0,
            ended: 0,
            parts: 0,
            helpers: 0,
            over: None,
            lost: false,
        }
    }

    /// Weighs a whole component.
    pub(crate) fn of_whole(wasm: &[u8], features: WasmFeatures) -> Result<Weigher, Error> {
        let mut weigher = Weigher::new(features);
        let mut parser = Parser::new(0);
        parser.set_features(features);
        let mut open = Vec::new();
        let (mut here, mut complete) = (0, false);
        while let Ok(Chunk::Parsed { consumed, payload }) = parser.parse(&wasm[here..], true) {
            weigher.section(&payload, &wasm[here..here + consumed])?;
            here += consumed;
            match payload {
                Payload::ModuleSection { parser: nested, .. } | Payload::ComponentSection { parser: nested, .. } => {
                    open.push(std::mem::replace(&mut parser, nested));
                }
                Payload::CodeSectionStart { range, .. } => {
                    parser.skip_section();
                    here = range.end.min(wasm.len());
                }
                Payload::End(_) => match open.pop() {
                    Some(outer) => parser = outer,
                    None => {
                        complete = true;
                        break;
                    }
                },
                _ => {}
            }
        }
        weigher.lost |= !complete;
        Ok(weigher)
    }

    /// Weighs the next section, of these bytes in all, of the component or of a core module in it. The component up to
    /// the section's end must not come to too much.
    pub(crate) fn section(&mut self, payload: &Payload<'_>, bytes: &[u8]) -> Result<(), Error> {
        if self.lost {
            return Ok(());
        }
        match self.weigh(payload, bytes) {
            Ok(()) => {}
            Err(Stop::Invalid) => self.lost = true,
            Err(Stop::Refused(error)) => return Err(error),
        }
        let end = match payload {
            // Their sizes may lie.
            Payload::ModuleSection { unchecked_range: range, .. }
            | Payload::ComponentSection { unchecked_range: range, .. }
            | Payload::CodeSectionStart { range, .. } => range.start,
            Payload::End(offset) => *offset,
            _ => payload.as_section().map_or(0, |(_, range)| range.end),
        };
        let most = FREE_PARTS + PARTS_PER_BYTE * end as u64;
        if self.parts > most && end != 0 {
            let message = format!("the component's first {end} bytes come to more than {most} parts of types");
            return Err(Error::too_large(message, Some(self.over.unwrap_or(end))));
        }
        Ok(())
    }

    /// Refuses a component, which is complete and of so many bytes, if instantiating it takes more than is in
    /// proportion to them.
    pub(crate) fn check_instances(&self, bytes: usize) -> Result<(), Error> {
        if self.lost { Ok(()) } else { instances::check(&self.components, bytes, self.helpers) }
    }

    /// Could all of a component be weighed that turned out to be valid?
    pub(crate) fn check_valid(&self) -> wasmtime_environ::error::Result<()> {
        if self.lost {
            wasmtime_environ::error::bail!("internal error: a valid component could not be weighed");
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn components(&self) -> &[Component] {
        &self.components
    }

    fn weigh(&mut self, payload: &Payload<'_>, bytes: &[u8]) -> Weighed<()> {
        if let (Some(module), false) = (&mut self.module, matches!(payload, Payload::End(_))) {
            return module.section(payload);
        }
        match payload {
            Payload::ModuleSection { unchecked_range, .. } => {
                self.define(unchecked_range.start)?;
                self.module = Some(Module::default());
            }
            Payload::ComponentSection { unchecked_range, .. } => {
                self.define(unchecked_range.start)?;
                let index = self.components.len();
                self.components.push(Component::default());
                self.scopes.push(Scope::of_component(index));
            }
            Payload::End(offset) => {
                self.ended += 1;
                self.charge(self.ended * LISTS, *offset);
                if let Some(Module { parts, typed, memory64, .. }) = self.module.take() {
                    let ty = Ty { weight: 1 + parts, typed, memory64, ..Ty::default() };
                    self.top().modules.push(Arc::new(ty));
                } else if self.scopes.len() > 1 {
                    let scope = self.scopes.pop().expect("a component is open");
                    let component = scope.component;
                    let ty = scope.into_type();
                    self.top().components.push(ty);
                    self.step(Step::Define(component));
                }
            }
            Payload::CoreTypeSection(section) => {
                for entry in section.clone().into_iter_with_offsets() {
                    let (offset, ty) = entry?;
                    self.core_type(&ty, offset)?;
                }
            }
            Payload::ComponentTypeSection(section) => {
                let range = section.range();
                let content = bytes.len().checked_sub(range.len()).ok_or(Stop::Invalid)?;
                let mut reader = BinaryReader::new_features(&bytes[content..], range.start, self.features);
                for _ in 0..reader.read_var_u32()? {
                    self.ty(&mut reader)?;
                }
            }
            Payload::InstanceSection(section) => {
                for entry in section.clone().into_iter_with_offsets() {
                    let (offset, instance) = entry?;
                    self.core_instance(instance, offset)?;
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for entry in section.clone().into_iter_with_offsets() {
                    let (offset, instance) = entry?;
                    self.instance(instance, offset)?;
                }
            }
            Payload::ComponentAliasSection(section) => {
                for entry in section.clone().into_iter_with_offsets() {
                    let (offset, alias) = entry?;
                    self.alias(&alias, offset, true)?;
                }
            }
            Payload::ComponentImportSection(section) => {
                for entry in section.clone().into_iter_with_offsets() {
                    let (offset, ComponentImport { name, ty }) = entry?;
                    let (kind, ty) = self.declared(&ty)?;
                    let (name, parts) = self.name(&name);
                    Weigher::check_module(&ty, offset)?;
                    self.charge(2 * ty.weight + parts, offset);
                    self.step(Step::Import { name, kind, weight: ty.weight + parts, resources: ty.resources });
                    self.top().import(kind, &ty, parts).ok_or_else(|| levels(offset))?;
                    self.top().put(kind, ty);
                }
            }
            Payload::ComponentExportSection(section) => {
                for entry in section.clone().into_iter_with_offsets() {
                    let (offset, ComponentExport { name, kind, index, ty }) = entry?;
                    let item = self.top().get(kind, index).ok_or(Stop::Invalid)?;
                    let ty = match ty {
                        Some(ty) => self.declared(&ty)?.1,
                        None => item.clone(),
                    };
                    let (name, parts) = self.name(&name);
                    Weigher::check_module(&item, offset)?;
                    self.charge(2 * (ty.weight + item.weight) + parts, offset);
                    self.step(Step::Export { name, kind, index, weight: ty.weight + parts });
                    self.top().export(kind, ty.clone(), (name, parts)).ok_or_else(|| levels(offset))?;
                    self.top().put(kind, ty);
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for entry in section.clone().into_iter_with_offsets() {
                    let (offset, function) = entry?;
                    self.function(&function, offset)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A core module or a component begins at a byte.
    fn define(&mut self, at: usize) -> Weighed<()> {
        self.begun += 1;
        if self.begun > MOST_DEFINITIONS {
            let message = format!("limit exceeded: a component of more than {MOST_DEFINITIONS} modules and components");
            return Err(Stop::Refused(Error::too_large(message, Some(at))));
        }
        Ok(())
    }

    fn top(&mut self) -> &mut Scope {
        self.scopes.last_mut().expect("the whole is open until it ends, and nothing follows")
    }

    fn step(&mut self, step: Step) {
        let component = self.top().component;
        self.components[component].steps.push(step);
    }

    /// Counts so many parts more, at this byte.
    fn charge(&mut self, parts: u64, offset: usize) {
        self.parts = self.parts.saturating_add(parts);
        // Which byte it is does not depend on how long the section is.
        if self.over.is_none() && self.parts > FREE_PARTS + PARTS_PER_BYTE * offset as u64 {
            self.over = Some(offset);
        }
    }

    fn number(&mut self, name: &str) -> Name {
        if let Some(number) = self.names.get(name) {
            return *number;
        }
        let number = self.names.len() as Name;
        self.names.insert(name.into(), number);
        number
    }

    /// A name's number, and its length in parts.
    fn name(&mut self, name: &ComponentExternName<'_>) -> (Name, u64) {
        let others = [name.implements, name.version_suffix, name.external_id];
        let others: u64 = others.into_iter().flatten().map(parts_of).sum();
        (self.number(name.name), parts_of(name.name) + others)
    }

    /// The type of something that is imported or exported.
    fn declared(&mut self, ty: &ComponentTypeRef) -> Weighed<(Kind, Arc<Ty>)> {
        let scope = self.top();
        let ty = match *ty {
            ComponentTypeRef::Module(index) => scope.core_types.get(index as usize).cloned(),
            ComponentTypeRef::Func(index)
            | ComponentTypeRef::Instance(index)
            | ComponentTypeRef::Component(index)
            | ComponentTypeRef::Type(TypeBounds::Eq(index)) => scope.types.get(index as usize).cloned(),
            ComponentTypeRef::Type(TypeBounds::SubResource) => Some(Ty::resource()),
            ComponentTypeRef::Value(_) => None,
        }
        .map(|found| (ty.kind(), found));
        ty.ok_or(Stop::Invalid)
    }

    fn core_type(&mut self, ty: &CoreType<'_>, offset: usize) -> Weighed<()> {
        match ty {
            CoreType::Rec(group) => {
                check_shared(group, offset)?;
                let count = group.types().len();
                self.top().core_types.extend((0..count).map(|_| Ty::of_weight(1)));
            }
            CoreType::Module(declarations) => {
                let mut module = Ty { weight: 1, ..Ty::default() };
                for declaration in declarations {
                    module.weight += match declaration {
                        ModuleTypeDeclaration::Export { name, .. } => parts_of(name),
                        ModuleTypeDeclaration::Import(import) => parts_of(import.module) + parts_of(import.name),
                        _ => 1,
                    };
                    match declaration {
                        ModuleTypeDeclaration::Export { ty: TypeRef::Memory(ty), .. } => module.memory64 |= ty.memory64,
                        ModuleTypeDeclaration::Type(group) => check_shared(group, offset)?,
                        ModuleTypeDeclaration::Export { ty, .. } => module.typed |= is_typed(ty),
                        ModuleTypeDeclaration::Import(import) => module.typed |= is_typed(&import.ty),
                        ModuleTypeDeclaration::OuterAlias { .. } => {}
                    }
                }
                self.top().core_types.push(Arc::new(module));
            }
        }
        Ok(())
    }

    /// Refuses a core module, to be imported or exported, whose type Wasmtime's translation does not know.
    fn check_module(ty: &Ty, offset: usize) -> Weighed<()> {
        if ty.typed {
            let message = "core modules that components import or export, with tables or globals of types that they \
                           define, are not supported";
            return Err(Stop::Refused(Error::unsupported(message, Some(offset))));
        }
        Ok(())
    }

    /// One type of a section with all that it declares, without recurring over what is nested.
    fn ty(&mut self, reader: &mut BinaryReader<'_>) -> Weighed<()> {
        const COMPONENT: u8 = 0x41;
        const INSTANCE: u8 = 0x42;
        // How many declarations are to come of each one that is open, and whether it may have imports.
        let mut open: Vec<(u32, bool)> = Vec::new();
        loop {
            let offset = reader.original_position();
            match reader.clone().read_u8()? {
                lead @ (COMPONENT | INSTANCE) => {
                    reader.read_u8()?;
                    open.push((reader.read_var_u32()?, lead == COMPONENT));
                    if open.len() > MOST_DEPTH {
                        let message = format!("declarations of types are nested more than {MOST_DEPTH} levels deep");
                        return Err(Stop::Refused(Error::too_large(message, Some(offset))));
                    }
                    self.scopes.push(Scope::default());
                }
                _ => {
                    let ty = reader.read::<ComponentType<'_>>()?;
                    if let ComponentType::Resource { .. } = ty {
                        // Only components themselves define any.
                        if !open.is_empty() {
                            return Err(Stop::Invalid);
                        }
                        self.step(Step::Resource);
                    }
                    let ty = self.flat_type(&ty)?;
                    if ty.bytes > MOST_VALUE {
                        let message = format!("a value of a type may take {} bytes, more than {MOST_VALUE}", ty.bytes);
                        return Err(Stop::Refused(Error::too_large(message, Some(offset))));
                    }
                    self.top().types.push(ty);
                }
            }
            // Whatever else is declared, up to the next type.
            loop {
                let Some((left, imports)) = open.last_mut() else { return Ok(()) };
                if *left == 0 {
                    open.pop();
                    let ty = self.scopes.pop().expect("it was pushed with its count").into_type();
                    self.charge(ty.weight, offset);
                    self.top().types.push(ty);
                    continue;
                }
                *left -= 1;
                let imports = *imports;
                if self.is_type(reader, imports)? {
                    break;
                }
            }
        }
    }

    /// Reads the next declaration, unless it is of a type, which then follows.
    fn is_type(&mut self, reader: &mut BinaryReader<'_>, imports: bool) -> Weighed<bool> {
        let offset = reader.original_position();
        match reader.read_u8()? {
            0 => {
                let ty = reader.read::<CoreType<'_>>()?;
                self.core_type(&ty, offset)?;
            }
            1 => return Ok(true),
            2 => {
                let alias = reader.read::<ComponentAlias<'_>>()?;
                self.alias(&alias, offset, false)?;
            }
            3 if imports => {
                let ComponentImport { name, ty } = reader.read()?;
                let (kind, ty) = self.declared(&ty)?;
                let (_, parts) = self.name(&name);
                Weigher::check_module(&ty, offset)?;
                self.charge(ty.weight + parts, offset);
                self.top().import(kind, &ty, parts).ok_or_else(|| levels(offset))?;
                self.top().put(kind, ty);
            }
            4 => {
                let name = reader.read::<ComponentExternName<'_>>()?;
                let ty = reader.read::<ComponentTypeRef>()?;
                let (kind, ty) = self.declared(&ty)?;
                let name = self.name(&name);
                Weigher::check_module(&ty, offset)?;
                self.charge(ty.weight + name.1, offset);
                self.top().export(kind, ty.clone(), name).ok_or_else(|| levels(offset))?;
                self.top().put(kind, ty);
            }
            _ => return Err(Stop::Invalid),
        }
        Ok(false)
    }

    /// A type that declares nothing.
    fn flat_type(&mut self, ty: &ComponentType<'_>) -> Weighed<Arc<Ty>> {
        let mut whole = Ty { weight: 1, values: 1, bytes: 8, ..Ty::default() };
        let mut fields = 2;
        match ty {
            ComponentType::Func(ty) => {
                for (name, ty) in &ty.params {
                    self.part(&mut whole, *ty, parts_of(name))?;
                }
                ty.result.iter().try_for_each(|ty| self.part(&mut whole, *ty, 0))?;
                // No helper passes on all that a function has.
                return Ok(Arc::new(whole));
            }
            ComponentType::Resource { .. } => return Ok(Ty::resource()),
            ComponentType::Defined(ty) => match ty {
                ComponentDefinedType::Primitive(ty) => self.part(&mut whole, ComponentValType::Primitive(*ty), 0)?,
                ComponentDefinedType::Record(all) => {
                    fields = all.len() as u64;
                    all.iter().try_for_each(|(name, ty)| self.part(&mut whole, *ty, parts_of(name)))?;
                }
                ComponentDefinedType::Variant(cases) => {
                    for case in cases {
                        match case.ty {
                            Some(ty) => self.part(&mut whole, ty, parts_of(case.name))?,
                            None => whole.weight = whole.weight.saturating_add(parts_of(case.name)),
                        }
                    }
                    // For each case an adapter looks for the one of its name.
                    fields = cases.len() as u64;
                    whole.values = whole.values.saturating_add(2 * fields + fields * fields / 64);
                }
                ComponentDefinedType::List(ty) => {
                    self.part(&mut whole, *ty, LIST)?;
                    whole.values = whole.values.saturating_add(LIST);
                    whole.bytes = POINTERS;
                }
                ComponentDefinedType::FixedLengthList(ty, count) => {
                    self.part(&mut whole, *ty, LIST)?;
                    whole.values = whole.values.saturating_add(LIST);
                    whole.bytes = whole.bytes.saturating_mul(u64::from(*count));
                }
                ComponentDefinedType::Map(key, element) => {
                    self.part(&mut whole, *key, LIST)?;
                    self.part(&mut whole, *element, 0)?;
                    whole.values = whole.values.saturating_add(2 * LIST);
                    // An element is one of both, and the whole a pointer to elements.
                    whole.bytes = whole.bytes.max(POINTERS);
                }
                ComponentDefinedType::Tuple(types) => {
                    fields = types.len() as u64;
                    types.iter().try_for_each(|ty| self.part(&mut whole, *ty, 0))?;
                }
                ComponentDefinedType::Flags(names) => {
                    whole.weight += names.iter().map(|name| parts_of(name)).sum::<u64>();
                    whole.values += names.len() as u64 / 32;
                }
                ComponentDefinedType::Enum(names) => {
                    whole.weight += names.iter().map(|name| parts_of(name)).sum::<u64>();
                }
                ComponentDefinedType::Option(ty) => {
                    self.part(&mut whole, *ty, 1)?;
                    whole.values = whole.values.saturating_add(4);
                }
                ComponentDefinedType::Result { ok, err } => {
                    ok.iter().chain(err).try_for_each(|ty| self.part(&mut whole, *ty, 1))?;
                    whole.values = whole.values.saturating_add(4);
                }
                ComponentDefinedType::Own(ty) | ComponentDefinedType::Borrow(ty) => {
                    self.top().types.get(*ty as usize).ok_or(Stop::Invalid)?;
                }
                ComponentDefinedType::Future(ty) | ComponentDefinedType::Stream(ty) => {
                    let values = whole.values;
                    ty.iter().try_for_each(|ty| self.part(&mut whole, *ty, 0))?;
                    // Handles are passed on, whatever is behind them.
                    (whole.values, whole.bytes) = (values, 8);
                }
            },
            ComponentType::Component(_) | ComponentType::Instance(_) => return Err(Stop::Invalid),
        }
        self.helpers = self.helpers.saturating_add(whole.values.min(INLINE) + fields);
        Ok(Arc::new(whole))
    }

    /// Makes a type part of another, under a name of so many parts.
    fn part(&mut self, whole: &mut Ty, ty: ComponentValType, name: u64) -> Weighed<()> {
        let (weight, values, bytes, depth) = match ty {
            ComponentValType::Primitive(PrimitiveValType::String) => (1, STRING, POINTERS, 0),
            ComponentValType::Primitive(_) => (1, 1, 8, 0),
            ComponentValType::Type(index) => {
                let ty = self.top().types.get(index as usize).ok_or(Stop::Invalid)?;
                (ty.weight, ty.values, ty.bytes, ty.depth)
            }
        };
        whole.depth = whole.depth.max(depth + 1);
        // As much as alignment can take besides.
        whole.bytes = whole.bytes.saturating_add(bytes).saturating_add(8);
        whole.weight = whole.weight.saturating_add(weight).saturating_add(name);
        whole.values = whole.values.saturating_add(values);
        Ok(())
    }

    fn alias(&mut self, alias: &ComponentAlias<'_>, offset: usize, of_component: bool) -> Weighed<()> {
        match *alias {
            ComponentAlias::InstanceExport { kind, instance_index, name } => {
                let parts = parts_of(name);
                let name = self.number(name);
                let instance = self.top().instances.get(instance_index as usize).ok_or(Stop::Invalid)?.clone();
                let (exported, ty) = instance.exports.get(&name).ok_or(Stop::Invalid)?;
                if *exported != kind {
                    return Err(Stop::Invalid);
                }
                self.charge(ty.weight + parts, offset);
                if of_component {
                    let weight = ty.weight + parts;
                    self.step(Step::Alias { instance: instance_index, name, kind, weight });
                }
                self.top().put(kind, ty.clone());
            }
            ComponentAlias::CoreInstanceExport { kind, instance_index, name } => {
                let name = self.number(name);
                self.charge(1, offset);
                self.step(Step::CoreAlias { instance: instance_index, name, kind });
            }
            ComponentAlias::Outer { kind, count, index } => {
                let target = (self.scopes.len() - 1).checked_sub(count as usize).ok_or(Stop::Invalid)?;
                let scope = &self.scopes[target];
                let space = match kind {
                    OuterKind::CoreModule => &scope.modules,
                    OuterKind::CoreType => &scope.core_types,
                    OuterKind::Type => &scope.types,
                    OuterKind::Component => &scope.components,
                };
                let ty = space.get(index as usize).ok_or(Stop::Invalid)?.clone();
                self.charge(ty.weight + u64::from(count), offset);
                if of_component {
                    self.close_over(kind, target, index);
                }
                let scope = self.top();
                match kind {
                    OuterKind::CoreModule => scope.modules.push(ty),
                    OuterKind::CoreType => scope.core_types.push(ty),
                    OuterKind::Type => scope.types.push(ty),
                    OuterKind::Component => scope.components.push(ty),
                }
            }
        }
        Ok(())
    }

    /// Has every component between this one and that of the scope `target` close over what is there.
    fn close_over(&mut self, kind: OuterKind, target: usize, index: u32) {
        match kind {
            OuterKind::CoreType | OuterKind::Type => {}
            OuterKind::CoreModule => {
                for scope in &self.scopes[target + 1..] {
                    self.components[scope.component].modules_closed_over += 1;
                }
            }
            OuterKind::Component => {
                let mut from = instances::Upvar::Local(index);
                for scope in &mut self.scopes[target + 1..] {
                    self.components[scope.component].closes_over.push(from);
                    from = instances::Upvar::Upvar(scope.upvars);
                    scope.upvars += 1;
                }
                self.step(Step::Component(from));
            }
        }
    }

    fn core_instance(&mut self, instance: Instance<'_>, offset: usize) -> Weighed<()> {
        match instance {
            Instance::Instantiate { module_index, args } => {
                let module = self.top().modules.get(module_index as usize).ok_or(Stop::Invalid)?.clone();
                let parts = module.weight + args.iter().map(|arg| parts_of(arg.name)).sum::<u64>();
                self.charge(2 * parts, offset);
                self.step(Step::CoreInstantiate { weight: parts, memory64: module.memory64 });
            }
            Instance::FromExports(exports) => {
                let parts = exports.iter().map(|export| parts_of(export.name)).sum();
                self.charge(parts, offset);
                let exports = exports.iter().map(|export| (self.number(export.name), export.kind, export.index));
                let exports: Vec<(Name, ExternalKind, u32)> = exports.collect();
                self.step(Step::CoreBundle(exports));
            }
        }
        Ok(())
    }

    fn instance(&mut self, instance: ComponentInstance<'_>, offset: usize) -> Weighed<()> {
        match instance {
            ComponentInstance::Instantiate { component_index, args } => {
                let component = self.top().components.get(component_index as usize).ok_or(Stop::Invalid)?.clone();
                let mut parts = 2 * component.weight;
                let mut given = Vec::with_capacity(args.len());
                for arg in &args {
                    let ty = self.top().get(arg.kind, arg.index).ok_or(Stop::Invalid)?;
                    parts = parts.saturating_add(ty.weight).saturating_add(parts_of(arg.name));
                    given.push((self.number(arg.name), arg.kind, arg.index));
                }
                self.charge(parts, offset);
                let (weight, resources) = (component.weight, component.resources);
                self.step(Step::Instantiate { component: component_index, given, weight, resources });
                self.top().instances.push(component);
            }
            ComponentInstance::FromExports(exports) => {
                let mut whole = Scope::default();
                let mut parts = Vec::with_capacity(exports.len());
                for export in &exports {
                    let ty = self.top().get(export.kind, export.index).ok_or(Stop::Invalid)?;
                    let name = self.name(&export.name);
                    Weigher::check_module(&ty, offset)?;
                    whole.export(export.kind, ty, name).ok_or_else(|| levels(offset))?;
                    parts.push((name.0, export.kind, export.index));
                }
                let ty = whole.into_type();
                self.charge(ty.weight, offset);
                self.step(Step::Bundle { parts, weight: ty.weight });
                self.top().instances.push(ty);
            }
        }
        Ok(())
    }

    fn function(&mut self, function: &CanonicalFunction, offset: usize) -> Weighed<()> {
        use CanonicalFunction as F;
        let ty = |weigher: &mut Weigher, index: u32| weigher.top().get(Kind::Type, index).ok_or(Stop::Invalid);
        match function {
            F::Lift { core_func_index, type_index, options } => {
                let ty = ty(self, *type_index)?;
                self.charge(2 * ty.weight, offset);
                let options = of_options(options);
                let (weight, values) = (ty.weight, ty.values);
                self.step(Step::Lift { core_func: *core_func_index, options, weight, values });
                self.top().funcs.push(ty);
            }
            F::Lower { func_index, options } => {
                let ty = self.top().get(Kind::Func, *func_index).ok_or(Stop::Invalid)?;
                self.charge(2 * ty.weight, offset);
                let options = of_options(options);
                self.step(Step::Lower { func: *func_index, options, weight: ty.weight, values: ty.values });
            }
            F::StreamNew { ty: index }
            | F::StreamRead { ty: index, .. }
            | F::StreamWrite { ty: index, .. }
            | F::StreamCancelRead { ty: index, .. }
            | F::StreamCancelWrite { ty: index, .. }
            | F::StreamDropReadable { ty: index }
            | F::StreamDropWritable { ty: index }
            | F::FutureNew { ty: index }
            | F::FutureRead { ty: index, .. }
            | F::FutureWrite { ty: index, .. }
            | F::FutureCancelRead { ty: index, .. }
            | F::FutureCancelWrite { ty: index, .. }
            | F::FutureDropReadable { ty: index }
            | F::FutureDropWritable { ty: index } => {
                let ty = ty(self, *index)?;
                self.charge(2 * ty.weight, offset);
                self.step(Step::CoreFunc { weight: ty.weight });
            }
            F::TaskReturn { result: Some(ComponentValType::Type(index)), .. } => {
                let ty = ty(self, *index)?;
                self.charge(2 * ty.weight, offset);
                self.step(Step::CoreFunc { weight: ty.weight });
            }
            _ => {
                self.charge(1, offset);
                self.step(Step::CoreFunc { weight: 1 });
            }
        }
        Ok(())
    }
}

fn of_options(options: &[CanonicalOption]) -> Options {
    let mut all = Options::default();
    for option in options {
        match option {
            CanonicalOption::Memory(index) => all.memory = Some(*index),
            CanonicalOption::Realloc(index) => all.functions[0] = Some(*index),
            CanonicalOption::PostReturn(index) => all.functions[1] = Some(*index),
            CanonicalOption::Async => all.asynchronous = true,
            CanonicalOption::Callback(index) => all.functions[2] = Some(*index),
            _ => {}
        }
    }
    all
}
