#![doc = include_str!("../README.md")]

mod config;
mod encoder;
mod error;
mod flops;
mod hub;
mod initialise;
mod layers;
mod loader;
mod shapes;
mod weights;
mod with_head;

pub use config::EncoderConfig;
pub use electra_torch::Select;
pub use encoder::{Embeddings, Encoder, Input, Tied};
pub use error::{Error, Misshapen};
pub use flops::{Convention, Head, Network, Positions, StepShape};
pub use hub::{Architecture, HubFolder};
pub use initialise::initialise;
pub use layers::{LayerNorm, Linear, dropout, parameter};
pub use loader::Loader;
pub use weights::{Part, Weights};
pub use with_head::EncoderWithHead;
