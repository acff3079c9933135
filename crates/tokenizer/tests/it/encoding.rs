use electra_tokenizer::Tokenizer;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::{corpus, tokens, trained};

const VOCAB: &[&str] = &[
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "rain", "##ing", "##s", "[", "]", "mask", "비", "##가", ".",
];

#[test]
fn special_tokens_frame_and_count() {
    let tokenizer = Tokenizer::from_vocab(VOCAB, true).unwrap();
    assert_eq!(tokenizer.vocab_size(), 14);
    assert_eq!(tokenizer.special().ids(), [0, 1, 2, 3, 4]);
    let single = tokenizer.encode_with_special_tokens("Raining.");
    assert_eq!(single.input_ids, [2, 5, 6, 13, 3]);
    assert_eq!(single.token_type_ids, [0; 5]);
    let pair = tokenizer.encode_pair("rains", "rain");
    assert_eq!(pair.input_ids, [2, 5, 7, 3, 5, 3]);
    assert_eq!(pair.token_type_ids, [0, 0, 0, 0, 1, 1]);
    assert_eq!(tokenizer.decode(&pair.input_ids, true), "rains rain");
    assert_eq!(tokenizer.decode(&pair.input_ids, false), "[CLS] rains [SEP] rain [SEP]");
}

#[test]
fn a_literal_mask_is_special_or_text() {
    let tokenizer = Tokenizer::from_vocab(VOCAB, true).unwrap();
    assert_eq!(tokens(&tokenizer, "rain[MASK]s"), ["rain", "[MASK]", "[UNK]"]);
    let tokenizer = tokenizer.special_tokens_as_text(true);
    assert_eq!(tokens(&tokenizer, "rain[MASK]rain"), ["rain", "[", "mask", "]", "rain"]);
    let ids = tokenizer.encode("[MASK] [SEP][CLS] [PAD]");
    assert!(ids.iter().all(|&id| id == 1 || !tokenizer.special().contains(id)), "{ids:?}");
    let tokenizer = tokenizer.special_tokens_as_text(false);
    assert_eq!(tokens(&tokenizer, "[MASK]"), ["[MASK]"]);
}

#[test]
fn continuations_are_known_by_id() {
    let tokenizer = Tokenizer::from_vocab(&[VOCAB, &["##"]].concat(), true).unwrap();
    let continues: Vec<_> = (0..tokenizer.vocab_size() as u32)
        .filter(|&id| tokenizer.continues_word()[id as usize])
        .map(|id| tokenizer.id_to_token(id).unwrap())
        .collect();
    // A bare `##` stands for itself.
    assert_eq!(continues, ["##ing", "##s", "##가"]);
}

#[test]
fn ids_and_tokens_are_each_others_inverse() {
    let tokenizer = trained(true);
    for id in 0..tokenizer.vocab_size() as u32 {
        let token = tokenizer.id_to_token(id).unwrap();
        assert_eq!(tokenizer.token_to_id(&token), Some(id), "{token}");
    }
    assert_eq!(tokenizer.id_to_token(tokenizer.vocab_size() as u32), None);
    assert_eq!(tokenizer.token_to_id("no such token"), None);
    assert_eq!(tokenizer.decode(&[u32::MAX], false), "");
}

#[test]
fn uncased_normalization() {
    let tokenizer = trained(false);
    assert_eq!(tokens(&tokenizer, "한국어 문장"), ["한국어", "문장"]);
    assert_eq!(tokenizer.decode(&tokenizer.encode("한국어 문장"), true), "한국어 문장");
    // Decomposed Hangul is put together.
    assert_eq!(tokens(&tokenizer, "\u{1112}\u{1161}\u{11ab}국어"), ["한국어"]);
    assert_eq!(tokens(&tokenizer, "Café cafe\u{301} CAFE"), ["cafe"; 3]);
    assert_eq!(tokens(&tokenizer, "VIỆT Nam"), ["viet", "nam"]);
    assert_eq!(tokens(&tokenizer, "Straße İstanbul"), ["straße", "istanbul"]);
    assert_eq!(tokens(&tokenizer, "河水上涨"), ["河", "水", "上", "涨"]);
    // Lower case knows no word ends: ς is not what Σ becomes.
    assert_eq!(tokenizer.encode("Σ"), tokenizer.encode("σ"));
    assert_ne!(tokenizer.encode("Σ"), tokenizer.encode("ς"));
}

