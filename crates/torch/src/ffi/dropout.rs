use super::check;
use crate::Error;
use std::ffi::c_char;
use std::marker::PhantomData;

/// The shim's own.
#[repr(C)]
struct Opaque {
    _nothing: [u8; 0],
}

unsafe extern "C" {
    fn electra_torch_make_generator(seed: u64, generator: *mut *mut Opaque) -> *mut c_char;
    fn electra_torch_drop_generator(generator: *mut Opaque) -> *mut c_char;
}

/// A generator of seeds, of one thread.
#[derive(Debug)]
pub(crate) struct Generator(*mut Opaque);

impl Generator {
    /// Gives the numbers that libtorch's generator of the CPU gives after it was seeded so.
    pub(crate) fn new(seed: u64) -> Result<Self, Error> {
        let mut generator = std::ptr::null_mut();
        // SAFETY: the pointer is to a live pointer.
        check(unsafe { electra_torch_make_generator(seed, &raw mut generator) })?;
        Ok(Self(generator))
    }
}

impl Drop for Generator {
    fn drop(&mut self) {
        // SAFETY: the shim's generator is given back once. Giving memory back does not fail.
        let _ = check(unsafe { electra_torch_drop_generator(self.0) });
    }
}

/// Where seeds come from, and what comes before the part of a batch. Mirrors the shim's
/// `ElectraTorchDropoutKeys`.
#[repr(C)]
pub(crate) struct Keys<'a> {
    generator: *const Opaque,
    examples: u64,
    tokens: u64,
    generators: PhantomData<&'a Generator>,
}

impl<'a> Keys<'a> {
    /// Without a generator, libtorch's own one of the CPU.
    pub(crate) fn new(generator: Option<&'a Generator>, examples: u64, tokens: u64) -> Self {
        let generator = generator.map_or(std::ptr::null(), |generator| generator.0.cast_const());
        Self { generator, examples, tokens, generators: PhantomData }
    }
}
