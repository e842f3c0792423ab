//! The shapes of single lanes: splats, extraction, replacement, shuffles.

use crate::emit::FuncGen;
use crate::emit::values::value::{Loc, OperandLoc};
use crate::isa::{Isa, Lane, Load, ShuffleFrom, Src};
use crate::treaty::ty::Ty;
use lightbeam_asm::{RegClass, RegSet};

/// The type of a lane's value.
const fn ty_of(lane: Lane) -> Ty {
    match lane {
        Lane::I8 | Lane::I16 | Lane::I32 => Ty::I32,
        Lane::I64 => Ty::I64,
        Lane::F32 => Ty::F32,
        Lane::F64 => Ty::F64,
    }
}

/// The load of a lane as a value.
const fn load_of(lane: Lane, signed: bool) -> Load {
    match (lane, signed) {
        (Lane::I8, false) => Load::I32U8,
        (Lane::I8, true) => Load::I32S8,
        (Lane::I16, false) => Load::I32U16,
        (Lane::I16, true) => Load::I32S16,
        (Lane::I32, _) => Load::I32,
        (Lane::I64, _) => Load::I64,
        (Lane::F32, _) => Load::F32,
        (Lane::F64, _) => Load::F64,
    }
}

/// A constant in all lanes, as a pattern of 32 bits, if it is one.
fn pattern(lane: Lane, value: u64) -> Option<u32> {
    let low = value as u32;
    match lane {
        Lane::I8 => Some((low & 0xff) * 0x0101_0101),
        Lane::I16 => Some((low & 0xffff) * 0x1_0001),
        Lane::I32 | Lane::F32 => Some(low),
        Lane::I64 | Lane::F64 => (value >> 32 == u64::from(low)).then_some(low),
    }
}

impl<I: Isa> FuncGen<'_, I> {
    pub(crate) fn splat(&mut self, lane: Lane) {
        if let Some(value) = self.stack.last().and_then(|top| top.as_const())
            && let Some(pattern) = pattern(lane, value)
        {
            self.pop_value();
            return self.push_pattern(pattern);
        }
        let (s, owned) = self.pop_reg();
        let d = self.dest_reusing(Ty::V128, owned.class(RegClass::Float));
        self.w.splat(lane, d, s);
        self.finish_vector(d, owned);
    }

    pub(crate) fn extract_lane(&mut self, lane: Lane, signed: bool) {
        let i = self.reader.u8();
        let ty = ty_of(lane);
        let mut s = self.pop();
        if let OperandLoc::Mem(addr) = s.loc()
            && !s.faults()
        {
            // The lane alone, from where the vector is.
            let d = self.dest(ty, RegSet::EMPTY);
            self.w.load(load_of(lane, signed), d, addr.plus((lane.bytes() * u32::from(i)) as i32));
            self.w.counters.reloads += 1;
            return self.push_reg(ty, d);
        }
        let from = self.operand_reg(&mut s);
        let d = self.dest_reusing(ty, s.owned());
        self.w.extract_lane(lane, signed, d, from, i);
        let mut owned = s.owned();
        owned.remove(d);
        self.give_back(owned);
        self.push_reg(ty, d);
    }

    pub(crate) fn replace_lane(&mut self, lane: Lane) {
        let i = self.reader.u8();
        let mut value = self.pop();
        let r = self.operand_reg(&mut value);
        let l = self.pop();
        let (d, left) = self.binary_dest(Ty::V128, &l, &value);
        self.w.replace_lane(lane, d, left, Src::Reg(r), i);
        self.finish_vector(d, l.owned().or(value.owned()));
    }

    pub(crate) fn shuffle(&mut self) {
        let at = self.reader.skip128();
        let mut lanes = self.reader.bits128_at(at).to_le_bytes();
        let zero = |cg: &Self, entry: Option<u64>| entry.is_some_and(|entry| cg.vector_bits(entry) == 0);
        let top = self.stack.len() - 1;
        let same = self.stack[top] == self.stack[top - 1] && matches!(self.stack[top].loc, Loc::Local(_));
        let mut r = self.pop();
        let mut l = self.pop();
        if same {
            lanes = lanes.map(|lane| lane & 15);
        }
        // One operand if the other gives nothing, or nothing but zeros.
        let uses = |lanes: &[u8; 16], half: u8| lanes.iter().any(|lane| lane & 16 == half);
        let (of_l, of_r) = (uses(&lanes, 0), uses(&lanes, 16));
        if (!of_l || zero(self, l.as_const())) && of_r {
            std::mem::swap(&mut l, &mut r);
            lanes = lanes.map(|lane| lane ^ 16);
        }
        let one = !uses(&lanes, 16) || zero(self, r.as_const());
        let from = if one { ShuffleFrom::One } else { ShuffleFrom::Two };
        let form = self.w.shuffle_form(from, &lanes);
        if form.swap {
            std::mem::swap(&mut l, &mut r);
        }
        let (d, left, right) = if one {
            let left = self.operand_reg(&mut l);
            (self.dest_reusing(Ty::V128, l.owned()), left, left)
        } else {
            let right = self.operand_reg(&mut r);
            let (d, left) = self.vector_dest(form.dest, &mut l, &r);
            (d, left, right)
        };
        self.w.shuffle(from, &lanes, d, left, right);
        self.finish_vector(d, l.owned().or(r.owned()));
    }
}