#[test]
fn cased_normalization() {
    let tokenizer = trained(true);
    assert_eq!(tokens(&tokenizer, "İstanbul Straße Việt café"), ["İstanbul", "Straße", "Việt", "café"]);
    assert_eq!(tokens(&tokenizer, "cafe\u{301}"), ["café"]);
    assert_ne!(tokenizer.encode("Rain"), tokenizer.encode("rain"));
    assert_eq!(tokens(&tokenizer, "한국어 天。"), ["한국어", "天", "。"]);
    assert_eq!(tokens(&tokenizer, "\u{1112}\u{1161}\u{11ab}국어"), ["한국어"]);
}

#[test]
fn a_vocab_txt_pipeline_leaves_hangul_apart_as_bert_does() {
    let vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "비", "\u{1107}\u{1175}"];
    let tokenizer = Tokenizer::from_vocab(&vocab, true).unwrap();
    assert_eq!(tokenizer.encode("비"), [6]);
    assert_eq!(Tokenizer::from_vocab(&vocab, false).unwrap().encode("비"), [5]);
}

#[test]
fn words_over_100_characters_are_unknown() {
    let tokenizer = trained(false);
    assert_eq!(tokenizer.encode(&"e".repeat(101)), [tokenizer.special().unk]);
    assert!(!tokenizer.encode(&"e".repeat(100)).contains(&tokenizer.special().unk));
}

#[test]
fn batches_keep_their_order_on_any_number_of_threads() {
    let tokenizer = trained(false);
    let corpus = corpus();
    let texts: Vec<&str> = corpus.lines().cycle().take(500).collect();
    let one_by_one: Vec<_> = texts.iter().map(|text| tokenizer.encode(text)).collect();
    for threads in [1, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| tokenizer.encode_batch(&texts)), one_by_one);
    }
}

#[test]
fn a_tokenizer_can_be_shared_between_threads() {
    fn shareable<T: Send + Sync + Clone>(_: &T) {}
    shareable(&trained(false));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    /// The encoder works piece by piece and from a cache; the whole text in one go must come to the same.
    #[test]
    fn pieces_equal_the_whole(
        parts in vec(prop_oneof![
            "\\PC{0,6}",
            "[a-zA-Z0-9.,!\\[\\]#']{1,6}",
            "[가-힣ㄱ-ㅣ\u{1100}-\u{1112}\u{1161}-\u{1175}\u{11a8}-\u{11c2}]{1,4}",
            "[ \t\r\n\u{b}\u{c}\u{1c}\u{85}\u{a0}\u{200b}\u{2028}\u{3000}]{1,2}",
            "[\u{300}-\u{310}\u{323}\u{3099}\u{9be}\u{9d7}\u{0}\u{ad}\u{fffd}ée漢𠀀ẞİς]{1,3}",
            Just("[MASK]".to_owned()),
            Just("[SEP]".to_owned()),
        ], 0..12),
        kind in 0usize..4,
        as_text in any::<bool>(),
    ) {
        use std::sync::LazyLock;
        type Both = (Tokenizer, tokenizers::Tokenizer);
        static TOKENIZERS: LazyLock<Vec<Both>> = LazyLock::new(|| {
            let vocab: Vec<String> = std::fs::read_to_string(crate::golden_folder().join("vocab.txt"))
                .unwrap()
                .lines()
                .map(str::to_owned)
                .collect();
            let ours = [
                trained(false),
                trained(true),
                Tokenizer::from_vocab(&vocab, true).unwrap(),
                Tokenizer::from_vocab(&vocab, false).unwrap(),
            ];
            ours.map(|ours| {
                let folder = tempfile::tempdir().unwrap();
                ours.save(folder.path()).unwrap();
                let library = tokenizers::Tokenizer::from_file(folder.path().join("tokenizer.json")).unwrap();
                (ours, library)
            })
            .into()
        });
        let (ours, library) = &TOKENIZERS[kind];
        let text = parts.concat();
        let ours = ours.clone().special_tokens_as_text(as_text);
        let mut library = library.clone();
        library.set_encode_special_tokens(as_text);
        let whole = library.encode(text.as_str(), false).unwrap().get_ids().to_vec();
        prop_assert_eq!(&ours.encode(&text), &whole);
        prop_assert_eq!(&ours.encode(&text), &whole);
        prop_assert_eq!(ours.encode_with_special_tokens(&text).input_ids.len(), whole.len() + 2);
    }
}

#[test]
fn special_tokens_can_be_left_out() {
    let tokenizer = crate::trained(false);
    for text in ["", "the rain", "[MASK] the [SEP]", "[SEP]"] {
        let encoding = tokenizer.encode_without_special_tokens(text);
        assert_eq!(encoding.input_ids, tokenizer.encode(text));
        assert_eq!(encoding.token_type_ids, vec![0; encoding.input_ids.len()]);
    }
}
