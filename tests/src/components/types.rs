//! Random types of the component model: as text, as core types, and with values.

use crate::random::Random;
use std::fmt::Write;
use wasmtime::component::Val;

/// A type of values.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// A type without parts.
    Plain(Plain),
    /// Any number of elements.
    List(Box<Type>),
    /// So many elements.
    Fixed(Box<Type>, usize),
    /// Keys, which are plain, and what they stand for.
    Map(Plain, Box<Type>),
    /// Fields.
    Record(Vec<Type>),
    /// Fields without names.
    Tuple(Vec<Type>),
    /// Cases, each with or without something.
    Variant(Vec<Option<Type>>),
    /// So many cases.
    Enum(usize),
    /// Perhaps something.
    Option(Box<Type>),
    /// One or the other.
    Result(Option<Box<Type>>, Option<Box<Type>>),
    /// So many bits.
    Flags(usize),
    /// An owned resource of the host's.
    Own,
    /// A borrowed one.
    Borrow,
}

/// A type without parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in texts")]
pub enum Plain {
    Bool,
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
    F32,
    F64,
    Char,
    String,
}

/// A core type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in texts")]
pub enum Core {
    I32,
    I64,
    F32,
    F64,
}

impl Core {
    /// As text has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Core::I32 => "i32",
            Core::I64 => "i64",
            Core::F32 => "f32",
            Core::F64 => "f64",
        }
    }
}

const PLAIN: [Plain; 13] = {
    use Plain::{Bool, Char, F32, F64, S8, S16, S32, S64, String, U8, U16, U32, U64};
    [Bool, S8, U8, S16, U16, S32, U32, S64, U64, F32, F64, Char, String]
};

/// What can be told apart as a key.
const KEYS: [Plain; 10] = {
    use Plain::{Char, S8, S16, S32, S64, String, U8, U16, U32, U64};
    [S8, U8, S16, U16, S32, U32, S64, U64, Char, String]
};

impl Plain {
    fn name(self) -> &'static str {
        match self {
            Plain::Bool => "bool",
            Plain::S8 => "s8",
            Plain::U8 => "u8",
            Plain::S16 => "s16",
            Plain::U16 => "u16",
            Plain::S32 => "s32",
            Plain::U32 => "u32",
            Plain::S64 => "s64",
            Plain::U64 => "u64",
            Plain::F32 => "f32",
            Plain::F64 => "f64",
            Plain::Char => "char",
            Plain::String => "string",
        }
    }

    fn value(self, random: &mut Random) -> Val {
        // Numbers are often near the ends of what they can be.
        let bits = match random.below(4) {
            0 => random.below(3) as u64,
            1 => (random.below(3) as u64).wrapping_neg(),
            2 => (1_u64 << random.below(64)).wrapping_sub(random.below(2) as u64),
            _ => random.bits(),
        };
        match self {
            Plain::Bool => Val::Bool(bits & 1 != 0),
            Plain::S8 => Val::S8(bits as i8),
            Plain::U8 => Val::U8(bits as u8),
            Plain::S16 => Val::S16(bits as i16),
            Plain::U16 => Val::U16(bits as u16),
            Plain::S32 => Val::S32(bits as i32),
            Plain::U32 => Val::U32(bits as u32),
            Plain::S64 => Val::S64(bits.cast_signed()),
            Plain::U64 => Val::U64(bits),
            Plain::F32 => Val::Float32(f32::from_bits(bits as u32)),
            Plain::F64 => Val::Float64(f64::from_bits(bits)),
            Plain::Char => Val::Char(char(random, 0x11_0000)),
            Plain::String => Val::String(string(random)),
        }
    }
}

/// A character below this number.
fn char(random: &mut Random, end: usize) -> char {
    char::from_u32(random.below(end) as u32).unwrap_or('\u{fffd}')
}

/// A string: now and then of one kind of characters only, and now and then long.
fn string(random: &mut Random) -> String {
    const ENDS: [usize; 5] = [0x80, 0x100, 0x800, 0x1_0000, 0x11_0000];
    let length = match random.below(12) {
        0 => 0,
        1 => 200 + random.below(2000),
        2..=4 => 15 + random.below(3),
        _ => random.below(9),
    };
    let end = *random.pick(&ENDS);
    // What does not fit a narrow encoding comes late, if it comes.
    let odd = if random.one_in(3) { length.saturating_sub(1 + random.below(3)) } else { length };
    (0..length).map(|at| char(random, if at == odd { 0x11_0000 } else { end })).collect()
}

/// Which types there may be.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    /// Fixed-length lists?
    pub fixed: bool,
    /// Maps?
    pub maps: bool,
    /// How deep they may be.
    pub depth: usize,
}

