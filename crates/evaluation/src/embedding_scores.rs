//! What embeddings are worth without training: on pairs of texts with a number for how alike they are.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use electra_metrics::{Metric, pearson, spearman};
use electra_store::{create_folder, write};
use electra_tasks::{Content, Dataset, Example, Label, Split, Task};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tch::{Kind, Tensor};

use crate::folder::pretty;
use crate::{Embedder, Error, Scores};

/// From this share of the way from the least to the largest number on, the texts of a pair count as alike: 4 of STS-B's 0
/// to 5, as Gao et al. 2021 take it.
const ALIKE: f64 = 0.8;
/// Rows of the matrix of all pairs that are computed at once.
const BLOCK: i64 = 1024;

/// How embeddings tell pairs of texts apart, and how they lie.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmbeddingScores {
    /// Pairs of texts.
    pub pairs: usize,
    /// Spearman's correlation of the pairs' cosines with their numbers.
    pub spearman: f64,
    /// Pearson's.
    pub pearson: f64,
    /// The mean squared distance between the texts of a pair that are alike, of vectors of length 1 (Wang and Isola 2020);
    /// none where no pair is.
    pub alignment: Option<f64>,
    /// log mean exp(−2 d²) over all pairs of distinct texts, of vectors of length 1 (Wang and Isola 2020): the lower, the more evenly they
    /// lie.
    pub uniformity: f64,
    /// The mean cosine over all pairs of distinct texts. Near 1 all texts point the same way.
    pub mean_cosine: f64,
}

/// Pairs with their scores.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredPairs {
    /// What they come to.
    pub scores: EmbeddingScores,
    /// Of each pair the cosine of its texts, and its number.
    pub pairs: Vec<(f64, f64)>,
}

impl ScoredPairs {
    /// Writes `scores.json` and `predictions-SET.tsv` as a probe does; the predictions are the cosines.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, task: &str, split: &Split, folder: &Path) -> Result<(), Error> {
        let EmbeddingScores { pairs, spearman, pearson, alignment, uniformity, mean_cosine } = self.scores;
        let found = [
            ("spearman", spearman),
            ("pearson", pearson),
            ("uniformity", uniformity),
            ("mean-cosine", mean_cosine),
        ];
        let found = found.into_iter().chain(alignment.map(|alignment| ("alignment", alignment)));
        let found: Scores = found.map(|(name, value)| (name.to_owned(), value)).collect();
        let set = split.to_string();
        let scores = json!({
            "task": task,
            "metric": Metric::Spearman.name(),
            "scores": BTreeMap::from([(&set, found)]),
            "examples": BTreeMap::from([(&set, pairs)]),
        });
        let mut table = "index\tprediction\tlabel\n".to_owned();
        for (index, (cosine, number)) in self.pairs.iter().enumerate() {
            let _ = writeln!(table, "{index}\t{cosine}\t{number}");
        }
        create_folder(folder)?;
        write(&folder.join(format!("predictions-{set}.tsv")), table)?;
        Ok(write(&folder.join("scores.json"), pretty(&scores))?)
    }
}

impl Embedder {
    /// Scores a set of a task of pairs with numbers, such as STS-B.
    ///
    /// # Errors
    /// [`Error::Task`] if the task is of another kind or a pair has no number, [`Error::Metrics`] if there is nothing to
    /// correlate, as [`embed`](Self::embed).
    pub fn score(&self, task: &Task, dataset: &Dataset, stop: &AtomicBool) -> Result<ScoredPairs, Error> {
        let (mut texts, mut numbers) = (Vec::new(), Vec::new());
        for Example { content, .. } in &dataset.examples {
            let Content::Sequence { text, pair: Some(pair), label: Some(Label::Value(value)) } = content
            else {
                let what = "its examples are not pairs of texts with a number each; an embedding score expected these";
                return Err(Error::Task { task: task.name.clone(), what: what.into() });
            };
            texts.extend([text, pair]);
            numbers.push(*value);
        }
        scores(&self.embed(&texts, stop)?, &texts, &numbers)
    }
}

