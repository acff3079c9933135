//! Pre-trained networks as folders in the Hub's layout hold them.

use electra_encoder::{Architecture, EncoderWithHead, Error, HubFolder};
use tch::Device;

use crate::{ReplacedHead, VocabularyHead};

/// The head that an encoder was pre-trained with.
#[derive(Debug)]
pub enum PretrainedHead {
    /// Of a discriminator.
    Replaced(ReplacedHead),
    /// Of a generator, or of an encoder that was trained to predict tokens.
    Vocabulary(VocabularyHead),
    /// The folder holds no encoder with a head of pre-training.
    None,
}

/// The network of a folder: its encoder, and its head if it is one of pre-training. The head of a fine-tuned network is
/// left out; electra-evaluation reads it.
///
/// # Errors
/// If tensors are missing, surplus or misshapen, naming them.
pub fn pretrained(hub: &HubFolder, device: Device) -> Result<EncoderWithHead<PretrainedHead>, Error> {
    let config = &hub.config;
    match hub.architecture {
        Architecture::PreTraining => EncoderWithHead::from_hub(hub, device, |root, _| {
            PretrainedHead::Replaced(ReplacedHead::new(root, config))
        }),
        Architecture::MaskedLm | Architecture::CausalLm => {
            EncoderWithHead::from_hub(hub, device, |root, encoder| {
                let table = encoder.embeddings().word_embeddings();
                PretrainedHead::Vocabulary(VocabularyHead::new(root, config, table))
            })
        }
        _ => EncoderWithHead::from_hub(&hub.encoder(), device, |_, _| PretrainedHead::None),
    }
}
