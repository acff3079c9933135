//! Ranks, and the score that is made of them.

use crate::Error;
use crate::error::{each, same_length};

/// The area under the receiver operating characteristic: how probable it is that an example of the class has a
/// higher score than one that is not of it, a tie being one half (Mann and Whitney 1947). Scores may be infinite.
///
/// # Errors
/// [`Error::OneClass`] if all labels are the same: there is nothing to compare. [`Error::Empty`],
/// [`Error::Lengths`], [`Error::Value`] for NaN.
pub fn auc(scores: &[f64], labels: &[bool]) -> Result<f64, Error> {
    same_length((scores.len(), "scores"), (labels.len(), "labels"))?;
    let ranks = ranks("scores", scores)?;
    let inside = labels.iter().filter(|label| **label).count();
    let outside = labels.len() - inside;
    if inside == 0 || outside == 0 {
        return Err(Error::OneClass { count: labels.len(), label: inside > 0 });
    }
    let sum: f64 = ranks.iter().zip(labels).filter(|(_, label)| **label).map(|(rank, _)| rank).sum();
    // The least sum of ranks that so many can have is taken off: what is left counts the pairs in order.
    let least = (inside * (inside + 1)) as f64 / 2.0;
    Ok((sum - least) / (inside as f64 * outside as f64))
}

/// The ranks of numbers, from 1; what ties has the mean of its ranks.
pub(crate) fn ranks(what: &'static str, values: &[f64]) -> Result<Vec<f64>, Error> {
    each(what, values, "a number", |value| !value.is_nan())?;
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for tied in order.chunk_by(|a, b| values[*a] == values[*b]) {
        for index in tied {
            ranks[*index] = before as f64 + (tied.len() + 1) as f64 / 2.0;
        }
        before += tied.len();
    }
    Ok(ranks)
}

#[cfg(test)]
mod tests {
    use super::ranks;

    #[test]
    fn ties_share_the_mean_of_their_ranks() {
        let found = ranks("values", &[3.0, -0.0, f64::INFINITY, 0.0, 3.0, 3.0]).unwrap();
        assert_eq!(found, [4.0, 1.5, 6.0, 1.5, 4.0, 4.0]);
    }
}
