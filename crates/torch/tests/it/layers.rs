use crate::panics;
use electra_torch::{
    Affine, Attention, KernelLevel, LayerParameters, LayerSettings, Select, encoder_layers, operations,
    with_kernel_level,
};
use tch::{Device, Kind, Tensor};

const EPS: f64 = 1e-12;

/// Weights and biases of a layer with hidden size `d` and an inner size of 4 d.
pub(crate) fn parameters(d: i64) -> Vec<[Tensor; 2]> {
    let linear = |outputs: i64, inputs: i64| {
        [[outputs, inputs].as_slice(), &[outputs]].map(|shape| Tensor::randn(shape, CPU) * 0.1)
    };
    let norm = || [Tensor::randn([d], CPU) * 0.1 + 1.0, Tensor::randn([d], CPU) * 0.1];
    let all = [
        linear(d, d),
        linear(d, d),
        linear(d, d),
        linear(d, d),
        norm(),
        linear(4 * d, d),
        linear(d, 4 * d),
        norm(),
    ];
    all.map(|pair| pair.map(|tensor| tensor.set_requires_grad(true))).into()
}

const CPU: (Kind, Device) = (Kind::Float, Device::Cpu);

/// All keys.
pub(crate) fn open(b: i64, l: i64) -> Tensor {
    Tensor::ones([b, l], (Kind::Bool, Device::Cpu))
}

pub(crate) fn settings(heads: i64, dropout: f64) -> LayerSettings {
    LayerSettings { heads, eps: EPS, hidden_dropout: dropout, attention_dropout: dropout, rotary: None }
}

fn fused(x: &Tensor, mask: &Tensor, heads: i64, p: &[[Tensor; 2]]) -> Tensor {
    with_settings(x, mask, settings(heads, 0.0), p)
}

pub(crate) fn with_settings(x: &Tensor, mask: &Tensor, settings: LayerSettings, p: &[[Tensor; 2]]) -> Tensor {
    encoder_layers(x, Attention::Keys(mask), Select::All, settings, &[parameters_of(p)])
}

fn parameters_of(p: &[[Tensor; 2]]) -> LayerParameters<'_> {
    let affine = |index: usize| Affine { weight: &p[index][0], bias: &p[index][1] };
    LayerParameters {
        query: affine(0),
        key: affine(1),
        value: affine(2),
        attention_output: affine(3),
        attention_layer_norm: affine(4),
        intermediate: affine(5),
        output: affine(6),
        layer_norm: affine(7),
    }
}

/// The same by libtorch's own operations.
fn plain(x: &Tensor, mask: &Tensor, heads: i64, p: &[[Tensor; 2]]) -> Tensor {
    let [b, l, d] = x.size()[..] else { panic!() };
    let linear = |x: &Tensor, index: usize| x.linear(&p[index][0], Some(&p[index][1]));
    let norm =
        |x: &Tensor, index: usize| x.layer_norm([d], Some(&p[index][0]), Some(&p[index][1]), EPS, true);
    let of_heads = |index: usize| linear(x, index).view([b, l, heads, d / heads]).transpose(1, 2);
    let attended = Tensor::scaled_dot_product_attention(
        &of_heads(0),
        &of_heads(1),
        &of_heads(2),
        Some(mask.unsqueeze(1).unsqueeze(1)),
        0.0,
        false,
        None,
        false,
    );
    let middle = norm(&(linear(&attended.transpose(1, 2).reshape([b, l, d]), 3) + x), 4);
    norm(&(linear(&linear(&middle, 5).gelu("none"), 6) + &middle), 7)
}

/// Output and gradients, of the input first.
fn run(x: &Tensor, p: &[[Tensor; 2]], layer: impl Fn(&Tensor) -> Tensor) -> Vec<Tensor> {
    let x = x.detach().copy().set_requires_grad(true);
    let output = layer(&x);
    let weights = Tensor::arange(output.numel() as i64, CPU).sin().view_as(&output);
    (&output * weights).sum(Kind::Float).backward();
    let mut all = vec![output.detach(), x.grad()];
    for tensor in p.iter().flatten() {
        all.push(electra_torch::grad(tensor).unwrap().copy());
    }
    electra_torch::zero_grad(&p.iter().flatten().map(Tensor::shallow_clone).collect::<Vec<_>>()).unwrap();
    all
}

