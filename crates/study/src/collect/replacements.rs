//! What generators put in the place of tokens, and what the language knows of itself.

use std::path::Path;

use electra_analysis::{LanguageFacts, ReplacementFacts};
use serde::Deserialize;

use crate::Error;
use crate::files::read_json;
use crate::graph::{PlannedRun, replacements_job};
use crate::progress::Progress;
use crate::source::TextSource;

/// What is read of the output of `electra replacements`.
#[derive(Deserialize)]
struct Measured {
    replacements: ReplacementFacts,
}

/// What is read of `language.json`.
#[derive(Deserialize)]
struct About {
    summary: Summary,
}

#[derive(Deserialize)]
struct Summary {
    entropy: f64,
    certain: f64,
}

/// Of a run, if it was measured.
pub(super) fn replacements(
    study: &Path,
    run: &PlannedRun,
    progress: &Progress,
) -> Result<Option<ReplacementFacts>, Error> {
    let (id, output) = replacements_job(&run.name);
    if !progress.is_done(&id) {
        return Ok(None);
    }
    Ok(Some(read_json::<Measured>(&study.join(output))?.replacements))
}

/// Of the generated languages, if the text is in some: means over those that are there.
pub(super) fn language(study: &Path, sources: &[TextSource]) -> Result<Option<LanguageFacts>, Error> {
    let generated = sources.iter().filter(|source| source.language().is_some());
    let read = |source: &TextSource| -> Result<Summary, Error> {
        Ok(read_json::<About>(&study.join(source.folder("data")).join("language.json"))?.summary)
    };
    let summaries: Vec<Summary> = generated.map(read).collect::<Result<_, _>>()?;
    if summaries.is_empty() {
        return Ok(None);
    }
    let mean = |value: fn(&Summary) -> f64| summaries.iter().map(value).sum::<f64>() / summaries.len() as f64;
    Ok(Some(LanguageFacts {
        entropy: mean(|summary| summary.entropy),
        certain: mean(|summary| summary.certain),
    }))
}
