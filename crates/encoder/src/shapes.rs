//! The shapes of an encoder's parameters, known before one of them is made.

use crate::error::Misshapen;
use crate::part::ENCODER;
use crate::{Backbone, EncoderConfig, Error, PositionEmbeddingType, Weights};

/// Parameters that are looked for in vain: a configuration may ask for millions of layers.
const MISSING: usize = 32;

/// Checks that `weights` have every tensor of the encoder, in the shape that `config` gives it.
///
/// Sizes in a `config.json` may be anything, tensors take up the bytes of a file. So an encoder is made after this check
/// only, and takes no more memory than the file that it comes from.
///
/// # Errors
/// Naming the first tensors that are misshapen or missing.
pub(crate) fn check(config: &EncoderConfig, weights: &Weights) -> Result<(), Error> {
    let (mut missing, mut misshapen) = (Vec::new(), Vec::new());
    for (name, expected) in parameters(config) {
        match weights.get(&name) {
            None => missing.push(name),
            Some(tensor) if tensor.size() != expected => {
                misshapen.push(Misshapen { name, found: tensor.size(), expected });
            }
            Some(_) => {}
        }
        if missing.len() == MISSING {
            break;
        }
    }
    let path = weights.path().to_owned();
    if !misshapen.is_empty() {
        return Err(Error::Misshapen { path, tensors: misshapen });
    }
    if missing.is_empty() { Ok(()) } else { Err(Error::Missing { paths: vec![path], names: missing }) }
}

/// Every parameter of an encoder of its own embeddings, under the Hub's names, one after the other.
pub(crate) fn parameters(config: &EncoderConfig) -> Box<dyn Iterator<Item = (String, Vec<i64>)> + '_> {
    match config.architecture {
        Backbone::Electra => Box::new(electra(config)),
        Backbone::ModernBert => Box::new(modernbert(config)),
    }
}

fn modernbert(config: &EncoderConfig) -> impl Iterator<Item = (String, Vec<i64>)> {
    let EncoderConfig { vocab_size, hidden_size, intermediate_size, num_hidden_layers, .. } = *config;
    let weight = |name: &str, shape: &[i64]| (format!("{ENCODER}{name}.weight"), shape.to_vec());
    let first = [
        weight("embeddings.tok_embeddings", &[vocab_size, hidden_size]),
        weight("embeddings.norm", &[hidden_size]),
        weight("final_norm", &[hidden_size]),
    ];
    let layers = (0..num_hidden_layers).flat_map(move |index| {
        let of_layer = |name: &str, shape: &[i64]| weight(&format!("layers.{index}.{name}"), shape);
        let attn_norm = (index > 0).then(|| of_layer("attn_norm", &[hidden_size]));
        let others = [
            of_layer("attn.Wqkv", &[3 * hidden_size, hidden_size]),
            of_layer("attn.Wo", &[hidden_size, hidden_size]),
            of_layer("mlp_norm", &[hidden_size]),
            of_layer("mlp.Wi", &[2 * intermediate_size, hidden_size]),
            of_layer("mlp.Wo", &[hidden_size, intermediate_size]),
        ];
        attn_norm.into_iter().chain(others)
    });
    first.into_iter().chain(layers)
}

fn electra(config: &EncoderConfig) -> impl Iterator<Item = (String, Vec<i64>)> {
    let EncoderConfig { embedding_size, hidden_size, intermediate_size, num_hidden_layers, .. } = *config;
    let table =
        |name: &str, rows| vec![(format!("{ENCODER}embeddings.{name}.weight"), vec![rows, embedding_size])];
    let positions = match config.position_embedding_type {
        PositionEmbeddingType::Absolute => table("position_embeddings", config.max_position_embeddings),
        PositionEmbeddingType::Rotary => Vec::new(),
    };
    let first = [
        table("word_embeddings", config.vocab_size),
        positions,
        table("token_type_embeddings", config.type_vocab_size),
        layer_norm(&format!("{ENCODER}embeddings"), embedding_size),
    ];
    let project = (embedding_size != hidden_size)
        .then(|| linear(&format!("{ENCODER}embeddings_project"), embedding_size, hidden_size));
    let layers = (0..num_hidden_layers).flat_map(move |index| {
        let p = format!("{ENCODER}encoder.layer.{index}");
        let projection = |name: &str| linear(&format!("{p}.attention.self.{name}"), hidden_size, hidden_size);
        [
            projection("query"),
            projection("key"),
            projection("value"),
            linear(&format!("{p}.attention.output.dense"), hidden_size, hidden_size),
            layer_norm(&format!("{p}.attention.output"), hidden_size),
            linear(&format!("{p}.intermediate.dense"), hidden_size, intermediate_size),
            linear(&format!("{p}.output.dense"), intermediate_size, hidden_size),
            layer_norm(&format!("{p}.output"), hidden_size),
        ]
    });
    first.into_iter().chain(project).chain(layers).flatten()
}

