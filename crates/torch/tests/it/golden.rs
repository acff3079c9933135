//! A layer under every kind of attention, against PyTorch's modules, and with rotary positions, against transformers:
//! `tests/golden/make_attention.py` and `make_rotary.py`.

use electra_torch::{
    Affine, Attention, LayerParameters, LayerSettings, Rotary, Select, at_each_kernel_level, encoder_layer,
    encoder_layers,
};
use std::collections::BTreeMap;
use std::path::Path;
use tch::{Device, Kind, Tensor};

type Tensors = BTreeMap<String, Tensor>;

const NAMES: [&str; 8] = [
    "query",
    "key",
    "value",
    "attention_output",
    "attention_layer_norm",
    "intermediate",
    "output",
    "layer_norm",
];
const SETTINGS: LayerSettings =
    LayerSettings { heads: 2, eps: 1e-3, hidden_dropout: 0.0, attention_dropout: 0.0, rotary: None };

fn read(name: &str) -> Tensors {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    Tensor::read_safetensors(path).unwrap().into_iter().collect()
}

fn parameters(leaves: &Tensors) -> LayerParameters<'_> {
    let affine = |name: &str| Affine {
        weight: &leaves[&format!("{name}.weight")],
        bias: &leaves[&format!("{name}.bias")],
    };
    let [query, key, value, attention_output, attention_layer_norm, intermediate, output, layer_norm] =
        NAMES.map(affine);
    LayerParameters {
        query,
        key,
        value,
        attention_output,
        attention_layer_norm,
        intermediate,
        output,
        layer_norm,
    }
}

/// Compares an output and the gradients of all leaves with a case's.
fn check(case: &str, golden: &Tensors, layer: impl Fn(&Tensors) -> Tensor) {
    let start = format!("{case}.gradient.");
    let leaf = |name: &str| (name.to_owned(), golden[name].copy().set_requires_grad(true));
    let leaves: Tensors = golden.keys().filter_map(|name| name.strip_prefix(&start)).map(leaf).collect();
    assert!(leaves.len() >= 17, "{case}");
    let output = layer(&leaves);
    let weights =
        Tensor::arange(output.numel() as i64, (Kind::Double, Device::Cpu)).sin().to_kind(Kind::Float);
    (&output * weights.view_as(&output)).sum(Kind::Float).backward();
    let near = |what: &str, found: &Tensor, expected: &Tensor| {
        let apart = (found - expected).abs().max().double_value(&[]);
        let largest = expected.abs().max().double_value(&[]).max(1.0);
        assert!(apart < 1e-5 * largest, "{case}: {what} is off by {apart:e}");
    };
    near("output", &output, &golden[&format!("{case}.output")]);
    for (name, leaf) in &leaves {
        near(name, &leaf.grad(), &golden[&format!("{start}{name}")]);
    }
}

#[test]
fn every_kind_of_attention_is_pytorchs() {
    let golden = read("attention.safetensors");
    let mask = |name: &str| golden[&format!("mask.{name}")].to_kind(Kind::Bool);
    let (keys, pairs, query_pairs) = (mask("keys"), mask("pairs"), mask("query_pairs"));
    at_each_kernel_level("every_kind_of_attention_is_pytorchs", |_| {
        let cases = [
            ("keys", Attention::Keys(&keys)),
            ("causal", Attention::Causal(&keys)),
            ("pairs", Attention::Pairs(&pairs)),
        ];
        for (case, attention) in cases {
            check(case, &golden, |leaves| {
                encoder_layers(&leaves["x"], attention, Select::All, SETTINGS, &[parameters(leaves)])
            });
        }
        check("streams", &golden, |leaves| {
            let attention = Attention::Pairs(&query_pairs);
            encoder_layer(&leaves["queries"], &leaves["x"], attention, SETTINGS, parameters(leaves))
        });
    });
}

#[test]
fn rotary_positions_are_those_of_transformers() {
    let golden = read("rotary.safetensors");
    let keys = golden["mask.keys"].to_kind(Kind::Bool);
    at_each_kernel_level("rotary_positions_are_those_of_transformers", |_| {
        for (case, attention, interleaved) in [
            ("interleaved", Attention::Keys(&keys), true),
            ("halves", Attention::Keys(&keys), false),
            ("causal", Attention::Causal(&keys), false),
        ] {
            let settings =
                LayerSettings { rotary: Some(Rotary { theta: 10_000.0, interleaved }), ..SETTINGS };
            check(case, &golden, |leaves| {
                encoder_layers(&leaves["x"], attention, Select::All, settings, &[parameters(leaves)])
            });
        }
    });
}

/// A query sees nothing behind it: what stands there is of no consequence, and before it is.
#[test]
fn causal_attention_looks_back() {
    let golden = read("attention.safetensors");
    let keys = Tensor::ones([3, 7], (Kind::Bool, Device::Cpu));
    let x = &golden["x"];
    let other = x.copy();
    let _ = other.narrow(1, 4, 1).neg_();
    let layer = |x: &Tensor| {
        encoder_layers(x, Attention::Causal(&keys), Select::All, SETTINGS, &[parameters(&golden)])
    };
    let changed = (layer(x) - layer(&other)).abs().amax([0, 2], false);
    let changed = Vec::<f64>::try_from(changed.to_kind(Kind::Double)).unwrap();
    for (position, change) in changed.into_iter().enumerate() {
        assert_eq!(change > 1e-3, position >= 4, "{position}: {change}");
    }
}
