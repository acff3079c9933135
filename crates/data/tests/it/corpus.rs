//! Corpora: whole or not at all, and the same on any number of threads.

use std::path::Path;
use std::sync::atomic::Ordering;

use electra_data::{
    Corpus, CorpusConfig, CorpusWriter, Error, Manifest, MaskingConfig, Progress, Unit, build,
};
use electra_text::Event;

use crate::support::{config, contents, small_corpus};

/// Words of one letter become its code: enough of a tokenizer to test with.
fn encode(text: &str) -> Vec<u32> {
    text.bytes().filter(u8::is_ascii_alphanumeric).map(u32::from).collect()
}

fn events() -> impl Iterator<Item = Result<Event, electra_text::Error>> + Send + 'static {
    (0..3000u32).flat_map(|document| {
        (0..document % 7)
            .map(move |line| {
                let letter = char::from(b'a' + ((document + line) % 26) as u8);
                Ok(Event::Line(format!("{}. And {letter}! ", letter.to_string().repeat(line as usize * 9))))
            })
            .chain([Ok(Event::EndOfDocument)])
    })
}

fn build_with(folder: &Path, threads: usize, config: CorpusConfig) -> Manifest {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let writer = CorpusWriter::create(folder, config).unwrap();
    pool.install(|| build(events(), encode, writer, &Progress::default())).unwrap()
}

#[test]
fn the_same_bytes_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    for unit in [Unit::Line, Unit::Sentence] {
        let config = || CorpusConfig { unit, shard_tokens: 20_000, ..config(32, 200) };
        let [single, many] = [1, 5].map(|threads| folder.path().join(format!("{unit:?}-{threads}")));
        let manifest = build_with(&single, 1, config());
        build_with(&many, 5, config());
        assert!(manifest.shards.len() > 2, "several shards are tested");
        assert_eq!(contents(&single), contents(&many));

        let counts = &manifest.counts;
        assert_eq!((counts.documents, counts.empty_documents), (2571, 429));
        let letters = events().filter_map(|event| match event.unwrap() {
            Event::Line(line) => Some(encode(&line).len() as u64),
            Event::EndOfDocument => None,
        });
        assert_eq!(counts.text_tokens, letters.sum::<u64>());
        let corpus = Corpus::open(&single).unwrap();
        corpus.verify().unwrap();
        assert_eq!(corpus.manifest(), &manifest);
        let tokens: u64 =
            (0..corpus.examples()).map(|number| corpus.example(number).unwrap().length() as u64).sum();
        assert_eq!(tokens, counts.tokens);
        // Nothing lost: what is stored beside the text is [CLS], [SEP], and a second [SEP] where there is B.
        assert_eq!(tokens, counts.text_tokens + 2 * counts.examples + counts.two_segments);
    }
}

#[test]
fn sentences_give_more_second_segments_than_lines() {
    let folder = tempfile::tempdir().unwrap();
    let [lines, sentences] = [Unit::Line, Unit::Sentence].map(|unit| {
        let config = CorpusConfig { unit, ..config(32, 200) };
        build_with(&folder.path().join(format!("{unit:?}")), 2, config).counts
    });
    assert_eq!(lines.text_tokens, sentences.text_tokens);
    assert!(sentences.units > lines.units && sentences.two_segments > lines.two_segments);
}

#[test]
fn tokens_are_counted_without_the_special_ones() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = small_corpus(&folder.path().join("corpus"), 32, 50);
    let counts = corpus.token_counts().unwrap();
    assert_eq!(counts.len(), 500);
    assert_eq!(counts.iter().sum::<u64>(), corpus.manifest().counts.text_tokens);
    assert_eq!(counts[..5], [0; 5]);
}

#[test]
fn a_build_that_fails_or_is_stopped_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("corpus");
    let nothing_left = || assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

    let progress = Progress::default();
    progress.stop.store(true, Ordering::Relaxed);
    let writer = CorpusWriter::create(&output, config(32, 200)).unwrap();
    let error = build(events(), encode, writer, &progress).unwrap_err();
    assert!(matches!(error, Error::Interrupted), "{error}");
    nothing_left();

    // 'z' is 122, beyond a vocabulary of 110.
    let writer = CorpusWriter::create(&output, config(32, 110)).unwrap();
    let error = build(events(), encode, writer, &Progress::default()).unwrap_err();
    assert!(matches!(error, Error::TokenId { vocab_size: 110, .. }), "{error}");
    nothing_left();

    let writer = CorpusWriter::create(&output, config(32, 200)).unwrap();
    let empty = [Event::Line("—".into()), Event::EndOfDocument].map(Ok);
    let error = build(empty.into_iter(), encode, writer, &Progress::default()).unwrap_err();
    assert_eq!(error.to_string(), "no text: 1 documents, and no token in any of them");
    nothing_left();
}