fn linear(p: &str, inputs: i64, outputs: i64) -> Vec<(String, Vec<i64>)> {
    vec![(format!("{p}.weight"), vec![outputs, inputs]), (format!("{p}.bias"), vec![outputs])]
}

fn layer_norm(p: &str, dimension: i64) -> Vec<(String, Vec<i64>)> {
    vec![(format!("{p}.LayerNorm.weight"), vec![dimension]), (format!("{p}.LayerNorm.bias"), vec![dimension])]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tch::{Device, nn};

    use super::*;
    use crate::{Encoder, Part};

    fn made(config: &EncoderConfig) -> Weights {
        let var_store = nn::VarStore::new(Device::Cpu);
        let _encoder = Encoder::new(&(var_store.root() / "electra"), config);
        Weights::from_var_store(&var_store, Part::ALL)
    }

    #[test]
    fn the_shapes_are_those_of_an_encoder() {
        // Every size another one, so that none stands for another.
        let sizes = EncoderConfig {
            vocab_size: 11,
            embedding_size: 5,
            hidden_size: 6,
            num_hidden_layers: 3,
            num_attention_heads: 2,
            intermediate_size: 7,
            max_position_embeddings: 13,
            type_vocab_size: 3,
            ..EncoderConfig::tiny()
        };
        let rotary = EncoderConfig {
            num_attention_heads: 1,
            position_embedding_type: PositionEmbeddingType::Rotary,
            ..sizes.clone()
        };
        let modernbert =
            EncoderConfig { num_attention_heads: 1, intermediate_size: 7, ..sizes.as_modernbert() };
        for config in [EncoderConfig { embedding_size: 6, ..sizes.clone() }, rotary, modernbert, sizes] {
            let weights = made(&config);
            let found: BTreeMap<String, Vec<i64>> = parameters(&config).collect();
            let expected: BTreeMap<String, Vec<i64>> =
                weights.iter().map(|(name, tensor)| (name.to_owned(), tensor.size())).collect();
            assert_eq!(found, expected);
            check(&config, &weights).unwrap();
        }
    }

    #[test]
    fn sizes_that_no_file_has_are_refused_at_once() {
        let tiny = EncoderConfig { vocab_size: 50, ..EncoderConfig::tiny() };
        let weights = made(&tiny);
        let huge = i64::from(i32::MAX);
        let word = "electra.embeddings.word_embeddings.weight";
        let dense = "electra.encoder.layer.0.intermediate.dense.weight";
        for (config, expected) in [
            (
                EncoderConfig { vocab_size: huge, ..tiny.clone() },
                format!("{word} is [50, 64], expected [{huge}, 64]"),
            ),
            (
                EncoderConfig { intermediate_size: huge, ..tiny.clone() },
                format!("{dense} is [256, 64], expected [{huge}, 64]"),
            ),
            (
                EncoderConfig { num_hidden_layers: huge, ..tiny.clone() },
                "no tensors for these parameters: electra.encoder.layer.2.attention.self.query.weight"
                    .to_owned(),
            ),
        ] {
            let message = check(&config, &weights).unwrap_err().to_string();
            assert!(message.contains(&expected), "{message}");
            assert!(message.len() < 10_000, "{message}");
        }
    }
}
