//! The op table: every operator of the supported proposals is one line of `table.rs`, which says all that does not
//! depend on the instruction set. Both sweeps are driven by it, and no other file knows an opcode by its number.
//!
//! From the lines follow the constants of [`Op`], sweep 2's jump, and [`Op::operator`]; from that the rows of sweep 1,
//! what is passed over in unreachable code, what fuel costs, what calls. Which proposal an operator is of, wasmparser
//! says: an operator that it has and the table has not, or the other way round, does not compile.

pub(crate) mod effects;
pub(crate) mod next;
pub(crate) mod operations;
pub(crate) mod policy;
mod prices;
pub(crate) mod reader;
mod table;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod vector_operations;

pub(crate) use table::operators;

use self::operations::{Convert, Div, Extend, FloatCmp, FloatUnary, IntUnary, Load, Rmw, Shift, Store};
use self::vector_operations::{
    Lane, Lanes,
    VectorBinary::{self, *},
    VectorLoad,
    VectorTernary::*,
    VectorTest,
    VectorUnary::{self, *},
};
use crate::treaty::libcall::Libcall;
use crate::treaty::ty::Ty::{self, F32, F64, I32, I64};
use crate::treaty::ty::Width::{self, W32, W64};
use std::fmt;

/// An operator: its number among all, which begins with those of one byte, each at its opcode.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Op(u16);

/// The first byte of operators that have a number behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Prefix {
    /// Objects and casts.
    Object,
    /// Saturating conversions, bulk operators of memories and tables, wide arithmetic.
    Misc,
    Vector,
    Atomic,
}

impl Prefix {
    pub(crate) const ALL: [Prefix; 4] = [Prefix::Object, Prefix::Misc, Prefix::Vector, Prefix::Atomic];

    /// The number of the operator behind it whose own number is 0, and how many there may be. The last is that of
    /// vectors.
    const fn numbers(self) -> (u16, u16) {
        match self {
            Prefix::Object => (0x100, 0x20),
            Prefix::Misc => (0x120, 0x20),
            Prefix::Atomic => (0x140, 0x50),
            Prefix::Vector => (0x190, 0x114),
        }
    }

    const fn at(self, code: u16) -> Op {
        let (first, count) = self.numbers();
        assert!(code < count, "there is no room for the operator");
        Op(first + code)
    }

    /// The operator with this number behind the prefix. It may be one that does not exist, see `Op::operator`.
    pub(crate) fn operator(self, code: u32) -> Option<Op> {
        let (first, count) = self.numbers();
        if code < u32::from(count) { Some(Op(first + code as u16)) } else { None }
    }
}

impl Op {
    /// How many numbers there are.
    pub(crate) const COUNT: usize = {
        let (first, count) = Prefix::Vector.numbers();
        (first + count) as usize
    };

    /// Of each number: for what an instruction set makes of the shapes, at compile time.
    pub(crate) const SHAPES: [Shape; Op::COUNT] = {
        let mut shapes = [Shape::Own; Op::COUNT];
        let mut i = 0;
        while i < Op::COUNT {
            shapes[i] = OPERATORS[i].shape;
            i += 1;
        }
        shapes
    };

    /// What wasmparser makes of a `select` with more than one type, which no feature makes valid.
    #[expect(non_upper_case_globals, reason = "it is named as wasmparser names it")]
    pub(crate) const TypedSelectMulti: Op = Op::TypedSelect;

    /// The operator of one byte. It may be one that does not exist, see `Op::operator`, and is that for a prefix.
    pub(crate) const fn of_byte(byte: u8) -> Op {
        Op(byte as u16)
    }

    /// Its line.
    pub(crate) const fn operator(self) -> &'static Operator {
        &OPERATORS[self.0 as usize]
    }

    /// What of its line both sweeps ask all the time.
    pub(crate) fn effects(self) -> Effects {
        EFFECTS[usize::from(self.0)]
    }

    /// Its byte, if it is one of a byte.
    pub(crate) const fn byte(self) -> u8 {
        assert!(self.0 < 0x100, "it is behind a prefix");
        self.0 as u8
    }

    /// Its two bytes, if it is one behind that prefix.
    pub(crate) const fn bytes_of_misc(self) -> [u8; 2] {
        let (first, count) = Prefix::Misc.numbers();
        assert!(first <= self.0 && self.0 < first + count, "it is not behind that prefix");
        [Prefix::Misc.byte(), (self.0 - first) as u8]
    }

    /// Where it is in tables of `COUNT` entries.
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Debug for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.operator().name)
    }
}

