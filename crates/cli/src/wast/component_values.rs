//! Values of components in scripts: arguments made from them, results compared with them, both printed as scripts write
//! them.

use super::values;
use wasmtime::component::{Type, Val};
use wasmtime::{Result, bail};
use wast::component::WastVal;

/// The value of a type that a script gives as an argument.
pub(super) fn argument(value: &WastVal<'_>, ty: &Type) -> Result<Val> {
    Ok(match (value, ty) {
        (WastVal::Bool(x), Type::Bool) => Val::Bool(*x),
        (WastVal::U8(x), Type::U8) => Val::U8(*x),
        (WastVal::S8(x), Type::S8) => Val::S8(*x),
        (WastVal::U16(x), Type::U16) => Val::U16(*x),
        (WastVal::S16(x), Type::S16) => Val::S16(*x),
        (WastVal::U32(x), Type::U32) => Val::U32(*x),
        (WastVal::S32(x), Type::S32) => Val::S32(*x),
        (WastVal::U64(x), Type::U64) => Val::U64(*x),
        (WastVal::S64(x), Type::S64) => Val::S64(*x),
        (WastVal::F32(x), Type::Float32) => Val::Float32(f32::from_bits(x.bits)),
        (WastVal::F64(x), Type::Float64) => Val::Float64(f64::from_bits(x.bits)),
        (WastVal::Char(x), Type::Char) => Val::Char(*x),
        (WastVal::String(x), Type::String) => Val::String((*x).to_string()),
        (WastVal::List(items), Type::List(ty)) => Val::List(all(items, &ty.ty())?),
        (WastVal::List(items), Type::FixedLengthList(ty)) => Val::FixedLengthList(all(items, &ty.ty())?),
        (WastVal::List(entries), Type::Map(ty)) => {
            let entry = |entry: &WastVal<'_>| match entry {
                WastVal::Tuple(pair) if let [key, value] = pair.as_slice() => {
                    Ok((argument(key, &ty.key())?, argument(value, &ty.value())?))
                }
                _ => bail!("an entry of a map is a pair, not {}", show_expected(entry)),
            };
            Val::Map(entries.iter().map(entry).collect::<Result<_>>()?)
        }
        (WastVal::Record(fields), Type::Record(ty)) if fields.len() == ty.fields().len() => {
            let field = |((name, value), ty): (&(&str, WastVal<'_>), wasmtime::component::types::Field<'_>)| {
                Ok(((*name).to_string(), argument(value, &ty.ty)?))
            };
            Val::Record(fields.iter().zip(ty.fields()).map(field).collect::<Result<_>>()?)
        }
        (WastVal::Tuple(items), Type::Tuple(ty)) if items.len() == ty.types().len() => {
            Val::Tuple(items.iter().zip(ty.types()).map(|(item, ty)| argument(item, &ty)).collect::<Result<_>>()?)
        }
        (WastVal::Variant(name, payload), Type::Variant(ty)) => match ty.cases().find(|case| case.name == *name) {
            Some(case) => Val::Variant((*name).to_string(), optional(payload.as_deref(), case.ty)?),
            None => bail!("the variant has no case `{name}`"),
        },
        (WastVal::Enum(name), Type::Enum(_)) => Val::Enum((*name).to_string()),
        (WastVal::Option(payload), Type::Option(ty)) => {
            Val::Option(optional(payload.as_deref(), payload.as_ref().map(|_| ty.ty()))?)
        }
        (WastVal::Result(Ok(payload)), Type::Result(ty)) => Val::Result(Ok(optional(payload.as_deref(), ty.ok())?)),
        (WastVal::Result(Err(payload)), Type::Result(ty)) => Val::Result(Err(optional(payload.as_deref(), ty.err())?)),
        (WastVal::Flags(names), Type::Flags(_)) => Val::Flags(names.iter().map(|name| (*name).to_string()).collect()),
        _ => bail!("the function's type has no place for {}", show_expected(value)),
    })
}

