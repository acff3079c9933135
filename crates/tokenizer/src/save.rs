use std::fs;
use std::io::{self, Write};
use std::path::Path;

use electra_store::{NewFile, NewFolder, create_folder};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::pipeline::{as_json, types};
use crate::{Error, Tokenizer};

impl Tokenizer {
    /// Writes `vocab.txt`, `special_tokens_map.json`, `tokenizer_config.json` and `tokenizer.json` into a
    /// folder. A folder that is missing or empty appears with the whole set or not at all. Into any other, the
    /// files are put one by one, each whole or not at all, `tokenizer.json`, which [`load`](Self::load)
    /// prefers, last; what lies there under these names is replaced.
    ///
    /// `transformers.AutoTokenizer` loads the folder and gives the same ids.
    ///
    /// # Errors
    /// [`Error::VocabTxt`] if the ids have holes or a token has a line break, so that `vocab.txt` could not
    /// say it; [`Error::Store`] if a file cannot be written. Nothing is replaced before all is written.
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<(), Error> {
        self.save_with(folder.as_ref(), Map::new())
    }

    /// As [`save`](Self::save), beside a model that reads at most `model_max_length` tokens. A tokenizer knows no
    /// longest row; said in `tokenizer_config.json`, `truncation=True` in transformers cuts where the model ends. Where the
    /// model has no token types, `model_input_names` leaves them out: its class would not take them.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn save_with_model(
        &self,
        folder: impl AsRef<Path>,
        model_max_length: i64,
        has_token_types: bool,
    ) -> Result<(), Error> {
        let mut more = Map::from_iter([("model_max_length".to_owned(), model_max_length.into())]);
        if !has_token_types {
            more.insert("model_input_names".to_owned(), vec!["input_ids", "attention_mask"].into());
        }
        self.save_with(folder.as_ref(), more)
    }

    /// With more keys of `tokenizer_config.json`.
    fn save_with(&self, folder: &Path, more: Map<String, Value>) -> Result<(), Error> {
        let mut config = self.tokenizer_config();
        config.extend(more);
        let files = [
            ("vocab.txt", self.vocab_txt()?),
            ("special_tokens_map.json", pretty(&self.special_tokens_map())),
            ("tokenizer_config.json", pretty(&config)),
            ("tokenizer.json", pretty(&self.pipeline)),
        ];
        let written = if is_free(folder) { write_whole(folder, &files) } else { write_into(folder, &files) };
        Ok(written?)
    }

    fn vocab_txt(&self) -> Result<String, Error> {
        let mut tokens: Vec<_> = tokenizers::Model::get_vocab(self.pipeline.get_model())
            .into_iter()
            .map(|(token, id)| (id, token))
            .collect();
        tokens.sort_unstable();
        let mut text = String::new();
        for (line, (id, token)) in tokens.iter().enumerate() {
            if *id as usize != line {
                let reason = format!("expected ids without holes, found no token with the id {line}");
                return Err(Error::VocabTxt { reason });
            }
            if token.contains(['\n', '\r']) {
                let reason = format!("expected tokens without line breaks, found {token:?} with the id {id}");
                return Err(Error::VocabTxt { reason });
            }
            text.push_str(token);
            text.push('\n');
        }
        Ok(text)
    }

    fn special_tokens_map(&self) -> Map<String, Value> {
        self.names.by_role().into_iter().map(|(role, token)| (role.to_owned(), json!(token))).collect()
    }

    fn tokenizer_config(&self) -> Map<String, Value> {
        let mut config = self.special_tokens_map();
        let model = self.pipeline.get_model();
        let normalizer = types(self.pipeline.get_normalizer());
        let bert = self.pipeline.get_normalizer().map(as_json).and_then(|normalizer| match normalizer {
            Value::Object(fields) if fields.contains_key("normalizers") => {
                fields["normalizers"][0].as_object().cloned()
            }
            Value::Object(fields) => Some(fields),
            _ => None,
        });
        let bert = bert.filter(|fields| fields.get("type") == Some(&json!("BertNormalizer")));
        // `BertTokenizer` of transformers 5 rebuilds BERT's own pipeline around the vocabulary and passes over
        // tokenizer.json; it may be named only where that is the pipeline. `PreTrainedTokenizerFast` takes
        // tokenizer.json as it is.
        let is_bert = normalizer == ["BertNormalizer"]
            && types(self.pipeline.get_pre_tokenizer()) == ["BertPreTokenizer"]
            && bert.as_ref().is_some_and(|fields| fields["clean_text"] == true)
            && model.continuing_subword_prefix == "##"
            && model.max_input_chars_per_word == 100;
        let class = if is_bert { "BertTokenizer" } else { "PreTrainedTokenizerFast" };
        config.insert("tokenizer_class".to_owned(), json!(class));
        if let Some(fields) = bert {
            config.insert("do_lower_case".to_owned(), fields["lowercase"].clone());
            config.insert("strip_accents".to_owned(), fields["strip_accents"].clone());
            config.insert("tokenize_chinese_chars".to_owned(), fields["handle_chinese_chars"].clone());
        }
        config
            .insert("model_input_names".to_owned(), json!(["input_ids", "token_type_ids", "attention_mask"]));
        config
    }
}

fn pretty(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("tokenizers are plain data with string keys");
    text.push('\n');
    text
}

/// A set of files: names and texts.
type Files = [(&'static str, String); 4];

/// Whether the folder is missing or empty. A link stays a link: what it points to is written into.
fn is_free(folder: &Path) -> bool {
    match fs::symlink_metadata(folder) {
        Err(error) => error.kind() == io::ErrorKind::NotFound,
        Ok(found) => found.is_dir() && fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none()),
    }
}

/// Writes the set into a temporary folder beside its place, which then takes its name.
fn write_whole(folder: &Path, files: &Files) -> Result<(), electra_store::Error> {
    if folder.file_name().is_none() {
        return write_into(folder, files);
    }
    let new = NewFolder::create_all(folder)?;
    write_into(new.path(), files)?;
    match new.finish() {
        // An empty folder that cannot be replaced, such as the root of a file system.
        Err(_) if folder.is_dir() && is_free(folder) => write_into(folder, files),
        finished => finished,
    }
}

/// Puts the files into a folder, each whole or not at all; none gets its name before all are written.
fn write_into(folder: &Path, files: &Files) -> Result<(), electra_store::Error> {
    create_folder(folder)?;
    let mut written = Vec::new();
    for (name, text) in files {
        let path = folder.join(name);
        let mut file = NewFile::create(&path)?;
        file.write_all(text.as_bytes()).map_err(electra_store::io(&path, "writing it"))?;
        written.push(file);
    }
    NewFile::finish_all(written)
}
