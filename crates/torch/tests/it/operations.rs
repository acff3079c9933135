use electra_torch::operations;
use tch::{Kind, Tensor};

#[test]
fn operations_are_listed_with_shapes_and_numbers() {
    let x = Tensor::from_slice(&[1_f32, 2.0]).set_requires_grad(true);
    let (sum, list) = operations(|| {
        let sum = (&x * 0.1).sum(Kind::Float);
        sum.backward();
        sum
    })
    .unwrap();
    assert!((sum.double_value(&[]) - 0.3).abs() < 1e-6);
    assert_eq!(list[0], "aten::mul.Scalar Float[2] 0.10000000000000001");
    assert!(list.iter().any(|call| call == "aten::sum.dim_IntList Float[2] { } False 6"), "{list:#?}");
    assert!(
        list.iter().any(|call| call == "aten::expand Float[] { 2 } False"),
        "of the pass backward: {list:#?}"
    );

    let (_, list) = operations(|| sum.double_value(&[])).unwrap();
    assert!(list.iter().any(|call| call.starts_with("aten::_local_scalar_dense")), "{list:#?}");
    let (_, list) = operations(|| ()).unwrap();
    assert!(list.is_empty());
}

#[test]
fn a_list_within_a_list_is_refused() {
    let (inner, list) = operations(|| operations(|| ())).unwrap();
    assert!(inner.unwrap_err().to_string().contains("operations are listed already"));
    assert!(list.is_empty());
    // After it a list can be made again.
    assert!(operations(|| ()).is_ok());
}
