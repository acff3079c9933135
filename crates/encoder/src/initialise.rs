//! Initial weights, as a function of the seed and of each parameter's name.

use std::collections::BTreeSet;

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};
use tch::{Tensor, nn};

use crate::part::{DELTA, EMBEDDINGS};
use crate::{Error, Part};

/// The layers that the reference leaves to TensorFlow's default, Glorot's uniform distribution: the
/// projection of the embeddings, the last layer of the discriminator, and the last layers of fine-tuning (for
/// a class, and for the start and end of an answer).
const GLOROT: [&str; 4] = [
    "embeddings_project.weight",
    "discriminator_predictions.dense_prediction.weight",
    "classifier.weight",
    "qa_outputs.weight",
];

/// Where ModernBERT's layers are, in their names.
const LAYERS: &str = ".layers.";

/// How a parameter's initial values are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Law {
    /// Every element the same.
    Constant(f64),
    /// Normal, mean 0, drawn again where it is more than two standard deviations off: what is left has a
    /// standard deviation of 0.8796 `std`, which TensorFlow does not correct, and the reference neither.
    TruncatedNormal { std: f64 },
    /// Uniform over ±√(6 / (inputs + outputs)) (Glorot, Bengio, 2010).
    GlorotUniform { inputs: i64, outputs: i64 },
}

impl Law {
    /// By name alone, so that a head of someone else's needs no list here.
    fn for_parameter(name: &str, shape: &[i64], std: f64) -> Result<Self, Error> {
        let ends = |ending: &str| name == ending || name.ends_with(&format!(".{ending}"));
        match *shape {
            _ if name.ends_with("Norm.weight") || name.ends_with("norm.weight") => Ok(Self::Constant(1.0)),
            _ if ends("bias") || ends(DELTA) => Ok(Self::Constant(0.0)),
            [outputs, inputs] if GLOROT.iter().any(|ending| ends(ending)) => {
                Ok(Self::GlorotUniform { inputs, outputs })
            }
            [_, _] => Ok(Self::TruncatedNormal { std }),
            _ => Err(Error::NoLaw { name: name.to_owned(), shape: shape.to_owned() }),
        }
    }

    fn draw(self, count: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
        match self {
            Self::Constant(value) => vec![value as f32; count],
            Self::TruncatedNormal { std } => truncated_normal(count, std, rng),
            Self::GlorotUniform { inputs, outputs } => {
                let limit = (6.0 / (inputs + outputs) as f64).sqrt();
                (0..count).map(|_| (limit * symmetric(rng)) as f32).collect()
            }
        }
    }
}

/// Gives every parameter of `var_store` its first value: LayerNorm weights 1, biases 0, matrices from a
/// normal distribution of standard deviation `std` that is cut at ±2 `std`, and from Glorot's uniform
/// distribution for the layers where the reference has it.
///
/// ModernBERT's layers and embeddings are drawn as transformers draws them; its heads as ELECTRA's.
///
/// A parameter's values are a function of (`seed`, its name, its shape) and in ModernBERT the number of layers: ChaCha8 under the SHA-256 of the
/// seed (eight little-endian bytes) and the name. What else is in `var_store`, in which order it was made,
/// the device, and libtorch's own generator do not matter. A table that the generator and the kept encoder
/// have in common is drawn under its name in the kept encoder, so the kept encoder of a seed begins with the
/// same values whatever the objective.
///
/// # Errors
/// [`Error::NoLaw`] for a parameter that is neither bias, LayerNorm nor matrix; none is changed then.
pub fn initialise(var_store: &nn::VarStore, std: f64, seed: u64) -> Result<(), Error> {
    let variables = var_store.variables();
    let mut drawn = Vec::new();
    for (name, variable) in &variables {
        let std = std * residual_share(name, || depth(name, variables.keys()));
        drawn.push((name, variable.shallow_clone(), Law::for_parameter(name, &variable.size(), std)?));
    }
    for (name, mut variable, law) in drawn {
        let mut rng = generator(seed, &drawn_as(name, |name| variables.contains_key(name)));
        let values = Tensor::f_from_slice(&law.draw(variable.numel(), &mut rng))?;
        let values = values.f_view(variable.size().as_slice())?;
        tch::no_grad(|| variable.f_copy_(&values))?;
    }
    Ok(())
}

/// Of the standard deviation, what a matrix of ModernBERT's has that ends a sub-layer: 1 / √(2 · layers), so that what the
/// layers add to each other does not grow with their number (`_init_weights` of `ModernBertPreTrainedModel`). 1 for others.
fn residual_share(name: &str, depth: impl FnOnce() -> usize) -> f64 {
    if name.contains(LAYERS) && name.ends_with(".Wo.weight") {
        (2.0 * depth() as f64).sqrt().recip()
    } else {
        1.0
    }
}

/// How many layers of ModernBERT the network has that a parameter is of.
fn depth<'a>(name: &str, names: impl Iterator<Item = &'a String>) -> usize {
    let network = |name: &'a str| name.split_once(LAYERS);
    let of_same = |other: &'a String| {
        let (prefix, rest) = network(other)?;
        (name.split_once(LAYERS)?.0 == prefix).then(|| rest.split('.').next().unwrap_or_default())
    };
    names.filter_map(of_same).collect::<BTreeSet<_>>().len()
}

/// The name under which a parameter is drawn: its own, but the kept encoder's for a table that this lacks.
fn drawn_as(name: &str, exists: impl Fn(&str) -> bool) -> String {
    let main_name = Part::MAIN
        .tied
        .and_then(|tied| name.strip_prefix(tied))
        .filter(|name| name.starts_with(EMBEDDINGS))
        .map(|name| format!("{}{name}", Part::MAIN.prefix));
    main_name.filter(|main_name| !exists(main_name)).unwrap_or_else(|| name.to_owned())
}

fn generator(seed: u64, name: &str) -> ChaCha8Rng {
    let key = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(name).finalize();
    ChaCha8Rng::from_seed(key.into())
}

/// Uniform over (-1, 1), on a grid of 2⁻⁵² that is symmetric about 0 and lacks it.
fn symmetric(rng: &mut ChaCha8Rng) -> f64 {
    let bits = (rng.next_u64() >> 11) as i64; // 53 bits
    ((2 * bits + 1) - (1 << 53)) as f64 / (1_u64 << 53) as f64
}

/// Marsaglia's polar method, each normal number kept if it is within the bounds.
fn truncated_normal(count: usize, std: f64, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let mut values = Vec::with_capacity(count + 1);
    while values.len() < count {
        let (x, y) = (symmetric(rng), symmetric(rng));
        let square = x * x + y * y;
        if square < 1.0 {
            let scale = (-2.0 * square.ln() / square).sqrt();
            let normal = [x * scale, y * scale].into_iter().filter(|z| z.abs() <= 2.0);
            values.extend(normal.map(|z| (z * std) as f32));
        }
    }
    values.truncate(count);
    values
}
