//! Held-out text.

use std::fs;
use std::path::Path;

use electra_config::Precision;
use electra_data::{Corpus, Loader};
use electra_masking::Masker;
use electra_objective::{DISC_AUC, DeviceBatch, Electra, MASKED_LM_LOSS, Objective};
use electra_trainer::{Config, Event};
use tch::{Device, nn};

use crate::child::{Trainee, write_config};
use crate::support::{
    LENGTH, checkpoint, config, masking, metrics, model, place, run, write_corpus, write_text,
};

const EXAMPLES: usize = 10;

/// A run that measures ten held-out examples every second step, in parts of 4, 4 and 2.
fn measuring(place: &Path, steps: u64) -> Config {
    write_corpus(&place.join("held-out"), 3);
    let mut config = config(place, steps);
    config.data.valid = Some(place.join("held-out"));
    config.data.valid_examples = EXAMPLES;
    config.log.valid_every_steps = 2;
    config
}

/// With dropout, in processes of their own: libtorch's generator must stand where it would have stood.
#[test]
fn the_training_ends_with_the_same_bytes() {
    let place = place();
    write_config(place.path(), 12);
    let (measured, plain) = (place.path().join("measured"), place.path().join("plain"));
    assert!(Trainee::start(&measured, None).finish().success());
    let settings = place.path().join("run.toml");
    let text = fs::read_to_string(&settings).unwrap();
    let without = |line: &&str| !line.starts_with("valid = ");
    fs::write(&settings, text.lines().filter(without).collect::<Vec<_>>().join("\n")).unwrap();
    assert!(Trainee::start(&plain, None).finish().success());

    assert!(model(&measured, 12) == model(&plain, 12), "other weights");
    let (mut measured, plain) = (metrics(&measured), metrics(&plain));
    assert!(plain.iter().all(|line| line.keys().all(|key| !key.starts_with("valid/"))));
    let has_valid: Vec<u64> = measured
        .iter()
        .filter(|line| line.contains_key("valid/loss"))
        .map(|line| line["step"].as_u64().unwrap())
        .collect();
    assert_eq!(has_valid, [4, 8, 12]);
    for line in &mut measured {
        line.retain(|key, _| !key.starts_with("valid/"));
    }
    assert_eq!(measured, plain);
}

/// The numbers are those of the parameters after the step, on the whole text at once, computed here.
#[test]
fn held_out_numbers_are_those_of_the_whole_text() {
    let place = place();
    let mut config = measuring(place.path(), 4);
    config.model.encoder.hidden_dropout_prob = 0.1;
    config.model.encoder.attention_probs_dropout_prob = 0.1;
    config.checkpoint.keep = 4;
    let folder = place.path().join("run");
    let sitting = run(&config, &folder).finished();

    let valid = Corpus::open(&place.path().join("held-out")).unwrap();
    let masker = Masker::new(config.masking.clone(), valid.vocabulary(), &[], LENGTH, 0).unwrap();
    let loader = Loader::new(&valid, &masker, EXAMPLES, 0).unwrap();
    let batch = loader.batch(0).unwrap();
    for step in [2, 4] {
        let mut var_store = nn::VarStore::new(Device::Cpu);
        let objective = Electra::new(&var_store.root(), &config.model.model());
        var_store.load(checkpoint(&folder, step).join("model.safetensors")).unwrap();
        let output = tch::no_grad(|| objective.forward_t(&DeviceBatch::new(&batch, Device::Cpu), false));
        let line = metrics(&folder).remove(step as usize - 1);
        let found = |name: &str| line[&format!("valid/{name}")].as_f64().unwrap();
        let loss = output.loss.double_value(&[]);
        assert!((found("loss") - loss).abs() < 1e-4 * loss, "{} {loss}", found("loss"));
        let expected = output.metrics.compute();
        assert_eq!(line.keys().filter(|key| key.starts_with("valid/")).count(), expected.len() + 1);
        for metric in expected.iter().filter(|metric| metric.over == electra_objective::Over::Step) {
            let expected = metric.value.double_value(&[]);
            assert!(
                (found(&metric.name) - expected).abs() < 1e-5 * expected.abs().max(1.0),
                "{}",
                metric.name
            );
        }
        // What is known of a part alone is averaged by the parts' rows.
        let mut parts = loader.empty_parts_of(4).unwrap();
        loader.fill(0, &mut parts).unwrap();
        assert_eq!(parts.iter().map(|part| part.rows).collect::<Vec<_>>(), [4, 4, 2]);
        let auc = parts.iter().map(|part| {
            let batch = DeviceBatch::new(part, Device::Cpu);
            let metrics = tch::no_grad(|| objective.forward_t(&batch, false)).metrics.compute();
            let auc = metrics.iter().find(|metric| metric.name == DISC_AUC).unwrap().value.double_value(&[]);
            auc * part.rows as f64 / EXAMPLES as f64
        });
        let auc = auc.sum::<f64>();
        assert!((found(DISC_AUC) - auc).abs() < 1e-5, "{} {auc}", found(DISC_AUC));
        assert_ne!(found(MASKED_LM_LOSS), line[MASKED_LM_LOSS].as_f64().unwrap());
    }
    let last = sitting.events.iter().rev().find_map(|event| match event {
        Event::Step { rates: Some(rates), .. } => rates.valid,
        _ => None,
    });
    let last = last.unwrap();
    let line = metrics(&folder).remove(3);
    assert_eq!((last.step, Some(last.loss)), (4, line["valid/loss"].as_f64()));
    assert_eq!(last.masked_lm_loss, line["valid/masked_lm_loss"].as_f64());
    assert_eq!(last.disc_auc, line["valid/disc_auc"].as_f64());
    let events = fs::read(folder.join("events.out.tfevents.0.electra")).unwrap();
    let named = |name: &[u8]| events.windows(name.len()).filter(|window| *window == name).count();
    assert_eq!((named(b"valid/masked_lm_loss"), named(b"valid/disc_auc")), (2, 2));
}

