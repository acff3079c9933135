//! A batch is a function of seed and step.

use electra_data::{Batch, Cells, Column, Corpus, Error, Key, Loader, MaskingConfig, Row, View};
use electra_masking::{MaskRate, Masker, Stream, Weighting};

use crate::support::small_corpus;

const LENGTH: usize = 32;
const SEED: u64 = 11;

fn masker(corpus: &Corpus, masking: MaskingConfig) -> Masker {
    Masker::new(masking, corpus.vocabulary(), &[], LENGTH, SEED).unwrap()
}

/// The same column of several batches, one after another.
fn joined<T: Clone>(batches: &[Batch], column: impl Fn(&Batch) -> &[T]) -> Vec<T> {
    batches.iter().flat_map(|batch| column(batch).to_vec()).collect()
}

#[test]
fn batches_do_not_depend_on_neighbours_threads_or_ranks() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = small_corpus(&folder.path().join("corpus"), LENGTH, 200);
    let masker = masker(&corpus, MaskingConfig::bert());
    let loader = |batch| Loader::new(&corpus, &masker, batch, SEED).unwrap();

    // Step 0 of a small batch is the head of step 0 of a larger one, masks and all.
    let (small, large) = (loader(8).batch(0).unwrap(), loader(64).batch(0).unwrap());
    let slots = 8 * small.width("masked_positions");
    assert_eq!(small.examples, large.examples[..8]);
    assert_eq!(small.ids("masked_input_ids"), &large.ids("masked_input_ids")[..8 * LENGTH]);
    assert_eq!(small.ids("masked_positions"), &large.ids("masked_positions")[..slots]);
    assert_eq!(small.flags("masked_valid"), &large.flags("masked_valid")[..slots]);

    for step in [0, 1, 17] {
        let whole = loader(16).batch(step).unwrap();
        assert_eq!(whole.unmask(), whole.input_ids);
        for ranks in [1, 2, 4] {
            let shares: Vec<_> = (0..ranks)
                .map(|rank| loader(16).for_rank(rank, ranks).unwrap().batch(step).unwrap())
                .collect();
            assert_eq!(joined(&shares, |share| share.ids("masked_input_ids")), whole.ids("masked_input_ids"));
            assert_eq!(joined(&shares, |share| &share.examples), whole.examples);
        }
        // Made on four threads at once, after other steps, into used memory.
        let loader = loader(16);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut parts = vec![loader.batch(step + 1).unwrap()];
                    loader.fill(step, &mut parts).unwrap();
                    assert_eq!(parts[0], whole);
                });
            }
        });
    }
}

/// Losses divide by these counts, so parts and ranks must know them of the whole step.
#[test]
fn parts_and_ranks_know_the_counts_of_the_whole_step() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = small_corpus(&folder.path().join("corpus"), LENGTH, 200);
    let masker = masker(&corpus, MaskingConfig::reference());
    let loader = || Loader::new(&corpus, &masker, 16, SEED).unwrap();
    let whole = loader().batch(3).unwrap();
    let count = |flags: &[bool]| flags.iter().filter(|&&flag| flag).count() as u64;
    assert_eq!(whole.total("attention_mask"), count(&whole.attention_mask));
    for name in ["masked_valid", "masked_distinct"] {
        assert_eq!(whole.total(name), count(whole.flags(name)), "{name}");
    }
    assert!(whole.total("masked_distinct") < whole.total("masked_valid"), "positions are drawn twice");

    for (ranks, parts) in [(1, 1), (1, 8), (2, 4), (4, 2), (16, 1)] {
        let mut all = Vec::new();
        for rank in 0..ranks {
            let loader = loader().for_rank(rank, ranks).unwrap();
            let mut batches = loader.empty_parts(parts).unwrap();
            loader.fill(3, &mut batches).unwrap();
            all.extend(batches);
        }
        let (mut rows, mut tokens) = (0, 0);
        for part in &all {
            assert!(part.totals().eq(whole.totals()), "{ranks} ranks, {parts} parts");
            assert_eq!((part.first_row, part.first_token), (rows, tokens), "{ranks} ranks, {parts} parts");
            (rows, tokens) = (rows + part.rows, tokens + count(&part.attention_mask));
        }
        assert_eq!(joined(&all, |part| &part.input_ids), whole.input_ids);
        assert_eq!(joined(&all, |part| part.flags("masked_valid")), whole.flags("masked_valid"));
    }
    assert!(loader().empty_parts(3).is_err(), "3 parts of 16 rows");
}