/// A line of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operator {
    /// As wasmparser has it; nothing if there is no such operator.
    pub(crate) name: &'static str,
    pub(crate) proposal: Option<Proposal>,
    pub(crate) types: Types,
    pub(crate) immediates: Immediates,
    pub(crate) effects: Effects,
    pub(crate) shape: Shape,
}

impl Operator {
    const UNKNOWN: Operator = Operator {
        name: "",
        proposal: None,
        types: Types::By(Class::Leave),
        immediates: Immediates::None,
        effects: Effects::NONE,
        shape: Shape::Own,
    };
}

impl Operator {
    pub(crate) fn is_by(&self, of: Class) -> bool {
        matches!(self.types, Types::By(class) if class == of)
    }
}

/// What an operator takes, the last on top, and gives.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Types {
    /// Always the same.
    Fixed { takes: &'static [Type], gives: &'static [Type] },
    /// Types that depend on immediates, blocks or what is on the stack.
    By(Class),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Type {
    I32,
    I64,
    F32,
    F64,
    V128,
    /// The type of addresses of the memory that the operator names.
    Address,
}

impl Type {
    /// `None` for addresses.
    pub(crate) const fn ty(self) -> Option<Ty> {
        match self {
            Type::I32 => Some(Ty::I32),
            Type::I64 => Some(Ty::I64),
            Type::F32 => Some(Ty::F32),
            Type::F64 => Some(Ty::F64),
            Type::V128 => Some(Ty::V128),
            Type::Address => None,
        }
    }
}

/// How sweep 1 finds out what an operator takes and gives. The classes are few and the rest is data, so that the one
/// indirect jump of the sweep is easy to predict.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Class {
    /// Not known, of a feature that is switched off, or always left: the judge decides.
    Leave,
    /// No immediates, fixed types.
    Plain,
    /// Such a one that demands registers.
    Demanding,
    /// A memory argument; takes an address and gives a value.
    Load,
    /// A memory argument; takes an address and a value.
    Store,
    /// A signed number.
    Const,
    /// The bytes of a float.
    FloatConst,
    Unreachable,
    Nop,
    Block,
    TryTable,
    Throw,
    ThrowRef,
    Loop,
    If,
    Else,
    End,
    Br,
    BrIf,
    BrTable,
    Return,
    Call,
    CallIndirect,
    ReturnCall,
    ReturnCallIndirect,
    CallRef,
    ReturnCallRef,
    Drop,
    Select,
    TypedSelect,
    LocalGet,
    LocalSet,
    LocalTee,
    GlobalGet,
    GlobalSet,
    TableGet,
    TableSet,
    MemorySize,
    MemoryGrow,
    RefNull,
    RefIsNull,
    RefFunc,
    RefEq,
    RefAsNonNull,
    BrOnNull,
    BrOnNonNull,
    /// Those behind a prefix.
    Object,
    Misc,
    Vector,
    Atomic,
}

/// What stands behind an opcode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Immediates {
    None,
    /// A number of a local.
    Local,
    /// A depth.
    Label,
    /// A number of something else.
    Index,
    /// Two of these.
    Indices,
    /// How many depths, these, and one more.
    Labels,
    /// The type of a block, which begins.
    Block,
    /// The type of a block, which begins, then its handlers.
    Catches,
    /// How many types of values, and these.
    Types,
    HeapType,
    /// Which may be null, a depth, the heap types before and after.
    Cast,
    /// A type of continuations, then handlers.
    Handlers,
    /// A type of continuations, a tag, then handlers.
    TagHandlers,
    I32,
    I64,
    F32,
    F64,
    /// A memory argument, with at most this alignment as a power of two.
    Memory(u8),
    /// Such a one and a lane of that many bytes.
    MemoryLane(u8),
    /// A memory argument with just this alignment.
    Aligned(u8),
    /// A lane below this number.
    Lane(u8),
    /// 16 bytes.
    Bytes,
    /// 16 lanes below 32.
    Shuffle,
    /// A byte that is 0.
    Zero,
}