#[test]
fn a_fused_layer_has_the_numbers_and_gradients_of_its_operations() {
    // The last with weights so large that GELU and softmax are met far from 0.
    for (b, l, d, heads, padding, scale) in [
        (3, 7, 16, 2, 2, 1.0),
        (1, 1, 8, 1, 0, 1.0),
        (2, 70, 64, 4, 33, 1.0),
        (5, 46, 32, 2, 0, 1.0),
        (4, 9, 16, 2, 3, 20.0),
        // Heads of one, three and four vectors; the first on examples too long for the kernels of attention.
        (1, 101, 32, 2, 5, 1.0),
        (2, 19, 96, 2, 4, 1.0),
        (2, 35, 128, 2, 0, 1.0),
    ] {
        tch::manual_seed(b + l);
        let p = parameters(d);
        tch::no_grad(|| {
            for pair in &p {
                let _ = pair[0].shallow_clone().g_mul_scalar_(scale);
            }
        });
        let x = Tensor::randn([b, l, d], CPU);
        let mask = open(b, l);
        let _ = mask.narrow(1, l - padding, padding).narrow(0, 0, 1).fill_(0);
        let ours = run(&x, &p, |x| fused(x, &mask, heads, &p));
        let libtorch = run(&x, &p, |x| plain(x, &mask, heads, &p));
        let most_of_all = libtorch.iter().map(|x| x.abs().max().double_value(&[])).fold(0.0, f64::max);
        for (index, (ours, libtorch)) in ours.iter().zip(&libtorch).enumerate() {
            // The gradient of K's bias is 0 but for rounding, as a softmax does not see it.
            let most = libtorch.abs().max().double_value(&[]).max(0.02 * most_of_all);
            let off = (ours - libtorch).abs().max().double_value(&[]) / most;
            assert!(off < 2e-5, "{index} of {b} × {l} × {d}: {off}");
        }
    }
}

#[test]
fn layers_on_top_of_each_other_are_one_operation() {
    tch::manual_seed(4);
    // Heads without and with kernels.
    for (d, heads) in [(16, 2), (32, 2)] {
        let (b, l) = (4, 21);
        let p: Vec<_> = (0..3).flat_map(|_| parameters(d)).collect();
        let layers: Vec<_> = p.chunks(8).map(parameters_of).collect();
        let x = Tensor::randn([b, l, d], CPU);
        // Padding at the end, in the middle, none, and nothing else.
        let mask = open(b, l);
        let _ = mask.narrow(0, 0, 1).narrow(1, 5, l - 5).fill_(0);
        let _ = mask.narrow(0, 1, 1).narrow(1, 2, 7).fill_(0);
        let tokens = mask.unsqueeze(-1).to_kind(Kind::Float);
        let libtorch = |x: &Tensor| p.chunks(8).fold(x.shallow_clone(), |x, p| plain(&x, &mask, heads, p));
        let ours = |x: &Tensor, select| {
            encoder_layers(x, Attention::Keys(&mask), select, settings(heads, 0.0), &layers)
        };
        near(&run(&x, &p, |x| ours(x, Select::All)), &run(&x, &p, libtorch));

        let _ = mask.narrow(0, 3, 1).fill_(0);
        let tokens = tokens * mask.unsqueeze(-1);
        let at_tokens = run(&x, &p, |x| {
            let output = ours(x, Select::Unpadded);
            let padding = output.masked_select(&mask.logical_not().unsqueeze(-1));
            assert_eq!(padding.count_nonzero(0).int64_value(&[]), 0, "zeros at padding");
            output
        });
        near(&at_tokens, &run(&x, &p, |x| ours(x, Select::All) * &tokens));
        assert!(at_tokens.iter().all(|x| bool::try_from(x.isfinite().all()).unwrap()));
    }
}

