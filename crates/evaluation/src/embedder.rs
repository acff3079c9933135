//! Texts as vectors, by an encoder that is left as it is.
//!
//! Shapes: N texts, L length, D hidden size.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use electra_encoder::{Attention, Compute, EncoderWithHead, HubFolder, Input};
use electra_tokenizer::Tokenizer;
use tch::{Device, Kind, Tensor, nn};

use crate::batches::{Row, by_length, tensors, tokens_at_once};
use crate::config::Pooling;
use crate::{Error, encode, pretrained};

/// An encoder that makes a vector of each text.
pub struct Embedder {
    network: EncoderWithHead<()>,
    tokenizer: Tokenizer,
    pooling: Pooling,
    compute: Compute,
    note: Option<String>,
}

impl std::fmt::Debug for Embedder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedder").field("pooling", &self.pooling).finish_non_exhaustive()
    }
}

impl Embedder {
    /// Reads a folder in the Hub's layout with its tokenizer; of a network with a head only the encoder is taken.
    ///
    /// # Errors
    /// If a file is missing or damaged.
    pub fn read(folder: &Path, pooling: Pooling, compute: Compute) -> Result<Self, Error> {
        let hub = HubFolder::read(folder)?.encoder();
        let tokenizer = pretrained::tokenizer(folder, &hub.config)?;
        let network = EncoderWithHead::from_hub(&hub, compute.device, |_: &nn::Path<'_>, _| ())?;
        Ok(Self { network, tokenizer, pooling, compute, note: hub.weights.note() })
    }

    /// What to say of tensors of the folder that the network has no use for.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// Numbers of a vector.
    #[must_use]
    pub fn size(&self) -> usize {
        usize::try_from(self.network.encoder.config().hidden_size).unwrap_or_default()
    }

    /// The vector of each text: of the last layer, that of `[CLS]` or the mean over all tokens, the special ones too, as
    /// sentence-transformers has it. Texts are cut where the encoder's rows end.
    ///
    /// # Shapes
    /// N texts → `[N, D]`, float32 on the CPU
    ///
    /// # Errors
    /// [`Error::Interrupted`] if `stop` became true, or an exception of libtorch.
    pub fn embed(&self, texts: &[impl AsRef<str>], stop: &AtomicBool) -> Result<Tensor, Error> {
        let config = self.network.encoder.config();
        let most = usize::try_from(config.max_position_embeddings).unwrap_or(usize::MAX);
        let row = |text: &str| encode::sequence(&self.tokenizer, &self.tokenizer.encode(text), None, most);
        let rows: Vec<Row> = texts.iter().map(|text| row(text.as_ref())).collect();
        let lengths: Vec<usize> = rows.iter().map(|row| row.input_ids.len()).collect();
        let mut vectors =
            Tensor::f_zeros([rows.len() as i64, config.hidden_size], (Kind::Float, Device::Cpu))?;
        for batch in by_length(&lengths, tokens_at_once(self.compute.device)) {
            if stop.load(Ordering::Relaxed) {
                return Err(Error::Interrupted);
            }
            let chosen: Vec<&Row> = batch.iter().map(|&index| &rows[index]).collect();
            let (ids, mask, types) = tensors(&chosen, config.pad_token_id, self.compute.device);
            let input = Input { input_ids: &ids, attention: Attention::Keys(&mask), token_type_ids: &types };
            let encode = || tch::no_grad(|| self.network.encoder.forward_t(&input, false));
            let states = self.compute.run(encode)?.f_to_kind(Kind::Float)?; // [B, L, D]
            let pooled = match self.pooling {
                Pooling::Cls => states.f_select(1, 0)?,
                Pooling::Mean => {
                    let weights = mask.unsqueeze(-1).f_to_kind(Kind::Float)?; // [B, L, 1]
                    let sum = states.f_mul(&weights)?.f_sum_dim_intlist(1, false, None::<Kind>)?;
                    sum.f_div(&weights.f_sum_dim_intlist(1, false, None::<Kind>)?)?
                }
            };
            let places: Vec<i64> = batch.iter().map(|&index| index as i64).collect();
            let _ =
                vectors.f_index_copy_(0, &Tensor::from_slice(&places), &pooled.f_to_device(Device::Cpu)?)?;
        }
        Ok(vectors)
    }
}
