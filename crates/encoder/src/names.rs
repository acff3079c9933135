//! Tensors under other names than the Hub's, and tensors that a network has no use for.

use std::collections::BTreeSet;

use electra_config::{Architecture, Backbone, EncoderConfig};

use crate::modernbert_names::{self, MODEL};
use crate::part::{EMBEDDINGS, ENCODER};
use crate::{Error, Weights, shapes};

/// What TensorFlow calls a LayerNorm's parameters; transformers reads both.
const LAYER_NORM: [(&str, &str); 2] =
    [("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias")];

/// A tensor that every encoder has, without the encoder's prefix.
fn words(backbone: Backbone) -> &'static str {
    match backbone {
        Backbone::Electra => "embeddings.word_embeddings.weight",
        Backbone::ModernBert => "embeddings.tok_embeddings.weight",
    }
}

/// What is under the encoder's prefix and changes what it computes: a surplus one is of another network.
const OF_THE_ENCODER: [&str; 9] = [
    "electra.encoder.",
    "electra.layers.",
    "electra.final_norm.",
    "electra.embeddings.tok_embeddings.",
    "electra.embeddings.norm.",
    "electra.embeddings.word_embeddings.",
    "electra.embeddings.position_embeddings.",
    "electra.embeddings.token_type_embeddings.",
    "electra.embeddings.LayerNorm.",
];

/// Gives the tensors the names that ELECTRA's have on the Hub, and drops those that are not parameters.
///
/// # Errors
/// If every name has a prefix that is not the Hub's, or a table that is there twice differs.
pub(crate) fn mend(
    backbone: Backbone,
    architecture: Architecture,
    weights: &mut Weights,
) -> Result<(), Error> {
    let expected = if backbone == Backbone::Electra { ENCODER } else { MODEL };
    if let Some(prefix) = wrapper(expected, words(backbone), weights) {
        return Err(Error::Wrapped { path: weights.path().to_owned(), prefix, expected });
    }
    if backbone == Backbone::ModernBert {
        modernbert_names::mend(architecture, weights);
        return drop_copies(words(backbone), weights);
    }
    for (other, name) in LAYER_NORM {
        weights.rename(|found| found.strip_suffix(other).map(|rest| format!("{rest}{name}")));
    }
    if architecture == Architecture::Encoder && !weights.iter().any(|(name, _)| name.starts_with(ENCODER)) {
        weights.rename(|found| Some(format!("{ENCODER}{found}")));
    }
    drop_copies(words(backbone), weights)
}

/// The prefix of a wrapper, such as `module.` of data parallelism, that every name has.
fn wrapper(expected: &str, words: &str, weights: &Weights) -> Option<String> {
    let (first, _) = weights.iter().next()?;
    let (segment, _) = first.split_once('.')?;
    let prefix = format!("{segment}.");
    let mut has_words = false;
    for (name, _) in weights.iter() {
        let rest = name.strip_prefix(&prefix)?;
        has_words |= rest.strip_prefix(expected).unwrap_or(rest) == words;
    }
    (has_words && prefix != expected).then_some(prefix)
}

/// Older files hold tensors that are not parameters: the numbers 0, 1, 2…, and the word table a second time.
fn drop_copies(words: &str, weights: &mut Weights) -> Result<(), Error> {
    weights.remove(&format!("{EMBEDDINGS}position_ids"));
    let word = format!("{ENCODER}{words}");
    if let Some(output) = weights.remove("generator_lm_head.weight")
        && weights.get(&word).is_none_or(|word| word.size() != output.size() || *word != output)
    {
        let what = format!("generator_lm_head.weight differs from {word}; expected the same table");
        return Err(Error::format(weights.path(), what));
    }
    Ok(())
}

/// Takes out what the network has no use for: a projection between two sizes that are equal, a pooler, heads and buffers
/// of other programs. The weights have every tensor of the encoder.
pub(crate) fn drop_unused(config: &EncoderConfig, architecture: Architecture, weights: &mut Weights) {
    let is_modernbert = config.architecture == Backbone::ModernBert;
    let heads: &[&str] = match architecture {
        Architecture::PreTraining => &["discriminator_predictions."],
        Architecture::MaskedLm | Architecture::CausalLm => &["generator_predictions.", "generator_lm_head."],
        Architecture::Encoder => &[],
        _ if is_modernbert => &["head.", "classifier.", "linear_classifier."],
        Architecture::SequenceClassification | Architecture::TokenClassification => {
            &["classifier.", "mean_classifier."]
        }
        Architecture::QuestionAnswering => &["qa_outputs."],
        Architecture::MultipleChoice => &["sequence_summary.", "classifier."],
    };
    let known: BTreeSet<String> = shapes::parameters(config).map(|(name, _)| name).collect();
    let begins = |name: &str, prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    weights.leave_out(|name| !known.contains(name) && !begins(name, heads) && !begins(name, &OF_THE_ENCODER));
}
