//! The optimizer of a run, and its state by the names of the parameters.

use electra_config::OptimizerConfig;
use electra_encoder::{Weights, is_decayed};
use electra_torch::{AdamW, AdamWConfig, Group, ParameterState};
use tch::{Tensor, nn};

use crate::Error;
use crate::error::damaged;

/// AdamW over every parameter of a run that needs gradients.
#[derive(Debug)]
pub(crate) struct Optimizer {
    adamw: AdamW,
    /// In the optimizer's order.
    names: Vec<String>,
}

impl Optimizer {
    pub(crate) fn new(var_store: &nn::VarStore, config: &OptimizerConfig) -> Result<Self, Error> {
        let mut parameters: Vec<(String, Tensor)> =
            var_store.variables().into_iter().filter(|(_, tensor)| tensor.requires_grad()).collect();
        // By name, as the map's order changes from run to run and sums over parameters would with it.
        parameters.sort_by(|one, other| one.0.cmp(&other.0));
        let (decayed, plain): (Vec<_>, Vec<_>) =
            parameters.into_iter().partition(|(name, _)| is_decayed(name));
        let names = decayed.iter().chain(&plain).map(|(name, _)| name.clone()).collect();
        let group = |parameters: Vec<(String, Tensor)>, weight_decay| Group {
            parameters: parameters.into_iter().map(|(_, tensor)| tensor).collect(),
            weight_decay,
            lr_scale: 1.0,
        };
        let groups = vec![group(decayed, config.weight_decay), group(plain, 0.0)];
        let [beta1, beta2] = config.betas;
        let constants =
            AdamWConfig { beta1, beta2, eps: config.eps, bias_correction: config.bias_correction };
        Ok(Self { adamw: AdamW::new(groups, constants)?, names })
    }

    /// Moments and step counts under `NAME.exp_avg`, `NAME.exp_avg_sq` and `NAME.steps`. The tensors are the
    /// live ones where they are on the CPU.
    pub(crate) fn state(&self) -> Result<Weights, Error> {
        let state = self.names.iter().zip(self.adamw.state()?);
        Ok(Weights::new(state.flat_map(|(name, ParameterState { exp_avg, exp_avg_sq, steps })| {
            [
                (format!("{name}.exp_avg"), exp_avg),
                (format!("{name}.exp_avg_sq"), exp_avg_sq),
                (format!("{name}.steps"), Tensor::from(steps)),
            ]
        })))
    }

    pub(crate) fn set_state(&mut self, weights: &Weights) -> Result<(), Error> {
        let get = |name: &str, what: &str| {
            let key = format!("{name}.{what}");
            let missing = || damaged(weights.path(), format!("has no {key}"));
            weights.get(&key).map(Tensor::shallow_clone).ok_or_else(missing)
        };
        let state = self.names.iter().map(|name| {
            Ok(ParameterState {
                exp_avg: get(name, "exp_avg")?,
                exp_avg_sq: get(name, "exp_avg_sq")?,
                steps: get(name, "steps")?.f_int64_value(&[])?,
            })
        });
        Ok(self.adamw.set_state(&state.collect::<Result<Vec<_>, Error>>()?)?)
    }
}

impl std::ops::Deref for Optimizer {
    type Target = AdamW;
    fn deref(&self) -> &AdamW {
        &self.adamw
    }
}

impl std::ops::DerefMut for Optimizer {
    fn deref_mut(&mut self) -> &mut AdamW {
        &mut self.adamw
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use electra_encoder::EncoderConfig;
    use electra_objective::{Electra, ModelConfig};
    use tch::Device;

    #[test]
    fn layer_norms_and_biases_do_not_decay() {
        let var_store = nn::VarStore::new(Device::Cpu);
        let encoder = EncoderConfig { vocab_size: 50, ..EncoderConfig::tiny() };
        let _objective = Electra::new(&var_store.root(), &ModelConfig::paper(encoder, 0.25));
        let mut plain: Vec<String> =
            var_store.variables().into_keys().filter(|name| !is_decayed(name)).collect();
        plain.sort();
        assert!(plain.iter().all(|name| name.ends_with(".bias") || name.ends_with("LayerNorm.weight")));
        let one_dimensional = var_store.variables().values().filter(|tensor| tensor.dim() == 1).count();
        assert_eq!(plain.len(), one_dimensional);
        assert!(is_decayed("main.electra.encoder.layer.0.attention.self.query.weight"));
    }
}
