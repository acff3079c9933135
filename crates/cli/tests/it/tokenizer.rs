//! `electra tokenizer`.

use crate::support::{Bench, json_lines, names};

#[test]
fn train_writes_the_hubs_files() {
    let bench = Bench::with_tokenizer();
    assert_eq!(
        names(&bench.path("tokenizer")),
        ["special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"]
    );
    let again = bench.run("tokenizer train --input text.txt --vocab-size 200 --output again --json").ok();
    let report = &json_lines(&again)[0];
    assert_eq!(report["lines"], 91);
    assert_eq!(report["replaced"], 0);
    for name in names(&bench.path("tokenizer")) {
        let read = |folder: &str| std::fs::read(bench.path(folder).join(&name)).unwrap();
        assert!(read("tokenizer") == read("again"), "{name} differs");
    }
}

#[test]
fn encode_answers_every_line() {
    let bench = Bench::with_tokenizer();
    let lines = "The cat\r\n\n고양이가 앉았다\n[MASK] 😀";
    let plain = bench.run_with("tokenizer encode --tokenizer tokenizer", lines.as_bytes()).ok();
    let json = bench.run_with("tokenizer encode --tokenizer tokenizer --json", lines.as_bytes()).ok();
    let objects = json_lines(&json);
    assert_eq!(objects.len(), 4);
    assert_eq!(objects[0]["tokens"], serde_json::json!(["[CLS]", "the", "cat", "[SEP]"]));
    assert_eq!(objects[1]["tokens"], serde_json::json!(["[CLS]", "[SEP]"]));
    assert_eq!(objects[2]["tokens"], serde_json::json!(["[CLS]", "고양이가", "앉았다", "[SEP]"]));
    assert_eq!(objects[3]["tokens"], serde_json::json!(["[CLS]", "[MASK]", "[UNK]", "[SEP]"]));
    for (line, object) in plain.lines().zip(&objects) {
        let (tokens, ids) = line.split_once('\t').unwrap();
        assert_eq!(tokens.split(' ').count(), object["tokens"].as_array().unwrap().len());
        let ids: Vec<u64> = ids.split(' ').map(|id| id.parse().unwrap()).collect();
        assert_eq!(serde_json::json!(ids), object["input_ids"]);
    }
    let bare = bench.run_with(
        "tokenizer encode --tokenizer tokenizer --json --no-special-tokens --special-tokens-as-text",
        lines.as_bytes(),
    );
    let bare = json_lines(&bare.ok());
    assert_eq!(bare[1]["input_ids"], serde_json::json!([]));
    assert!(!bare[3]["tokens"].to_string().contains("[MASK]"));
}

#[test]
fn broken_text_is_named_or_replaced() {
    let bench = Bench::with_tokenizer();
    let broken = b"the cat\nthe \xff dog\nthe log\n";
    let encode = "tokenizer encode --tokenizer tokenizer";
    let answer = bench.run_with(encode, broken);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("standard input: line 2: not UTF-8 at byte 12"), "{}", answer.err);
    assert_eq!(answer.out.lines().count(), 1, "the line before it is answered");
    let lossy = bench.run_with(&format!("{encode} --lossy"), broken).ok();
    let clean = bench.run_with(encode, b"the cat\nthe dog\nthe log\n").ok();
    assert_eq!(lossy, clean, "U+FFFD is not text to BERT");

    bench.write("broken.txt", broken);
    let train = "tokenizer train --input broken.txt --vocab-size 50 --output new";
    let message = bench.run(train).refused();
    assert!(message.contains("broken.txt: line 2: not UTF-8 at byte 12"), "{message}");
    assert!(bench.run(&format!("{train} --lossy")).ok().contains("replaced: 1 byte sequence for"));
}

#[test]
fn what_cannot_be_trained_leaves_nothing() {
    let bench = Bench::new();
    bench.write("empty.txt", "");
    bench.write("blank.txt", "\n \n\n");
    bench.write("field.jsonl", "{\"text\": \"a b\"}\n{\"txt\": 1}\n");
    bench.write("cut.txt.gz", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1]);
    bench.write("few.txt", "ab cd");
    let before = bench.names();
    for (input, size, expected) in [
        ("empty.txt", 50, "no words to train on"),
        ("blank.txt", 50, "no words to train on"),
        ("missing.txt", 50, "missing.txt: no such file"),
        ("field.jsonl", 50, "field.jsonl: line 2: expected a string in field \"text\""),
        ("cut.txt.gz", 50, "cut.txt.gz: truncated"),
        ("no*match", 50, "no file matches"),
        ("few.txt", 5, "vocab_size"),
    ] {
        let line = format!("tokenizer train --input {input} --vocab-size {size} --output new");
        let message = bench.run(&line).refused();
        assert!(message.contains(expected), "{input}: {message}");
        assert_eq!(bench.names(), before);
    }
}

#[test]
fn what_is_no_tokenizer_is_named() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("folder")).unwrap();
    bench.write("bad.json", "{\"model\": ");
    bench.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[MASK]\nword\n");
    for (path, expected) in [
        ("nowhere", "nowhere"),
        ("folder", "expected tokenizer.json or vocab.txt"),
        ("bad.json", "line 1"),
        ("vocab.txt", "no token \"[SEP]\""),
    ] {
        let message = bench.run(&format!("tokenizer encode --tokenizer {path}")).refused();
        assert!(message.contains(expected), "{path}: {message}");
    }
}

