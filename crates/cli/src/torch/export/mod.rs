//! `electra export`.

mod card;
mod networks;
mod place;
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
use crate::hub::{self, Commit, Destination};
use crate::output;

/// Write a run's networks in the Hub's layout, as transformers loads them.
///
/// The folder is the encoder that is kept, with its head: ElectraForPreTraining where the objective tells
/// replaced tokens, ElectraForMaskedLM where it predicts tokens, ElectraForCausalLM where it predicts the next one; of a
/// ModernBERT, ModernBertForTokenClassification with one label, or ModernBertForMaskedLM. encoder/ in it is the same
/// without the head, for AutoModel, fine-tuning and sentence-transformers; generator/ is the generator, if the run has
/// one. All have the
/// tokenizer's files; README.md is a model card. Nothing is left behind if it fails.
///
/// With --push the same files go to the Hub, as one commit, with the token of HF_TOKEN or of hf auth login. The repository
/// and the branch are made where they are missing; a repository is public unless --private is said. A push replaces the
/// files of an export that are there, README.md among them, and leaves others alone. Step 0, the run's first values,
/// needs no checkpoint, but the corpus.
#[derive(Args)]
#[command(after_help = "Examples:
  electra export --run runs/electra --output export
  electra export --run runs/electra --step 10000 --no-generator --output export-10000
  electra export --run runs/electra --step 10000 --push you/electra-mine --revision step-10000
  python -c \"from transformers import AutoModel; AutoModel.from_pretrained('export/encoder')\"")]
pub(crate) struct Options {
    /// Folder of a run of `electra pretrain`
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    /// Folder to write to; must be new or empty
    #[arg(long, value_name = "DIR", required_unless_present = "push")]
    output: Option<PathBuf>,
    /// Model of the Hub to push to, with or without a branch
    #[arg(long, value_name = "NAME[@BRANCH]")]
    push: Option<String>,
    /// Branch to push to [default: main]
    #[arg(long, value_name = "BRANCH", requires = "push")]
    revision: Option<String>,
    /// Make a repository that only you see, if it is made
    #[arg(long, requires = "push")]
    private: bool,
    /// Checkpoint to take, by its steps, or 0 for the first values [default: the newest that is whole]
    #[arg(long, value_name = "N")]
    step: Option<u64>,
    /// Tokenizer to take along [default: the one that the run's settings name, else the corpus's]
    #[arg(long, value_name = "DIR|hf:NAME")]
    tokenizer: Option<PathBuf>,
    /// Leave out the generator
    #[arg(long)]
    no_generator: bool,
    /// What of the last layer stands for a text in sentence-transformers
    #[arg(long, value_enum, default_value = "mean", value_name = "POOLING")]
    pooling: Pooling,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let destination = destination(options)?;
    options.output.as_deref().map(require_vacant).transpose()?;
    let folder = NewFolder::create(&place(options))?;
    let source = Source::open(&options.run, options.step, options.tokenizer.as_deref())?;
    // What another program's objective is scored by is not known here.
    let scoring = electra_ablations::info(&source.config.objective).ok().map(|info| info.scoring);
    let networks = Networks::from_checkpoint(&source.weights, &source.config.model.model(), scoring)
        .with_context(|| format!("{}: step {}", options.run.display(), source.step))?;
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
    let card = card::card(&source, &networks, generator.is_some(), destination.as_ref());
    electra_store::write(&folder.path().join("README.md"), card)?;
    let (step, objective) = (source.step, &source.config.objective);
    let message = format!("Step {step} of a run of {objective}");
    let commit =
        |destination, folder| Commit { destination, folder, private: options.private, message: &message };
    let Some(output) = &options.output else {
        let destination = destination.expect("an export without a folder is pushed");
        let address = hub::push(&commit(&destination, folder.path()))?;
        return output::line(format_args!(
            "pushed {} after {step} steps to {address}",
            networks.main.class()
        ));
    };
    folder.finish()?;

    let shown = output::shown(output);
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
    output::print(&text)?;
    let Some(destination) = destination else { return Ok(()) };
    let again = || format!("{shown} is whole; the same command without --output pushes it again");
    let address = hub::push(&commit(&destination, output)).with_context(again)?;
    output::line(format_args!("pushed to {address}"))
}

/// Where the export is pushed to, if it is, and whether that can be tried.
fn destination(options: &Options) -> Result<Option<Destination>> {
    let Some(push) = &options.push else { return Ok(None) };
    let destination = Destination::parse(push, options.revision.as_deref())?;
    hub::check()?;
    Ok(Some(destination))
}

/// The folder to write to. What is pushed alone has one for that time, which the end of the command removes.
fn place(options: &Options) -> PathBuf {
    let passing = || std::env::temp_dir().join(format!("electra-export-{}", std::process::id()));
    options.output.clone().unwrap_or_else(passing)
}

fn write_network(folder: &Path, hub: &HubFolder, tokenizer: &Tokenizer) -> Result<()> {
    hub.write(folder)?;
    save_tokenizer(folder, hub, tokenizer)
}

fn save_tokenizer(folder: &Path, hub: &HubFolder, tokenizer: &Tokenizer) -> Result<()> {
    Ok(tokenizer.save_with_model(folder, hub.config.max_position_embeddings, hub.config.has_token_types())?)
}

/// What `electra minimal-pairs` needs to know about the network, if its class alone does not say it.
fn scoring_field(scoring: Option<Scoring>, architecture: Architecture) -> Map<String, Value> {
    let told = scoring.filter(|scoring| Scoring::of_architecture(architecture) != Some(*scoring));
    told.map(|scoring| (SCORING_FIELD.to_owned(), json!(scoring))).into_iter().collect()
}
