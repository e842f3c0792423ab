//! For tests of the rules: what a rule makes of an instruction, in plain words, so that the instruction itself can be
//! run beside it.

use crate::decode::{Instruction, Reader};
use crate::facts::{Facts, Memory, Processor, Range, Settings, Tables};
use crate::forms::Class;
use crate::lanes::Vectors;
use crate::prover::Prover;
use crate::state::State;
use crate::value::{Tag, Value};
use crate::walk::{Role, Walk};

/// What is known of a register beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// A number.
    Any,
    /// A number that is not 0.
    NotZero,
    /// A number of 32 bits.
    U32,
    /// Such a number that is not 0.
    NotZero32,
    /// Less than this.
    Below(u32),
    /// This number.
    Constant(i64),
    /// At least this.
    AtLeast(u32),
    /// At least the first, at most the second.
    Between(u32, u32),
    /// At least the second, and of no more bits than the first says.
    Bits(u8, u32),
    /// What this register holds.
    CopyOf(u8),
    /// What the frame holds here, 32 bits of it.
    Slot32(i32),
    /// What the frame holds here, 64 bits of it.
    Slot64(i32),
    /// The stack pointer at the entry plus this.
    Stack(i32),
    /// The base of memory 0.
    Memory,
    /// Nothing at all.
    Nothing,
}

/// What is claimed of a register or a word of the frame afterwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// The upper half is zero.
    pub upper_zero: bool,
    /// The value is less than this.
    pub below: Option<u64>,
    /// The value is at least this.
    pub least: u64,
    /// The value is this.
    pub constant: Option<i64>,
    /// The value is what this register holds.
    pub copy_of: Option<u8>,
    /// The value is what the frame holds here, so many bytes of it.
    pub slot: Option<(i32, u8)>,
    /// The value is the stack pointer at the entry plus this.
    pub stack: Option<i32>,
    /// The value is the base of memory 0.
    pub memory: bool,
}

/// What is known where control comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct After {
    /// Where that is.
    pub at: u32,
    /// Of registers.
    pub registers: [Claim; 16],
    /// Of words of the frame, by their offsets.
    pub words: Vec<(i32, Claim)>,
}

/// Words of the frame are numbers from here up to the return address.
pub const LOWEST: i32 = -256;

/// How many bytes memory 0 has.
pub const MEMORY: u64 = 1 << 16;

fn value(known: Known) -> Value {
    match known {
        Known::Any => Value::ANY,
        Known::NotZero => Value::ANY.not_zero(),
        Known::U32 => Value::U32,
        Known::NotZero32 => Value::U32.not_zero(),
        Known::Below(below) => Value::less_than(below.into()),
        Known::Constant(constant) => Value::constant(constant),
        Known::AtLeast(least) => Value::at_least(least.into()),
        Known::Between(least, most) => Value::new(Tag::EndConst, least, most),
        Known::Bits(bits, least) => Value::new(Tag::Bits, bits.into(), least),
        Known::CopyOf(reg) => Value::of(Tag::CopyOf, reg.into()),
        Known::Slot32(at) => Value::of(Tag::Slot32, at.cast_unsigned()),
        Known::Slot64(at) => Value::of(Tag::Slot64, at.cast_unsigned()),
        Known::Stack(at) => Value::stack(at),
        Known::Memory => Value::of(Tag::Memory, 0),
        Known::Nothing => Value::UNDEF,
    }
}

fn claim(value: Value) -> Claim {
    if value.is(Tag::Stack) {
        return Claim { stack: value.as_stack(), ..Claim::default() };
    }
    if !value.is_number() {
        return Claim { memory: value.is(Tag::Memory), ..Claim::default() };
    }
    let slot = match value.tag() {
        Tag::Slot32 => Some((value.b().cast_signed(), 4)),
        Tag::Slot64 => Some((value.b().cast_signed(), 8)),
        _ => None,
    };
    Claim {
        upper_zero: value.is_u32(),
        below: value.limit(),
        least: value.least(),
        constant: value.as_constant(),
        copy_of: value.is(Tag::CopyOf).then_some(value.b() as u8),
        slot,
        ..Claim::default()
    }
}

/// Applies the rules of an instruction, and of the conditional jump behind it if there is one, to what is known of
/// registers. `copies` says whether copies of registers are followed.
///
/// # Errors
/// Why the verifier refuses them.
pub fn apply(text: &[u8], registers: &[Known; 16], copies: bool) -> Result<Vec<After>, &'static str> {
    let memory = Memory {
        index64: false,
        page_size_log2: 16,
        base_may_move: false,
        minimum: MEMORY,
        fixed_length: Some(MEMORY),
        unchecked_span: MEMORY,
        mapped: MEMORY,
        faults_are_traps: true,
        shared: false,
    };
    let settings = Settings { hardware_traps: true, processor: Processor::ALL, ..Settings::default() };
    let facts = Facts { memories: vec![memory], settings, ..Facts::default() };
    let tables = Tables::default();
    let prover = Prover::new(&facts, text, &tables).map_err(|failure| failure.reason.0)?;
    let mut walk = Walk::new(&prover);
    walk.begin(Range { start: 0, end: text.len() as u32 });
    walk.role = Role::Body(0);
    walk.limited = false;
    walk.copies = copies;
    walk.watches = copies;
    let slots = walk.frames.begin();
    let mut state = State::new(slots);
    state.vectors = Vectors::ALL;
    for (reg, known) in registers.iter().enumerate() {
        state.set(reg, value(*known));
    }
    walk.st = state;
    walk.put_word(0, Value::of(Tag::Return, 0));
    for at in (LOWEST..0).step_by(8) {
        walk.put_word(at, Value::ANY);
    }
    let mut reader = Reader::new(text);
    let mut instruction = Instruction::NONE;
    let mut targets = Vec::new();
    while (walk.next as usize) < text.len() && !walk.ends {
        walk.at = walk.next;
        reader.read(walk.at, &mut instruction).ok_or("no instruction")?;
        walk.next = walk.at + u32::from(instruction.len);
        walk.transfer(&instruction)?;
        if instruction.class == Class::Jcc {
            targets.push(walk.target(&instruction)?);
            break;
        }
    }
    let words = |walk: &Walk<'_>, state: &State| {
        (LOWEST..0).step_by(8).map(|at| (at, claim(walk.frames.get(state.slots, walk.word(at))))).collect()
    };
    let after = |walk: &Walk<'_>, at: u32, state: &State| After {
        at,
        registers: state.regs.map(claim),
        words: words(walk, state),
    };
    let mut all = Vec::new();
    if !walk.ends {
        all.push(after(&walk, walk.next, &walk.st));
    }
    for target in targets {
        if let Some(state) = walk.state_at(target) {
            all.push(after(&walk, target, state));
        }
    }
    Ok(all)
}
