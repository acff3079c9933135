//! Whether the paper's ordering is in the findings.
//!
//! Table 5 (Base, GLUE dev) has the scores 82.2, 82.4, 82.4, 84.3 and 85.0. The first three are level, within what
//! the paper itself could tell, so the ordering has seven differences: the fourth objective above each of the three,
//! and the fifth above each of the four.

use serde::{Deserialize, Serialize};

use crate::findings::{Comparison, Findings, Verdict};
use crate::measurements::{ObjectiveFacts, Role};

/// Scores of the paper that lie no farther apart than this, in points, are a tie.
const TIE: f64 = 0.3;

/// Whether the paper's ordering is in the findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaperOrdering {
    /// Every difference of it was found.
    Appears,
    /// Some of its differences were found, and nothing against it.
    Partly,
    /// None of its differences was found the other way round, but one where the paper has a tie.
    TiesApart,
    /// One of its differences was found the other way round.
    Contradicted,
    /// Nothing of it was found, and nothing against it.
    Open,
}

/// The paper's ordering beside the verdicts.
#[derive(Clone, Debug, PartialEq)]
pub struct Ordering {
    /// Whether it is in the findings.
    pub answer: PaperOrdering,
    /// The titles of the paper's objectives, the lowest first.
    pub titles: Vec<String>,
    /// By how many points each of them is above the one before, and whether the two are level.
    pub steps: Vec<(f64, bool)>,
    /// How many differences the paper's ordering has.
    pub total: usize,
    /// Those of them that this study can look at.
    pub differences: Vec<Claim>,
    /// The pairs that the paper has level.
    pub ties: Vec<Claim>,
}

/// Two arms of which the paper says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The arm that the paper has above the other; of a tie either.
    pub upper: String,
    /// The other.
    pub lower: String,
    /// The verdict on the upper one.
    pub verdict: Verdict,
}

impl Findings {
    /// The paper's ordering beside the verdicts.
    #[must_use]
    pub fn ordering(&self) -> Ordering {
        let mut paper: Vec<(&str, f64)> = self.objectives.iter().filter_map(titled).collect();
        paper.sort_by(|(_, a), (_, b)| a.total_cmp(b));
        let total = (0..paper.len())
            .map(|upper| paper[..upper].iter().filter(|(_, lower)| !level(*lower, paper[upper].1)).count())
            .sum();
        let (differences, ties) = claims(self);
        let with = |verdict| differences.iter().filter(|claim| claim.verdict == verdict).count();
        let answer = match (with(Verdict::Better), with(Verdict::Worse)) {
            (_, 1..) => PaperOrdering::Contradicted,
            _ if ties.iter().any(|tie| tie.verdict.is_apart()) => PaperOrdering::TiesApart,
            (0, 0) => PaperOrdering::Open,
            (found, 0) if found == total => PaperOrdering::Appears,
            (_, 0) => PaperOrdering::Partly,
        };
        Ordering {
            answer,
            steps: paper
                .windows(2)
                .map(|pair| (pair[1].1 - pair[0].1, level(pair[0].1, pair[1].1)))
                .collect(),
            titles: paper.into_iter().map(|(title, _)| title.to_owned()).collect(),
            total,
            differences,
            ties,
        }
    }
}

fn titled(objective: &ObjectiveFacts) -> Option<(&str, f64)> {
    Some((&objective.title, objective.paper_glue?))
}

/// Whether two scores of the paper are a difference, and not a tie.
#[must_use]
pub fn differ_in_the_paper(a: f64, b: f64) -> bool {
    !level(a, b)
}

fn level(a: f64, b: f64) -> bool {
    (a - b).abs() <= TIE
}

/// The comparisons of the paper's objectives: the differences, then the ties.
fn claims(findings: &Findings) -> (Vec<Claim>, Vec<Claim>) {
    // Of two arms with one objective the first stands for it.
    let glue = |name: &str| {
        let mut arms = findings.arms.iter();
        let objective = &arms.clone().find(|arm| arm.facts.name == name)?.facts.objective;
        let first = arms.find(|arm| arm.facts.role == Role::Arm && arm.facts.objective == *objective)?;
        let facts = findings.objectives.iter().find(|facts| facts.name == *objective)?;
        facts.paper_glue.filter(|_| first.facts.name == name)
    };
    let (mut differences, mut ties) = (Vec::new(), Vec::new());
    for Comparison { a, b, verdict, .. } in &findings.pairs {
        let (Some(upper), Some(lower)) = (glue(a), glue(b)) else { continue };
        let claim =
            |upper: &str, lower: &str, verdict| Claim { upper: upper.into(), lower: lower.into(), verdict };
        if level(upper, lower) {
            ties.push(claim(a, b, *verdict));
        } else if upper > lower {
            differences.push(claim(a, b, *verdict));
        } else {
            differences.push(claim(b, a, verdict.turned()));
        }
    }
    (differences, ties)
}
