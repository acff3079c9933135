//! ELECTRA with gradient-disentangled embedding sharing (He et al., DeBERTaV3, arXiv 2111.09543, §3.3).

use electra_objective::{ObjectiveInfo, electra};

#[cfg(feature = "torch")]
pub use network::SPEC;

/// ELECTRA whose discriminator adds tables of its own to the generator's.
pub const INFO: ObjectiveInfo = ObjectiveInfo {
    name: "electra-gdes",
    title: "ELECTRA, disentangled embeddings (DeBERTaV3)",
    paper: None,
    ..electra::INFO
};

#[cfg(feature = "torch")]
mod network {
    use electra_encoder::Tied;
    use electra_objective::{Electra, ModelConfig, Spec, electra};

    use super::INFO;

    /// ELECTRA with `model.tied` = [`Tied::GradientDisentangled`], whatever the settings say.
    ///
    /// The two losses pull one table in two directions: the generator's wants tokens that mean alike near each other, the
    /// discriminator's wants them apart. Here the discriminator reads the generator's tables, but its loss changes only
    /// what is added to them. Additions of tables, V·E for each pass, are no more counted as operations than the
    /// optimizer's are.
    pub const SPEC: Spec = Spec {
        info: INFO,
        build: |root, given| {
            let model = ModelConfig { tied: Tied::GradientDisentangled, ..given.model.clone() };
            Ok(Box::new(Electra::new(root, &model)))
        },
        ..electra::SPEC
    };
}
