//! Losses, gradients and three optimizer steps as PyTorch computes them: `tests/golden/make_golden.py`, or
//! another folder that it has made, named by `ELECTRA_GOLDEN`; and `make_field.py` for objectives that are not the paper's.
//! `make_corruption_golden.py` made `corruption`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use electra_encoder::{EncoderConfig, Tied, Weights};
use electra_objective::{DeviceBatch, ModelConfig};
use electra_torch::{AdamW, AdamWConfig, Group, at_each_kernel_level, clip_grad_norm};
use serde_json::Value;
use tch::{Device, Kind, Tensor, nn};

use crate::support::relative_error;

fn here(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(folder)
}

fn tiny() -> PathBuf {
    std::env::var_os("ELECTRA_GOLDEN").map_or_else(|| here("tiny"), PathBuf::from)
}

/// Columns of flags that objectives of `make_field.py` are fed.
const FLAGS: &[&str] = &["continued", "causal_rows", "masked_rows", "rows", "text"];
/// Those of ids.
const IDS: &[&str] = &["permutation_ranks"];

struct Golden {
    meta: Value,
    model: ModelConfig,
    steps: Weights,
    folder: PathBuf,
}

impl Golden {
    fn read(folder: &Path, objective: &str) -> Self {
        let config = |network: &str| EncoderConfig::read(&folder.join(network).join("config.json")).unwrap();
        let meta = std::fs::read(folder.join(objective).join("meta.json")).unwrap();
        let meta: Value = serde_json::from_slice(&meta).unwrap();
        // Without weights of its own, a set has those of the paper.
        let weight = |name: &str| meta.get(name).and_then(Value::as_f64).unwrap_or(1.0);
        let model = ModelConfig {
            generator: config("generator"),
            tied: Tied::AllEmbeddings,
            gen_weight: weight("gen_weight"),
            disc_weight: meta["lambda_"].as_f64().unwrap(),
            softmax_weight: weight("softmax_weight"),
            temperature: weight("temperature"),
            ..ModelConfig::paper(config("discriminator"), 1.0)
        };
        let folder = folder.join(objective);
        Self { meta, model, steps: Weights::read(&folder.join("steps.safetensors")).unwrap(), folder }
    }

    fn weights(&self, name: &str) -> Weights {
        Weights::read(&self.folder.join(format!("{name}.safetensors"))).unwrap()
    }

    fn number(&self, field: &str) -> f64 {
        self.meta[field].as_f64().unwrap()
    }

    fn tensor(&self, step: i64, name: &str) -> Tensor {
        self.steps.get(&format!("{step}.{name}")).unwrap().shallow_clone()
    }

    fn figure(&self, step: i64, name: &str) -> f64 {
        self.tensor(step, name).double_value(&[0])
    }

    fn batch(&self, step: i64) -> DeviceBatch {
        let batch = DeviceBatch::from_tensors(
            self.tensor(step, "input_ids"),
            self.tensor(step, "attention_mask").to_kind(Kind::Bool),
            self.tensor(step, "token_type_ids"),
        );
        let batch = FLAGS.iter().fold(batch, |batch, name| match self.steps.get(&format!("{step}.{name}")) {
            Some(flags) => batch.with(name, flags.to_kind(Kind::Bool)),
            None => batch,
        });
        let batch = IDS.iter().fold(batch, |batch, name| match self.steps.get(&format!("{step}.{name}")) {
            Some(ids) => batch.with(name, ids.shallow_clone()),
            None => batch,
        });
        match self.steps.get(&format!("{step}.masked_positions")) {
            Some(_) => self.with_masks(batch, step),
            None => batch,
        }
    }

