//! A fine-tuned network that answers.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use electra_encoder::Compute;
use electra_tasks::{Content, Dataset, Example, Kind, Task};
use electra_tokenizer::Tokenizer;

use crate::data::{Set, problem};
use crate::model::{FineTuned, TaskInfo};
use crate::network::TaskNetwork;
use crate::predictions::{Prediction, predict};
use crate::score::{Scores, score, table};
use crate::spans::Search;
use crate::{Error, Problem, model};

/// Tokens by which one window of a long text begins after the other: the reference's.
const STRIDE: usize = 128;

/// A fine-tuned network with its tokenizer.
#[derive(Debug)]
pub struct Predictor {
    network: TaskNetwork,
    tokenizer: Tokenizer,
    info: TaskInfo,
    note: Option<String>,
}

/// A set of a task as a fine-tuned network sees it.
#[derive(Clone, Debug)]
pub struct ScoredSet {
    /// Example by example; classes are numbered as the task has them.
    pub predictions: Vec<Prediction>,
    /// By metric; none where it is not known what is right.
    pub scores: Option<Scores>,
    /// Lines with tabs: `index`, `prediction`, `label`, and a score for each class.
    pub table: String,
}

impl Predictor {
    /// Reads the model folder of a fine-tuning, or any of transformers' `ElectraForSequenceClassification`,
    /// `…TokenClassification`, `…QuestionAnswering` and `…MultipleChoice` with its tokenizer.
    ///
    /// # Errors
    /// If a file is missing or damaged, or the network is of another kind.
    pub fn read(folder: &Path, compute: Compute) -> Result<Self, Error> {
        let FineTuned { network, tokenizer, info, note } = model::read(folder, compute)?;
        Ok(Self { network, tokenizer, info, note })
    }

    /// What to say of tensors of the folder that the network has no use for.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// What it predicts.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.network.problem
    }

    /// Whether it was fine-tuned on pairs of texts, if its folder says so.
    #[must_use]
    pub fn takes_pairs(&self) -> Option<bool> {
        self.info.text_pair
    }

    /// What it calls the choices of multiple choice, by position; empty if they are numbers.
    #[must_use]
    pub fn choice_labels(&self) -> &[String] {
        &self.info.choice_labels
    }

    /// What stands between several labels of a text, if its folder says so.
    #[must_use]
    pub fn label_separator(&self) -> Option<&str> {
        self.info.label_separator.as_deref()
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
                (Problem::Classes(_) | Problem::MultiLabel(_) | Problem::Value, Content::Sequence { .. })
                    | (Problem::Words(_), Content::Tokens { .. })
                    | (Problem::Spans, Content::Spans { .. })
                    | (Problem::Choice, Content::Choice { .. })
            )
        };
        assert!(contents.iter().all(right), "a content of another kind than {:?}", self.problem());
        let examples: Vec<Example> =
            contents.into_iter().map(|content| Example { index: String::new(), content }).collect();
        self.predict_set(&self.set(&examples), stop)
    }

    /// Predicts a set of a task, as [`predict`](Self::predict) does, and scores it.
    ///
    /// # Errors
    /// [`Error::Task`] if the task has other labels than the network or is of another kind; as
    /// [`predict`](Self::predict).
    pub fn score(&self, task: &Task, dataset: &Dataset, stop: &AtomicBool) -> Result<ScoredSet, Error> {
        let order = self.order(task)?;
        let set = self.set(&dataset.examples);
        let mut predictions = self.predict_set(&set, stop)?;
        let renumber = |class: &mut usize, probabilities: &mut Vec<f32>| {
            *class = order.iter().position(|place| place == class).expect("each class has its place");
            *probabilities = order.iter().map(|&place| probabilities[place]).collect();
        };
        if !order.is_empty() {
            for prediction in &mut predictions {
                match prediction {
                    Prediction::Class { class, probabilities } => renumber(class, probabilities),
                    Prediction::Words(words) => {
                        words.iter_mut().for_each(|(class, probabilities)| renumber(class, probabilities));
                    }
                    Prediction::MultiLabel { probabilities, .. } => {
                        let probabilities = order.iter().map(|&place| probabilities[place]).collect();
                        *prediction = Prediction::multi_label(probabilities);
                    }
                    Prediction::Value(_) | Prediction::Span(_) => {}
                }
            }
        }
        let scores = score(task, &set, &predictions)?;
        Ok(ScoredSet { table: table(task, &set, &predictions), predictions, scores })
    }

    /// For each class of a task its place among the network's; empty where there are no classes.
    fn order(&self, task: &Task) -> Result<Vec<usize>, Error> {
        let refuse = |what: String| Error::Task { task: task.name.clone(), what };
        match (self.info.text_pair, task.kind) {
            (Some(true), Kind::Sequence { pair: false }) => {
                return Err(refuse(
                    "its examples are one text each; the model was fine-tuned on pairs".to_owned(),
                ));
            }
            (Some(false), Kind::Sequence { pair: true }) => {
                return Err(refuse(
                    "its examples are pairs of texts; the model was fine-tuned on one each".to_owned(),
                ));
            }
            _ => {}
        }
        match (problem(task)?, self.problem()) {
            (Problem::Classes(expected), Problem::Classes(found))
            | (Problem::MultiLabel(expected), Problem::MultiLabel(found))
            | (Problem::Words(expected), Problem::Words(found)) => {
                let places: Option<Vec<usize>> =
                    expected.iter().map(|label| found.iter().position(|other| other == label)).collect();
                places.filter(|places| places.len() == found.len()).ok_or_else(|| {
                    refuse(format!(
                        "its labels are {}; the model's are {}",
                        expected.join(", "),
                        found.join(", ")
                    ))
                })
            }
            (Problem::Value, Problem::Value)
            | (Problem::Spans, Problem::Spans)
            | (Problem::Choice, Problem::Choice) => Ok(Vec::new()),
            (expected, found) => {
                Err(refuse(format!("it asks for {}; the model gives {}", expected.words(), found.words())))
            }
        }
    }

    fn set<'a>(&self, examples: &'a [Example]) -> Set<'a> {
        let most = usize::try_from(self.network.config().max_position_embeddings).unwrap_or(usize::MAX);
        Set::encode(&self.tokenizer, examples, most, STRIDE)
    }

    fn predict_set(&self, set: &Set<'_>, stop: &AtomicBool) -> Result<Vec<Prediction>, Error> {
        let search = Search { n_best: 20, max_answer: 30, none_threshold: self.info.none_threshold };
        predict(&self.network, set, &search, stop)
    }
}
