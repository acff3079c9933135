//! Sequence classification by this project: see `benches/python/classify.py`, its peer on the same inputs.
//!
//! `classify prepare FOLDER [--examples N]` writes a checkpoint of ELECTRA-Small with random weights, and two sets
//! with the lengths of SST-2 (one text) and of MNLI (two): as a task, and as ids for the peer.
//! `classify infer|finetune FOLDER SET [--bf16] [--threads N]` prints a JSON object. Inference is what `electra predict` does,
//! tokenization included; fine-tuning what `electra finetune` does, its second epoch timed.

#![allow(clippy::print_stdout, reason = "a measurement that nobody reads is over")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use clap::{Parser, Subcommand};
use electra_benches::{events, lines, median, tokenizer};
use electra_config::{DeviceChoice, Precision};
use electra_encoder::{Architecture, Compute, Encoder, EncoderConfig, HubFolder, Linear, Part, Weights};
use electra_evaluation::{
    Event, Job, Keep, Prediction, Predictor, Prepared, Pretrained, Recipe, TaskData, finetune,
};
use electra_masking::{KeyedRng, Stream};
use electra_tasks::{Content, Split};
use electra_tokenizer::Tokenizer;
use serde_json::{Map, Value, json};
use tch::{Device, nn};

/// Times that a set is predicted.
const PASSES: usize = 3;
/// Examples in a step of fine-tuning.
const BATCH: usize = 32;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Sequence classification.
#[derive(Parser)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write the inputs of both sides
    Prepare {
        folder: PathBuf,
        #[arg(long, default_value_t = 512)]
        examples: usize,
    },
    /// Predict a set
    Infer(Work),
    /// Fine-tune on a set
    Finetune(Work),
}

