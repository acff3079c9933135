//! A colour and a shape for each objective, in the order in which the findings list objectives. The colours keep
//! apart under the common colour blindnesses, and the shapes keep apart without colour.

use electra_analysis::{ArmFindings, Findings, Role};

/// What a value is marked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Circle,
    Square,
    Diamond,
    Up,
    Down,
    Cross,
}

/// How an arm is drawn.
#[derive(Clone, Debug)]
pub(crate) struct Style<'a> {
    pub(crate) arm: &'a ArmFindings,
    /// The class that brings the colour.
    pub(crate) colour: &'static str,
    pub(crate) shape: Shape,
    /// Controls are hollow.
    pub(crate) hollow: bool,
}

impl Style<'_> {
    /// The classes of a mark.
    pub(crate) fn mark(&self) -> String {
        format!("{} {}", self.colour, if self.hollow { "hollow" } else { "mark" })
    }
}

/// The first objectives' colours and shapes.
const FIRST: [(&str, Shape); 5] = [
    ("c1", Shape::Circle),
    ("c2", Shape::Square),
    ("c3", Shape::Up),
    ("c4", Shape::Diamond),
    ("c5", Shape::Down),
];

/// Those of all others, in turn.
const OTHERS: [(&str, Shape); 3] = [("c6", Shape::Circle), ("c7", Shape::Square), ("c8", Shape::Diamond)];

/// The encoder from scratch.
const SCRATCH: (&str, Shape) = ("c0", Shape::Cross);

/// The styles of all arms, in their order. An objective that no arm has takes no colour from the others.
pub(crate) fn styles(findings: &Findings) -> Vec<Style<'_>> {
    let has_arm = |objective: &str| {
        findings.arms.iter().any(|arm| arm.facts.role != Role::Scratch && arm.facts.objective == objective)
    };
    let others = findings.objectives.iter().skip(FIRST.len()).map(|facts| facts.name.as_str());
    let others: Vec<&str> = others.filter(|name| has_arm(name)).collect();
    let style = |arm: &ArmFindings| {
        let place = findings.place(&arm.facts.objective).unwrap_or(0);
        let other = others.iter().position(|name| *name == arm.facts.objective).unwrap_or(0);
        match arm.facts.role {
            Role::Scratch => SCRATCH,
            _ => FIRST.get(place).copied().unwrap_or(OTHERS[other % OTHERS.len()]),
        }
    };
    findings
        .arms
        .iter()
        .map(|arm| {
            let (colour, shape) = style(arm);
            Style { arm, colour, shape, hollow: matches!(arm.facts.role, Role::Control { .. }) }
        })
        .collect()
}