impl Type {
    /// A random type.
    pub fn random(random: &mut Random, palette: Palette) -> Type {
        let part = Palette { depth: palette.depth.saturating_sub(1), ..palette };
        let some = |random: &mut Random| Box::new(Type::random(random, part));
        let several = |random: &mut Random, least: usize| {
            (0..least + random.below(5)).map(|_| Type::random(random, part)).collect::<Vec<_>>()
        };
        let perhaps = |random: &mut Random| (!random.one_in(3)).then(|| Type::random(random, part));
        match random.below(if palette.depth == 0 { 5 } else { 22 }) {
            0 => Type::Plain(Plain::String),
            1 => Type::Own,
            2 => match random.below(8) {
                0 => Type::Flags(32),
                n => Type::Flags(1 + n * 3 + random.below(4)),
            },
            3 if random.one_in(12) => Type::Enum(250 + random.below(12)),
            3 => Type::Enum(1 + random.below(9)),
            4..=6 => Type::Plain(*random.pick(&PLAIN)),
            7..=9 => Type::List(some(random)),
            10 if palette.fixed => Type::Fixed(some(random), 1 + random.below(4)),
            11 if palette.maps => Type::Map(*random.pick(&KEYS), some(random)),
            10..=12 => Type::Record(several(random, 1)),
            13 => Type::Tuple(several(random, 1)),
            14..=16 => {
                let cases = (0..1 + random.below(5)).map(|_| perhaps(random)).collect();
                Type::Variant(cases)
            }
            17..=18 => Type::Option(some(random)),
            _ => Type::Result(perhaps(random).map(Box::new), perhaps(random).map(Box::new)),
        }
    }

    /// A value, in which resources are what the host calls them by.
    pub fn value(&self, random: &mut Random) -> Val {
        let length = |random: &mut Random| match random.below(8) {
            0 => 0,
            1 => 3 + random.below(4),
            _ => 1 + random.below(2),
        };
        let boxed = |ty: &Type, random: &mut Random| Some(Box::new(ty.value(random)));
        match self {
            Type::Plain(plain) => plain.value(random),
            Type::List(of) => Val::List((0..length(random)).map(|_| of.value(random)).collect()),
            Type::Fixed(of, n) => Val::FixedLengthList((0..*n).map(|_| of.value(random)).collect()),
            Type::Map(key, of) => {
                let mut entries: Vec<(Val, Val)> = Vec::new();
                for _ in 0..length(random) {
                    let (key, value) = (key.value(random), of.value(random));
                    if entries.iter().all(|(other, _)| *other != key) {
                        entries.push((key, value));
                    }
                }
                Val::Map(entries)
            }
            Type::Record(fields) => {
                Val::Record(fields.iter().enumerate().map(|(n, ty)| (format!("f{n}"), ty.value(random))).collect())
            }
            Type::Tuple(fields) => Val::Tuple(fields.iter().map(|ty| ty.value(random)).collect()),
            Type::Variant(cases) => {
                let case = random.below(cases.len());
                Val::Variant(format!("c{case}"), cases[case].as_ref().and_then(|ty| boxed(ty, random)))
            }
            Type::Enum(cases) => Val::Enum(format!("c{}", random.below(*cases))),
            Type::Option(ty) => Val::Option(if random.one_in(3) { None } else { boxed(ty, random) }),
            Type::Result(ok, err) => {
                let of = |ty: &Option<Box<Type>>, random: &mut Random| ty.as_ref().and_then(|ty| boxed(ty, random));
                Val::Result(if random.one_in(2) { Ok(of(ok, random)) } else { Err(of(err, random)) })
            }
            Type::Flags(n) => {
                let bits = random.bits();
                Val::Flags((0..*n).filter(|bit| bits >> bit & 1 != 0).map(|bit| format!("b{bit}")).collect())
            }
            Type::Own | Type::Borrow => Val::U32(random.bits() as u32),
        }
    }

