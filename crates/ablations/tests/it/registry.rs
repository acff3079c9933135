//! Names.

use std::collections::BTreeSet;

use electra_ablations::OBJECTIVES;
use electra_config::{Convention, StepShape};

use crate::support::{given, model, names, objective};

#[test]
fn every_objective_builds_masks_and_counts() {
    for spec in OBJECTIVES {
        let (info, model) = (&spec.info, model());
        let (parameters, network) = objective(info.name);
        assert_eq!(network.encoder().config(), &model.encoder);
        let masking = (info.masking)();
        masking.validate().unwrap();
        assert!(!(spec.view)(&given(&model, &masking)).unwrap().columns(16).is_empty());
        let has_generator = parameters.variables().keys().any(|name| !name.starts_with("main."));
        assert_eq!(info.has_generator, has_generator, "{}", info.name);
        let passes = match info.name {
            "permutation-lm" => 2, // of two streams
            "electric" => 3,       // of two towers and the kept encoder
            _ if has_generator => 2,
            _ => 1,
        };
        assert_eq!((info.networks)(&model).len(), passes, "{}", info.name);
        let shape = StepShape { batch: 8, length: 16, masked: 3.0 };
        assert!(info.flops(&model, shape, Convention::Executed) > 0.0);
    }
}

#[test]
fn names_and_titles_are_different_and_the_papers_come_first() {
    let names: BTreeSet<&str> = names().collect();
    let titles: BTreeSet<&str> = OBJECTIVES.iter().map(|spec| spec.info.title).collect();
    assert_eq!((names.len(), titles.len()), (OBJECTIVES.len(), OBJECTIVES.len()));
    let paper: Vec<Option<f64>> = OBJECTIVES.iter().map(|spec| spec.info.paper).collect();
    assert_eq!(paper[..5], [82.2, 82.4, 82.4, 84.3, 85.0].map(Some), "Table 5");
    assert!(paper[5..].iter().all(Option::is_none));
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
    for name in ["clm", "permutation-lm", "gpt-bert"] {
        assert_eq!(heads(name), vocabulary, "{name}");
    }
    assert_eq!(heads("all-tokens-mlm-no-gate"), vocabulary);
    assert_eq!(heads("all-tokens-mlm"), set(&["gate", "generator_predictions", "generator_lm_head"]));
    for name in [
        "electra",
        "electra-15",
        "electric",
        "electra-shuffled",
        "electra-shuffled-all",
        "rtd-unigram",
        "rtd-uniform",
        "rts",
    ] {
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
    for name in names() {
        assert!(word(name).equal(&first), "{name}");
    }
}

#[test]
fn a_wrong_name_is_named() {
    let message = electra_ablations::objective("elektra").unwrap_err().to_string();
    assert!(message.starts_with("objective: there is none called \"elektra\"; there are mlm, "), "{message}");
}

#[test]
fn both_lists_name_the_same_in_one_order() {
    let names: Vec<&str> = electra_ablations::INFOS.iter().map(|info| info.name).collect();
    assert_eq!(names, OBJECTIVES.iter().map(|spec| spec.info.name).collect::<Vec<_>>());
    for name in names {
        assert_eq!(electra_ablations::info(name).unwrap().name, name);
        assert_eq!(electra_ablations::objective(name).unwrap().info.name, name);
    }
}
