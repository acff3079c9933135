//! `electra export`.

mod card;
mod networks;
mod sentence;
mod source;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use electra_config::{SCORING_FIELD, Scoring};
use electra_encoder::{Architecture, HubFolder, PositionEmbeddingType};
use electra_store::{NewFolder, require_vacant};
use electra_tokenizer::Tokenizer;
use serde_json::{Map, Value, json};

use self::networks::Networks;
use self::sentence::Pooling;
use self::source::Source;
use crate::output;

/// Write a run's networks in the Hub's layout, as transformers loads them.
///
/// The folder is the encoder that is kept, with its head: ElectraForPreTraining where the objective tells
/// replaced tokens, ElectraForMaskedLM where it predicts tokens, ElectraForCausalLM where it predicts the next one; of a
/// ModernBERT, ModernBertForTokenClassification with one label, or ModernBertForMaskedLM. encoder/ in it is the same
/// without the head, for AutoModel, fine-tuning and sentence-transformers; generator/ is the generator, if the run has
/// one. All have the
/// tokenizer's files; README.md is a model card. Nothing is left behind if it fails.
#[derive(Args)]
#[command(after_help = "Examples:
  electra export --run runs/electra --output export
  electra export --run runs/electra --step 10000 --no-generator --output export-10000
  python -c \"from transformers import AutoModel; AutoModel.from_pretrained('export/encoder')\"")]
pub(crate) struct Options {
    /// Folder of a run of `electra pretrain`
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    /// Folder to write to; must be new or empty
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Checkpoint to take, by its steps [default: the newest that is whole]
    #[arg(long, value_name = "N")]
    step: Option<u64>,
    /// Tokenizer to take along [default: the one that the run's settings name, else the corpus's]
    #[arg(long, value_name = "DIR")]
    tokenizer: Option<PathBuf>,
    /// Leave out the generator
    #[arg(long)]
    no_generator: bool,
    /// What of the last layer stands for a text in sentence-transformers
    #[arg(long, value_enum, default_value = "mean", value_name = "POOLING")]
    pooling: Pooling,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    require_vacant(&options.output)?;
    let folder = NewFolder::create(&options.output)?;
    let source = Source::open(&options.run, options.step, options.tokenizer.as_deref())?;
    let weights = electra_trainer::read_model(&source.checkpoint)?;
    // What another program's objective is scored by is not known here.
    let scoring = electra_ablations::info(&source.config.objective).ok().map(|info| info.scoring);
    let networks = Networks::from_checkpoint(&weights, &source.config.model.model(), scoring)
        .with_context(|| source.checkpoint.folder.display().to_string())?;
    let generator = networks.generator.as_ref().filter(|_| !options.no_generator);

    let fields = scoring_field(scoring, networks.main.architecture);
    networks.main.write_with(folder.path(), &fields)?;
    save_tokenizer(folder.path(), &networks.main, &source.tokenizer)?;
    write_network(&folder.path().join("encoder"), &networks.encoder, &source.tokenizer)?;
    // What no class of transformers computes as it was trained cannot be pooled there.
    if networks.main.architecture != Architecture::CausalLm
        && networks.encoder.config.position_embedding_type == PositionEmbeddingType::Absolute
    {
        let encoder = folder.path().join("encoder");
        sentence::write_modules(&encoder, &networks.encoder.config, options.pooling)?;
    }
    if let Some(generator) = generator {
        write_network(&folder.path().join("generator"), generator, &source.tokenizer)?;
    }
    let card = card::card(&source, &networks, generator.is_some());
    electra_store::write(&folder.path().join("README.md"), card)?;
    folder.finish()?;

    let shown = output::shown(&options.output);
    let step = source.checkpoint.step;
    let mut text = format!(
        "{shown}: {} after {step} steps of {}\n{shown}/encoder: {}\n",
        networks.main.class(),
        source.config.objective,
        networks.encoder.class()
    );
    if let Some(generator) = generator {
        text.push_str(&format!("{shown}/generator: {}\n", generator.class()));
    }
    for name in &networks.left_out {
        let name = output::escaped(name);
        text.push_str(&format!("left out: {name}, which the Hub's architecture has no place for\n"));
    }
    output::print(&text)
}

fn write_network(folder: &Path, hub: &HubFolder, tokenizer: &Tokenizer) -> Result<()> {
    hub.write(folder)?;
    save_tokenizer(folder, hub, tokenizer)
}

fn save_tokenizer(folder: &Path, hub: &HubFolder, tokenizer: &Tokenizer) -> Result<()> {
    Ok(tokenizer.save_with_model(folder, hub.config.max_position_embeddings, hub.config.has_token_types())?)
}

/// What `electra minimal-pairs` has to know of the network where its class alone does not tell.
fn scoring_field(scoring: Option<Scoring>, architecture: Architecture) -> Map<String, Value> {
    let told = scoring.filter(|scoring| Scoring::of_architecture(architecture) != Some(*scoring));
    told.map(|scoring| (SCORING_FIELD.to_owned(), json!(scoring))).into_iter().collect()
}
