//! Weights as other programs write them, and what is not weights.

use std::fs;

use electra_encoder::{EncoderWithHead, Error, HubFolder, Weights};
use tch::{Device, Kind, Tensor};
use tempfile::TempDir;

use crate::hub::copied;

const NETWORKS: [&str; 2] = ["discriminator", "generator"];

/// The tensors of a golden network, each changed or dropped.
fn changed(
    network: &str,
    change: impl Fn(&str, &Tensor) -> Option<(String, Tensor)>,
    more: Vec<(String, Tensor)>,
) -> TempDir {
    let folder = copied(network);
    let path = folder.path().join("model.safetensors");
    let weights = Weights::read(&path).unwrap();
    let tensors: Vec<_> = weights.iter().filter_map(|(name, tensor)| change(name, tensor)).collect();
    Weights::new(tensors.into_iter().chain(more)).save(&path).unwrap();
    folder
}

fn renamed(network: &str, rename: impl Fn(&str) -> String) -> TempDir {
    changed(network, |name, tensor| Some((rename(name), tensor.shallow_clone())), Vec::new())
}

fn same(name: &str, tensor: &Tensor) -> Option<(String, Tensor)> {
    Some((name.to_owned(), tensor.shallow_clone()))
}

#[test]
fn a_layer_norm_may_have_the_names_of_tensorflow() {
    for network in NETWORKS {
        let gamma_beta = |name: &str| {
            name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        };
        let read = HubFolder::read(renamed(network, gamma_beta).path()).unwrap();
        let expected = HubFolder::read(copied(network).path()).unwrap();
        assert!(read.weights.iter().eq(expected.weights.iter()), "{network}");
        assert_eq!(read.weights.note(), None);
    }
}

#[test]
fn the_prefix_of_a_wrapper_is_named() {
    for network in NETWORKS {
        for prefix in ["module.", "_orig_mod.", "model."] {
            let folder = renamed(network, |name| format!("{prefix}{name}"));
            let message = HubFolder::read(folder.path()).unwrap_err().to_string();
            let end = format!("model.safetensors: every name begins with {prefix}; expected electra.…");
            assert!(message.ends_with(&end), "{message}");
        }
    }
}

#[test]
fn what_the_network_has_no_use_for_is_left_out_and_named() {
    let tensor = || Tensor::zeros([4, 4], (Kind::Float, Device::Cpu));
    let more = [
        "electra.embeddings_project.weight",
        "electra.embeddings_project.bias",
        "electra.pooler.dense.weight",
        "electra.embeddings.token_type_ids",
        "cls.seq_relationship.weight",
        "qa_outputs.weight",
    ];
    // The golden networks differ in whether they have a projection of their own.
    let own = |network: &str| HubFolder::read(copied(network).path()).unwrap();
    for network in NETWORKS {
        let expected = own(network);
        let more: Vec<_> = more
            .into_iter()
            .filter(|name| expected.weights.get(name).is_none())
            .map(|name| (name.to_owned(), tensor()))
            .collect();
        let count = more.len();
        let folder = changed(network, same, more);
        let read = HubFolder::read(folder.path()).unwrap();
        assert!(read.weights.iter().eq(expected.weights.iter()), "{network}");
        let note = read.weights.note().unwrap();
        let first = "model.safetensors: left out, as the network has no use for it: cls.seq_relationship.weight, electra.";
        assert!(note.contains(first) && note.ends_with(&format!("and {} more", count - 3)), "{note}");
        EncoderWithHead::from_hub(&read.encoder(), Device::Cpu, |_, _| ()).unwrap();
    }
}

#[test]
fn what_would_make_it_another_network_is_an_error() {
    let tensor = || Tensor::zeros([4, 4], (Kind::Float, Device::Cpu));
    for name in ["electra.encoder.layer.99.output.dense.weight", "electra.embeddings.word_embeddings.scale"] {
        let folder = changed("discriminator", same, vec![(name.to_owned(), tensor())]);
        let read = HubFolder::read(folder.path()).unwrap();
        let error = EncoderWithHead::from_hub(&read.encoder(), Device::Cpu, |_, _| ()).unwrap_err();
        assert!(matches!(&error, Error::Surplus { names, .. } if names[..] == [name]), "{error}");
    }
    // Without a layer there are many parameters without a tensor; the first of them say what is wrong.
    let folder = changed(
        "discriminator",
        |name, tensor| if name.contains(".layer.0.") { None } else { same(name, tensor) },
        Vec::new(),
    );
    let message = HubFolder::read(folder.path()).unwrap_err().to_string();
    assert!(
        message.contains(
            "no tensors for these parameters: electra.encoder.layer.0.attention.self.query.weight, "
        )
    );
    assert!(message.ends_with("and 13 more"), "{message}");
}

#[test]
fn a_value_that_is_not_finite_is_refused_wherever_it_is() {
    let names: Vec<String> = {
        let hub = HubFolder::read(copied("discriminator").path()).unwrap();
        hub.weights.iter().map(|(name, _)| name.to_owned()).collect()
    };
    for (index, broken) in names.iter().enumerate() {
        let value = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY][index % 3];
        let kind = [Kind::Float, Kind::Half, Kind::BFloat16][index / 3 % 3];
        let folder = changed(
            "discriminator",
            |name, tensor| {
                let tensor = tensor.copy();
                if name == broken {
                    let _ = tensor.view([-1]).get(tensor.numel() as i64 - 1).fill_(value);
                }
                Some((name.to_owned(), tensor.to_kind(kind)))
            },
            Vec::new(),
        );
        let message = HubFolder::read(folder.path()).unwrap_err().to_string();
        let expected = format!("model.safetensors: {broken} has a value that is not a finite number");
        assert!(message.contains(&expected), "{message}");
    }
}

#[test]
fn a_file_of_another_format_is_called_what_it_is() {
    let folder = copied("discriminator");
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    for (name, bytes, expected) in [
        (
            "model.safetensors",
            pointer.as_bytes(),
            "a pointer of Git LFS, not the file itself: fetch it with git lfs pull",
        ),
        (
            "model.safetensors",
            b"PK\x03\x04....",
            "a zip archive, which is not read; expected a safetensors file",
        ),
        (
            "config.json",
            pointer.as_bytes(),
            "a pointer of Git LFS, not the file itself: fetch it with git lfs pull",
        ),
    ] {
        fs::write(folder.path().join(name), bytes).unwrap();
        let message = HubFolder::read(folder.path()).unwrap_err().to_string();
        assert!(message.ends_with(&format!("{name}: {expected}")), "{message}");
    }
}
