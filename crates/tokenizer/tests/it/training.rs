use std::collections::HashMap;
use std::io;

use electra_text::{Inputs, ReadConfig, Separator};
use electra_tokenizer::{Error, Tokenizer, TrainConfig, Trainer, train, train_from_files};
use proptest::prelude::*;

use crate::{corpus, tokens, train_on};

fn vocab(tokenizer: &Tokenizer) -> Vec<String> {
    (0..tokenizer.vocab_size() as u32).map(|id| tokenizer.id_to_token(id).unwrap()).collect()
}

fn config(vocab_size: usize) -> TrainConfig {
    TrainConfig {
        min_frequency: 1,
        character_coverage: 1.0,
        alphabet_limit: 1000,
        ..TrainConfig::uncased(vocab_size)
    }
}

#[test]
fn merges_go_by_frequency_and_then_by_id() {
    // Pairs: a ##b 5, ##b ##c 3 (in abc), then ab ##c 3 beats x ##y 2.
    let trained = train_on(&config(17), "ab ab abc abc abc xy xy");
    assert_eq!(
        vocab(&trained.tokenizer),
        [
            "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c", "x", "y", "##b", "##c", "##y", "ab",
            "abc", "xy"
        ]
    );
    assert_eq!((trained.report.merges, trained.report.vocab_size, trained.report.words), (3, 16, 7));
}

#[test]
fn pairs_below_the_minimum_frequency_stay_apart() {
    let text = "ab ab abc abc abc xy xy";
    let with = |min_frequency| {
        let config = TrainConfig { min_frequency, ..config(100) };
        vocab(&train_on(&config, text).tokenizer).split_off(13)
    };
    assert_eq!(with(2), ["ab", "abc", "xy"]);
    assert_eq!(with(3), ["ab", "abc"]);
    assert_eq!(with(4), ["ab"]);
    assert!(with(6).is_empty());
}

#[test]
fn report_counts_what_was_left_out() {
    let mut config = config(100);
    config.character_coverage = 0.9;
    let long = "y".repeat(101);
    let trained = train_on(&config, &format!("{}\n\u{0}\n{long} {long} aé!", "aaa ".repeat(50)));
    let report = &trained.report;
    assert_eq!((report.lines, report.words, report.long_words), (3, 54, 2));
    // é has become e.
    assert_eq!((report.characters, report.alphabet, report.uncovered_words), (3, 1, 2));
    assert_eq!(report.character_coverage, 151.0 / 153.0);
    assert_eq!(report.distinct_words, 1);
    assert_eq!(tokens(&trained.tokenizer, "aaaa ae!"), ["aaa", "##a", "[UNK]", "[UNK]"]);
}

#[test]
fn rare_words_are_dropped_when_memory_would_grow() {
    let mut config = config(2000);
    config.max_words = 1000;
    let text: String = (0..1001).map(|number| format!("w{number} ")).collect();
    let trained = train_on(&config, &format!("{text}\n{}", "often often ".repeat(10)));
    assert_eq!((trained.report.rare_words, trained.report.distinct_words), (1001, 1));
    assert!(trained.tokenizer.token_to_id("often").is_some());
}

#[test]
fn any_number_of_threads_gives_the_same_vocabulary() {
    let corpus = corpus();
    let lines: Vec<&str> = corpus.lines().cycle().take(2000).collect();
    let text = lines.join("\n");
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| train_on(&config(1500), &text).tokenizer)
    };
    let single = on(1);
    assert!(vocab(&single).len() > 700);
    for threads in [2, 3, 8] {
        assert_eq!(vocab(&on(threads)), vocab(&single));
    }
}

#[test]
fn files_and_lines_train_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = corpus();
    let (first, second) = corpus.split_at(corpus.find("\n\n").unwrap());
    std::fs::write(folder.path().join("a.txt"), first).unwrap();
    std::fs::write(folder.path().join("b.txt"), second).unwrap();
    let inputs = Inputs::expand(&[folder.path().to_str().unwrap()]).unwrap();
    let trained = train_from_files(&config(900), inputs, ReadConfig::new(Separator::BlankLine)).unwrap();
    let blank = corpus.lines().filter(|line| line.is_empty()).count();
    assert_eq!(vocab(&trained.tokenizer), vocab(&train_on(&config(900), &corpus).tokenizer));
    assert_eq!(trained.report.lines as usize, corpus.lines().count() - blank);
}

#[test]
fn steps_tell_their_progress() {
    let mut trainer = Trainer::new(&config(300)).unwrap();
    for line in corpus().lines() {
        trainer.feed([Ok::<_, io::Error>(line)]).unwrap();
    }
    let mut sizes = Vec::new();
    let trained = trainer.finish(|tokens| sizes.push(tokens)).unwrap_err();
    assert!(matches!(trained, Error::VocabularyTooSmall { .. }));
    assert!(sizes.is_empty());

    let mut trainer = Trainer::new(&config(900)).unwrap();
    trainer.feed(corpus().lines().map(Ok::<_, io::Error>)).unwrap();
    let trained = trainer.finish(|tokens| sizes.push(tokens)).unwrap();
    assert_eq!(sizes.len(), trained.report.vocab_size - sizes[0] + 1);
    assert!(sizes.windows(2).all(|pair| pair[1] == pair[0] + 1));
    assert_eq!(sizes.last(), Some(&trained.report.vocab_size));
}

