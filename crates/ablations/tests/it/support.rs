//! What the tests share.

use std::sync::OnceLock;

use electra_ablations::OBJECTIVES;
use electra_data::{Corpus, CorpusConfig, CorpusWriter, ExampleConfig, Unit, Vocabulary};
use electra_encoder::EncoderConfig;
use electra_masking::MaskingConfig;
use electra_objective::{DeviceBatch, Given, ModelConfig, Objective};
use tch::{Device, Kind, Tensor, nn};
use tempfile::TempDir;

/// ‖a − b‖ / max(‖b‖, floor)
pub(crate) fn relative_error(found: &Tensor, expected: &Tensor, floor: f64) -> f64 {
    assert_eq!(found.size(), expected.size());
    let norm = |tensor: &Tensor| tensor.to_kind(Kind::Double).norm().double_value(&[]);
    let (found, expected) = (found.detach().to_kind(Kind::Double), expected.to_kind(Kind::Double));
    norm(&(found - &expected)) / norm(&expected).max(floor)
}

pub(crate) const VOCAB: i64 = 60;

pub(crate) fn model() -> ModelConfig {
    let encoder = EncoderConfig {
        vocab_size: VOCAB,
        hidden_size: 32,
        embedding_size: 16,
        num_attention_heads: 2,
        intermediate_size: 48,
        max_position_embeddings: 32,
        ..EncoderConfig::tiny().without_dropout()
    };
    ModelConfig::paper(encoder, 0.5)
}

/// The same on ModernBERT, with attention to a window in two of three layers and in one of the generator's two.
pub(crate) fn modernbert() -> ModelConfig {
    let encoder =
        EncoderConfig { num_hidden_layers: 3, local_attention: 8, ..model().encoder.as_modernbert() };
    ModelConfig::paper(encoder, 0.5)
}

/// A corpus of V tokens, each but the special ones in it, in rows of up to 32.
fn corpus() -> &'static Corpus {
    static CORPUS: OnceLock<(TempDir, Corpus)> = OnceLock::new();
    &CORPUS.get_or_init(|| write_corpus(&[(5..VOCAB as u32).collect()])).1
}

/// A corpus whose rows have 4 tokens or up to 32.
pub(crate) fn uneven_corpus() -> &'static Corpus {
    static CORPUS: OnceLock<(TempDir, Corpus)> = OnceLock::new();
    let document = |number: u32| -> Vec<u32> {
        let length = if number.is_multiple_of(3) { 30 - number % 5 } else { 2 };
        (0..length).map(|place| 5 + (number * 17 + place * 7) % (VOCAB as u32 - 5)).collect()
    };
    &CORPUS.get_or_init(|| write_corpus(&(0..60).map(document).collect::<Vec<_>>())).1
}

/// A corpus of documents of one unit each.
pub(crate) fn write_corpus(documents: &[Vec<u32>]) -> (TempDir, Corpus) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("corpus");
    let config = CorpusConfig {
        examples: ExampleConfig::one_segment(32),
        unit: Unit::Line,
        vocabulary: Vocabulary { size: VOCAB as u32, pad: 0, unk: 1, cls: 2, sep: 3, mask: 4 },
        tokenizer: [0; 32],
        shard_tokens: 1 << 20,
        reading: None,
        sources: Vec::new(),
    };
    let mut writer = CorpusWriter::create(&path, config).unwrap();
    for document in documents {
        writer.push(document).unwrap();
        writer.end_document().unwrap();
    }
    writer.finish().unwrap();
    (folder, Corpus::open(&path).unwrap())
}

/// What objectives are made of in these tests.
pub(crate) fn given<'a>(model: &'a ModelConfig, masking: &'a MaskingConfig) -> Given<'a> {
    Given { model, masking, corpus: corpus(), continues_word: &[], seed: 1, steps: None }
}

/// The names of all objectives.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    OBJECTIVES.iter().map(|spec| spec.info.name)
}

/// An objective whose parameters have no values yet.
pub(crate) fn build(name: &str, root: &nn::Path<'_>, model: &ModelConfig) -> Box<dyn Objective> {
    let spec = electra_ablations::objective(name).unwrap();
    (spec.build)(root, &given(model, &(spec.info.masking)())).unwrap()
}

