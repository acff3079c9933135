use super::check;
use crate::Error;
use std::ffi::c_char;

/// A stream of a device, as libtorch packs it. Mirrors the shim's `ElectraTorchStream`.
#[repr(C)]
#[derive(Debug, Default)]
pub(crate) struct Stream {
    id: i64,
    device_index: i64,
    device_type: i64,
}

/// The shim's own.
#[repr(C)]
pub(crate) struct Opaque {
    _nothing: [u8; 0],
}

unsafe extern "C" {
    fn electra_torch_enter_stream(index: u64, before: *mut Stream) -> *mut c_char;
    fn electra_torch_exit_stream(before: *const Stream) -> *mut c_char;
    fn electra_torch_begin_graph(index: u64, graph: *mut *mut Opaque) -> *mut c_char;
    fn electra_torch_end_graph(graph: *mut Opaque) -> *mut c_char;
    fn electra_torch_replay_graph(graph: *mut Opaque) -> *mut c_char;
    fn electra_torch_drop_graph(graph: *mut Opaque) -> *mut c_char;
}

/// Gives the stream that was in use before.
pub(crate) fn enter_stream(index: usize) -> Result<Stream, Error> {
    let mut before = Stream::default();
    // SAFETY: the pointer is to a live stream.
    check(unsafe { electra_torch_enter_stream(index as u64, &raw mut before) })?;
    Ok(before)
}

pub(crate) fn exit_stream(before: &Stream) -> Result<(), Error> {
    // SAFETY: the pointer is to a live stream.
    check(unsafe { electra_torch_exit_stream(before) })
}

/// A graph that is being recorded, or is.
#[derive(Debug)]
pub(crate) struct Graph(std::ptr::NonNull<Opaque>);

impl Graph {
    pub(crate) fn begin(index: usize) -> Result<Self, Error> {
        let mut graph = std::ptr::null_mut();
        // SAFETY: the pointer is to a live pointer.
        check(unsafe { electra_torch_begin_graph(index as u64, &raw mut graph) })?;
        Ok(Self(std::ptr::NonNull::new(graph).expect("the shim made a graph")))
    }

    pub(crate) fn end(&mut self) -> Result<(), Error> {
        // SAFETY: the shim's graph lives as long as this.
        check(unsafe { electra_torch_end_graph(self.0.as_ptr()) })
    }

    pub(crate) fn replay(&mut self) -> Result<(), Error> {
        // SAFETY: as above.
        check(unsafe { electra_torch_replay_graph(self.0.as_ptr()) })
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        // SAFETY: the shim's graph is given back once. There is nobody to tell what goes wrong.
        let _ = check(unsafe { electra_torch_drop_graph(self.0.as_ptr()) });
    }
}
