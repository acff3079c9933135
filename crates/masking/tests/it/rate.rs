//! The law of how many tokens are masked.

use electra_masking::{Choice, CountRule, MaskRate, Masker, MaskingConfig, Shares, Weighting};
use proptest::prelude::*;

use crate::support::{assert_chi_square, mask, masker, pearson, plain_ids, vocabulary};

fn with_rate(mask_prob: MaskRate) -> MaskingConfig {
    MaskingConfig { mask_prob, ..MaskingConfig::bert() }
}

proptest! {
    #[test]
    fn a_linear_rate_masks_what_its_share_gives(
        from in 0.01f64..=1.0, to in 0.01f64..=1.0, length in 3usize..100, steps in 1u64..1000, part in 0.0f64..1.5, seed: u64,
    ) {
        let rate = MaskRate::Linear { from, to };
        let changing = masker(with_rate(rate), 1000, length, seed).over(steps);
        let step = (part * steps as f64) as u64;
        let ids = plain_ids(length);
        let found = mask(&changing, step, 5, &ids);
        let share = from + (to - from) * (step as f64 / steps as f64).min(1.0);
        prop_assert!(share >= from.min(to) - 1e-12 && share <= from.max(to) + 1e-12);
        // The same masks as a fixed rate of that share has at that step: nothing else depends on the rate.
        let fixed = masker(with_rate(MaskRate::Fixed(share)), 1000, length, seed);
        prop_assert_eq!(&found, &mask(&fixed, step, 5, &ids));
        // Without a number of steps, the rate is that of the end.
        let last = masker(with_rate(MaskRate::Fixed(to)), 1000, length, seed);
        prop_assert_eq!(mask(&masker(with_rate(rate), 1000, length, seed), step, 5, &ids), mask(&last, step, 5, &ids));
        prop_assert!(found.0.len() <= changing.capacity());
    }

    #[test]
    fn a_uniform_rate_masks_at_least_one_token_and_at_most_all(
        ids in prop::collection::vec(prop_oneof![1 => 0i64..5, 6 => 5i64..1000], 0..120), seed: u64, step: u64, example: u64,
    ) {
        let uniform = masker(with_rate(MaskRate::Uniform), 1000, ids.len(), seed);
        let tokens = uniform.maskable(&ids);
        let (positions, _) = mask(&uniform, step, example, &ids);
        prop_assert!(tokens == 0 || (1..=tokens).contains(&positions.len()));
        // How many is drawn from a stream of its own, so the positions are the first of those that any rate has.
        let all = masker(with_rate(MaskRate::Fixed(1.0)), 1000, ids.len(), seed);
        let (every, _) = mask(&all, step, example, &ids);
        prop_assert!(positions.iter().all(|position| every.contains(position)));
        prop_assert_eq!(every.len(), tokens);
    }

    #[test]
    fn an_expected_count_is_the_mean_over_the_steps(
        from in 0.01f64..=1.0, to in 0.01f64..=1.0, length in 3usize..100, reference: bool,
    ) {
        let count = if reference { CountRule::RoundHalfEven } else { CountRule::Ceil };
        let of = |mask_prob| MaskingConfig { count, ..with_rate(mask_prob) };
        let expected = of(MaskRate::Linear { from, to }).expected_count(length);
        let steps = 20_000;
        let share = |step: u32| from + (to - from) * (f64::from(step) + 0.5) / f64::from(steps);
        let sum: f64 = (0..steps).map(|step| of(MaskRate::Fixed(share(step))).capacity(length) as f64).sum();
        prop_assert!((expected - sum / f64::from(steps)).abs() < 0.05, "{} {}", expected, sum / f64::from(steps));
        let fixed = of(MaskRate::Fixed(from));
        prop_assert_eq!(fixed.expected_count(length), fixed.capacity(length) as f64);
    }
}

