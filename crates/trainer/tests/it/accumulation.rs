//! A batch in parts.

use electra_encoder::Weights;
use tch::Kind;

use crate::support::{checkpoint, config, metrics, place, run};

/// Every row of the corpus has as many tokens and masks as every other, so the mean of the parts' means is
/// the mean over the batch.
#[test]
fn parts_add_up_to_the_batch() {
    let place = place();
    let mut weights = Vec::new();
    for parts in [1, 2, 8] {
        let mut config = config(place.path(), 4);
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
                let (one, other) = (line[name].as_f64().unwrap(), other[name].as_f64().unwrap());
                assert!((one - other).abs() < 1e-4 * one.abs().max(1.0), "{name}: {one} {other}");
            }
        }
    }
}
