//! Tests by permutation, and the correction for making several.

use crate::Error;
use crate::error::each;
use crate::random::Random;

/// Up to so many differences all ways to choose their signs are gone through: 2¹⁶ at most.
const EXACT: usize = 16;

/// Choices of signs for more differences than that. One less than a round number, as the observed one is added.
const DRAWS: u64 = 99_999;

/// Paired sign-flip permutation test (Fisher 1935): the two-sided p of "it does not matter which of each pair is
/// which", judged by the mean of the differences.
///
/// It is the share of choices of signs under which the mean is at least as far from 0 as it is: of all 2ⁿ of them
/// for n ≤ 16; of 99,999 at random and the observed one for more (Phipson and Smyth 2010), so that `seed` decides
/// nothing for n ≤ 16. It is never 0. The least p that n pairs can give is 2 / 2ⁿ: five seeds cannot reach 0.05.
/// Differences that are all 0 give 1.
///
/// # Errors
/// [`Error::Empty`], [`Error::Value`] for what is not finite.
pub fn sign_flip_test(differences: &[f64], seed: u64) -> Result<f64, Error> {
    if differences.is_empty() {
        return Err(Error::Empty { what: "differences" });
    }
    each("differences", differences, "a finite number", f64::is_finite)?;
    // A sum taken in another order differs by rounding: what is this close is the same.
    let close = 1e-12 * differences.iter().map(|difference| difference.abs()).sum::<f64>();
    let observed = differences.iter().sum::<f64>().abs() - close;
    Ok(if differences.len() <= EXACT {
        exact(differences, observed)
    } else {
        monte_carlo(differences, observed, seed)
    })
}

/// All signs of a sum and all opposite ones give the same distance from 0, so that half the choices will do.
fn exact(differences: &[f64], observed: f64) -> f64 {
    let choices = 1_u64 << (differences.len() - 1);
    let far = (0..choices).filter(|signs| flipped(differences, *signs).abs() >= observed).count();
    far as f64 / choices as f64
}

fn monte_carlo(differences: &[f64], observed: f64, seed: u64) -> f64 {
    let mut random = Random::new(seed, b"signflip", 0, 0);
    let far = (0..DRAWS).filter(|_| {
        let sum: f64 = differences.chunks(64).map(|of_word| flipped(of_word, random.next())).sum();
        sum.abs() >= observed
    });
    (far.count() + 1) as f64 / (DRAWS + 1) as f64
}

/// The sum with each number's sign turned where its bit is set.
fn flipped(values: &[f64], signs: u64) -> f64 {
    let value = |(bit, value): (usize, &f64)| if signs >> bit & 1 == 1 { -value } else { *value };
    values.iter().enumerate().map(value).sum()
}

/// Holm's correction (1979): each p in the same place, made so much greater that calling all at most α significant
/// has at most the chance α of being wrong anywhere, however the tests depend on each other.
///
/// The k-th smallest of m is multiplied by m − k + 1; none is smaller than the one before it, none is over 1. No
/// tests, no corrections.
///
/// # Errors
/// [`Error::Value`] for what is not from 0 to 1.
pub fn holm(p: &[f64]) -> Result<Vec<f64>, Error> {
    each("p", p, "a number from 0 to 1", |p| (0.0..=1.0).contains(&p))?;
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_unstable_by(|a, b| p[*a].total_cmp(&p[*b]));
    let mut corrected = vec![0.0; p.len()];
    let mut least: f64 = 0.0;
    for (rank, index) in order.into_iter().enumerate() {
        least = least.max(p[index] * (p.len() - rank) as f64).min(1.0);
        corrected[index] = least;
    }
    Ok(corrected)
}
