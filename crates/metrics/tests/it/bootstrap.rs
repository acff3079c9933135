//! The multi-bootstrap on made-up runs whose truth is known.

use std::collections::BTreeSet;
use std::sync::Mutex;

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use electra_metrics::{Bootstrap, Seeds, multi_bootstrap, multi_bootstrap_difference};

/// Nearly normal: twelve uniform numbers less their mean have variance 1.
fn normal(random: &mut ChaCha8Rng) -> f64 {
    (0..12).map(|_| f64::from(random.next_u32()) / f64::from(u32::MAX)).sum::<f64>() - 6.0
}

/// Scores by seed and example; the truth is 0.
fn runs(random: &mut ChaCha8Rng, seeds: usize, examples: &[f64], noise: f64) -> Vec<Vec<f64>> {
    let mut of_seed = |_| {
        let seed = noise * normal(random);
        examples.iter().map(|example| example + seed + 0.5 * normal(random)).collect()
    };
    (0..seeds).map(&mut of_seed).collect()
}

fn mean(scores: &[Vec<f64>], seed: usize, examples: &[usize]) -> f64 {
    examples.iter().map(|example| scores[seed][*example]).sum::<f64>() / examples.len() as f64
}

#[test]
fn intervals_cover_the_truth_about_as_often_as_they_say() {
    let mut random = ChaCha8Rng::from_seed([7; 32]);
    let (trials, seeds, count) = (300, 10, 50);
    let config = Bootstrap { draws: 200, level: 0.9, seed: 1 };
    let (mut single, mut paired, mut unpaired) = (0, 0, 0);
    for _ in 0..trials {
        let examples: Vec<f64> = (0..count).map(|_| normal(&mut random)).collect();
        let first = runs(&mut random, seeds, &examples, 0.3);
        let second = runs(&mut random, seeds, &examples, 0.3);
        let score = |scores: &Vec<Vec<f64>>| {
            let scores = scores.clone();
            move |seed: usize, examples: &[Vec<usize>]| Ok(mean(&scores, seed, &examples[0]))
        };
        let found = multi_bootstrap(seeds, &[count], &config, score(&first)).unwrap();
        single += usize::from(found.low <= 0.0 && 0.0 <= found.high);
        for (seeds, covered) in
            [(Seeds::Paired(seeds), &mut paired), (Seeds::Unpaired(seeds, seeds), &mut unpaired)]
        {
            let found = multi_bootstrap_difference(seeds, &[count], &config, score(&first), score(&second));
            let found = found.unwrap();
            let covers = found.interval.low <= 0.0 && 0.0 <= found.interval.high;
            *covered += usize::from(covers);
            // Interval and p tell the same, but for the draw that is added.
            assert!(covers || found.p <= 0.1 + 0.02, "{found:?}");
        }
    }
    // 0.9, less a little for ten seeds; without the noise of seeds it would be about 0.5 for the differences.
    for covered in [single, paired, unpaired] {
        let share = f64::from(u32::try_from(covered).unwrap()) / 300.0;
        assert!((0.82..0.97).contains(&share), "{share}");
    }
}

#[test]
fn pairs_are_drawn_together() {
    // The second arm is the first and a half: drawn together, the difference never moves.
    let runs = [1.0, 5.0, 2.0, 8.0];
    let interval = |seeds| {
        let first = |seed: usize, _: &[Vec<usize>]| Ok(runs[seed] + 0.5);
        let second = |seed: usize, _: &[Vec<usize>]| Ok(runs[seed]);
        multi_bootstrap_difference(seeds, &[3], &Bootstrap::usual(1), first, second).unwrap()
    };
    let paired = interval(Seeds::Paired(4));
    assert_eq!((paired.interval.low, paired.interval.high), (0.5, 0.5));
    assert_eq!(paired.p, 2.0 / 1001.0);
    let unpaired = interval(Seeds::Unpaired(4, 4));
    assert!(unpaired.interval.low < -2.0 && unpaired.interval.high > 2.0, "{unpaired:?}");
    assert!(unpaired.p > 0.5);
}

#[test]
fn both_arms_see_the_same_examples_and_tasks_are_drawn_apart() {
    let seen = [Mutex::new(BTreeSet::new()), Mutex::new(BTreeSet::new())];
    let score = |arm: usize| {
        let seen = &seen[arm];
        move |_: usize, examples: &[Vec<usize>]| {
            assert_eq!((examples[0].len(), examples[1].len()), (20, 20));
            seen.lock().unwrap().insert(examples.to_vec());
            Ok(0.0)
        }
    };
    let seeds = Seeds::Unpaired(2, 3);
    multi_bootstrap_difference(seeds, &[20, 20], &Bootstrap::usual(1), score(0), score(1)).unwrap();
    let [first, second] = seen.map(|seen| seen.into_inner().unwrap());
    assert_eq!(first, second);
    // Every draw is another, and the one of all examples is among them.
    assert_eq!(first.len(), 1001);
    assert!(first.contains(&vec![(0..20).collect::<Vec<_>>(); 2]));
    assert_eq!(first.iter().filter(|tasks| tasks[0] == tasks[1]).count(), 1);
}

#[test]
fn numbers_do_not_depend_on_threads() {
    let score = |seed: usize, examples: &[Vec<usize>]| Ok((seed + examples[0][0]) as f64);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| multi_bootstrap(5, &[30], &Bootstrap::usual(9), score).unwrap())
    };
    assert_eq!(run(1), run(3));
    let other = multi_bootstrap(5, &[30], &Bootstrap::usual(10), score).unwrap();
    assert_eq!(run(1).estimate, other.estimate);
    assert_ne!(run(1), other);
}
