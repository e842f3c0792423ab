//! What exactly is emitted, for a register combination of each kind.

use super::*;
use iced_x86::{FlowControl, Mnemonic, Register};

/// The text of what `emit` emits for a processor, one instruction after the other.
fn text(cpu: CpuFeatures, emit: impl FnOnce(&mut X64)) -> String {
    let mut a = X64::new(cpu);
    emit(&mut a);
    let lines: Vec<String> = decode(a.code()).iter().map(ToString::to_string).collect();
    lines.join("; ")
}

macro_rules! sequences {
    ($($test:ident on $cpu:ident { $($emit:expr => $text:literal,)* })*) => {
        $(#[test]
        fn $test() {
            $({
                let emit: fn(&mut X64) = $emit;
                assert_eq!(text($cpu, emit), $text, "{}", stringify!($emit));
            })*
        })*
    };
}

use super::super::Width::{W32, W64};

#[rustfmt::skip]
sequences! {
    arithmetic on NONE {
        |a| _ = X64::alu(a, Alu::Add, W32, RAX, RAX, Src::Reg(RCX))             => "add eax,ecx",
        |a| _ = X64::alu(a, Alu::Add, W32, RAX, RCX, Src::Reg(RAX))             => "add eax,ecx",
        |a| _ = X64::alu(a, Alu::Add, W64, RAX, RCX, Src::Reg(RDX))             => "lea rax,[rcx+rdx]",
        |a| _ = X64::alu(a, Alu::Add, W64, RAX, R13, Src::Reg(RDX))             => "lea rax,[rdx+r13]",
        |a| _ = X64::alu(a, Alu::Add, W32, RAX, RCX, Src::Imm(1))               => "lea eax,[rcx+1]",
        |a| _ = X64::alu(a, Alu::Add, W64, RAX, RAX, Src::Imm(128))             => "sub rax,0FFFFFFFFFFFFFF80h",
        |a| _ = X64::alu(a, Alu::Add, W32, RAX, RCX, Src::Mem(Addr::base(RBP, -8))) => "mov eax,ecx; add eax,[rbp-8]",
        |a| _ = X64::alu(a, Alu::Sub, W32, RAX, RCX, Src::Imm(1))               => "lea eax,[rcx-1]",
        |a| _ = X64::alu(a, Alu::Sub, W32, RAX, RAX, Src::Imm(1))               => "sub eax,1",
        |a| _ = X64::alu(a, Alu::Sub, W64, RAX, RCX, Src::imm(i32::MIN))        => "mov rax,rcx; sub rax,0FFFFFFFF80000000h",
        |a| _ = X64::alu(a, Alu::Sub, W64, RAX, RCX, Src::Reg(RDX))             => "mov rax,rcx; sub rax,rdx",
        |a| _ = X64::alu(a, Alu::And, W64, RAX, RCX, Src::Imm(255))             => "movzx eax,cl",
        |a| _ = X64::alu(a, Alu::And, W32, RSI, RSI, Src::Imm(0xffff))          => "movzx esi,si",
        |a| _ = X64::alu(a, Alu::And, W64, RAX, RAX, Src::Imm(0x7fff_ffff))     => "and eax,7FFFFFFFh",
        |a| _ = X64::alu(a, Alu::And, W64, RAX, RAX, Src::Imm(-8))              => "and rax,0FFFFFFFFFFFFFFF8h",
        |a| _ = X64::alu(a, Alu::Xor, W32, RAX, RCX, Src::Imm(-1))              => "mov eax,ecx; not eax",
        |a| _ = X64::alu_mem(a, Alu::Add, W32, Addr::base(RBP, -8), Src::Imm(1)) => "add dword ptr [rbp-8],1",
        |a| _ = X64::alu_mem(a, Alu::Sub, W64, Addr::base(R15, 64), Src::Reg(RAX)) => "sub [r15+40h],rax",
        |a| _ = X64::mul(a, W32, RAX, RCX, Src::Imm(9))                         => "lea eax,[rcx+rcx*8]",
        |a| _ = X64::mul(a, W64, RAX, RCX, Src::Imm(16))                        => "mov rax,rcx; shl rax,4",
        |a| _ = X64::mul(a, W64, RAX, RCX, Src::Imm(100))                       => "imul rax,rcx,64h",
        |a| _ = X64::mul(a, W64, RAX, RCX, Src::Imm(-1000))                     => "imul rax,rcx,0FFFFFFFFFFFFFC18h",
        |a| _ = X64::mul(a, W32, RAX, RCX, Src::Reg(RAX))                       => "imul eax,ecx",
        |a| _ = X64::div(a, Div::DivS, W32, RAX, RAX, RCX, true)                => "cdq; idiv ecx",
        |a| _ = X64::div(a, Div::RemU, W64, RDX, RAX, R8, false)                => "xor edx,edx; div r8",
    }
    shifts on NONE {
        |a| X64::shift(a, Shift::Shl, W32, RAX, RDX, Amount::Imm(1))            => "lea eax,[rdx+rdx]",
        |a| X64::shift(a, Shift::Shl, W32, RAX, RAX, Amount::Imm(1))            => "shl eax,1",
        |a| X64::shift(a, Shift::ShrU, W64, RAX, RDX, Amount::Imm(9))           => "mov rax,rdx; shr rax,9",
        |a| X64::shift(a, Shift::ShrS, W32, RAX, RDX, Amount::Reg(RCX))         => "mov eax,edx; sar eax,cl",
    }
    shifts_bmi on ALL {
        |a| X64::shift(a, Shift::ShrS, W32, RAX, RDX, Amount::Reg(RBX))         => "sarx eax,edx,ebx",
        |a| X64::shift(a, Shift::Shl, W64, RAX, RDX, Amount::Reg(RBX))          => "shlx rax,rdx,rbx",
        |a| X64::shift(a, Shift::Rotl, W32, RAX, RDX, Amount::Imm(5))           => "rorx eax,edx,1Bh",
        |a| X64::shift(a, Shift::Rotl, W64, RAX, RAX, Amount::Imm(5))           => "rol rax,5",
        |a| X64::shift(a, Shift::Rotr, W64, RAX, RAX, Amount::Reg(RCX))         => "ror rax,cl",
    }
    bit_counts on NONE {
        |a| X64::unary(a, IntUnary::Popcnt, W64, RAX, RAX)                      => "popcnt rax,rax",
        |a| X64::unary(a, IntUnary::Clz, W32, RAX, RCX)                         => "bsr eax,ecx; mov r11d,3Fh; cmove eax,r11d; xor eax,1Fh",
        |a| X64::unary(a, IntUnary::Clz, W64, RAX, RCX)                         => "bsr rax,rcx; mov r11d,7Fh; cmove eax,r11d; xor eax,3Fh",
        |a| X64::unary(a, IntUnary::Ctz, W64, RAX, RCX)                         => "bsf rax,rcx; mov r11d,40h; cmove eax,r11d",
    }
    bit_counts_bmi on ALL {
        |a| X64::unary(a, IntUnary::Clz, W32, RAX, RCX)                         => "xor eax,eax; lzcnt eax,ecx",
        |a| X64::unary(a, IntUnary::Ctz, W64, RAX, RAX)                         => "tzcnt rax,rax",
    }
    constants on NONE {
        |a| X64::iconst(a, W64, RAX, 0, false)                                  => "xor eax,eax",
        |a| X64::iconst(a, W64, RAX, 0, true)                                   => "mov eax,0",
        |a| X64::iconst(a, W64, RAX, -1, false)                                 => "mov rax,0FFFFFFFFFFFFFFFFh",
        |a| X64::iconst(a, W32, RAX, -1, false)                                 => "mov eax,0FFFFFFFFh",
        |a| X64::fconst(a, W64, XMM0, 0)                                        => "xorps xmm0,xmm0",
        |a| X64::fconst(a, W64, XMM0, 1 << 63)                                  => "pcmpeqd xmm0,xmm0; psllq xmm0,3Fh",
        |a| X64::fconst(a, W32, XMM0, 0x3f80_0000)                              => "mov r11d,3F800000h; movd xmm0,r11d",
        |a| X64::fconst(a, W64, XMM15, 0x3ff0_0000_0000_0000)                   => "mov r11,3FF0000000000000h; movq xmm15,r11",
    }
    compares on NONE {
        |a| _ = X64::cmp(a, W32, RAX, Src::Imm(0))                              => "test eax,eax",
        |a| _ = X64::cmp(a, W64, RAX, Src::Imm(7))                              => "cmp rax,7",
        |a| _ = X64::cmp_mem(a, W64, Addr::base(R15, 8), Src::Reg(RSP))         => "cmp [r15+8],rsp",
        |a| _ = X64::test(a, W64, RSI, Src::Imm(1))                             => "test sil,1",
        |a| _ = X64::test(a, W64, RSI, Src::Imm(128))                           => "test esi,80h",
        |a| _ = X64::test(a, W64, RSI, Src::Imm(-4))                            => "test rsi,0FFFFFFFFFFFFFFFCh",
        |a| X64::set(a, Cond::LtS, RAX)                                         => "setl al; movzx eax,al",
        |a| X64::set(a, Cond::FloatEq, RAX)                                     => "setnp r11b; sete al; and eax,r11d; movzx eax,al",
        |a| X64::set(a, Cond::FloatNe, RAX)                                     => "setp r11b; setne al; or eax,r11d; movzx eax,al",
        |a| X64::select(a, Cond::GtU, Ty::I64, RAX, RCX)                        => "cmova rax,rcx",
        |a| X64::select(a, Cond::Eq, Ty::GcRef, RAX, RCX)                       => "cmove eax,ecx",
        |a| assert_eq!(X64::fcmp(a, FloatCmp::Lt, W64, XMM0, XMM1), Cond::GtU)  => "ucomisd xmm1,xmm0",
        |a| assert_eq!(X64::fcmp(a, FloatCmp::Le, W32, XMM0, XMM1), Cond::GeU)  => "ucomiss xmm1,xmm0",
        |a| assert_eq!(X64::fcmp(a, FloatCmp::Gt, W32, XMM0, XMM1), Cond::GtU)  => "ucomiss xmm0,xmm1",
        |a| assert_eq!(X64::fcmp(a, FloatCmp::Ge, W32, XMM0, XMM1), Cond::GeU)  => "ucomiss xmm0,xmm1",
        |a| assert_eq!(X64::fcmp(a, FloatCmp::Eq, W32, XMM0, XMM1), Cond::FloatEq) => "ucomiss xmm0,xmm1",
        |a| assert_eq!(X64::fcmp(a, FloatCmp::Ne, W64, XMM0, XMM1), Cond::FloatNe) => "ucomisd xmm0,xmm1",
    }
    floats_sse on NONE {
        |a| _ = X64::falu(a, FloatAlu::Sub, W32, XMM0, XMM1, FloatSrc::Reg(XMM2)) => "movaps xmm0,xmm1; subss xmm0,xmm2",
        |a| _ = X64::falu(a, FloatAlu::Add, W64, XMM0, XMM1, FloatSrc::Reg(XMM0)) => "addsd xmm0,xmm1",
        |a| _ = X64::falu(a, FloatAlu::Div, W64, XMM0, XMM0, FloatSrc::Mem(Addr::base(R14, 0))) => "divsd xmm0,qword ptr [r14]",
        |a| X64::funary(a, FloatUnary::Abs, W32, XMM0, XMM1)                    => "pcmpeqd xmm0,xmm0; psrld xmm0,1; andps xmm0,xmm1",
        |a| X64::funary(a, FloatUnary::Abs, W64, XMM0, XMM0)                    => "pcmpeqd xmm15,xmm15; psrlq xmm15,1; andps xmm0,xmm15",
        |a| X64::funary(a, FloatUnary::Neg, W64, XMM0, XMM1)                    => "pcmpeqd xmm0,xmm0; psllq xmm0,3Fh; xorps xmm0,xmm1",
        |a| X64::funary(a, FloatUnary::Sqrt, W64, XMM0, XMM1)                   => "xorps xmm0,xmm0; sqrtsd xmm0,xmm1",
        |a| X64::funary(a, FloatUnary::Ceil, W32, XMM0, XMM0)                   => "roundss xmm0,xmm0,0Ah",
        |a| X64::funary(a, FloatUnary::Floor, W64, XMM0, XMM0)                  => "roundsd xmm0,xmm0,9",
        |a| X64::funary(a, FloatUnary::Trunc, W64, XMM0, XMM0)                  => "roundsd xmm0,xmm0,0Bh",
        |a| X64::funary(a, FloatUnary::Nearest, W64, XMM0, XMM0)                => "roundsd xmm0,xmm0,8",
        |a| X64::fminmax(a, false, W32, XMM0, XMM1, XMM2)                       => "movaps xmm0,xmm1; ucomiss xmm1,xmm2; jne short 0000000000000015h; jp short 000000000000000Fh; orps xmm0,xmm2; jmp short 0000000000000019h; addss xmm0,xmm2; jmp short 0000000000000019h; minss xmm0,xmm2",
        |a| X64::copysign(a, W64, XMM0, XMM1, XMM2)                             => "movaps xmm15,xmm1; xorps xmm15,xmm2; psrlq xmm15,3Fh; psllq xmm15,3Fh; movaps xmm0,xmm1; xorps xmm0,xmm15",
    }
    floats_vex on ALL {
        |a| _ = X64::falu(a, FloatAlu::Sub, W32, XMM0, XMM1, FloatSrc::Reg(XMM2)) => "vsubss xmm0,xmm1,xmm2",
        |a| _ = X64::falu(a, FloatAlu::Mul, W64, XMM0, XMM1, FloatSrc::Reg(XMM8)) => "vmulsd xmm0,xmm8,xmm1",
        |a| _ = X64::falu(a, FloatAlu::Sub, W64, XMM0, XMM1, FloatSrc::Reg(XMM8)) => "vsubsd xmm0,xmm1,xmm8",
        |a| X64::funary(a, FloatUnary::Sqrt, W64, XMM0, XMM1)                   => "vsqrtsd xmm0,xmm1,xmm1",
        |a| X64::funary(a, FloatUnary::Floor, W64, XMM0, XMM1)                  => "vroundsd xmm0,xmm1,xmm1,9",
        |a| X64::convert(a, Convert::F32FromF64, XMM0, XMM1, XMM2)              => "vcvtsd2ss xmm0,xmm1,xmm1",
    }
    conversions on NONE {
        |a| X64::convert(a, Convert::F64FromI32S, XMM0, RAX, RCX)               => "xorps xmm0,xmm0; cvtsi2sd xmm0,eax",
        |a| X64::convert(a, Convert::F64FromI32U, XMM0, RAX, RCX)               => "xorps xmm0,xmm0; cvtsi2sd xmm0,rax",
        |a| X64::convert(a, Convert::F64FromF32, XMM0, XMM0, XMM2)              => "cvtss2sd xmm0,xmm0",
        |a| X64::trunc_sat(a, super::super::Trunc { from: W64, to: W32, signed: false }, RAX, XMM0, XMM1) => "cvttsd2si rax,xmm0; mov r11d,eax; cmp r11,rax; je short 0000000000000022h; xorps xmm15,xmm15; xor eax,eax; ucomisd xmm0,xmm15; mov r11d,0FFFFFFFFh; cmova eax,r11d",
    }
    control on NONE {
        |a| { let at = X64::enter(a); X64::patch_frame(a, at, 0x120); }         => "push rbp; mov rbp,rsp; sub rsp,120h",
        |a| { let at = X64::enter(a); X64::patch_frame(a, at, 0); }             => "push rbp; mov rbp,rsp; nop dword ptr [rax]",
        |a| { X64::leave(a); X64::ret(a, 0); }                                  => "leave; ret",
        |a| { let l = a.label(); a.bind(l); X64::stack_check(a, Addr::base(R11, 16), l); } => "cmp rsp,[r11+10h]; jb short 0",
        |a| X64::cut_frame(a)                                                   => "mov rsp,rbp",
        |a| { X64::lift_frame(a); X64::replace_frame(a, -24); }                 => "mov r11,[rbp+8]; mov [rsp],r11; movsd xmm15,qword ptr [rbp]; lea r11,[rbp-18h]; mov rsp,r11; movq rbp,xmm15",
        |a| X64::ret(a, 48)                                                     => "ret 30h",
        |a| assert_eq!(X64::trap(a), 0)                                         => "ud2",
        |a| { X64::call_sym(a); X64::jmp_sym(a); }                              => "call 5; jmp near ptr 000000000000000Ah",
        |a| { let l = a.label(); a.bind(l); X64::jcc(a, Cond::FloatEq, l); }    => "jp short 4; je short 0",
        |a| { let l = a.label(); a.bind(l); X64::jcc(a, Cond::FloatNe, l); }    => "jne short 0; jp short 0",
    }
}

