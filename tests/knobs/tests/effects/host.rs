//! What a host can manage itself, and be asked for: memories, stacks, code. All that is asked is noted.

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};
use std::ops::Range;
use std::sync::Mutex;
use wasmtime::{CustomCodeMemory, LinearMemory, MemoryCreator, MemoryType, StackCreator, StackMemory};

const PAGE: usize = 4096;

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A memory: with so many bytes reserved, within which it does not move, and a guard of so many behind it.
    Memory { reserved: usize, guard: usize },
    /// A stack of so many bytes, all of them zero.
    Stack { bytes: usize, zeroed: bool },
    /// Code may be executed.
    Published,
}

/// A host that notes what it was asked for.
#[derive(Default)]
pub(crate) struct Host(Mutex<Vec<Asked>>);

impl Host {
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.0.lock().unwrap().clone()
    }

    fn note(&self, asked: Asked) {
        self.0.lock().unwrap().push(asked);
    }
}

/// Address space of which only the beginning can be accessed.
struct Mapping {
    base: *mut u8,
    bytes: usize,
}

impl Mapping {
    fn new(accessible: usize, bytes: usize) -> Mapping {
        let bytes = bytes.next_multiple_of(PAGE).max(PAGE);
        // SAFETY: a new mapping is nobody else's.
        let base = unsafe {
            mmap_anonymous(std::ptr::null_mut(), bytes, ProtFlags::empty(), MapFlags::PRIVATE | MapFlags::NORESERVE)
        };
        let mapping = Mapping { base: base.unwrap().cast(), bytes };
        mapping.allow(accessible);
        mapping
    }

    fn allow(&self, bytes: usize) {
        let bytes = bytes.next_multiple_of(PAGE);
        assert!(bytes <= self.bytes);
        // SAFETY: the range is of this mapping, and only becomes more accessible.
        unsafe { mprotect(self.base.cast(), bytes, MprotectFlags::READ | MprotectFlags::WRITE) }.unwrap();
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: nobody has the address any more.
        unsafe { munmap(self.base.cast(), self.bytes) }.unwrap();
    }
}

// SAFETY: it is a range of addresses, which belongs to whoever has it.
unsafe impl Send for Mapping {}
// SAFETY: as above; shared, it is only read.
unsafe impl Sync for Mapping {}

struct Memory {
    mapping: Mapping,
    bytes: usize,
    reserved: usize,
    guard: usize,
}

// SAFETY: bytes up to the size are accessible, none behind it up to the reservation and the guard is, and the base
// stays as long as the reservation is large enough.
unsafe impl LinearMemory for Memory {
    fn byte_size(&self) -> usize {
        self.bytes
    }
    fn byte_capacity(&self) -> usize {
        self.reserved.max(self.bytes)
    }
    fn grow_to(&mut self, bytes: usize) -> wasmtime::Result<()> {
        if bytes > self.reserved {
            let new = Mapping::new(bytes, bytes.next_multiple_of(PAGE) + self.guard);
            // SAFETY: both are accessible over that length, and apart.
            unsafe { std::ptr::copy_nonoverlapping(self.mapping.base, new.base, self.bytes) };
            self.mapping = new;
        } else {
            self.mapping.allow(bytes);
        }
        self.bytes = bytes;
        Ok(())
    }
    fn as_ptr(&self) -> *mut u8 {
        self.mapping.base
    }
}

// SAFETY: memories are as `Memory` says.
unsafe impl MemoryCreator for Host {
    fn new_memory(
        &self,
        _: MemoryType,
        minimum: usize,
        _: Option<usize>,
        reserved: Option<usize>,
        guard: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        let reserved = reserved.unwrap_or(0);
        self.note(Asked::Memory { reserved, guard });
        let behind = reserved.max(minimum.next_multiple_of(PAGE)) + guard;
        let mapping = Mapping::new(minimum, behind);
        Ok(Box::new(Memory { mapping, bytes: minimum, reserved, guard }))
    }
}

struct Stack(Mapping);

// SAFETY: the stack is the mapping, but for its first page, which nobody can access.
unsafe impl StackMemory for Stack {
    fn top(&self) -> *mut u8 {
        self.0.base.wrapping_add(self.0.bytes)
    }
    fn range(&self) -> Range<usize> {
        self.0.base as usize..self.0.base as usize + self.0.bytes
    }
    fn guard_range(&self) -> Range<*mut u8> {
        self.0.base..self.0.base.wrapping_add(PAGE)
    }
}

// SAFETY: stacks are as large as was asked for beside their guards, aligned to pages, and new ones are zero.
unsafe impl StackCreator for Host {
    fn new_stack(&self, bytes: usize, zeroed: bool) -> wasmtime::Result<Box<dyn StackMemory>> {
        self.note(Asked::Stack { bytes, zeroed });
        let stack = Mapping::new(0, bytes.next_multiple_of(PAGE) + PAGE);
        stack.allow(stack.bytes);
        // SAFETY: the page is of this stack, on which nothing is yet.
        unsafe { mprotect(stack.base.cast(), PAGE, MprotectFlags::empty()) }.unwrap();
        Ok(Box::new(Stack(stack)))
    }
}

impl CustomCodeMemory for Host {
    fn required_alignment(&self) -> usize {
        PAGE
    }
    fn publish_executable(&self, at: *const u8, bytes: usize) -> wasmtime::Result<()> {
        self.note(Asked::Published);
        let bytes = bytes.next_multiple_of(PAGE);
        // SAFETY: Wasmtime hands over whole pages of its own.
        unsafe { mprotect(at.cast_mut().cast(), bytes, MprotectFlags::READ | MprotectFlags::EXEC) }.unwrap();
        Ok(())
    }
    fn unpublish_executable(&self, at: *const u8, bytes: usize) -> wasmtime::Result<()> {
        let bytes = bytes.next_multiple_of(PAGE);
        // SAFETY: as above.
        unsafe { mprotect(at.cast_mut().cast(), bytes, MprotectFlags::READ | MprotectFlags::WRITE) }.unwrap();
        Ok(())
    }
}

/// Keeps nothing.
#[derive(Debug)]
pub(crate) struct Kept;

impl wasmtime::CacheStore for Kept {
    fn get(&self, _: &[u8]) -> Option<std::borrow::Cow<'_, [u8]>> {
        None
    }
    fn insert(&self, _: &[u8], _: Vec<u8>) -> bool {
        true
    }
}
