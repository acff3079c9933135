//! Languages as blocks: score = arm + language + run.
//!
//! `V = diag(σ²_arm) + τ² ZZ′`, with a variance of runs for each arm and one of languages, by restricted maximum
//! likelihood (Patterson and Thompson 1971); arms' means by generalised least squares; degrees of freedom of a
//! contrast by Satterthwaite's formula for such models (Giesbrecht and Burns 1985). Where languages make no
//! difference, τ² is 0 and there is no such fit: the one-way layout is the same model then. Runs that failed leave
//! gaps, which the likelihood takes as they are.

use nalgebra::{DMatrix, DVector};

use crate::layout::{Contrast, Scores};

/// Steps of the search for the greatest likelihood.
const MOST_STEPS: usize = 200;
/// A relative change of the variances that ends it.
const CLOSE: f64 = 1e-8;
/// The least variance of an arm, as a share of the mean of all: below that a likelihood says nothing.
const LEAST_SHARE: f64 = 1e-6;

/// The fitted model.
pub(crate) struct Mixed {
    scores: Numbered,
    /// The variance of each arm's runs, then that of languages.
    variances: Vec<f64>,
    means: DVector<f64>,
    /// (X′V⁻¹X)⁻¹: the covariance of the arms' means.
    covariance: DMatrix<f64>,
    /// V⁻¹X(X′V⁻¹X)⁻¹.
    weights: DMatrix<f64>,
    /// The covariance of the variances, each divided by its variance.
    uncertainty: DMatrix<f64>,
    /// By the arm's number: its place in the fit.
    places: Vec<Option<usize>>,
}

/// Scores with the numbers of their arms and languages.
struct Numbered {
    y: DVector<f64>,
    arms: Vec<usize>,
    /// The scores of each language.
    languages: Vec<Vec<usize>>,
    /// How many arms.
    count: usize,
}

/// The likelihood at some variances, and what it takes to find better ones.
struct State {
    log_likelihood: f64,
    /// Its slope.
    slope: DVector<f64>,
    /// Fisher's information.
    information: DMatrix<f64>,
    means: DVector<f64>,
    covariance: DMatrix<f64>,
    weights: DMatrix<f64>,
}

impl Mixed {
    /// Of the arms that are `counted`. None where τ² is 0, or where no two arms have a language in common.
    pub(crate) fn fit(scores: &[Scores], counted: &[bool], floor: f64) -> Option<Self> {
        let mut places = Vec::with_capacity(scores.len());
        let mut kept = Vec::new();
        for (of_arm, counted) in scores.iter().zip(counted) {
            places.push(counted.then_some(kept.len()));
            kept.extend(counted.then_some(of_arm));
        }
        let numbered = Numbered::new(&kept);
        if kept.len() < 2 || numbered.languages.iter().all(|of_language| of_language.len() < 2) {
            return None;
        }
        let mut start: Vec<f64> = kept.iter().map(|of_arm| variance(of_arm)).collect();
        let mean = start.iter().sum::<f64>() / start.len() as f64;
        let least = floor.max(LEAST_SHARE * mean).max(f64::MIN_POSITIVE.sqrt());
        start.iter_mut().for_each(|variance| *variance = variance.max(least));
        start.push(0.0);
        // Without languages the variances are those of the one-way layout. If the likelihood does not rise with τ²
        // there, it has its maximum there.
        if numbered.state(&start)?.slope[kept.len()] <= 0.0 {
            return None;
        }
        start[kept.len()] = 0.1 * mean.max(least);
        let mut bounds = vec![least; kept.len()];
        bounds.push(least * LEAST_SHARE);
        let (variances, state) = numbered.ascend(start, &bounds)?;
        Some(Self::at(numbered, variances, state, places))
    }

    /// What the fit of a study without gaps comes to, if its variances are these: its contrasts have the variance and the
    /// degrees of freedom to be expected.
    pub(crate) fn planned(runs: &[f64], languages: f64, count: usize) -> Option<Self> {
        let scores: Vec<Scores> =
            runs.iter().map(|_| (0..count).map(|language| (language, 0.0)).collect()).collect();
        let numbered = Numbered::new(&scores.iter().collect::<Vec<_>>());
        let variances: Vec<f64> = runs.iter().copied().chain([languages]).collect();
        if runs.len() < 2 || variances.iter().any(|variance| *variance <= 0.0) {
            return None;
        }
        let state = numbered.state(&variances)?;
        let places = (0..runs.len()).map(Some).collect();
        Some(Self::at(numbered, variances, state, places))
    }

