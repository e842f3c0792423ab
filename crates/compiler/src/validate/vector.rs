//! The fast sweep's part for the operators behind 0xfd: what they take and give, and their immediates.

use super::leb;
use super::operands::{F32, F64, I32, I64, V128, Window};
use super::sweep::Sweep;
use crate::effects;

/// What an operator takes and gives, and of what form its immediates are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// There is none.
    None,
    /// So many vectors, gives one.
    Vectors(u8),
    /// A vector and a count.
    Shift,
    /// A vector, gives an `i32`.
    Test,
    /// A value of this type.
    Splat(u8),
    /// The type, and how many lanes there are.
    Extract(u8, u8),
    Replace(u8, u8),
    /// The logarithm of the natural alignment.
    Load(u8),
    Store(u8),
    LoadLane(u8),
    StoreLane(u8),
    Const,
    Shuffle,
}

/// The last opcode and one.
const COUNT: usize = 0x114;

/// From where on the operators are of relaxed SIMD.
const RELAXED: u32 = 0x100;

/// By opcode, from the first to the last.
#[rustfmt::skip]
const GROUPS: &[(usize, usize, Form)] = {
    use Form::*;
    &[
        (0x00, 0x00, Load(4)),
        (0x01, 0x06, Load(3)),              // extending
        (0x07, 0x07, Load(0)),              // splats
        (0x08, 0x08, Load(1)),
        (0x09, 0x09, Load(2)),
        (0x0a, 0x0a, Load(3)),
        (0x0b, 0x0b, Store(4)),
        (0x0c, 0x0c, Const),
        (0x0d, 0x0d, Shuffle),
        (0x0e, 0x0e, Vectors(2)),           // swizzle
        (0x0f, 0x11, Splat(I32)),
        (0x12, 0x12, Splat(I64)),
        (0x13, 0x13, Splat(F32)),
        (0x14, 0x14, Splat(F64)),
        (0x15, 0x16, Extract(I32, 16)),
        (0x17, 0x17, Replace(I32, 16)),
        (0x18, 0x19, Extract(I32, 8)),
        (0x1a, 0x1a, Replace(I32, 8)),
        (0x1b, 0x1b, Extract(I32, 4)),
        (0x1c, 0x1c, Replace(I32, 4)),
        (0x1d, 0x1d, Extract(I64, 2)),
        (0x1e, 0x1e, Replace(I64, 2)),
        (0x1f, 0x1f, Extract(F32, 4)),
        (0x20, 0x20, Replace(F32, 4)),
        (0x21, 0x21, Extract(F64, 2)),
        (0x22, 0x22, Replace(F64, 2)),
        (0x23, 0x4c, Vectors(2)),           // comparisons
        (0x4d, 0x4d, Vectors(1)),           // not
        (0x4e, 0x51, Vectors(2)),
        (0x52, 0x52, Vectors(3)),           // bitselect
        (0x53, 0x53, Test),
        (0x54, 0x54, LoadLane(0)),
        (0x55, 0x55, LoadLane(1)),
        (0x56, 0x56, LoadLane(2)),
        (0x57, 0x57, LoadLane(3)),
        (0x58, 0x58, StoreLane(0)),
        (0x59, 0x59, StoreLane(1)),
        (0x5a, 0x5a, StoreLane(2)),
        (0x5b, 0x5b, StoreLane(3)),
        (0x5c, 0x5c, Load(2)),              // zero-extending
        (0x5d, 0x5d, Load(3)),
        (0x5e, 0x62, Vectors(1)),           // demote .. popcnt
        (0x63, 0x64, Test),
        (0x65, 0x66, Vectors(2)),           // narrow
        (0x67, 0x6a, Vectors(1)),           // ceil .. nearest
        (0x6b, 0x6d, Shift),
        (0x6e, 0x73, Vectors(2)),           // add .. sub_sat
        (0x74, 0x75, Vectors(1)),           // ceil, floor
        (0x76, 0x79, Vectors(2)),           // min, max
        (0x7a, 0x7a, Vectors(1)),           // trunc
        (0x7b, 0x7b, Vectors(2)),           // avgr
        (0x7c, 0x81, Vectors(1)),           // extadd .. neg
        (0x82, 0x82, Vectors(2)),           // q15mulr_sat
        (0x83, 0x84, Test),
        (0x85, 0x86, Vectors(2)),           // narrow
        (0x87, 0x8a, Vectors(1)),           // extend
        (0x8b, 0x8d, Shift),
        (0x8e, 0x93, Vectors(2)),           // add .. sub_sat
        (0x94, 0x94, Vectors(1)),           // nearest
        (0x95, 0x99, Vectors(2)),           // mul .. max
        (0x9b, 0x9f, Vectors(2)),           // avgr, extmul
        (0xa0, 0xa1, Vectors(1)),           // abs, neg
        (0xa3, 0xa4, Test),
        (0xa7, 0xaa, Vectors(1)),           // extend
        (0xab, 0xad, Shift),
        (0xae, 0xae, Vectors(2)),           // add
        (0xb1, 0xb1, Vectors(2)),           // sub
        (0xb5, 0xba, Vectors(2)),           // mul .. dot
        (0xbc, 0xbf, Vectors(2)),           // extmul
        (0xc0, 0xc1, Vectors(1)),           // abs, neg
        (0xc3, 0xc4, Test),
        (0xc7, 0xca, Vectors(1)),           // extend
        (0xcb, 0xcd, Shift),
        (0xce, 0xce, Vectors(2)),           // add
        (0xd1, 0xd1, Vectors(2)),           // sub
        (0xd5, 0xdf, Vectors(2)),           // mul, comparisons, extmul
        (0xe0, 0xe1, Vectors(1)),           // abs, neg
        (0xe3, 0xe3, Vectors(1)),           // sqrt
        (0xe4, 0xeb, Vectors(2)),           // add .. pmax
        (0xec, 0xed, Vectors(1)),           // abs, neg
        (0xef, 0xef, Vectors(1)),           // sqrt
        (0xf0, 0xf7, Vectors(2)),           // add .. pmax
        (0xf8, 0xff, Vectors(1)),           // conversions
        (0x100, 0x100, Vectors(2)),         // relaxed_swizzle
        (0x101, 0x104, Vectors(1)),         // relaxed_trunc
        (0x105, 0x10c, Vectors(3)),         // relaxed_madd .. laneselect
        (0x10d, 0x112, Vectors(2)),         // relaxed_min .. dot
        (0x113, 0x113, Vectors(3)),         // relaxed_dot_add
    ]
};

