//! Settings as a user writes them.

use std::fs;
use std::path::{Path, PathBuf};

use electra_config::{Config, DeviceChoice, Limit, Precision, Preset};
use tempfile::TempDir;

use crate::support::{masking, place};

fn written(text: &str) -> (TempDir, PathBuf) {
    let place = place();
    let path = place.path().join("run.toml");
    let text = text.replace("CORPUS", &place.path().join("corpus").display().to_string());
    fs::write(&path, text).unwrap();
    (place, path)
}

fn read(path: &Path, set: &[&str]) -> Result<Config, electra_trainer::Error> {
    let set: Vec<String> = set.iter().map(|assignment| (*assignment).to_owned()).collect();
    electra_trainer::read_config(path, &set, masking)
}

const SHORT: &str = "preset = \"small\"\nobjective = \"electra\"\nseed = 1\n[data]\ncorpus = \"CORPUS\"\n\
    [budget]\nsteps = 1000\n";

#[test]
fn a_short_file_is_the_papers_settings() {
    let (place, path) = written(SHORT);
    let config = read(&path, &[]).unwrap();
    assert_eq!((config.preset, config.budget.batch), (Preset::Small, 128));
    let optimizer = &config.optimizer;
    assert_eq!((optimizer.learning_rate, optimizer.weight_decay, optimizer.eps), (5e-4, 0.01, 1e-6));
    assert_eq!((optimizer.warmup_steps, optimizer.betas, optimizer.clip), (10_000, [0.9, 0.999], 1.0));
    let encoder = &config.model.encoder;
    assert_eq!((encoder.num_hidden_layers, encoder.hidden_size, encoder.embedding_size), (12, 256, 128));
    assert_eq!((encoder.vocab_size, encoder.pad_token_id), (100, 0), "the corpus's");
    assert_eq!(config.model.model().generator.hidden_size, 64);
    assert_eq!(config.masking.mask_prob, electra_masking::MaskRate::Fixed(0.15));
    assert_eq!(config.data.corpus, place.path().join("corpus"));

    // What is written is read again, and says everything.
    let whole = place.path().join("whole.toml");
    fs::write(&whole, config.to_toml()).unwrap();
    assert_eq!(read(&whole, &[]).unwrap(), config);
}

#[test]
fn large_masks_a_quarter_unless_told_otherwise() {
    let (_place, path) = written(&SHORT.replace("small", "large"));
    assert_eq!(read(&path, &[]).unwrap().masking.mask_prob, electra_masking::MaskRate::Fixed(0.25));
    assert_eq!(
        read(&path, &["masking.mask_prob=0.2"]).unwrap().masking.mask_prob,
        electra_masking::MaskRate::Fixed(0.2)
    );
}

#[test]
fn set_goes_over_the_file_and_the_file_over_the_preset() {
    let (_place, path) = written(&format!("{SHORT}batch = 8\n[optimizer]\nlearning_rate = 1e-3\n"));
    let set = [
        "optimizer.learning_rate=2e-3",
        "budget.flops=1.3e15",
        "device.device=cpu",
        "device.precision=bf16",
        "model.encoder.hidden_size=128",
        "masking.choice={ n-gram = { max = 3 } }",
        "budget.accumulation=4",
    ];
    let config = read(&path, &set).unwrap();
    assert_eq!((config.optimizer.learning_rate, config.budget.batch), (2e-3, 8));
    assert_eq!(config.budget.limit("").unwrap(), Limit::Flops(1.3e15));
    assert_eq!((config.device.device, config.device.precision), (DeviceChoice::Cpu, Precision::Bf16));
    assert_eq!(config.model.encoder.hidden_size, 128);
    assert_eq!(config.masking.choice, electra_masking::Choice::NGram { max: 3 });
    let (_place, path) = written(&SHORT.replace("steps = 1000", "flops = \"1.3e15\""));
    assert_eq!(read(&path, &[]).unwrap().budget.limit("").unwrap(), Limit::Flops(1.3e15));
}

#[test]
fn what_is_wrong_is_named_with_file_key_and_expectation() {
    let (_place, path) = written(SHORT);
    for (set, message) in [
        (
            vec!["budget.accumulation=3"],
            "budget.accumulation: 3; expected a number that divides budget.batch, 128",
        ),
        (
            vec!["budget.accumulation=4", "device.cuda_graphs=true"],
            "device.cuda_graphs: true; expected false, or budget.accumulation = 1",
        ),
        (vec!["checkpoint.keep=0"], "checkpoint.keep: 0; expected at least 1"),
        (vec!["optimizer.betas=[0.9, 1.0]"], "optimizer.betas: 1; expected two numbers from 0 to below 1"),
        (vec!["optimizer.warmup_share=2"], "optimizer.warmup_share: 2; expected a share from 0 to 1"),
        (vec!["budget.steps=0"], "budget.steps: 0; expected at least 1"),
    ] {
        let error = read(&path, &set).unwrap_err().to_string();
        assert!(error.starts_with(&path.display().to_string()) && error.contains(message), "{error}");
    }
    for (set, message) in [
        (
            "preset=huge",
            "--set preset=huge: expected tiny, small, base, large, roberta, modern-tiny, ettin-17m or modernbert-base",
        ),
        ("device.precision=fp16", "--set device.precision=fp16: expected fp32, bf16 or auto"),
        ("optimizer.betas=[0.9]", "--set optimizer.betas=[0.9]: expected a list of 2"),
        ("budget.batch=-1", "--set budget.batch=-1: expected a whole number of at least 0"),
    ] {
        assert_eq!(read(&path, &[set]).unwrap_err().to_string(), message);
    }
    for (text, message) in [
        (SHORT.replace("seed = 1\n", ""), "seed is missing; expected a whole number"),
        (
            SHORT.replace("preset = \"small\"\n", ""),
            "preset is missing; expected tiny, small, base, large, roberta, modern-tiny, ettin-17m or modernbert-base",
        ),
        (SHORT.replace("steps = 1000", ""), "budget is missing; expected one of budget.steps, "),
        (format!("{SHORT}tokens = 3\n"), "budget: 2 limits; expected one of budget.steps, "),
        (SHORT.replace("[budget]", "[budgett]"), "there is no key budgett; did you mean budget?"),
        (format!("{SHORT}batch ="), "string values must be quoted"),
        (
            SHORT.replace("steps = 1000", "flops = \"many\""),
            "budget.flops: \"many\"; expected a number such as",
        ),
        (
            format!("{SHORT}[device]\nprecision = \"fp16\""),
            "line 9: device.precision: \"fp16\"; expected fp32, bf16 or auto",
        ),
    ] {
        let (_place, path) = written(&text);
        let error = read(&path, &[]).unwrap_err().to_string();
        assert!(error.starts_with(&path.display().to_string()) && error.contains(message), "{error}");
    }
}

#[test]
fn an_encoder_that_cannot_read_the_corpus_is_refused() {
    let (place, path) = written(SHORT);
    let error = read(&path, &["model.encoder.max_position_embeddings=8"]).unwrap_err().to_string();
    let expected = "model.encoder.max_position_embeddings: 8; expected at least 16, as ";
    assert!(error.starts_with(&format!("{}: {expected}", path.display())), "{error}");
    let mut config = read(&path, &[]).unwrap();
    config.model.encoder.max_position_embeddings = 8;
    let error = crate::support::run(&config, &place.path().join("run")).outcome.unwrap_err().to_string();
    assert!(error.starts_with(&format!("the settings: {expected}")), "{error}");
}
