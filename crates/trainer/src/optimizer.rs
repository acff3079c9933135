//! What learns the parameters of a run, and its state as a checkpoint holds it.

use electra_config::{Config, Precision};
use electra_encoder::{Compute, Weights};
use electra_torch::{AdamWConfig, Learner, LearnerConfig, Parameter, ParameterState, SkipCounts};
use tch::{Tensor, nn};

use crate::Error;
use crate::error::damaged;

/// A learner of every parameter of a run that needs gradients.
pub(crate) fn learner(var_store: &nn::VarStore, config: &Config, compute: Compute) -> Result<Learner, Error> {
    let Compute { device, precision, .. } = compute;
    let [beta1, beta2] = config.optimizer.betas;
    let (eps, bias_correction) = (config.optimizer.eps, config.optimizer.bias_correction);
    let settings = LearnerConfig {
        adamw: AdamWConfig { beta1, beta2, eps, bias_correction },
        weight_decay: config.optimizer.weight_decay,
        max_grad_norm: config.optimizer.clip,
        bf16: precision == Precision::Bf16,
        is_recordable: device.is_cuda(),
    };
    Ok(Learner::new(parameters(var_store), device, settings)?)
}

/// First what decays, then the rest: the order that the norm of the gradients is summed in.
pub(crate) fn parameters(var_store: &nn::VarStore) -> Vec<Parameter> {
    let mut parameters = Parameter::from_var_store(var_store);
    parameters.sort_by_key(|parameter| !parameter.is_decayed());
    parameters
}

/// Moments and step counts under `NAME.exp_avg`, `NAME.exp_avg_sq` and `NAME.steps`. The tensors are the live ones where
/// they are on the CPU.
pub(crate) fn state(learner: &Learner) -> Result<Weights, Error> {
    Ok(Weights::new(learner.state()?.flat_map(|(name, ParameterState { exp_avg, exp_avg_sq, steps })| {
        [
            (format!("{name}.exp_avg"), exp_avg),
            (format!("{name}.exp_avg_sq"), exp_avg_sq),
            (format!("{name}.steps"), Tensor::from(steps)),
        ]
    })))
}

/// Goes on before a step with what [`state`] gave.
pub(crate) fn resume(
    learner: &mut Learner,
    step: u64,
    skipped: SkipCounts,
    weights: &Weights,
) -> Result<(), Error> {
    let get = |name: &str, what: &str| {
        let key = format!("{name}.{what}");
        let missing = || damaged(weights.path(), format!("has no {key}"));
        weights.get(&key).map(Tensor::shallow_clone).ok_or_else(missing)
    };
    learner.resume(step, skipped, |name| {
        Ok(ParameterState {
            exp_avg: get(name, "exp_avg")?,
            exp_avg_sq: get(name, "exp_avg_sq")?,
            steps: get(name, "steps")?.f_int64_value(&[])?,
        })
    })
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
        let parameters = parameters(&var_store);
        assert_eq!(parameters.len(), var_store.variables().len());
        for Parameter { name, tensor, .. } in parameters.iter().filter(|parameter| !parameter.is_decayed()) {
            assert!(name.ends_with(".bias") || name.ends_with("LayerNorm.weight"), "{name}");
            assert_eq!(tensor.dim(), 1, "{name}");
        }
        let first_plain = parameters.iter().position(|parameter| !parameter.is_decayed()).unwrap();
        assert!(parameters[..first_plain].iter().all(|parameter| parameter.tensor.dim() == 2));
        assert!(parameters[first_plain..].iter().all(|parameter| !parameter.is_decayed()));
    }
}
