#![doc = include_str!("../README.md")]

mod all_tokens_mlm;
mod electra_15;
mod electra_shuffled;
mod registry;
mod replace_mlm;

pub use all_tokens_mlm::{AllTokensMlm, copy_log_likelihood};
pub use electra_15::Electra15;
pub use electra_shuffled::ShuffledElectra;
pub use registry::{Error, NAMES, build, masking, networks};
pub use replace_mlm::ReplaceMlm;
