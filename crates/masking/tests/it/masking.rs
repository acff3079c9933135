//! The law of the masks.

use electra_masking::{
    Choice, CountRule, MaskRate, MaskedRows, Masker, MaskingConfig, Shares, Vocabulary, Weighting,
};
use proptest::prelude::*;

use crate::support::{assert_chi_square, mask, masker, pearson, plain_ids, vocabulary};

/// An example as a corpus may hold one: text and `[UNK]` between special tokens, in any order.
fn any_ids() -> impl Strategy<Value = Vec<i64>> {
    prop::collection::vec(prop_oneof![1 => 0i64..5, 6 => 5i64..1000], 0..200)
}

fn any_config() -> impl Strategy<Value = MaskingConfig> {
    let choice = prop_oneof![
        Just(Choice::Token),
        Just(Choice::WholeWord),
        (1usize..5).prop_map(|max| Choice::NGram { max })
    ];
    let count = prop_oneof![Just(CountRule::Ceil), Just(CountRule::RoundHalfEven)];
    (0.01f64..=1.0, count, any::<bool>(), choice, 0.0f64..=1.0, 0.0f64..=1.0).prop_map(
        |(mask_prob, count, with_replacement, choice, mask, random)| MaskingConfig {
            mask_prob: MaskRate::Fixed(mask_prob),
            count,
            with_replacement: with_replacement && choice == Choice::Token,
            choice,
            corruption: Shares { mask, random: (1.0 - mask) * random, keep: (1.0 - mask) * (1.0 - random) },
            weighting: Weighting::Equal,
        },
    )
}

/// Whether a token continues a word, for the tests: every third one.
fn continuations() -> Vec<bool> {
    (0..1000).map(|id| id >= 5 && id % 3 == 0).collect()
}

fn maskable(id: i64) -> bool {
    ![0, 2, 3, 4].contains(&id)
}

proptest! {
    #[test]
    fn masks_are_what_the_configuration_says(config in any_config(), ids in any_ids(), seed: u64, step: u64, example: u64) {
        let masker = Masker::new(config.clone(), &vocabulary(1000), &continuations(), ids.len(), seed).unwrap();
        let (positions, masked) = mask(&masker, step, example, &ids);
        let candidates = ids.iter().filter(|&&id| maskable(id)).count();
        let k = config.count(config.mask_prob.mean(), ids.len()).min(masker.capacity());

        prop_assert!(positions.iter().all(|&position| maskable(ids[position as usize])), "a special token was masked");
        prop_assert!(positions.is_sorted());
        match (config.choice, config.with_replacement) {
            (Choice::Token, true) => prop_assert_eq!(positions.len(), if candidates == 0 { 0 } else { k }),
            (Choice::Token, false) => prop_assert_eq!(positions.len(), k.min(candidates)),
            _ => prop_assert!(positions.len() <= k),
        }
        if !config.with_replacement {
            prop_assert!(positions.windows(2).all(|pair| pair[0] < pair[1]), "a position was drawn twice");
        }
        for (position, (&id, &now)) in ids.iter().zip(&masked).enumerate() {
            if positions.contains(&(position as i64)) {
                prop_assert!(now == 4 || now == id || (5..1000).contains(&now));
                prop_assert!(now != id || config.corruption.keep > 0.0 || config.corruption.random > 0.0);
            } else {
                prop_assert_eq!(id, now, "a position that was not chosen has changed");
            }
        }
        // Whatever a position became, putting the original back gives the input.
        let mut restored = masked;
        for &position in &positions {
            restored[position as usize] = ids[position as usize];
        }
        prop_assert_eq!(restored, ids);
    }

    #[test]
    fn words_are_masked_whole(ids in any_ids(), max in 1usize..4, seed: u64, share in 0.05f64..0.9) {
        let config = MaskingConfig {
            mask_prob: MaskRate::Fixed(share),
            choice: if max == 1 { Choice::WholeWord } else { Choice::NGram { max } },
            ..MaskingConfig::electra()
        };
        let continues = continuations();
        let masker = Masker::new(config, &vocabulary(1000), &continues, ids.len(), seed).unwrap();
        let (positions, _) = mask(&masker, 0, 0, &ids);
        for position in 1..ids.len() {
            let one_word = maskable(ids[position - 1]) && maskable(ids[position]) && continues[ids[position] as usize];
            if one_word {
                let masked = [position as i64 - 1, position as i64].map(|position| positions.contains(&position));
                prop_assert_eq!(masked[0], masked[1], "a word was cut at {}", position);
            }
        }
    }

    #[test]
    fn rules_that_differ_in_corruption_choose_the_same_positions(ids in any_ids(), seed: u64, step: u64) {
        let positions_of = |config| mask(&masker(config, 1000, ids.len(), seed), step, 3, &ids).0;
        prop_assert_eq!(positions_of(MaskingConfig::electra()), positions_of(MaskingConfig::bert()));
    }
}

