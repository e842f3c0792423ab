//! Values of scripts: arguments made from them, results compared with them, both printed as scripts write them.

use wasmtime::{AnyRef, ExternRef, HeapType, Result, Store, V128, Val, bail};
use wast::core::{AbstractHeapType as Abstract, HeapType as WastHeapType, NanPattern, V128Pattern};
use wast::core::{WastArgCore, WastRetCore};
use wast::token::{F32, F64};

/// The value that a script gives as an argument.
pub(super) fn argument(store: &mut Store<()>, argument: &WastArgCore<'_>) -> Result<Val> {
    Ok(match argument {
        WastArgCore::I32(x) => Val::I32(*x),
        WastArgCore::I64(x) => Val::I64(*x),
        WastArgCore::F32(x) => Val::F32(x.bits),
        WastArgCore::F64(x) => Val::F64(x.bits),
        WastArgCore::V128(x) => Val::V128(V128::from(u128::from_le_bytes(x.to_le_bytes()))),
        WastArgCore::RefNull(ty) => match hierarchy(ty) {
            Some(top) => Val::null_ref(&top),
            None => bail!("unknown type of a null reference: {ty:?}"),
        },
        WastArgCore::RefExtern(host) => Val::ExternRef(Some(ExternRef::new(store, *host)?)),
        WastArgCore::RefHost(host) => {
            let host = ExternRef::new(&mut *store, *host)?;
            Val::AnyRef(Some(AnyRef::convert_extern(store, host)?))
        }
    })
}

/// Is a result what a script expects?
pub(super) fn matches(store: &mut Store<()>, actual: &Val, expected: &WastRetCore<'_>) -> Result<bool> {
    Ok(match (actual, expected) {
        (_, WastRetCore::Either(choices)) => {
            for choice in choices {
                if matches(store, actual, choice)? {
                    return Ok(true);
                }
            }
            false
        }
        (Val::I32(a), WastRetCore::I32(e)) => a == e,
        (Val::I64(a), WastRetCore::I64(e)) => a == e,
        (Val::F32(a), WastRetCore::F32(e)) => f32_matches(*a, e),
        (Val::F64(a), WastRetCore::F64(e)) => f64_matches(*a, e),
        (Val::V128(a), WastRetCore::V128(e)) => v128_matches(a.as_u128(), e),
        (_, WastRetCore::RefNull(ty)) => is_null(actual) && ty.as_ref().is_none_or(|ty| is_of(actual, ty)),
        (Val::FuncRef(a), WastRetCore::RefFunc(_)) => a.is_some(),
        (Val::ExternRef(Some(_)), WastRetCore::RefExtern(None)) => true,
        (Val::ExternRef(Some(a)), WastRetCore::RefExtern(Some(e))) => host_value(store, a)? == Some(*e),
        (Val::AnyRef(Some(a)), WastRetCore::RefHost(e)) => {
            let a = ExternRef::convert_any(&mut *store, *a)?;
            host_value(store, &a)? == Some(*e)
        }
        (Val::AnyRef(Some(_)), WastRetCore::RefAny) => true,
        (Val::AnyRef(Some(a)), WastRetCore::RefEq) => a.is_eqref(&*store)?,
        (Val::AnyRef(Some(a)), WastRetCore::RefArray) => a.is_array(&*store)?,
        (Val::AnyRef(Some(a)), WastRetCore::RefStruct) => a.is_struct(&*store)?,
        (Val::AnyRef(Some(a)), WastRetCore::RefI31) => a.is_i31(&*store)?,
        _ => false,
    })
}

/// A result as a script would write it.
pub(super) fn show(value: &Val) -> String {
    match value {
        Val::I32(x) => format!("(i32.const {x})"),
        Val::I64(x) => format!("(i64.const {x})"),
        Val::F32(bits) => format!("(f32.const {:?} ;; {bits:#010x})", f32::from_bits(*bits)),
        Val::F64(bits) => format!("(f64.const {:?} ;; {bits:#018x})", f64::from_bits(*bits)),
        Val::V128(x) => format!("(v128.const {:#034x})", x.as_u128()),
        _ if is_null(value) => "(ref.null)".to_string(),
        Val::FuncRef(_) => "(ref.func)".to_string(),
        Val::ExternRef(_) => "(ref.extern)".to_string(),
        _ => "(ref.any)".to_string(),
    }
}

/// An expectation as a script would write it.
pub(super) fn show_pattern(pattern: &WastRetCore<'_>) -> String {
    match pattern {
        WastRetCore::I32(x) => show(&Val::I32(*x)),
        WastRetCore::I64(x) => show(&Val::I64(*x)),
        WastRetCore::F32(NanPattern::Value(x)) => show(&Val::F32(x.bits)),
        WastRetCore::F64(NanPattern::Value(x)) => show(&Val::F64(x.bits)),
        WastRetCore::F32(NanPattern::CanonicalNan) => "(f32.const nan:canonical)".to_string(),
        WastRetCore::F64(NanPattern::CanonicalNan) => "(f64.const nan:canonical)".to_string(),
        WastRetCore::F32(NanPattern::ArithmeticNan) => "(f32.const nan:arithmetic)".to_string(),
        WastRetCore::F64(NanPattern::ArithmeticNan) => "(f64.const nan:arithmetic)".to_string(),
        WastRetCore::RefNull(_) => "(ref.null)".to_string(),
        other => format!("{other:?}"),
    }
}

fn is_null(value: &Val) -> bool {
    matches!(
        value,
        Val::FuncRef(None) | Val::ExternRef(None) | Val::AnyRef(None) | Val::ExnRef(None) | Val::ContRef(None)
    )
}

