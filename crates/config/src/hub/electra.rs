//! The fields of `ElectraConfig`.

use serde_json::{Value, json};

use super::{Architecture, File, Fixed};
use crate::{Backbone, EncoderConfig, Error, PositionEmbeddingType};

/// `model_type` of each kind of positions: what transformers cannot compute has a name that it does not know, so that it
/// refuses the folder and does not make up a table of positions.
const MODEL_TYPES: [(&str, PositionEmbeddingType); 2] =
    [("electra", PositionEmbeddingType::Absolute), ("electra-rotary", PositionEmbeddingType::Rotary)];

const IS_DECODER: &str = "is_decoder";

const FIXED: [Fixed; 4] = [
    ("hidden_act", &[Some("\"gelu\""), None]),
    ("add_cross_attention", &[Some("false"), None]),
    ("tie_word_embeddings", &[Some("true"), None]),
    ("pruned_heads", &[Some("{}"), Some("null"), None]),
];

pub(super) fn config(file: &File<'_>) -> Result<EncoderConfig, Error> {
    file.check_fixed(&FIXED)?;
    // Of transformers' classes, the causal one alone is a decoder: it attends to what stands before.
    let causal = json!([Architecture::CausalLm.name(Backbone::Electra)]);
    let is_causal = file.fields.get("architectures") == Some(&causal);
    file.check_fixed(&[(IS_DECODER, if is_causal { &[Some("true")] } else { &[Some("false"), None] })])?;
    let position_embedding_type = positions(file)?;
    let config = EncoderConfig {
        architecture: Backbone::Electra,
        vocab_size: file.size("vocab_size")?,
        embedding_size: file.size("embedding_size")?,
        hidden_size: file.size("hidden_size")?,
        num_hidden_layers: file.size("num_hidden_layers")?,
        num_attention_heads: file.size("num_attention_heads")?,
        intermediate_size: file.size("intermediate_size")?,
        max_position_embeddings: file.size("max_position_embeddings")?,
        type_vocab_size: file.get("type_vocab_size", "a whole number above 0", Some(2))?,
        hidden_dropout_prob: file.number("hidden_dropout_prob", 0.1)?,
        attention_probs_dropout_prob: file.number("attention_probs_dropout_prob", 0.1)?,
        layer_norm_eps: file.number("layer_norm_eps", 1e-12)?,
        initializer_range: file.number("initializer_range", 0.02)?,
        position_embedding_type,
        pad_token_id: file.get("pad_token_id", "the id of a token", Some(0))?,
        ..EncoderConfig::base()
    };
    config.validate().map_err(|error| match error {
        Error::Encoder { field, expected, .. } => file.refuse(field, expected),
        other => other,
    })?;
    Ok(config)
}

/// What `model_type` and `position_embedding_type` say together; where the second is absent, positions are absolute.
fn positions(file: &File<'_>) -> Result<PositionEmbeddingType, Error> {
    let found: Option<&str> = file.fields.get("model_type").and_then(Value::as_str);
    let known = MODEL_TYPES.iter().find(|(name, _)| found == Some(name));
    let (_, positions) = known.ok_or_else(|| file.refuse("model_type", "\"electra\" or \"modernbert\""))?;
    let field = "position_embedding_type";
    let expected = json!(positions).to_string();
    if file.get(field, &expected, Some(PositionEmbeddingType::Absolute))? == *positions {
        Ok(*positions)
    } else {
        Err(file.refuse(field, expected))
    }
}

pub(super) fn fields(config: &EncoderConfig, architecture: Architecture) -> Value {
    let positions = config.position_embedding_type;
    let model_type = MODEL_TYPES.iter().find(|(_, known)| *known == positions).map(|(name, _)| name);
    let mut fields = json!({
        "architectures": [architecture.name(Backbone::Electra)],
        "attention_probs_dropout_prob": config.attention_probs_dropout_prob,
        "classifier_dropout": null,
        "dtype": "float32",
        "embedding_size": config.embedding_size,
        "hidden_act": "gelu",
        "hidden_dropout_prob": config.hidden_dropout_prob,
        "hidden_size": config.hidden_size,
        "initializer_range": config.initializer_range,
        "intermediate_size": config.intermediate_size,
        "layer_norm_eps": config.layer_norm_eps,
        "max_position_embeddings": config.max_position_embeddings,
        "model_type": model_type,
        "num_attention_heads": config.num_attention_heads,
        "num_hidden_layers": config.num_hidden_layers,
        "pad_token_id": config.pad_token_id,
        "tie_word_embeddings": true,
        "type_vocab_size": config.type_vocab_size,
        "vocab_size": config.vocab_size,
    });
    if architecture == Architecture::CausalLm {
        fields[IS_DECODER] = json!(true);
    }
    if positions != PositionEmbeddingType::Absolute {
        fields["position_embedding_type"] = json!(positions);
    }
    fields
}