#[derive(clap::Args)]
struct Work {
    folder: PathBuf,
    /// sst-2 or mnli
    set: String,
    /// The encoder's products in bfloat16
    #[arg(long)]
    bf16: bool,
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

impl Work {
    fn compute(&self) -> Result<Compute> {
        let precision = if self.bf16 { Precision::Bf16 } else { Precision::Fp32 };
        Ok(Compute::set_up(DeviceChoice::Cpu, self.threads, precision, false)?)
    }
}

/// A set whose lengths in tokens, special ones included, are log-normal within bounds.
struct Lengths {
    name: &'static str,
    pair: bool,
    median: f64,
    /// Standard deviation of the logarithm.
    spread: f64,
    bounds: (f64, f64),
}

const SETS: [Lengths; 2] = [
    Lengths { name: "sst-2", pair: false, median: 25.0, spread: 0.5, bounds: (5.0, 60.0) },
    Lengths { name: "mnli", pair: true, median: 36.0, spread: 0.45, bounds: (15.0, 120.0) },
];

fn main() -> Result<()> {
    match Options::parse().command {
        Command::Prepare { folder, examples } => prepare(&folder, examples),
        Command::Infer(work) => infer(&work),
        Command::Finetune(work) => train(&work),
    }
}

fn prepare(folder: &Path, examples: usize) -> Result<()> {
    let tokenizer = tokenizer(&lines(&events()), 30_522);
    write_model(&folder.join("model"), &tokenizer)?;
    // Words that are one token each, so that a text has as many tokens as are wanted.
    let words: Vec<String> = (0..tokenizer.vocab_size() as u32)
        .filter_map(|id| tokenizer.id_to_token(id))
        .filter(|token| token.bytes().all(|byte| byte.is_ascii_lowercase()))
        .collect();
    for (number, set) in SETS.iter().enumerate() {
        let mut rng = Stream::named(b"classify").rng(1, number as u64, 0);
        write_set(folder, set, examples, &words, &tokenizer, &mut rng)?;
    }
    Ok(())
}

/// `ElectraForSequenceClassification` with random weights, its head wide enough for logits that differ.
fn write_model(folder: &Path, tokenizer: &Tokenizer) -> Result<()> {
    let config = EncoderConfig::small();
    let parameters = nn::VarStore::new(Device::Cpu);
    let root = parameters.root();
    let _encoder = Encoder::new(&(&root / "electra"), &config);
    let classifier = &root / "classifier";
    let dense = Linear::new(&(&classifier / "dense"), config.hidden_size, config.hidden_size);
    let output = Linear::new(&(&classifier / "out_proj"), config.hidden_size, 2);
    drop((dense, output));
    electra_encoder::initialise(&parameters, config.initializer_range, 1)?;
    tch::no_grad(|| {
        for (name, mut tensor) in parameters.variables() {
            if name.starts_with("classifier") {
                let _ = tensor.f_mul_scalar_(5.0)?;
            }
        }
        Ok::<_, tch::TchError>(())
    })?;
    let weights = Weights::from_var_store(&parameters, Part::ALL);
    let mut fields = Map::new();
    fields.insert("id2label".into(), json!({ "0": "no", "1": "yes" }));
    fields.insert("label2id".into(), json!({ "no": 0, "yes": 1 }));
    fields.insert("problem_type".into(), json!("single_label_classification"));
    HubFolder { config, architecture: Architecture::SequenceClassification, weights }
        .write_with(folder, &fields)?;
    Ok(tokenizer.save(folder)?)
}

fn write_set(
    folder: &Path,
    set: &Lengths,
    examples: usize,
    words: &[String],
    tokenizer: &Tokenizer,
    rng: &mut KeyedRng,
) -> Result<()> {
    let (mut ids, mut lines) = (Vec::new(), String::new());
    lines += if set.pair { "label\tpremise\thypothesis\n" } else { "label\ttext\n" };
    for _ in 0..examples {
        // Twelve uniform numbers have the variance 1 together.
        let normal: f64 = (0..12).map(|_| rng.unit()).sum::<f64>() - 6.0;
        let length = set.median * (set.spread * normal).exp();
        let length = length.clamp(set.bounds.0, set.bounds.1).round() as usize;
        let mut text = |count: usize| -> String {
            let text: Vec<&str> =
                (0..count).map(|_| words[rng.below(words.len() as u32) as usize].as_str()).collect();
            text.join(" ")
        };
        let (encoding, columns) = if set.pair {
            let second = (length - 3) / 3;
            let texts = [text(length - 3 - second), text(second)];
            (tokenizer.encode_pair(&texts[0], &texts[1]), texts.join("\t"))
        } else {
            let text = text(length - 2);
            (tokenizer.encode_with_special_tokens(&text), text)
        };
        let label = rng.below(2);
        let second = encoding.token_type_ids.iter().filter(|&&segment| segment == 0).count();
        ids.push(json!({ "ids": encoding.input_ids, "second": second, "label": label }));
        lines += &format!("{}\t{columns}\n", ["no", "yes"][label as usize]);
    }
    fs::write(folder.join(format!("{}.json", set.name)), Value::from(ids).to_string())?;
    let task = folder.join(set.name);
    fs::create_dir_all(&task)?;
    fs::write(task.join("train.tsv"), lines)?;
    let text = if set.pair { r#"["premise", "hypothesis"]"# } else { r#""text""# };
    let definition = format!(
        "name = \"{}\"\nkind = \"sequence\"\ntext = {text}\nlabel = \"label\"\nlabels = [\"no\", \"yes\"]\n\
         metrics = [\"accuracy\"]\n[files]\ntrain = \"train.tsv\"\n",
        set.name
    );
    Ok(fs::write(task.join("task.toml"), definition)?)
}

fn infer(work: &Work) -> Result<()> {
    let compute = work.compute()?;
    let device = compute.device;
    let predictor = Predictor::read(&work.folder.join("model"), compute)?;
    let contents: Vec<Content> =
        task(work)?.read(&Split::Train)?.examples.into_iter().map(|example| example.content).collect();
    let stop = AtomicBool::new(false);
    let mut predictions = predictor.predict(contents.clone(), &stop)?;
    electra_torch::reset_peak_memory(device)?;
    let mut seconds = Vec::new();
    for _ in 0..PASSES {
        let contents = contents.clone();
        let started = Instant::now();
        predictions = predictor.predict(contents, &stop)?;
        seconds.push(started.elapsed().as_secs_f64());
    }
    let logs: Vec<Vec<f64>> = predictions.iter().filter_map(logs).collect();
    let memory = electra_torch::memory(device)?.peak;
    println!(
        "{}",
        json!({
            "seconds": median(seconds), "examples": contents.len(), "peak_memory_bytes": memory, "logs": logs,
        })
    );
    Ok(())
}

fn logs(prediction: &Prediction) -> Option<Vec<f64>> {
    let Prediction::Class { probabilities, .. } = prediction else { return None };
    Some(probabilities.iter().map(|&probability| f64::from(probability).ln()).collect())
}

fn train(work: &Work) -> Result<()> {
    let compute = work.compute()?;
    let device = compute.device;
    let pretrained = Pretrained::read(&work.folder.join("model"))?;
    let data = TaskData::read(task(work)?, &[])?;
    let examples = data.size().examples;
    let mut recipe = Recipe::paper(pretrained.config(), data.size());
    for setting in ["head=transformers", "epochs=2", "device=cpu"] {
        recipe.set(setting)?;
    }
    (recipe.batch, recipe.threads) = (BATCH, work.threads);
    let prepared = Prepared::new(&pretrained, &data, &recipe)?;
    let output = tempfile::tempdir()?;
    let epoch = examples.div_ceil(BATCH) as u64;
    let (mut started, mut seconds) = (Instant::now(), 0.0);
    let mut reset = Ok(());
    finetune(Job {
        pretrained: &pretrained,
        prepared: &prepared,
        recipe: &recipe,
        seed: 1,
        folder: &output.path().join("result"),
        keep: Keep::Predictions,
        compute,
        stop: &AtomicBool::new(false),
        observer: &mut |event| match event {
            Event::Step { step, .. } if *step == epoch => {
                reset = electra_torch::reset_peak_memory(device);
                started = Instant::now();
            }
            Event::Step { step, .. } if *step == 2 * epoch => seconds = started.elapsed().as_secs_f64(),
            _ => {}
        },
    })?;
    reset?;
    let memory = electra_torch::memory(device)?.peak;
    println!("{}", json!({ "seconds": seconds, "examples": examples, "peak_memory_bytes": memory }));
    Ok(())
}

fn task(work: &Work) -> Result<electra_tasks::Task> {
    Ok(electra_tasks::find(work.folder.join(&work.set), None)?)
}