/// `vectors` `[2 P, D]`: of each pair the first and the second text's.
fn scores(vectors: &Tensor, texts: &[&String], numbers: &[f64]) -> Result<ScoredPairs, Error> {
    let units = unit(&vectors.f_to_kind(Kind::Double)?)?;
    let (first, second) = (units.f_slice(0, 0, None, 2)?, units.f_slice(0, 1, None, 2)?);
    let cosines: Vec<f64> = Vec::try_from((first * second).f_sum_dim_intlist(1, false, None::<Kind>)?)?;
    let (least, largest) = numbers
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, largest), &x| (least.min(x), largest.max(x)));
    let bound = least + ALIKE * (largest - least);
    // Of vectors of length 1, d² = 2 − 2 cos.
    let alike = cosines.iter().zip(numbers).filter(|(_, number)| **number >= bound);
    let distances: Vec<f64> = alike.map(|(cosine, _)| 2.0 - 2.0 * cosine).collect();
    let alignment = (!distances.is_empty()).then(|| distances.iter().sum::<f64>() / distances.len() as f64);
    let (uniformity, mean_cosine) = spread(&distinct(&units, texts)?)?;
    let (spearman, pearson) = (spearman(&cosines, numbers)?, pearson(&cosines, numbers)?);
    let scores =
        EmbeddingScores { pairs: numbers.len(), spearman, pearson, alignment, uniformity, mean_cosine };
    Ok(ScoredPairs { scores, pairs: cosines.into_iter().zip(numbers.iter().copied()).collect() })
}

fn unit(vectors: &Tensor) -> Result<Tensor, Error> {
    let squares = vectors.f_square()?.f_sum_dim_intlist(1, true, None::<Kind>)?;
    Ok(vectors.f_div(&squares.f_sqrt()?.f_clamp_min(f64::MIN_POSITIVE)?)?)
}

/// The rows of texts that are not there before.
fn distinct(units: &Tensor, texts: &[&String]) -> Result<Tensor, Error> {
    let mut seen = std::collections::HashSet::new();
    let places: Vec<i64> = texts
        .iter()
        .enumerate()
        .filter(|(_, text)| seen.insert(text.as_str()))
        .map(|(at, _)| at as i64)
        .collect();
    Ok(units.f_index_select(0, &Tensor::from_slice(&places))?)
}

/// Uniformity and mean cosine over all pairs of rows.
fn spread(units: &Tensor) -> Result<(f64, f64), Error> {
    let rows = units.size()[0];
    let (mut powers, mut cosines) = (0.0, 0.0);
    for begin in (0..rows).step_by(BLOCK as usize) {
        let block = units.f_narrow(0, begin, BLOCK.min(rows - begin))?.f_matmul(&units.f_tr()?)?;
        cosines += block.f_sum(Kind::Double)?.f_double_value(&[])?;
        powers +=
            block.f_mul_scalar(4.0)?.f_add_scalar(-4.0)?.f_exp()?.f_sum(Kind::Double)?.f_double_value(&[])?;
    }
    // Each with itself is none of the pairs.
    let (own, pairs) = (rows as f64, (rows * (rows - 1)) as f64);
    Ok((((powers - own) / pairs).ln(), (cosines - own) / pairs))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// numpy and scipy of the same vectors:
    /// `i = np.arange(24); v = np.sin(1.7 * i * i + 0.3).reshape(8, 3); u = v / np.linalg.norm(v, axis=1, keepdims=True)`,
    /// `c = (u[::2] * u[1::2]).sum(1)`, `spearmanr(c, y)`, `pearsonr(c, y)`, `G = u @ u.T; o = ~np.eye(8, dtype=bool)`,
    /// `np.log(np.exp(-2 * (2 - 2 * G[o])).mean())`, `G[o].mean()`, and of pairs with y ≥ 4 `(2 - 2 * c).mean()`.
    #[test]
    fn scores_are_those_of_numpy_and_scipy() {
        let numbers: Vec<f64> = (0..24).map(|i| (1.7 * f64::from(i * i) + 0.3).sin()).collect();
        let vectors = Tensor::from_slice(&numbers).view([8, 3]);
        let texts: Vec<String> = (0..8).map(|text| text.to_string()).collect();
        let found =
            scores(&vectors, &texts.iter().collect::<Vec<_>>(), &[0.0, 5.0, 2.0, 4.5]).unwrap().scores;
        let expected = [0.600000000000, 0.398287003150, 1.887693531011, -2.145260738091, -0.018600352770];
        let found =
            [found.spearman, found.pearson, found.alignment.unwrap(), found.uniformity, found.mean_cosine];
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{found}, {expected}");
        }
    }

    #[test]
    fn a_text_that_comes_again_is_one_text() {
        let vectors = Tensor::from_slice(&[1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0]).view([4, 2]);
        let texts = ["a", "b", "a", "c"].map(String::from);
        let found = scores(&vectors, &texts.iter().collect::<Vec<_>>(), &[1.0, 2.0]).unwrap().scores;
        // a ⟂ b, and c halfway between.
        assert!((found.mean_cosine - (2.0 * 0.5_f64.sqrt()) / 3.0).abs() < 1e-12, "{found:?}");
    }
}
