//! Scores of predictions, and the predictions as a table.

use std::collections::BTreeMap;

use electra_metrics::multi_label;
use electra_tasks::{Content, Label, Labels, Metric, Task};

use crate::Error;
use crate::data::Set;
use crate::predictions::Prediction;

/// Scores by the names of the metrics.
pub type Scores = BTreeMap<String, f64>;

/// What is predicted and what is right, side by side.
#[derive(Default)]
struct Columns {
    predicted: Vec<usize>,
    labels: Vec<usize>,
    /// Of several labels a text: for each label of the task whether the text has it.
    predicted_rows: Vec<Vec<bool>>,
    label_rows: Vec<Vec<bool>>,
    /// How many words each sentence has, of tokens.
    sentences: Vec<usize>,
    /// Of each class or choice.
    probabilities: Vec<Vec<f32>>,
    values: Vec<f64>,
    value_labels: Vec<f64>,
    answers: Vec<String>,
    /// Any of these; none for "there is no answer".
    answer_labels: Vec<Vec<String>>,
}

/// The task's metrics of a set; none where it is not known what is right.
pub(crate) fn score(task: &Task, set: &Set<'_>, predictions: &[Prediction]) -> Result<Option<Scores>, Error> {
    let Some(columns) = columns(set, predictions) else { return Ok(None) };
    let Columns { predicted, labels, predicted_rows, label_rows, .. } = &columns;
    let is_multi_label = matches!(task.labels, Labels::MultiLabel(_));
    let positive = task.positive.unwrap_or(1);
    let mut scores = Scores::new();
    for &metric in &task.metrics {
        let value = match metric {
            Metric::Accuracy if is_multi_label => multi_label::accuracy(predicted_rows, label_rows)?,
            Metric::MacroF1 if is_multi_label => multi_label::macro_f1(predicted_rows, label_rows)?,
            Metric::MicroF1 => multi_label::micro_f1(predicted_rows, label_rows)?,
            Metric::SamplesF1 => multi_label::samples_f1(predicted_rows, label_rows)?,
            Metric::HammingLoss => multi_label::hamming_loss(predicted_rows, label_rows)?,
            Metric::Accuracy => electra_metrics::accuracy(predicted, labels)?,
            Metric::F1 => electra_metrics::f1(predicted, labels, positive)?,
            Metric::MacroF1 => electra_metrics::macro_f1(predicted, labels)?,
            Metric::EntityF1 => of_entities(task, &columns)?,
            Metric::Matthews => electra_metrics::matthews(predicted, labels)?,
            Metric::Pearson => electra_metrics::pearson(&columns.values, &columns.value_labels)?,
            Metric::Spearman => electra_metrics::spearman(&columns.values, &columns.value_labels)?,
            Metric::MeanSquaredError => {
                electra_metrics::mean_squared_error(&columns.values, &columns.value_labels)?
            }
            Metric::Auc => {
                let positive_score = |row: &Vec<f32>| row.get(positive).copied().map_or(0.0, f64::from);
                let scores: Vec<f64> = columns.probabilities.iter().map(positive_score).collect();
                let labels: Vec<bool> = labels.iter().map(|&label| label == positive).collect();
                electra_metrics::auc(&scores, &labels)?
            }
            Metric::ExactMatch => mean(&columns, &task.articles, electra_metrics::squad::exact_match),
            Metric::TokenF1 => mean(&columns, &task.articles, electra_metrics::squad::token_f1),
        };
        scores.insert(metric.name().to_owned(), value);
    }
    Ok(Some(scores))
}

/// The mean over the questions of the best over each one's answers.
fn mean(columns: &Columns, articles: &[String], metric: impl Fn(&str, &[String], &[String]) -> f64) -> f64 {
    let pairs = columns.answers.iter().zip(&columns.answer_labels);
    let sum: f64 = pairs.map(|(answer, labels)| metric(answer, labels, articles)).sum();
    sum / columns.answers.len().max(1) as f64
}

/// F1 of whole entities over the sentences.
fn of_entities(task: &Task, columns: &Columns) -> Result<f64, Error> {
    let Labels::Classes(names) = &task.labels else { unreachable!("a task of words has classes") };
    let sentences = |classes: &[usize]| -> Vec<Vec<&str>> {
        let mut names = classes.iter().map(|&class| names[class].as_str());
        columns.sentences.iter().map(|&words| names.by_ref().take(words).collect()).collect()
    };
    let [predicted, labels] = [sentences(&columns.predicted), sentences(&columns.labels)];
    Ok(electra_metrics::entity_f1(&predicted, &labels, task.scheme)?)
}