    /// With the uniform numbers that samples follow from where the set has them, and with the samples where not.
    fn with_masks(&self, batch: DeviceBatch, step: i64) -> DeviceBatch {
        let positions = self.tensor(step, "masked_positions");
        let valid = self.tensor(step, "masked_valid").to_kind(Kind::Bool);
        let batch = batch
            .with("masked_input_ids", self.tensor(step, "generator_input_ids"))
            .with("masked_distinct", valid.copy())
            .with("masked_valid", valid)
            .with(
                "uniforms",
                self.uniforms(step).unwrap_or_else(|| positions.zeros_like().to_kind(Kind::Float)),
            )
            .with("masked_positions", positions);
        // Of weighted masks.
        let batch = match self.steps.get(&format!("{step}.masked_weights")) {
            Some(weights) => batch
                .with("masked_weights", weights.shallow_clone())
                .with("maskable", self.tensor(step, "maskable").to_kind(Kind::Bool)),
            None => batch,
        };
        match self.uniforms(step) {
            Some(_) => batch,
            None => batch.with("sampled_ids", self.tensor(step, "sampled_ids")),
        }
    }

    fn uniforms(&self, step: i64) -> Option<Tensor> {
        self.steps.get(&format!("{step}.uniforms")).map(Tensor::shallow_clone)
    }

    /// The original ids with the samples in.
    fn corrupted_ids(&self, step: i64) -> Tensor {
        let (ids, positions) = (self.tensor(step, "input_ids"), self.tensor(step, "masked_positions"));
        let valid = self.tensor(step, "masked_valid").to_kind(Kind::Bool);
        let written = self.tensor(step, "sampled_ids").where_self(&valid, &ids.gather(1, &positions, false));
        ids.scatter(1, &positions, &written)
    }

    fn optimizer(&self, variables: &BTreeMap<String, Tensor>) -> AdamW {
        let is_decayed = |name: &str| !name.contains("LayerNorm") && !name.ends_with("bias");
        let group = |decayed: bool| Group {
            parameters: variables
                .iter()
                .filter(|(name, _)| is_decayed(name) == decayed)
                .map(|(_, parameter)| parameter.shallow_clone())
                .collect(),
            weight_decay: if decayed { self.number("weight_decay") } else { 0.0 },
            lr_scale: 1.0,
        };
        let config = AdamWConfig { eps: self.number("eps"), ..AdamWConfig::paper() };
        AdamW::new(vec![group(true), group(false)], config).unwrap()
    }
}

/// Runs the three steps of an objective at every level of kernels; two metrics hold the two losses.
fn check(folder: &Path, objective: &str, generator_metric: Option<&str>, main_metric: &str) {
    at_each_kernel_level(&format!("the golden steps of {objective}"), |_| {
        check_at_level(folder, objective, generator_metric, main_metric);
    });
}

fn check_at_level(folder: &Path, objective: &str, generator_metric: Option<&str>, main_metric: &str) {
    let golden = Golden::read(folder, objective);
    let parameters = nn::VarStore::new(Device::Cpu);
    let network = crate::support::build(objective, &parameters.root(), &golden.model);
    golden.weights("initial").load_into(&parameters).unwrap();
    let variables: BTreeMap<String, Tensor> = parameters.variables().into_iter().collect();
    let mut optimizer = golden.optimizer(&variables);

    for step in 1..=3 {
        let batch = golden.batch(step);
        if generator_metric.is_some() {
            let corrupted = network.inspect(&batch).unwrap().corrupted_ids.unwrap();
            assert!(corrupted.equal(&golden.corrupted_ids(step)), "{objective}, step {step}: the samples");
        }
        let output = network.forward_t(&batch, true);
        output.loss.backward();
        let metrics: BTreeMap<String, f64> = output
            .metrics
            .compute()
            .into_iter()
            .map(|metric| (metric.name, metric.value.double_value(&[])))
            .collect();
        let close = |what: &str, found: f64, tolerance: f64| {
            let expected = golden.figure(step, what);
            let error = (found - expected).abs() / expected.abs().max(1.0);
            assert!(error < tolerance, "{objective}, step {step}: {what} is {found}, expected {expected}");
        };
        // After the first step two paths of rounding have parted.
        let tolerance = if step == 1 { 1e-5 } else { 1e-4 };
        close("loss", output.loss.double_value(&[]), tolerance);
        close("main_loss", metrics[main_metric], tolerance);
        if let Some(metric) = generator_metric {
            close("gen_loss", metrics[metric], tolerance);
        }
        let clip = clip_grad_norm(optimizer.parameters(), golden.number("clip")).unwrap();
        close("grad_norm", clip.norm().double_value(&[]), 1e-4);
        if step == 1 {
            let expected = golden.weights("gradients");
            // The gradient of a key's bias is zero but for rounding, whose size is the whole gradient's.
            let floor = 1e-3 * golden.figure(step, "grad_norm");
            for (name, expected) in expected.iter() {
                let error = relative_error(&variables[name].grad(), expected, floor);
                assert!(error < 1e-4, "{objective}: gradient of {name} is off by {error:e}");
            }
            for (name, variable) in &variables {
                let has = variable.grad().defined();
                assert_eq!(has, expected.get(name).is_some(), "{objective}: gradient of {name}");
            }
        }
        let (warmup, total) = (golden.number("warmup"), golden.number("total"));
        let t = step as f64;
        let lr = golden.number("lr") * (1.0 - t / total) * (t / warmup).min(1.0);
        optimizer.step(lr, &clip).unwrap();
        optimizer.zero_grad().unwrap();
    }
    for (name, expected) in golden.weights("final").iter() {
        let error = relative_error(&variables[name], expected, 1e-3);
        assert!(error < 1e-4, "{objective}: {name} is off by {error:e} after three steps");
    }
}

