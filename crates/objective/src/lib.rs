#![doc = include_str!("../README.md")]

#[cfg(feature = "torch")]
mod batch;
#[cfg(feature = "torch")]
mod chunked;
#[cfg(feature = "torch")]
mod corruption;
#[cfg(feature = "torch")]
mod detector;
pub mod electra;
#[cfg(feature = "torch")]
mod generator;
#[cfg(feature = "torch")]
mod heads;
#[cfg(feature = "torch")]
mod inspection;
#[cfg(feature = "torch")]
mod losses;
#[cfg(feature = "torch")]
mod metrics;
pub mod mlm;
#[cfg(feature = "torch")]
mod model;
#[cfg(feature = "torch")]
mod objective;
#[cfg(feature = "torch")]
mod pretrained;
#[cfg(feature = "torch")]
mod spec;

// Types of other crates in this crate's own functions.
pub use electra_config::{ModelConfig, ObjectiveInfo};
#[cfg(feature = "torch")]
pub use {
    batch::DeviceBatch,
    chunked::{chunked_sum, rows_in_memory},
    corruption::{Corrupted, Corruption},
    detector::Detector,
    electra::Electra,
    generator::Generator,
    heads::{CopyGate, ReplacedHead, VocabularyHead},
    inspection::Inspection,
    losses::{binary_cross_entropy, masked_lm_loss, mean, mean_here},
    metrics::{DISC_AUC, DISC_RECALL, LM_LOSS, MASKED_LM_LOSS, auc, detection, prediction},
    mlm::Mlm,
    model::{build_encoder, build_with_generator, predicts_with_table},
    objective::{Metric, Metrics, Objective, Output, Over},
    pretrained::{PretrainedHead, pretrained},
    spec::{BoxError, Build, Given, Spec, masked_view},
};
