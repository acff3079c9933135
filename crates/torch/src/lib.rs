#![doc = include_str!("../README.md")]
// The README shows a whole build.rs.
#![allow(clippy::needless_doctest_main)]

mod adamw;
mod attention;
mod autocast;
mod cuda;
mod detection;
mod determinism;
mod dropout;
mod embeddings;
mod error;
mod exit;
#[allow(unsafe_code)] // The one module that calls C++.
mod ffi;
mod gradients;
mod graph;
mod layers;
mod level;
mod losses;
mod memory;
mod operations;
mod threads;
mod transfer;
mod transform;
mod version;
mod vocabulary;
mod with_gradients;

pub use adamw::{AdamW, AdamWConfig, Group, LearningRate, ParameterState};
pub use attention::{Sequences, flash_attention};
pub use autocast::autocast;
pub use cuda::{load_cuda, why_no_cuda};
pub use detection::detect;
pub use determinism::{
    allow_tf32, are_deterministic_algorithms_enabled, is_tf32_allowed, use_deterministic_algorithms,
};
pub use dropout::{Preceding, with_dropout_keys};
pub use embeddings::{EmbeddingParameters, embed};
pub use error::Error;
pub use exit::exit;
pub use gradients::{ClipResult, clip_grad_norm, grad, zero_grad};
pub use graph::{Graph, on_side_stream};
pub use layers::{Affine, LayerParameters, LayerSettings, Select, encoder_layers};
pub use level::{KernelLevel, at_each_kernel_level, kernel_level, with_kernel_level};
pub use losses::{binary_cross_entropy, mean};
pub use memory::{Memory, keep_freed_memory, memory, reset_peak_memory, synchronize};
pub use operations::operations;
pub use threads::{num_interop_threads, num_threads, set_num_threads};
pub use transfer::send;
pub use transform::transform;
pub use version::{compiled_version, version};
pub use vocabulary::{LogLikelihood, log_likelihood, log_likelihood_alone, sample};
pub use with_gradients::with_gradients;
