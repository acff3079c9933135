//! Rust's memory, with a say in what happens when there is none.

use std::alloc::{GlobalAlloc, Layout, System};

/// The system's allocator. Where memory runs out the standard library aborts the program, unless whoever asked can do
/// without; before that `ran_out` is called with the bytes that were asked for, and may end the program in better order.
#[derive(Debug)]
pub struct Allocator {
    ran_out: fn(usize),
}

impl Allocator {
    /// For `#[global_allocator]`. `ran_out` must not unwind, and must bear to be called by itself.
    #[must_use]
    pub const fn new(ran_out: fn(usize)) -> Self {
        Self { ran_out }
    }

    fn checked(&self, memory: *mut u8, bytes: usize) -> *mut u8 {
        if memory.is_null() {
            (self.ran_out)(bytes);
        }
        memory
    }
}

// SAFETY: what is asked for and given back is the system's allocator's, unchanged.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller says.
        self.checked(unsafe { System.alloc(layout) }, layout.size())
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller says.
        self.checked(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    #[inline]
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        // SAFETY: as the caller says.
        self.checked(unsafe { System.realloc(memory, layout, bytes) }, bytes)
    }

    #[inline]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as the caller says.
        unsafe { System.dealloc(memory, layout) }
    }
}
