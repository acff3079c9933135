//! `config.json`, as the class `ElectraConfig` of transformers reads and writes it.

use std::path::Path;

use electra_store::Foreign;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{EncoderConfig, Error, PositionEmbeddingType};

/// What a checkpoint's network is, by the class of transformers that loads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// `ElectraForPreTraining`: the discriminator, with a logit of "replaced" for each token.
    PreTraining,
    /// `ElectraForMaskedLM`: the generator, or any encoder with a vocabulary head.
    MaskedLm,
    /// `ElectraForCausalLM`: a vocabulary head that predicts the next token, under a causal mask (`is_decoder`).
    CausalLm,
    /// `ElectraModel`: an encoder without a head.
    Encoder,
    /// `ElectraForSequenceClassification`: fine-tuned, a class or a number for the whole text.
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
    pub fn name(self) -> &'static str {
        match self {
            Self::PreTraining => "ElectraForPreTraining",
            Self::MaskedLm => "ElectraForMaskedLM",
            Self::CausalLm => "ElectraForCausalLM",
            Self::Encoder => "ElectraModel",
            Self::SequenceClassification => "ElectraForSequenceClassification",
            Self::TokenClassification => "ElectraForTokenClassification",
            Self::QuestionAnswering => "ElectraForQuestionAnswering",
            Self::MultipleChoice => "ElectraForMultipleChoice",
        }
    }
}

/// `model_type` of each kind of positions: what transformers cannot compute has a name that it does not know, so that it
/// refuses the folder and does not make up a table of positions.
const MODEL_TYPES: [(&str, PositionEmbeddingType); 2] =
    [("electra", PositionEmbeddingType::Absolute), ("electra-rotary", PositionEmbeddingType::Rotary)];

const IS_DECODER: &str = "is_decoder";

/// Fields that must have one value, or be absent where `None` is among them: another would be another network.
const FIXED: [(&str, &[Option<&str>]); 4] = [
    ("hidden_act", &[Some("\"gelu\""), None]),
    ("add_cross_attention", &[Some("false"), None]),
    ("tie_word_embeddings", &[Some("true"), None]),
    ("pruned_heads", &[Some("{}"), Some("null"), None]),
];

impl EncoderConfig {
    /// Reads a `config.json` of the Hub. Absent rates, eps and the like are those of `ElectraConfig`; sizes
    /// must be there. What does not change the encoder is not looked at.
    ///
    /// # Errors
    /// [`Error::Hub`] naming the field, what was found and what was expected, where the file is of a
    /// network that this encoder is not; or if it cannot be read.
    pub fn read(path: &Path) -> Result<Self, Error> {
        File::read(path)?.config()
    }

    /// As [`read`](Self::read), with the class of transformers that the file names, and all of its fields.
    ///
    /// # Errors
    /// As [`read`](Self::read); [`Error::Hub`] if the class is not one of [`Architecture`].
    pub fn read_whole(path: &Path) -> Result<(Self, Architecture, Map<String, Value>), Error> {
        let file = File::read(path)?;
        Ok((file.config()?, file.architecture()?, file.fields))
    }

    /// The fields of a `config.json` that transformers loads; where positions are rotary, it refuses the `model_type`.
    #[must_use]
    pub fn to_hub(&self, architecture: Architecture) -> Map<String, Value> {
        let positions = self.position_embedding_type;
        let model_type = MODEL_TYPES.iter().find(|(_, known)| *known == positions).map(|(name, _)| name);
        let fields = json!({
            "architectures": [architecture.name()],
            "attention_probs_dropout_prob": self.attention_probs_dropout_prob,
            "classifier_dropout": null,
            "dtype": "float32",
            "embedding_size": self.embedding_size,
            "hidden_act": "gelu",
            "hidden_dropout_prob": self.hidden_dropout_prob,
            "hidden_size": self.hidden_size,
            "initializer_range": self.initializer_range,
            "intermediate_size": self.intermediate_size,
            "layer_norm_eps": self.layer_norm_eps,
            "max_position_embeddings": self.max_position_embeddings,
            "model_type": model_type,
            "num_attention_heads": self.num_attention_heads,
            "num_hidden_layers": self.num_hidden_layers,
            "pad_token_id": self.pad_token_id,
            "tie_word_embeddings": true,
            "type_vocab_size": self.type_vocab_size,
            "vocab_size": self.vocab_size,
        });
        let Value::Object(mut fields) = fields else { unreachable!("it is written as an object") };
        if architecture == Architecture::CausalLm {
            fields.insert(IS_DECODER.to_owned(), json!(true));
        }
        if positions != PositionEmbeddingType::Absolute {
            fields.insert("position_embedding_type".to_owned(), json!(positions));
        }
        fields
    }
}

