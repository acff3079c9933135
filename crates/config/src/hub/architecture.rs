//! The classes of transformers.

use serde_json::Value;

use crate::Backbone;

/// What a checkpoint's network is, by the class of transformers that loads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// `ElectraForPreTraining`: the discriminator, with a logit of "replaced" for each token. On `ModernBERT` it is
    /// `ModernBertForTokenClassification` with one label.
    PreTraining,
    /// `ElectraForMaskedLM`, `ModernBertForMaskedLM`: the generator, or any encoder with a vocabulary head.
    MaskedLm,
    /// `ElectraForCausalLM`: a vocabulary head that predicts the next token, under a causal mask (`is_decoder`). transformers
    /// has no such class for `ModernBERT`: `ModernBertDecoder` is another network.
    CausalLm,
    /// `ElectraModel`, `ModernBertModel`: an encoder without a head.
    Encoder,
    /// `ElectraForSequenceClassification` and its like: fine-tuned, a class or a number for the whole text.
    SequenceClassification,
    /// `ElectraForTokenClassification`: fine-tuned, a class for each token.
    TokenClassification,
    /// `ElectraForQuestionAnswering`: fine-tuned, a start and an end in the text.
    QuestionAnswering,
    /// `ElectraForMultipleChoice`: fine-tuned, a number for each of several texts.
    MultipleChoice,
}

impl Architecture {
    const ALL: [Self; 8] = [
        Self::PreTraining,
        Self::MaskedLm,
        Self::CausalLm,
        Self::Encoder,
        Self::SequenceClassification,
        Self::TokenClassification,
        Self::QuestionAnswering,
        Self::MultipleChoice,
    ];

    /// The name of the class.
    #[must_use]
    pub fn name(self, backbone: Backbone) -> &'static str {
        let [electra, modernbert] = match self {
            Self::PreTraining => ["ElectraForPreTraining", "ModernBertForTokenClassification"],
            Self::MaskedLm => ["ElectraForMaskedLM", "ModernBertForMaskedLM"],
            Self::CausalLm => ["ElectraForCausalLM", "ModernBertForCausalLM"],
            Self::Encoder => ["ElectraModel", "ModernBertModel"],
            Self::SequenceClassification => {
                ["ElectraForSequenceClassification", "ModernBertForSequenceClassification"]
            }
            Self::TokenClassification => {
                ["ElectraForTokenClassification", "ModernBertForTokenClassification"]
            }
            Self::QuestionAnswering => ["ElectraForQuestionAnswering", "ModernBertForQuestionAnswering"],
            Self::MultipleChoice => ["ElectraForMultipleChoice", "ModernBertForMultipleChoice"],
        };
        match backbone {
            Backbone::Electra => electra,
            Backbone::ModernBert => modernbert,
        }
    }

    /// The names of all classes, each once.
    pub(super) fn classes(backbone: Backbone) -> Vec<&'static str> {
        let mut names: Vec<_> = Self::ALL.into_iter().map(|known| known.name(backbone)).collect();
        // The detector's class is another's too.
        let again = |index: usize, name: &str| names[..index].contains(&name);
        let first: Vec<bool> = names.iter().enumerate().map(|(index, name)| !again(index, name)).collect();
        let mut first = first.into_iter();
        names.retain(|_| first.next().unwrap_or(true));
        names
    }

    /// The network of a class, if it is one of these. A class of one label tells nothing of a token, so it is a detector's.
    pub(super) fn of_class(backbone: Backbone, names: &[String], labels: Option<&Value>) -> Option<Self> {
        let has_one_label = labels.and_then(Value::as_object).is_some_and(|labels| labels.len() == 1);
        Self::ALL.into_iter().find(|known| {
            let is_detector = *known == Self::PreTraining && backbone == Backbone::ModernBert;
            names == [known.name(backbone)] && (!is_detector || has_one_label)
        })
    }
}