#[test]
fn an_output_that_has_something_in_it_is_refused_at_once() {
    let bench = Bench::with_tokenizer();
    bench.write("file", "x");
    let before = bench.names();
    for output in ["tokenizer", "file"] {
        // Said before the input is looked at.
        let message =
            bench.run(&format!("tokenizer train --input none --vocab-size 200 --output {output}")).refused();
        assert!(
            message.contains(&format!("{output}: exists already; expected a new or empty folder")),
            "{message}"
        );
    }
    assert_eq!(bench.names(), before);
    std::fs::create_dir(bench.path("empty")).unwrap();
    bench.run("tokenizer train --input text.txt --vocab-size 200 --output empty").ok();
    assert_eq!(names(&bench.path("empty")).len(), 4);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let bench = Bench::with_tokenizer();
    for extra in ["", " --json"] {
        let output = if extra.is_empty() { "plain" } else { "json" };
        let line = format!("tokenizer train --input text.txt --vocab-size 200 --output {output}{extra}");
        let mut child = bench.command(&line).spawn().unwrap();
        drop(child.stdout.take());
        let answer = child.wait_with_output().unwrap();
        let err = String::from_utf8(answer.stderr).unwrap();
        assert!(answer.status.success() && err.is_empty(), "{err}");
        assert_eq!(names(&bench.path(output)).len(), 4);
    }
}

#[test]
fn encode_answers_a_line_before_the_next_is_written() {
    use std::io::{BufRead, BufReader, Write};
    let bench = Bench::with_tokenizer();
    let mut child = bench.command("tokenizer encode --tokenizer tokenizer").spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    for line in ["the cat", "the dog"] {
        writeln!(input, "{line}").unwrap();
        let mut answer = String::new();
        output.read_line(&mut answer).unwrap();
        assert!(answer.starts_with(&format!("[CLS] {line} [SEP]\t")), "{answer}");
    }
    drop(input);
    assert!(child.wait().unwrap().success());
    let long = bench
        .run_with("tokenizer encode --tokenizer tokenizer --max-line-bytes 9", b"the cat\nthe cat the\n");
    assert_eq!((long.code, long.out.lines().count()), (2, 1));
    assert!(long.err.contains("standard input: line 2: longer than 9 bytes"), "{}", long.err);
}

#[test]
fn special_tokens_left_out_are_the_added_ones() {
    let bench = Bench::with_tokenizer();
    let line = "tokenizer encode --tokenizer tokenizer --no-special-tokens";
    let answer = bench.run_with(line, b"[SEP] the [MASK]\n").ok();
    assert!(answer.starts_with("[SEP] the [MASK]\t"), "{answer}");
}

#[test]
fn an_alphabet_that_is_too_small_is_reported() {
    let bench = Bench::with_tokenizer();
    let train = "tokenizer train --input text.txt --vocab-size 200 --alphabet-limit 10";
    let report = bench.run(&format!("{train} --output small")).ok();
    assert!(report.contains("of the characters, not the 99.9950 % asked for: "), "{report}");
    assert!(report.contains("raise --alphabet-limit (it was 10)"), "{report}");
    let json = bench.run(&format!("{train} --output json --json")).ok();
    assert_eq!(json_lines(&json)[0]["character_coverage_asked"], 0.99995);
    let message = bench
        .run("tokenizer train --input text.txt --vocab-size 200 --max-line-bytes 20 --output new")
        .refused();
    assert!(message.contains("text.txt: line 1: longer than 20 bytes"), "{message}");
}

#[test]
fn json_in_the_place_of_text_is_noticed() {
    let bench = Bench::with_tokenizer();
    bench.write("a.json", "{\"text\": \"the cat and the dog\"}\n{\"text\": \"the cat\"}\n");
    let train = "tokenizer train --vocab-size 60 --input";
    let answer = bench.run(&format!("{train} a.json --output as-text"));
    assert!(answer.err.contains("note: a.json is read as plain text, but its first line is a JSON object"));
    let answer = bench.run(&format!("{train} a.json --format jsonl --text-field text --output as-json"));
    assert_eq!((answer.code, answer.err.as_str()), (0, ""));
    let message = bench.run(&format!("{train} text.txt --text-field body --output new")).refused();
    assert!(message.contains("--text-field: expected JSON Lines or Parquet"), "{message}");
    if cfg!(not(feature = "parquet")) {
        bench.write("a.parquet", "PAR1");
        let message = bench.run(&format!("{train} a.parquet --output new")).refused();
        assert!(
            message.contains(
                "a.parquet: this program does not read Parquet: build the program with --features parquet"
            ),
            "{message}"
        );
    }
}

#[test]
fn one_entry_left_out_is_one() {
    let bench = Bench::with_tokenizer();
    std::fs::create_dir(bench.path("folder")).unwrap();
    bench.write("folder/a.txt", "the cat and the dog");
    bench.write("folder/notes.md", "x");
    let answer = bench.run("tokenizer train --vocab-size 60 --input folder --output new");
    assert!(
        answer.err.starts_with("note: 1 entry of the folders left out (such as folder/notes.md); name it,"),
        "{}",
        answer.err
    );
}

#[cfg(not(feature = "hub"))]
#[test]
fn a_program_without_the_hub_says_so() {
    let message = Bench::new().run("tokenizer encode --tokenizer hf:me/words").refused();
    assert!(message.contains("hf:me/words: this program was built without the Hub"), "{message}");
    assert!(message.contains("the feature `hub`"), "{message}");
    let message = Bench::new().run("tokenizer encode --tokenizer hf:").refused();
    assert!(message.contains("the name is empty"), "{message}");
}
