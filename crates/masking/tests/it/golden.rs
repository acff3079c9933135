//! The same numbers as `tests/golden/make_golden.py`, which computes them from their definition.

use electra_masking::{MaskRate, MaskingConfig, Stream};
use serde_json::Value;

use crate::support::{mask, masker};

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden/golden.json")).unwrap()
}

fn list<T>(value: &Value, item: impl Fn(&Value) -> T) -> Vec<T> {
    value.as_array().unwrap().iter().map(item).collect()
}

fn int(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

#[test]
fn keyed_random_numbers_are_chacha8s() {
    for case in golden()["rng"].as_array().unwrap() {
        let name = case["stream"].as_str().unwrap().as_bytes();
        let mut padded = [0; 8];
        padded[..name.len()].copy_from_slice(name);
        let stream = Stream::named(&padded);
        assert!([Stream::MASK, Stream::ORDER, Stream::EXAMPLES].contains(&stream));
        let key = |field: &str| int(&case[field]);
        let mut rng = stream.rng(key("seed"), key("step"), key("example"));
        let words: Vec<u64> = (0..40).map(|_| u64::from(rng.next_u32())).collect();
        assert_eq!(words, list(&case["words"], int));
        let mut rng = stream.rng(key("seed"), key("step"), key("example"));
        assert_eq!(rng.next_u64(), words[1] << 32 | words[0], "two words, the lower half first");
        let mut rng = stream.rng(key("seed"), key("step"), key("example"));
        for pair in case["below"].as_array().unwrap() {
            assert_eq!(u64::from(rng.below(int(&pair[0]) as u32)), int(&pair[1]));
        }
    }
}

#[test]
fn masks() {
    for case in golden()["mask"].as_array().unwrap() {
        let config = match case["rule"].as_str().unwrap() {
            "electra" => MaskingConfig::electra(),
            "bert" => MaskingConfig::bert(),
            _ => MaskingConfig::reference(),
        };
        let ids = list(&case["input_ids"], |id| id.as_i64().unwrap());
        let masker = masker(config, 1000, ids.len(), int(&case["seed"]));
        let (positions, masked) = mask(&masker, int(&case["step"]), int(&case["example"]), &ids);
        assert_eq!(
            positions,
            list(&case["positions"], |position| position.as_i64().unwrap()),
            "{}",
            case["rule"]
        );
        assert_eq!(masked, list(&case["masked_input_ids"], |id| id.as_i64().unwrap()), "{}", case["rule"]);
    }
}

#[test]
fn masks_of_rates_that_are_drawn_or_change() {
    for case in golden()["rate"].as_array().unwrap() {
        let mask_prob = match case["rule"].as_str().unwrap() {
            "uniform" => MaskRate::Uniform,
            _ => MaskRate::Linear { from: 0.3, to: 0.15 },
        };
        let ids = list(&case["input_ids"], |id| id.as_i64().unwrap());
        let config = MaskingConfig { mask_prob, ..MaskingConfig::electra() };
        let masker = masker(config, 1000, ids.len(), int(&case["seed"])).over(int(&case["steps"]));
        let (positions, masked) = mask(&masker, int(&case["step"]), int(&case["example"]), &ids);
        let expected = list(&case["positions"], |position| position.as_i64().unwrap());
        assert_eq!(positions, expected, "{mask_prob}, step {}", case["step"]);
        assert_eq!(masked, list(&case["masked_input_ids"], |id| id.as_i64().unwrap()), "{mask_prob}");
    }
}