/// Within 5e-5 of the largest. The gradient of K's bias is 0 but for rounding, as a softmax does not see it.
fn near(ours: &[Tensor], others: &[Tensor]) {
    let most_of_all = others.iter().map(|x| x.abs().max().double_value(&[])).fold(0.0, f64::max);
    for (index, (ours, other)) in ours.iter().zip(others).enumerate() {
        let most = other.abs().max().double_value(&[]).max(0.02 * most_of_all);
        let off = (ours - other).abs().max().double_value(&[]) / most;
        assert!(off < 5e-5, "{index}: {off}");
    }
}

#[test]
fn the_last_layer_at_some_positions_is_a_part_of_the_whole() {
    tch::manual_seed(6);
    // Heads with and without kernels.
    for (d, heads) in [(16, 2), (32, 2)] {
        let (b, l) = (3, 21);
        let p: Vec<_> = (0..2).flat_map(|_| parameters(d)).collect();
        let layers: Vec<_> = p.chunks(8).map(parameters_of).collect();
        let x = Tensor::randn([b, l, d], CPU);
        let mask = open(b, l);
        let _ = mask.narrow(0, 0, 1).narrow(1, 5, l - 5).fill_(0);
        // One twice, and one at padding, where the output is 0.
        let positions = Tensor::from_slice2(&[[0_i64, 3, 4, 20], [20, 7, 7, 1], [2, 9, 11, 0]]);
        let gathered = |x: &Tensor| x.gather(1, &positions.unsqueeze(-1).expand([b, 4, d], false), false);
        let real = mask.gather(1, &positions, false).unsqueeze(-1);
        let ours = |x: &Tensor, select| {
            encoder_layers(x, Attention::Keys(&mask), select, settings(heads, 0.0), &layers)
        };
        near(
            &run(&x, &p, |x| ours(x, Select::Positions(&positions))),
            &run(&x, &p, |x| gathered(&ours(x, Select::All)) * &real),
        );
        let bad = Tensor::from_slice2(&[[0_i64], [l], [0]]);
        let error = panics(|| ours(&x, Select::Positions(&bad)));
        assert!(error.contains("a position is 21: expected 0 to 20"), "{error}");
    }
}

#[test]
fn gradients_add_up_and_find_their_way_through_what_is_no_leaf() {
    tch::manual_seed(8);
    let (b, l, d) = (2, 5, 16);
    let p = parameters(d);
    let x = Tensor::randn([b, l, d], CPU).set_requires_grad(true);
    let mask = open(b, l);
    let loss = |p: &[[Tensor; 2]]| fused(&x, &mask, 2, p).sin().sum(Kind::Float);
    let gradient = |tensor: &Tensor| electra_torch::grad(tensor).map(|gradient| gradient.copy());
    let leaves: Vec<_> = p.iter().flatten().map(Tensor::shallow_clone).collect();

    loss(&p).backward();
    let once: Vec<_> = leaves.iter().map(|leaf| gradient(leaf).unwrap()).collect();
    loss(&p).backward();
    for (leaf, once) in leaves.iter().zip(&once) {
        assert!(gradient(leaf).unwrap().allclose(&(once * 2), 1e-5, 1e-6, false), "two passes add up");
    }
    electra_torch::zero_grad(&leaves).unwrap();

    // Asked for the gradient of the input alone, a pass leaves the parameters as they are.
    let of_input = Tensor::run_backward(&[loss(&p)], &[&x], false, false);
    assert!(of_input[0].allclose(&(x.grad() / 2), 1e-5, 1e-6, false));
    assert!(leaves.iter().all(|leaf| gradient(leaf).is_none()));

    // A parameter that does not learn gets no gradient, and one that was computed hands it on.
    let frozen: Vec<_> = p.iter().map(|pair| [&pair[0] * 1.0, pair[1].detach()]).collect();
    loss(&frozen).backward();
    for (index, (leaf, once)) in leaves.iter().zip(&once).enumerate() {
        match gradient(leaf) {
            Some(found) => assert!(index % 2 == 0 && found.allclose(once, 1e-5, 1e-6, false), "{index}"),
            None => assert!(index % 2 == 1, "{index}"),
        }
    }

    // Nothing but a parameter learns, and only the last one of them.
    electra_torch::zero_grad(&leaves).unwrap();
    let still: Vec<_> = p.iter().map(|pair| pair.each_ref().map(Tensor::detach)).collect();
    let last = still[7][1].set_requires_grad(true);
    fused(&x.detach(), &mask, 2, &still).sin().sum(Kind::Float).backward();
    assert!(gradient(&last).unwrap().allclose(&once[15], 1e-5, 1e-6, false));

    let output = loss(&p);
    let _ = tch::no_grad(|| p[3][0].shallow_clone().g_mul_scalar_(2.0));
    let error = output.f_backward().unwrap_err().to_string();
    assert!(error.contains("was changed between the forward and the backward pass"), "{error}");
}

