//! The same numbers as `tests/golden/make_golden.py`, which computes them from their definition.

use electra_data::{
    Corpus, CorpusWriter, ExampleBuilder, ExampleConfig, Loader, MaskingConfig, Overflow, Permutation,
};
use electra_masking::Masker;
use serde_json::Value;

use crate::support::{config, vocabulary};

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden/golden.json")).unwrap()
}

fn list<T>(value: &Value, item: impl Fn(&Value) -> T) -> Vec<T> {
    value.as_array().unwrap().iter().map(item).collect()
}

fn int(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

#[test]
fn permutations() {
    for case in golden()["order"].as_array().unwrap() {
        let n = int(&case["n"]);
        let permutation = Permutation::new(n, int(&case["seed"]), int(&case["epoch"]));
        let all: Vec<u64> = (0..n).map(|index| permutation.apply(index)).collect();
        assert_eq!(all, list(&case["permutation"], int));
    }
}

/// Order, gathering, padding, segments and masks together, across the end of an epoch.
#[test]
fn batches() {
    let golden = golden();
    let documents = list(&golden["documents"], |units| list(units, |unit| list(unit, |id| int(id) as u32)));
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("corpus");
    let mut writer = CorpusWriter::create(&folder, config(16, 1000)).unwrap();
    for units in &documents {
        units.iter().try_for_each(|unit| writer.push(unit)).unwrap();
        writer.end_document().unwrap();
    }
    writer.finish().unwrap();
    let corpus = Corpus::open(&folder).unwrap();
    for case in golden["batches"].as_array().unwrap() {
        let rows = int(&case["batch_size"]) as usize;
        let seed = int(&case["seed"]);
        let masker = Masker::new(MaskingConfig::bert(), corpus.vocabulary(), &[], 16, seed).unwrap();
        let loader = Loader::new(&corpus, &masker, rows, seed).unwrap();
        // One batch for all steps: what an earlier step wrote must not shine through.
        let mut parts = loader.empty_parts(1).unwrap();
        for (step, expected) in case["batches"].as_array().unwrap().iter().enumerate() {
            loader.fill(step as u64, &mut parts).unwrap();
            let batch = &parts[0];
            let found = serde_json::json!({
                "examples": batch.examples, "input_ids": batch.input_ids, "attention_mask": batch.attention_mask,
                "token_type_ids": batch.token_type_ids, "masked_input_ids": batch.ids("masked_input_ids"),
                "masked_positions": batch.ids("masked_positions"), "masked_valid": batch.flags("masked_valid"),
            });
            assert_eq!(&found, expected, "seed {}, step {step}", case["seed"]);
        }
    }
}

#[test]
fn examples() {
    let golden = golden();
    let documents = list(&golden["documents"], |units| list(units, |unit| list(unit, |id| int(id) as u32)));
    for case in golden["examples"].as_array().unwrap() {
        let config = ExampleConfig {
            max_length: int(&case["max_length"]) as usize,
            single_segment_prob: case["single_segment_prob"].as_f64().unwrap(),
            short_prob: case["short_prob"].as_f64().unwrap(),
            overflow: if case["overflow"] == "carry" { Overflow::Carry } else { Overflow::Drop },
            seed: int(&case["seed"]),
        };
        let mut builder = ExampleBuilder::new(config, &vocabulary(1000)).unwrap();
        let mut made = Vec::new();
        let mut keep = |example: electra_data::Example<'_>| {
            made.push(serde_json::json!([example.input_ids, example.first_segment]));
            Ok::<_, ()>(())
        };
        for units in &documents {
            for unit in units {
                builder.push(unit, &mut keep).unwrap();
            }
            builder.end_document(&mut keep).unwrap();
        }
        assert_eq!(Value::Array(made), case["examples"]);
    }
}
