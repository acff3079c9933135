//! What transformers computes from the same weights and the same batch.

use std::path::{Path, PathBuf};

use electra_encoder::{
    Architecture, Attention, Encoder, HubFolder, Input, Loader, Part, PositionEmbeddingType, Weights,
};
use electra_torch::at_each_kernel_level;
use tch::{Device, Kind, Tensor, nn};

use crate::support::{difference, discriminator_head, vocabulary_head};

/// The sets in this repository, and the one that `ELECTRA_GOLDEN` names, if it does.
fn sets() -> Vec<PathBuf> {
    own_sets().into_iter().chain(std::env::var_os("ELECTRA_GOLDEN").map(PathBuf::from)).collect()
}

fn own_sets() -> [PathBuf; 2] {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    [golden.join("tiny"), golden.join("equal-sizes")]
}

/// What transformers has for "close": the order of sums differs, and so do the last bits.
const NEAR: f64 = 1e-5;

fn compare(set: &Path, name: &str, architecture: Architecture) {
    let folder = HubFolder::read(&set.join(name)).unwrap();
    assert_eq!(folder.architecture, architecture);
    let var_store = nn::VarStore::new(Device::Cpu);
    let root = var_store.root();
    let encoder = Encoder::new(&(&root / "electra"), &folder.config);
    let head: Box<dyn Fn(&Tensor) -> Tensor> = match architecture {
        Architecture::PreTraining => {
            let head = discriminator_head(&root, &folder.config);
            Box::new(move |hidden| head.forward(hidden))
        }
        Architecture::MaskedLm => {
            let head = vocabulary_head(&root, &folder.config);
            let embeddings = &encoder;
            Box::new(move |hidden| head.forward(hidden, embeddings.embeddings()))
        }
        _ => panic!("the golden sets have the heads of pre-training"),
    };
    let mut loader = Loader::new(&var_store);
    loader.fill(&folder.weights, Part::ALL, &[]).unwrap();
    loader.finish(&[]).unwrap();

    let forward = Weights::read(&set.join("forward.safetensors")).unwrap();
    let get = |name: &str| forward.get(name).unwrap_or_else(|| panic!("{}: no {name}", set.display()));
    let mask = get("attention_mask").to_kind(Kind::Bool);
    let input = Input {
        input_ids: get("input_ids"),
        attention: Attention::Keys(&mask),
        token_type_ids: get("token_type_ids"),
    };
    let near = |what: &str, found: &Tensor| {
        let off = difference(found, get(what));
        println!("{}: {what}: {off:.2e}", set.display());
        assert!(off < NEAR, "{}: {what} is off by {off:e}", set.display());
    };
    let states = tch::no_grad(|| encoder.hidden_states_t(&input, false));
    assert_eq!(states.len() as i64, folder.config.num_hidden_layers + 1);
    let last = tch::no_grad(|| encoder.forward_t(&input, false));
    assert_eq!(last, states[states.len() - 1]);
    near(&format!("{name}_hidden"), &last);
    near(&format!("{name}_logits"), &head(&last));
    for (index, state) in states.iter().enumerate() {
        let what = format!("{name}_hidden_state.{index}");
        if forward.get(&what).is_some() {
            near(&what, state);
        }
    }
}

#[test]
fn a_discriminator_of_transformers_computes_the_same() {
    at_each_kernel_level("a_discriminator_of_transformers_computes_the_same", |_| {
        for set in sets() {
            compare(&set, "discriminator", Architecture::PreTraining);
        }
    });
}

#[test]
fn a_generator_of_transformers_computes_the_same() {
    at_each_kernel_level("a_generator_of_transformers_computes_the_same", |_| {
        for set in sets() {
            compare(&set, "generator", Architecture::MaskedLm);
        }
    });
}

/// `RoFormerModel`: `make_rotary.py`.
#[test]
fn an_encoder_with_rotary_positions_computes_what_transformers_does() {
    let set = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/rotary");
    let folder = HubFolder::read(&set).unwrap();
    assert_eq!(folder.config.position_embedding_type, PositionEmbeddingType::Rotary);
    let var_store = nn::VarStore::new(Device::Cpu);
    let encoder = Encoder::new(&(var_store.root() / "electra"), &folder.config);
    folder.weights.load_into(&var_store).unwrap();
    let forward = Weights::read(&set.join("forward.safetensors")).unwrap();
    let mask = forward.get("attention_mask").unwrap().to_kind(Kind::Bool);
    let input = Input {
        input_ids: forward.get("input_ids").unwrap(),
        attention: Attention::Keys(&mask),
        token_type_ids: forward.get("token_type_ids").unwrap(),
    };
    at_each_kernel_level("an_encoder_with_rotary_positions_computes_what_transformers_does", |_| {
        let states = tch::no_grad(|| encoder.hidden_states_t(&input, false));
        assert_eq!(states.len(), 3);
        for (index, state) in states.iter().enumerate() {
            let off = difference(state, forward.get(&format!("hidden_state.{index}")).unwrap());
            assert!(off < NEAR, "{index} is off by {off:e}");
        }
    });
    // What is written is read again as the same network.
    let copy = tempfile::tempdir().unwrap();
    folder.write(copy.path()).unwrap();
    let again = HubFolder::read(copy.path()).unwrap();
    assert_eq!(again.config, folder.config);
    assert!(again.weights.iter().eq(folder.weights.iter()));
}

#[test]
fn what_is_read_is_written_as_the_same_tensors() {
    for set in sets() {
        for name in ["discriminator", "generator"] {
            let read = HubFolder::read(&set.join(name)).unwrap();
            let folder = tempfile::tempdir().unwrap();
            let (once, twice) = (folder.path().join("once"), folder.path().join("twice"));
            read.write(&once).unwrap();
            let again = HubFolder::read(&once).unwrap();
            again.write(&twice).unwrap();
            assert_eq!((&again.config, again.architecture), (&read.config, read.architecture));
            assert!(again.weights.iter().eq(read.weights.iter()));
            for file in ["model.safetensors", "config.json"] {
                let bytes = |folder: &Path| std::fs::read(folder.join(file)).unwrap();
                assert_eq!(bytes(&once), bytes(&twice), "{file}");
            }
            // And the bytes that transformers wrote, where we know by which release.
            if own_sets().contains(&set) {
                let bytes = |folder: &Path| std::fs::read(folder.join("model.safetensors")).unwrap();
                assert_eq!(bytes(&once), bytes(&set.join(name)));
            }
        }
    }
}
