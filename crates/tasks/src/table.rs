//! The tasks that need no `task.toml`.

use crate::Metric;
use crate::form::Bare;

use Metric::{Accuracy, ExactMatch, F1, Matthews, Pearson, Spearman, TokenF1};

/// A task of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry {
    /// The name that [`find`](crate::find) takes, in any case and with or without its hyphens.
    pub name: &'static str,
    /// What the name stands for.
    pub title: &'static str,
    /// What the labels are.
    pub target: Target,
    /// What it is measured by; the first is the score.
    pub metrics: &'static [Metric],
    /// Epochs of fine-tuning in the paper's table 7. WNLI and AX, which it leaves out, have the number of the
    /// others.
    pub epochs: u32,
    /// Other names of the folder.
    pub(crate) folders: &'static [&'static str],
    /// Columns; `|` parts names of which either will do.
    pub(crate) text: &'static [&'static str],
    pub(crate) label: &'static str,
    /// What a file without a header looks like, if there is one.
    pub(crate) bare: Option<Bare>,
    /// Whether broken lines are left out and empty texts kept, as the official files have them.
    pub(crate) is_flawed: bool,
    /// Sets, each with the files that may be it, in the order in which they are looked for. `A & B` are the
    /// pairs of A that B lists, `A - B` the others.
    pub(crate) files: &'static [(&'static str, &'static [&'static str])],
}

/// What the labels of a task of the table are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// One of these classes. Of two, the one that F1 is about is the second.
    Classes(&'static [&'static str]),
    /// A number from the first to the second.
    Values(f64, f64),
    /// Parts of a text; whether some questions have no answer.
    Spans(bool),
}

use Target::{Classes, Spans, Values};

const NUMBERS: Target = Classes(&["0", "1"]);
const ENTAILMENT: Target = Classes(&["entailment", "not_entailment"]);
const ENTAILMENT_3: Target = Classes(&["entailment", "neutral", "contradiction"]);

const SENTENCE: &[&str] = &["sentence"];
const SENTENCES: &[&str] = &["sentence1", "sentence2"];

const FILES: &[(&str, &[&str])] =
    &[("train", &["train.tsv"]), ("dev", &["dev.tsv"]), ("test", &["test.tsv"])];
const MRPC: &[(&str, &[&str])] = &[
    ("train", &["train.tsv", "msr_paraphrase_train.txt - dev_ids.tsv", "msr_paraphrase_train.txt - dev.tsv"]),
    ("dev", &["dev.tsv", "msr_paraphrase_train.txt & dev_ids.tsv"]),
    ("test", &["test.tsv", "msr_paraphrase_test.txt"]),
];
const MNLI: &[(&str, &[&str])] = &[
    ("train", &["train.tsv"]),
    ("dev", &["dev_matched.tsv"]),
    ("dev-mismatched", &["dev_mismatched.tsv"]),
    ("test", &["test_matched.tsv"]),
    ("test-mismatched", &["test_mismatched.tsv"]),
];
const AX: &[(&str, &[&str])] = &[("test", &["diagnostic-full.tsv", "diagnostic.tsv", "AX.tsv"])];
const SQUAD_1: &[(&str, &[&str])] = &[("train", &["train-v1.1.json"]), ("dev", &["dev-v1.1.json"])];
const SQUAD_2: &[(&str, &[&str])] = &[("train", &["train-v2.0.json"]), ("dev", &["dev-v2.0.json"])];

/// GLUE, in the order of its paper, and SQuAD. Metrics and epochs are ELECTRA's (§3.1 and table 7).
#[rustfmt::skip]
pub const TABLE: &[Entry] = &[
    Entry {
        name: "CoLA", title: "Corpus of Linguistic Acceptability", target: NUMBERS, metrics: &[Matthews, Accuracy],
        text: SENTENCE, bare: Some(Bare { columns: 4, text: 4, label: 2 }), ..USUAL
    },
    Entry {
        name: "SST-2", title: "Stanford Sentiment Treebank", target: NUMBERS, metrics: &[Accuracy],
        text: SENTENCE, folders: &["SST"], ..USUAL
    },
    Entry {
        name: "MRPC", title: "Microsoft Research Paraphrase Corpus", target: NUMBERS, metrics: &[Accuracy, F1],
        text: &["#1 String", "#2 String"], label: "Quality", files: MRPC, ..USUAL
    },
    Entry {
        name: "STS-B", title: "Semantic Textual Similarity Benchmark", target: Values(0.0, 5.0), metrics: &[Spearman, Pearson],
        epochs: 10, label: "score", folders: &["STS"], ..USUAL
    },
    Entry {
        name: "QQP", title: "Quora Question Pairs", target: NUMBERS, metrics: &[Accuracy, F1],
        text: &["question1", "question2"], label: "is_duplicate", is_flawed: true, ..USUAL
    },
    Entry {
        name: "MNLI", title: "Multi-Genre Natural Language Inference", target: ENTAILMENT_3, metrics: &[Accuracy],
        label: "gold_label|label", files: MNLI, folders: &["MultiNLI"], ..USUAL
    },
    Entry {
        name: "QNLI", title: "Question Natural Language Inference", target: ENTAILMENT, metrics: &[Accuracy],
        text: &["question", "sentence"], ..USUAL
    },
    Entry {
        name: "RTE", title: "Recognizing Textual Entailment", target: ENTAILMENT, metrics: &[Accuracy],
        epochs: 10, ..USUAL
    },
    Entry {
        name: "WNLI", title: "Winograd Natural Language Inference", target: NUMBERS, metrics: &[Accuracy],
        ..USUAL
    },
    Entry {
        name: "AX", title: "GLUE diagnostics, for a model of MNLI", target: ENTAILMENT_3, metrics: &[Matthews, Accuracy],
        text: &["sentence1|Premise", "sentence2|Hypothesis"], label: "gold_label|label|Label", files: AX, folders: &["diagnostic", "diagnostics"], ..USUAL
    },
    Entry {
        name: "SQuAD-1.1", title: "Stanford Question Answering Dataset 1.1", target: Spans(false), metrics: &[ExactMatch, TokenF1],
        epochs: 2, files: SQUAD_1, folders: &["SQuAD", "SQuAD-1"], ..USUAL
    },
    Entry {
        name: "SQuAD-2.0", title: "Stanford Question Answering Dataset 2.0", target: Spans(true), metrics: &[ExactMatch, TokenF1],
        epochs: 2, files: SQUAD_2, folders: &["SQuAD", "SQuAD-2"], ..USUAL
    },
];

/// What most entries have in common.
const USUAL: Entry = Entry {
    name: "",
    title: "",
    target: NUMBERS,
    metrics: &[],
    epochs: 3,
    folders: &[],
    text: SENTENCES,
    label: "label",
    bare: None,
    is_flawed: false,
    files: FILES,
};
