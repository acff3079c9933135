use std::fmt;

use rayon::prelude::*;

use crate::cache::{Cache, Pool};
use crate::fingerprint;
use crate::frame::Frame;
use crate::long::{Item, Long, PART};
use crate::pipeline::{self, Pipeline};
use crate::plain::Plain;
use crate::special::{SpecialNames, SpecialTokens};
use crate::word_piece::Greedy;

/// A WordPiece tokenizer of a BERT-shaped model.
///
/// Ids are those of Python's `tokenizers` and `transformers` for the same files. Nothing is ever truncated
/// or padded.
pub struct Tokenizer {
    pub(crate) pipeline: Pipeline,
    pub(crate) names: SpecialNames,
    special: SpecialTokens,
    vocab_size: usize,
    continues_word: Vec<bool>,
    /// There if texts may be encoded piece by piece.
    plain: Option<Plain>,
    long: Long,
    greedy: Greedy,
    caches: Pool,
    /// What is put around one text, and around two.
    frames: [Frame; 2],
}

/// One encoded sequence, under the Hub's names. Both are equally long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoding {
    /// Ids of the tokens.
    pub input_ids: Vec<u32>,
    /// 0 for the first segment with its special tokens, 1 for the second.
    pub token_type_ids: Vec<u32>,
}

impl Tokenizer {
    /// Takes parts that were checked: see [`crate::vocab::checked`].
    pub(crate) fn from_parts(
        pipeline: Pipeline,
        names: SpecialNames,
        special: SpecialTokens,
        tokens: &[(u32, String)],
        frames: [Frame; 2],
    ) -> Self {
        let vocab_size = tokens.iter().map(|(id, _)| *id as usize + 1).max().unwrap_or(0);
        let prefix = pipeline.get_model().continuing_subword_prefix.as_str();
        let mut continues_word = vec![false; vocab_size];
        for (id, token) in tokens {
            let continues = !prefix.is_empty() && token.len() > prefix.len() && token.starts_with(prefix);
            continues_word[*id as usize] = continues;
        }
        Self {
            plain: Plain::new(&pipeline),
            long: Long::new(&pipeline),
            greedy: Greedy::new(pipeline.get_model(), special.unk),
            caches: Pool::default(),
            pipeline,
            names,
            special,
            vocab_size,
            continues_word,
            frames,
        }
    }

    /// Chooses what becomes of a literal `[MASK]` or `[SEP]` in a text.
    ///
    /// `false`, the default and Python's: it becomes the special id, as a user who types a masked sentence
    /// expects. `true`: it is text like any other (`[`, `mask`, `]`), as a corpus wants it, in which an
    /// article about language models must not end a segment. This is Python's
    /// `tokenizer.encode_special_tokens = True`. The choice is not saved.
    #[must_use]
    pub fn special_tokens_as_text(mut self, as_text: bool) -> Self {
        self.pipeline.set_encode_special_tokens(as_text);
        self.caches = Pool::default();
        self
    }