impl Immediates {
    /// How many numbers of things there are, and nothing else.
    pub(crate) const fn indices(self) -> usize {
        match self {
            Immediates::Index => 1,
            Immediates::Indices => 2,
            _ => 0,
        }
    }
}

/// Proposals, as wasmparser sorts operators.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Proposal {
    Mvp,
    SignExtension,
    SaturatingFloatToInt,
    BulkMemory,
    ReferenceTypes,
    TailCall,
    WideArithmetic,
    FunctionReferences,
    Gc,
    Exceptions,
    Threads,
    Simd,
    RelaxedSimd,
    StackSwitching,
}

/// What an operator does beside computing. What of this depends on a module, `effects.rs` finds out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Effects {
    pub(crate) calls: MayCall,
    pub(crate) object: Access,
    pub(crate) flags: Flags,
    /// Does it only shape control, for which the host takes no fuel?
    pub(crate) free: bool,
    /// Is it arithmetic that reads the lower halves of its operands alone and clears the upper half of its result? No
    /// word of the table: it follows from the shape.
    pub(crate) narrows: bool,
    /// Does it look into objects, or make them in line?
    pub(crate) heap: bool,
    /// Does it need more integer registers at once than three?
    pub(crate) demands: bool,
}

/// Does an operator call?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum MayCall {
    No,
    /// The operator calls, perhaps more than once, and goes on after that.
    Returns,
    /// The operator makes one call, behind which it does nothing but take the results.
    Last,
    /// So it is, unless the function that it names is an import that is done in place.
    LastUnlessInline,
    /// Control does not come back.
    Leaves,
    /// The operator calls nothing, but ends the function with a jump that may leave the module.
    Onward,
    /// If the function that it names is imported.
    OnwardIfImported,
    /// If the global or the table that it names has references that are counted.
    Global,
    Table,
    /// Unless it copies or fills so little that it does so in line.
    Copy,
    Fill,
    /// If the processor cannot multiply and add at once.
    Fma,
    /// A stub does, if the object is one of those that are made in line, and in the latter case, of few fields.
    InLine,
    InLineIfFew,
    /// By how the field or the elements of the type that it names are kept.
    Storage,
    /// A stub does, if the type that it tests for has subtypes.
    Tests,
}

/// What an operator reads or writes of an object of the type that it names first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Access {
    None,
    /// All of what it makes.
    Made,
    /// The field that it names second.
    Field,
    Element,
}

/// What an operator makes of a condition on top of the stack, which may be nowhere but in the flags.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Flags {
    None,
    /// The operator branches by whether the condition is zero.
    Branches,
    /// The operator chooses by that.
    Selects,
    /// The operator gives whether that is zero.
    AsksZero,
}

/// The words of the table.
impl Effects {
    const NONE: Effects = Effects {
        calls: MayCall::No,
        object: Access::None,
        flags: Flags::None,
        free: false,
        narrows: false,
        heap: false,
        demands: false,
    };

    const fn may_call(mut self, calls: MayCall) -> Effects {
        self.calls = calls;
        self
    }

    const fn calls(self) -> Effects {
        self.may_call(MayCall::Returns)
    }

    const fn calls_last(self) -> Effects {
        self.may_call(MayCall::Last)
    }

    const fn calls_last_unless_inline(self) -> Effects {
        self.may_call(MayCall::LastUnlessInline)
    }

    const fn leaves(self) -> Effects {
        self.may_call(MayCall::Leaves)
    }

    const fn onward(self) -> Effects {
        self.may_call(MayCall::Onward)
    }

    const fn onward_if_imported(self) -> Effects {
        self.may_call(MayCall::OnwardIfImported)
    }

    const fn global(self) -> Effects {
        self.may_call(MayCall::Global)
    }

    const fn table(self) -> Effects {
        self.may_call(MayCall::Table)
    }

    const fn copies(self) -> Effects {
        self.may_call(MayCall::Copy)
    }

    const fn fills(self) -> Effects {
        self.may_call(MayCall::Fill)
    }

    const fn fma(self) -> Effects {
        self.may_call(MayCall::Fma)
    }

    const fn in_line(self) -> Effects {
        self.may_call(MayCall::InLine)
    }

    const fn in_line_if_few(self) -> Effects {
        self.may_call(MayCall::InLineIfFew)
    }

