//! `electra embed`.

use super::finetune::bench;
use crate::support::json_lines;

fn vectors(text: &str) -> Vec<Vec<f64>> {
    json_lines(text).into_iter().map(|line| serde_json::from_value(line).unwrap()).collect()
}

#[test]
fn a_vector_is_the_mean_of_the_last_layer() {
    let bench = bench();
    let input = b"the cat sleeps\nthe old old dog sleeps\n\n";
    let found = vectors(&bench.run_with("embed --model discriminator", input).ok());
    assert_eq!(found.len(), 3, "a blank line is a text without words");
    let rounded = vectors(&bench.run_with("embed --model discriminator --precision bf16", input).ok());
    assert_ne!(found, rounded);
    for (found, rounded) in found.iter().flatten().zip(rounded.iter().flatten()) {
        assert!((found - rounded).abs() < 0.1, "{found}, {rounded}");
    }
    let first = vectors(&bench.run_with("embed --model discriminator --pooling cls", input).ok());
    for (line, text) in ["the cat sleeps", "the old old dog sleeps"].into_iter().enumerate() {
        let request = format!("{{\"text\": \"{text}\"}}\n");
        let answer = bench.run_with("detect --model discriminator --json --hidden", request.as_bytes()).ok();
        let states: Vec<Vec<f64>> =
            serde_json::from_value(json_lines(&answer)[0]["last_hidden_state"].clone()).unwrap();
        for (place, (mean, cls)) in found[line].iter().zip(&first[line]).enumerate() {
            let expected = states.iter().map(|state| state[place]).sum::<f64>() / states.len() as f64;
            assert!((mean - expected).abs() < 1e-5, "{text}: {mean}, {expected}");
            assert!((cls - states[0][place]).abs() < 1e-5, "{text}: {cls}, {}", states[0][place]);
        }
        assert_eq!(found[line].len(), states[0].len());
    }
}

#[test]
fn pairs_with_numbers_are_scored_and_others_refused() {
    let bench = bench();
    std::fs::create_dir(bench.path("alike")).unwrap();
    bench.write(
        "alike/task.toml",
        "kind = \"sequence\"\ntext = [\"a\", \"b\"]\nlabel = \"score\"\nregression = true\nmetrics = [\"spearman\"]\n\
         [files]\ntrain = \"train.tsv\"\ndev = \"dev.tsv\"\n",
    );
    let rows = "a\tb\tscore\nthe cat sleeps\tthe cat sleeps\t5\nthe cat\tthe old dog sleeps\t1\nthe dog\tthe old dog\t3\n";
    for set in ["train", "dev"] {
        bench.write(&format!("alike/{set}.tsv"), rows);
    }
    let line = json_lines(&bench.run("embed --model discriminator --task alike --json").ok()).remove(0);
    // The one pair that is alike is one text twice.
    assert_eq!((&line["pairs"], line["alignment"].as_f64().unwrap() < 1e-9), (&3.into(), true), "{line}");
    assert!(line["spearman"].as_f64().unwrap() >= 0.5, "{line}");
    let text = bench.run("embed --model discriminator --task alike --output scores").ok();
    assert!(text.starts_with("alike, 3 pairs\nspearman     "), "{text}");
    let written = std::fs::read_to_string(bench.path("scores/alike/scores.json")).unwrap();
    let written: serde_json::Value = serde_json::from_str(&written).unwrap();
    assert_eq!(written["scores"]["dev"]["spearman"], line["spearman"], "{written}");
    let cosines = std::fs::read_to_string(bench.path("scores/alike/predictions-dev.tsv")).unwrap();
    assert!(
        cosines.starts_with("index\tprediction\tlabel\n0\t") && cosines.lines().count() == 4,
        "{cosines}"
    );
    let message = bench.run("embed --model discriminator --task alike --output scores").refused();
    assert!(message.contains("scores"), "{message}");
    let message = bench.run("embed --model discriminator --task animals").refused();
    assert!(message.contains("animals: its examples are not pairs of texts with a number each"), "{message}");
    let message = bench.run("embed --model discriminator --json").refused();
    assert!(message.contains("--task"), "{message}");
}
