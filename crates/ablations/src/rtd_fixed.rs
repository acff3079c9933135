//! Replaced token detection without a generator: controls.

use electra_config::{Head, Positions};
use electra_objective::{ObjectiveInfo, electra};

#[cfg(feature = "torch")]
pub use network::{SPEC_RTS, SPEC_UNIFORM, SPEC_UNIGRAM};

/// Replacements are drawn from all tokens alike.
pub const INFO_UNIFORM: ObjectiveInfo = ObjectiveInfo {
    name: "rtd-uniform",
    title: "RTD, uniform replacements",
    paper: None,
    has_generator: false,
    networks: |model| model.alone(&[Head::Discriminator(Positions::All)]).into(),
    ..electra::INFO
};

/// Random token substitution (Di Liello et al., "Effective Pretraining Objectives for Transformer-based Autoencoders", arXiv
/// 2210.13536): the field's name for `rtd-uniform`, which runs of before have.
pub const INFO_RTS: ObjectiveInfo =
    ObjectiveInfo { name: "rts", title: "Random token substitution (RTS)", ..INFO_UNIFORM };

/// Replacements are drawn by how often tokens occur in the corpus.
pub const INFO_UNIGRAM: ObjectiveInfo =
    ObjectiveInfo { name: "rtd-unigram", title: "RTD, unigram replacements", ..INFO_UNIFORM };

#[cfg(feature = "torch")]
mod network {
    use electra_objective::{BoxError, Electra, Given, Objective, Spec, electra};
    use tch::{Kind, Tensor, nn};

    use super::{INFO_RTS, INFO_UNIFORM, INFO_UNIGRAM};

    /// Replacements are drawn from all tokens alike.
    pub const SPEC_UNIFORM: Spec = Spec { info: INFO_UNIFORM, build: uniform, ..electra::SPEC };

    /// Random token substitution: the same under the field's name.
    pub const SPEC_RTS: Spec = Spec { info: INFO_RTS, ..SPEC_UNIFORM };

    /// Replacements are drawn by how often tokens occur in the corpus.
    pub const SPEC_UNIGRAM: Spec = Spec { info: INFO_UNIGRAM, build: unigram, ..SPEC_UNIFORM };

    /// All tokens have one weight.
    fn uniform(root: &nn::Path<'_>, given: &Given<'_>) -> Result<Box<dyn Objective>, BoxError> {
        let probabilities = Tensor::ones([given.model.encoder.vocab_size], (Kind::Double, root.device()));
        Ok(Box::new(Electra::with_fixed(root, given.model, &probabilities)))
    }

    /// A token's weight is its count in the corpus.
    fn unigram(root: &nn::Path<'_>, given: &Given<'_>) -> Result<Box<dyn Objective>, BoxError> {
        let counts = probabilities(&given.corpus.token_counts()?, given.model.encoder.vocab_size)?;
        Ok(Box::new(Electra::with_fixed(root, given.model, &Tensor::from_slice(&counts))))
    }

    /// Counts as weights of V tokens.
    fn probabilities(counts: &[u64], vocab_size: i64) -> Result<Vec<f64>, BoxError> {
        let positive = counts.iter().filter(|&&count| count > 0).count();
        if counts.len() != vocab_size as usize || positive == 0 {
            return Err(format!(
                "objective {}: {} token counts, {positive} of them positive; expected one count for each of the \
                 {vocab_size} tokens, and a positive one",
                INFO_UNIGRAM.name,
                counts.len()
            )
            .into());
        }
        Ok(counts.iter().map(|&count| count as f64).collect())
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn counts_that_cannot_be_used_are_named() {
            let refused = |counts: &[u64]| probabilities(counts, 60).unwrap_err().to_string();
            assert!(refused(&[]).contains("0 token counts"));
            assert!(refused(&[0; 60]).contains("60 token counts, 0 of them positive"));
            assert_eq!(probabilities(&[3, 0], 2).unwrap(), [3.0, 0.0]);
        }
    }
}
