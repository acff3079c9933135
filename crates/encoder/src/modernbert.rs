//! The layers of ModernBERT, which stand between its embeddings and its heads.

use electra_config::EncoderConfig;
use electra_torch::{Attention, ModernBertLayer, ModernBertSettings, Rotary, Select, modernbert_layers};
use tch::{Tensor, nn};

use crate::layers::{matrix, ones};

/// The layers, and the LayerNorm behind the last.
#[derive(Debug)]
pub(crate) struct ModernBert {
    layers: Vec<Layer>,
    final_norm: Tensor,
}

/// Attention, then a gated feed-forward network; the names are the Hub's.
#[derive(Debug)]
struct Layer {
    /// In every layer but the first.
    attn_norm: Option<Tensor>,
    wqkv: Tensor,
    attn_wo: Tensor,
    mlp_norm: Tensor,
    mlp_wi: Tensor,
    mlp_wo: Tensor,
    rotary: Rotary,
    window: Option<i64>,
}

impl Layer {
    fn new(p: &nn::Path<'_>, config: &EncoderConfig, index: i64) -> Self {
        let (size, inner) = (config.hidden_size, config.intermediate_size);
        let (attn, mlp) = (p / "attn", p / "mlp");
        let is_global = config.is_global(index);
        let theta = if is_global { config.global_rope_theta } else { config.local_rope_theta };
        Self {
            attn_norm: (index > 0).then(|| ones(&(p / "attn_norm"), size)),
            wqkv: matrix(&(&attn / "Wqkv"), size, 3 * size),
            attn_wo: matrix(&(&attn / "Wo"), size, size),
            mlp_norm: ones(&(p / "mlp_norm"), size),
            mlp_wi: matrix(&(&mlp / "Wi"), size, 2 * inner),
            mlp_wo: matrix(&(&mlp / "Wo"), inner, size),
            rotary: Rotary { theta, interleaved: false },
            window: (!is_global).then_some(config.local_attention / 2),
        }
    }

    fn parameters(&self) -> ModernBertLayer<'_> {
        ModernBertLayer {
            attention_norm: self.attn_norm.as_ref(),
            wqkv: &self.wqkv,
            attention_wo: &self.attn_wo,
            mlp_norm: &self.mlp_norm,
            mlp_wi: &self.mlp_wi,
            mlp_wo: &self.mlp_wo,
            rotary: self.rotary,
            window: self.window,
        }
    }
}

impl ModernBert {
    /// Layers under `p`, which is at `….electra`.
    pub(crate) fn new(p: &nn::Path<'_>, config: &EncoderConfig) -> Self {
        let layers = p / "layers";
        Self {
            layers: (0..config.num_hidden_layers)
                .map(|index| Layer::new(&(&layers / index), config, index))
                .collect(),
            final_norm: ones(&(p / "final_norm"), config.hidden_size),
        }
    }

    /// # Shapes
    /// `[B, L, D]` → `[B, L, D]`, or at positions `[B, N]` `[B, N, D]`
    pub(crate) fn forward(
        &self,
        x: &Tensor,
        attention: Attention<'_>,
        select: Select<'_>,
        settings: ModernBertSettings,
    ) -> Tensor {
        let layers: Vec<_> = self.layers.iter().map(Layer::parameters).collect();
        modernbert_layers(x, attention, select, settings, &layers, Some(&self.final_norm))
    }

    /// What each layer gives; as in transformers the last is behind the LayerNorm.
    pub(crate) fn hidden_states(
        &self,
        first: Tensor,
        attention: Attention<'_>,
        settings: ModernBertSettings,
    ) -> Vec<Tensor> {
        let mut states = vec![first];
        for (index, layer) in self.layers.iter().enumerate() {
            let norm = (index + 1 == self.layers.len()).then_some(&self.final_norm);
            let x = &states[states.len() - 1];
            states.push(modernbert_layers(x, attention, Select::All, settings, &[layer.parameters()], norm));
        }
        states
    }
}