static FORMS: [Form; COUNT] = {
    let mut forms = [Form::None; COUNT];
    let mut i = 0;
    while i < GROUPS.len() {
        let (mut opcode, last, form) = GROUPS[i];
        while opcode <= last {
            assert!(matches!(forms[opcode], Form::None), "two forms for one opcode");
            forms[opcode] = form;
            opcode += 1;
        }
        i += 1;
    }
    forms
};

impl Sweep<'_> {
    /// An operator behind 0xfd: where it ends, and the window behind it.
    #[inline(never)]
    pub(super) fn vector(&mut self, bytes: &[u8], pos: usize, window: Window) -> Option<(usize, Window)> {
        let (opcode, len) = leb::u32(bytes, pos);
        if len == 0 || (opcode >= RELAXED && !self.rules.features.relaxed_simd()) {
            return None;
        }
        let mut pos = pos + len as usize;
        self.survey.vectors = true;
        let form = *FORMS.get(opcode as usize)?;
        // The address comes with the memory; the lane is below their number.
        let mut address = 0;
        if let Form::Load(align) | Form::Store(align) | Form::LoadLane(align) | Form::StoreLane(align) = form {
            (address, pos) = self.memory_argument(bytes, pos, align)?;
        }
        let lanes = match form {
            Form::Extract(_, lanes) | Form::Replace(_, lanes) => lanes,
            Form::LoadLane(align) | Form::StoreLane(align) => 16 >> align,
            _ => 0,
        };
        if lanes > 0 {
            if *bytes.get(pos)? >= lanes {
                return None;
            }
            pos += 1;
        }
        // What is taken, from the top, and given.
        let (takes, gives): (&[u8], Option<u8>) = match form {
            Form::None => return None,
            Form::Vectors(1) => (&[V128], Some(V128)),
            Form::Vectors(2) => (&[V128; 2], Some(V128)),
            Form::Vectors(_) => (&[V128; 3], Some(V128)),
            Form::Shift => (&[I32, V128], Some(V128)),
            Form::Test => (&[V128], Some(I32)),
            Form::Splat(code) => (&[code], Some(V128)),
            Form::Extract(code, _) => (&[V128], Some(code)),
            Form::Replace(code, _) => (&[code, V128], Some(V128)),
            Form::Load(_) => (&[address], Some(V128)),
            Form::Store(_) | Form::StoreLane(_) => (&[V128, address], None),
            Form::LoadLane(_) => (&[V128, address], Some(V128)),
            Form::Const => {
                pos += 16;
                bytes.get(..pos)?;
                (&[], Some(V128))
            }
            Form::Shuffle => {
                if bytes.get(pos..pos + 16)?.iter().any(|lane| *lane >= 32) {
                    return None;
                }
                pos += 16;
                (&[V128; 2], Some(V128))
            }
        };
        let mut window = self.spilled.pop(window, takes)?;
        if let Some(code) = gives {
            window = self.spilled.push(window, code);
        }
        self.survey.note(effects::vector(self.facts, opcode));
        Some((pos, window))
    }
}
