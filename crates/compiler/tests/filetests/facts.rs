//! What a host says of a module, made up from the module and the settings of its file alone: [`Facts`] with places of
//! the plain [`Layout`].

use crate::file::Settings;
use crate::layout::{self, Layout};
use lightbeam_compiler::facts::{
    AddressMap, Callee, Collector, ContFact, Costs, Counting, CpuFeatures, CtxFacts, Effects, ExceptionFacts, Facts,
    FieldFact, FuncFact, GcFacts, GlobalFact, Intrinsic, Kinds, MemoryFact, ObjectFact, Owner, StackFacts, StackKinds,
    StackStates, Storage, TableFact, TagFact, ThreadFacts, Where,
};
use lightbeam_compiler::isa::Isa;
use lightbeam_compiler::ty::Ty;
use std::collections::BTreeMap;
use std::sync::Arc;
use wasmparser::types::{CoreTypeId, TypesRef};
use wasmparser::{
    AbstractHeapType, BinaryReader, CompositeInnerType, ConstExpr, ElementItems, ElementKind, ExternalKind, FieldType,
    FuncToValidate, FunctionBody, HeapType, KnownCustom, MemoryType, Name, Operator, Parser, Payload, RefType,
    StorageType, TableInit, TableType, TypeRef, UnpackedIndex, ValType, ValidPayload, Validator, ValidatorResources,
    WasmFeatures,
};

/// The proposals that modules may use: all that the compiler has.
const FEATURES: WasmFeatures = WasmFeatures::WASM3
    .union(WasmFeatures::THREADS)
    .union(WasmFeatures::WIDE_ARITHMETIC)
    .union(WasmFeatures::CUSTOM_PAGE_SIZES)
    .union(WasmFeatures::STACK_SWITCHING);

/// Address space of a memory, or of the collector's heap, that has guard pages.
const RESERVED: u64 = 1 << 32;
/// Guard pages behind it, in bytes.
const GUARD: u64 = 32 << 20;
/// Memories with pages as large as this can be guarded.
const GUARDED_PAGE_LOG2: u32 = 12;

/// Kinds of objects. Each bit but the last is shared with the supertypes.
const EQ: u32 = 0x8000_0000;
const STRUCT: u32 = 0xc000_0000;
const ARRAY: u32 = 0xa000_0000;
const EXCEPTION: u32 = 0x1000_0000;

/// Offsets in an object: its kind, the id of its type, and what else a collector wants.
const KIND: i32 = 0;
const TYPE_ID: i32 = 4;
const SIZE: i32 = 8;
const NEXT: i32 = 8;
const COUNT: i32 = 16;

/// Imports from a module of this name are known to be what their names say.
const COMPONENT: &str = "component";

fn known(name: &str) -> Option<Intrinsic> {
    Some(match name {
        "enter-sync-call" => Intrinsic::EnterSyncCall,
        "exit-sync-call" => Intrinsic::ExitSyncCall,
        "context.get 0" => Intrinsic::ContextGet(layout::CONTEXT_0),
        "context.get 1" => Intrinsic::ContextGet(layout::CONTEXT_1),
        "context.set 0" => Intrinsic::ContextSet(layout::CONTEXT_0),
        "context.set 1" => Intrinsic::ContextSet(layout::CONTEXT_1),
        _ => return None,
    })
}

/// Where threads are, and what a record of one looks like.
const THREADS: ThreadFacts = ThreadFacts {
    current: layout::CURRENT_THREAD,
    context: [layout::CONTEXT_0, layout::CONTEXT_1],
    record_bytes: 32,
    parent: 0,
    arguments: [8, 12, 16],
    saved_context: [20, 24],
};

/// A module as the compiler is told of it.
pub(crate) struct Module<'a> {
    pub(crate) facts: Facts,
    pub(crate) layout: Layout,
    pub(crate) bodies: Vec<(FuncToValidate<ValidatorResources>, FunctionBody<'a>)>,
    names: BTreeMap<u32, String>,
}

impl Module<'_> {
    /// What a function is called.
    pub(crate) fn name(&self, func: u32) -> String {
        self.names.get(&func).map_or_else(|| format!("func {func}"), |name| format!("${name}"))
    }

    /// What a function of the module's own is called, by its index among these.
    pub(crate) fn defined_name(&self, index: u32) -> String {
        let imports = self.facts.funcs.iter().filter(|func| matches!(func.callee, Callee::Imported { .. })).count();
        self.name(imports as u32 + index)
    }
}

