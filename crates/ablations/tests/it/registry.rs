//! Names.

use std::collections::BTreeSet;

use electra_ablations::{NAMES, build, masking, networks};
use electra_encoder::{Convention, StepShape};
use tch::{Device, nn};

use crate::support::{model, objective};

#[test]
fn every_name_builds_masks_and_counts() {
    for name in NAMES {
        let (parameters, network) = objective(name);
        assert_eq!(network.encoder().config(), &model().encoder);
        masking(name).unwrap().validate().unwrap();
        let model = model();
        let networks = networks(name, &model).unwrap();
        let has_generator = parameters.variables().keys().any(|name| name.starts_with("generator."));
        assert_eq!(networks.len(), if has_generator { 2 } else { 1 }, "{name}");
        let shape = StepShape { batch: 8, length: 16, masked: 3 };
        assert!(Convention::Executed.step(&networks, shape) > 0.0);
    }
}

#[test]
fn heads_are_where_the_table_says() {
    let heads = |name: &str| -> BTreeSet<String> {
        let (parameters, _) = objective(name);
        let variables = parameters.variables();
        let main = variables.keys().filter_map(|name| name.strip_prefix("main."));
        main.filter_map(|name| name.split('.').next())
            .filter(|part| *part != "electra")
            .map(String::from)
            .collect()
    };
    let set = |parts: &[&str]| parts.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    let vocabulary = set(&["generator_predictions", "generator_lm_head"]);
    assert_eq!(heads("mlm"), vocabulary);
    assert_eq!(heads("replace-mlm"), vocabulary);
    assert_eq!(heads("all-tokens-mlm-no-gate"), vocabulary);
    assert_eq!(heads("all-tokens-mlm"), set(&["gate", "generator_predictions", "generator_lm_head"]));
    for name in
        ["electra", "electra-15", "electra-shuffled", "electra-shuffled-all", "rtd-unigram", "rtd-uniform"]
    {
        assert_eq!(heads(name), set(&["discriminator_predictions"]));
    }
}

#[test]
fn objectives_of_one_seed_begin_with_one_encoder() {
    let word = |name: &str| {
        let (_parameters, network) = objective(name);
        network.encoder().embeddings().word_embeddings().copy()
    };
    let first = word("mlm");
    for name in NAMES {
        assert!(word(name).equal(&first), "{name}");
    }
}

#[test]
fn wrong_names_and_counts_are_named() {
    let parameters = nn::VarStore::new(Device::Cpu);
    let error = |name: &str, counts: &[u64]| {
        build(name, &parameters.root(), &model(), counts).err().unwrap().to_string()
    };
    assert!(
        error("elektra", &[]).starts_with("objective: there is none called \"elektra\"; there are mlm, ")
    );
    assert!(error("rtd-unigram", &[]).contains("0 token counts"));
    assert!(error("rtd-unigram", &[0; 60]).contains("60 token counts, 0 of them positive"));
    assert!(masking("elektra").is_err() && networks("elektra", &model()).is_err());
}
