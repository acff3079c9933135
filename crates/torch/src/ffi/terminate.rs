use std::ffi::{CStr, c_char};
use std::sync::OnceLock;

unsafe extern "C" {
    fn electra_torch_on_terminate(ends: extern "C" fn(*const c_char));
}

static ENDS: OnceLock<fn(&str) -> !> = OnceLock::new();

extern "C" fn ends(text: *const c_char) {
    // SAFETY: the shim gives the text of an exception that lives until this returns, which it does not.
    let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
    if let Some(ends) = ENDS.get() {
        ends(&text);
    }
}

pub(crate) fn on_terminate(to: fn(&str) -> !) {
    ENDS.get_or_init(|| to);
    // SAFETY: the function is there for as long as the program.
    unsafe { electra_torch_on_terminate(ends) }
}
