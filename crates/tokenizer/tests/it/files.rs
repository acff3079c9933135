use std::fs;
use std::path::Path;

use electra_tokenizer::{Error, Tokenizer};
use serde_json::{Value, json};

use crate::{golden_folder, trained};

const VOCAB: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nRain\nrain\nE\nÉ\ne\n";

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn load(files: &[(&str, &str)]) -> Result<Tokenizer, Error> {
    Tokenizer::load(folder(files).path())
}

/// The error's message without the folder's name.
fn message(files: &[(&str, &str)]) -> String {
    let folder = folder(files);
    let error = Tokenizer::load(folder.path()).unwrap_err().to_string();
    error.replace(&format!("{}/", folder.path().display()), "")
}

/// A tokenizer.json with something changed.
fn changed_json(change: impl FnOnce(&mut Value)) -> String {
    let text = fs::read_to_string(golden_folder().join("trained/tokenizer.json")).unwrap();
    let mut json = serde_json::from_str(&text).unwrap();
    change(&mut json);
    json.to_string()
}

#[test]
fn settings_beside_a_vocabulary_are_honoured() {
    let ids = |config: &str| {
        load(&[("vocab.txt", VOCAB), ("tokenizer_config.json", config)]).unwrap().encode("Rain É")
    };
    assert_eq!(ids("{}"), [6, 9]);
    assert_eq!(ids("{\"do_lower_case\": false}"), [5, 8]);
    assert_eq!(ids("{\"do_lower_case\": false, \"strip_accents\": true}"), [5, 7]);
    assert_eq!(ids("{\"do_lower_case\": true, \"strip_accents\": null}"), [6, 9]);
    let chinese = format!("{VOCAB}天气\n");
    let config = "{\"tokenize_chinese_chars\": false}";
    let tokenizer = load(&[("vocab.txt", &chinese), ("tokenizer_config.json", config)]).unwrap();
    assert_eq!(tokenizer.encode("天气"), [10]);

    let folder = folder(&[("vocab.txt", VOCAB), ("tokenizer_config.json", "{\"do_lower_case\": false}")]);
    assert_eq!(Tokenizer::load(folder.path().join("vocab.txt")).unwrap().encode("Rain"), [5]);
}

#[test]
fn special_tokens_may_have_other_names() {
    let vocab = "<pad>\n<unk>\n<s>\n</s>\n<mask>\na\n";
    let map = r#"{"pad_token": "<pad>", "unk_token": {"content": "<unk>"}, "cls_token": "wrong", "mask_token": "<mask>"}"#;
    let config = r#"{"cls_token": "<s>", "sep_token": "</s>"}"#;
    let files = [("vocab.txt", vocab), ("special_tokens_map.json", map), ("tokenizer_config.json", config)];
    let tokenizer = load(&files).unwrap();
    assert_eq!(tokenizer.encode_with_special_tokens("a <mask> b").input_ids, [2, 5, 4, 1, 3]);
    let again = tempfile::tempdir().unwrap();
    tokenizer.save(again.path()).unwrap();
    assert_eq!(
        Tokenizer::load(again.path()).unwrap().encode_with_special_tokens("a <mask> b").input_ids,
        [2, 5, 4, 1, 3]
    );
}

#[test]
fn tokenizer_json_is_preferred_to_vocab_txt() {
    let json = fs::read_to_string(golden_folder().join("trained/tokenizer.json")).unwrap();
    let tokenizer = load(&[("vocab.txt", VOCAB), ("tokenizer.json", &json)]).unwrap();
    assert_eq!(
        tokenizer.vocab_size(),
        Tokenizer::load(golden_folder().join("trained")).unwrap().vocab_size()
    );
}

#[test]
fn line_ends_of_windows_are_line_ends() {
    assert_eq!(load(&[("vocab.txt", &VOCAB.replace('\n', "\r\n"))]).unwrap().encode("rain"), [6]);
}

