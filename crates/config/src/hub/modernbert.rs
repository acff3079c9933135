//! The fields of `ModernBertConfig`, as transformers 4 and 5 write them.

use serde_json::{Value, json};

use super::{Architecture, File, Fixed};
use crate::{Backbone, EncoderConfig, Error};

pub(super) const MODEL_TYPE: &str = "modernbert";
/// Of a network under a causal mask. transformers does not know the name, so that it refuses the folder and does not attend to
/// all tokens.
pub(super) const CAUSAL_MODEL_TYPE: &str = "modernbert-causal";

/// What the published networks have, all of them.
const FIXED: [Fixed; 12] = [
    ("hidden_activation", &[Some("\"gelu\""), None]),
    ("norm_bias", &[Some("false"), None]),
    ("attention_bias", &[Some("false"), None]),
    ("mlp_bias", &[Some("false"), None]),
    ("decoder_bias", &[Some("true"), None]),
    ("classifier_bias", &[Some("false"), None]),
    ("classifier_activation", &[Some("\"gelu\""), None]),
    ("tie_word_embeddings", &[Some("true"), None]),
    ("is_decoder", &[Some("false"), None]),
    ("is_causal", &[Some("false"), None]),
    ("causal_mask", &[Some("false"), None]),
    ("rope_scaling", &[Some("null"), None]),
];

/// What an encoder calls differently.
const NAMES: [(&str, &str); 3] = [
    ("hidden_dropout_prob", "mlp_dropout"),
    ("attention_probs_dropout_prob", "attention_dropout"),
    ("layer_norm_eps", "norm_eps"),
];

/// Kinds of attention, as `layer_types` and `rope_parameters` call them.
const GLOBAL: &str = "full_attention";
const LOCAL: &str = "sliding_attention";

pub(super) fn config(file: &File<'_>) -> Result<EncoderConfig, Error> {
    let causal = json!([Architecture::CausalLm.name(Backbone::ModernBert)]);
    let is_causal = file.fields.get("architectures") == Some(&causal);
    let expected = if is_causal { CAUSAL_MODEL_TYPE } else { MODEL_TYPE };
    if file.fields.get("model_type") != Some(&json!(expected)) {
        return Err(file.refuse("model_type", json!(expected).to_string()));
    }
    file.check_fixed(&FIXED)?;
    let hidden_size = file.size("hidden_size")?;
    let num_hidden_layers = file.size("num_hidden_layers")?;
    let dropout = file.number("mlp_dropout", 0.0)?;
    if file.number("embedding_dropout", 0.0)? != dropout {
        return Err(file.refuse("embedding_dropout", format!("{dropout}, as mlp_dropout")));
    }
    let config = EncoderConfig {
        vocab_size: file.size("vocab_size")?,
        embedding_size: hidden_size,
        hidden_size,
        num_hidden_layers,
        num_attention_heads: file.size("num_attention_heads")?,
        intermediate_size: file.size("intermediate_size")?,
        max_position_embeddings: file.size("max_position_embeddings")?,
        hidden_dropout_prob: dropout,
        attention_probs_dropout_prob: file.number("attention_dropout", 0.0)?,
        layer_norm_eps: file.number("norm_eps", 1e-5)?,
        initializer_range: file.number("initializer_range", 0.02)?,
        global_attn_every_n_layers: every_n_layers(file, num_hidden_layers)?,
        local_attention: file.get("local_attention", "a whole number above 0", Some(128))?,
        global_rope_theta: theta(file, GLOBAL, "global_rope_theta", 160_000.0)?,
        local_rope_theta: theta(file, LOCAL, "local_rope_theta", 10_000.0)?,
        pad_token_id: file.get("pad_token_id", "the id of a token", Some(50_283))?,
        ..EncoderConfig::modernbert_base()
    };
    config.validate().map_err(|error| match error {
        Error::Encoder { field, expected, .. } => {
            let name = NAMES.iter().find(|(known, _)| *known == field).map_or(field, |(_, name)| name);
            file.refuse(name, expected)
        }
        other => other,
    })?;
    Ok(config)
}

