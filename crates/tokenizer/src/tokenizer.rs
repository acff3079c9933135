use std::fmt;

use rayon::prelude::*;

use crate::cache::{Cache, Pool};
use crate::fingerprint;
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
    greedy: Greedy,
    caches: Pool,
}

/// One encoded sequence, under the Hub's names. The three are equally long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoding {
    /// Ids of the tokens.
    pub input_ids: Vec<u32>,
    /// 0 for the first segment with its special tokens, 1 for the second.
    pub token_type_ids: Vec<u32>,
    /// The tokens as text, continuations with `##`.
    pub tokens: Vec<String>,
}

impl Tokenizer {
    /// Takes parts that were checked: see [`crate::vocab::checked`].
    pub(crate) fn from_parts(
        pipeline: Pipeline,
        names: SpecialNames,
        special: SpecialTokens,
        tokens: &[(u32, String)],
    ) -> Self {
        let vocab_size = tokens.iter().map(|(id, _)| *id as usize + 1).max().unwrap_or(0);
        let prefix = pipeline.get_model().continuing_subword_prefix.as_str();
        let mut continues_word = vec![false; vocab_size];
        for (id, token) in tokens {
            let continues = !prefix.is_empty() && token.len() > prefix.len() && token.starts_with(prefix);
            continues_word[*id as usize] = continues;
        }
        let plain = Plain::new(&pipeline);
        let greedy = Greedy::new(pipeline.get_model(), special.unk);
        Self { pipeline, names, special, vocab_size, continues_word, plain, greedy, caches: Pool::default() }
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
        self.full_encoding(text, false)
    }

    /// `[CLS] text [SEP]`.
    pub fn encode_with_special_tokens(&self, text: &str) -> Encoding {
        self.full_encoding(text, true)
    }

    /// `[CLS] first [SEP] second [SEP]`.
    pub fn encode_pair(&self, first: &str, second: &str) -> Encoding {
        self.full_encoding((first, second), true)
    }

    fn full_encoding<'t>(
        &self,
        input: impl Into<tokenizers::EncodeInput<'t>>,
        add_special_tokens: bool,
    ) -> Encoding {
        let encoding = self.pipeline.encode_fast(input, add_special_tokens).expect(CANNOT_FAIL);
        let input_ids = encoding.get_ids().to_vec();
        // Without offsets, the library leaves the tokens' text out as well.
        let tokens = input_ids.iter().map(|&id| self.id_to_token(id).unwrap_or_default()).collect();
        Encoding { input_ids, token_type_ids: encoding.get_type_ids().to_vec(), tokens }
    }

    fn encode_with(&self, cache: &mut Cache, text: &str) -> Vec<u32> {
        let Some(plain) = &self.plain else { return self.encode_whole(text) };
        let mut ids = Vec::with_capacity(text.len() / 4);
        for piece in pipeline::pieces(text) {
            cache.extend(&mut ids, piece, |ids, piece| {
                let model = self.pipeline.get_model();
                if !plain.for_each_word(piece, |word| self.greedy.extend(ids, model, word)) {
                    ids.extend(self.encode_whole(piece));
                }
            });
        }
        ids
    }

    /// As the library does it.
    fn encode_whole(&self, text: &str) -> Vec<u32> {
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