#[test]
fn truncation_and_padding_are_switched_off() {
    let json = changed_json(|json| {
        json["truncation"] =
            json!({"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0});
        json["padding"] = json!({
            "strategy": {"Fixed": 16}, "direction": "Right", "pad_to_multiple_of": null,
            "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"
        });
    });
    let tokenizer = load(&[("tokenizer.json", &json)]).unwrap();
    assert_eq!(tokenizer.encode("the rain and the wind and the river").len(), 8);
    assert_eq!(tokenizer.encode_with_special_tokens("the rain").input_ids.len(), 4);
}

#[test]
fn files_that_cannot_work_are_named_with_the_reason() {
    assert_eq!(message(&[("vocab.txt", "")]), "vocab.txt: empty vocabulary: expected one token a line");
    assert_eq!(
        message(&[("vocab.txt", &format!("{VOCAB}rain\n"))]),
        "vocab.txt: line 11: token \"rain\" is already on line 7"
    );
    assert_eq!(
        message(&[("vocab.txt", &VOCAB.replace("[MASK]", "[mask]"))]),
        "vocab.txt: no token \"[MASK]\" in the vocabulary: expected one to serve as mask_token"
    );
    let malformed = message(&[("tokenizer.json", "{\"model\": {\"type\": \"WordPiece\",}}")]);
    assert!(malformed.starts_with("tokenizer.json: line 1, column 32: "), "{malformed}");
    let no_object = message(&[("tokenizer.json", "[1, 2]")]);
    assert!(no_object.starts_with("tokenizer.json: line 1, column "), "{no_object}");
    let no_model = message(&[("tokenizer.json", "{\"version\": \"1.0\"}")]);
    assert!(no_model.contains("missing field `model`"), "{no_model}");
    let config = message(&[("vocab.txt", VOCAB), ("tokenizer_config.json", "{\"do_lower_case\": \"no\"}")]);
    assert!(config.starts_with("tokenizer_config.json: line 1, column 22: invalid type: string"), "{config}");
    assert_eq!(
        message(&[("tokenizer.json", &changed_json(|json| json["model"]["type"] = json!("BPE")))]),
        "tokenizer.json: model: expected WordPiece, found BPE"
    );
    let double =
        message(&[("tokenizer.json", &changed_json(|json| json["model"]["vocab"]["twice"] = json!(7)))]);
    assert!(double.contains("share the id 7"), "{double}");
    let large = changed_json(|json| json["model"]["vocab"]["far"] = json!(1u32 << 31));
    assert_eq!(
        message(&[("tokenizer.json", &large)]),
        "tokenizer.json: vocabulary too large: expected ids up to 2147483647, found 2147483648"
    );
    let other = changed_json(|json| json["pre_tokenizer"] = json!({"type": "Metaspace", "replacement": "_"}));
    let other = message(&[("tokenizer.json", &other)]);
    assert!(
        other.starts_with("tokenizer.json: pre_tokenizer: expected one of BertPreTokenizer, "),
        "{other}"
    );
    assert!(other.ends_with("found Metaspace"), "{other}");
    assert!(message(&[("notes.md", "")]).contains("expected tokenizer.json or vocab.txt"));
}

/// What `transformers` does of each: see the tests' names of files and classes in `agree.rs`.
#[test]
fn files_that_contradict_the_vocabulary_are_named() {
    let json = changed_json(|_| ());
    let beside = |config: &str| {
        [("tokenizer.json", json.as_str()), ("tokenizer_config.json", config)].map(|(n, t)| (n, t.to_owned()))
    };
    let check = |config: &str, expected: Option<&str>| {
        let files = beside(config);
        let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        match expected {
            None => {
                load(&files).unwrap();
            }
            Some(expected) => assert_eq!(message(&files), format!("tokenizer_config.json: {expected}")),
        }
    };
    let as_in = "as in the normalizer of the tokenizer.json beside it";
    check("{}", None);
    check(r#"{"do_lower_case": true, "strip_accents": null, "tokenizer_class": "BertTokenizer"}"#, None);
    check(
        r#"{"do_lower_case": false, "tokenizer_class": "BertTokenizer"}"#,
        Some(&format!("do_lower_case: found false, expected true {as_in}")),
    );
    check(r#"{"strip_accents": false}"#, Some(&format!("strip_accents: found false, expected true {as_in}")));
    check(
        r#"{"tokenize_chinese_chars": false}"#,
        Some(&format!("tokenize_chinese_chars: found false, expected true {as_in}")),
    );
    let cased = changed_json(|json| {
        json["normalizer"]["normalizers"][0]["lowercase"] = json!(false);
        json["normalizer"]["normalizers"][0]["strip_accents"] = Value::Null;
    });
    let by_default = [
        ("tokenizer.json", cased.as_str()),
        ("tokenizer_config.json", r#"{"tokenizer_class": "BertTokenizer"}"#),
    ];
    assert_eq!(
        message(&by_default),
        format!(
            "tokenizer_config.json: do_lower_case: found nothing, which this tokenizer_class takes for true, expected false {as_in}"
        )
    );
    load(&[("tokenizer.json", &cased), ("tokenizer_config.json", "{}")]).unwrap();
    // This class does not look at the field.
    check(r#"{"do_lower_case": false, "tokenizer_class": "PreTrainedTokenizerFast"}"#, None);
    check(
        r#"{"additional_special_tokens": ["[MASK]", {"content": "<x>"}]}"#,
        Some(
            "additional_special_tokens: found \"<x>\", expected a token of the vocabulary: append it there, or take it out here",
        ),
    );
    check(
        r#"{"added_tokens_decoder": {"1": {"content": "[MASK]", "special": true}}}"#,
        Some("added_tokens_decoder: found the id 1 for \"[MASK]\", expected 4 as in the vocabulary"),
    );
    check(r#"{"added_tokens_decoder": {"4": {"content": "[MASK]", "special": true}}}"#, None);

    let added = message(&[("vocab.txt", VOCAB), ("added_tokens.json", r#"{"<x>": 10}"#)]);
    assert!(added.starts_with("added_tokens.json: \"<x>\": found \"<x>\", expected a token of"), "{added}");
    let word = message(&[("vocab.txt", VOCAB), ("added_tokens.json", r#"{"rain": 6}"#)]);
    assert!(word.contains("expected one of tokenizer.json's added_tokens"), "{word}");
    let map = message(&[
        ("vocab.txt", VOCAB),
        ("special_tokens_map.json", r#"{"additional_special_tokens": ["<x>"]}"#),
    ]);
    assert!(map.starts_with("special_tokens_map.json: additional_special_tokens: found \"<x>\""), "{map}");
}

#[test]
fn special_tokens_of_the_vocabulary_that_the_config_names_are_found_in_text() {
    let vocab = format!("{VOCAB}<x>\n");
    let config = r#"{"additional_special_tokens": ["<x>"]}"#;
    let tokenizer = load(&[("vocab.txt", &vocab), ("tokenizer_config.json", config)]).unwrap();
    // As transformers gives.
    assert_eq!(tokenizer.encode("Rain É <x> foo"), [6, 9, 10, 1]);
}

#[test]
fn what_is_no_vocabulary_at_a_glance_is_named() {
    assert!(message(&[("vocab.txt", &format!("\u{feff}{VOCAB}"))]).contains("byte order mark"));
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("tokenizer.json")).unwrap();
    let error = Tokenizer::load(folder.path().join("tokenizer.json")).unwrap_err().to_string();
    assert!(error.ends_with("no tokenizer in this folder: expected tokenizer.json or vocab.txt"), "{error}");
    let error = Tokenizer::load(folder.path()).unwrap_err().to_string();
    assert!(error.ends_with("tokenizer.json: expected a file, found a folder"), "{error}");
}

#[test]
fn broken_bytes_are_located() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("vocab.txt"), b"[PAD]\n[UNK]\xFF\n").unwrap();
    let error = Tokenizer::load(folder.path()).unwrap_err();
    assert!(matches!(error, Error::NotUtf8 { offset: 11, .. }), "{error}");
    let missing = Tokenizer::load(folder.path().join("no.json")).unwrap_err();
    assert!(missing.to_string().contains("no.json: "), "{missing}");
}

#[test]
fn saving_leaves_the_set_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("new/tokenizer");
    trained(false).save(&target).unwrap();
    trained(true).save(&target).unwrap();
    let mut names: Vec<_> = fs::read_dir(&target)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"]);
    assert_eq!(Tokenizer::load(&target).unwrap().fingerprint(), trained(true).fingerprint());
    let vocab = fs::read_to_string(target.join("vocab.txt")).unwrap();
    for (id, token) in vocab.lines().enumerate() {
        assert_eq!(trained_id(&target, token), Some(id as u32));
        if id > 20 {
            break;
        }
    }
}

#[test]
fn saving_into_a_folder_keeps_what_else_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let names = |path: &Path| fs::read_dir(path).unwrap().count();
    // An empty folder is replaced by the whole set, and nothing is left beside it.
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    trained(false).save(&empty).unwrap();
    assert_eq!((names(&empty), names(folder.path())), (4, 1));
    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("model.safetensors"), "x").unwrap();
    trained(false).save(&other).unwrap();
    assert_eq!((names(&other), names(folder.path())), (5, 2));
}

fn trained_id(folder: &Path, token: &str) -> Option<u32> {
    Tokenizer::load(folder).unwrap().token_to_id(token)
}

#[test]
fn a_failed_save_replaces_nothing() {
    let holes = changed_json(|json| {
        json["model"]["vocab"].as_object_mut().unwrap().remove("the");
    });
    let holes = load(&[("tokenizer.json", &holes)]).unwrap();
    let target = tempfile::tempdir().unwrap();
    trained(false).save(target.path()).unwrap();
    let before = fs::read(target.path().join("tokenizer.json")).unwrap();
    let error = holes.save(target.path()).unwrap_err().to_string();
    assert!(
        error.starts_with("vocab.txt: expected ids without holes, found no token with the id "),
        "{error}"
    );
    assert!(fs::read(target.path().join("tokenizer.json")).unwrap() == before);

    let file = target.path().join("a file");
    fs::write(&file, "").unwrap();
    assert!(
        matches!(trained(false).save(&file), Err(Error::Store(electra_store::Error::Io { path, .. })) if path == file)
    );
}

#[test]
fn the_fingerprint_knows_what_decides_ids_and_nothing_else() {
    let original = changed_json(|_| ());
    let fingerprint_of = |json: &str| load(&[("tokenizer.json", json)]).unwrap().fingerprint_hex();
    let fingerprint = fingerprint_of(&original);
    assert_eq!(fingerprint.len(), 64);

    let spaced = serde_json::to_string_pretty(&serde_json::from_str::<Value>(&original).unwrap()).unwrap();
    assert_ne!(spaced, original);
    let truncating = changed_json(|json| {
        json["truncation"] =
            json!({"direction": "Right", "max_length": 9, "strategy": "LongestFirst", "stride": 0});
    });
    for same in [&spaced, &truncating] {
        assert_eq!(fingerprint_of(same), fingerprint);
    }
    let changes: [fn(&mut Value); 5] = [
        |json| json["normalizer"]["normalizers"][0]["lowercase"] = json!(false),
        |json| json["pre_tokenizer"] = json!({"type": "WhitespaceSplit"}),
        |json| json["model"]["max_input_chars_per_word"] = json!(99),
        |json| {
            let vocab = json["model"]["vocab"].as_object_mut().unwrap();
            let (rain, wind) = (vocab["rain"].clone(), vocab["wind"].clone());
            vocab.insert("rain".into(), wind);
            vocab.insert("wind".into(), rain);
        },
        |json| json["added_tokens"].as_array_mut().unwrap()[4]["lstrip"] = json!(true),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        assert_ne!(fingerprint_of(&changed_json(change)), fingerprint, "change {index}");
    }
    let loaded = load(&[("tokenizer.json", &original)]).unwrap();
    assert_eq!(loaded.special_tokens_as_text(true).fingerprint_hex(), fingerprint);
}

#[test]
fn parts_that_the_library_stumbles_over_are_refused() {
    let sequence = |id: &str| json!({"Sequence": {"id": id, "type_id": 0}});
    type Change<'a> = &'a dyn Fn(&mut Value);
    let refused = |change: Change<'_>| message(&[("tokenizer.json", &changed_json(|json| change(json)))]);
    let changes: [(Change<'_>, &str); 14] = [
        (
            &|json| json["normalizer"] = json!({"type": "Precompiled", "precompiled_charsmap": "AAAA"}),
            "normalizer: expected one of BertNormalizer, ",
        ),
        (
            &|json| {
                let precompiled = json!({"type": "Precompiled", "precompiled_charsmap": 7});
                json["normalizer"] =
                    json!({"type": "Sequence", "normalizers": [{"type": "NFC"}, precompiled]});
            },
            "normalizer: expected one of BertNormalizer, ",
        ),
        (
            &|json| {
                json["post_processor"] =
                    json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false});
            },
            "post_processor: [\"ByteLevel\"]; expected one of BertProcessing, ",
        ),
        (
            &|json| {
                json["post_processor"] =
                    json!({"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 4_000_000]});
            },
            "post_processor: of one text: found the id 4000000; expected ids below ",
        ),
        (
            &|json| json["post_processor"]["special_tokens"]["[CLS]"]["ids"] = json!([4_000_000]),
            "post_processor: of one text: found the id 4000000; expected ids below ",
        ),
        (
            &|json| json["post_processor"]["special_tokens"]["[CLS]"]["ids"] = json!([2, 2]),
            "post_processor: special token \"[CLS]\": 2 ids and 1 tokens; expected as many of both",
        ),
        (
            &|json| json["post_processor"]["single"][0]["SpecialToken"]["id"] = json!("[BOS]"),
            "post_processor: single: \"[BOS]\" is not among its special_tokens",
        ),
        (
            &|json| json["post_processor"]["pair"][0]["SpecialToken"]["id"] = json!("[BOS]"),
            "post_processor: pair: \"[BOS]\" is not among its special_tokens",
        ),
        (
            &|json| json["post_processor"]["single"] = json!([]),
            "post_processor: single: the texts []; expected [\"A\"]",
        ),
        (
            &|json| json["post_processor"]["single"] = json!([sequence("B")]),
            "post_processor: single: the texts [\"B\"]; expected [\"A\"]",
        ),
        (
            &|json| json["post_processor"]["pair"] = json!([sequence("B"), sequence("A")]),
            "post_processor: pair: the texts [\"B\", \"A\"]; expected [\"A\", \"B\"]",
        ),
        (
            &|json| json["post_processor"]["pair"] = json!([sequence("A")]),
            "post_processor: pair: the texts [\"A\"]; expected [\"A\", \"B\"]",
        ),
        (
            &|json| {
                let template = json["post_processor"].clone();
                json["post_processor"] =
                    json!({"type": "Sequence", "processors": [template.clone(), template]});
            },
            "post_processor: [\"TemplateProcessing\", \"TemplateProcessing\"]; expected one of ",
        ),
        (
            &|json| json["model"]["max_input_chars_per_word"] = json!(100_000),
            "model: max_input_chars_per_word: 100000; expected at most 1000",
        ),
    ];
    for (change, expected) in changes {
        let message = refused(change);
        assert!(message.starts_with(&format!("tokenizer.json: {expected}")), "{message}");
    }
}

#[test]
fn other_post_processors_frame_as_the_library_does() {
    for post_processor in [
        json!({"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}),
        json!({"type": "RobertaProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2], "trim_offsets": true, "add_prefix_space": false}),
        json!({"sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}),
        Value::Null,
    ] {
        let file = changed_json(|json| json["post_processor"] = post_processor.clone());
        let ours = load(&[("tokenizer.json", &file)]).unwrap();
        let library: tokenizers::Tokenizer = if post_processor.is_null() {
            // Without one we take BERT's.
            changed_json(|_| ()).parse().unwrap()
        } else {
            file.parse().unwrap()
        };
        let expected = library.encode("the rain", true).unwrap();
        let found = ours.encode_with_special_tokens("the rain");
        assert_eq!(
            (&found.input_ids[..], &found.token_type_ids[..]),
            (expected.get_ids(), expected.get_type_ids())
        );
        let expected = library.encode(("the rain", "a cat"), true).unwrap();
        let found = ours.encode_pair("the rain", "a cat");
        assert_eq!(
            (&found.input_ids[..], &found.token_type_ids[..]),
            (expected.get_ids(), expected.get_type_ids())
        );
        let types = expected.get_type_ids().iter().max().unwrap() + 1;
        assert_eq!(ours.type_vocab_size(), types as usize);
    }
}