/// An objective with initialised parameters.
pub(crate) fn objective(name: &str) -> (nn::VarStore, Box<dyn Objective>) {
    let parameters = nn::VarStore::new(Device::Cpu);
    let objective = build(name, &parameters.root(), &model());
    electra_encoder::initialise(&parameters, 0.1, 1).unwrap();
    (parameters, objective)
}

/// The columns of [`batch`] that have a cell for each position, but for `label_positions`.
pub(crate) const OF_POSITIONS: [&str; 4] = ["masked_input_ids", "continued", "text", "permutation_ranks"];
/// Those that have one for each masked position.
pub(crate) const OF_SLOTS: [&str; 4] = ["masked_positions", "masked_valid", "masked_distinct", "uniforms"];

/// Those that have one for each row.
pub(crate) const OF_ROWS: [&str; 3] = ["rows", "masked_rows", "causal_rows"];

/// Ids, which are real, masked positions.
type Row = (Vec<i64>, Vec<bool>, Vec<i64>);

/// Rows of 16 tokens, the last row shorter, three masked positions in each; every number from `seed`.
pub(crate) fn batch(rows: i64, seed: i64) -> DeviceBatch {
    let data = |row: i64| -> Row {
        let n = if row + 1 == rows { 11 } else { 16 };
        let mut ids: Vec<i64> = (0..16)
            .map(|place| if place < n { 5 + (row * 7 + place * 13 + seed) % (VOCAB - 5) } else { 0 })
            .collect();
        ids[0] = 2;
        ids[n as usize - 1] = 3;
        (ids, (0..16).map(|place| place < n).collect(), vec![2, 5, 9])
    };
    let rows: Vec<_> = (0..rows).map(data).collect();
    let stack = |pick: &dyn Fn(&Row) -> Tensor| Tensor::stack(&rows.iter().map(pick).collect::<Vec<_>>(), 0);
    let input_ids = stack(&|row| Tensor::from_slice(&row.0));
    let continued = stack(&|row| Tensor::from_slice(&row.1));
    let _ = continued.narrow(1, 0, 1).fill_(0);
    let text = stack(&|row| Tensor::from_slice(&row.1)).logical_and(&input_ids.gt(3));
    // The first row is causal where there are several.
    let causal = Tensor::arange(rows.len() as i64, (Kind::Int64, Device::Cpu)).eq(0).view([-1, 1]);
    let causal = if rows.len() > 1 { causal } else { causal.logical_not() };
    let masked_positions = stack(&|row| Tensor::from_slice(&row.2));
    let masks = masked_positions.full_like(4);
    let ranks = Tensor::from_slice(&[2_i64, 3, 1]).expand_as(&masked_positions);
    let ranks = input_ids.zeros_like().scatter(1, &masked_positions, &ranks);
    let mut rng = electra_masking::Stream::SAMPLE.rng(seed as u64, 0, 0);
    let uniforms: Vec<f32> =
        (0..masked_positions.numel()).map(|_| (rng.next_u32() >> 8) as f32 / (1 << 24) as f32).collect();
    DeviceBatch::from_tensors(
        input_ids.copy(),
        stack(&|row| Tensor::from_slice(&row.1)),
        input_ids.zeros_like(),
    )
    .with("masked_input_ids", input_ids.scatter(1, &masked_positions, &masks))
    .with("masked_valid", masked_positions.ones_like().to_kind(Kind::Bool))
    .with("masked_distinct", masked_positions.ones_like().to_kind(Kind::Bool))
    .with("uniforms", Tensor::from_slice(&uniforms).view_as(&masked_positions))
    .with("masked_positions", masked_positions)
    .with("continued", continued)
    .with("text", text)
    .with("permutation_ranks", ranks)
    .with("rows", causal.ones_like())
    .with("masked_rows", causal.logical_not())
    .with("causal_rows", causal)
    .with(
        "label_positions",
        Tensor::arange(16, (Kind::Int64, Device::Cpu)).expand_as(&input_ids).contiguous(),
    )
}

/// A metric of an output.
pub(crate) fn metric(output: electra_objective::Output, name: &str) -> f64 {
    let metrics = output.metrics.compute();
    let found = metrics.iter().find(|metric| metric.name == name);
    found.unwrap_or_else(|| panic!("no metric {name}")).value.double_value(&[])
}
