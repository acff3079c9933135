//! Folders in the Hub's layout: `config.json` and `model.safetensors`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use electra_config::{Architecture, Backbone, EncoderConfig};

use crate::part::ENCODER;
use crate::{Error, Weights, modernbert_names, names, shapes};

/// A checkpoint in the Hub's layout.
#[derive(Debug)]
pub struct HubFolder {
    /// The encoder's configuration.
    pub config: EncoderConfig,
    /// Which head the encoder has.
    pub architecture: Architecture,
    /// Every tensor, under the Hub's names: `electra.…`, then `discriminator_predictions.…` or
    /// `generator_predictions.…` and `generator_lm_head.bias`, or the head of a fine-tuned network, such as
    /// `classifier.…`. A ModernBERT's encoder and its heads of pre-training have these names here too, and their own in the
    /// file. The output table of a vocabulary head is the word table and is not among them; an
    /// encoder without a head has the first alone.
    pub weights: Weights,
}

const WEIGHTS: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
const PICKLES: [&str; 2] = ["pytorch_model.bin", "pytorch_model.bin.index.json"];

impl HubFolder {
    /// Reads `config.json` and `model.safetensors`, or the files that `model.safetensors.index.json` names.
    ///
    /// The encoder's tensors have the shapes that the configuration gives them; those of a head are compared when it is
    /// made, see [`EncoderWithHead::from_hub`](crate::EncoderWithHead::from_hub). A LayerNorm may have `gamma` and `beta`.
    /// What the network has no use for is left out, and [`Weights::note`] says so.
    ///
    /// # Errors
    /// If a file is missing or damaged, the configuration is not one of an encoder that is known here, a tensor of the
    /// encoder is missing or misshapen, a value is not finite, or the weights are a pickle.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        Ok(Self::read_with(folder)?.0)
    }

    /// As [`read`](Self::read), with all fields of `config.json`, such as the `id2label` of a fine-tuned network.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_with(folder: &Path) -> Result<(Self, Map<String, Value>), Error> {
        let (config, architecture, fields) = EncoderConfig::read_whole(&folder.join("config.json"))?;
        let (whole, index) = (folder.join(WEIGHTS), folder.join(INDEX));
        let mut weights = if whole.exists() {
            Weights::read(&whole)?
        } else if index.exists() {
            read_sharded(&index)?
        } else if let Some(pickle) = PICKLES.iter().map(|name| folder.join(name)).find(|path| path.exists()) {
            return Err(Error::Pickle {
                file: pickle,
                architecture: architecture.name(config.architecture).to_owned(),
            });
        } else {
            return Err(Error::NoWeights { folder: folder.to_owned() });
        };
        names::mend(config.architecture, architecture, &mut weights)?;
        let mut hub = Self { config, architecture, weights };
        shapes::check(&hub.config, &hub.weights).map_err(|error| hub.named(error))?;
        names::drop_unused(&hub.config, architecture, &mut hub.weights);
        hub.weights.check_finite().map_err(|error| hub.named(error))?;
        Ok((hub, fields))
    }

    /// The class of transformers that loads it.
    #[must_use]
    pub fn class(&self) -> &'static str {
        self.architecture.name(self.config.architecture)
    }

    /// An error about tensors, by the names that the file has.
    pub(crate) fn named(&self, error: Error) -> Error {
        match self.config.architecture {
            Backbone::Electra => error,
            Backbone::ModernBert => modernbert_names::of_file(self.architecture, error),
        }
    }

    /// The same encoder without its head. The tensors are the same, not copies.
    #[must_use]
    pub fn encoder(&self) -> Self {
        let weights = self.weights.beginning_with(ENCODER);
        Self { config: self.config.clone(), architecture: Architecture::Encoder, weights }
    }

    /// A ModernBERT's tensors under the names of its class; no copies.
    fn file_weights(&self) -> Weights {
        let in_file = |name: &str| modernbert_names::in_file(self.architecture, name);
        Weights::new(self.weights.iter().map(|(name, tensor)| (in_file(name), tensor.shallow_clone())))
    }

    /// Writes `model.safetensors`, then `config.json`, each whole or not at all, into a folder that is
    /// created if need be. transformers loads it without a warning if the weights are those of
    /// [`Weights::from_var_store`] a whole network.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), Error> {
        self.write_with(folder, &Map::new())
    }

    /// As [`write`](Self::write), with these fields in `config.json` as well, such as the `id2label` of a
    /// fine-tuned network. A field takes the place of the one of its name.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write_with(&self, folder: &Path, fields: &Map<String, Value>) -> Result<(), Error> {
        electra_store::create_folder(folder)?;
        match self.config.architecture {
            Backbone::Electra => self.weights.save(&folder.join(WEIGHTS))?,
            Backbone::ModernBert => self.file_weights().save(&folder.join(WEIGHTS))?,
        }
        let mut config = self.config.to_hub(self.architecture);
        config.extend(fields.clone());
        let text = format!("{:#}\n", Value::Object(config));
        Ok(electra_store::write(&folder.join("config.json"), text)?)
    }
}

/// Which file holds which tensor.
#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

fn read_sharded(path: &Path) -> Result<Weights, Error> {
    let text = electra_store::read(path)?;
    let index: Index = serde_json::from_slice(&text)
        .map_err(|error| Error::format(path, format!("no index of tensors: {error}")))?;
    let mut files = BTreeMap::<_, BTreeSet<_>>::new();
    for (name, file) in &index.weight_map {
        files.entry(file.as_str()).or_default().insert(name.as_str());
    }
    let mut shards = Vec::new();
    for (file, names) in files {
        // A file of this folder, and not of wherever a downloaded index may point to.
        if Path::new(file).file_name() != Some(file.as_ref()) {
            return Err(Error::format(path, format!("{file}: expected the name of a file beside it")));
        }
        let shard = Weights::read(&path.with_file_name(file))?;
        let held: BTreeSet<_> = shard.iter().map(|(name, _)| name).collect();
        if let Some(name) = names.symmetric_difference(&held).next() {
            let what =
                if held.contains(name) { "holds it, and the index does not say so" } else { "lacks it" };
            return Err(Error::format(path, format!("{name}: {file} {what}")));
        }
        shards.push(shard);
    }
    Ok(Weights::joined(path, shards))
}
