use crate::{devices, gpu_or_skip, is_alone, value};
use electra_torch::{self as torch, Error, Graph, LearningRate};
use tch::{Device, Kind, Tensor};

#[test]
fn a_stay_beside_the_default_stream_gives_what_is_computed() {
    if !is_alone("graph::a_stay_beside_the_default_stream_gives_what_is_computed") {
        return;
    }
    for device in devices() {
        let two = Tensor::from(2_f32).to_device(device);
        let four = torch::on_side_stream(device, || Ok::<_, Error>(&two + &two)).unwrap();
        assert_eq!(value(&four), 4.0);
        let failed = torch::on_side_stream(device, || Err::<(), _>(Error::ThreadCount { given: 0 }));
        assert!(matches!(failed, Err(Error::ThreadCount { .. })));
        assert_eq!(value(&(&four + &two)), 6.0);
    }
}

/// A step of training on a GPU: what a replay computes is what the same step computes outside of the graph, from whatever is
/// in its inputs, and what is dropped is decided by the seed.
#[test]
fn a_replay_is_the_step_on_other_numbers() {
    const NAME: &str = "graph::a_replay_is_the_step_on_other_numbers";
    let Some(device) = gpu_or_skip(NAME) else { return };
    if !is_alone(NAME) {
        return;
    }
    let weight = || (Tensor::ones([64], (Kind::Float, device)) * 3.0).set_requires_grad(true);
    let step = |adamw: &mut torch::AdamW, x: &Tensor, lr: &Tensor| -> Result<Tensor, Error> {
        let loss = (x * &adamw.parameters()[0]).dropout(0.5, true).square().sum(Kind::Float);
        loss.f_backward()?;
        let clip = torch::clip_grad_norm(adamw.parameters(), 1.0)?;
        adamw.step(LearningRate::Scalar(lr), &clip)?;
        adamw.zero_grad()?;
        Ok(loss.detach())
    };
    let adamw = || {
        let group = torch::Group { parameters: vec![weight()], weight_decay: 0.01, lr_scale: 1.0 };
        torch::AdamW::new(vec![group], torch::AdamWConfig::paper()).unwrap()
    };
    let inputs = |step: i64| {
        (
            Tensor::arange(64, (Kind::Float, device)) * (step as f64),
            Tensor::from(0.1 / (1.0 + step as f32)).to_device(device),
        )
    };
    let (mut plain, mut recorded) = (adamw(), adamw());
    torch::on_side_stream(device, || {
        let (mut x, mut lr) = inputs(0);
        let mut graph = None;
        for at in 0..6 {
            let (next_x, next_lr) = inputs(at);
            tch::manual_seed(at);
            let expected = step(&mut plain, &next_x, &next_lr)?;
            x.copy_(&next_x);
            lr.copy_(&next_lr);
            tch::manual_seed(at);
            if at < 2 {
                assert_eq!(value(&step(&mut recorded, &x, &lr)?), value(&expected), "step {at}");
                continue;
            }
            if graph.is_none() {
                graph = Some(Graph::record(device, || step(&mut recorded, &x, &lr))?);
            }
            let (graph, loss) = graph.as_mut().expect("recorded above");
            graph.replay()?;
            assert_eq!(value(loss), value(&expected), "step {at}");
        }
        Ok::<_, Error>(())
    })
    .unwrap();
    let difference = (&plain.parameters()[0] - &recorded.parameters()[0]).abs().max();
    assert_eq!(value(&difference), 0.0);
}

/// What a graph cannot hold is an error, after which the device computes on what draws no numbers.
#[test]
fn work_that_waits_is_not_recorded() {
    const NAME: &str = "graph::work_that_waits_is_not_recorded";
    let Some(device) = gpu_or_skip(NAME) else { return };
    if !is_alone(NAME) {
        return;
    }
    torch::on_side_stream(device, || {
        let two = Tensor::from(2_f32).to_device(device);
        let failed = Graph::record(device, || Ok::<_, Error>(two.f_double_value(&[])?));
        assert!(failed.is_err());
        assert_eq!(value(&(&two + &two)), 4.0);
        Ok::<_, Error>(())
    })
    .unwrap();
}

#[test]
fn the_cpu_records_nothing() {
    let error = Graph::record(Device::Cpu, || Ok::<(), Error>(())).unwrap_err();
    assert_eq!(error.to_string(), "device Cpu cannot record graphs: expected CUDA");
}
