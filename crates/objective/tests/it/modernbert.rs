//! What transformers computes of ModernBERT: `tests/golden/make_modernbert.py`.

use std::path::{Path, PathBuf};

use electra_encoder::{
    Architecture, Attention, Backbone, Encoder, EncoderWithHead, HubFolder, Input, Select, Weights,
};
use electra_objective::{PretrainedHead, pretrained};
use electra_torch::at_each_kernel_level;
use tch::{Device, Kind, Tensor};

/// Sums are in another order.
const NEAR: f64 = 2e-5;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/modernbert").join(name)
}

const NETWORKS: [(&str, Architecture); 3] = [
    ("narrow", Architecture::MaskedLm),
    ("wide", Architecture::MaskedLm),
    ("detector", Architecture::PreTraining),
];

/// The largest difference, in terms of the largest number.
fn off(found: &Tensor, expected: &Tensor) -> f64 {
    assert_eq!(found.size(), expected.size());
    let largest = |tensor: &Tensor| tensor.abs().max().double_value(&[]);
    largest(&(found - expected)) / largest(expected)
}

/// What a parameter is called in a file of transformers.
fn in_file(name: &str, architecture: Architecture) -> String {
    let head: &[(&str, &str)] = match architecture {
        Architecture::MaskedLm => &[
            ("generator_predictions.dense", "head.dense"),
            ("generator_predictions.LayerNorm", "head.norm"),
            ("generator_lm_head", "decoder"),
        ],
        _ => &[
            ("discriminator_predictions.dense.", "head.dense."),
            ("discriminator_predictions.LayerNorm", "head.norm"),
            ("discriminator_predictions.dense_prediction", "classifier"),
        ],
    };
    let found = head.iter().chain(&[("electra.", "model.")]);
    let renamed =
        found.filter_map(|(here, file)| name.strip_prefix(here).map(|rest| format!("{file}{rest}"))).next();
    renamed.unwrap()
}

fn logits(network: &EncoderWithHead<PretrainedHead>, hidden: &Tensor) -> Tensor {
    match &network.head {
        PretrainedHead::Vocabulary(head) => head.forward(hidden),
        PretrainedHead::Replaced(head) => head.forward(hidden).unsqueeze(-1),
        PretrainedHead::None => panic!("there is a head"),
    }
}

fn input<'a>(forward: &'a Weights, mask: &'a Tensor, types: &'a Tensor) -> Input<'a> {
    Input {
        input_ids: forward.get("input_ids").unwrap(),
        attention: Attention::Keys(mask),
        token_type_ids: types,
    }
}

#[test]
fn a_modernbert_of_transformers_computes_the_same_values_and_gradients() {
    at_each_kernel_level("a_modernbert_of_transformers_computes_the_same_values_and_gradients", |level| {
        for (name, architecture) in NETWORKS {
            let hub = HubFolder::read(&folder(name)).unwrap();
            assert_eq!((hub.architecture, hub.config.architecture), (architecture, Backbone::ModernBert));
            let network = pretrained(&hub, Device::Cpu).unwrap();
            let forward = Weights::read(&folder(name).join("forward.safetensors")).unwrap();
            let get = |name: &str| forward.get(name).unwrap();
            let mask = get("attention_mask").to_kind(Kind::Bool);
            // Of whatever type: there is no table of them.
            let types = get("input_ids").remainder(2);
            let input = input(&forward, &mask, &types);
            let tokens = mask.unsqueeze(-1);
            let near = |what: &str, found: &Tensor, expected: &Tensor| {
                let off = off(found, expected);
                assert!(off < NEAR, "{name} at {level}: {what} is off by {off:e}");
            };

            let states = tch::no_grad(|| network.encoder.hidden_states_t(&input, false));
            assert_eq!(states.len() as i64, hub.config.num_hidden_layers + 1);
            for (index, state) in states.iter().enumerate() {
                let what = format!("hidden_state.{index}");
                near(&what, &(state * &tokens), &(get(&what) * &tokens));
            }
            let hidden = network.encoder.forward_t(&input, true);
            let found = logits(&network, &hidden);
            near("logits", &(&found * &tokens), &(get("logits") * &tokens));
            (found * get("weights")).sum(Kind::Float).backward();
            for (parameter, tensor) in network.var_store.variables() {
                let expected = get(&format!("grad.{}", in_file(&parameter, architecture)));
                near(&parameter, &tensor.grad(), expected);
            }
        }
    });
}

