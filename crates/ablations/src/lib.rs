#![doc = include_str!("../README.md")]

pub mod all_tokens_mlm;
pub mod electra_15;
pub mod electra_shuffled;
mod registry;
pub mod replace_mlm;
pub mod rtd_fixed;

pub use all_tokens_mlm::{AllTokensMlm, copy_log_likelihood};
pub use electra_15::Electra15;
pub use electra_shuffled::ShuffledElectra;
pub use registry::{OBJECTIVES, objective};
pub use replace_mlm::ReplaceMlm;