/// Examples, masks and samples are the same each time, and nothing is dropped: where nothing is learnt, nothing changes.
#[test]
fn every_measurement_reads_the_same() {
    let place = place();
    write_corpus(&place.path().join("held-out"), 3);
    for (name, precision) in [("fp32", Precision::Fp32), ("bf16", Precision::Bf16)] {
        let folder = place.path().join(name);
        let mut config = config(place.path(), 7);
        config.data.valid = Some(place.path().join("held-out"));
        // More than there are: all 120 are read.
        config.data.valid_examples = 1000;
        (config.log.every_steps, config.log.valid_every_steps) = (3, 2);
        config.optimizer.learning_rate = 0.0;
        config.model.encoder.hidden_dropout_prob = 0.5;
        config.device.precision = precision;
        run(&config, &folder).finished();
        let lines = metrics(&folder);
        // A measurement is a log step; the last step is one of both kinds.
        let steps: Vec<u64> = lines.iter().map(|line| line["step"].as_u64().unwrap()).collect();
        assert_eq!(steps, [2, 3, 4, 6, 7]);
        let valid: Vec<_> = lines.iter().filter(|line| line.contains_key("valid/loss")).collect();
        assert_eq!(valid.len(), 4);
        // Nothing is known: ln 100 + 50 · ln 2.
        assert!((valid[0]["valid/loss"].as_f64().unwrap() - 39.3).abs() < 1.0, "{name}: {:?}", valid[0]);
        for line in &valid[1..] {
            for (key, value) in line.iter().filter(|(key, _)| key.starts_with("valid/")) {
                assert_eq!(*value, valid[0][key], "{name}: {key}");
            }
            assert_ne!(line["loss"], valid[0]["loss"], "{name}");
        }
    }
}

#[test]
fn text_that_is_not_for_this_run_is_refused() {
    let place = place();
    let place = place.path();
    let word = |document, line, place| 5 + (document * 31 + line * 17 + place) % 95;
    write_text(&place.join("other-tokenizer"), LENGTH, [1; 32], word);
    write_text(&place.join("longer"), LENGTH + 1, [0; 32], word);
    write_corpus(&place.join("copy"), 1);
    let config = config(place, 2);
    let path = place.join("run.toml");
    fs::write(&path, config.to_toml()).unwrap();
    let (corpus, shown) = (config.data.corpus.display().to_string(), path.display());
    for (name, expected) in [
        (
            "other-tokenizer",
            format!(
                "was built with the tokenizer of sha256 {}; expected a corpus of the tokenizer that {corpus} was built \
                 with, {}",
                "01".repeat(32),
                "00".repeat(32)
            ),
        ),
        ("longer", format!("has examples of up to 17 tokens; expected at most 16, as {corpus} has")),
        ("copy", "is the text that is trained on; expected text that is not trained on".to_owned()),
        ("corpus", "is the text that is trained on; expected text that is not trained on".to_owned()),
    ] {
        let valid = place.join(name);
        let refusal = format!("data.valid: {} {expected}", valid.display());
        let set = [format!("data.valid={}", valid.display())];
        let error = electra_trainer::read_config(&path, &set, masking).unwrap_err().to_string();
        assert_eq!(error, format!("{shown}: {refusal}"));
        let mut config = config.clone();
        config.data.valid = Some(valid);
        let error = run(&config, &place.join("run")).outcome.unwrap_err().to_string();
        assert_eq!(error, format!("the settings: {refusal}"));
        assert!(!place.join("run").exists());
    }
    for (set, expected) in [
        ("data.valid=nowhere", "nowhere/corpus.json: reading it (a corpus folder holds one)"),
        ("data.valid_examples=0", "data.valid_examples: 0; expected 1 to 1048576"),
        ("data.valid_examples=1048577", "data.valid_examples: 1048577; expected 1 to 1048576"),
        ("log.valid_every_steps=0", "log.valid_every_steps: 0; expected at least 1"),
    ] {
        let error = electra_trainer::read_config(&path, &[set.to_owned()], masking).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// Numbers of another text would stand in one curve with those of before.
#[test]
fn another_held_out_text_is_refused() {
    let place = place();
    let folder = place.path().join("run");
    let config = measuring(place.path(), 2);
    run(&config, &folder).finished();
    fs::remove_dir_all(place.path().join("held-out")).unwrap();
    write_corpus(&place.path().join("held-out"), 4);
    let error = run(&config, &folder).outcome.unwrap_err().to_string();
    assert!(error.contains("data.valid (SHA-256 of its corpus.json) = "), "{error}");
}

/// Settings and state of a run that was begun before there was held-out text.
#[test]
fn an_older_run_goes_on() {
    let place = place();
    let folder = place.path().join("run");
    let config = config(place.path(), 4);
    run(&config, &folder).finished();
    let settings = folder.join("config.toml");
    let text = fs::read_to_string(&settings).unwrap();
    let older = |line: &&str| !line.starts_with("valid");
    fs::write(&settings, text.lines().filter(older).collect::<Vec<_>>().join("\n")).unwrap();
    assert!(fs::read_to_string(&settings).unwrap().len() < text.len());
    run(&config, &folder).finished();
}
