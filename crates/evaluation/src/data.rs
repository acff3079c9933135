//! A task's sets as items for a network: read once, encoded once, for all seeds.

use std::collections::BTreeMap;

use electra_tasks::{Content, Dataset, Example, Kind, Label, Labels, Split, Task};
use electra_tokenizer::Tokenizer;
use sha2::{Digest, Sha256};

use crate::batches::{Item, Row, Target};
use crate::config::{Recipe, TaskSize};
use crate::encode::{self, Pieces};
use crate::heads::Problem;
use crate::pretrained::hex;
use crate::{Error, Pretrained};

/// A task with the sets that a fine-tuning needs, in memory.
#[derive(Clone, Debug)]
pub struct TaskData {
    pub(crate) task: Task,
    pub(crate) train: Dataset,
    pub(crate) sets: Vec<(Split, Dataset)>,
}

impl TaskData {
    /// Reads the train set and those that are to be scored. Of `Split::Dev` and `Split::Test` the named ones,
    /// such as MNLI's `dev-mismatched`, come along.
    ///
    /// # Errors
    /// If a set is missing or its file is not what the task says, naming file and line.
    pub fn read(task: Task, evaluate: &[Split]) -> Result<Self, Error> {
        let train = task.read(&Split::Train)?;
        let mut splits: Vec<Split> = Vec::new();
        for split in evaluate {
            let prefix = format!("{split}-");
            let others = task.splits().filter(|other| other.to_string().starts_with(&prefix));
            for split in std::iter::once(split).chain(others) {
                if !splits.contains(split) {
                    splits.push(split.clone());
                }
            }
        }
        let read = |split: Split| Ok((split.clone(), task.read(&split)?));
        let sets = splits.into_iter().map(read).collect::<Result<Vec<_>, Error>>()?;
        Ok(Self { task, train, sets })
    }

    /// The task.
    #[must_use]
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// The train set and those that are scored, by their names.
    fn all(&self) -> impl Iterator<Item = (String, &Dataset)> {
        let scored = self.sets.iter().map(|(split, dataset)| (split.to_string(), dataset));
        std::iter::once((Split::Train.to_string(), &self.train)).chain(scored)
    }

    /// What to say of examples that were left out, a line a set.
    pub fn notes(&self) -> impl Iterator<Item = String> {
        self.all().filter_map(|(_, dataset)| dataset.note())
    }

    /// What of it decides values of a preset.
    #[must_use]
    pub fn size(&self) -> TaskSize {
        TaskSize {
            epochs: self.task.epochs,
            is_spans: matches!(self.task.kind, Kind::Spans { .. }),
            examples: self.train.examples.len(),
        }
    }
}

/// A task's sets as one encoder reads them.
#[derive(Debug)]
pub struct Prepared<'a> {
    pub(crate) task: &'a Task,
    pub(crate) problem: Problem,
    pub(crate) train: Set<'a>,
    pub(crate) sets: Vec<(&'a Split, Set<'a>)>,
    /// SHA-256 of everything that is trained on or scored, in hexadecimal digits.
    pub(crate) sha256: String,
    /// How many broken examples were left out, by set; sets without any are not among them.
    pub(crate) left_out: BTreeMap<String, usize>,
}

impl<'a> Prepared<'a> {
    /// The task.
    #[must_use]
    pub fn task(&self) -> &Task {
        self.task
    }

    /// Encodes every set with the encoder's tokenizer; `max_length` and `stride` of the recipe count.
    ///
    /// # Errors
    /// If the task has no class to choose from.
    pub fn new(pretrained: &Pretrained, data: &'a TaskData, recipe: &Recipe) -> Result<Self, Error> {
        let task = &data.task;
        let problem = problem(task)?;
        let set = |dataset| Set::new(&pretrained.tokenizer, dataset, recipe);
        let train = set(&data.train);
        let sets: Vec<_> = data.sets.iter().map(|(split, dataset)| (split, set(dataset))).collect();
        let mut hash = Sha256::new();
        for set in std::iter::once(&train).chain(sets.iter().map(|(_, set)| set)) {
            set.hash(&mut hash);
        }
        let left_out = data.all().map(|(set, dataset)| (set, dataset.left_out.len()));
        let left_out = left_out.filter(|(_, count)| *count > 0).collect();
        Ok(Self { task, problem, train, sets, sha256: hex(&hash.finalize()), left_out })
    }
}

pub(crate) fn problem(task: &Task) -> Result<Problem, Error> {
    let classes = || match &task.labels {
        Labels::Classes(labels) | Labels::MultiLabel(labels) if labels.len() > 1 => Ok(labels.clone()),
        _ => Err(Error::Task {
            task: task.name.clone(),
            what: "fewer than two labels; expected two or more, or a regression".to_owned(),
        }),
    };
    Ok(match task.kind {
        Kind::Sequence { .. } => match task.labels {
            Labels::Values { .. } => Problem::Value,
            Labels::MultiLabel(_) => Problem::MultiLabel(classes()?),
            _ => Problem::Classes(classes()?),
        },
        Kind::Tokens => Problem::Words(classes()?),
        Kind::Spans { .. } => Problem::Spans,
        Kind::Choice => Problem::Choice,
    })
}