/// Is a null reference of the hierarchy that the type belongs to? Of a type index only the script's module could tell.
fn is_of(null: &Val, ty: &WastHeapType<'_>) -> bool {
    matches!(
        (hierarchy(ty), null),
        (Some(HeapType::Func), Val::FuncRef(_))
            | (Some(HeapType::Extern), Val::ExternRef(_))
            | (Some(HeapType::Any), Val::AnyRef(_))
            | (Some(HeapType::Exn), Val::ExnRef(_))
            | (Some(HeapType::Cont), Val::ContRef(_))
            | (None, _)
    )
}

/// The top of the hierarchy that an abstract type belongs to.
fn hierarchy(ty: &WastHeapType<'_>) -> Option<HeapType> {
    let WastHeapType::Abstract { shared: false, ty } = ty else { return None };
    Some(match ty {
        Abstract::Func | Abstract::NoFunc => HeapType::Func,
        Abstract::Extern | Abstract::NoExtern => HeapType::Extern,
        Abstract::Exn | Abstract::NoExn => HeapType::Exn,
        Abstract::Cont | Abstract::NoCont => HeapType::Cont,
        Abstract::Any | Abstract::Eq | Abstract::Struct | Abstract::Array | Abstract::I31 | Abstract::None => {
            HeapType::Any
        }
    })
}

fn host_value(store: &mut Store<()>, reference: &wasmtime::Rooted<ExternRef>) -> Result<Option<u32>> {
    Ok(reference.data(&*store)?.and_then(|data| data.downcast_ref::<u32>()).copied())
}

fn f32_matches(actual: u32, expected: &NanPattern<F32>) -> bool {
    const CANONICAL: u32 = 0x7fc0_0000;
    match expected {
        NanPattern::CanonicalNan => actual & 0x7fff_ffff == CANONICAL,
        NanPattern::ArithmeticNan => actual & CANONICAL == CANONICAL,
        NanPattern::Value(expected) => actual == expected.bits,
    }
}

fn f64_matches(actual: u64, expected: &NanPattern<F64>) -> bool {
    const CANONICAL: u64 = 0x7ff8_0000_0000_0000;
    match expected {
        NanPattern::CanonicalNan => actual & 0x7fff_ffff_ffff_ffff == CANONICAL,
        NanPattern::ArithmeticNan => actual & CANONICAL == CANONICAL,
        NanPattern::Value(expected) => actual == expected.bits,
    }
}

fn v128_matches(actual: u128, expected: &V128Pattern) -> bool {
    let bytes = actual.to_le_bytes();
    let lanes = |width: usize| {
        bytes.chunks_exact(width).map(move |lane| {
            let mut wide = [0; 8];
            wide[..width].copy_from_slice(lane);
            u64::from_le_bytes(wide)
        })
    };
    match expected {
        V128Pattern::I8x16(e) => lanes(1).eq(e.iter().map(|&x| u64::from(x as u8))),
        V128Pattern::I16x8(e) => lanes(2).eq(e.iter().map(|&x| u64::from(x as u16))),
        V128Pattern::I32x4(e) => lanes(4).eq(e.iter().map(|&x| u64::from(x as u32))),
        V128Pattern::I64x2(e) => lanes(8).eq(e.iter().map(|&x| x as u64)),
        V128Pattern::F32x4(e) => lanes(4).zip(e).all(|(lane, e)| f32_matches(lane as u32, e)),
        V128Pattern::F64x2(e) => lanes(8).zip(e).all(|(lane, e)| f64_matches(lane, e)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_patterns_tell_canonical_from_arithmetic() {
        let (canonical, arithmetic) = (&NanPattern::CanonicalNan, &NanPattern::ArithmeticNan);
        for bits in [0x7fc0_0000, 0xffc0_0000] {
            assert!(f32_matches(bits, canonical) && f32_matches(bits, arithmetic));
        }
        assert!(!f32_matches(0x7fc0_0001, canonical) && f32_matches(0x7fc0_0001, arithmetic));
        for bits in [0x7fa0_0000, 0x7f80_0000, 0] {
            assert!(!f32_matches(bits, canonical) && !f32_matches(bits, arithmetic), "{bits:#x}");
        }
        assert!(f64_matches(0xfff8_0000_0000_0000, &NanPattern::CanonicalNan));
        assert!(!f64_matches(0x7ff4_0000_0000_0000, &NanPattern::ArithmeticNan));
        assert!(!f64_matches(0x7ff8_0000_0000_0001, &NanPattern::CanonicalNan));
    }

    #[test]
    fn zeros_of_either_sign_differ() {
        assert!(!f32_matches(0x8000_0000, &NanPattern::Value(F32 { bits: 0 })));
        assert!(f64_matches(1 << 63, &NanPattern::Value(F64 { bits: 1 << 63 })));
    }

    #[test]
    fn lanes_are_compared_at_their_width() {
        let value = u128::from_le_bytes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
        let bytes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, -1];
        assert!(v128_matches(value, &V128Pattern::I8x16(bytes)));
        let words = [0x0100, 0x0302, 0x0504, 0x0706, 0x0908, 0x0b0a, 0x0d0c, -242];
        assert!(v128_matches(value, &V128Pattern::I16x8(words)));
        let wrong = [0x0100, 0x0302, 0x0504, 0x0706, 0x0908, 0x0b0a, 0x0d0c, 242];
        assert!(!v128_matches(value, &V128Pattern::I16x8(wrong)));
    }
}
