//! Custom sections that the specification gives a meaning. No engine refuses a module for one that is wrong, but
//! scripts say which are.

use std::collections::{HashMap, HashSet};
use wasmparser::{KnownCustom, Operator, Parser, Payload, TypeRef};
use wasmtime::error::Context as _;
use wasmtime::{Result, bail};

/// Is every branch hint for an `if` or a `br_if` of a function that the module defines?
pub(super) fn check(wasm: &[u8]) -> Result<()> {
    let mut hints = HashMap::new();
    // Index of the next body's function.
    let mut func = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    func += u32::from(matches!(import?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)));
                }
            }
            Payload::CustomSection(section) if section.name() == "metadata.code.branch_hint" => {
                let KnownCustom::BranchHints(functions) = section.as_known() else {
                    bail!("branch hints that cannot be read");
                };
                for function in functions {
                    let function = function?;
                    let offsets = function.hints.into_iter().map(|hint| Ok(hint?.func_offset));
                    let offsets: Vec<u32> = offsets.collect::<Result<_>>()?;
                    if hints.insert(function.func, offsets).is_some() {
                        bail!("branch hints of function {} come twice", function.func);
                    }
                }
            }
            Payload::CodeSectionEntry(body) => {
                if let Some(offsets) = hints.remove(&func) {
                    let mut branches = HashSet::new();
                    for operator in body.get_operators_reader()?.into_iter_with_offsets() {
                        let (operator, offset) = operator?;
                        if let Operator::If { .. } | Operator::BrIf { .. } = operator {
                            branches.insert((offset - body.range().start) as u32);
                        }
                    }
                    if let Some(offset) = offsets.iter().find(|offset| !branches.contains(offset)) {
                        bail!("a branch hint of function {func} at {offset:#x} is for no branch");
                    }
                }
                func = func.checked_add(1).context("too many functions")?;
            }
            _ => {}
        }
    }
    match hints.keys().next() {
        Some(func) => bail!("branch hints of function {func}, which the module does not define"),
        None => Ok(()),
    }
}