    const fn tests(self) -> Effects {
        self.may_call(MayCall::Tests)
    }

    const fn made(mut self) -> Effects {
        self.object = Access::Made;
        self
    }

    const fn field(mut self) -> Effects {
        self.object = Access::Field;
        self.may_call(MayCall::Storage)
    }

    const fn element(mut self) -> Effects {
        self.object = Access::Element;
        self.may_call(MayCall::Storage)
    }

    const fn heap(mut self) -> Effects {
        self.heap = true;
        self
    }

    const fn branches(mut self) -> Effects {
        self.flags = Flags::Branches;
        self
    }

    const fn selects(mut self) -> Effects {
        self.flags = Flags::Selects;
        self
    }

    const fn asks_zero(mut self) -> Effects {
        self.flags = Flags::AsksZero;
        self
    }

    const fn free(mut self) -> Effects {
        self.free = true;
        self
    }

    const fn demands(mut self) -> Effects {
        self.demands = true;
        self
    }
}

/// The shapes that an instruction set asks for, with their parameters: how it may do them is a matter of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    Alu(Width),
    Mul(Width),
    Compare(Width),
    FloatAlu(Width),
    Extend(Extend),
    VectorUnary(VectorUnary),
    VectorBinary(VectorBinary),
    /// Another.
    Own,
}

macro_rules! shape {
    (alu($width:expr, $op:expr)) => {
        Shape::Alu($width)
    };
    (mul($width:expr)) => {
        Shape::Mul($width)
    };
    (compare($width:expr, $cond:expr)) => {
        Shape::Compare($width)
    };
    (float_alu($width:expr, $op:expr)) => {
        Shape::FloatAlu($width)
    };
    (extend($op:expr)) => {
        Shape::Extend($op)
    };
    (extend_u32()) => {
        Shape::Extend(Extend::U32To64)
    };
    (v_unary($op:expr)) => {
        Shape::VectorUnary($op)
    };
    (v_binary($op:expr)) => {
        Shape::VectorBinary($op)
    };
    // The parameters are the shape's own; that they are of the right types, the jump of sweep 2 proves.
    ($shape:ident($($arg:expr),*)) => {{
        $(let _ = $arg;)*
        Shape::Own
    }};
}

macro_rules! types {
    (by $class:ident) => {
        Types::By(Class::$class)
    };
    ([$($take:ident)*] -> [$($give:ident)*]) => {
        Types::Fixed { takes: &[$(Type::$take),*], gives: &[$(Type::$give),*] }
    };
}

macro_rules! lines {
    (one byte {$(
        $code:literal $name:ident: $(by $class:ident)? $([$($take:ident)*] -> [$($give:ident)*])?
        | $immediate:ident $(($parameter:literal))? | $($effect:ident)* | $shape:ident ($($arg:expr),*);
     )*}
     $($prefix:ident $byte:literal $function:ident {$(
        $code_:literal $name_:ident: $(by $class_:ident)? $([$($take_:ident)*] -> [$($give_:ident)*])?
        | $immediate_:ident $(($parameter_:literal))? | $($effect_:ident)* | $shape_:ident ($($arg_:expr),*);
     )*})*) => {
        #[expect(non_upper_case_globals, reason = "they are named as wasmparser names them")]
        impl Op {
            $(pub(crate) const $name: Op = Op($code);)*
            $($(pub(crate) const $name_: Op = Prefix::$prefix.at($code_);)*)*
        }

        impl Prefix {
            pub(crate) const fn byte(self) -> u8 {
                match self {
                    $(Prefix::$prefix => $byte,)*
                }
            }

            /// The prefix that a byte is, if it is one.
            pub(crate) const fn of(byte: u8) -> Option<Prefix> {
                match byte {
                    $($byte => Some(Prefix::$prefix),)*
                    _ => None,
                }
            }
        }

        pub(crate) const LINES: &[(Op, Operator)] = &[
            $((Op::$name, Operator {
                name: stringify!($name),
                proposal: None,
                types: types!($(by $class)? $([$($take)*] -> [$($give)*])?),
                immediates: Immediates::$immediate $(($parameter))?,
                effects: Effects::NONE $(.$effect())*,
                shape: shape!($shape($($arg),*)),
            }),)*
            $($((Op::$name_, Operator {
                name: stringify!($name_),
                proposal: None,
                types: types!($(by $class_)? $([$($take_)*] -> [$($give_)*])?),
                immediates: Immediates::$immediate_ $(($parameter_))?,
                effects: Effects::NONE $(.$effect_())*,
                shape: shape!($shape_($($arg_),*)),
            }),)*)*
        ];
    };
}