/// What the sections say that the validator does not keep.
#[derive(Default)]
struct Sections<'a> {
    /// Imported functions, tables, memories, globals and tags.
    imports: [u32; 5],
    /// Imported functions that are known, by index.
    known: BTreeMap<u32, Intrinsic>,
    escapes: Vec<u32>,
    /// Initial values of the module's own globals.
    globals: Vec<ConstExpr<'a>>,
    /// Other constant expressions.
    others: Vec<ConstExpr<'a>>,
    /// By element segment: is it passive?
    elems: Vec<bool>,
    funcs: BTreeMap<u32, String>,
    types: BTreeMap<u32, String>,
}

/// Reads a module and makes up what a host would say of it.
pub(crate) fn module<'a, I: Isa>(wasm: &'a [u8], settings: &Settings, cpu: CpuFeatures) -> Result<Module<'a>, String> {
    let mut validator = Validator::new_with_features(FEATURES);
    let (mut sections, mut bodies) = (Sections::default(), Vec::new());
    let mut types = None;
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(|error| error.to_string())?;
        match validator.payload(&payload).map_err(|error| error.to_string())? {
            ValidPayload::Func(validator, body) => bodies.push((validator, body)),
            ValidPayload::End(known) => types = Some(known),
            _ => {}
        }
        sections.read(&payload).map_err(|error| error.to_string())?;
    }
    let types = types.ok_or("a module has an end")?;
    let mut maker = Maker {
        types: types.as_ref(),
        sections: &sections,
        settings,
        layout: Layout::default(),
        ids: Vec::new(),
        sigs: Vec::new(),
        facts: Facts::default(),
    };
    maker.make::<I>(cpu)?;
    let Maker { facts, layout, .. } = maker;
    Ok(Module { facts, layout, bodies, names: sections.funcs })
}

