//! What the program does with networks.

mod ablate;
mod continuing;
mod default_plan;
mod detect;
mod embed;
pub(crate) mod export;
pub(crate) mod finetune;
mod kernels;
mod multi_label;
mod ranks;
mod replacements;
mod sweep;
mod torchrun;
mod trace;
mod valid;
mod what_comes_in;
