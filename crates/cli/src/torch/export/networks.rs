//! A checkpoint's networks under the Hub's names.

use anyhow::{Context, Result, bail, ensure};
use electra_config::Scoring;
use electra_encoder::{Architecture, EncoderConfig, HubFolder, Part, Weights};
use electra_objective::ModelConfig;
use tch::Device;

const DISCRIMINATOR: &[&str] = &["discriminator_predictions."];
const VOCABULARY: &[&str] = &["generator_predictions.", "generator_lm_head."];

/// What an export is made of.
pub(super) struct Networks {
    /// The encoder that is kept, with its head.
    pub(super) main: HubFolder,
    /// The same encoder without its head, which `AutoModel` loads without a word.
    pub(super) encoder: HubFolder,
    pub(super) generator: Option<HubFolder>,
    /// Tensors of the kept network that the Hub's classes have no place for, such as the copy gate.
    pub(super) left_out: Vec<String>,
}

impl Networks {
    /// The kept network is of the class that its score is of, where that is known.
    pub(super) fn from_checkpoint(
        checkpoint: &Weights,
        model: &ModelConfig,
        scoring: Option<Scoring>,
    ) -> Result<Self> {
        let (mut main, left_out) = hub(checkpoint, Part::MAIN, &model.encoder)?;
        if scoring.map(Scoring::architecture) == Some(Architecture::CausalLm) {
            ensure!(
                main.architecture == Architecture::MaskedLm,
                "{}: expected a vocabulary head, which predicts the next token",
                main.class()
            );
            main.architecture = Architecture::CausalLm;
        }
        let encoder = main.encoder();
        let has_generator = checkpoint.iter().any(|(name, _)| name.starts_with(Part::GENERATOR.prefix));
        let generator = match has_generator {
            true => Some(hub(checkpoint, Part::GENERATOR, &model.generator)?.0),
            false => None,
        };
        Ok(Self { main, encoder, generator, left_out })
    }
}

/// One network; its head says what it is. Also gives the names of what is left out.
fn hub(checkpoint: &Weights, part: Part<'_>, config: &EncoderConfig) -> Result<(HubFolder, Vec<String>)> {
    let mut tensors = part.tensors(&checkpoint.iter());
    let has = |heads: &[&str]| tensors.keys().any(|name| starts_with(name, heads));
    let (architecture, heads) = match (has(DISCRIMINATOR), has(VOCABULARY)) {
        (true, false) => (Architecture::PreTraining, DISCRIMINATOR),
        (false, true) => (Architecture::MaskedLm, VOCABULARY),
        (both, _) => {
            let found = if both { "both" } else { "neither" };
            let (first, second) = (DISCRIMINATOR[0], VOCABULARY[0]);
            bail!("{}{first}… and {second}…: {found}; expected one of the two", part.prefix)
        }
    };
    let left_out =
        tensors.extract_if(.., |name, _| !name.starts_with("electra.") && !starts_with(name, heads));
    let left_out = left_out.map(|(name, _)| name).collect();
    let hub = HubFolder { config: config.clone(), architecture, weights: Weights::new(tensors) };
    // What can be read back here is what transformers reads without a warning.
    electra_objective::pretrained(&hub, Device::Cpu)
        .with_context(|| format!("the network {}…", part.prefix))?;
    Ok((hub, left_out))
}

fn starts_with(name: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| name.starts_with(prefix))
}
