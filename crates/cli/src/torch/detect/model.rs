//! The model of a Hub folder, and what it says of rows.

use std::path::Path;

use anyhow::{Result, bail};
use electra_encoder::{Architecture, Attention, Encoder, EncoderConfig, EncoderWithHead, HubFolder, Input};
use electra_objective::PretrainedHead;
use electra_tokenizer::Tokenizer;
use tch::{Device, Tensor};

use super::request::Row;

/// What is to be computed.
#[derive(Clone, Copy)]
pub(super) struct OutputOptions {
    pub(super) hidden: bool,
    pub(super) vocabulary: bool,
    /// Rows at once.
    pub(super) batch: usize,
}

/// A network on the CPU with the tokenizer beside it.
pub(super) struct Model {
    encoder: Encoder,
    head: PretrainedHead,
    architecture: Architecture,
    tokenizer: Option<Tokenizer>,
    options: OutputOptions,
}

/// What is said of one row, without what its batch was padded with.
#[derive(Default)]
pub(super) struct Output {
    /// `[L]`, of "replaced"; none of a generator.
    pub(super) logits: Option<Vec<f32>>,
    /// `[L, D]`
    pub(super) hidden: Option<Vec<Vec<f32>>>,
    /// `[L, V]`, of a generator.
    pub(super) vocabulary: Option<Vec<Vec<f32>>>,
}

impl Model {
    pub(super) fn load(folder: &Path, options: OutputOptions) -> Result<Self> {
        let hub = HubFolder::read(folder)?;
        let shown = folder.display();
        match hub.architecture {
            other if other != Architecture::PreTraining && !options.hidden => bail!(
                "{shown}: {} has no head that tells replaced tokens; expected {}, a discriminator \
                 (--json --hidden prints the hidden states of any)",
                hub.class(),
                Architecture::PreTraining.name(hub.config.architecture)
            ),
            other if other != Architecture::MaskedLm && options.vocabulary => bail!(
                "--vocabulary-logits: {shown}: {} has no head that predicts masked words; expected {}",
                hub.class(),
                Architecture::MaskedLm.name(hub.config.architecture)
            ),
            _ => {}
        }
        super::super::note(hub.weights.note().as_deref());
        let tokenizer = tokenizer(folder, &hub.config)?;
        let EncoderWithHead { encoder, head, .. } = electra_objective::pretrained(&hub, Device::Cpu)?;
        Ok(Self { encoder, head, architecture: hub.architecture, tokenizer, options })
    }

    pub(super) fn tokenizer(&self) -> Option<&Tokenizer> {
        self.tokenizer.as_ref()
    }

    pub(super) fn config(&self) -> &EncoderConfig {
        self.encoder.config()
    }

    /// What is said of each row, in their order. Rows of like length are computed together.
    pub(super) fn outputs(&self, rows: &[&Row]) -> Result<Vec<Output>> {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|&index| rows[index].input_ids.len());
        let mut outputs: Vec<Output> = rows.iter().map(|_| Output::default()).collect();
        for batch in order.chunks(self.options.batch) {
            let rows: Vec<&Row> = batch.iter().map(|&index| rows[index]).collect();
            for (&index, output) in batch.iter().zip(tch::no_grad(|| self.batch(&rows))?) {
                outputs[index] = output;
            }
        }
        Ok(outputs)
    }

    fn batch(&self, rows: &[&Row]) -> Result<Vec<Output>> {
        let length = rows.iter().map(|row| row.input_ids.len()).max().unwrap_or(0);
        let attention_mask = padded(rows, length, false, |row| &row.attention_mask)?;
        let attention = match self.architecture {
            // As transformers computes it: its configuration says is_decoder.
            Architecture::CausalLm => Attention::Causal(&attention_mask),
            _ => Attention::Keys(&attention_mask),
        };
        let hidden = self.encoder.forward_t(
            &Input {
                input_ids: &padded(rows, length, self.config().pad_token_id, |row| &row.input_ids)?,
                attention,
                token_type_ids: &padded(rows, length, 0, |row| &row.token_type_ids)?,
            },
            false,
        ); // [B, L, D]
        let logits = match &self.head {
            PretrainedHead::Replaced(head) => Some(head.forward(&hidden)), // [B, L]
            PretrainedHead::Vocabulary(_) | PretrainedHead::None => None,
        };
        let vocabulary = match &self.head {
            PretrainedHead::Vocabulary(head) if self.options.vocabulary => Some(head.forward(&hidden)), // [B, L, V]
            _ => None,
        };
        let row = |(index, row): (usize, &&Row)| -> Result<Output> {
            let own = |tensor: &Tensor| tensor.get(index as i64).narrow(0, 0, row.input_ids.len() as i64);
            let matrix = |tensor: &Tensor| Vec::<Vec<f32>>::try_from(own(tensor));
            Ok(Output {
                logits: logits.as_ref().map(|logits| Vec::<f32>::try_from(own(logits))).transpose()?,
                hidden: self.options.hidden.then(|| matrix(&hidden)).transpose()?,
                vocabulary: vocabulary.as_ref().map(matrix).transpose()?,
            })
        };
        rows.iter().enumerate().map(row).collect()
    }
}

/// The tokenizer of a folder that has one.
fn tokenizer(folder: &Path, config: &EncoderConfig) -> Result<Option<Tokenizer>> {
    if !["tokenizer.json", "vocab.txt"].iter().any(|name| folder.join(name).exists()) {
        return Ok(None);
    }
    Ok(Some(electra_evaluation::tokenizer(folder, config)?))
}

/// A field of the rows as `[B, L]`, the short ones filled up.
fn padded<'a, T: tch::kind::Element + Copy + 'a>(
    rows: &[&'a Row],
    length: usize,
    padding: T,
    field: impl Fn(&'a Row) -> &'a Vec<T>,
) -> Result<Tensor> {
    let mut cells = Vec::with_capacity(rows.len() * length);
    for (index, row) in rows.iter().enumerate() {
        cells.extend_from_slice(field(row));
        cells.resize((index + 1) * length, padding);
    }
    Ok(Tensor::f_from_slice(&cells)?.f_view([rows.len() as i64, length as i64])?)
}