fn columns(set: &Set<'_>, predictions: &[Prediction]) -> Option<Columns> {
    let mut columns = Columns::default();
    for (example, prediction) in set.examples.iter().zip(predictions) {
        match (&example.content, prediction) {
            (Content::Sequence { label, .. }, Prediction::Class { class, probabilities }) => {
                let Label::Class(label) = label.as_ref()? else { return None };
                columns.class(*class, *label, probabilities);
            }
            (Content::Choice { label, .. }, Prediction::Class { class, probabilities }) => {
                columns.class(*class, (*label)?, probabilities);
            }
            (Content::Sequence { label, .. }, Prediction::MultiLabel { classes, probabilities }) => {
                let Label::MultiLabel(label) = label.as_ref()? else { return None };
                let row =
                    |found: &[usize]| (0..probabilities.len()).map(|class| found.contains(&class)).collect();
                columns.predicted_rows.push(row(classes));
                columns.label_rows.push(row(label));
            }
            (Content::Sequence { label, .. }, Prediction::Value(value)) => {
                let Label::Value(label) = label.as_ref()? else { return None };
                columns.values.push(f64::from(*value));
                columns.value_labels.push(*label);
            }
            (Content::Tokens { labels, .. }, Prediction::Words(words)) => {
                columns.sentences.push(words.len());
                for ((class, probabilities), &label) in words.iter().zip(labels.as_ref()?) {
                    columns.class(*class, label, probabilities);
                }
            }
            (Content::Spans { answers, .. }, Prediction::Span(span)) => {
                columns.answers.push(span.text.clone());
                let answers = answers.as_ref()?.iter().map(|answer| answer.text.clone());
                columns.answer_labels.push(answers.collect());
            }
            _ => return None,
        }
    }
    Some(columns)
}

impl Columns {
    fn class(&mut self, predicted: usize, label: usize, probabilities: &[f32]) {
        self.predicted.push(predicted);
        self.labels.push(label);
        self.probabilities.push(probabilities.to_vec());
    }
}

/// Predictions as tab-separated lines: index, prediction, label (empty if not known), scores. Several labels stand
/// in one field with the task's separator between them. Words are lines of
/// their own, with index `EXAMPLE:WORD`, both from 0 where the file has no names.
pub(crate) fn table(task: &Task, set: &Set<'_>, predictions: &[Prediction]) -> String {
    let classes: &[String] = match &task.labels {
        Labels::Classes(labels) | Labels::MultiLabel(labels) => labels,
        Labels::Values { .. } => &[],
        // Of choices; empty where they are numbers.
        Labels::Within => task.choice_labels(),
    };
    let name = |class: usize| classes.get(class).cloned().unwrap_or_else(|| class.to_string());
    let names = |classes: &[usize]| {
        classes.iter().map(|&class| name(class)).collect::<Vec<_>>().join(task.separator())
    };
    let mut lines: Vec<Vec<String>> = Vec::new();
    let mut line = |index: &str, prediction: String, label: Option<String>, scores: &[f32]| {
        let mut fields = vec![index.to_owned(), prediction, label.unwrap_or_default()];
        fields.extend(scores.iter().map(ToString::to_string));
        lines.push(fields);
    };
    for (example, prediction) in set.examples.iter().zip(predictions) {
        let index = &*example.index;
        match (prediction, &example.content) {
            (Prediction::Class { class, probabilities }, Content::Sequence { label, .. }) => {
                let label = label.as_ref().and_then(|label| match label {
                    Label::Class(label) => Some(name(*label)),
                    _ => None,
                });
                line(index, name(*class), label, probabilities);
            }
            (Prediction::MultiLabel { classes, probabilities }, Content::Sequence { label, .. }) => {
                let label = label.as_ref().and_then(|label| match label {
                    Label::MultiLabel(label) => Some(names(label)),
                    _ => None,
                });
                line(index, names(classes), label, probabilities);
            }
            (Prediction::Class { class, probabilities }, Content::Choice { label, .. }) => {
                line(index, name(*class), label.map(name), probabilities);
            }
            (Prediction::Value(value), Content::Sequence { label, .. }) => {
                let label = label.as_ref().and_then(|label| match label {
                    Label::Value(label) => Some(label.to_string()),
                    _ => None,
                });
                line(index, value.to_string(), label, &[]);
            }
            (Prediction::Words(words), Content::Tokens { labels, .. }) => {
                for (word, (class, probabilities)) in words.iter().enumerate() {
                    let label = labels.as_ref().map(|labels| name(labels[word]));
                    line(&format!("{index}:{word}"), name(*class), label, probabilities);
                }
            }
            (Prediction::Span(span), Content::Spans { answers, .. }) => {
                let label = answers
                    .as_ref()
                    .map(|answers| answers.first().map_or_else(String::new, |answer| answer.text.clone()));
                line(index, span.text.clone(), label, &[span.score, span.none_margin]);
            }
            _ => {}
        }
    }
    let scores: Vec<String> = match predictions.first() {
        Some(Prediction::Class { .. } | Prediction::MultiLabel { .. } | Prediction::Words(_)) => {
            let most = lines.iter().map(Vec::len).max().unwrap_or(3);
            (0..most - 3).map(|class| format!("score_{}", name(class))).collect()
        }
        Some(Prediction::Span(_)) => vec!["score".to_owned(), "none_margin".to_owned()],
        _ => Vec::new(),
    };
    let header: Vec<String> =
        ["index", "prediction", "label"].into_iter().map(str::to_owned).chain(scores).collect();
    let mut text = String::new();
    for fields in std::iter::once(&header).chain(&lines) {
        let fields: Vec<String> = fields.iter().map(|field| field.replace(['\t', '\n', '\r'], " ")).collect();
        text.push_str(&fields.join("\t"));
        text.push('\n');
    }
    text
}
