//! The op table: every supported operator is one line, its opcode, its name, and the shape that lowers it.
//!
//! Operators of one byte come first, then those behind the prefixes 0xfb, 0xfc and 0xfe; `simd/ops.rs` has those behind
//! 0xfd. What each needs of its immediates, its shape reads itself; `skip_immediates` knows them for unreachable code.

use crate::compile::FuncGen;
use crate::isa::{
    Alu, AsmBuffer, Cond, Convert, Div, Extend, FloatAlu, FloatCmp, FloatUnary, IntUnary, Isa, Load, Rmw, Shift, Store,
};
use crate::libcall::Libcall;
use crate::ty::Ty::{self, F32, F64, I32, I64};
use crate::ty::Width::{W32, W64};

macro_rules! ops {
    (one byte { $($code:literal $name:ident => $shape:ident ( $($arg:expr),* );)* }
     prefix 0xfb { $($code1:literal $name1:ident => $shape1:ident ( $($arg1:expr),* );)* }
     prefix 0xfc { $($code2:literal $name2:ident => $shape2:ident ( $($arg2:expr),* );)* }
     prefix 0xfe { $($code4:literal $name4:ident => $shape4:ident ( $($arg4:expr),* );)* }) => {
        impl<I: Isa> FuncGen<'_, I> {
            /// Compiles all operators of the body.
            pub(crate) fn operators(&mut self) {
                loop {
                    let usual = !self.unusual.any() && self.out.asm.offset() <= self.room_end;
                    if (!usual && !self.prepare()) || self.reader.at_end() {
                        return;
                    }
                    match self.next_operator() {
                        $($code => self.$shape($($arg),*),)*
                        0xfc => self.prefixed(),
                        0xfb => self.prefixed_objects(),
                        0xfd => self.vector_operator(),
                        0xfe => self.atomics(),
                        other => unreachable!("operator {other:#x} passed the survey"),
                    }
                }
            }

            #[inline(never)]
            fn prefixed(&mut self) {
                match self.reader.u32() {
                    $($code2 => self.$shape2($($arg2),*),)*
                    other => unreachable!("operator 0xfc {other:#x} passed the survey"),
                }
            }

            #[inline(never)]
            fn atomics(&mut self) {
                match self.reader.u32() {
                    $($code4 => self.$shape4($($arg4),*),)*
                    other => unreachable!("operator 0xfe {other:#x} passed the survey"),
                }
            }
        }

        impl<I: Isa> FuncGen<'_, I> {
            #[inline(never)]
            fn prefixed_objects(&mut self) {
                match self.reader.u32() {
                    $($code1 => self.$shape1($($arg1),*),)*
                    other => unreachable!("operator 0xfb {other:#x} passed the survey"),
                }
            }
        }

        /// Names of all operators with their opcodes, those behind a prefix with that before them.
        #[cfg(test)]
        pub(crate) const NAMES: &[(u32, &str)] = &[
            $(($code, stringify!($name)),)*
            $((0xfb00 + $code1, stringify!($name1)),)*
            $((0xfc00 + $code2, stringify!($name2)),)*
            $((0xfe00 + $code4, stringify!($name4)),)*
        ];
    };
}

