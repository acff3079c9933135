//! Inputs that the benches share: text and a tokenizer, made by the program so that nothing need be shipped.

pub mod batches;
pub mod products;

use std::path::{Path, PathBuf};

use electra_data::{
    Corpus, CorpusConfig, CorpusWriter, ExampleConfig, Loader, MaskingConfig, Progress, Unit, Vocabulary,
};
use electra_masking::Masker;
use electra_text::{Event, Inputs, ReadConfig, Reader, Separator};
use electra_tokenizer::{Tokenizer, TrainConfig, Trainer};

/// L of the benches' corpora.
pub const MAX_LENGTH: usize = 128;
/// B of the benches' batches.
pub const BATCH: usize = 128;

/// Names the text to measure on: a file that electra-text reads. Without it text is generated.
pub const TEXT_VARIABLE: &str = "ELECTRA_BENCH_TEXT";

/// The events of the file that [`TEXT_VARIABLE`] names, or of about 8 MB of generated text.
///
/// # Panics
/// If the file cannot be read: a bench has nobody to tell.
#[must_use]
pub fn events() -> Vec<Event> {
    match std::env::var(TEXT_VARIABLE) {
        Ok(path) => {
            let inputs = Inputs::expand(&[path]).expect("the bench's text can be found");
            let reader = Reader::new(inputs, ReadConfig::new(Separator::BlankLine)).expect("a valid setting");
            reader.collect::<Result<_, _>>().expect("the bench's text can be read")
        }
        Err(_) => generated(20_000),
    }
}

/// Documents of lines of [`word`]s.
fn generated(lines: u64) -> Vec<Event> {
    let mut rng = electra_masking::Stream::named(b"bench\0\0\0").rng(1, 0, 0);
    let mut events = Vec::new();
    for line in 0..lines {
        let words = 20 + rng.below(100);
        let text: Vec<String> = (0..words).map(|_| word(&mut rng)).collect();
        events.push(Event::Line(text.join(" ") + "."));
        if line % 30 == 29 {
            events.push(Event::EndOfDocument);
        }
    }
    events
}

/// A word of a text that nobody need ship: made of syllables, its frequency by Zipf's law as in real text.
#[must_use]
pub fn word(rng: &mut electra_masking::KeyedRng) -> String {
    const SYLLABLES: [&str; 24] = [
        "ka", "lo", "mi", "ter", "son", "ra", "ne", "vi", "du", "pol", "est", "an", "gri", "the", "wo", "in",
        "ba", "shu", "ze", "qui", "fa", "el", "om", "ty",
    ];
    // A rank with density 1/rank between 1 and 60,000; its digits in base 24 are the word.
    let mut rank = (60_000f64.powf(rng.unit())) as usize;
    let mut word = String::new();
    while rank > 0 {
        word += SYLLABLES[rank % 24];
        rank /= 24;
    }
    word
}

/// The lines among events.
#[must_use]
pub fn lines(events: &[Event]) -> Vec<&str> {
    events
        .iter()
        .filter_map(|event| if let Event::Line(line) = event { Some(line.as_str()) } else { None })
        .collect()
}

/// A tokenizer trained on the text.
///
/// # Panics
/// If the text has no words.
#[must_use]
pub fn tokenizer(lines: &[&str], vocab_size: usize) -> Tokenizer {
    let mut trainer = Trainer::new(&TrainConfig::uncased(vocab_size)).expect("a valid setting");
    trainer
        .feed(lines.iter().map(|line| Ok::<_, std::convert::Infallible>(*line)))
        .expect("text from memory");
    trainer.finish(|_| {}).expect("the text has words").tokenizer
}

/// Builds a corpus of the events in a folder that does not exist yet.
///
/// # Panics
/// If it cannot be written.
pub fn build(events: Vec<Event>, tokenizer: &Tokenizer, folder: &Path) -> Corpus {
    let config = corpus_config(tokenizer);
    let writer = CorpusWriter::create(folder, config).expect("the folder can be written");
    let events = events.into_iter().map(Ok);
    electra_data::build(events, |text| tokenizer.encode(text), writer, &Progress::default())
        .expect("the corpus can be written");
    Corpus::open(folder).expect("what was written can be read")
}

/// Gathers and masks `steps` batches; gives the number of tokens in them, padding not counted.
///
/// # Panics
/// If the corpus is damaged.
pub fn mask_batches(corpus: &Corpus, steps: u64) -> u64 {
    let masker = Masker::new(MaskingConfig::bert(), corpus.vocabulary(), &[], corpus.max_length(), 1);
    let masker = masker.expect("a valid setting");
    let loader = Loader::new(corpus, &masker, BATCH, 1).expect("a valid setting");
    let mut parts = loader.empty_parts(1).expect("one part");
    let mut tokens = 0;
    for step in 0..steps {
        loader.fill(step, &mut parts).expect("a corpus that is whole");
        tokens += parts[0].total("attention_mask");
    }
    tokens
}

/// The middle one, or the mean of the two in the middle.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len() - 1;
    f64::midpoint(values[last / 2], values[last - last / 2])
}

/// A folder for one bench, removed with the value.
///
/// # Panics
/// If there is no room for temporary files.
#[must_use]
pub fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("room for temporary files");
    let path = folder.path().join("corpus");
    (folder, path)
}

/// A corpus of text: two segments, a unit a line.
pub fn corpus_config(tokenizer: &Tokenizer) -> CorpusConfig {
    let special = tokenizer.special();
    let vocabulary = Vocabulary {
        size: tokenizer.vocab_size() as u32,
        pad: special.pad,
        unk: special.unk,
        cls: special.cls,
        sep: special.sep,
        mask: special.mask,
    };
    CorpusConfig {
        examples: ExampleConfig::two_segments(MAX_LENGTH),
        unit: Unit::Line,
        vocabulary,
        tokenizer: tokenizer.fingerprint(),
        shard_tokens: 1 << 28,
        reading: None,
        sources: Vec::new(),
    }
}

/// `examples` examples without padding, of `length` random tokens each, which cost a training step what real ones do.
///
/// # Errors
/// If the folder cannot be written.
pub fn random_corpus(
    folder: &Path,
    length: usize,
    vocab_size: u32,
    examples: usize,
) -> Result<Corpus, electra_data::Error> {
    let mut writer = CorpusWriter::create(
        folder,
        CorpusConfig {
            examples: ExampleConfig { short_prob: 0.0, ..ExampleConfig::one_segment(length) },
            unit: Unit::Line,
            vocabulary: Vocabulary { size: vocab_size, pad: 0, unk: 1, cls: 2, sep: 3, mask: 4 },
            tokenizer: [0; 32],
            shard_tokens: 1 << 28,
            reading: None,
            sources: Vec::new(),
        },
    )?;
    let mut rng = electra_masking::Stream::named(b"bench\0\0\0").rng(1, 0, 0);
    for _ in 0..examples {
        let ids: Vec<u32> = (0..length - 2).map(|_| 5 + rng.below(vocab_size - 5)).collect();
        writer.push(&ids)?;
        writer.end_document()?;
    }
    writer.finish()?;
    Corpus::open(folder)
}
