//! What generators put in the place of tokens, and what the language knows of itself.

use std::path::Path;

use electra_analysis::{LanguageFacts, ReplacementFacts};
use serde::Deserialize;

use crate::files::read_json;
use crate::graph::{PlannedRun, replacements_job};
use crate::study::Progress;
use crate::{Error, Plan};

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

/// Of the generated language, if the text is in one.
pub(super) fn language(study: &Path, plan: &Plan) -> Result<Option<LanguageFacts>, Error> {
    if plan.data.synthetic.is_none() {
        return Ok(None);
    }
    let Summary { entropy, certain } = read_json::<About>(&study.join("data/language.json"))?.summary;
    Ok(Some(LanguageFacts { entropy, certain }))
}
