//! A batch in parts.

use electra_encoder::Weights;
use tch::Kind;

use crate::support::{checkpoint, config, metrics, place, run};

/// Rows of unequal lengths are tried with every objective in electra-ablations; here the whole loop and its logs.
#[test]
fn parts_add_up_to_the_batch() {
    let place = place();
    let mut weights = Vec::new();
    for parts in [1, 2, 8] {
        let mut config = config(place.path(), 4);
        config.model.encoder.hidden_dropout_prob = 0.1;
        config.model.encoder.attention_probs_dropout_prob = 0.1;
        config.budget.batch = 8;
        config.budget.accumulation = parts;
        let folder = place.path().join(format!("run-{parts}"));
        run(&config, &folder).finished();
        let model = Weights::read(&checkpoint(&folder, 4).join("model.safetensors")).unwrap();
        weights.push((model, metrics(&folder)));
    }
    let (whole, whole_metrics) = &weights[0];
    for (parts, metrics) in &weights[1..] {
        for (name, tensor) in whole.iter() {
            let other = parts.get(name).unwrap();
            let difference = (tensor - other).abs().max().double_value(&[]);
            assert!(difference < 1e-5, "{name}: {difference}");
            assert_eq!(other.kind(), Kind::Float);
        }
        for (line, other) in whole_metrics.iter().zip(metrics) {
            for name in ["loss", "disc_loss", "masked_lm_loss", "grad_norm", "masked_rate"] {
                let (found, expected) = (other[name].as_f64().unwrap(), line[name].as_f64().unwrap());
                assert!(
                    (found - expected).abs() < 1e-4 * expected.abs().max(1.0),
                    "{name}: {found} {expected}"
                );
            }
        }
    }
}