#[test]
fn every_number_of_masked_tokens_is_equally_likely() {
    let (length, trials) = (22, 40_000);
    let uniform = masker(with_rate(MaskRate::Uniform), 1000, length, 11);
    let ids = plain_ids(length);
    let mut counts = vec![0u64; length];
    for trial in 0..trials {
        counts[mask(&uniform, trial / 200, trial % 200, &ids).0.len()] += 1;
    }
    assert_eq!((counts[0], counts[21]), (0, 0), "20 tokens can be masked");
    let expected = trials as f64 / 20.0;
    assert_chi_square("counts", pearson(counts[1..21].iter().map(|&count| (count, expected))), 19);
    assert_eq!(uniform.config().expected_count(22), 11.5);
}

#[test]
fn rows_of_a_uniform_rate_do_not_depend_on_threads() {
    let uniform = masker(with_rate(MaskRate::Uniform), 1000, 40, 12);
    let ids = plain_ids(40);
    let alone: Vec<_> = (0..64).map(|example| mask(&uniform, 3, example, &ids)).collect();
    let together: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..64)
            .map(|example| {
                scope.spawn({
                    let (uniform, ids) = (&uniform, &ids);
                    move || mask(uniform, 3, example, ids)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(alone, together);
    assert_ne!(alone[0].0.len(), alone[1].0.len(), "each example has a number of its own");
}

#[test]
fn rates_and_weightings_that_cannot_be_are_named() {
    let refused = |config: MaskingConfig| config.validate().unwrap_err().to_string();
    for (from, to, message) in [
        (0.0, 0.15, "mask_prob.from: 0; expected a share above 0 and at most 1"),
        (0.3, 1.5, "mask_prob.to: 1.5; expected a share above 0 and at most 1"),
        (f64::NAN, 0.15, "mask_prob.from: NaN; expected a share above 0 and at most 1"),
        (0.3, -0.1, "mask_prob.to: -0.1; expected a share above 0 and at most 1"),
    ] {
        assert_eq!(refused(with_rate(MaskRate::Linear { from, to })), message);
    }
    for rate in [MaskRate::Linear { from: 1.0, to: 0.15 }, MaskRate::Uniform] {
        assert_eq!(with_rate(rate).validate(), Ok(()));
    }
    let uniform = with_rate(MaskRate::Uniform);
    let plain = "expected count = \"ceil\" and with_replacement = false";
    for config in [
        MaskingConfig { count: CountRule::RoundHalfEven, ..uniform.clone() },
        MaskingConfig { with_replacement: true, ..uniform.clone() },
    ] {
        assert!(refused(config).ends_with(plain));
    }
    let weighted = MaskingConfig { weighting: Weighting::InverseRate, ..uniform };
    assert_eq!(weighted.validate(), Ok(()));
    let words = MaskingConfig { choice: Choice::WholeWord, ..weighted };
    assert_eq!(
        refused(words),
        "weighting: \"inverse-rate\" with another choice; expected choice = \"token\" and with_replacement = false"
    );
}

#[test]
fn a_rate_of_words_is_a_budget_of_tokens() {
    let config = MaskingConfig { choice: Choice::WholeWord, ..with_rate(MaskRate::Uniform) };
    let continues: Vec<bool> = (0..1000).map(|id| id >= 5 && id % 2 == 0).collect();
    let words = Masker::new(config, &vocabulary(1000), &continues, 30, 1).unwrap();
    let tokens = masker(with_rate(MaskRate::Uniform), 1000, 30, 1);
    let ids = plain_ids(30);
    for example in 0..200 {
        assert!(mask(&words, 0, example, &ids).0.len() <= mask(&tokens, 0, example, &ids).0.len());
    }
}

/// What was written before rates could change is written as it was.
#[test]
fn settings_of_before_keep_their_bytes() {
    let before = r#"{"mask_prob":0.15,"count":"ceil","with_replacement":false,"choice":"token","corruption":{"mask":1.0,"random":0.0,"keep":0.0}}"#;
    let config: MaskingConfig = serde_json::from_str(before).unwrap();
    assert_eq!(config, MaskingConfig::electra());
    assert_eq!(serde_json::to_string(&config).unwrap(), before);
    let shares = Shares { mask: 1.0, random: 0.0, keep: 0.0 };
    assert_eq!((config.corruption, config.weighting), (shares, Weighting::Equal));
}
