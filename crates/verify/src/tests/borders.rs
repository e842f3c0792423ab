//! What tests of entries and exits have in common: a store and an instance as such code finds them.

use super::*;
use crate::facts::{Border, Builtin, Failed};
use iced_x86::code_asm::CodeAssembler;

pub(crate) const BUILTINS: u32 = 16;
pub(crate) const EXIT_FRAME: i32 = 32;
pub(crate) const EXIT_ADDRESS: i32 = 40;
pub(crate) const ENTRY_FRAME: i32 = 48;
pub(crate) const ENTRY_STACK: i32 = 56;
pub(crate) const ENTRY_HANDLER: i32 = 64;

pub(crate) fn with_borders(params: &[ValueType], results: &[ValueType]) -> Facts {
    let mut facts = facts(params, results);
    let field = |offset: u32, kind| Field { offset, width: 8, kind };
    facts.instance.insert(1, Field { offset: BUILTINS, width: 8, kind: InstanceField::Builtins });
    facts.store.extend([
        field(EXIT_FRAME as u32, StoreField::ExitFramePointer),
        field(EXIT_ADDRESS as u32, StoreField::ExitReturnAddress),
        field(ENTRY_FRAME as u32, StoreField::EntryFramePointer),
        field(ENTRY_STACK as u32, StoreField::EntryStackPointer),
        field(ENTRY_HANDLER as u32, StoreField::EntryTrapHandler),
    ]);
    facts.builtins = vec![(Builtin::RefFunc, 0), (Builtin::MemoryGrow, 8), (Builtin::Raise, 16)];
    facts.failures = vec![(Builtin::MemoryGrow, Failed::Constant(-2))];
    facts.layouts.host_function = 8;
    facts
}

/// Proves code of a border that stands behind a function, which traps.
pub(crate) fn border(
    facts: &Facts,
    border: Border,
    body: impl FnOnce(&mut CodeAssembler, CodeLabel) -> Code,
) -> Result<(), &'static str> {
    let (text, places) = assemble(|a| {
        let (mut function, mut begin) = (a.create_label(), a.create_label());
        a.set_label(&mut function)?;
        a.ud2()?;
        a.set_label(&mut begin)?;
        body(a, function)?;
        Ok(vec![begin])
    });
    let range = Range { start: places[0], end: text.len() as u32 };
    let functions = vec![Range { start: 0, end: places[0] }];
    let tables = Tables { functions, borders: vec![(border, range)], ..Tables::default() };
    crate::verify(facts, &text, &tables).map(drop).map_err(|failure| failure.reason.0)
}

pub(crate) fn record(a: &mut CodeAssembler) -> Code {
    a.mov(qword_ptr(r11 + EXIT_FRAME), rbp)?;
    a.mov(rax, qword_ptr(rbp + 8))?;
    a.mov(qword_ptr(r11 + EXIT_ADDRESS), rax)
}