    /// Replaces what stands for resources.
    pub fn map<E>(&self, value: &Val, resource: &mut impl FnMut(&Val) -> Result<Val, E>) -> Result<Val, E> {
        let mut optional = |ty: Option<&Type>, value: &Option<Box<Val>>| -> Result<Option<Box<Val>>, E> {
            match (ty, value) {
                (Some(ty), Some(value)) => Ok(Some(Box::new(ty.map(value, resource)?))),
                _ => Ok(None),
            }
        };
        Ok(match (self, value) {
            (Type::Own | Type::Borrow, value) => resource(value)?,
            (Type::List(of), Val::List(all)) => Val::List(of.map_all(all, resource)?),
            (Type::Fixed(of, _), Val::FixedLengthList(all)) => Val::FixedLengthList(of.map_all(all, resource)?),
            (Type::Map(_, of), Val::Map(entries)) => {
                let mut mapped = Vec::with_capacity(entries.len());
                for (key, value) in entries {
                    mapped.push((key.clone(), of.map(value, resource)?));
                }
                Val::Map(mapped)
            }
            (Type::Record(types), Val::Record(fields)) => {
                let mut mapped = Vec::with_capacity(fields.len());
                for (ty, (name, value)) in types.iter().zip(fields) {
                    mapped.push((name.clone(), ty.map(value, resource)?));
                }
                Val::Record(mapped)
            }
            (Type::Tuple(types), Val::Tuple(fields)) => {
                let mut mapped = Vec::with_capacity(fields.len());
                for (ty, value) in types.iter().zip(fields) {
                    mapped.push(ty.map(value, resource)?);
                }
                Val::Tuple(mapped)
            }
            (Type::Variant(cases), Val::Variant(name, value)) => {
                let case: usize = name[1..].parse().expect("cases are numbered");
                Val::Variant(name.clone(), optional(cases[case].as_ref(), value)?)
            }
            (Type::Option(ty), Val::Option(value)) => Val::Option(optional(Some(ty), value)?),
            (Type::Result(ok, _), Val::Result(Ok(value))) => Val::Result(Ok(optional(ok.as_deref(), value)?)),
            (Type::Result(_, err), Val::Result(Err(value))) => Val::Result(Err(optional(err.as_deref(), value)?)),
            (_, value) => value.clone(),
        })
    }

    fn map_all<E>(&self, all: &[Val], resource: &mut impl FnMut(&Val) -> Result<Val, E>) -> Result<Vec<Val>, E> {
        all.iter().map(|value| self.map(value, resource)).collect()
    }

    /// What it is passed as, where pointers are of this type.
    #[must_use]
    pub fn flat(&self, pointer: Core) -> Vec<Core> {
        match self {
            Type::Plain(Plain::String) | Type::List(_) | Type::Map(..) => vec![pointer; 2],
            Type::Plain(Plain::S64 | Plain::U64) => vec![Core::I64],
            Type::Plain(Plain::F32) => vec![Core::F32],
            Type::Plain(Plain::F64) => vec![Core::F64],
            Type::Plain(_) | Type::Enum(_) | Type::Flags(_) | Type::Own | Type::Borrow => vec![Core::I32],
            Type::Fixed(of, n) => of.flat(pointer).repeat(*n),
            Type::Record(fields) | Type::Tuple(fields) => fields.iter().flat_map(|ty| ty.flat(pointer)).collect(),
            Type::Variant(cases) => joined(cases.iter().map(|case| case.as_ref()), pointer),
            Type::Option(ty) => joined([None, Some(&**ty)].into_iter(), pointer),
            Type::Result(ok, err) => joined([ok.as_deref(), err.as_deref()].into_iter(), pointer),
        }
    }

    /// How many bytes it takes in a memory, and their alignment.
    #[must_use]
    pub fn layout(&self, pointer: Core) -> (usize, usize) {
        let word = if pointer == Core::I64 { 8 } else { 4 };
        match self {
            Type::Plain(Plain::String) | Type::List(_) | Type::Map(..) => (2 * word, word),
            Type::Plain(Plain::Bool | Plain::S8 | Plain::U8) => (1, 1),
            Type::Plain(Plain::S16 | Plain::U16) => (2, 2),
            Type::Plain(Plain::S64 | Plain::U64 | Plain::F64) => (8, 8),
            Type::Plain(_) | Type::Own | Type::Borrow => (4, 4),
            Type::Enum(cases) => (discriminant(*cases), discriminant(*cases)),
            Type::Flags(..=8) => (1, 1),
            Type::Flags(..=16) => (2, 2),
            Type::Flags(_) => (4, 4),
            Type::Fixed(of, n) => {
                let (size, align) = of.layout(pointer);
                (size * n, align)
            }
            Type::Record(fields) | Type::Tuple(fields) => fields_layout(fields, pointer),
            Type::Variant(cases) => variant(cases.iter().map(|case| case.as_ref()), cases.len(), pointer),
            Type::Option(ty) => variant([None, Some(&**ty)].into_iter(), 2, pointer),
            Type::Result(ok, err) => variant([ok.as_deref(), err.as_deref()].into_iter(), 2, pointer),
        }
    }
}

fn joined<'a>(cases: impl Iterator<Item = Option<&'a Type>>, pointer: Core) -> Vec<Core> {
    let mut all = Vec::new();
    for case in cases.flatten() {
        for (at, ty) in case.flat(pointer).into_iter().enumerate() {
            match all.get_mut(at) {
                None => all.push(ty),
                Some(other) if *other == ty => {}
                Some(other) if matches!((*other, ty), (Core::I32, Core::F32) | (Core::F32, Core::I32)) => {
                    *other = Core::I32;
                }
                Some(other) => *other = Core::I64,
            }
        }
    }
    all.insert(0, Core::I32);
    all
}

