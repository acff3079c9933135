//! An encoder with a head, from a pre-trained folder or from a fine-tuned one.

use electra_encoder::{Encoder, EncoderConfig, Input, Loader, Part, Wanted, Weights};
use tch::{Device, Kind, Tensor, nn};

use crate::Error;
use crate::batches::Batch;
use crate::heads::{self, Form, Head, Problem, Reads};

/// What the names of an encoder's tensors begin with.
pub(crate) const ENCODER: &str = "electra.";

/// An encoder with a head.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) var_store: nn::VarStore,
    pub(crate) problem: Problem,
    encoder: Encoder,
    head: Head,
    pub(crate) form: Form,
}

impl Network {
    /// A network without values. The head has the dropout of the encoder's hidden states.
    pub(crate) fn new(config: &EncoderConfig, problem: &Problem, form: Form, device: Device) -> Self {
        let var_store = nn::VarStore::new(device);
        let root = var_store.root();
        let encoder = Encoder::new(&(&root / "electra"), config);
        let head = Head::new(&root, config, problem, form);
        Self { var_store, problem: problem.clone(), form, encoder, head }
    }

    /// The first values of a fine-tuning: the encoder's from `weights`, whose head is left out; the head's as
    /// a function of the seed.
    pub(crate) fn begin(&self, weights: &Weights, seed: u64) -> Result<(), Error> {
        let std = self.encoder.config().initializer_range;
        electra_encoder::initialise(&self.var_store, std, seed)?;
        let heads: Vec<&str> =
            weights.iter().map(|(name, _)| name).filter(|name| !name.starts_with(ENCODER)).collect();
        let fresh: Vec<String> =
            self.var_store.variables().into_keys().filter(|name| !name.starts_with(ENCODER)).collect();
        let mut loader = Loader::new(&self.var_store);
        loader.fill(weights, Part::ALL, &heads)?;
        Ok(loader.finish(&fresh.iter().map(String::as_str).collect::<Vec<_>>())?)
    }

    pub(crate) fn config(&self) -> &EncoderConfig {
        self.encoder.config()
    }

    pub(crate) fn device(&self) -> Device {
        self.var_store.device()
    }

    /// Logits: [B, C]; for tokens [B, L, C]; for spans [B, L, 2]; for choices
    /// [B, choices].
    pub(crate) fn forward_t(&self, batch: &Batch, train: bool) -> Tensor {
        let input = Input {
            input_ids: &batch.input_ids,
            attention_mask: &batch.attention_mask,
            token_type_ids: &batch.token_type_ids,
        };
        let first = Tensor::zeros([batch.input_ids.size()[0], 1], (Kind::Int64, self.device()));
        let wanted = match self.head.reads() {
            Reads::First => Wanted::At(&first),
            Reads::Tokens => Wanted::Tokens,
            Reads::All => Wanted::All,
        };
        let hidden = self.encoder.forward_wanted_t(&input, wanted, train); // [rows, L or 1, D]
        let logits =
            self.head.forward_t(&hidden, &batch.attention_mask, self.config().hidden_dropout_prob, train);
        match &batch.slots {
            Some(slots) => heads::choices(&logits, slots),
            None => logits,
        }
    }

    pub(crate) fn loss(&self, logits: &Tensor, labels: &Tensor) -> Tensor {
        heads::loss(&self.problem, logits, labels)
    }
}
