//! A step's gradients, loss and metrics as one vector, which is what parts and ranks are added up in.

use electra_torch::grad;
use tch::{Device, Kind, Tensor};

use crate::Error;
use crate::step::Sums;

/// The gradients that lie with the parameters, then the loss, then the metrics: `[n]`, float32. A parameter without a
/// gradient has zeros.
pub(crate) fn gather(parameters: &[Tensor], sums: &Sums) -> Result<Tensor, Error> {
    let mut pieces = Vec::with_capacity(parameters.len() + 1 + sums.metrics.len());
    for parameter in parameters {
        pieces.push(match grad(parameter) {
            Some(gradient) => gradient.f_reshape([-1])?,
            None => Tensor::f_zeros([parameter.numel() as i64], (Kind::Float, parameter.device()))?,
        });
    }
    for number in std::iter::once(&sums.loss).chain(sums.metrics.values()) {
        pieces.push(number.f_reshape([1])?);
    }
    Ok(Tensor::f_cat(&pieces, 0)?)
}

/// Puts what [`gather`] gave, or a sum of such, back where it came from. A parameter that has no gradient gets none: which
/// have one is the objective's matter, and the same in every part of every step.
pub(crate) fn scatter(flat: &Tensor, parameters: &[Tensor], sums: &mut Sums) -> Result<(), Error> {
    let mut start = 0;
    let mut take = |count: i64| {
        let piece = flat.f_narrow(0, start, count);
        start += count;
        piece
    };
    for parameter in parameters {
        let piece = take(parameter.numel() as i64)?;
        if let Some(mut gradient) = grad(parameter) {
            gradient.f_copy_(&piece.f_view_as(&gradient)?)?;
        }
    }
    sums.loss = take(1)?.f_squeeze()?.copy();
    for metric in sums.metrics.values_mut() {
        *metric = take(1)?.f_squeeze()?.copy();
    }
    Ok(())
}

/// The sum of vectors as a binary tree, in which neighbours are added first, then pairs of neighbours. Of a power of two
/// of them it is the tree of whose halves, quarters and so on ranks compute one each.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Sums of 2^height vectors that have no neighbour yet, the highest first.
    waiting: Vec<(u32, Tensor)>,
}

impl Tree {
    pub(crate) fn push(&mut self, vector: Tensor) -> Result<(), Error> {
        let (mut height, mut sum) = (0, vector);
        while let Some((_, before)) = self.waiting.pop_if(|(other, _)| *other == height) {
            sum = before.f_add(&sum)?;
            height += 1;
        }
        self.waiting.push((height, sum));
        Ok(())
    }

    /// The sum of all.
    pub(crate) fn finish(mut self) -> Result<Tensor, Error> {
        let (_, mut sum) = self.waiting.pop().expect("a step has a part");
        while let Some((_, before)) = self.waiting.pop() {
            sum = before.f_add(&sum)?;
        }
        Ok(sum)
    }
}

/// Whether sums are trees.
pub(crate) fn is_tree(config: &electra_config::Config, device: Device) -> bool {
    config.device.deterministic && device == Device::Cpu
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(number: i64) -> Tensor {
        let places = Tensor::arange(101, (Kind::Float, Device::Cpu));
        (places * (number as f64 + 0.37)).sin() * 10_f64.powi(number as i32 % 5)
    }

    fn sum(parts: std::ops::Range<i64>) -> Tensor {
        let mut tree = Tree::default();
        parts.for_each(|number| tree.push(part(number)).unwrap());
        tree.finish().unwrap()
    }

    #[test]
    fn a_tree_is_the_tree_of_its_halves() {
        let whole = sum(0..8);
        assert_eq!(whole, sum(0..4) + sum(4..8));
        assert_eq!(whole, (sum(0..2) + sum(2..4)) + (sum(4..6) + sum(6..8)));
        let in_order = (0..8).map(part).reduce(|sum, part| sum + part).unwrap();
        assert_ne!(whole, in_order, "the order does not matter to these numbers");
        // Of another number of parts it is a sum as well.
        assert_eq!(sum(0..3), (part(0) + part(1)) + part(2));
        assert_eq!(sum(0..1), part(0));
    }

    #[test]
    fn what_is_gathered_comes_back() {
        let parameters: Vec<Tensor> = [[2, 3], [1, 4], [3, 1]]
            .iter()
            .map(|shape| Tensor::ones(shape, tch::kind::FLOAT_CPU).set_requires_grad(true))
            .collect();
        // The second has no gradient.
        let loss = (&parameters[0] * 2.0).sum(Kind::Float) + (&parameters[2] * 3.0).sum(Kind::Float);
        loss.backward();
        let mut sums = Sums::new(Device::Cpu).unwrap();
        sums.loss = loss.detach();
        sums.metrics.insert("metric".to_owned(), Tensor::from(7.0_f32));
        let flat = gather(&parameters, &sums).unwrap();
        let expected: Vec<f32> =
            [2.0; 6].into_iter().chain([0.0; 4]).chain([3.0; 3]).chain([21.0, 7.0]).collect();
        assert_eq!(Vec::<f32>::try_from(&flat).unwrap(), expected);
        scatter(&(flat * 2.0), &parameters, &mut sums).unwrap();
        let gradient = grad(&parameters[0]).unwrap();
        assert_eq!((gradient.size(), gradient.double_value(&[1, 2])), (vec![2, 3], 4.0));
        assert!(grad(&parameters[1]).is_none());
        assert_eq!(grad(&parameters[2]).unwrap().double_value(&[2, 0]), 6.0);
        assert_eq!((sums.loss.double_value(&[]), sums.metrics["metric"].double_value(&[])), (42.0, 14.0));
    }
}
