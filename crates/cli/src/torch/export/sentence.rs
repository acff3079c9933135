//! What sentence-transformers reads beside an encoder: which states stand for a text.

use std::path::Path;

use anyhow::Result;
use clap::ValueEnum;
use electra_encoder::EncoderConfig;
use electra_store::write;
use serde_json::{Value, json};

/// What of the last layer stands for a text, as `electra embed` has it.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Pooling {
    /// The mean over all tokens
    Mean,
    /// The state of [CLS]
    Cls,
}

/// Writes `modules.json` and what it names to the folder of an encoder.
pub(super) fn write_modules(folder: &Path, config: &EncoderConfig, pooling: Pooling) -> Result<()> {
    let module = |number: usize, path: &str, kind: &str| {
        let kind = format!("sentence_transformers.models.{kind}");
        json!({ "idx": number, "name": number.to_string(), "path": path, "type": kind })
    };
    let modules = json!([module(0, "", "Transformer"), module(1, "1_Pooling", "Pooling")]);
    let length = json!({ "max_seq_length": config.max_position_embeddings, "do_lower_case": false });
    let pooled = json!({
        "word_embedding_dimension": config.hidden_size,
        "pooling_mode_cls_token": pooling == Pooling::Cls,
        "pooling_mode_mean_tokens": pooling == Pooling::Mean,
        "pooling_mode_max_tokens": false,
        "pooling_mode_mean_sqrt_len_tokens": false,
    });
    let pretty = |value: &Value| format!("{value:#}\n");
    let place = folder.join("1_Pooling");
    std::fs::create_dir(&place).map_err(electra_store::io(&place, "creating it"))?;
    write(&place.join("config.json"), pretty(&pooled))?;
    write(&folder.join("sentence_bert_config.json"), pretty(&length))?;
    Ok(write(&folder.join("modules.json"), pretty(&modules))?)
}