/// Bytes of a discriminant.
fn discriminant(cases: usize) -> usize {
    match cases {
        ..=0x100 => 1,
        ..=0x1_0000 => 2,
        _ => 4,
    }
}

/// Fields one behind the other.
fn fields_layout(fields: &[Type], pointer: Core) -> (usize, usize) {
    let (mut size, mut most) = (0_usize, 1);
    for (bytes, align) in fields.iter().map(|ty| ty.layout(pointer)) {
        size = size.next_multiple_of(align) + bytes;
        most = most.max(align);
    }
    (size.next_multiple_of(most), most)
}

fn variant<'a>(cases: impl Iterator<Item = Option<&'a Type>>, n: usize, pointer: Core) -> (usize, usize) {
    let first = discriminant(n);
    let (mut size, mut most) = (0, 1);
    for (bytes, align) in cases.flatten().map(|ty| ty.layout(pointer)) {
        size = size.max(bytes);
        most = most.max(align);
    }
    let align = most.max(first);
    ((first.next_multiple_of(most) + size).next_multiple_of(align), align)
}

/// Definitions of types as text. Those that have to have a name in functions are imported under one.
#[derive(Debug, Default)]
pub struct Definitions {
    text: String,
    made: Vec<(Type, String)>,
    named: Vec<String>,
}

impl Definitions {
    /// The definitions.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The names under which types are imported.
    #[must_use]
    pub fn named(&self) -> &[String] {
        &self.named
    }

    /// Defines a type, and gives what it is called.
    pub fn name(&mut self, ty: &Type) -> String {
        match ty {
            Type::Plain(plain) => return plain.name().to_string(),
            Type::Own => return "(own $r)".to_string(),
            Type::Borrow => return "(borrow $r)".to_string(),
            _ => {}
        }
        if let Some((_, name)) = self.made.iter().find(|(made, _)| made == ty) {
            return name.clone();
        }
        let mut optional = |ty: &Option<Box<Type>>| ty.as_ref().map(|ty| self.name(ty));
        let (text, is_named) = match ty {
            Type::Plain(_) | Type::Own | Type::Borrow => unreachable!("they have names"),
            Type::List(of) => (format!("(list {})", self.name(of)), false),
            Type::Fixed(of, n) => (format!("(list {} {n})", self.name(of)), false),
            Type::Map(key, of) => (format!("(map {} {})", key.name(), self.name(of)), false),
            Type::Record(fields) => {
                let fields = fields.iter().enumerate().fold(String::new(), |mut all, (n, ty)| {
                    let _ = write!(all, " (field \"f{n}\" {})", self.name(ty));
                    all
                });
                (format!("(record{fields})"), true)
            }
            Type::Tuple(fields) => {
                let fields: Vec<String> = fields.iter().map(|ty| self.name(ty)).collect();
                (format!("(tuple {})", fields.join(" ")), false)
            }
            Type::Variant(cases) => {
                let cases = cases.iter().enumerate().fold(String::new(), |mut all, (n, ty)| {
                    let ty = ty.as_ref().map_or(String::new(), |ty| format!(" {}", self.name(ty)));
                    let _ = write!(all, " (case \"c{n}\"{ty})");
                    all
                });
                (format!("(variant{cases})"), true)
            }
            Type::Enum(cases) => (format!("(enum{})", numbered("c", *cases)), true),
            Type::Flags(bits) => (format!("(flags{})", numbered("b", *bits)), true),
            Type::Option(ty) => (format!("(option {})", self.name(ty)), false),
            Type::Result(ok, err) => {
                let ok = optional(ok).map_or(String::new(), |ok| format!(" {ok}"));
                let err = optional(err).map_or(String::new(), |err| format!(" (error {err})"));
                (format!("(result{ok}{err})"), false)
            }
        };
        let n = self.made.len();
        let name = format!("$t{n}");
        let _ = match is_named {
            false => writeln!(self.text, "(type {name} {text})"),
            true => {
                self.named.push(format!("t{n}"));
                writeln!(self.text, "(type $u{n} {text}) (import \"t{n}\" (type {name} (eq $u{n})))")
            }
        };
        self.made.push((ty.clone(), name.clone()));
        name
    }
}

fn numbered(prefix: &str, n: usize) -> String {
    (0..n).fold(String::new(), |mut all, n| {
        let _ = write!(all, " \"{prefix}{n}\"");
        all
    })
}
