use tokenizers::Model;
use tokenizers::models::wordpiece::WordPiece;

/// Greedy longest match, as the library's, without a string for each attempt and without offsets.
#[derive(Debug, Clone)]
pub(crate) struct Greedy {
    unk: u32,
    /// Bytes of the longest token, prefix included: no match is longer.
    longest: usize,
}

impl Greedy {
    pub(crate) fn new(model: &WordPiece, unk: u32) -> Self {
        let longest = model.get_vocab().keys().map(String::len).max().unwrap_or(0);
        Self { unk, longest }
    }

    /// Appends the ids of a word, or the id of `[UNK]` alone if a part of it is not in the vocabulary.
    pub(crate) fn extend(&self, ids: &mut Vec<u32>, model: &WordPiece, word: &str) {
        let known = ids.len();
        if word.len() > model.max_input_chars_per_word
            && word.chars().count() > model.max_input_chars_per_word
        {
            ids.push(self.unk);
            return;
        }
        let prefix = &model.continuing_subword_prefix;
        let mut candidate = String::with_capacity(prefix.len() + word.len());
        let mut rest = word;
        while !rest.is_empty() {
            candidate.clear();
            if rest.len() < word.len() {
                candidate.push_str(prefix);
            }
            let own = candidate.len();
            candidate.push_str(rest);
            truncate(&mut candidate, self.longest);
            loop {
                if candidate.len() <= own {
                    ids.truncate(known);
                    ids.push(self.unk);
                    return;
                }
                if let Some(id) = model.token_to_id(&candidate) {
                    ids.push(id);
                    break;
                }
                candidate.pop();
            }
            rest = &rest[candidate.len() - own..];
        }
    }
}

/// To at most `length` bytes, at a character.
fn truncate(text: &mut String, length: usize) {
    if text.len() > length {
        text.truncate(text.floor_char_boundary(length));
    }
}
