//! A batch is a function of seed and step.

use electra_data::{Loader, MaskingConfig, Scratch};

use crate::support::small_corpus;

#[test]
fn batches_do_not_depend_on_neighbours_threads_or_ranks() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = small_corpus(&folder.path().join("corpus"), 32, 200);
    let loader = |batch| Loader::new(&corpus, MaskingConfig::bert(), &[], batch, 11).unwrap();

    // Step 0 of a small batch is the head of step 0 of a larger one, masks and all.
    let (small, large) = (loader(8).batch(0).unwrap(), loader(64).batch(0).unwrap());
    assert_eq!(small.examples, large.examples[..8]);
    assert_eq!(small.masked_input_ids, large.masked_input_ids[..8 * 32]);
    assert_eq!(small.masked_positions, large.masked_positions[..8 * small.max_masked]);
    assert_eq!(small.masked_valid, large.masked_valid[..8 * small.max_masked]);

    for step in [0, 1, 17] {
        let whole = loader(16).batch(step).unwrap();
        assert_eq!(whole.unmask(), whole.input_ids);
        for ranks in [1, 2, 4] {
            let shares: Vec<_> = (0..ranks)
                .map(|rank| loader(16).for_rank(rank, ranks).unwrap().batch(step).unwrap())
                .collect();
            let joined: Vec<i64> = shares.iter().flat_map(|share| share.masked_input_ids.clone()).collect();
            assert_eq!(joined, whole.masked_input_ids);
            let examples: Vec<u64> = shares.iter().flat_map(|share| share.examples.clone()).collect();
            assert_eq!(examples, whole.examples);
        }
        // Made on four threads at once, after other steps, into used memory.
        let loader = loader(16);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut batch = loader.batch(step + 1).unwrap();
                    loader.fill(step, &mut batch, &mut Scratch::default()).unwrap();
                    assert_eq!(batch, whole);
                });
            }
        });
    }
}
