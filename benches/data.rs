//! Text to masked batches: encode, build, open, order, mask; throughput in tokens a second.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use electra_benches::{BATCH, MAX_LENGTH, build, events, folder, lines, tokenizer};
use electra_data::shard::Shard;
use electra_data::{Corpus, Loader, MaskingConfig, Order};
use electra_masking::{MaskedRows, Masker, Scratch};

fn data(criterion: &mut Criterion) {
    let events = events();
    let lines = lines(&events);
    let tokenizer = tokenizer(&lines, 30_522);
    let (_folder, path) = folder();
    let corpus = build(events.clone(), &tokenizer, &path);
    let text_tokens = corpus.manifest().counts.text_tokens;

    let mut group = criterion.benchmark_group("text");
    group.sample_size(10).throughput(Throughput::Elements(text_tokens));
    group.bench_function("encode, all cores", |bench| {
        bench.iter(|| tokenizer.encode_batch(black_box(&lines)));
    });
    group.bench_function("build, all cores", |bench| {
        bench.iter_batched(
            || (folder(), events.clone()),
            |((_guard, path), events)| build(events, &tokenizer, &path),
            BatchSize::PerIteration,
        );
    });
    group.finish();

    let mut group = criterion.benchmark_group("open");
    group.throughput(Throughput::Elements(corpus.manifest().counts.tokens));
    group.bench_function("corpus", |bench| {
        bench.iter(|| Corpus::open(black_box(&path)).map(|corpus| corpus.examples()));
    });
    let shard = path.join(&corpus.manifest().shards[0].file);
    group.bench_function("and check every block", |bench| {
        bench.iter(|| Shard::open(black_box(&shard)).and_then(|shard| shard.verify()));
    });
    group.finish();

    let cells = (BATCH * MAX_LENGTH) as u64;
    let mut group = criterion.benchmark_group("batch of 128 × 128, one core");
    group.throughput(Throughput::Elements(cells));
    let order = Order::new(corpus.examples(), BATCH, 1).expect("a valid setting");
    let mut step = 0;
    group.bench_function("order", |bench| {
        bench.iter(|| {
            step += 1;
            order.step(step).sum::<u64>()
        });
    });
    for (name, masking) in [
        ("electra", MaskingConfig::electra()),
        ("bert", MaskingConfig::bert()),
        ("reference", MaskingConfig::reference()),
    ] {
        let masker = Masker::new(masking, corpus.vocabulary(), &[], MAX_LENGTH, 1).expect("a valid setting");
        let loader = Loader::new(&corpus, &masker, BATCH, 1).expect("a valid setting");
        let mut parts = loader.empty_parts(1).expect("one part");
        let mut step = 0;
        group.bench_function(format!("gather and mask, {name}"), |bench| {
            bench.iter(|| {
                step += 1;
                loader.fill(step, &mut parts)
            });
        });
    }
    group.finish();
    mask_alone(criterion, &corpus);
}

/// Masking without the gathering: rows that lie in the cache.
fn mask_alone(criterion: &mut Criterion, corpus: &Corpus) {
    let mut group = criterion.benchmark_group("mask alone, one core");
    group.throughput(Throughput::Elements(MAX_LENGTH as u64));
    for (name, masking) in [
        ("electra", MaskingConfig::electra()),
        ("bert", MaskingConfig::bert()),
        ("reference", MaskingConfig::reference()),
    ] {
        let masker = Masker::new(masking, corpus.vocabulary(), &[], MAX_LENGTH, 1).expect("a valid setting");
        let ids: Vec<i64> = (0..MAX_LENGTH as i64).map(|id| 10 + id).collect();
        let mut masked = ids.clone();
        let (mut positions, mut valid) = (vec![0; masker.capacity()], vec![false; masker.capacity()]);
        let mut scratch = Scratch::default();
        let mut step = 0;
        group.bench_function(name, |bench| {
            bench.iter(|| {
                step += 1;
                masked.copy_from_slice(&ids);
                let mut row = MaskedRows {
                    masked_input_ids: &mut masked,
                    masked_positions: &mut positions,
                    masked_valid: &mut valid,
                };
                masker.mask(step, 7, MAX_LENGTH, &mut row, &mut scratch)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, data);
criterion_main!(benches);