#[test]
fn texts_that_cannot_be_trained_on_are_refused() {
    let nothing = |text: &'static str| train(&config(100), [Ok::<_, io::Error>(text)]).unwrap_err();
    assert!(matches!(nothing(""), Error::NoWords));
    assert!(matches!(nothing(" \u{0}\t"), Error::NoWords));
    assert!(matches!(train(&config(100), Vec::<Result<String, io::Error>>::new()), Err(Error::NoWords)));

    let error = train(&config(9), [Ok::<_, io::Error>("abc")]).unwrap_err().to_string();
    let expected =
        "vocab_size: expected at least 10 (5 special tokens and 3 characters with their ## forms), found 9";
    assert!(error.starts_with(expected), "{error}");
    assert_eq!(train_on(&config(10), "abc").report.vocab_size, 10);
}

#[test]
fn errors_of_the_text_come_through() {
    let source = [Ok("fine"), Err(io::Error::other("the line went dead"))];
    let error = train(&config(100), source).unwrap_err();
    assert_eq!(error.to_string(), "training text: the line went dead");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    std::fs::write(&path, b"fine\nbroken \xFF\n").unwrap();
    let inputs = || Inputs::expand(&[path.to_str().unwrap()]).unwrap();
    let mut read = ReadConfig::new(Separator::BlankLine);
    let error = train_from_files(&config(100), inputs(), read.clone()).unwrap_err().to_string();
    assert!(error.contains("a.txt: line 2: not UTF-8 at byte 12"), "{error}");
    read.lossy = true;
    let trained = train_from_files(&config(100), inputs(), read).unwrap();
    assert!(trained.tokenizer.token_to_id("broken").is_some());
}

#[test]
fn configs_that_cannot_work_are_named() {
    let message = |change: fn(&mut TrainConfig)| {
        let mut config = TrainConfig::cased(1000);
        change(&mut config);
        Trainer::new(&config).unwrap_err().to_string()
    };
    assert!(message(|c| c.vocab_size = 7).starts_with("train config: vocab_size: expected 8 to 2147483648"));
    assert!(message(|c| c.min_frequency = 0).ends_with("min_frequency: expected at least 1, found 0"));
    assert!(message(|c| c.character_coverage = f64::NAN).ends_with("at most 1, found NaN"));
    assert!(message(|c| c.character_coverage = 1.5).contains("character_coverage"));
    assert!(message(|c| c.alphabet_limit = 0).contains("alphabet_limit"));
    assert!(message(|c| c.max_words = 10).contains("max_words"));

    let json = serde_json::to_string(&TrainConfig::uncased(1000)).unwrap();
    assert_eq!(serde_json::from_str::<TrainConfig>(&json).unwrap(), TrainConfig::uncased(1000));
    assert!(serde_json::from_str::<TrainConfig>(&json.replace("lowercase", "lower")).is_err());
}

/// Byte-pair merges as in a textbook: count everything anew after each merge.
fn textbook(words: &HashMap<&str, u64>, merges: usize) -> Vec<String> {
    let chars: std::collections::BTreeSet<char> = words.keys().flat_map(|word| word.chars()).collect();
    let continued: std::collections::BTreeSet<char> =
        words.keys().flat_map(|word| word.chars().skip(1)).collect();
    let mut tokens: Vec<String> = chars.iter().map(char::to_string).collect();
    tokens.extend(continued.iter().map(|char| format!("##{char}")));
    let id = |tokens: &[String], token: &str| tokens.iter().position(|known| known == token);
    let mut split: Vec<(Vec<usize>, u64)> = words
        .iter()
        .map(|(word, &count)| {
            let symbols = word.chars().enumerate().map(|(position, char)| {
                let token = if position == 0 { char.to_string() } else { format!("##{char}") };
                id(&tokens, &token).unwrap()
            });
            (symbols.collect(), count)
        })
        .collect();
    for _ in 0..merges {
        let mut pairs = HashMap::<(usize, usize), u64>::new();
        for (symbols, count) in &split {
            for pair in symbols.windows(2) {
                *pairs.entry((pair[0], pair[1])).or_default() += count;
            }
        }
        let Some((&pair, _)) = pairs.iter().max_by_key(|&(&pair, &count)| (count, std::cmp::Reverse(pair)))
        else {
            break;
        };
        let token = format!("{}{}", tokens[pair.0], tokens[pair.1].trim_start_matches("##"));
        let merged = id(&tokens, &token).unwrap_or_else(|| {
            tokens.push(token);
            tokens.len() - 1
        });
        for (symbols, _) in &mut split {
            let mut position = 0;
            while position + 1 < symbols.len() {
                if (symbols[position], symbols[position + 1]) == pair {
                    symbols[position] = merged;
                    symbols.remove(position + 1);
                }
                position += 1;
            }
        }
    }
    tokens
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn merges_equal_the_textbook(words in prop::collection::hash_map("[abc]{1,9}", 1u64..6, 1..12), merges in 0usize..40) {
        let words: HashMap<&str, u64> = words.iter().map(|(word, count)| (word.as_str(), *count)).collect();
        let text: Vec<String> = words.iter().map(|(word, &count)| format!("{word} ").repeat(count as usize)).collect();
        let expected = textbook(&words, merges);
        let config = config(5 + expected.len().max(3));
        let ours = vocab(&train_on(&config, &text.join("\n")).tokenizer).split_off(5);
        prop_assert_eq!(&ours[..expected.len()], &expected[..]);
    }
}
