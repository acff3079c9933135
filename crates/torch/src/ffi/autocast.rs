use super::check;
use crate::Error;
use std::ffi::{c_char, c_int};
use std::marker::PhantomData;

/// What was before. Mirrors `ElectraTorchAutocast`.
#[repr(C)]
#[derive(Default)]
struct State {
    cuda: bool,
    enabled: bool,
    cache_enabled: bool,
    kind: c_int,
}

unsafe extern "C" {
    fn electra_torch_autocast_enter(cuda: bool, half: bool, enabled: bool, before: *mut State)
    -> *mut c_char;
    fn electra_torch_autocast_exit(before: *const State) -> *mut c_char;
}

/// Puts the thread's autocast back when it is dropped, also by a panic.
pub(crate) struct Autocast {
    before: State,
    /// The state is the thread's: the guard must not leave it.
    thread: PhantomData<*const ()>,
}

impl Autocast {
    pub(crate) fn enter(cuda: bool, half: bool, enabled: bool) -> Result<Autocast, Error> {
        let mut before = State::default();
        // SAFETY: the pointer is to a live struct of the same layout.
        check(unsafe { electra_torch_autocast_enter(cuda, half, enabled, &raw mut before) })?;
        Ok(Autocast { before, thread: PhantomData })
    }
}

impl Drop for Autocast {
    fn drop(&mut self) {
        // SAFETY: the pointer is to a live struct of the same layout, as the shim filled it.
        let result = check(unsafe { electra_torch_autocast_exit(&raw const self.before) });
        debug_assert!(result.is_ok(), "setting flags of the thread does not fail");
    }
}
