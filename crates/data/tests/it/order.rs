//! The order of examples: a bijection, uniform, and the same for any number of ranks.

use electra_data::{Order, Permutation};
use proptest::prelude::*;

use crate::support::{assert_chi_square, pearson};

proptest! {
    #[test]
    fn a_permutation_is_a_bijection(n in 1u64..5000, seed: u64, epoch: u64) {
        let permutation = Permutation::new(n, seed, epoch);
        let mut seen = vec![false; n as usize];
        for index in 0..n {
            let image = permutation.apply(index) as usize;
            prop_assert!(!std::mem::replace(&mut seen[image], true), "{image} twice");
        }
    }

    #[test]
    fn a_large_permutation_stays_inside(n in 1u64.., index: u64, seed: u64) {
        let permutation = Permutation::new(n, seed, 0);
        prop_assert!(permutation.apply(index % n) < n);
    }

    #[test]
    fn every_epoch_holds_every_example_once(examples in 1u64..300, batch in 1usize..50, seed: u64) {
        let order = Order::new(examples, batch, seed).unwrap();
        let epochs = 3;
        let steps = (examples * epochs).div_ceil(batch as u64);
        let all: Vec<u64> = (0..steps).flat_map(|step| order.step(step)).collect();
        prop_assert_eq!(all.len() as u64, steps * batch as u64);
        for epoch in all.chunks_exact(examples as usize).take(epochs as usize) {
            let mut sorted = epoch.to_vec();
            sorted.sort_unstable();
            prop_assert_eq!(sorted, (0..examples).collect::<Vec<_>>());
        }
    }

    #[test]
    fn ranks_see_the_same_rows_in_the_same_order(examples in 1u64..300, share in 1usize..9, seed: u64, step in 0u64..1 << 50) {
        let order = Order::new(examples, 4 * share, seed).unwrap();
        let whole: Vec<u64> = order.step(step).collect();
        prop_assert_eq!(whole.len(), 4 * share);
        for ranks in [1, 2, 4] {
            let together: Vec<u64> =
                (0..ranks).flat_map(|rank| order.rank(step, rank, ranks).unwrap()).collect();
            prop_assert_eq!(&together, &whole);
        }
    }

    #[test]
    fn the_sequence_does_not_depend_on_the_batch_size(examples in 1u64..300, seed: u64) {
        let sequence = |batch: usize| -> Vec<u64> {
            let order = Order::new(examples, batch, seed).unwrap();
            (0..240 / batch as u64).flat_map(|step| order.step(step)).collect()
        };
        prop_assert_eq!(sequence(8), sequence(1));
        prop_assert_eq!(sequence(8), sequence(240));
    }
}

#[test]
fn every_place_is_equally_likely() {
    // The law of one place over many keys, for sizes on both sides of a power of two.
    for n in [3, 16, 17, 100] {
        for index in [0, n / 2, n - 1] {
            let draws = 2000 * n;
            let mut counts = vec![0u64; n as usize];
            for seed in 0..draws {
                counts[Permutation::new(n, seed, 5).apply(index) as usize] += 1;
            }
            let statistic = pearson(counts.into_iter().map(|count| (count, 2000.0)));
            assert_chi_square(&format!("place {index} of {n}"), statistic, n as usize - 1);
        }
    }
}

#[test]
fn neighbours_do_not_stay_neighbours() {
    // The distance between the images of two neighbours, modulo n, is uniform over 1..n.
    let n = 101;
    let mut counts = vec![0u64; n as usize - 1];
    for seed in 0..200_000 {
        let permutation = Permutation::new(n, seed, 0);
        let distance = (permutation.apply(41) + n - permutation.apply(40)) % n;
        counts[distance as usize - 1] += 1;
    }
    assert_chi_square("distance", pearson(counts.into_iter().map(|count| (count, 2000.0))), n as usize - 2);
}

#[test]
fn a_batch_that_cannot_be_shared_is_refused() {
    let order = Order::new(100, 10, 0).unwrap();
    let error = order.rank(0, 0, 4).err().unwrap().to_string();
    assert_eq!(error, "batch_size: 10 on 4 ranks; expected a multiple of 4");
    assert!(order.rank(0, 2, 2).is_err());
    assert_eq!(Order::new(0, 10, 0).unwrap_err().to_string(), "examples: 0; expected at least 1");
}
