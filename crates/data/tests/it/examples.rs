//! Cutting documents into examples.

use std::time::{Duration, Instant};

use electra_data::{Example, ExampleBuilder, ExampleConfig, Overflow};
use proptest::prelude::*;

use crate::support::vocabulary;

type Documents = Vec<Vec<Vec<u32>>>;
/// The ids of an example, and how many are its first segment's.
type Made = (Vec<u32>, usize);

/// Examples as (ids, first segment), by document.
fn build(config: &ExampleConfig, documents: &Documents) -> (Vec<Vec<Made>>, u64) {
    let mut builder = ExampleBuilder::new(config.clone(), &vocabulary(1 << 20)).unwrap();
    let made = documents
        .iter()
        .map(|units| {
            let mut made = Vec::new();
            let mut keep = |example: Example<'_>| {
                made.push((example.input_ids.to_vec(), example.first_segment));
                Ok::<_, ()>(())
            };
            for unit in units {
                builder.push(unit, &mut keep).unwrap();
            }
            builder.end_document(&mut keep).unwrap();
            made
        })
        .collect();
    (made, builder.dropped())
}

fn any_documents() -> impl Strategy<Value = Documents> {
    let unit = prop::collection::vec(5u32..1000, 0..60);
    prop::collection::vec(prop::collection::vec(unit, 0..12), 1..6)
}

fn any_config() -> impl Strategy<Value = ExampleConfig> {
    (5usize..80, 0.0f64..=1.0, 0.0f64..=1.0, any::<bool>(), any::<u64>()).prop_map(
        |(max_length, single_segment_prob, short_prob, carry, seed)| ExampleConfig {
            max_length,
            single_segment_prob,
            short_prob,
            overflow: if carry { Overflow::Carry } else { Overflow::Drop },
            seed,
        },
    )
}

proptest! {
    #[test]
    fn examples_are_well_formed(config in any_config(), documents in any_documents()) {
        let (made, dropped) = build(&config, &documents);
        let mut packed = 0;
        for (ids, first) in made.iter().flatten() {
            prop_assert!((3..=config.max_length).contains(&ids.len()));
            prop_assert_eq!((ids[0], ids[first - 1], ids[ids.len() - 1]), (2, 3, 3));
            let special = ids.iter().filter(|&&id| id < 5).count();
            prop_assert_eq!(special, if *first == ids.len() { 2 } else { 3 });
            prop_assert!(*first >= 3, "no text in the first segment");
            prop_assert!(*first == ids.len() || ids.len() - first >= 2, "no text in the second segment");
            packed += ids.len() - special;
        }
        let text: usize = documents.iter().flatten().map(Vec::len).sum();
        prop_assert_eq!(packed as u64 + dropped, text as u64, "tokens that nobody counted");
    }

    #[test]
    fn carrying_loses_nothing_and_keeps_the_order(config in any_config(), documents in any_documents()) {
        let config = ExampleConfig { overflow: Overflow::Carry, ..config };
        let (made, dropped) = build(&config, &documents);
        prop_assert_eq!(dropped, 0);
        for (made, units) in made.iter().zip(&documents) {
            let text: Vec<u32> = made.iter().flat_map(|(ids, _)| ids.iter().copied().filter(|&id| id >= 5)).collect();
            prop_assert_eq!(text, units.concat());
        }
    }

    #[test]
    fn a_document_is_cut_the_same_whatever_came_before_it(config in any_config(), documents in any_documents()) {
        // Emptying the other documents keeps this one's number, which its cuts are keyed by.
        let last = documents.len() - 1;
        let mut alone = documents.clone();
        alone[..last].fill(Vec::new());
        prop_assert_eq!(&build(&config, &documents).0[last], &build(&config, &alone).0[last]);
    }
}

/// Many short units, so that examples are full and the draws decide.
fn even_documents() -> Documents {
    (0..400).map(|document| (0..100).map(|line| vec![5 + document + line; 4]).collect()).collect()
}

#[test]
fn a_tenth_has_one_segment_and_a_twentieth_a_random_length() {
    let (made, _) = build(&ExampleConfig::two_segments(64), &even_documents());
    // The last example of a document is what is left; the others are full or were given a shorter target.
    let full: Vec<_> = made.iter().flat_map(|made| &made[..made.len() - 1]).collect();
    let share = |count: usize| count as f64 / full.len() as f64;
    let single = share(full.iter().filter(|(ids, first)| *first == ids.len()).count());
    let short = share(full.iter().filter(|(ids, _)| ids.len() < 64).count());
    // About 2,500 examples: six standard deviations are 0.036 and 0.026. Targets of 5 and 6 can leave no
    // room for a second unit (0.2 % of the examples), and one target in 60 is the full length.
    assert!((single - 0.1).abs() < 0.038, "{single} have one segment");
    assert!((short - 0.05).abs() < 0.027, "{short} are short");
    let first_short = made.iter().filter(|made| made[0].0.len() < 64).count();
    assert!(first_short > 0, "a document's first example may be short as well");
}

#[test]
fn the_unit_that_crosses_the_half_goes_to_either_side() {
    // Room for 61, half is 30: units of 4 reach 28, the next crosses.
    let config = ExampleConfig { single_segment_prob: 0.0, short_prob: 0.0, ..ExampleConfig::reference(64) };
    let (made, dropped) = build(&config, &even_documents());
    let firsts: Vec<usize> =
        made.iter().flat_map(|made| &made[..made.len() - 1]).map(|(_, first)| first - 2).collect();
    let crossed = firsts.iter().filter(|&&first| first == 32).count();
    assert_eq!(crossed + firsts.iter().filter(|&&first| first == 28).count(), firsts.len());
    let share = crossed as f64 / firsts.len() as f64;
    // 2,400 coins: six standard deviations are 0.061.
    assert!((share - 0.5).abs() < 0.061, "{share} crossed");
    // 16 units make 64 tokens, 61 fit.
    assert_eq!(dropped, 3 * firsts.len() as u64);
}

#[test]
fn a_book_on_one_line_takes_linear_time() {
    // Linear work on as many tokens takes a fraction of a second, quadratic work minutes.
    let tokens = 8_000_000;
    let begun = Instant::now();
    let (made, _) = build(&ExampleConfig::two_segments(128), &vec![vec![vec![5; tokens]]]);
    assert!(made[0].len() > tokens / 126);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn settings_out_of_range_are_named() {
    let refused =
        |config: ExampleConfig| ExampleBuilder::new(config, &vocabulary(100)).unwrap_err().to_string();
    assert_eq!(refused(ExampleConfig::two_segments(4)), "max_length: 4; expected 5 to 65535 tokens");
    let config = ExampleConfig { short_prob: 1.5, ..ExampleConfig::two_segments(128) };
    assert_eq!(refused(config), "short_prob: 1.5; expected a probability from 0 to 1");
}