#[test]
fn counts_of_the_paper_and_of_the_reference() {
    let (paper, reference) = (MaskingConfig::electra(), MaskingConfig::reference());
    assert_eq!([1, 7, 20, 100, 128, 512].map(|n| paper.count(0.15, n)), [1, 2, 3, 15, 20, 77]);
    // round(0.15 n): 1.5 and 4.5 go to the even neighbour; never 0.
    assert_eq!([1, 10, 30, 50, 128, 512].map(|n| reference.count(0.15, n)), [1, 2, 4, 8, 19, 77]);
    assert_eq!([128, 512].map(|n| paper.capacity(n)), [20, 77]);
    assert_eq!([128, 512].map(|n| reference.capacity(n)), [19, 79]);
    // A share that binary fractions cannot hold does not gain a mask by rounding.
    assert_eq!(paper.count(0.07, 100), 7);
}

#[test]
fn every_position_is_equally_likely() {
    // k of m positions without replacement: the counts of the positions have variance T·p(1 − p) and
    // covariance −T·p(1 − p)/(m − 1), so the scaled statistic is chi-square with m − 1 degrees of freedom.
    for (length, seed) in [(8, 1), (40, 2), (128, 3)] {
        let masker = masker(MaskingConfig::electra(), 1000, length, seed);
        let ids = plain_ids(length);
        let trials = 60_000;
        let mut counts = vec![0u64; length];
        for example in 0..trials {
            for position in mask(&masker, 9, example, &ids).0 {
                counts[position as usize] += 1;
            }
        }
        assert_eq!((counts[0], counts[length - 1]), (0, 0));
        let m = (length - 2) as f64;
        let p = masker.capacity() as f64 / m;
        let expected = trials as f64 * p;
        let scale = (m - 1.0) / m / (1.0 - p);
        let statistic = pearson(counts[1..length - 1].iter().map(|&count| (count, expected))) * scale;
        assert_chi_square(&format!("positions of {length}"), statistic, length - 3);
    }
}

#[test]
fn every_set_of_positions_is_equally_likely() {
    // 8 maskable positions, k = ⌈0.3 · 10⌉ = 3: 56 sets.
    let config = MaskingConfig { mask_prob: MaskRate::Fixed(0.3), ..MaskingConfig::electra() };
    let masker = masker(config, 1000, 10, 4);
    let ids = plain_ids(10);
    let mut counts = std::collections::BTreeMap::<Vec<i64>, u64>::new();
    for example in 0..56_000 {
        *counts.entry(mask(&masker, 1, example, &ids).0).or_default() += 1;
    }
    assert_eq!(counts.len(), 56);
    assert_chi_square("sets", pearson(counts.into_values().map(|count| (count, 1000.0))), 55);
}

#[test]
fn steps_are_independent_draws() {
    // Whether a position is masked at one step says nothing of the next step, nor of the next example.
    let masker = masker(MaskingConfig::electra(), 1000, 42, 5);
    let ids = plain_ids(42);
    let masked = |step, example| mask(&masker, step, example, &ids).0.contains(&17);
    let p = 7.0 / 40.0;
    let laws = [(1.0 - p) * (1.0 - p), (1.0 - p) * p, p * (1.0 - p), p * p];
    for (what, other) in [("step", (1, 0)), ("example", (0, 1))] {
        let trials = 40_000;
        let mut counts = [0u64; 4];
        for trial in 0..trials {
            let pair = [masked(2 * trial, 2 * trial), masked(2 * trial + other.0, 2 * trial + other.1)];
            counts[usize::from(pair[0]) * 2 + usize::from(pair[1])] += 1;
        }
        let expected = laws.map(|law| law * trials as f64);
        assert_chi_square(what, pearson(counts.into_iter().zip(expected)), 3);
    }
}

#[test]
fn with_replacement_draws_independently() {
    // 19 draws from 126 positions: a multinomial; on average 126 · (1 − (1 − 1/126)^19) = 17.7 distinct.
    let masker = masker(MaskingConfig::reference(), 1000, 128, 6);
    let ids = plain_ids(128);
    let trials = 40_000;
    let mut counts = vec![0u64; 128];
    let mut distinct = 0;
    for example in 0..trials {
        let (mut positions, _) = mask(&masker, 0, example, &ids);
        assert_eq!(positions.len(), 19);
        for &position in &positions {
            counts[position as usize] += 1;
        }
        positions.dedup();
        distinct += positions.len();
    }
    let expected = (trials * 19) as f64 / 126.0;
    assert_chi_square("draws", pearson(counts[1..127].iter().map(|&count| (count, expected))), 125);
    let law = 126.0 * (1.0 - (1.0f64 - 1.0 / 126.0).powi(19));
    let mean = distinct as f64 / trials as f64;
    // The number of distinct positions has a standard deviation of about 1.03, its mean one of 0.0052.
    assert!((mean - law).abs() < 0.035, "{mean} distinct positions on average, not {law}");
}

