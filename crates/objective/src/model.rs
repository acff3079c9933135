//! The two networks of an objective, made.

use electra_config::ModelConfig;
use electra_encoder::{Encoder, Tied};
use tch::nn;

use crate::{BoxError, Generator};

/// The kept encoder alone, its parameters under `root / "main"`.
#[must_use]
pub fn build_encoder(root: &nn::Path<'_>, config: &ModelConfig) -> Encoder {
    Encoder::new(&(root / "main" / "electra"), &config.encoder)
}

/// Refuses a model whose kept encoder has no word table of its own or of the generator's, for objectives that predict with it.
///
/// # Errors
/// If `config.tied` is [`Tied::GradientDisentangled`], naming the setting.
pub fn predicts_with_table(config: &ModelConfig) -> Result<(), BoxError> {
    if config.tied != Tied::GradientDisentangled {
        return Ok(());
    }
    let expected =
        "all-embeddings, word-only or none, as the kept encoder predicts tokens with its word table";
    Err(format!("model.tied: gradient-disentangled; expected {expected}").into())
}

/// A generator, its parameters under `root / "generator"`, and the kept encoder, under `root / "main"`,
/// which shares embeddings with it as `config.tied` says.
#[must_use]
pub fn build_with_generator(root: &nn::Path<'_>, config: &ModelConfig) -> (Generator, Encoder) {
    let generator = Generator::new(&(root / "generator"), &config.generator, config.temperature);
    let p = root / "main" / "electra";
    let embeddings = generator.embeddings().share(config.tied, &(&p / "embeddings"), &config.encoder);
    (generator, Encoder::with_embeddings(&p, &config.encoder, embeddings))
}
