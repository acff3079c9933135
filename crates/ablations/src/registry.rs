//! Objectives by name.

use electra_encoder::{Head, Network, Positions};
use electra_masking::{MaskingConfig, Shares};
use electra_objective::{Electra, Mlm, ModelConfig, Objective};
use tch::{Kind, Tensor, nn};

use crate::{AllTokensMlm, Electra15, ReplaceMlm, ShuffledElectra};

/// What an objective's name can be wrong in.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no objective of that name.
    #[error("objective: there is none called {name:?}; there are {}", NAMES.join(", "))]
    Unknown {
        /// The name.
        name: String,
    },
    /// The control with unigram replacements was asked for without usable counts.
    #[error(
        "objective rtd-unigram: {found} token counts, {positive} of them positive; expected one count for each of the {vocab_size} tokens, and a positive one"
    )]
    Unigram {
        /// How many counts there are.
        found: usize,
        /// How many of them are positive.
        positive: usize,
        /// V.
        vocab_size: i64,
    },
}

/// The names that [`build`] knows: the paper's five (Table 5), then the controls.
pub const NAMES: &[&str] = &[
    "mlm",
    "replace-mlm",
    "electra-15",
    "all-tokens-mlm",
    "electra",
    "mlm-85-15",
    "all-tokens-mlm-no-gate",
    "rtd-unigram",
    "rtd-uniform",
    "electra-shuffled",
    "electra-shuffled-all",
];

/// The objective of a name, its parameters under `root`. They have no values yet: see
/// [`electra_encoder::initialise`].
///
/// `unigram` holds how often each token occurs in the corpus; only `rtd-unigram` looks at it.
///
/// # Errors
/// [`Error::Unknown`], [`Error::Unigram`].
pub fn build(
    name: &str,
    root: &nn::Path<'_>,
    model: &ModelConfig,
    unigram: &[u64],
) -> Result<Box<dyn Objective>, Error> {
    let vocab_size = model.encoder.vocab_size;
    Ok(match name {
        "mlm" | "mlm-85-15" => Box::new(Mlm::new(root, model)),
        "electra" => Box::new(Electra::new(root, model)),
        "electra-15" => Box::new(Electra15::new(root, model)),
        "electra-shuffled" => Box::new(ShuffledElectra::new(root, model, 0.3)),
        "electra-shuffled-all" => Box::new(ShuffledElectra::new(root, model, 1.0)),
        "replace-mlm" => Box::new(ReplaceMlm::new(root, model)),
        "all-tokens-mlm" => Box::new(AllTokensMlm::new(root, model, true)),
        "all-tokens-mlm-no-gate" => Box::new(AllTokensMlm::new(root, model, false)),
        "rtd-uniform" => {
            let probabilities = Tensor::ones([vocab_size], (Kind::Double, root.device()));
            Box::new(Electra::with_fixed(root, model, &probabilities))
        }
        "rtd-unigram" => {
            let positive = unigram.iter().filter(|&&count| count > 0).count();
            if unigram.len() != vocab_size as usize || positive == 0 {
                return Err(Error::Unigram { found: unigram.len(), positive, vocab_size });
            }
            let counts: Vec<f64> = unigram.iter().map(|&count| count as f64).collect();
            Box::new(Electra::with_fixed(root, model, &Tensor::from_slice(&counts)))
        }
        _ => return Err(Error::Unknown { name: name.into() }),
    })
}

/// How an objective masks: BERT's 80/10/10 for MLM, 85/15 (reference) for its control, and the paper's rule for
/// ELECTRA, all `[MASK]`, wherever a generator sees the masks. All choose the same positions.
///
/// # Errors
/// [`Error::Unknown`].
pub fn masking(name: &str) -> Result<MaskingConfig, Error> {
    match name {
        "mlm" => Ok(MaskingConfig::bert()),
        "mlm-85-15" => {
            let corruption = Shares { mask: 0.85, random: 0.0, keep: 0.15 };
            Ok(MaskingConfig { corruption, ..MaskingConfig::electra() })
        }
        _ if NAMES.contains(&name) => Ok(MaskingConfig::electra()),
        _ => Err(Error::Unknown { name: name.into() }),
    }
}

/// The networks of an objective with their heads, for counting FLOPs.
///
/// # Errors
/// [`Error::Unknown`].
pub fn networks<'a>(name: &str, model: &'a ModelConfig) -> Result<Vec<Network<'a>>, Error> {
    let main: &'static [Head] = match name {
        "mlm" | "mlm-85-15" | "replace-mlm" => &[Head::Vocabulary(Positions::Masked)],
        "electra" | "rtd-unigram" | "rtd-uniform" | "electra-shuffled" | "electra-shuffled-all" => {
            &[Head::Discriminator(Positions::All)]
        }
        "electra-15" => &[Head::Discriminator(Positions::Masked)],
        "all-tokens-mlm" => &[Head::Vocabulary(Positions::All), Head::Gate(Positions::All)],
        "all-tokens-mlm-no-gate" => &[Head::Vocabulary(Positions::All)],
        _ => return Err(Error::Unknown { name: name.into() }),
    };
    let main = Network { encoder: &model.encoder, heads: main };
    if matches!(name, "mlm" | "mlm-85-15" | "rtd-unigram" | "rtd-uniform") {
        return Ok(vec![main]);
    }
    Ok(vec![Network { encoder: &model.generator, heads: &[Head::Vocabulary(Positions::Masked)] }, main])
}
