//! A corpus of random tokens, which cost a training step what real ones do.

use std::path::Path;

use electra_data::{Corpus, CorpusConfig, CorpusWriter, ExampleConfig, Unit, Vocabulary};

/// `examples` examples without padding, of `length` tokens each.
pub(crate) fn corpus(
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
    let mut rng = electra_data::rng::Stream::named(b"bench\0\0\0").rng(1, 0, 0);
    for _ in 0..examples {
        let ids: Vec<u32> = (0..length - 2).map(|_| 5 + rng.below(vocab_size - 5)).collect();
        writer.push(&ids)?;
        writer.end_document()?;
    }
    writer.finish()?;
    Corpus::open(folder)
}
