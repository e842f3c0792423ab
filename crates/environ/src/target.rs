//! The machine that code is made for, and what of it shows in the layout of instances and artifacts.

use lightbeam_compiler::isa::{Isa, Platform};
use wasmtime_environ::object::Architecture;
use wasmtime_environ::object::elf::EM_X86_64;

// Where code is made is where it runs, so far: processor features, files in memory and artifacts are all the host's.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_pointer_width = "64")))]
compile_error!("Lightbeam runs on x86-64 Linux alone, so far: build it for x86_64-unknown-linux-gnu or -musl");

/// Its instruction set.
pub type Machine = lightbeam_compiler::isa::x64::X64;

const PLATFORM: Platform = Machine::PLATFORM;

/// What ELF files say that it is, under the name that their writers have for it, and by number.
pub(crate) const ARCHITECTURE: Architecture = Architecture::X86_64;
pub(crate) const MACHINE: u16 = EM_X86_64;

/// Its name, and that of its system.
pub const TRIPLE: &str = PLATFORM.triple;

/// Bytes of a pointer; `PtrSize` derives all layouts from it.
pub(crate) const POINTER: u8 = PLATFORM.pointer;

/// Logarithm of the size of pages.
pub(crate) const PAGE_LOG2: u8 = PLATFORM.page_log2;

/// Bytes of a page: how a text that is mapped executable, and a memory image, are aligned.
pub(crate) const PAGE: u64 = 1 << PAGE_LOG2;