#[test]
fn shares_of_mask_random_and_keep() {
    let config = MaskingConfig {
        corruption: Shares { mask: 0.6, random: 0.3, keep: 0.1 },
        ..MaskingConfig::electra()
    };
    let masker = masker(config, 105, 96, 7);
    let ids = plain_ids(96);
    let (mut masks, mut unchanged, mut tokens) = (0u64, 0u64, vec![0u64; 105]);
    let mut total = 0.0;
    for example in 0..40_000 {
        let (positions, masked) = mask(&masker, 0, example, &ids);
        for position in positions {
            total += 1.0;
            match masked[position as usize] {
                4 => masks += 1,
                id if id == ids[position as usize] => unchanged += 1,
                id => tokens[id as usize] += 1,
            }
        }
    }
    // A random token is the original in one case of 100; that case counts as kept.
    let random: u64 = tokens.iter().sum();
    let expected = [0.6 * total, 0.103 * total, 0.297 * total];
    assert_chi_square("shares", pearson([masks, unchanged, random].into_iter().zip(expected)), 2);
    assert_eq!(tokens[..5], [0; 5], "a special token was drawn");
    // ids 10..=103 stand in the text: each is the original at one of 94 positions, where it counts as kept.
    let weight = |id: usize| if (10..=103).contains(&id) { 1.0 - 1.0 / 94.0 } else { 1.0 };
    let sum: f64 = (5..105).map(weight).sum();
    let statistic = pearson((5..105).map(|id| (tokens[id], random as f64 * weight(id) / sum)));
    assert_chi_square("random tokens", statistic, 99);
}

#[test]
fn whole_words_are_taken_in_random_order() {
    // Five words of one token each, then one of two; k = 2. A word is taken if the order puts it first, or
    // second among those that still fit. Of the 6·5 ordered pairs of first two words: the long word is
    // taken if it comes first (it fills k); if it comes second it no longer fits and a third word is taken.
    let ids = vec![2, 10, 11, 13, 14, 16, 17, 18, 3];
    let mut continues = vec![false; 1000];
    continues[18] = true;
    let config = MaskingConfig {
        mask_prob: MaskRate::Fixed(2.0 / 9.0),
        choice: Choice::WholeWord,
        ..MaskingConfig::electra()
    };
    let masker = Masker::new(config, &vocabulary(1000), &continues, 9, 8).unwrap();
    let trials = 60_000;
    let mut counts = std::collections::BTreeMap::<Vec<i64>, u64>::new();
    for example in 0..trials {
        *counts.entry(mask(&masker, 0, example, &ids).0).or_default() += 1;
    }
    // The long word alone with 1/6, each of the 10 pairs of short words with 5/60.
    assert_eq!(counts.len(), 11);
    let law = |positions: &Vec<i64>| if positions == &[6, 7] { 1.0 / 6.0 } else { 5.0 / 60.0 };
    let statistic = pearson(counts.iter().map(|(set, &count)| (count, law(set) * trials as f64)));
    assert_chi_square("sets of words", statistic, 10);
}

#[test]
fn lengths_of_n_grams() {
    // Far from the ends, and with room for one run only, lengths 1, 2, 3 come with 6/11, 3/11, 2/11.
    let ids = plain_ids(300);
    let config = MaskingConfig {
        mask_prob: MaskRate::Fixed(0.01),
        choice: Choice::NGram { max: 3 },
        ..MaskingConfig::electra()
    };
    let masker = Masker::new(config, &vocabulary(1000), &vec![false; 1000], 300, 9).unwrap();
    assert_eq!(masker.capacity(), 3);
    let mut longest = [0u64; 4];
    let mut runs = 0.0;
    for example in 0..30_000 {
        let (positions, _) = mask(&masker, 0, example, &ids);
        assert_eq!(positions.len(), 3, "single words fill what a run leaves");
        // A first run of 3 fills k. Otherwise later runs follow, elsewhere; only the 3s are told apart.
        longest[if positions[2] - positions[0] == 2 { 3 } else { 1 }] += 1;
        runs += 1.0;
    }
    // Three in a row by one run: 2/11. By a shorter run and a neighbour: at most 9/11 · 4/297 = 0.011. Six
    // standard deviations are 0.0134.
    let share = longest[3] as f64 / runs;
    assert!((0.168..0.207).contains(&share), "runs of three: {share}");
}

