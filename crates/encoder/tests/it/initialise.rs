//! Initial weights as distributions, and as a function of seed and name.

use electra_encoder::{Embeddings, Encoder, EncoderConfig, Error, Linear, Tied, initialise, parameter};
use statrs::distribution::{ContinuousCDF, Normal};
use tch::{Device, Tensor, nn};

use crate::support::{config, electra, libtorch_generator, mlm};

const STD: f64 = 0.02;

fn values(tensor: &Tensor) -> Vec<f64> {
    Vec::<f32>::try_from(tensor.flatten(0, -1)).unwrap().into_iter().map(f64::from).collect()
}

/// Kolmogorov's distance between a sample and a distribution, and what it exceeds once in 10⁶ samples that
/// are of the distribution: √(ln(2 · 10⁶) / 2n), by the first term of his series.
fn kolmogorov(mut sample: Vec<f64>, cdf: impl Fn(f64) -> f64) -> (f64, f64) {
    sample.sort_by(f64::total_cmp);
    let n = sample.len() as f64;
    let distances = sample.iter().enumerate().map(|(rank, &x)| {
        let p = cdf(x);
        (p - rank as f64 / n).abs().max((p - (rank + 1) as f64 / n).abs())
    });
    (distances.fold(0.0, f64::max), ((2e6_f64).ln() / (2.0 * n)).sqrt())
}

fn truncated(x: f64) -> f64 {
    let phi = |z| Normal::standard().cdf(z);
    ((phi(x / STD) - phi(-2.0)) / (phi(2.0) - phi(-2.0))).clamp(0.0, 1.0)
}

#[test]
fn matrices_are_truncated_normal() {
    let var_store = nn::VarStore::new(Device::Cpu);
    let config = EncoderConfig { vocab_size: 8192, ..EncoderConfig::tiny() };
    let embeddings = Embeddings::new(&(var_store.root() / "electra" / "embeddings"), &config);
    initialise(&var_store, STD, 1).unwrap();
    let sample = values(embeddings.word_embeddings());
    let n = sample.len() as f64;
    assert_eq!(n, 524_288.0);

    assert!(sample.iter().all(|x| x.abs() <= f64::from((2.0 * STD) as f32)));
    assert!(sample.iter().any(|&x| x > 1.99 * STD) && sample.iter().any(|&x| x < -1.99 * STD));

    // Moments of the normal distribution cut at ±2, each within five standard errors: 6 · 10⁻⁷ each.
    let moment = |power| sample.iter().map(|x| (x / STD).powi(power)).sum::<f64>() / n;
    let density = (-2.0_f64).exp() / std::f64::consts::TAU.sqrt();
    let inside = Normal::standard().cdf(2.0) - Normal::standard().cdf(-2.0);
    let second = 1.0 - 4.0 * density / inside;
    let fourth = 3.0 * second - 16.0 * density / inside;
    assert!((second.sqrt() - 0.8796).abs() < 1e-4);
    assert!(moment(1).abs() < 5.0 * (second / n).sqrt());
    assert!((moment(2) - second).abs() < 5.0 * ((fourth - second * second) / n).sqrt());

    let (distance, critical) = kolmogorov(sample.clone(), truncated);
    assert!(distance < critical, "{distance} {critical}");
    // A control: the sample is large enough to tell it from a normal one of the same standard deviation.
    let normal = Normal::new(0.0, STD * second.sqrt()).unwrap();
    let (distance, critical) = kolmogorov(sample.clone(), |x| normal.cdf(x));
    assert!(distance > 2.0 * critical, "{distance} {critical}");

    // Neighbours, two of which come from one pair of uniform numbers, are uncorrelated.
    let lag = sample.windows(2).map(|pair| pair[0] * pair[1] / STD / STD).sum::<f64>() / n;
    assert!(lag.abs() < 5.0 * second / n.sqrt(), "{lag}");
}

#[test]
fn the_references_exceptions_are_glorot_uniform() {
    let var_store = nn::VarStore::new(Device::Cpu);
    let root = var_store.root();
    let layers = [
        (Linear::new(&(&root / "main" / "electra" / "embeddings_project"), 128, 256), 384.0),
        (Linear::new(&(&root / "main" / "discriminator_predictions" / "dense_prediction"), 2048, 1), 2049.0),
        (Linear::new(&(&root / "classifier"), 768, 3), 771.0),
        (Linear::new(&(&root / "qa_outputs"), 768, 2), 770.0),
    ];
    // Names that only look like them.
    let other = Linear::new(&(&root / "main" / "discriminator_predictions" / "dense"), 256, 256);
    let gate = Linear::new(&(&root / "main" / "reclassifier"), 256, 256);
    initialise(&var_store, STD, 3).unwrap();
    for (layer, sum) in layers {
        let limit = (6.0_f64 / sum).sqrt();
        let sample = values(&layer.weight);
        assert!(sample.iter().all(|x| x.abs() <= limit));
        let (distance, critical) = kolmogorov(sample.clone(), |x| (x / limit + 1.0) / 2.0);
        assert!(distance < critical, "{distance} {critical}");
        let (distance, critical) = kolmogorov(sample, truncated);
        assert!(distance > critical, "{distance} {critical}");
    }
    for layer in [other, gate] {
        let (distance, critical) = kolmogorov(values(&layer.weight), truncated);
        assert!(distance < critical, "{distance} {critical}");
    }
}