table::operators!(lines);

/// The proposal of an operator, and so the operator itself, unless the proposal is not supported.
macro_rules! proposal {
    (mvp $op:ident) => {
        Some((Op::$op, Proposal::Mvp))
    };
    (sign_extension $op:ident) => {
        Some((Op::$op, Proposal::SignExtension))
    };
    (saturating_float_to_int $op:ident) => {
        Some((Op::$op, Proposal::SaturatingFloatToInt))
    };
    (bulk_memory $op:ident) => {
        Some((Op::$op, Proposal::BulkMemory))
    };
    (reference_types $op:ident) => {
        Some((Op::$op, Proposal::ReferenceTypes))
    };
    (tail_call $op:ident) => {
        Some((Op::$op, Proposal::TailCall))
    };
    (wide_arithmetic $op:ident) => {
        Some((Op::$op, Proposal::WideArithmetic))
    };
    (function_references $op:ident) => {
        Some((Op::$op, Proposal::FunctionReferences))
    };
    (gc $op:ident) => {
        Some((Op::$op, Proposal::Gc))
    };
    (exceptions $op:ident) => {
        Some((Op::$op, Proposal::Exceptions))
    };
    (threads $op:ident) => {
        Some((Op::$op, Proposal::Threads))
    };
    (simd $op:ident) => {
        Some((Op::$op, Proposal::Simd))
    };
    (relaxed_simd $op:ident) => {
        Some((Op::$op, Proposal::RelaxedSimd))
    };
    (stack_switching $op:ident) => {
        Some((Op::$op, Proposal::StackSwitching))
    };
    (custom_descriptors $op:ident) => {
        None
    };
    (legacy_exceptions $op:ident) => {
        None
    };
    (memory_control $op:ident) => {
        None
    };
    (shared_everything_threads $op:ident) => {
        None
    };
}

macro_rules! scalar_proposals {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        const SCALAR: &[Option<(Op, Proposal)>] = &[$(proposal!($proposal $op)),*];
    };
}

macro_rules! simd_proposals {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        const SIMD: &[Option<(Op, Proposal)>] = &[$(proposal!($proposal $op)),*];
    };
}

wasmparser::for_each_visit_operator!(scalar_proposals);
wasmparser::for_each_visit_simd_operator!(simd_proposals);

const fn name_proposals(mut operators: [Operator; Op::COUNT], of: &[Option<(Op, Proposal)>]) -> [Operator; Op::COUNT] {
    let mut i = 0;
    while i < of.len() {
        if let Some((op, proposal)) = of[i] {
            operators[op.index()].proposal = Some(proposal);
        }
        i += 1;
    }
    operators
}

/// By number.
static OPERATORS: [Operator; Op::COUNT] = {
    let mut operators = [Operator::UNKNOWN; Op::COUNT];
    let mut i = 0;
    while i < LINES.len() {
        let (op, line) = LINES[i];
        assert!(operators[op.index()].name.is_empty(), "two lines for one opcode");
        operators[op.index()] = line;
        operators[op.index()].effects.narrows = matches!(line.shape, Shape::Alu(W32) | Shape::Mul(W32));
        // All atomic operators, whose lines need not say so.
        let (first, count) = Prefix::Atomic.numbers();
        operators[op.index()].effects.demands |= first <= op.0 && op.0 < first + count;
        i += 1;
    }
    operators = name_proposals(name_proposals(operators, SCALAR), SIMD);
    i = 0;
    while i < operators.len() {
        assert!(operators[i].name.is_empty() == operators[i].proposal.is_none(), "an operator of no proposal");
        i += 1;
    }
    operators
};

static EFFECTS: [Effects; Op::COUNT] = {
    let mut effects = [Effects::NONE; Op::COUNT];
    let mut i = 0;
    while i < Op::COUNT {
        effects[i] = OPERATORS[i].effects;
        i += 1;
    }
    effects
};
