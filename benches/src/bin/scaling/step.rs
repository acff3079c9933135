//! Time and memory of a training step.

use std::time::Instant;

use electra_benches::{median, random_corpus};
use electra_data::Loader;
use electra_encoder::EncoderConfig;
use electra_objective::{DeviceBatch, Given, ModelConfig};
use electra_torch::{AdamW, AdamWConfig, Group, clip_grad_norm};
use tch::{Device, Kind, Tensor, nn};

use crate::{Extra, Result};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// An objective's name
    #[arg(long, default_value = "electra")]
    objective: String,
    /// L, tokens in an example
    #[arg(long)]
    length: usize,
    /// B, examples in a step
    #[arg(long)]
    batch: usize,
    /// V, tokens in the vocabulary
    #[arg(long)]
    vocab_size: i64,
    /// D, the width; a head is 64 wide, or D where that is less
    #[arg(long)]
    hidden_size: i64,
    /// Layers
    #[arg(long, default_value_t = 2)]
    layers: i64,
    /// Threads of libtorch
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

/// Steps that are not timed: in the first, memory is asked for that later ones use again.
const WARM_UP: u64 = 2;
/// Timed steps: this many, and more until they have taken [`ENOUGH`] seconds or are [`MOST`].
const LEAST: usize = 5;
const MOST: usize = 100;
const ENOUGH: f64 = 0.5;

pub(crate) fn run(options: &Options) -> Result<()> {
    electra_torch::load_cuda()?;
    electra_torch::keep_freed_memory()?;
    electra_torch::set_num_threads(options.threads)?;
    let device = Device::cuda_if_available();
    let encoder = EncoderConfig {
        vocab_size: options.vocab_size,
        embedding_size: options.hidden_size,
        hidden_size: options.hidden_size,
        num_hidden_layers: options.layers,
        num_attention_heads: (options.hidden_size / 64).max(1),
        intermediate_size: 4 * options.hidden_size,
        max_position_embeddings: options.length as i64,
        ..EncoderConfig::tiny()
    };
    let model = ModelConfig::paper(encoder, 0.25);

    let folder = tempfile::tempdir()?;
    // More than two batches, so that none is the one before it in another order.
    let examples = 3 * options.batch;
    let corpus = random_corpus(
        &folder.path().join("corpus"),
        options.length,
        u32::try_from(options.vocab_size)?,
        examples,
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
    wake(device);

    let extra = Extra::begin(device)?;
    let parameters = nn::VarStore::new(device);
    let objective = (spec.build)(&parameters.root(), &given).map_err(|error| error.to_string())?;
    electra_encoder::initialise(&parameters, model.encoder.initializer_range, 1)?;
    let group = Group { parameters: parameters.trainable_variables(), weight_decay: 0.01, lr_scale: 1.0 };
    let count: usize = group.parameters.iter().map(Tensor::numel).sum();
    let mut optimizer = AdamW::new(vec![group], AdamWConfig::paper())?;

    let mut times = Vec::new();
    for step in 0.. {
        let started = Instant::now();
        let batch = DeviceBatch::new(&loader.batch(step)?, device);
        let output = objective.forward_t(&batch, true);
        output.loss.backward();
        let clip = clip_grad_norm(optimizer.parameters(), 1.0)?.or_non_finite(&output.loss)?;
        optimizer.step(1e-4, &clip)?;
        optimizer.zero_grad()?;
        electra_torch::synchronize(device)?;
        if step >= WARM_UP {
            times.push(started.elapsed().as_secs_f64());
        }
        if times.len() >= MOST || times.len() >= LEAST && times.iter().sum::<f64>() > ENOUGH {
            break;
        }
    }
    let report = serde_json::json!({
        "seconds": median(times), "memory_bytes": extra.peak()?, "parameters": count,
        "device": if device.is_cuda() { "cuda" } else { "cpu" },
    });
    println!("{report}");
    Ok(())
}

/// Makes libtorch load what it loads on first use, such as the library of matrix products and its threads'
/// buffers: that is no model's memory.
fn wake(device: Device) {
    let a = Tensor::rand([256, 256], (Kind::Float, device)).set_requires_grad(true);
    a.matmul(&a).gelu("none").softmax(-1, Kind::Float).sum(Kind::Float).backward();
}