    /// Ids of a text, without `[CLS]` and `[SEP]`.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        self.encode_with(&mut self.caches.take().cache, text)
    }

    /// Ids of many texts, in their order, on the threads of the current rayon pool.
    pub fn encode_batch<S: AsRef<str> + Sync>(&self, texts: &[S]) -> Vec<Vec<u32>> {
        let cache = || self.caches.take();
        texts
            .par_iter()
            .map_init(cache, |lent, text| self.encode_with(&mut lent.cache, text.as_ref()))
            .collect()
    }

    /// The text alone, without what [`encode_with_special_tokens`](Self::encode_with_special_tokens) puts
    /// around it: the ids are those of [`encode`](Self::encode).
    pub fn encode_without_special_tokens(&self, text: &str) -> Encoding {
        self.frames[0].put_around(vec![self.encode(text)], false)
    }

    /// `[CLS] text [SEP]`.
    pub fn encode_with_special_tokens(&self, text: &str) -> Encoding {
        self.frames[0].put_around(vec![self.encode(text)], true)
    }

    /// `[CLS] first [SEP] second [SEP]`.
    pub fn encode_pair(&self, first: &str, second: &str) -> Encoding {
        self.frames[1].put_around(vec![self.encode(first), self.encode(second)], true)
    }

    /// How many token types a network has to know: the largest one of a text or a pair, and one more.
    pub fn type_vocab_size(&self) -> usize {
        self.frames.iter().map(Frame::last_type).max().unwrap_or(0) as usize + 1
    }

    fn encode_with(&self, cache: &mut Cache, text: &str) -> Vec<u32> {
        let Some(plain) = &self.plain else { return self.encode_whole(text) };
        let mut ids = Vec::with_capacity(text.len() / 4);
        for piece in pipeline::pieces(text) {
            cache.extend(&mut ids, piece, |ids, piece| {
                let model = self.pipeline.get_model();
                if plain.for_each_word(piece, |word| self.greedy.extend(ids, model, word)) {
                    return;
                }
                if piece.len() <= PART {
                    ids.extend(self.encode_whole(piece));
                } else {
                    self.extend_in_parts(ids, piece, PART);
                }
            });
        }
        ids
    }

    /// Appends the ids of a piece, parts of about `size` bytes of which are given to the library at once.
    fn extend_in_parts(&self, ids: &mut Vec<u32>, piece: &str, size: usize) {
        let model = self.pipeline.get_model();
        self.long.for_each(piece, size, self.pipeline.get_encode_special_tokens(), |item| match item {
            Item::Word(word) => self.greedy.extend(ids, model, word),
            Item::Token(id) => ids.push(id),
        });
    }

    /// As the library does it.
    pub(crate) fn encode_whole(&self, text: &str) -> Vec<u32> {
        self.pipeline.encode_fast(text, false).expect(CANNOT_FAIL).get_ids().to_vec()
    }

    /// The text of ids: continuations joined, spaces before punctuation removed. Ids outside the vocabulary
    /// are passed over, as Python does.
    pub fn decode(&self, ids: &[u32], skip_special_tokens: bool) -> String {
        self.pipeline.decode(ids, skip_special_tokens).unwrap_or_default()
    }

    /// The token of an id.
    pub fn id_to_token(&self, id: u32) -> Option<String> {
        self.pipeline.id_to_token(id)
    }

    /// The id of a token, spelled as in the vocabulary.
    pub fn token_to_id(&self, token: &str) -> Option<u32> {
        self.pipeline.token_to_id(token)
    }

    /// The largest id plus one: the number of rows an embedding needs.
    pub fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    /// Ids of the special tokens.
    pub fn special(&self) -> SpecialTokens {
        self.special
    }

    /// For each id, whether its token continues a word (`##ing`); whole-word masking needs it.
    pub fn continues_word(&self) -> &[bool] {
        &self.continues_word
    }

    /// SHA-256 of everything that decides the ids of a text: tokens with their ids, normalizer,
    /// pre-tokenizer, model parameters, added and special tokens. The files' layout and
    /// [`special_tokens_as_text`](Self::special_tokens_as_text) play no part.
    pub fn fingerprint(&self) -> [u8; 32] {
        fingerprint::fingerprint(self)
    }

    /// The [`fingerprint`](Self::fingerprint) as 64 hexadecimal digits.
    pub fn fingerprint_hex(&self) -> String {
        self.fingerprint().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

const CANNOT_FAIL: &str =
    "loading refuses pipelines whose parts can fail, and a vocabulary without unk_token";

impl Clone for Tokenizer {
    fn clone(&self) -> Self {
        Self {
            pipeline: self.pipeline.clone(),
            names: self.names.clone(),
            special: self.special,
            vocab_size: self.vocab_size,
            continues_word: self.continues_word.clone(),
            plain: self.plain.clone(),
            long: self.long.clone(),
            frames: self.frames.clone(),
            greedy: self.greedy.clone(),
            caches: Pool::default(),
        }
    }
}

impl fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokenizer")
            .field("vocab_size", &self.vocab_size)
            .field("special", &self.special)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VOCAB: [&str; 12] =
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##a", ",", "漢", "[", "mask", "]"];

    impl Tokenizer {
        pub(crate) fn with_normalizer(mut self, normalizer: tokenizers::NormalizerWrapper) -> Self {
            self.pipeline.with_normalizer(Some(normalizer)).unwrap();
            (self.plain, self.long) = (Plain::new(&self.pipeline), Long::new(&self.pipeline));
            self
        }

        pub(crate) fn encode_in_parts(&self, piece: &str, size: usize) -> Vec<u32> {
            let mut ids = Vec::new();
            self.extend_in_parts(&mut ids, piece, size);
            ids
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..Default::default() })]

        /// Whatever the parts of a text are, its ids are those of the whole.
        #[test]
        fn parts_equal_the_whole(
            text in "([a,.;<=>`~!\\[\\]#-]|\\[MASK\\]|\\PC|[漢字㐀。、・！।॥é가ㄱ한 \u{a0}\u{1}\u{200d}]|[\u{300}\u{338}\u{3099}\u{5b0}]){0,14}",
            lowercase in any::<bool>(),
            as_text in any::<bool>(),
            recomposed in any::<bool>(),
        ) {
            let mut tokenizer = Tokenizer::from_vocab(&VOCAB, lowercase).unwrap().special_tokens_as_text(as_text);
            if recomposed {
                let normalization =
                    pipeline::Normalization { lowercase, strip_accents: None, tokenize_chinese_chars: true };
                tokenizer = tokenizer.with_normalizer(normalization.recomposed());
            }
            for size in [1, 4, 16] {
                let ids = tokenizer.encode_in_parts(&text, size);
                prop_assert_eq!(ids, tokenizer.encode_whole(&text), "{}", size);
            }
            prop_assert_eq!(tokenizer.encode(&text), tokenizer.encode_whole(&text));
        }
    }

    #[test]
    fn long_pieces_are_cut() {
        let tokenizer = Tokenizer::from_vocab(&VOCAB, true).unwrap();
        for (unit, count) in
            [("é,", 5_000), ("漢é", 5_000), ("é。", 5_000), ("é", 10_000), ("[MASK]é", 2_000)]
        {
            let piece = unit.repeat(count);
            assert!(piece.len() > PART);
            assert_eq!(tokenizer.encode(&piece), tokenizer.encode_whole(&piece));
        }
    }
}
