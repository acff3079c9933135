//! An encoder with a head, from a pre-trained folder or from a fine-tuned one.

use electra_encoder::{
    Attention, Compute, Encoder, EncoderConfig, EncoderWithHead, HubFolder, Input, Select, Weights,
};
use tch::{Device, Kind, Tensor, nn};

use crate::Error;
use crate::batches::{Item, TaskBatch};
use crate::config::Form;
use crate::heads::{self, Problem, Reads, TaskHead};

/// An encoder with the head of a task.
#[derive(Debug)]
pub(crate) struct TaskNetwork {
    network: EncoderWithHead<TaskHead>,
    pub(crate) problem: Problem,
    pub(crate) form: Form,
    compute: Compute,
}

impl TaskNetwork {
    /// A network without values. The head has the dropout of the encoder's hidden states.
    pub(crate) fn new(config: &EncoderConfig, problem: &Problem, form: Form, compute: Compute) -> Self {
        let head = |root: &nn::Path<'_>, _: &Encoder| TaskHead::new(root, config, problem, form);
        let network = EncoderWithHead::new(config, compute.device, head);
        Self { network, problem: problem.clone(), form, compute }
    }

    /// The network of a folder, whose head is of that form.
    pub(crate) fn from_hub(
        hub: &HubFolder,
        problem: &Problem,
        form: Form,
        compute: Compute,
    ) -> Result<Self, Error> {
        let head = |root: &nn::Path<'_>, _: &Encoder| TaskHead::new(root, &hub.config, problem, form);
        let network = EncoderWithHead::from_hub(hub, compute.device, head)?;
        Ok(Self { network, problem: problem.clone(), form, compute })
    }

    /// The initial weights of a fine-tuning: the encoder's from `weights`, the head's as a function of the seed.
    pub(crate) fn begin(&self, weights: &Weights, seed: u64) -> Result<(), Error> {
        Ok(self.network.begin(weights, seed)?)
    }

    pub(crate) fn var_store(&self) -> &nn::VarStore {
        &self.network.var_store
    }

    pub(crate) fn config(&self) -> &EncoderConfig {
        self.network.encoder.config()
    }

    pub(crate) fn device(&self) -> Device {
        self.network.var_store.device()
    }

    /// Items as the network takes them, on its device.
    pub(crate) fn batch(&self, items: &[&Item]) -> TaskBatch {
        TaskBatch::new(items, &self.problem, self.config().pad_token_id, self.device())
    }

    /// Logits: [B, C]; for tokens [B, L, C]; for spans [B, L, 2]; for choices
    /// [B, choices].
    pub(crate) fn forward_t(&self, batch: &TaskBatch, train: bool) -> Tensor {
        let input = Input {
            input_ids: &batch.input_ids,
            attention: Attention::Keys(&batch.attention_mask),
            token_type_ids: &batch.token_type_ids,
        };
        let first = Tensor::zeros([batch.input_ids.size()[0], 1], (Kind::Int64, self.device()));
        let select = match self.network.head.reads() {
            Reads::First => Select::Positions(&first),
            Reads::Tokens => Select::Unpadded,
            Reads::All => Select::All,
        };
        let encode = || self.network.encoder.forward_select_t(&input, select, train);
        let hidden = self.compute.run(encode).unwrap_or_else(|error| panic!("{error}")); // [rows, L or 1, D]
        let hidden = hidden.to_kind(Kind::Float);
        let rate = self.config().hidden_dropout_prob;
        let logits = self.network.head.forward_t(&hidden, &batch.attention_mask, rate, train);
        match &batch.slots {
            Some(slots) => heads::choices(&logits, slots),
            None => logits,
        }
    }

    pub(crate) fn loss(&self, logits: &Tensor, labels: &Tensor) -> Tensor {
        heads::loss(&self.problem, logits, labels)
    }
}
