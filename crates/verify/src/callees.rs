//! Whom a call reaches that leaves the module, and which instances it passes.
//!
//! What an import is filled with is the instance's to say. Only where a component says whose code it is, whatever it is
//! filled with, may a call or jump name that code itself. Whose instance it is, is read from the import all the same.

use crate::abi::Abi;
use crate::facts::Known;
use crate::prover::Prover;
use crate::state::RDI;
use crate::value::{Tag, Value};
use crate::walk::{Proved, Walk};

impl Prover<'_> {
    /// Where the code is that enters a function, whatever instance an import has it of, if that is known of the import.
    fn code_of_import(&self, import: u32) -> Proved<u32> {
        let known = self.facts.known_imports.get(import as usize).copied().flatten();
        let Known { number, ty } = known.ok_or("call past an import that may be any function")?;
        let import = self.facts.functions.get(import as usize).filter(|import| import.imported);
        if !import.is_some_and(|import| self.types.is_subtype(ty, import.ty)) {
            return Err("import that is a function of another type");
        }
        let function = self.tables.functions.get(number as usize).ok_or("import that is no function")?;
        self.thunk_at(*function)
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
        if self.p.code_of_import(instance.b())? != target {
            return Err("call of another function than the import is");
        }
        Ok(Some(Value::of(Tag::ImportCode, instance.b())))
    }
}
