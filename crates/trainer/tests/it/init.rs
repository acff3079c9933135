//! Runs that begin with checkpoints of the Hub's layout.

use std::path::Path;

use electra_config::{Config, InitConfig};
use electra_encoder::{Architecture, HubFolder, Part, Weights};
use electra_objective::Electra;
use tch::{Device, nn};

use crate::support::{checkpoint, config, place, run, run_with};

/// A discriminator and a generator of seed 9, in `discriminator` and `generator`.
fn export(place: &Path, config: &Config) {
    let model = config.model.model();
    let var_store = nn::VarStore::new(Device::Cpu);
    let _objective = Electra::new(&var_store.root(), &model);
    electra_encoder::initialise(&var_store, 0.5, 9).unwrap();
    for (name, config, architecture, part) in [
        ("discriminator", model.encoder, Architecture::PreTraining, Part::MAIN),
        ("generator", model.generator, Architecture::MaskedLm, Part::GENERATOR),
    ] {
        let weights = Weights::from_var_store(&var_store, part);
        HubFolder { config, architecture, weights }.write(&place.join(name)).unwrap();
    }
}

/// The weights that a run begins with: a first step has rate 0.
fn first(config: &Config, folder: &Path) -> Weights {
    run(config, folder).finished();
    Weights::read(&checkpoint(folder, 1).join("model.safetensors")).unwrap()
}

#[test]
fn training_goes_on_from_both_networks_or_from_one() {
    let place = place();
    let mut config = config(place.path(), 1);
    export(place.path(), &config);
    let fresh = first(&config, &place.path().join("fresh"));
    let init = InitConfig {
        discriminator: place.path().join("discriminator"),
        generator: Some(place.path().join("generator")),
    };
    config.init = Some(init.clone());
    let both = first(&config, &place.path().join("both"));
    config.init = Some(InitConfig { generator: None, ..init });
    let encoder_only = first(&config, &place.path().join("one"));

    let hub = HubFolder::read(&place.path().join("discriminator")).unwrap();
    let generator = HubFolder::read(&place.path().join("generator")).unwrap();
    for (name, tensor) in both.iter() {
        let (part, hub_name) = name.split_once('.').unwrap();
        let source = if part == "main" { &hub } else { &generator };
        assert_eq!(source.weights.get(hub_name).unwrap(), tensor, "{name}");
        let tied = hub_name.starts_with("electra.embeddings.");
        let expected = if part == "main" || tied { tensor } else { fresh.get(name).unwrap() };
        assert_eq!(encoder_only.get(name).unwrap(), expected, "{name}");
    }
    let query = "main.electra.encoder.layer.0.attention.self.query.weight";
    assert_ne!(fresh.get(query), both.get(query));
}

/// A masked language model begins with a discriminator's encoder, and with a head of its own.
#[test]
fn heads_that_the_objective_lacks_are_left_out() {
    let place = place();
    let mut config = config(place.path(), 1);
    export(place.path(), &config);
    config.init = Some(InitConfig { discriminator: place.path().join("discriminator"), generator: None });
    let folder = place.path().join("run");
    run_with(&config, &folder, &electra_objective::mlm::SPEC).finished();
    let weights = Weights::read(&checkpoint(&folder, 1).join("model.safetensors")).unwrap();
    let hub = HubFolder::read(&place.path().join("discriminator")).unwrap();
    for (name, tensor) in weights.iter().filter(|(name, _)| name.starts_with("main.electra.")) {
        assert_eq!(hub.weights.get(&name["main.".len()..]).unwrap(), tensor, "{name}");
    }
    assert!(weights.get("main.generator_lm_head.bias").is_some());
}

#[test]
fn another_network_is_refused_by_its_field() {
    let place = place();
    let mut config = config(place.path(), 1);
    export(place.path(), &config);
    let discriminator = place.path().join("discriminator");
    config.init = Some(InitConfig { discriminator: discriminator.clone(), generator: None });
    config.model.encoder.num_attention_heads = 4;
    let error = run(&config, &place.path().join("run")).outcome.unwrap_err().to_string();
    let expected = format!(
        "{}: num_attention_heads is 2; expected 4, as model.encoder of this run says",
        discriminator.display()
    );
    assert_eq!(error, expected);
}

/// From a file that names the checkpoints, the encoder is theirs and not the preset's.
#[test]
fn the_encoder_is_the_checkpoints() {
    let place = place();
    let sample = config(place.path(), 1);
    export(place.path(), &sample);
    let shown = |name: &str| place.path().join(name).display().to_string();
    let text = format!(
        "preset = \"small\"\nobjective = \"electra\"\nseed = 1\ndata.corpus = {:?}\nbudget.steps = 1\n\
         [init]\ndiscriminator = {:?}\ngenerator = {:?}\n",
        shown("corpus"),
        shown("discriminator"),
        shown("generator")
    );
    let path = place.path().join("run.toml");
    std::fs::write(&path, text).unwrap();
    let config = electra_trainer::read_config(&path, &[], crate::support::masking).unwrap();
    let expected = electra_encoder::EncoderConfig {
        initializer_range: config.model.encoder.initializer_range,
        ..sample.model.encoder
    };
    assert_eq!((&config.model.encoder, config.model.generator_multiplier), (&expected, 0.5));
}