#[test]
fn settings_out_of_range_are_named() {
    let refused = |config: MaskingConfig| config.validate().unwrap_err().to_string();
    let paper = MaskingConfig::electra();
    assert_eq!(
        refused(MaskingConfig { mask_prob: MaskRate::Fixed(0.0), ..paper.clone() }),
        "mask_prob: 0; expected a share above 0 and at most 1"
    );
    assert_eq!(
        refused(MaskingConfig { mask_prob: MaskRate::Fixed(f64::NAN), ..paper.clone() }),
        "mask_prob: NaN; expected a share above 0 and at most 1"
    );
    assert!(
        refused(MaskingConfig { mask_prob: MaskRate::Fixed(1.1), ..paper.clone() })
            .starts_with("mask_prob: 1.1; ")
    );
    assert_eq!(MaskingConfig { mask_prob: MaskRate::Fixed(1.0), ..paper.clone() }.validate(), Ok(()));
    let corruption = Shares { mask: 0.6, random: -0.1, keep: 0.5 };
    assert_eq!(
        refused(MaskingConfig { corruption, ..paper.clone() }),
        "corruption.random: -0.1; expected a probability from 0 to 1"
    );
    let nothing = MaskingConfig { choice: Choice::NGram { max: 0 }, ..paper.clone() };
    assert_eq!(refused(nothing), "choice.n-gram.max: 0; expected at least 1 word");
    let corruption = Shares { mask: 0.8, random: 0.1, keep: 0.2 };
    let sum = refused(MaskingConfig { corruption, ..paper.clone() });
    assert!(sum.contains("mask + random + keep = 1"), "{sum}");
    let both = MaskingConfig { with_replacement: true, choice: Choice::WholeWord, ..paper.clone() };
    assert!(refused(both).contains("with_replacement"));
    let words = MaskingConfig { choice: Choice::WholeWord, ..paper };
    let error = Masker::new(words, &vocabulary(1000), &[], 128, 0).unwrap_err().to_string();
    assert_eq!(error, "continues_word: 0 entries; expected one for each of the 1000 tokens");
}

#[test]
fn a_batch_is_masked_row_by_row() {
    let masker = masker(MaskingConfig::bert(), 1000, 40, 13);
    let (rows, lengths) = ([7, 3, 7, 1 << 40], [40, 11, 40, 2]);
    let mut ids: Vec<i64> = lengths
        .iter()
        .flat_map(|&length| {
            let mut row = plain_ids(length);
            row.resize(40, 0);
            row
        })
        .collect();
    let originals = ids.clone();
    let slots = masker.capacity();
    let (mut positions, mut valid) = (vec![-1; 4 * slots], vec![true; 4 * slots]);
    let mut batch =
        MaskedRows { masked_input_ids: &mut ids, masked_positions: &mut positions, masked_valid: &mut valid };
    let used = masker.mask_batch(5, &rows, &lengths, &mut batch);
    assert_eq!(used, valid.iter().filter(|&&valid| valid).count());
    for (row, (&example, &length)) in rows.iter().zip(&lengths).enumerate() {
        let (alone, masked) = mask(&masker, 5, example, &originals[row * 40..row * 40 + length]);
        assert_eq!(ids[row * 40..row * 40 + length], masked, "row {row}");
        assert_eq!(ids[row * 40 + length..(row + 1) * 40], vec![0; 40 - length], "padding of row {row}");
        assert_eq!(positions[row * slots..][..alone.len()], alone, "row {row}");
        let unused = row * slots + alone.len()..(row + 1) * slots;
        assert!(positions[unused.clone()].iter().all(|&position| position == 0));
        assert!(valid[unused].iter().all(|&valid| !valid));
    }
    // An example that stands in two rows has the same masks in both; a row of [CLS] [SEP] has none.
    assert_eq!(ids[..40], ids[80..120]);
    assert_eq!(ids[120..122], [2, 3]);
    let mut empty =
        MaskedRows { masked_input_ids: &mut [], masked_positions: &mut [], masked_valid: &mut [] };
    assert_eq!(masker.mask_batch(5, &[], &[], &mut empty), 0);
}

#[test]
fn a_vocabulary_without_its_special_tokens_is_refused() {
    let refused = |vocabulary: Vocabulary| vocabulary.validate().unwrap_err().to_string();
    let right = vocabulary(6);
    assert_eq!(right.validate(), Ok(()));
    assert_eq!(
        refused(Vocabulary { mask: 6, ..right.clone() }),
        "token id 6 is not in a vocabulary of 6 tokens (ids 0 to 5)"
    );
    assert!(refused(vocabulary(0)).starts_with("token id 0 is not in a vocabulary of 0 tokens"));
    assert_eq!(
        refused(Vocabulary { mask: 3, ..right.clone() }),
        "vocabulary: two special tokens share the id 3; expected five different ids"
    );
    assert_eq!(
        refused(Vocabulary { size: 5, ..right }),
        "vocabulary.size: 5; expected more tokens than the five special ones"
    );
}
