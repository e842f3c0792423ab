//! Anonymous files in memory, from which large modules are loaded. Everything about them can fail, since the machine
//! may refuse the file, its memory or a descriptor; whoever uses one has another way for that case. What a process must
//! not meet are the signals that the kernel has for two such cases: SIGXFSZ where a limit on the size of files stands,
//! and SIGBUS where memory runs out behind a mapping. So the limit is looked at before, and memory is taken before it
//! is mapped.

use crate::output::budget::MAX_TEXT;
use crate::target::PAGE;
use rustix::fs::{FallocateFlags, MemfdFlags, fallocate, memfd_create};
use rustix::io::{Errno, retry_on_intr};
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, munmap};
use rustix::process::{Resource, getrlimit};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

/// Bytes that a file grows by at once, and takes memory for in one call, which a signal may interrupt and undo.
const STEP: usize = 1 << 20;

/// Makes a file, unless descriptors are scarce. A module keeps its descriptor for its life; the upper half of those
/// that the process may have is left to the host.
pub(crate) fn create() -> io::Result<File> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // A file that can never be executed by its name is all that some machines allow; older kernels know no such flag.
    let file = match memfd_create("lightbeam", flags | MemfdFlags::NOEXEC_SEAL) {
        Err(Errno::INVAL) => memfd_create("lightbeam", flags),
        made => made,
    };
    let file = File::from(file?);
    // A new descriptor is the lowest that is free, so all below it are in use.
    let used = file.as_raw_fd() as u64;
    match getrlimit(Resource::Nofile).current {
        Some(most) if used >= most / 2 => Err(Errno::MFILE.into()),
        _ => Ok(file),
    }
}

/// Makes a file of `from` bytes `to` bytes long, with memory for them.
pub(crate) fn extend(file: &File, from: u64, to: u64) -> io::Result<()> {
    if getrlimit(Resource::Fsize).current.is_some_and(|most| to > most) {
        return Err(Errno::FBIG.into());
    }
    let mut at = from;
    while at < to {
        let step = (STEP as u64).min(to - at);
        retry_on_intr(|| fallocate(file, FallocateFlags::empty(), at, step))?;
        at += step;
    }
    Ok(())
}

/// Appends to `bytes` what a file has at `at`.
pub fn read(file: &File, at: u64, len: usize, bytes: &mut Vec<u8>) -> io::Result<()> {
    let start = bytes.len();
    bytes.resize(start + len, 0);
    file.read_exact_at(&mut bytes[start..], at)
}

/// A file that has a text behind a page, mapped.
pub(crate) struct Mapped {
    mapping: Mapping,
    file: File,
    /// Bytes of the file. It has memory for all of them.
    len: usize,
}

impl Mapped {
    /// Maps an empty file, and addresses for all that it may come to hold.
    pub(crate) fn new(file: File) -> io::Result<Mapped> {
        // A page more, for padding that shows that a text is too large.
        Ok(Mapped { mapping: Mapping::new(&file, 2 * PAGE as usize + MAX_TEXT)?, file, len: 0 })
    }

    /// Makes room for so many bytes of text.
    pub(crate) fn grow(&mut self, text: usize) -> io::Result<()> {
        let missing = (PAGE as usize + text).saturating_sub(self.len);
        if missing != 0 {
            let more = missing.next_multiple_of(STEP).min(self.mapping.len - self.len);
            if more < missing {
                return Err(Errno::NOMEM.into());
            }
            extend(&self.file, self.len as u64, (self.len + more) as u64)?;
            self.mapping.populate(self.len, more);
            self.len += more;
        }
        Ok(())
    }

    /// What is behind the first page.
    pub(crate) fn text(&mut self) -> &mut [u8] {
        // SAFETY: so much is mapped as long as the borrow lasts, of a file that has memory for as much, never shrinks
        // while it is mapped, and that nobody else has.
        unsafe {
            &mut std::slice::from_raw_parts_mut(self.mapping.start, self.len)[PAGE.min(self.len as u64) as usize..]
        }
    }

    /// The file, which is not mapped any more.
    pub(crate) fn into_file(self) -> File {
        self.file
    }

    /// Lets it grow no more, as if the machine had no memory left.
    #[cfg(test)]
    pub(crate) fn limit(&mut self) {
        self.mapping.len = self.len;
    }
}

/// Addresses at which a file is mapped, longer than the file; unmapped with it.
struct Mapping {
    start: *mut u8,
    len: usize,
    mapped: usize,
}

impl Mapping {
    fn new(file: &File, len: usize) -> io::Result<Mapping> {
        let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED | MapFlags::NORESERVE);
        // SAFETY: a new mapping, at a place that nobody has.
        let start = unsafe { mmap(std::ptr::null_mut(), len, access, flags, file, 0)? };
        // A process that is just being started must not have it: then the file could not be sealed.
        // SAFETY: changes nothing about the memory itself.
        let _ = unsafe { madvise(start, len, Advice::LinuxDontFork) };
        Ok(Mapping { start: start.cast(), len, mapped: len })
    }

    /// Makes the pages of a part of the file appear, which one by one would take several times as long. If that does
    /// not work, as with older kernels, they do it one by one.
    fn populate(&mut self, from: usize, len: usize) {
        // SAFETY: these addresses are ours, and the file reaches as far.
        let _ = unsafe { madvise(self.start.byte_add(from).cast(), len, Advice::LinuxPopulateWrite) };
    }
}

// SAFETY: addresses are the same in all threads.
unsafe impl Send for Mapping {}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: nobody uses what is mapped any more. Unmapping that does not fail.
        let _ = unsafe { munmap(self.start.cast(), self.mapped) };
    }
}
