//! The names of the metrics.

use serde::{Deserialize, Serialize};

/// What a task is scored by. In files its name is in kebab case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// The share that is right: [`accuracy`](crate::accuracy) or, of several labels,
    /// [`multi_label::accuracy`](crate::multi_label::accuracy).
    Accuracy,
    /// The harmonic mean of precision and recall of one class: [`f1`](crate::f1).
    F1,
    /// The mean of the F1 of all classes: [`macro_f1`](crate::macro_f1) or, of several labels,
    /// [`multi_label::macro_f1`](crate::multi_label::macro_f1).
    MacroF1,
    /// F1 of all decisions together, of several labels: [`multi_label::micro_f1`](crate::multi_label::micro_f1).
    MicroF1,
    /// The mean of the F1 of each example's labels: [`multi_label::samples_f1`](crate::multi_label::samples_f1).
    SamplesF1,
    /// The share of wrong decisions on labels: [`multi_label::hamming_loss`](crate::multi_label::hamming_loss).
    HammingLoss,
    /// F1 of whole entities, for labels of words: [`entity_f1`](crate::entity_f1).
    EntityF1,
    /// The correlation of two classifications: [`matthews`](crate::matthews).
    Matthews,
    /// Linear correlation: [`pearson`](crate::pearson).
    Pearson,
    /// Correlation of ranks: [`spearman`](crate::spearman).
    Spearman,
    /// The mean of squared differences: [`mean_squared_error`](crate::mean_squared_error).
    MeanSquaredError,
    /// The area under the receiver operating characteristic: [`auc`](crate::auc).
    Auc,
    /// The share of answers that are right to the letter: [`squad::exact_match`](crate::squad::exact_match).
    ExactMatch,
    /// The words that answers share with the right ones: [`squad::token_f1`](crate::squad::token_f1).
    TokenF1,
}

impl Metric {
    const ALL: [Self; 14] = [
        Self::Accuracy,
        Self::F1,
        Self::MacroF1,
        Self::MicroF1,
        Self::SamplesF1,
        Self::HammingLoss,
        Self::EntityF1,
        Self::Matthews,
        Self::Pearson,
        Self::Spearman,
        Self::MeanSquaredError,
        Self::Auc,
        Self::ExactMatch,
        Self::TokenF1,
    ];

    /// Its name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::F1 => "f1",
            Self::MacroF1 => "macro-f1",
            Self::MicroF1 => "micro-f1",
            Self::SamplesF1 => "samples-f1",
            Self::HammingLoss => "hamming-loss",
            Self::EntityF1 => "entity-f1",
            Self::Matthews => "matthews",
            Self::Pearson => "pearson",
            Self::Spearman => "spearman",
            Self::MeanSquaredError => "mean-squared-error",
            Self::Auc => "auc",
            Self::ExactMatch => "exact-match",
            Self::TokenF1 => "token-f1",
        }
    }

    /// Whether lower is better. Such a metric may be reported with a task's score but cannot be the score, since the higher score is
    /// better.
    #[must_use]
    pub fn is_loss(self) -> bool {
        matches!(self, Self::HammingLoss | Self::MeanSquaredError)
    }

    /// The metric of that name; none if there is none.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::Metric;

    #[test]
    fn a_name_is_the_same_in_code_and_in_files() {
        for metric in Metric::ALL {
            assert_eq!(Metric::from_name(metric.name()), Some(metric));
            assert_eq!(serde_json::to_value(metric).unwrap(), metric.name());
        }
        assert_eq!(Metric::from_name("F1"), None);
    }
}
