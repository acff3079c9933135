//! A step on GPUs, on paper. Nothing here was measured: the numbers of the hardware are its makers', and the shares of them that
//! programs reach are assumptions, which the output repeats.

use electra_config::{Config, EncoderConfig, Preset, StepCost, StepShape};

use crate::Result;

/// Dense bfloat16 of an H100 SXM: NVIDIA's data sheet.
const PEAK_FLOPS_PER_S: f64 = 989e12;
/// Of it, what steps of these sizes are assumed to reach.
const REACHED: f64 = 0.35;
/// Bytes a second of one GPU to and from the others of its machine, of 450 GB/s each way by `NVLink` 4, as assumed.
const INSIDE_BYTES_PER_S: f64 = 300e9;
/// Bytes a second of one machine to the others, of one card of 400 Gbit/s, as assumed.
const BETWEEN_BYTES_PER_S: f64 = 40e9;
/// Examples of a step on each GPU.
const ROWS: u64 = 128;

/// Seconds of an all-reduce of so many bytes on machines of 8 GPUs: a ring inside, and of each machine's sum a ring between
/// machines.
fn all_reduce(bytes: f64, machines: f64) -> (f64, f64) {
    let ring = |ranks: f64| 2.0 * (ranks - 1.0) / ranks;
    (ring(8.0) * bytes / INSIDE_BYTES_PER_S, ring(machines) * bytes / BETWEEN_BYTES_PER_S)
}

/// Weights of an encoder's layers; biases and normalisations, well below 1 % of them, are left out.
fn layers(encoder: &EncoderConfig) -> f64 {
    let (hidden, intermediate) = (encoder.hidden_size as f64, encoder.intermediate_size as f64);
    encoder.num_hidden_layers as f64 * (4.0 * hidden * hidden + 2.0 * hidden * intermediate)
}

/// Weights of the embeddings, which generator and encoder share.
fn embeddings(encoder: &EncoderConfig) -> f64 {
    (encoder.vocab_size + encoder.max_position_embeddings) as f64 * encoder.embedding_size as f64
}

pub(crate) fn print() -> Result<()> {
    println!(
        "assumed: {:.0} TFLOP/s of bfloat16 a GPU, {:.0} % reached; {:.0} GB/s a GPU inside a machine; {:.0} GB/s a machine \
         between machines; {ROWS} examples of a step a GPU; no overlap of gradients and products",
        PEAK_FLOPS_PER_S / 1e12,
        100.0 * REACHED,
        INSIDE_BYTES_PER_S / 1e9,
        BETWEEN_BYTES_PER_S / 1e9,
    );
    println!(
        "| size | GPUs | gradients, MB | products, ms | inside, ms | between, ms | share of a step | limit |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let info = &electra_objective::electra::SPEC.info;
    for preset in [Preset::Small, Preset::Base, Preset::Large] {
        let config = Config::preset(preset, "electra", 1, "corpus".into());
        let model = config.model.model();
        let length = config.model.encoder.max_position_embeddings as u64;
        let shape = StepShape { batch: ROWS, length, masked: config.masking.expected_count(length as usize) };
        let cost = StepCost::new(shape, |shape, convention| info.flops(&model, shape, convention));
        let products = cost.executed_flops / (PEAK_FLOPS_PER_S * REACHED);
        let bytes = 4.0 * (layers(&model.encoder) + layers(&model.generator) + embeddings(&model.encoder));
        for machines in [1.0, 4.0] {
            let (inside, between) = all_reduce(bytes, machines);
            let share = (inside + between) / (products + inside + between);
            let limit = match () {
                () if products > inside + between => "products",
                () if between > inside => "the network between machines",
                () => "the links inside a machine",
            };
            println!(
                "| {} | {:.0} | {:.0} | {:.1} | {:.2} | {:.2} | {:.1} % | {limit} |",
                serde_json::to_value(preset)?.as_str().unwrap_or_default(),
                8.0 * machines,
                bytes / 1e6,
                1e3 * products,
                1e3 * inside,
                1e3 * between,
                100.0 * share,
            );
        }
    }
    Ok(())
}
