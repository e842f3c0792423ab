//! Whom a call reaches that leaves the module, and which instances it passes.
//!
//! What an import is filled with is the instance's to say. Only where a component says whose code it is, whatever it is
//! filled with, may a call or jump name that code itself. Whose instance it is, is read from the import all the same.

use crate::abi::Abi;
use crate::facts::{Known, KnownMemory, Range};
use crate::operand::Spot;
use crate::prover::Prover;
use crate::state::{R14, R15, RDI};
use crate::transfer::PRIVATE_ENTRY;
use crate::value::{Tag, Value};
use crate::walk::{Proved, Walk};

impl Prover<'_> {
    /// What is known of whose code an import is, and where that function is in the text.
    fn known(&self, import: u32) -> Proved<(Known, Range)> {
        let known = self.facts.known_imports.get(import as usize).copied().flatten();
        let known = known.ok_or("call past an import that may be any function")?;
        let import = self.facts.functions.get(import as usize).filter(|import| import.imported);
        if !import.is_some_and(|import| self.types.is_subtype(known.ty, import.ty)) {
            return Err("import that is a function of another type");
        }
        let function = self.tables.functions.get(known.number as usize).ok_or("import that is no function")?;
        Ok((known, *function))
    }
}

impl Walk<'_> {
    /// The type of a function whose code is called, and whether its private entry may be meant.
    pub(crate) fn callee(&self, code: Value) -> Proved<(u32, bool)> {
        match code.tag() {
            Tag::FuncCode | Tag::FuncCodeEither => Ok((code.b() - 1, code.is(Tag::FuncCodeEither))),
            Tag::ImportCode => Ok((self.p.facts.functions[code.b() as usize].ty, false)),
            Tag::HostCode | Tag::BuiltinCode => Ok((0, false)),
            Tag::LibcallCode | Tag::ContextPointer | Tag::ContextCode => Ok((0, false)),
            _ => Err("call of what is no code"),
        }
    }

    /// Checks the instances that are passed.
    pub(crate) fn pass_instances(&self, abi: &Abi, code: Value) -> Proved<()> {
        let Some((callee, caller)) = abi.instances else { return Ok(()) };
        let fits = match code.tag() {
            Tag::ImportCode => self.st.regs[callee] == Value::of(Tag::ImportInstance, code.b()),
            _ => self.st.regs[callee] == Value::new(Tag::FuncInstance, code.a(), 0) && code.a() != 0,
        };
        if !fits {
            return Err("call with an instance that is not the callee's");
        }
        if self.st.regs[caller] != Value::CTX {
            return Err("call with an instance that is not the caller's");
        }
        Ok(())
    }

    /// The code of an imported function, as the instance has it, if that is at an offset: of the function whose
    /// instance is about to be passed.
    pub(crate) fn import_at(&self, target: u32) -> Proved<Option<Value>> {
        let instance = self.st.regs[RDI];
        if !instance.is(Tag::ImportInstance) {
            return Ok(None);
        }
        let (_, function) = self.p.known(instance.b())?;
        if self.p.thunk_at(function)? != target {
            return Err("call of another function than the import is");
        }
        Ok(Some(Value::of(Tag::ImportCode, instance.b())))
    }

    /// What may be read of the instance of an imported function: the base of its memory 0, for its private code.
    pub(crate) fn field_of_import(&mut self, import: u32, disp: i64, width: u32) -> Proved<Spot> {
        let (known, _) = self.p.known(import)?;
        match known.memory {
            KnownMemory::At(offset) if i64::from(offset) == disp && width == 8 => {
                Ok(Spot::Field(Value::of(Tag::ImportMemory, import), 8))
            }
            _ => Err("not a field of another module's instance that is known"),
        }
    }

    /// Calls private code of another instance, whose registers it has: that of an imported function, which is known.
    pub(crate) fn call_across(&mut self, target: u32) -> Proved<()> {
        let import = self.st.regs[R15].b();
        let (known, function) = self.p.known(import)?;
        // It can be called from outside, so it begins with a jump.
        self.p.thunk_at(function)?;
        if function.start + PRIVATE_ENTRY as u32 != target {
            return Err("call of another function than the import is");
        }
        let base = self.st.regs[R14];
        let fits = match known.memory {
            KnownMemory::None => true,
            KnownMemory::At(_) => base == Value::of(Tag::ImportMemory, import),
            KnownMemory::Elsewhere => false,
        };
        if !fits {
            return Err("private call without the base of the callee's memory 0");
        }
        if !self.role.is_body() {
            return Err("private call of another module by what is no function");
        }
        let shape = self.p.shape(self.p.facts.functions[import as usize].ty)?;
        if !shape.same {
            return Err("private entry of a function that takes its arguments elsewhere");
        }
        self.pass(&shape.private, true)?;
        self.come_back(&shape.private, Some(import))?;
        // What pinned registers hold is the callee's.
        self.st.regs[R15] = Value::UNDEF;
        self.st.regs[R14] = Value::UNDEF;
        Ok(())
    }
}
