//! A run at one of its checkpoints, and the batches that it is asked about.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use electra_config::{Checkpoint, Config, DeviceChoice, Precision, RunFolder};
use electra_data::{Corpus, Loader, View};
use electra_encoder::Compute;
use electra_objective::{Given, ModelConfig, Objective};
use electra_tokenizer::Tokenizer;
use tch::{Device, nn};

use super::Options;
use crate::hub;
use crate::output;
use crate::torch::run_folder;

pub(super) struct Source {
    pub(super) config: Config,
    pub(super) checkpoint: Checkpoint,
    /// The step after the newest checkpoint: no checkpoint of the run was trained on it.
    pub(super) first_batch: u64,
    corpus: Corpus,
    tokenizer: Tokenizer,
    continues_word: Vec<bool>,
}

impl Source {
    pub(super) fn open(options: &Options) -> Result<Self> {
        let folder = &options.run;
        let run = RunFolder::open(folder).context("--run: expected a folder of electra pretrain")?;
        let config = run.config().clone();
        let newest = run_folder::checkpoint(&run, folder, None)?;
        let first_batch = newest.step;
        let checkpoint = match options.step {
            Some(_) => run_folder::checkpoint(&run, folder, options.step)?,
            None => newest,
        };
        let path = options.corpus.as_ref().unwrap_or(&config.data.corpus);
        let corpus = Corpus::open(path)
            .with_context(|| format!("{}: the corpus (--corpus names another place)", path.display()))?;
        fits(&config, &corpus, path)?;
        let given = options.tokenizer.clone().or_else(|| tokenizer_of(&config, options.corpus.as_deref()));
        let tokenizer = run_folder::tokenizer(&config, Some(corpus.manifest()), given.as_deref())?;
        let continues_word = tokenizer.continues_word().to_vec();
        Ok(Self { config, checkpoint, first_batch, corpus, tokenizer, continues_word })
    }

    /// The token that a word is; none if it is several, or unknown.
    pub(super) fn token(&self, word: &str) -> Option<u32> {
        match self.tokenizer.encode(word)[..] {
            [token] if token != self.corpus.vocabulary().unk => Some(token),
            _ => None,
        }
    }

    /// The objective with the checkpoint's parameters, and where it computes.
    pub(super) fn objective(&self) -> Result<(Box<dyn Objective>, Device)> {
        let config = &self.config;
        // What was trained on a GPU can be looked at without one.
        let choice = match config.device.device {
            DeviceChoice::Cpu => DeviceChoice::Cpu,
            _ => DeviceChoice::Auto,
        };
        let Compute { device, .. } = Compute::set_up(choice, config.device.threads, Precision::Fp32, false)?;
        let var_store = nn::VarStore::new(device);
        let model = config.model.model();
        let spec = electra_ablations::objective(&config.objective)?;
        let objective =
            (spec.build)(&var_store.root(), &self.given(&model)).map_err(anyhow::Error::from_boxed)?;
        electra_trainer::read_model(&self.checkpoint)?.load_into(&var_store)?;
        Ok((objective, device))
    }

    /// What the loader prepares.
    pub(super) fn view(&self) -> Result<Box<dyn View>> {
        let model = self.config.model.model();
        let spec = electra_ablations::objective(&self.config.objective)?;
        (spec.view)(&self.given(&model)).map_err(anyhow::Error::from_boxed)
    }

    /// A loader of the run's batches.
    pub(super) fn loader<'a>(&'a self, view: &'a dyn View) -> Result<Loader<'a>> {
        Ok(Loader::new(&self.corpus, view, self.config.budget.batch, self.config.seed)?)
    }

    fn given<'a>(&'a self, model: &'a ModelConfig) -> Given<'a> {
        Given {
            model,
            masking: &self.config.masking,
            corpus: &self.corpus,
            continues_word: &self.continues_word,
            seed: self.config.seed,
            steps: None,
        }
    }
}

/// Whether the encoder can read the corpus.
fn fits(config: &Config, corpus: &Corpus, path: &Path) -> Result<()> {
    let encoder = &config.model.encoder;
    for (what, found, most) in [
        ("tokens in its vocabulary", i64::from(corpus.vocabulary().size), encoder.vocab_size),
        ("tokens in an example", corpus.max_length() as i64, encoder.max_position_embeddings),
    ] {
        ensure!(found <= most, "{}: {found} {what}; expected at most the run's {most}", path.display());
    }
    Ok(())
}

/// The tokenizer of another corpus, where the run's own is not to be found.
fn tokenizer_of(config: &Config, corpus: Option<&Path>) -> Option<PathBuf> {
    let named = run_folder::named_tokenizer(config);
    let other = corpus?.join("tokenizer");
    if named.exists() || hub::is_name(&named) {
        return None;
    }
    let (named, taken) = (named.display(), other.display());
    output::tell(&format!("note: the run's tokenizer is not at {named}; {taken} is taken for it"));
    Some(other)
}