/// What of an example an item is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    /// All of it.
    Whole,
    /// The words from `first` on, the first token of each at these positions of the row.
    Words { first: usize, positions: Vec<usize> },
    /// `count` tokens of the text from `first` on, which begin at `begin` in the row.
    Window { first: usize, count: usize, begin: usize },
}

/// Examples as items.
#[derive(Debug)]
pub(crate) struct Set<'a> {
    pub(crate) examples: &'a [Example],
    pub(crate) items: Vec<Item>,
    /// For each item, its example's number and what of it the item is.
    pub(crate) parts: Vec<(usize, Part)>,
    /// Of spans, each example's text; else empty.
    pub(crate) pieces: Vec<Pieces>,
}

impl<'a> Set<'a> {
    pub(crate) fn new(tokenizer: &Tokenizer, dataset: &'a Dataset, recipe: &Recipe) -> Self {
        Self::encode(tokenizer, &dataset.examples, recipe.max_length, recipe.stride)
    }

    pub(crate) fn encode(
        tokenizer: &Tokenizer,
        examples: &'a [Example],
        max_length: usize,
        stride: usize,
    ) -> Self {
        let mut set = Self { examples, items: Vec::new(), parts: Vec::new(), pieces: Vec::new() };
        let sequence =
            |first: &[u32], second: Option<&[u32]>| encode::sequence(tokenizer, first, second, max_length);
        for (number, example) in examples.iter().enumerate() {
            match &example.content {
                Content::Sequence { text, pair, label } => {
                    let second = pair.as_ref().map(|pair| tokenizer.encode(pair));
                    let row = sequence(&tokenizer.encode(text), second.as_deref());
                    let target = match label {
                        Some(Label::Class(class)) => Target::Class(*class as i64),
                        Some(Label::MultiLabel(classes)) => Target::MultiLabel(classes.clone()),
                        Some(Label::Value(value)) => Target::Value(*value as f32),
                        None => Target::Unknown,
                    };
                    set.push(number, Part::Whole, Item { rows: vec![row], target });
                }
                Content::Choice { text, pair, choices, label } => {
                    let text = tokenizer.encode(text);
                    // A second text begins every choice, as in SWAG.
                    let row = |choice: &String| match pair {
                        Some(pair) => sequence(&text, Some(&tokenizer.encode(&format!("{pair} {choice}")))),
                        None => sequence(&text, Some(&tokenizer.encode(choice))),
                    };
                    let target = label.map_or(Target::Unknown, |label| Target::Class(label as i64));
                    set.push(number, Part::Whole, Item { rows: choices.iter().map(row).collect(), target });
                }
                Content::Tokens { words, labels } => {
                    for (first, row, positions) in encode::words(tokenizer, words, max_length) {
                        let target = labels.as_ref().map_or(Target::Unknown, |labels| {
                            let labels = labels[first..].iter().map(|&label| label as i64);
                            Target::Words(positions.iter().copied().zip(labels).collect())
                        });
                        set.push(number, Part::Words { first, positions }, Item { rows: vec![row], target });
                    }
                }
                Content::Spans { question, context, answers } => {
                    let pieces = Pieces::new(tokenizer, context);
                    // The first of several answers is the one to learn from, as in the reference.
                    let answer = answers.as_ref().map(|answers| {
                        let first = answers.first()?;
                        pieces.overlapping(&(first.start..first.start + first.text.len()))
                    });
                    let question = tokenizer.encode(question);
                    for window in encode::windows(tokenizer, &question, &pieces.ids, max_length, stride) {
                        let encode::Window { row, first, count, begin } = window;
                        let target = answer.map_or(Target::Unknown, |answer| {
                            // What is not whole in the window is not in it: [CLS] says so.
                            let (from, to) = answer
                                .filter(|(from, to)| *from >= first && *to < first + count)
                                .map_or((0, 0), |(from, to)| (begin + from - first, begin + to - first));
                            Target::Span(from as i64, to as i64)
                        });
                        set.push(
                            number,
                            Part::Window { first, count, begin },
                            Item { rows: vec![row], target },
                        );
                    }
                    set.pieces.push(pieces);
                }
            }
        }
        set
    }

    fn push(&mut self, example: usize, part: Part, item: Item) {
        self.items.push(item);
        self.parts.push((example, part));
    }

    fn hash(&self, hash: &mut Sha256) {
        for (item, (example, _)) in self.items.iter().zip(&self.parts) {
            for Row { input_ids, second } in &item.rows {
                hash.update((*second as u64).to_le_bytes());
                hash.update((input_ids.len() as u64).to_le_bytes());
                for id in input_ids {
                    hash.update(id.to_le_bytes());
                }
            }
            hash.update(format!("{:?} {}\n", item.target, self.examples[*example].index));
        }
        hash.update("end of a set");
    }
}
