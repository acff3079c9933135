//! Every reader.

mod plan;
mod report;
mod settings;
mod shard;
mod tasks;
mod text;
mod tokenizer;

use crate::Reader;

/// Every reader, each with the name of its target.
pub const READERS: &[Reader] = &[
    shard::SHARD,
    shard::CORPUS,
    text::TEXT,
    text::PARQUET,
    tokenizer::TOKENIZER_JSON,
    tokenizer::VOCAB_TXT,
    settings::RUN,
    settings::FOLDER,
    settings::HUB,
    settings::CHECKPOINT,
    tasks::DEFINITION,
    tasks::TSV,
    tasks::JSONL,
    tasks::CONLL,
    tasks::SQUAD,
    tasks::PAIRS,
    plan::PLAN,
    report::RESULTS,
    report::MEASUREMENTS,
];
