//! Components that pass values as objects of the collector, as the option `gc` of their functions says. Wasmtime's
//! translation knows it, but panics where there is a value to pass.

use crate::error::Error;
use wasmtime_environ::wasmparser::{
    CanonicalFunction, CanonicalOption, ComponentType, ComponentTypeDeclaration, InstanceTypeDeclaration, Parser,
    Payload, Result, WasmFeatures,
};

/// Refuses a component that may pass a value as an object: one with functions that do so and with types of functions
/// that have a value to pass. What is not valid is for others to say.
pub(crate) fn refuse(wasm: &[u8], features: WasmFeatures) -> Result<(), Error> {
    match search(wasm, features) {
        Ok(Some(offset)) => {
            let message = "values that components pass as objects of the collector are not supported";
            Err(Error::unsupported(message, Some(offset)))
        }
        Ok(None) | Err(_) => Ok(()),
    }
}

/// Where the first function is that passes objects, if any function passes a value.
fn search(wasm: &[u8], features: WasmFeatures) -> Result<Option<usize>> {
    let mut parser = Parser::new(0);
    parser.set_features(features);
    let (mut found, mut passes_values) = (None, false);
    for payload in parser.parse_all(wasm) {
        match payload? {
            Payload::ComponentCanonicalSection(functions) => {
                for function in functions.into_iter_with_offsets() {
                    let (offset, function) = function?;
                    passes_values |=
                        !matches!(function, CanonicalFunction::Lift { .. } | CanonicalFunction::Lower { .. });
                    if options(&function).contains(&CanonicalOption::Gc) {
                        found = found.or(Some(offset));
                    }
                }
            }
            Payload::ComponentTypeSection(types) => {
                for ty in types {
                    passes_values |= has_values(&ty?);
                }
            }
            _ => {}
        }
    }
    Ok(found.filter(|_| passes_values))
}

fn options(function: &CanonicalFunction) -> &[CanonicalOption] {
    match function {
        CanonicalFunction::Lift { options, .. }
        | CanonicalFunction::Lower { options, .. }
        | CanonicalFunction::TaskReturn { options, .. }
        | CanonicalFunction::StreamRead { options, .. }
        | CanonicalFunction::StreamWrite { options, .. }
        | CanonicalFunction::FutureRead { options, .. }
        | CanonicalFunction::FutureWrite { options, .. }
        | CanonicalFunction::ErrorContextNew { options }
        | CanonicalFunction::ErrorContextDebugMessage { options } => options,
        _ => &[],
    }
}

/// Is it a function's type with parameters or a result, or does it declare one?
fn has_values(ty: &ComponentType<'_>) -> bool {
    match ty {
        ComponentType::Func(ty) => !ty.params.is_empty() || ty.result.is_some(),
        ComponentType::Component(declarations) => declarations
            .iter()
            .any(|declaration| matches!(declaration, ComponentTypeDeclaration::Type(ty) if has_values(ty))),
        ComponentType::Instance(declarations) => declarations
            .iter()
            .any(|declaration| matches!(declaration, InstanceTypeDeclaration::Type(ty) if has_values(ty))),
        ComponentType::Defined(_) | ComponentType::Resource { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where a component with this function, lifted so, is refused.
    fn refused(ty: &str, option: &str) -> Option<usize> {
        let text = format!(
            r#"(component
                 (core module $m (func (export "f") (param i32)) (func (export "g")))
                 (core instance $i (instantiate $m))
                 (component (type (component (type (func {ty})))))
                 (func (canon lift (core func $i "g") {option})))"#
        );
        let wasm = wat::parse_str(text).unwrap();
        refuse(&wasm, WasmFeatures::all()).err().map(|error| error.offset().expect("it is somewhere"))
    }

    #[test]
    fn values_and_the_option_together_are_refused() {
        assert_eq!(refused("(param \"a\" u32)", ""), None);
        assert_eq!(refused("", "gc"), None);
        assert!(refused("(param \"a\" u32)", "gc").is_some());
        assert!(refused("(result u32)", "gc").is_some());
    }
}