#[test]
fn every_parameter_follows_its_law() {
    let network = electra(Tied::AllEmbeddings);
    initialise(&network.var_store, STD, 1).unwrap();
    for (name, parameter) in network.var_store.variables() {
        let values = values(&parameter);
        if name.ends_with("LayerNorm.weight") {
            assert!(values.iter().all(|&x| x == 1.0), "{name}");
        } else if name.ends_with("bias") {
            assert!(values.iter().all(|&x| x == 0.0), "{name}");
        } else {
            assert!(values.iter().all(|x| x.is_finite() && *x != 0.0), "{name}");
            let glorot = name.contains("embeddings_project") || name.contains("dense_prediction");
            assert_eq!(values.iter().any(|x| x.abs() > 2.0 * STD + 1e-9), glorot, "{name}");
        }
        assert!(parameter.requires_grad(), "{name}");
    }
}

fn named(var_store: &nn::VarStore, name: &str) -> Vec<f64> {
    values(&var_store.variables()[name])
}

#[test]
fn values_are_a_function_of_seed_and_name() {
    let _alone = libtorch_generator();
    let make = |seed, torch_seed| {
        tch::manual_seed(torch_seed);
        let network = electra(Tied::AllEmbeddings);
        initialise(&network.var_store, STD, seed).unwrap();
        network.var_store
    };
    let (first, same, other) = (make(1, 1), make(1, 2), make(2, 1));
    for name in first.variables().keys() {
        assert_eq!(named(&first, name), named(&same, name), "{name}");
        if !name.ends_with("bias") && !name.ends_with("LayerNorm.weight") {
            assert_ne!(named(&first, name), named(&other, name), "{name}");
        }
    }
    // Every two parameters differ, those of one name in both networks included.
    let layer = "electra.encoder.layer.0.attention";
    let start = |name: &str| named(&first, name)[..10].to_vec();
    assert_ne!(
        start(&format!("main.{layer}.self.query.weight")),
        start(&format!("main.{layer}.self.key.weight"))
    );
    assert_ne!(
        start(&format!("main.{layer}.self.query.weight")),
        start(&format!("generator.{layer}.self.query.weight"))
    );
}

#[test]
fn the_kept_encoder_of_a_seed_begins_the_same_whatever_the_objective() {
    let electras = [Tied::AllEmbeddings, Tied::WordOnly, Tied::None].map(|tied| electra(tied).var_store);
    let mlm = mlm();
    initialise(&mlm, STD, 7).unwrap();
    for (electra, tied) in electras.into_iter().zip([Tied::AllEmbeddings, Tied::WordOnly, Tied::None]) {
        initialise(&electra, STD, 7).unwrap();
        let there = electra.variables();
        for name in mlm.variables().keys().filter(|name| name.starts_with("main.electra.")) {
            let tied_name = name.replacen("main.", "generator.", 1);
            let stored = if there.contains_key(name) { name } else { &tied_name };
            assert_eq!(named(&mlm, name), named(&electra, stored), "{name} {tied:?}");
        }
        let word = "electra.embeddings.word_embeddings.weight";
        if tied == Tied::None {
            let (main, generator) = (format!("main.{word}"), format!("generator.{word}"));
            assert_ne!(named(&electra, &main), named(&electra, &generator));
        }
    }
}

/// As written down in a few lines of Python from the documentation of `initialise`, ChaCha included.
#[test]
fn the_values_of_a_release_stay() {
    let var_store = nn::VarStore::new(Device::Cpu);
    let _ = Encoder::new(&(var_store.root() / "main" / "electra"), &config());
    initialise(&var_store, STD, 1).unwrap();
    let start = |name: &str| {
        named(&var_store, name)[..4].iter().map(|x| format!("{x:.7}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        start("main.electra.embeddings.word_embeddings.weight"),
        "0.0078838 -0.0225615 0.0177296 -0.0237555"
    );
    assert_eq!(start("main.electra.embeddings_project.weight"), "0.0718582 -0.3195490 0.0704690 -0.2482636");
}

#[test]
fn a_parameter_without_a_law_is_an_error_and_nothing_is_changed() {
    let var_store = nn::VarStore::new(Device::Cpu);
    let layer = Linear::new(&(var_store.root() / "dense"), 2, 2);
    let _ = parameter(&(var_store.root() / "mixture"), "scale", &[3], 1.0);
    let error = initialise(&var_store, STD, 1).unwrap_err();
    assert!(matches!(&error, Error::NoLaw { name, .. } if name == "mixture.scale"));
    assert_eq!(
        error.to_string(),
        "mixture.scale: a parameter of shape [3]; expected a bias, a LayerNorm or a matrix"
    );
    assert!(values(&layer.weight).iter().all(|x| x.is_nan()));
}
