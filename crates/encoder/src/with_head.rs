//! An encoder with a head, as a folder in the Hub's layout holds them.

use tch::{Device, nn};

use crate::part::ENCODER;
use crate::{Encoder, EncoderConfig, Error, HubFolder, Loader, Part, Weights, initialise, shapes};

/// An encoder with a head on top of it, whose parameters have the Hub's names: the encoder's begin with `electra.`, the
/// head's are beside them.
#[derive(Debug)]
pub struct EncoderWithHead<H> {
    /// The parameters of both.
    pub var_store: nn::VarStore,
    /// The encoder.
    pub encoder: Encoder,
    /// What `new` or `from_hub` was given to make.
    pub head: H,
}

impl<H> EncoderWithHead<H> {
    /// Parameters without values. `head` makes the head under the path that it is given, which is the whole network's.
    ///
    /// # Panics
    /// As [`Encoder::new`].
    pub fn new(
        config: &EncoderConfig,
        device: Device,
        head: impl FnOnce(&nn::Path<'_>, &Encoder) -> H,
    ) -> Self {
        let var_store = nn::VarStore::new(device);
        let root = var_store.root();
        let encoder = Encoder::new(&(&root / "electra"), config);
        let head = head(&root, &encoder);
        Self { var_store, encoder, head }
    }

    /// The network that a folder holds. Every tensor must find its parameter and every parameter its tensor, so what is
    /// read here is what transformers reads without a warning. No parameter is made before the encoder's shapes are
    /// compared with the tensors'.
    ///
    /// # Errors
    /// If tensors are missing, surplus or misshapen, naming them.
    pub fn from_hub(
        hub: &HubFolder,
        device: Device,
        head: impl FnOnce(&nn::Path<'_>, &Encoder) -> H,
    ) -> Result<Self, Error> {
        shapes::check(&hub.config, &hub.weights).map_err(|error| hub.named(error))?;
        let network = Self::new(&hub.config, device, head);
        hub.weights.load_into(&network.var_store).map_err(|error| hub.named(error))?;
        Ok(network)
    }

    /// The initial weights of a fine-tuning: the encoder's are those of `encoder`, the tensors of an encoder without a head;
    /// the head's are a function of the seed, as [`initialise`] draws them.
    ///
    /// # Errors
    /// If a tensor is missing, surplus or misshapen, naming all that are.
    pub fn begin(&self, encoder: &Weights, seed: u64) -> Result<(), Error> {
        initialise(&self.var_store, self.encoder.config().initializer_range, seed)?;
        let mut drawn: Vec<String> = self.var_store.variables().into_keys().collect();
        drawn.retain(|name| !name.starts_with(ENCODER));
        let mut loader = Loader::new(&self.var_store);
        loader.fill(encoder, Part::ALL, &[])?;
        loader.finish(&drawn.iter().map(String::as_str).collect::<Vec<_>>())
    }
}
