use super::{check, owned};
use crate::Error;
use std::ffi::c_char;

/// The shim's own.
#[repr(C)]
struct Opaque {
    _nothing: [u8; 0],
}

unsafe extern "C" {
    fn electra_torch_begin_operations(begun: *mut *mut Opaque) -> *mut c_char;
    fn electra_torch_end_operations(begun: *mut Opaque, list: *mut *mut c_char) -> *mut c_char;
}

/// A list of this thread's operations that is being written.
#[derive(Debug)]
pub(crate) struct Operations(*mut Opaque);

impl Operations {
    pub(crate) fn begin() -> Result<Self, Error> {
        let mut begun = std::ptr::null_mut();
        // SAFETY: the pointer is to a live pointer.
        check(unsafe { electra_torch_begin_operations(&raw mut begun) })?;
        Ok(Self(begun))
    }

    /// A line for each.
    pub(crate) fn end(mut self) -> Result<String, Error> {
        self.take()
    }

    fn take(&mut self) -> Result<String, Error> {
        let mut list = std::ptr::null_mut();
        let begun = std::mem::replace(&mut self.0, std::ptr::null_mut());
        // SAFETY: the shim's list is given back once, and the last pointer is to a live pointer.
        check(unsafe { electra_torch_end_operations(begun, &raw mut list) })?;
        // SAFETY: the shim made a text of its own, closed by a zero.
        Ok(unsafe { owned(list) })
    }
}

impl Drop for Operations {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // An error or panic is on its way.
            let _ = self.take();
        }
    }
}