    /// The model at some variances.
    fn at(scores: Numbered, variances: Vec<f64>, state: State, places: Vec<Option<usize>>) -> Self {
        let scale = DVector::from_column_slice(&variances);
        let uncertainty = inverse(&scaled(&state.information, &scale));
        let State { means, covariance, weights, .. } = state;
        Self { scores, variances, means, covariance, weights, uncertainty, places }
    }

    pub(crate) fn language_deviation(&self) -> f64 {
        self.variances.last().copied().unwrap_or(0.0).sqrt()
    }

    pub(crate) fn run_variance(&self, arm: usize) -> Option<f64> {
        Some(self.variances[self.places[arm]?])
    }

    /// The difference of two arms' means. With c the contrast and u = V⁻¹X(X′V⁻¹X)⁻¹c, the variance c′(X′V⁻¹X)⁻¹c
    /// has the slope u′(∂V)u by each variance.
    pub(crate) fn contrast(&self, a: usize, b: usize) -> Option<Contrast> {
        let (a, b) = (self.places[a]?, self.places[b]?);
        let variance = self.covariance[(a, a)] + self.covariance[(b, b)] - 2.0 * self.covariance[(a, b)];
        let weights = self.weights.column(a) - self.weights.column(b);
        let mut slope = DVector::zeros(self.variances.len());
        for (weight, arm) in weights.iter().zip(&self.scores.arms) {
            slope[*arm] += weight.powi(2);
        }
        slope[self.scores.count] =
            self.scores.languages.iter().map(|l| l.iter().map(|i| weights[*i]).sum::<f64>().powi(2)).sum();
        let slope = slope.component_mul(&DVector::from_column_slice(&self.variances));
        let spread = slope.dot(&(&self.uncertainty * &slope));
        let most = (self.scores.y.len() - self.scores.count) as f64;
        Some(Contrast {
            difference: self.means[a] - self.means[b],
            variance,
            degrees: (2.0 * variance.powi(2) / spread).clamp(1.0, most.max(1.0)),
            deviation: 0.0,
        })
    }
}

impl Numbered {
    fn new(scores: &[&Scores]) -> Self {
        let (mut y, mut arms, mut languages) = (Vec::new(), Vec::new(), Vec::<Vec<usize>>::new());
        for (arm, of_arm) in scores.iter().enumerate() {
            for (language, score) in *of_arm {
                if languages.len() <= *language {
                    languages.resize(language + 1, Vec::new());
                }
                languages[*language].push(y.len());
                y.push(*score);
                arms.push(arm);
            }
        }
        languages.retain(|of_language| !of_language.is_empty());
        Self { y: DVector::from_vec(y), arms, languages, count: scores.len() }
    }

    /// Fisher scoring with halved steps, within bounds.
    fn ascend(&self, mut variances: Vec<f64>, bounds: &[f64]) -> Option<(Vec<f64>, State)> {
        let mut state = self.state(&variances)?;
        for _ in 0..MOST_STEPS {
            let at_bound = |i: usize| variances[i] <= bounds[i] && state.slope[i] <= 0.0;
            let free: Vec<usize> = (0..variances.len()).filter(|i| !at_bound(*i)).collect();
            let scale = DVector::from_iterator(free.len(), free.iter().map(|i| variances[*i]));
            let information = state.information.select_rows(&free).select_columns(&free);
            let slope = state.slope.select_rows(&free).component_mul(&scale);
            let step = (inverse(&scaled(&information, &scale)) * slope).component_mul(&scale);
            let mut share = 1.0;
            let better = loop {
                let mut next = variances.clone();
                for (index, step) in free.iter().zip(step.iter()) {
                    let lowest = bounds[*index].max(0.1 * variances[*index]);
                    next[*index] = (variances[*index] + share * step).max(lowest);
                }
                let reached = self.state(&next)?;
                if reached.log_likelihood >= state.log_likelihood {
                    break Some((next, reached));
                }
                share /= 2.0;
                if share < 1e-6 {
                    break None;
                }
            };
            let Some((next, reached)) = better else { break };
            let moved =
                next.iter().zip(&variances).map(|(new, old)| (new - old).abs() / old).fold(0.0, f64::max);
            (variances, state) = (next, reached);
            if moved < CLOSE {
                break;
            }
        }
        Some((variances, state))
    }

