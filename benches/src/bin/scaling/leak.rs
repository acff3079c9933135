//! Whether memory grows while a run goes on: the real loop with its logs and checkpoints, at tiny sizes.

use std::sync::atomic::AtomicBool;

use electra_config::{DeviceChoice, Preset};
use electra_encoder::EncoderConfig;
use electra_torch::memory;
use electra_trainer::{Config, Event, Ranks, Run, train};
use tch::Device;

use crate::Result;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// An objective's name
    #[arg(long, default_value = "electra")]
    objective: String,
    /// Steps of training
    #[arg(long, default_value_t = 10_000)]
    steps: u64,
    /// Steps between two readings, and between two checkpoints
    #[arg(long, default_value_t = 1_000)]
    every: u64,
    /// Threads of libtorch
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

/// L, B, V and D.
const LENGTH: usize = 16;
const BATCH: usize = 4;
const VOCAB_SIZE: u32 = 512;
const HIDDEN_SIZE: i64 = 32;
/// Several epochs of these are seen.
const EXAMPLES: usize = 2_000;

pub(crate) fn run(options: &Options) -> Result<()> {
    electra_torch::load_cuda()?;
    let device = Device::cuda_if_available();
    let folder = tempfile::tempdir()?;
    let corpus = folder.path().join("corpus");
    electra_benches::random_corpus(&corpus, LENGTH, VOCAB_SIZE, EXAMPLES)?;

    let mut config = Config::preset(Preset::Tiny, &options.objective, 1, corpus);
    let spec = electra_ablations::objective(&options.objective)?;
    config.masking = (spec.info.masking)();
    config.model.encoder = EncoderConfig {
        vocab_size: i64::from(VOCAB_SIZE),
        embedding_size: HIDDEN_SIZE,
        hidden_size: HIDDEN_SIZE,
        num_hidden_layers: 1,
        num_attention_heads: 1,
        intermediate_size: 4 * HIDDEN_SIZE,
        max_position_embeddings: LENGTH as i64,
        ..EncoderConfig::tiny()
    };
    config.budget.steps = Some(options.steps);
    config.budget.batch = BATCH;
    config.checkpoint.every_steps = options.every;
    config.device.device = if device.is_cuda() { DeviceChoice::Cuda } else { DeviceChoice::Cpu };
    config.device.threads = options.threads;

    let mut readings = Vec::new();
    let stop = AtomicBool::new(false);
    train(Run {
        config: &config,
        folder: &folder.path().join("run"),
        objective: spec,
        continues_word: &[],
        ranks: &Ranks::alone(),
        stop: &stop,
        observer: &mut |event| {
            if let Event::Step { step, .. } = event
                && step.is_multiple_of(options.every)
            {
                readings.push((*step, memory(Device::Cpu), memory(device)));
            }
        },
    })?;
    let readings = readings.into_iter().map(|(step, resident, on_device)| {
        let resident = resident?.current;
        // On the CPU the device's memory is the program's.
        let on_device = device.is_cuda().then_some(on_device?.current);
        Ok(serde_json::json!({ "step": step, "resident_bytes": resident, "device_bytes": on_device }))
    });
    let readings: Vec<_> = readings.collect::<std::result::Result<_, electra_torch::Error>>()?;
    println!("{}", serde_json::json!({ "readings": readings }));
    Ok(())
}