fn all(items: &[WastVal<'_>], ty: &Type) -> Result<Vec<Val>> {
    items.iter().map(|item| argument(item, ty)).collect()
}

fn optional(payload: Option<&WastVal<'_>>, ty: Option<Type>) -> Result<Option<Box<Val>>> {
    match (payload, ty) {
        (Some(payload), Some(ty)) => Ok(Some(Box::new(argument(payload, &ty)?))),
        (None, None) => Ok(None),
        (Some(payload), None) => bail!("there is no payload, but {} is given", show_expected(payload)),
        (None, Some(_)) => bail!("a payload is missing"),
    }
}

/// Is a result what a script expects?
pub(super) fn matches(actual: &Val, expected: &WastVal<'_>) -> bool {
    match (expected, actual) {
        (WastVal::Bool(e), Val::Bool(a)) => e == a,
        (WastVal::U8(e), Val::U8(a)) => e == a,
        (WastVal::S8(e), Val::S8(a)) => e == a,
        (WastVal::U16(e), Val::U16(a)) => e == a,
        (WastVal::S16(e), Val::S16(a)) => e == a,
        (WastVal::U32(e), Val::U32(a)) => e == a,
        (WastVal::S32(e), Val::S32(a)) => e == a,
        (WastVal::U64(e), Val::U64(a)) => e == a,
        (WastVal::S64(e), Val::S64(a)) => e == a,
        // The borders of components leave no more than whether it is a NaN.
        (WastVal::F32(e), Val::Float32(a)) => e.bits == a.to_bits() || (f32::from_bits(e.bits).is_nan() && a.is_nan()),
        (WastVal::F64(e), Val::Float64(a)) => e.bits == a.to_bits() || (f64::from_bits(e.bits).is_nan() && a.is_nan()),
        (WastVal::Char(e), Val::Char(a)) => e == a,
        (WastVal::String(e), Val::String(a)) => e == a,
        (WastVal::List(e), Val::List(a) | Val::FixedLengthList(a)) | (WastVal::Tuple(e), Val::Tuple(a)) => {
            e.len() == a.len() && e.iter().zip(a).all(|(e, a)| matches(a, e))
        }
        (WastVal::List(e), Val::Map(a)) => e.len() == a.len() && e.iter().zip(a).all(|(e, a)| entry_matches(a, e)),
        (WastVal::Record(e), Val::Record(a)) => {
            let same =
                |((name, e), (actual, a)): (&(&str, WastVal<'_>), &(String, Val))| name == actual && matches(a, e);
            e.len() == a.len() && e.iter().zip(a).all(same)
        }
        (WastVal::Variant(e, payload), Val::Variant(a, actual)) => {
            e == a && optional_matches(actual.as_deref(), payload.as_deref())
        }
        (WastVal::Enum(e), Val::Enum(a)) => e == a,
        (WastVal::Option(e), Val::Option(a))
        | (WastVal::Result(Ok(e)), Val::Result(Ok(a)))
        | (WastVal::Result(Err(e)), Val::Result(Err(a))) => optional_matches(a.as_deref(), e.as_deref()),
        // In whatever order.
        (WastVal::Flags(e), Val::Flags(a)) => {
            e.len() == a.len() && e.iter().all(|name| a.iter().any(|actual| actual == name))
        }
        _ => false,
    }
}

fn optional_matches(actual: Option<&Val>, expected: Option<&WastVal<'_>>) -> bool {
    match (actual, expected) {
        (Some(actual), Some(expected)) => matches(actual, expected),
        (None, None) => true,
        _ => false,
    }
}

fn entry_matches((key, value): &(Val, Val), expected: &WastVal<'_>) -> bool {
    match expected {
        WastVal::Tuple(pair) if let [e_key, e_value] = pair.as_slice() => {
            matches(key, e_key) && matches(value, e_value)
        }
        _ => false,
    }
}

/// A result as a script would write it, where it could.
pub(super) fn show(value: &Val) -> String {
    match value {
        Val::Bool(x) => format!("(bool.const {x})"),
        Val::U8(x) => format!("(u8.const {x})"),
        Val::S8(x) => format!("(s8.const {x})"),
        Val::U16(x) => format!("(u16.const {x})"),
        Val::S16(x) => format!("(s16.const {x})"),
        Val::U32(x) => format!("(u32.const {x})"),
        Val::S32(x) => format!("(s32.const {x})"),
        Val::U64(x) => format!("(u64.const {x})"),
        Val::S64(x) => format!("(s64.const {x})"),
        Val::Float32(x) => values::show(&wasmtime::Val::F32(x.to_bits())),
        Val::Float64(x) => values::show(&wasmtime::Val::F64(x.to_bits())),
        Val::Char(x) => format!("(char.const \"{}\")", x.escape_debug()),
        Val::String(x) => format!("(str.const \"{}\")", x.escape_debug()),
        Val::List(items) | Val::FixedLengthList(items) => shown("list.const", items.iter().map(show)),
        Val::Map(entries) => {
            let entry = |(key, value): &(Val, Val)| shown("tuple.const", [show(key), show(value)]);
            shown("list.const", entries.iter().map(entry))
        }
        Val::Record(fields) => {
            let field = |(name, value): &(String, Val)| shown_field(name, &show(value));
            shown("record.const", fields.iter().map(field))
        }
        Val::Tuple(items) => shown("tuple.const", items.iter().map(show)),
        Val::Variant(name, payload) => {
            shown("variant.const", [format!("\"{name}\"")].into_iter().chain(payload.as_deref().map(show)))
        }
        Val::Enum(name) => format!("(enum.const \"{name}\")"),
        Val::Option(None) => "(option.none)".to_string(),
        Val::Option(Some(payload)) => shown("option.some", [show(payload)]),
        Val::Result(Ok(payload)) => shown("result.ok", payload.as_deref().map(show)),
        Val::Result(Err(payload)) => shown("result.err", payload.as_deref().map(show)),
        Val::Flags(names) => shown("flags.const", names.iter().map(|name| format!("\"{name}\""))),
        Val::Resource(_) => "(resource)".to_string(),
        Val::Future(_) => "(future)".to_string(),
        Val::Stream(_) => "(stream)".to_string(),
        Val::ErrorContext(_) => "(error-context)".to_string(),
    }
}

/// What a script has written.
pub(super) fn show_expected(value: &WastVal<'_>) -> String {
    match value {
        WastVal::Bool(x) => show(&Val::Bool(*x)),
        WastVal::U8(x) => show(&Val::U8(*x)),
        WastVal::S8(x) => show(&Val::S8(*x)),
        WastVal::U16(x) => show(&Val::U16(*x)),
        WastVal::S16(x) => show(&Val::S16(*x)),
        WastVal::U32(x) => show(&Val::U32(*x)),
        WastVal::S32(x) => show(&Val::S32(*x)),
        WastVal::U64(x) => show(&Val::U64(*x)),
        WastVal::S64(x) => show(&Val::S64(*x)),
        WastVal::F32(x) => values::show(&wasmtime::Val::F32(x.bits)),
        WastVal::F64(x) => values::show(&wasmtime::Val::F64(x.bits)),
        WastVal::Char(x) => show(&Val::Char(*x)),
        WastVal::String(x) => show(&Val::String((*x).to_string())),
        WastVal::List(items) => shown("list.const", items.iter().map(show_expected)),
        WastVal::Record(fields) => {
            let field = |(name, value): &(&str, WastVal<'_>)| shown_field(name, &show_expected(value));
            shown("record.const", fields.iter().map(field))
        }
        WastVal::Tuple(items) => shown("tuple.const", items.iter().map(show_expected)),
        WastVal::Variant(name, payload) => {
            shown("variant.const", [format!("\"{name}\"")].into_iter().chain(payload.as_deref().map(show_expected)))
        }
        WastVal::Enum(name) => show(&Val::Enum((*name).to_string())),
        WastVal::Option(None) => show(&Val::Option(None)),
        WastVal::Option(Some(payload)) => shown("option.some", [show_expected(payload)]),
        WastVal::Result(Ok(payload)) => shown("result.ok", payload.as_deref().map(show_expected)),
        WastVal::Result(Err(payload)) => shown("result.err", payload.as_deref().map(show_expected)),
        WastVal::Flags(names) => shown("flags.const", names.iter().map(|name| format!("\"{name}\""))),
    }
}

/// A field has its value without the parentheses that it has elsewhere.
fn shown_field(name: &str, value: &str) -> String {
    let inner = value.strip_prefix('(').and_then(|value| value.strip_suffix(')'));
    format!("(field \"{name}\" {})", inner.unwrap_or(value))
}

fn shown(head: &str, parts: impl IntoIterator<Item = String>) -> String {
    let mut text = format!("({head}");
    for part in parts {
        text.push(' ');
        text.push_str(&part);
    }
    text.push(')');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use wast::parser::{self, ParseBuffer};

    /// Values that all differ.
    const VALUES: [&str; 22] = [
        "(bool.const true)",
        "(u8.const 1)",
        "(s8.const 1)",
        "(u32.const 4294967295)",
        "(s64.const -1)",
        "(char.const \"x\")",
        "(str.const \"x\")",
        "(list.const)",
        "(list.const (u8.const 1))",
        "(list.const (u8.const 1) (u8.const 2))",
        "(tuple.const (u8.const 1) (u8.const 2))",
        "(record.const (field \"a\" u8.const 1))",
        "(record.const (field \"b\" u8.const 1))",
        "(variant.const \"a\")",
        "(variant.const \"a\" (u8.const 1))",
        "(enum.const \"a\")",
        "(option.none)",
        "(option.some (u8.const 1))",
        "(result.ok)",
        "(result.err)",
        "(result.ok (u8.const 1))",
        "(flags.const \"a\" \"b\")",
    ];

    /// The value without what only its type would tell.
    fn untyped(value: &WastVal<'_>) -> Val {
        let all = |items: &[WastVal<'_>]| items.iter().map(untyped).collect();
        let boxed = |payload: &Option<Box<WastVal<'_>>>| payload.as_deref().map(|payload| Box::new(untyped(payload)));
        match value {
            WastVal::Bool(x) => Val::Bool(*x),
            WastVal::U8(x) => Val::U8(*x),
            WastVal::S8(x) => Val::S8(*x),
            WastVal::U32(x) => Val::U32(*x),
            WastVal::S64(x) => Val::S64(*x),
            WastVal::Char(x) => Val::Char(*x),
            WastVal::String(x) => Val::String((*x).into()),
            WastVal::List(items) => Val::List(all(items)),
            WastVal::Tuple(items) => Val::Tuple(all(items)),
            WastVal::Record(fields) => Val::Record(fields.iter().map(|(n, v)| ((*n).into(), untyped(v))).collect()),
            WastVal::Variant(name, payload) => Val::Variant((*name).into(), boxed(payload)),
            WastVal::Enum(name) => Val::Enum((*name).into()),
            WastVal::Option(payload) => Val::Option(boxed(payload)),
            WastVal::Result(Ok(payload)) => Val::Result(Ok(boxed(payload))),
            WastVal::Result(Err(payload)) => Val::Result(Err(boxed(payload))),
            WastVal::Flags(names) => Val::Flags(names.iter().rev().map(|name| (*name).to_string()).collect()),
            other => panic!("not among the values: {other:?}"),
        }
    }

    fn parsed<T>(text: &str, then: impl FnOnce(&WastVal<'_>) -> T) -> T {
        let inner = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap();
        let buffer = ParseBuffer::new(inner).unwrap();
        then(&parser::parse::<WastVal<'_>>(&buffer).unwrap())
    }

    #[test]
    fn each_value_is_itself_alone() {
        for (i, expected) in VALUES.iter().enumerate() {
            for (j, actual) in VALUES.iter().enumerate() {
                let actual = parsed(actual, untyped);
                assert_eq!(parsed(expected, |expected| matches(&actual, expected)), i == j, "{expected} {actual:?}");
            }
        }
    }

    #[test]
    fn values_are_shown_as_they_are_written() {
        for text in VALUES {
            assert_eq!(parsed(text, show_expected), text);
            if !text.contains("flags") {
                assert_eq!(show(&parsed(text, untyped)), text);
            }
        }
    }

    #[test]
    fn nans_are_one_value_and_zeros_are_two() {
        let zero = |text| parsed(text, |expected| matches(&Val::Float32(0.0), expected));
        assert!(zero("(f32.const 0)") && !zero("(f32.const -0)"));
        let nan = Val::Float64(f64::from_bits(0x7ff8_0000_0000_0001));
        assert!(parsed("(f64.const nan)", |expected| matches(&nan, expected)));
    }

    #[test]
    fn an_argument_must_fit_its_type() {
        let fits = |text: &str, ty: &Type| parsed(text, |value| argument(value, ty));
        assert_eq!(fits("(u8.const 7)", &Type::U8).unwrap(), Val::U8(7));
        assert!(fits("(u8.const 7)", &Type::U16).unwrap_err().to_string().contains("no place for (u8.const 7)"));
    }
}
