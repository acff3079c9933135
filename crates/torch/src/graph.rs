use crate::{Error, ffi};
use tch::Device;

/// Work for a GPU that was recorded and is started as a whole (a CUDA graph): for steps of many small
/// kernels, each of which takes the CPU longer to start than the GPU to compute.
#[derive(Debug)]
pub struct Graph(ffi::graph::Graph);

impl Graph {
    /// Records what `work` gives to the device; none of it is done before the graph is replayed.
    ///
    /// To be called inside of [`on_side_stream`], after the same work was done there a few times. What `work`
    /// does on the CPU happens now and never again. A replay reads the same memory as was read here, so
    /// inputs are tensors that the caller fills anew, and what `work` returns is filled anew by each replay.
    /// A number of the CPU's, such as a scalar factor, is part of the graph. `work` must not wait for the
    /// device, nor set the seed; what it draws from libtorch's generator is drawn anew by each replay.
    ///
    /// One recording at a time, and beside it no other thread may use a GPU.
    ///
    /// # Errors
    ///
    /// What `work` fails with, such as an operation that waits, after which libtorch draws no numbers on that
    /// GPU any more, so that the program had better end; a device that is none of CUDA's, or no stream of its
    /// own.
    pub fn record<T, E: From<Error>>(
        device: Device,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<(Graph, T), E> {
        let Device::Cuda(index) = device else { return Err(Error::NoGraph { device }.into()) };
        let recording = ffi::graph::Recording::begin(index)?;
        let output = work()?;
        Ok((Graph(recording.end()?), output))
    }

    /// Does the recorded work on this thread's stream, without waiting for it.
    ///
    /// # Errors
    ///
    /// The exception of libtorch.
    pub fn replay(&mut self) -> Result<(), Error> {
        self.0.replay()
    }
}

/// Calls `work` while this thread gives what it computes on a GPU to another stream than the default one,
/// which no graph can be recorded on. Waits for the device before and after. On the CPU it only calls.
///
/// # Errors
///
/// What `work` fails with, or a GPU that is not there.
pub fn on_side_stream<T, E: From<Error>>(
    device: Device,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    let Device::Cuda(index) = device else { return work() };
    let side = Side(ffi::graph::enter_stream(index)?);
    let output = work()?;
    side.leave()?;
    Ok(output)
}

/// A stay on another stream, which ends when this is dropped.
struct Side(ffi::graph::Stream);

impl Side {
    fn leave(self) -> Result<(), Error> {
        let left = ffi::graph::exit_stream(&self.0);
        std::mem::forget(self);
        left
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        // An error or panic is on its way, which says more.
        let _ = ffi::graph::exit_stream(&self.0);
    }
}