#[rustfmt::skip]
ops! {
one byte {
    0x00 unreachable            => unreachable_();
    0x01 nop                    => nop();
    0x02 block                  => block();
    0x03 loop_                  => loop_();
    0x04 if_                    => if_();
    0x05 else_                  => else_();
    0x08 throw                  => throw();
    0x0a throw_ref              => throw_ref();
    0x0b end                    => end();
    0x0c br                     => br();
    0x0d br_if                  => br_if();
    0x0e br_table               => br_table();
    0x0f return_                => return_();
    0x10 call                   => call();
    0x11 call_indirect          => call_indirect();
    0x12 return_call            => return_call();
    0x13 return_call_indirect   => return_call_indirect();
    0x14 call_ref               => call_ref();
    0x15 return_call_ref        => return_call_ref();
    0x1a drop                   => drop_();
    0x1b select                 => select();
    0x1c typed_select           => typed_select();
    0x1f try_table              => try_table();
    0x20 local_get              => local_get();
    0x21 local_set              => local_set();
    0x22 local_tee              => local_tee();
    0x23 global_get             => global_get();
    0x24 global_set             => global_set();
    0x25 table_get              => table_get();
    0x26 table_set              => table_set();
    0x28 i32_load               => load(Load::I32);
    0x29 i64_load               => load(Load::I64);
    0x2a f32_load               => load(Load::F32);
    0x2b f64_load               => load(Load::F64);
    0x2c i32_load8_s            => load(Load::I32S8);
    0x2d i32_load8_u            => load(Load::I32U8);
    0x2e i32_load16_s           => load(Load::I32S16);
    0x2f i32_load16_u           => load(Load::I32U16);
    0x30 i64_load8_s            => load(Load::I64S8);
    0x31 i64_load8_u            => load(Load::I64U8);
    0x32 i64_load16_s           => load(Load::I64S16);
    0x33 i64_load16_u           => load(Load::I64U16);
    0x34 i64_load32_s           => load(Load::I64S32);
    0x35 i64_load32_u           => load(Load::I64U32);
    0x36 i32_store              => store(Store::B32);
    0x37 i64_store              => store(Store::B64);
    0x38 f32_store              => store(Store::F32);
    0x39 f64_store              => store(Store::F64);
    0x3a i32_store8             => store(Store::B8);
    0x3b i32_store16            => store(Store::B16);
    0x3c i64_store8             => store(Store::B8);
    0x3d i64_store16            => store(Store::B16);
    0x3e i64_store32            => store(Store::B32);
    0x3f memory_size            => memory_size();
    0x40 memory_grow            => memory_grow();
    0x41 i32_const              => i32_const();
    0x42 i64_const              => i64_const();
    0x43 f32_const              => f32_const();
    0x44 f64_const              => f64_const();
    0x45 i32_eqz                => eqz(W32);
    0x46 i32_eq                 => compare(W32, Cond::Eq);
    0x47 i32_ne                 => compare(W32, Cond::Ne);
    0x48 i32_lt_s               => compare(W32, Cond::LtS);
    0x49 i32_lt_u               => compare(W32, Cond::LtU);
    0x4a i32_gt_s               => compare(W32, Cond::GtS);
    0x4b i32_gt_u               => compare(W32, Cond::GtU);
    0x4c i32_le_s               => compare(W32, Cond::LeS);
    0x4d i32_le_u               => compare(W32, Cond::LeU);
    0x4e i32_ge_s               => compare(W32, Cond::GeS);
    0x4f i32_ge_u               => compare(W32, Cond::GeU);
    0x50 i64_eqz                => eqz(W64);
    0x51 i64_eq                 => compare(W64, Cond::Eq);
    0x52 i64_ne                 => compare(W64, Cond::Ne);
    0x53 i64_lt_s               => compare(W64, Cond::LtS);
    0x54 i64_lt_u               => compare(W64, Cond::LtU);
    0x55 i64_gt_s               => compare(W64, Cond::GtS);
    0x56 i64_gt_u               => compare(W64, Cond::GtU);
    0x57 i64_le_s               => compare(W64, Cond::LeS);
    0x58 i64_le_u               => compare(W64, Cond::LeU);
    0x59 i64_ge_s               => compare(W64, Cond::GeS);
    0x5a i64_ge_u               => compare(W64, Cond::GeU);
    0x5b f32_eq                 => float_compare(W32, FloatCmp::Eq);
    0x5c f32_ne                 => float_compare(W32, FloatCmp::Ne);
    0x5d f32_lt                 => float_compare(W32, FloatCmp::Lt);
    0x5e f32_gt                 => float_compare(W32, FloatCmp::Gt);
    0x5f f32_le                 => float_compare(W32, FloatCmp::Le);
    0x60 f32_ge                 => float_compare(W32, FloatCmp::Ge);
    0x61 f64_eq                 => float_compare(W64, FloatCmp::Eq);
    0x62 f64_ne                 => float_compare(W64, FloatCmp::Ne);
    0x63 f64_lt                 => float_compare(W64, FloatCmp::Lt);
    0x64 f64_gt                 => float_compare(W64, FloatCmp::Gt);
    0x65 f64_le                 => float_compare(W64, FloatCmp::Le);
    0x66 f64_ge                 => float_compare(W64, FloatCmp::Ge);
    0x67 i32_clz                => int_unary(W32, IntUnary::Clz);
    0x68 i32_ctz                => int_unary(W32, IntUnary::Ctz);
    0x69 i32_popcnt             => int_unary(W32, IntUnary::Popcnt);
    0x6a i32_add                => alu(W32, Alu::Add);
    0x6b i32_sub                => alu(W32, Alu::Sub);
    0x6c i32_mul                => mul(W32);
    0x6d i32_div_s              => div(W32, Div::DivS);
    0x6e i32_div_u              => div(W32, Div::DivU);
    0x6f i32_rem_s              => div(W32, Div::RemS);
    0x70 i32_rem_u              => div(W32, Div::RemU);
    0x71 i32_and                => alu(W32, Alu::And);
    0x72 i32_or                 => alu(W32, Alu::Or);
    0x73 i32_xor                => alu(W32, Alu::Xor);
    0x74 i32_shl                => shift(W32, Shift::Shl);
    0x75 i32_shr_s              => shift(W32, Shift::ShrS);
    0x76 i32_shr_u              => shift(W32, Shift::ShrU);
    0x77 i32_rotl               => shift(W32, Shift::Rotl);
    0x78 i32_rotr               => shift(W32, Shift::Rotr);
    0x79 i64_clz                => int_unary(W64, IntUnary::Clz);
    0x7a i64_ctz                => int_unary(W64, IntUnary::Ctz);
    0x7b i64_popcnt             => int_unary(W64, IntUnary::Popcnt);
    0x7c i64_add                => alu(W64, Alu::Add);
    0x7d i64_sub                => alu(W64, Alu::Sub);
    0x7e i64_mul                => mul(W64);
    0x7f i64_div_s              => div(W64, Div::DivS);
    0x80 i64_div_u              => div(W64, Div::DivU);
    0x81 i64_rem_s              => div(W64, Div::RemS);
    0x82 i64_rem_u              => div(W64, Div::RemU);
    0x83 i64_and                => alu(W64, Alu::And);
    0x84 i64_or                 => alu(W64, Alu::Or);
    0x85 i64_xor                => alu(W64, Alu::Xor);
    0x86 i64_shl                => shift(W64, Shift::Shl);
    0x87 i64_shr_s              => shift(W64, Shift::ShrS);
    0x88 i64_shr_u              => shift(W64, Shift::ShrU);
    0x89 i64_rotl               => shift(W64, Shift::Rotl);
    0x8a i64_rotr               => shift(W64, Shift::Rotr);
    0x8b f32_abs                => float_unary(W32, FloatUnary::Abs);
    0x8c f32_neg                => float_unary(W32, FloatUnary::Neg);
    0x8d f32_ceil               => float_unary(W32, FloatUnary::Ceil);
    0x8e f32_floor              => float_unary(W32, FloatUnary::Floor);
    0x8f f32_trunc              => float_unary(W32, FloatUnary::Trunc);
    0x90 f32_nearest            => float_unary(W32, FloatUnary::Nearest);
    0x91 f32_sqrt               => float_unary(W32, FloatUnary::Sqrt);
    0x92 f32_add                => float_alu(W32, FloatAlu::Add);
    0x93 f32_sub                => float_alu(W32, FloatAlu::Sub);
    0x94 f32_mul                => float_alu(W32, FloatAlu::Mul);
    0x95 f32_div                => float_alu(W32, FloatAlu::Div);
    0x96 f32_min                => float_minmax(W32, false);
    0x97 f32_max                => float_minmax(W32, true);
    0x98 f32_copysign           => copysign(W32);
    0x99 f64_abs                => float_unary(W64, FloatUnary::Abs);
    0x9a f64_neg                => float_unary(W64, FloatUnary::Neg);
    0x9b f64_ceil               => float_unary(W64, FloatUnary::Ceil);
    0x9c f64_floor              => float_unary(W64, FloatUnary::Floor);
    0x9d f64_trunc              => float_unary(W64, FloatUnary::Trunc);
    0x9e f64_nearest            => float_unary(W64, FloatUnary::Nearest);
    0x9f f64_sqrt               => float_unary(W64, FloatUnary::Sqrt);
    0xa0 f64_add                => float_alu(W64, FloatAlu::Add);
    0xa1 f64_sub                => float_alu(W64, FloatAlu::Sub);
    0xa2 f64_mul                => float_alu(W64, FloatAlu::Mul);
    0xa3 f64_div                => float_alu(W64, FloatAlu::Div);
    0xa4 f64_min                => float_minmax(W64, false);
    0xa5 f64_max                => float_minmax(W64, true);
    0xa6 f64_copysign           => copysign(W64);
    0xa7 i32_wrap_i64           => wrap();
    0xa8 i32_trunc_f32_s        => trunc(W32, W32, true);
    0xa9 i32_trunc_f32_u        => trunc(W32, W32, false);
    0xaa i32_trunc_f64_s        => trunc(W64, W32, true);
    0xab i32_trunc_f64_u        => trunc(W64, W32, false);
    0xac i64_extend_i32_s       => extend(Extend::S32To64);
    0xad i64_extend_i32_u       => extend_u32();
    0xae i64_trunc_f32_s        => trunc(W32, W64, true);
    0xaf i64_trunc_f32_u        => trunc(W32, W64, false);
    0xb0 i64_trunc_f64_s        => trunc(W64, W64, true);
    0xb1 i64_trunc_f64_u        => trunc(W64, W64, false);
    0xb2 f32_convert_i32_s      => convert(Convert::F32FromI32S, F32);
    0xb3 f32_convert_i32_u      => convert(Convert::F32FromI32U, F32);
    0xb4 f32_convert_i64_s      => convert(Convert::F32FromI64S, F32);
    0xb5 f32_convert_i64_u      => convert(Convert::F32FromI64U, F32);
    0xb6 f32_demote_f64         => convert(Convert::F32FromF64, F32);
    0xb7 f64_convert_i32_s      => convert(Convert::F64FromI32S, F64);
    0xb8 f64_convert_i32_u      => convert(Convert::F64FromI32U, F64);
    0xb9 f64_convert_i64_s      => convert(Convert::F64FromI64S, F64);
    0xba f64_convert_i64_u      => convert(Convert::F64FromI64U, F64);
    0xbb f64_promote_f32        => convert(Convert::F64FromF32, F64);
    0xbc i32_reinterpret_f32    => reinterpret(I32);
    0xbd i64_reinterpret_f64    => reinterpret(I64);
    0xbe f32_reinterpret_i32    => reinterpret(F32);
    0xbf f64_reinterpret_i64    => reinterpret(F64);
    0xc0 i32_extend8_s          => extend(Extend::S8To32);
    0xc1 i32_extend16_s         => extend(Extend::S16To32);
    0xc2 i64_extend8_s          => extend(Extend::S8To64);
    0xc3 i64_extend16_s         => extend(Extend::S16To64);
    0xc4 i64_extend32_s         => extend(Extend::S32To64);
    0xd0 ref_null               => ref_null();
    0xd1 ref_is_null            => ref_is_null();
    0xd2 ref_func               => ref_func();
    0xd3 ref_eq                 => compare(W32, Cond::Eq);
    0xd4 ref_as_non_null        => ref_as_non_null();
    0xd5 br_on_null             => br_on_null();
    0xd6 br_on_non_null         => br_on_non_null();
    0xe0 cont_new               => cont_new();
    0xe1 cont_bind              => cont_bind();
    0xe2 suspend                => suspend();
    0xe3 resume                 => resume();
    0xe4 resume_throw           => resume_throw();
    0xe5 resume_throw_ref       => resume_throw_ref();
    0xe6 switch                 => switch();
}
prefix 0xfb {
    0 struct_new                => struct_new();
    1 struct_new_default        => struct_new_default();
    2 struct_get                => struct_get(false);
    3 struct_get_s              => struct_get(true);
    4 struct_get_u              => struct_get(false);
    5 struct_set                => struct_set();
    6 array_new                 => array_new();
    7 array_new_default         => array_new_default();
    8 array_new_fixed           => array_new_fixed();
    9 array_new_data            => array_new_data();
    10 array_new_elem           => array_new_elem();
    11 array_get                => array_get(false);
    12 array_get_s              => array_get(true);
    13 array_get_u              => array_get(false);
    14 array_set                => array_set();
    15 array_len                => array_len();
    16 array_fill               => array_fill();
    17 array_copy               => array_copy();
    18 array_init_data          => array_init_data();
    19 array_init_elem          => array_init_elem();
    20 ref_test_non_null        => ref_test(false);
    21 ref_test_nullable        => ref_test(true);
    22 ref_cast_non_null        => ref_cast(false);
    23 ref_cast_nullable        => ref_cast(true);
    24 br_on_cast               => br_on_cast(false);
    25 br_on_cast_fail          => br_on_cast(true);
    26 any_convert_extern       => nop();
    27 extern_convert_any       => nop();
    28 ref_i31                  => ref_i31();
    29 i31_get_s                => i31_get(true);
    30 i31_get_u                => i31_get(false);
}
prefix 0xfc {
    0 i32_trunc_sat_f32_s       => trunc_sat(W32, W32, true);
    1 i32_trunc_sat_f32_u       => trunc_sat(W32, W32, false);
    2 i32_trunc_sat_f64_s       => trunc_sat(W64, W32, true);
    3 i32_trunc_sat_f64_u       => trunc_sat(W64, W32, false);
    4 i64_trunc_sat_f32_s       => trunc_sat(W32, W64, true);
    5 i64_trunc_sat_f32_u       => trunc_sat(W32, W64, false);
    6 i64_trunc_sat_f64_s       => trunc_sat(W64, W64, true);
    7 i64_trunc_sat_f64_u       => trunc_sat(W64, W64, false);
    8 memory_init               => memory_init();
    9 data_drop                 => data_drop();
    10 memory_copy              => memory_copy();
    11 memory_fill              => memory_fill();
    12 table_init               => table_init();
    13 elem_drop                => elem_drop();
    14 table_copy               => table_copy();
    15 table_grow               => table_grow();
    16 table_size               => table_size();
    17 table_fill               => table_fill();
    19 i64_add128               => add_wide(false);
    20 i64_sub128               => add_wide(true);
    21 i64_mul_wide_s           => mul_wide(true);
    22 i64_mul_wide_u           => mul_wide(false);
}
prefix 0xfe {
    0x00 memory_atomic_notify       => atomic_notify();
    0x01 memory_atomic_wait32       => atomic_wait(Libcall::AtomicWait32);
    0x02 memory_atomic_wait64       => atomic_wait(Libcall::AtomicWait64);
    0x03 atomic_fence               => atomic_fence();
    0x10 i32_atomic_load            => atomic_load(Load::I32);
    0x11 i64_atomic_load            => atomic_load(Load::I64);
    0x12 i32_atomic_load8_u         => atomic_load(Load::I32U8);
    0x13 i32_atomic_load16_u        => atomic_load(Load::I32U16);
    0x14 i64_atomic_load8_u         => atomic_load(Load::I64U8);
    0x15 i64_atomic_load16_u        => atomic_load(Load::I64U16);
    0x16 i64_atomic_load32_u        => atomic_load(Load::I64U32);
    0x17 i32_atomic_store           => atomic_store(Store::B32);
    0x18 i64_atomic_store           => atomic_store(Store::B64);
    0x19 i32_atomic_store8          => atomic_store(Store::B8);
    0x1a i32_atomic_store16         => atomic_store(Store::B16);
    0x1b i64_atomic_store8          => atomic_store(Store::B8);
    0x1c i64_atomic_store16         => atomic_store(Store::B16);
    0x1d i64_atomic_store32         => atomic_store(Store::B32);
    0x1e i32_atomic_rmw_add         => atomic_rmw(Rmw::Add, Load::I32);
    0x1f i64_atomic_rmw_add         => atomic_rmw(Rmw::Add, Load::I64);
    0x20 i32_atomic_rmw8_add_u      => atomic_rmw(Rmw::Add, Load::I32U8);
    0x21 i32_atomic_rmw16_add_u     => atomic_rmw(Rmw::Add, Load::I32U16);
    0x22 i64_atomic_rmw8_add_u      => atomic_rmw(Rmw::Add, Load::I64U8);
    0x23 i64_atomic_rmw16_add_u     => atomic_rmw(Rmw::Add, Load::I64U16);
    0x24 i64_atomic_rmw32_add_u     => atomic_rmw(Rmw::Add, Load::I64U32);
    0x25 i32_atomic_rmw_sub         => atomic_rmw(Rmw::Sub, Load::I32);
    0x26 i64_atomic_rmw_sub         => atomic_rmw(Rmw::Sub, Load::I64);
    0x27 i32_atomic_rmw8_sub_u      => atomic_rmw(Rmw::Sub, Load::I32U8);
    0x28 i32_atomic_rmw16_sub_u     => atomic_rmw(Rmw::Sub, Load::I32U16);
    0x29 i64_atomic_rmw8_sub_u      => atomic_rmw(Rmw::Sub, Load::I64U8);
    0x2a i64_atomic_rmw16_sub_u     => atomic_rmw(Rmw::Sub, Load::I64U16);
    0x2b i64_atomic_rmw32_sub_u     => atomic_rmw(Rmw::Sub, Load::I64U32);
    0x2c i32_atomic_rmw_and         => atomic_rmw(Rmw::And, Load::I32);
    0x2d i64_atomic_rmw_and         => atomic_rmw(Rmw::And, Load::I64);
    0x2e i32_atomic_rmw8_and_u      => atomic_rmw(Rmw::And, Load::I32U8);
    0x2f i32_atomic_rmw16_and_u     => atomic_rmw(Rmw::And, Load::I32U16);
    0x30 i64_atomic_rmw8_and_u      => atomic_rmw(Rmw::And, Load::I64U8);
    0x31 i64_atomic_rmw16_and_u     => atomic_rmw(Rmw::And, Load::I64U16);
    0x32 i64_atomic_rmw32_and_u     => atomic_rmw(Rmw::And, Load::I64U32);
    0x33 i32_atomic_rmw_or          => atomic_rmw(Rmw::Or, Load::I32);
    0x34 i64_atomic_rmw_or          => atomic_rmw(Rmw::Or, Load::I64);
    0x35 i32_atomic_rmw8_or_u       => atomic_rmw(Rmw::Or, Load::I32U8);
    0x36 i32_atomic_rmw16_or_u      => atomic_rmw(Rmw::Or, Load::I32U16);
    0x37 i64_atomic_rmw8_or_u       => atomic_rmw(Rmw::Or, Load::I64U8);
    0x38 i64_atomic_rmw16_or_u      => atomic_rmw(Rmw::Or, Load::I64U16);
    0x39 i64_atomic_rmw32_or_u      => atomic_rmw(Rmw::Or, Load::I64U32);
    0x3a i32_atomic_rmw_xor         => atomic_rmw(Rmw::Xor, Load::I32);
    0x3b i64_atomic_rmw_xor         => atomic_rmw(Rmw::Xor, Load::I64);
    0x3c i32_atomic_rmw8_xor_u      => atomic_rmw(Rmw::Xor, Load::I32U8);
    0x3d i32_atomic_rmw16_xor_u     => atomic_rmw(Rmw::Xor, Load::I32U16);
    0x3e i64_atomic_rmw8_xor_u      => atomic_rmw(Rmw::Xor, Load::I64U8);
    0x3f i64_atomic_rmw16_xor_u     => atomic_rmw(Rmw::Xor, Load::I64U16);
    0x40 i64_atomic_rmw32_xor_u     => atomic_rmw(Rmw::Xor, Load::I64U32);
    0x41 i32_atomic_rmw_xchg        => atomic_rmw(Rmw::Xchg, Load::I32);
    0x42 i64_atomic_rmw_xchg        => atomic_rmw(Rmw::Xchg, Load::I64);
    0x43 i32_atomic_rmw8_xchg_u     => atomic_rmw(Rmw::Xchg, Load::I32U8);
    0x44 i32_atomic_rmw16_xchg_u    => atomic_rmw(Rmw::Xchg, Load::I32U16);
    0x45 i64_atomic_rmw8_xchg_u     => atomic_rmw(Rmw::Xchg, Load::I64U8);
    0x46 i64_atomic_rmw16_xchg_u    => atomic_rmw(Rmw::Xchg, Load::I64U16);
    0x47 i64_atomic_rmw32_xchg_u    => atomic_rmw(Rmw::Xchg, Load::I64U32);
    0x48 i32_atomic_rmw_cmpxchg     => atomic_cmpxchg(Load::I32);
    0x49 i64_atomic_rmw_cmpxchg     => atomic_cmpxchg(Load::I64);
    0x4a i32_atomic_rmw8_cmpxchg_u  => atomic_cmpxchg(Load::I32U8);
    0x4b i32_atomic_rmw16_cmpxchg_u => atomic_cmpxchg(Load::I32U16);
    0x4c i64_atomic_rmw8_cmpxchg_u  => atomic_cmpxchg(Load::I64U8);
    0x4d i64_atomic_rmw16_cmpxchg_u => atomic_cmpxchg(Load::I64U16);
    0x4e i64_atomic_rmw32_cmpxchg_u => atomic_cmpxchg(Load::I64U32);
}
}

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
        self.push_const(ty, crate::simd::zero_bits(ty));
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

    /// Reads the immediates of an operator that is not compiled, blocks excepted.
    pub(crate) fn skip_immediates(&mut self, opcode: u8) {
        match opcode {
            0x08
            | 0x0c
            | 0x0d
            | 0x10
            | 0x12
            | 0x14
            | 0x15
            | 0x20..=0x26
            | 0x3f
            | 0x40
            | 0xd2
            | 0xd5
            | 0xd6
            | 0xe0
            | 0xe2 => {
                self.reader.u32();
            }
            0x11 | 0x13 | 0xe1 | 0xe6 => {
                self.reader.u32();
                self.reader.u32();
            }
            0xe3..=0xe5 => self.skip_resume(opcode),
            0x0e => {
                for _ in 0..=self.reader.u32() {
                    self.reader.u32();
                }
            }
            0x1c => {
                for _ in 0..self.reader.u32() {
                    self.value_type();
                }
            }
            0x28..=0x3e => {
                self.reader.memarg();
            }
            0x41 | 0x42 | 0xd0 => {
                self.reader.i64();
            }
            0x43 => {
                self.reader.bits32();
            }
            0x44 => {
                self.reader.bits64();
            }
            0xfb => match self.reader.u32() {
                2..=5 | 8..=10 | 17..=19 => {
                    self.reader.u32();
                    self.reader.u32();
                }
                0 | 1 | 6 | 7 | 11..=14 | 16 => {
                    self.reader.u32();
                }
                20..=23 => {
                    self.reader.i64();
                }
                24 | 25 => {
                    self.reader.u8();
                    self.reader.u32();
                    self.reader.i64();
                    self.reader.i64();
                }
                _ => {}
            },
            0xfc => match self.reader.u32() {
                8 | 10 | 12 | 14 => {
                    self.reader.u32();
                    self.reader.u32();
                }
                9 | 11 | 13 | 15..=17 => {
                    self.reader.u32();
                }
                _ => {}
            },
            0xfd => self.skip_vector_immediates(),
            0xfe => match self.reader.u32() {
                3 => {
                    self.reader.u8();
                }
                _ => {
                    self.reader.memarg();
                }
            },
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::NAMES;

    /// Every operator of the supported proposals has its line, under its own opcode. The names are wasmparser's but for
    /// those that are words of Rust.
    #[test]
    fn the_table_is_complete() {
        let mut missing = vec![];
        let simd = crate::simd::NAMES;
        macro_rules! collect {
            ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
                $( if matches!(
                    stringify!($proposal),
                    "mvp" | "sign_extension" | "saturating_float_to_int" | "bulk_memory" | "reference_types" | "tail_call"
                        | "wide_arithmetic" | "function_references" | "gc" | "exceptions" | "threads" | "simd"
                        | "relaxed_simd" | "stack_switching"
                ) {
                    let name = stringify!($visit).trim_start_matches("visit_");
                    let known = NAMES.iter().chain(simd).any(|(_, n)| n.trim_end_matches('_') == name);
                    // More than one type is not valid.
                    if !known && name != "typed_select_multi" { missing.push(name); }
                } )*
            };
        }
        wasmparser::for_each_visit_operator!(collect);
        wasmparser::for_each_visit_simd_operator!(collect);
        assert!(missing.is_empty(), "no line for {missing:?}");
    }
}
