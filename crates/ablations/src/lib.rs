#![doc = include_str!("../README.md")]

pub mod all_tokens_mlm;
pub mod clm;
pub mod coco_clm;
pub mod electra_15;
pub mod electra_gdes;
pub mod electra_shuffled;
#[cfg(feature = "torch")]
mod next_token;
mod registry;
pub mod replace_mlm;
pub mod rtd_fixed;

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
pub use registry::{INFOS, info};
#[cfg(feature = "torch")]
pub use registry::{OBJECTIVES, objective};
#[cfg(feature = "torch")]
pub use replace_mlm::ReplaceMlm;