impl<'a> Sections<'a> {
    fn read(&mut self, payload: &Payload<'a>) -> wasmparser::Result<()> {
        match payload {
            Payload::ImportSection(reader) => {
                for import in reader.clone().into_imports() {
                    let import = import?;
                    if let (COMPONENT, TypeRef::Func(_), Some(known)) = (import.module, import.ty, known(import.name)) {
                        self.known.insert(self.imports[0], known);
                    }
                    self.imports[match import.ty {
                        TypeRef::Func(_) | TypeRef::FuncExact(_) => 0,
                        TypeRef::Table(_) => 1,
                        TypeRef::Memory(_) => 2,
                        TypeRef::Global(_) => 3,
                        TypeRef::Tag(_) => 4,
                    }] += 1;
                }
            }
            Payload::TableSection(reader) => {
                for table in reader.clone() {
                    if let TableInit::Expr(expr) = table?.init {
                        self.expression(&expr)?;
                        self.others.push(expr);
                    }
                }
            }
            Payload::GlobalSection(reader) => {
                for global in reader.clone() {
                    let expr = global?.init_expr;
                    self.expression(&expr)?;
                    self.globals.push(expr);
                }
            }
            Payload::ExportSection(reader) => {
                for export in reader.clone() {
                    let export = export?;
                    if export.kind == ExternalKind::Func {
                        self.escapes.push(export.index);
                    }
                }
            }
            Payload::ElementSection(reader) => {
                for element in reader.clone() {
                    let element = element?;
                    self.elems.push(matches!(element.kind, ElementKind::Passive));
                    match element.items {
                        ElementItems::Functions(items) => {
                            for func in items {
                                self.escapes.push(func?);
                            }
                        }
                        ElementItems::Expressions(_, items) => {
                            for expr in items {
                                let expr = expr?;
                                self.expression(&expr)?;
                                self.others.push(expr);
                            }
                        }
                    }
                }
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(names) = section.as_known() {
                    for name in names {
                        let (map, into) = match name? {
                            Name::Function(map) => (map, &mut self.funcs),
                            Name::Type(map) => (map, &mut self.types),
                            _ => continue,
                        };
                        for naming in map {
                            let naming = naming?;
                            into.insert(naming.index, naming.name.to_string());
                        }
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Functions that a constant expression names escape.
    fn expression(&mut self, expr: &ConstExpr<'a>) -> wasmparser::Result<()> {
        for operator in expr.get_operators_reader() {
            if let Operator::RefFunc { function_index } = operator? {
                self.escapes.push(function_index);
            }
        }
        Ok(())
    }
}

struct Maker<'a> {
    types: TypesRef<'a>,
    sections: &'a Sections<'a>,
    settings: &'a Settings,
    layout: Layout,
    /// Distinct types in the order in which the module names them first, with the offsets of their ids.
    ids: Vec<(CoreTypeId, i32)>,
    /// Of these, which are signatures, with their indices.
    sigs: Vec<(CoreTypeId, u32)>,
    facts: Facts,
}

impl Maker<'_> {
    fn make<I: Isa>(&mut self, cpu: CpuFeatures) -> Result<(), String> {
        let settings = self.settings;
        self.facts.settings = lightbeam_compiler::facts::Settings {
            fuel: settings.fuel,
            epochs: settings.epochs,
            hardware_traps: !settings.no_signals,
            address_map: AddressMap::Traps,
            deterministic: settings.deterministic,
            nan_canonicalization: settings.canonical_nans,
            spectre: !settings.no_spectre,
            debug: settings.debug,
            unwind: false,
            cpu,
            fuses: I::fuses(&cpu),
            check: true,
            poison: false,
        };
        self.facts.links_imports = settings.component;
        if settings.costs {
            let of_operator = |name: &str| if name == "End" { 100 } else { 3 };
            self.facts.costs = Some(Arc::new(Costs::new(of_operator, |_| 5)));
        }
        self.facts.ctx = CtxFacts {
            store: self.layout.add("store".into(), 8),
            epoch: self.layout.add("epoch".into(), 8),
            type_ids: self.layout.add("type_ids".into(), 8),
            stack_limit: layout::STACK_LIMIT,
            fuel: layout::FUEL,
            epoch_deadline: layout::EPOCH_DEADLINE,
            funcref_code: layout::FUNC_CODE,
            funcref_context: layout::FUNC_CONTEXT,
            funcref_type: layout::FUNC_TYPE,
        };
        self.facts.gc = Some(self.collector());
        self.facts.stacks = Some(stacks());
        self.facts.threads = (!self.sections.known.is_empty()).then_some(THREADS);
        self.all_types::<I>()?;
        for index in 0..self.types.function_count() {
            let sig = self.sig(self.types.core_function_at(index));
            let callee = self.callee(index);
            self.facts.funcs.push(FuncFact { sig, callee });
        }
        for index in 0..self.types.memory_count() {
            let memory = self.memory(index, self.types.memory_at(index));
            self.facts.memories.push(memory);
        }
        for index in 0..self.types.table_count() {
            let table = self.table(index, self.types.table_at(index));
            self.facts.tables.push(table);
        }
        for index in 0..self.types.global_count() {
            let global = self.global(index)?;
            self.facts.globals.push(global);
        }
        for index in 0..self.types.tag_count() {
            let tag = self.tag(index)?;
            self.facts.tags.push(tag);
        }
        if self.types.tag_count() > 0 {
            let instance = self.header();
            self.facts.exceptions = Some(ExceptionFacts { instance, tag: instance + 4 });
        }
        let mut passive = 0..;
        self.facts.elems = self.sections.elems.iter().map(|elem| elem.then(|| passive.next()).flatten()).collect();
        self.facts.constants = self.constants()?;
        let facts = &self.facts;
        self.facts.references = facts.objects.iter().any(Option::is_some)
            || facts.globals.iter().any(|global| global.ty == Ty::GcRef)
            || facts.tables.iter().any(|table| table.elem == Ty::GcRef)
            || !facts.tags.is_empty()
            || facts.sigs.iter().any(|sig| sig.params.iter().chain(&sig.results).any(|ty| *ty == Ty::GcRef));
        Ok(())
    }

    fn all_types<I: Isa>(&mut self) -> Result<(), String> {
        let mut subtypes: BTreeMap<i32, [Option<i32>; 3]> = BTreeMap::new();
        let count = self.types.core_type_count_in_module();
        for index in 0..count {
            let id = self.types.core_type_at_in_module(index);
            if self.ids.iter().all(|(known, _)| *known != id) {
                let name = self.sections.types.get(&index).map_or(index.to_string(), |name| format!("${name}"));
                let offset = self.layout.add_type(name);
                self.ids.push((id, offset));
                if let CompositeInnerType::Func(ty) = &self.types[id].composite_type.inner {
                    let machine = |types: &[ValType]| types.iter().map(|ty| self.value(*ty)).collect::<Vec<_>>();
                    let mut sig = I::sig(&machine(ty.params()), &machine(ty.results()));
                    sig.plain = ty.params().iter().chain(ty.results()).all(|ty| is_plain(*ty));
                    self.sigs.push((id, self.facts.sigs.len() as u32));
                    self.facts.sigs.push(sig);
                }
                if let Some(of) = self.types.supertype_of(id) {
                    let known = subtypes.entry(self.type_id(of)).or_default();
                    if let Some(free) = known.iter_mut().find(|known| known.is_none()) {
                        *free = Some(offset);
                    }
                }
            }
            let object = self.object_of(id)?;
            self.facts.types.push(self.sigs.iter().find(|(known, _)| *known == id).map(|(_, sig)| *sig));
            self.facts.type_id_offsets.push(self.type_id(id));
            self.facts.final_types.push(self.types[id].is_final);
            self.facts.objects.push(object);
        }
        self.facts.subtypes = subtypes.into_iter().collect();
        let conts: Vec<_> = (0..count).map(|index| self.cont(self.types.core_type_at_in_module(index))).collect();
        if conts.iter().any(Option::is_some) {
            self.facts.conts = conts;
        }
        Ok(())
    }

    fn type_id(&self, id: CoreTypeId) -> i32 {
        self.ids.iter().find(|(known, _)| *known == id).expect("a type of the module").1
    }

    fn sig(&self, id: CoreTypeId) -> u32 {
        self.sigs.iter().find(|(known, _)| *known == id).expect("a function type of the module").1
    }

    fn value(&self, ty: ValType) -> Ty {
        match ty {
            ValType::I32 => Ty::I32,
            ValType::I64 => Ty::I64,
            ValType::F32 => Ty::F32,
            ValType::F64 => Ty::F64,
            ValType::V128 => Ty::V128,
            ValType::Ref(ty) => self.reference(ty),
        }
    }

    fn reference(&self, ty: RefType) -> Ty {
        use AbstractHeapType::{Cont, Func, NoCont, NoFunc};
        match ty.heap_type() {
            HeapType::Abstract { ty: Func | NoFunc, .. } => Ty::FuncRef,
            HeapType::Abstract { ty: Cont | NoCont, .. } => Ty::ContRef,
            HeapType::Abstract { .. } => Ty::GcRef,
            HeapType::Concrete(index) | HeapType::Exact(index) => match self.concrete(index) {
                CompositeInnerType::Func(_) => Ty::FuncRef,
                CompositeInnerType::Cont(_) => Ty::ContRef,
                CompositeInnerType::Array(_) | CompositeInnerType::Struct(_) => Ty::GcRef,
            },
        }
    }

    fn id(&self, index: UnpackedIndex) -> CoreTypeId {
        match index {
            UnpackedIndex::Id(id) => id,
            UnpackedIndex::Module(index) => self.types.core_type_at_in_module(index),
            UnpackedIndex::RecGroup(_) => unreachable!("the validator has resolved it"),
        }
    }

    fn concrete(&self, index: UnpackedIndex) -> &CompositeInnerType {
        &self.types[self.id(index)].composite_type.inner
    }

    fn cont(&self, id: CoreTypeId) -> Option<ContFact> {
        let function = |id: CoreTypeId| match &self.types[id].composite_type.inner {
            CompositeInnerType::Cont(ty) => Some(self.id(ty.0.unpack())),
            _ => None,
        };
        let of = function(id)?;
        let CompositeInnerType::Func(ty) = &self.types[of].composite_type.inner else { return None };
        let last = match ty.params().last() {
            Some(ValType::Ref(last)) => match last.heap_type() {
                HeapType::Concrete(index) => function(self.id(index)).map(|of| self.sig(of)),
                _ => None,
            },
            _ => None,
        };
        let bindable = ty.params().iter().take_while(|ty| !self.is_collected(**ty)).count() as u32;
        Some(ContFact { sig: self.sig(of), last, bindable })
    }

    /// May it be a reference to something of the heap?
    fn is_collected(&self, ty: ValType) -> bool {
        use AbstractHeapType::{I31, None};
        let ValType::Ref(ty) = ty else { return false };
        let never = matches!(ty.heap_type(), HeapType::Abstract { ty: I31 | None, .. });
        self.reference(ty) == Ty::GcRef && !never
    }

    /// Bytes of an object before what is its own.
    fn header(&self) -> i32 {
        match (self.settings.counting, self.settings.no_collector) {
            (true, _) => COUNT + 8,
            (_, true) => TYPE_ID + 4,
            _ => SIZE + 8,
        }
    }

    fn object_of(&self, id: CoreTypeId) -> Result<Option<ObjectFact>, String> {
        match &self.types[id].composite_type.inner {
            CompositeInnerType::Struct(ty) => self.object(self.header(), STRUCT, &ty.fields).map(Some),
            CompositeInnerType::Array(ty) => {
                // Its length comes first.
                let mut array = self.object(self.header() + 4, ARRAY, std::slice::from_ref(&ty.0))?;
                array.size = array.fields[0].offset as u32;
                array.array = true;
                Ok(Some(array))
            }
            CompositeInnerType::Func(_) | CompositeInnerType::Cont(_) => Ok(None),
        }
    }

    /// An object whose fields follow each other from `start` on, each aligned to its size.
    fn object(&self, start: i32, kind: u32, fields: &[FieldType]) -> Result<ObjectFact, String> {
        let mut end = start as u32;
        let mut facts = Vec::with_capacity(fields.len());
        for field in fields {
            let storage = self.storage(field.element_type)?;
            let at = end.next_multiple_of(1 << storage.log2());
            facts.push(FieldFact { storage, offset: at as i32 });
            end = at + (1 << storage.log2());
        }
        let copying = !self.settings.counting && !self.settings.no_collector;
        let vectors = facts.iter().any(|field| field.storage == Storage::Number(Ty::V128));
        let align = if copying || vectors { 16 } else { 8 };
        let has_default =
            |field: &FieldType| !matches!(field.element_type, StorageType::Val(ValType::Ref(ty)) if !ty.is_nullable());
        Ok(ObjectFact {
            size: end.next_multiple_of(align),
            align,
            kind,
            array: false,
            functions: facts.iter().any(|field| matches!(field.storage, Storage::Func(_))),
            vectors,
            has_default: fields.iter().all(has_default),
            fields: facts.into(),
        })
    }

    fn storage(&self, ty: StorageType) -> Result<Storage, String> {
        Ok(match ty {
            StorageType::I8 => Storage::I8,
            StorageType::I16 => Storage::I16,
            StorageType::Val(ValType::Ref(ty)) => match self.reference(ty) {
                Ty::FuncRef => Storage::Func(match ty.heap_type() {
                    HeapType::Concrete(index) => (self.type_id(self.id(index)) - layout::type_id(0)) as u32 / 4,
                    _ => u32::MAX,
                }),
                Ty::ContRef => return Err("objects carry no continuations".into()),
                _ => Storage::Gc { traced: self.is_collected(ValType::Ref(ty)) },
            },
            StorageType::Val(ty) => Storage::Number(self.value(ty)),
        })
    }

    fn collector(&mut self) -> GcFacts {
        let collector = if self.settings.counting {
            Collector::Counting(Counting {
                count: COUNT,
                next: NEXT,
                listed: 1,
                list: layout::LIST,
                length: layout::LIST_LENGTH,
                length_after: layout::LENGTH_AFTER,
            })
        } else if self.settings.no_collector {
            Collector::None { free: layout::FREE, kind_bits: EQ | STRUCT | ARRAY | EXCEPTION }
        } else {
            Collector::Copying { free: layout::FREE, end: layout::END, size: SIZE, align: 16 }
        };
        let guarded = !self.settings.heap_checks && !self.settings.no_signals;
        GcFacts {
            data: self.layout.add("heap".into(), 8),
            heap: layout::HEAP,
            heap_length: layout::HEAP_LENGTH,
            unchecked_span: if guarded { RESERVED + GUARD - u64::from(u32::MAX) } else { 0 },
            heap_may_move: self.settings.heap_checks,
            kind: KIND,
            type_id: TYPE_ID,
            array_length: self.header(),
            kinds: Kinds { eq: EQ, structure: STRUCT, array: ARRAY },
            collector,
        }
    }

    fn callee(&mut self, index: u32) -> Callee {
        let imports = self.sections.imports[0];
        if index >= imports {
            return Callee::Defined { index: index - imports, escapes: self.sections.escapes.contains(&index) };
        }
        Callee::Imported {
            code: self.layout.add(format!("func{index}.code"), 8),
            context: self.layout.add(format!("func{index}.context"), 8),
            inline: self.sections.known.get(&index).copied(),
        }
    }

    /// Where a memory's or table's base and length are, and whose it is. Of an import, and of what is shared, there is
    /// a pointer to what its owner has.
    fn place(&mut self, kind: &str, index: u32, imports: u32, shared: bool, base: i32, length: i32) -> [Where; 2] {
        if index < imports || shared {
            let pointer = self.layout.add(format!("{kind}{index}"), 8);
            return [base, length].map(|disp| Where::Through { pointer, disp });
        }
        ["base", "length"].map(|part| Where::Ctx(self.layout.add(format!("{kind}{index}.{part}"), 8)))
    }

    fn owner(&mut self, kind: &str, index: u32, imports: u32) -> Owner {
        if index >= imports {
            return Owner::Here(index - imports);
        }
        Owner::Import {
            context: self.layout.add(format!("{kind}{index}.owner"), 8),
            index: self.layout.add(format!("{kind}{index}.index"), 4),
        }
    }

    fn memory(&mut self, index: u32, ty: MemoryType) -> MemoryFact {
        let imports = self.sections.imports[2];
        let [base, length] =
            self.place("memory", index, imports, ty.shared, layout::MEMORY_BASE, layout::MEMORY_LENGTH);
        let page_log2 = ty.page_size_log2.unwrap_or(16);
        let most = if ty.memory64 { u64::MAX } else { 1 << 32 };
        let bytes = |pages: u64| pages.saturating_mul(1 << page_log2);
        let fixed = ty.maximum == Some(ty.initial);
        let signals = !self.settings.no_signals && page_log2 >= GUARDED_PAGE_LOG2;
        let reserved = if self.settings.checks { 0 } else { RESERVED };
        let unchecked = signals && !ty.memory64 && !self.settings.checks;
        MemoryFact {
            index: if ty.memory64 { Ty::I64 } else { Ty::I32 },
            page_size_log2: page_log2 as u8,
            base,
            length,
            owner: self.owner("memory", index, imports),
            fixed_length: fixed.then_some(bytes(ty.initial)),
            base_may_move: !ty.shared && !fixed && ty.maximum.map_or(most, bytes) > reserved,
            unchecked_span: if unchecked { RESERVED + GUARD - u64::from(u32::MAX) } else { 0 },
            faults_are_traps: signals,
        }
    }

    fn table(&mut self, index: u32, ty: TableType) -> TableFact {
        let imports = self.sections.imports[1];
        let [base, length] = self.place("table", index, imports, false, layout::TABLE_BASE, layout::TABLE_LENGTH);
        let elem = self.reference(ty.element_type);
        TableFact {
            elem,
            plain: is_plain(ValType::Ref(ty.element_type)),
            type_id: match ty.element_type.heap_type() {
                HeapType::Concrete(of) if elem == Ty::FuncRef => Some(self.type_id(self.id(of))),
                _ => None,
            },
            index: if ty.table64 { Ty::I64 } else { Ty::I32 },
            base,
            length,
            owner: self.owner("table", index, imports),
            fixed_length: (ty.maximum == Some(ty.initial)).then_some(ty.initial),
            lazy: elem == Ty::FuncRef && !self.settings.eager_tables,
        }
    }

    fn global(&mut self, index: u32) -> Result<GlobalFact, String> {
        let ty = self.types.global_at(index);
        let imports = self.sections.imports[3];
        let (at, constant) = if index < imports {
            let pointer = self.layout.add(format!("global{index}"), 8);
            (Where::Through { pointer, disp: layout::GLOBAL_VALUE }, None)
        } else {
            let constant = constant(&self.sections.globals[(index - imports) as usize])?;
            (Where::Ctx(self.layout.add(format!("global{index}"), 16)), constant.filter(|_| !ty.mutable))
        };
        let (mutable, plain) = (ty.mutable, is_plain(ty.content_type));
        Ok(GlobalFact { ty: self.value(ty.content_type), mutable, plain, at, constant })
    }

    fn tag(&mut self, index: u32) -> Result<TagFact, String> {
        let id = self.types.tag_at(index);
        let imports = self.sections.imports[4];
        let CompositeInnerType::Func(ty) = &self.types[id].composite_type.inner else {
            return Err("a tag has a function type".into());
        };
        let field = |ty: &ValType| FieldType { element_type: StorageType::Val(*ty), mutable: false };
        let fields: Vec<FieldType> = ty.params().iter().map(field).collect();
        let suspends_alone = ty.params().iter().any(|ty| self.value(*ty) == Ty::ContRef);
        // What tells its tag comes first, in two words.
        let object = match suspends_alone {
            true => None,
            false => Some(self.object(self.header() + 8, EXCEPTION, &fields)?),
        };
        let identity = if index < imports {
            Where::Through { pointer: self.layout.add(format!("tag{index}"), 8), disp: 0 }
        } else {
            Where::Ctx(self.layout.add(format!("tag{index}"), 8))
        };
        let owner = self.owner("tag", index, imports);
        Ok(TagFact { owner, type_id: self.type_id(id), object, sig: self.sig(id), identity })
    }

    /// Constant expressions that make objects, each once.
    fn constants(&self) -> Result<Vec<Vec<u8>>, String> {
        let mut known = Vec::new();
        for expr in self.sections.globals.iter().chain(&self.sections.others) {
            let mut makes = false;
            for operator in expr.get_operators_reader() {
                makes |= !matches!(
                    operator.map_err(|error| error.to_string())?,
                    Operator::I32Const { .. }
                        | Operator::I64Const { .. }
                        | Operator::F32Const { .. }
                        | Operator::F64Const { .. }
                        | Operator::V128Const { .. }
                        | Operator::GlobalGet { .. }
                        | Operator::RefNull { .. }
                        | Operator::RefFunc { .. }
                        | Operator::I32Add
                        | Operator::I32Sub
                        | Operator::I32Mul
                        | Operator::I64Add
                        | Operator::I64Sub
                        | Operator::I64Mul
                        | Operator::End
                );
            }
            let mut reader: BinaryReader<'_> = expr.get_binary_reader();
            let bytes = reader.read_bytes(reader.bytes_remaining()).map_err(|error| error.to_string())?.to_vec();
            if makes && !known.contains(&bytes) {
                known.push(bytes);
            }
        }
        Ok(known)
    }
}

/// Does the machine's type tell all of this one? See `Sig::plain`.
fn is_plain(ty: ValType) -> bool {
    use AbstractHeapType::{Extern, Func};
    match ty {
        ValType::Ref(ty) => {
            ty.is_nullable() && matches!(ty.heap_type(), HeapType::Abstract { ty: Func | Extern, shared: false })
        }
        _ => true,
    }
}

/// The bits of a number, if an expression is one.
fn constant(expr: &ConstExpr<'_>) -> Result<Option<u64>, String> {
    let mut operators = expr.get_operators_reader();
    let first = operators.read().map_err(|error| error.to_string())?;
    let second = operators.read().map_err(|error| error.to_string())?;
    Ok(match (first, second) {
        (Operator::I32Const { value }, Operator::End) => Some(u64::from(value.cast_unsigned())),
        (Operator::I64Const { value }, Operator::End) => Some(value.cast_unsigned()),
        (Operator::F32Const { value }, Operator::End) => Some(u64::from(value.bits())),
        (Operator::F64Const { value }, Operator::End) => Some(value.bits()),
        _ => None,
    })
}

/// Stacks and continuations. Numbers of states and effects are in the order of their names.
fn stacks() -> StackFacts {
    StackFacts {
        chain: layout::CHAIN,
        kinds: StackKinds { absent: 0, initial: 1, continuation: 2 },
        live: [layout::STACK_LIMIT, layout::ENTRY_FRAME, layout::ENTRY_STACK, layout::ENTRY_HANDLER],
        saved: [layout::SAVED_LIMIT, layout::SAVED_FRAME, layout::SAVED_STACK, layout::SAVED_HANDLER],
        state: layout::STATE,
        handlers: layout::HANDLERS,
        suspending: layout::SUSPENDING,
        states: StackStates { fresh: 0, running: 1, parent: 2, suspended: 3, returned: 4, trapped: 5 },
        parent: layout::PARENT,
        last_ancestor: layout::LAST_ANCESTOR,
        revision: layout::REVISION,
        top: layout::TOP,
        // Below the upper end of a stack.
        exchange: -24,
        args: layout::ARGS,
        values: layout::VALUES,
        length: layout::LENGTH,
        capacity: layout::CAPACITY,
        data: layout::DATA,
        effects: Effects { resume: 1, suspend: 2, switch: 3, trap: 4, resume_throw: 5 },
    }
}