/// A rank's rows may be cut again, for the parts of its share: the second cut is within the first.
#[test]
fn a_share_of_a_share_is_where_it_belongs() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = small_corpus(&folder.path().join("corpus"), LENGTH, 200);
    let masker = masker(&corpus, MaskingConfig::bert());
    let loader = Loader::new(&corpus, &masker, 16, SEED).unwrap();
    let whole = loader.batch(5).unwrap();
    let quarter = loader.for_rank(1, 2).unwrap().for_rank(1, 2).unwrap().batch(5).unwrap();
    assert_eq!(quarter.examples, whole.examples[12..]);
}

/// m/k in each used slot of a row in which k of m maskable tokens are masked: the weights of a row add up to m.
#[test]
fn weights_are_the_inverse_of_each_rows_rate() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = small_corpus(&folder.path().join("corpus"), LENGTH, 200);
    let (mask_prob, weighting) = (MaskRate::Uniform, Weighting::InverseRate);
    let masker = masker(&corpus, MaskingConfig { mask_prob, weighting, ..MaskingConfig::bert() });
    let batch = Loader::new(&corpus, &masker, 64, SEED).unwrap().batch(3).unwrap();
    let (weights, maskable) = (batch.reals("masked_weights"), batch.flags("maskable"));
    let (valid, slots) = (batch.flags("masked_valid"), batch.width("masked_weights"));
    let special = [0, 2, 3, 4];
    let (mut tokens, mut counts) = (0, std::collections::BTreeSet::new());
    for row in 0..batch.rows {
        let cells = row * LENGTH..(row + 1) * LENGTH;
        let expected: Vec<bool> =
            batch.input_ids[cells.clone()].iter().map(|id| !special.contains(id)).collect();
        assert_eq!(maskable[cells], expected, "row {row}");
        let m = expected.iter().filter(|&&flag| flag).count();
        let of_row = row * slots..(row + 1) * slots;
        let k = valid[of_row.clone()].iter().filter(|&&used| used).count();
        for (slot, &weight) in weights[of_row].iter().enumerate() {
            assert_eq!(weight, if slot < k { m as f32 / k as f32 } else { 0.0 }, "row {row}, slot {slot}");
        }
        tokens += m as u64;
        counts.insert(k);
    }
    assert!(counts.len() > 10, "rows have rates of their own: {counts:?}");
    assert_eq!(batch.total("maskable"), tokens);
}

#[test]
fn slots_of_one_position_share_their_number() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = small_corpus(&folder.path().join("corpus"), LENGTH, 200);
    let masker = masker(&corpus, MaskingConfig::reference());
    let batch = Loader::new(&corpus, &masker, 64, SEED).unwrap().batch(0).unwrap();
    let (positions, valid) = (batch.ids("masked_positions"), batch.flags("masked_valid"));
    let distinct = batch.flags("masked_distinct");
    let uniforms = batch.reals("uniforms");
    let slots = batch.width("uniforms");
    let (mut repeated, mut others) = (0, 0);
    for slot in (0..positions.len()).filter(|slot| slot % slots > 0 && valid[*slot]) {
        let repeats = positions[slot] == positions[slot - 1];
        assert_eq!(uniforms[slot] == uniforms[slot - 1], repeats, "slot {slot}");
        assert_eq!(distinct[slot], !repeats, "slot {slot}");
        *(if repeats { &mut repeated } else { &mut others }) += 1;
    }
    assert!(repeated > 5 && others > 100, "{repeated} repeated, {others} others");
    assert!(uniforms.iter().all(|number| (0.0..1.0).contains(number)));
}

