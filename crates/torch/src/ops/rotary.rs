//! Rotary positions (Su et al., `RoFormer`, 2021).

use tch::{Kind, Tensor};

/// Queries and keys are turned by their positions, so that a score depends on how far apart two tokens stand.
///
/// The pair i of a head's A numbers is turned by p θ^(−2i/A) at position p.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rotary {
    /// θ. Paper: 10,000.
    pub theta: f64,
    /// Whether a pair is two numbers side by side, as the paper and the Hub's `RoFormer` have it. Else the one is in the
    /// first half of a head and the other in its second, as Llama and `ModernBERT` have it.
    pub interleaved: bool,
}

impl Rotary {
    /// # Panics
    /// If θ is not a number above 0.
    pub(super) fn check(self) {
        let Self { theta, .. } = self;
        assert!(
            theta > 0.0 && theta.is_finite(),
            "theta of rotary positions is {theta}; expected a number above 0"
        );
    }

    /// # Shapes
    /// `[B, L, H, A]` → the same
    ///
    /// # Panics
    /// If A is odd.
    pub(super) fn turn(self, x: &Tensor) -> Tensor {
        let (length, size) = (x.size()[1], x.size()[3]);
        assert_eq!(size % 2, 0, "rotary positions need heads of an even size; this is {size}");
        let options = (Kind::Double, x.device());
        let exponents = Tensor::arange(size / 2, options) * (-2.0 / size as f64); // [A / 2]
        let frequencies = (exponents * self.theta.ln()).exp();
        let angles = Tensor::arange(length, options).unsqueeze(-1) * frequencies; // [L, A / 2]
        let [cos, sin] = [angles.cos(), angles.sin()].map(|x_| x_.to_kind(x.kind()).unsqueeze(1)); // [L, 1, A / 2]
        // The dimension in which a pair is two, once it stands alone.
        let (shape, pair): (&[i64], _) =
            if self.interleaved { (&[size / 2, 2], -1) } else { (&[2, size / 2], -2) };
        let pairs = x.unflatten(-1, shape);
        let (first, second) = (pairs.select(pair, 0), pairs.select(pair, 1)); // [B, L, H, A / 2]
        let turned = [&first * &cos - &second * &sin, &second * &cos + &first * &sin];
        Tensor::stack(&turned, pair).flatten(-2, -1)
    }
}
