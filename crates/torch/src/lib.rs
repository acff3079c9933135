#![doc = include_str!("../README.md")]
// The README shows a whole build.rs.
#![allow(clippy::needless_doctest_main)]

mod adamw;
mod autocast;
mod bf16;
mod cuda;
mod determinism;
mod distributed;
mod dropout;
mod error;
mod exit;
#[allow(unsafe_code)] // The one module that calls C++.
mod ffi;
mod flash;
mod gradients;
mod graph;
mod learner;
mod level;
mod memory;
mod operations;
mod ops;
mod skips;
mod terminate;
mod threads;
mod transfer;
mod version;
mod with_gradients;

pub use adamw::{AdamW, AdamWConfig, Group, LearningRate, ParameterState};
pub use autocast::autocast;
pub use bf16::{Bf16, Bf16Unit, bf16};
pub use cuda::{load_cuda, why_no_cuda};
pub use determinism::{
    allow_tf32, are_deterministic_algorithms_enabled, is_tf32_allowed, use_deterministic_algorithms,
};
pub use distributed::{Network, ProcessGroup, Reduce, Store};
pub use dropout::{Preceding, with_dropout_keys};
pub use error::Error;
pub use exit::exit;
pub use ffi::allocator::Allocator;
pub use flash::{Sequences, flash_attention};
pub use gradients::{ClipResult, clip_grad_norm, grad, zero_grad};
pub use graph::{Graph, on_side_stream};
pub use learner::{Learner, LearnerConfig, Parameter};
pub use level::{KernelLevel, at_each_kernel_level, kernel_level, with_kernel_level};
pub use memory::{Memory, keep_freed_memory, memory, reset_peak_memory, synchronize};
pub use operations::operations;
pub use ops::{
    Affine, Attention, EmbeddingParameters, LayerParameters, LayerSettings, LogLikelihood, ModernBertLayer,
    ModernBertSettings, Rotary, Select, binary_cross_entropy, detect, embed, encoder_layer, encoder_layers,
    log_likelihood, log_likelihood_alone, mean, modernbert_layers, sample, sample_cumulative, transform,
};
pub use skips::SkipCounts;
pub use terminate::on_terminate;
pub use threads::{num_interop_threads, num_threads, set_num_threads};
pub use transfer::send;
pub use version::{check_environment, compiled_version, version};
pub use with_gradients::with_gradients;
