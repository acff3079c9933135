//! What a checkpoint holds beside tensors.

use electra_config::Config;
use electra_torch::SkipCounts;
use serde::{Deserialize, Serialize};

use crate::health::Health;

/// `state.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    /// Steps that are done, which is also the number of the next.
    pub(crate) step: u64,
    /// Where the next step begins in the endless sequence of examples: step · batch.
    pub(crate) examples_seen: u64,
    /// Seconds of training until here.
    pub(crate) elapsed_seconds: f64,
    /// Steps whose loss or gradient was not finite.
    pub(crate) skipped: SkipCounts,
    /// How long the logs were: what is behind is of steps that were lost.
    pub(crate) logs: LogLengths,
    /// SHA-256 of the corpus's manifest.
    pub(crate) corpus: String,
    /// The same of the held-out text, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) valid: Option<String>,
    /// What the run's curves have said of it.
    #[serde(default)]
    pub(crate) health: Health,
    /// Version of the code, and its commit where that is known.
    pub(crate) code: String,
    /// The settings.
    pub(crate) config: Config,
}

/// Lengths of the logs in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogLengths {
    pub(crate) metrics: u64,
    pub(crate) timing: u64,
    pub(crate) events: u64,
    #[serde(default)]
    pub(crate) remarks: u64,
}

/// The texts of a run, named by the SHA-256 of their manifests, which have the hashes of their shards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TextHashes {
    pub(crate) corpus: String,
    pub(crate) valid: Option<String>,
}
