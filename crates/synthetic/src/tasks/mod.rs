//! The suite: tasks in the shape of GLUE's, on the language and its worlds.

mod acceptability;
mod entailment;
mod paraphrase;
mod polarity;
mod similarity;
mod topic;
mod units;

pub(crate) use acceptability::{PHENOMENA, pair};
pub(crate) use units::{Part, Units};

use crate::language::Language;
use crate::random::Random;

/// Words of a language that the examples of one set are made with, and the language.
pub(crate) struct Scope<'a> {
    pub(crate) language: &'a Language,
    pub(crate) units: Units<'a>,
}

/// An example: its texts and its label.
pub(crate) struct Example {
    pub(crate) texts: Vec<String>,
    pub(crate) label: String,
}

/// What a task's labels are.
pub(crate) enum Labels {
    Classes(&'static [&'static str]),
    /// Numbers between these.
    Range(f64, f64),
}

/// A task: how its files are described.
pub(crate) struct Task {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) texts: &'static [&'static str],
    pub(crate) labels: Labels,
    /// The first is the score.
    pub(crate) metrics: &'static [&'static str],
}

/// No and yes.
const ANSWERS: Labels = Labels::Classes(&["no", "yes"]);

fn answer(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

/// In the order in which reports show them.
pub(crate) const TASKS: [Task; 6] = [
    Task {
        name: "acceptability",
        title: "Acceptability",
        texts: &["sentence"],
        labels: ANSWERS,
        metrics: &["matthews", "accuracy"],
    },
    Task {
        name: "polarity",
        title: "Polarity of what is dealt with",
        texts: &["text"],
        labels: Labels::Classes(&["bad", "good"]),
        metrics: &["accuracy"],
    },
    Task {
        name: "paraphrase",
        title: "Paraphrase",
        texts: &["first", "second"],
        labels: ANSWERS,
        metrics: &["accuracy", "f1"],
    },
    Task {
        name: "entailment",
        title: "Entailment by the facts",
        texts: &["premise", "hypothesis"],
        labels: ANSWERS,
        metrics: &["accuracy"],
    },
    Task {
        name: "similarity",
        title: "Similarity",
        texts: &["first", "second"],
        labels: Labels::Range(0.0, 5.0),
        metrics: &["spearman", "pearson"],
    },
    Task {
        name: "topic",
        title: "Topic of the one who acts",
        texts: &["text"],
        labels: Labels::Classes(&["0", "1", "2", "3"]),
        metrics: &["accuracy"],
    },
];

/// An example of the task of this number.
pub(crate) fn example(scope: &Scope<'_>, task: usize, random: &mut Random) -> Example {
    let make = match TASKS[task].name {
        "acceptability" => acceptability::example,
        "polarity" => polarity::example,
        "paraphrase" => paraphrase::example,
        "entailment" => entailment::example,
        "similarity" => similarity::example,
        _ => topic::example,
    };
    make(scope, random)
}
