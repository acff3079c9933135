//! Stopping, going on, and what may not change between.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use electra_config::{Config, Precision, RunFolder, Tied};
use electra_masking::MaskRate;
use electra_trainer::{Error, Event, Outcome};

use crate::support::{config, metrics, model, names, place, run, run_observed, write_corpus};

/// A stop between two checkpoints: the step is finished, saved, and the run ends as if nothing had been.
#[test]
fn an_interrupt_finishes_the_step_and_saves() {
    interrupted(|_| {});
}

#[test]
fn an_interrupt_changes_nothing_in_bfloat16_either() {
    interrupted(|config| config.device.precision = Precision::Bf16);
}

/// Tables that are added to the generator's have moments of their own, and a rate of masks is a function of the step.
#[test]
fn an_interrupt_changes_nothing_with_disentangled_embeddings_and_a_rate_that_falls() {
    let metrics = interrupted(|config| {
        config.model.tied = Tied::GradientDisentangled;
        config.masking.mask_prob = MaskRate::Linear { from: 0.6, to: 0.1 };
    });
    let rates: Vec<f64> = metrics.iter().map(|line| line["masked_rate"].as_f64().unwrap()).collect();
    assert!(rates.windows(2).all(|pair| pair[0] > pair[1]), "{rates:?}");
}

fn interrupted(change: fn(&mut Config)) -> Vec<BTreeMap<String, serde_json::Value>> {
    let place = place();
    let (calm, folder) = (place.path().join("calm"), place.path().join("run"));
    let mut config = config(place.path(), 10);
    change(&mut config);
    (config.checkpoint.every_steps, config.log.every_steps) = (4, 3);
    run(&config, &calm).finished();

    let stop = AtomicBool::new(false);
    let mut observer = |event: &Event| {
        if matches!(event, Event::Step { step: 6, .. }) {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let outcome = run_observed(&config, &folder, &stop, &mut observer, &electra_objective::electra::SPEC);
    assert_eq!(outcome.unwrap(), Outcome::Interrupted { step: 6 });
    assert_eq!(names(&folder.join("checkpoints")), ["step-00000004", "step-00000006"]);

    let report = run(&config, &folder).finished();
    assert_eq!(report.started(), 6);
    assert_eq!(report.warnings(), [""; 0]);
    assert!(model(&calm, 10) == model(&folder, 10));
    assert_eq!(metrics(&calm), metrics(&folder));
    let steps: Vec<u64> = metrics(&folder).iter().map(|line| line["step"].as_u64().unwrap()).collect();
    assert_eq!(steps, [3, 6, 9, 10]);
    assert_eq!(names(&folder.join("checkpoints")), ["step-00000008", "step-00000010"]);
    metrics(&folder)
}

#[test]
fn a_finished_run_is_left_as_it_is() {
    let place = place();
    let folder = place.path().join("run");
    let config = config(place.path(), 3);
    run(&config, &folder).finished();
    let before = (model(&folder, 3), metrics(&folder));
    let report = run(&config, &folder).finished();
    assert_eq!(report.events.len(), 1, "it starts, and that is all: {:?}", report.events);
    assert_eq!((model(&folder, 3), metrics(&folder)), before);
}

#[test]
fn other_settings_and_another_corpus_are_refused() {
    let place = place();
    let folder = place.path().join("run");
    let config = config(place.path(), 3);
    run(&config, &folder).finished();
    let before = fs::read(folder.join("config.toml")).unwrap();

    let mut other = config.clone();
    other.optimizer.learning_rate = 1.0;
    other.model.encoder.num_hidden_layers = 3;
    let Err(Error::Store(electra_store::Error::Differs { differences, .. })) = run(&other, &folder).outcome
    else {
        panic!("not refused")
    };
    let shown: Vec<String> = differences.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        ["model.encoder.num_hidden_layers = 2 (wanted: 3)", "optimizer.learning_rate = 0.005 (wanted: 1.0)"]
    );
    assert_eq!(fs::read(folder.join("config.toml")).unwrap(), before);

    fs::remove_dir_all(&config.data.corpus).unwrap();
    write_corpus(&config.data.corpus, 2);
    let error = run(&config, &folder).outcome.unwrap_err().to_string();
    assert!(error.contains("data.corpus (SHA-256 of its corpus.json) = "), "{error}");
}

#[test]
fn bfloat16_rounds_and_learns_the_same() {
    let place = place();
    let losses = [Precision::Fp32, Precision::Bf16].map(|precision| {
        let folder = place.path().join(format!("{precision:?}"));
        let mut config = config(place.path(), 20);
        config.device.precision = precision;
        run(&config, &folder).finished();
        let losses: Vec<f64> = metrics(&folder).iter().map(|line| line["loss"].as_f64().unwrap()).collect();
        losses
    });
    let [exact, rounded] = losses;
    assert_ne!(exact, rounded);
    for (step, (exact, rounded)) in exact.iter().zip(&rounded).enumerate() {
        assert!((exact - rounded).abs() < 0.01 * exact, "{step}: {exact}, {rounded}");
    }
}

/// A run without dropout is a function of its settings alone.
#[test]
fn a_run_is_a_function_of_its_settings() {
    let place = place();
    let mut models = Vec::new();
    for (name, seed) in [("one", 1), ("again", 1), ("other", 2)] {
        let mut config = config(place.path(), 3);
        config.seed = seed;
        run(&config, &place.path().join(name)).finished();
        models.push(model(&place.path().join(name), 3));
    }
    assert!(models[0] == models[1] && models[0] != models[2]);
}

#[test]
fn a_checkpoint_holds_what_a_run_goes_on_from() {
    let place = place();
    let folder = place.path().join("run");
    let config = config(place.path(), 3);
    run(&config, &folder).finished();
    let opened = RunFolder::open(&folder).unwrap();
    assert_eq!(*opened.config(), config);
    let checkpoint = opened.newest_checkpoint().unwrap().0.unwrap();
    let model = electra_trainer::read_model(&checkpoint).unwrap();
    let moments = electra_encoder::Weights::read(&checkpoint.folder.join("optimizer.safetensors")).unwrap();
    assert_eq!(moments.iter().count(), 3 * model.iter().count());
    for (name, tensor) in model.iter() {
        for moment in ["exp_avg", "exp_avg_sq"] {
            assert_eq!(moments.get(&format!("{name}.{moment}")).unwrap().size(), tensor.size());
        }
        assert_eq!(moments.get(&format!("{name}.steps")).unwrap().int64_value(&[]), 3, "{name}");
    }
    let state: serde_json::Value =
        serde_json::from_slice(&fs::read(checkpoint.folder.join("state.json")).unwrap()).unwrap();
    assert_eq!((state["step"].as_u64(), state["examples_seen"].as_u64()), (Some(3), Some(12)));
    assert!(state["code"].as_str().unwrap().starts_with(env!("CARGO_PKG_VERSION")));
    assert_eq!(state["config"]["budget"]["batch"], 4);
}