/// `layer_types` of transformers 5, else `global_attn_every_n_layers` of 4.
fn every_n_layers(file: &File<'_>, layers: i64) -> Result<i64, Error> {
    let every: i64 = file.get("global_attn_every_n_layers", "a whole number above 0", Some(3))?;
    let Some(types) = file.fields.get("layer_types").filter(|types| !types.is_null()) else {
        return Ok(every);
    };
    let types: Vec<&str> = types.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let next = types
        .iter()
        .skip(1)
        .position(|kind| *kind == GLOBAL)
        .map_or(layers.max(1), |before| before as i64 + 1);
    let kind = |layer: usize| if layer as i64 % next == 0 { GLOBAL } else { LOCAL };
    let expected =
        format!("{GLOBAL} at the first of {layers} layers and at every so many after it, else {LOCAL}");
    let is_regular =
        types.len() as i64 == layers && types.iter().enumerate().all(|(layer, found)| *found == kind(layer));
    // A network of fewer layers than are between two kinds says nothing of how many those are.
    let shown = if next >= layers && every >= layers { every } else { next };
    is_regular.then_some(shown).ok_or_else(|| file.refuse("layer_types", expected))
}

/// `rope_parameters` of transformers 5, else the field of 4.
fn theta(file: &File<'_>, kind: &str, field: &'static str, or: f64) -> Result<f64, Error> {
    let Some(parameters) =
        file.fields.get("rope_parameters").and_then(|all| all.get(kind)).filter(|own| !own.is_null())
    else {
        return file.number(field, or);
    };
    let is_default = parameters.get("rope_type").is_none_or(|kind| kind == "default");
    let theta = parameters.get("rope_theta").map_or(Some(or), Value::as_f64);
    match theta {
        Some(theta) if is_default => Ok(theta),
        _ => Err(file.refuse(
            "rope_parameters",
            "rope_type \"default\" and a number as rope_theta, for each kind of attention",
        )),
    }
}

