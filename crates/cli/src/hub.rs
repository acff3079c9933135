//! A network made of a folder in the Hub's layout.

use anyhow::Result;
use electra_encoder::{Architecture, Encoder, HubFolder, Loader, Part};
use electra_objective::{ReplacedHead, VocabularyHead};
use tch::{Device, nn};

/// An encoder with its head, on the CPU.
pub(crate) struct Network {
    pub(crate) encoder: Encoder,
    pub(crate) head: Head,
}

pub(crate) enum Head {
    Replaced(ReplacedHead),
    Vocabulary(VocabularyHead),
    None,
}

impl Network {
    /// Every tensor must find its parameter and every parameter its tensor, so what loads here is what
    /// transformers loads without a warning.
    pub(crate) fn of(hub: &HubFolder) -> Result<Self> {
        let var_store = nn::VarStore::new(Device::Cpu);
        let root = var_store.root();
        let encoder = Encoder::new(&(&root / "electra"), &hub.config);
        let head = match hub.architecture {
            Architecture::PreTraining => Head::Replaced(ReplacedHead::new(&root, &hub.config)),
            Architecture::MaskedLm => {
                let table = encoder.embeddings().word_embeddings();
                Head::Vocabulary(VocabularyHead::new(&root, &hub.config, table))
            }
            _ => Head::None,
        };
        // The head of a fine-tuned network is none that is known here.
        let is_left_out = |name: &str| matches!(head, Head::None) && !name.starts_with("electra.");
        let without: Vec<&str> =
            hub.weights.iter().map(|(name, _)| name).filter(|name| is_left_out(name)).collect();
        let mut loader = Loader::new(&var_store);
        loader.fill(&hub.weights, Part::ALL, &without)?;
        loader.finish(&[])?;
        Ok(Self { encoder, head })
    }
}
