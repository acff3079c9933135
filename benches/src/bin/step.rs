//! Where the time of a training step goes, and how many tokens a second that makes.
//!
//! `step --preset NAME --objective NAME [--batch N] [--max-length N] [--layers N] [--vocab-size N] [--bf16] [--threads N] [--steps N]
//! [--json]`: trains on random tokens, which cost what real ones do, with libtorch set up as in training.
//!
//! `step … --save-batches FOLDER` writes the model's configuration and some batches for
//! `benches/python/train_steps.py`, and `step … --batches FOLDER` trains on these.

#![allow(clippy::print_stdout, reason = "a measurement that nobody reads is over")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use electra_benches::{batches, median, products, random_corpus};
use electra_config::{Convention, StepShape};
use electra_data::Loader;
use electra_encoder::EncoderConfig;
use electra_objective::{DeviceBatch, Given, ModelConfig};
use electra_torch::{AdamW, AdamWConfig, Group, autocast, clip_grad_norm};
use tch::{Device, Kind, Tensor, nn};

/// Steps that are not timed.
const WARM_UP: u64 = 2;

/// Time a training step.
#[derive(Parser)]
struct Options {
    /// tiny, small, base, large, modern-tiny, ettin-17m or modernbert-base
    #[arg(long, default_value = "small")]
    preset: String,
    /// An objective's name
    #[arg(long, default_value = "electra")]
    objective: String,
    /// Examples in a step
    #[arg(long, default_value_t = 16)]
    batch: usize,
    /// Tokens in an example
    #[arg(long, default_value_t = 128)]
    max_length: usize,
    /// Layers of the encoder [default: the preset's]
    #[arg(long)]
    layers: Option<i64>,
    /// Tokens in the vocabulary [default: the preset's]
    #[arg(long)]
    vocab_size: Option<i64>,
    /// Width of the generator over that of the encoder
    #[arg(long, default_value_t = 0.25)]
    generator_multiplier: f64,
    /// Products in bfloat16
    #[arg(long)]
    bf16: bool,
    /// Threads of libtorch
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Write model.json and batches.safetensors to a folder, and do nothing else
    #[arg(long, value_name = "FOLDER", conflicts_with = "batches")]
    save_batches: Option<PathBuf>,
    /// Train on the batches of a folder, in turn, instead of gathering and masking them
    #[arg(long, value_name = "FOLDER")]
    batches: Option<PathBuf>,
    /// Steps that are timed, after two that are not
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    steps: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Options {
    /// Of products' operands.
    fn kind(&self) -> Kind {
        if self.bf16 { Kind::BFloat16 } else { Kind::Float }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    electra_torch::load_cuda()?;
    let options = Options::parse();
    electra_torch::set_num_threads(options.threads)?;
    let device = Device::cuda_if_available();
    // As the trainer does.
    electra_torch::keep_freed_memory()?;
    electra_torch::use_deterministic_algorithms(device == Device::Cpu)?;
    let mut encoder = match options.preset.as_str() {
        "tiny" => EncoderConfig::tiny(),
        "small" => EncoderConfig::small(),
        "base" => EncoderConfig::base(),
        "large" => EncoderConfig::large(),
        "modern-tiny" => EncoderConfig::modern_tiny(),
        "ettin-17m" => EncoderConfig::ettin_17m(),
        "modernbert-base" => EncoderConfig::modernbert_base(),
        other => {
            let expected = "tiny, small, base, large, modern-tiny, ettin-17m or modernbert-base";
            return Err(format!("--preset: {other:?}; expected {expected}").into());
        }
    };
    encoder.num_hidden_layers = options.layers.unwrap_or(encoder.num_hidden_layers);
    encoder.vocab_size = options.vocab_size.unwrap_or(encoder.vocab_size);
    encoder.pad_token_id = 0; // the corpus's
    let model = ModelConfig::paper(encoder, options.generator_multiplier);

    let folder = tempfile::tempdir()?;
    let corpus = random_corpus(
        &folder.path().join("corpus"),
        options.max_length,
        model.encoder.vocab_size as u32,
        3 * options.batch,
    )?;
    let spec = electra_ablations::objective(&options.objective)?;
    let masking = (spec.info.masking)();
    let given = Given {
        model: &model,
        masking: &masking,
        corpus: &corpus,
        continues_word: &[],
        seed: 1,
        steps: None,
    };
    let view = (spec.view)(&given).map_err(|error| error.to_string())?;
    let loader = Loader::new(&corpus, &*view, options.batch, 1)?;
    if let Some(folder) = &options.save_batches {
        return batches::save(folder, &options.objective, &model, &loader);
    }
    let read = options.batches.as_deref().map(batches::read).transpose()?;
    let parameters = nn::VarStore::new(device);
    let objective = (spec.build)(&parameters.root(), &given).map_err(|error| error.to_string())?;
    electra_encoder::initialise(&parameters, model.encoder.initializer_range, 1)?;
    let group = Group { parameters: parameters.trainable_variables(), weight_decay: 0.01, lr_scale: 1.0 };
    let mut optimizer = AdamW::new(vec![group], AdamWConfig::paper())?;
    let peak = matrix_peak(&model, &options, device);

    let mut phases: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let (mut steps, mut losses) = (Vec::new(), Vec::new());
    for step in 0..options.steps + WARM_UP {
        if step == WARM_UP {
            electra_torch::reset_peak_memory(device)?;
        }
        let started = Instant::now();
        let mut clock = started;
        let mut lap = |name: &'static str| -> Result<(), electra_torch::Error> {
            electra_torch::synchronize(device)?;
            let seconds = clock.elapsed().as_secs_f64();
            clock = Instant::now();
            if step >= WARM_UP {
                phases.entry(name).or_default().push(seconds);
            }
            Ok(())
        };
        let data = match &read {
            Some(read) => read[step as usize % read.len()].clone(),
            None => loader.batch(step)?,
        };
        lap("1 gather and mask")?;
        let batch = DeviceBatch::new(&data, device);
        lap("2 to tensors")?;
        let output = autocast(device, Kind::BFloat16, options.bf16, || objective.forward_t(&batch, true))?;
        lap("3 forward")?;
        output.loss.backward();
        lap("4 backward")?;
        let clip = clip_grad_norm(optimizer.parameters(), 1.0)?.or_non_finite(&output.loss)?;
        lap("5 clip")?;
        optimizer.step(1e-4, &clip)?;
        optimizer.zero_grad()?;
        lap("6 optimizer")?;
        if step >= WARM_UP {
            steps.push(started.elapsed().as_secs_f64());
            losses.push(output.loss.detach());
        }
    }

    let memory = electra_torch::memory(device)?.peak;
    let medians: BTreeMap<&str, f64> =
        phases.into_iter().map(|(name, seconds)| (name, median(seconds))).collect();
    steps.sort_by(f64::total_cmp);
    let last = steps.len() - 1;
    let quartiles = [steps[last / 4], steps[last - last / 4]];
    let step_s = median(steps);
    let tokens = (options.batch * options.max_length) as f64;
    let shape = StepShape {
        batch: options.batch as u64,
        length: options.max_length as u64,
        masked: masking.expected_count(options.max_length),
    };
    let networks = (spec.info.networks)(&model);
    let share = Convention::Executed.step(&networks, shape) / step_s / peak;
    let products_s = products::seconds(&networks, shape, options.kind(), device)?;
    let product_share = products_s / step_s;
    if options.json {
        let report = serde_json::json!({
            "preset": options.preset, "objective": options.objective, "batch": options.batch,
            "max_length": options.max_length, "vocab_size": model.encoder.vocab_size, "threads": options.threads,
            "bf16": options.bf16, "device": format!("{device:?}"), "step_s": step_s, "tokens_per_s": tokens / step_s,
            "peak_memory_bytes": memory, "peak_share": share, "phases_s": medians, "step_s_quartiles": quartiles,
            "products_s": products_s, "product_share": product_share,
            "loss_first": losses[0].double_value(&[]), "loss_last": losses[losses.len() - 1].double_value(&[]),
        });
        println!("{report}");
    } else {
        for (name, seconds) in &medians {
            println!("{:<18} {:>9.2} ms {:>5.1} %", &name[2..], 1e3 * seconds, 100.0 * seconds / step_s);
        }
        println!(
            "{:<18} {:>9.2} ms, {:.0} tokens/s, {:.0} % of the matrix products' peak",
            "step",
            1e3 * step_s,
            tokens / step_s,
            100.0 * share
        );
        println!(
            "{:<18} {:>9.2} ms alone, {:.0} % of the step",
            "matrix products",
            1e3 * products_s,
            100.0 * product_share
        );
        println!("{:<18} {:>9} MiB at most", "memory", memory >> 20);
    }
    Ok(())
}

/// Operations a second of a product as the feed-forward layer has it.
fn matrix_peak(model: &ModelConfig, options: &Options, device: Device) -> f64 {
    let rows = (options.batch * options.max_length) as i64;
    let (d, f) = (model.encoder.hidden_size, model.encoder.intermediate_size);
    let random = |shape: [i64; 2]| Tensor::rand(shape, (options.kind(), device));
    let (a, b) = (random([rows, d]), random([d, f]));
    let rate = || {
        let started = Instant::now();
        let times = (4e9 / (2 * rows * d * f) as f64).ceil() as usize;
        for _ in 0..times {
            let _product = a.matmul(&b);
        }
        (2 * rows * d * f) as f64 * times as f64 / started.elapsed().as_secs_f64()
    };
    (0..5).map(|_| rate()).fold(0.0, f64::max)
}
