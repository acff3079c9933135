//! What does not fit is named, and changes nothing.

use electra_encoder::{Error, Loader, Part, Tied, Weights, initialise};
use tch::{Device, Kind, Tensor};

use crate::support::{electra, mlm};

/// Tensors of an MLM run's parameters, changed by `change`.
fn weights(change: impl Fn(&mut Vec<(String, Tensor)>)) -> Weights {
    let var_store = mlm();
    initialise(&var_store, 0.02, 1).unwrap();
    let mut tensors: Vec<_> = var_store.variables().into_iter().collect();
    change(&mut tensors);
    Weights::new(tensors)
}

fn is_untouched(var_store: &tch::nn::VarStore) -> bool {
    let variables = var_store.variables();
    let mut matrices = variables.values().filter(|tensor| tensor.dim() == 2);
    matrices.all(|tensor| bool::try_from(tensor.isnan().all()).unwrap())
}

const QUERY: &str = "main.electra.encoder.layer.1.attention.self.query.weight";

#[test]
fn what_fits_is_loaded() {
    let var_store = mlm();
    let weights = weights(|_| {});
    weights.load_into(&var_store).unwrap();
    assert!(Weights::from_var_store(&var_store, Part::ALL).iter().eq(weights.iter()));
    assert!(var_store.variables().values().all(Tensor::requires_grad));
}

#[test]
fn other_kinds_are_converted() {
    let var_store = mlm();
    let saved = weights(|_| {});
    weights(|tensors| tensors.iter_mut().for_each(|(_, tensor)| *tensor = tensor.to_kind(Kind::Double)))
        .load_into(&var_store)
        .unwrap();
    assert!(Weights::from_var_store(&var_store, Part::ALL).iter().eq(saved.iter()));
}

#[test]
fn missing_surplus_and_misshapen_tensors_are_named() {
    let load = |change: fn(&mut Vec<(String, Tensor)>)| {
        let var_store = mlm();
        let error = weights(change).load_into(&var_store).unwrap_err();
        (error, is_untouched(&var_store))
    };
    let (error, untouched) =
        load(|tensors| tensors.retain(|(name, _)| !name.contains("layer.1.attention.self.query")));
    assert_eq!(
        error.to_string(),
        format!(
            "(memory): no tensors for these parameters: \
             main.electra.encoder.layer.1.attention.self.query.bias, {QUERY}"
        )
    );
    assert!(untouched);

    let (error, untouched) = load(|tensors| {
        let extra = |name: &str| (name.to_owned(), Tensor::zeros([2], (Kind::Float, Device::Cpu)));
        tensors.extend([extra("main.electra.pooler.bias"), extra("cls")]);
    });
    assert_eq!(
        error.to_string(),
        "(memory): tensors that this network does not have: cls, main.electra.pooler.bias"
    );
    assert!(untouched);

    let (error, untouched) = load(|tensors| {
        for (_, tensor) in tensors.iter_mut().filter(|(name, _)| name == QUERY) {
            *tensor = tensor.narrow(0, 0, 5);
        }
    });
    assert_eq!(
        error.to_string(),
        format!("(memory): tensors of another shape: {QUERY} is [5, 24], expected [24, 24]")
    );
    assert!(untouched);
}

#[test]
fn two_networks_that_differ_in_a_tied_table_are_refused() {
    // Untied networks of one run: their tables differ.
    let apart = electra(Tied::None);
    initialise(&apart.var_store, 0.02, 1).unwrap();
    let generator = Weights::from_var_store(&apart.var_store, Part::GENERATOR);
    let main = Weights::from_var_store(&apart.var_store, Part::MAIN);

    let together = electra(Tied::AllEmbeddings);
    let mut loader = Loader::new(&together.var_store);
    loader.fill(&generator, Part::GENERATOR, &[]).unwrap();
    let before = together.main.embeddings().word_embeddings().copy();
    let error = loader.fill(&main, Part::MAIN, &[]).unwrap_err();
    let name = "generator.electra.embeddings.";
    assert!(matches!(&error, Error::Conflict { name: found, .. } if found.starts_with(name)), "{error}");
    assert!(error.to_string().ends_with("in this run it is one parameter of both networks"), "{error}");
    assert_eq!(*together.main.embeddings().word_embeddings(), before);

    // The kept encoder alone, with a fresh generator: its tables are the shared ones.
    let together = electra(Tied::AllEmbeddings);
    initialise(&together.var_store, 0.02, 2).unwrap();
    let mut loader = Loader::new(&together.var_store);
    loader.fill(&main, Part::MAIN, &[]).unwrap();
    let error = loader.finish(&[]).unwrap_err();
    assert!(matches!(&error, Error::Missing { names, .. }
        if names.iter().all(|name| name.starts_with("generator."))
        && !names.iter().any(|name| name.contains("electra.embeddings."))));
    let mut loader = Loader::new(&together.var_store);
    loader.fill(&main, Part::MAIN, &[]).unwrap();
    loader.finish(&["generator."]).unwrap();
    assert_eq!(together.generator.embeddings().word_embeddings(), apart.main.embeddings().word_embeddings());
}