#[test]
fn sampling_numbers_belong_to_the_example() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = small_corpus(&folder.path().join("corpus"), LENGTH, 200);
    let uniforms = |seed, step, batch_size| {
        let masker = Masker::new(MaskingConfig::electra(), corpus.vocabulary(), &[], LENGTH, seed).unwrap();
        let batch = Loader::new(&corpus, &masker, batch_size, seed).unwrap().batch(step).unwrap();
        batch.reals("uniforms").to_vec()
    };
    let four = uniforms(1, 0, 4);
    assert_eq!(four, uniforms(1, 0, 8)[..four.len()], "whatever the batch");
    let width = four.len() / 4;
    assert_ne!(four[..width], four[width..2 * width]);
    assert_ne!(four, uniforms(2, 0, 4));
    assert_ne!(four, uniforms(1, 1, 4));
    let many = uniforms(1, 0, 256);
    let mean = many.iter().map(|&number| f64::from(number)).sum::<f64>() / many.len() as f64;
    // Six standard deviations of a mean of so many uniform numbers.
    assert!((mean - 0.5).abs() < 6.0 * (12.0 * many.len() as f64).sqrt().recip(), "{mean}");
}

/// A view that looks at another example and draws numbers of its own.
#[derive(Debug)]
struct Neighbour;

impl View for Neighbour {
    fn columns(&self, length: usize) -> Vec<Column> {
        vec![Column::ids("next", 1), Column::flags("drawn", length)]
    }

    fn fill(&self, corpus: &Corpus, key: Key, row: &mut Row<'_>) -> Result<(), Error> {
        let next = corpus.example((key.example + 1) % corpus.examples())?.length();
        let length = row.length;
        let [Cells::Ids(ids), Cells::Flags(flags)] = row.columns() else { unreachable!("as declared") };
        ids[0] = next as i64;
        flags.fill(false);
        let mut rng = key.rng(Stream::named(b"neighbor"));
        flags[..length].fill_with(|| rng.unit() < 0.5);
        Ok(())
    }
}

#[test]
fn a_view_has_columns_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = small_corpus(&folder.path().join("corpus"), LENGTH, 50);
    let batch = Loader::new(&corpus, &Neighbour, 8, SEED).unwrap().batch(2).unwrap();
    let lengths: Vec<i64> = (batch.examples.iter())
        .map(|example| corpus.example((example + 1) % corpus.examples()).unwrap().length() as i64)
        .collect();
    assert_eq!(batch.ids("next"), lengths);
    let drawn = batch.flags("drawn").iter().filter(|&&flag| flag).count() as u64;
    assert_eq!(batch.total("drawn"), drawn);
    assert!(drawn > 0 && drawn < batch.total("attention_mask"));
    let whole = Batch::from_arrays(
        LENGTH,
        batch.input_ids.clone(),
        batch.attention_mask.clone(),
        batch.token_type_ids.clone(),
        batch.columns.clone(),
    );
    assert!(whole.totals().eq(batch.totals()));
}

/// Parts of at most so many rows, where the rows cannot be shared out evenly.
#[test]
fn uneven_parts_are_the_whole_step() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = small_corpus(&folder.path().join("corpus"), LENGTH, 200);
    let masker = masker(&corpus, MaskingConfig::bert());
    let loader = Loader::new(&corpus, &masker, 33, SEED).unwrap();
    let whole = loader.batch(5).unwrap();
    for (rows, expected) in [(32, vec![17, 16]), (33, vec![33]), (100, vec![33]), (10, vec![9, 9, 9, 6])] {
        let mut parts = loader.empty_parts_of(rows).unwrap();
        loader.fill(5, &mut parts).unwrap();
        assert_eq!(parts.iter().map(|part| part.rows).collect::<Vec<_>>(), expected);
        assert_eq!(joined(&parts, |part| &part.examples), whole.examples);
        assert_eq!(joined(&parts, |part| &part.input_ids), whole.input_ids);
        assert_eq!(joined(&parts, |part| part.flags("masked_valid")), whole.flags("masked_valid"));
        let mut tokens = 0;
        for (index, part) in parts.iter().enumerate() {
            assert_eq!((part.first_row, part.first_token), (index * expected[0], tokens));
            tokens += part.attention_mask.iter().filter(|&&token| token).count() as u64;
            assert_eq!(part.totals().collect::<Vec<_>>(), whole.totals().collect::<Vec<_>>());
        }
    }
    let error = loader.empty_parts_of(0).unwrap_err().to_string();
    assert_eq!(error, "rows: 0; expected at least 1");
}
