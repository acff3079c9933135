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
    assert_eq!(lossy, clean, "U+FFFD is no text to BERT");

    bench.write("broken.txt", broken);
    let train = "tokenizer train --input broken.txt --vocab-size 50 --output new";
    let message = bench.run(train).refused();
    assert!(message.contains("broken.txt: line 2: not UTF-8 at byte 12"), "{message}");
    assert!(bench.run(&format!("{train} --lossy")).ok().contains("replaced: 1 byte sequences"));
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