#[test]
fn verifying_finds_what_opening_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("corpus");
    small_corpus(&output, 32, 50);
    Corpus::open(&output).unwrap().verify().unwrap();
    // A byte of a block.
    let shard = output.join("shard-00000.bin");
    let good = std::fs::read(&shard).unwrap();
    let mut bad = good.clone();
    bad[100] ^= 1;
    std::fs::write(&shard, &bad).unwrap();
    let error = Corpus::open(&output).unwrap().verify().unwrap_err();
    assert!(matches!(error, Error::Damaged { offset: 64, .. }), "{error}");
    // A whole shard, but another one than the manifest speaks of.
    std::fs::write(&shard, &good).unwrap();
    let manifest = output.join("corpus.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let hash = text.split("\"sha256\": \"").nth(1).unwrap()[..64].to_owned();
    std::fs::write(&manifest, text.replace(&hash, &"0".repeat(64))).unwrap();
    let error = Corpus::open(&output).unwrap().verify().unwrap_err().to_string();
    assert!(error.contains("shard-00000.bin") && error.contains(&hash), "{error}");
}

#[test]
fn an_existing_corpus_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("corpus");
    std::fs::create_dir(&output).unwrap();
    build_with(&output, 2, config(32, 200));
    let before = contents(&output);
    let error = CorpusWriter::create(&output, config(32, 200)).unwrap_err();
    assert!(matches!(error, Error::Store(electra_store::Error::Occupied { .. })), "{error}");
    assert_eq!(contents(&output), before);
    let file = folder.path().join("file");
    std::fs::write(&file, "mine").unwrap();
    assert!(CorpusWriter::create(&file, config(32, 200)).is_err());
    assert!(CorpusWriter::create(Path::new("."), config(32, 200)).is_err());
    // Of two builds at once the second is refused at its beginning, and the first is not hurt.
    let both = folder.path().join("both");
    let mut first = CorpusWriter::create(&both, config(32, 200)).unwrap();
    let error = CorpusWriter::create(&both, config(32, 200)).unwrap_err();
    assert!(matches!(error, Error::Store(electra_store::Error::InUse { .. })), "{error}");
    first.push(&[10, 11, 12]).unwrap();
    first.finish().unwrap();
    Corpus::open(&both).unwrap().verify().unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
}

#[test]
fn folders_that_are_no_corpus_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("corpus");
    small_corpus(&output, 32, 50);
    let manifest = output.join("corpus.json");
    let good = std::fs::read_to_string(&manifest).unwrap();
    let error = |text: &str| {
        std::fs::write(&manifest, text).unwrap();
        Corpus::open(&output).unwrap_err().to_string()
    };

    for (from, to, expected) in [
        ("\"version\": 1", "\"version\": 9", "\"version\" is 9; this program reads version 1"),
        ("electra-corpus", "other", "is no corpus manifest"),
        ("\"unit\": \"line\"", "\"unit\": \"word\"", "unknown variant `word`"),
        ("\"unit\"", "\"unti\"", "unknown field `unti`"),
        ("0707", "0808", "belongs to another corpus: its tokenizer is 0707"),
        ("\"max_length\": 32", "\"max_length\": 64", "its max_length is 32, corpus.json says 64"),
        ("shard-00000.bin", "shard-00009.bin", "shard-00009.bin: opening it"),
    ] {
        assert!(good.contains(from), "{from}");
        let message = error(&good.replacen(from, to, 1));
        assert!(message.contains(expected), "{message}");
    }
    assert!(error(&good[..good.len() / 2]).contains("is not JSON"));
    assert!(error("").contains("is not JSON"));
    std::fs::remove_file(&manifest).unwrap();
    let message = Corpus::open(&output).unwrap_err().to_string();
    assert!(message.contains("corpus.json: reading it (a corpus folder holds one)"), "{message}");
}

#[test]
fn a_manifest_leads_nowhere_else_and_to_each_shard_once() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = folder.path().join("corpus");
    build_with(&corpus, 1, CorpusConfig { shard_tokens: 20_000, ..config(32, 200) });
    let path = corpus.join("corpus.json");
    let whole: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let first = whole["shards"][0]["file"].as_str().unwrap();
    std::fs::copy(corpus.join(first), folder.path().join("outside.bin")).unwrap();
    let outside = folder.path().join("outside.bin");
    for file in [
        "../outside.bin",
        outside.to_str().unwrap(),
        "",
        ".",
        "./shard-00000.bin",
        whole["shards"][1]["file"].as_str().unwrap(),
    ] {
        let mut changed = whole.clone();
        changed["shards"][0]["file"] = file.into();
        std::fs::write(&path, changed.to_string()).unwrap();
        let message = Corpus::open(&corpus).unwrap_err().to_string();
        let expected = "expected the name of a file beside it, each once";
        assert!(message.ends_with(expected) || file.starts_with("shard"), "{file}: {message}");
    }
    std::fs::write(&path, whole.to_string()).unwrap();
    Corpus::open(&corpus).unwrap();
}

#[test]
fn a_corpus_knows_what_token_frequencies_tell() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = small_corpus(&folder.path().join("corpus"), 32, 200);
    let counts = corpus.token_counts().unwrap();
    let all = counts.iter().sum::<u64>() as f64;
    let shares = counts.iter().filter(|&&count| count > 0).map(|&count| count as f64 / all);
    let entropy = -shares.map(|share| share * share.ln()).sum::<f64>();
    let loss = |config: MaskingConfig| corpus.unigram_loss(&config.corruption).unwrap();
    assert!((loss(MaskingConfig::electra()) - entropy).abs() < 1e-9 && entropy > 5.0);
    // One token in ten may be repeated, and is known from a random one by its frequency.
    let bert = loss(MaskingConfig::bert());
    assert!((0.85..0.95).contains(&(bert / entropy)), "{bert} {entropy}");
}
