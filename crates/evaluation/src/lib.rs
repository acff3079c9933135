#![doc = include_str!("../README.md")]

mod batches;
mod data;
mod embedder;
mod embedding_scores;
mod encode;
mod error;
mod finetune;
mod folder;
#[cfg(test)]
mod golden;
mod heads;
mod minimal_pairs;
mod model;
mod network;
mod predict;
mod predictions;
mod pretrained;
mod probe;
mod ridge;
mod score;
mod spans;
mod train;

pub mod config;
pub mod replacements;

pub use config::{Preset, Recipe};
// Types of other crates in this crate's own functions.
pub use data::{Prepared, TaskData};
pub use electra_config::Scoring;
pub use embedder::Embedder;
pub use embedding_scores::{EmbeddingScores, ScoredPairs};
pub use error::Error;
pub use finetune::{Event, Job, finetune};
pub use folder::{Keep, SeedScores, TaskResult, write_results};
pub use heads::Problem;
pub use minimal_pairs::{PairScore, PairScorer, PairScores};
pub use predict::{Predictor, ScoredSet};
pub use predictions::Prediction;
pub use pretrained::{Pretrained, tokenizer};
pub use probe::{ProbeScores, Prober};
pub use score::Scores;
pub use spans::Span;
