//! An allocator that counts, so that memory can be compared as exactly as output.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering::Relaxed};

/// The system's allocator. While [`peak`] runs it also counts; otherwise that costs a look at a flag.
#[derive(Debug)]
pub struct Counting;

static COUNTS: AtomicBool = AtomicBool::new(false);
/// Bytes that are in use, less those that were before.
static LIVE: AtomicIsize = AtomicIsize::new(0);
/// The most that there have been.
static PEAK: AtomicIsize = AtomicIsize::new(0);
/// All that were ever taken, given back or not.
static TAKEN: AtomicIsize = AtomicIsize::new(0);

fn note(bytes: isize) {
    if COUNTS.load(Relaxed) {
        let live = LIVE.fetch_add(bytes, Relaxed) + bytes;
        if bytes > 0 {
            TAKEN.fetch_add(bytes, Relaxed);
            PEAK.fetch_max(live, Relaxed);
        }
    }
}

// SAFETY: every call is passed on as it comes.
unsafe impl GlobalAlloc for Counting {
    // SAFETY: see the implementation.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size() as isize);
        // SAFETY: the caller's promises are the same.
        unsafe { System.alloc(layout) }
    }

    // SAFETY: see the implementation.
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size() as isize);
        // SAFETY: the caller's promises are the same.
        unsafe { System.alloc_zeroed(layout) }
    }

    // SAFETY: see the implementation.
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Where the bytes must move, both are there for a moment; where they need not, only the difference is new. The
        // first depends on what else there is, so it is the second that counts.
        note(size as isize - layout.size() as isize);
        // SAFETY: the caller's promises are the same.
        unsafe { System.realloc(at, layout, size) }
    }

    // SAFETY: see the implementation.
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        note(-(layout.size() as isize));
        // SAFETY: the caller's promises are the same.
        unsafe { System.dealloc(at, layout) }
    }
}

/// The most bytes in use at once while `work` runs, beyond those in use before, and what it gives. No other thread may
/// allocate meanwhile.
pub fn peak<T>(work: impl FnOnce() -> T) -> (usize, T) {
    LIVE.store(0, Relaxed);
    PEAK.store(0, Relaxed);
    TAKEN.store(0, Relaxed);
    COUNTS.store(true, Relaxed);
    let result = work();
    COUNTS.store(false, Relaxed);
    (PEAK.load(Relaxed).max(0) as usize, result)
}

/// All bytes that were taken while the last [`peak`] ran, given back or not: about how much was done, of what is done
/// with memory.
#[must_use]
pub fn taken() -> usize {
    TAKEN.load(Relaxed) as usize
}