    /// The restricted likelihood and its derivatives, with P = V⁻¹ − V⁻¹X(X′V⁻¹X)⁻¹X′V⁻¹.
    fn state(&self, variances: &[f64]) -> Option<State> {
        let (n, k, tau) = (self.y.len(), self.count, variances[self.count]);
        let mut inverse_v = DMatrix::zeros(n, n);
        let mut log_determinant: f64 = self.arms.iter().map(|arm| variances[*arm].ln()).sum();
        for language in &self.languages {
            let weight = |i: &usize| 1.0 / variances[self.arms[*i]];
            let common = 1.0 + tau * language.iter().map(weight).sum::<f64>();
            log_determinant += common.ln();
            for i in language {
                for j in language {
                    inverse_v[(*i, *j)] = -tau * weight(i) * weight(j) / common;
                }
                inverse_v[(*i, *i)] += weight(i);
            }
        }
        let x = DMatrix::from_fn(n, k, |i, arm| f64::from(u8::from(self.arms[i] == arm)));
        let weighted = &inverse_v * &x;
        let root = (x.transpose() * &weighted).cholesky()?;
        log_determinant += 2.0 * root.l().diagonal().map(f64::ln).sum();
        let covariance = root.inverse();
        let weights = &weighted * &covariance;
        let p = &inverse_v - &weights * weighted.transpose();
        let residual = &p * &self.y;

        let mut slope = DVector::zeros(k + 1);
        let mut information = DMatrix::zeros(k + 1, k + 1);
        for i in 0..n {
            slope[self.arms[i]] += 0.5 * (residual[i].powi(2) - p[(i, i)]);
            for j in 0..n {
                information[(self.arms[i], self.arms[j])] += 0.5 * p[(i, j)].powi(2);
            }
        }
        // Sums over languages stand for products with Z.
        let by_language = DMatrix::from_fn(n, self.languages.len(), |i, l| {
            self.languages[l].iter().map(|j| p[(i, *j)]).sum::<f64>()
        });
        for (l, language) in self.languages.iter().enumerate() {
            let of_residual: f64 = language.iter().map(|i| residual[*i]).sum();
            let trace: f64 = language.iter().map(|i| by_language[(*i, l)]).sum();
            slope[k] += 0.5 * (of_residual.powi(2) - trace);
            for i in 0..n {
                information[(k, self.arms[i])] += 0.5 * by_language[(i, l)].powi(2);
            }
            for m in 0..self.languages.len() {
                information[(k, k)] +=
                    0.5 * language.iter().map(|i| by_language[(*i, m)]).sum::<f64>().powi(2);
            }
        }
        for arm in 0..k {
            information[(arm, k)] = information[(k, arm)];
        }
        let log_likelihood = -0.5 * (log_determinant + residual.dot(&self.y));
        let means = weights.transpose() * &self.y;
        log_likelihood.is_finite().then_some(State {
            log_likelihood,
            slope,
            information,
            means,
            covariance,
            weights,
        })
    }
}

fn variance(scores: &Scores) -> f64 {
    let n = scores.len() as f64;
    let mean = scores.iter().map(|(_, y)| y).sum::<f64>() / n;
    scores.iter().map(|(_, y)| (y - mean).powi(2)).sum::<f64>() / (n - 1.0)
}

/// A matrix with each row and column times a factor: variances can be of very different sizes.
fn scaled(matrix: &DMatrix<f64>, factors: &DVector<f64>) -> DMatrix<f64> {
    matrix.component_mul(&(factors * factors.transpose()))
}

/// The inverse of a symmetric matrix; of a singular one (two arms leave one variance undetermined), the pseudo-inverse.
fn inverse(matrix: &DMatrix<f64>) -> DMatrix<f64> {
    let eigen = matrix.clone().symmetric_eigen();
    let greatest = eigen.eigenvalues.amax();
    let inverted = eigen.eigenvalues.map(|value| if value > 1e-12 * greatest { 1.0 / value } else { 0.0 });
    &eigen.eigenvectors * DMatrix::from_diagonal(&inverted) * eigen.eigenvectors.transpose()
}
