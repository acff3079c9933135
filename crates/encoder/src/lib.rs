#![doc = include_str!("../README.md")]

mod compute;
mod encoder;
mod error;
mod hub;
mod initialise;
mod layers;
mod loader;
mod modernbert;
mod modernbert_names;
mod names;
mod neighbours;
mod part;
mod shapes;
mod weights;
mod with_head;

// Types of other crates in this crate's own functions.
pub use compute::Compute;
pub use electra_config::{Architecture, Backbone, EncoderConfig, PositionEmbeddingType, Tied};
pub use electra_torch::{Attention, Select};
pub use encoder::{Embeddings, Encoder, Input, SecondStream};
pub use error::{Error, Misshapen};
pub use hub::HubFolder;
pub use initialise::initialise;
pub use layers::{LayerNorm, Linear, dropout, parameter};
pub use loader::Loader;
pub use neighbours::initialise_neighbour_heads;
pub use part::Part;
pub use weights::Weights;
pub use with_head::EncoderWithHead;
