//! The text while it grows. A large one that is to be loaded goes, piece by piece, into the anonymous file in memory from
//! which it will be mapped: the pieces' memory is used again for those that follow, and at the end there is little left
//! to copy.

use crate::artifact::PAGE;
use crate::budget::MAX_TEXT;
use crate::place::FILLER;
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::mm::{MapFlags, ProtFlags, mmap, mmap_anonymous, munmap};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// A text from this size on is the first thing in its artifact, behind a page for the header; and from this size on, an
/// artifact is loaded from a file in memory. Making one costs as much as copying this much.
pub(crate) const LARGE: usize = 512 << 10;

/// Machine code under construction.
pub(crate) struct Text {
    /// Has all of it, if there is a file.
    file: Option<Mapped>,
    /// Follow each other, if there is none.
    pieces: Vec<Piece>,
    len: usize,
    /// May it go into a file?
    loads: bool,
    /// The first error of writing to it.
    failed: io::Result<()>,
}

/// A piece of the text.
pub(crate) struct Piece {
    /// Holds it.
    pub(crate) code: Vec<u8>,
    /// Where in `code` it begins.
    pub(crate) from: usize,
}

impl Piece {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.code[self.from..]
    }
}

/// Makes an anonymous file in memory.
pub(crate) fn memory_file() -> io::Result<File> {
    Ok(memfd_create("lightbeam", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?.into())
}

impl Text {
    /// Nothing so far. It `loads` if the artifact is for this process and not for the caller to have.
    pub(crate) fn new(loads: bool) -> Text {
        Text { file: None, pieces: Vec::new(), len: 0, loads, failed: Ok(()) }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Appends a piece.
    pub(crate) fn push(&mut self, piece: Piece) {
        let start = self.len;
        self.len += piece.bytes().len();
        if self.file.is_some() {
            return self.write(start, &piece);
        }
        self.pieces.push(piece);
        if self.loads && self.len >= LARGE {
            self.file = memory_file().and_then(Mapped::new).ok();
            self.loads = self.file.is_some();
            if self.loads {
                let mut start = 0;
                for piece in std::mem::take(&mut self.pieces) {
                    self.write(start, &piece);
                    start += piece.bytes().len();
                }
            }
        }
    }

    /// Makes room in the file for so many bytes behind what there is, if there is a file: a use of the time that a module
    /// takes to arrive.
    pub(crate) fn prepare(&mut self, bytes: usize) {
        if let Some(file) = &mut self.file {
            // What cannot be had in advance may not be needed.
            let _ = file.grow(self.len + bytes);
        }
    }

    fn write(&mut self, start: usize, piece: &Piece) {
        if let (Some(file), Ok(())) = (&mut self.file, &self.failed) {
            let end = start + piece.bytes().len();
            self.failed = file.grow(end).map(|()| file.text()[start..end].copy_from_slice(piece.bytes()));
        }
    }

    /// Appends so many bytes that are no code. There is a piece ahead of them.
    pub(crate) fn pad(&mut self, bytes: usize) {
        match self.pieces.last_mut() {
            Some(piece) => {
                piece.code.resize(piece.code.len() + bytes, FILLER);
                self.len += bytes;
            }
            None => self.push(Piece { code: vec![FILLER; bytes], from: 0 }),
        }
    }

    /// Gives all pieces to be changed, or the whole as one.
    pub(crate) fn edit(&mut self, edit: impl FnOnce(Editable<'_>)) -> io::Result<()> {
        std::mem::replace(&mut self.failed, Ok(()))?;
        edit(match &mut self.file {
            Some(file) => Editable::Whole(file.text()),
            None => Editable::Pieces(&mut self.pieces),
        });
        Ok(())
    }

    /// The file, which has the text behind a page, if there is one; else the pieces.
    pub(crate) fn into_parts(self) -> io::Result<(Option<File>, Vec<Piece>)> {
        self.failed?;
        let file = self.file.map(|Mapped { file, .. }| file);
        Ok((file, self.pieces))
    }
}

/// Where a text can be changed.
pub(crate) enum Editable<'t> {
    Pieces(&'t mut [Piece]),
    Whole(&'t mut [u8]),
}

/// Appends what a file holds of a text.
pub(crate) fn read(mut file: &File, len: usize, bytes: &mut Vec<u8>) -> io::Result<()> {
    file.seek(SeekFrom::Start(PAGE))?;
    file.take(len as u64).read_to_end(bytes)?;
    Ok(())
}

/// A file in memory that is mapped as far as it is in use.
struct Mapped {
    addresses: Addresses,
    file: File,
    /// So many bytes of it are.
    len: usize,
}

impl Mapped {
    /// Bytes by which it grows. Page faults one by one would take several times as long as making pages in advance.
    const STEP: usize = 1 << 20;

    fn new(file: File) -> io::Result<Mapped> {
        // A page more, for padding that shows that a text is too large.
        Ok(Mapped { addresses: Addresses::new(2 * PAGE as usize + MAX_TEXT)?, file, len: 0 })
    }

    /// Makes room for so many bytes of text.
    fn grow(&mut self, text: usize) -> io::Result<()> {
        let missing = (PAGE as usize + text).saturating_sub(self.len);
        if missing != 0 {
            let more = missing.next_multiple_of(Mapped::STEP).min(self.addresses.len - self.len);
            self.file.set_len((self.len + more) as u64)?;
            let access = ProtFlags::READ | ProtFlags::WRITE;
            let flags = MapFlags::SHARED | MapFlags::POPULATE | MapFlags::FIXED;
            // SAFETY: the addresses are ours and in no use, and their number was cut to what is left of them.
            unsafe {
                let at = self.addresses.start.byte_add(self.len);
                mmap(at.cast(), more, access, flags, &self.file, self.len as u64)?;
            }
            self.len += more;
        }
        Ok(())
    }

    /// What is behind the first page.
    fn text(&mut self) -> &mut [u8] {
        // SAFETY: so much is mapped as long as the borrow lasts, of a file that is as long and that nobody else has.
        unsafe { &mut std::slice::from_raw_parts_mut(self.addresses.start, self.len)[PAGE as usize..] }
    }
}

/// Addresses for mappings, which end with it.
struct Addresses {
    start: *mut u8,
    len: usize,
}

impl Addresses {
    fn new(len: usize) -> io::Result<Addresses> {
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        // SAFETY: a new mapping, at a place that nobody has.
        let start = unsafe { mmap_anonymous(std::ptr::null_mut(), len, ProtFlags::empty(), flags)? };
        Ok(Addresses { start: start.cast(), len })
    }
}

// SAFETY: addresses are the same in all threads.
unsafe impl Send for Addresses {}

impl Drop for Addresses {
    fn drop(&mut self) {
        // SAFETY: nobody uses what is mapped any more. Unmapping that does not fail.
        let _ = unsafe { munmap(self.start.cast(), self.len) };
    }
}
