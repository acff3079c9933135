use crate::{Error, ffi};

/// Calls `work`, and lists the operations of libtorch that this thread called meanwhile, those of passes
/// backward on the CPU among them: name, shapes and numbers, such as `aten::mul.Scalar Float[2] 0.5`.
///
/// It is for finding out what a step does: whether it does the same each time, as a [`Graph`](crate::Graph)
/// has to, and whether it waits for a device (`aten::_local_scalar_dense`). What the shim's own operations do
/// between two of libtorch's is not listed.
///
/// # Errors
///
/// Lists within lists.
///
/// # Panics
/// If `work` does.
pub fn operations<T>(work: impl FnOnce() -> T) -> Result<(T, Vec<String>), Error> {
    let list = ffi::operations::Operations::begin()?;
    let output = work();
    let list = list.end()?;
    Ok((output, list.lines().map(str::to_owned).collect()))
}
