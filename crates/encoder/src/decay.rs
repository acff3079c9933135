/// Whether weight decay applies to a parameter, by its name: not to LayerNorm and not to biases (reference,
/// `exclude_from_weight_decay`).
#[must_use]
pub fn is_decayed(name: &str) -> bool {
    !["LayerNorm", "layer_norm", "bias"].iter().any(|excluded| name.contains(excluded))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matrices_decay_and_nothing_else() {
        for name in ["main.electra.encoder.layer.0.attention.self.query.weight", "classifier.weight"] {
            assert!(is_decayed(name), "{name}");
        }
        for name in [
            "generator.generator_predictions.LayerNorm.weight",
            "main.electra.encoder.layer.0.output.dense.bias",
        ] {
            assert!(!is_decayed(name), "{name}");
        }
    }
}
