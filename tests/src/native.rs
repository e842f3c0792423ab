//! Runs single instructions on the machine, on registers and memory of one's choice.

use iced_x86::{Code, Encoder, Instruction, MemoryOperand, Register};
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect};
use std::ffi::c_void;
use std::ptr::null_mut;

/// Registers of 64 bits, by number.
pub const INTS: [Register; 16] = [
    Register::RAX,
    Register::RCX,
    Register::RDX,
    Register::RBX,
    Register::RSP,
    Register::RBP,
    Register::RSI,
    Register::RDI,
    Register::R8,
    Register::R9,
    Register::R10,
    Register::R11,
    Register::R12,
    Register::R13,
    Register::R14,
    Register::R15,
];

/// What all registers hold.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Registers {
    /// Integer registers, by number.
    pub ints: [u64; 16],
    /// The flags.
    pub flags: u64,
    /// Whether a conditional jump behind the instruction was taken.
    pub taken: u64,
    /// Vector registers.
    pub vectors: [u128; 16],
}

/// What code and host share.
#[repr(C)]
struct Shared {
    before: Registers,
    after: Registers,
    stack: u64,
}

const PAGE: usize = 4096;

/// A page of code, and one of what it shares with the host.
#[derive(Debug)]
pub struct Machine {
    pages: *mut u8,
}

impl Machine {
    /// Maps the pages.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub fn new() -> std::io::Result<Machine> {
        // SAFETY: pages of nobody else's.
        let pages =
            unsafe { mmap_anonymous(null_mut(), 2 * PAGE, ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE)? };
        Ok(Machine { pages: pages.cast() })
    }

    /// Runs an instruction without jumps, and after it a conditional jump with this condition if there is one. None of
    /// the registers is the host's in the meantime, not even the stack pointer.
    ///
    /// # Panics
    ///
    /// If the code is too long or the kernel does not let it run.
    #[must_use]
    pub fn run(&mut self, instruction: &[u8], condition: Option<u8>, before: &Registers) -> Registers {
        let base = self.pages.addr() as u64;
        let shared = base + PAGE as u64;
        let before_at = |field: usize| shared + field as u64;
        let after_at = |field: usize| shared + (size_of::<Registers>() + field) as u64;
        let stack_at = shared + std::mem::offset_of!(Shared, stack) as u64;
        let ints = std::mem::offset_of!(Registers, ints);
        let flags = std::mem::offset_of!(Registers, flags);
        let taken = std::mem::offset_of!(Registers, taken);
        let vectors = std::mem::offset_of!(Registers, vectors);
        let place = |at: u64| MemoryOperand::with_base_displ(Register::RIP, at.cast_signed());
        let mut code = Assembler { encoder: Encoder::new(64), at: base };
        const KEPT: [usize; 6] = [3, 5, 12, 13, 14, 15];
        for reg in KEPT {
            code.put(Instruction::with1(Code::Push_r64, INTS[reg]));
        }
        code.put(Instruction::with2(Code::Mov_rm64_r64, place(stack_at), Register::RSP));
        for n in 0..16 {
            let from = place(before_at(vectors + 16 * n));
            code.put(Instruction::with2(Code::Movups_xmm_xmmm128, Register::XMM0 + n as u32, from));
        }
        code.put(Instruction::with1(Code::Push_rm64, place(before_at(flags))));
        code.put(Ok(Instruction::with(Code::Popfq)));
        for n in 0..16 {
            code.put(Instruction::with2(Code::Mov_r64_rm64, INTS[n], place(before_at(ints + 8 * n))));
        }
        code.raw(instruction);
        // Moves leave the flags as they are.
        for n in 0..16 {
            code.put(Instruction::with2(Code::Mov_rm64_r64, place(after_at(ints + 8 * n)), INTS[n]));
        }
        code.put(Instruction::with2(Code::Mov_r64_rm64, Register::RSP, place(stack_at)));
        let mov = |value| Instruction::with2(Code::Mov_r64_imm64, Register::RAX, value);
        if let Some(condition) = condition {
            code.put(mov(1u64));
            // Over the next instruction, which has ten bytes.
            code.raw(&[0x70 | condition, 10]);
            code.put(mov(0u64));
            code.put(Instruction::with2(Code::Mov_rm64_r64, place(after_at(taken)), Register::RAX));
        }
        code.put(Ok(Instruction::with(Code::Pushfq)));
        code.put(Instruction::with1(Code::Pop_rm64, place(after_at(flags))));
        for n in 0..16 {
            let to = place(after_at(vectors + 16 * n));
            code.put(Instruction::with2(Code::Movups_xmmm128_xmm, to, Register::XMM0 + n as u32));
        }
        // What the code leaves must be as calls want it.
        code.raw(&[0xfc]);
        for reg in KEPT.into_iter().rev() {
            code.put(Instruction::with1(Code::Pop_r64, INTS[reg]));
        }
        code.raw(&[0xc3]);
        let code = code.encoder.take_buffer();
        assert!(code.len() <= PAGE);
        let read_write = MprotectFlags::READ | MprotectFlags::WRITE;
        let executable = MprotectFlags::READ | MprotectFlags::EXEC;
        // SAFETY: the pages are this machine's own. What the instruction reads and writes its caller answers for.
        unsafe {
            let page: *mut c_void = self.pages.cast();
            mprotect(page, PAGE, read_write).expect("the page is ours");
            self.pages.copy_from(code.as_ptr(), code.len());
            let shared = self.pages.add(PAGE).cast::<Shared>();
            (*shared).before = *before;
            (*shared).after = Registers::default();
            mprotect(page, PAGE, executable).expect("the page is ours");
            let run: extern "C" fn() = std::mem::transmute(self.pages);
            run();
            (*shared).after
        }
    }
}

struct Assembler {
    encoder: Encoder,
    at: u64,
}

impl Assembler {
    fn put(&mut self, instruction: Result<Instruction, iced_x86::IcedError>) {
        let instruction = instruction.expect("an instruction");
        let len = self.encoder.encode(&instruction, self.at).expect("an instruction");
        self.at += len as u64;
    }

    fn raw(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.encoder.write_u8(*byte);
        }
        self.at += bytes.len() as u64;
    }
}
