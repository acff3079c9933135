#![doc = include_str!("../README.md")]

mod budget;
mod encoder;
mod error;
mod flops;
mod hub;
mod manifest;
mod model;
mod modernbert;
mod objective;
mod partial;
mod preset;
mod pretraining;
mod run_folder;
mod schedule;
mod scoring;
mod sections;

pub use budget::{Horizon, Limit, StepCost};
pub use encoder::{Backbone, EncoderConfig, PositionEmbeddingType};
pub use error::Error;
pub use flops::{Convention, Head, Network, Positions, StepShape};
pub use hub::Architecture;
pub use manifest::WrittenFile;
pub use model::{ModelConfig, Tied};
pub use objective::{ObjectiveInfo, UnknownObjective};
pub use partial::{Defaults, PartialConfig};
pub use preset::Preset;
pub use pretraining::Config;
pub use run_folder::{Checkpoint, Checkpoints, DamagedCheckpoint, FoundCheckpoints, RunFolder, WrittenFiles};
pub use schedule::Schedule;
pub use scoring::{SCORING_FIELD, Scoring};
pub use sections::{
    BudgetConfig, CheckpointConfig, DataConfig, DeviceChoice, DeviceConfig, InitConfig, LogConfig,
    NetworkConfig, OptimizerConfig, Precision,
};