#[test]
fn mlm() {
    check(&tiny(), "mlm", None, "masked_lm_loss");
}

#[test]
fn electra() {
    check(&tiny(), "electra", Some("masked_lm_loss"), "disc_loss");
}

#[test]
fn electra_15() {
    check(&tiny(), "electra-15", Some("masked_lm_loss"), "disc_loss");
}

#[test]
fn replace_mlm() {
    check(&tiny(), "replace-mlm", Some("masked_lm_loss"), "main_masked_lm_loss");
}

#[test]
fn all_tokens_mlm() {
    check(&tiny(), "all-tokens-mlm", Some("masked_lm_loss"), "main_loss");
}

#[test]
fn clm() {
    check(&here("field"), "clm", None, "lm_loss");
}

#[test]
fn permutation_lm() {
    check(&here("field"), "permutation-lm", None, "masked_lm_loss");
}

/// Of its two losses, a share each, the whole is compared.
#[test]
fn gpt_bert() {
    check(&here("field"), "gpt-bert", None, "main_loss");
}

#[test]
fn electric() {
    check(&here("field"), "electric", Some("noise_loss"), "disc_loss");
}

/// With other weights than the paper's, and with samples that are the generator's own at another temperature.
#[test]
fn weights_and_temperature() {
    for (objective, main_metric) in [
        ("electra", "disc_loss"),
        ("electra-15", "disc_loss"),
        ("replace-mlm", "main_masked_lm_loss"),
        ("all-tokens-mlm", "main_loss"),
    ] {
        let golden = Golden::read(&here("weighted"), objective);
        let weights = [golden.model.gen_weight, golden.model.softmax_weight, golden.model.temperature];
        assert!(weights.iter().all(|weight| ![0.0, 1.0].contains(weight)), "{objective}: {weights:?}");
        assert!(golden.uniforms(1).is_some() && golden.model.disc_weight != 50.0, "{objective}");
        check(&here("weighted"), objective, Some("masked_lm_loss"), main_metric);
    }
}

/// Masked diffusion: rows with shares of masks of their own, and weights of 1/share.
#[test]
fn weighted_masks() {
    let golden = Golden::read(&here("corruption"), "mlm");
    let weights = golden.tensor(1, "masked_weights");
    assert!(weights.max().double_value(&[]) > 2.0 * weights.select(0, 3).max().double_value(&[]));
    check(&here("corruption"), "mlm", None, "masked_lm_loss");
}

#[test]
fn coco_clm() {
    check(&here("corruption"), "coco-clm", Some("masked_lm_loss"), "main_masked_lm_loss");
}

#[test]
fn electra_gdes() {
    check(&here("corruption"), "electra-gdes", Some("masked_lm_loss"), "disc_loss");
}