pub(super) fn fields(config: &EncoderConfig, architecture: Architecture) -> Value {
    let mut fields = json!({
        "architectures": [architecture.name(Backbone::ModernBert)],
        "attention_bias": false,
        "attention_dropout": config.attention_probs_dropout_prob,
        // Ids of a vocabulary; without them transformers would take those of ModernBERT's.
        "bos_token_id": null,
        "classifier_activation": "gelu",
        "classifier_bias": false,
        "classifier_dropout": config.hidden_dropout_prob,
        "classifier_pooling": "cls",
        "cls_token_id": null,
        "decoder_bias": true,
        "dtype": "float32",
        "embedding_dropout": config.hidden_dropout_prob,
        "eos_token_id": null,
        "global_attn_every_n_layers": config.global_attn_every_n_layers,
        "global_rope_theta": config.global_rope_theta,
        "hidden_activation": "gelu",
        "hidden_size": config.hidden_size,
        "initializer_range": config.initializer_range,
        "intermediate_size": config.intermediate_size,
        "local_attention": config.local_attention,
        "local_rope_theta": config.local_rope_theta,
        "max_position_embeddings": config.max_position_embeddings,
        "mlp_bias": false,
        "mlp_dropout": config.hidden_dropout_prob,
        "model_type": if architecture == Architecture::CausalLm { CAUSAL_MODEL_TYPE } else { MODEL_TYPE },
        "norm_bias": false,
        "norm_eps": config.layer_norm_eps,
        "num_attention_heads": config.num_attention_heads,
        "num_hidden_layers": config.num_hidden_layers,
        "pad_token_id": config.pad_token_id,
        "sep_token_id": null,
        "tie_word_embeddings": true,
        "vocab_size": config.vocab_size,
    });
    if architecture == Architecture::PreTraining {
        fields["id2label"] = json!({ "0": "replaced" });
        fields["label2id"] = json!({ "replaced": 0 });
    }
    fields
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    fn read(fields: Map<String, Value>) -> Result<(EncoderConfig, Architecture), String> {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("config.json");
        std::fs::write(&path, Value::Object(fields).to_string()).unwrap();
        let read = EncoderConfig::read_whole(&path).map(|(config, architecture, _)| (config, architecture));
        read.map_err(|error| error.to_string().replace(&format!("{}: ", path.display()), ""))
    }

    #[test]
    fn what_is_written_is_read_as_the_same_network() {
        let config = EncoderConfig {
            hidden_dropout_prob: 0.2,
            attention_probs_dropout_prob: 0.3,
            layer_norm_eps: 1e-3,
            global_attn_every_n_layers: 2,
            local_attention: 10,
            ..EncoderConfig::ettin_17m()
        };
        let kinds = [
            Architecture::PreTraining,
            Architecture::MaskedLm,
            Architecture::CausalLm,
            Architecture::Encoder,
        ];
        for architecture in kinds {
            assert_eq!(read(config.to_hub(architecture)).unwrap(), (config.clone(), architecture));
        }
        let mut classifier = config.to_hub(Architecture::TokenClassification);
        assert_eq!(read(classifier.clone()).unwrap().1, Architecture::TokenClassification);
        classifier.insert("id2label".to_owned(), json!({ "0": "a", "1": "b" }));
        assert_eq!(read(classifier).unwrap().1, Architecture::TokenClassification);
    }

    #[test]
    fn layers_and_angles_are_read_as_transformers_5_writes_them() {
        let config = EncoderConfig::ettin_17m();
        let mut fields = config.to_hub(Architecture::MaskedLm);
        for field in ["global_attn_every_n_layers", "global_rope_theta", "local_rope_theta"] {
            fields.remove(field);
        }
        let types: Vec<_> = (0..7).map(|layer| if layer % 2 == 0 { GLOBAL } else { LOCAL }).collect();
        fields.insert("layer_types".to_owned(), json!(types));
        let rope = |theta: f64| json!({ "rope_type": "default", "rope_theta": theta });
        fields.insert("rope_parameters".to_owned(), json!({ GLOBAL: rope(5e4), LOCAL: rope(7e3) }));
        let expected = EncoderConfig {
            global_attn_every_n_layers: 2,
            global_rope_theta: 5e4,
            local_rope_theta: 7e3,
            ..config
        };
        assert_eq!(read(fields.clone()).unwrap().0, expected);
        fields.insert("layer_types".to_owned(), json!([LOCAL, GLOBAL, LOCAL, LOCAL, LOCAL, LOCAL, LOCAL]));
        assert!(read(fields).unwrap_err().starts_with("layer_types: [\"sliding_attention\","));
    }

    #[test]
    fn another_network_is_refused_by_its_field() {
        for (field, value, message) in [
            ("norm_bias", json!(true), "norm_bias: true; expected false"),
            ("hidden_activation", json!("silu"), "hidden_activation: \"silu\"; expected \"gelu\""),
            ("rope_scaling", json!({ "factor": 2 }), "rope_scaling: {\"factor\":2}; expected null"),
            ("norm_eps", json!(0.0), "norm_eps: 0.0; expected a number above 0"),
            ("embedding_dropout", json!(0.1), "embedding_dropout: 0.1; expected 0, as mlp_dropout"),
            ("local_attention", json!("all"), "local_attention: \"all\"; expected a whole number above 0"),
            ("model_type", json!("bert"), "model_type: \"bert\"; expected \"electra\" or \"modernbert\""),
            (
                "architectures",
                json!(["ModernBertDecoder"]),
                "architectures: [\"ModernBertDecoder\"]; expected [\"ModernBertForTokenClassification\"] or \
                 [\"ModernBertForMaskedLM\"] or [\"ModernBertForCausalLM\"] or [\"ModernBertModel\"] or [\"ModernBertForSequenceClassification\"] or \
                 [\"ModernBertForQuestionAnswering\"] or [\"ModernBertForMultipleChoice\"]",
            ),
        ] {
            let mut fields = EncoderConfig::modern_tiny().to_hub(Architecture::MaskedLm);
            fields.insert(field.to_owned(), value);
            assert_eq!(read(fields).unwrap_err(), message);
        }
    }
}