#[test]
fn gradients_that_kernels_do_not_give_are_errors() {
    tch::manual_seed(9);
    let p = parameters(8);
    let (x, mask) = (Tensor::randn([2, 3, 8], CPU).set_requires_grad(true), open(2, 3));
    let loss = || fused(&x, &mask, 2, &p).sin().sum(Kind::Float);
    let backward =
        |inputs: &[&Tensor], create_graph| Tensor::f_run_backward(&[loss()], inputs, true, create_graph);
    let at_level = |level, inputs: &[&Tensor], create_graph| {
        with_kernel_level(level, || backward(inputs, create_graph)).unwrap()
    };
    let error = at_level(KernelLevel::Baseline, &[&x], true).unwrap_err().to_string();
    assert!(error.contains("an operation of the CPU's kernels has no second derivative"), "{error}");
    // Of a parameter that the graph has no edge to.
    let error = at_level(KernelLevel::Baseline, &[&x, &p[3][0]], false).unwrap_err().to_string();
    assert!(error.contains("was asked for by name") && error.contains("ELECTRA_KERNELS=formula"), "{error}");
    let found = at_level(KernelLevel::Formula, &[&x, &p[3][0]], false).unwrap();
    assert_eq!(found[1].size(), p[3][0].size());
}

#[test]
fn what_is_not_a_number_stays_so() {
    let p = parameters(8);
    let (x, mask) = (Tensor::randn([2, 3, 8], CPU), open(2, 3));
    for bad in [f64::NAN, f64::INFINITY] {
        let x = x.copy();
        let _ = x.narrow(0, 0, 1).narrow(1, 0, 1).narrow(2, 0, 1).fill_(bad);
        let output = fused(&x, &mask, 2, &p).isfinite();
        assert!(!bool::try_from(output.narrow(0, 0, 1).any()).unwrap(), "{bad}: each token attends to it");
        assert!(bool::try_from(output.narrow(0, 1, 1).all()).unwrap(), "{bad}: another example does not");
    }
}

#[test]
fn other_precisions_are_left_to_libtorch() {
    let p = parameters(8);
    let (x, mask) = (Tensor::randn([2, 3, 8], CPU), open(2, 3));
    let is_formula = |layer: &dyn Fn() -> Tensor| {
        let (_, list) = operations(layer).unwrap();
        list.iter().any(|call| call.starts_with("aten::scaled_dot_product_attention"))
    };
    assert!(!is_formula(&|| fused(&x, &mask, 2, &p)));
    let wide: Vec<[Tensor; 2]> =
        p.iter().map(|pair| pair.each_ref().map(|tensor| tensor.to_kind(Kind::Double))).collect();
    assert!(is_formula(&|| fused(&x.to_kind(Kind::Double), &mask, 2, &wide)));
    for (kind, is_left) in [(Kind::BFloat16, false), (Kind::Half, true)] {
        let under_autocast = || fused(&x, &mask, 2, &p);
        let layer = || electra_torch::autocast(Device::Cpu, kind, true, under_autocast).unwrap();
        assert_eq!(is_formula(&layer), is_left, "{kind:?}");
    }
}

#[test]
fn shapes_that_do_not_fit_panic() {
    let p = parameters(8);
    let x = Tensor::randn([2, 3, 16], CPU);
    let linear = Affine { weight: &p[0][0], bias: &p[0][1] };
    let parameters = LayerParameters {
        query: linear,
        key: linear,
        value: linear,
        attention_output: linear,
        attention_layer_norm: linear,
        intermediate: linear,
        output: linear,
        layer_norm: linear,
    };
    panics(|| encoder_layers(&x, Attention::Keys(&open(2, 3)), Select::All, settings(2, 0.0), &[parameters]));
}
