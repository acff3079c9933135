//! An encoder to fine-tune.

use std::path::{Path, PathBuf};

use electra_encoder::{EncoderConfig, HubFolder, Weights};
use electra_tokenizer::Tokenizer;
use sha2::{Digest, Sha256};

use crate::Error;

/// A pre-trained encoder with its tokenizer, in memory: read once for all tasks and seeds.
#[derive(Debug)]
pub struct Pretrained {
    pub(crate) config: EncoderConfig,
    /// The encoder's alone.
    pub(crate) weights: Weights,
    pub(crate) tokenizer: Tokenizer,
    /// SHA-256 of configuration, weights and tokenizer, in hexadecimal digits.
    pub(crate) sha256: String,
}

impl Pretrained {
    /// Reads a folder in the Hub's layout that has its tokenizer in it, such as `electra export` writes. Any
    /// architecture will do; of a network with a head only the encoder is taken.
    ///
    /// # Errors
    /// If a file is missing or damaged, or the tokenizer has more tokens than the encoder.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let HubFolder { config, weights, .. } = HubFolder::read(folder)?.encoder();
        let tokenizer = tokenizer(folder, &config)?;
        let sha256 = sha256(&config, &weights, &tokenizer)?;
        Ok(Self { config, weights, tokenizer, sha256 })
    }

    /// What to say of tensors of the folder that the encoder has no use for.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        self.weights.note()
    }

    /// The encoder's configuration.
    #[must_use]
    pub fn config(&self) -> &EncoderConfig {
        &self.config
    }
}

/// The tokenizer of a model's folder.
///
/// # Errors
/// If its files are missing or damaged, or it has more tokens than the model.
pub fn tokenizer(folder: &Path, config: &EncoderConfig) -> Result<Tokenizer, Error> {
    let tokenizer = Tokenizer::load(folder)?;
    for (count, of_what, field, most) in [
        (tokenizer.vocab_size(), "tokens", "vocab_size", config.vocab_size),
        (tokenizer.type_vocab_size(), "token types", "type_vocab_size", config.type_vocab_size),
    ] {
        if count as i64 > most {
            return Err(Error::Model {
                folder: PathBuf::from(folder),
                field: "tokenizer".to_owned(),
                found: format!("{count} {of_what}"),
                expected: format!("at most the model's {field}, {most}"),
            });
        }
    }
    Ok(tokenizer)
}

fn sha256(config: &EncoderConfig, weights: &Weights, tokenizer: &Tokenizer) -> Result<String, Error> {
    let mut hash = Sha256::new();
    hash.update(serde_json::to_vec(config).expect("the fields of a configuration are numbers"));
    hash.update(tokenizer.fingerprint());
    for (name, tensor) in weights.iter() {
        let tensor = tensor.f_contiguous()?;
        let mut bytes = vec![0; tensor.numel() * tensor.kind().elt_size_in_bytes()];
        tensor.f_copy_data_u8(&mut bytes, tensor.numel())?;
        hash.update(name);
        hash.update(&bytes);
    }
    Ok(hex(&hash.finalize()))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
