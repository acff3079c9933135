//! Objectives as plans name them, for tests: the program hands the study its own.

use electra_config::{Head, ModelConfig, Network, ObjectiveInfo, Positions, Scoring};
use electra_masking::MaskingConfig;

const MASKED: &[Head] = &[Head::Vocabulary(Positions::Masked)];

fn with_generator<'a>(model: &'a ModelConfig, heads: &'a [Head]) -> Vec<Network<'a>> {
    let generator = Network { encoder: &model.generator, heads: MASKED, positions: Positions::All };
    vec![generator, Network { encoder: &model.encoder, heads, positions: Positions::All }]
}

const ELECTRA: ObjectiveInfo = ObjectiveInfo {
    name: "electra",
    title: "ELECTRA",
    paper: Some(85.0),
    reads_masks: false,
    has_generator: true,
    scoring: Scoring::Discriminator,
    couples_rows: false,
    masking: MaskingConfig::electra,
    networks: |model| with_generator(model, &[Head::Discriminator(Positions::All)]),
};

const MLM: ObjectiveInfo = ObjectiveInfo {
    name: "mlm",
    title: "BERT (MLM)",
    paper: Some(82.2),
    reads_masks: true,
    has_generator: false,
    scoring: Scoring::PseudoLogLikelihood,
    masking: MaskingConfig::bert,
    networks: |model| vec![Network { encoder: &model.encoder, heads: MASKED, positions: Positions::All }],
    ..ELECTRA
};

/// Those that the shipped plans name, with the networks that they have.
pub(crate) const OBJECTIVES: [&ObjectiveInfo; 18] = [
    &MLM,
    &ObjectiveInfo {
        name: "replace-mlm",
        scoring: Scoring::Unmasked,
        paper: Some(82.4),
        networks: |model| with_generator(model, MASKED),
        ..ELECTRA
    },
    &ObjectiveInfo {
        name: "electra-15",
        paper: Some(82.4),
        networks: |model| with_generator(model, &[Head::Discriminator(Positions::Masked)]),
        ..ELECTRA
    },
    &ObjectiveInfo {
        name: "all-tokens-mlm",
        scoring: Scoring::Unmasked,
        paper: Some(84.3),
        networks: |model| {
            with_generator(model, &[Head::Vocabulary(Positions::All), Head::Gate(Positions::All)])
        },
        ..ELECTRA
    },
    &ELECTRA,
    &ObjectiveInfo { name: "mlm-85-15", ..MLM },
    &ObjectiveInfo {
        name: "all-tokens-mlm-no-gate",
        scoring: Scoring::Unmasked,
        networks: |model| with_generator(model, &[Head::Vocabulary(Positions::All)]),
        ..ELECTRA
    },
    &ObjectiveInfo { name: "rtd-unigram", has_generator: false, networks: alone, ..ELECTRA },
    &ObjectiveInfo { name: "rtd-uniform", has_generator: false, networks: alone, ..ELECTRA },
    &ObjectiveInfo { name: "electra-shuffled", ..ELECTRA },
    &ObjectiveInfo { name: "electra-shuffled-all", ..ELECTRA },
    &ObjectiveInfo { name: "rts", has_generator: false, networks: alone, ..ELECTRA },
    &ObjectiveInfo {
        name: "coco-clm",
        scoring: Scoring::Unmasked,
        networks: |model| {
            with_generator(model, &[Head::Vocabulary(Positions::Masked), Head::Gate(Positions::All)])
        },
        ..ELECTRA
    },
    &ObjectiveInfo { name: "electra-gdes", ..ELECTRA },
    &ObjectiveInfo {
        name: "permutation-lm",
        scoring: Scoring::TwoStream,
        networks: |model| model.two_streams(MASKED).into(),
        ..MLM
    },
    &ObjectiveInfo {
        name: "gpt-bert",
        scoring: Scoring::MaskedNextToken,
        networks: |model| model.alone(&[Head::Vocabulary(Positions::AllOfOneRowIn(16))]).into(),
        ..MLM
    },
    &ObjectiveInfo {
        name: "electric",
        scoring: Scoring::Energy,
        networks: |model| {
            let tower = |heads| Network { encoder: &model.generator, heads, positions: Positions::All };
            let [main] = model.alone(&[Head::Discriminator(Positions::All)]);
            vec![tower(&[]), tower(&[Head::TwoTowers(Positions::All)]), main]
        },
        ..ELECTRA
    },
    &ObjectiveInfo {
        name: "clm",
        scoring: Scoring::LogLikelihood,
        reads_masks: false,
        networks: |model| {
            vec![Network {
                encoder: &model.encoder,
                heads: &[Head::Vocabulary(Positions::All)],
                positions: Positions::All,
            }]
        },
        ..MLM
    },
];

fn alone(model: &ModelConfig) -> Vec<Network<'_>> {
    vec![Network {
        encoder: &model.encoder,
        heads: &[Head::Discriminator(Positions::All)],
        positions: Positions::All,
    }]
}
