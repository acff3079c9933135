use crate::KernelLevel;

unsafe extern "C" {
    fn electra_torch_is_available(level: i32) -> bool;
}

pub(crate) fn is_available(level: KernelLevel) -> bool {
    // SAFETY: no pointers.
    unsafe { electra_torch_is_available(level as i32) }
}
