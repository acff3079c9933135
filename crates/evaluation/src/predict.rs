//! A fine-tuned network that answers.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use electra_tasks::{Content, Example};
use electra_tokenizer::Tokenizer;
use tch::Device;

use crate::data::Set;
use crate::network::Network;
use crate::predictions::{Prediction, predict};
use crate::spans::Search;
use crate::{Error, Problem, model};

/// Tokens by which one window of a long text begins after the other: the reference's.
const STRIDE: usize = 128;

/// A fine-tuned network with its tokenizer.
#[derive(Debug)]
pub struct Predictor {
    network: Network,
    tokenizer: Tokenizer,
    search: Search,
}

impl Predictor {
    /// Reads the model folder of a fine-tuning, or any of transformers' `ElectraForSequenceClassification`,
    /// `…TokenClassification`, `…QuestionAnswering` and `…MultipleChoice` with its tokenizer.
    ///
    /// # Errors
    /// If a file is missing or damaged, or the network is of another kind.
    pub fn read(folder: &Path, device: Device) -> Result<Self, Error> {
        let (network, tokenizer, none_threshold) = model::read(folder, device)?;
        Ok(Self { network, tokenizer, search: Search { n_best: 20, max_answer: 30, none_threshold } })
    }

    /// What it predicts.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.network.problem
    }

    /// Predicts what is right of each: contents of the kind that the problem is of. Texts are cut where the
    /// encoder's rows end; of spans, long ones become windows.
    ///
    /// # Errors
    /// If `stop` became true, or libtorch threw an exception.
    ///
    /// # Panics
    /// If a content is of another kind.
    pub fn predict(&self, contents: Vec<Content>, stop: &AtomicBool) -> Result<Vec<Prediction>, Error> {
        let right = |content: &Content| {
            matches!(
                (self.problem(), content),
                (Problem::Classes(_) | Problem::Value, Content::Sequence { .. })
                    | (Problem::Words(_), Content::Tokens { .. })
                    | (Problem::Spans, Content::Spans { .. })
                    | (Problem::Choice, Content::Choice { .. })
            )
        };
        assert!(contents.iter().all(right), "a content of another kind than {:?}", self.problem());
        let examples: Vec<Example> =
            contents.into_iter().map(|content| Example { index: String::new(), content }).collect();
        let most = usize::try_from(self.network.config().max_position_embeddings).unwrap_or(usize::MAX);
        let set = Set::of(&self.tokenizer, &examples, most, STRIDE);
        predict(&self.network, &set, &self.search, stop)
    }
}
