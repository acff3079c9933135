//! What a run writes down.

use std::fs;

use electra_config::Precision;

use crate::support::{LENGTH, config, metrics, names, place, run};

#[test]
fn a_run_folder_has_its_files() {
    let place = place();
    let folder = place.path().join("run");
    run(&config(place.path(), 3), &folder).finished();
    let expected = [
        ".lock",
        "checkpoints",
        "config.toml",
        "environment.json",
        "events.out.tfevents.0.electra",
        "metrics.jsonl",
        "remarks.jsonl",
        "timing.jsonl",
    ];
    assert_eq!(names(&folder), expected);

    let lines = metrics(&folder);
    assert_eq!(lines.len(), 3);
    for name in
        ["loss", "lr", "grad_norm", "flops", "disc_loss", "masked_lm_loss", "disc_auc", "replaced_rate"]
    {
        assert!(lines.iter().all(|line| line[name].is_f64()), "{name}: {lines:?}");
    }
    // Warm-up is a tenth of 3 steps, so over at step 1; step 0 has rate 0, and its moments move nothing.
    let rates: Vec<f64> = lines.iter().map(|line| line["lr"].as_f64().unwrap()).collect();
    assert_eq!(rates, [0.0, 5e-3 * (1.0 - 1.0 / 3.0), 5e-3 * (1.0 - 2.0 / 3.0)]);
    assert_eq!(lines[2]["tokens"].as_u64(), Some((3 * 4 * LENGTH) as u64));
    // What depends on the clock is in a file of its own.
    assert!(lines[0].keys().all(|key| !key.contains("_per_s") && !key.contains("seconds")));

    let timing = fs::read_to_string(folder.join("timing.jsonl")).unwrap();
    let timing: Vec<serde_json::Value> =
        timing.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(timing.len() == 3 && timing[2]["tokens_per_s"].as_f64().unwrap() > 0.0);

    let environment: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.join("environment.json")).unwrap()).unwrap();
    assert_eq!((&environment[0]["threads"], &environment[0]["device"]), (&1.into(), &"cpu".into()));
    assert!(environment[0]["libtorch"].as_str().unwrap().starts_with("2."));
    assert!(environment[0]["peak_flops_per_s"].as_f64().unwrap() > 1e6);
}

/// The events are records that follow each other without a gap, one for the version and one for each step.
#[test]
fn the_events_are_whole_records() {
    let place = place();
    let folder = place.path().join("run");
    run(&config(place.path(), 3), &folder).finished();
    let bytes = fs::read(folder.join("events.out.tfevents.0.electra")).unwrap();
    let mut offset = 0;
    let mut records = 0;
    while offset < bytes.len() {
        let length = u64::from_le_bytes(bytes[offset..offset + 8].try_into().unwrap()) as usize;
        offset += 12 + length + 4;
        records += 1;
    }
    assert_eq!((offset, records), (bytes.len(), 4));
}

/// ELECTRA learns something of the tiny corpus, in either precision.
#[test]
fn the_loss_falls() {
    let place = place();
    for (name, precision) in [("fp32", Precision::Fp32), ("bf16", Precision::Bf16)] {
        let folder = place.path().join(name);
        let mut config = config(place.path(), 150);
        (config.checkpoint.every_steps, config.budget.batch) = (1000, 16);
        config.device.precision = precision;
        run(&config, &folder).finished();
        let lines = metrics(&folder);
        let mean = |range: std::ops::Range<usize>| {
            let losses = lines[range].iter().map(|line| line["masked_lm_loss"].as_f64().unwrap());
            losses.sum::<f64>() / 10.0
        };
        let (first, last) = (mean(0..10), mean(140..150));
        // It begins at ln 100.
        assert!((first - 4.6).abs() < 0.05 && last < first - 0.15, "{name}: {first} {last}");
    }
}
