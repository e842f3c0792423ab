//! Sweep 2's jump: each operator to its shape, with the parameters that the table says; what is looked after between
//! operators; and the shapes that are no more than a line or two.

use crate::emit::FuncGen;
use crate::emit::Unusual;
use crate::emit::values::zero_bits;
use crate::isa::{
    Alu, Cond, Convert, Div, Extend, FloatAlu, FloatCmp, FloatUnary, IntUnary, Isa, Lane, Lanes, Load, Rmw, Shift,
    Store, VectorBinary::*, VectorLoad, VectorTernary::*, VectorTest, VectorUnary::*,
};
use crate::operators::operators;
use crate::treaty::libcall::Libcall;
use crate::treaty::ty::Ty::{F32, F64, I32, I64};
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
            /// Compiles all operators of the body. What is inlined here is what programs are full of: a shape that
            /// few use, or use seldom, is `#[inline(never)]`, so that the others are close together.
            pub(crate) fn operators(&mut self) {
                loop {
                    if !self.w.has_room() && !self.prepare() {
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
    // ---- between operators

    /// Looks after what makes the next operator unusual: the end of the body, an end of the room or of the budget,
    /// unreachable code, fuel, maps, proofs. Is there an operator to compile now? Whatever comes to be unusual says so
    /// by `Writer::look_again`, so that one comparison between operators asks for all of it.
    #[cold]
    #[inline(never)]
    pub(crate) fn prepare(&mut self) -> bool {
        if self.unusual.has(Unusual::CHECKED) {
            self.check();
        }
        while self.unusual.has(Unusual::DEAD) {
            if self.reader.at_end() {
                return false;
            }
            self.w.wasm = self.base + self.reader.pos() as u32;
            self.skip();
        }
        if self.w.check_budget() || self.reader.at_end() {
            return false;
        }
        if !self.unusual.any() {
            self.w.look_ahead();
        }
        if self.unusual.has(Unusual::SHOWN) {
            self.clean_copies();
        }
        if self.unusual.has(Unusual::FUEL) {
            self.fuel += self.facts.cost_of_next(&self.reader);
        }
        if self.unusual.has(Unusual::CHECKED) {
            self.expect_effects();
        }
        if self.unusual.has(Unusual::MAPPED) {
            let (at, wasm) = (self.w.offset(), self.base + self.reader.pos() as u32);
            self.w.map_address(at, wasm);
        }
        true
    }

    /// Panics if an invariant does not hold before the next operator.
    fn check(&self) {
        self.prove_no_map_is_owed();
        if !self.is_dead() {
            self.check_values(self.reader.peek_local_write().is_some());
        }
    }

    /// Starts on the next operator and gives its opcode.
    #[inline(always)]
    pub(crate) fn next_operator(&mut self) -> u8 {
        self.w.wasm = self.base + self.reader.pos() as u32;
        self.regs.pinned = crate::emit::values::regs::Pins::NONE;
        self.set_conventional(false);
        self.operators += 1;
        self.reader.u8()
    }

    // ---- operators of a line or two

    fn nop(&mut self) {}

    fn drop_(&mut self) {
        let value = self.pop_value();
        self.drop_value(value);
    }

    #[inline(never)]
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

    #[inline(never)]
    fn ref_null(&mut self) {
        let heap = self.reader.i64();
        let ty = self.facts.reference_to(heap);
        self.push_const(ty, zero_bits(ty));
    }
}
