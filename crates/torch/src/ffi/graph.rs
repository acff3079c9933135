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

/// A recording that goes on until this is ended or dropped.
#[derive(Debug)]
pub(crate) struct Recording(Graph);

impl Recording {
    pub(crate) fn begin(index: usize) -> Result<Self, Error> {
        let mut graph = std::ptr::null_mut();
        // SAFETY: the pointer is to a live pointer.
        check(unsafe { electra_torch_begin_graph(index as u64, &raw mut graph) })?;
        Ok(Self(Graph(graph)))
    }

    pub(crate) fn end(mut self) -> Result<Graph, Error> {
        self.stop()
    }

    fn stop(&mut self) -> Result<Graph, Error> {
        let mut graph = std::mem::replace(&mut self.0, Graph(std::ptr::null_mut()));
        // SAFETY: the shim's graph lives until it is dropped.
        let ended = check(unsafe { electra_torch_end_graph(graph.0) });
        if ended.is_err() {
            // libtorch's allocator goes on asking a graph whose recording failed, so it stays.
            graph.0 = std::ptr::null_mut();
        }
        ended.map(|()| graph)
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if !self.0.0.is_null() {
            // An error or panic is on its way.
            let _ = self.stop();
        }
    }
}

/// A graph that is recorded; null where it is another's now.
#[derive(Debug)]
pub(crate) struct Graph(*mut Opaque);

impl Graph {
    pub(crate) fn replay(&mut self) -> Result<(), Error> {
        // SAFETY: the shim's graph lives as long as this.
        check(unsafe { electra_torch_replay_graph(self.0) })
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: the shim's graph is given back once. There is nobody to tell what goes wrong.
            let _ = check(unsafe { electra_torch_drop_graph(self.0) });
        }
    }
}
