//! What a `task.toml` says of labels and metrics.

use toml::Value;

use super::Definition;
use super::raw::RawKind;
use crate::error::{listed, short};
use crate::form::SEPARATOR;
use crate::multi_label::Encoding;
use crate::{Error, Labels, Metric, Scheme};

const OF_TWO: [Metric; 5] = [Metric::Accuracy, Metric::F1, Metric::MacroF1, Metric::Matthews, Metric::Auc];
const OF_SEVERAL: [Metric; 4] = [Metric::Accuracy, Metric::F1, Metric::MacroF1, Metric::Matthews];
const OF_WORDS: [Metric; 5] =
    [Metric::Accuracy, Metric::EntityF1, Metric::F1, Metric::MacroF1, Metric::Matthews];
const OF_MULTI_LABEL: [Metric; 5] =
    [Metric::MicroF1, Metric::MacroF1, Metric::SamplesF1, Metric::Accuracy, Metric::HammingLoss];
const OF_NUMBERS: [Metric; 3] = [Metric::Spearman, Metric::Pearson, Metric::MeanSquaredError];

impl Definition<'_> {
    pub(super) fn is_regression(&self) -> bool {
        self.raw.regression.unwrap_or(false)
    }

    pub(super) fn is_multi_label(&self) -> bool {
        self.raw.multi_label.unwrap_or(false)
    }

    /// Whether each of several labels has a column of its own, with a 0 or 1 for each text.
    pub(super) fn has_label_columns(&self) -> bool {
        self.is_multi_label() && self.raw.label.as_ref().and_then(Value::as_array).map_or(0, Vec::len) > 1
    }

    pub(super) fn encoding(&self) -> Result<Encoding, Error> {
        match self.raw.label_encoding.unwrap_or_default() {
            _ if self.has_label_columns() => Ok(Encoding::Indicators),
            Encoding::Indicators if !self.is_multi_label() => Err(self.refuse(
                "label_encoding",
                "\"indicators\" needs multi_label = true; expected \"names\" or \"ids\"",
            )),
            encoding => Ok(encoding),
        }
    }

    /// What stands between several labels.
    pub(super) fn separator(&self) -> Result<&str, Error> {
        let separator = self.raw.separator.as_deref().unwrap_or(SEPARATOR);
        if separator.is_empty() || separator.contains(['\t', '\n', '\r']) {
            let what = format!("{separator:?}; expected text without tabs and line breaks, such as \"|\"");
            return Err(self.refuse("separator", what));
        }
        Ok(separator)
    }

    /// All labels, and the key that names them.
    fn named(&self) -> Option<(&'static str, Vec<String>)> {
        if let Some(labels) = &self.raw.labels {
            return Some(("labels", labels.clone()));
        }
        let columns = self.raw.label.as_ref().filter(|_| self.has_label_columns())?.as_array()?;
        let names: Option<Vec<String>> = columns.iter().map(|name| Some(name.as_str()?.to_owned())).collect();
        Some(("label", names?))
    }

    /// Refuses several labels that cannot be told apart where each stands between two separators, as they do in files of
    /// examples or of predictions.
    fn check_multi_label(&self, key: &str, labels: &[String]) -> Result<(), Error> {
        if let Some(Value::Array(columns)) = self.raw.label.as_ref().filter(|_| self.has_label_columns())
            && columns.len() != labels.len()
        {
            let (found, count) = (labels.len(), columns.len());
            let what = format!("{found} of them; expected one for each of the {count} columns of label");
            return Err(self.refuse(key, what));
        }
        let separator = self.separator()?;
        let is_space = separator.trim().is_empty();
        for label in labels {
            let shown = short(label);
            if label.trim() != label || label.is_empty() {
                let what = format!("{shown:?}; expected a name without white space around it");
                return Err(self.refuse(key, what));
            }
            if label.contains(separator) || is_space && label.contains(char::is_whitespace) {
                let what = format!("{shown:?} holds the separator {separator:?}; expected another separator");
                return Err(self.refuse(key, what));
            }
        }
        Ok(())
    }

    pub(super) fn labels(&self) -> Result<Labels, Error> {
        let raw = &self.raw;
        let named = self.named();
        if let Some((key, labels)) = &named {
            if labels.len() < 2 {
                return Err(self.refuse(key, format!("{} of them; expected two or more", labels.len())));
            }
            if let Some((index, label)) =
                labels.iter().enumerate().find(|(index, label)| labels[..*index].contains(label))
            {
                return Err(self.refuse(
                    key,
                    format!("{label:?} is there twice, the second time as number {}", index + 1),
                ));
            }
            if self.is_multi_label() {
                self.check_multi_label(key, labels)?;
            }
        }
        let labels = named.map(|(_, labels)| labels);
        match (raw.kind, labels) {
            (RawKind::Spans | RawKind::Choice, _) => Ok(Labels::Within),
            (_, Some(labels)) if self.is_multi_label() => Ok(Labels::MultiLabel(labels)),
            (_, Some(labels)) => Ok(Labels::Classes(labels)),
            (_, None) if self.is_multi_label() => {
                Err(self.refuse("labels", "missing; name all that a text may have"))
            }
            _ if self.is_regression() => match raw.range {
                Some([low, high]) if low < high => Ok(Labels::Values { low, high }),
                Some([low, high]) => {
                    Err(self.refuse("range", format!("[{low}, {high}]; expected the lower bound first")))
                }
                None => Ok(Labels::Values { low: f64::NEG_INFINITY, high: f64::INFINITY }),
            },
            (RawKind::Sequence, None) => {
                Err(self.refuse("labels", "missing; name the classes, or say regression = true"))
            }
            (RawKind::Tokens, None) => Err(self.refuse("labels", "missing; name the classes")),
        }
    }

    pub(super) fn metrics(&self, labels: &Labels) -> Result<Vec<Metric>, Error> {
        // What fits, and how many of it are usual: of spans and regression two, of classes differs what is usual beside
        // the first.
        let (fitting, usual, what): (&[Metric], _, _) = match (self.raw.kind, labels) {
            (RawKind::Spans, _) => (&[Metric::ExactMatch, Metric::TokenF1], 2, "kind = \"spans\""),
            (RawKind::Choice, _) => (&[Metric::Accuracy], 1, "kind = \"choice\""),
            (_, Labels::Values { .. }) => (&OF_NUMBERS, 2, "regression = true"),
            (_, Labels::MultiLabel(_)) => (&OF_MULTI_LABEL, 1, "multi_label = true"),
            (RawKind::Tokens, _) => (&OF_WORDS, 1, "kind = \"tokens\""),
            (RawKind::Sequence, Labels::Classes(labels)) if labels.len() == 2 => (&OF_TWO, 1, "two labels"),
            (RawKind::Sequence, _) => (&OF_SEVERAL, 1, "more than two labels"),
        };
        let Some(names) = &self.raw.metrics else { return Ok(fitting[..usual].to_vec()) };
        let known: Vec<&str> = fitting.iter().map(|metric| metric.name()).collect();
        if names.is_empty() {
            return Err(self.refuse("metrics", format!("none; expected {}", listed(&known, "or"))));
        }
        let is_loss = |metric: &Metric| metric.is_loss() && fitting.contains(metric);
        if Metric::from_name(&names[0]).as_ref().is_some_and(is_loss) {
            let scores: Vec<&str> =
                fitting.iter().filter(|metric| !metric.is_loss()).map(|metric| metric.name()).collect();
            let what = format!(
                "{:?} comes first, but the first is the score, of which more is better; expected {} before it",
                names[0],
                listed(&scores, "or")
            );
            return Err(self.refuse("metrics", what));
        }
        names
            .iter()
            .map(|name| match Metric::from_name(name) {
                Some(metric) if fitting.contains(&metric) => Ok(metric),
                Some(_) => Err(self.refuse(
                    "metrics",
                    format!("{name:?} does not fit {what}; expected {}", listed(&known, "or")),
                )),
                None => Err(self.refuse(
                    "metrics",
                    format!("there is no metric {name:?}; expected {}", listed(&known, "or")),
                )),
            })
            .collect()
    }

    pub(super) fn positive(&self, labels: &Labels, metrics: &[Metric]) -> Result<Option<usize>, Error> {
        let Labels::Classes(labels) = labels else { return Ok(None) };
        match &self.raw.positive {
            Some(positive) => {
                let position = labels.iter().position(|label| label == positive);
                let unknown = || {
                    self.refuse(
                        "positive",
                        format!("{positive:?} is not a label; expected {}", listed(labels, "or")),
                    )
                };
                position.ok_or_else(unknown).map(Some)
            }
            None if !metrics.iter().any(|metric| matches!(metric, Metric::F1 | Metric::Auc)) => Ok(None),
            None if labels.len() == 2 => Ok(Some(1)),
            None => Err(self.refuse(
                "positive",
                format!("missing; expected the label that F1 is about: {}", listed(labels, "or")),
            )),
        }
    }

    /// How labels mark entities, if a metric asks.
    pub(super) fn scheme(&self, labels: &Labels, metrics: &[Metric]) -> Result<Scheme, Error> {
        let scheme = self.raw.scheme.unwrap_or_default();
        let Labels::Classes(labels) = labels else { return Ok(scheme) };
        if !metrics.contains(&Metric::EntityF1) {
            return match self.raw.scheme {
                Some(_) => {
                    Err(self.refuse("scheme", "has no meaning without the metric entity-f1; take it out"))
                }
                None => Ok(scheme),
            };
        }
        match labels.iter().find(|label| !scheme.knows(label)) {
            Some(label) => Err(self.refuse(
                "labels",
                format!(
                    "{:?} marks no entity; expected {}, as entity-f1 needs them",
                    short(label),
                    scheme.marks()
                ),
            )),
            None => Ok(scheme),
        }
    }
}
