//! `electra replacements`.

use serde_json::Value;

use crate::support::Bench;

const LEXICON: &str = "word\tclass\tnumber\n\
                       cat\tnoun\tone\ndog\tnoun\tone\nmat\tnoun\tone\nlog\tnoun\tone\nthem\tpronoun\tmany\n\
                       the\tdeterminer\t\na\tdeterminer\tone\nall\tdeterminer\tmany\nsat\tverb\t\n\
                       on\tpreposition\t\nof\tpreposition\t\nfor\tpreposition\t\nunheardof\tnoun\tone\n";

/// A corpus, a lexicon and the settings of runs whose learning rate is 0: every step sees the first weights.
fn bench() -> Bench {
    let bench = Bench::with_tokenizer();
    bench.run("corpus build --tokenizer tokenizer --input text.txt --max-length 16 --output corpus").ok();
    bench.write("words.tsv", LEXICON);
    bench.write(
        "run.toml",
        "preset = \"tiny\"\nobjective = \"electra\"\nseed = 5\n[data]\ncorpus = \"corpus\"\n\
         [budget]\nsteps = 3\nbatch = 4\n[checkpoint]\nevery_steps = 2\n[log]\nevery_steps = 1\n\
         [optimizer]\nlearning_rate = 0.0\n[device]\nthreads = 1\n[model]\ngenerator_multiplier = 0.5\n\
         [model.encoder]\nhidden_size = 32\nembedding_size = 16\nintermediate_size = 48\n\
         initializer_range = 0.3\nhidden_dropout_prob = 0.0\nattention_probs_dropout_prob = 0.0\n",
    );
    bench
}

fn train(bench: &Bench, objective: &str, steps: u64, run: &str) {
    let set = format!("--set objective={objective} --set budget.steps={steps}");
    bench.run(&format!("pretrain --config run.toml {set} --run {run}")).ok();
}