/// A `config.json` that is a JSON object.
struct File<'a> {
    path: &'a Path,
    fields: Map<String, Value>,
}

impl<'a> File<'a> {
    fn read(path: &'a Path) -> Result<Self, Error> {
        let text = electra_store::read(path)?;
        let fields = serde_json::from_slice(&text).map_err(|error| {
            let foreign = Foreign::of(&text).map(|foreign| foreign.message("a JSON object"));
            let what = foreign.unwrap_or_else(|| format!("is not a JSON object: {error}"));
            Error::Format { path: path.to_owned(), what }
        })?;
        Ok(Self { path, fields })
    }

    fn config(&self) -> Result<EncoderConfig, Error> {
        // Of transformers' classes, the causal one alone is a decoder: it attends to what stands before.
        let is_causal = self.fields.get("architectures") == Some(&json!([Architecture::CausalLm.name()]));
        let decoder: &[Option<&str>] = if is_causal { &[Some("true")] } else { &[Some("false"), None] };
        for (field, accepted) in FIXED.into_iter().chain([(IS_DECODER, decoder)]) {
            let found = self.fields.get(field).map(ToString::to_string);
            if !accepted.contains(&found.as_deref()) {
                return Err(self.refuse(field, accepted[0].unwrap_or_default()));
            }
        }
        let position_embedding_type = self.positions()?;
        let size = |field| self.get(field, "a whole number above 0", None);
        let rate = |field, or| self.get(field, "a number", Some(or));
        let config = EncoderConfig {
            vocab_size: size("vocab_size")?,
            embedding_size: size("embedding_size")?,
            hidden_size: size("hidden_size")?,
            num_hidden_layers: size("num_hidden_layers")?,
            num_attention_heads: size("num_attention_heads")?,
            intermediate_size: size("intermediate_size")?,
            max_position_embeddings: size("max_position_embeddings")?,
            type_vocab_size: self.get("type_vocab_size", "a whole number above 0", Some(2))?,
            hidden_dropout_prob: rate("hidden_dropout_prob", 0.1)?,
            attention_probs_dropout_prob: rate("attention_probs_dropout_prob", 0.1)?,
            layer_norm_eps: rate("layer_norm_eps", 1e-12)?,
            initializer_range: rate("initializer_range", 0.02)?,
            neighbour_heads: 0,
            position_embedding_type,
            pad_token_id: self.get("pad_token_id", "the id of a token", Some(0))?,
        };
        config.validate().map_err(|error| match error {
            Error::Encoder { field, expected, .. } => self.refuse(field, expected),
            other => other,
        })?;
        Ok(config)
    }

    /// What `model_type` and `position_embedding_type` say together; where the second is absent, positions are absolute.
    fn positions(&self) -> Result<PositionEmbeddingType, Error> {
        let found: Option<&str> = self.fields.get("model_type").and_then(Value::as_str);
        let known = MODEL_TYPES.iter().find(|(name, _)| found == Some(name));
        let (_, positions) = known.ok_or_else(|| self.refuse("model_type", "\"electra\""))?;
        let field = "position_embedding_type";
        let expected = json!(positions).to_string();
        if self.get(field, &expected, Some(PositionEmbeddingType::Absolute))? == *positions {
            Ok(*positions)
        } else {
            Err(self.refuse(field, expected))
        }
    }

    fn architecture(&self) -> Result<Architecture, Error> {
        let found: Vec<String> = self.get("architectures", "a list of names", Some(Vec::new()))?;
        let known = Architecture::ALL.into_iter().find(|known| found == [known.name()]);
        known.ok_or_else(|| {
            let names = Architecture::ALL.map(|known| format!("[\"{}\"]", known.name()));
            self.refuse("architectures", names.join(" or "))
        })
    }

    /// A field's value; `or` where it is absent and may be.
    fn get<T: for<'de> Deserialize<'de>>(
        &self,
        field: &'static str,
        expected: &str,
        or: Option<T>,
    ) -> Result<T, Error> {
        match (self.fields.get(field), or) {
            (None, Some(or)) => Ok(or),
            (None, None) => Err(self.refuse(field, expected)),
            (Some(value), _) => T::deserialize(value).map_err(|_| self.refuse(field, expected)),
        }
    }

    fn refuse(&self, field: &'static str, expected: impl Into<String>) -> Error {
        let found = self.fields.get(field).map_or("missing".to_owned(), ToString::to_string);
        Error::Hub { path: self.path.to_owned(), field, found, expected: expected.into() }
    }
}