/// Layers of an encoder alone, at positions that are not in order and beyond the tokens, and without padding.
#[test]
fn selected_positions_are_the_whole_outputs_at_every_level() {
    at_each_kernel_level("selected_positions_are_the_whole_outputs_at_every_level", |level| {
        for (name, _) in NETWORKS {
            let network = pretrained(&HubFolder::read(&folder(name)).unwrap(), Device::Cpu).unwrap();
            let forward = Weights::read(&folder(name).join("forward.safetensors")).unwrap();
            let mask = forward.get("attention_mask").unwrap().to_kind(Kind::Bool);
            let types = mask.zeros_like().to_kind(Kind::Int64);
            let input = input(&forward, &mask, &types);
            let encoder: &Encoder = &network.encoder;
            let positions = Tensor::from_slice(&[22_i64, 0, 7, 7, 10, 0, 9, 3, 0, 0, 0, 0]).view([3, 4]);
            let positions = &positions;
            let select =
                |select: Select<'_>| tch::no_grad(|| encoder.forward_select_t(&input, select, false));
            let whole = select(Select::All);
            let index = positions.unsqueeze(-1).expand([-1, -1, whole.size()[2]], false);
            let expected = whole.gather(1, &index, false);
            let found = select(Select::Positions(positions));
            assert!(off(&found, &expected) < NEAR, "{name} at {level}");
            let tokens = mask.unsqueeze(-1);
            let unpadded = select(Select::Unpadded);
            assert!(off(&(unpadded * &tokens), &(&whole * &tokens)) < NEAR, "{name} at {level}");
        }
    });
}

#[test]
fn what_is_read_is_written_as_the_same_tensors_under_the_same_names() {
    for (name, architecture) in NETWORKS {
        let hub = HubFolder::read(&folder(name)).unwrap();
        let copy = tempfile::tempdir().unwrap();
        hub.write(copy.path()).unwrap();
        let again = HubFolder::read(copy.path()).unwrap();
        assert_eq!((&again.config, again.architecture), (&hub.config, architecture));
        let read = |folder: &Path| Weights::read(&folder.join("model.safetensors")).unwrap();
        let (written, original) = (read(copy.path()), read(&folder(name)));
        assert!(written.iter().eq(original.iter()), "{name}");
        // A headless class of transformers has names without `model.`.
        let encoder = hub.encoder();
        let headless = tempfile::tempdir().unwrap();
        encoder.write(headless.path()).unwrap();
        let bare = read(headless.path());
        let bare = bare
            .iter()
            .map(|(name, tensor)| (name.strip_prefix("model.").unwrap().to_owned(), tensor.shallow_clone()));
        Weights::new(bare).save(&headless.path().join("model.safetensors")).unwrap();
        let again = HubFolder::read(headless.path()).unwrap();
        assert!(again.weights.iter().eq(encoder.weights.iter()), "{name}");
    }
}

#[test]
fn what_is_missing_is_named_as_the_file_names_it() {
    let copy = tempfile::tempdir().unwrap();
    for (name, expected) in [
        ("model.layers.1.mlp.Wi.weight", "no tensors for these parameters: model.layers.1.mlp.Wi.weight"),
        ("head.norm.weight", "no tensors for these parameters: head.norm.weight"),
    ] {
        let hub = HubFolder::read(&folder("narrow")).unwrap();
        hub.write(copy.path()).unwrap();
        let path = copy.path().join("model.safetensors");
        let whole = Weights::read(&path).unwrap();
        let rest = whole.iter().filter(|(found, _)| *found != name);
        let rest = rest.map(|(name, tensor)| (name.to_owned(), tensor.shallow_clone()));
        Weights::new(rest.collect::<Vec<_>>()).save(&path).unwrap();
        let message = HubFolder::read(copy.path())
            .and_then(|hub| pretrained(&hub, Device::Cpu))
            .unwrap_err()
            .to_string();
        assert!(message.ends_with(expected), "{message}");
    }
}
