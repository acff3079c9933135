//! Charts, each drawn once: places across are shares of the width, so that a phone and a wide screen show the same.

mod axis;
mod compute;
mod diagnostics;
mod dots;
mod figure;
mod growth;
mod learning;
mod line;
mod scale;
mod scores;
mod svg;
mod sweep;

use electra_analysis::Findings;

pub(crate) use figure::Chart;
pub use growth::{GrowthPanel, growth_chart};

/// Colours and strokes, light and dark.
pub(crate) const STYLE: &str = include_str!("chart.css");

/// The charts that there is something for.
pub(crate) struct Charts {
    pub(crate) sweep: Option<Chart>,
    pub(crate) scores: Option<Chart>,
    pub(crate) differences: Option<Chart>,
    pub(crate) learning: Option<Chart>,
    pub(crate) compute_flops: Option<Chart>,
    pub(crate) compute_steps: Option<Chart>,
    pub(crate) tasks: Option<Chart>,
    pub(crate) diagnostics: Option<Chart>,
    /// One for each other family of scores.
    pub(crate) families: Vec<Option<Chart>>,
}

impl Charts {
    pub(crate) fn new(findings: &Findings) -> Self {
        Self {
            sweep: sweep::chart(findings),
            scores: scores::scores(findings),
            differences: scores::differences(findings),
            learning: learning::chart(findings),
            compute_flops: compute::chart(findings, compute::Compute::Flops),
            compute_steps: compute::chart(findings, compute::Compute::Steps),
            tasks: scores::tasks(findings),
            diagnostics: diagnostics::chart(findings),
            families: findings.families.iter().map(compute::of_family).collect(),
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Chart> {
        [
            &self.sweep,
            &self.scores,
            &self.differences,
            &self.learning,
            &self.compute_flops,
            &self.compute_steps,
            &self.tasks,
            &self.diagnostics,
        ]
        .into_iter()
        .chain(&self.families)
        .flatten()
    }
}