fn measured(bench: &Bench, line: &str) -> Value {
    let line = format!("replacements --lexicon words.tsv --json {line}");
    serde_json::from_str(&bench.run(&line).ok()).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

#[test]
fn help_tells_it_whole() {
    let bench = Bench::new();
    let all = bench.run("--help").ok();
    let line = "Show what a run samples at masked positions, and which of these samples it detects\n";
    assert!(all.contains(line), "{all}");
    let long = bench.run("replacements --help").ok();
    for said in ["A lexicon is text in columns separated by tabs", "Examples:", "--batches <N>"] {
        assert!(long.contains(said), "{said:?} is not in:\n{long}");
    }
}

#[test]
fn it_measures_the_batch_that_training_would_see_next() {
    let bench = bench();
    train(&bench, "electra", 3, "run");
    train(&bench, "electra", 4, "longer");
    let found = measured(&bench, "--run run --batches 1 --output out.json");
    let file: Value = serde_json::from_slice(&std::fs::read(bench.path("out.json")).unwrap()).unwrap();
    assert_eq!(file, found);
    assert_eq!(
        (&found["objective"], &found["step"], &found["first_batch"]),
        (&"electra".into(), &3.into(), &3.into())
    );
    assert_eq!((&found["words"], &found["features"]), (&12.into(), &vec!["number"].into()));

    // Nothing is learnt, so the fourth step of the longer run says the same of the fourth batch.
    let log = std::fs::read_to_string(bench.path("longer/metrics.jsonl")).unwrap();
    let logged: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    let replacements = &found["replacements"];
    let kinds = replacements["kinds"].as_array().unwrap();
    let shares: Vec<f64> = kinds.iter().map(|kind| number(&kind["share"])).collect();
    for (name, found, expected) in [
        ("loss", &replacements["masked_lm_loss"], "masked_lm_loss"),
        ("right samples", &kinds[0]["share"], "sampled_masked_lm_accuracy"),
        ("recall", &replacements["detection"]["recall"], "disc_recall"),
        ("AUC", &replacements["detection"]["auc"], "disc_auc"),
    ] {
        let (found, expected) = (number(found), number(&logged[expected]));
        assert!((found - expected).abs() < 1e-5, "{name}: {found}, {expected}");
    }
    let counts: u64 = kinds.iter().map(|kind| kind["count"].as_u64().unwrap()).sum();
    assert_eq!(counts, replacements["masked"].as_u64().unwrap());
    assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
}

#[test]
fn the_same_batches_whatever_the_checkpoint_and_how_they_are_shared_out() {
    let bench = bench();
    train(&bench, "electra", 3, "run");
    let all = measured(&bench, "--run run --batches 6");
    assert_eq!(measured(&bench, "--run run --batches 6"), all, "again");
    let before = measured(&bench, "--run run --step 2 --batches 6");
    assert_eq!((&before["step"], &before["first_batch"]), (&2.into(), &3.into()));
    assert_eq!(before["replacements"], all["replacements"], "of the same weights");
    let kinds = all["replacements"]["kinds"].as_array().unwrap();
    let names: Vec<_> = kinds.iter().map(|kind| kind["kind"].as_str().unwrap()).collect();
    assert_eq!(names, ["right", "same-features", "same-class", "other-class", "unlisted"]);
    assert!(kinds[3]["count"].as_u64() > Some(0) && kinds[4]["count"].as_u64() > Some(0), "{kinds:?}");
    assert!(kinds[0]["recall"].is_null() && kinds[4]["auc"].is_number());

    let text = bench.run("replacements --run run --lexicon words.tsv --batches 6").ok();
    for said in [
        "run: electra after 3 steps",
        "of 6 batches from step 3 on",
        "the generator's: ",
        "other class",
        "AUC",
    ] {
        assert!(text.contains(said), "{said:?} is not in:\n{text}");
    }
    // From elsewhere, where neither corpus nor tokenizer is where the run found it.
    std::fs::rename(bench.path("corpus"), bench.path("moved")).unwrap();
    let error = bench.run("replacements --run run --lexicon words.tsv").refused();
    assert!(error.contains("corpus: the corpus (--corpus names another place)"), "{error}");
    assert_eq!(measured(&bench, "--run run --corpus moved --batches 6"), all);
}

#[test]
fn every_objective_says_what_it_can() {
    let bench = bench();
    for (objective, loss, kinds, detection) in [
        ("mlm", true, 0, false),
        ("replace-mlm", true, 5, false),
        ("electra-15", true, 5, true),
        ("all-tokens-mlm", true, 5, true),
        ("electra-shuffled", true, 5, true),
        ("rtd-unigram", false, 5, true),
        ("rtd-uniform", false, 5, true),
    ] {
        train(&bench, objective, 1, objective);
        let found = &measured(&bench, &format!("--run {objective} --batches 2"))["replacements"];
        assert_eq!(found["masked_lm_loss"].is_number(), loss, "{objective}");
        assert_eq!(found["kinds"].as_array().unwrap().len(), kinds, "{objective}");
        assert_eq!(found["detection"].is_object(), detection, "{objective}");
    }
    let text = bench.run("replacements --run mlm --lexicon words.tsv --batches 2").ok();
    assert!(text.contains("loss, its own: ") && text.contains("nothing is replaced"), "{text}");
    let text = bench.run("replacements --run replace-mlm --lexicon words.tsv --batches 2").ok();
    assert!(text.contains("nothing in replace-mlm says what was replaced"), "{text}");
}

#[test]
fn what_cannot_be_is_refused() {
    let bench = bench();
    train(&bench, "electra", 1, "run");
    bench.write("cut.tsv", &LEXICON[..LEXICON.len() - 14]);
    bench.write("latin-1.tsv", b"word\tclass\ncat\tnoun\nz\xfcrich\tname\n");
    bench.write("columns.tsv", "form\tpos\ncat\tnoun\n");
    bench.write("empty.tsv", "");
    bench.write("other.tsv", "word\tclass\nchat\tnom\n");
    for (lexicon, expected) in [
        ("nowhere.tsv", "nowhere.tsv: reading it: "),
        (
            "cut.tsv",
            "cut.tsv: line 14: 1 columns; expected 3, as in the first line; the file ends within this line",
        ),
        ("latin-1.tsv", "latin-1.tsv: line 3: is not UTF-8"),
        ("columns.tsv", "columns.tsv: line 1: \"form\\tpos\"; expected the names of columns"),
        ("empty.tsv", "empty.tsv: line 1: \"\"; expected"),
        ("other.tsv", "other.tsv: line 2: none of its 1 words is a token"),
    ] {
        let error =
            bench.run(&format!("replacements --run run --lexicon {lexicon} --output out.json")).refused();
        assert!(error.contains(expected), "{error}");
    }
    for (line, expected) in [
        ("--run corpus", "--run: expected a folder of electra pretrain: corpus/config.toml: "),
        ("--run nowhere", "nowhere/config.toml"),
        ("--run run --step 7", "--step 7: "),
        ("--run run --corpus nowhere", "nowhere: the corpus (--corpus names another place)"),
        ("--run run --tokenizer nowhere", "nowhere: the tokenizer (--tokenizer names another place)"),
        ("--run run --batches 0", "--batches"),
        ("--run run --output nowhere/out.json", "nowhere/out.json: "),
    ] {
        let error = bench.run(&format!("replacements --lexicon words.tsv {line}")).refused();
        assert!(error.contains(expected), "{error}");
    }
    // Examples of another tokenizer are none of this run's.
    bench.run("tokenizer train --cased --input text.txt --vocab-size 200 --output cased").ok();
    bench.run("corpus build --tokenizer cased --input text.txt --max-length 16 --output other").ok();
    let error = bench.run("replacements --run run --lexicon words.tsv --corpus other").refused();
    assert!(error.contains("another tokenizer than the corpus was built with"), "{error}");
    // An objective that this program does not know.
    let config = std::fs::read_to_string(bench.path("run/config.toml")).unwrap();
    bench.write("run/config.toml", config.replace("\"electra\"", "\"moved-tokens\""));
    let error = bench.run("replacements --run run --lexicon words.tsv").refused();
    assert!(error.contains("there is none called \"moved-tokens\""), "{error}");
    assert!(!bench.path("out.json").exists());
}
