#![doc = include_str!("../README.md")]

mod batch;
mod chunked;
mod corruption;
pub mod electra;
mod generator;
mod heads;
mod inspection;
mod losses;
mod metrics;
pub mod mlm;
mod model;
mod objective;
mod pretrained;
mod spec;

pub use batch::Batch;
pub use chunked::{chunked_sum, rows_in_memory};
pub use corruption::{Corrupted, Corruption};
pub use electra::Electra;
// What stands in this crate's own functions.
pub use electra_config::{ModelConfig, ObjectiveInfo};
pub use generator::Generator;
pub use heads::{CopyGate, ReplacedHead, VocabularyHead};
pub use inspection::Inspection;
pub use losses::{binary_cross_entropy, mean, mean_here};
pub use metrics::{auc, detection, prediction};
pub use mlm::Mlm;
pub use model::{build_encoder, build_with_generator};
pub use objective::{Metric, Metrics, Objective, Output, Over};
pub use pretrained::{PretrainedHead, pretrained};
pub use spec::{BoxError, Build, Given, Spec, masked_view};
