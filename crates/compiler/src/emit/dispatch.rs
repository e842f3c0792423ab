//! Sweep 2's jump: each operator to its shape, with the parameters that the table says; and the shapes that are no more
//! than a line or two.

use crate::emit::FuncGen;
use crate::emit::values::zero_bits;
use crate::isa::{
    Alu, Cond, Convert, Div, Extend, FloatAlu, FloatCmp, FloatUnary, IntUnary, Isa, Lane, Lanes, Load, Rmw, Shift,
    Store, VectorBinary::*, VectorLoad, VectorTernary::*, VectorTest, VectorUnary::*,
};
use crate::operators::operators;
use crate::treaty::libcall::Libcall;
use crate::treaty::ty::Ty::{self, F32, F64, I32, I64};
use crate::treaty::ty::Width::{W32, W64};

macro_rules! dispatch {
    (one byte {$(
        $code:literal $name:ident: $(by $class:ident)? $([$($take:ident)*] -> [$($give:ident)*])?
        | $immediate:ident $(($parameter:literal))? | $($effect:ident)* | $shape:ident ($($arg:expr),*);
     )*}
     $($prefix:ident $byte:literal $function:ident {$(
        $code_:literal $name_:ident: $(by $class_:ident)? $([$($take_:ident)*] -> [$($give_:ident)*])?
        | $immediate_:ident $(($parameter_:literal))? | $($effect_:ident)* | $shape_:ident ($($arg_:expr),*);
     )*})*) => {
        impl<I: Isa> FuncGen<'_, I> {
            /// Compiles all operators of the body.
            pub(crate) fn operators(&mut self) {
                loop {
                    let usual = !self.unusual.any() && self.w.has_room();
                    if (!usual && !self.prepare()) || self.reader.at_end() {
                        return;
                    }
                    match self.next_operator() {
                        $($code => self.$shape($($arg),*),)*
                        $($byte => self.$function(),)*
                        other => unreachable!("operator {other:#x} passed the survey"),
                    }
                }
            }

            $(#[inline(never)]
            fn $function(&mut self) {
                match self.reader.u32() {
                    $($code_ => self.$shape_($($arg_),*),)*
                    other => unreachable!("operator {:#x} {other:#x} passed the survey", $byte),
                }
            })*
        }
    };
}

operators!(dispatch);

impl<I: Isa> FuncGen<'_, I> {
    fn nop(&mut self) {}

    fn drop_(&mut self) {
        let value = self.pop_value();
        self.drop_value(value);
    }

    fn typed_select(&mut self) {
        let count = self.reader.u32();
        for _ in 0..count {
            self.value_type();
        }
        self.select();
    }

    fn i32_const(&mut self) {
        let value = self.reader.i32();
        self.push_const(I32, u64::from(value as u32));
    }

    fn i64_const(&mut self) {
        let value = self.reader.i64();
        self.push_const(I64, value as u64);
    }

    fn f32_const(&mut self) {
        let bits = self.reader.bits32();
        self.push_const(F32, u64::from(bits));
    }

    fn f64_const(&mut self) {
        let bits = self.reader.bits64();
        self.push_const(F64, bits);
    }

    fn ref_null(&mut self) {
        let heap = self.reader.i64();
        let ty = self.facts.reference_to(heap);
        self.push_const(ty, zero_bits(ty));
    }

    /// Reads a value type.
    pub(crate) fn value_type(&mut self) -> Ty {
        match self.reader.peek() {
            0x7b..=0x7f => {
                let byte = self.reader.u8();
                [Ty::V128, F64, F32, I64, I32][usize::from(byte - 0x7b)]
            }
            0x63 | 0x64 => {
                self.reader.u8();
                let heap = self.reader.i64();
                self.facts.reference_to(heap)
            }
            _ => {
                let heap = self.reader.i64();
                self.facts.reference_to(heap)
            }
        }
    }
}
