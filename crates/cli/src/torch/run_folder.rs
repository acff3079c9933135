//! What commands take from a run's folder, and from its settings.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use electra_config::{Checkpoint, Config, RunFolder};
use electra_data::{Corpus, Manifest};
use electra_masking::Choice;
use electra_tokenizer::Tokenizer;

use crate::hub::{self, Files};
use crate::output;

/// The checkpoint of a step, or the newest whole one.
pub(crate) fn checkpoint(run: &RunFolder, folder: &Path, step: Option<u64>) -> Result<Checkpoint> {
    let Some(step) = step else {
        let (newest, damaged) = run.newest_checkpoint()?;
        for error in damaged {
            output::warn(&error.to_string());
        }
        return newest.with_context(|| format!("{}: no checkpoint was saved yet", folder.display()));
    };
    run.checkpoint(step).with_context(|| format!("--step {step}"))
}

/// The tokenizer that made the run's examples: any other would make nonsense of the ids.
pub(crate) fn tokenizer(
    config: &Config,
    corpus: Option<&Manifest>,
    given: Option<&Path>,
) -> Result<Tokenizer> {
    let named: PathBuf = given.map_or_else(|| named_tokenizer(config), Path::to_owned);
    let path = hub::folder(&named, Files::Tokenizer)?;
    let shown = path.display();
    let tokenizer = Tokenizer::load(&path)
        .with_context(|| format!("{shown}: the tokenizer (--tokenizer names another place)"))?;
    let (tokens, rows) = (tokenizer.vocab_size() as i64, config.model.encoder.vocab_size);
    ensure!(tokens <= rows, "{shown}: {tokens} tokens; expected at most the model's {rows}");
    if let Some(corpus) = corpus {
        let found = tokenizer.fingerprint_hex();
        ensure!(
            found == corpus.tokenizer,
            "{shown}: another tokenizer than the corpus was built with: its sha256 is {found}, corpus.json says {}",
            corpus.tokenizer
        );
    }
    Ok(tokenizer)
}

/// Where a run's settings say that its tokenizer is: a corpus has its tokenizer in it.
pub(crate) fn named_tokenizer(config: &Config) -> PathBuf {
    config.data.tokenizer.clone().unwrap_or_else(|| config.data.corpus.join("tokenizer"))
}

/// Which tokens continue a word; none where words are not masked whole. A tokenizer that the settings name has to be the
/// corpus's in any case: an export takes it along.
pub(crate) fn continues_word(config: &Config) -> Result<Vec<bool>> {
    let by_words = config.masking.choice != Choice::Token;
    if config.data.tokenizer.is_none() {
        ensure!(
            !by_words,
            "masking.choice speaks of words: data.tokenizer has to name the tokenizer's folder"
        );
        return Ok(Vec::new());
    }
    let corpus = Corpus::open(&config.data.corpus)?;
    let tokenizer = tokenizer(config, Some(corpus.manifest()), None)?;
    Ok(if by_words { tokenizer.continues_word().to_vec() } else { Vec::new() })
}