/// What goes by an address in the instance is made direct in its place: it goes where it is told, a call ends where it
/// ended, and what is ahead of it does nothing.
#[test]
fn calls_and_jumps_through_the_instance_become_direct() {
    for disp in [0, 8, 0x78, 0x80, 0x1000, -8, i32::MAX] {
        let code = Addr::base(X64::CTX, disp);
        let call = |a: &mut X64| a.call_through(code);
        let jump = |a: &mut X64| [a.jump_through(code), a.offset() - 3];
        type Emit<'a> = &'a dyn Fn(&mut X64) -> [u32; 2];
        for (emit, flow) in [(&call as Emit<'_>, FlowControl::Call), (&jump, FlowControl::UnconditionalBranch)] {
            let mut a = X64::new(NONE);
            a.ret(0);
            let [at, goes] = emit(&mut a);
            let end = a.offset() as usize;
            a.ret(0);
            let [_, load, indirect, _] = decode(a.code())[..] else { panic!("a load and what goes by it") };
            assert_eq!((load.memory_base(), load.memory_displacement64()), (Register::R15, disp as i64 as u64));
            assert_eq!((load.mnemonic(), load.op0_register()), (Mnemonic::Mov, Register::R11));
            assert_eq!((load.ip(), indirect.ip()), (at.into(), goes.into()));
            assert_eq!(indirect.op0_register(), Register::R11);
            for (place, to) in [(0x1000, 0x2000u32), (0x1000, 0x0ff0), (0, X64::REACH - 1), (X64::REACH - 16, 0)] {
                let mut direct = a.code().to_vec();
                X64::make_direct(&mut direct, at, place + at, to);
                let decoded = decode(&direct);
                let [before, idle @ .., goes, after] = &decoded[..] else { panic!("as many as before") };
                assert!(idle.iter().all(|idle| idle.mnemonic() == Mnemonic::Nop) && idle.len() == 1, "{decoded:?}");
                assert_eq!((goes.flow_control(), goes.next_ip()), (flow, end as u64));
                assert_eq!(goes.near_branch_target(), u64::from(to).wrapping_sub(place.into()));
                assert_eq!([before.mnemonic(), after.mnemonic()], [Mnemonic::Ret; 2]);
            }
        }
    }
}

/// What leaves it open how a function is entered goes by its thunk or by its private entry, whose registers it has.
#[test]
fn calls_across_enter_by_the_thunk_or_as_private_code() {
    let forms =
        [Entering::Thunk, Entering::Private(None), Entering::Private(Some(0x50)), Entering::Private(Some(0x5000))];
    for [context, code] in [[0x10, 8], [8, 0x10], [0x80, 0x78], [0x78, 0x80], [0x1000, 0x1008], [0, 8]] {
        let mut a = X64::new(NONE);
        a.ret(0);
        let [at, call] = a.call_across(Addr::base(X64::CTX, context), Addr::base(X64::CTX, code));
        let end = u64::from(a.offset());
        a.ret(0);
        let text = |code: &[u8]| decode(code).iter().map(ToString::to_string).collect::<Vec<_>>();
        let through = text(a.code());
        assert!(through[1].starts_with("mov rdi,[r15") && through[2] == "mov rsi,r15", "{through:?}");
        let [.., load, goes, _] = &through[..] else { panic!("a load and a call") };
        assert!(load.starts_with("mov r11,[r15") && goes == "call r11", "{through:?}");
        assert_eq!(decode(a.code()).iter().rev().nth(1).unwrap().ip(), call.into());
        for into in forms {
            let mut changed = a.code().to_vec();
            X64::make_across(&mut changed, at, 0x1000 + at, 0x2000, into);
            let decoded = decode(&changed);
            let idle = |i: &&iced_x86::Instruction| i.mnemonic() != Mnemonic::Nop;
            let shown: Vec<String> = decoded.iter().filter(idle).map(ToString::to_string).collect();
            let goes = &decoded[decoded.len() - 2];
            assert_eq!((goes.flow_control(), goes.next_ip()), (FlowControl::Call, end));
            assert_eq!(goes.near_branch_target(), 0x1000);
            match into {
                Entering::Thunk => assert_eq!(shown[1..3], through[1..3]),
                Entering::Private(base) => {
                    assert_eq!(shown[1], through[1].replace("rdi", "r15"));
                    let [_, memory @ .., _, _] = &decoded[1..] else { panic!("more than that") };
                    let loads = memory.iter().filter(idle).map(|i| (i.op0_register(), i.memory_displacement64()));
                    assert_eq!(loads.collect::<Vec<_>>(), Vec::from_iter(base.map(|at| (Register::R14, at as u64))));
                }
            }
        }
    }
}

/// The entry jump of a function is as long as said, and goes where it is told, wherever it has its place in the text.
#[test]
fn tail_entry() {
    let mut a = X64::new(NONE);
    let at = a.jmp_sym();
    assert_eq!(a.offset(), X64::JUMP_BYTES);
    for (place, to) in [(0x1000, 0x2000u32), (0x1000, 0x0ff0), (0, X64::REACH - 1), (X64::REACH - 16, 0)] {
        X64::resolve(a.code_mut(), at, place + at, to);
        let [i] = decode(a.code())[..] else { panic!("one instruction") };
        assert_eq!(i.flow_control(), FlowControl::UnconditionalBranch);
        assert_eq!(i.near_branch_target(), u64::from(to).wrapping_sub(place.into()));
    }
}
