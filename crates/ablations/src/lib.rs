#![doc = include_str!("../README.md")]

pub mod all_tokens_mlm;
pub mod clm;
pub mod coco_clm;
pub mod electra_15;
pub mod electra_gdes;
pub mod electra_shuffled;
pub mod electric;
pub mod gpt_bert;
#[cfg(feature = "torch")]
mod next_token;
pub mod permutation_lm;
mod registry;
pub mod replace_mlm;
pub mod rtd_fixed;
#[cfg(feature = "torch")]
mod two_towers;
#[cfg(feature = "torch")]
mod unweighted;

#[cfg(feature = "torch")]
pub use all_tokens_mlm::{AllTokensMlm, copy_log_likelihood};
#[cfg(feature = "torch")]
pub use clm::Clm;
#[cfg(feature = "torch")]
pub use coco_clm::CocoClm;
#[cfg(feature = "torch")]
pub use electra_15::Electra15;
#[cfg(feature = "torch")]
pub use electra_shuffled::ShuffledElectra;
#[cfg(feature = "torch")]
pub use electric::Electric;
#[cfg(feature = "torch")]
pub use gpt_bert::GptBert;
#[cfg(feature = "torch")]
pub use permutation_lm::PermutationLm;
pub use registry::{INFOS, info};
#[cfg(feature = "torch")]
pub use registry::{OBJECTIVES, objective};
#[cfg(feature = "torch")]
pub use replace_mlm::ReplaceMlm;
